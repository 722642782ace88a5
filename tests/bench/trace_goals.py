"""Goals of traces that are no property of one call: seeking, large files, replay, trim, damage."""

from __future__ import annotations

import pathlib
import re
import shutil
import statistics
import struct
from typing import Callable, Optional, TypeVar

from trace_bed import Bed, Cost, Json, gfxreconstruct

T = TypeVar("T")

LARGE_MIB = 1200
FRAMES = 10000
LITTLE = 200  # frames
REPLAYS = 9  # rounds at least
STARTS = 15  # likewise
# Of each way in a round, forward and backward: one is a quarter of a second, natively 0.23 or 0.31
# by where the scheduler puts the driver's threads, so that two alone say little.
TAKES = 4
KINDS = (b"CALL", b"VERB", b"MEMW", b"BLOB")


def median(costs: "list[Cost]", of: "Callable[[Cost], float]" = lambda c: c.seconds) -> float:
    return statistics.median(map(of, costs))


def in_turns(rounds: int, ways: "dict[str, Callable[[], T]]") -> "dict[str, list[T]]":
    found: "dict[str, list[T]]" = {name: [] for name in ways}
    order = list(ways.items())
    for _ in range(rounds):
        for name, way in order:
            found[name].append(way())
        order.reverse()
    return found


