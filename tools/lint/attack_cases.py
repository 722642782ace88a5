"""Checks the table of attack cases: each names tests that exist, or says why there is none.

usage: attack_cases.py
"""

import pathlib
import re
import sys

ROW = re.compile(r"\| ([A-Z]\d\d) \| ([^|]+) \| ([^|]+) \|")
C_TEST = re.compile(r"\bSLT_TEST\w*\(\s*(\w+),\s*(\w+)")
PY_TEST = re.compile(r"^class (\w+)|^    def (test_\w+)", re.MULTILINE)


def tests_of(folder: pathlib.Path) -> "set[str]":
    """suite.name of C; file.Class.test of Python."""
    found = set()
    for path in sorted(folder.rglob("*.c")):
        found |= {f"{suite}.{name}" for suite, name in C_TEST.findall(path.read_text())}
    for path in sorted(folder.rglob("*_test.py")):
        owner = ""
        for name, test in PY_TEST.findall(path.read_text()):
            owner = name or owner
            found.add(f"{path.stem}.{owner}.{test}")
    return found


def check(table: pathlib.Path, folder: pathlib.Path) -> "list[str]":
    """One line per complaint."""
    known, bad = tests_of(folder), []
    last = ""
    for number, line in enumerate(table.read_text().splitlines(), 1):
        row = ROW.fullmatch(line)
        if row is None:
            if re.match(r"\| *[A-Z]\d", line):
                bad.append(f"{table.name}:{number}: no row of three columns")
            continue
        case, _, tests = row.groups()
        named = re.findall(r"`([^`]+)`", tests)
        if case[0] == last[:1] and case <= last:
            bad.append(f"{table.name}:{number}: {case} stands behind {last}")
        last = case
        if not named and not tests.startswith("none: "):
            bad.append(f"{table.name}:{number}: {case} has no test, and no reason for that")
        missing = [name for name in named if name not in known]
        bad += [f"{table.name}:{number}: there is no test {name}" for name in missing]
    if not last:
        bad.append(f"{table.name}: no row")
    return bad


def main() -> int:
    tests = pathlib.Path(__file__).resolve().parents[2] / "tests"
    bad = check(tests / "attack_cases.md", tests)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
