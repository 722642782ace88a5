"""Traces from outside: recorded from real programs, replayed, dumped, damaged; every exit code.

usage: SLUICE_PROGRAM=build/dev/bin/sluice TRACE_FAULTS=... DISPLAY=:0 python3 trace_test.py [-v]
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import unittest
from operator import itemgetter
from typing import Any

from trace_bed import FRAMES, PATIENCE_S, PROGRAMS, SLUICE, TraceBed, sluice

FAULTS = os.environ.get("TRACE_FAULTS", "trace_faults")


class Traces(TraceBed):
    # --- what a trace gives ---

    def test_replay_draws_what_the_program_drew(self) -> None:
        for name, trace in self.traces.items():
            for threads in ("one", "recorded"):
                with self.subTest(name=name, threads=threads):
                    out = self.ends(
                        0,
                        "replay",
                        "--expect",
                        "live",
                        "--hash",
                        "--threads",
                        threads,
                        "--out",
                        str(self.tmp / "draws"),
                        "--force",
                        str(trace),
                    )
                    lines = out.splitlines()
                    self.assertGreaterEqual(len(lines), FRAMES + 1)
                    self.assertRegex(
                        lines[-1],
                        r'^frames \d+  time [\d.]+ s  fps [\d.]+  frame ms p50 [\d.]+ p95 [\d.]+ '
                        r'p99 [\d.]+ max [\d.]+  load [\d.]+ s  device ".+"$',
                    )
                    self.assertRegex(lines[0], r"^0 \d+x\d+ [0-9a-f]{32}$")

    def test_frames_loops_and_pictures(self) -> None:
        for name, trace in self.traces.items():
            with self.subTest(name=name):
                pictures = self.tmp / f"pictures-{name}"
                out = self.ends(
                    0, "replay", "--frames", "3-5", "--hash", "--loop", "2", "--shots", "4",
                    "--out", str(pictures), "--force", str(trace),
                )  # fmt: skip
                numbers = [line.split()[0] for line in out.splitlines()[:-1]]
                self.assertEqual(["3", "4", "5"] * 2, numbers)
                self.assertEqual(["frame-000004.png"], [p.name for p in pictures.iterdir()])
                self.assertEqual(b"\x89PNG", (pictures / "frame-000004.png").read_bytes()[:4])

    def test_expected_hashes_from_a_file(self) -> None:
        trace = str(self.any())
        lines = self.ends(0, "replay", "--hash", trace)
        expected = self.tmp / "expected"
        expected.write_text(lines)
        self.ends(0, "replay", "--expect", str(expected), trace)
        wrong = re.sub(r"^(2 \S+ )\w{4}", r"\g<1>0123", lines, flags=re.MULTILINE)
        expected.write_text(wrong)
        out = self.tmp / "differing"
        self.ends(
            1,
            "replay",
            "--expect",
            str(expected),
            "--out",
            str(out),
            trace,
            says="frame 2: expected",
        )
        self.assertEqual(["differs-000002.png"], [p.name for p in out.iterdir()])
        expected.write_text("".join(lines.splitlines(True)[:2]))
        says = (
            f"{expected} has no hash of {FRAMES - 2} of {FRAMES} frames, the first of them frame 2"
        )
        done = sluice("replay", "--expect", str(expected), trace)
        self.assertEqual((1, 1), (done.returncode, len(done.stderr.splitlines())), done.stderr)
        self.assertIn(says, done.stderr)

    def test_nothing_to_compare_with_is_no_difference(self) -> None:
        expected, name = self.tmp / "nothing", next(iter(self.traces))
        expected.write_text("")
        trace = str(self.traces[name])
        self.ends(2, "replay", "--expect", str(expected), trace, says=f"{expected} has no hash of ")
        bare = str(self.tmp / "bare.slc")
        self.ends(0, "record", "-o", bare, "--", *PROGRAMS[name])
        says = "the trace has no hash of "
        state = json.loads(self.ends(2, "replay", "--expect", "live", "--json", bare, says=says))
        self.assertEqual((0, state["frames"]), (state["differing"], state["without_hash"]))

    def test_pictures_that_are_not_met(self) -> None:
        out = self.tmp / "unmet"
        for words in (["--frames", "5-10", "--shots", "3"], ["--stop-after", "9", "--shots", "3"]):
            self.ends(2, "replay", *words, "--out", str(out), str(self.any()),
                      says="none of the frames that --shots names was played")  # fmt: skip

    def test_threads_answer_as_they_did(self) -> None:
        """Programs whose answers depend on the order of several threads, or of host and GPU."""
        programs = os.environ.get("ORDERED_PROGRAMS", "").split()
        if not programs:
            self.skipTest("ORDERED_PROGRAMS is not set")
        for program in programs:
            path = str(self.tmp / f"{os.path.basename(program)}.slc")
            self.ends(0, "record", "-o", path, "--", program)
            for threads in ("one", "recorded"):
                with self.subTest(program=program, threads=threads):
                    self.ends(0, "replay", "--threads", threads, path)

    def test_backend_decode(self) -> None:
        for trace in self.traces.values():
            state = json.loads(self.ends(0, "replay", "--backend", "decode", "--json", str(trace)))
            self.assertGreater(state["calls"], FRAMES)

    def test_dump_and_info_count_the_same(self) -> None:
        for trace in map(str, self.traces.values()):
            info = json.loads(self.ends(0, "info", "--json", trace))
            self.assertEqual((True, False), (info["complete"], info["damaged"]))
            self.assertGreaterEqual(info["frames"], FRAMES)
            text = self.ends(0, "dump", trace).splitlines()
            lines = [line for line in text if not line.startswith("    ")]
            self.assertEqual(info["calls"], len(lines))
            rows = list(csv.reader(io.StringIO(self.ends(0, "dump", "--format", "csv", trace))))
            self.assertEqual(info["calls"] + 1, len(rows))
            self.assertEqual({8}, set(map(len, rows)))
            calls = list(
                map(json.loads, self.ends(0, "dump", "--format", "jsonl", trace).splitlines())
            )
            self.assertEqual(info["calls"], len(calls))
            self.assertEqual([row[5] for row in rows[1:]], [call["name"] for call in calls])
            counts = {row["name"]: row["count"] for row in info["commands"]}
            self.assertEqual(info["calls"], sum(counts.values()))
            stats = json.loads(self.ends(0, "dump", "--stats", "name", "--json", trace))
            self.assertEqual(counts, {row["key"]: row["count"] for row in stats["rows"]})
            self.stats_as_tables(stats, trace)
            chosen = self.ends(0, "dump", "--frames", "2", trace).splitlines()
            if trace.endswith("gl.slc"):
                of_two = [line for line in lines if line.split()[2] == "2"]
                self.assertEqual(of_two, chosen)
            self.assertTrue(chosen)
            one = calls[5]["call"]
            self.assertEqual(1, len(self.ends(0, "dump", "--calls", str(one), trace).splitlines()))

    def test_info_counts_kinds_as_dump_does(self) -> None:
        for trace in map(str, self.traces.values()):
            kinds = json.loads(self.ends(0, "info", "--json", trace))["kinds"]
            text = self.ends(0, "info", trace)
            for kind in ("clear", "create", "sync", "submit"):
                shown = self.ends(0, "dump", "--kind", kind, trace).splitlines()
                calls = [line for line in shown if not line.startswith("    ")]
                buffers = [line for line in calls if "QueueFlushCommands" in line]  # carry others
                self.assertEqual(len(calls) - len(buffers), kinds[kind], kind)
                self.assertEqual(kinds[kind] != 0, f"{kind} {kinds[kind]:,}" in text)

    def stats_as_tables(self, stats: "dict[str, Any]", trace: str) -> None:
        """The same rows, as --format says."""
        words = ["dump", "--stats", "name", "--format"]
        table = list(csv.DictReader(io.StringIO(self.ends(0, *words, "csv", trace))))
        self.assertEqual(
            [{"name": row["key"], "calls": str(row["count"]), "bytes": str(row["bytes"])}
             for row in stats["rows"]],
            [{k: row[k] for k in ("name", "calls", "bytes")} for row in table],
        )  # fmt: skip
        lines = map(json.loads, self.ends(0, *words, "jsonl", trace).splitlines())
        self.assertEqual([{"schema": 1, "by": "name"} | row for row in stats["rows"]], list(lines))

    def test_calls_that_match_are_shown_as_among_all(self) -> None:
        for trace in map(str, self.traces.values()):
            whole = self.ends(0, "dump", trace).splitlines()
            for pattern in ("Create", "Draw|Submit"):
                found = self.ends(0, "dump", "--grep", pattern, trace).splitlines()
                self.assertEqual([line for line in found if line in whole], found)

    def test_kinds_submits_and_time(self) -> None:
        if "gl" in self.traces:
            trace = str(self.traces["gl"])
            draws = self.ends(0, "dump", "--kind", "draw", trace).splitlines()
            self.assertEqual(FRAMES, len(draws))
            self.assertTrue(all(" glDraw" in line for line in draws))
            self.assertEqual("", self.ends(0, "dump", "--kind", "submit", "--grep", "Draw", trace))
            clears = self.ends(0, "dump", "--kind", "clear", trace).splitlines()
            self.assertGreaterEqual(len(clears), FRAMES)
            self.assertTrue(all(" glClear(" in line for line in clears), clears[:3])
            self.assertEqual("", self.ends(0, "dump", "--time", "1000-", trace))
            whole = self.ends(0, "dump", trace)
            self.assertEqual(whole, self.ends(0, "dump", "--time", "0-999", trace))
        if "vk" in self.traces:
            trace = str(self.traces["vk"])
            self.assertIn("    vkCmdDraw(", self.ends(0, "dump", "--kind", "draw", trace))
            submits = self.ends(0, "dump", "--kind", "submit", trace).splitlines()
            third = self.ends(0, "dump", "--submits", "3", trace).splitlines()
            self.assertEqual(submits[3], third[-1])
            self.assertNotIn(submits[2], third)
        self.ends(2, "dump", "--kind", "noise", str(self.any()), says="--kind is 'noise'")

    def test_one_call_is_shown_as_among_all(self) -> None:
        for trace in map(str, self.traces.values()):
            for more in ([], ["--no-names"]):
                found = re.split(r"(?m)^(?=\d)", self.ends(0, "dump", *more, trace))[1:]
                named = [text for text in found if "colorbuffer#" in text]
                for text in found[:: len(found) // 7] + named[1:4]:
                    call = text.split()[0]
                    self.assertEqual(text, self.ends(0, "dump", *more, "--calls", call, trace))

    def test_blobs(self) -> None:
        for name, suffix in (("gl", ".glsl"), ("vk", ".spv")):
            if name in self.traces:
                out = self.tmp / f"blobs-{name}"
                self.ends(0, "dump", "--blobs", str(out), str(self.traces[name]))
                self.assertTrue([p for p in out.iterdir() if p.suffix == suffix])
                shutil.rmtree(out)
                told = self.ends(0, "dump", "--json", "--blobs", str(out), str(self.traces[name]))
                rows = [json.loads(line) for line in told.splitlines()]
                self.assertEqual(
                    {p.name: p.stat().st_size for p in out.iterdir()},
                    {row["blob"]: row["bytes"] for row in rows},
                )

    def test_diff(self) -> None:
        for name, trace in self.traces.items():
            with self.subTest(name=name):
                self.assertEqual("", self.ends(0, "diff", str(trace), str(trace)))
            again = self.tmp / f"{name}-again.slc"
            shutil.copyfile(trace, again)
            self.ends(0, "diff", "--structure", "--frames", "5-8", str(trace), str(again))
        if len(self.traces) == 2:
            both = list(map(str, self.traces.values()))
            out = self.ends(1, "diff", "--frames", "3", *both)
            self.assertTrue(out.startswith("@@ frame 3\n"))
            self.assertRegex(out, r"(?m)^- \d+ gl\w+\(")
            self.assertRegex(out, r"(?m)^\+ \d+ vk\w+\(")
            self.diff_as_json(*both)
        self.ends(3, "diff", str(self.any()), str(self.tmp / "none"), says="cannot be opened")

    def diff_as_json(self, *both: str) -> None:
        """What the text says, call by call, and how many there are of each frame."""
        text = self.ends(1, "diff", "--frames", "3-4", *both).splitlines()
        rows = [json.loads(line) for line in
                self.ends(1, "diff", "--json", "--frames", "3-4", *both).splitlines()]  # fmt: skip
        self.assertEqual({2}, {row["schema"] for row in rows})
        calls = [row for row in rows if "side" in row]
        signs = {"first": "-", "second": "+"}
        self.assertEqual(
            [line for line in text if line[0] in "-+"],
            [  # the commands that a call carries follow on lines of their own
                f"{signs[row['side']]} {row['stream']} {row['text']}".partition("\n")[0]
                for row in calls
            ],
        )
        for row in calls:
            trace = both[0] if row["side"] == "first" else both[1]
            shown = self.ends(0, "dump", "--json", "--calls", str(row["call"]), trace)
            self.assertEqual((1, row["name"]), itemgetter("schema", "name")(json.loads(shown)))
        frames = [row for row in rows[:-1] if "side" not in row]
        self.assertEqual([3, 4], [row["frame"] for row in frames])
        self.assertEqual([sum(row["frame"] == n for row in calls) for n in (3, 4)],
                         [row["differing_calls"] for row in frames])  # fmt: skip
        self.assertEqual((True, len(calls), 2, 2), itemgetter(
            "differ", "differing_calls", "differing_frames", "frames")(rows[-1]))  # fmt: skip
        self.assertRegex(text[-1], r"^\d+ calls differ in 2 of 2 frames$")
        counts = self.ends(1, "diff", "--json", "--structure", "--limit", "1", *both).splitlines()
        self.assertEqual(1, sum("side" in json.loads(line) for line in counts))

    def test_a_pipe_is_read(self) -> None:
        trace = self.any()
        with trace.open("rb") as file:
            done = subprocess.run([SLUICE, "info", "--check", "-"], stdin=file, capture_output=True)
        self.assertEqual(0, done.returncode)

    def test_mapped_writes(self) -> None:
        """What a program wrote to mapped memory is all there, however it is found."""
        program = os.environ.get("MAPPED_PROGRAM")
        if program is None:
            self.skipTest("MAPPED_PROGRAM is not set")
        shown = []
        for how in ("auto", "compare"):
            trace = str(self.tmp / f"mapped-{how}.slc")
            words = ["--verbose", "--hash", "--writes", how, "-o", trace, "--", program]
            done = sluice("record", *words)
            self.assertEqual(0, done.returncode, done.stderr)
            found = set(re.findall(r"its 67108864 bytes are found by (.+)", done.stderr))
            self.assertEqual(1, len(found), done.stderr[-2000:])
            if how == "compare":
                self.assertEqual({"comparison"}, found)
            shown.append(
                re.findall(
                    r"(?m)^\d+ .*", self.ends(0, "replay", "--hash", "--expect", "live", trace)
                )
            )
        self.assertEqual(48, len(set(shown[0])))
        self.assertEqual(shown[0], shown[1])

    # --- bad input ---

    def test_every_byte_counts(self) -> None:
        done = subprocess.run(
            [FAULTS, str(min(self.traces.values(), key=lambda t: t.stat().st_size))],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertIn("0 unnoticed", done.stdout)

    def test_whole_traces_check_out(self) -> None:
        for trace in self.traces.values():
            self.assertRegex(
                self.ends(0, "info", "--check", str(trace)), r"^ok: [\d,]+ chunks, 0 damaged\n$"
            )

    def test_files_and_options(self) -> None:
        trace = str(self.any())
        for verb in ("info", "replay"):
            self.ends(3, verb, str(self.tmp / "none"), says="cannot be opened: No such file")
        self.ends(3, "dump", str(self.tmp / "none"), says="there is no such trace")
        self.ends(2, "replay", "--frames", "5-3", trace, says="--frames is '5-3'")
        self.ends(2, "dump", "--grep", "(", trace, says="--grep is '('")
        self.ends(3, "dump", "--print", trace, says="is no socket")
        self.ends(3, "replay", "--expect", str(self.tmp / "none"), trace, says="cannot be read")

    def test_another_machine(self) -> None:
        trace = str(self.any())
        self.ends(7, "replay", "--gpu", "no such device", trace, says="--gpu is 'no such device'")

    def test_drivers_are_the_trace_s(self) -> None:
        """Others are not even loaded; the recorder had them all, and is no other machine."""
        devices = {}
        for name, trace in self.traces.items():
            done = sluice("replay", "--frames", "0-1", str(trace))
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertNotIn("recorded on", done.stderr)
            devices[name] = re.findall(r'device "(.+)"', done.stdout)[0]
        self.assertEqual(2, len(devices))
        for device in devices.values():
            apis = [api for api in ("OpenGL ES", "Vulkan") if f", {api} " in device]
            self.assertEqual(1, len(apis), device)


if __name__ == "__main__":
    unittest.main()
