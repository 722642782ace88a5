"""Looks for what must not be in the repository: machine paths, host names of registries, very long
lines.

usage: foreign.py     over all tracked files
"""

import pathlib
import re
import subprocess
import sys

TEXT = {
    ".c",
    ".h",
    ".cpp",
    ".py",
    ".md",
    ".txt",
    ".cmake",
    ".json",
    ".def",
    ".csv",
    ".in",
    ".map",
    ".sh",
    "",
}
LONGEST = {".py": 100, ".c": 100, ".h": 100, ".cpp": 100, ".sh": 160}


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    names = subprocess.run(
        ["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    # The checkout's own place is the machine's path most likely to slip in.
    machine_path = re.compile(r"(?<![\w.])/(?:home|Users)/\w|" + re.escape(str(root)) + r"\b")
    bad, count = [], 0
    for name in filter(None, names):
        path = root / name
        if (
            path.suffix not in TEXT
            or not path.is_file()
            or path == pathlib.Path(__file__).resolve()
        ):
            continue
        count += 1
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if machine_path.search(line):
                bad.append(f"{name}:{number}: a path of one machine")
            if len(line) > LONGEST.get(path.suffix, 10**6):
                bad.append(f"{name}:{number}: {len(line)} columns")
            if line != line.rstrip() and path.suffix in (".c", ".h", ".cpp", ".py"):
                bad.append(f"{name}:{number}: blanks at the end")
            if "\t" in line and path.suffix in (".c", ".h", ".cpp", ".py"):
                bad.append(f"{name}:{number}: a tab")
    print("\n".join(bad) or f"{count} files are clean")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
