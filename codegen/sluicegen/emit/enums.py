"""tables/enums.[ch]: the names of enum values and bits, for the printer in tools/plan."""

from __future__ import annotations

from typing import Dict, List

from .. import ir
from ..cwriter import Output

_ANY = "any"  # the group of names that stand for themselves


def table(group: str) -> str:
    """How C code calls a group."""
    return f"plan_names_{group or _ANY}"


def emit(out: Output, model: ir.Model) -> None:
    groups: Dict[str, List[ir.Enum]] = {}
    for enum in model.enums:
        groups.setdefault(enum.group, []).append(enum)
    names = sorted(groups)  # the nameless one, which others fall back to, comes first
    out.header(
        "tables/enums.h",
        "Names of enum values.",
        ('"tools/plan/plan.h"',),
        "".join(f"extern const struct plan_names {table(g)};\n" for g in names),
    )
    text = ""
    for group in names:
        rows = "".join(
            f'    {{0x{e.value:04x}, "{e.name}"}},\n'
            for e in sorted(groups[group], key=lambda e: e.value)
        )
        rest = f"&{table('')}" if group else "NULL"
        text += (
            f"static const struct plan_name {group or _ANY}[] = {{\n{rows}}};\n"
            f"const struct plan_names {table(group)} = {{{group or _ANY}, {len(groups[group])}, "
            f"{rest}}};\n\n"
        )
    out.source(
        "tables/enums.c", "Names of enum values.", ('"tables/enums.h"', "", "<stddef.h>"), text
    )
