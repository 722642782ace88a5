#!/usr/bin/env python3
"""Programs that nobody here wrote, cut in their midst: what a snapshot leads to must show the same.

usage: sweep_test.py --sluice PROGRAM [--only NAME,NAME | --short] [--cuts N] [--frames N]
                     [--seed N] [--jobs N] [--keep FOLDER] [--json FILE]

Each program is recorded with snapshots of the running host (and once without), and the whole
replayed: `live` are the frames that show what the program saw. Then at N random places, of which
the first and the last are near the ends, five frames are trimmed, by a snapshot that the replay
takes, and played; and the replay begins there, at a snapshot that the host took. All hashes must be
those of the whole.
Programs that are not installed are left out, and told. Exit 0: all equal; 1: something differs or
failed; 2: usage.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Iterator, Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from sweep_programs import PROGRAMS, SHORT, Program  # noqa: E402
from weston import environment, weston  # noqa: E402
from xvfb import x_server  # noqa: E402

PATIENCE_S = 120
FRAMES_SHOWN = 5
RECORDED_MAX = 1 << 30
SNAPSHOTS = 3  # that the running host takes, about
END_S = 20


class Failed(Exception):
    """Why a program has no figures."""


@contextlib.contextmanager
def screen(program: Program) -> "Iterator[dict[str, str]]":
    """What the program meets."""
    if program.screen == "x11":
        with x_server() as (env, _):
            yield {**environment(), "DISPLAY": env["DISPLAY"]}
    else:
        with weston() as env:
            yield env


def ended(words: "Sequence[str]", env: "dict[str, str]", folder: str, patience_s: float) -> str:
    """What it said; Failed: it ended otherwise than well, or not."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            words, env=env, cwd=folder, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            code = 124
        with contextlib.suppress(ProcessLookupError):  # what it has left behind
            os.killpg(process.pid, signal.SIGKILL)
        out.seek(0)
        said = out.read()
    if code != 0:
        raise Failed(f"{' '.join(words[1:3])}... ended with {code}: {said[-600:]}")
    return said


