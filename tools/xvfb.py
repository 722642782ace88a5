"""X servers without a screen, for the scripts that need one nobody else draws on."""

import contextlib
import os
import pathlib
import struct
import subprocess
import tempfile
from typing import Iterator


class XvfbError(Exception):
    pass


@contextlib.contextmanager
def x_server(
    size: str = "800x600", depth: int = 24
) -> "Iterator[tuple[dict[str, str], pathlib.Path]]":
    """A private Xvfb: the environment that reaches it, and its screen as a file in XWD format.
    depth: bits of a pixel on it."""
    with tempfile.TemporaryDirectory() as folder:
        reader, writer = os.pipe()
        # -noreset: a server that starts anew with its last client's end refuses who comes
        # meanwhile.
        words = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x{depth}"]
        words += ["-nolisten", "tcp", "-noreset", "-fbdir", folder]
        server = subprocess.Popen(words, pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        try:
            with os.fdopen(reader) as pipe:
                number = pipe.readline().strip()
            if not number:
                raise XvfbError(
                    "Xvfb did not start; is another X server's lock file in the way in /tmp?"
                )
            yield dict(os.environ, DISPLAY=f":{number}"), pathlib.Path(folder) / "Xvfb_screen0"
        finally:
            server.terminate()
            server.wait()


def read_xwd(path: pathlib.Path) -> "tuple[int, int, bytes]":
    """Width, height and RGB rows of a 32 bits per pixel XWD file."""
    data = path.read_bytes()
    words = struct.unpack(">20I", data[:80])
    header_size, width, height, bits, line, colors = (words[i] for i in (0, 4, 5, 11, 12, 19))
    if bits != 32:
        raise XvfbError(f"the screen has {bits} bits per pixel; 32 are expected")
    start = header_size + colors * 12
    rows = []
    for y in range(height):
        row = data[start + y * line : start + y * line + width * 4]
        rgb = bytearray(width * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows.append(bytes(rgb))
    return width, height, b"".join(rows)
