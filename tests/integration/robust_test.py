#!/usr/bin/env python3
"""Every function of OpenGL ES and of its extensions, called wrongly in every way, natively and
through Sluice: every line must be the same.

usage: robust_test.py --sluice PROGRAM --program ROBUST --version 1|2|3 --scene NAME [--at-least N]
[--rounds N] [--call NAME]

The program prints `call = returned: error, bytes written` for each call. What may differ is as in
refused_test.py; what differs all the same stands in KNOWN with its reason. Calls that the native
driver dies of are not made through Sluice. Functions that only one side has must have their reason
in codegen/policy. Exit 1 on any other difference, on a row of KNOWN that explains none where it is
to, or with fewer than N refused calls.
"""

from __future__ import annotations

import argparse
import csv
import pathlib
import re
import sys
from typing import NamedTuple

from features_test import run
from refused_test import calls_of, same

ASKED = "2.asked 3.asked"
NULLS = "2.nulls 3.nulls"


class Known(NamedTuple):
    """What differs all the same."""

    pattern: str  # of the calls
    why: str
    seen: str  # in which scenes it does for certain, as VERSION.SCENE; empty: now and then


NO_NAME = "Mesa looks at nothing but the program where there is no name"
KNOWN = (
    Known(r"glGetBooleani_v (b70|ba2) .*", "Mesa answers nothing there, and no error", ASKED),
    Known(
        r"glGet\w+ 821d .*",
        "how many extensions there are; their lists are compared elsewhere",
        ASKED,
    ),
    Known(r"glGet\w+ 82d7 .*", "an offset that is the address of a client array", ASKED),
    Known(r"glGet\w+ 8e28 .*", "the time", ASKED),
    Known(r"glGetQueryObject\w+ \w+ 8867 .*", "whether a result is there already", ""),
    Known(
        r"glEGLImageTargetTexStorageEXT \w+ (a wrong|no) image .*",
        "Mesa looks first whether the texture has storage already",
        "2.fresh 3.fresh",
    ),
    Known(
        r"glTexParameter[fi]v \w+ (b70|ba7) .*",
        "the host wants the values which that state has",
        "2.swept 3.swept",
    ),
    Known(
        r"glGetActiveUniform \d+ \d+ 0 .*",
        "Mesa writes the end of a name where there is no room",
        "3.fresh",
    ),
    Known(
        r"glDraw\w+BaseInstance\w+ .* 4294967295 .*",
        "no client array is that long: Mesa reads it",
        "2.mixed 3.mixed",
    ),
    Known(
        r"gl(Readn?|n?Read)Pixels\w* (-\d+|\d{2,}|\S+ (-\d+|\d{2,}|least)) .*",
        "pixels beside the surface are nobody's: Mesa leaves the memory as it was, here it becomes "
        "0",
        "1.fresh",
    ),
    Known(r"glBindFragDataLocation(Indexed)?EXT .* NULL = .*", NO_NAME, NULLS),
    Known(r"glGetProgramResource(Index|Location|LocationIndexEXT) .* NULL = .*", NO_NAME, NULLS),
    Known(
        r"glGetProgramInterfaceiv .* NULL = .*",
        "Mesa refuses it where there is no place for the answer, too",
        NULLS,
    ),
)
# Natively, of which there is nothing to compare.
DIED = " = died"
POLICY = pathlib.Path(__file__).resolve().parents[2] / "codegen" / "policy"


def offered(lines: list[str]) -> dict[str, tuple[str, list[str]]]:
    """By function: whether the program calls it, and the extensions that bring it."""
    rows = [line.split() for line in lines]
    return {row[0]: (row[1], row[2:]) for row in rows}


def reasons(version: str) -> dict[str, str]:
    """Extensions that are not offered, and why."""
    name = "extensions1.csv" if version == "1" else "extensions.csv"
    with (POLICY / name).open(newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file) if row["reason"]}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--scene", required=True)
    parser.add_argument("--at-least", type=int, default=0)
    parser.add_argument("--rounds", default="0", help="0: the scene's own")
    parser.add_argument("--call", help="this function alone")
    args = parser.parse_args()
    native = [args.program, "--version", args.version]
    ours = [args.sluice, "run", "--", *native]
    there = offered(run([*native, "--scene", "list"], True))
    here = offered(run([*ours, "--scene", "list"], False))
    problems = [f"{name}: no call of it is made" for name in here if here[name][0] != "called"]
    why = reasons(args.version)
    for name in sorted(set(there) ^ set(here)):
        side, (_, extensions) = ("native", there[name]) if name in there else ("Sluice", here[name])
        told = [why[extension] for extension in extensions if extension in why]
        print(f"{name} is {side}'s alone: {', '.join(told)}")
        problems += [] if told and side == "native" else [f"{name}: no reason"]
    more = ["--scene", args.scene, "--rounds", args.rounds]
    more += ["--without", ",".join(set(there) ^ set(here))]
    more += ["--call", args.call] if args.call else []
    wanted = calls_of(run([*native, *more], True))
    died = [str(at) for at, (call, _, _) in enumerate(wanted) if call.endswith(DIED)]
    more += ["--died", ",".join(died)] if died else []
    got = calls_of(run([*ours, *more], False))
    if len(wanted) != len(got):
        problems.append(f"{len(wanted)} calls natively, {len(got)} through Sluice")
    used = set()
    for n, o in zip(wanted, got):
        if n[0].endswith(DIED) or same(n, o):
            continue
        known = {row for row in KNOWN if re.fullmatch(row.pattern, n[0])}
        used |= known
        if not known:
            problems.append(
                f"differs: {n[0]}: native {n[1]}, {n[2]} | Sluice {o[0]}: {o[1]}, {o[2]}"
            )
    where = f"{args.version}.{args.scene}"
    if args.call is None and args.rounds == "0":
        problems += [
            f"known, but no longer so: {row.pattern}"
            for row in KNOWN
            if where in row.seen.split() and row not in used
        ]
    print(*problems[:50], sep="\n")
    refused = sum(error != "0" for _, error, _ in wanted)
    print(f"{len(wanted)} calls, {refused} refused, {len(problems)} wrong")
    return 1 if problems or refused < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
