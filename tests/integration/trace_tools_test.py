"""What the verbs of traces do beyond replaying and dumping them, from outside.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 trace_tools_test.py [-v] [CLASS]
"""

import json
import math
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time
import unittest
import zlib
from collections import Counter
from operator import itemgetter
from typing import Any

from trace_bed import FRAMES, PATIENCE_S, PROGRAMS, SLUICE, TraceBed, sluice

MUTATE = os.environ.get("TRACE_MUTATE", "trace_mutate")


def png(path: pathlib.Path, width: int, height: int, pixels: "list[tuple[int, int, int]]") -> None:
    """An RGB picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)
        )

    rows = b"".join(
        b"\0" + b"".join(bytes(p) for p in pixels[y * width : (y + 1) * width])
        for y in range(height)
    )
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Pictures(TraceBed):
    """diff --images, --shots and --eps."""

    def folders(self, name: str) -> "tuple[pathlib.Path, pathlib.Path]":
        both = (self.tmp / f"{name}-a", self.tmp / f"{name}-b")
        for folder in both:
            folder.mkdir()
        return both

    def test_folders(self) -> None:
        a, b = self.folders("folders")
        grey, page = (100, 100, 100), self.tmp / "page"
        for folder in (a, b):
            png(folder / "same.png", 4, 3, [grey] * 12)
        png(a / "near.png", 4, 3, [grey] * 12)
        png(b / "near.png", 4, 3, [grey] * 11 + [(100, 103, 100)])
        self.assertEqual(
            "near.png: 1 pixels differ, by up to 3\n1 of 2 pictures differ\n",
            self.ends(1, "diff", "--images", str(a), str(b)),
        )
        self.assertEqual("", self.ends(0, "diff", "--images", "--fuzz", "3", str(a), str(b)))
        self.ends(1, "diff", "--images", "--fuzz", "2", str(a), str(b))
        png(b / "odd & new.png", 1, 1, [grey])
        png(b / "same.png", 2, 2, [grey] * 4)
        out = self.ends(1, "diff", "--images", "--out", str(page), str(a), str(b))
        self.assertEqual(
            [
                "near.png: 1 pixels differ, by up to 3",
                f"odd & new.png: only in {b}",
                "same.png: 4x3 and 2x2",
                "3 of 3 pictures differ",
            ],
            out.splitlines(),
        )
        html = (page / "index.html").read_text()
        shown = re.findall(r'<img src="([^"]+)"', html)
        self.assertEqual(
            ["first/near.png", "second/near.png", "difference/near.png",
             "second/odd%20%26%20new.png", "first/same.png", "second/same.png"], shown)  # fmt: skip
        for name in shown:
            self.assertTrue((page / name.replace("%20", " ").replace("%26", "&")).is_file(), name)
        self.assertIn("odd &amp; new.png", html)
        self.ends(2, "diff", "--images", "--out", str(page), str(a), str(b),
                  says="is there already; overwrite it with --force")  # fmt: skip
        self.ends(1, "diff", "--images", "--out", str(page), "--force", str(a), str(b))

    def test_how_far_pictures_are_apart(self) -> None:
        """PSNR is of red, green and blue: 10 log10(255² / mean of the squared differences)."""
        a, b = self.folders("apart")
        png(a / "far.png", 2, 1, [(10, 20, 30), (10, 20, 30)])
        png(b / "far.png", 2, 1, [(10, 20, 30), (40, 20, 26)])
        png(a / "same.png", 1, 1, [(1, 2, 3)])
        png(b / "same.png", 1, 1, [(1, 2, 3)])
        out = self.ends(1, "diff", "--images", "--json", str(a), str(b))
        far, same, whole = [json.loads(line) for line in out.splitlines()]
        psnr = 10 * math.log10(255**2 / ((30**2 + 4**2) / 6))
        self.assertEqual((2, True, 1, 30, round(psnr, 2)), itemgetter(
            "schema", "differs", "pixels", "most", "psnr_db")(far))  # fmt: skip
        self.assertEqual((False, 0, 0, None), itemgetter(
            "differs", "pixels", "most", "psnr_db")(same))  # fmt: skip
        self.assertEqual((1, 2), (whole["differing_pictures"], whole["pictures"]))

    def test_difference_pictures_show_where(self) -> None:
        a, b = self.folders("where")
        png(a / "one.png", 2, 1, [(10, 20, 30), (10, 20, 30)])
        png(b / "one.png", 2, 1, [(10, 20, 30), (10, 24, 31)])
        page = self.tmp / "where-page"
        self.ends(1, "diff", "--images", "--out", str(page), str(a), str(b))
        # The picture is compared with what it must be by the verb itself.
        wanted = self.tmp / "where-wanted"
        wanted.mkdir()
        png(wanted / "one.png", 2, 1, [(0, 0, 0), (0, 255, 63)])
        self.ends(0, "diff", "--images", str(page / "difference"), str(wanted))

    def test_bad_pictures(self) -> None:
        a, b = self.folders("bad")
        self.ends(3, "diff", "--images", str(a), str(b), says="there is no picture (NAME.png)")
        png(a / "x.png", 1, 1, [(1, 2, 3)])
        (b / "x.png").write_bytes(b"nothing")
        self.ends(3, "diff", "--images", str(a), str(b), says="x.png: cannot be read as a PNG")
        png(b / "x.png", 1, 1, [(1, 2, 3)])
        data = bytearray((b / "x.png").read_bytes())
        struct.pack_into(">II", data, 16, 60000, 60000)
        struct.pack_into(">I", data, 29, zlib.crc32(bytes(data[12:29])) & 0xFFFFFFFF)
        (b / "x.png").write_bytes(bytes(data))
        self.ends(3, "diff", "--images", str(a), str(b), says="60000x60000; pictures have at most")
        self.ends(3, "diff", "--images", str(a), str(self.tmp / "none"), says="is no folder that")

    def test_shots_of_traces(self) -> None:
        for trace in map(str, self.traces.values()):
            self.assertEqual("", self.ends(0, "diff", "--shots", "2-4", trace, trace))
        if len(self.traces) == 2:
            page = self.tmp / "shots"
            both = list(map(str, self.traces.values()))
            out = self.ends(1, "diff", "--shots", "3", "--json", "--out", str(page), *both)
            rows = [json.loads(line) for line in out.splitlines()]
            self.assertEqual("frame-000003.png", rows[0]["picture"])
            self.assertNotEqual(*rows[0]["sizes"])
            self.assertEqual((True, 1, 1), (rows[1]["differ"], rows[1]["differing_pictures"],
                                            rows[1]["pictures"]))  # fmt: skip
            self.assertTrue((page / "second" / "frame-000003.png").is_file())
        trace = str(self.any())
        self.ends(2, "diff", "--shots", "x", trace, trace, says="--shots is 'x'")
        self.ends(2, "diff", "--shots", "1", "--images", trace, trace, says="give one of them")

    def test_eps_is_a_number(self) -> None:
        self.ends(2, "diff", "--eps", "near", "a", "b", says="it should be a number like 0.5")


class Replay(TraceBed):
    """replay's backends, pace, loops, window, validation, time limit and worker."""

    def last_line(self, *words: str) -> "dict[str, object]":
        lines = self.ends(0, "replay", "--json", *words).splitlines()
        state: "dict[str, object]" = json.loads(lines[-1])
        return state

    def test_backends_play_every_call(self) -> None:
        for trace in map(str, self.traces.values()):
            info = json.loads(self.ends(0, "info", "--json", trace))
            for backend in ("gpu", "cpu", "null", "decode"):
                with self.subTest(trace=trace, backend=backend):
                    state = self.last_line("--backend", backend, trace)
                    self.assertEqual(info["calls"], state["calls"])
                    self.assertGreaterEqual(state["frames"], FRAMES)  # type: ignore[arg-type]
            self.ends(2, "replay", "--backend", "null", "--hash", trace, says="need pictures")
            hashes = [self.ends(0, "replay", "--backend", b, "--hash", trace).splitlines()[:-1]
                      for b in ("gpu", "cpu")]  # fmt: skip
            self.assertEqual(*hashes)  # there are no other drivers here

    def test_frames_are_counted_as_asked(self) -> None:
        """Not those that lead to them, and of these nothing takes part in what a frame took."""
        for trace in map(str, self.traces.values()):
            for frames, count, backend in (("0-8/4", 3, "gpu"), ("2,7", 2, "decode")):
                state = self.last_line("--frames", frames, "--backend", backend, trace)
                self.assertEqual(count, state["frames"], frames)
            state = self.last_line("--frames", "3-5", "--loop", "2", trace)
            self.assertEqual(6, state["frames"])
            state = self.last_line("--frames", "12", trace)
            self.assertEqual([1, 13], [state[name] for name in ("frames", "played")])
            most = state["frame_ms"]["max"]  # type: ignore[index]
            self.assertAlmostEqual(state["seconds"] * 1e3, most, 2)  # type: ignore[operator]
            line = self.ends(0, "replay", "-v", "--frames", "12", trace,
                             says="13 frames were played for 1")  # fmt: skip
            self.assertRegex(line, "^frames 1  time ")
            calls = [self.last_line("--backend", "decode", "--frames", part, trace)["calls"]
                     for part in ("0-4", "5-")]  # fmt: skip
            self.assertEqual(self.last_line("--backend", "decode", trace)["calls"], sum(calls))

    def test_loops_draw_the_same(self) -> None:
        for trace in map(str, self.traces.values()):
            lines = self.ends(0, "replay", "--loop", "6", "--hash", trace).splitlines()[:-1]
            self.assertEqual(6, len(lines) // len(set(lines)))

    def test_calls_are_left_out(self) -> None:
        if "gl" in self.traces:
            trace = str(self.traces["gl"])
            draws = self.ends(0, "dump", "--grep", "glDraw", "--frames", "4", trace).split()
            whole = self.ends(0, "replay", "--preload", "--hash", trace).splitlines()[:-1]
            less = self.ends(0, "replay", "--skip", draws[0], "--hash", trace).splitlines()[:-1]
            self.assertEqual(
                [4], [i for i, pair in enumerate(zip(whole, less)) if len(set(pair)) > 1]
            )
        if "vk" in self.traces:
            self.ends(2, "replay", "--skip", "30", str(self.traces["vk"]),
                      says="call 30 is Vulkan's, whose packets wait for each other")  # fmt: skip

    def test_pace(self) -> None:
        trace = str(self.any())
        frames = json.loads(self.ends(0, "info", "--json", trace))["frames"]
        state = self.last_line("--pace", "25", trace)
        self.assertGreaterEqual(state["seconds"], (frames - 2) / 25)  # type: ignore[operator]
        state = self.last_line("--pace", "original", trace)
        self.assertEqual(frames, state["frames"])
        self.ends(2, "replay", "--pace", "0", trace, says="--pace is '0'; it should be max")

    def test_loop_time(self) -> None:
        trace = str(self.any())
        frames = json.loads(self.ends(0, "info", "--json", trace))["frames"]
        state = self.last_line("--loop-time", "0", trace)
        self.assertEqual(frames, state["frames"])
        played = self.last_line("--loop-time", "1.5", trace)["frames"]
        self.assertIsInstance(played, int)
        self.assertEqual(0, played % frames)  # type: ignore[operator]

    def test_window(self) -> None:
        trace = str(self.any())
        done = sluice("replay", "--window", trace, DISPLAY="", WAYLAND_DISPLAY="")
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertIn("no X11 or Wayland display", done.stderr)
        self.assertIn("run without --window", done.stderr)
        done = sluice("replay", "--window", "--frames", "0-5", trace)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_validate(self) -> None:
        if "gl" in self.traces:
            self.ends(7, "replay", "--validate", str(self.traces["gl"]), says="holds no Vulkan")
        if "vk" not in self.traces:
            self.skipTest("vkcube is not installed")
        trace = str(self.traces["vk"])
        for backend in ("null", "decode"):
            says = f"--validate looks at the calls of drivers, and --backend {backend}"
            self.ends(2, "replay", "--validate", "--backend", backend, trace, says=says)
        done = sluice("replay", "--validate", trace, VK_LAYER_PATH=str(self.tmp))
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertIn("there is no layer VK_LAYER_KHRONOS_validation", done.stderr)
        if pathlib.Path(
            "/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json"
        ).exists():
            done = sluice("replay", "--validate", trace)
            self.assertIn("frames ", done.stdout)
            found = [line for line in done.stderr.splitlines() if "validation: " in line]
            self.assertEqual(1 if found else 0, done.returncode, done.stderr)

    def test_validate_from_a_snapshot(self) -> None:
        """vkcube reads a texture whose layout the frames before the snapshot have set."""
        layer = "/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json"
        if "vk" not in self.traces or not pathlib.Path(layer).exists():
            self.skipTest("vkcube or the validation layer is not installed")
        part = str(self.tmp / "validated.slc")
        self.ends(0, "trim", "--gpu", "0", "--frames", "6-9", "-o", part, str(self.traces["vk"]))
        whole = sluice("replay", "--validate", str(self.traces["vk"]))
        late = sluice("replay", "--validate", part)
        self.assertEqual(whole.returncode, late.returncode, late.stderr)
        self.assertRegex(late.stderr, r"validation: \d+ errors of images' layouts are left out")

    def crashed(self, *words: str) -> str:
        """What a verb says whose worker's driver crashes."""
        with subprocess.Popen(
            [SLUICE, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            worker = ""
            while worker == "" and process.poll() is None:
                worker = children.read_text().strip()
            self.assertNotEqual("", worker, process.returncode)
            stat = pathlib.Path(f"/proc/{worker}/stat")
            while stat.read_text().count("sluice-replay") == 0:
                time.sleep(0.01)
            time.sleep(0.5)
            os.kill(int(worker), signal.SIGSEGV)
            err = process.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(10, process.returncode, err)
        return err

    def test_a_worker_that_dies(self) -> None:
        trace = str(self.any())
        err = self.crashed("replay", "--pace", "1", trace)
        self.assertRegex(
            err, r"the replay died of signal 11 \(Segmentation fault\); the last call that it was "
            r"given is [\d,]+\n")  # fmt: skip

    def test_a_call_that_does_not_end(self) -> None:
        program = os.environ.get("ENDLESS_PROGRAM")
        if program is None:
            self.skipTest("ENDLESS_PROGRAM is not set")
        trace = self.tmp / "endless.slc"
        with subprocess.Popen(
            [SLUICE, "record", "-o", str(trace), "--", program],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            self.assertEqual("drawing\n", process.stdout.readline())
            time.sleep(1)  # its last packet is in the file then
            process.terminate()
            process.wait(timeout=PATIENCE_S)
        part = trace.with_suffix(".slc.part")
        path = str(part if part.exists() else trace)
        done = sluice("replay", "--timeout", "2", path)
        self.assertEqual(9, done.returncode, done.stderr)
        self.assertRegex(
            done.stderr, r"call [\d,]+ \(frame 0\) did not end within 2 s; raise --timeout, or "
            r"the driver hangs")  # fmt: skip
        self.trim_with_a_driver_that_dies(path)

    def trim_with_a_driver_that_dies(self, endless: str) -> None:
        """Nothing is left of its output, old files are as they were, and it says what to do."""
        out = self.tmp / "of-the-dead.slc"
        cut = self.copy(pathlib.Path(endless).read_bytes()[:-64])  # frames may follow
        for old in (None, b"old"):
            if old is not None:
                out.write_bytes(old)
            err = self.crashed(
                "trim", "--force", "--gpu", "0", "--frames", "1", "-o", str(out), cut
            )
            self.assertRegex(
                err, r"died of signal 11 .*; the last call that it was given is [\d,]+"
            )
            self.assertIn("--offline keeps the calls that lead to frame 1", err)
            self.assertEqual(old, out.read_bytes() if out.exists() else None)
            self.assertEqual([], list(self.tmp.glob("of-the-dead.slc.*")))


class Bench(TraceBed):
    """What bench prints and how it ends; what it measures no test can know."""

    def bench(self, code: int, *words: str) -> "dict[str, Any]":
        state: "dict[str, Any]" = json.loads(self.ends(code, "bench", "--json", *words))
        return state

    def test_backends(self) -> None:
        for trace in map(str, self.traces.values()):
            info = json.loads(self.ends(0, "info", "--json", trace))
            for backend in ("null", "gpu"):
                state = self.bench(0, "--backend", backend, "--runs", "3", trace)
                self.assertLessEqual(info["calls"] - info["streams"], state["calls"])
                self.assertLessEqual(state["calls"], info["calls"])
                (kind,) = state["kinds"]
                self.assertEqual(3, kind["runs"])
                for name in ("seconds", "cpu_seconds", "frame_ms"):
                    figure = kind[name]
                    self.assertLessEqual(0, figure["low"])
                    self.assertLessEqual(figure["low"], figure["median"])
                    self.assertLessEqual(figure["median"], figure["high"])
                self.assertGreater(kind["peak_kib"], 1024)
                self.assertIsNone(state["ratio"])

    def test_frames(self) -> None:
        trace = str(self.any())
        whole = self.bench(0, "--runs", "1", "--backend", "null", trace)
        some = self.bench(0, "--runs", "1", "--backend", "null", "--frames", "0-4", trace)
        self.assertEqual(5, some["frames"])
        self.assertLess(some["calls"], whole["calls"])

    def test_times_are_of_the_frames_that_are_asked_for(self) -> None:
        trace, one = str(self.any()), str(self.tmp / "one.slc")
        words = ("--runs", "1", "--backend", "null")
        says = "note: 3 frames that lead to frame 3 are played too, and count in peak memory alone"
        self.ends(0, "bench", *words, "--frames", "3-5", trace, says=says)
        self.assertEqual("", sluice("bench", *words, "--frames", "0-5", trace).stderr)
        state = self.bench(0, *words, "--by-name", "--frames", "3", trace)
        (kind,) = state["kinds"]
        self.assertGreater(kind["frame_ms"]["median"], 0)
        calls = self.ends(0, "dump", "--json", "--frames", "3", trace).splitlines()
        self.assertEqual((1, len(calls)), (state["frames"], state["calls"]))
        names = Counter(json.loads(line)["name"] for line in calls)
        self.assertEqual(names, {row["name"]: row["count"] for row in kind["by_name"]})
        self.ends(0, "trim", "--frames", "3", "-o", one, trace)
        (kind,) = self.bench(0, *words, one)["kinds"]  # nothing ends where its only frame begins
        self.assertIsNone(kind["frame_ms"])
        self.assertNotIn("frame ms", self.ends(0, "bench", *words, one))

    def test_names(self) -> None:
        trace = str(self.any())
        info = json.loads(self.ends(0, "info", "--json", trace))
        (kind,) = self.bench(0, "--runs", "1", "--by-name", trace)["kinds"]
        counts = {row["name"]: row["count"] for row in kind["by_name"]}
        for row in info["commands"]:
            if (
                row["name"] != "vkDestroyInstance"
            ):  # it may be the packet that nobody can write again
                self.assertEqual(row["count"], counts[row["name"]], row["name"])
        self.assertGreater(sum(row["ns"] for row in kind["by_name"]), 0)

    def test_what_submits_take_the_gpu(self) -> None:
        for name, trace in self.traces.items():
            words = ("--runs", "1", "--gpu-time", "--by-name", str(trace))
            (kind,) = self.bench(0, *words)["kinds"]
            gpu = kind["gpu"]
            gives = "QueueSubmit" if name == "vk" else "rcFlushWindowColorBuffer"
            submits = sum(r["count"] for r in kind["by_name"] if gives in r["name"])
            told = sum(r["count"] for r in gpu["by_name"] if gives in r["name"])
            self.assertEqual(submits, gpu["not_measured"] + told)
            took = sum(r["ns"] for r in gpu["by_name"])
            self.assertGreater(took, submits * 1000)  # a picture each, on a processor
            self.assertLess(took, 60e9)
            out = self.ends(0, "bench", *words)
            self.assertRegex(out, r"(?m)^A GPU submits ")
            self.assertRegex(out, r"  gpu ms \d+\.\d{3}")
            (kind,) = self.bench(0, "--runs", "1", str(trace))["kinds"]
            self.assertIsNone(kind["gpu"])
            self.ends(2, "bench", "--backend", "null", *words, says="draws nothing")

    def test_two_environments_take_turns(self) -> None:
        trace = str(self.any())
        state = self.bench(0, "--runs", "2", "--env-a", "A=1", "--env-b", "B=2,C=3", trace)
        self.assertEqual(["A", "B"], [kind["name"] for kind in state["kinds"]])
        self.assertEqual(["A=1", "B=2,C=3"], [kind["environment"] for kind in state["kinds"]])
        self.assertGreater(state["ratio"], 0)
        out = self.ends(0, "bench", "--runs", "1", "--env-b", "B=2", trace)
        self.assertRegex(out, r"(?m)^B/A \d+\.\d{4}$")

    def test_a_regression_is_exit_1(self) -> None:
        trace = str(self.any())
        state = self.bench(0, "--runs", "2", trace)
        old = self.tmp / "old.json"
        for seconds, code in ((1000.0, 0), (1e-6, 1)):
            old.write_text(json.dumps(state | {"seconds": seconds}))
            self.bench(code, "--runs", "2", "--vs", str(old), "--fail-above", "3", trace)
        old.write_text("nothing")
        self.ends(3, "bench", "--vs", str(old), trace, says="nothing that bench --json printed")
        self.ends(2, "bench", "--fail-above", "3", trace, says="needs something to compare with")
        self.ends(2, "bench", says="something is missing: a trace")

    def test_what_recording_costs(self) -> None:
        cost = self.bench(0, "--record-cost")
        for name in ("plain", "armed", "recorded", "recorded_4"):
            self.assertGreater(cost[name]["median"], 0)
        self.assertGreater(64, cost["bytes_per_packet"])
        self.ends(2, "bench", "--record-cost", str(self.any()), says="takes no trace")


class Damaged(TraceBed):
    """Replay of traces whose checksums hold and whose contents do not.

    SLUICE_DAMAGE_SECONDS: so long, from another seed each time, instead of a few; and Vulkan on the
    native driver, whose compiler believes what it is given.
    """

    SECONDS = float(os.environ.get("SLUICE_DAMAGE_SECONDS", "0"))

    ENDS = (0, 1, 5, 7, 8, 9)

    def replay_one(self, trace: pathlib.Path, backend: str, *damage: str) -> None:
        path = self.tmp / "mutant.slc"
        subprocess.run([MUTATE, str(trace), str(path), *damage], check=True)
        before = sorted(os.listdir(self.tmp))
        done = sluice(
            "replay", "--backend", backend, "--ignore-results", "--timeout", "2", str(path)
        )
        self.assertIn(done.returncode, self.ENDS, f"{trace.name}, {damage}: {done.stderr[-2000:]}")
        self.assertEqual(before, sorted(os.listdir(self.tmp)), "it writes nothing")

    def replay_some(self, trace: pathlib.Path, least: int, backend: str, *damage: str) -> None:
        first = int(time.time()) if self.SECONDS else 1
        end = time.monotonic() + self.SECONDS
        played = 0
        while played < least or time.monotonic() < end:
            self.replay_one(trace, backend, *damage, str(first + played))
            played += 1
        print(f"replayed {played} damaged traces from seed {first}", file=sys.stderr)

    def test_nothing_dies(self) -> None:
        self.replay_some(self.traces.get("gl", self.any()), 20, "null")

    def test_vulkan_with_other_arguments(self) -> None:
        if "vk" not in self.traces:
            self.skipTest("vkcube is not installed")
        self.replay_some(self.traces["vk"], 10, "gpu" if self.SECONDS else "null", "arguments")


class Progress(TraceBed):
    """--progress of every long verb."""

    def program(self, trace: str) -> "list[str]":
        """What was recorded there."""
        return PROGRAMS[pathlib.Path(trace).stem]

    def test_json_lines_end_with_done(self) -> None:
        trace = str(self.any())
        out = str(self.tmp / "progress.slc")
        for words in (
            ("info", "--check"),
            ("dump",),
            ("replay", "--loop", "2"),
            ("trim", "--force", "--frames", "3-5", "-o", out),
            ("bench", "--runs", "1", "--backend", "null"),
        ):
            with self.subTest(words):
                done = sluice(*words, "--progress=json", trace)
                self.assertEqual(0, done.returncode, done.stderr)
                lines = [json.loads(w) for w in done.stderr.splitlines() if w.startswith("{")]
                told = [line["progress"] for line in lines]
                self.assertEqual([False] * (len(told) - 1) + [True], [t["done"] for t in told])
                self.assertEqual(1, told[-1]["part"])
                self.assertEqual(os.path.getsize(trace), told[-1]["bytes_total"])
                parts = [t["part"] for t in told]
                self.assertEqual(sorted(parts), parts)
        words = ["record", "--progress=json", "--force", "-o", out, "--", *self.program(trace)]
        told = [line for line in sluice(*words).stderr.splitlines() if line.startswith("{")]
        last = json.loads(told[-1])["progress"]
        self.assertTrue(last["done"] and last["seconds"] > 0)
        both = sluice("diff", "--progress=json", trace, trace)
        self.assertTrue(json.loads(both.stderr.splitlines()[-1])["progress"]["done"])

    def test_a_line_on_terminals_alone(self) -> None:
        trace = str(self.any())
        self.assertEqual("", sluice("replay", trace).stderr)
        for mode, is_said in (("auto", True), ("never", False)):
            with self.subTest(mode):
                words = ["replay", "--loop-time", "1", f"--progress={mode}", trace]
                said = self.said_to_terminal(*words, stdout=subprocess.DEVNULL, TERM="xterm")
                self.assertEqual(is_said, b" % " in said, said[-500:])
                self.assertTrue(said.endswith(b"\r\x1b[K") if is_said else said == b"")


class Selectors(TraceBed):
    """What dump selects, diff and bench do too."""

    def test_diff_and_bench_select_calls(self) -> None:
        trace = str(self.traces.get("gl", self.any()))
        rows = self.ends(0, "dump", "--frames", "3", "--kind", "draw", trace).splitlines()
        self.assertGreaterEqual(len(rows), 1)
        self.ends(0, "diff", "--kind", "draw", "--frames", "3", trace, trace)
        call = rows[0].split()[0]
        self.assertEqual(
            rows[:1], self.ends(0, "dump", "--calls", f"{call}/draw", trace).splitlines()
        )
        self.assertEqual("", self.ends(0, "dump", "--calls", f"{call}/clear", trace))
        said = self.ends(
            0, "bench", "--runs", "1", "--backend", "null", "--by-name", "--calls",
            f"0-{call}/draw",
            "--fail-above", "900%", "--env-b", "A=1", "--json", trace,
        )  # fmt: skip
        result = json.loads(said)
        self.assertLessEqual(result["calls"], int(call) + 1)
        names = {row["name"] for kind in result["kinds"] for row in kind["by_name"]}
        self.assertTrue(names)
        self.assertTrue(all("Draw" in name or "QueueFlush" in name for name in names), names)
        self.ends(2, "bench", "--calls", "99999999", trace, says="no call is meant by")
        self.ends(2, "dump", "--calls", "1/paint", trace, says="--calls ends in /paint")
        self.ends(
            2, "diff", "--calls", "1/draw", "--kind", "clear", trace, trace, says="leave out either"
        )

    def test_submits_of_a_vulkan_program(self) -> None:
        if "vk" not in self.traces:
            self.skipTest("vkcube is not installed")
        trace = str(self.traces["vk"])
        few = json.loads(self.ends(
            0, "bench", "--runs", "1", "--backend", "null", "--submits", "0-3", "--json", trace
        ))  # fmt: skip
        everything = json.loads(self.ends(
            0, "bench", "--runs", "1", "--backend", "null", "--json", trace
        ))  # fmt: skip
        self.assertLess(few["calls"], everything["calls"])
        self.ends(0, "diff", "--submits", "0-3", "--kind", "submit", trace, trace)


if __name__ == "__main__":
    unittest.main()
