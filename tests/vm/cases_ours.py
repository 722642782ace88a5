"""Our guest libraries inside the guest, over its kernel's driver."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
from typing import List, Optional, Tuple

import picture
from cases import COMPOSITOR, X_SERVER, Case, Guest, Setup, check_programs, need, programs_script
from cases_desktop import (
    POINTING,
    desktop_begin,
    desktop_points,
    desktop_script,
    known_picture,
    screenshot,
    until,
)
from picture import Picture

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from weston import weston  # noqa: E402

# Beside the stock ones: Vulkan's driver file, glvnd's vendor file.
VULKAN_OF_OURS = "export VK_DRIVER_FILES=/share/ours/share/vulkan/icd.d/sluice_icd.json\n"
OURS = f"""
{VULKAN_OF_OURS}
export __EGL_VENDOR_LIBRARY_FILENAMES=/share/ours/share/glvnd/egl_vendor.d/50_sluice.json
export GBM_BACKEND=sluice GBM_BACKENDS_PATH=/share/ours/lib/gbm
"""
SCENES = "--validate -b build -b texture"
WAYLAND_GLMARK2 = f"glmark2-es2-wayland --size 400x300 {SCENES}"
# A virtual GPU's display takes no alpha.
OPAQUE = "--visual-config red=8:green=8:blue=8:alpha=0:buffer=24"
DISPLAY_GLMARK2 = f"glmark2-es2-drm {OPAQUE} -b build:duration=3 -b texture:duration=3"
GLMARK2 = "glmark2-es2 --size 400x300 -b build:duration=3 -b texture:duration=3"


def bring(guest: Guest) -> None:
    """The libraries and the files that name them go to the guest."""
    build = guest.setup.programs.resolve().parents[2]
    for part in (
        "lib/libvulkan_sluice.so",
        "lib/libEGL_sluice.so",
        "lib/gbm",
        "share/vulkan",
        "share/glvnd",
    ):
        target = guest.share / "ours" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (build / part).is_dir():
            shutil.copytree(build / part, target)
        else:
            shutil.copy(build / part, target)


def ours(setup: Setup) -> None:
    """Our drivers over the guest's kernel: Vulkan and GLES, the bytes of this machine."""
    script = X_SERVER + OURS
    script += 'part summary; vulkaninfo --summary 2>&1; echo "code $?"\n'
    script += 'part vkcube; timeout 300 vkcube --wsi xcb --c 100 2>&1; echo "code $?"\n'
    script += 'part es2; timeout 100 es2_info 2>&1; echo "code $?"\n'
    script += 'part gears; timeout 20 stdbuf -oL es2gears_x11 2>&1; echo "code $?"\n'
    script += f'part glmark2; timeout 200 {GLMARK2} 2>&1; echo "code $?"\n'
    script += 'part fences; timeout 100 ./fence_program 2>&1; echo "code $?"\n'
    with Guest(setup, "ours") as guest:
        bring(guest)
        shutil.copy(setup.programs.parent / "fence_program", guest.share)
        found = guest.run(script + programs_script(guest), 900)
    need("llvmpipe" in found["summary"] and "code 0" in found["summary"], found["summary"])
    need("code 0" in found["vkcube"], found["vkcube"])
    check_programs(setup, found)
    need("code 0" in found["es2"] and "Sluice" in found["es2"], found["es2"][-2000:])
    need("frames in" in found["gears"], found["gears"])
    fences = found["fences"]
    need("native fences: yes" in fences and ": no" not in fences, fences)
    need("given back" in fences and "code 0" in fences, fences)
    scenes = re.findall(r"^\[(\w+)\].*FPS: [1-9]", found["glmark2"], re.M)
    need(scenes == ["build", "texture"] and "code 0" in found["glmark2"], found["glmark2"])
    need(re.search(r"GL_RENDERER: +llvmpipe", found["glmark2"]) is not None, found["glmark2"])


def desktop_ours(setup: Setup) -> None:
    """weston draws its desktop by our EGL and GBM; its pointer is the display's own plane."""
    # To programs that set everything at once the kernel shows a virtual GPU's cursor plane only if
    # they know of hot spots, which weston does not.
    script = OURS + "export WESTON_DISABLE_ATOMIC=1\n" + desktop_script("gl")
    with Guest(setup, "desktop_ours", devices=POINTING) as guest:
        bring(guest)
        clean = desktop_begin(guest, script)
        desktop_points(guest, clean)
        seen = screenshot(guest)  # without the plane of the pointer
        need(seen == clean, "the pointer is drawn into the desktop, not on its plane")
        guest.let_go("desktop")
        found = guest.end()
    need(re.search(r"GL renderer: +llvmpipe", found["weston"]) is not None, found["weston"])
    need("Sluice" in found["weston"], found["weston"])


