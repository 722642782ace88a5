#!/usr/bin/env python3
"""Everything that EGL can be asked about configurations, contexts, surfaces, images and names,
natively and through Sluice: every line must be the same.

usage: robust_sweep_test.py --sluice PROGRAM --program ROBUST_EGL_SWEEP|ROBUST_NAMES --scene NAME
[--platform surfaceless|device|x11|wayland] [--at-least N]

The program prints `call arguments = what came of it : error`. What differs all the same stands in
KNOWN with its reason. Exit 1 on any other difference, on a row of KNOWN that explains none, or with
fewer than N lines. On Wayland both runs meet one headless weston.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from typing import NamedTuple

from features_test import run
from info_test import CONFIG_DEEP_VISUAL, EGL_MISSING, MORE
from robust_test import reasons
from weston import weston

DESKTOP = "desktop GL has no wire"
MISSING = "of an extension that is not offered here, but known to Mesa"
WIRE = "of an extension that is not offered; here it is the core's, which the wire has so"
DRAWS = "Mesa looks at a draw's arguments before it looks whether there is such a draw"
POST = "EGL_NV_post_sub_buffer: Mesa answers without offering it"
HDR = "EGL_EXT_surface_SMPTE2086_metadata and the like: Mesa takes them without offering them"


# As MISSING, where Mesa offers it.
MEMORY = r"^(gl\w*(MemoryObject|StorageMem|UnsignedByte|MemoryFd)\w* = found)"


def reason_of(extension: str) -> str:
    """Why it is not offered."""
    reason = reasons("3")[extension]
    assert reason
    return reason


class Known(NamedTuple):
    """What of a native line is replaced before it is compared."""

    scene: str
    native: str
    ours: str
    why: str
    but_on: tuple[str, ...] = ()  # platforms where it explains nothing


KNOWN = (
    Known("configs", r"^(configuration \d+ 304[02] =) 4d ", r"\1 45 ", DESKTOP),
    Known("choose", r"(?<= 304[02]=8)( =| .* =) \d+:.* 1 of", r"\1 1 of", DESKTOP),
    Known(
        "choose",
        r"(?<= 3041=)([^ ]+)( =| .* =) \d+:.* 1 of",
        r"\1\2 1 of",
        "EGL_MATCH_NATIVE_PIXMAP: Mesa looks whether it is a number, and at no configuration",
        ("x11",),
    ),
    *(
        row
        for scene in ("surfaces", "windows")
        for row in (
            Known(scene, r" (334[1-9a]|336[01]):ffffffff\b", "", HDR),
            Known(scene, r" 30be:[01]\b", "", POST),
            Known(
                scene,
                r"^(set (334.|336.)=1 =) 1 1 1 3000 : 3000",
                r"\1 0 0 fffffff9 3004 : 3004",
                HDR,
            ),
            Known(scene, r"^(set 30be=1 =) 0 1 [01] 3000 ", r"\1 0 0 fffffff9 3004 ", POST),
            Known(
                scene,
                r"^(set 313d=1 = 0 0 fffffff9) 3004 ",
                r"\1 300d ",
                "EGL_BUFFER_AGE_EXT is known here; " + MORE["EGL_EXT_buffer_age"],
            ),
        )
    ),
    Known(
        "surfaces",
        r"^(pbuffer (.* )?305[67]=7fffffff( .*)? =) .* : 3000",
        r"\1 : 3003",
        "the host has no memory for it; Mesa allocates when it is drawn to, and dies of that",
    ),
    Known(
        "images",
        r"^(image .* 31d[014]=0 =) .* : 3000",
        r"\1 : 300c",
        "EGL_MESA_drm_image: " + EGL_MISSING["EGL_MESA_drm_image"],
    ),
    Known(
        "names1",
        r"^(gl(Framebuffer(SampleLocations|Texture2DM|Texture3D)|Renderbuffer.*AMD|WindowRect)\w* "
        "= found) : 502$",
        r"\1 : 0",
        MISSING,
    ),
    Known(
        "names2",
        r"^(gl(Framebuffer(SampleLocations|Texture2DM|Texture3D)|Renderbuffer.*AMD|WindowRect)\w* "
        "= found) : 500$",
        r"\1 : 0",
        MISSING,
    ),
    Known("names1", MEMORY + " : 502$", r"\1 : 0", reason_of("GL_EXT_memory_object")),
    Known("names2", MEMORY + " offered$", r"\1 : 0", reason_of("GL_EXT_memory_object")),
    Known("names1", r"^(gl\w+(NV|APPLE|ANGLE|EXT) = found) : 0$", r"\1 : 502", WIRE),
    Known(
        "names1",
        r"^(gl(Draw|MultiDraw)\w+(BaseVertex|BaseInstance)\w* = found) : (0|500)$",
        r"\1 : 502",
        DRAWS,
    ),
    Known("names2", r"^(gl(Uniform\w+)NV = found) : 0$", r"\1 : 502", WIRE),
    Known("names2", r"^(gl\w+(NV|APPLE|ANGLE|EXT) = found) : (0|502)$", r"\1 : 500", WIRE),
    Known("names2", r"^(gl\w+APPLE = found) : (0|502)$", r"\1 : 501", WIRE),
    Known("names2", r"^(gl\w+(NV|ANGLE) = found) : 502$", r"\1 : 0", WIRE),
)


class Lines:
    """Native lines as they are to be."""

    def __init__(self, scene: str) -> None:
        self.rows = [row for row in KNOWN if row.scene == scene]
        self.used: set[Known] = set()

    def expected(self, line: str, other: str) -> str:
        """The row that makes a line the other one, else all that change it."""
        changes = [(row, re.sub(row.native, row.ours, line)) for row in self.rows]
        enough = [row for row, changed in changes if line != other and changed == other]
        for row in enough[:1] or self.rows:
            changed = re.sub(row.native, row.ours, line)
            if line != other and changed != line:
                self.used.add(row)
                line = changed
        return line


def without_counts(lines: list[str]) -> list[str]:
    """Without how many configurations there are: all are named, but those of KNOWN."""
    return [re.sub(r"(?<= 1 of )\d+", "some", line) for line in lines]


def without_deep(ours: list[str], native: list[str]) -> list[str]:
    """Without the configurations of visuals that only we have."""
    visual = re.compile(r" \d+:\d+(?:\.\d+){3}/\d+\.\d+/\d+/([0-9a-f]+)|^\S+ \d+ 302e = (\S+)")
    known = {found for line in native for pair in visual.findall(line) for found in pair}
    deep = {line.split()[1] for line in ours if " 302e = " in line and line.split()[4] not in known}
    kept = [line for line in ours if line.split()[1] not in deep]
    return [visual.sub(lambda m: "" if m[1] and m[1] not in known else m[0], line) for line in kept]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--scene", required=True)
    parser.add_argument("--platform", default="surfaceless")
    parser.add_argument("--at-least", type=int, default=0)
    args = parser.parse_args()
    program = [args.program, "--scene", args.scene]
    program += [args.platform] if args.platform != "surfaceless" else []
    native = Lines(args.scene)
    with contextlib.ExitStack() as compositor:
        if args.platform == "wayland":
            os.environ.update(compositor.enter_context(weston()))
        got = without_counts(run([args.sluice, "run", "--", *program], False))
        wanted = without_counts(run(program, True))
    problems = []
    if args.platform == "x11" and args.scene != "windows":  # of one configuration
        shallow = without_deep(got, wanted)
        problems += [] if shallow != got else [f"no longer so: {CONFIG_DEEP_VISUAL}"]
        got = shallow
    at = 0
    for line in wanted:
        other = got[at] if at < len(got) else "nothing more"
        line = native.expected(line, other)
        if line == "":
            continue
        at += 1
        if line != other:
            problems.append(f"differs: {line}\n  Sluice {other}")
    if at != len(got):
        problems.append(f"{at} lines natively, {len(got)} through Sluice")
    for row in native.rows:
        if row not in native.used and args.platform not in row.but_on:
            problems.append(f"known, but no longer so: {row}")
    print(*problems[:50], sep="\n")
    print(f"{len(wanted)} lines, {len(problems)} wrong")
    return 1 if problems or len(wanted) < args.at_least else 0


if __name__ == "__main__":
    sys.exit(main())
