"""Snapshots from outside: taken while a program runs, replayed from, cut out of traces; recordings
that begin late, of hosts that run.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 snapshot_test.py [-v]
"""

import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

from trace_bed import FRAMES, PATIENCE_S, PROGRAMS, SLUICE, TraceBed, environment, sluice

# They draw until they are ended.
ENDLESS = {
    "gl": ["glmark2-es2", "-b", "texture:duration=300", "--size", "320x240"],
    "vk": ["vkcube", "--c", "1000000"],
}


def hashes(out: str) -> "list[str]":
    lines = [line.split() for line in out.splitlines()]
    return [words[2] for words in lines if words[0].isdigit()]


class Snapshots(TraceBed):
    def facts(self, trace: pathlib.Path) -> "dict[str, object]":
        facts: "dict[str, object]" = json.loads(self.ends(0, "info", "--json", str(trace)))
        return facts

    def shown(self, trace: pathlib.Path, *words: str) -> "list[str]":
        return hashes(self.ends(0, "replay", "--hash", *words, str(trace)))

    def recorded(self, name: str, *words: str) -> pathlib.Path:
        path = self.tmp / f"{self.id()}-{name}.slc"
        self.ends(0, "record", "--hash", *words, "-o", str(path), "--", *PROGRAMS[name])
        return path

    # --- taken while the program runs ---

    def test_replay_starts_at_a_snapshot(self) -> None:
        for name in self.traces:
            trace = self.recorded(name, "--snapshot-every", "5")
            self.assertGreaterEqual(int(str(self.facts(trace)["snapshots"])), 2, name)
            whole = self.shown(trace, "--expect", "live")
            self.assertEqual(FRAMES, len(whole))
            for threads in ("one", "recorded"):
                with self.subTest(name=name, threads=threads):
                    part = self.shown(trace, "--frames", "12-17", "--threads", threads)
                    self.assertEqual(whole[12:18], part)

    def test_snapshots_by_time_and_what_they_cost(self) -> None:
        path = str(self.tmp / "timed.slc")
        words = ["record", "--json", "--force", "-o", path, "--snapshot-every"]
        program = ["--", *PROGRAMS[next(iter(self.traces))]]
        done = sluice(*words, "0.001s", *program)
        self.assertEqual(0, done.returncode, done.stderr)
        (file,) = json.loads(done.stdout.splitlines()[-1])["files"]
        self.assertGreaterEqual(file["snapshots"], 1)
        self.assertGreater(file["snapshot_ns"], 0)
        self.assertRegex(done.stderr, rf"  snapshots {file['snapshots']} in \d+\.\d ms\n")
        facts = self.facts(pathlib.Path(path))
        self.assertEqual(
            (file["snapshots"], file["snapshot_ns"]), (facts["snapshots"], facts["snapshot_ns"])
        )
        self.assertRegex(self.ends(0, "info", path), r"\nsnapshots   \d+, taken in \d+\.\d ms\n")
        for none in ("1000000s", "1000000"):
            said = self.ends(0, *words, none, *program)
            self.assertEqual(0, json.loads(said.splitlines()[-1])["files"][0]["snapshots"])
        for wrong in ("1.5", "0", "0s", "s", "5m", "-3s"):
            self.ends(2, *words, wrong, *program, says=f"--snapshot-every is '{wrong}'")

    def test_replay_goes_on_behind_damage(self) -> None:
        name = next(iter(self.traces))
        trace = self.recorded(name, "--snapshot-every", "5")
        whole = self.shown(trace)
        data, at, calls, marks = bytearray(trace.read_bytes()), 64, [], []
        while at < len(data):
            flags, kind = struct.unpack_from("<H4s", data, at + 2)
            if kind == b"CALL" and flags & 2 == 0:
                calls.append(at)
            elif kind == b"SNAP":
                marks.append(at)
            at += 64 + (struct.unpack_from("<I", data, at + 56)[0] + 63) // 64 * 64
        between = [at for at in calls if marks[1] < at < marks[2]]
        data[between[0] + 70] ^= 1
        copy = self.tmp / "broken.slc"
        copy.write_bytes(data)
        self.ends(5, "replay", str(copy), says="checksum; lost calls")
        out = self.ends(5, "replay", "--keep-going", "--hash", str(copy), says="checksum")
        shown = {int(words[0]): words[2] for words in map(str.split, out.splitlines())
                 if words[0].isdigit()}  # fmt: skip
        self.assertEqual(whole[-1], shown[FRAMES - 1])
        self.assertEqual({n: whole[n] for n in shown}, shown)
        self.assertLess(len(shown), FRAMES)

    def test_a_recording_begins_at_a_frame(self) -> None:
        for name in self.traces:
            with self.subTest(name=name):
                trace = self.recorded(name, "--frames", "7-12")
                self.assertEqual(6, self.facts(trace)["frames"])
                self.assertEqual(6, len(self.shown(trace, "--expect", "live")))

    # --- hosts that run ---

    def test_a_running_host_is_recorded_five_times(self) -> None:
        for name in self.traces:
            with self.subTest(name=name):
                self.attach_to(name)

    def test_programs_of_a_host_are_recorded_together(self) -> None:
        """Frames of one end while the other's begin."""
        if len(self.traces) > 1:
            self.attach_to(*self.traces)

    def attach_to(self, *names: str) -> None:
        socket = str(self.tmp / "host.sock")
        env = environment()
        words = [SLUICE, "serve", "--status-fd", "1", "--socket", socket]
        host = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.addCleanup(host.communicate)
        self.addCleanup(host.terminate)
        assert host.stdout is not None
        self.assertEqual("listening\n", host.stdout.readline())
        programs = [
            subprocess.Popen(
                [SLUICE, "run", "--socket", socket, "--", *ENDLESS[name]],
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name in names
        ]
        name = "-".join(names)
        try:
            for i in range(5):
                self.record_and_replay(socket, self.tmp / f"{name}{i}.slc")
            self.record_until_stopped(socket, self.tmp / f"{name}-stopped.slc")
            self.assertEqual([None] * len(programs), [program.poll() for program in programs])
        finally:
            for program in programs:
                program.send_signal(signal.SIGTERM)
                program.wait(PATIENCE_S)
            host.terminate()
            host.wait(PATIENCE_S)
        self.ends(3, "record", "--stop", socket, says="there is no such socket")

    def record_and_replay(self, socket: str, trace: pathlib.Path) -> None:
        words = ["record", "--attach", socket, "--hash", "--frames", "0-9", "-o", str(trace)]
        self.ends(0, *words, says="recorded frames 0-9")
        self.assertEqual(10, len(self.shown(trace, "--expect", "live")))
        self.assertIn("program     of a host that ran\n", self.ends(0, "info", str(trace)))
        self.ends(2, *words, says="is there already")

    def record_until_stopped(self, socket: str, trace: pathlib.Path) -> None:
        self.ends(2, "record", "--stop", socket, says="nothing is being recorded")
        recorder = subprocess.Popen(
            [SLUICE, "record", "--attach", socket, "-o", str(trace)], stderr=subprocess.PIPE
        )
        part = pathlib.Path(f"{trace}.part")
        while recorder.poll() is None and not (part.exists() and b"FRAM" in part.read_bytes()):
            time.sleep(0.01)
        self.ends(2, "record", "--attach", socket, "-o", f"{trace}2", says="records already")
        said = self.ends(0, "record", "--json", "--stop", socket, says="recorded frames")
        _, err = recorder.communicate(timeout=PATIENCE_S)
        self.assertEqual(0, recorder.returncode, err)
        facts = self.facts(trace)
        self.assertTrue(facts["complete"])
        document = json.loads(said)
        self.assertEqual((1, 1), (document["schema"], len(document["files"])))
        (file,) = document["files"]
        self.assertEqual(trace.stat().st_size, file["bytes"])
        for key in ("complete", "frames", "calls"):
            self.assertEqual(facts[key], file[key], key)

    def test_nothing_is_no_recording(self) -> None:
        """Whoever attaches and gets nothing is told so by the exit code, too."""
        socket = str(self.tmp / "idle.sock")
        words = [SLUICE, "serve", "-q", "--status-fd", "1", "--socket", socket]
        host = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.addCleanup(host.communicate)
        self.addCleanup(host.terminate)
        assert host.stdout is not None
        self.assertEqual("listening\n", host.stdout.readline())
        for code, more in ((125, []), (0, ["--allow-idle"])):
            trace = self.tmp / f"idle-{code}.slc"
            recorder = subprocess.Popen(
                [SLUICE, "record", "--attach", socket, *more, "-o", str(trace)],
                stderr=subprocess.PIPE,
                text=True,
            )
            while recorder.poll() is None and not pathlib.Path(f"{trace}.part").exists():
                time.sleep(0.01)
            self.ends(0, "record", "--stop", socket, says="recorded frames none")
            _, err = recorder.communicate(timeout=PATIENCE_S)
            self.assertEqual(code, recorder.returncode, err)
            self.assertIn("nothing was recorded", err)

    # --- cut out ---

    def test_trim_keeps_what_frames_show(self) -> None:
        for name, trace in self.traces.items():
            with self.subTest(name=name):
                whole = self.shown(trace)
                part, again = self.tmp / f"{name}-part.slc", self.tmp / f"{name}-again.slc"
                words = ["trim", "--json", "--frames", "8-15", "-o", str(part), str(trace)]
                said = json.loads(self.ends(0, *words))
                self.assertEqual((1, [str(trace)], str(part)),
                                 (said["schema"], said["traces"], said["output"]))  # fmt: skip
                self.assertEqual((trace.stat().st_size, part.stat().st_size),
                                 (said["traces_bytes"], said["bytes"]))  # fmt: skip
                self.assertEqual(8, self.facts(part)["frames"])
                self.assertEqual(whole[8:16], self.shown(part))
                self.ends(0, "trim", "--frames", "3-4", "-o", str(again), str(part))
                self.assertEqual(whole[11:13], self.shown(again))
                self.ends(0, "info", "--check", str(again))

    def test_trim_is_not_larger_and_ends_anywhere(self) -> None:
        """Also where a call waits for what is not copied any more."""
        for name, trace in self.traces.items():
            whole = self.shown(trace)
            for first in (1, 2, 9, 13, 17):
                with self.subTest(name=name, first=first):
                    part = self.tmp / f"{name}-from-{first}.slc"
                    self.ends(0, "trim", "--frames", f"{first}+1", "-o", str(part), str(trace))
                    self.assertLessEqual(part.stat().st_size, trace.stat().st_size)
                    self.assertEqual(whole[first : first + 1], self.shown(part))

    def test_trim_leaves_out_what_its_frames_do_not_use(self) -> None:
        """Each of eight rooms has contents of its own, and five frames; also of a trim's own file,
        without a driver."""
        programs = os.environ.get("ROOMS_PROGRAMS", "").split(",")
        if programs == [""]:
            self.skipTest("ROOMS_PROGRAMS is not set")
        for program in programs:
            with self.subTest(program=program):
                whole, two, one = (self.tmp / f"rooms-{n}.slc" for n in ("all", "two", "one"))
                self.ends(0, "record", "--force", "--hash", "-o", str(whole), "--",
                          *program.split())  # fmt: skip
                hashes = self.shown(whole)
                self.assertEqual(40, len(set(hashes)))
                self.ends(0, "trim", "--force", "--gpu", "0", "--frames", "21-27", "-o", str(two),
                          str(whole), says="bytes that these frames do not use")  # fmt: skip
                self.assertEqual(hashes[21:28], self.shown(two, "--expect", "live"))
                self.ends(0, "trim", "--force", "--frames", "0-2", "-o", str(one), str(two))
                self.assertEqual(hashes[21:24], self.shown(one, "--expect", "live"))
                # Of eight rooms' contents, which do not pack, two are there, then one.
                size = 256 << 10
                self.assertLess(two.stat().st_size, whole.stat().st_size - 5 * size)
                self.assertLess(one.stat().st_size, two.stat().st_size - size // 2)
                self.ends(0, "info", "--check", str(one))

    def test_what_no_driver_takes_is_kept(self) -> None:
        """Results of queries that were over before the cut, and are looked at behind it."""
        programs = os.environ.get("KEPT_PROGRAMS", "").split(",")
        if programs == [""]:
            self.skipTest("KEPT_PROGRAMS is not set")
        for program in programs:
            with self.subTest(program=program):
                whole, part, again = (self.tmp / f"kept-{n}.slc" for n in ("all", "part", "again"))
                self.ends(0, "record", "--force", "--hash", "--snapshot-every", "7",
                          "-o", str(whole), "--", *program.split())  # fmt: skip
                hashes = self.shown(whole, "--expect", "live")
                self.assertEqual(12, len(set(hashes)))  # the second of each four looks again
                for first in (7, 14):
                    self.assertEqual(hashes[first:], self.shown(whole, "--frames", f"{first}-15"))
                for first in range(1, 6):
                    self.ends(0, "trim", "--force", "--gpu", "0", "--frames", f"{first}-14",
                              "-o", str(part), str(whole))  # fmt: skip
                    self.assertEqual(hashes[first:15], self.shown(part, "--expect", "live"))
                    self.ends(0, "trim", "--force", "--gpu", "0", "--frames", "1-4",
                              "-o", str(again), str(part))  # fmt: skip
                    self.assertEqual(hashes[first + 1 : first + 5], self.shown(again))

    def test_samples_are_there(self) -> None:
        """Snapshots that read them use names up; who plays past such a one gets the same ones."""
        program = os.environ.get("SAMPLES_PROGRAM", "")
        if program == "":
            self.skipTest("SAMPLES_PROGRAM is not set")
        whole, late, part = (self.tmp / f"samples-{n}.slc" for n in ("all", "late", "part"))
        self.ends(0, "record", "--hash", "--snapshot-every", "5", "-o", str(whole), "--",
                  *program.split())  # fmt: skip
        hashes = self.shown(whole, "--expect", "live")
        self.assertEqual(16, len(set(hashes)))
        for first in (5, 10):
            self.assertEqual(hashes[first:], self.shown(whole, "--frames", f"{first}-15"))
        self.ends(0, "record", "--hash", "--frames", "7-12", "-o", str(late), "--",
                  *program.split())  # fmt: skip
        self.assertEqual(hashes[7:13], self.shown(late, "--expect", "live"))
        self.ends(0, "trim", "--gpu", "0", "--frames", "7-14", "-o", str(part), str(whole))
        self.assertEqual(hashes[7:15], self.shown(part, "--expect", "live"))

    def test_frames_under_way_at_the_cut(self) -> None:
        """A call shows a frame, and has begun before another stream's mark, where it is cut."""
        program = os.environ.get("LATE_PROGRAM", "")
        if program == "":
            self.skipTest("LATE_PROGRAM is not set")
        whole, part = (self.tmp / f"late-{n}.slc" for n in ("all", "part"))
        late: "list[int]" = []
        for _ in range(10):  # where threads never run at the same time there are none
            self.ends(0, "record", "--hash", "--force", "-o", str(whole), "--", *program.split())
            calls = self.ends(0, "dump", "--all", str(whole))
            marks = re.findall(r"(?m)^(\d+) \S+ (\d+) frame\(", calls)
            stamps = {int(frame): stamp for stamp, frame in marks}
            late = [n for n in stamps if stamps[n] == stamps.get(n - 1) and n + 2 < len(stamps)]
            if late:
                break
        hashes = self.shown(whole, "--expect", "live")
        for first in late[:3] or (1, 50, 100):
            with self.subTest(first=first):
                frames, want = f"{first}-{first + 2}", hashes[first : first + 3]
                self.assertEqual(want, self.shown(whole, "--frames", frames))
                for words in (["--gpu", "0"], ["--offline"]):
                    self.ends(0, "trim", "--force", *words, "--frames", frames,
                              "-o", str(part), str(whole))  # fmt: skip
                    self.assertEqual(want, self.shown(part, "--expect", "live"), words)

    def test_threads_wait_across_the_cut(self) -> None:
        """For values and fences that come frames later: they are in a call whenever it is cut."""
        program = os.environ.get("WAITS_PROGRAM", "")
        if program == "":
            self.skipTest("WAITS_PROGRAM is not set")
        whole, part, again = (self.tmp / f"waits-{n}.slc" for n in ("all", "part", "again"))
        self.ends(0, "record", "--hash", "--snapshot-every", "4", "-o", str(whole), "--", program)
        self.assertGreaterEqual(int(str(self.facts(whole)["snapshots"])), 4)
        hashes = self.shown(whole, "--expect", "live")
        self.assertEqual(24, len(set(hashes)))
        for first in (4, 13):
            self.assertEqual(hashes[first:], self.shown(whole, "--frames", f"{first}-23"))
        for first in (2, 9, 17):
            self.ends(0, "trim", "--force", "--gpu", "0", "--frames", f"{first}-22",
                      "-o", str(part), str(whole))  # fmt: skip
            self.assertEqual(hashes[first:23], self.shown(part, "--expect", "live"))
            self.ends(0, "trim", "--force", "--gpu", "0", "--frames", "2-4",
                      "-o", str(again), str(part))  # fmt: skip
            self.assertEqual(hashes[first + 2 : first + 5], self.shown(again))

    def test_a_host_whose_program_waits_is_recorded(self) -> None:
        """Since before the recording, and until after it."""
        program = os.environ.get("WAITS_PROGRAM", "")
        if program == "":
            self.skipTest("WAITS_PROGRAM is not set")
        ENDLESS["waits"] = [program, "2000000", "1000000"]
        self.attach_to("waits")

    def test_trim_without_a_driver(self) -> None:
        for name, trace in self.traces.items():
            part, again = self.tmp / f"{name}-kept.slc", self.tmp / f"{name}-kept2.slc"
            words = ["trim", "--quiet", "--offline", "--frames"]
            none = {"VK_DRIVER_FILES": "/none", "VK_ICD_FILENAMES": "/none"}
            done = sluice(*words, "8-15", "-o", str(part), str(trace), **none)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertLessEqual(part.stat().st_size, trace.stat().st_size)
            self.ends(0, *words, "3-4", "-o", str(again), str(part))
            whole = self.shown(trace)
            self.assertEqual(whole[8:16], self.shown(part))
            self.assertEqual(whole[11:13], self.shown(again, "--threads", "one"))
        self.ends(2, "trim", "--offline", "--gpu", "0", "-o", "x", str(trace),
                  says="give one of them")  # fmt: skip

    def test_traces_are_joined(self) -> None:
        for name, trace in self.traces.items():
            whole = self.shown(trace)
            parts = [str(self.tmp / f"{name}-{i}.slc") for i in range(3)]
            for part, frames in zip(parts, ("0-4", "10-13", "17-18")):
                self.ends(0, "trim", "--frames", frames, "-o", part, str(trace))
            both = self.tmp / f"{name}-joined.slc"
            self.ends(0, "trim", "-o", str(both), *parts, says="joined 3 traces")
            self.ends(0, "info", "--check", str(both))
            self.assertEqual(11, self.facts(both)["frames"])
            wanted = whole[:5] + whole[10:14] + whole[17:19]
            for threads in ("one", "recorded"):
                self.assertEqual(wanted, self.shown(both, "--threads", threads))
            self.assertEqual(wanted[6:8], self.shown(both, "--frames", "6-7"))
            part = self.tmp / f"{name}-of-joined.slc"
            self.ends(0, "trim", "--frames", "3-6", "-o", str(part), str(both))
            self.assertEqual(wanted[3:7], self.shown(part))
            self.ends(2, "trim", "--frames", "1", "-o", "x", *parts, says="go with one trace")
        if len(self.traces) == 2:
            self.ends(2, "trim", "-o", "x", *map(str, self.traces.values()),
                      says="are of different recordings")  # fmt: skip

    def test_trim_drops_streams(self) -> None:
        trace, copy = str(self.any()), self.tmp / "streams.slc"
        counts = json.loads(self.ends(0, "dump", "--stats", "stream", "--json", trace))["rows"]
        key, count = counts[0]["key"], counts[0]["count"]
        self.ends(0, "trim", "--stream", str(key), "-o", str(copy), trace)
        self.assertEqual(count, self.facts(copy)["calls"])

    def test_trim_of_all_is_all(self) -> None:
        for name, trace in self.traces.items():
            with self.subTest(name=name):
                copy = self.tmp / f"{name}-copy.slc"
                self.ends(0, "trim", "--level", "19", "-o", str(copy), str(trace), says="bytes")
                self.assertEqual(self.facts(trace)["calls"], self.facts(copy)["calls"])
                self.ends(0, "diff", str(trace), str(copy))
                self.assertEqual(self.shown(trace), self.shown(copy, "--expect", "live"))

    def test_trim_copies_a_snapshot_that_lies_there(self) -> None:
        name = next(iter(self.traces))
        trace = self.recorded(name, "--snapshot-every", "4")
        part = self.tmp / "there.slc"
        self.ends(0, "trim", "--frames", "8-11", "-o", str(part), str(trace))
        self.assertEqual(self.shown(trace)[8:12], self.shown(part))

    def test_trim_refuses(self) -> None:
        trace, out = str(self.any()), str(self.tmp / "refused.slc")
        self.ends(2, "trim", trace, says="--output is missing")
        self.ends(2, "trim", "-f", "-o", trace, trace, says="refusing to write onto an input file")
        for frames in ("1,3", "1-9/2", "x"):
            self.ends(2, "trim", "--frames", frames, "-o", out, trace, says="--frames")
        self.ends(2, "trim", "--frames", "500-510", "-o", out, trace, says="frames")
        pathlib.Path(out).write_bytes(b"")
        self.ends(2, "trim", "-o", out, trace, says="is there already")
        self.ends(3, "trim", "-o", "/nowhere/x.slc", trace, says="cannot be written")


if __name__ == "__main__":
    import unittest

    unittest.main()
