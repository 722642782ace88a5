#!/usr/bin/env python3
"""frame_bench, gles_bench or vulkan_bench natively and through Sluice in turn: a table of ratios.

    frame_table.py --sluice build/release/bin/sluice --program build/release/tests/bench/frame_bench
                   [--rounds 5] [--frames 1500] [--machines quiet,one-core,loaded] [--json FILE]

A machine is what the programs meet: `quiet` is the machine as it is; `one-core` ties both sides to
one core; `loaded` runs a spinning process for every core beside them; `pairs` ties both sides to
the same two processors, one pair after the other. Behind a machine's name may stand the only
parts of the program that run there, as in `pairs:submit:fill`. Each round runs every side
once; a figure's ratio is the median over the rounds of (Sluice / native), frames and bytes per
second the other way round, so that more is better there and less everywhere else. Of pairs it is
the median over their ratios, the least and the greatest are those of pairs. CPU per frame is
the processors' time of all processes a run started, between two stops of the program.
Exit 0: done; 1: a run failed; 2: usage.
"""
from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from typing import Any, Iterator

RUN_TIMEOUT_S = 120
KINDS = ("quiet", "one-core", "loaded", "pairs")
PAIRS_MAX = 6
SPIN = "while True: pass"
RATES = (
    "frame",
    "fill",
    "resubmit",
    "mapped_write_4m",
    "upload_4m",
    "readback_4m",
    "upload_64",
    "stream_64",
    "upload_1024",
    "stream_1024",
    "upload_4096",
    "stream_4096",
    "sub_1m",
    "stream_sub_1m",
    "map_1m",
    "stream_map_1m",
    "read_720p",
    "read_720p_frame",
)


def children(pid: int) -> "list[int]":
    """The process and all that came from it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += children(int(child))
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process, exact to the ns: its clock, as clock_getcpuclockid
    makes the id."""
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def run(command: "list[str]", payers: "tuple[int, ...]" = ()) -> "dict[str, float]":
    """One run's figures; with frames, frame_cpu: ns of all processes per frame, those of payers and
    what came from them as well."""
    env = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    env["MESA_SHADER_CACHE_DISABLE"] = "true"  # what one side compiled, the other would find
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=env,
    )
    assert process.stdin is not None and process.stdout is not None
    stops: list[float] = []
    lines: list[str] = []
    watch = threading.Timer(RUN_TIMEOUT_S, process.kill)
    watch.start()
    try:
        for line in process.stdout:
            if line == "stop\n":
                paying = [pid for root in (process.pid, *payers) for pid in children(root)]
                stops.append(sum(cpu_s(pid) for pid in paying))
                process.stdin.write("\n")
                process.stdin.flush()
            else:
                lines.append(line)
        code = process.wait()
    finally:
        watch.cancel()
        process.kill()
    figures: dict[str, float] = json.loads("".join(lines)) if code == 0 else {}
    frames = figures.pop("frames_count", 0)
    if code != 0 or len(stops) != (2 if frames else 0):
        raise RuntimeError(f"{' '.join(command)}: exit {code} after {len(stops)} stops")
    if frames:
        figures["frame_cpu"] = (stops[1] - stops[0]) * 1e9 / frames
    return figures


@contextlib.contextmanager
def machine(kind: str) -> "Iterator[list[str]]":
    """What stands in front of the command there."""
    spinners = [
        subprocess.Popen([sys.executable, "-c", SPIN])
        for _ in range(len(os.sched_getaffinity(0)) if kind == "loaded" else 0)
    ]
    try:
        yield ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if kind == "one-core" else []
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def pairs_of(cpus: "list[int]") -> "list[tuple[int, int]]":
    """Of few processors each two, of many the first with those 1, 2, 4 ... behind it: processors
    that share a core are as far apart in numbers as the machine likes."""
    if len(cpus) <= 4:
        return list(itertools.combinations(cpus, 2))
    return [(cpus[0], cpus[1 << i]) for i in range(PAIRS_MAX) if 1 << i < len(cpus)]


Row = dict[str, Any]
Table = dict[str, Row]


def row_of(native: "list[float]", ours: "list[float]", ratios: "list[float]") -> Row:
    return {
        "native_ns": statistics.median(native),
        "sluice_ns": statistics.median(ours),
        "ratio": statistics.median(ratios),
        "min": min(ratios),
        "max": max(ratios),
    }


def measure(prefix: "list[str]", native: "list[str]", ours: "list[str]", rounds: int) -> Table:
    """Both commands by turns."""
    taken = [(run(prefix + native), run(prefix + ours)) for _ in range(rounds)]
    table: Table = {}
    for name in taken[0][0]:
        sides = [(a[name], b[name]) for a, b in taken]
        ratios = [a / b if name in RATES else b / a for a, b in sides]
        table[name] = row_of([a for a, _ in sides], [b for _, b in sides], ratios)
    return table


def measure_pairs(native: "list[str]", ours: "list[str]", rounds: int) -> Table:
    """On each pair of processors, half of the rounds on each; of one processor, nothing."""
    tables = {
        f"{a},{b}": measure(["taskset", "-c", f"{a},{b}"], native, ours, rounds // 2 | 1)
        for a, b in pairs_of(sorted(os.sched_getaffinity(0)))
    }
    result: Table = {}
    for name in next(iter(tables.values()), {}):
        pairs = {pair: table[name] for pair, table in tables.items()}
        columns = [
            [row[key] for row in pairs.values()] for key in ("native_ns", "sluice_ns", "ratio")
        ]
        result[name] = {**row_of(*columns), "pairs": pairs}
    return result


def on_machine(kind: str, native: "list[str]", ours: "list[str]", rounds: int) -> Table:
    if kind == "pairs":
        return measure_pairs(native, ours, rounds)
    with machine(kind) as prefix:
        return measure(prefix, native, ours, rounds)


def text(name: str, ns: float) -> str:
    if name.endswith("_scaling"):
        return f"{ns:.0f} %"
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.1f} ns"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True, help="the sluice program")
    parser.add_argument("--program", required=True, help="frame_bench, gles_bench or vulkan_bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument(
        "--machines", default="quiet,one-core,loaded", help="comma list of MACHINE[:PART...]"
    )
    parser.add_argument("--json", help="write the figures there")
    args = parser.parse_args()
    result: dict[str, object] = {
        "bench": "frame",
        "schema": 2,
        "rounds": args.rounds,
        "frames": args.frames,
    }
    for word in args.machines.split(","):
        kind, *parts = word.split(":")
        if kind not in KINDS:
            parser.error(f"'{kind}' is no machine; it should be one of {', '.join(KINDS)}")
        native = [args.program, "--stops", "--frames", str(args.frames), *parts]
        try:
            table = on_machine(kind, native, [args.sluice, "run", "--"] + native, args.rounds)
        except (RuntimeError, ValueError) as failure:
            print(failure, file=sys.stderr)
            return 1
        result[kind] = table
        for name, row in table.items():
            print(
                f"{kind:8} {name:20} native {text(name, row['native_ns']):>10}  sluice "
                f"{text(name, row['sluice_ns']):>10}  "
                f"ratio {row['ratio']:6.3f} ({row['min']:.3f}-{row['max']:.3f})",
                flush=True,
            )
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
