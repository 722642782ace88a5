"""Snapshots from outside: taken while a program runs, replayed from, cut out of traces; recordings
that begin late, of hosts that run.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 snapshot_test.py [-v]
"""

import json
import os
import pathlib
import signal
import subprocess
import time

from trace_bed import FRAMES, PATIENCE_S, PROGRAMS, SLUICE, TraceBed, sluice

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

    def attach_to(self, name: str) -> None:
        socket = str(self.tmp / "host.sock")
        env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        words = [SLUICE, "serve", "--status-fd", "1", "--socket", socket]
        host = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.addCleanup(host.communicate)
        self.addCleanup(host.terminate)
        assert host.stdout is not None
        self.assertEqual("listening\n", host.stdout.readline())
        words = [SLUICE, "run", "--socket", socket, "--", *ENDLESS[name]]
        program = subprocess.Popen(
            words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            for i in range(5):
                self.record_and_replay(socket, self.tmp / f"{name}{i}.slc")
            self.record_until_stopped(socket, self.tmp / f"{name}-stopped.slc")
            self.assertIsNone(program.poll())
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(PATIENCE_S)
            host.terminate()
            host.wait(PATIENCE_S)
        self.ends(3, "record", "--stop", socket, says="there is no such socket")

    def record_and_replay(self, socket: str, trace: pathlib.Path) -> None:
        words = ["record", "--attach", socket, "--hash", "--frames", "0-9", "-o", str(trace)]
        self.ends(0, *words, says="recorded frames 0-9")
        self.assertEqual(10, len(self.shown(trace, "--expect", "live")))
        self.ends(2, *words, says="is there already")

    def record_until_stopped(self, socket: str, trace: pathlib.Path) -> None:
        self.ends(2, "record", "--stop", socket, says="nothing is being recorded")
        recorder = subprocess.Popen(
            [SLUICE, "record", "--attach", socket, "-o", str(trace)], stderr=subprocess.PIPE
        )
        while not pathlib.Path(f"{trace}.part").exists() and recorder.poll() is None:
            time.sleep(0.01)
        self.ends(2, "record", "--attach", socket, "-o", f"{trace}2", says="records already")
        time.sleep(0.5)
        self.ends(0, "record", "--stop", socket, says="recorded frames")
        _, err = recorder.communicate(timeout=PATIENCE_S)
        self.assertEqual(0, recorder.returncode, err)
        self.assertTrue(self.facts(trace)["complete"])

    # --- cut out ---

    def test_trim_keeps_what_frames_show(self) -> None:
        for name, trace in self.traces.items():
            with self.subTest(name=name):
                whole = self.shown(trace)
                part, again = self.tmp / f"{name}-part.slc", self.tmp / f"{name}-again.slc"
                self.ends(0, "trim", "--frames", "8-15", "-o", str(part), str(trace))
                self.assertEqual(8, self.facts(part)["frames"])
                self.assertEqual(whole[8:16], self.shown(part))
                self.ends(0, "trim", "--frames", "3-4", "-o", str(again), str(part))
                self.assertEqual(whole[11:13], self.shown(again))
                self.ends(0, "info", "--check", str(again))

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
