"""Programs that move by the clock, natively and through Sluice: the same picture of the same frame.

usage: SLUICE_PROGRAM=build/dev/bin/sluice STILL_CLOCK=.../libstill_clock.so
       [STILL_SCENES=all] python3 still_test.py [-v] [Class[.test]]

A clock of the program's own (tests/support/still_clock.c) makes its frames the same in every run,
and stands after some, so that its screen stays. STILL_SCENES=all takes every scene of glmark2.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Iterator

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS.parent / "tools"), str(TESTS / "bench")]

from glmark2_table import BENCHMARKS  # noqa: E402
from toolkits_test import ELSEWHERE, variables  # noqa: E402
from weston import screenshot, weston  # noqa: E402
from xvfb import read_xwd, x_server  # noqa: E402

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
CLOCK = os.environ.get("STILL_CLOCK", "")
PATIENCE_S = 120
SIZE = "320x240"
# Textures, targets, maps of buffers, many draws of little.
SHORT: "tuple[str, ...]" = (
    "bump:bump-render=height",
    "pulsar",
    "desktop:effect=shadow",
    "ideas",
    "refract",
)
SHORT += ("buffer:columns=200:interleave=true",)


def scenes() -> "list[str]":
    if os.environ.get("STILL_SCENES") == "all":
        return BENCHMARKS
    return [name for name in BENCHMARKS if name.startswith(SHORT)]


def glmark2(program: str, scene: str) -> "list[str]":
    """Without an end: the clock stands before 4 seconds are over."""
    return [program, "--size", SIZE, "-b", f"{scene}:duration=4"]


def clocked(words: "list[str]", through: bool) -> "list[str]":
    """The clock is its alone, none of `sluice run`'s."""
    clock = ["env", f"LD_PRELOAD={CLOCK}", *words]
    return [SLUICE, "run", "--", *clock] if through else clock


def wait_still(program: "subprocess.Popen[bytes]", said: pathlib.Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not re.search("still$", said.read_text(errors="replace"), re.M):
        if program.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"it never stood still: {said.read_text()[-800:]}")
        time.sleep(0.05)
    elsewhere = ELSEWHERE.search(said.read_text(errors="replace"))
    if elsewhere:
        raise AssertionError(elsewhere.group())


@contextlib.contextmanager
def moving(words: "list[str]", env: "dict[str, str]") -> "Iterator[None]":
    """The program under way, and standing still."""
    with tempfile.TemporaryDirectory() as folder:
        said = pathlib.Path(folder, "said")
        with said.open("w") as log:
            program = subprocess.Popen(words, env=env, stdout=log, stderr=log)
            try:
                wait_still(program, said)
                yield
            finally:
                program.terminate()
                program.wait()


class Still(unittest.TestCase):
    def on_x(self, words: "list[str]", through: bool) -> bytes:
        with x_server() as (env, screen), tempfile.TemporaryDirectory() as folder:
            with moving(clocked(words, through), variables({}, env["DISPLAY"], folder)):
                return read_xwd(screen)[2]

    def on_wayland(self, words: "list[str]", through: bool) -> bytes:
        with weston("--debug") as env:
            free = dict(env, vblank_mode="0")
            with moving(clocked(words, through), free):
                return screenshot(env)

    def read(self, words: "list[str]", through: bool) -> bytes:
        with x_server() as (env, _), tempfile.TemporaryDirectory() as folder:
            picture = pathlib.Path(folder, "picture")
            more = {"STILL_CLOCK_READ": f"{SIZE}:{picture}"}
            done = subprocess.run(
                clocked(words, through),
                env=variables(more, env["DISPLAY"], folder),
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
            )
            self.assertEqual(0, done.returncode, done.stderr[-800:])
            self.assertIsNone(ELSEWHERE.search(done.stderr), done.stderr[-800:])
            return picture.read_bytes()


class X11(Still):
    def test_glmark2(self) -> None:
        for scene in scenes():
            with self.subTest(scene):
                words = glmark2("glmark2-es2", scene)
                native = self.on_x(words, False)
                self.assertLess(2, len(set(native)), "there is no picture")
                self.assertTrue(native == self.on_x(words, True), "the screens differ")

    def test_gears(self) -> None:
        native = self.on_x(["es2gears_x11"], False)
        self.assertLess(2, len(set(native)), "there is no picture")
        self.assertTrue(native == self.on_x(["es2gears_x11"], True), "the screens differ")


class Wayland(Still):
    def test_moving_programs(self) -> None:
        words = [["es2gears_wayland"], ["weston-simple-egl"]]
        words += [glmark2("glmark2-es2-wayland", scene) for scene in scenes()[::3]]
        pictures = set()
        for program in words:
            with self.subTest(program):
                native = self.on_wayland(program, False)
                self.assertTrue(native == self.on_wayland(program, True), "the screens differ")
                pictures.add(native)
        self.assertEqual(len(words), len(pictures))


class Offscreen(Still):
    def test_glmark2(self) -> None:
        for scene in scenes()[::2]:
            with self.subTest(scene):
                words = [*glmark2("glmark2-es2", scene), "--off-screen"]
                native = self.read(words, False)
                self.assertLess(2, len(set(native)), "there is no picture")
                self.assertTrue(native == self.read(words, True), "the pictures differ")


if __name__ == "__main__":
    unittest.main()
