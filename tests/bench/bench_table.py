#!/usr/bin/env python3
"""Every benchmark, one after the other, and one table of what they say against the targets.

    bench_table.py --build build/release --results build/bench [--only frame,local] [--rounds N]
    [--no-clean-build]

A benchmark is a step below: a command that leaves JSON, and the rows read from it. Progress goes to
stderr, the table
to stdout, everything to RESULTS: a file for each step and table.json. A missed target is a row that
says so, not
a failure. Exit 0: all ran; 1: a step failed; 2: usage. Needs DISPLAY for glmark2.
"""
from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Callable, Iterable, Iterator

from row import Json, Row, frame_row, ns_text, ratio_text
from trace_rows import capture_rows, trace_rows
from vulkan_rows import vulkan_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@dataclasses.dataclass
class Place:
    """Where things are."""

    build: pathlib.Path
    results: pathlib.Path
    rounds: int

    @property
    def sluice(self) -> pathlib.Path:
        return self.build / "bin" / "sluice"

    def bench(self, name: str) -> pathlib.Path:
        return self.build / "tests" / "bench" / name


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


# --- frame_bench ---


def frame_rows(data: Json) -> "list[Row]":
    quiet, core, loaded = data["quiet"], data["one-core"], data["loaded"]
    p50, p99 = "get_integer_p50", "get_integer_p99"
    rows = [
        frame_row("synchronous call, p50", quiet[p50], "<= 500 ns", quiet[p50]["sluice_ns"] <= 500),
        frame_row("synchronous call, p99", quiet[p99], "<= 10 us", quiet[p99]["sluice_ns"] <= 10e3),
        frame_row(
            "synchronous call, p50, cores loaded",
            loaded[p50],
            "<= 1 us",
            loaded[p50]["sluice_ns"] <= 1e3,
        ),
        frame_row(
            "synchronous call, p99, cores loaded",
            loaded[p99],
            "<= 10 us",
            loaded[p99]["sluice_ns"] <= 10e3,
        ),
    ]
    for figure, name, most in (
        ("draw, issuing thread", "issue_draw", 0.25),
        ("draw with client arrays, issuing thread", "issue_client_array", 1.2),
        ("CPU per frame, guest and host", "frame_cpu", 1.15),
    ):
        rows.append(frame_row(figure, quiet[name], f"<= x{most}", quiet[name]["ratio"] <= most))
    for figure, table, least in (
        ("frame of 2,000 draws", quiet, 1.0),
        ("the same, on one core", core, 0.9),
        ("the same, cores loaded", loaded, 0.9),
    ):
        rows.append(
            frame_row(figure, table["frame"], f">= x{least}", table["frame"]["ratio"] >= least)
        )
    start = quiet["start"]
    rows.append(
        frame_row(
            "start: context to first frame",
            start,
            "<= native + 30 ms",
            start["sluice_ns"] <= start["native_ns"] + 30e6,
        )
    )
    return rows


def table_command(program: str, *more: "object") -> "Callable[[Place, pathlib.Path], list[object]]":
    """frame_table.py with a program of ours."""
    return lambda place, out: [
        sys.executable,
        ROOT / "tests/bench/frame_table.py",
        "--sluice",
        place.sluice,
        "--program",
        place.bench(program),
        "--rounds",
        place.rounds,
        "--json",
        out,
        *more,
    ]


# --- limit_bench ---


def limit_rows(data: Json) -> "list[Row]":
    """One processor against two: what the rows of bulk data and of waits cannot pass where the
    driver is on another one. A machine of one processor has none."""
    return [
        frame_row(f"limit: {figure}, on pairs", data[name], "", None)
        for figure, name in (
            ("16 KiB copied, and copied on by another core", "copy_16k"),
            ("1 MiB copied, and copied on by another core", "copy_1m"),
            ("4 MiB copied, and copied on by another core", "copy_4m"),
            ("waking who sleeps on another core", "wake"),
            ("a word to another core and back, against the nearest", "word"),
        )
        if name in data
    ]


