"""egl_answers natively and through Sluice: every line must be the same.

usage: SLUICE_PROGRAM=build/dev/bin/sluice EGL_ANSWERS=build/dev/.../egl_answers egl_answers_test.py
"""

import os
import subprocess
import unittest
from typing import List

from weston import environment

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROGRAM = os.environ.get("EGL_ANSWERS", "egl_answers")


def run(words: "List[str]") -> "List[str]":
    env = environment()
    env["ASAN_OPTIONS"] = "detect_leaks=0"
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=200)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout.splitlines()


class Answers(unittest.TestCase):
    maxDiff = None

    def test_are_native_ones(self) -> None:
        native, ours = run([PROGRAM]), run([SLUICE, "run", "--", PROGRAM])
        self.assertGreater(len(native), 80)
        self.assertEqual(native, ours)


if __name__ == "__main__":
    unittest.main()
