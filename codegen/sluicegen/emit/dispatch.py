"""host/<api>_dispatch.[ch] and host/<api>_hand.h: packet -> checked arguments -> native or
hand-written function -> reply.

Every handler has the same order: unpack (too short: violation), reserve the whole reply as zeros,
refuse what policy or a length
rule refuses, call, store outputs and the result.
"""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

from .. import ir, plan
from ..cwriter import Output
from . import lengths

_PREFIX = {"gles1": "hgl1", "gles2": "hgl", "glesx": "hgl", "rc": "hrc", "sl": "hrc"}
_SPARE = 4096  # GL may write more than the guest asked for
_SPARE_LIST = 262144  # ... and a block's uniform indices are as many as the block has


# Queries of any state by its number, which `asked` looks at.
_ANY_STATE = re.compile(r"glGet(Boolean|Float|Integer|Integer64)(i_)?v(APPLE|EXT|OES)?")


def policy_of(model: ir.Model, command: ir.Command) -> Optional[ir.Policy]:
    """The line of policy/host.csv that names the command; None: generated, native."""
    for line in model.host:
        if line.api == command.api and line.name in (command.name, "*"):
            return line
    return None


def _guard(policy: ir.Policy) -> Tuple[str, str, List[str]]:
    """The parameter that a `guard` line replaces, the function that gives what the driver gets
    instead, and the parameters that it looks at: "first=hgl_first(first count)"."""
    found = re.fullmatch(r"(\w+)=(\w+)\(([\w ]+)\)", policy.detail)
    assert found is not None, "check.py saw to it"
    return found[1], found[2], found[3].split()


def _guard_prototypes(model: ir.Model, api: plan.ApiPlan) -> str:
    found: Dict[str, None] = {}  # one for all commands that it serves
    for command in api.commands:
        policy = policy_of(model, command.command)
        if policy is not None and policy.how == "guard":
            param, function, names = _guard(policy)
            prims = {p.name: p.type.prim for p in command.command.params}
            types = {n: p.c_type for n, p in prims.items() if p is not None}
            looks = "".join(f", {types[n]} {n}" for n in names)
            found[f"{types[param]} {function}(struct hr_call *call{looks});\n"] = None
    return "".join(found)


def _hand(command: plan.CommandPlan) -> str:
    c = command.command
    returns = command.value.prim.c_type if command.value is not None else "void"
    parameters = f"struct hr_call *call, const struct {c.api}_args_{c.name} *args"
    return f"{returns} {_PREFIX[c.api]}_{c.name}({parameters})"


def _rule(param: ir.Param, command: ir.Command) -> Optional[str]:
    if param.length is None:
        return None

    def signed(name: str) -> bool:
        prim = command.param(name).type.prim
        return prim is not None and prim.signed

    def string(name: str) -> str:
        return f"string_length(a.{name}, a.{command.param(name).size_name})"

    return lengths.expression(param.length, lambda name: f"a.{name}", signed, string)


def _checks(command: plan.CommandPlan, hand: bool) -> str:
    """Conditions under which the arguments are refused."""
    c = command.command
    words: List[str] = []
    for step in command.inputs:
        name, name_size = step.param.name, step.param.size_name
        rule = _rule(step.param, c)
        if rule is None:
            if not hand and step.param.length is not None:
                words.append(f"a.{name_size} == 0")
            continue
        test = f"{rule} > a.{name_size}"
        if step.param.nullable:
            words.append(f"(a.{name} != NULL && {test})")
        elif c.api.startswith("gles"):
            zeros = f"hr_call_zeros(&a.{name}, &a.{name_size}, {rule})"
            words.append(f"({test} && !{zeros})")
        else:
            words.append(test)
    for out in command.outputs:
        name, name_size = out.param.name, out.param.size_name
        rule = _rule(out.param, c)
        if rule is not None and "param_size" not in rule:
            test = f"{rule} > a.{name_size}"
            words.append(f"(a.{name_size} != 0 && {test})" if out.param.nullable else test)
    return " || ".join(words)


def _reply(command: plan.CommandPlan) -> str:
    sizes = [f"(size_t)a.{s.param.size_name}" for s in command.outputs]
    if command.value is not None:
        sizes.append(str(command.value.prim.size))
    if not sizes:
        return ""
    return (
        f"    uint8_t *reply = sl_reply_room(call->reply, {' + '.join(sizes)});\n"
        "    if (reply == NULL) {\n"
        "        hr_call_violate(call, \"a reply of this size is not to be had\");\n        "
        "return;\n    }\n"
    )