# --- gles_bench ---


GLES_MACHINES = "quiet,pairs:uploading:buffers:reading:shaders"


def gles_rows(data: Json) -> "list[Row]":
    """What two threads hand to each other stands there twice: where the sides happen to run, and on
    pairs of processors."""
    quiet, pairs = data["quiet"], data["pairs"]
    places = (("", quiet), (", on pairs", pairs))
    rows = []
    for figure, name, most in (
        ("glGetError", "get_error_p50", 1.5),
        ("glGetIntegerv of cached state", "get_cached_p50", 1.5),
        ("uniform change and draw, issuing thread", "issue_uniform", 0.3),
        ("texture bind and draw, issuing thread", "issue_texture", 0.3),
        ("glFenceSync and wait, p50", "fence_p50", 1.15),
        ("glBufferSubData 1 KiB, issuing thread", "issue_sub_1k", 0.5),
        ("glBufferSubData 1 KiB, made and drawn from, issuing thread", "stream_sub_1k", 0.5),
        ("glReadPixels 1x1 of a 720p frame", "read_one_p50", 1.1),
        ("compile and link", "compile_link_p50", 1.1),
        ("compile, link and first draw", "first_draw_p50", 1.1),
    ):
        rows += [
            frame_row(figure + where, table[name], f"<= x{most}", table[name]["ratio"] <= most)
            for where, table in places
            if name in table
        ]
    finish = quiet["finish_p50"]
    rows.append(
        frame_row("glFinish, nothing pending", finish, "<= 3 us", finish["sluice_ns"] <= 3e3)
    )
    for figure, name, least in (
        ("glTexSubImage2D 64 x 64", "upload_64", 0.9),
        ("glTexSubImage2D 64 x 64, made and drawn with", "stream_64", 0.9),
        ("glTexSubImage2D 1024 x 1024", "upload_1024", 0.8),
        ("glTexSubImage2D 1024 x 1024, made and drawn with", "stream_1024", 0.8),
        ("glTexSubImage2D 4096 x 4096", "upload_4096", 0.9),
        ("glTexSubImage2D 4096 x 4096, made and drawn with", "stream_4096", 0.9),
        ("glBufferSubData 1 MiB", "sub_1m", 0.7),
        ("glBufferSubData 1 MiB, made and drawn from", "stream_sub_1m", 0.7),
        ("glMapBufferRange 1 MiB, write", "map_1m", 0.9),
        ("glMapBufferRange 1 MiB, made and drawn from", "stream_map_1m", 0.9),
        ("glReadPixels 720p", "read_720p", 0.9),
        ("glReadPixels 720p of a drawn frame", "read_720p_frame", 0.9),
        ("fill-bound 720p frame", "fill", 0.98),
    ):
        rows += [
            frame_row(figure + where, table[name], f">= x{least}", table[name]["ratio"] >= least)
            for where, table in places
            if name in table
        ]
    return rows


# --- glmark2 ---


def glmark2_rows(data: Json) -> "list[Row]":
    scenes = data["scenes"]
    rows = [
        Row(
            f"glmark2 {s['scene'][:52]}",
            f"{s['native_fps']:.0f} fps",
            f"{s['sluice_fps']:.0f} fps",
            ratio_text(s),
            ">= x0.85",
            s["ratio"] >= 0.85,
        )
        for s in scenes
    ]
    mean = data["geometric_mean"]
    rows.append(
        Row(
            f"glmark2, geometric mean of {len(scenes)}",
            "",
            "",
            f"{mean:.3f}",
            ">= x0.95",
            mean >= 0.95,
        )
    )
    worst = max(scenes, key=lambda s: float(s["cpu_ratio"]))
    rows.append(
        Row(
            "glmark2, CPU per frame, worst scene",
            "",
            worst["scene"][:24],
            f"{worst['cpu_ratio']:.2f}",
            "",
            None,
        )
    )
    return rows


