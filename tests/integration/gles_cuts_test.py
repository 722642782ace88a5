#!/usr/bin/env python3
"""Records features of a program and cuts each recording in two at many places (gles_cuts.c).

usage: gles_cuts_test.py --sluice PROGRAM --cuts GLES_CUTS --program FEATURES [--every N]
[--leave-out NAME ...] [--each N]

Every N-th feature is taken (--each; 1: all). Left out are those whose state no snapshot holds, with
their reasons in CMakeLists.txt. Exit 1: what was played behind a snapshot answered otherwise.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile


def cut(options: argparse.Namespace, feature: str, folder: str) -> bool:
    trace = pathlib.Path(folder) / f"{feature}.slc"
    record = [options.sluice, "record", "--quiet", "--allow-idle", "-o", str(trace), "--"]
    subprocess.run(
        record + [options.program, "--feature", feature],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )
    environment = {**os.environ, "CUTS_TRACE": str(trace), "CUTS_EVERY": str(options.every)}
    done = subprocess.run(
        [options.cuts], env=environment, capture_output=True, text=True, timeout=280
    )
    if done.returncode != 0:
        print(f"{feature}:", done.stdout[-3000:], done.stderr[-2000:], sep="\n")
    trace.unlink()
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--cuts", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--leave-out", nargs="*", default=[])
    options = parser.parse_args()
    listed = subprocess.run(
        [options.program, "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    unknown = set(options.leave_out) - set(listed)
    if unknown or len(listed) < 20:
        print(f"features that are not there: {unknown}; {len(listed)} are")
        return 1
    taken = [name for name in listed if name not in options.leave_out][:: options.each]
    with tempfile.TemporaryDirectory() as folder:
        wrong = [name for name in taken if not cut(options, name, folder)]
    print(f"{len(taken)} features cut, {len(wrong)} wrong: {' '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
