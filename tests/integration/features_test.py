#!/usr/bin/env python3
"""A feature program natively and through Sluice: every line must be the same.

usage: features_test.py --sluice PROGRAM --program FEATURES [--at-least N] [--feature NAME]

The program prints `name frame hash` for each frame of each feature, or `name unsupported: why`. It runs natively twice (what
differs then is the native driver's own) and through `sluice run` once, which fails if something else drew. Exit 1 on any
difference, or when fewer than N features are supported.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys


def run(command: list[str], is_native: bool) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "__EGL_VENDOR"))}
    if is_native:  # a driver that unloads itself hides its leaks' origin from the suppressions
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    if done.returncode != 0:
        print(done.stdout[-2000:], done.stderr[-4000:], sep="\n")
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout.splitlines()


def compare(wanted: list[str], got: list[str], names: tuple[str, str]) -> int:
    different = 0
    for number in range(max(len(wanted), len(got))):
        a = wanted[number] if number < len(wanted) else "(nothing)"
        b = got[number] if number < len(got) else "(nothing)"
        if a != b:
            different += 1
            print(f"differs: {names[0]} {a} | {names[1]} {b}")
    return different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--at-least", type=int, default=0)
    parser.add_argument("--feature")
    args = parser.parse_args()
    program = [args.program, *(["--feature", args.feature] if args.feature else [])]
    native = run(program, True)
    different = compare(native, run(program, True), ("native", "native again"))
    ours = run([args.sluice, "run", "--", *program], False)
    different += compare(native, ours, ("native", "Sluice"))
    frames = [line for line in native if not line.startswith("  ") and " unsupported" not in line]
    features = {line.split()[0] for line in frames}
    skipped = [line for line in native if " unsupported" in line]
    errors = [line for line in native if line.startswith("  ")]
    for line in skipped + errors:
        print(f"native: {line.strip()}")
    print(f"{len(features)} features, {len(frames)} frames, {different} differ, {len(skipped)} unsupported natively")
    return 1 if different or len(features) < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
