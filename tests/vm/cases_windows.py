"""Windows of X in the guest: what stock programs showed last is what they show on this machine."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
from typing import Dict, Iterable, List, Tuple

from bed import RELEASE_GL
from cases import BY_CPU, X_SERVER, Case, Guest, Setup, need
from cases_ops import counters
from cases_ours import OURS, VULKAN_OF_OURS, bring

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from xvfb import read_xwd, x_server  # noqa: E402

Picture = Tuple[int, int, bytes]  # read_xwd's

SIZE = "800x600"
# What it shows is left on the server's screen, which is a file, by window_bed.
SHOWN_SERVER = (
    X_SERVER.replace("Xvfb :5", f"Xvfb :5 -screen 0 {SIZE}x24 -fbdir /tmp")
    + """
./window_bed > bed.ready &
for i in $(seq 600); do [ -s bed.ready ] && break; sleep 0.1; done
keep() { # the screen, once it stands still: the server draws after the program's end
    for i in $(seq 60); do
        cp /tmp/Xvfb_screen0 "$1"
        sleep 0.5
        cmp -s /tmp/Xvfb_screen0 "$1" && break
    done
}
"""
)
GLMARK2 = "glmark2-es2 --size 400x300 -b {}:nframes=1"
GL: Dict[str, str] = {"build": GLMARK2.format("build"), "texture": GLMARK2.format("texture")}
# It turns by the same angle in each frame, in each release by another: this machine's program.
VULKAN: Dict[str, str] = {"vkcube": "./vkcube --c 60"}
LLVMPIPE = r"llvmpipe \(LLVM [0-9.]+, 256 bits\)"
ZINK = f"""
export LD_LIBRARY_PATH={RELEASE_GL}/usr/lib/x86_64-linux-gnu MESA_LOADER_DRIVER_OVERRIDE=zink
"""
# It asks for DRI3, which a server without a GPU has not, unless told that it is not needed.
WITHOUT_DRI3 = f"export LIBGL_KOPPER_DRI2=1 {BY_CPU}\n"


def show(programs: Dict[str, str], prefix: str = "") -> str:
    """Shell that runs each, and keeps what it left on the screen."""
    return "".join(
        f'part {prefix}{name}; timeout 200 {line} 2>&1; echo "code $?"\n'
        f"keep {prefix}{name}.xwd\n"
        for name, line in programs.items()
    )


def show_here(setup: Setup, programs: Dict[str, str]) -> Dict[str, Picture]:
    """The same programs natively on this machine."""
    pictures = {}
    with x_server(SIZE) as (env, screen):
        bed = subprocess.Popen(
            [setup.programs.parent / "window_bed"], env=env, stdout=subprocess.PIPE
        )
        assert bed.stdout is not None
        need(bed.stdout.readline() == b"ready\n", "window_bed did not start")
        for name, line in programs.items():
            words = line.removeprefix("./").split()
            done = subprocess.run(words, env=env, capture_output=True, timeout=200)
            need(done.returncode == 0, f"{name} natively: {done.stdout!r}{done.stderr!r}")
            pictures[name] = read_xwd(screen)
        bed.kill()
        bed.communicate()
    return pictures


def shown_in(guest: Guest, names: Iterable[str], prefix: str = "") -> Dict[str, Picture]:
    return {name: read_xwd(guest.share / f"{prefix}{name}.xwd") for name in names}


def compare(there: Dict[str, Picture], here: Dict[str, Picture], most: int = 0) -> None:
    """most: by which a byte may differ."""
    for name, native in here.items():
        need(there[name][:2] == native[:2], f"{name}: {there[name][:2]}, not {native[:2]}")
        differ = [abs(a - b) for a, b in zip(there[name][2], native[2]) if a != b]
        need(
            max(differ, default=0) <= most,
            f"{name}: {len(differ)} bytes differ, {max(differ, default=0)} at most",
        )
    seen = {native[2] for native in here.values()}
    need(len(seen) == len(here) and all(any(rows) for rows in seen), "the pictures are all one")


def windows_ours(setup: Setup) -> None:
    """What glmark2 and vkcube show on the guest's X server by our drivers is what they do here."""
    programs = {**GL, **VULKAN}
    with Guest(setup, "windows_ours") as guest:
        bring(guest)
        shutil.copy(setup.programs.parent / "window_bed", guest.share)
        shutil.copy(str(shutil.which("vkcube")), guest.share)
        found = guest.run(SHOWN_SERVER + OURS + show(programs), 600)
        for name in programs:
            need("code 0" in found[name], found[name])
        for name in GL:
            need(re.search(f"GL_RENDERER: +{LLVMPIPE}", found[name]) is not None, found[name])
        compare(shown_in(guest, programs), show_here(setup, programs))


def zink(setup: Setup) -> None:
    """OpenGL by the release's Zink on the stock driver (not by the backports'): as on ours."""
    renderer = rf"zink Vulkan 1\.3\(Virtio-GPU GFXStream \({LLVMPIPE}\)"
    script = f"{SHOWN_SERVER}part newer\n"
    script += "MESA_LOADER_DRIVER_OVERRIDE=zink timeout 300 eglinfo -B -p surfaceless 2>&1\n"
    script += f"{ZINK}part surfaceless; timeout 300 eglinfo -B -p surfaceless 2>&1\n"
    script += f"{WITHOUT_DRI3}part x11; timeout 300 eglinfo -B -p x11 2>&1; meet gears\n"
    script += 'part gears; timeout 20 stdbuf -oL es2gears_x11 2>&1; echo "code $?"; meet turned\n'
    with Guest(setup, "zink") as guest:
        shutil.copy(setup.programs.parent / "window_bed", guest.share)
        bring(guest)
        # Ours does not hide that the device is a CPU, which Zink takes only when told to.
        script += show(GL) + VULKAN_OF_OURS + "export LIBGL_ALWAYS_SOFTWARE=1\n"
        script += show(GL, "ours-")
        guest.begin(script)
        packets: List[float] = []
        for place in ("gears", "turned"):
            guest.meet(place)
            packets.append(counters(guest)["ring_packets"])
            guest.let_go(place)
        found = guest.end()
        if "Zink requires the nullDescriptor feature" not in found["newer"]:
            print("vm: zink: the backports' takes the stock driver now; the release's is to go")
        for part in ("surfaceless", "x11"):
            lines = re.findall(f"profile renderer: {renderer}", found[part])
            need(len(lines) == 3, f"{part}: {found[part]}")
        frames = sum(int(n) for n in re.findall(r"(\d+) frames in", found["gears"]))
        need(frames > 0 and packets[1] - packets[0] > frames, f"{found['gears']}{packets}")
        for name in GL:
            need(re.search(f"GL_RENDERER: +{renderer}", found[name]) is not None, found[name])
            ours = found[f"ours-{name}"]
            need(re.search(rf"GL_RENDERER: +zink Vulkan .*\({LLVMPIPE}", ours) is not None, ours)
        shown = shown_in(guest, GL)
        compare(shown, shown_in(guest, GL, "ours-"))
        compare(shown, show_here(setup, GL), most=1)  # where GL is no Vulkan, and an older Mesa's


ALL: Tuple[Case, ...] = (windows_ours, zink)
