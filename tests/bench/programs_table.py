#!/usr/bin/env python3
"""Programs that nobody here wrote, natively and through Sluice in turn: a table of ratios.

    programs_table.py --sluice build/release/bin/sluice [--rounds 3] [--seconds 3] [--json FILE]
                      [--only NAME,NAME]

Each round runs every program once natively and once through `sluice run`, one after the other, on
an X server or a headless weston of its own. A program says its frames per second itself. CPU is the
processors' time of all processes that a run started, per frame, over the seconds that are watched;
where a compositor sets the pace (its 60 frames per second), it alone says what a frame costs.
Programs of desktop OpenGL draw through Sluice by Zink above our Vulkan; natively by llvmpipe, and
again by Zink above lavapipe, which tells what Sluice adds.
A program that fails says why in its place, and the others go on.
Exit 0: done; 1: a program failed; 2: usage.
"""
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Iterator, Optional

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "tests" / "integration")]

from frame_table import children, cpu_s  # noqa: E402
from weston import weston  # noqa: E402
from xvfb import XvfbError, x_server  # noqa: E402

PARTS = ROOT / "tests" / "bench" / "programs"
TOOLKITS = ROOT / "tests" / "integration" / "toolkits"
SDL = "/usr/libexec/installed-tests/SDL2"
ELSEWHERE = re.compile(r"the program ((used|loaded) another driver|made no context).*")
PATIENCE_S = 90
END_S = 10  # from being asked to
FAILURES = (
    RuntimeError,
    AssertionError,
    ArithmeticError,
    OSError,
    subprocess.SubprocessError,
    XvfbError,
)
PER_SECOND = r"([\d.]+) frames per second"
CHROMIUM = (
    "chromium --headless=new --no-sandbox --use-gl=angle --use-angle=gles-egl --disable-gpu-sandbox"
    " --ignore-gpu-blocklist --disable-dev-shm-usage --disable-frame-rate-limit"
    " --disable-gpu-vsync --enable-logging=stderr"
)
FORCE_EGL = {"SDL_VIDEO_X11_FORCE_EGL": "1", "SDL_RENDER_DRIVER": "opengles2"}


@dataclasses.dataclass
class Program:
    """words: its command; FOLDER in one stands for a fresh folder. at_end: it says one figure when
    it ends. compositor: a weston is started for it; through: of the two the compositor is run
    through Sluice, and what is watched. natively: variables of the native side alone."""

    name: str
    words: "list[str]"
    frames: str = PER_SECOND
    at_end: bool = False
    more: "dict[str, str]" = dataclasses.field(default_factory=dict)
    options: "tuple[str, ...]" = ()
    compositor: bool = False
    through: bool = False
    folder: str = "/"
    natively: "dict[str, str]" = dataclasses.field(default_factory=dict)


def glmark2(program: str, *more: str) -> "list[str]":
    return [program, *more, "--size", "800x600", "-b", "build:duration=SECONDS"]


SCORE = r"FPS: (\d+)"
LINES = ["stdbuf", "-oL"]
GEARS = r"= ([\d.]+) FPS"
DESKTOP_GL: "list[tuple[str, list[str], str, dict[str, str]]]" = [
    (
        "GTK 4",
        ["/usr/bin/python3", str(PARTS / "gtk_scene.py")],
        PER_SECOND,
        {"GDK_BACKEND": "x11", "GSK_RENDERER": "gl"},
    ),
    (
        "godot3",
        ["godot3", "--video-driver", "GLES2", "--audio-driver", "Dummy", "--print-fps", "--path"]
        + [str(TOOLKITS / "godot")],
        r"Game FPS: (\d+)",
        {},
    ),
]


