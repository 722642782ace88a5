"""Length rules: `count*4`, `strlen(name)+1`, `((pixelBits(format,type)*width)>>3)*height` ->
ir.Length.

Grammar, all operators left-associative, `*` before `+` before `>>`:  integer, name, function(name,
...),
( expression ).
"""

from __future__ import annotations

import re
from typing import List

from .. import ir

_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_]\w*)|(>>|[()+*,]))")
_LEVELS = ((">>",), ("+",), ("*",))


class LengthSyntax(Exception):
    """What is wrong with a rule; the caller knows the place."""


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: List[str] = []
        self.index = 0
        pos = 0
        text = text.strip()
        while pos < len(text):
            match = _TOKEN.match(text, pos)
            if match is None:
                raise LengthSyntax(f"'{text}' is not a length: unexpected '{text[pos]}'")
            self.tokens.append(match.group(match.lastindex or 0))
            pos = match.end()
        self.text = text

    def peek(self) -> str:
        return self.tokens[self.index] if self.index < len(self.tokens) else ""

    def take(self, want: str = "") -> str:
        token = self.peek()
        if not token or (want and token != want):
            raise LengthSyntax(f"'{self.text}' is not a length: '{want or 'a value'}' is missing")
        self.index += 1
        return token

    def expression(self, level: int = 0) -> ir.Length:
        if level == len(_LEVELS):
            return self.value()
        left = self.expression(level + 1)
        while self.peek() in _LEVELS[level]:
            op = self.take()
            left = ir.Binary(op, left, self.expression(level + 1))
        return left

    def value(self) -> ir.Length:
        token = self.take()
        if token == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if token.isdigit():
            return ir.Const(int(token))
        if not token[0].isalpha():
            raise LengthSyntax(f"'{self.text}' is not a length: unexpected '{token}'")
        if self.peek() != "(":
            return ir.Ref(token)
        self.take("(")
        args = [self.take()]
        while self.peek() == ",":
            self.take(",")
            args.append(self.take())
        self.take(")")
        return ir.Call(token, tuple(args))


def parse(text: str) -> ir.Length:
    parser = _Parser(text)
    result = parser.expression()
    if parser.peek():
        raise LengthSyntax(f"'{text}' is not a length: unexpected '{parser.peek()}'")
    return result


def text_of(length: ir.Length) -> str:
    """The rule as the spec spells it."""
    if isinstance(length, ir.Const):
        return str(length.value)
    if isinstance(length, ir.Ref):
        return length.param
    if isinstance(length, ir.Call):
        return f"{length.function}({','.join(length.args)})"
    left, right = text_of(length.left), text_of(length.right)
    if isinstance(length.left, ir.Binary) and length.left.op != length.op:
        left = f"({left})"
    if isinstance(length.right, ir.Binary):
        right = f"({right})"
    return f"{left}{length.op}{right}"
