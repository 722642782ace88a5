"""C declarations and the small expressions beside them: text -> ir and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ..ir import Const, Ref
from . import ir

_DECLARATION = re.compile(
    r"(?P<const>const )?(?:struct )?(?P<type>\w+)(?P<stars>[*\s]*(?:const[*\s]*)*)\b(?P<name>\w+)"
    r"(?P<dims>(?:\[\w+\])*)(?::(?P<bits>\d+))?$"
)
_TOKEN = re.compile(r"\s*(\w+(?:->\w+)?|[()+*/])")
_LEVELS = (("+",), ("*", "/"))


class BadText(Exception):
    """What is wrong with a text; the caller knows the place."""


@dataclass(frozen=True)
class Declaration:
    name: str
    type: str
    pointers: int
    const: bool
    dims: Tuple[str, ...]
    bits: int


def normal(text: str) -> str:
    """One line, one space, stars at the type: `const char* const* ppNames`."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s*\*", "*", text)
    text = re.sub(r"\*(?=\w)", "* ", text)
    return re.sub(r"\s*([\[\]:])\s*", r"\1", text)


def declaration(text: str) -> Declaration:
    match = _DECLARATION.match(text)
    if match is None:
        raise BadText(f"'{text}' is not a declaration")
    dims = tuple(re.findall(r"\[(\w+)\]", match["dims"]))
    return Declaration(
        match["name"],
        match["type"],
        match["stars"].count("*"),
        bool(match["const"]),
        dims,
        int(match["bits"] or 0),
    )


def _parse(tokens: List[str], level: int) -> ir.Length:
    if level == len(_LEVELS):
        if not tokens:
            raise BadText("a value is missing")
        token = tokens.pop(0)
        if token == "(":
            inner = _parse(tokens, 0)
            if not tokens or tokens.pop(0) != ")":
                raise BadText("')' is missing")
            return inner
        if token.isdigit():
            return Const(int(token))
        if "->" in token:
            return ir.Arrow(*token.split("->"))
        return Ref(token)
    left = _parse(tokens, level + 1)
    while tokens and tokens[0] in _LEVELS[level]:
        left = ir.Binary(tokens.pop(0), left, _parse(tokens, level + 1))
    return left


def length(text: str) -> ir.Length:
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", ""):
        raise BadText(f"'{text}' is not a length")
    result = _parse(tokens, 0)
    if tokens:
        raise BadText(f"'{text}' is not a length: unexpected '{tokens[0]}'")
    return result


def length_text(value: ir.Length) -> str:
    """Without spaces; parentheses where a sum is a factor."""
    if isinstance(value, Const):
        return str(value.value)
    if isinstance(value, Ref):
        return value.param
    if isinstance(value, ir.Arrow):
        return f"{value.pointer}->{value.member}"
    sides = [length_text(side) for side in (value.left, value.right)]
    for index, side in enumerate((value.left, value.right)):
        if isinstance(side, ir.Binary) and value.op != "+" and side.op == "+":
            sides[index] = f"({sides[index]})"
    return f"{sides[0]}{value.op}{sides[1]}"


def condition(text: str) -> ir.Condition:
    """`nonzero word`, `among member A B`, `lacks member A`."""
    words = text.split()
    try:
        return ir.Condition(ir.Test(words[0]), words[1], tuple(words[2:]))
    except (IndexError, ValueError):
        raise BadText(f"'{text}' is not a condition") from None


def condition_text(value: ir.Condition) -> str:
    return " ".join((value.test.value, value.member, *value.values))


def number(text: str) -> Optional[int]:
    """A constant's C text as a number: `256U`, `(~0ULL)`, `(~1U)`; None for floats and strings."""
    match = re.fullmatch(r"\(?(~?)(0[xX][0-9a-fA-F]+|\d+)(U?L?L?)\s*(?:-\s*(\d+))?\)?", text)
    if match is None:
        return None
    value = int(match[2], 0)
    if match[1]:
        value = ~value & (0xFFFFFFFFFFFFFFFF if "LL" in match[3] else 0xFFFFFFFF)
    return value - int(match[4] or 0)