def desktop_gl(
    name: str, words: "list[str]", frames: str, more: "dict[str, str]", below: str
) -> Program:
    """below: what draws natively."""
    natively = {"LIBGL_ALWAYS_SOFTWARE": "1"}
    if below == "Zink":
        natively["MESA_LOADER_DRIVER_OVERRIDE"] = "zink"
    name = f"{name}, {below} natively"
    return Program(name, words, frames, more=more, options=("--zink",), natively=natively)


PROGRAMS = [
    Program("glmark2-es2, x11", glmark2("glmark2-es2"), SCORE, True),
    Program("glmark2-es2, offscreen", glmark2("glmark2-es2", "--off-screen"), SCORE, True),
    Program("glmark2-es2, wayland", glmark2("glmark2-es2-wayland"), SCORE, True, compositor=True),
    Program("es2gears_x11", [*LINES, "es2gears_x11"], GEARS),
    Program("es2gears_wayland", [*LINES, "es2gears_wayland"], GEARS, compositor=True),
    Program("SDL testgles2", [f"{SDL}/testgles2"], PER_SECOND, True, FORCE_EGL, folder=SDL),
    Program("SDL testsprite2", [f"{SDL}/testsprite2"], more=FORCE_EGL, folder=SDL),
    Program("SDL testscale", [f"{SDL}/testscale"], PER_SECOND, True, FORCE_EGL, folder=SDL),
    Program(
        "SDL testrendertarget", [f"{SDL}/testrendertarget"], PER_SECOND, True, FORCE_EGL, folder=SDL
    ),
    Program("SDL testgeometry", [f"{SDL}/testgeometry"], PER_SECOND, True, FORCE_EGL, folder=SDL),
    Program(
        "Qt Quick",
        ["/usr/bin/python3", str(TOOLKITS / "quick.py"), str(TOOLKITS / "scene.qml"), "--frames"],
        more={"QT_XCB_GL_INTEGRATION": "xcb_egl", "QSG_RENDER_LOOP": "basic"},
    ),
    *(desktop_gl(*row, below) for row in DESKTOP_GL for below in ("llvmpipe", "Zink")),
    Program(
        "weston's GL renderer",
        [*LINES, "weston-simple-egl"],
        r": ([\d.]+) fps",
        compositor=True,
        through=True,
    ),
    Program(
        "Chromium, WebGL",
        [*CHROMIUM.split(), "--user-data-dir=FOLDER", (PARTS / "webgl.html").as_uri()],
    ),
]


@dataclasses.dataclass
class Figures:
    fps: float
    cpu_ms: float  # of a frame


@contextlib.contextmanager
def screen(program: Program, prefix: "list[str]") -> "Iterator[tuple[dict[str, str], int]]":
    """What the program meets: the environment, and which process is watched besides it (or 0)."""
    if not program.compositor:
        with x_server() as (env, _):
            yield env, 0
        return
    renderer = "--use-gl" if program.through else "--use-pixman"
    before = set(children(os.getpid()))
    with weston(renderer=renderer, through=prefix if program.through else ()) as env:
        yield env, min(set(children(os.getpid())) - before)


def spent(pid: int) -> float:
    return sum(cpu_s(each) for each in children(pid))


class Run:
    """A program under way: what it has said, and who pays for it."""

    def __init__(self, words: "list[str]", env: "dict[str, str]", folder: str, log: str) -> None:
        self.log = pathlib.Path(log)
        with self.log.open("w") as out:
            self.process = subprocess.Popen(words, env=env, cwd=folder, stdout=out, stderr=out)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait(self, pattern: str, count: int) -> None:
        """Until it has said so many figures, or ended."""
        deadline = time.monotonic() + PATIENCE_S
        while len(re.findall(pattern, self.said())) < count and self.process.poll() is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"no figures came: {self.said()[-1000:]}")
            time.sleep(0.02)

    def end(self, patience_s: float) -> None:
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def watch(program: Program, run: Run, payer: int, seconds: float) -> Figures:
    """Frames per second and CPU of a while in the midst of the run."""
    if program.at_end:
        time.sleep(1)
        known = 0
    else:
        run.wait(program.frames, 1)  # its start is in the first
        known = len(re.findall(program.frames, run.said()))
    begun, before = time.monotonic(), spent(payer)
    if program.at_end:
        time.sleep(max(1.0, seconds - 1.5))
    else:
        time.sleep(seconds)
        run.wait(program.frames, known + 1)
    cpu, took = spent(payer) - before, time.monotonic() - begun
    run.end(PATIENCE_S if "glmark2" in program.name else 0)
    found = [float(text) for text in re.findall(program.frames, run.said())][known:]
    elsewhere = ELSEWHERE.search(run.said())
    if not found or elsewhere:
        raise RuntimeError(elsewhere.group() if elsewhere else run.said()[-1000:])
    fps = statistics.median(found)
    return Figures(fps, cpu * 1e3 / (took * fps))


