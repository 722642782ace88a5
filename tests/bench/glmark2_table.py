#!/usr/bin/env python3
"""glmark2-es2, every scene, native and through Sluice in turn: a table of ratios.

    glmark2_table.py --sluice build/release/tools/sluice/sluice [--rounds 3] [--duration 1.0]
                     [--scenes build,texture] [--off-screen | --wayland] [--validate] [--json FILE]

Each round runs every benchmark once natively and once through `sluice run --`, one after the other,
so that both meet
the same machine. The ratio of a scene is the median over the rounds of (Sluice fps / native fps);
CPU is the user and
system time of all processes a run started (program and host) per frame. --validate compares
glmark2's own verdicts
instead of speed. --wayland: glmark2-es2-wayland, on a headless weston of its own. Exit 0: done; 1:
a scene failed or a verdict differs; 2: usage; 7: no display or no glmark2.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
from typing import Any, Iterator, Optional

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from weston import weston  # noqa: E402

# glmark2's default list, each entry as it takes them after -b.
BENCHMARKS = [
    "build:use-vbo=false",
    "build:use-vbo=true",
    "texture:texture-filter=nearest",
    "texture:texture-filter=linear",
    "texture:texture-filter=mipmap",
    "shading:shading=gouraud",
    "shading:shading=blinn-phong-inf",
    "shading:shading=phong",
    "shading:shading=cel",
    "bump:bump-render=high-poly",
    "bump:bump-render=normals",
    "bump:bump-render=height",
    "effect2d:kernel=0,1,0;1,-4,1;0,1,0;",
    "effect2d:kernel=1,1,1,1,1;1,1,1,1,1;1,1,1,1,1;",
    "pulsar:light=false:quads=5:texture=false",
    "desktop:effect=blur:blur-radius=5:passes=1:separable=true:windows=4",
    "desktop:effect=shadow:windows=4",
    "buffer:columns=200:interleave=false:"
    "update-dispersion=0.9:update-fraction=0.5:update-method=map",
    "buffer:columns=200:interleave=false:"
    "update-dispersion=0.9:update-fraction=0.5:update-method=subdata",
    "buffer:columns=200:interleave=true:"
    "update-dispersion=0.9:update-fraction=0.5:update-method=map",
    "ideas:speed=duration",
    "jellyfish",
    "terrain",
    "shadow",
    "refract",
    "conditionals:vertex-steps=0:fragment-steps=0",
    "conditionals:vertex-steps=0:fragment-steps=5",
    "conditionals:vertex-steps=5:fragment-steps=0",
    "function:fragment-steps=5:fragment-complexity=low",
    "function:fragment-steps=5:fragment-complexity=medium",
    "loop:vertex-steps=5:fragment-steps=5:fragment-loop=false",
    "loop:vertex-steps=5:fragment-steps=5:fragment-uniform=false",
    "loop:vertex-steps=5:fragment-steps=5:fragment-uniform=true",
]
RUN_TIMEOUT_S = 120


class Run:
    """One process: what it printed, its exit code, CPU seconds of all it started."""

    def __init__(self, command: list[str]) -> None:
        before = os.times()
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=RUN_TIMEOUT_S,
                check=False,
            )
            self.output, self.code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            self.output = (
                (late.stdout or b"").decode(errors="replace")
                if isinstance(late.stdout, bytes)
                else ""
            )
            self.code = 124
        self.seconds = time.monotonic() - started
        after = os.times()
        self.cpu = (after.children_user - before.children_user) + (
            after.children_system - before.children_system
        )

    def fps(self) -> Optional[float]:
        found = re.search(r"FPS: (\d+)", self.output)
        return float(found.group(1)) if found and self.code == 0 else None

    def renderer(self) -> str:
        found = re.search(r"GL_RENDERER:\s*(.*)", self.output)
        return found.group(1).strip() if found else "?"


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):5.2f} ({min(values):.2f}-{max(values):.2f})"


def validate(native: list[str], ours: list[str], names: list[str]) -> int:
    arguments = ["--validate"] + [word for name in names for word in ("-b", name)]
    verdicts = []
    for prefix in (native, ours):
        run = Run(prefix + arguments)
        verdicts.append(re.findall(r"^\[(\S+)\] (.*): Validation: (\w+)", run.output, re.M))
        if run.code != 0 or not verdicts[-1]:
            print(f"{' '.join(prefix)}: exit {run.code}\n{run.output[-2000:]}")
            return 1
    differing = [(a, b) for a, b in zip(verdicts[0], verdicts[1]) if a != b]
    for a, b in differing:
        print(f"differs: native {a}, Sluice {b}")
    failed = sum(1 for v in verdicts[1] if v[2] == "Failure")
    print(
        f"{len(verdicts[1])} scenes, {len(differing)} verdicts differ, {failed} failures through "
        f"Sluice"
    )
    return 1 if differing or len(verdicts[0]) != len(verdicts[1]) else 0


def table(native: list[str], ours: list[str], names: list[str], args: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    failures = 0
    for name in names:
        ratios: list[float] = []
        cpu: list[float] = []
        fps: list[tuple[float, float]] = []
        for _ in range(args.rounds):
            words = ["-b", f"{name}:duration={args.duration}"]
            a, b = Run(native + words), Run(ours + words)
            fa, fb = a.fps(), b.fps()
            if fa is None or fb is None:
                side = b if fb is None else a
                print(f"{name}: failed, exit {side.code}\n{side.output[-1500:]}")
                continue
            if fa and fb:
                ratios.append(fb / fa)
                cpu.append((b.cpu / fb) / (a.cpu / fa))
                fps.append((fa, fb))
        if not ratios:
            failures += 1
            continue
        rows.append(
            {
                "scene": name,
                "native_fps": statistics.median(f[0] for f in fps),
                "sluice_fps": statistics.median(f[1] for f in fps),
                "ratio": statistics.median(ratios),
                "min": min(ratios),
                "max": max(ratios),
                "cpu_ratio": statistics.median(cpu),
            }
        )
        row = rows[-1]
        print(
            f"{name[:58]:58} native {row['native_fps']:7.0f}  sluice {row['sluice_fps']:7.0f}  "
            f"ratio {spread(ratios)}  cpu/frame {statistics.median(cpu):5.2f}",
            flush=True,
        )
    if rows:
        mean = statistics.geometric_mean([r["ratio"] for r in rows])
        worst = min(rows, key=lambda r: float(r["ratio"]))
        print(
            f"geometric mean of {len(rows)} scenes: {mean:.3f}; worst {worst['ratio']:.2f} "
            f"({worst['scene']}); "
            f"cpu/frame geometric mean "
            f"{statistics.geometric_mean([r['cpu_ratio'] for r in rows]):.2f}"
        )
        if args.json:
            with open(args.json, "w", encoding="utf-8") as out:
                json.dump(
                    {
                        "schema": 1,
                        "rounds": args.rounds,
                        "duration_s": args.duration,
                        "geometric_mean": mean,
                        "scenes": rows,
                    },
                    out,
                    indent=1,
                )
                out.write("\n")
    return 1 if failures else 0


@contextlib.contextmanager
def screen(wayland: bool) -> "Iterator[None]":
    """What all runs' windows are on, by this process's environment."""
    if not wayland:
        yield
        return
    before = dict(os.environ)
    with weston() as env:
        os.environ.clear()
        os.environ.update(env)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True, help="the sluice program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--duration", type=float, default=1.0, help="seconds a scene and run")
    parser.add_argument("--scenes", default="", help="comma list of scene names; default all")
    parser.add_argument("--size", default="800x600")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--off-screen", action="store_true")
    where.add_argument("--wayland", action="store_true", help="on a headless weston, not on X11")
    parser.add_argument(
        "--validate", action="store_true", help="compare glmark2's verdicts instead of speed"
    )
    parser.add_argument("--json", help="write the figures there")
    args = parser.parse_args()
    name = "glmark2-es2-wayland" if args.wayland else "glmark2-es2"
    needed = [name, "weston"] if args.wayland else [name]
    for each in needed:
        if shutil.which(each) is None:
            print(f"{each} is not installed", file=sys.stderr)
            return 7
    if not args.wayland and not os.environ.get("DISPLAY"):
        print("no X display: set DISPLAY, for example with xvfb-run", file=sys.stderr)
        return 7
    wanted = set(args.scenes.split(",")) if args.scenes else None
    names = [b for b in BENCHMARKS if wanted is None or b.split(":")[0] in wanted]
    program = [name, "--size", args.size] + (["--off-screen"] if args.off_screen else [])
    native, ours = program, [args.sluice, "run", "--"] + program
    with screen(args.wayland):
        if args.validate:
            return validate(native, ours, names)
        return table(native, ours, names, args)


if __name__ == "__main__":
    sys.exit(main())
