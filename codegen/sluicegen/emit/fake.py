"""check/fake_gl.[ch]: a native GLES driver that draws nothing and remembers what it was asked.

Every function reads the bytes that its length rule names, so that a sanitizer sees a decoder that
passed too few, and writes
one element of each output.
"""

from __future__ import annotations

from typing import List

from .. import ir
from ..cwriter import Output
from . import driver, lengths


def _word(param: ir.Param) -> str:
    """A parameter as the log has it."""
    if param.direction is not ir.Direction.VALUE or param.c_type in (
        "GLsync",
        "GLDEBUGPROC",
        "GLeglImageOES",
    ):
        return f"(uint64_t)(uintptr_t){param.name}"
    if param.c_type in ("GLfloat", "GLclampf"):
        return f"bits({param.name})"
    if param.type.prim is not None and param.type.prim.signed:
        return f"(uint64_t)(int64_t){param.name}"
    return f"(uint64_t){param.name}"


def _touch(param: ir.Param, command: ir.Command) -> str:
    """Reads an input as far as its rule says, writes the first element of an output."""
    if param.direction is ir.Direction.OUT:
        element = param.type.element
        size = element.prim.size if element is not None and element.prim is not None else 1
        return f"    give({param.name}, {size});\n"

    def signed(name: str) -> bool:
        prim = command.param(name).type.prim
        return prim is not None and prim.signed

    if param.length is None or command.reserved:
        return ""  # what has no wire form may be an offset into a buffer
    rule = lengths.expression(
        param.length, lambda name: name, signed, lambda name: f"strlen((const char *){name})"
    )
    return f"    take({param.name}, {rule});\n" if rule is not None else ""


def _function(command: ir.Command) -> str:
    space = "" if command.returns.endswith("*") else " "
    text = f"static {command.returns}{space}fake_{command.name[2:]}"
    text += f"({driver.signature(command)})\n{{\n"
    words = [_word(p) for p in command.params]
    for p in command.params:
        if p.direction is not ir.Direction.VALUE and not p.dma:
            text += _touch(p, command)
    numbers = f"(const uint64_t[]){{{', '.join(words)}}}" if words else "NULL"
    text += "    " if command.returns == "void" else "    uint64_t result = "
    text += f'enter("{command.name}", {len(words)}, {numbers});\n'
    if command.returns == "void":
        return text + "}\n"
    if command.returns.endswith("*"):
        name = "(const GLubyte *)\"fake\"" if "GLubyte" in command.returns else "NULL"
        return text + f"    (void)result;\n    return {name};\n}}\n"
    cast = "(GLsync)(uintptr_t)" if command.returns == "GLsync" else f"({command.returns})"
    return text + f"    return {cast}result;\n}}\n"


_HEADER = """#define FAKE_GL_ARGS 16u

/* What the fake driver was asked last on this thread, and what it answers. */
struct fake_gl {
    const char *name; /* "glDrawArrays" */
    uint32_t count;   /* of args */
    uint64_t args[FAKE_GL_ARGS]; /* sign-extended; floats as their bits; pointers as addresses */
    uint64_t calls;
    uint64_t result; /* returned by every function, cut to its type */
    uint8_t fill;    /* of every output's first element */
    uint8_t sum;     /* of all input bytes: keeps the reads alive */
};

extern _Thread_local struct fake_gl fake_gl;

/* Every function of the table; none is NULL. */
void fake_gl_driver(struct gl_driver *driver);
"""

_HELPERS = """_Thread_local struct fake_gl fake_gl;

static inline uint64_t bits(float value)
{
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

static void take(const void *data, uint64_t size)
{
    for (uint64_t i = 0; data != NULL && i < size; i++) {
        fake_gl.sum = (uint8_t)(fake_gl.sum + ((const uint8_t *)data)[i]);
    }
}

static void give(void *data, size_t size)
{
    if (data != NULL) {
        memset(data, fake_gl.fill, size);
    }
}

static uint64_t enter(const char *name, uint32_t count, const uint64_t *args)
{
    fake_gl.name = name;
    fake_gl.count = count;
    for (uint32_t i = 0; i < count && i < FAKE_GL_ARGS; i++) {
        fake_gl.args[i] = args[i];
    }
    fake_gl.calls++;
    return fake_gl.result;
}

"""


def emit(out: Output, model: ir.Model) -> None:
    commands: List[ir.Command] = driver.native(model)
    out.header(
        "check/fake_gl.h",
        "A native driver for tests that draws nothing.",
        ('"host/gl_driver.h"', "<stdint.h>"),
        _HEADER,
    )
    functions = lengths.functions(list(model.sizes))
    helpers = _HELPERS + "\n".join(functions[k] for k in sorted(functions)) + "\n"
    rows = "".join(f"        .{c.name[2:]} = fake_{c.name[2:]},\n" for c in commands)
    out.source(
        "check/fake_gl.c",
        "A native driver for tests that draws nothing.",
        ('"check/fake_gl.h"', "", "<string.h>"),
        helpers
        + "\n".join(_function(c) for c in commands)
        + f"\nvoid fake_gl_driver(struct gl_driver *driver)\n{{\n    *driver = (struct "
        f"gl_driver){{\n{rows}    }};\n}}\n",
    )
