#!/usr/bin/env python3
"""Ordinary programs as guests of libgfxstream_backend: every line must be as it is natively.

usage: abi_programs_test.py --vmm PROGRAM --share DIR [--flags N] PROGRAM:LEAST ...

abi_vmm links the library as a monitor does and serves our guest drivers, which DIR (share/ of a
build or an installation) names. Each program prints a line a result, hashes of pixels among them;
it runs natively, then below the monitor, in two lives of one monitor: the renderer is torn down and
made anew between them. Exit 1 on any difference, or when a program prints fewer than LEAST results.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile


def run(program: str, more: dict[str, str]) -> list[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "VK_", "__EGL_VENDOR"))
    }
    # A driver that unloads itself hides its leaks' origin from the suppressions.
    environment.update(more or {"ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "report_bugs=0"})
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        print(done.stdout[-2000:], done.stderr[-4000:], sep="\n")
        raise SystemExit(f"{program} ended with {done.returncode}")
    return done.stdout.splitlines()


class Monitor:
    def __init__(self, vmm: str, socket: str, flags: str) -> None:
        self.process = subprocess.Popen(
            [vmm, socket, flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def expect(self, word: str) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line != word + "\n":
            self.process.kill()
            raise SystemExit(f"abi_vmm said {line!r}, not {word}")

    def next_life(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.expect("down")

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.expect("down")
        if self.process.wait(60) != 0:
            raise SystemExit(f"abi_vmm ended with {self.process.returncode}")


def differences(wanted: list[str], got: list[str], name: str) -> int:
    different = [pair for pair in zip(wanted, got) if pair[0] != pair[1]]
    for a, b in different[:20]:
        print(f"differs: native: {a} | {name}: {b}")
    if len(wanted) != len(got):
        print(f"{name}: {len(got)} lines, natively {len(wanted)}")
    return len(different) + abs(len(wanted) - len(got))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vmm", required=True)
    parser.add_argument("--share", required=True, type=pathlib.Path)
    parser.add_argument("--flags", default="0x79")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    programs = [program.rsplit(":", 1) for program in options.programs]
    native = {program: run(program, {}) for program, _ in programs}
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/vmm"
        icd = str(options.share / "vulkan/icd.d/sluice_icd.json")
        guest = {
            "SLUICE_SOCKET": socket,
            "VK_DRIVER_FILES": icd,
            "VK_ICD_FILENAMES": icd,
            "__EGL_VENDOR_LIBRARY_FILENAMES": str(
                options.share / "glvnd/egl_vendor.d/50_sluice.json"
            ),
        }
        monitor = Monitor(options.vmm, socket, options.flags)
        monitor.expect("up")
        for life in (1, 2):
            for program, _ in programs:
                got = run(program, guest)
                different += differences(native[program], got, f"{program}, life {life}")
            if life == 1:
                monitor.next_life()
                monitor.expect("up")
        monitor.end()
    few = [program for program, least in programs if len(native[program]) < int(least)]
    results = sum(map(len, native.values()))
    print(f"{len(programs)} programs, {results} results, twice; {different} differ", *few)
    return 1 if different or few else 0


if __name__ == "__main__":
    sys.exit(main())
