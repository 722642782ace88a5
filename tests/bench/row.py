"""A line of the benchmarks' table."""

from __future__ import annotations

import dataclasses
from typing import Optional


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
