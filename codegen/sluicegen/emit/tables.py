"""tables/<api>_plan.[ch]: the plan as data, for the interpreter in tools/plan."""

from __future__ import annotations

from typing import Dict, List, Optional

from .. import ir, plan
from ..cwriter import GL_HEADERS, Output
from . import enums, lengths

_KINDS = {
    ir.Kind.SCALAR: "NUMBER",
    ir.Kind.ENUM: "ENUM",
    ir.Kind.FLAGS: "FLAGS",
    ir.Kind.STRING: "STRING",
    ir.Kind.ARRAY: "ARRAY",
    ir.Kind.BLOB: "BLOB",
}
_STEPS = {
    plan.Scalar: "SCALAR",
    plan.Bytes: "BYTES",
    plan.OutLength: "OUT_LENGTH",
    plan.Address: "ADDRESS",
}
_OPERATORS = {"+": "PLAN_RULE_ADD", "*": "PLAN_RULE_MULTIPLY", ">>": "PLAN_RULE_SHIFT"}


def _prim(kind: ir.Type) -> str:
    """Of a scalar, or of what an array is made of; bytes where nothing is known."""
    inner = kind.element if kind.element is not None else kind
    return "PLAN_" + (inner.prim.name if inner.prim is not None else "U8")


def _kind(kind: ir.Type) -> str:
    """Arrays of characters are shown as text."""
    text = (
        kind.kind is ir.Kind.ARRAY
        and kind.element is not None
        and kind.element.name in ("GLchar", "char")
    )
    return "PLAN_STRING" if text else f"PLAN_{_KINDS[kind.kind]}"


def _names(model: ir.Model, command: ir.Command, name: str, kind: ir.Type) -> str:
    group = model.group(command, name, kind)
    return "NULL" if group is None else f"&{enums.table(group)}"


def _rule(length: Optional[ir.Length], fields: Dict[str, int]) -> Optional[List[str]]:
    """A length rule in postfix order; None when it needs what no packet has, or reads text."""
    if isinstance(length, ir.Const):
        return [f"{{PLAN_RULE_NUMBER, {length.value}, NULL}}"]
    if isinstance(length, ir.Ref):
        return [f"{{PLAN_RULE_FIELD, {fields[length.param]}, NULL}}"]
    if isinstance(length, ir.Binary):
        left, right = _rule(length.left, fields), _rule(length.right, fields)
        return (
            None
            if left is None or right is None
            else [*left, *right, f"{{{_OPERATORS[length.op]}, 0, NULL}}"]
        )
    if isinstance(length, ir.Call) and length.function in lengths.FUNCTIONS:
        return [
            f"{{PLAN_RULE_CALL, {fields[length.args[0]]}, {lengths.FUNCTIONS[length.function]}}}"
        ]
    return None


def _rules(c: plan.CommandPlan) -> Dict[str, List[str]]:
    """Of a command's pointers, by name."""
    fields = {step.param.name: index for index, step in enumerate(c.request)}
    found = {step.param.name: _rule(step.param.length, fields) for step in c.request}
    return {name: rule for name, rule in found.items() if rule is not None}


def _field(model: ir.Model, command: ir.Command, step: plan.Step, rule: str) -> str:
    param = step.param
    return (
        f'    {{"{param.name}", "{param.c_type}", PLAN_{_STEPS[type(step)]}, {_kind(param.type)}, '
        f'{_prim(param.type)}, {"true" if param.nullable else "false"}, '
        f'{_names(model, command, param.name, param.type)}, {rule}}},\n'
    )


def _fields(model: ir.Model, c: plan.CommandPlan, texts: Dict[str, str]) -> str:
    rules = _rules(c)
    text = f"static const struct plan_field {c.command.name}_fields[] = {{\n"
    for step in c.request:
        rule = rules.get(step.param.name)
        word = "NULL, 0"
        if rule is not None:
            word = f"{texts.setdefault(', '.join(rule), f'rule_{len(texts)}')}, {len(rule)}"
        text += _field(model, c.command, step, word)
    return text + "};\n"


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
    out.header(
        f"tables/{api.name}_plan.h",
        f"The plan of {api.name}.",
        ('"tools/plan/plan.h"',),
        f"extern const struct plan_api {api.name}_plan;\n",
    )
    texts: Dict[str, str] = {}  # a rule's text -> its name: many commands have the same
    fields = "".join(_fields(model, c, texts) for c in planned.commands if c.request)
    rules = "".join(
        f"static const struct plan_rule {name}[] = {{{text}}};\n" for text, name in texts.items()
    )
    functions = lengths.functions(list(model.sizes))
    called = "\n".join(functions[f] for f in sorted(functions) if f in rules)
    headers = [*GL_HEADERS, ""] if called else []
    commands = "".join(_command(model, c) for c in planned.commands)
    longest = max((len(c.request) for c in planned.commands), default=0)
    out.source(
        f"tables/{api.name}_plan.c",
        f"The plan of {api.name}.",
        (
            f'"tables/{api.name}_plan.h"',
            "",
            '"tables/enums.h"',
            f'"wire/{api.name}_opcodes.h"',
            "",
            *headers,
            "<stddef.h>",
        ),
        f'_Static_assert({longest} <= PLAN_FIELDS_MAX, "more fields than a decoder has room '
        f'for");\n\n'
        f"{called}\n{rules}\n{fields}\nstatic const struct plan_command commands[] = "
        f"{{\n{commands}}};\n\n"
        f'const struct plan_api {api.name}_plan = {{"{api.name}", {api.name.upper()}_OP_FIRST, '
        f"{len(planned.commands)}, commands}};\n",
    )


def emit_all(out: Output, model: ir.Model) -> None:
    """tables/plans.[ch]: every API's plan, so that no walk over them forgets one."""
    names = [api.name for api in model.apis]
    out.header(
        "tables/plans.h",
        "The plans of all APIs but Vulkan.",
        ('"tools/plan/plan.h"', "<stddef.h>"),
        "extern const struct plan_api *const plan_apis[];\n"
        f"enum {{ PLAN_APIS = {len(names)} }};\n\n"
        "/* The command of an opcode of any of them, or NULL. */\n"
        "static inline const struct plan_command *plan_find_any(uint32_t opcode)\n{\n"
        "    const struct plan_command *command = NULL;\n"
        "    for (size_t i = 0; i < PLAN_APIS && command == NULL; i++) {\n"
        "        command = plan_find(plan_apis[i], opcode);\n    }\n    return command;\n}\n",
    )
    out.source(
        "tables/plans.c",
        "The plans of all APIs but Vulkan.",
        ('"tables/plans.h"', "", *(f'"tables/{name}_plan.h"' for name in names)),
        "const struct plan_api *const plan_apis[] = {"
        + ", ".join(f"&{name}_plan" for name in names)
        + "};\n",
    )
