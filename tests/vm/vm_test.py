"""A Debian guest renders through Sluice: stock programs on the stock driver, and ours.

    vm_test.py --sluice build/dev/bin/sluice --bed build/vm [--list short|all | CASE ... | --shell]
               [--repeat N]

Each case is one machine on one `sluice device`, or several, or none: then host and guest are in
the root. The guest's kernel log must stay free of warnings of virtio-gpu and drm. Closing line:
cases, failures. Where the root cannot be had (no root's rights, no mirror, an old QEMU), it says
why and ends with 77.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time
from typing import List, Tuple

import bed
import cases_chroot
import cases_desktop
import cases_ops
import cases_ours
import cases_stock
import cases_traces
import cases_windows
from cases import Case, Device, Failure, Setup
from machine import Machine

# What CI runs: within 15 minutes on two cores, the root's making included.
SHORT: Tuple[Case, ...] = (
    cases_stock.boots,
    cases_stock.vulkaninfo,
    cases_stock.vkcube,
    cases_stock.programs,
    cases_desktop.console,
    cases_ours.ours,
    cases_ours.wayland_ours,
    cases_ours.display_ours,
    cases_ours.export_ours,
    cases_windows.windows_ours,
    cases_windows.zink,
    cases_traces.attached,
    cases_chroot.newer,
)
SKIPPED = 77  # exit code: this machine cannot make or enter the root
ALL: Tuple[Case, ...] = (
    *cases_stock.ALL,
    *cases_desktop.ALL,
    *cases_ours.ALL,
    *cases_windows.ALL,
    *cases_ops.ALL,
    *cases_traces.ALL,
    *cases_chroot.ALL,
)


def shell(setup: Setup) -> int:
    """By hand: the guest's console is this terminal; `exit` powers it off."""
    machine = Machine(setup.root, "shell", setup.kernel)
    device = Device(setup.sluice, machine)
    try:
        machine.start("setsid -c sh -i", "gpu", console=None)
        machine.wait(24 * 3600)
    finally:
        machine.stop()
        device.end()
    return 0


def run(setup: Setup, cases: Tuple[Case, ...], repeat: int) -> int:
    """Each so often; a case that fails is not run again, so that its files stay."""
    failures: List[str] = []
    passed = 0
    for case in (c for c in cases for _ in range(repeat)):
        if case.__name__ in failures:
            continue
        started = time.monotonic()
        try:
            case(setup)
            passed += 1
            verdict = f"{(case.__doc__ or '').strip()} ok"
        except Failure as problem:
            failures.append(case.__name__)
            verdict = f"FAILED: {problem}\nvm: its files are in {setup.root / 'vm'}"
        print(f"vm: {case.__name__} ({time.monotonic() - started:.0f} s): {verdict}", flush=True)
    print(f"vm: {passed + len(failures)} cases, {passed} passed, {len(failures)} failed")
    return 1 if failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", type=pathlib.Path, required=True)
    parser.add_argument("--bed", type=pathlib.Path, required=True, help="where the root is kept")
    parser.add_argument("--list", choices=("short", "all"), default="short")
    parser.add_argument("cases", nargs="*", help="names of cases instead of a list")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path())
    parser.add_argument("--kernel", default="", help="how its version begins; the newest")
    parser.add_argument("--shell", action="store_true", help="a shell in the guest, on this tty")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each case")
    args = parser.parse_args()
    unknown = [name for name in args.cases if name not in [c.__name__ for c in ALL]]
    if unknown:
        parser.error(f"no case {' '.join(unknown)}; there are {' '.join(c.__name__ for c in ALL)}")
    try:
        root = bed.make_root(args.bed.resolve())
    except bed.BedError as problem:
        print(f"vm: skipped: {problem}")
        return SKIPPED
    setup = Setup(args.sluice.resolve(), root, args.programs, args.kernel)
    if args.shell:
        return shell(setup)
    cases = SHORT if args.list == "short" else ALL
    if args.cases:
        cases = tuple(c for c in ALL if c.__name__ in args.cases)
    return run(setup, cases, args.repeat)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bed.BedError as problem:
        sys.exit(f"vm: {problem}")
