"""wire/<api>_args.h, wire/<api>_unpack.h and wire/<api>_<family>_unpack.c: bounds-checked readers
of packet bodies."""

from __future__ import annotations

from .. import plan
from ..cwriter import Output


def _fields(command: plan.CommandPlan) -> str:
    text = ""
    for step in command.request:
        name, name_size = step.param.name, step.param.size_name
        if isinstance(step, plan.Scalar):
            text += f"    {step.prim.c_type} {name};\n"
        elif isinstance(step, plan.Bytes):
            text += f"    const void *{name};\n    uint32_t {name_size};\n"
        elif isinstance(step, plan.OutLength):
            text += f"    void *{name};\n    uint32_t {name_size};\n"
        else:
            text += f"    uint64_t {name}; /* guest physical address */\n"
    return text or "    uint8_t none; /* it has no parameters */\n"


def _get(step: plan.Step) -> str:
    name, name_size = step.param.name, step.param.size_name
    if isinstance(step, plan.Scalar):
        return f"    args->{name} = ({step.prim.c_type})sl_unpack_{step.prim.accessor}(u);\n"
    if isinstance(step, plan.Address):
        return f"    args->{name} = sl_unpack_u64(u);\n"
    text = f"    args->{name_size} = sl_unpack_u32(u);\n"
    if isinstance(step, plan.OutLength):
        return text + f"    args->{name} = NULL;\n"
    align = min(8, step.param.type.align)
    take = f"sl_unpack_array(u, args->{name_size}, {align})"
    if step.param.nullable:
        take = f"args->{name_size} != 0 ? {take} : NULL"
    return text + f"    args->{name} = {take};\n"


def _prototype(command: plan.CommandPlan) -> str:
    c = command.command
    return f"bool {c.api}_unpack_{c.name}(struct sl_unpack *u, struct {c.api}_args_{c.name} *args)"


def _function(command: plan.CommandPlan) -> str:
    text = _prototype(command) + "\n{\n"
    if not command.request:
        text += "    args->none = 0;\n"
    return text + "".join(_get(s) for s in command.request) + "    return !u->failed;\n}\n"


def emit(out: Output, api: plan.ApiPlan) -> None:
    name = api.api.name
    structs = "\n".join(
        f"struct {name}_args_{c.command.name} {{\n{_fields(c)}}};\n" for c in api.commands
    )
    out.header(
        f"wire/{name}_args.h",
        f"Arguments of {name} as they come off the wire.",
        ("<stdint.h>",),
        structs,
    )
    out.header(
        f"wire/{name}_unpack.h",
        f"Readers of {name}: false when the packet is too short.",
        ('"transport/base/pack.h"', f'"wire/{name}_args.h"', "<stdbool.h>"),
        "".join(_prototype(c) + ";\n" for c in api.commands),
    )
    for family, commands in api.by_family().items():
        out.source(
            f"wire/{name}_{family}_unpack.c",
            f"Readers of {name}, {family}.",
            (f'"wire/{name}_unpack.h"',),
            "\n".join(_function(c) for c in commands),
        )