def hash_of(seen: Picture) -> int:
    """gbm_program's."""
    value = 2166136261
    for row in seen.rows:
        for at in range(0, len(row), 3):
            for byte in (row[at + 2], row[at + 1], row[at]):
                value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def wayland_ours(setup: Setup) -> None:
    """Windows of Wayland by our EGL, on a weston that draws by it: this machine's answers."""
    folder = setup.programs.parent
    script = OURS + COMPOSITOR.replace("RENDERER", "gl")
    script += 'part program; timeout 100 ./wayland_program < /dev/null; echo "code $?"\n'
    script += f'part glmark2; timeout 200 {WAYLAND_GLMARK2} 2>&1; echo "code $?"\n'
    script += 'part dmabuf; WAYLAND_DEBUG=client timeout 10 weston-simple-dmabuf-egl 2>&1\n'
    script += "part weston; cat weston.log\n"
    with Guest(setup, "wayland_ours") as guest:
        bring(guest)
        shutil.copy(folder / "wayland_program", guest.share)
        found = guest.run(script, 600)
    with weston() as env:
        words = [folder / "wayland_program"]
        native = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True)
    want = f"{native.stdout.decode()}code {native.returncode}\n"
    need(found["program"] == want, f"native says\n{want}the guest\n{found['program']}")
    validated = re.findall(r"^\[(\w+)\].*Validation: Success", found["glmark2"], re.M)
    need(validated == ["build", "texture"] and "code 0" in found["glmark2"], found["glmark2"])
    # It draws into buffers of GBM by images and hands their dma-bufs to weston, which takes these.
    handed = re.findall(r"-> wl_surface.*attach\(wl_buffer", found["dmabuf"])
    taken = re.findall(r"fenced_release|immediate_release", found["dmabuf"])
    need(len(handed) > 20 and len(taken) >= len(handed) - 3, found["dmabuf"][-2000:])
    need("Sluice" in found["weston"], found["weston"])


def compositor_ours(setup: Setup) -> None:
    """A compositor of wlroots draws into the display's buffers by images of their dma-bufs, what it
    shows when it draws by the CPU; programs draw by our EGL in it."""
    script = OURS + "export LIBSEAT_BACKEND=noop WLR_LIBINPUT_NO_DEVICES=1 WLR_BACKENDS=drm\n"
    script += "export WLR_RENDERER_ALLOW_SOFTWARE=1\n"
    for renderer in ("pixman", "gles2"):
        script += f"export WLR_RENDERER={renderer}\n"
        script += "cage -- weston-image /share/background.png > cage.log 2>&1 &\n"
        script += f"meet {renderer}; kill $!; wait $!; part {renderer}; cat cage.log\n"
    words = "glmark2-es2-wayland --validate -b build"
    script += f"timeout 300 cage -- {words} > cage.log 2>&1; part glmark2; cat cage.log\n"
    shown = []
    with Guest(setup, "compositor_ours") as guest:
        bring(guest)
        picture.write(guest.share / "background.png", known_picture())
        guest.begin(script)
        for renderer in ("pixman", "gles2"):
            guest.meet(renderer)
            shown.append(settled(guest))
            guest.let_go(renderer)
        found = guest.end()
    need(shown[0] == shown[1], f"the pictures differ: {found['gles2']}")
    need("Validation: Success" in found["glmark2"], found["glmark2"])


def settled(guest: Guest) -> Picture:
    """The display when it shows more than a few colours and nothing moves."""
    seen: List[Optional[Picture]] = [None]

    def is_still() -> bool:
        before, seen[0] = seen[0], screenshot(guest)
        colours = (
            {row[x : x + 3] for row in seen[0].rows for x in range(0, len(row), 3)}
            if seen[0]
            else set()
        )
        return len(colours) > 16 and seen[0] == before

    until(guest, "a picture on the display", is_still)
    assert seen[0] is not None
    return seen[0]


