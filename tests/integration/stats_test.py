#!/usr/bin/env python3
"""What programs wait for: `sluice run --stats`; scenes of glmark2 in their steady state wait for
nothing.

usage: SLUICE_PROGRAM=build/dev/bin/sluice ERRORS_PROGRAM=... DISPLAY=:0 python3 stats_test.py [-v]
"""

import os
import re
import shutil
import subprocess
import unittest

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
ERRORS_PROGRAM = os.environ.get("ERRORS_PROGRAM", "errors_program")
PATIENCE_S = 120
FRAMES = 30
SCENES = (
    "build:use-vbo=false",  # arrays in the program's memory
    "texture:texture-filter=mipmap",
    "effect2d",  # textures and uniforms that change
    "ideas:speed=duration",  # locations that are asked for when a new part begins
    "buffer:columns=100:rows=20:update-method=map",
    "buffer:columns=100:rows=20:update-method=subdata",
    "desktop:effect=blur:passes=1:windows=2",  # framebuffer objects
)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
    return subprocess.run(
        [SLUICE, "run", "--stats", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


class Steady(unittest.TestCase):
    def setUp(self) -> None:
        if shutil.which("glmark2-es2") is None:
            self.skipTest("glmark2-es2 is not installed")

    def report(self, scene: str) -> "tuple[int, int, float, str]":
        """Frames, round trips, those of a steady frame, and all that was said."""
        done = run("--", "glmark2-es2", "-b", f"{scene}:nframes={FRAMES}", "--size", "160x120")
        self.assertEqual(0, done.returncode, done.stderr)
        all_of = re.search(r"^(\d+) frames, (\d+) round trips$", done.stderr, re.M)
        steady = re.search(
            r"^steady state \(from frame 11 on\): (\d+) frames, ([\d.]+) round trips a frame$",
            done.stderr,
            re.M,
        )
        assert all_of is not None and steady is not None, done.stderr
        self.assertEqual(int(all_of[1]), int(steady[1]) + 10)
        return int(steady[1]), int(all_of[2]), float(steady[2]), done.stderr

    def test_scenes_of_glmark2_wait_for_nothing(self) -> None:
        for scene in SCENES:
            with self.subTest(scene):
                frames, _, steady, said = self.report(scene)
                self.assertGreaterEqual(frames, FRAMES - 12)
                self.assertEqual(0.0, steady, said)

    def test_what_a_start_waits_for_is_named(self) -> None:
        _, trips, _, said = self.report("build")
        named = re.findall(r"^  (\w+) +(\d+) +(\d+) in \d+ frames$", said, re.M)
        self.assertIn("rcCreateContext", [name for name, _, _ in named])
        self.assertIn("glGetProgramiv", [name for name, _, _ in named])
        self.assertEqual(trips, sum(int(count) for _, count, _ in named))


class AsyncErrors(unittest.TestCase):
    """errors_program asks for errors 51 times a frame; every second frame has one."""

    def trips(self, *words: str) -> int:
        done = run(*words)
        self.assertEqual(0, done.returncode, done.stderr)
        found = re.search(r"(\d+) round trips$", done.stderr, re.M)
        assert found is not None, done.stderr
        return int(found[1])

    def test_asking_for_errors_waits_for_nothing(self) -> None:
        few, many = (
            self.trips("--async-errors", "--", ERRORS_PROGRAM, frames) for frames in ("4", "44")
        )
        self.assertEqual(few, many)
        waiting = self.trips("--", ERRORS_PROGRAM, "44")
        self.assertGreater(waiting, many + 44 * 50)

    def test_errors_come_with_glfinish_at_the_latest(self) -> None:
        program = [ERRORS_PROGRAM, "12", "finish"]
        native = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(13, len(native.stdout.splitlines()), native.stderr)
        self.assertIn("6 errors", native.stdout)
        for how in ((), ("--async-errors",)):
            with self.subTest(how):
                self.assertEqual(native.stdout, run(*how, "--", *program).stdout)


class Usage(unittest.TestCase):
    def test_another_host_is_not_counted(self) -> None:
        done = run("--socket", "/nowhere", "--", "true")
        self.assertEqual(2, done.returncode)
        self.assertIn("--stats counts on a private host", done.stderr)


if __name__ == "__main__":
    unittest.main()
