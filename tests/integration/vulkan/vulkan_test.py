#!/usr/bin/env python3
"""A Vulkan program natively and through Sluice: every line must be the same.

usage: vulkan_test.py --program PROGRAM [--sluice PROGRAM] [--at-least N] [--x-server]
                      [-- ARGS...]

The program prints `name hash results` a line (vx.h), or `name unsupported: why`. It runs natively
twice: what differs then is the native driver's own, and a failure of the test. With --sluice it
runs through `sluice run` as well, which fails if something else drew: once as it is, once with a
host that offers nothing that upstream does not, once below a server that gives it a process of its
own. Exit 1 on any difference,
or when the native run prints fewer than N lines of results. --x-server: with an Xvfb of its own;
exit 77 where there is none.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from isolated import isolated  # noqa: E402
from xvfb import x_server  # noqa: E402


def run(command: list[str], is_native: bool) -> list[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "VK_", "__EGL_VENDOR"))
    }
    if is_native:  # a driver that unloads itself hides its leaks' origin from the suppressions
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
        environment["TSAN_OPTIONS"] = "report_bugs=0"  # nor its races, which are its own
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    if done.returncode != 0:
        print(done.stdout[-2000:], done.stderr[-4000:], sep="\n")
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout.splitlines()


def compare(wanted: list[str], got: list[str], names: tuple[str, str]) -> int:
    pairs = list(itertools.zip_longest(wanted, got))
    different = [pair for pair in pairs if pair[0] != pair[1]]
    for a, b in different[:20]:
        print(f"differs: {names[0]}: {a} | {names[1]}: {b}")
    return len(different)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", required=True)
    parser.add_argument("--sluice")
    parser.add_argument("--at-least", type=int, default=1)
    parser.add_argument("--x-server", action="store_true")
    parser.add_argument("args", nargs="*")
    args = parser.parse_args()
    if args.x_server and shutil.which("Xvfb") is None:
        print("skipped: Xvfb is not installed")
        return 77
    if not args.x_server:
        return test(args)
    with x_server() as (environment, _):
        os.environ["DISPLAY"] = environment["DISPLAY"]
        return test(args)


def test(args: argparse.Namespace) -> int:
    program = [args.program, *args.args]
    native = run(program, True)
    different = compare(native, run(program, True), ("native", "native again"))
    if args.sluice is not None:
        with isolated(args.sluice) as path:
            for options in ([], ["--stock"], ["--socket", path]):
                ours = run([args.sluice, "run", *options, "--", *program], False)
                different += compare(native, ours, ("native", " ".join(["Sluice", *options])))
    unsupported = [line for line in native if " unsupported: " in line]
    results = len(native) - len(unsupported)
    for line in unsupported:
        print(f"native: {line}")
    print(f"{results} results, {len(unsupported)} unsupported natively, {different} lines differ")
    return 1 if different or results < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
