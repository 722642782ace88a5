"""wire/vk_kinds.h: numbers of object types; wire/vk_args.h: a command's parameters as a struct."""

from __future__ import annotations

import re
from typing import List

from ..cwriter import Output
from ..vk import ir
from .vk_types import declared


def kind(lock: ir.Lock, handle: str) -> str:
    return f"VK_KIND_{lock.resolve(handle)}"


def layouts(lock: ir.Lock) -> List[ir.Command]:
    """What travels, each layout once: an alias is read as its target."""
    return sorted((c for c in lock.wire_commands if not c.alias_of), key=lambda c: c.name)


def handles(command: ir.Command) -> List[ir.Field]:
    """Parameters that are one handle."""
    return [p for p in command.params if p.wire is ir.Wire.HANDLE and not p.pointers and not p.dims]


def _member(param: ir.Field) -> str:
    """As declared; an array parameter is a pointer."""
    if param.dims:
        return re.sub(r"(\w+)(\[\w+\])+$", r"*\1", declared(param))
    return declared(param)


def _struct(command: ir.Command) -> str:
    lines = "".join(f"    {_member(p)};\n" for p in command.params)
    lines += "".join(f"    uint64_t {p.name}_id;\n" for p in handles(command))
    if handles(command):
        lines += "    void *record;\n"
    if not lines:
        lines = "    char none;\n"
    return f"struct vk_args_{command.name} {{\n{lines}}};\n\n"


def emit(out: Output, lock: ir.Lock) -> None:
    names = [h.name for h in lock.handles]
    body = "".join(f"    VK_KIND_{name} = {number},\n" for number, name in enumerate(names, 1))
    body = f"enum {{\n{body}    VK_KIND_END = {len(names) + 1},\n}};\n\n"
    body += '/* "VkBuffer"; NULL outside the range. */\nconst char *vk_kind_name(uint32_t kind);\n'
    out.header("wire/vk_kinds.h", "Kinds of Vulkan objects.", ("<stdint.h>",), body)
    rows = "".join(f'    "{name}",\n' for name in names)
    out.source(
        "wire/vk_kinds.c",
        "Names of the kinds.",
        ('"wire/vk_kinds.h"', "", "<stddef.h>"),
        f"static const char *const kinds[] = {{\n{rows}}};\n\n"
        "const char *vk_kind_name(uint32_t kind)\n{\n"
        "    return kind - 1 < sizeof kinds / sizeof kinds[0] ? kinds[kind - 1] : NULL;\n}\n",
    )
    about = (
        "Parameters of each command. Handles are native where a table was given, and as they "
        "came in ..._id; record: what the table has beside the first. commandBuffer of a recorded "
        "command is set by who reads it. Valid until the arena is reset."
    )
    out.header(
        "wire/vk_args.h",
        about,
        ('"wire/vk_types.h"',),
        "".join(_struct(c) for c in layouts(lock)).rstrip("\n") + "\n",
    )