def _native_call(command: plan.CommandPlan, guard: Optional[ir.Policy]) -> str:
    c = command.command
    guarded, function, looks = _guard(guard) if guard is not None else ("", "", [])
    text = "    const struct gl_driver *gl = *(const struct gl_driver *const *)call->user;\n"
    text += f"    if (gl->{c.name[2:]} == NULL) {{\n"
    text += '        hr_call_refuse(call, "the native driver has no such function");\n'
    text += "        return;\n    }\n"
    for out in command.outputs:
        name, name_size = out.param.name, out.param.size_name
        spare = (
            _SPARE_LIST
            if isinstance(out.param.length, ir.Binary)
            and "blockParamSize" in repr(out.param.length)
            else _SPARE
        )
        need = f"(size_t)a.{name_size} + {spare}"
        fetch = f"scratch(call, {need})"
        if out.param.nullable:
            text += f"    void *{name} = a.{name_size} != 0 ? {fetch} : NULL;\n"
            text += f"    if ({name} == NULL && a.{name_size} != 0) {{\n"
        else:
            text += f"    void *{name} = {fetch};\n    if ({name} == NULL) {{\n"
        text += "        return;\n    }\n"
    words = []
    for step in command.request:
        p = step.param
        if isinstance(step, plan.OutLength):
            words.append(p.name)
        elif isinstance(step, plan.Scalar) and p == c.params[0] and _ANY_STATE.fullmatch(c.name):
            words.append(f"(GLenum)asked(a.{p.name})")
        elif p.name == guarded:
            words.append(f"({p.c_type}){function}(call, {', '.join(f'a.{n}' for n in looks)})")
        elif isinstance(step, plan.Scalar):
            words.append(
                f"(GLsync)(uintptr_t)a.{p.name}"
                if p.c_type == "GLsync"
                else f"({p.c_type})a.{p.name}"
            )
        else:
            words.append(f"({p.c_type})(uintptr_t)a.{p.name}")
    called = f"gl->{c.name[2:]}({', '.join(words)})"
    if command.value is None:
        text += f"    {called};\n"
    else:
        text += f"    {command.value.prim.c_type} result = ({command.value.prim.c_type}){called};\n"
    offset = "reply"
    for out in command.outputs:
        name, name_size = out.param.name, out.param.size_name
        copy = f"    memcpy({offset}, {name}, a.{name_size});\n"
        text += f"    if ({name} != NULL) {{\n    {copy}    }}\n" if out.param.nullable else copy
        offset += f" + a.{name_size}"
    if command.value is not None:
        text += f"    memcpy({offset}, &result, sizeof result);\n"
    return text


def _hand_call(command: plan.CommandPlan) -> str:
    c = command.command
    text, offset = "", "reply"
    for out in command.outputs:
        name, name_size = out.param.name, out.param.size_name
        text += (
            f"    a.{name} = a.{name_size} != 0 ? {offset} : NULL;\n"
            if out.param.nullable
            else f"    a.{name} = {offset};\n"
        )
        offset += f" + a.{name_size}"
    called = f"{_PREFIX[c.api]}_{c.name}(call, &a)"
    if command.value is None:
        return text + f"    {called};\n"
    return (
        text + f"    {command.value.prim.c_type} result = {called};\n    memcpy({offset}, &result, "
        f"sizeof result);\n"
    )


def _handler(model: ir.Model, command: plan.CommandPlan) -> str:
    c = command.command
    policy = policy_of(model, c)
    text = (
        f"void {c.api}_on_{c.name}(struct hr_call *call)\n{{\n    struct {c.api}_args_{c.name} a;\n"
    )
    text += f"    if (!{c.api}_unpack_{c.name}(&call->in, &a)) {{\n"
    text += '        hr_call_violate(call, "the packet is shorter than its fields");\n'
    text += "        return;\n    }\n"
    text += _reply(command)
    if policy is not None and policy.how == "refuse":
        return text + f'    hr_call_refuse(call, "{policy.reason}");\n}}\n'
    hand = policy is not None and policy.how == "hand"
    checks = _checks(command, hand)
    if checks:
        text += (
            f"    if ({checks}) {{\n"
            "        hr_call_refuse(call, \"fewer bytes than the arguments say\");\n        "
            "return;\n    }\n"
        )
    return text + (_hand_call(command) if hand else _native_call(command, policy)) + "}\n"


