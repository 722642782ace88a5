#!/usr/bin/env python3
"""Debian's piglit, natively and through Sluice: the verdicts must be the same.

usage: piglit_test.py --sluice PROGRAM [--names FILE] [--match REGEX] [--native-runs N] [--jobs N]
[--results DIR]

Which tests: those of piglit's profile `quick` whose program is linked to piglit's GLES or to EGL,
and such programs that no profile names, as `unlisted@PROGRAM`; with --names those in FILE alone,
one name a line. All of them run natively N times (what differs from run to run is flaky, and any of
its verdicts will do), and once under one `sluice run`, against one host. What differs then is run
natively until there were three runs of it. Differences that are known, with their reasons, stand in
piglit_known.txt; what asks for desktop GL must get native's verdict through `sluice run --zink`.
Exit 1 on any other, where all tests ran on a known one that is none any more, and when nothing ran.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KNOWN = HERE / "piglit_known.txt"
PIGLIT = "piglit"
PROFILE = "quick"
SOURCES = pathlib.Path("/usr/lib/x86_64-linux-gnu/piglit")
PATIENCE_S = 120
NATIVE_RUNS = 3  # of what differs
ZINK = "zink: "  # begins the reason of what Zink answers
KINDS = (
    b"libpiglitutil_gles1.so",
    b"libpiglitutil_gles2.so",
    b"libpiglitutil_gles3.so",
    b"libEGL.so",
)

Verdicts = dict[str, str]
Tests = dict[str, list[str]]


def program_of(words: list[str]) -> pathlib.Path:
    """Commands are printed relative to the folder of `piglit` itself."""
    return pathlib.Path("/usr/bin", words[0]).resolve()


def is_chosen(program: pathlib.Path) -> bool:
    content = program.read_bytes() if program.is_file() else b""
    return any(kind in content for kind in KINDS)


def all_tests() -> Tests:
    printed = subprocess.run(
        [PIGLIT, "print-cmd", "--format", "{name}\t{command}", PROFILE],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    chosen: dict[pathlib.Path, bool] = {}
    tests: Tests = {}
    for line in printed.splitlines():
        name, _, command = line.partition("\t")
        words = command.split()
        program = program_of(words)
        if program not in chosen:
            chosen[program] = is_chosen(program)
        if chosen[program]:
            tests[name] = [str(program), *words[1:]]
    for program in sorted((SOURCES / "bin").iterdir()):
        if program not in chosen and is_chosen(program):
            tests[f"unlisted@{program.name}"] = [str(program), "-auto", "-fbo"]
    return tests


def verdicts_of(name: str, words: list[str]) -> Verdicts:
    """A test's verdict, and those of its parts as `name@part`."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        return {name: "timeout"}
    found: Verdicts = {name: "crash" if done.returncode < 0 else "fail"}
    for line in done.stdout.decode(errors="replace").splitlines():
        said = json.loads(line[8:]) if line.startswith("PIGLIT: {") else {}
        if done.returncode >= 0 and "result" in said:
            found[name] = said["result"]
        for part, verdict in said.get("subtest", {}).items():
            found[f"{name}@{part}"] = verdict
    return found


def run_tests(tests: Tests, jobs: int) -> Verdicts:
    found: Verdicts = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for verdicts in pool.map(verdicts_of, tests.keys(), tests.values()):
            found.update(verdicts)
    return found


