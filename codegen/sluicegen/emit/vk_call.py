"""guest/vk_call.[ch]: each command that goes to the host at once, as one C call."""

from __future__ import annotations

from typing import FrozenSet, List

from ..cwriter import Output
from ..ir import Ref
from ..vk import ir
from ..vk.guest import Guest
from .vk_types import prototype

FAMILIES = ("instance", "physical_device", "device", "queue")


def arguments(command: ir.Command) -> str:
    return "".join(f", {p.name}" for p in command.params)


def family(command: ir.Command) -> str:
    """Which file: by the first handle; what has none is the instance's."""
    return {"VkPhysicalDevice": "physical_device", "VkDevice": "device", "VkQueue": "queue"}.get(
        command.dispatch, "instance"
    )


def called(lock: ir.Lock) -> List[ir.Command]:
    """What goes to the host by a packet of its own."""
    found = (c for c in lock.wire_commands if not c.alias_of and not c.staged)
    return sorted(found, key=lambda c: c.name)


def signature(command: ir.Command) -> str:
    params = "".join(f", {p}" for p in prototype(command).split(", ") if p != "void")
    return f"{command.returns} gvk_call_{command.name}(struct gvk_host *host{params})"


def _zeroed(lock: ir.Lock, param: ir.Field) -> bool:
    """An output whose size is known from its type, and that no chain hangs on."""
    if not param.out or param.pointers != 1 or param.length is not None:
        return False
    struct = lock.by_struct.get(lock.resolve(param.type))
    return param.type != "void" and (struct is None or struct.stype is None)


def _cleared(command: ir.Command, param: ir.Field) -> str:
    """Outputs of a call that did not happen: no handle was made, and nothing is counted."""
    size = f"sizeof *{param.name}"
    if isinstance(param.length, Ref) and command.param(param.length.param).pointers == 0:
        size = f"{param.length.param} * {size}"
    elif isinstance(param.length, ir.Arrow):
        size = f"{param.length.pointer}->{param.length.member} * {size}"
    elif param.length is not None:
        return ""
    clear = f"memset({param.name}, 0, {size});"
    if param.presence:
        return f"    if ({param.name} != NULL) {{\n        {clear}\n    }}\n"
    return f"    {clear}\n"


def _failure(lock: ir.Lock, command: ir.Command) -> str:
    text = "".join(
        _cleared(command, p)
        for p in command.params
        if p.creates or (command.returns == "void" and _zeroed(lock, p))
    )
    if command.returns == "void":
        return text
    value = "gvk_failure(host)" if command.returns == "VkResult" else "0"
    return f"{text}    return {value};\n"


def _call(lock: ir.Lock, command: ir.Command, quiet: FrozenSet[str]) -> str:
    args = arguments(command)
    text = f"{signature(command)}\n{{\n    struct gvk_stream *s = gvk_begin(host);\n"
    text += f"    if (s != NULL) {{\n        vk_pack_{command.name}(&s->pack, 0{args});\n"
    if not command.has_reply:
        return text + "        (void)gvk_send(s);\n    }\n}\n\n"
    if command.name in quiet:
        text += "        if (host->quiet) {\n"
        text += "            return gvk_send(s) ? VK_SUCCESS : gvk_failure(host);\n        }\n"
    text += "        struct vk_unpack *u = gvk_call(s);\n"
    result = command.returns != "void"
    if result:
        text += f"        {command.returns} result = 0;\n"
    read = f"vk_read_reply_{command.name}(u{args}{', &result' if result else ''})"
    text += f"        if (u != NULL &&\n            gvk_done(s, {read})) {{\n"
    text += f"            return{' result' if result else ''};\n        }}\n    }}\n"
    return text + _failure(lock, command) + "}\n\n"


def _told(command: ir.Command) -> str:
    return signature(command).replace("gvk_call_", "gvk_tell_")


def _tell(command: ir.Command) -> str:
    return (
        f"{_told(command)}\n{{\n    struct gvk_stream *s = gvk_begin(host);\n"
        f"    if (s != NULL) {{\n"
        f"        vk_pack_{command.name}(&s->pack, 0{arguments(command)});\n"
        "        if (gvk_send(s)) {\n            return VK_SUCCESS;\n        }\n    }\n"
        "    return gvk_failure(host);\n}\n\n"
    )


def emit(out: Output, lock: ir.Lock, guest: Guest, quiet: FrozenSet[str]) -> None:
    commands = called(lock)
    includes = ('"guest/vulkan/gvk.h"',)
    lines = "".join(f"{signature(c)};\n" for c in commands)
    told = [c for c in commands if c.name in guest.chosen]
    lines += "\n/* The same where the outputs stand for ids that the guest chose: no reply. */\n"
    lines += "".join(f"{_told(c)};\n" for c in told)
    about = "Calls to the host: packed, sent, answered. See guest/vulkan/gvk.h."
    out.header("guest/vk_call.h", about, includes, lines)
    sources = ('"guest/vk_call.h"', '"wire/vk_pack.h"', '"wire/vk_reply.h"', "", "<string.h>")
    for name in FAMILIES:
        body = "".join(_call(lock, c, quiet) for c in commands if family(c) == name)
        body += "".join(_tell(c) for c in told if family(c) == name)
        out.source(
            f"guest/vk_call_{name}.c", "Calls to the host.", sources, body.rstrip("\n") + "\n"
        )
