"""Recordings of a machine that runs: they begin and end without its knowledge, and are replayed."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from typing import List, Tuple

from cases import BY_CPU, X_SERVER, Case, Guest, Setup, need
from cases_desktop import POINTING, desktop_begin, desktop_script
from cases_ops import counters, packets, wait_until
from cases_ours import OURS, bring

SCENE = "--size 320x240 -b texture:duration=100000"  # glmark2's
LONG = "--c 1000000"  # vkcube's
FRAMES = 10


def launch(*programs: str) -> str:
    """Shell that starts programs which draw for ever, and stays at `meet drawing`."""
    script = ""
    for number, program in enumerate(programs):
        script += f"({program} > {number}.txt 2>&1; echo $? > {number}.code) &\n"
    return script + "meet drawing"


def await_drawing(guest: Guest, rings: int) -> None:
    """Until the programs draw, by so many rings."""
    guest.meet("drawing")
    wait_until("all their rings", lambda: counters(guest)["rings"] == rings)
    first = packets(guest)
    wait_until("the programs draw", lambda: packets(guest) > first + 1000)


def ended(guest: Guest) -> None:
    """The programs drew on all the time; the kernel is content."""
    first = packets(guest)
    wait_until("the programs draw on", lambda: packets(guest) > first + 100)
    codes = [path.name for path in guest.share.glob("*.code")]
    need(not codes, f"ended by themselves: {codes}")
    guest.let_go("drawing")
    guest.end()


def sluice(guest: Guest, *words: str) -> str:
    done = subprocess.run(
        [str(guest.setup.sluice), *words], capture_output=True, text=True, timeout=200
    )
    need(done.returncode == 0, f"sluice {words} ended with {done.returncode}: {done.stderr}")
    return done.stdout


SNAPSHOT_BYTES = 200_000  # less than any snapshot here has, more than what lies before it


def record_until(guest: Guest, trace: pathlib.Path, some: int) -> None:
    """A recording that is stopped when so many packets came behind its snapshot."""
    words = [str(guest.setup.sluice), "record", "--attach", str(guest.device.socket), "--hash"]
    recorder = subprocess.Popen([*words, "-o", str(trace)], stderr=subprocess.PIPE, text=True)
    part = trace.with_name(f"{trace.name}.part")
    wait_until("a snapshot", lambda: part.exists() and part.stat().st_size > SNAPSHOT_BYTES)
    first = packets(guest)
    wait_until("packets behind it", lambda: packets(guest) > first + some)
    sluice(guest, "record", "--stop", str(guest.device.socket))
    _, said = recorder.communicate(timeout=60)
    need(recorder.returncode == 0, f"record --attach ended with {recorder.returncode}: {said}")


def pictures(guest: Guest, trace: pathlib.Path) -> List[str]:
    """The sizes of those that the replay drew; they and all answers are what they were in the
    machine."""
    said = sluice(guest, "replay", "--hash", "--expect", "live", str(trace))
    return re.findall(r"^\d+ (\d+x\d+) \w+$", said, re.M)


def attached(setup: Setup) -> None:
    """GLES and Vulkan programs by our drivers are recorded while they draw, and replayed."""
    with Guest(setup, "attached") as guest:
        bring(guest)
        guest.begin(X_SERVER + OURS + launch(f"glmark2-es2 {SCENE}", f"vkcube --wsi xcb {LONG}"))
        await_drawing(guest, 3)  # two of vkcube
        for number in range(2):
            trace = guest.share / f"{number}.slc"
            words = ("--attach", str(guest.device.socket), "--hash", "--frames", f"0-{FRAMES - 1}")
            sluice(guest, "record", *words, "-o", str(trace))
            need(len(pictures(guest, trace)) == FRAMES, f"{trace} has not {FRAMES} pictures")
        trace = guest.share / "stopped.slc"
        record_until(guest, trace, 3000)
        facts = json.loads(sluice(guest, "info", "--json", str(trace)))
        shown = pictures(guest, trace)
        need(facts["complete"] and len(shown) == facts["frames"], f"{facts} {shown}")
        need(set(shown) == {"320x240", "500x500"}, f"not of both programs: {shown}")
        ended(guest)


def attached_desktop(setup: Setup) -> None:
    """A desktop on the guest's display is recorded with the windows on it, and replayed."""
    script = OURS + "export WESTON_DISABLE_ATOMIC=1\n" + desktop_script("gl")
    script += "export WAYLAND_DISPLAY=$(cd $XDG_RUNTIME_DIR && ls -d wayland-?)\n"
    script += launch(f"glmark2-es2-wayland {SCENE}", f"vkcube --wsi wayland {LONG}")
    with Guest(setup, "attached_desktop", devices=POINTING) as guest:
        bring(guest)
        desktop_begin(guest, script)
        guest.let_go("desktop")
        await_drawing(guest, 4)  # weston's, glmark2's, two of vkcube
        trace = guest.share / "desktop.slc"
        record_until(guest, trace, 6000)
        shown = pictures(guest, trace)
        need(set(shown) == {"320x240", "500x500", "1280x800"}, f"not of all three: {shown}")
        ended(guest)


def attached_stock(setup: Setup) -> None:
    """The stock driver, which marks no frames, is recorded while it draws; its answers hold."""
    with Guest(setup, "attached_stock") as guest:
        guest.begin(X_SERVER + launch(f"{BY_CPU} vkcube --wsi xcb {LONG}"))
        await_drawing(guest, 1)
        trace = guest.share / "stock.slc"
        record_until(guest, trace, 1000)
        facts = json.loads(sluice(guest, "info", "--json", str(trace)))
        need(facts["complete"] and facts["calls"] >= 500 and facts["snapshots"] == 1, f"{facts}")
        need(not pictures(guest, trace), "there are frames now: ask for their pictures")
        ended(guest)


ALL: Tuple[Case, ...] = (attached, attached_desktop, attached_stock)
