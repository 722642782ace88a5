"""What a running program pays for having been recorded: its frame time before, between and after
recordings that are switched on and off, beside the same program's on a host that nobody recorded.

usage: SLUICE_PROGRAM=build/release/bin/sluice FRAMES_PROGRAM=... DISPLAY=:0 python3 attach_bench.py
    [--pairs N] [--rounds N] [--out FILE]

The two never run at once: in turns, one is stopped (SIGSTOP, host and program) while the other is
measured for a moment, in the order A B B A, so that both see the same machine. Two programs that
are the same may differ by where their memory lies: the armed one's ratio after its recordings is
held against its own before them, over several pairs of programs. Where that
is allowed (root) all run before everybody else, so that others' load does not count; else it counts
in times, but not in the processor time of a frame, which is told beside them. The result is a
median with the bounds that it lies between with 95 % confidence.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple, Optional

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
FRAMES = os.environ.get("FRAMES_PROGRAM", "frames_program")
SPANS = 5
SPAN_S = 0.5
SLICE_S = 0.2
FRAMES_MIN = 8  # of a slice; else the machine did something else

SETTLE_S = 0.01
PRIORITY = 5  # real-time: anything comes before those that have none


class Cost(NamedTuple):
    """Of a frame; how many there were."""

    ms: float
    cpu_ms: float
    frames: int = 1


def processor_ns(pid: int) -> int:
    """Of a process and its children."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
            total += sum(map(processor_ns, map(int, (task / "children").read_text().split())))
        except OSError:
            pass  # it is over
    return total


class Run:
    """A program that draws for ever, on a host of its own; stopped but for its turns."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        self.socket, self.count = folder / f"{name}.sock", folder / f"{name}.count"
        words = [SLUICE, "serve", "-q", "--status-fd", "1", "--socket", str(self.socket)]
        self.host = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, start_new_session=True)
        assert self.host.stdout is not None
        self.host.stdout.readline()  # "listening"
        words = [SLUICE, "run", "--socket", str(self.socket), "--", FRAMES, "0", str(self.count)]
        self.program = subprocess.Popen(words, env=env, start_new_session=True)
        while self.frames() == 0:
            time.sleep(0.01)
        self.stop()

    def signal(self, number: int) -> None:
        for process in (self.program, self.host):
            os.killpg(process.pid, number)  # a program and its starter

    def stop(self) -> None:
        self.signal(signal.SIGSTOP)

    def go(self) -> None:
        self.signal(signal.SIGCONT)

    def frames(self) -> int:
        try:
            return int(struct.unpack("Q", self.count.read_bytes()[:8])[0])
        except (OSError, struct.error):
            return 0

    def cpu_ns(self) -> int:
        return processor_ns(self.program.pid) + processor_ns(self.host.pid)

    def cost(self, seconds: float) -> Cost:
        first, cpu, begin = self.frames(), self.cpu_ns(), time.monotonic()
        time.sleep(seconds)
        frames = max(self.frames() - first, 1)
        elapsed = time.monotonic() - begin
        return Cost(elapsed * 1e3 / frames, (self.cpu_ns() - cpu) / 1e6 / frames, frames)

    def turn(self) -> Cost:
        self.go()
        time.sleep(SETTLE_S)
        cost = self.cost(SLICE_S)
        self.stop()
        return cost

    def end(self) -> None:
        self.go()
        for process in (self.program, self.host):
            process.terminate()
            process.wait()


def stand_apart() -> str:
    """For us and all that we start; says how that went."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        return "among all others: no real-time priority is allowed here"
    return "before all others"


def bounds(values: "list[float]") -> "tuple[float, float]":
    """Of the median, 95 %: by the binomial distribution of how many lie below it."""
    ordered = sorted(values)
    reach = 0.98 * len(ordered) ** 0.5
    low = max(int(len(ordered) / 2 - reach), 0)
    return ordered[low], ordered[len(ordered) - 1 - low]


def median(ratios: "list[Cost]") -> Cost:
    if not ratios:
        raise SystemExit("attach_bench.py: no slice had frames enough: the machine is too busy")
    return Cost(
        statistics.median(r.ms for r in ratios), statistics.median(r.cpu_ms for r in ratios)
    )


def compare(armed: Run, plain: Run, rounds: int) -> "list[Cost]":
    """The armed one's cost as a part of the other's, in each round."""
    ratios = []
    for i in range(rounds):
        one, other = (armed, plain) if i % 2 == 0 else (plain, armed)
        costs = {one: one.turn(), other: other.turn()}
        a, b = costs[armed], costs[plain]
        if min(a.frames, b.frames) >= FRAMES_MIN:
            ratios.append(Cost(a.ms / b.ms, a.cpu_ms / b.cpu_ms))
    return ratios


def record(run: Run, trace: pathlib.Path) -> None:
    """Switched on and off again; it ran meanwhile."""
    run.go()
    words = [SLUICE, "record", "-q", "--attach", str(run.socket), "-o", str(trace)]
    recorder = subprocess.Popen(words)
    part = pathlib.Path(f"{trace}.part")
    while recorder.poll() is None and not (part.exists() and b"FRAM" in part.read_bytes()):
        time.sleep(0.01)
    time.sleep(SPAN_S)
    subprocess.run([SLUICE, "record", "-q", "--stop", str(run.socket)], check=True)
    if recorder.wait() != 0:
        raise SystemExit(f"attach_bench.py: a recording ended with {recorder.returncode}")
    run.stop()


def one_pair(folder: pathlib.Path, rounds: int) -> "tuple[list[Cost], list[list[Cost]]]":
    """Ratios before any recording, and after each."""
    armed, plain = Run(folder, "armed"), Run(folder, "plain")
    try:
        before, after = compare(armed, plain, 2 * rounds), []
        for i in range(SPANS):
            record(armed, folder / f"{i}.slc")
            after.append(compare(armed, plain, rounds))
    finally:
        armed.end()
        plain.end()
    return before, after


def main(words: "Optional[list[str]]" = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args(words)
    print(stand_apart(), flush=True)
    changes: "list[Cost]" = []
    for pair in range(options.pairs):
        with tempfile.TemporaryDirectory() as name:
            first, later = one_pair(pathlib.Path(name), options.rounds)
        before, after = median(first), [median(ratios) for ratios in later]
        changes += [
            Cost(r.ms / before.ms, r.cpu_ms / before.cpu_ms) for ratios in later for r in ratios
        ]
        print(
            f"pair {pair}: armed over unarmed before {before.ms:.3f} (cpu {before.cpu_ms:.3f}),"
            f" after {' '.join(f'{a.ms:.3f}' for a in after)}"
            f" (cpu {' '.join(f'{a.cpu_ms:.3f}' for a in after)})",
            flush=True,
        )
    found = median(changes)
    ms, cpu = bounds([c.ms for c in changes]), bounds([c.cpu_ms for c in changes])
    print(
        f"after over before: frame time {found.ms:.3f} ({ms[0]:.3f}-{ms[1]:.3f}),"
        f" processor time {found.cpu_ms:.3f} ({cpu[0]:.3f}-{cpu[1]:.3f})"
    )
    if options.out is not None:
        result = {"ms": found.ms, "ms_95": ms, "cpu_ms": found.cpu_ms, "cpu_ms_95": cpu}
        options.out.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    sys.exit(main())
