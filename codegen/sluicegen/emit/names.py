"""wire/<api>_opcodes.h and wire/<api>_names.[ch]."""

from __future__ import annotations

from .. import ir
from ..cwriter import Output

_RC_TYPES = """#include <EGL/egl.h>
#include <GLES3/gl32.h>

typedef uint8_t RenderControlByte;
"""


def emit(out: Output, api: ir.Api) -> None:
    up = api.name.upper()
    body = "enum {\n" + "".join(f"    {up}_OP_{c.name} = {c.opcode},\n" for c in api.commands)
    body += f"    {up}_OP_FIRST = {api.first},\n    {up}_OP_END = {api.end},\n}};\n"
    out.header(f"wire/{api.name}_opcodes.h", f"Opcodes of {api.name}.", (), body)
    out.header(
        f"wire/{api.name}_names.h",
        f"Names of {api.name}.",
        ("<stdint.h>",),
        "/* The command's name, or NULL outside the range. */\n"
        f"const char *{api.name}_op_name(uint32_t opcode);\n",
    )
    table = "".join(f'    "{c.name}",\n' for c in api.commands)
    out.source(
        f"wire/{api.name}_names.c",
        f"Names of {api.name}.",
        (f'"wire/{api.name}_names.h"', "", f'"wire/{api.name}_opcodes.h"', "", "<stddef.h>"),
        f"static const char *const names[] = {{\n{table}}};\n\n"
        f"const char *{api.name}_op_name(uint32_t opcode)\n{{\n"
        f"    return opcode >= {up}_OP_FIRST && opcode < {up}_OP_END ? names[opcode - "
        f"{up}_OP_FIRST] : NULL;\n}}\n",
    )
    if api.name == "rc":
        out.header("wire/rc_types.h", "Types of renderControl's parameters.", (), _RC_TYPES)
