"""Compares the symbols a library exports with its reviewed list.

usage: exports.py --nm NM LIBRARY LIST
The list has one symbol a line, sorted; # starts a comment.
"""

import argparse
import pathlib
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("library")
    parser.add_argument("list", type=pathlib.Path)
    options = parser.parse_args()
    run = subprocess.run(
        [options.nm, "-D", "--defined-only", "--format=posix", options.library],
        capture_output=True,
        text=True,
        check=True,
    )
    exported = {
        line.split()[0].split("@")[0] for line in run.stdout.splitlines() if line.split()[1] != "A"
    }
    lines = [line.split("#")[0].strip() for line in options.list.read_text().splitlines()]
    listed = [line for line in lines if line]
    complaints = [
        f"{options.library}: exports {name}, which {options.list} does not list"
        for name in sorted(exported - set(listed))
    ]
    complaints += [
        f"{options.library}: does not export {name}" for name in sorted(set(listed) - exported)
    ]
    if listed != sorted(set(listed)):
        complaints.append(f"{options.list}: not sorted, or a symbol twice")
    print("\n".join(complaints) or f"{len(exported)} exported symbols, all listed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