def run_all(tests: Tests, jobs: int, prefix: list[str]) -> Verdicts:
    """In a process of its own, which `prefix` may start with an environment of its own."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "__EGL_VENDOR"))
    }
    with tempfile.TemporaryDirectory() as folder:
        given, taken = pathlib.Path(folder, "tests"), pathlib.Path(folder, "verdicts")
        given.write_text(json.dumps(tests))
        subprocess.run(
            [*prefix, sys.executable, __file__, "--execute", given, taken, "--jobs", str(jobs)],
            env={**environment, "PIGLIT_SOURCE_DIR": str(SOURCES)},
            check=True,
        )
        verdicts: Verdicts = json.loads(taken.read_text())
        return verdicts


def run_again(tests: Tests, jobs: int, natives: list[Verdicts], ours: Verdicts) -> list[Verdicts]:
    """Whole runs, in which what differs from ours is run anew."""
    runs = list(natives)
    for _ in range(NATIVE_RUNS - len(natives)):
        names = {name for run in (*runs, ours) for name in run}
        told = {name for name in names if all(run.get(name) != ours.get(name) for run in runs)}
        again = {test: words for test, words in tests.items() if told & with_parts(test, names)}
        if not again:
            break
        kept = dict(natives[0])
        for test in again:
            for name in with_parts(test, names):
                kept.pop(name, None)
        runs.append({**kept, **run_all(again, jobs, [])})
    return runs


def with_parts(test: str, names: set[str]) -> set[str]:
    return {name for name in names if name == test or name.startswith(f"{test}@")}


def known_differences() -> dict[str, str]:
    """Patterns of the names whose verdicts differ, and why."""
    known = {}
    for line in KNOWN.read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, _, reason = line.partition(": ")
            known[pattern] = reason
    return known


def pattern_of(known: dict[str, str], name: str) -> str | None:
    return next((p for p in known if re.fullmatch(p, name)), None)


def run_zink(
    tests: Tests, jobs: int, natives: list[Verdicts], ours: Verdicts, sluice: str
) -> Verdicts:
    """What differs, and is told to be desktop GL's, through Zink."""
    known = known_differences()
    differ = {name for name in natives[0] if ours.get(name) != natives[0][name]}
    asked = {
        name for name in differ if known.get(pattern_of(known, name) or "", "").startswith(ZINK)
    }
    again = {test: words for test, words in tests.items() if with_parts(test, asked)}
    return run_all(again, jobs, [sluice, "run", "--zink", "--"]) if again else {}


def report(natives: list[Verdicts], ours: Verdicts, zink: Verdicts, all_ran: bool) -> int:
    known = known_differences()
    used: collections.Counter[str] = collections.Counter()
    equal = unexplained = by_zink = 0
    flaky = set()
    for name in sorted({name for run in (*natives, ours) for name in run}):
        wanted = {run.get(name, "absent") for run in natives}
        got = ours.get(name, "absent")
        if len(wanted) > 1:
            flaky.add(name)
        if got in wanted:
            equal += 1
            continue
        pattern = pattern_of(known, name)
        if pattern is not None and known[pattern].startswith(ZINK):
            used[pattern] += 1
            got = zink.get(name, "absent")
        if got in wanted:
            by_zink += 1
        elif pattern is not None and not known[pattern].startswith(ZINK):
            used[pattern] += 1
        else:
            unexplained += 1
            print(f"differs: {name}: native {'/'.join(sorted(wanted))} | Sluice {got}")
    for name in sorted(flaky):
        print(f"flaky natively: {name}")
    stale = [pattern for pattern in known if all_ran and pattern not in used]
    for pattern in stale:
        print(f"known, but there is none: {pattern}")
    known_count = sum(n for pattern, n in used.items() if not known[pattern].startswith(ZINK))
    for pattern, count in used.items():
        print(f"known: {count} of {pattern}: {known[pattern]}")
    print(
        f"{equal + unexplained + known_count + by_zink} verdicts, {equal} equal, {by_zink} equal "
        f"through --zink, {known_count} differ for known reasons, {unexplained} differ, "
        f"{len(flaky)} flaky natively"
    )
    return 1 if unexplained or stale or equal == 0 else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice")
    parser.add_argument("--names", type=pathlib.Path)
    parser.add_argument("--match", default="")
    parser.add_argument("--native-runs", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--execute", nargs=2, type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.execute:
        given, taken = args.execute
        taken.write_text(json.dumps(run_tests(json.loads(given.read_text()), args.jobs)))
        return 0
    tests = all_tests()
    if args.names:
        wanted = args.names.read_text().splitlines()
        tests = {name: tests[name] for name in wanted if name}
    tests = {name: words for name, words in tests.items() if re.search(args.match, name)}
    natives = [run_all(tests, args.jobs, []) for _ in range(args.native_runs)]
    ours = run_all(tests, args.jobs, [args.sluice, "run", "--"])
    zink = run_zink(tests, args.jobs, natives, ours, args.sluice)
    natives = run_again(tests, args.jobs, natives, ours)
    if args.results:
        args.results.mkdir(parents=True, exist_ok=True)
        for name, run in [*((f"native{i}", n) for i, n in enumerate(natives)), ("sluice", ours)]:
            (args.results / f"{name}.json").write_text(json.dumps(run, indent=0, sort_keys=True))
    return report(natives, ours, zink, not args.names and not args.match)


if __name__ == "__main__":
    sys.exit(main())