def trace_command(place: Place, out: pathlib.Path) -> "list[object]":
    table = [sys.executable, ROOT / "tests" / "bench" / "trace_table.py", "--sluice", place.sluice]
    programs = ["--gl", place.bench("frame_bench"), "--vk", place.bench("vulkan_bench")]
    programs += ["--touch", place.bench("touch_bench"), "--build", place.build]
    return [*table, *programs, "--rounds", place.rounds, "--out", out]


def glmark2_command(place: Place, out: pathlib.Path) -> "list[object]":
    return [
        sys.executable,
        ROOT / "tests/bench/glmark2_table.py",
        "--sluice",
        place.sluice,
        "--rounds",
        min(place.rounds, 3),
        "--json",
        out,
    ]


# --- programs_table ---


def last_line(text: str) -> str:
    """What a program said last before it failed, as much as a table has room for."""
    return (text.strip().splitlines() or [""])[-1][-60:]


def programs_rows(data: Json) -> "list[Row]":
    rows = []
    for program in data["programs"]:
        for what, unit, figures in (
            ("frames per second", "fps", program["fps"]),
            ("CPU per frame", "ms", program["cpu"]),
        ):
            base, ours = (f"{figures[side]:.2f} {unit}" for side in ("native", "sluice"))
            figure = f"{program['name']}: {what}"
            rows.append(Row(figure, base, ours, ratio_text(figures), "", None))
    for failure in data["failed"]:
        rows.append(Row(failure["name"], "", f"failed: {last_line(failure['why'])}", "", "", None))
    return rows


def programs_command(place: Place, out: pathlib.Path) -> "list[object]":
    table = [sys.executable, ROOT / "tests/bench/programs_table.py", "--sluice", place.sluice]
    return [*table, "--rounds", min(place.rounds, 3), "--json", out]


# --- peers_table ---


def peers_rows(data: Json) -> "list[Row]":
    """virgl stands where Sluice does, and says so."""
    rows = []
    for row in data["rows"]:
        for side in ("sluice", "virgl"):
            rows.append(frame_row(f"{row['part']}: {row['figure']}, {side}", row[side], "", None))
    for failure in data["failed"]:
        why = f"failed: {last_line(failure['why'])}"
        rows.append(Row(failure["part"], "", why, "", "", None))
    return rows


def peers_command(place: Place, out: pathlib.Path) -> "list[object]":
    table = [sys.executable, ROOT / "tests/bench/peers_table.py", "--sluice", place.sluice]
    return [*table, "--build", place.build, "--rounds", min(place.rounds, 3), "--json", out]


# --- local_bench ---


def local_rows(data: Json) -> "list[Row]":
    contexts, idle = data["contexts"], data["idle"]
    flat = contexts["last_us"] / contexts["first_us"]
    return [
        Row(
            "request over the local socket",
            "",
            f"{data['request_us']['median']:.1f} us",
            "",
            "",
            None,
        ),
        Row(
            "connect, context, ring, first answer",
            "",
            f"{data['start_us']['median']:.1f} us",
            "",
            "",
            None,
        ),
        Row(
            f"the {contexts['count']}th context against the first, driver apart",
            f"{contexts['first_us']:.1f} us",
            f"{contexts['last_us']:.1f} us",
            f"{flat:.2f}",
            "flat (<= x1.5)",
            flat <= 1.5,
        ),
        Row(
            f"idle device with {idle['clients']} silent connections",
            "",
            f"{idle['cpu_percent']:.2f} % of a core",
            "",
            "<= 2 %",
            idle["cpu_percent"] <= 2,
        ),
    ]


def printing(name: str) -> "Callable[[Place, pathlib.Path], list[object]]":
    """A program that prints its JSON."""
    return lambda place, out: ["sh", "-c", '"$1" > "$2"', "sh", place.bench(name), out]


# --- pack_bench, ring_bench ---


def pack_rows(data: Json) -> "list[Row]":
    return [
        Row(
            f"pack and unpack, median of {data['commands']} commands",
            "",
            f"{data['pack_ns']:.1f} + {data['unpack_ns']:.1f} ns",
            "",
            "<= 12 ns",
            data["both_ns"] <= 12,
        )
    ]


