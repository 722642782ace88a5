"""tables/<api>_plan.[ch]: the plan as data, for the interpreter in tools/plan."""

from __future__ import annotations

from .. import ir, plan
from ..cwriter import Output
from . import enums

_KINDS = {ir.Kind.SCALAR: "NUMBER", ir.Kind.ENUM: "ENUM", ir.Kind.FLAGS: "FLAGS", ir.Kind.STRING: "STRING",
          ir.Kind.ARRAY: "ARRAY", ir.Kind.BLOB: "BLOB"}
_STEPS = {plan.Scalar: "SCALAR", plan.Bytes: "BYTES", plan.OutLength: "OUT_LENGTH", plan.Address: "ADDRESS"}


def _prim(kind: ir.Type) -> str:
    """Of a scalar, or of what an array is made of; bytes where nothing is known."""
    inner = kind.element if kind.element is not None else kind
    return "PLAN_" + (inner.prim.name if inner.prim is not None else "U8")


def _kind(kind: ir.Type) -> str:
    """Arrays of characters are shown as text."""
    text = kind.kind is ir.Kind.ARRAY and kind.element is not None and kind.element.name in ("GLchar", "char")
    return "PLAN_STRING" if text else f"PLAN_{_KINDS[kind.kind]}"


def _names(model: ir.Model, command: ir.Command, name: str, kind: ir.Type) -> str:
    group = model.group(command, name, kind)
    return "NULL" if group is None else f"&{enums.table(group)}"


def _field(model: ir.Model, command: ir.Command, step: plan.Step) -> str:
    param = step.param
    return (f'    {{"{param.name}", "{param.c_type}", PLAN_{_STEPS[type(step)]}, {_kind(param.type)}, '
            f'{_prim(param.type)}, {_names(model, command, param.name, param.type)}}},\n')


def _command(model: ir.Model, c: plan.CommandPlan) -> str:
    result = c.command.result
    fields = f"{c.command.name}_fields" if c.request else "NULL"
    value = "false, 0, 0, NULL"
    if c.value is not None and result is not None:
        names = _names(model, c.command, "return", result)
        value = f"true, PLAN_{c.value.prim.name}, PLAN_{_KINDS[result.kind]}, {names}"
    return f'    {{"{c.command.name}", {fields}, {len(c.request)}, {value}, {c.trailing}}},\n'


def emit(out: Output, model: ir.Model, planned: plan.ApiPlan) -> None:
    api = planned.api
    out.header(f"tables/{api.name}_plan.h", f"The plan of {api.name}.", ('"tools/plan/plan.h"',),
               f"extern const struct plan_api {api.name}_plan;\n")
    fields = "".join(f"static const struct plan_field {c.command.name}_fields[] = {{\n"
                     + "".join(_field(model, c.command, step) for step in c.request) + "};\n"
                     for c in planned.commands if c.request)
    commands = "".join(_command(model, c) for c in planned.commands)
    longest = max((len(c.request) for c in planned.commands), default=0)
    out.source(f"tables/{api.name}_plan.c", f"The plan of {api.name}.",
               (f'"tables/{api.name}_plan.h"', "", '"tables/enums.h"', f'"wire/{api.name}_opcodes.h"', "", "<stddef.h>"),
               f'_Static_assert({longest} <= PLAN_FIELDS_MAX, "more fields than a decoder has room for");\n\n'
               f"{fields}\nstatic const struct plan_command commands[] = {{\n{commands}}};\n\n"
               f'const struct plan_api {api.name}_plan = {{"{api.name}", {api.name.upper()}_OP_FIRST, '
               f"{len(planned.commands)}, commands}};\n")
