#!/usr/bin/env python3
"""Does what the tutorial does, and keeps its pictures beside this file.

    make.py --sluice build/dev/bin/sluice

Needs glmark2-es2 and a DISPLAY, and Mesa, whose two rasterizers are the two drivers. Ends with the
exit code of the first command that does not end as the tutorial says.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FRAME = 12
NAME = f"frame-{FRAME:06}.png"
PROGRAM = ["glmark2-es2", "-b", "shading:shading=phong:nframes=40", "--size", "200x150"]


def run(words: "list[str]", ends: int = 0, **variables: str) -> str:
    print("+", *words, file=sys.stderr)
    done = subprocess.run(words, env=os.environ | variables, stdout=subprocess.PIPE, text=True)
    if done.returncode != ends:
        sys.exit(done.returncode or 1)
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="where pictures go")
    options = parser.parse_args()
    sluice, shot = str(options.sluice.resolve()), ["--shots", str(FRAME), "--out"]
    with tempfile.TemporaryDirectory() as folder:
        app, small = f"{folder}/app.slc", f"{folder}/small.slc"
        one, two, page = (f"{folder}/{name}" for name in ("one", "two", "page"))
        run([sluice, "record", "-o", app, "--", *PROGRAM])
        run([sluice, "replay", *shot, one, app])
        print(run([sluice, "dump", "--frames", str(FRAME), "--grep", "glDraw", app]))
        run([sluice, "replay", *shot, two, app], GALLIUM_DRIVER="softpipe")
        print(run([sluice, "diff", "--images", "--out", page, one, two], ends=1))
        run([sluice, "trim", "--frames", str(FRAME), "-o", small, app])
        run([sluice, "replay", "--shots", "0", "--out", f"{folder}/small", small])
        run([sluice, "diff", "--shots", "0", small, small])
        for path, name in (
            (f"{one}/{NAME}", "llvmpipe.png"),
            (f"{two}/{NAME}", "softpipe.png"),
            (f"{page}/difference/{NAME}", "difference.png"),
        ):
            shutil.copyfile(path, options.out / name)
        same = pathlib.Path(f"{folder}/small/frame-000000.png").read_bytes()
        if same != pathlib.Path(f"{one}/{NAME}").read_bytes():
            print("the trimmed frame is another one", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