def ring_rows(data: Json) -> "list[Row]":
    rows = []
    for machine, more in (("quiet", ""), ("loaded", ", cores loaded")):
        for figure, name, most in (
            ("32 bytes published each", "each", None),
            ("by 16", "by_16", None),
            ("by 128, on pairs", "by_128_pairs", 1.3),
            ("by 128, anywhere", "by_128", 1.3),
            ("call, p50", "call_p50", None),
            ("call, p99", "call_p99", None),
            ("call after 1 ms idle", "idle_call_p50", None),
        ):
            row = data[machine].get(name)  # a machine of one processor has no pairs
            if row is not None:
                target = f"<= x{most}" if most is not None else ""
                met = row["ratio"] <= most if most is not None else None
                rows.append(frame_row(f"ring, {figure}{more}", row, target, met))
    return rows


# --- context_table ---


def context_rows(data: Json) -> "list[Row]":
    count = data["clients"]
    return [
        Row(
            f"the {count}th context against the first, driver included",
            f"{ns_text(data['native_first_ns'])} to {ns_text(data['native_last_ns'])}",
            f"{ns_text(data['first_ns'])} to {ns_text(data['last_ns'])}",
            "",
            "",
            None,
        ),  # llvmpipe looks at all contexts
        Row(
            "private memory of an idle context",
            f"{data['driver_kib']:.0f} KiB",
            f"+{data['own_kib']:.0f} KiB",
            "",
            "<= +3 MiB",
            data["own_kib"] <= 3 * 1024,
        ),
        Row(
            f"idle host with {data['idle_clients']} silent programs",
            "",
            f"{data['idle_percent']:.2f} % of a core",
            "",
            "<= 2 %",
            data["idle_percent"] <= 2,
        ),
    ]


def context_command(place: Place, out: pathlib.Path) -> "list[object]":
    return [
        sys.executable,
        ROOT / "tests/bench/context_table.py",
        "--sluice",
        place.sluice,
        "--program",
        place.bench("frame_bench"),
        "--vendor-file",
        place.build / "share/glvnd/egl_vendor.d/50_sluice.json",
        "--json",
        out,
    ]


# --- files and builds ---


