"""host/gl_driver.[ch]: the native GLES functions as one table."""

from __future__ import annotations

from typing import Dict, List

from .. import ir
from ..cwriter import GL_HEADERS, Output


def native(model: ir.Model) -> List[ir.Command]:
    """GLES functions of all APIs, each name once: GLES 2's form before GLES 1's, but a form that
    has a sender before a reserved one."""
    found: Dict[str, ir.Command] = {}
    names = ("gles2", "glesx", "gles1")
    functions = [c for api in names for c in model.api(api).commands if not c.internal]
    for command in sorted(functions, key=lambda c: c.reserved):
        found.setdefault(command.name, command)
    return [found[name] for name in sorted(found)]


def signature(command: ir.Command) -> str:
    return (
        ", ".join(
            f"{p.c_type}{'' if p.c_type.endswith('*') else ' '}{p.name}" for p in command.params
        )
        or "void"
    )


# What a driver that draws nothing still does: it makes objects and answers for them.
_MAKES = (
    "glAttachShader",
    "glBind",
    "glBuffer",
    "glCompile",
    "glCreate",
    "glDelete",
    "glDetachShader",
    "glFlushMapped",
    "glGen",
    "glLinkProgram",
    "glNamedBuffer",
    "glProgramBinary",
    "glProgramParameter",
    "glShader",
    "glTransformFeedbackVaryings",
    "glUniformBlockBinding",
)
_MAKES_NOT = (
    "glBindFramebuffer",
    "glBindImageTexture",
    "glBindRenderbuffer",
    "glBindSampler",
    "glBindTexture",
    "glGenerateMipmap",
)


def is_nulled(command: ir.Command) -> bool:
    """It answers nothing and makes nothing that can be asked for: a null driver leaves it out."""
    answers = command.returns != "void" or any(
        p.direction is ir.Direction.OUT for p in command.params
    )
    makes = command.name.startswith(_MAKES) and not command.name.startswith(_MAKES_NOT)
    return not answers and not makes


def _null(command: ir.Command) -> str:
    unused = "".join(f"    (void){p.name};\n" for p in command.params)
    return f"static void null_{command.name[2:]}({signature(command)})\n{{\n{unused}}}\n\n"


def emit(out: Output, model: ir.Model) -> None:
    commands = native(model)
    nulled = [c for c in commands if is_nulled(c)]
    fields = "".join(
        f"    {c.returns}{'' if c.returns.endswith('*') else ' '}(*{c.name[2:]})({signature(c)});\n"
        for c in commands
    )
    out.header(
        "host/gl_driver.h",
        "Waist D: the native GLES driver.",
        GL_HEADERS,
        f"struct gl_driver {{\n{fields}}};\n\n"
        "/* Fills the table; a function that `get` does not know stays NULL. get: name -> "
        "address, user as given. */\n"
        "void gl_driver_load(struct gl_driver *driver, void *(*get)(void *user, const char "
        "*name), void *user);\n"
        "/* What draws, uploads and sets state does nothing from now on. */\n"
        "void gl_driver_null(struct gl_driver *driver);\n",
    )
    rows = "".join(
        f'    {{"{c.name}", offsetof(struct gl_driver, {c.name[2:]})}},\n' for c in commands
    )
    out.source(
        "host/gl_driver.c",
        "Waist D: the native GLES driver.",
        ('"host/gl_driver.h"', "", "<stddef.h>", "<string.h>"),
        f"static const struct {{\n    const char *name;\n    size_t offset;\n}} functions[] = "
        f"{{\n{rows}}};\n\n"
        "void gl_driver_load(struct gl_driver *driver, void *(*get)(void *user, const char "
        "*name), void *user)\n{\n"
        "    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {\n"
        "        void *address = get(user, functions[i].name);\n"
        "        memcpy((char *)driver + functions[i].offset, &address, sizeof address);\n    "
        "}\n}\n\n"
        + "".join(map(_null, nulled))
        + "void gl_driver_null(struct gl_driver *driver)\n{\n"
        + "".join(
            f"    if (driver->{c.name[2:]} != NULL)\n        driver->{c.name[2:]} = "
            f"null_{c.name[2:]};\n"
            for c in nulled
        )
        + "}\n",
    )
