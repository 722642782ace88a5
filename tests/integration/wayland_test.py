"""Windows on Wayland natively and through Sluice: the same answers, the same picture on the screen.

usage: SLUICE_PROGRAM=build/dev/bin/sluice WAYLAND_PROGRAM=build/dev/.../wayland_program
VENDOR_FILE=... python3 wayland_test.py [-v] [Class[.test]]

A headless weston that draws by pixman is started for each test.
"""

import functools
import os
import re
import subprocess
import time
import unittest
import zlib
from typing import List, Tuple

from cli_bed import Case
from weston import screenshot, weston

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
VENDOR_FILE = os.environ.get("VENDOR_FILE", "")
PROGRAM = os.environ.get("WAYLAND_PROGRAM", "wayland_program")
PATIENCE_S = 200
THROUGH = [SLUICE, "run", "--"]


def run(words: "List[str]", env: "dict[str, str]") -> str:
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(words)} ended with {done.returncode}: {done.stdout[-500:]}"
            f"{done.stderr[-1000:]}"
        )
    return done.stdout


def listened(words: "List[str]", env: "dict[str, str]") -> "subprocess.CompletedProcess[str]":
    """wayland_program to its end; on stderr what it and the compositor said to each other."""
    done = subprocess.run(
        [*words, PROGRAM],
        env=dict(env, WAYLAND_DEBUG="client"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr[-1000:]}")
    return done


def spawn(words: "List[str]", env: "dict[str, str]") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def until(program: "subprocess.Popen[str]", last: str) -> "List[str]":
    """The lines that it says from here on, to this one or to its end."""
    assert program.stdout is not None
    said: "List[str]" = []
    for line in program.stdout:
        said.append(line.rstrip())
        if said[-1] == last:
            break
    return said


def ends(program: "subprocess.Popen[str]", env: "dict[str, str]") -> "Tuple[List[str], bytes]":
    """The lines that it says from here on, and what stands on the screen at its last frame."""
    assert program.stdin is not None
    said = until(program, "shown")
    picture = screenshot(env)
    program.stdin.close()
    said += until(program, "")
    if program.wait(PATIENCE_S) != 0:
        raise AssertionError(f"wayland_program ended with {program.returncode}: {said}")
    return said, picture


def frames_of(said: "List[str]") -> "List[str]":
    return [line for line in said if line.startswith("frame ")]


class Program(unittest.TestCase):
    """What wayland_program prints, and what the compositor shows at its end."""

    # Of colours and of alpha. Not 8 and 0: the compositor's own pictures have what a program leaves
    # in the place of alpha.
    BITS = ("8 8", "5 0", "10 2", "10 0")

    def watch(self, words: "List[str]", bits: str) -> "Tuple[List[str], bytes]":
        with weston("--debug") as env:
            with spawn([*words, PROGRAM, *bits.split()], env) as program:
                return ends(program, env)

    def test_looks_as_natively(self) -> None:
        pictures = set()
        for bits in self.BITS:
            with self.subTest(bits):
                native, wanted = self.watch([], bits)
                ours, got = self.watch(THROUGH, bits)
                self.assertIn("shown", native)
                self.assertEqual(native, ours)
                self.assertTrue(wanted == got, "the screenshots differ")
                pictures.add(wanted)
        self.assertEqual(3, len(pictures))  # 5, 8 and 10 bits can be told apart


@functools.lru_cache(maxsize=None)
def natively() -> "Tuple[List[str], bytes]":
    with weston("--debug") as env, spawn([PROGRAM], env) as program:
        return ends(program, env)


class Lost(Case):
    """Its host dies and another one comes: a new context on the window that there is draws and
    shows what it would natively."""

    def serve(self) -> str:
        self.server, path, status = self.start_served("serve")
        self.addCleanup(self.server.communicate)
        self.addCleanup(self.server.kill)
        with status:
            self.assertEqual("listening\n", status.readline())
            self.assertTrue(status.readline().startswith("ready "))
        return path

    def goes_on(self, what: str) -> None:
        wanted, picture = natively()
        last = wanted.index("shown")
        with weston("--debug") as env:
            found = dict(env, SLUICE_SOCKET=self.serve())
            found["__EGL_VENDOR_LIBRARY_FILENAMES"] = VENDOR_FILE
            with spawn([PROGRAM, "8", "8", what], found) as program:
                self.assertEqual(wanted[:last] + ["lose"], until(program, "lose"))
                self.server.kill()
                self.server.wait()
                self.serve()
                assert program.stdin is not None
                program.stdin.write("lost\n")
                program.stdin.flush()
                said, shown = ends(program, env)
        self.assertEqual(["lost: swapped 0, error 0x300e"], said[:1])
        self.assertEqual(frames_of(wanted), frames_of(said))
        self.assertTrue(picture == shown, "the screenshots differ")

    def test_on_its_surface(self) -> None:
        self.goes_on("surface")

    def test_on_its_window(self) -> None:
        self.goes_on("window")


class Weston(unittest.TestCase):
    """weston itself draws by GLES: what it shows is what it shows natively."""

    COLOR = "background-color=0xff336699\n"

    def show(self, through: "List[str]") -> bytes:
        """Once the desktop is there, some time after the socket, and nothing changes any more."""
        deadline = time.monotonic() + PATIENCE_S
        with weston("--debug", through=through, renderer="--use-gl", shell=self.COLOR) as env:
            before, seen = b"", screenshot(env)
            while not self.is_desktop(seen) or before != seen:
                self.assertLess(time.monotonic(), deadline, "no desktop")
                time.sleep(1)
                before, seen = seen, screenshot(env)
            return seen

    @staticmethod
    def is_desktop(picture: bytes) -> bool:
        rows = zlib.decompressobj().decompress(picture[picture.index(b"IDAT") + 4 :], 8)
        return bytes((0x33, 0x66, 0x99)) in rows

    def test_looks_as_natively(self) -> None:
        native, ours = self.show([]), self.show(THROUGH)
        self.assertTrue(native == ours, "the screenshots differ")


class Buffers(unittest.TestCase):
    """Where the compositor has let go of a picture before the next but one is shown, two in turn
    are enough: wayland_program waits for that in its last frames."""

    LAST = 6

    def test_are_two_in_turn(self) -> None:
        with weston() as env:
            done = listened(THROUGH, env)
        shown = re.findall(r"-> wl_surface@\d+\.attach\(wl_buffer@(\d+)", done.stderr)
        self.assertEqual(2, len(set(shown[-self.LAST :])), shown)


class Vblank(unittest.TestCase):
    """Mesa's vblank_mode: the intervals that are offered, and how many of the frames wait for the
    compositor."""

    MODES = ("0", "1", "2", "3", " 3 ", "4", "1x")

    def intervals(self, words: "List[str]", env: "dict[str, str]") -> "Tuple[str, int]":
        done = listened(words, env)
        offered = re.findall(r"^intervals .*$", done.stdout, re.M)
        return "".join(offered), len(re.findall(r"-> wl_surface@\d+\.frame\(", done.stderr))

    def test_is_obeyed_as_natively(self) -> None:
        with weston() as env:
            env.pop("vblank_mode", None)
            seen = {"nothing": self.intervals([], env)}
            self.assertEqual(seen["nothing"], self.intervals(THROUGH, env))
            for mode in self.MODES:
                of_mode = dict(env, vblank_mode=mode)
                seen[mode] = self.intervals([], of_mode)
                self.assertEqual(seen[mode], self.intervals(THROUGH, of_mode), repr(mode))
        self.assertEqual(4, len({seen[mode] for mode in ("0", "1", "2", "3")}), seen)


class Glmark2(unittest.TestCase):
    def test_validates_as_natively(self) -> None:
        words = [
            "glmark2-es2-wayland",
            "--validate",
            "-b",
            "build",
            "-b",
            "texture",
            "-b",
            "desktop",
        ]
        with weston() as env:
            native, ours = (
                re.findall(r"^\[.*Validation: .*$", run(how + words, env), re.M)
                for how in ([], THROUGH)
            )
        self.assertEqual(3, len(native), native)
        self.assertEqual(native, ours)


if __name__ == "__main__":
    unittest.main()
