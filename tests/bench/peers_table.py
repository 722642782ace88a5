#!/usr/bin/env python3
"""frame_bench, gles_bench and scenes of glmark2 natively, by Sluice and by virgl, in turn.

    peers_table.py --sluice build/release/bin/sluice --build build/release [--rounds 3]
                   [--json FILE] [--only frame,glmark2]

virgl is Debian's: virgl_test_server, which answers Mesa's virpipe driver over a socket, with no
virtual machine between them. Each round runs every side once; a ratio is the median over the rounds
of one side over native, frames and bytes per second the other way round, so that more is better
there and less everywhere else. frame_cpu is of the program and of what draws for it. A part that a
side does not end in time is said, and has no figures.
Exit 0: done; 1: no part had figures of all sides; 2: usage; 7: virgl_test_server or glmark2-es2 is
missing.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import Iterator, Optional

from frame_table import RATES, children, cpu_s, row_of, run, text

SOCKET = pathlib.Path("/tmp/.virgl_test")  # Mesa 22.3 knows no other
SCENES = (
    "build:use-vbo=true",
    "texture:texture-filter=linear",
    "shading:shading=phong",
    "bump:bump-render=normals",
    "desktop:effect=blur:blur-radius=5:passes=1:separable=true:windows=4",
    "buffer:columns=200:interleave=false:update-dispersion=0.9:update-fraction=0.5:"
    "update-method=subdata",
    "terrain",
    "refract",
)
GLES_PARTS = ("asking", "issuing", "uploading", "buffers", "reading", "shaders", "fill")
PATIENCE_S = 10
SIDES = ("native", "sluice", "virgl")

Figures = dict[str, float]


@contextlib.contextmanager
def virgl() -> "Iterator[int]":
    """Its server, which makes a process of each program's; says which process it is."""
    with socket.socket(socket.AF_UNIX) as knock:
        if knock.connect_ex(str(SOCKET)) == 0:
            raise RuntimeError(f"another virgl_test_server listens at {SOCKET}")
    SOCKET.unlink(missing_ok=True)
    env = {key: value for key, value in os.environ.items() if key != "GALLIUM_DRIVER"}
    env["LIBGL_ALWAYS_SOFTWARE"] = "1"
    env["MESA_SHADER_CACHE_DISABLE"] = "true"  # as the program has it: rounds compile the same
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            ["virgl_test_server", "--use-egl-surfaceless"], env=env, stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + PATIENCE_S
            while not SOCKET.exists():
                if server.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    said = log.read().decode(errors="replace")
                    raise RuntimeError(f"virgl_test_server does not listen: {said[-500:]}")
                time.sleep(0.02)
            yield server.pid
        finally:
            for pid in reversed(children(server.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 15)
            server.wait()
            SOCKET.unlink(missing_ok=True)


def bench(command: "list[str]", payers: "tuple[int, ...]") -> Figures:
    figures = run(command, payers)
    figures.pop("start", None)
    return figures


def glmark2(command: "list[str]") -> Figures:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    found = re.search(rb"FPS: (\d+)", done.stdout)
    if found is None or done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}")
    return {"frame": 1e9 / float(found.group(1))}


class Table:
    def __init__(self, sluice: str, rounds: int) -> None:
        self.sluice, self.rounds = sluice, rounds
        self.rows: "list[dict[str, object]]" = []
        self.failed: "list[dict[str, str]]" = []

    def command(self, side: str, words: "list[str]") -> "list[str]":
        if side == "sluice":
            return [self.sluice, "run", "--", *words]
        driver = ["GALLIUM_DRIVER=virpipe"] if side == "virgl" else []
        return ["env", "LIBGL_ALWAYS_SOFTWARE=1", *driver, *words]

    def take(self, side: str, words: "list[str]") -> Figures:
        """One run. virgl's server is fresh for each."""
        command = self.command(side, words)
        with virgl() if side == "virgl" else contextlib.nullcontext() as server:
            if words[0] == "glmark2-es2":
                return glmark2(command)
            return bench(command, (server,) if server is not None else ())

    def add(self, part: str, words: "list[str]") -> None:
        taken: "list[dict[str, Figures]]" = []
        for _ in range(self.rounds):
            try:
                taken.append({side: self.take(side, words) for side in SIDES})
            except (RuntimeError, ValueError, subprocess.TimeoutExpired) as failure:
                self.failed.append({"part": part, "why": str(failure)})
                print(f"{part}: {failure}", flush=True)
                return
        for name in taken[0]["native"]:
            native = [each["native"][name] for each in taken]
            row: "dict[str, object]" = {"part": part, "figure": name}
            for side in SIDES[1:]:
                ours = [each[side][name] for each in taken]
                ratios = [a / b if name in RATES else b / a for a, b in zip(native, ours)]
                row[side] = row_of(native, ours, ratios)
            self.rows.append(row)
            print(line(row), flush=True)


def line(row: "dict[str, object]") -> str:
    name = str(row["figure"])
    said = [f"{str(row['part'])[:24]:24} {name:20}"]
    for side in SIDES[1:]:
        figures = row[side]
        assert isinstance(figures, dict)
        if side == "sluice":
            said.append(f"native {text(name, figures['native_ns']):>10}")
        said.append(
            f"{side} {text(name, figures['sluice_ns']):>10} {figures['ratio']:7.3f} "
            f"({figures['min']:.3f}-{figures['max']:.3f})"
        )
    return "  ".join(said)


def missing() -> Optional[str]:
    for program, package in (
        ("virgl_test_server", "virgl-server"),
        ("glmark2-es2", "glmark2-es2-x11"),
    ):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian package {package})"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True, help="the sluice program")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="frame,gles,glmark2", help="comma list of programs")
    parser.add_argument("--json", help="write the figures there")
    args = parser.parse_args()
    lacking = missing()
    if lacking is not None:
        print(lacking, file=sys.stderr)
        return 7
    table = Table(str(pathlib.Path(args.sluice).resolve()), args.rounds)
    programs = args.build.resolve() / "tests" / "bench"
    wanted = args.only.split(",")
    if "frame" in wanted:
        words = [str(programs / "frame_bench"), "--stops", "--frames", "1000"]
        table.add("frame of 2,000 draws", words)
    for part in GLES_PARTS if "gles" in wanted else ():
        words = [str(programs / "gles_bench"), "--stops", "--frames", "20", part]
        table.add(part, words)
    for scene in SCENES if "glmark2" in wanted else ():
        words = ["glmark2-es2", "--off-screen", "--size", "800x600", "-b", f"{scene}:duration=1.0"]
        table.add(f"glmark2 {scene.partition(':')[0]}", words)
    if args.json:
        result = {"schema": 1, "rounds": args.rounds, "rows": table.rows, "failed": table.failed}
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0 if table.rows else 1


if __name__ == "__main__":
    sys.exit(main())