def large(bed: Bed, rounds: int) -> Json:
    """A trace of more than a gigabyte."""
    path = bed.folder / "large.slc"
    bed.run(bed.tool("bench/large_trace"), str(path), str(LARGE_MIB))
    size = path.stat().st_size
    calls = int(re.findall(r"(?m)^calls +([\d,]+)", bed.run(bed.sluice, "info", str(path)))[0]
                .replace(",", ""))  # fmt: skip
    look = ["dump", "--calls", str(calls // 2), str(path)]
    costs = in_turns(
        rounds,
        {
            "start": lambda: bed.cost(bed.sluice, "help"),
            "info": lambda: bed.cost(bed.sluice, "info", str(path)),
            "look": lambda: bed.cost(bed.sluice, *look),
        },
    )
    dump = bed.cost(bed.sluice, "dump", str(path))
    path.unlink()
    return {
        "bytes": size,
        "calls": calls,
        "start_s": median(costs["start"]),
        "info_s": median(costs["info"]),
        "look_s": median(costs["look"]),
        "kib": max([dump.peak_kib] + [c.peak_kib for c in costs["info"] + costs["look"]]),
    }


def seek(bed: Bed, rounds: int) -> Json:
    """A frame in the middle of many, with snapshots."""
    path = bed.folder / "frames.slc"
    program = [bed.tool("integration/frames_program"), str(FRAMES), str(bed.folder / "count")]
    bed.record(path, "--snapshot-every", "300", "--", *program)
    words = [bed.sluice, "replay", "--frames", str(FRAMES // 2 + 140), "--hash", str(path)]
    costs = [bed.cost(*words) for _ in range(rounds)]
    return {"frames": FRAMES, "seconds": median(costs)}


def replayed(bed: Bed, rounds: int) -> Json:
    """All of a program that waits for its draws: natively, and its traces."""
    ours, theirs = bed.folder / "whole.slc", bed.folder / "whole.trace"
    program = bed.programs["gl"]
    bed.record(ours, "--", *program)
    ways: "dict[str, Callable[[], Cost]]" = {
        "native": lambda: bed.cost(*program),
        "ours": lambda: bed.cost(bed.sluice, "replay", str(ours)),
    }
    if shutil.which("apitrace") is not None and shutil.which("eglretrace") is not None:
        bed.run("apitrace", "trace", "-a", "egl", "-o", str(theirs), *program)
        ways["theirs"] = lambda: bed.cost("eglretrace", "-b", str(theirs))
    costs = in_turns(max(rounds, REPLAYS) * TAKES, ways)
    sums = {name: [sum(one.seconds for one in c[i : i + TAKES]) for i in range(0, len(c), TAKES)]
            for name, c in costs.items()}  # fmt: skip
    return {name: {"seconds": median(c), "cpu_seconds": median(c, lambda one: one.cpu_seconds),
                   "ratios": sorted(one / native
                                    for one, native in zip(sums[name], sums["native"]))}
            for name, c in costs.items()}  # fmt: skip


def chunks(path: pathlib.Path) -> "list[tuple[bytes, int, int]]":
    """Kind, flags and size in the file."""
    data, at, found = path.read_bytes(), 64, []
    while at + 64 <= len(data):
        _, flags, kind = struct.unpack_from("<HH4s", data, at)
        size = 64 + (struct.unpack_from("<I", data, at + 56)[0] + 63) // 64 * 64
        found.append((kind, flags, size))
        at += size
    return found


def trimmed(bed: Bed, rounds: int) -> Json:
    """Two of a hundred frames."""
    whole, part = bed.folder / "hundred.slc", bed.folder / "two.slc"
    program = [bed.tool("integration/frames_program"), "100", str(bed.folder / "count")]
    if shutil.which("glmark2-es2") is not None:
        program = ["glmark2-es2", "-b", "buffer:nframes=100", "--size", "320x240"]
    bed.record(whole, "--", *program)
    words = ["trim", "--force", "--frames", "50-51", "-o", str(part), str(whole)]
    costs = [bed.cost(bed.sluice, *words) for _ in range(rounds)]
    end = max(i for i, (kind, _, _) in enumerate(chunks(part)) if kind == b"SNAP")
    live = sum(size for i, (kind, _, size) in enumerate(chunks(part)) if i < end and kind in KINDS)
    frames = sum(size for kind, _, size in chunks(whole) if kind in KINDS) * 2 // 100
    return {"seconds": median(costs), "bytes": part.stat().st_size, "of": whole.stat().st_size,
            "live": live, "frames": frames}  # fmt: skip


def little(bed: Bed, program: str) -> Json:
    """Bytes of file a frame that writes 64 bytes to 4 MiB: of one recording less a shorter one."""

    def sizes(record: "Callable[[int], pathlib.Path]") -> float:
        long, short = (record(frames).stat().st_size for frames in (LITTLE, LITTLE // 4))
        return (long - short) / (LITTLE - LITTLE // 4)

    def ours(frames: int) -> pathlib.Path:
        path = bed.folder / "little.slc"
        bed.record(path, "--", program, "--little", str(frames))
        return path

    def theirs(frames: int) -> pathlib.Path:
        path = bed.folder / "little.gfxr"
        path.unlink(missing_ok=True)
        bed.run(program, "--little", str(frames), **gfxreconstruct(path))
        return path

    has_other = shutil.which("gfxrecon-info") is not None
    return {"ours": sizes(ours), "theirs": sizes(theirs) if has_other else None}


def started(bed: Bed, rounds: int) -> Json:
    """What a recorder adds to a program that draws one frame: the median over pairs of starts,
    which by themselves take one of two times, 9 ms apart."""
    ours, theirs = str(bed.folder / "one.slc"), bed.folder / "one.gfxr"
    program = [bed.tool("integration/frames_program"), "1", str(bed.folder / "count")]
    ways: "dict[str, Callable[[], Cost]]" = {
        "run": lambda: bed.cost(bed.sluice, "run", "--", *program),
        "record": lambda: bed.cost(bed.sluice, "record", "-f", "-o", ours, "--", *program),
    }
    if shutil.which("vkcube") is not None and shutil.which("gfxrecon-info") is not None:
        ways["cube"] = lambda: bed.cost("vkcube", "--c", "1")
        ways["theirs"] = lambda: bed.cost("vkcube", "--c", "1", **gfxreconstruct(theirs))
    costs = in_turns(max(rounds, STARTS), ways)
    pairs = [("ours", "record", "run"), ("theirs", "theirs", "cube")]
    return {
        name: statistics.median(a.seconds - b.seconds for a, b in zip(costs[more], costs[less]))
        for name, more, less in pairs
        if more in costs
    }


def damaged(bed: Bed) -> "Optional[Json]":
    """Every byte of a trace changed, one after the other."""
    path = bed.folder / "small.slc"
    program = [bed.tool("integration/frames_program"), "50", str(bed.folder / "count")]
    bed.record(path, "--", *program)
    out = bed.run(bed.tool("integration/trace_faults"), str(path))
    found = re.search(r"([\d,]+) unnoticed", out)
    return {"bytes": path.stat().st_size, "unnoticed": int(found.group(1))} if found else None


def goals(bed: Bed, rounds: int) -> Json:
    return {
        "large": large(bed, rounds),
        "seek": seek(bed, rounds),
        "replayed": replayed(bed, rounds),
        "trimmed": trimmed(bed, rounds),
        "little": little(bed, bed.tool("bench/touch_bench")),
        "started": started(bed, rounds),
        "damaged": damaged(bed),
    }
