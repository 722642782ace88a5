"""A stock Debian guest renders through Sluice: nothing of ours in it, nothing told to it.

    vm_test.py --sluice build/dev/bin/sluice --bed build/vm [--list short|all | CASE ... | --shell]

Each case is one machine on one `sluice device`. The guest's kernel log must stay free of warnings
of virtio-gpu and drm. Closing line: machines, cases, failures.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Callable, Dict, List, Tuple

import bed

# What the guest's kernel says of itself, not of us.
EXPECTED = ("No EDID found", "simple-framebuffer")


class Failure(Exception):
    pass


def need(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


class Device:
    """`sluice device` with its socket in the machine's share."""

    def __init__(self, sluice: pathlib.Path, machine: bed.Machine, *options: str) -> None:
        self.socket = machine.share / "gpu"
        self.log = machine.share / "device.log"
        command = [str(sluice), "device", "--socket", str(self.socket), "--log-file", str(self.log)]
        self.process = subprocess.Popen([*command, *options])
        started = time.monotonic()
        while not self.socket.exists():
            need(self.process.poll() is None, "sluice device ended at once")
            need(time.monotonic() - started < 30, "sluice device made no socket in 30 s")
            time.sleep(0.05)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("sluice device did not end in 20 s") from None


ENVIRONMENT = r"""
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/gfxstream_vk_icd.json
part() { echo "== $1"; }
finish() { part kernel; dmesg | grep -iE 'virtio.?gpu|\[drm' ; exit 0; }
"""


def parts(output: str) -> Dict[str, str]:
    """What stands behind each `== name`."""
    found: Dict[str, str] = {}
    for block in re.split(r"^== ", output, flags=re.M)[1:]:
        name, _, text = block.partition("\n")
        found[name.strip()] = text
    return found


def check_kernel(text: str) -> None:
    need("+context_init" in text, f"the kernel sees no context types:\n{text}")
    need("+resource_blob" in text and "+host_visible" in text, f"no blobs:\n{text}")
    for line in text.splitlines():
        wrong = re.search(r"error|fail|warn|\*ERROR\*|timed? ?out", line, re.I)
        need(wrong is None or any(e in line for e in EXPECTED), f"the kernel complains: {line}")


def run(machine: bed.Machine, script: str, seconds: float = 600) -> Dict[str, str]:
    code = machine.run(ENVIRONMENT + script + "\nfinish\n", seconds, gpu_socket="gpu")
    output = machine.output()
    need(
        code == 0,
        f"the guest's script ended with {code}:\n{output[-3000:]}\n{machine.console()[-1500:]}",
    )
    found = parts(output)
    check_kernel(found.get("kernel", ""))
    return found


def boots(machine: bed.Machine) -> None:
    """The kernel's driver finds the device, its capsets and its scanout."""
    found = run(machine, "part dri; ls /dev/dri; part caps; cat /sys/class/drm/card*-*/status")
    need("renderD128" in found["dri"], f"no render node: {found['dri']}")


def vulkaninfo(machine: bed.Machine) -> None:
    """The stock driver lists this machine's lavapipe."""
    found = run(machine, "part summary; vulkaninfo --summary 2>&1")
    need("gfxstream" in found["summary"].lower(), found["summary"])
    need("llvmpipe" in found["summary"], found["summary"])


COMPOSITOR = """
weston --backend=headless --renderer=RENDERER --socket=w --idle-time=0 > weston.log 2>&1 &
for i in $(seq 100); do [ -S $XDG_RUNTIME_DIR/w ] && break; sleep 0.1; done
export WAYLAND_DISPLAY=w
"""
# It says when it is ready.
X_SERVER = """
Xvfb :5 -displayfd 3 3> x.ready > x.log 2>&1 &
for i in $(seq 300); do [ -s x.ready ] && break; sleep 0.1; done
export DISPLAY=:5

"""
# Mesa presents by memory of the CPU where a compositor or X server takes no dma-buf.
BY_CPU = "MESA_VK_WSI_DEBUG=sw"


def vkcube(machine: bed.Machine) -> None:
    """A stock program draws 100 frames to windows of a compositor and of an X server."""
    script = (
        COMPOSITOR.replace("RENDERER", "pixman")
        + f"""
part wayland
{BY_CPU} timeout 300 vkcube --wsi wayland --c 100 2>&1; echo "code $?"
part xcb
{X_SERVER}
{BY_CPU} timeout 300 vkcube --wsi xcb --c 100 2>&1; echo "code $?"
"""
    )
    found = run(machine, script, 900)
    for part in ("wayland", "xcb"):
        need("code 0" in found[part], f"{part}: {found[part]}")
        need("gfxstream" in found[part].lower(), f"{part}: {found[part]}")


def vkmark(machine: bed.Machine) -> None:
    """A scene to a compositor that draws with GL: pictures go as dma-bufs."""
    script = (
        COMPOSITOR.replace("RENDERER", "gl")
        + """
part vkmark
timeout 300 vkmark --winsys wayland -b clear:duration=3 2>&1; echo "code $?"
"""
    )
    found = run(machine, script, 900)
    need("code 0" in found["vkmark"] and "FPS" in found["vkmark"], found["vkmark"])


