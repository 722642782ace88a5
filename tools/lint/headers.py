"""Compiles every header alone: it must include all it needs.

usage: headers.py --cc CC [--gen DIR] [--jobs N] [FLAG...]
"""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys

FOLDERS = ("transport", "asg", "guest", "host", "tools", "tests")


def compile_alone(command: list[str], header: str) -> str:
    text = f'#include "{header}"\n#include "{header}"\n'  # twice: the guard is there
    run = subprocess.run(command + ["-x", "c", "-"], input=text, capture_output=True, text=True)
    return "" if run.returncode == 0 else f"{header} does not compile alone:\n{run.stderr}"


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--gen", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options, flags = parser.parse_known_args()
    headers = [
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.h"))
    ]
    command = [
        options.cc,
        "-std=gnu11",
        "-D_GNU_SOURCE",
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{root}",
    ]
    if options.gen is not None and options.gen.is_dir():
        headers += [
            path.relative_to(options.gen).as_posix() for path in sorted(options.gen.rglob("*.h"))
        ]
        command.append(f"-I{options.gen}")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        complaints = [
            c for c in pool.map(lambda h: compile_alone(command + flags, h), headers) if c
        ]
    print("\n".join(complaints) or f"{len(headers)} headers compile alone")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
