"""wire/vk_opcodes.h and wire/vk_names.[ch]: numbers of commands, and names for the printer."""

from __future__ import annotations

from typing import Dict, Iterable, Tuple

from ..cwriter import Output
from ..vk import ir

# Enums whose enumerators are named: (function, enum).
_ENUMS = (
    ("vk_stype_name", "VkStructureType"),
    ("vk_result_name", "VkResult"),
    ("vk_format_name", "VkFormat"),
    ("vk_image_layout_name", "VkImageLayout"),
    ("vk_descriptor_type_name", "VkDescriptorType"),
    ("vk_dynamic_state_name", "VkDynamicState"),
)
_FIND = """/* Tables are sorted by value. */
static const char *find(const struct entry *table, size_t count, int64_t value)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table[middle].value == value)
            return table[middle].name;
        if (table[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

"""


def _own(enum: ir.Enum) -> Iterable[Tuple[int, str]]:
    """Each value once, by the name that is no alias."""
    found: Dict[int, str] = {}
    for value in enum.values:
        if not value.alias_of:
            found.setdefault(value.value, value.name)
    return sorted(found.items())


def _table(function: str, kind: str, entries: Iterable[Tuple[int, str]]) -> str:
    rows = "".join(f'    {{{value}, "{name}"}},\n' for value, name in entries)
    return (
        f"static const struct entry {function}s[] = {{\n{rows}}};\n\n"
        f"const char *{function}({kind} value)\n{{\n"
        f"    return find({function}s, sizeof {function}s / sizeof {function}s[0], value);\n}}\n\n"
    )


def emit(out: Output, lock: ir.Lock) -> None:
    commands = sorted(lock.commands, key=lambda c: c.opcode)
    body = "".join(f"    VK_OP_{c.name} = {c.opcode},\n" for c in commands)
    out.header("wire/vk_opcodes.h", "Opcodes of Vulkan.", (), f"enum {{\n{body}}};\n")
    declared = "const char *vk_op_name(uint32_t value);\n"
    declared += "".join(f"const char *{name}(int32_t value);\n" for name, _ in _ENUMS)
    about = "Names of Vulkan."
    out.header(
        "wire/vk_names.h",
        about,
        ("<stdint.h>",),
        f"/* The name of a command or enumerator; NULL for a number that has none. */\n{declared}",
    )
    source = "struct entry {\n    int64_t value;\n    const char *name;\n};\n\n" + _FIND
    source += _table("vk_op_name", "uint32_t", ((c.opcode, c.name) for c in commands))
    for name, enum in _ENUMS:
        source += _table(name, "int32_t", _own(lock.by_enum[enum]))
    includes = ('"wire/vk_names.h"', "", "<stddef.h>")
    out.source("wire/vk_names.c", about, includes, source.rstrip("\n") + "\n")
