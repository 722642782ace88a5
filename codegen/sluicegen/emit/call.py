"""guest/<api>_call.h: pack, flush, read the reply; one function for each command with a reply."""

from __future__ import annotations

from .. import plan
from ..cwriter import Output, api_headers
from . import pack


def _parameters(command: plan.CommandPlan) -> str:
    outputs = {s.param.name for s in command.outputs}
    words = ["struct gs_stream *stream"]
    for step, text in zip(command.request, pack.parameters(command)):
        words.append(f"void *{step.param.name}, {text}" if step.param.name in outputs else text)
    return ", ".join(words)


def _arguments(command: plan.CommandPlan) -> str:
    words = ["gs_pack(stream)"]
    for step in command.request:
        name, name_size = step.param.name, step.param.size_name
        if isinstance(step, plan.Bytes) and not step.param.gather:
            words.append(f"{name}, {name_size}")
        elif isinstance(step, plan.OutLength):
            words.append(f"{name} != NULL ? {name_size} : 0")
        else:
            words.append(name)
    return ", ".join(words)


def _function(command: plan.CommandPlan) -> str:
    c = command.command
    value = command.value
    returns = "void" if value is None else "uint64_t" if c.returns == "GLsync" else c.returns
    text = f"static inline {returns} {c.api}_call_{c.name}({_parameters(command)})\n{{\n"
    text += f"    {c.api}_pack_{c.name}({_arguments(command)});\n"
    for step in command.outputs:
        name, name_size = step.param.name, step.param.size_name
        text += f"    if ({name} != NULL && {name_size} != 0) {{\n"
        text += f"        gs_read(stream, {name}, {name_size});\n    }}\n"
    if value is not None:
        text += f"    {returns} result;\n    gs_read(stream, &result, sizeof result);\n"
    text += "    gs_reply_end(stream);\n"
    return text + ("    return result;\n}\n" if value is not None else "}\n")


def emit(out: Output, api: plan.ApiPlan) -> None:
    name = api.api.name
    body = "\n".join(_function(c) for c in api.commands if c.command.has_reply)
    out.header(
        f"guest/{name}_call.h",
        f"Calls of {name} that wait for their reply.",
        ['"guest/stream/gs.h"', f'"wire/{name}_pack.h"', *api_headers(name)],
        body,
    )
