#!/usr/bin/env python3
"""Records features of a program, or piglit's programs, and cuts each recording in two at many
places (gles_cuts.c).

usage: gles_cuts_test.py --sluice PROGRAM --cuts GLES_CUTS --program FEATURES [--every N]
[--leave-out NAME ...] [--each N] [--with NAME ...]
       gles_cuts_test.py --sluice PROGRAM --cuts GLES_CUTS --piglit [NAME ...] [--sample N]
[--seed TEXT]

Every N-th feature is taken (--each; 1: all), and those of --with. Left out are those whose state
no snapshot holds, with their reasons in CMakeLists.txt. Of piglit those that are named, or so many
at random; each is cut at six places, and such with few calls or very many are left out of a sample.
Exit 1: what was played behind a snapshot answered otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from piglit_test import all_tests

PIGLIT_CUTS = 6
PIGLIT_CALLS = range(80, 30000)
PIGLIT_SOURCES = "/usr/lib/x86_64-linux-gnu/piglit"
# Mesa says no warnings of shaders that it has in its cache.
AROUND = {"MESA_SHADER_CACHE_DISABLE": "true", "PIGLIT_SOURCE_DIR": PIGLIT_SOURCES}


def record(
    options: argparse.Namespace, trace: pathlib.Path, words: "list[str]", check: bool
) -> None:
    command = [options.sluice, "record", "--quiet", "--force", "--allow-idle", "-o", str(trace)]
    subprocess.run(
        [*command, "--", *words],
        env={**os.environ, **AROUND},
        check=check,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )


def cut(options: argparse.Namespace, name: str, trace: pathlib.Path, every: int) -> bool:
    environment = {**os.environ, **AROUND, "CUTS_TRACE": str(trace), "CUTS_EVERY": str(every)}
    done = subprocess.run(
        [options.cuts],
        env=environment,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=280,
    )
    if done.returncode != 0:
        print(f"{name}:", done.stdout[-3000:], done.stderr[-2000:], sep="\n", flush=True)
    return done.returncode == 0


def calls_of(options: argparse.Namespace, trace: pathlib.Path) -> int:
    if not trace.exists():
        return 0
    words = [options.sluice, "info", "--json", str(trace)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return int(json.loads(done.stdout)["calls"])


def cut_piglit(options: argparse.Namespace, trace: pathlib.Path) -> "tuple[int, list[str]]":
    """How many were cut, and which of them are wrong."""
    tests, taken = all_tests(), 0
    names = options.piglit or random.Random(options.seed).sample(sorted(tests), len(tests))
    wanted = len(options.piglit) or options.sample
    wrong: "list[str]" = []
    for name in names:
        if taken == wanted:
            break
        trace.unlink(missing_ok=True)
        record(options, trace, tests[name], False)
        calls = calls_of(options, trace)
        if not options.piglit and calls not in PIGLIT_CALLS:
            continue
        taken += 1
        if not cut(options, name, trace, max(20, calls // PIGLIT_CUTS)):
            wrong.append(name)
    return taken, wrong


def cut_features(options: argparse.Namespace, trace: pathlib.Path) -> "tuple[int, list[str]]":
    listed = subprocess.run(
        [options.program, "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    unknown = set(options.leave_out + options.also) - set(listed)
    if unknown or len(listed) < 20:
        print(f"features that are not there: {unknown}; {len(listed)} are")
        return 0, []
    taken = [name for name in listed if name not in options.leave_out][:: options.each]
    taken += [name for name in options.also if name not in taken]
    wrong = []
    for name in taken:
        record(options, trace, [options.program, "--feature", name], True)
        if not cut(options, name, trace, options.every):
            wrong.append(name)
    return len(taken), wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--cuts", required=True)
    parser.add_argument("--program")
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--leave-out", nargs="*", default=[])
    parser.add_argument("--with", nargs="*", default=[], dest="also")
    parser.add_argument("--piglit", nargs="*")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    if (options.program is None) == (options.piglit is None):
        parser.error("give one of --program and --piglit")
    with tempfile.TemporaryDirectory() as folder:
        run = cut_features if options.piglit is None else cut_piglit
        count, wrong = run(options, pathlib.Path(folder, "cut.slc"))
    print(f"{count} cut, {len(wrong)} wrong: {' '.join(wrong)}")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
