#!/usr/bin/env python3
"""What a context costs: its start as the n-th one, its memory with the driver's taken away, the
host's idling.

    context_table.py --sluice build/release/bin/sluice --program
    build/release/tests/bench/frame_bench
                     --vendor-file build/release/share/glvnd/egl_vendor.d/50_sluice.json [--clients
                     1024] [--json FILE]

One `sluice serve` and so many programs, one after the other, each with a context and one frame;
they stay, silent. A
context's memory is what of it nobody else has (Private_Dirty), in the program and in the host, less
what the same context
costs natively, where it is the driver's alone. Exit 0: done; 1: a program failed; 2: usage.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Optional

SLICE = 64
WARM = 8
IDLE_S = 3.0
PATIENCE_S = 60


def private_kib(pid: int) -> int:
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Private_Dirty: +(\d+)", text, re.M)
    assert found is not None
    return int(found.group(1))


def cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process, exact to the ns: its clock, as clock_getcpuclockid
    makes the id."""
    return time.clock_gettime((~pid << 3) | 2)


class Program:
    """frame_bench --contexts, at one of its stops; what it said goes on in `said`."""

    def __init__(self, words: "list[str]", env: "dict[str, str]") -> None:
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )
        self.said = ""
        self.to_stop()

    def to_stop(self) -> int:
        """Waits for its next stop: the KiB that are its own there."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == "stop\n":
                return private_kib(self.process.pid)
            self.said += line
        raise RuntimeError(f"frame_bench ended with {self.process.wait()}")

    def go_on(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.to_stop()

    def figure(self, name: str) -> float:
        found = re.search(rf'"{name}": ([\d.]+)', self.said)
        assert found is not None
        return float(found.group(1))

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def native(words: "list[str]", env: "dict[str, str]", count: int) -> "tuple[float, float, float]":
    """One process with as many contexts: KiB of each, ns of the first ones and of the last."""
    program = Program(words + ["--contexts", str(count), "--stops"], env)
    try:
        before = program.go_on()
        each = (program.go_on() - before) / (count - 1)
        return each, program.figure("context_first"), program.figure("context_last")
    finally:
        program.end()


def serve(sluice: str, path: str) -> "subprocess.Popen[str]":
    server = subprocess.Popen(
        [sluice, "serve", "--quiet", "--socket", path, "--status-fd", "1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith("ready"):
            return server
    raise RuntimeError(f"sluice serve ended with {server.wait()}")


def measure(args: argparse.Namespace) -> "dict[str, object]":
    words = [args.program]
    env = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    driver, native_first, native_last = native(words, env, args.clients)
    programs: "list[Program]" = []
    starts: "list[float]" = []
    guest_kib: "list[int]" = []
    host_kib: "list[int]" = []
    idle: Optional[float] = None
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "host")
        ours = dict(env, SLUICE_SOCKET=path, __EGL_VENDOR_LIBRARY_FILENAMES=args.vendor_file)
        server = serve(args.sluice, path)
        try:
            for number in range(args.clients):
                program = Program(words + ["--contexts", "1", "--stops"], ours)
                programs.append(program)
                before = private_kib(program.process.pid)
                guest_kib.append(program.go_on() - before)
                starts.append(program.figure("start"))
                if number in (WARM, WARM + SLICE):
                    host_kib.append(private_kib(server.pid))
                if number + 1 == SLICE:
                    begin, cpu = time.monotonic(), cpu_s(server.pid)
                    time.sleep(IDLE_S)
                    idle = 100 * (cpu_s(server.pid) - cpu) / (time.monotonic() - begin)
        finally:
            for program in programs:
                program.end()
            server.terminate()
            code = server.wait(PATIENCE_S)
        if code != 0:
            raise RuntimeError(f"sluice serve ended with {code}")
    host = (host_kib[1] - host_kib[0]) / SLICE
    guest = statistics.median(guest_kib)
    return {
        "bench": "context",
        "schema": 1,
        "clients": args.clients,
        "slice": SLICE,
        "first_ns": statistics.median(starts[WARM : WARM + SLICE]),
        "last_ns": statistics.median(starts[-SLICE:]),
        "native_first_ns": native_first,
        "native_last_ns": native_last,
        "guest_kib": guest,
        "host_kib": host,
        "driver_kib": driver,
        "own_kib": guest + host - driver,
        "idle_percent": idle,
        "idle_clients": SLICE,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sluice", required=True, help="the sluice program")
    parser.add_argument("--program", required=True, help="frame_bench")
    parser.add_argument("--vendor-file", required=True, help="the guest library's glvnd file")
    parser.add_argument("--clients", type=int, default=1024)
    parser.add_argument("--json", help="write the figures there")
    args = parser.parse_args()
    if args.clients < 2 * SLICE + WARM:
        parser.error(f"--clients is {args.clients}; it should be at least {2 * SLICE + WARM}")
    try:
        result = measure(args)
    except (RuntimeError, OSError) as failure:
        print(failure, file=sys.stderr)
        return 1
    for name, value in result.items():
        print(f"{name:14} {value}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