_HELPERS = """/* Zeroed memory for an output; NULL and refused when the arena has no more. */
static inline void *scratch(struct hr_call *call, size_t size)
{
    void *p = sl_arena_get(call->in.arena, size);
    if (p == NULL) {
        hr_call_refuse(call, "an output of %zu bytes is too large", size);
        return NULL;
    }
    memset(p, 0, size);
    return p;
}

/* strlen of a string in a packet, or of none; more than any packet has when its NUL is missing. */
static inline uint64_t string_length(const void *text, uint32_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *end = memchr(text, 0, size);
    return end != NULL ? (uint64_t)(end - (const char *)text) : 1ull << 40;
}

"""
_ASKED = """\
/* What may be asked for. Mesa's software driver dies of the numbers of a device, which belong to
 * GL_EXT_memory_object, and that is not offered: they are refused as unknown ones. */
static inline uint32_t asked(uint32_t pname)
{
    return pname >= GL_NUM_DEVICE_UUIDS_EXT && pname <= GL_DEVICE_NODE_MASK_EXT ? GL_NONE : pname;
}

"""


def emit(out: Output, model: ir.Model, api: plan.ApiPlan) -> None:
    name = api.api.name
    gles = name.startswith("gles")
    out.header(
        f"host/{name}_dispatch.h",
        f"Dispatch of {name}.",
        ('"host/ring/ring.h"',),
        f"extern const struct hr_family {name}_family;\n",
    )
    hands = [
        c
        for c in api.commands
        if (p := policy_of(model, c.command)) is not None and p.how == "hand"
    ]
    out.header(
        f"host/{name}_hand.h",
        f"Handlers of {name} that are written by hand; why: policy/host.csv.",
        ('"host/ring/ring.h"', f'"wire/{name}_args.h"'),
        "".join(_hand(c) + ";\n" for c in hands) + _guard_prototypes(model, api),
    )
    functions = lengths.functions(list(model.sizes))
    helpers = _HELPERS + "\n".join(functions[k] for k in sorted(functions))
    headers = ['"host/ring/ring.h"', f'"host/{name}_hand.h"', f'"wire/{name}_unpack.h"']
    if gles:
        headers.append('"host/gl_driver.h"')
    out.header(
        f"host/{name}_handlers.h",
        f"Shared by the handlers of {name}.",
        [*headers, "<string.h>"],
        (_ASKED + helpers if gles else _HELPERS)
        + "\n"
        + "".join(
            f"void {name}_on_{c.command.name}(struct hr_call *call);\n" for c in api.commands
        ),
    )
    for family, commands in api.by_family().items():
        body = "\n".join(_handler(model, c) for c in commands)
        out.source(
            f"host/{name}_{family}_dispatch.c",
            f"Handlers of {name}, {family}.",
            (f'"host/{name}_handlers.h"',),
            body,
        )
    _table(out, api)


def _table(out: Output, api: plan.ApiPlan) -> None:
    """The family: handlers by opcode."""
    name = api.api.name
    table = "".join(f"    {name}_on_{c.command.name},\n" for c in api.commands)
    replies = "".join(
        f"    {1 if c.command.has_reply else 0}, /* {c.command.name} */\n" for c in api.commands
    )
    staged = "".join(
        f"    {int(any(p.staged for p in c.command.params))}, /* {c.command.name} */\n"
        for c in api.commands
    )
    out.source(
        f"host/{name}_dispatch.c",
        f"Dispatch of {name}.",
        (
            f'"host/{name}_dispatch.h"',
            "",
            f'"host/{name}_handlers.h"',
            f'"wire/{name}_names.h"',
            f'"wire/{name}_opcodes.h"',
        ),
        f"static const hr_handler handlers[] = {{\n{table}}};\n\n"
        f"static const uint8_t has_reply[] = {{\n{replies}}};\n\n"
        f"static const uint8_t may_stage[] = {{\n{staged}}};\n\n"
        f"const struct hr_family {name}_family = {{\n    .name = \"{name}\",\n"
        f"    .first_opcode = {name.upper()}_OP_FIRST,\n    .count = {name.upper()}_OP_END - "
        f"{name.upper()}_OP_FIRST,\n"
        f"    .handlers = handlers,\n    .opcode_name = {name}_op_name,\n    .shares = "
        f"{name}_op_shares,\n    .has_reply = has_reply,\n    .may_stage = may_stage,\n}};\n",
    )
