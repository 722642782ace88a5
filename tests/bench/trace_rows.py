"""What the part `trace` of the benchmarks' table says, of the JSON that trace_table.py leaves."""

from __future__ import annotations

import statistics
from typing import Any, Callable, Optional

from row import Row

Json = Any


def trace_rows(data: Json) -> "list[Row]":
    """Calls are what the other tool counts, since a packet of ours may hold many."""
    goals = {"gl": ("Apitrace", 3), "vk": ("Gfxreconstruct", 12)}
    rows = [
        row for api, (name, size) in goals.items() for row in api_rows(data[api], api, name, size)
    ]
    return (
        rows
        + touched_rows(data["touched"])
        + goal_rows(data["goals"])
        + capture_rows(data["capture"])
    )


def touched_rows(data: Json) -> "list[Row]":
    """By what the kernel tells, which has goals, and by comparing every page."""
    rows = []
    other = data.get("Gfxreconstruct")
    for way, how in (("Sluice", ""), ("comparing", ", by comparing")):
        for percent, goal in (("1", 0.5), ("10", None), ("100", 40)):
            key = f"touch_{percent}"
            ours = (data[way][key] - data["run"][key]) / 1e6
            has_goal = goal is not None and way == "Sluice"
            theirs = (other[key] - data["native"][key]) / 1e6 if other else None
            rows.append(
                Row(
                    f"recording, 64 MiB mapped, {percent} % written{how}",
                    f"{theirs:+,.1f} ms" if theirs is not None else "not installed",
                    f"{ours:+,.1f} ms",
                    "",
                    f"<= +{goal} ms" if has_goal else "",
                    ours <= goal if has_goal else None,
                )
            )
    return rows


def api_rows(data: Json, api: str, name: str, size: int) -> "list[Row]":
    ns, ours = data["program_ns"], data["tools"]["Sluice"]
    other = data["tools"].get(name)
    calls = other["calls"] if other else ours["lines"]
    each = ours["bytes"] / calls
    pays = data["frame_ns"]["Sluice"] / data["frame_ns"]["run"]
    played = calls / ours["replay_s"]
    look_ms = ours["look"]["seconds"] * 1e3

    def beside(text: "Callable[[Json], str]") -> str:
        return text(other) if other else "not installed"

    def rate(way: str, goal: float) -> Row:
        """Calls that a core shows in a second."""
        found = ours["lines"] / ours[way]["cpu_seconds"]
        return Row(
            f"trace, {api}: {'dump' if way == 'dump' else 'dump as JSON'}, calls a core's second",
            beside(
                lambda o: f"{o['calls'] / o[way]['cpu_seconds'] / 1e6:.2f} M" if way in o else ""
            ),
            f"{found / 1e6:.2f} M",
            "",
            f">= {goal:.0f} M",
            found >= goal * 1e6,
        )

    return [
        Row(
            f"recording, {api}: what the program pays, {'a draw' if api == 'gl' else 'a frame'}",
            f"{ns[name] - ns['native']:+,.0f} ns" if name in ns else "not installed",
            f"{ns['Sluice'] - ns['run']:+,.0f} ns",
            f"{pays:.3f}",
            "<= 1.05",
            pays <= 1.05,
        ),
        Row(
            f"trace, {api}: bytes a call, of {calls:,}",
            beside(lambda o: f"{o['bytes'] / o['calls']:.2f}"),
            f"{each:.2f}",
            "",
            f"<= {size}",
            each <= size,
        ),
        rate("dump", 2),
        rate("json", 1),
        Row(
            f"trace, {api}: info",
            beside(lambda o: f"{o['info']['seconds'] * 1e3:.1f} ms"),
            f"{ours['info']['seconds'] * 1e3:.1f} ms",
            "",
            "<= 10 ms",
            ours["info"]["seconds"] <= 0.01,
        ),
        Row(
            f"trace, {api}: one call in the middle, program's start and all",
            beside(lambda o: f"{o['look']['seconds'] * 1e3:.1f} ms"),
            f"{look_ms:.1f} ms",
            "",
            "",
            None,
        ),
        Row(
            f"trace, {api}: the same with its objects numbered",
            "",
            f"{ours['named_s'] * 1e3:.1f} ms",
            "",
            "",
            None,
        ),
        Row(
            f"trace, {api}: null replay, calls a second",
            "has none",
            f"{played / 1e6:.1f} M",
            f"{calls / ours['replay_cpu_s'] / 1e6:.1f} M a core's",
            ">= 5 M",
            played >= 5e6,
        ),
        Row(
            f"trace, {api}: memory of dump",
            beside(lambda o: f"{o['dump']['kib'] / 1024:.1f} MB"),
            f"{ours['dump']['kib'] / 1024:.1f} MB",
            "",
            "<= 16 MB",
            ours["dump"]["kib"] <= 16 * 1024,
        ),
    ]