class Sweep:
    def __init__(self, sluice: str, options: argparse.Namespace) -> None:
        self.sluice, self.options = sluice, options

    def plain(self, *words: str) -> str:
        """A verb of ours that needs no screen; its data."""
        try:
            done = subprocess.run(
                [self.sluice, *words],
                env=environment(),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE_S,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(words)}: not over after {PATIENCE_S} s")
        if done.returncode != 0:
            raise Failed(f"{' '.join(words)}: {done.returncode}: {done.stderr[-600:]}")
        return done.stdout

    def hashes(self, trace: pathlib.Path, *words: str) -> "dict[int, str]":
        """Frames that have one: their numbers, and what they show."""
        lines = self.plain("replay", "--quiet", "--hash", *words, str(trace)).splitlines()
        found = [line.split() for line in lines]
        return {int(words[0]): words[2] for words in found if words and words[0].isdigit()}

    def record(self, program: Program, trace: pathlib.Path, *more: str) -> None:
        count = str(self.options.frames)
        words = [self.sluice, "record", "--hash", "--force", "--count", count, "--quit-when-done"]
        words += ["--max-size", str(RECORDED_MAX)]
        words += [*more, *program.options, "-o", str(trace), "--"]
        with tempfile.TemporaryDirectory() as home, screen(program) as env:
            around = {key: value.replace("FOLDER", home) for key, value in program.more.items()}
            command = [word.replace("FOLDER", home) for word in program.words]
            env = {**env, "HOME": home, "XDG_CONFIG_HOME": home, **around}
            ended([*words, *command], env, program.folder, PATIENCE_S)
        if not trace.exists():
            raise Failed("nothing was recorded")

    def one(self, program: Program, folder: pathlib.Path) -> "dict[str, object]":
        """The row of a program."""
        stem = folder / re.sub("[^a-z0-9]+", "-", program.name.lower())
        plain, living = stem.with_suffix(".slc"), stem.with_suffix(".live.slc")
        wrong: "list[str]" = []
        self.record(program, plain)
        whole = self.whole(plain, wrong)
        trims = seeks = 0
        chance = random.Random(f"{self.options.seed} {program.name}")
        for first in places(len(whole), self.options.cuts, chance):
            trims += 1
            self.trim(plain, whole, first, wrong)
        every = max(1, len(whole) // SNAPSHOTS)
        self.record(program, living, "--snapshot-every", str(every))
        whole = self.whole(living, wrong)
        taken = json.loads(self.plain("info", "--json", str(living)))["snapshots"]
        if taken < SNAPSHOTS - 1:
            wrong.append(f"the running host took {taken} snapshots")
        for first in places(len(whole), self.options.cuts, chance):
            seeks += 1
            self.seek(living, whole, max(first, every), wrong)
        if not self.options.keep or not wrong:
            plain.unlink()
            living.unlink()
        return {"name": program.name, "frames": len(whole), "trims": trims, "seeks": seeks,
                "wrong": wrong}  # fmt: skip

    def whole(self, trace: pathlib.Path, wrong: "list[str]") -> "dict[int, str]":
        try:
            whole = self.hashes(trace, "--expect", "live")
        except Failed as failed:
            wrong.append(f"whole: {failed}")
            whole = self.hashes(trace, "--ignore-results")
        if len(whole) < 4 * FRAMES_SHOWN:
            raise Failed(f"{len(whole)} frames were recorded")
        return whole

    def same(self, what: str, want: "list[str]", got: "dict[int, str]", wrong: "list[str]") -> None:
        if list(got.values()) != want:
            equal = sum(a == b for a, b in zip(want, got.values()))
            wrong.append(f"{what}: {equal} of {len(want)} frames are equal, {len(got)} came")

    def trim(
        self, trace: pathlib.Path, whole: "dict[int, str]", first: int, wrong: "list[str]"
    ) -> None:
        part = trace.with_suffix(f".{first}.slc")
        frames = f"{first}-{first + FRAMES_SHOWN - 1}"
        want = [whole[n] for n in range(first, first + FRAMES_SHOWN) if n in whole]
        try:
            self.plain("trim", "--quiet", "--force", "--gpu", "0", "--frames", frames,
                       "-o", str(part), str(trace))  # fmt: skip
            self.same(f"trim {frames}", want, self.hashes(part), wrong)
        except Failed as failed:
            wrong.append(f"trim {frames}: {failed}")
        if not self.options.keep:
            part.unlink(missing_ok=True)

    def seek(
        self, trace: pathlib.Path, whole: "dict[int, str]", first: int, wrong: "list[str]"
    ) -> None:
        frames = f"{first}-{first + FRAMES_SHOWN - 1}"
        want = [whole[n] for n in range(first, first + FRAMES_SHOWN) if n in whole]
        try:
            self.same(f"seek {frames}", want, self.hashes(trace, "--frames", frames), wrong)
        except Failed as failed:
            wrong.append(f"seek {frames}: {failed}")


def places(frames: int, count: int, chance: random.Random) -> "list[int]":
    """Where to cut: near the start, near the end, and between."""
    last = frames - FRAMES_SHOWN
    ends = [chance.randint(1, 3), last - chance.randint(0, 2)]
    return sorted({*ends[:count], *(chance.randint(1, last) for _ in range(count - 2))})


def chosen(options: argparse.Namespace) -> "list[Program]":
    wanted = [part for part in options.only.split(",") if part]
    found = []
    for program in PROGRAMS:
        if options.short and program.name not in SHORT:
            continue
        if wanted and not any(part in program.name for part in wanted):
            continue
        if shutil.which(program.needs()) is None:
            print(f"{program.name}: {program.needs()} is not installed", flush=True)
            continue
        found.append(program)
    return found


def row(sweep: Sweep, program: Program, folder: pathlib.Path) -> "dict[str, object]":
    try:
        return sweep.one(program, folder)
    except (Failed, AssertionError, OSError) as failed:
        return {"name": program.name, "frames": 0, "trims": 0, "seeks": 0, "wrong": [f"{failed}"]}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--only", default="", help="comma list of parts of names")
    parser.add_argument("--short", action="store_true", help="a few of them")
    parser.add_argument("--cuts", type=int, default=3)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path, help="traces of what differs stay there")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    sweep = Sweep(str(pathlib.Path(options.sluice).resolve()), options)
    programs, rows = chosen(options), []
    with contextlib.ExitStack() as stack:
        folder = options.keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(options.jobs))
        for done in pool.map(lambda program: row(sweep, program, folder), programs):
            rows.append(done)
            wrong = done["wrong"]
            assert isinstance(wrong, list)
            print(
                f"{done['name']:32} frames {done['frames']:4}  trims {done['trims']}  "
                f"seeks {done['seeks']}  {'DIFFERS' if wrong else 'equal'}",
                *wrong,
                sep="\n    ",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps({"schema": 1, "programs": rows}, indent=1) + "\n")
    failed = sum(bool(done["wrong"]) for done in rows)
    print(f"{len(rows)} programs, {len(rows) - failed} equal, {failed} differ")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
