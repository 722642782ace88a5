"""Our guest libraries inside the guest, over its kernel's driver."""

from __future__ import annotations

import re
import shutil
from typing import Tuple

from cases_desktop import POINTING, desktop_begin, desktop_points, desktop_script, screenshot
from cases import X_SERVER, Case, Guest, Setup, check_programs, need, programs_script

# Beside the stock ones: Vulkan's driver file, glvnd's vendor file.
OURS = """
export VK_DRIVER_FILES=/share/ours/share/vulkan/icd.d/sluice_icd.json
export __EGL_VENDOR_LIBRARY_FILENAMES=/share/ours/share/glvnd/egl_vendor.d/50_sluice.json
export GBM_BACKEND=sluice GBM_BACKENDS_PATH=/share/ours/lib/gbm
"""
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
    with Guest(setup, "ours") as guest:
        bring(guest)
        found = guest.run(script + programs_script(guest), 900)
    need("llvmpipe" in found["summary"] and "code 0" in found["summary"], found["summary"])
    need("code 0" in found["vkcube"], found["vkcube"])
    check_programs(setup, found)
    need("code 0" in found["es2"] and "Sluice" in found["es2"], found["es2"][-2000:])
    need("frames in" in found["gears"], found["gears"])
    scenes = re.findall(r"^\[(\w+)\].*FPS: [1-9]", found["glmark2"], re.M)
    need(scenes == ["build", "texture"] and "code 0" in found["glmark2"], found["glmark2"])
    need(re.search(r"GL_RENDERER: +llvmpipe", found["glmark2"]) is not None, found["glmark2"])


def desktop_ours(setup: Setup) -> None:
    """weston draws its desktop by our EGL and GBM; its pointer is the display's own plane."""
    script = OURS + desktop_script("gl")
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


ALL: Tuple[Case, ...] = (ours, desktop_ours, zink_above_ours)
