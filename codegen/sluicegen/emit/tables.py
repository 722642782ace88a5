"""tables/<api>_plan.[ch]: the plan as data, for the interpreter in tools/plan."""

from __future__ import annotations

from .. import ir, plan
from ..cwriter import Output

_KINDS = {ir.Kind.SCALAR: "NUMBER", ir.Kind.ENUM: "ENUM", ir.Kind.FLAGS: "FLAGS", ir.Kind.STRING: "STRING",
          ir.Kind.ARRAY: "ARRAY", ir.Kind.BLOB: "BLOB"}
_STEPS = {plan.Scalar: "SCALAR", plan.Bytes: "BYTES", plan.OutLength: "OUT_LENGTH", plan.Address: "ADDRESS"}


def _prim(kind: ir.Type) -> str:
    """Of a scalar, or of what an array is made of; bytes where nothing is known."""
    inner = kind.element if kind.element is not None else kind
    return "PLAN_" + (inner.prim.name if inner.prim is not None else "U8")


def _field(step: plan.Step) -> str:
    param = step.param
    return (f'    {{"{param.name}", "{param.c_type}", PLAN_{_STEPS[type(step)]}, PLAN_{_KINDS[param.type.kind]}, '
            f'{_prim(param.type)}}},\n')


def _command(c: plan.CommandPlan) -> str:
    result = c.command.result
    fields = f"{c.command.name}_fields" if c.request else "NULL"
    value = "false, 0, 0" if c.value is None else \
        f"true, PLAN_{c.value.prim.name}, PLAN_{_KINDS[result.kind] if result is not None else 'NUMBER'}"
    return f'    {{"{c.command.name}", {fields}, {len(c.request)}, {value}, {c.trailing}}},\n'


def emit(out: Output, planned: plan.ApiPlan) -> None:
    api = planned.api
    out.header(f"tables/{api.name}_plan.h", f"The plan of {api.name}.", ('"tools/plan/plan.h"',),
               f"extern const struct plan_api {api.name}_plan;\n")
    fields = "".join(f"static const struct plan_field {c.command.name}_fields[] = {{\n"
                     + "".join(_field(step) for step in c.request) + "};\n"
                     for c in planned.commands if c.request)
    commands = "".join(_command(c) for c in planned.commands)
    longest = max((len(c.request) for c in planned.commands), default=0)
    out.source(f"tables/{api.name}_plan.c", f"The plan of {api.name}.",
               (f'"tables/{api.name}_plan.h"', "", f'"wire/{api.name}_opcodes.h"', "", "<stddef.h>"),
               f'_Static_assert({longest} <= PLAN_FIELDS_MAX, "more fields than a decoder has room for");\n\n'
               f"{fields}\nstatic const struct plan_command commands[] = {{\n{commands}}};\n\n"
               f'const struct plan_api {api.name}_plan = {{"{api.name}", {api.name.upper()}_OP_FIRST, '
               f"{len(planned.commands)}, commands}};\n")
