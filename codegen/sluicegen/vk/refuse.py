"""What cannot travel, found by its types; policy says the rest by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, Iterable, List, Optional, Sequence

from ..ir import Ref
from . import ir
from .policy import Policy

_ADDRESSES = frozenset({"VkRemoteAddressNV"})


def _field(owner: str, field: ir.Field) -> str:
    """Why a field alone cannot travel; structs are followed elsewhere."""
    if field.bits:
        return f"{field.name} is a bit-field"
    if field.type in _ADDRESSES:
        return f"{field.name} is an address of a process"
    if field.type.startswith("PFN_"):
        return f"{field.name} is a function of the guest's process"
    if field.pointers > 1 and field.wire is not ir.Wire.STRINGS:
        return f"{field.name} is a pointer to pointers"
    if field.wire is ir.Wire.BYTES and field.length is None:
        return f"{field.name} points to memory of unknown size"
    return ""


class Refusals:
    def __init__(
        self,
        structs: Dict[str, ir.Struct],
        aliases: Dict[str, str],
        platform: Iterable[str],
        policy: Policy,
    ) -> None:
        self.structs = structs
        self.aliases = aliases
        self.platform = frozenset(platform)
        self.policy = policy
        self.why: Dict[str, str] = {}
        self._settle()

    def _struct(self, name: str) -> Optional[ir.Struct]:
        return self.structs.get(self.aliases.get(name, name))

    def fields(self, owner: str, fields: Sequence[ir.Field]) -> str:
        read = {""}
        for field in fields:
            reason = _field(owner, field)
            if not reason and isinstance(field.length, Ref) and field.length.param not in read:
                reason = f"{field.name} comes before its length"
            read.add(field.name)
            if not reason and field.type in self.platform:
                reason = f"{field.name} is the platform's {field.type}"
            inner = self._struct(field.type)
            if not reason and inner is not None and not self._nulled(field):
                if field.wire is ir.Wire.RAW:
                    reason = self._opaque(field, inner)
                elif self.why.get(inner.name):
                    how = "made of" if field.length else "a"
                    reason = f"{field.name} is {how} refused {inner.name}"
            if reason:
                return reason
        return ""

    def _nulled(self, field: ir.Field) -> bool:
        return self.policy.has("never-sent", field.type)

    def _opaque(self, field: ir.Field, union: ir.Struct) -> str:
        """A union travels as its bytes unless these mean something in one process alone."""
        seen: List[str] = [union.name]
        for name in seen:
            inner = self.structs[name]
            for member in inner.fields:
                if member.pointers or member.wire in (ir.Wire.HANDLE, ir.Wire.BIG):
                    return f"{field.name} is a union with the pointer or handle {member.name}"
                deeper = self._struct(member.type)
                if deeper is not None and deeper.name not in seen:
                    seen.append(deeper.name)
        return ""

    def _one(self, struct: ir.Struct) -> str:
        if self.policy.has("allow", struct.name):
            return ""
        line = self.policy.get("refuse-struct", struct.name) or self.policy.get(
            "never-sent", struct.name
        )
        if line is not None:
            return line.reason
        if struct.union and self.policy.has("first-member", struct.name):
            return self.fields(struct.name, struct.fields[:1])
        return self.fields(struct.name, struct.fields)

    def _settle(self) -> None:
        changed = True
        while changed:
            changed = False
            for name, struct in self.structs.items():
                if name not in self.why or not self.why[name]:
                    reason = self._one(struct)
                    changed = changed or bool(reason)
                    self.why[name] = reason

    def command(self, command: ir.Command) -> str:
        line = self.policy.get("refuse-command", command.name)
        if line is not None:
            return line.reason
        line = self.policy.get("in-guest", command.name)
        if line is not None:
            return f"in the guest: {line.reason}"
        if command.returns.startswith("PFN_") or "*" in command.returns:
            return "it returns an address of a process"
        return self.fields(command.name, command.params)

    def extension(self, extension: ir.Extension, commands: Dict[str, ir.Command]) -> str:
        """By name, or because a command or a chained struct of it cannot travel."""
        line = self.policy.get("refuse-extension", extension.name)
        if line is not None:
            return line.reason
        if self.policy.has("allow", extension.name):
            return ""
        for name in extension.commands:
            found = commands[name]
            reason = found.refused or (commands[found.alias_of].refused if found.alias_of else "")
            if reason and not self.policy.has("in-guest", name):
                return f"{name}: {reason}"
        for name in extension.types:
            struct = self._struct(name)
            if struct is not None and struct.extends and struct.refused:
                return f"{struct.name}: {struct.refused}"
        return ""


def apply(structs: Dict[str, ir.Struct], refusals: Refusals) -> None:
    for name, struct in structs.items():
        structs[name] = replace(struct, refused=refusals.why[name])
