"""What the tests of traces share: two recorded programs, and how `sluice` ended.

SLUICE_PROGRAM=build/dev/bin/sluice and a DISPLAY, as the tests say.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib
from typing import ClassVar

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PATIENCE_S = 200
FRAMES = 20
PROGRAMS = {
    "gl": ["glmark2-es2", "-b", f"build:nframes={FRAMES}", "--size", "320x240"],
    "vk": ["vkcube", "--c", str(FRAMES)],
}


def environment(**variables: str) -> "dict[str, str]":
    return {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")} | variables


def sluice(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [SLUICE, *words],
        env=environment(**variables),
        capture_output=True,
        text=True,
        errors="backslashreplace",  # damaged traces have damaged texts
        timeout=PATIENCE_S,
    )


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Png:
    """What our PNG files hold: rows of pixels, top row first, and texts."""

    def __init__(self, path: pathlib.Path) -> None:
        data = path.read_bytes()
        at, packed = 8, b""
        self.texts: "dict[str, str]" = {}
        while at < len(data):
            (size,) = struct.unpack_from(">I", data, at)
            kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
            at += 12 + size
            if kind == b"IHDR":
                self.width, self.height, self.bits, self.color = struct.unpack_from(">IIBB", body)
            elif kind == b"tEXt":
                key, text = body.split(b"\0", 1)
                self.texts[key.decode()] = text.decode()
            elif kind == b"IDAT":
                packed += body
        self.bytes = {0: 1, 2: 3, 6: 4}[self.color] * self.bits // 8
        self.pixels = self.unfiltered(zlib.decompress(packed))

    def unfiltered(self, raw: bytes) -> bytes:
        stride, n = self.width * self.bytes, self.bytes
        out, before = bytearray(), bytearray(stride)
        for y in range(self.height):
            kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 :][:stride])
            for x in range(stride):
                a, b = row[x - n] if x >= n else 0, before[x]
                c = before[x - n] if x >= n else 0
                far = [abs(b - c), abs(a - c), abs(a + b - 2 * c)]
                paeth = (a, b, c)[far.index(min(far))]
                row[x] = row[x] + (0, a, b, (a + b) // 2, paeth)[kind] & 255
            out += row
            before = row
        return bytes(out)


class TraceBed(unittest.TestCase):
    """A recording of each program that is installed, in a folder that goes."""

    folder: ClassVar["tempfile.TemporaryDirectory[str]"]
    tmp: ClassVar[pathlib.Path]
    traces: ClassVar["dict[str, pathlib.Path]"] = {}

    @classmethod
    def setUpClass(cls) -> None:
        if not TraceBed.traces:
            TraceBed.folder = tempfile.TemporaryDirectory()
            TraceBed.tmp = pathlib.Path(TraceBed.folder.name)
            unittest.addModuleCleanup(TraceBed.folder.cleanup)
            for name, program in PROGRAMS.items():
                if shutil.which(program[0]) is not None:
                    TraceBed.record(name, program)
        if not TraceBed.traces:
            raise unittest.SkipTest("neither glmark2-es2 nor vkcube is installed")

    @classmethod
    def record(cls, name: str, program: "list[str]") -> None:
        path = cls.tmp / f"{name}.slc"
        done = sluice("record", "--hash", "-o", str(path), "--", *program)
        if done.returncode != 0:
            raise AssertionError(f"{program}: {done.returncode}: {done.stderr}")
        TraceBed.traces[name] = path

    def any(self) -> pathlib.Path:
        return next(iter(self.traces.values()))

    def ends(self, code: int, *words: str, says: str = "") -> str:
        """Ends so, and says this on stderr; gives stdout."""
        done = sluice(*words)
        self.assertEqual(code, done.returncode, f"{words}: {done.stderr[-2000:]}")
        self.assertIn(says, done.stderr, words)
        return done.stdout

    def said_to_terminal(self, *words: str, stdout: "int | None" = None, **variables: str) -> bytes:
        """All that a terminal is given, by stderr and, but for another stdout, by both ways."""
        ours, theirs = os.openpty()
        with subprocess.Popen(
            [SLUICE, *words],
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=environment(**variables),
        ) as program:
            os.close(theirs)
            said = b""
            try:
                while more := os.read(ours, 4096):
                    said += more
            except OSError:  # the other end is closed
                pass
            self.assertEqual(0, program.wait(PATIENCE_S), said)
        os.close(ours)
        return said

    def copy(self, data: bytes) -> str:
        path = self.tmp / "copy.slc"
        path.write_bytes(data)
        return str(path)

    def chunk(self, kind: bytes) -> int:
        """Where the first chunk of a kind begins."""
        return next(at for at, _, found in self.chunks(self.any().read_bytes()) if found == kind)

    @staticmethod
    def chunks(data: bytes) -> "list[tuple[int, int, bytes]]":
        """Offset, size with its padding, kind."""
        found, at = [], 64
        while at < len(data):
            (stored,) = struct.unpack_from("<I", data, at + 56)
            size = 64 + (stored + 63) // 64 * 64
            found.append((at, size, data[at + 4 : at + 8]))
            at += size
        return found
