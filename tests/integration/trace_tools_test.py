"""What the verbs of traces do beyond replaying and dumping them, from outside.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 trace_tools_test.py [-v] [CLASS]
"""

import json
import pathlib
import re
import struct
import unittest
import zlib

from trace_bed import TraceBed


def png(path: pathlib.Path, width: int, height: int, pixels: "list[tuple[int, int, int]]") -> None:
    """An RGB picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)
        )

    rows = b"".join(
        b"\0" + b"".join(bytes(p) for p in pixels[y * width : (y + 1) * width])
        for y in range(height)
    )
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Pictures(TraceBed):
    """diff --images, --shots and --eps."""

    def folders(self, name: str) -> "tuple[pathlib.Path, pathlib.Path]":
        both = (self.tmp / f"{name}-a", self.tmp / f"{name}-b")
        for folder in both:
            folder.mkdir()
        return both

    def test_folders(self) -> None:
        a, b = self.folders("folders")
        grey, page = (100, 100, 100), self.tmp / "page"
        for folder in (a, b):
            png(folder / "same.png", 4, 3, [grey] * 12)
        png(a / "near.png", 4, 3, [grey] * 12)
        png(b / "near.png", 4, 3, [grey] * 11 + [(100, 103, 100)])
        self.assertEqual(
            "near.png: 1 pixels differ, by up to 3\n1 of 2 pictures differ\n",
            self.ends(1, "diff", "--images", str(a), str(b)),
        )
        self.assertEqual("", self.ends(0, "diff", "--images", "--fuzz", "3", str(a), str(b)))
        self.ends(1, "diff", "--images", "--fuzz", "2", str(a), str(b))
        png(b / "odd & new.png", 1, 1, [grey])
        png(b / "same.png", 2, 2, [grey] * 4)
        out = self.ends(1, "diff", "--images", "--out", str(page), str(a), str(b))
        self.assertEqual(
            [
                "near.png: 1 pixels differ, by up to 3",
                f"odd & new.png: only in {b}",
                "same.png: 4x3 and 2x2",
                "3 of 3 pictures differ",
            ],
            out.splitlines(),
        )
        html = (page / "index.html").read_text()
        shown = re.findall(r'<img src="([^"]+)"', html)
        self.assertEqual(
            ["first/near.png", "second/near.png", "difference/near.png", "second/odd%20%26%20new.png",
             "first/same.png", "second/same.png"], shown)  # fmt: skip
        for name in shown:
            self.assertTrue((page / name.replace("%20", " ").replace("%26", "&")).is_file(), name)
        self.assertIn("odd &amp; new.png", html)
        self.ends(2, "diff", "--images", "--out", str(page), str(a), str(b),
                  says="is there already; overwrite it with --force")  # fmt: skip
        self.ends(1, "diff", "--images", "--out", str(page), "--force", str(a), str(b))

    def test_difference_pictures_show_where(self) -> None:
        a, b = self.folders("where")
        png(a / "one.png", 2, 1, [(10, 20, 30), (10, 20, 30)])
        png(b / "one.png", 2, 1, [(10, 20, 30), (10, 24, 31)])
        page = self.tmp / "where-page"
        self.ends(1, "diff", "--images", "--out", str(page), str(a), str(b))
        # The picture is compared with what it must be by the verb itself.
        wanted = self.tmp / "where-wanted"
        wanted.mkdir()
        png(wanted / "one.png", 2, 1, [(0, 0, 0), (0, 255, 63)])
        self.ends(0, "diff", "--images", str(page / "difference"), str(wanted))

    def test_bad_pictures(self) -> None:
        a, b = self.folders("bad")
        self.ends(3, "diff", "--images", str(a), str(b), says="there is no picture (NAME.png)")
        png(a / "x.png", 1, 1, [(1, 2, 3)])
        (b / "x.png").write_bytes(b"nothing")
        self.ends(3, "diff", "--images", str(a), str(b), says="x.png: cannot be read as a PNG")
        png(b / "x.png", 1, 1, [(1, 2, 3)])
        data = bytearray((b / "x.png").read_bytes())
        struct.pack_into(">II", data, 16, 60000, 60000)
        struct.pack_into(">I", data, 29, zlib.crc32(bytes(data[12:29])) & 0xFFFFFFFF)
        (b / "x.png").write_bytes(bytes(data))
        self.ends(3, "diff", "--images", str(a), str(b), says="60000x60000; pictures have at most")
        self.ends(3, "diff", "--images", str(a), str(self.tmp / "none"), says="is no folder that")

    def test_shots_of_traces(self) -> None:
        for trace in map(str, self.traces.values()):
            self.assertEqual("", self.ends(0, "diff", "--shots", "2-4", trace, trace))
        if len(self.traces) == 2:
            page = self.tmp / "shots"
            both = list(map(str, self.traces.values()))
            out = self.ends(1, "diff", "--shots", "3", "--json", "--out", str(page), *both)
            rows = [json.loads(line) for line in out.splitlines()]
            self.assertEqual("frame-000003.png", rows[0]["picture"])
            self.assertNotEqual(*rows[0]["sizes"])
            self.assertEqual((True, 1, 1), (rows[1]["differ"], rows[1]["differing_pictures"],
                                            rows[1]["pictures"]))  # fmt: skip
            self.assertTrue((page / "second" / "frame-000003.png").is_file())
        trace = str(self.any())
        self.ends(2, "diff", "--shots", "x", trace, trace, says="--shots is 'x'")
        self.ends(2, "diff", "--shots", "1", "--images", trace, trace, says="give one of them")

    def test_eps_is_a_number(self) -> None:
        self.ends(2, "diff", "--eps", "near", "a", "b", says="it should be a number like 0.5")


if __name__ == "__main__":
    unittest.main()
