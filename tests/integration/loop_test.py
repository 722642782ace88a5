"""`replay --loop`: rounds that end in what they began with, by difference. Every round shows the
same pictures, and no memory grows.

usage: SLUICE_PROGRAM=build/dev/bin/sluice CARRY_PROGRAMS=... DISPLAY=:0 python3 loop_test.py [-v]
"""

import collections
import os
import pathlib
import subprocess
import unittest

from trace_bed import PROGRAMS, SLUICE, TraceBed, sluice

# KiB; what allocators keep differs from run to run.
GROWTH = 6 << 10


def shown(out: str) -> "list[tuple[int, str]]":
    lines = [line.split() for line in out.splitlines()]
    return [(int(words[0]), words[2]) for words in lines if words[0].isdigit()]


def carrying(test: unittest.TestCase) -> "list[str]":
    programs = os.environ.get("CARRY_PROGRAMS", "").split(",")
    if programs == [""]:
        test.skipTest("CARRY_PROGRAMS is not set")
    return programs


class Loops(TraceBed):
    def recorded(self, name: str, words: "list[str]", every: int) -> pathlib.Path:
        path = self.tmp / f"loop-{name}.slc"
        self.ends(0, "record", "--force", "--hash", "--snapshot-every", str(every), "-o", str(path),
                  "--", *words)  # fmt: skip
        return path

    def loops(self, trace: pathlib.Path, frames: str, rounds: int, *words: str) -> str:
        """It goes back by difference; gives stdout."""
        says = f"{rounds} rounds of "
        return self.ends(0, "replay", "-v", "--loop", str(rounds), "--frames", frames, *words,
                         str(trace), says=says)  # fmt: skip

    def shows_the_same(self, trace: pathlib.Path, frames: str, rounds: int) -> None:
        whole = dict(shown(self.ends(0, "replay", "--hash", "--expect", "live", str(trace))))
        first, last = (int(word) for word in frames.split("-"))
        for threads in ("one", "recorded"):
            with self.subTest(trace=trace.name, frames=frames, threads=threads):
                out = self.loops(trace, frames, rounds, "--hash", "--threads", threads)
                expected = [(n, whole[n]) for n in range(first, last + 1)]
                self.assertEqual(collections.Counter(expected * rounds),
                                 collections.Counter(shown(out)))  # fmt: skip
                self.assertEqual(expected, shown(out)[: len(expected)])

    def test_a_hundred_rounds_are_equal(self) -> None:
        for name in self.traces:
            trace = self.recorded(name, PROGRAMS[name], 5)
            self.shows_the_same(trace, "7-11", 100)

    def test_what_frames_carry_over_is_led_back(self) -> None:
        """Of odd and even lengths, from a snapshot on and from between two, one frame alone."""
        for i, program in enumerate(carrying(self)):
            trace = self.recorded(f"carry{i}", program.split(), 6)
            for frames in ("5-9", "6-9", "7-14", "12-12"):
                self.shows_the_same(trace, frames, 5)

    def test_a_trimmed_trace_loops_from_its_snapshot(self) -> None:
        for name, trace in self.traces.items():
            part = self.tmp / f"loop-part-{name}.slc"
            self.ends(0, "trim", "--quiet", "--force", "--gpu", "0", "--frames", "6-9", "-o",
                      str(part), str(trace))  # fmt: skip
            self.shows_the_same(part, "0-3", 4)

    def test_memory_is_flat(self) -> None:
        for name in self.traces:
            trace = self.recorded(name, PROGRAMS[name], 5)
            peaks = [self.peak(trace, rounds) for rounds in (20, 300)]
            self.assertLess(peaks[1], peaks[0] + GROWTH, name)

    def test_what_a_round_makes_does_not_pile_up(self) -> None:
        for i, program in enumerate(carrying(self)):
            trace = self.recorded(f"flat{i}", program.split(), 6)
            self.loops(trace, "7-9", 3)
            peaks = [self.peak(trace, rounds) for rounds in (20, 500)]
            self.assertLess(peaks[1], peaks[0] + GROWTH, program)

    def peak(self, trace: pathlib.Path, rounds: int) -> int:
        """KiB, of the process that replays."""
        words = [SLUICE, "replay", "-q", "--frames", "7-9", "--loop", str(rounds), str(trace)]
        run = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(0, run.returncode, words)
        return usage.ru_maxrss

    def test_frames_beside_what_waits_are_played_from_the_start(self) -> None:
        """Two threads wait for what comes frames later: it is never waited for at either end."""
        program = os.environ.get("WAITS_PROGRAM", "")
        if program == "":
            self.skipTest("WAITS_PROGRAM is not set")
        trace = self.recorded("waits", [program], 4)
        whole = dict(shown(self.ends(0, "replay", "--hash", "--expect", "live", str(trace))))
        out = self.ends(0, "replay", "--hash", "--loop", "2", "--frames", "9-10", str(trace),
                        says="played from the start: something waits at its ")  # fmt: skip
        self.assertEqual([(n, whole[n]) for n in (9, 10)] * 2, shown(out))

    def test_what_cannot_go_back_is_played_from_the_start(self) -> None:
        """A recording that begins with nothing ends in that when its program is gone."""
        for trace in self.traces.values():
            done = sluice("replay", "-v", "--hash", "--loop", "3", str(trace))
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn(
                "each round is played from the start: it begins with nothing", done.stderr
            )
            counts = collections.Counter(shown(done.stdout))
            self.assertEqual({3}, set(counts.values()))


if __name__ == "__main__":
    unittest.main()
