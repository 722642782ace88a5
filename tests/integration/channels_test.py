"""channels_program natively and through Sluice, on X servers of each depth and without one: every
configuration that is there natively is here, and its surfaces hold and show the same pixels.

usage: SLUICE_PROGRAM=build/dev/bin/sluice CHANNELS_PROGRAM=build/dev/.../channels_program
python3 channels_test.py [-v] [Class[.test]]
"""

import os
import pathlib
import subprocess
import sys
import unittest

from info_test import CONFIG_DEEP_VISUAL
from weston import environment

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from xvfb import x_server  # noqa: E402

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROGRAM = os.environ.get("CHANNELS_PROGRAM", "channels_program")
PATIENCE_S = 200


def lines(words: "list[str]", env: "dict[str, str]") -> "dict[str, str]":
    """What is said, by configuration and version of GLES."""
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")
    pairs = [line.split(": ", 1) for line in done.stdout.splitlines()]
    assert len({key for key, _ in pairs}) == len(pairs), pairs
    return {key: rest for key, rest in pairs}


def bits(key: str) -> "tuple[int, int]":
    """Of red and of alpha."""
    sizes = key.split(", ")[1].split(".")
    return int(sizes[0]), int(sizes[3])


class Channels(unittest.TestCase):
    maxDiff = None

    def compare(self, kind: str, env: "dict[str, str]") -> "dict[str, str]":
        # A driver that unloads itself hides its leaks' origin from the suppressions.
        native = lines([PROGRAM, kind], dict(env, ASAN_OPTIONS="detect_leaks=0"))
        ours = lines([SLUICE, "run", "--", PROGRAM, kind], env)
        more = [key for key in ours if key not in native]
        if more:
            self.explain(CONFIG_DEEP_VISUAL)
        self.assertTrue(all(bits(key)[1] != 0 for key in more), more)
        self.assertEqual(native, {key: said for key, said in ours.items() if key not in more})
        return native

    def explain(self, reason: str) -> None:
        if "-v" in sys.argv:
            print(f"  {reason}")

    def on(self, depth: int, colors: int) -> None:
        """A screen of that depth, on which windows have these bits of red."""
        with x_server("64x64", depth) as (server, _):
            seen = self.compare("x11", dict(environment(), DISPLAY=server["DISPLAY"]))
        self.assertIn(colors, {bits(key)[0] for key in seen})

    def test_are_native_ones_without_windows(self) -> None:
        seen = self.compare("surfaceless", environment())
        self.assertLessEqual({5, 8, 10, 16}, {bits(key)[0] for key in seen})

    def test_are_native_ones_on_16_bits(self) -> None:
        self.on(16, 5)

    def test_are_native_ones_on_24_bits(self) -> None:
        self.on(24, 8)

    def test_are_native_ones_on_30_bits(self) -> None:
        self.on(30, 10)


if __name__ == "__main__":
    unittest.main()
