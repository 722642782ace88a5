"""Runs slt_failing case by case: each must fail, with its text. usage: check_failing.py PROGRAM"""

import concurrent.futures
import os
import subprocess
import sys

WANT = {
    "fails.eq": ["3 + 5", "want 7 (0x7)", "got  8 (0x8)"],
    "fails.order": ["2 < 1u does not hold"],
    "fails.text": ['want "want"', 'got  "got"'],
    "fails.text_null": ["got  NULL"],
    "fails.bytes": ["first difference at offset 12 of 20", "[63]", "[58]"],
    "fails.distance": ["want 1 within 0.5"],
    "fails.result": ["want ok (0)", "got  closed (-8)"],
    "fails.truth": ["1 == 2 is false"],
    "fails.null": ["want NULL"],
    "fails.golden": ["differs in line 2"],
    "fails.scope_is_told": ["in packet 12"],
    "fails.assert_ends_the_case": ["in outer scope"],
    "fails.after_assert_fixture_ends": ["fixture torn down"],
    "fails.descriptor_left": ["left over by the case", "eventfd"],
    "fails.thread_left": ["left over by the case", "; threads "],
    "fails.error_logged": ["unexpected error in the log: shim: something broke"],
    "fails.log_missing": ["no log line of shim contained: never said"],
    "fails.strict_skip": ["unexpected skip of fails.strict_skip"],
    "fails.no_death": ["should have died"],
    "dies.timeout": ["ran out of its time", "dies.timeout"],
    "dies.assert_off_thread": ["off the test's thread"],
}


def main() -> int:
    program = sys.argv[1]
    environment = dict(
        os.environ,
        SLUICE_STRICT_SKIPS="1",
        LSAN_OPTIONS="detect_leaks=0",
        ASAN_OPTIONS="handle_abort=0:detect_leaks=0",
    )
    environment.pop("SLUICE_UPDATE_GOLDEN", None)
    listed = subprocess.run(
        [program, "--gtest_list_tests"], capture_output=True, text=True, check=True
    )
    suite, names = "", set()
    for line in listed.stdout.splitlines():
        if line.startswith(" "):
            names.add(suite + line.strip())
        elif line.endswith("."):
            suite = line
    bad = [f"{name}: no expectation" for name in names - WANT.keys()]
    bad += [f"{name}: no such case" for name in WANT.keys() - names]

    def run_case(name: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [program, f"--gtest_filter={name}"],
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    known = sorted(names & WANT.keys())
    with concurrent.futures.ThreadPoolExecutor(len(known)) as pool:  # most of them wait
        runs = list(pool.map(run_case, known))
    for name, run in zip(known, runs):
        said = run.stdout + run.stderr
        if run.returncode == 0:
            bad.append(f"{name}: passed")
        bad += [f"{name}: did not say {text!r}:\n{said}" for text in WANT[name] if text not in said]
        if "NEVER PRINTED" in said:
            bad.append(f"{name}: went on after an assert")
    print("\n".join(bad) or f"{len(names)} cases fail as they should")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
