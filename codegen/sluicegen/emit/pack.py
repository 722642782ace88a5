"""wire/<api>_pack.h and wire/<api>_<family>_pack.c: straight-line packers."""

from __future__ import annotations

from typing import List, Tuple

from .. import ir, plan
from ..cwriter import Output, api_headers


def parameters_type(c_type: str) -> str:
    """A scalar as the packer takes it: pointers that stand for host objects are their numbers."""
    return {"GLsync": "uint64_t", "GLDEBUGPROC": "uint64_t", "GLeglImageOES": "uint32_t"}.get(
        c_type, c_type
    )


def parameters(command: plan.CommandPlan) -> List[str]:
    """The packer's parameters behind the pack target, in wire order."""
    result: List[str] = []
    for step in command.request:
        name, name_size = step.param.name, step.param.size_name
        if isinstance(step, plan.Scalar):
            result.append(f"{parameters_type(step.param.c_type)} {name}")
        elif isinstance(step, plan.Bytes):
            result.append(
                f"const struct sl_gather *{name}"
                if step.param.gather
                else f"const void *{name}, uint32_t {name_size}"
            )
        elif isinstance(step, plan.OutLength):
            result.append(f"uint32_t {name_size}")
        else:
            result.append(f"uint64_t {name}")
    return result


def prototype(command: plan.CommandPlan) -> str:
    c = command.command
    return (
        f"void {c.api}_pack_{c.name}({', '.join(['struct sl_pack *pack', *parameters(command)])})"
    )


def _size_of(step: plan.Bytes) -> str:
    return (
        f"{step.param.name}_bytes"
        if step.param.gather or step.param.nullable
        else f"{step.param.size_name}"
    )


def _put(step: plan.Step, at: str) -> str:
    name, name_size = step.param.name, step.param.size_name
    if isinstance(step, plan.Scalar):
        prim = step.prim
        cast = {
            "u8": "uint8_t",
            "u16": "uint16_t",
            "u32": "uint32_t",
            "u64": "uint64_t",
            "f32": "float",
        }[prim.accessor]
        return f"    sl_store_{prim.accessor}({at}, ({cast}){name});\n"
    if isinstance(step, plan.Bytes):
        return f"    sl_store_u32({at}, {_size_of(step)});\n"
    if isinstance(step, plan.OutLength):
        return f"    sl_store_u32({at}, {name_size});\n"
    return f"    sl_store_u64({at}, {name});\n"


def _at(offset: int) -> str:
    return f"p + {offset}" if offset else "p"


def _function(command: plan.CommandPlan) -> str:
    c = command.command
    text = prototype(command) + "\n{\n"
    for source in command.inputs:
        name, name_size = source.param.name, source.param.size_name
        if source.param.gather:
            text += f"    uint32_t {name}_bytes = {name} != NULL ? (uint32_t){name}->size : 0;\n"
        elif source.param.nullable:
            text += f"    uint32_t {name}_bytes = {name} != NULL ? {name_size} : 0;\n"
    sizes = [_size_of(s) for s in command.inputs]
    opcode = f"{c.api.upper()}_OP_{c.name}"
    if sizes:
        text += (
            f"    size_t body = {command.covered}u + {' + '.join(f'(size_t){s}' for s in sizes)};\n"
        )
        limit = "STAGED" if any(s.param.staged for s in command.inputs) else "INLINE"
        text += f"    bool small = body <= SL_PACK_{limit} - 16;\n"
        text += "    uint8_t *p = sl_pack_begin(pack, "
        text += f"(small ? body : {command.covered}u) + {command.trailing}u + pack->tail);\n"
        length = (
            f"(uint32_t)body + {command.trailing}u + pack->tail"
            if command.trailing
            else "(uint32_t)body + pack->tail"
        )
    else:
        text += f"    uint8_t *p = sl_pack_begin(pack, {command.fixed}u + pack->tail);\n"
        length = f"{command.fixed}u + pack->tail"
    text += f"    sl_store_u32(p, {opcode});\n    sl_store_u32(p + 4, {length});\n"
    base = plan.HEADER_SIZE
    for run in command.runs():
        for step, offset in zip(run.steps, run.offsets):
            text += _put(step, _at(base + offset))
        base += run.size
        data = run.bytes
        if data is not None:
            name, name_size = data.param.name, data.param.size_name
            if data.param.gather:
                text += f"    p += {base};\n    if ({name} != NULL) {{\n"
                put = "sl_pack_gather_staged" if data.param.staged else "sl_pack_gather"
                text += f"        p = {put}(pack, p, {name}, small);\n    }}\n"
            else:
                put = "sl_pack_staged" if data.param.staged else "sl_pack_data"
                text += f"    p = {put}(pack, p + {base}, {name}, {_size_of(data)}, small);\n"
            base = 0
    covered = "(uint32_t)body" if sizes else f"{command.covered}u"
    text += f"    sl_pack_end(pack, {_at(base)}, {covered});\n"
    if command.trailing:
        text += "    /* Counted by the length, never a field. */\n"
        text += f"    memset(pack->cur, 0, {command.trailing});\n"
        text += f"    pack->cur += {command.trailing};\n"
    return text + "}\n"


def emit(out: Output, api: plan.ApiPlan) -> Tuple[str, ...]:
    name = api.api.name
    body = "".join(prototype(c) + ";\n" for c in api.commands)
    out.header(
        f"wire/{name}_pack.h",
        f"Packers of {name}: never flush.",
        ['"transport/base/pack.h"', *api_headers(name)],
        body,
    )
    for family, commands in api.by_family().items():
        out.source(
            f"wire/{name}_{family}_pack.c",
            f"Packers of {name}, {family}.",
            (f'"wire/{name}_pack.h"', "", f'"wire/{name}_opcodes.h"'),
            "\n".join(_function(c) for c in commands),
        )
    return api.api.families
