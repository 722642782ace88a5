"""wire/vk_types.h: every Vulkan type that the lock names, so that no installed header is needed."""

from __future__ import annotations

from typing import Dict, List, Set

from ..cwriter import Output
from ..vk import ir

_PRELUDE = """#define VKAPI_ATTR
#define VKAPI_CALL
#define VKAPI_PTR
#define VK_NULL_HANDLE NULL
#define VK_MAKE_API_VERSION(variant, major, minor, patch)                                      \\
    (((uint32_t)(variant) << 29U) | ((uint32_t)(major) << 22U) | ((uint32_t)(minor) << 12U) |  \\
     (uint32_t)(patch))
#define VK_API_VERSION_VARIANT(version) ((uint32_t)(version) >> 29U)
#define VK_API_VERSION_MAJOR(version) (((uint32_t)(version) >> 22U) & 0x7fU)
#define VK_API_VERSION_MINOR(version) (((uint32_t)(version) >> 12U) & 0x3ffU)
#define VK_API_VERSION_PATCH(version) ((uint32_t)(version) & 0xfffU)
"""


def declared(field: ir.Field) -> str:
    """The declaration in our style: the star at the name."""
    head, star, tail = field.declaration.rpartition("* ")
    return f"{head}{star.strip()} {tail}" if star else field.declaration


def prototype(command: ir.Command) -> str:
    return ", ".join(declared(p) for p in command.params) or "void"


def _screaming(name: str) -> str:
    """VkFormatKHR -> VK_FORMAT_KHR: of the enumerator that fixes the enum's size."""
    out = ""
    for index, char in enumerate(name):
        before = name[index - 1] if index else ""
        if index and (
            char.isupper() and not before.isupper() or char.isdigit() and not before.isdigit()
        ):
            out += "_"
        out += char.upper()
    return out


def _versions(lock: ir.Lock) -> str:
    lines = [f"#define VK_HEADER_VERSION {lock.header_version.split('.')[2]}\n"]
    lines += [
        f"#define VK_API_VERSION_{v.major}_{v.minor} "
        f"VK_MAKE_API_VERSION(0, {v.major}, {v.minor}, 0)\n"
        for v in lock.versions
    ]
    return "".join(lines)


def _enum(enum: ir.Enum) -> str:
    if enum.bits == 64:
        text = f"typedef VkFlags64 {enum.name};\n"
        for value in enum.values:
            text += f"#define {value.name} 0x{value.value:x}ULL\n"
    else:
        body = "".join(
            f"    {v.name} = {hex(v.value) if enum.bitmask else v.value},\n" for v in enum.values
        )
        body += f"    {_screaming(enum.name)}_MAX_ENUM = 0x7fffffff,\n"
        text = f"typedef enum {enum.name} {{\n{body}}} {enum.name};\n"
    return text + "".join(f"typedef {enum.name} {alias};\n" for alias in enum.aliases)


def _flags(flags: ir.Flags) -> str:
    base = "VkFlags64" if flags.bits == 64 else "VkFlags"
    return f"typedef {base} {flags.name};\n" + "".join(
        f"typedef {flags.name} {alias};\n" for alias in flags.aliases
    )


def _handle(handle: ir.Handle) -> str:
    return f"typedef struct {handle.name}_T *{handle.name};\n" + "".join(
        f"typedef {handle.name} {alias};\n" for alias in handle.aliases
    )


def _forward(struct: ir.Struct) -> str:
    kind = "union" if struct.union else "struct"
    return "".join(
        f"typedef {kind} {struct.name} {name};\n" for name in (struct.name, *struct.aliases)
    )


def _struct(struct: ir.Struct) -> str:
    members = "".join(f"    {declared(f)};\n" for f in struct.fields)
    return f"{'union' if struct.union else 'struct'} {struct.name} {{\n{members}}};\n\n"


def in_order(lock: ir.Lock) -> List[ir.Struct]:
    """Structs with those that they hold by value before them."""
    placed: Set[str] = set()
    result: List[ir.Struct] = []

    def place(struct: ir.Struct) -> None:
        if struct.name in placed:
            return
        placed.add(struct.name)
        for field in struct.fields:
            inner = lock.by_struct.get(lock.resolve(field.type))
            if inner is not None and not field.pointers:
                place(inner)
        result.append(struct)

    for struct in lock.structs:
        place(struct)
    return result


def _functions(lock: ir.Lock) -> str:
    lines = []
    for command in sorted(lock.commands, key=lambda c: c.name):
        space = "" if command.returns.endswith("*") else " "
        lines.append(
            f"typedef {command.returns}{space}(VKAPI_PTR *PFN_{command.name})"
            f"({prototype(command)});\n"
        )
    return "".join(lines)


def emit(out: Output, lock: ir.Lock) -> None:
    texts: Dict[str, str] = {"basetype": "", "platform": "", "funcpointer": ""}
    # One that returns another comes after it.
    for text in sorted(lock.texts, key=lambda t: t.text.count("PFN_")):
        texts[text.kind] += text.text + "\n"
    constants = "".join(f"#define {c.name} {c.text}\n" for c in lock.constants)
    parts = (
        _PRELUDE + _versions(lock),
        constants,
        texts["platform"],
        texts["basetype"],
        "".join(_handle(h) for h in lock.handles),
        "".join(_flags(f) for f in lock.flags),
        "\n".join(_enum(e) for e in lock.enums),
        "".join(_forward(s) for s in lock.structs),
        texts["funcpointer"],
        "".join(_struct(s) for s in in_order(lock)).rstrip("\n") + "\n",
        _functions(lock),
    )
    out.header(
        "wire/vk_types.h",
        f"Vulkan's types as of {lock.header_version}.",
        ("<stddef.h>", "<stdint.h>"),
        "\n".join(parts),
    )
