#!/usr/bin/env python3
"""Runs a program with an X server of its own: nobody else's windows are in front of its own.

usage: own_x.py PROGRAM [ARGS...]

Exit: the program's; 77 where there is no Xvfb.
"""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from xvfb import x_server  # noqa: E402


def main() -> int:
    if shutil.which("Xvfb") is None:
        print("skipped: Xvfb is not installed")
        return 77
    with x_server() as (environment, _):
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
