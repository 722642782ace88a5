"""Length rules and length functions as C."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional

from .. import ir

# Length functions of an enum alone, and what they are called in C.
FUNCTIONS = {"paramSize": "param_size", "clearElts": "clear_elements"}


def expression(
    length: ir.Length,
    value: Callable[[str], str],
    signed: Callable[[str], bool],
    string: Callable[[str], str],
) -> Optional[str]:
    """A uint64_t expression, or None when the rule needs state that is not in the packet. value:
    how to
    spell a parameter;
    string: how to spell strlen of one."""
    if isinstance(length, ir.Const):
        return f"{length.value}u"
    if isinstance(length, ir.Ref):
        name = value(length.param)
        return (
            f"({name} > 0 ? (uint64_t){name} : 0)" if signed(length.param) else f"(uint64_t){name}"
        )
    if isinstance(length, ir.Binary):
        left, right = (
            expression(side, value, signed, string) for side in (length.left, length.right)
        )
        return f"({left} {length.op} {right})" if left is not None and right is not None else None
    if length.function == "strlen":
        return string(length.args[0])
    if length.function in FUNCTIONS:
        return f"{FUNCTIONS[length.function]}({value(length.args[0])})"
    return None


def is_small(length: ir.Length) -> bool:
    """Is it of a few values, whatever the parameters' numbers are?"""
    if isinstance(length, ir.Binary):
        return is_small(length.left) and is_small(length.right)
    if isinstance(length, ir.Call):
        return length.function in FUNCTIONS or length.function == "uniformSize"
    return isinstance(length, ir.Const)


def functions(sizes: List[ir.Size]) -> Dict[str, str]:
    """static C functions by name: values that a length function knows by enum, 1 for every
    other."""
    result = {}
    for function, name in FUNCTIONS.items():
        cases: Dict[int, List[str]] = {}
        for size in sizes:
            if size.function == function:
                cases.setdefault(size.value, []).append(size.enum)
        body = ""
        for number in sorted(cases):
            body += (
                "".join(f"    case {enum}:\n" for enum in cases[number])
                + f"        return {number};\n"
            )
        result[name] = (
            f"static inline uint64_t {name}(uint32_t name)\n{{\n    switch (name) {{\n{body}"
            "    default:\n        return 1;\n    }\n}\n"
        )
    return result
