"""Operation: two machines, ends of either side, work without end, what goes over the wire."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import time
from typing import Callable, Dict, List, Set, Tuple

from cases import (
    BY_CPU,
    COMPOSITOR,
    X_SERVER,
    Case,
    Device,
    Guest,
    Setup,
    check_programs,
    need,
    parts,
    programs_script,
)
from cases_ours import OURS, bring

Counters = Dict[str, float]


def ask_stats(guest: Guest) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(guest.setup.sluice), "stats", "--json", str(guest.device.socket)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def counters(guest: Guest) -> Counters:
    """What the device has counted so far: sluice stats."""
    done = ask_stats(guest)
    need(done.returncode == 0, f"sluice stats ended with {done.returncode}: {done.stderr}")
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def wait_until(what: str, is_so: Callable[[], bool], seconds: float = 300) -> None:
    started = time.monotonic()
    while not is_so():
        need(time.monotonic() - started < seconds, f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)


def packets(guest: Guest) -> float:
    return counters(guest)["ring_packets"]


def rates(guests: Tuple[Guest, ...], seconds: float) -> List[float]:
    """Packets a second of each, over the same time."""
    before = [counters(guest) for guest in guests]
    time.sleep(seconds)
    after = [counters(guest) for guest in guests]
    return [
        (b["ring_packets"] - a["ring_packets"]) / (b["time_s"] - a["time_s"])
        for a, b in zip(before, after)
    ]


def files_of(device: Device) -> Set[str]:
    """The memory files that the process holds, by their numbers."""
    folder = f"/proc/{device.process.pid}/fd"
    found = set()
    for name in os.listdir(folder):
        if "memfd:" in os.readlink(f"{folder}/{name}"):
            found.add(str(os.stat(f"{folder}/{name}").st_ino))
    return found


CUBE = (
    f"{X_SERVER}\n({BY_CPU} vkcube --wsi xcb --c 1000000 > cube.txt 2>&1; echo $? > cube.code) &\n"
)


def two_machines(setup: Setup) -> None:
    """Two machines, each its own GPU; one is killed amid its frames, the other draws on."""
    with Guest(setup, "two_a") as a, Guest(setup, "two_b") as b:
        for guest in (a, b):
            guest.begin(programs_script(guest) + CUBE + "meet enough")
        for guest in (a, b):
            guest.meet("enough", 900)
            check_programs(setup, parts(guest.machine.output()))
        for guest in (a, b):
            first = packets(guest)
            wait_until("vkcube draws", lambda: packets(guest) > first + 100)
        need(files_of(a.device) != set(), "the device of the first holds no memory")
        need(files_of(a.device) & files_of(b.device) == set(), "the devices share memory")
        both = rates((a, b), 5)
        a.machine.stop()  # as by kill -9, in the middle of whatever it did
        longest = silence(b, 3)
        # What else the machine does moves the rate, for seconds by any factor.
        alone = 0.0
        for _ in range(8):
            alone = max(alone, rates((b,), 5)[0])
            if alone > 0.5 * both[1]:
                break
        print(
            f"vm: two_machines: packets a second {both[0]:.0f} and {both[1]:.0f}; alone "
            f"{alone:.0f} ({alone / both[1]:.2f}); longest silence {longest * 1000:.0f} ms"
        )
        need(alone > 0.5 * both[1], f"{alone:.0f} packets a second, {both[1]:.0f} before")
        wait_until("nothing of the killed one is left", lambda: counters(a)["resources"] == 0)
        need(counters(b)["resources"] > 0, "the other one's are gone too")
        b.let_go("enough")
        b.end()


def silence(guest: Guest, seconds: float) -> float:
    """The longest time in which the counters stood still, as seen by looking all the time."""
    end = time.monotonic() + seconds
    seen, since, longest = packets(guest), time.monotonic(), 0.0
    while time.monotonic() < end:
        now = packets(guest)
        if now != seen:
            seen, since = now, time.monotonic()
        longest = max(longest, time.monotonic() - since)
    return longest


def qemu_is_killed(setup: Setup) -> None:
    """QEMU is killed amid frames; the next one finds the same device process, and renders."""
    with Guest(setup, "killed") as guest:
        for _ in range(3):
            guest.begin(CUBE + "meet never")
            guest.meet("never")
            first = packets(guest)
            wait_until("vkcube draws", lambda: packets(guest) > first + 100)
            guest.machine.stop()
            wait_until("the device sees it", lambda: counters(guest)["connected"] == 0, 30)
            left = counters(guest)
            need(left["resources"] == left["contexts"] == left["rings"] == 0, f"left over: {left}")
            (guest.share / "here.never").unlink()
        need(guest.device.process.poll() is None, "sluice device ended")
        found = guest.run(programs_script(guest), 900)
    check_programs(setup, found)


def device_is_killed(setup: Setup) -> None:
    """sluice device is killed amid frames; the guest lives on, another serves the next QEMU."""
    with Guest(setup, "orphan") as guest:
        guest.begin(CUBE + "meet drawn; sleep 1; meet alive")
        guest.meet("drawn")
        first = packets(guest)
        wait_until("vkcube draws", lambda: packets(guest) > first + 100)
        guest.device.process.kill()
        guest.device.process.wait()
        guest.let_go("drawn")
        guest.meet("alive")
        need(guest.machine.is_on(), "QEMU ended with the device")
        guest.machine.stop()
        guest.device = Device(setup.sluice, guest.machine)  # where the killed one left its sockets
        wait_until("the next device answers", lambda: ask_stats(guest).returncode == 0, 60)
        found = guest.run(programs_script(guest), 900)
    check_programs(setup, found)


def work_without_end(setup: Setup) -> None:
    """A program whose work never ends: others draw on beside it, and after it was killed."""
    with Guest(setup, "endless") as guest:
        shutil.copy(setup.programs / "vulkan_endless", guest.share)
        script = "./vulkan_endless > endless.txt 2> endless.err & endless=$!\n"
        script += "until grep -qs 'at work' endless.txt; do sleep 0.1; done\n"
        script += programs_script(guest) + "meet beside\n"
        script += "part endless; kill -9 $endless && wait $endless; echo $?; meet killed\n"
        guest.begin(script + programs_script(guest))
        guest.meet("beside", 900)
        check_programs(setup, parts(guest.machine.output()))
        guest.let_go("beside")
        guest.meet("killed")
        wait_until("its ring ends", lambda: counters(guest)["rings"] == 0, 60)
        guest.let_go("killed")
        found = guest.end(900)
        check_programs(setup, found)
        need("137" in found["endless"].split(), f"it ended by itself: {found['endless']}")
        log = guest.device.log.read_text()
    need("is stuck in the driver and is left behind" in log, f"the device does not say so: {log}")


def without_blobs(setup: Setup) -> None:
    """QEMU's vhost-user-gpu, which knows no blobs: the console is drawn by transfers."""
    with Guest(setup, "without_blobs") as guest:
        guest.machine.gpu = "vhost-user-gpu-pci"
        guest.begin("head -c 2000000 /dev/urandom > /dev/fb0; meet drawn; dmesg -r > kernel.txt")
        guest.meet("drawn")
        shot = guest.share / "shot.png"
        wait_until("transfers of the picture", lambda: counters(guest)["transfers"] > 0, 60)
        wait_until(
            "noise in the picture, which does not get smaller",
            lambda: shoot(guest, shot) > 1000000,
            60,
        )
        guest.let_go("drawn")
        need(guest.machine.wait(300), "the guest did not power off")
        log = (guest.share / "kernel.txt").read_text()
    need("-resource_blob" in log and "+edid" in log, "it has blobs, or found no GPU")
    for line in log.splitlines():
        need(re.search(r"virtio.*(error|fail|timed out)", line, re.I) is None, line)


