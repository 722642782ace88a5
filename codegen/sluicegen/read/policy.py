"""policy/*.csv and the small tables of spec/ (aliases, sizes, enums, groups), and the whole model from one folder."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

from .. import ir
from ..errors import SpecError, Where
from . import rows, spec


def _policy(path: Path) -> Tuple[ir.Policy, ...]:
    columns = ("api", "name", "how", "detail", "reason")
    return tuple(ir.Policy(cells[0], cells[1], cells[2], cells[3], cells[4], where) for where, cells in rows(path, columns))


def _number(where: Where, cells: Tuple[str, ...]) -> int:
    try:
        return int(cells[1], 16)
    except ValueError:
        raise SpecError(where, cells[0], f"'{cells[1]}' is not a hexadecimal number") from None


def read_model(root: Path) -> ir.Model:
    apis = tuple(spec.read(root / "spec" / f"{api}.csv", api) for api in spec.APIS)
    aliases = tuple(ir.Alias(cells[0], cells[1], cells[2], where)
                    for where, cells in rows(root / "spec" / "aliases.csv", ("name", "target", "extension")))
    extensions = tuple(ir.Extension(cells[0], tuple(cells[1].split()), cells[2], where)
                       for where, cells in rows(root / "policy" / "extensions.csv", ("name", "commands", "reason")))
    sizes: List[ir.Size] = [ir.Size(cells[0], cells[1], 0, int(cells[2]))
                            for _, cells in rows(root / "spec" / "sizes.csv", ("function", "enum", "value"))]
    enums = tuple(ir.Enum(cells[0], _number(where, cells), cells[2], where)
                  for where, cells in rows(root / "spec" / "enums.csv", ("name", "value", "group")))
    groupings = tuple(ir.Grouping(cells[0], cells[1], cells[2], cells[3], where)
                      for where, cells in rows(root / "spec" / "groups.csv", ("api", "command", "param", "group")))
    return ir.Model(apis, _policy(root / "policy" / "guest.csv"), _policy(root / "policy" / "host.csv"), aliases,
                    extensions, tuple(sizes), enums, groupings)
