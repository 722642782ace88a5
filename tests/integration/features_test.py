#!/usr/bin/env python3
"""A feature program natively and through Sluice: every line must be the same.

usage: features_test.py --sluice PROGRAM --program FEATURES [--at-least N] [--feature NAME]
[--stock]

The program prints `name frame pixels answers` for each frame of each feature, two hashes, or `name
unsupported: why`. It runs
natively twice (what differs then is the native driver's own) and through `sluice run` once, which
fails if something else drew.
Exit 1 on any difference, or when fewer than N features are supported.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

NATIVE_TRIES = 3  # Mesa alone died of SIGSEGV in one of some hundred runs


def run(command: list[str], is_native: bool) -> list[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "__EGL_VENDOR"))
    }
    if is_native:  # a driver that unloads itself hides its leaks' origin from the suppressions
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
    for _ in range(NATIVE_TRIES if is_native else 1):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
        if done.returncode >= 0:
            break
        print(f"{' '.join(command[:1])}: died of signal {-done.returncode}")
    if done.returncode != 0:
        print(done.stdout[-2000:], done.stderr[-4000:], sep="\n")
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout.splitlines()


def frames_of(lines: list[str], pixels_only: bool) -> dict[str, str]:
    """What each feature's frame gave, the errors that it complained of included."""
    frames: dict[str, str] = {}
    complaints: list[str] = []
    for line in lines:
        words = line.split()
        if line.startswith("  "):
            complaints.append(line.strip())
        elif words[1] == "unsupported:":
            frames[words[0]] = line
        else:
            frames[" ".join(words[:2])] = (
                words[2] if pixels_only else " ".join(words[2:] + complaints)
            )
            complaints = []
    return frames


def compare(
    wanted: list[str], got: list[str], names: tuple[str, str], pixels_only: bool = False
) -> int:
    a, b = frames_of(wanted, pixels_only), frames_of(got, pixels_only)
    different = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    for name in different[:20]:
        print(f"differs: {name}: {names[0]} {a.get(name)} | {names[1]} {b.get(name)}")
    return len(different)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--at-least", type=int, default=0)
    parser.add_argument("--feature")
    parser.add_argument(
        "--stock",
        action="store_true",
        help="the host offers nothing that upstream does not: no errors of the driver, so only "
        "pixels are compared",
    )
    args = parser.parse_args()
    program = [args.program, *(["--feature", args.feature] if args.feature else [])]
    native = run(program, True)
    different = compare(native, run(program, True), ("native", "native again"))
    ours = run([args.sluice, "run", *(["--stock"] if args.stock else []), "--", *program], False)
    different += compare(native, ours, ("native", "Sluice"), args.stock)
    frames = [line for line in native if not line.startswith("  ") and " unsupported" not in line]
    features = {line.split()[0] for line in frames}
    skipped = [line for line in native if " unsupported" in line]
    errors = [line for line in native if line.startswith("  ")]
    for line in skipped + errors:
        print(f"native: {line.strip()}")
    print(
        f"{len(features)} features, {len(frames)} frames, {different} differ, {len(skipped)} "
        f"unsupported natively"
    )
    return 1 if different or len(features) < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
