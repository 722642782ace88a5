"""policy/*.csv and the small tables of spec/ (aliases, sizes, enums, groups), and the whole model
from one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Tuple

from .. import ir
from ..errors import SpecError, Where
from . import rows, spec


def _policy(path: Path) -> Tuple[ir.Policy, ...]:
    columns = ("api", "name", "how", "detail", "reason")
    return tuple(
        ir.Policy(cells[0], cells[1], cells[2], cells[3], cells[4], where)
        for where, cells in rows(path, columns)
    )


def _extensions(path: Path) -> Tuple[ir.Extension, ...]:
    return tuple(
        ir.Extension(cells[0], tuple(cells[1].split()), cells[2], where)
        for where, cells in rows(path, ("name", "commands", "reason"))
    )


def _number(where: Where, entity: str, text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise SpecError(where, entity, f"'{text}' is not a number of base {base}") from None


def read_model(root: Path) -> ir.Model:
    apis = tuple(spec.read(root / "spec" / f"{api}.csv", api) for api in spec.APIS)
    aliases = tuple(
        ir.Alias(cells[0], cells[1], cells[2], where)
        for where, cells in rows(root / "spec" / "aliases.csv", ("name", "target", "extension"))
    )
    desktop = tuple(
        ir.Desktop(cells[0], cells[1], where)
        for where, cells in rows(root / "spec" / "desktop.csv", ("name", "target"))
    )
    extensions = _extensions(root / "policy" / "extensions.csv")
    sizes = [
        ir.Size(cells[0], cells[1], _number(where, cells[1], cells[2], 10))
        for where, cells in rows(root / "spec" / "sizes.csv", ("function", "enum", "value"))
    ]
    enums = tuple(
        ir.Enum(cells[0], _number(where, cells[0], cells[1], 16), cells[2], where)
        for where, cells in rows(root / "spec" / "enums.csv", ("name", "value", "group"))
    )
    groupings = tuple(
        ir.Grouping(cells[0], cells[1], cells[2], cells[3], where)
        for where, cells in rows(root / "spec" / "groups.csv", ("api", "command", "param", "group"))
    )
    return ir.Model(
        apis,
        _policy(root / "policy" / "guest.csv"),
        _policy(root / "policy" / "host.csv"),
        aliases,
        desktop,
        extensions,
        _extensions(root / "policy" / "extensions1.csv"),
        tuple(sizes),
        enums,
        groupings,
    )