def stripped(path: pathlib.Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / path.name
        subprocess.run(["strip", "-o", str(copy), str(path)], check=True)
        return copy.stat().st_size


def size_rows(place: Place) -> "list[Row]":
    rows = []
    for figure, path, most in (
        ("guest library of GLES, stripped", place.build / "lib" / "libEGL_sluice.so", 2 << 20),
        ("guest library of Vulkan", place.build / "lib" / "libvulkan_sluice.so", 2 << 20),
        ("host library, all APIs", place.build / "lib" / "libgfxstream_backend.so", 3 << 20),
        ("host program, with all verbs and tables", place.sluice, None),
    ):
        size = stripped(path)
        target = f"<= {most >> 20} MiB" if most is not None else ""
        is_met = size <= most if most is not None else None
        rows.append(Row(figure, "", f"{size / 1024:.0f} KiB", "", target, is_met))
    return rows


def build_rows() -> "list[Row]":
    """A build of all there is, by the release preset, in a folder of its own and past any compiler
    cache."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("CMAKE_")} | {
        "CCACHE_DISABLE": "1"
    }
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        for command in (
            ["cmake", "--preset", "release", "-B", folder],
            ["cmake", "--build", folder],
        ):
            subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - started
    return [
        Row(f"clean build, {os.cpu_count()} cores", "", f"{took:.0f} s", "", "<= 90 s", took <= 90)
    ]


# --- all of them ---


@dataclasses.dataclass
class Step:
    name: str
    command: Callable[[Place, pathlib.Path], "list[object]"]
    rows: Callable[[Json], "list[Row]"]


VULKAN_MACHINES = "quiet,one-core:frame,pairs:submit:little:bandwidth:fill"
STEPS = [
    Step("pack", printing("pack_bench"), pack_rows),
    Step("ring", printing("ring_bench"), ring_rows),
    Step("capture", printing("capture_bench"), capture_rows),
    Step("trace", trace_command, trace_rows),
    Step("frame", table_command("frame_bench"), frame_rows),
    Step("limit", printing("limit_bench"), limit_rows),
    Step(
        "gles", table_command("gles_bench", "--machines", GLES_MACHINES, "--frames", 30), gles_rows
    ),
    Step(
        "vulkan",
        table_command("vulkan_bench", "--machines", VULKAN_MACHINES, "--frames", 400),
        vulkan_rows,
    ),
    Step("local", printing("local_bench"), local_rows),
    Step("context", context_command, context_rows),
    Step("glmark2", glmark2_command, glmark2_rows),
    Step("programs", programs_command, programs_rows),
    Step("peers", peers_command, peers_rows),
]


def run_step(step: Step, place: Place) -> "Iterator[Row]":
    """What a step that failed has left are rows all the same, before it is told."""
    out = place.results / f"{step.name}.json"
    out.unlink(missing_ok=True)
    done = subprocess.run([str(word) for word in step.command(place, out)], stdout=sys.stderr)
    if done.returncode == 0 or out.exists():
        yield from step.rows(json.loads(out.read_text()))
    if done.returncode != 0:
        raise RuntimeError(f"ended with {done.returncode}")


def print_table(rows: "list[Row]") -> None:
    head = Row("figure", "native or limit", "Sluice", "ratio (min-max)", "target", None)
    cells = [(r.figure, r.base, r.ours, r.ratio, r.target) for r in [head] + rows]
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    words = {True: "met", False: "MISSED", None: ""}
    for line, met in zip(cells, ["met?"] + [words[r.met] for r in rows]):
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)) + "  " + met)
    missed = [r for r in rows if r.met is False]
    print(
        f"{sum(r.met is True for r in rows)} targets met, {len(missed)} missed"
        + "".join(f"\n  missed: {r.figure}: {r.ours} {r.ratio}, target {r.target}" for r in missed)
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--build", type=pathlib.Path, required=True, help="the build folder, of the release preset"
    )
    parser.add_argument("--results", type=pathlib.Path, required=True, help="the JSON goes there")
    parser.add_argument("--only", default="", help="comma list of steps; default all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-clean-build", action="store_true")
    args = parser.parse_args()
    names = [step.name for step in STEPS] + ["size", "build"]
    wanted = [name for name in args.only.split(",") if name] or names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        parser.error(f"'{unknown[0]}' is no step; it should be one of {', '.join(names)}")
    if "glmark2" in wanted and shutil.which("glmark2-es2") is None:
        parser.error("glmark2-es2 is not installed (Debian package glmark2-es2-x11)")
    place = Place(args.build.resolve(), args.results.resolve(), args.rounds)
    place.results.mkdir(parents=True, exist_ok=True)
    work: "list[tuple[str, Callable[[], Iterable[Row]]]]"
    work = [(step.name, functools.partial(run_step, step, place)) for step in STEPS]
    work += [("size", lambda: size_rows(place)), ("build", build_rows)]
    work = [
        item
        for item in work
        if item[0] in wanted and not (item[0] == "build" and args.no_clean_build)
    ]
    rows: "list[Row]" = []
    failed = []
    for number, (name, do) in enumerate(work, 1):
        say(f"{number} of {len(work)}: {name}")
        try:
            for row in do():
                rows.append(row)
        except (
            RuntimeError,
            OSError,
            ValueError,
            KeyError,
            subprocess.CalledProcessError,
        ) as failure:
            say(f"{name} failed: {failure!r}")
            failed.append(name)
    print_table(rows)
    (place.results / "table.json").write_text(
        json.dumps(
            {"schema": 1, "rows": [dataclasses.asdict(r) for r in rows], "failed": failed}, indent=1
        )
        + "\n"
    )
    if failed:
        print(f"failed to run: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
