"""Readers: the only modules that know the input formats."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Iterator, Sequence, Tuple

from ..errors import SpecError, Where


def rows(path: Path, columns: Sequence[str]) -> Iterator[Tuple[Where, Tuple[str, ...]]]:
    """The lines of a csv table below its title line, each with its place; `#` starts a comment
    line."""
    with path.open(encoding="utf-8", newline="") as text:
        reader = csv.reader(text)
        title: Sequence[str] = next(reader, [])
        if list(title) != list(columns):
            raise SpecError(Where(path.name, 1), "title", f"columns should be {','.join(columns)}")
        for row in reader:
            if not row or row[0].startswith("#"):
                continue
            where = Where(path.name, reader.line_num)
            if len(row) != len(columns):
                raise SpecError(where, row[0], f"{len(row)} columns, should be {len(columns)}")
            yield where, tuple(cell.strip() for cell in row)
