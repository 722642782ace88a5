"""wire/<api>_opcodes.h and wire/<api>_names.[ch]."""

from __future__ import annotations

import re

from .. import ir
from ..cwriter import Output

# Commands that make, use or end by its name what the contexts of a share group have in common.
_SHARES = re.compile(
    r"gl(Gen|Delete|Is|Create|Bind|Attach|Detach|Use)\w*"
    r"(Buffer|Texture|Renderbuffer|Sampler|Shader|Program|Sync)\w*|glFenceSync\w*"
    r"|glFramebuffer(Texture|Renderbuffer)\w*"
)

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
        ("<stdbool.h>", "<stdint.h>"),
        "/* The command's name, or NULL outside the range. */\n"
        f"const char *{api.name}_op_name(uint32_t opcode);\n"
        "/* Makes, uses or ends by its name what contexts share: what it answers, and what others "
        "answer,\n * depends on the order of all of these. */\n"
        f"bool {api.name}_op_shares(uint32_t opcode);\n",
    )
    cases = "".join(
        f"    case {up}_OP_{c.name}:\n" for c in api.commands if _SHARES.fullmatch(c.name)
    )
    shares = (
        f"    switch (opcode) {{\n{cases}        return true;\n    default:\n"
        "        return false;\n    }\n"
    )
    if not cases:
        shares = "    (void)opcode;\n    return false;\n"
    table = "".join(f'    "{c.name}",\n' for c in api.commands)
    out.source(
        f"wire/{api.name}_names.c",
        f"Names of {api.name}.",
        (f'"wire/{api.name}_names.h"', "", f'"wire/{api.name}_opcodes.h"', "", "<stddef.h>"),
        f"static const char *const names[] = {{\n{table}}};\n\n"
        f"const char *{api.name}_op_name(uint32_t opcode)\n{{\n"
        f"    return opcode >= {up}_OP_FIRST && opcode < {up}_OP_END ? names[opcode - "
        f"{up}_OP_FIRST] : NULL;\n}}\n\n"
        f"bool {api.name}_op_shares(uint32_t opcode)\n{{\n{shares}}}\n",
    )
    if api.name == "rc":
        out.header("wire/rc_types.h", "Types of renderControl's parameters.", (), _RC_TYPES)
