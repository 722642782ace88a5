"""What must hold before anything is emitted; each failure names its place."""

from __future__ import annotations

import re
from typing import Set, Tuple

from . import ir
from .errors import SpecError


# What a length rule may call, and what may stand in its arguments beside parameters.
_FUNCTIONS = {
    "strlen",
    "paramSize",
    "clearElts",
    "uniformSize",
    "blockParamSize",
    "pixelBits",
    "pixels2D",
    "pixels3D",
}
_PIXEL_STORES = {"pack", "unpack"}


def _calls(length: ir.Length) -> Set[str]:
    if isinstance(length, ir.Binary):
        return _calls(length.left) | _calls(length.right)
    return {length.function} if isinstance(length, ir.Call) else set()


def _references(length: ir.Length) -> Set[str]:
    if isinstance(length, ir.Ref):
        return {length.param}
    if isinstance(length, ir.Call):
        return set(length.args) - _PIXEL_STORES
    if isinstance(length, ir.Binary):
        return _references(length.left) | _references(length.right)
    return set()


def _check_enums(model: ir.Model) -> None:
    seen: Set[Tuple[str, int]] = set()
    for enum in model.enums:
        if (enum.group, enum.value) in seen:
            raise SpecError(
                enum.where, enum.name, f"0x{enum.value:04X} has a name in this group already"
            )
        seen.add((enum.group, enum.value))
    groups = {enum.group for enum in model.enums}
    for line in model.groupings:
        if line.group not in groups:
            raise SpecError(line.where, line.command, f"no enum is of group '{line.group}'")
        if not any(
            line.covers(c, p)
            for a in model.apis
            for c in a.commands
            for p in (*(param.name for param in c.params), "return")
        ):
            raise SpecError(line.where, line.command, f"no command has a parameter '{line.param}'")


def _check_guard(model: ir.Model, line: ir.Policy) -> None:
    """A guard names scalars of its command alone."""
    parts = re.fullmatch(r"(\w+)=\w+\(([\w ]+)\)", line.detail)
    if parts is None:
        raise SpecError(line.where, line.name, f"'{line.detail}' is no 'param=function(params)'")
    command = next(
        c for a in model.apis for c in a.commands if (c.api, c.name) == (line.api, line.name)
    )
    scalars = {p.name for p in command.params if p.type.prim is not None}
    for name in (parts[1], *parts[2].split()):
        if name not in scalars:
            raise SpecError(line.where, line.name, f"a guard names '{name}', which is no scalar")


def check(model: ir.Model) -> None:
    for api in model.apis:
        names: Set[str] = set()
        for index, command in enumerate(api.commands):
            if command.opcode != api.first + index:
                raise SpecError(
                    command.where,
                    command.name,
                    f"opcode {command.opcode} should be {api.first + index}",
                )
            if command.name in names:
                raise SpecError(command.where, command.name, "stands twice")
            names.add(command.name)
            params = {p.name for p in command.params}
            for param in command.params:
                unknown = (
                    sorted(_references(param.length) - params) if param.length is not None else []
                )
                if unknown:
                    raise SpecError(
                        command.where,
                        command.name,
                        f"length names unknown parameter '{unknown[0]}'",
                    )
                strange = (
                    sorted(_calls(param.length) - _FUNCTIONS) if param.length is not None else []
                )
                if strange:
                    raise SpecError(
                        command.where, command.name, f"length calls unknown function '{strange[0]}'"
                    )
        for line in (*model.guest, *model.host):
            if line.api == api.name and line.name != "*" and line.name not in names:
                raise SpecError(line.where, line.name, f"no such command in {api.name}")
    for line in (*model.guest, *model.host):
        if line.how not in ("hand", "refuse", "absent", "direct", "guard"):
            raise SpecError(
                line.where,
                line.name,
                f"'{line.how}' is not a policy; hand, refuse, absent, direct or guard",
            )
        if not line.reason:
            raise SpecError(line.where, line.name, "a policy needs its reason")
    for line in model.host:
        if line.how == "guard":
            _check_guard(model, line)
    for line in model.guest:
        if line.detail not in ("", "forwards", "both"):
            raise SpecError(
                line.where, line.name, f"'{line.detail}' is no detail; forwards, both or nothing"
            )
    _check_enums(model)
    entries = {c.name for a in model.apis for c in a.commands}
    for alias in model.aliases:
        if alias.target not in entries:
            raise SpecError(alias.where, alias.name, f"target '{alias.target}' is no command")
    entries |= {alias.name for alias in model.aliases}
    for desktop in model.desktop:
        if desktop.target and desktop.target not in entries:
            raise SpecError(desktop.where, desktop.name, f"target '{desktop.target}' is no command")
