"""Pictures as PNG files: what `sluice screenshot` wrote, and what a guest is to show."""

from __future__ import annotations

import functools
import pathlib
import struct
import zlib
from typing import List, NamedTuple, Tuple

MAGIC = b"\x89PNG\r\n\x1a\n"
Colour = Tuple[int, int, int]


class Picture(NamedTuple):
    width: int
    height: int
    rows: List[bytes]  # R, G, B bytes

    def at(self, x: int, y: int) -> Colour:
        r, g, b = self.rows[y][3 * x : 3 * x + 3]
        return r, g, b

    def part(self, x: int, y: int, width: int, height: int) -> "Picture":
        rows = [row[3 * x : 3 * (x + width)] for row in self.rows[y : y + height]]
        return Picture(width, height, rows)

    def changed(self, other: "Picture") -> "List[Tuple[int, int]]":
        """Where two pictures of one size differ."""
        return [
            (x, y)
            for y in range(self.height)
            if self.rows[y] != other.rows[y]
            for x in range(self.width)
            if self.at(x, y) != other.at(x, y)
        ]


@functools.lru_cache(maxsize=16)  # most lines of a desktop are alike
def _unfilter(kind: int, line: bytes, above: bytes) -> bytes:
    out = bytearray(line)
    for i in range(len(out)):
        left = out[i - 3] if i >= 3 else 0
        up = above[i]
        corner = above[i - 3] if i >= 3 else 0
        if kind == 4:  # Paeth: the neighbour nearest to left + up - corner
            guess = left + up - corner
            near = min((left, up, corner), key=lambda n: abs(guess - n))
        else:
            near = (0, left, up, (left + up) // 2)[kind]
        out[i] = (out[i] + near) & 0xFF
    return bytes(out)


def read(path: pathlib.Path) -> Picture:
    """8 bits a colour, three colours, not interlaced: as sluice writes them."""
    data = path.read_bytes()
    if data[:8] != MAGIC:
        raise ValueError(f"{path} is no PNG")
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", body)
            if body[8:] != bytes((8, 2, 0, 0, 0)):
                raise ValueError(f"{path} is a PNG of another kind: {body[8:].hex()}")
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    flat, rows = zlib.decompress(packed), []
    row = bytes(3 * width)
    for y in range(height):
        start = y * (3 * width + 1)
        line = flat[start + 1 : start + 1 + 3 * width]
        row = _unfilter(flat[start], line, row) if flat[start] else line
        rows.append(row)
    return Picture(width, height, rows)


def write(path: pathlib.Path, picture: Picture) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + row for row in picture.rows)
    path.write_bytes(
        MAGIC
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )
