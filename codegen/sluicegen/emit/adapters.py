"""check/<api>_adapters.[ch]: the straight-line packers and readers behind one signature, so that
data can drive them.

Only for tests and fuzzers: values as the plan's interpreter has them (tools/plan) go in and come
out.
"""

from __future__ import annotations

from .. import ir, plan
from ..cwriter import Output
from . import dispatch, pack


def _argument(index: int, step: plan.Step) -> str:
    """What the packer gets for the step's value."""
    value = f"v[{index}]"
    if isinstance(step, plan.Bytes):
        if step.param.gather:
            return f"gather_{index}"
        return f"{value}.bytes, {value}.size"
    if isinstance(step, plan.OutLength):
        return f"{value}.size"
    if isinstance(step, plan.Address):
        return f"{value}.bits"
    if step.prim.accessor == "f32":
        return f"real({value}.bits)"
    c_type = pack.parameters_type(step.param.c_type)
    return f"({c_type}){value}.bits"


def _pack(command: plan.CommandPlan) -> str:
    c = command.command
    text = f"static void pack_{c.name}(struct sl_pack *pack, const struct plan_value *v)\n{{\n"
    for index, step in enumerate(command.request):
        if isinstance(step, plan.Bytes) and step.param.gather:
            value = f"v[{index}]"
            text += f"    struct sl_gather flat_{index} = "
            text += f"sl_gather_flat({value}.bytes, {value}.size);\n"
            absent = "NULL" if step.param.nullable else f"&flat_{index}"
            text += (
                f"    const struct sl_gather *gather_{index} = v[{index}].bytes != NULL ? "
                f"&flat_{index} : "
                f"{absent};\n"
            )
    if not command.request:
        text += "    (void)v;\n"
    words = ["pack", *(_argument(i, s) for i, s in enumerate(command.request))]
    return text + f"    {c.api}_pack_{c.name}({', '.join(words)});\n}}\n"


def _unpack(command: plan.CommandPlan) -> str:
    c = command.command
    text = f"static bool unpack_{c.name}(struct sl_unpack *u, struct plan_value *v)\n{{\n"
    text += f"    struct {c.api}_args_{c.name} a;\n"
    if not command.request:
        text += "    (void)v;\n"
    text += f"    if (!{c.api}_unpack_{c.name}(u, &a)) {{\n        return false;\n    }}\n"
    for index, step in enumerate(command.request):
        name, size = step.param.name, step.param.size_name
        if isinstance(step, plan.Bytes):
            text += (
                f"    v[{index}] = (struct plan_value){{.bytes = a.{name}, .size = a.{size}}};\n"
            )
        elif isinstance(step, plan.OutLength):
            text += f"    v[{index}] = (struct plan_value){{.size = a.{size}}};\n"
        elif isinstance(step, plan.Scalar) and step.prim.accessor == "f32":
            text += f"    v[{index}] = (struct plan_value){{.bits = bits(a.{name})}};\n"
        elif isinstance(step, plan.Scalar) and step.prim.signed:
            text += (
                f"    v[{index}] = (struct plan_value){{.bits = (uint64_t)(int64_t)a.{name}}};\n"
            )
        else:
            text += f"    v[{index}] = (struct plan_value){{.bits = a.{name}}};\n"
    return text + "    return true;\n}\n"


_HELPERS = """static inline float real(uint64_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t bits(float value)
{
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}
"""


def _policy(model: ir.Model, command: ir.Command) -> str:
    line = dispatch.policy_of(model, command)
    return "PLAN_NATIVE" if line is None or line.how == "guard" else f"PLAN_{line.how.upper()}"


def emit(out: Output, model: ir.Model, api: plan.ApiPlan) -> None:
    name = api.api.name
    out.header(
        f"check/{name}_adapters.h",
        f"The packers and readers of {name}, driven by data.",
        ('"tools/plan/adapter.h"',),
        f"/* By opcode, as the plan's commands. */\nextern const struct plan_adapter "
        f"{name}_adapters[];\n",
    )
    floats = any(
        isinstance(s, plan.Scalar) and s.prim.accessor == "f32"
        for c in api.commands
        for s in c.request
    )
    functions = "\n".join(_pack(c) + "\n" + _unpack(c) for c in api.commands)
    rows = "".join(
        f"    {{pack_{c.command.name}, unpack_{c.command.name}, {_policy(model, c.command)}}},\n"
        for c in api.commands
    )
    out.source(
        f"check/{name}_adapters.c",
        f"The packers and readers of {name}, driven by data.",
        (
            f'"check/{name}_adapters.h"',
            "",
            "<string.h>",
            "",
            f'"wire/{name}_pack.h"',
            f'"wire/{name}_unpack.h"',
        ),
        (_HELPERS + "\n" if floats else "")
        + functions
        + f"\nconst struct plan_adapter {name}_adapters[] = {{\n{rows}}};\n",
    )
