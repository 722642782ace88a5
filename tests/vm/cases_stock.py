"""A stock guest: nothing of ours in it, nothing told to it."""

from __future__ import annotations

from typing import Tuple

from cases import (
    BY_CPU,
    COMPOSITOR,
    X_SERVER,
    Case,
    Guest,
    Setup,
    check_programs,
    need,
    programs_script,
)


def boots(setup: Setup) -> None:
    """The kernel's driver finds the device, its capsets and its scanout."""
    with Guest(setup, "boots") as guest:
        found = guest.run("part dri; ls /dev/dri; part caps; cat /sys/class/drm/card*-*/status")
    need("renderD128" in found["dri"], f"no render node: {found['dri']}")
    need("connected" in found["caps"].split(), f"no display: {found['caps']}")


def vulkaninfo(setup: Setup) -> None:
    """The stock driver lists this machine's lavapipe, with and without an X server."""
    script = "part summary; vulkaninfo --summary 2>&1\n"
    script += f"{X_SERVER} part with_x; vulkaninfo --summary 2>&1\n"
    with Guest(setup, "vulkaninfo") as guest:
        found = guest.run(script)
    for part in ("summary", "with_x"):
        need("gfxstream" in found[part].lower() and "ERROR" not in found[part], found[part])
        need("llvmpipe" in found[part], found[part])


def vkcube(setup: Setup) -> None:
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
    with Guest(setup, "vkcube") as guest:
        found = guest.run(script, 900)
    for part in ("wayland", "xcb"):
        need("code 0" in found[part], f"{part}: {found[part]}")
        need("gfxstream" in found[part].lower(), f"{part}: {found[part]}")


def vkmark(setup: Setup) -> None:
    """A scene to a compositor that draws with GL: pictures go as dma-bufs."""
    script = (
        COMPOSITOR.replace("RENDERER", "gl")
        + """
part vkmark
timeout 300 vkmark --winsys wayland -b clear:duration=3 2>&1; echo "code $?"
"""
    )
    with Guest(setup, "vkmark") as guest:
        found = guest.run(script, 900)
    need("code 0" in found["vkmark"] and "FPS" in found["vkmark"], found["vkmark"])


def programs(setup: Setup) -> None:
    """What programs compute and draw is what they do on this machine, byte by byte."""
    with Guest(setup, "programs") as guest:
        found = guest.run(programs_script(guest), 900)
    check_programs(setup, found)


ALL: Tuple[Case, ...] = (boots, vulkaninfo, vkcube, programs, vkmark)
