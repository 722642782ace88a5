"""What a running program pays for having been recorded: its frame time before, between and after
recordings that are switched on and off, beside the same program's on a host that nobody recorded.

usage: SLUICE_PROGRAM=build/release/bin/sluice FRAMES_PROGRAM=... DISPLAY=:0 python3 attach_bench.py
"""

import os
import pathlib
import statistics
import struct
import subprocess
import tempfile
import time

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
FRAMES = os.environ.get("FRAMES_PROGRAM", "frames_program")
SPANS = 5
SPAN_S = 2.0


class Run:
    """A program that draws for ever, on a host of its own."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        self.socket, self.count = folder / f"{name}.sock", folder / f"{name}.count"
        words = [SLUICE, "serve", "-q", "--status-fd", "1", "--socket", str(self.socket)]
        self.host = subprocess.Popen(words, env=env, stdout=subprocess.PIPE)
        assert self.host.stdout is not None
        self.host.stdout.readline()  # "listening"
        words = [SLUICE, "run", "--socket", str(self.socket), "--", FRAMES, "0", str(self.count)]
        self.program = subprocess.Popen(words, env=env)
        while self.frames() == 0:
            time.sleep(0.01)

    def frames(self) -> int:
        try:
            return int(struct.unpack("Q", self.count.read_bytes()[:8])[0])
        except (OSError, struct.error):
            return 0

    def ms_per_frame(self, seconds: float) -> float:
        first, begin = self.frames(), time.monotonic()
        time.sleep(seconds)
        return (time.monotonic() - begin) * 1e3 / max(self.frames() - first, 1)

    def end(self) -> None:
        self.program.terminate()
        self.program.wait()
        self.host.terminate()
        self.host.wait()


def record(run: Run, trace: pathlib.Path) -> float:
    words = [SLUICE, "record", "-q", "--attach", str(run.socket), "-o", str(trace)]
    recorder = subprocess.Popen(words)
    while not pathlib.Path(f"{trace}.part").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    during = run.ms_per_frame(SPAN_S)
    subprocess.run([SLUICE, "record", "-q", "--stop", str(run.socket)], check=True)
    recorder.wait()
    return during


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        armed, plain = Run(folder, "armed"), Run(folder, "plain")
        ratios, recorded = [], []
        for i in range(SPANS + 1):
            a, b = [], []
            for _ in range(16):  # turn about, so that both see the same machine
                a.append(armed.ms_per_frame(SPAN_S / 32))
                b.append(plain.ms_per_frame(SPAN_S / 32))
            ratio = statistics.median(x / y for x, y in zip(a, b))
            ratios.append(ratio)
            print(
                f"outside {i}: {statistics.median(a):.3f} ms/frame,"
                f" unarmed {statistics.median(b):.3f}, ratio {ratio:.3f}"
            )
            if i < SPANS:
                during = record(armed, folder / f"{i}.slc")
                recorded.append(during)
                print(f"recording {i}: {during:.3f} ms/frame")
        print(f"median ratio before any {ratios[0]:.3f}, after {statistics.median(ratios[1:]):.3f}")
        armed.end()
        plain.end()


if __name__ == "__main__":
    main()
