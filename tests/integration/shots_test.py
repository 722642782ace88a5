"""Pictures after calls: of recorded programs that wrote down what they read themselves.

usage: SLUICE_PROGRAM=build/dev/bin/sluice SHOTS_PROGRAM=... [VULKAN_PROGRAMS=...]
       [PASSES_PROGRAM=...] python3 shots_test.py [-v]
"""

import json
import os
import pathlib
import re
import struct
import tempfile
import unittest
from typing import ClassVar

from trace_bed import Png, TraceBed, sluice

GL = os.environ["SHOTS_PROGRAM"]
VULKAN = os.environ.get("VULKAN_PROGRAMS", "").split()


class Shots(unittest.TestCase):
    folder: ClassVar["tempfile.TemporaryDirectory[str]"]
    tmp: ClassVar[pathlib.Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.tmp = pathlib.Path(cls.folder.name)
        cls.addClassCleanup(cls.folder.cleanup)
        for program in (GL, *VULKAN):
            name = pathlib.Path(program).name
            (cls.tmp / name).mkdir()
            trace = str(cls.tmp / f"{name}.slc")
            words = ["record", "-o", trace, "--", program]
            words += [str(cls.tmp / name)] if program == GL else []
            done = sluice(*words, VX_KEEP=str(cls.tmp / name))
            if done.returncode != 0:
                raise AssertionError(f"{program}: {done.returncode}: {done.stderr}")

    def ends(self, code: int, *words: str, says: str = "") -> str:
        done = sluice(*words)
        self.assertEqual(code, done.returncode, f"{words}: {done.stderr[-2000:]}")
        self.assertIn(says, done.stderr, words)
        return done.stdout

    def shots(self, name: str, *words: str) -> "tuple[pathlib.Path, list[str]]":
        out = self.tmp / f"{name}-{'-'.join(re.sub('[^a-z0-9]', '', w) for w in words)}"
        trace = str(self.tmp / f"{name}.slc")
        lines = self.ends(0, "replay", *words, "--out", str(out), "--force", trace).splitlines()
        return out, lines[:-1]

    def kept(self, path: pathlib.Path) -> "tuple[int, int, list[bytes]]":
        """What the program read: width, height, pixels, bottom row first."""
        data = path.read_bytes()
        width, height = struct.unpack_from("<II", data)
        size = (len(data) - 8) // (width * height)
        pixels = [data[8 + i * size : 8 + (i + 1) * size] for i in range(width * height)]
        return width, height, pixels

    def compare(self, picture: pathlib.Path, kept: pathlib.Path, turned: bool) -> None:
        png, (width, height, pixels) = Png(picture), self.kept(kept)
        self.assertEqual((width, height), (png.width, png.height), picture.name)
        rows = [pixels[y * width : (y + 1) * width] for y in range(height)]
        flat = [p for row in (reversed(rows) if turned else rows) for p in row]
        if "depth" in kept.name:
            self.assertEqual((0, 16), (png.color, png.bits))
            low, high = (float(word) for word in png.texts["Depth-Range"].split())
            live = [struct.unpack("<f", p)[0] for p in flat]
            self.assertAlmostEqual(min(live), low, delta=1e-6)
            self.assertAlmostEqual(max(live), high, delta=1e-6)
            self.assertLess(low, high, picture.name)
            grey = struct.unpack(f">{width * height}H", png.pixels)
            for one, other in zip(live, grey):
                self.assertAlmostEqual(one, low + (high - low) * other / 65535, delta=1e-5)
        elif "stencil" in kept.name:
            self.assertEqual((0, 8), (png.color, png.bits))
            self.assertEqual([p[0] for p in flat], list(png.pixels), picture.name)
            self.assertGreater(len(set(png.pixels)), 1)
        else:
            self.assertEqual((6, 8), (png.color, png.bits))
            self.assertEqual(b"".join(flat), png.pixels, picture.name)
            self.assertGreater(len(set(flat)), 1)

    # --- GLES ---

    def test_what_a_program_read_itself(self) -> None:
        out, lines = self.shots("shots_program", "--shots", "*/draw")
        kept = sorted((self.tmp / "shots_program").iterdir())
        self.assertGreaterEqual(len(kept), 12)
        for one in kept:
            with self.subTest(one.name):
                picture = out / f"frame-000000-{one.stem}.png"
                self.compare(picture, one, True)
                line = next(line for line in lines if line.startswith(picture.name))
                call = re.search(r"  call ([\d,]+) (glDrawArrays)  ", line)
                assert call is not None
                said = f"{call[1].replace(',', '')} {call[2]}"
                self.assertEqual(said, Png(picture).texts["Call"])

    def test_calls_frames_and_attachments_are_chosen(self) -> None:
        trace = str(self.tmp / "shots_program.slc")
        rows = self.ends(0, "dump", "--calls", "*/draw", "--format", "jsonl", trace).splitlines()
        calls = [json.loads(row) for row in rows]
        second = calls[1]["call"]
        out, lines = self.shots(
            "shots_program", "--shots", f"{second}/draw", "--attachments", "color", "--json"
        )
        said = [json.loads(line) for line in lines]
        self.assertEqual(
            [(second, "color", 0)], [(s["call"], s["attachment"], s["number"]) for s in said]
        )
        self.assertEqual([s["picture"] for s in said], [p.name for p in out.iterdir()])
        _, all_of_frame = self.shots(
            "shots_program", "--shots", "0", "--kind", "draw", "--attachments", "color"
        )
        _, every = self.shots("shots_program", "--shots", "*/draw", "--attachments", "color")
        self.assertEqual(every, all_of_frame)
        cleared, _ = self.shots("shots_program", "--shots", "0/10", "--kind", "clear")
        self.assertTrue((cleared / "frame-000000-clear-0000-color0.png").exists())

    def test_what_cannot_be_had_is_an_error(self) -> None:
        trace = str(self.tmp / "shots_program.slc")
        out = str(self.tmp / "wrong")
        for code, words, says in (
            (2, ("--shots", "*/paint"), "--shots ends in /paint; it should be one of frame|draw"),
            (2, ("--shots", "1/draw", "--kind", "clear"), "leave out either"),
            (2, ("--kind", "draw"), "give both, or neither"),
            (7, ("--shots", "99", "--kind", "draw"), "no call of kind draw"),
            (2, ("--shots", "*/draw", "--backend", "null"), "does not draw"),
        ):
            with self.subTest(words):
                self.ends(code, "replay", *words, "--out", out, trace, says=says)

    def test_two_traces_are_compared_after_calls(self) -> None:
        trace = str(self.tmp / "shots_program.slc")
        self.ends(0, "diff", "--shots", "*/draw", trace, trace)
        other = self.tmp / "other.slc"
        less = self.tmp / "less"
        less.mkdir(exist_ok=True)
        self.ends(0, "record", "--force", "-o", str(other), "--", GL, str(less))
        self.ends(0, "diff", "--shots", "0", "--kind", "draw", trace, str(other))

    # --- Vulkan: programs that copy what they have drawn on, after each draw ---

    def same_depth(self, png: Png, kept: bytes, form: int) -> None:
        """form: the VkFormat."""
        size = len(kept) // (png.width * png.height)
        code = {2: "H", 4: "I" if form == 129 else "f"}[size]
        live = list(struct.unpack(f"<{png.width * png.height}{code}", kept))
        if code != "f":
            top = 65535 if code == "H" else 0xFFFFFF
            live = [(v & top) / top for v in live]
        low, high = (float(word) for word in png.texts["Depth-Range"].split())
        self.assertAlmostEqual(min(live), low, delta=1e-6)
        self.assertAlmostEqual(max(live), high, delta=1e-6)
        grey = struct.unpack(f">{len(live)}H", png.pixels)
        worst = max(abs(v - low - (high - low) * g / 65535) for v, g in zip(live, grey))
        self.assertLess(worst, 1e-5)

    def test_what_vulkan_programs_copied_themselves(self) -> None:
        if not VULKAN:
            self.skipTest("no Vulkan program is built")
        for program in VULKAN:
            name = pathlib.Path(program).name
            out, lines = self.shots(name, "--shots", "*/draw", "--validate")
            self.assertTrue(all("vkQueueSubmit" in line for line in lines))
            pictures = sorted(out.iterdir())
            kept = [p for p in sorted((self.tmp / name).iterdir()) if ".clear." not in p.name]
            self.assertGreaterEqual(len(pictures), 3)
            for plane, other in (("color0", "colour"), ("depth", "depth"), ("stencil", "stencil")):
                ours = [p for p in pictures if p.stem.endswith(f"-pass0-{plane}")]
                planes = [p for p in kept if p.stem.endswith(f".{other}")]
                if name == "vulkan_dynamic_rendering":  # which copies colours alone
                    planes = kept if plane == "color0" else []
                    ours = ours if plane == "color0" else []
                self.assertEqual(len(planes), len(ours), plane)
                for live, picture in zip(planes, ours):
                    with self.subTest(f"{name}: {live.name}"):
                        png, data = Png(picture), live.read_bytes()
                        self.assertEqual((64, 64), (png.width, png.height))
                        if plane == "depth":
                            form = re.search(r"format(\d+)", live.name)
                            assert form is not None
                            self.same_depth(png, data, int(form[1]))
                        else:
                            self.assertTrue(data == png.pixels, picture.name)

    def test_copies_of_recorded_passes_are_bounded(self) -> None:
        """A command buffer has 32 MiB of them, and three are submitted, one after the other."""
        if "PASSES_PROGRAM" not in os.environ:
            self.skipTest("no Vulkan program is built")
        trace, out = str(self.tmp / "passes.slc"), str(self.tmp / "passes")
        done = sluice("record", "-o", trace, "--", os.environ["PASSES_PROGRAM"])
        self.assertEqual(0, done.returncode, done.stderr)
        words = ("replay", "--shots", "*/draw", "--force", "--out", out)
        self.ends(7, *words, "--memory", "24M", trace,
                  says="is one of more copies than --memory lets recorded passes have")  # fmt: skip
        lines = self.ends(0, *words, "--memory", "80M", trace).splitlines()
        self.assertEqual(24, sum("1024x1024" in line for line in lines))


class Frames(TraceBed):
    """Of programs that draw a frame by one call."""

    def test_the_last_draw_of_a_frame_is_its_picture(self) -> None:
        for name, trace in self.traces.items():
            with self.subTest(name):
                out = self.tmp / f"last-{name}"
                words = ("replay", "--shots", "7", "--out", str(out), str(trace))
                self.ends(0, *words)
                self.ends(0, "replay", "--kind", "draw", *words[1:])
                frame, last = Png(out / "frame-000007.png"), max(out.glob("*-draw-*-color0.png"))
                drawn = Png(last).pixels
                self.assertEqual(
                    frame.pixels, b"".join(drawn[i : i + 3] for i in range(0, len(drawn), 4))
                )


if __name__ == "__main__":
    unittest.main()
