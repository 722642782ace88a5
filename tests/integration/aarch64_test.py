#!/usr/bin/env python3
"""Guests and hosts of another processor: builds for aarch64 and for this machine meet.

usage: aarch64_test.py --here FOLDER --there FOLDER [--emulator PROGRAM]

FOLDER: a build of this machine, and one of aarch64, whose programs EMULATOR [qemu-aarch64] runs.
A guest of there on a host of here must print what the program of here prints natively, as the same
driver draws; or, in a line, what the program of there prints: what a number becomes that has no
integer is the processor's. A host of there has a driver of its own: its guest of here must print
what the program of there prints natively. A trace of here must be dumped there to the same bytes,
and play there to its end. Prints a line a check and a closing line; exit 1 when one failed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Iterator

PATIENCE_S = 300
# Those without an end, a native side, or words of their own; with a window, or figures of memory.
GUESTS_LEFT_OUT = {"endless", "headless", "swapchains", "windows", "carries", "rooms", "counts"}
GUESTS_LEFT_OUT |= {"mapped", "device_cycles"}
FEATURES = ("gles1", "gles2", "gles3", "gles32")
ON_THEIR_DRIVER = ("compute", "triangle", "timeline", "push_constants", "queries")


class Machine:
    def __init__(self, build: pathlib.Path, emulator: "list[str]") -> None:
        self.build = build.resolve()
        self.emulator = emulator
        self.sluice = [*emulator, str(self.build / "bin" / "sluice")]

    def vulkan(self, area: str) -> "list[str]":
        path = self.build / "tests" / "integration" / "vulkan" / f"vulkan_{area}"
        return [*self.emulator, str(path)]

    def features(self, version: str) -> "list[str]":
        path = self.build / "tests" / "integration" / f"{version}_features"
        return [*self.emulator, str(path)]

    def areas(self) -> "list[str]":
        folder = self.build / "tests" / "integration" / "vulkan"
        names = (path.name[len("vulkan_") :] for path in folder.glob("vulkan_*") if path.is_file())
        return sorted(set(names) - GUESTS_LEFT_OUT)

    def guest(self, socket: str) -> "dict[str, str]":
        """What sluice run gives a program, which it cannot start below an emulator."""
        share = self.build / "share"
        return {
            "SLUICE_SOCKET": socket,
            "VK_DRIVER_FILES": str(share / "vulkan" / "icd.d" / "sluice_icd.json"),
            "VK_ICD_FILENAMES": str(share / "vulkan" / "icd.d" / "sluice_icd.json"),
            "__EGL_VENDOR_LIBRARY_FILENAMES": str(share / "glvnd/egl_vendor.d/50_sluice.json"),
        }


def plain() -> "dict[str, str]":
    ours = ("SLUICE_", "VK_", "__EGL_VENDOR")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def said(command: "list[str]", more: "dict[str, str] | None" = None) -> str:
    done = subprocess.run(
        command, env=dict(plain(), **(more or {})), capture_output=True, timeout=PATIENCE_S
    )
    if done.returncode != 0:
        words = " ".join(command)
        raise Failure(f"{words} ended with {done.returncode}: {done.stderr.decode()[-1500:]}")
    return done.stdout.decode(errors="surrogateescape")


class Failure(Exception):
    pass


class Checks:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def same(self, name: str, wanted: str, got: str, or_as: "list[str] | None" = None) -> None:
        """`or_as`: a command whose lines are right as well, wherever they stand."""
        lines, others = wanted.splitlines(), got.splitlines()
        differ = [b for a, b in zip(lines, others) if a != b]
        if differ and or_as is not None:
            too = said(or_as).splitlines()
            differ = [line for line in differ if line not in too]
        if differ or len(lines) != len(others) or not lines:
            raise Failure(f"{len(differ)} of {len(lines)} lines differ: {differ[:1]}")
        self.passed += 1
        print(f"{name}: {len(lines)} lines, the same", flush=True)

    @contextlib.contextmanager
    def check(self, name: str) -> "Iterator[None]":
        try:
            yield
        except (Failure, subprocess.TimeoutExpired) as failure:
            self.failed += 1
            print(f"{name}: FAILED: {failure}", flush=True)


@contextlib.contextmanager
def host(machine: Machine, folder: str) -> "Iterator[str]":
    socket = os.path.join(folder, "host")
    command = [*machine.sluice, "serve", "--quiet", "--socket", socket]
    process = subprocess.Popen(command, env=plain())
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not os.path.exists(socket) and process.poll() is None:
            if time.monotonic() > deadline:
                raise SystemExit("aarch64_test: the host does not listen")
            time.sleep(0.02)
        yield socket
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def guests_of_there(checks: Checks, here: Machine, there: Machine, folder: str) -> None:
    with host(here, folder) as socket:
        for area in there.areas():
            name = f"guest of aarch64, Vulkan {area}"
            with checks.check(name):
                got = said(there.vulkan(area), there.guest(socket))
                checks.same(name, said(here.vulkan(area)), got)
        for version in FEATURES:
            name = f"guest of aarch64, {version}"
            with checks.check(name):
                got = said(there.features(version), there.guest(socket))
                checks.same(name, said(here.features(version)), got, there.features(version))


def hosts_of_there(checks: Checks, here: Machine, there: Machine, folder: str) -> None:
    with host(there, folder) as socket:
        for area in ON_THEIR_DRIVER:
            name = f"host of aarch64, Vulkan {area}"
            with checks.check(name):
                got = said(here.vulkan(area), here.guest(socket))
                checks.same(name, said(there.vulkan(area)), got)


def traces(checks: Checks, here: Machine, there: Machine, folder: str) -> None:
    for kind, program in (("Vulkan", here.vulkan("triangle")), ("GLES", here.features("gles2"))):
        trace = os.path.join(folder, f"{kind}.slc")
        with checks.check(f"trace, {kind}"):
            said([*here.sluice, "record", "--quiet", "-o", trace, "--", *program])
            for verb in (["dump"], ["dump", "--json"], ["info", "--check"]):
                words = [*verb, trace]
                name = f"trace, {kind}: sluice {' '.join(verb)}"
                with checks.check(name):
                    checks.same(name, said([*here.sluice, *words]), said([*there.sluice, *words]))
            said([*there.sluice, "replay", "--quiet", "--timeout", str(PATIENCE_S), trace])
            checks.passed += 1
            print(f"trace, {kind}: plays on aarch64", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--here", required=True, type=pathlib.Path)
    parser.add_argument("--there", required=True, type=pathlib.Path)
    parser.add_argument("--emulator", default="qemu-aarch64")
    arguments = parser.parse_args()
    here = Machine(arguments.here, [])
    there = Machine(arguments.there, [arguments.emulator])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        traces(checks, here, there, folder)
        hosts_of_there(checks, here, there, folder)
        guests_of_there(checks, here, there, folder)
    print(f"aarch64: {checks.passed} checks passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
