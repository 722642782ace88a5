"""Our guest libraries inside the guest, over its kernel's driver."""

from __future__ import annotations

import re
import shutil
from typing import Tuple

from cases import X_SERVER, Case, Guest, Setup, check_programs, need, programs_script

# Beside the stock ones: Vulkan's driver file, glvnd's vendor file.
OURS = """
export VK_DRIVER_FILES=/share/ours/share/vulkan/icd.d/sluice_icd.json
export __EGL_VENDOR_LIBRARY_FILENAMES=/share/ours/share/glvnd/egl_vendor.d/50_sluice.json
"""


def bring(guest: Guest) -> None:
    """The libraries and the files that name them go to the guest."""
    build = guest.setup.programs.resolve().parents[2]
    for part in ("lib/libvulkan_sluice.so", "lib/libEGL_sluice.so", "share/vulkan", "share/glvnd"):
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
    with Guest(setup, "ours") as guest:
        bring(guest)
        found = guest.run(script + programs_script(guest), 900)
    need("llvmpipe" in found["summary"] and "code 0" in found["summary"], found["summary"])
    need("code 0" in found["vkcube"], found["vkcube"])
    check_programs(setup, found)
    need("code 0" in found["es2"] and "Sluice" in found["es2"], found["es2"][-2000:])
    need(re.search(r"frames in", found["gears"]) is not None, found["gears"])


ALL: Tuple[Case, ...] = (ours,)
