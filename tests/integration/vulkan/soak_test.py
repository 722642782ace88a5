#!/usr/bin/env python3
"""What stays when Vulkan programs run long or often: nothing, on either side.

usage: SLUICE_PROGRAM=PROGRAM VULKAN_PROGRAMS=FOLDER SLUICE_ICD=FILE soak_test.py [Class[.test]]

A host of its own (`sluice serve`) and, for vkcube, an Xvfb of its own. The resident memory of host
and program is read from outside while vkcube draws; after a program that makes and ends devices,
the host has the descriptors and threads that it had before, and no memory more.
SLUICE_SOAK=1: 10000 frames and 1000 devices instead of a few.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Iterator, NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))

from xvfb import x_server  # noqa: E402

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROGRAMS = pathlib.Path(os.environ.get("VULKAN_PROGRAMS", "."))
ICD = os.environ.get("SLUICE_ICD", "sluice_icd.json")
LONG = os.environ.get("SLUICE_SOAK") == "1"
FRAMES = 10000 if LONG else 1500
DEVICES = 1000 if LONG else 240
ROUNDS = 4  # of devices
PATIENCE_S = 280
# Pages that are touched for the first time late are no leak, such as the ring's, a megabyte in
# turn: what may come after the first third, and that over the frames.
GROWTH_MAX_KIB = 4096
SLOPE_MAX_BYTES = 512 if LONG else 4096
LEAK_MAX_BYTES = 16384  # a device


class Sample(NamedTuple):
    time: float
    host_kib: int
    program_kib: int


def resident_kib(pid: int) -> int:
    """Its own memory and what it shares with the other side."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


def entries(pid: int, what: str) -> int:
    return len(os.listdir(f"/proc/{pid}/{what}"))


@contextlib.contextmanager
def host() -> "Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]":
    """A host, and the environment in which programs find it and our driver."""
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "socket")
        words = [SLUICE, "serve", "-q", "--status-fd", "1", "--socket", socket]
        # Each thread keeps an arena of the allocator's busy, of which there are eight a processor:
        # with many it takes hundreds of programs until no new one has to be filled.
        environment = dict(os.environ, MALLOC_ARENA_MAX="2")
        server = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment)
        try:
            assert server.stdout is not None
            if server.stdout.readline() != b"listening\n":
                raise AssertionError("the host did not start")
            paths = {"VK_ICD_FILENAMES": ICD, "VK_DRIVER_FILES": ICD, "SLUICE_SOCKET": socket}
            yield server, dict(os.environ, **paths)
        finally:
            server.terminate()
            server.communicate()


def slope(samples: "list[Sample]", side: int) -> float:
    """KiB a second by least squares."""
    times = [s.time for s in samples]
    values = [float(s[side]) for s in samples]
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    above = sum((t - mean_time) * (v - mean) for t, v in zip(times, values))
    return above / sum((t - mean_time) ** 2 for t in times)


class Vkcube(unittest.TestCase):
    """`vkcube --c N`: memory is flat once the first third of the frames is drawn."""

    def test_memory_is_flat(self) -> None:
        if shutil.which("vkcube") is None or shutil.which("Xvfb") is None:
            self.skipTest("vkcube or Xvfb is not installed")
        samples: "list[Sample]" = []
        with host() as (server, env), x_server() as (screen, _):
            env["DISPLAY"] = screen["DISPLAY"]
            words = ["vkcube", "--c", str(FRAMES)]
            program = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
            begin = time.monotonic()
            while program.poll() is None:
                self.assertLess(time.monotonic() - begin, PATIENCE_S)
                with contextlib.suppress(StopIteration, FileNotFoundError, ProcessLookupError):
                    own = resident_kib(program.pid)
                    samples.append(Sample(time.monotonic() - begin, resident_kib(server.pid), own))
                time.sleep(0.004)
            self.assertEqual(0, program.returncode)
        late = samples[len(samples) // 3 :]
        self.assertGreater(len(late), 10)
        per_second = FRAMES / samples[-1].time
        for side, name in ((1, "host"), (2, "program")):
            values = [s[side] for s in late]
            bytes_a_frame = slope(late, side) * 1024 / per_second
            print(
                f"{name}: {values[0]} KiB after a third of {FRAMES} frames, {values[-1]} KiB at the"
                f" end; {bytes_a_frame:.1f} bytes a frame"
            )
            self.assertLess(values[-1] - values[0], GROWTH_MAX_KIB, name)
            self.assertLess(bytes_a_frame, SLOPE_MAX_BYTES, name)


class Devices(unittest.TestCase):
    """Devices that are made, used and ended: the host is as it was before."""

    def settle(
        self, server: "subprocess.Popen[bytes]", want: "tuple[int, int]"
    ) -> "tuple[int, int]":
        """The host ends what a program left behind after the program: there are as many as before,
        or fewer, if some of an earlier program's were on their way out then."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            have = (entries(server.pid, "fd"), entries(server.pid, "task"))
            if have[0] <= want[0] and have[1] <= want[1]:
                return have
            if time.monotonic() > deadline:
                self.fail(f"descriptors and threads of the host: {have}, before: {want}")
            time.sleep(0.05)

    def test_nothing_stays(self) -> None:
        def cycle(count: int) -> None:
            words = [str(PROGRAMS / "vulkan_device_cycles"), "--cycles", str(count)]
            devnull = subprocess.DEVNULL
            subprocess.run(words, env=env, check=True, stdout=devnull, timeout=PATIENCE_S)

        with host() as (server, env):
            cycle(12)
            time.sleep(1)  # until the host has ended what it had for the first program
            before = (entries(server.pid, "fd"), entries(server.pid, "task"))
            kib = [resident_kib(server.pid)]
            for _ in range(ROUNDS):
                cycle(DEVICES // ROUNDS)
                before = self.settle(server, before)
                kib.append(resident_kib(server.pid))
        print(
            f"host after {ROUNDS} times {DEVICES // ROUNDS} devices: {before[0]} descriptors and"
            f" {before[1]} threads; {kib} KiB"
        )
        # What lies where in the allocator's arenas is chance; a leak grows in every round.
        least = min(after - last for last, after in zip(kib, kib[1:]))
        self.assertLess(least * 1024, LEAK_MAX_BYTES * (DEVICES // ROUNDS))


if __name__ == "__main__":
    unittest.main()
