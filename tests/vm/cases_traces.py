"""Recordings of a machine that runs: they begin and end without its knowledge, and are replayed."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from typing import List, Tuple

from cases import BY_CPU, X_SERVER, Case, Guest, Setup, need
from cases_ops import counters, packets, wait_until
from cases_ours import OURS, bring

GL = "glmark2-es2 --size 320x240 -b texture:duration=100000"
CUBE = "vkcube --wsi xcb --c 1000000"
FRAMES = 10


def begin(guest: Guest, rings: int, before: str, *programs: str) -> None:
    """Programs that draw for ever, by so many rings, and the script at `meet drawing`."""
    script = X_SERVER + before
    for program in programs:
        name = re.search(r"vkcube|glmark2", program)
        assert name is not None
        script += f"({program} > {name[0]}.txt 2>&1; echo $? > {name[0]}.code) &\n"
    guest.begin(script + "meet drawing")
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
        begin(guest, 3, OURS, GL, CUBE)  # two of vkcube
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


def attached_stock(setup: Setup) -> None:
    """The stock driver, which marks no frames, is recorded while it draws; its answers hold."""
    with Guest(setup, "attached_stock") as guest:
        begin(guest, 1, "", f"{BY_CPU} {CUBE}")
        trace = guest.share / "stock.slc"
        record_until(guest, trace, 1000)
        facts = json.loads(sluice(guest, "info", "--json", str(trace)))
        need(facts["complete"] and facts["calls"] >= 500 and facts["snapshots"] == 1, f"{facts}")
        need(not pictures(guest, trace), "there are frames now: ask for their pictures")
        ended(guest)


ALL: Tuple[Case, ...] = (attached, attached_stock)
