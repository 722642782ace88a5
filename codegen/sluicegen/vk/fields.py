"""A member or parameter of the registry -> ir.Field: its wire form by upstream's rules."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Dict, List, Optional, Set, Tuple

from ..errors import SpecError, Where
from ..ir import Const, Ref
from . import declare, ir
from .policy import Policy
from .registry import flat
from .sizes import POINTER, Sizes

_CREATORS = (
    "vkCreate",
    "vkAllocate",
    "vkEnumeratePhysicalDevices",
    "vkGetDeviceQueue",
    "vkAcquirePerf",
    "vkRegisterDeviceEvent",
    "vkRegisterDisplayEvent",
)
_DESTROYERS = ("vkDestroy", "vkFree", "vkReleasePerf")


def _length(element: ET.Element, constants: Dict[str, int]) -> Tuple[Optional[ir.Length], bool]:
    """(elements, null-terminated)"""
    text = element.get("len", "")
    if text.startswith("latexmath"):
        text = element.get("altlen", "")
    parts = [part.strip() for part in text.split(",")] if text else []
    terminated = "null-terminated" in parts
    outer = parts[0] if parts and parts[0] not in ("null-terminated", "1") else ""
    if not outer:
        return None, terminated
    return _fold(declare.length(outer), constants), terminated


def _fold(value: ir.Length, constants: Dict[str, int]) -> ir.Length:
    if isinstance(value, Ref) and value.param in constants:
        return Const(constants[value.param])
    if isinstance(value, ir.Binary):
        return ir.Binary(value.op, _fold(value.left, constants), _fold(value.right, constants))
    return value


class Fields:
    """What every field's form depends on."""

    def __init__(self, policy: Policy, constants: Dict[str, int], where: Where) -> None:
        self.policy = policy
        self.constants = constants
        self.where = where
        self.sizes = Sizes()
        self.handles: Set[str] = set()
        self.structs: Set[str] = set()
        self.unions: Set[str] = set()

    def read(self, owner: str, element: ET.Element, own_name: str = "") -> ir.Field:
        """own_name: the union's or struct's own name where `owner` is an alias of it."""
        text = declare.normal(flat(element))
        try:
            said = declare.declaration(text)
            length, terminated = _length(element, self.constants)
            count = self._count(said.dims)
        except declare.BadText as problem:
            raise SpecError(self.where, owner, str(problem)) from None
        if not said.pointers:
            length = None  # a static array travels whole
        found = ir.Field(
            said.name,
            text,
            said.type,
            said.pointers,
            ir.Wire.ABSENT,
            dims=said.dims,
            count=count,
            bits=said.bits,
            const=said.const,
            length=length,
            terminated=terminated,
            value=element.get("values", ""),
            selector=element.get("selector", ""),
            selection=tuple(element.get("selection", "").replace(",", " ").split()),
        )
        wire, size = self._wire(found)
        found = replace(found, wire=wire, size=size, optional=self._optional(found, wire, element))
        key = f"{owner}.{found.name}"
        line = self.policy.get("only-if", key)
        return replace(
            found,
            presence=self._presence(key, found, element),
            only_if=declare.condition(line.detail) if line is not None else None,
            creates=self.policy.has("creates", key),
        )

    def _count(self, dims: Tuple[str, ...]) -> int:
        count = 1
        for dim in dims:
            value = int(dim) if dim.isdigit() else self.constants.get(dim)
            if value is None:
                raise declare.BadText(f"'{dim}' is no constant")
            count *= value
        return count

    @staticmethod
    def _optional(field: ir.Field, wire: ir.Wire, element: ET.Element) -> bool:
        """Handles whose validity is told in prose alone may be null as far as is known here."""
        single = wire is ir.Wire.HANDLE and not field.pointers
        prose = single and element.get("noautovalidity") == "true"
        return prose or "true" in element.get("optional", "").split(",")

    def _presence(self, key: str, field: ir.Field, element: ET.Element) -> bool:
        if not field.pointers or field.wire in (ir.Wire.PNEXT, ir.Wire.STRINGS):
            return False
        rule = field.optional or element.get("noautovalidity") == "true"
        pinned = self.policy.has(
            "no-presence", key
        )  # asked first: it stands whatever the registry says
        return rule and not pinned

    def _wire(self, field: ir.Field) -> Tuple[ir.Wire, int]:
        if field.type == "void":
            if field.pointers > 1:
                return ir.Wire.RAW, POINTER
            return (ir.Wire.PNEXT, 0) if field.name == "pNext" else (ir.Wire.BYTES, 1)
        if field.name == "pNext":
            return ir.Wire.PNEXT, 0
        if field.type == "char" and field.terminated and field.pointers:
            return (ir.Wire.STRINGS, 0) if field.pointers == 2 else (ir.Wire.STRING, 0)
        if field.type in _OPAQUE:
            return ir.Wire.ABSENT, 0
        if field.type in self.handles:
            return (ir.Wire.RAW, POINTER) if field.dims else (ir.Wire.HANDLE, POINTER)
        if field.type in self.unions:
            if self.policy.has("first-member", field.type):
                return ir.Wire.UNION, 0
            return ir.Wire.RAW, self.sizes.known[field.type][0]
        if field.type in self.structs:
            return ir.Wire.STRUCT, 0
        if field.type == "size_t" or field.type.startswith("PFN_"):
            return ir.Wire.BIG, 8
        return ir.Wire.RAW, self.sizes.known[field.type][0]

    def param(self, command: str, element: ET.Element) -> ir.Field:
        field = self.read(command, element)
        out = field.pointers > 0 and not field.const and field.type not in _OPAQUE
        handle = field.wire is ir.Wire.HANDLE
        return replace(
            field,
            out=out,
            creates=field.creates or (out and handle and command.startswith(_CREATORS)),
        )

    @staticmethod
    def mark_destroyed(command: str, params: List[ir.Field]) -> None:
        if command.startswith(_DESTROYERS):
            last = max(i for i, p in enumerate(params) if p.wire is ir.Wire.HANDLE)
            params[last] = replace(params[last], destroys=True)


# Pointers to these are the platform's own handles, not outputs.
_OPAQUE = frozenset({"Display", "xcb_connection_t", "wl_display", "wl_surface"})
