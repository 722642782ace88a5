"""A line of the benchmarks' table, and how figures are written there."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

Json = Any


@dataclasses.dataclass
class Row:
    """A line of the table. base: what native, or the machine's limit, reached; met: None where
    there is no target."""

    figure: str
    base: str
    ours: str
    ratio: str
    target: str
    met: Optional[bool]


def ns_text(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.1f} ns"


def ratio_text(row: Json) -> str:
    return f"{row['ratio']:.3f} ({row['min']:.3f}-{row['max']:.3f})"


def frame_row(figure: str, row: Json, target: str, met: Optional[bool]) -> Row:
    return Row(
        figure, ns_text(row["native_ns"]), ns_text(row["sluice_ns"]), ratio_text(row), target, met
    )