def goal_rows(data: Json) -> "list[Row]":
    size, cut, start, play = data["large"], data["trimmed"], data["started"], data["replayed"]
    look_ms = (size["look_s"] - size["start_s"]) * 1e3
    bound = cut["live"] + cut["frames"]
    added = start["ours"] * 1e3
    ratios = {name: one["ratios"] for name, one in play.items()}
    times = {name: statistics.median(found) for name, found in ratios.items()}
    return [
        large_row(size, "info", size["info_s"] * 1e3, 10),
        large_row(size, "one call in the middle, beyond the program's start", look_ms, 2),
        Row(
            "trace of 1.2 GiB: memory of dump and info",
            "",
            f"{size['kib'] / 1024:.1f} MB",
            "",
            "<= 16 MB",
            size["kib"] <= 16 * 1024,
        ),
        Row(
            f"frame {data['seek']['frames'] // 2 + 140:,} of {data['seek']['frames']:,} drawn",
            "",
            f"{data['seek']['seconds']:.2f} s",
            "",
            "<= 1 s",
            data["seek"]["seconds"] <= 1,
        ),
        Row(
            "replay against native, whole program",
            f"eglretrace {times['theirs']:.2f}" if "theirs" in times else "not installed",
            f"{play['ours']['seconds']:.2f} s",
            f"{times['ours']:.3f} ({ratios['ours'][0]:.3f}-{ratios['ours'][-1]:.3f})",
            "<= 1.1",
            times["ours"] <= 1.1,
        ),
        Row(
            "trim of 2 of 100 frames: bytes",
            f"{bound:,} of frames and state",
            f"{cut['bytes']:,} of {cut['of']:,}",
            f"{cut['bytes'] / bound:.2f}",
            "<= 1.3",
            cut["bytes"] <= 1.3 * bound,
        ),
        Row(
            "trim of 2 of 100 frames: time",
            "",
            f"{cut['seconds']:.2f} s",
            "",
            "<= 1 s",
            cut["seconds"] <= 1,
        ),
        little_row(data["little"]),
        Row(
            "recording, what it adds to a program's start",
            f"{start['theirs'] * 1e3:+,.0f} ms" if "theirs" in start else "",
            f"{added:+,.1f} ms",
            "",
            "<= 10 ms",
            added <= 10,
        ),
        damage_row(data["damaged"]),
    ]


def large_row(size: Json, what: str, ms: float, goal: float) -> Row:
    return Row(
        f"trace of {size['bytes'] / 2**30:.1f} GiB: {what}",
        "",
        f"{ms:.1f} ms",
        "",
        f"<= {goal:.0f} ms",
        ms <= goal,
    )


def little_row(data: Json) -> Row:
    return Row(
        "recording, 64 bytes of 4 MiB written: file a frame",
        f"{data['theirs']:,.0f} B" if data["theirs"] is not None else "not installed",
        f"{data['ours']:,.0f} B",
        "",
        "<= 6 KB",
        data["ours"] <= 6000,
    )


def damage_row(data: "Optional[Json]") -> Row:
    return Row(
        "damage: bytes of a trace whose change is not noticed",
        "",
        f"{data['unnoticed']} of {data['bytes']:,}" if data else "not measured",
        "",
        "0",
        data["unnoticed"] == 0 if data else None,
    )


def capture_rows(data: Json) -> "list[Row]":
    tap = data["recorded_ns"] - data["plain_ns"]
    tap_4 = data["recorded_4_ns"] - data["plain_ns"]
    idle = data["armed_ns"] - data["plain_ns"]
    packed = data["pack"]
    rate = 4 * data["recorded_ns"] / data["recorded_4_ns"]
    calls_4 = 4e9 / data["recorded_4_ns"]
    return [
        Row("recording, a call", "", f"{tap:.1f} ns", "", "<= 60 ns", tap <= 60),
        Row("recording, a call of 4 threads", "", f"{tap_4:.1f} ns", "", "<= 60 ns", tap_4 <= 60),
        Row(
            "recording, rate of 4 threads against 1",
            f"writer {data['full'] / 1e6:.1f} M/s",
            f"{calls_4 / 1e6:.1f} M/s",
            f"x{rate:.2f}",
            ">= x3, or what the writer takes",
            rate >= 3 or calls_4 >= data["full"],
        ),
        Row("a recorder that is off, a call", "", f"{idle:.1f} ns", "", "<= 0.3 ns", idle <= 0.3),
        Row("recording, bytes of 64", "", f"{packed:.1f}", "", "<= 12", packed <= 12),
        Row(
            "recording, calls a second, when the writer bounds them",
            "",
            f"{data['full'] / 1e6:.1f} M",
            f"4 threads {data['full_4'] / 1e6:.1f} M",
            "",
            None,
        ),
    ]
