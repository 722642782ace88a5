#!/usr/bin/env python3
"""The triangle of abi_program, in each of its two lives, must be the native one.

usage: abi_program_test.py PROGRAM NATIVE
"""

import subprocess
import sys


def run(program: str) -> list[str]:
    done = subprocess.run([program], capture_output=True, text=True, timeout=100)
    if done.returncode != 0:
        raise SystemExit(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def main() -> int:
    ours, native = run(sys.argv[1]), run(sys.argv[2])
    print(f"native {native}, through the library {ours}")
    covered = int(native[0].split()[-1])
    return 0 if len(native) == 1 and ours == native * 2 and covered > 4000 else 1


if __name__ == "__main__":
    sys.exit(main())
