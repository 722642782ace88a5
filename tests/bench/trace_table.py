#!/usr/bin/env python3
"""What traces cost and give, beside apitrace and gfxreconstruct on the same programs in one run.

    trace_table.py --sluice SLUICE --gl frame_bench --vk vulkan_bench
        --touch touch_bench --build BUILD [--rounds N] --out FILE

The programs time their own calls: natively, below `sluice run` and `record`, below the other tools,
in turns. Then the files are read: by their index, whole, one call in the middle. The other goals
are trace_goals.py's. A tool that is not installed is left out, which the JSON says. Figures are
medians over the rounds. Some of the programs open windows: without DISPLAY they have an Xvfb of
their own.
"""
from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
from typing import Callable


# Rounds at least: a draw's issue is some nanoseconds, which differ by half from one to the next.
PROGRAMS = 9
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tools"))

from trace_bed import Bed, Cost, Json, Paid, gfxreconstruct  # noqa: E402
from trace_goals import goals, in_turns  # noqa: E402
from xvfb import XvfbError, x_server  # noqa: E402


class Tool:
    """A recorder: how a program runs below it, and how its file is read."""

    def __init__(self, bed: Bed, api: str) -> None:
        self.bed, self.api = bed, api
        self.path = bed.folder / f"{type(self).__name__}-{api}"

    def record(self) -> Paid:
        raise NotImplementedError

    def count(self) -> int:
        """Calls in the file, by a dump of all of it."""
        raise NotImplementedError

    def dump(self) -> "list[str]":
        raise NotImplementedError

    def json(self) -> "list[str]":
        """Empty: it has none."""
        return []

    def info(self) -> "list[str]":
        raise NotImplementedError

    def look(self, call: int) -> "list[str]":
        """Shows one call and nothing else."""
        raise NotImplementedError

    def measure(self, rounds: int) -> Json:
        calls = self.count()
        ways = {"dump": self.dump(), "info": self.info(), "look": self.look(calls // 2)}
        if self.json():
            ways["json"] = self.json()
        costs: "dict[str, list[Cost]]" = {}
        for _ in range(rounds):
            for name, words in ways.items():
                costs.setdefault(name, []).append(self.bed.cost(*words))
        result: Json = {"calls": calls, "bytes": self.path.stat().st_size}
        for name, found in costs.items():
            result[name] = {
                "seconds": statistics.median(c.seconds for c in found),
                "cpu_seconds": statistics.median(c.cpu_seconds for c in found),
                "kib": max(c.peak_kib for c in found),
            }
        return result


class Sluice(Tool):
    def record(self) -> Paid:
        record = [self.bed.sluice, "record", "--force", "-o", str(self.path), "--"]
        return self.bed.program(self.api, record)

    def count(self) -> int:
        return len(re.findall(r"(?m)^\d", self.bed.run(*self.dump())))

    def dump(self) -> "list[str]":
        return [self.bed.sluice, "dump", str(self.path)]

    def json(self) -> "list[str]":
        return [self.bed.sluice, "dump", "--format", "jsonl", str(self.path)]

    def info(self) -> "list[str]":
        return [self.bed.sluice, "info", str(self.path)]

    def look(self, call: int) -> "list[str]":
        return [self.bed.sluice, "dump", "--no-names", "--calls", str(call), str(self.path)]

    def measure(self, rounds: int) -> Json:
        # Whole lines: what a packet carries, too, which the other tools count.
        lines = self.bed.run(*self.dump()).count("\n")
        named = [c for c in self.look(1) if c != "--no-names"]
        names = [
            self.bed.cost(*(w if w != "1" else str(self.count() // 2) for w in named))
            for _ in range(rounds)
        ]
        words = [self.bed.sluice, "bench", "--json", "--backend", "null", "--runs", str(rounds)]
        null = json.loads(self.bed.run(*words, str(self.path)))["kinds"][0]
        return super().measure(rounds) | {
            "lines": lines,
            "named_s": statistics.median(c.seconds for c in names),
            "replay_s": null["seconds"]["median"],
            "replay_cpu_s": null["cpu_seconds"]["median"],
        }


class Apitrace(Tool):
    def record(self) -> Paid:
        self.path.unlink(missing_ok=True)
        return self.bed.program(self.api, ["apitrace", "trace", "-a", "egl", "-o", str(self.path)])

    def count(self) -> int:
        return len(re.findall(r"(?m)^\d+ ", self.bed.run(*self.dump())))

    def dump(self) -> "list[str]":
        return ["apitrace", "dump", "--color=never", str(self.path)]

    def info(self) -> "list[str]":
        return ["apitrace", "info", str(self.path)]

    def look(self, call: int) -> "list[str]":
        return ["apitrace", "dump", f"--calls={call}", str(self.path)]


class Gfxreconstruct(Tool):
    def record(self) -> Paid:
        self.path.unlink(missing_ok=True)
        return self.bed.program(self.api, [], **gfxreconstruct(self.path))

    def count(self) -> int:
        return self.bed.run(*self.dump()).count('"vkFunc"')

    def dump(self) -> "list[str]":
        return ["gfxrecon-convert", "--output", "stdout", str(self.path)]

    def json(self) -> "list[str]":
        return self.dump()

    def info(self) -> "list[str]":
        return ["gfxrecon-info", str(self.path)]

    def look(self, call: int) -> "list[str]":
        return self.dump()  # it has no way to show less


def tools_of(bed: Bed, missing: "list[str]") -> "dict[str, list[Tool]]":
    tools: "dict[str, list[Tool]]" = {"gl": [Sluice(bed, "gl")], "vk": [Sluice(bed, "vk")]}
    for api, program, kind in (
        ("gl", "apitrace", Apitrace),
        ("vk", "gfxrecon-info", Gfxreconstruct),
    ):
        if shutil.which(program) is None:
            missing.append(program)
        else:
            tools[api].append(kind(bed, api))
    return tools


def measure(bed: Bed, rounds: int) -> Json:
    missing: "list[str]" = []
    result: Json = {"missing": missing}
    for api, tools in tools_of(bed, missing).items():
        ways: "dict[str, Callable[[], Paid]]" = {
            "native": functools.partial(bed.program, api, []),
            "run": functools.partial(bed.program, api, [bed.sluice, "run", "--"]),
        }
        ways |= {type(tool).__name__: tool.record for tool in tools}
        paid = in_turns(max(rounds, PROGRAMS), ways)
        result[api] = {
            "program_ns": {name: statistics.median(p.call for p in c) for name, c in paid.items()},
            "frame_ns": {name: statistics.median(p.frame for p in c) for name, c in paid.items()},
            "tools": {type(tool).__name__: tool.measure(rounds) for tool in tools},
        }
    return result


def touched(bed: Bed, program: str, rounds: int) -> Json:
    """ns of a frame that writes to 1, 10 and 100 % of 64 MiB, by who looks on."""
    trace = bed.folder / "touched"
    ways: "dict[str, tuple[list[str], dict[str, str]]]" = {
        "native": ([], {}),
        "run": ([bed.sluice, "run", "--"], {}),
    }
    for name, how in (("Sluice", "auto"), ("comparing", "compare")):
        words = [bed.sluice, "record", "--force", "--writes", how, "-o", str(trace), "--"]
        ways[name] = (words, {})
    if shutil.which("gfxrecon-info") is not None:
        ways["Gfxreconstruct"] = ([], gfxreconstruct(trace))
    found: "dict[str, list[Json]]" = {}
    for _ in range(rounds):
        for name, (before, variables) in ways.items():
            trace.unlink(missing_ok=True)
            out = bed.run(*before, program, **variables)
            found.setdefault(name, []).append(json.loads(out[out.index("{") : out.index("}") + 1]))
    return {
        name: {key: statistics.median(one[key] for one in values) for key in values[0]}
        for name, values in found.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--sluice", "--gl", "--vk", "--touch", "--build", "--out"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        if not os.environ.get("DISPLAY"):
            try:
                os.environ["DISPLAY"] = stack.enter_context(x_server())[0]["DISPLAY"]
            except (OSError, XvfbError) as why:
                say = "no X display for programs with windows, nor one of the bench's own"
                print(f"{say}: {why}; set DISPLAY, or install Xvfb (Debian: xvfb)", file=sys.stderr)
                return 1
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        bed = Bed(options.sluice, options.build, pathlib.Path(folder), options.gl, options.vk)
        result = measure(bed, options.rounds)
        result["goals"] = goals(bed, options.rounds)
        result["capture"] = json.loads(bed.run(bed.tool("bench/capture_bench")))
        result["touched"] = touched(bed, str(options.touch), options.rounds)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
