"""host/vk_walk.[ch]: the handles that a packet names, whatever its command."""

from __future__ import annotations

from typing import Dict, List

from ..cwriter import Output
from ..vk import ir

_ABOUT = """\
/* Reads the body of a packet, behind its turn, or of a recorded command: u->named hears of every
 * handle of its inputs. u has no ids. False: no such command, or the body is not one. */
bool vk_walk(struct vk_unpack *u, uint32_t opcode);
"""


def _by_layout(lock: ir.Lock) -> Dict[str, List[ir.Command]]:
    """Whose reader reads what: each number that a name has."""
    found: Dict[str, List[ir.Command]] = {}
    for command in sorted((c for c in lock.commands if c.opcode != 0), key=lambda c: c.opcode):
        target = lock.layout_of(command)
        if command.on_wire and target.on_wire:
            found.setdefault(target.name, []).append(command)
    return found


def emit(out: Output, lock: ir.Lock) -> None:
    includes = ('"transport/base/vk_codec.h"',)
    out.header("host/vk_walk.h", "What packets of Vulkan name.", includes, _ABOUT)
    body = "bool vk_walk(struct vk_unpack *u, uint32_t opcode)\n{\n    switch (opcode) {\n"
    text = ""
    for name, commands in sorted(_by_layout(lock).items()):
        text += (
            f"static bool walk_{name}(struct vk_unpack *u)\n{{\n"
            f"    struct vk_args_{name} a;\n    return vk_unpack_{name}(u, &a);\n}}\n\n"
        )
        body += "".join(f"    case {c.opcode}u:\n" for c in commands)
        body += f"        return walk_{name}(u);\n"
    body += "    default:\n        return false;\n    }\n}\n"
    out.source(
        "host/vk_walk.c",
        "What packets of Vulkan name.",
        ('"host/vk_walk.h"', "", '"wire/vk_unpack.h"'),
        text + body,
    )
