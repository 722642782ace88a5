#!/usr/bin/env python3
"""Every function of EGL, called wrongly in every way, natively and through Sluice: every line must
be the same.

usage: robust_egl_test.py --sluice PROGRAM --program ROBUST_EGL --platform NAME [--at-least N]
[--rounds N]

The program prints `function (scene) arguments = returned: error, written [message]` for each call,
messages as the callback of EGL_KHR_debug gets them: error, function, type, labels. What
differs all the same stands in KNOWN with its reason. Calls that the native driver dies of are made
through Sluice alone. Exit 1 on any other difference, on a row of KNOWN that explains none, or with
fewer than N refused calls. With --rounds each function is called N times a state, and a row that
explains none is no failure.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import NamedTuple

from features_test import run
from info_test import EGL_MISSING, MORE

DESKTOP = "desktop GL has no wire"
COPY = "EGL 1.5, 3.10.3: %s; Mesa copies all the same, and where it cannot the X server complains"


class Known(NamedTuple):
    """Calls that differ, by patterns of the native line and of ours."""

    native: str
    ours: str
    why: str
    platforms: tuple[str, ...] = ("surfaceless", "x11")


KNOWN = (
    Known(r"eglBindAPI .* 30a2 = 1: 3000", r".*= 0: 300c", DESKTOP),
    Known(r"eglGetConfigAttrib .* 304[02] out = 1: 3000, 4d", r".*= 1: 3000, 45", DESKTOP),
    Known(
        r"eglQuerySurface .* 313d out = 0: 3004",
        r".*= (0: 300d|1: 3000)",
        "EGL_BUFFER_AGE_EXT is known here; " + MORE["EGL_EXT_buffer_age"],
    ),
    Known(
        r"eglQuerySurface .* (334[1-9a]|336[01]|30be) out = 1: 3000",
        r".*= 0: 3004",
        "EGL_EXT_surface_SMPTE2086_metadata and the like: Mesa takes them without offering them",
    ),
    Known(
        r"eglQueryDeviceStringEXT .* device 3377 = nothing: 322b",
        r".*= nothing: 3000",
        "there is no such file, and no error: Mesa tells an older one",
    ),
    Known(
        r"eglGetPlatformDisplay(EXT)? .* { } = new: 3000",
        r".*= (display|uninitialized): 3000",
        "the same display for an empty list as for none, as EGL 1.5, 3.2 has it",
    ),
    Known(
        r"eglCopyBuffers .* = 1: 3000",
        r".*= 0: 300d",
        COPY % "the surface has to be the current one",
        ("x11",),
    ),
    Known(
        r"eglCopyBuffers .* #[123] = 1: 3000", r".*= 0: 300a", COPY % "that is no pixmap", ("x11",)
    ),
    Known(
        r"eglCreate(Platform)?(Window|Pixmap)Surface(EXT)? \(destroyed\) display config #1 ",
        r".*= none: 3003",
        "a current surface lives on, EGL 1.5, 3.5.5, so its window still has one",
        ("x11",),
    ),
)

# Of a display or device that no vendor has, the first vendor's stub tells. Mesa's says what it was
# asked last, and of which object.
STALE = re.compile(r" \[(3008|322b) \w+ 33ba (\S+) \S+\]$")
# Mesa's drivers tell of themselves: CRITICAL while a display is opened.
DRIVERS_OWN = re.compile(r" \[\w+ eglInitialize 33b9 thread -\]")


def same_messages(native: str, ours: str) -> bool:
    """Whether two calls that came to the same told the same."""
    call, _, told = ours.partition(" [")
    function = call.split()[0]
    stale = STALE.search(native)
    if stale and told == f"{stale[1]} {function} 33ba {stale[2]} -]":
        return True
    return DRIVERS_OWN.sub("", native) == ours


def offered(lines: list[str]) -> dict[str, tuple[str, str]]:
    """By function: whether the program calls it, and the extension, if any."""
    rows = [line.split(" ") for line in lines if line.startswith("offered ")]
    return {name: (how, extension) for _, name, how, extension in rows}


def calls_of(lines: list[str], names: set[str]) -> list[str]:
    return [line for line in lines if line.split()[0] in names]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--platform", required=True)
    parser.add_argument("--at-least", type=int, default=0)
    parser.add_argument("--rounds")
    args = parser.parse_args()
    program = [args.program, "--platform", args.platform]
    program += ["--rounds", args.rounds] if args.rounds else []
    native = run(program, True)
    ours = run([args.sluice, "run", "--", *program, "--deadly", "yes"], False)
    there, here = offered(native), offered(ours)
    both = set(there) & set(here)
    problems = [f"{name}: no call of it is made" for name in here if here[name][0] != "called"]
    for name in sorted(set(there) - both):
        reason = EGL_MISSING.get(there[name][1], "")
        print(f"{name} is native's alone: {reason}")
        problems += [] if reason else [f"{name} is missing"]
    for name in sorted(set(here) - both):
        reason = MORE.get(here[name][1], "")
        print(f"{name} is ours alone: {reason}")
        problems += [] if reason else [f"{name} is more than native has"]
    wanted, got = calls_of(native, both), calls_of(ours, both)
    if len(wanted) != len(got):
        problems.append(f"{len(wanted)} calls natively, {len(got)} through Sluice")
    used: set[Known] = set()
    for line, other in zip(wanted, got):
        if line == other or " = not called" in line:
            continue
        if line.partition(" [")[0] == other.partition(" [")[0] and same_messages(line, other):
            continue
        known = [row for row in KNOWN if re.match(row.native, line) and re.match(row.ours, other)]
        used.update(known)
        if not known:
            problems.append(f"differs: {line}\n  Sluice {other}")
    for row in KNOWN:
        if args.platform in row.platforms and row not in used and not args.rounds:
            problems.append(f"known, but no longer so: {row.native}")
    print(*problems[:50], sep="\n")
    refused = sum(": 3000," not in line for line in wanted)
    print(f"{len(wanted)} calls of {len(both)} functions, {refused} refused, {len(problems)} wrong")
    return 1 if problems or refused < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