def one(program: Program, sluice: Optional[str], seconds: float) -> Figures:
    """Through that program, or natively."""
    prefix = [sluice, "run", *program.options, "--"] if sluice else []
    with tempfile.TemporaryDirectory() as folder, screen(program, prefix) as (env, compositor):
        replaced = {"FOLDER": f"{folder}/profile", "SECONDS": f"{seconds}"}
        words = [
            re.sub("FOLDER|SECONDS", lambda m: replaced[m.group()], word) for word in program.words
        ]
        env = dict(env, HOME=folder, XDG_CONFIG_HOME=folder, **program.more)
        env.update({} if sluice else program.natively)
        env["MESA_SHADER_CACHE_DISABLE"] = "true"  # what one side compiled, the other would find
        through = [] if program.through else prefix
        run = Run([*through, *words], env, program.folder, f"{folder}/said")
        try:
            payer = compositor if program.through else run.process.pid
            return watch(program, run, payer, seconds)
        finally:
            run.end(0)


def ratio(pairs: "list[tuple[float, float]]") -> "dict[str, float]":
    ratios = [ours / native for native, ours in pairs]
    return {
        "native": statistics.median(native for native, _ in pairs),
        "sluice": statistics.median(ours for _, ours in pairs),
        "ratio": statistics.median(ratios),
        "min": min(ratios),
        "max": max(ratios),
    }


def measure(program: Program, sluice: str, rounds: int, seconds: float) -> "dict[str, object]":
    pairs = [(one(program, None, seconds), one(program, sluice, seconds)) for _ in range(rounds)]
    fps = ratio([(native.fps, ours.fps) for native, ours in pairs])
    cpu = ratio([(native.cpu_ms, ours.cpu_ms) for native, ours in pairs])
    print(
        f"{program.name:26} fps: native {fps['native']:7.1f}  sluice {fps['sluice']:7.1f}  "
        f"ratio {fps['ratio']:5.2f} ({fps['min']:.2f}-{fps['max']:.2f})  cpu/frame: native "
        f"{cpu['native']:7.2f} ms  sluice {cpu['sluice']:7.2f} ms  ratio {cpu['ratio']:5.2f}",
        flush=True,
    )
    return {"name": program.name, "fps": fps, "cpu": cpu}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True, help="the sluice program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="watched of each run")
    parser.add_argument("--only", default="", help="comma list of parts of names; default all")
    parser.add_argument("--json", help="write the figures there")
    args = parser.parse_args()
    sluice = str(pathlib.Path(args.sluice).resolve())
    wanted = [part for part in args.only.split(",") if part]
    rows, failed = [], []
    for program in PROGRAMS:
        if wanted and not any(part in program.name for part in wanted):
            continue
        try:
            rows.append(measure(program, sluice, args.rounds, args.seconds))
        except FAILURES as failure:
            failed.append({"name": program.name, "why": f"{failure}" or repr(failure)})
            print(f"{program.name}: failed: {failed[-1]['why']}", flush=True)
    if args.json:
        result = {"schema": 2, "programs": rows, "failed": failed}
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
