#!/usr/bin/env python3
"""What GL refuses: the same errors natively and through Sluice, and nothing written.

usage: refused_test.py --sluice PROGRAM --program REFUSED --version 2|3 [--at-least N]

The program prints `call: error, bytes written` for each call. Errors must be the same. Bytes must
be the same where the call succeeds; where it is refused GL says that nothing is written, which
native drivers do not always keep: then nothing, or what native writes. Exit 1 on any difference, or
with fewer than N refused calls.
"""

from __future__ import annotations

import argparse
import sys

from features_test import run

# What differs all the same: the calls that begin so, and why.
KNOWN = {
    "glGetInteger64i_v b70 ": "Mesa answers nothing for depth ranges there, and raises no error"
}


def calls_of(lines: list[str]) -> list[tuple[str, str, str]]:
    """(call, error, bytes) of each line."""
    calls = []
    for line in lines:
        call, _, answer = line.rpartition(": ")
        error, _, written = answer.partition(",")
        calls.append((call, error, written.strip()))
    return calls


def same(native: tuple[str, str, str], ours: tuple[str, str, str]) -> bool:
    refused_and_kept = native[1] != "0" and ours[2] == ""
    return native[:2] == ours[:2] and (native[2] == ours[2] or refused_and_kept)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--at-least", type=int, default=0)
    args = parser.parse_args()
    program = [args.program, "--version", args.version]
    native = calls_of(run(program, True))
    ours = calls_of(run([args.sluice, "run", "--", *program], False))
    different = [
        (n, o) for n, o in zip(native, ours) if not same(n, o) and not n[0].startswith(tuple(KNOWN))
    ]
    for n, o in different[:50]:
        print(f"differs: {n[0]}: native {n[1]}, {n[2]} | Sluice {o[1]}, {o[2]}")
    refused = sum(error != "0" for _, error, _ in native)
    print(f"{len(native)} calls, {refused} refused, {len(different)} differ")
    return 1 if different or len(native) != len(ours) or refused < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
