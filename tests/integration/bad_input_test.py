"""What each verb says of bad input, and its exit code: a test a row, in the order of the rules.

usage: SLUICE_PROGRAM=build/dev/bin/sluice TRACE_MUTATE=... OTHER_VK=FOLDER UPLOAD_PROGRAM=... \\
       VULKAN_PROGRAM=... DISPLAY=:0 python3 bad_input_test.py [-v]

All of it in one command: ctest -R traces.bad_input
"""

import datetime
import json
import os
import resource
import struct
import subprocess
import unittest
from operator import itemgetter

from trace_bed import FRAMES, SLUICE, TraceBed, crc32c, sluice

MUTATE = os.environ.get("TRACE_MUTATE", "trace_mutate")
UPLOAD = os.environ.get("UPLOAD_PROGRAM", "upload_program")
PAYLOAD_MAX = 16 << 20

# Another driver: a layer above llvmpipe (tests/support/other_vk.c).
OTHER = {
    "VK_LAYER_PATH": os.environ.get("OTHER_VK", ""),
    "VK_INSTANCE_LAYERS": "VK_LAYER_SLUICE_other",
}


class BadInput(TraceBed):
    def changed(self, kind: bytes, offset: int, form: str, *values: int) -> "tuple[str, int, int]":
        """A header of a chunk of that kind says something else, under a checksum that holds."""
        data, at = bytearray(self.any().read_bytes()), self.chunk(kind)
        struct.pack_into(form, data, at + offset, *values)
        struct.pack_into("<I", data, at + 60, crc32c(bytes(data[at : at + 60])))
        (number,) = struct.unpack_from("<I", data, at + 8)
        return self.copy(bytes(data)), number, at

    # --- not a trace ---

    def test_01_not_a_trace(self) -> None:
        path = self.copy(b"PK\x03\x04" + bytes(100))
        for verb in ("info", "dump", "replay", "bench"):
            self.ends(4, verb, path, says=f'sluice {verb}: {path}: not a sluice trace: expected '
                      r'magic "\x89SLC", found "PK\x03\x04"; looks like a zip file')  # fmt: skip
        self.ends(4, "diff", path, path, says="not a sluice trace")
        self.ends(4, "trim", "-o", str(self.tmp / "out"), path, says="not a sluice trace")
        self.ends(4, "info", self.copy(b""), says="not a sluice trace: the file is empty")

    # --- another version ---

    def test_02_newer_container(self) -> None:
        data = bytearray(self.any().read_bytes())
        struct.pack_into("<HH", data, 8, 3, 0)
        struct.pack_into("<I", data, 60, crc32c(bytes(data[:60])))
        path = self.copy(bytes(data))
        (created,) = struct.unpack_from("<Q", data, 40)
        day = datetime.datetime.fromtimestamp(created // 10**9, datetime.timezone.utc).date()
        maker = json.loads(self.ends(0, "info", "--json", str(self.any())))["meta"]["made_by"]
        says = f"{path}: container 3.0, this build reads 1.0 to 1.0; made by {maker} on {day}\n"
        for verb in ("info", "dump", "replay"):
            self.ends(4, verb, path, says=says)

    def test_03_unknown_chunk(self) -> None:
        """An optional one is passed by, another one is not."""
        for kind, code, says in (
            (b"gpuz", 0, 'note: skipped 1 chunks of optional kind "gpuz"'),
            (b"GPUZ", 4, 'is of the kind "GPUZ", which this build does not know'),
        ):
            data, at = bytearray(self.any().read_bytes()), self.chunk(b"INDX")
            data[at + 4 : at + 8] = kind
            struct.pack_into("<I", data, at + 60, crc32c(bytes(data[at : at + 60])))
            path = self.copy(bytes(data))
            for words in (("dump",), ("replay", "--backend", "decode")):
                self.ends(code, *words, path, says=says)

    def test_04_other_protocol(self) -> None:
        if "gl" not in self.traces:
            self.skipTest("glmark2-es2 is not installed")
        trace, path = str(self.traces["gl"]), str(self.tmp / "other.slc")
        names = ["glEnableVertexAttribArray", "glEnableVertexAttribBrray"]
        subprocess.run([MUTATE, trace, path, *names], check=True)
        says = "is not this build's; using the schema in the file"
        self.assertIn(f"{names[1]}(index = 0)", self.ends(0, "dump", path, says=says))
        self.ends(0, "info", path)
        self.ends(1, "diff", trace, path, says=says)
        self.ends(4, "replay", path, says=f"is {names[1]}, which this build's protocol has not")

    # --- damage ---

    def test_05_cut_short(self) -> None:
        data = self.any().read_bytes()
        path = self.copy(data[: len(data) * 3 // 4])
        says = "warning: recording ended without an end mark (program killed?); "
        for words in (["info"], ["dump"], ["replay"], ["info", "--check"]):
            self.ends(0, *words, path, says=says)
            self.ends(6, *words, "--strict", path, says=says)
        state = json.loads(self.ends(0, "info", "--json", path))
        self.assertFalse(state["complete"])
        counted = sum(row["count"] for row in state["commands"])
        self.assertEqual(state["calls"], counted)
        self.assertRegex(self.ends(0, "info", path), r"(?m)^kinds       \w")
        self.assertEqual(
            [(True, True), (False, False)], [self.whole(trace) for trace in (str(self.any()), path)]
        )
        short = f"warning: {path}: recording ended without an end mark"
        self.ends(0, "info", "--requirements", path, says=short)
        self.ends(6, "info", "--requirements", "--strict", path, says=short)
        kept = self.tmp / "kept.slc"
        for code, words in (
            (1, ["diff", str(self.any())]),
            (0, ["bench", "--runs", "1", "--backend", "null"]),
            (0, ["trim", "--offline", "-o", str(kept)]),
        ):
            self.ends(6, *words, "--strict", path, says=short)
            self.assertFalse(kept.exists())
            said = self.ends(code, *words, "--json", path, says=short)
            self.assertFalse(json.loads(said.splitlines()[-1])["complete"], words)
        self.ends(6, "diff", "--strict", "--shots", "0", path, path, says="without an end mark")
        self.ends(0, "info", self.copy(data[:64]), says="0 calls of frame 0 are complete")

    def test_05_cut_at_the_index(self) -> None:
        """All is there that the index and the end would have told of."""
        for trace in self.traces.values():
            whole = json.loads(self.ends(0, "info", "--json", str(trace)))
            data = trace.read_bytes()
            index = [at for at, _, kind in self.chunks(data) if kind == b"INDX"][-1]
            path = self.copy(data[:index])
            cut = json.loads(self.ends(0, "info", "--json", path))
            for state in (whole, cut):
                state["commands"].sort(key=itemgetter("capset", "opcode"))
            self.assertEqual(whole["chunks"] - 1, cut["chunks"])
            self.assertTrue(0 < cut["time_ns"] <= whole["time_ns"])
            other = {"file", "bytes", "chunks", "complete", "time_ns"}
            self.assertEqual(*({k: v for k, v in state.items() if k not in other}
                               for state in (whole, cut)))  # fmt: skip

    def whole(self, trace: str) -> "tuple[bool, bool]":
        """What a replay says, and one that only checks."""
        says = [self.ends(0, "replay", "--json", *words, trace)
                for words in ((), ("--backend", "decode"))]  # fmt: skip
        played, checked = (json.loads(text)["complete"] for text in says)
        return played, checked

    def test_05_frames_that_are_not_there(self) -> None:
        """Nothing else is played, printed or measured in their place."""
        path = str(self.any())
        count = json.loads(self.ends(0, "info", "--json", path))["frames"]
        for words in (["replay"], ["bench", "--runs", "1"], ["dump"]):
            says = f"--frames begins with {count + 1}, but {path} has {count} frames"
            self.ends(2, *words, "--frames", f"0,{count + 1}", path, says=says)
        out = str(self.tmp / "pictures")
        says = f"--shots begins with {count}, but {path} has {count} frames"
        self.ends(2, "replay", "--shots", f"0,{count}", "--out", out, path, says=says)
        self.ends(0, "replay", "--frames", f"{count - 1}-", path)
        self.ends(0, "dump", "--frames", f"{count}", path)

    def test_06_damaged_chunk(self) -> None:
        data, at = bytearray(self.any().read_bytes()), self.chunk(b"CALL")
        number, stream = struct.unpack_from("<II", data, at + 8)
        data[at + 70] ^= 4
        path = self.copy(bytes(data))
        says = f"damaged: chunk {number} at byte {at:,}: checksum; lost calls 0-"
        for words in (["dump"], ["replay"], ["info", "--check"], ["diff", path]):
            self.ends(5, *words, path, says=says)
        self.ends(5, "replay", "--backend", "decode", path, says=says)
        for words in (["dump"], ["replay"]):
            self.ends(5, *words, "--keep-going", path, says=f"of stream {stream}")
        self.ends(5, "diff", "--keep-going", path, path, says=f"of stream {stream}")
        self.assertIn("damaged: ", self.ends(5, "info", "--check", path))

    def test_07_absurd_length(self) -> None:
        for offset, form in ((20, "<I"), (56, "<I")):  # unpacked, and in the file
            for size in (PAYLOAD_MAX + 1, 0xFFFFFFFF):
                path, number, at = self.changed(b"CALL", offset, form, size)
                for words in (["info", "--check"], ["dump"], ["replay"]):
                    self.ends(5, *words, path, says=f"damaged: chunk {number} at byte {at:,}: ")

    def test_07_bomb(self) -> None:
        """It says that it unpacks to less than it does, or to more than its frame says."""
        (raw,) = struct.unpack_from("<I", self.any().read_bytes(), self.chunk(b"CALL") + 20)
        for size in (raw - 1, raw + 1, 1, PAYLOAD_MAX):
            path, number, at = self.changed(b"CALL", 20, "<I", size)
            done = subprocess.run(
                [SLUICE, "info", "--check", path],
                capture_output=True,
                text=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (128 << 20, 128 << 20)),
            )
            self.assertEqual(5, done.returncode, done.stderr)
            self.assertIn(f"damaged: chunk {number} at byte {at:,}: ", done.stderr)

    def test_07_a_chunk_that_is_another(self) -> None:
        """Links that go back to where they came from are cap_seek_test.c's."""
        path, _, at = self.changed(b"INDX", 8, "<I", 0)
        self.ends(5, "info", "--check", path, says=f" at byte {at:,}: ")

    # --- another machine ---

    def other(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return sluice("replay", *words, **OTHER)

    def needs_other(self) -> None:
        if "vk" not in self.traces or not OTHER["VK_LAYER_PATH"]:
            self.skipTest("vkcube is not installed, or the test layer not built")

    def test_08_missing_feature(self) -> None:
        self.needs_other()
        program = os.environ.get("VULKAN_PROGRAM", "")
        if not program:
            self.skipTest("VULKAN_PROGRAM is not set")
        path = str(self.tmp / "features.slc")
        self.ends(0, "record", "-o", path, "--", program)
        done = self.other("--no-portable", path)
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"needed +first use +here +remedy\n")
        self.assertRegex(
            done.stderr, r"feature geometryShader +call [\d,]+, frame 0 +no +--portable, if nothing"
        )
        done = self.other("--portable", path)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("; features left out geometryShader", done.stderr)
        self.assertIn(
            "; formats remapped VK_FORMAT_D24_UNORM_S8_UINT→VK_FORMAT_D32_SFLOAT_S8_UINT",
            done.stderr,
        )

    def test_09_other_driver(self) -> None:
        """Both ways: what it has is numbered otherwise, and pictures are the recorded ones."""
        self.needs_other()
        trace = str(self.traces["vk"])
        there = str(self.tmp / "there.slc")
        done = sluice("record", "--hash", "-o", there, "--", "vkcube", "--c", str(FRAMES), **OTHER)
        self.assertEqual(0, done.returncode, done.stderr)
        for threads in ("one", "recorded"):
            done = self.other("--threads", threads, "--expect", "live", trace)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertRegex(
                done.stderr,
                r"recorded on llvmpipe.*, replaying on other llvmpipe.*; memory types remapped "
                r"0→2; queue families remapped 0→1\n",
            )
            done = sluice("replay", "--threads", threads, "--expect", "live", there)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertRegex(
                done.stderr, r"recorded on other llvmpipe.*, replaying on llvmpipe.*; memory types "
                r"remapped [12]→0, [12]→0; queue families remapped 1→0\n")  # fmt: skip

    def test_09_no_gpu_times(self) -> None:
        self.needs_other()
        there = str(self.tmp / "untimed.slc")
        done = sluice("record", "-o", there, "--", "vkcube", "--c", str(FRAMES), **OTHER)
        self.assertEqual(0, done.returncode, done.stderr)
        done = sluice("bench", "--runs", "1", "--gpu-time", there, **OTHER)
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertEqual("", done.stdout)
        self.assertIn("the driver has no timestamps for this family of queues", done.stderr)

    def test_09_the_plan(self) -> None:
        self.needs_other()
        trace = str(self.traces["vk"])
        done = self.other("--plan", trace)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("queue family 0 becomes 1\nmemory type 0 becomes 2\n", done.stdout)
        plan = json.loads(self.other("--plan", "--json", trace).stdout)
        self.assertEqual(
            [("queue family", "0", "1"), ("memory type", "0", "2")],
            [(use["kind"], use["recorded"], use["here"]) for use in plan["vulkan"]],
        )
        same = json.loads(self.ends(0, "replay", "--plan", "--json", trace))
        self.assertEqual(
            [("queue family", "0", "0"), ("memory type", "0", "0")],
            [(use["kind"], use["recorded"], use["here"]) for use in same["vulkan"]],
        )

    def test_10_more_memory(self) -> None:
        self.needs_other()
        done = self.other("--expect", "live", str(self.traces["vk"]))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(
            "image#3: needs 577,536 B here, 512,000 B when recorded; rebound", done.stderr
        )
        self.assertIn("image#0: needs 1,089,536 B here, 1,024,000 B when recorded; enlarged",
                      done.stderr)  # fmt: skip
        done = self.other("--no-portable", str(self.traces["vk"]))
        self.assertEqual(8, done.returncode, done.stderr)

    def test_11_result_differs(self) -> None:
        """A host that offers less answers otherwise."""
        trace = str(self.any())
        done = sluice("replay", "--stock", trace)
        self.assertEqual(8, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"diverged at call [\d,]+ \(frame 0\) \w+: recorded .+, got ")
        last = done.stderr.split("diverged at call", 1)[1].splitlines()[1:]
        self.assertTrue(0 < len(last) <= 16, done.stderr)
        self.assertEqual(8, sluice("replay", "--stock", "--ignore-results", trace).returncode)

    def test_12_no_display(self) -> None:
        done = sluice("replay", "--window", str(self.any()), DISPLAY="", WAYLAND_DISPLAY="")
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertIn("no X11 or Wayland display", done.stderr)
        self.assertIn("run without --window", done.stderr)

    # --- output ---

    def test_13_output_is_input(self) -> None:
        trace = str(self.any())
        before = self.any().read_bytes()
        link = self.tmp / "link.slc"
        link.symlink_to(trace)
        for out in (trace, str(link)):
            self.ends(2, "trim", "--force", "-o", out, trace,
                      says="refusing to write onto an input file")  # fmt: skip
        self.ends(2, "info", "--thumb", trace, "--force", trace, says="refusing to write onto an")
        self.ends(2, "info", "--log-file", trace, trace, says="refusing to write onto an")
        self.assertEqual(before, self.any().read_bytes())

    def test_14_disk_full(self) -> None:
        path = self.tmp / "full.slc"
        done = subprocess.run(
            [SLUICE, "record", "--level", "0", "-o", str(path), "--", UPLOAD, "buffer", "24"],
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12 << 20, 12 << 20)),
        )
        self.assertEqual(125, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"warning: recording stopped at frame 0: ")
        self.assertIn("uploaded", done.stdout)  # the program runs on
        self.assertTrue(json.loads(self.ends(0, "info", "--json", str(path)))["complete"])
        self.ends(0, "info", "--check", str(path))


if __name__ == "__main__":
    unittest.main()