def display_ours(setup: Setup) -> None:
    """Programs draw by our EGL and GBM onto the guest's display: what they drew is seen."""
    # kmscube ends when its input says something, or ends.
    script = OURS + "mkfifo /tmp/quiet; exec 9<> /tmp/quiet\n"
    script += 'part kmscube; timeout 60 kmscube -c 60 2>&1 <&9; echo "code $?"\n'
    # Into buffers by their images; shown one by one, and all at once with fences.
    script += 'part images; timeout 60 kmscube -x -c 60 2>&1 <&9; echo "code $?"\n'
    script += 'part atomic; timeout 60 kmscube -x -A -c 60 2>&1 <&9; echo "code $?"\n'
    # Its faces' picture of brightness and colours in dma-bufs, as two images and as one.
    for mode in ("nv12-2img", "nv12-1img"):
        script += f'part {mode}; timeout 60 kmscube -M {mode} -c 60 2>&1 <&9; echo "code $?"\n'
    script += f'part glmark2; timeout 200 {DISPLAY_GLMARK2} 2>&1; echo "code $?"\n'
    script += "(while [ ! -e go.shown ]; do sleep 0.1; done) | ./gbm_program > gbm.log 2>&1 &\n"
    script += "while ! grep -q shown gbm.log && kill -0 $!; do sleep 0.1; done\n"
    script += 'meet shown; wait $!; echo "code $?" >> gbm.log; part gbm; cat gbm.log\n'
    with Guest(setup, "display_ours") as guest:
        bring(guest)
        shutil.copy(setup.programs.parent / "gbm_program", guest.share)
        guest.begin(script)
        guest.meet("shown")
        seen = screenshot(guest)
        guest.let_go("shown")
        found = guest.end()
    for part in ("kmscube", "images", "atomic", "nv12-2img", "nv12-1img"):
        need("Rendered 59 frames" in found[part], found[part][-2000:])
    scenes = re.findall(r"^\[(\w+)\].*FPS: [1-9]", found["glmark2"], re.M)
    need(scenes == ["build", "texture"] and "code 0" in found["glmark2"], found["glmark2"])
    need("set crtc" not in found["glmark2"], found["glmark2"])
    frames = re.findall(r"^frame .*: drawn (\w+), in the buffer (\w+)", found["gbm"], re.M)
    need(len(frames) == 10 and all(a == b for a, b in frames), found["gbm"])
    words = [setup.programs.parent / "gbm_program", "10", "1280", "800"]
    native = subprocess.run(words, capture_output=True, text=True).stdout
    pictures = re.findall(r"^frame \d+: drawn (\w+)", native, re.M)
    need(pictures == [a for a, _ in frames], f"{found['gbm']}{native}")
    for what, count in (("target", 16), ("written", 8)):
        lines = re.findall(f"^{what} .*", native, re.M)
        need(len(lines) == count, native)
        need(lines == re.findall(f"^{what} .*", found["gbm"], re.M), f"{found['gbm']}{native}")
    need("images: 400 of 400\n" in found["gbm"], found["gbm"])
    imported = re.findall(r"imported (\w+), modifier 0, external 0, error 0", found["gbm"])
    need(imported == [frames[-1][0]], found["gbm"])
    need("refused: 300c 3009 3002 3009 500\n" in found["gbm"], found["gbm"])
    need("backend sluice" in found["gbm"] and "code 0" in found["gbm"], found["gbm"])
    need(seen is not None and f"{hash_of(seen):08x}" == frames[-1][0], "the display differs")


# Of a texture of each kind: what stock Mesa names and we cannot.
UNNAMED = ("RGB10_A2", "RGBA16F", "RGBA32F", "RGBA4", "RGB5_A1")


def export_lines(text: str) -> Tuple[List[str], List[str]]:
    """What is said of textures, but for how long rows are and kinds that stock Mesa alone names;
    what was seen. Who draws into another program's texture does not bring that to pages that are
    mapped: its owner does, with what it draws next."""
    kinds = [re.sub(r"stride \d+", "stride", l) for l in re.findall(r"^kind .*", text, re.M)]
    seen = re.findall(r"^(?!kind).*", text, re.M)
    seen = [l.partition(", in the memory")[0] if l.startswith("drawn there") else l for l in seen]
    return [l for l in kinds if not l.startswith(tuple(f"kind {n}:" for n in UNNAMED))], seen


def export_ours(setup: Setup) -> None:
    """Textures given to another program as dma-bufs, both drawing: stock Mesa's answers."""
    run = "timeout 100 ./export_program 2> errors.log"
    script = f'part stock; {run}; echo "code $?"\n{OURS}'
    script += f'part ours; {run}; echo "code $?"; part errors; cat errors.log\n'
    with Guest(setup, "export_ours") as guest:
        bring(guest)
        shutil.copy(setup.programs.parent / "export_program", guest.share)
        found = guest.run(script)
    stock, ours = export_lines(found["stock"]), export_lines(found["ours"])
    need(len(stock[0]) == 13 and "code 0" in stock[1], found["stock"])
    need(stock == ours, f"stock says\n{found['stock']}ours\n{found['ours']}{found['errors']}")


def zink_above_ours(setup: Setup) -> None:
    """The guest's Mesa draws OpenGL by Zink above our Vulkan driver."""
    script = X_SERVER + OURS + "unset __EGL_VENDOR_LIBRARY_FILENAMES\n"
    script += "export MESA_LOADER_DRIVER_OVERRIDE=zink LIBGL_ALWAYS_SOFTWARE=1\n"
    script += 'part eglinfo; timeout 300 eglinfo -B -p surfaceless 2>&1; echo "code $?"\n'
    script += 'part gears; timeout 40 stdbuf -oL es2gears_x11 2>&1; echo "code $?"\n'
    with Guest(setup, "zink_above_ours") as guest:
        bring(guest)
        found = guest.run(script, 900)
    renderer = re.search(r"renderer: zink Vulkan .*llvmpipe", found["eglinfo"])
    need(renderer is not None and "code 0" in found["eglinfo"], found["eglinfo"])
    need("frames in" in found["gears"], found["gears"])


ALL: Tuple[Case, ...] = (
    ours,
    wayland_ours,
    display_ours,
    export_ours,
    desktop_ours,
    compositor_ours,
    zink_above_ours,
)