def zink(machine: bed.Machine) -> None:
    """OpenGL through Zink above the stock driver."""
    script = """
part eglinfo
export MESA_LOADER_DRIVER_OVERRIDE=zink
timeout 300 eglinfo -B -p surfaceless 2>&1; echo "code $?"
"""
    found = run(machine, script, 900)
    need("zink" in found["eglinfo"].lower(), found["eglinfo"])


# Ours, but they know the loader alone: each prints hashes of what it read back.
PROGRAMS = ("compute", "triangle", "formats", "queries", "timeline", "descriptor_indexing")
programs_folder = pathlib.Path()


def programs_script(machine: bed.Machine) -> str:
    """The programs go to the guest; lines of shell that run them, a part each."""
    script = ""
    for name in PROGRAMS:
        shutil.copy(programs_folder / f"vulkan_{name}", machine.share)
        script += f'part {name}; timeout 120 ./vulkan_{name} 2>/dev/null; echo "code $?"\n'
    return script


def check_programs(found: Dict[str, str]) -> None:
    for name in PROGRAMS:
        native = subprocess.run([programs_folder / f"vulkan_{name}"], capture_output=True)
        want = f"{native.stdout.decode()}code {native.returncode}\n"
        need(found[name] == want, f"{name}: native says\n{want}the guest\n{found[name]}")


def programs(machine: bed.Machine) -> None:
    """What programs compute and draw is what they do on this machine, byte by byte."""
    check_programs(run(machine, programs_script(machine), 900))


# Our guest libraries beside the stock ones: Vulkan's driver file, glvnd's vendor file.
OURS = """
export VK_DRIVER_FILES=/share/ours/share/vulkan/icd.d/sluice_icd.json
export __EGL_VENDOR_LIBRARY_FILENAMES=/share/ours/share/glvnd/egl_vendor.d/50_sluice.json
"""


def ours(machine: bed.Machine) -> None:
    """Our drivers over the guest's kernel: Vulkan and GLES, the bytes of this machine."""
    build = programs_folder.resolve().parents[2]
    for part in ("lib/libvulkan_sluice.so", "lib/libEGL_sluice.so", "share/vulkan", "share/glvnd"):
        target = machine.share / "ours" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (build / part).is_dir():
            shutil.copytree(build / part, target)
        else:
            shutil.copy(build / part, target)
    script = X_SERVER + OURS
    script += 'part summary; env -u DISPLAY vulkaninfo --summary 2>&1; echo "code $?"\n'
    script += 'part vkcube; timeout 300 vkcube --wsi xcb --c 100 2>&1; echo "code $?"\n'
    script += 'part es2; timeout 100 es2_info 2>&1; echo "code $?"\n'
    script += 'part gears; timeout 20 stdbuf -oL es2gears_x11 2>&1; echo "code $?"\n'
    found = run(machine, script + programs_script(machine), 900)
    need("llvmpipe" in found["summary"] and "code 0" in found["summary"], found["summary"])
    need("code 0" in found["vkcube"], found["vkcube"])
    check_programs(found)
    need("code 0" in found["es2"] and "Sluice" in found["es2"], found["es2"][-2000:])
    need(re.search(r"frames in", found["gears"]) is not None, found["gears"])


Case = Callable[[bed.Machine], None]
SHORT: Tuple[Case, ...] = (boots, vulkaninfo, vkcube)
ALL: Tuple[Case, ...] = (*SHORT, programs, vkmark, zink, ours)


def shell(sluice: pathlib.Path, folder: pathlib.Path) -> int:
    """By hand: the guest's console is this terminal; `exit` powers it off."""
    machine = bed.Machine(folder, "shell")
    device = Device(sluice.resolve(), machine)
    try:
        machine.start("setsid -c sh -i", "gpu", console=None)
        machine.wait(24 * 3600)
    finally:
        machine.stop()
        device.end()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", type=pathlib.Path, required=True)
    parser.add_argument("--bed", type=pathlib.Path, required=True, help="where the root is kept")
    parser.add_argument("--list", choices=("short", "all"), default="short")
    parser.add_argument("cases", nargs="*", help="names of cases instead of a list")
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path())
    parser.add_argument("--shell", action="store_true", help="a shell in the guest, on this tty")
    args = parser.parse_args()
    global programs_folder
    programs_folder = args.programs
    if args.shell:
        return shell(args.sluice, args.bed)
    cases = SHORT if args.list == "short" else ALL
    if args.cases:
        cases = tuple(c for c in ALL if c.__name__ in args.cases)
    failures: List[str] = []
    for case in cases:
        machine = bed.Machine(args.bed, case.__name__)
        device = Device(args.sluice.resolve(), machine)
        try:
            case(machine)
            print(f"vm: {case.__name__}: {(case.__doc__ or '').strip()} ok", flush=True)
        except Failure as problem:
            failures.append(case.__name__)
            print(f"vm: {case.__name__}: FAILED: {problem}", flush=True)
            print(f"vm: its files are in {machine.share}", flush=True)
        finally:
            machine.stop()
            device.end()
    print(f"vm: {len(cases)} machines, {len(cases) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bed.BedError as problem:
        sys.exit(f"vm: {problem}")
