"""What the cases share: a guest on a device of its own, its script's parts, its kernel's log."""

from __future__ import annotations

import pathlib
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import Callable, Dict, List, Sequence

from machine import Machine, wait_for

# What the guest's kernel says of itself, not of us: 6.1's driver forgot to declare that it takes
# damage, whatever device it drives.
EXPECTED = ("simple-framebuffer", "drm_plane_enable_fb_damage_clips() not called")


class Failure(Exception):
    pass


def need(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


@dataclass(frozen=True)
class Setup:
    sluice: pathlib.Path
    root: pathlib.Path  # the chroot
    programs: pathlib.Path  # folder of the Vulkan test programs
    kernel: str  # how its version begins; empty: the newest


class Device:
    """`sluice device` with its socket in the machine's share."""

    def __init__(self, sluice: pathlib.Path, machine: Machine, *options: str) -> None:
        self.socket = machine.share / "gpu"
        self.log = machine.share / "device.log"
        command = [str(sluice), "device", "--socket", str(self.socket), "--log-file", str(self.log)]
        command += ["--status-fd", "1", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        need(self.process.stdout.readline() == "listening\n", "sluice device does not listen")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("sluice device did not end in 20 s") from None


# meet NAME: this machine's side does something now (Guest.meet) and lets the guest go on.
ENVIRONMENT = r"""
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/gfxstream_vk_icd.json
part() { echo "== $1"; }
finish() { part kernel; dmesg -r; exit 0; }
meet() { touch here.$1; while [ ! -e go.$1 ]; do sleep 0.1; done; }
"""


def parts(output: str) -> Dict[str, str]:
    """What stands behind each `== name`."""
    found: Dict[str, str] = {}
    for block in re.split(r"^== ", output, flags=re.M)[1:]:
        name, _, text = block.partition("\n")
        found[name.strip()] = text
    return found


def check_kernel(text: str) -> None:
    """The kernel's log, each line behind its level (<4> and less are warnings and worse)."""
    need("+context_init" in text, f"the kernel sees no context types:\n{text}")
    need("+resource_blob" in text and "+host_visible" in text, f"no blobs:\n{text}")
    for line in text.splitlines():
        level = re.match(r"<(\d+)>", line)
        ours = re.search(r"virtio.?gpu|drm", line, re.I) is not None
        bad = level is not None and int(level.group(1)) & 7 <= 4
        bad = bad or re.search(r"error|fail|warn|timed? ?out", line, re.I) is not None
        splat = re.search(r"\bWARNING:|\bBUG:|\bOops\b|Call Trace|blocked for more than", line)
        need(
            splat is None and not (ours and bad and not any(e in line for e in EXPECTED)),
            f"the kernel complains: {line}",
        )


class Guest:
    """A machine on a device of its own. Use: with Guest(...) as guest."""

    def __init__(
        self, setup: Setup, name: str, devices: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        self.setup = setup
        self.machine = Machine(setup.root, name, setup.kernel, devices)
        self.share = self.machine.share
        self.device = Device(setup.sluice, self.machine, *options)

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.machine.stop()
        self.device.end()

    def begin(self, script: str) -> None:
        self.machine.begin(ENVIRONMENT + script + "\nfinish\n", gpu_socket="gpu")

    def said(self) -> str:
        return f"{self.machine.output()[-3000:]}\n{self.machine.console()[-1500:]}"

    def meet(self, name: str, seconds: float = 300) -> None:
        """Until the guest's script came to `meet NAME`; it waits there for let_go."""
        here = self.share / f"here.{name}"
        need(
            wait_for(here, self.machine, seconds), f"the guest never came to {name}:\n{self.said()}"
        )

    def let_go(self, name: str) -> None:
        (self.share / f"go.{name}").touch()

    def end(self, seconds: float = 600) -> Dict[str, str]:
        """The script's parts, its kernel's log checked."""
        ended = self.machine.wait(seconds)
        need(ended, f"the guest did not power off in {seconds:.0f} s:\n{self.said()}")
        code = self.machine.code()
        need(code == 0, f"the guest's script ended with {code}:\n{self.said()}")
        found = parts(self.machine.output())
        check_kernel(found.get("kernel", ""))
        return found

    def run(self, script: str, seconds: float = 600) -> Dict[str, str]:
        self.begin(script)
        return self.end(seconds)


Case = Callable[[Setup], None]

COMPOSITOR = """
weston --backend=headless --renderer=RENDERER --socket=w --idle-time=0 > weston.log 2>&1 &
for i in $(seq 600); do [ -S $XDG_RUNTIME_DIR/w ] && break; sleep 0.1; done
export WAYLAND_DISPLAY=w
"""
# It says when it is ready. Without -noreset it starts anew with its last client's end, and refuses
# who comes meanwhile.
X_SERVER = """
Xvfb :5 -noreset -displayfd 3 3> x.ready > x.log 2>&1 &
for i in $(seq 600); do [ -s x.ready ] && break; sleep 0.1; done
export DISPLAY=:5

"""
# Mesa presents by memory of the CPU where a compositor or X server takes no dma-buf.
BY_CPU = "MESA_VK_WSI_DEBUG=sw"

# Ours, but they know the loader alone: each prints hashes of what it read back.
PROGRAMS = ("compute", "triangle", "formats", "queries", "timeline", "descriptor_indexing")


def programs_script(guest: Guest) -> str:
    """The programs go to the guest; lines of shell that run them, a part each."""
    lines: List[str] = []
    for name in PROGRAMS:
        shutil.copy(guest.setup.programs / f"vulkan_{name}", guest.share)
        lines.append(f'part {name}; timeout 120 ./vulkan_{name} 2>/dev/null; echo "code $?"\n')
    return "".join(lines)


def check_programs(setup: Setup, found: Dict[str, str]) -> None:
    for name in PROGRAMS:
        native = subprocess.run([setup.programs / f"vulkan_{name}"], capture_output=True)
        want = f"{native.stdout.decode()}code {native.returncode}\n"
        need(found[name] == want, f"{name}: native says\n{want}the guest\n{found[name]}")
