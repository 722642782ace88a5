"""guest/<api>_call.h: pack, flush, read the reply; one function for each command with a reply.

guest/gles2_ask.h: the same for queries that write to memory, and whether the host refused.
"""

from __future__ import annotations

from .. import plan
from ..cwriter import Output, api_headers
from . import pack


def _parameters(command: plan.CommandPlan, first: str) -> str:
    outputs = {s.param.name for s in command.outputs}
    words = [first]
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


def _reads(command: plan.CommandPlan) -> str:
    text = ""
    for step in command.outputs:
        name, name_size = step.param.name, step.param.size_name
        text += f"    if ({name} != NULL && {name_size} != 0) {{\n"
        text += f"        gs_read(stream, {name}, {name_size});\n    }}\n"
    return text


def _function(command: plan.CommandPlan) -> str:
    c = command.command
    value = command.value
    returns = "void" if value is None else "uint64_t" if c.returns == "GLsync" else c.returns
    text = f"static inline {returns} {c.api}_call_{c.name}("
    text += f"{_parameters(command, 'struct gs_stream *stream')})\n{{\n"
    text += f"    {c.api}_pack_{c.name}({_arguments(command)});\n" + _reads(command)
    if value is not None:
        text += f"    {returns} result;\n    gs_read(stream, &result, sizeof result);\n"
    text += "    gs_reply_end(stream);\n"
    return text + ("    return result;\n}\n" if value is not None else "}\n")


def asks(command: plan.CommandPlan) -> bool:
    """Is this a query that leaves the application's memory alone when it is refused?"""
    name = command.command.name
    return name.startswith("glGet") and command.value is None and bool(command.outputs)


def _ask(command: plan.CommandPlan) -> str:
    c = command.command
    text = f"static inline bool {c.api}_ask_{c.name}("
    text += f"{_parameters(command, 'struct ggl_context *context')})\n{{\n"
    text += "    struct gs_stream *stream = ggl_context_stream(context);\n"
    text += "    struct ggl_question question = ggl_question_begin(context);\n"
    text += f"    {c.api}_pack_{c.name}({_arguments(command)});\n"
    text += "    ggl_question_end(context, &question);\n"
    text += "    ggl_question_earlier(context, &question);\n" + _reads(command)
    text += "    gs_reply_end(stream);\n"
    return text + "    return ggl_question_answered(context, &question);\n}\n"


def emit_asks(out: Output, api: plan.ApiPlan) -> None:
    name = api.api.name
    out.header(
        f"guest/{name}_ask.h",
        f"Queries of {name}: false when the host refused, and the outputs mean nothing.",
        ['"guest/gles/ggl.h"', f'"wire/{name}_pack.h"', *api_headers(name)],
        "\n".join(_ask(c) for c in api.commands if asks(c)),
    )


def emit(out: Output, api: plan.ApiPlan) -> None:
    name = api.api.name
    body = "\n".join(_function(c) for c in api.commands if c.command.has_reply)
    out.header(
        f"guest/{name}_call.h",
        f"Calls of {name} that wait for their reply.",
        ['"guest/stream/gs.h"', f'"wire/{name}_pack.h"', *api_headers(name)],
        body,
    )
