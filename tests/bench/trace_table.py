#!/usr/bin/env python3
"""What traces cost and give, beside apitrace and gfxreconstruct on the same programs in one run.

    trace_table.py --sluice SLUICE --gl frame_bench --vk vulkan_bench
        --touch touch_bench [--rounds N] --out FILE

The programs time their own calls: natively, below `sluice run` and `record`, below the other tools,
in turns. Then the files are read: by their index, whole, one call in the middle. A tool that is not
installed is left out, which the JSON says. Figures are medians over the rounds.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Optional

Json = dict[str, Any]
PATIENCE_S = 600


def peak_of(pid: int) -> int:
    """KiB; 0: it is over."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found.group(1)) if found else 0


class Bed:
    """The programs, the folder for traces, and how to run something."""

    def __init__(self, options: argparse.Namespace, folder: pathlib.Path) -> None:
        self.sluice = str(options.sluice)
        self.programs = {
            "gl": [str(options.gl), "--frames", "300", "frame", "issue_draw"],
            "vk": [str(options.vk), "--frames", "200", "frame"],
        }
        self.folder = folder

    def run(self, *words: str, **variables: str) -> "tuple[str, float, int]":
        """Output, seconds and peak KiB of a command that must succeed.

        The peak is read while output comes: that of a command that is over counts its starter's."""
        begin = time.monotonic()
        with subprocess.Popen(
            words,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout is not None
            pieces, peak = [], 0
            while piece := process.stdout.read(1 << 16):
                pieces.append(piece)
                peak = max(peak, peak_of(process.pid))
        if process.returncode != 0:
            raise RuntimeError(f"{words[0]} ended with {process.returncode}")
        return "".join(pieces), time.monotonic() - begin, peak

    def program(self, api: str, before: "list[str]", **variables: str) -> float:
        """What a draw (gl), or a frame (vk), costs the program, ns."""
        out, _, _ = self.run(*before, *self.programs[api], **variables)
        found = json.loads(out[out.index("{") :])
        return float(found["issue_draw" if api == "gl" else "frame"])


class Tool:
    """A recorder: how a program runs below it, and what its file says."""

    def __init__(self, bed: Bed, api: str) -> None:
        self.bed, self.api = bed, api
        self.path = bed.folder / f"{type(self).__name__}-{api}"

    def record(self) -> float:
        raise NotImplementedError

    def count(self) -> int:
        """Calls in the file, by a dump of all of it."""
        raise NotImplementedError

    def info(self) -> float:
        """Seconds."""
        raise NotImplementedError

    def look(self, call: int) -> float:
        """One call and nothing else, seconds."""
        raise NotImplementedError

    def replay(self) -> Optional[float]:
        """Without a driver, calls a second; None: it cannot."""
        return None

    def measure(self, rounds: int) -> Json:
        begin = time.monotonic()
        calls = self.count()
        dump_s = time.monotonic() - begin
        times = [[self.info(), self.look(calls // 2)] for _ in range(rounds)]
        info_s, look_s = (statistics.median(column) for column in zip(*times))
        return {
            "calls": calls,
            "bytes": self.path.stat().st_size,
            "dump_per_s": calls / dump_s,
            "info_s": info_s,
            "look_s": look_s,
            "replay_per_s": self.replay(),
        }


class Sluice(Tool):
    def record(self) -> float:
        record = [self.bed.sluice, "record", "--force", "-o", str(self.path), "--"]
        return self.bed.program(self.api, record)

    def count(self) -> int:
        out, _, _ = self.bed.run(self.bed.sluice, "dump", str(self.path))
        return len(re.findall(r"(?m)^\d", out))

    def info(self) -> float:
        return self.bed.run(self.bed.sluice, "info", str(self.path))[1]

    def look(self, call: int) -> float:
        return self.bed.run(self.bed.sluice, "dump", "--calls", str(call), str(self.path))[1]

    def replay(self) -> Optional[float]:
        out, _, _ = self.bed.run(
            self.bed.sluice, "bench", "--json", "--backend", "null", "--runs", "5", str(self.path)
        )
        return float(json.loads(out)["kinds"][0]["calls_per_second"])

    def measure(self, rounds: int) -> Json:
        _, _, dump_kib = self.bed.run(self.bed.sluice, "dump", str(self.path))
        return super().measure(rounds) | {"dump_kib": dump_kib}


class Apitrace(Tool):
    def record(self) -> float:
        self.path.unlink(missing_ok=True)
        return self.bed.program(self.api, ["apitrace", "trace", "-a", "egl", "-o", str(self.path)])

    def count(self) -> int:
        out, _, _ = self.bed.run("apitrace", "dump", "--color=never", str(self.path))
        return len(re.findall(r"(?m)^\d+ ", out))

    def info(self) -> float:
        return self.bed.run("apitrace", "info", str(self.path))[1]

    def look(self, call: int) -> float:
        return self.bed.run("apitrace", "dump", f"--calls={call}", str(self.path))[1]


def gfxreconstruct(path: pathlib.Path) -> "dict[str, str]":
    """The variables that make it record."""
    return {
        "VK_INSTANCE_LAYERS": "VK_LAYER_LUNARG_gfxreconstruct",
        "GFXRECON_CAPTURE_FILE": str(path),
        "GFXRECON_CAPTURE_FILE_TIMESTAMP": "false",
        "GFXRECON_LOG_LEVEL": "fatal",
    }


class Gfxreconstruct(Tool):
    def record(self) -> float:
        self.path.unlink(missing_ok=True)
        return self.bed.program(self.api, [], **gfxreconstruct(self.path))

    def convert(self) -> "tuple[str, float]":
        out, seconds, _ = self.bed.run("gfxrecon-convert", "--output", "stdout", str(self.path))
        return out, seconds

    def count(self) -> int:
        return self.convert()[0].count('"vkFunc"')

    def info(self) -> float:
        return self.bed.run("gfxrecon-info", str(self.path))[1]

    def look(self, call: int) -> float:
        return self.convert()[1]  # it has no way to show less


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
        costs: "dict[str, list[float]]" = {}
        for _ in range(rounds):
            costs.setdefault("native", []).append(bed.program(api, []))
            costs.setdefault("run", []).append(bed.program(api, [bed.sluice, "run", "--"]))
            for tool in tools:
                costs.setdefault(type(tool).__name__, []).append(tool.record())
        result[api] = {
            "program_ns": {name: statistics.median(values) for name, values in costs.items()},
            "tools": {type(tool).__name__: tool.measure(rounds) for tool in tools},
        }
    return result


def touched(bed: Bed, program: str, rounds: int) -> Json:
    """ns of a frame that writes to 1, 10 and 100 % of 64 MiB, by who looks on."""
    trace = bed.folder / "touched"
    ways: "dict[str, tuple[list[str], dict[str, str]]]" = {
        "native": ([], {}),
        "run": ([bed.sluice, "run", "--"], {}),
        "Sluice": ([bed.sluice, "record", "--force", "-o", str(trace), "--"], {}),
    }
    if shutil.which("gfxrecon-info") is not None:
        ways["Gfxreconstruct"] = ([], gfxreconstruct(trace))
    found: "dict[str, list[Json]]" = {}
    for _ in range(rounds):
        for name, (before, variables) in ways.items():
            trace.unlink(missing_ok=True)
            out, _, _ = bed.run(*before, program, **variables)
            found.setdefault(name, []).append(json.loads(out[out.index("{") : out.index("}") + 1]))
    return {
        name: {key: statistics.median(one[key] for one in values) for key in values[0]}
        for name, values in found.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--sluice", "--gl", "--vk", "--touch", "--out"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bed = Bed(options, pathlib.Path(folder))
        result = measure(bed, options.rounds)
        result["touched"] = touched(bed, str(options.touch), options.rounds)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
