"""What vulkan_bench said, against the targets."""

from __future__ import annotations

from row import Json, Row, frame_row


def vulkan_rows(data: Json) -> "list[Row]":
    quiet, core, pairs = data["quiet"], data["one-core"], data["pairs"]
    rows = []
    for figure, name, more_ns in (
        ("vulkan: instance", "instance", 10e6),
        ("vulkan: instance and device", "instance_device", 15e6),
    ):
        row = quiet[name]
        rows.append(
            frame_row(
                figure,
                row,
                f"<= native + {more_ns / 1e6:.0f} ms",
                row["sluice_ns"] <= row["native_ns"] + more_ns,
            )
        )
    draw = quiet["record_draw"]
    rows.append(frame_row("vulkan: record vkCmdDraw", draw, "<= 20 ns", draw["sluice_ns"] <= 20))
    for figure, table, name, most in (
        ("vulkan: buffer created and destroyed", quiet, "buffer", 3),
        ("vulkan: 64 KiB allocated, mapped, freed", quiet, "allocate_64k", 5),
        ("vulkan: 4 MiB allocated, mapped, freed", quiet, "allocate_4m", 5),
        ("vulkan: record a mix of state and draws", quiet, "record_mix", 0.8),
        ("vulkan: record on 4 threads, per thread", quiet, "record_threads_4", 0.8),
        ("vulkan: empty submit and fence, on pairs", pairs, "submit_empty", 1.6),
        ("vulkan: empty submit and fence, anywhere", quiet, "submit_empty", 1.6),
        ("vulkan: submit of 64 bytes, on pairs", pairs, "submit_little", 1.6),
        ("vulkan: submit of 64 bytes, anywhere", quiet, "submit_little", 1.6),
        ("vulkan: submit after 1 ms idle, on pairs", pairs, "submit_idle", 3),
        ("vulkan: submit after 1 ms idle, anywhere", quiet, "submit_idle", 3),
        ("vulkan: vkGetFenceStatus", quiet, "fence_status", 0.5),
        ("vulkan: descriptor update, one", quiet, "update_1", 3),
        ("vulkan: descriptor update, each of 64", quiet, "update_64", 3),
        ("vulkan: pipeline creation, issuing thread", quiet, "pipeline", 0.3),
        ("vulkan: pipeline, first use", quiet, "pipeline_use", 1.05),
        ("vulkan: CPU per frame, guest and host", quiet, "frame_cpu", 1.12),
    ):
        if name in table:  # a machine of one processor has no pairs
            rows.append(frame_row(figure, table[name], f"<= x{most}", table[name]["ratio"] <= most))
    for figure, work, goal in (
        ("vulkan: recording, 4 threads against one", "record", 3.6),
        ("vulkan: the same with stores, no Vulkan", "store", None),
    ):
        scaling = [quiet[f"{work}_scaling"][side] / 100 for side in ("native_ns", "sluice_ns")]
        rows.append(
            Row(
                figure,
                f"x{scaling[0]:.2f}",
                f"x{scaling[1]:.2f}",
                "",
                f">= x{goal}" if goal is not None else "",
                scaling[1] >= goal if goal is not None else None,
            )
        )
    for figure, table, name, least in (
        ("vulkan: mapped write 4 MiB", quiet, "mapped_write_4m", 0.97),
        ("vulkan: upload 4 MiB, on pairs", pairs, "upload_4m", 0.97),
        ("vulkan: upload 4 MiB, anywhere", quiet, "upload_4m", 0.97),
        ("vulkan: readback 4 MiB, on pairs", pairs, "readback_4m", 0.97),
        ("vulkan: readback 4 MiB, anywhere", quiet, "readback_4m", 0.97),
        ("vulkan: frame of 2,000 draws", quiet, "frame", 1.3),
        ("vulkan: the same, on one core", core, "frame", 0.95),
        ("vulkan: recorded once, submitted again", quiet, "resubmit", 0.95),
        ("vulkan: fill-bound 720p frame, on pairs", pairs, "fill", 0.98),
        ("vulkan: fill-bound 720p frame, anywhere", quiet, "fill", 0.98),
    ):
        if name in table:
            rows.append(
                frame_row(figure, table[name], f">= x{least}", table[name]["ratio"] >= least)
            )
    return rows