def shoot(guest: Guest, target: pathlib.Path) -> int:
    """A screenshot's size in bytes."""
    done = subprocess.run(
        [str(guest.setup.sluice), "screenshot", "--force", "-o", target, guest.device.socket],
        capture_output=True,
        text=True,
        timeout=60,
    )
    need(done.returncode == 0, f"sluice screenshot ended with {done.returncode}: {done.stderr}")
    return target.stat().st_size


# ---- the wire ----

# What a phase ran, so often; counters are taken before and after it.
Phase = Tuple[str, str, float]
PER_FRAME = (
    "pings",
    "pings_awake",
    "control_kicks",
    "control_chains",
    "control_interrupts",
    "submits",
    "ring_sleeps",
    "ring_packets",
    "ring_bytes",
)


def run_phases(guest: Guest, before: str, phases: List[Phase]) -> List[Counters]:
    """What the counters moved in each phase."""
    script = before + "meet p0\n"
    for number, (name, line, _) in enumerate(phases):
        script += f'part {name}; {line}; echo "code $?"; meet p{number + 1}\n'
    guest.begin(script)
    taken: List[Counters] = []
    for number in range(len(phases) + 1):
        guest.meet(f"p{number}", 600)
        taken.append(counters(guest))
        guest.let_go(f"p{number}")
    found = guest.end()
    for name, _, _ in phases:
        need("code 0" in found[name], f"{name}: {found[name]}")
    return [{k: b[k] - a[k] for k in b} for a, b in zip(taken, taken[1:])]


