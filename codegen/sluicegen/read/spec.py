"""spec/<api>.csv -> ir.Api: one line a command, `opcode,name,family,returns,params,flags`.

A parameter is `TYPE NAME`, or `in|out TYPE *NAME[length rule] flags`; parameters are joined by `;
`, in wire order.
Flags of a parameter: null, large, dma, gather. Of a command: internal, reserved, flush.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Dict, Tuple

from .. import ir
from ..errors import SpecError, Where
from . import length as length_rules
from . import rows

_COLUMNS = ("opcode", "name", "family", "returns", "params", "flags")
_POINTER = re.compile(r"(in|out) (.*?\*+)(\w+)\[(.*)\]((?: \w+)*)$")
_VALUE = re.compile(r"([A-Za-z_]\w*) (\w+)$")
_PARAM_FLAGS = {"null", "large", "dma", "gather", "staged"}
_COMMAND_FLAGS = {"internal", "reserved", "flush"}

# The scalar types of the APIs and how they travel (protocol facts: parameters). GLintptr and
# GLsizeiptr lose their upper half.
_P, _K = ir.Prim, ir.Kind
_SCALARS: Dict[str, Tuple[ir.Prim, ir.Kind]] = {
    "GLboolean": (_P.U8, _K.SCALAR),
    "GLubyte": (_P.U8, _K.SCALAR),
    "GLchar": (_P.U8, _K.SCALAR),
    "RenderControlByte": (_P.U8, _K.SCALAR),
    "char": (_P.U8, _K.SCALAR),
    "GLbyte": (_P.I8, _K.SCALAR),
    "GLshort": (_P.I16, _K.SCALAR),
    "GLushort": (_P.U16, _K.SCALAR),
    "GLint": (_P.I32, _K.SCALAR),
    "GLsizei": (_P.I32, _K.SCALAR),
    "EGLint": (_P.I32, _K.SCALAR),
    "int": (_P.I32, _K.SCALAR),
    "int32_t": (_P.I32, _K.SCALAR),
    "GLfixed": (_P.I32, _K.SCALAR),
    "GLclampx": (_P.I32, _K.SCALAR),
    "GLintptr": (_P.I32, _K.SCALAR),
    "GLsizeiptr": (_P.I32, _K.SCALAR),
    "GLuint": (_P.U32, _K.SCALAR),
    "uint32_t": (_P.U32, _K.SCALAR),
    "GLeglImageOES": (_P.U32, _K.SCALAR),
    "GLenum": (_P.U32, _K.ENUM),
    "EGLenum": (_P.U32, _K.ENUM),
    "GLbitfield": (_P.U32, _K.FLAGS),
    "GLfloat": (_P.F32, _K.SCALAR),
    "GLclampf": (_P.F32, _K.SCALAR),
    "GLint64": (_P.I64, _K.SCALAR),
    "GLuint64": (_P.U64, _K.SCALAR),
    "uint64_t": (_P.U64, _K.SCALAR),
    "GLsync": (_P.U64, _K.SCALAR),
    "GLDEBUGPROC": (_P.U64, _K.SCALAR),
}
_FIRST = {
    "gles1": ("gl", 1024),
    "gles2": ("gl", 2048),
    "rc": ("rc", 10000),
    "sl": ("sl", 15000),
    "glesx": ("gl", 16000),
}
APIS = tuple(_FIRST)


def scalar(name: str, where: Where, entity: str) -> ir.Type:
    if name not in _SCALARS:
        raise SpecError(where, entity, f"unknown type '{name}'")
    prim, kind = _SCALARS[name]
    return ir.Type(name, kind, prim)


def _pointee(c_type: str, rule: str, where: Where, entity: str) -> ir.Type:
    """The type of what a pointer parameter points to. Pointers to pointers never travel with
    meaning: bytes."""
    base = c_type.replace("const", "").strip()
    if base.count("*") > 1 or base.startswith("void"):
        return ir.Type("void", ir.Kind.BLOB)
    element = scalar(base.rstrip("* "), where, entity)
    kind = ir.Kind.STRING if rule.startswith("strlen(") else ir.Kind.ARRAY
    return ir.Type(element.name, kind, None, element)


def _param(text: str, where: Where, command: str) -> ir.Param:
    match = _POINTER.match(text)
    if match is None:
        value = _VALUE.match(text)
        if value is None:
            raise SpecError(where, command, f"'{text}' is not a parameter")
        c_type, name = value.groups()
        return ir.Param(
            name, c_type, scalar(c_type, where, f"{command}: {name}"), ir.Direction.VALUE
        )
    direction, c_type, name, rule, flag_text = match.groups()
    flags = set(flag_text.split())
    unknown = sorted(flags - _PARAM_FLAGS)
    if unknown:
        raise SpecError(where, f"{command}: {name}", f"unknown flag '{unknown[0]}'")
    length = None
    if rule != "?":
        try:
            length = length_rules.parse(rule)
        except length_rules.LengthSyntax as problem:
            raise SpecError(where, f"{command}: {name}", str(problem)) from None
    return ir.Param(
        name,
        c_type,
        _pointee(c_type, rule, where, f"{command}: {name}"),
        ir.Direction(direction),
        length,
        "null" in flags,
        "large" in flags,
        "dma" in flags,
        "gather" in flags,
        "staged" in flags,
    )


def _command(api: str, where: Where, cells: Tuple[str, ...]) -> ir.Command:
    opcode, name, family, returns, params, flag_text = cells
    if not opcode.isdigit():
        raise SpecError(where, name, f"opcode '{opcode}' is not a number")
    flags = set(flag_text.split())
    unknown = sorted(flags - _COMMAND_FLAGS)
    if unknown:
        raise SpecError(where, name, f"unknown flag '{unknown[0]}'")
    result = None
    if returns != "void" and "*" not in returns:
        result = scalar(returns, where, name)
    read_params = [_param(text, where, name) for text in params.split("; ")] if params else []
    taken = {p.name for p in read_params}
    sized = tuple(
        replace(p, size_name=f"{p.name}_bytes" if f"{p.name}_size" in taken else f"{p.name}_size")
        for p in read_params
    )
    return ir.Command(
        api,
        int(opcode),
        name,
        family,
        returns,
        result,
        sized,
        "internal" in flags,
        "reserved" in flags,
        "flush" in flags,
        where,
    )


def read(path: Path, api: str) -> ir.Api:
    prefix, first = _FIRST[api]
    return ir.Api(
        api,
        prefix,
        first,
        tuple(_command(api, where, cells) for where, cells in rows(path, _COLUMNS)),
    )