def table(title: str, rows: List[Tuple[str, Counters, float]]) -> None:
    print(f"vm: traffic: {title}")
    print(f"vm:   {'per frame':24}" + "".join(f"{name:>19}" for name in PER_FRAME))
    for name, moved, count in rows:
        print(f"vm:   {name:24}" + "".join(f"{moved[key] / count:19.2f}" for key in PER_FRAME))


def frames(setup: Setup, name: str, before: str, cube: str, ours: bool) -> None:
    """Frames of vkcube by the difference of two runs; uploads by what the host copied for them."""
    uploads = 21 * (4 << 20)  # of vulkan_bench's bandwidth, and the same read back
    phases: List[Phase] = [
        ("warm", f"{cube} --c 20 > /dev/null 2>&1", 20),
        ("cube100", f"{cube} --c 100 > /dev/null 2>&1", 100),
        ("cube400", f"{cube} --c 400 > /dev/null 2>&1", 400),
        ("vulkan", "./vulkan_bench bandwidth > /dev/null 2>&1", uploads),
    ]
    if ours:
        phases += [
            ("texture0", "./upload_program texture 0", 0),
            ("texture", "./upload_program texture 64", 64 << 20),
            ("buffer", "./upload_program buffer 64", 64 << 20),
        ]
    with Guest(setup, f"traffic_{name}") as guest:
        bench = setup.programs.resolve().parents[1]
        shutil.copy(bench / "bench" / "vulkan_bench", guest.share)
        shutil.copy(bench / "integration" / "upload_program", guest.share)
        if ours:
            bring(guest)
        moved = run_phases(guest, X_SERVER + before, phases)
    cubes = {key: moved[2][key] - moved[1][key] for key in moved[2]}
    table(f"{name} driver", [("vkcube", cubes, 300)])
    for (phase, _, size), change in zip(phases[3:], moved[3:]):
        copied = change["ring_bytes"]  # transfers are the console's
        if size == 0:
            print(f"vm:   {phase}: {copied:.0f} bytes without an upload")
        else:
            print(
                f"vm:   {phase}: {size / (1 << 20):.0f} MiB uploaded, {copied:.0f} bytes copied by "
                f"the host ({copied / size:.4f} each), {change['pings']:.0f} pings"
            )
    check_pings(name, moved)


def check_pings(name: str, moved: List[Counters]) -> None:
    pings = sum(change["pings"] for change in moved)
    awake = sum(change["pings_awake"] for change in moved)
    print(f"vm:   {name}: {pings:.0f} pings in all, {awake:.0f} of them while the host polled")
    need(pings > 0, "no ping was counted")
    need(awake <= 0.01 * pings, f"{awake:.0f} of {pings:.0f} pings found the host awake")


def traffic_stock(setup: Setup) -> None:
    """The stock driver's pings, kicks and copies; no ping while the host polls."""
    frames(setup, "stock", "", f"{BY_CPU} vkcube --wsi xcb", False)


def traffic_ours(setup: Setup) -> None:
    """The same of our drivers."""
    frames(setup, "ours", OURS, "vkcube --wsi xcb", True)


def traffic_vkmark(setup: Setup) -> None:
    """The stock driver under vkmark, whose pictures go as dma-bufs."""
    line = "timeout 300 vkmark --winsys wayland -b {}:duration=5"
    # Each scene with its options. Lavapipe 22.3 takes minutes for a picture with anisotropic
    # filtering in which a face is seen from its edge (README.md), natively too.
    options = {"clear": "", "cube": "", "texture": ":anisotropy=0"}
    scenes = tuple(options)
    phases: List[Phase] = [(scene, line.format(scene + options[scene]), 0) for scene in scenes]
    with Guest(setup, "traffic_vkmark") as guest:
        moved = run_phases(guest, COMPOSITOR.replace("RENDERER", "gl"), phases)
        found = parts(guest.machine.output())
    rows = []
    for scene, change in zip(scenes, moved):
        rate = re.search(r"FPS: (\d+)", found[scene])
        need(rate is not None, found[scene])
        assert rate is not None
        rows.append((f"vkmark {scene}", change, float(rate.group(1)) * 5))
    table("stock driver", rows)
    check_pings("stock", moved)


ALL: Tuple[Case, ...] = (
    two_machines,
    qemu_is_killed,
    device_is_killed,
    work_without_end,
    without_blobs,
    traffic_stock,
    traffic_ours,
    traffic_vkmark,
)
