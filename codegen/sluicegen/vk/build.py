"""Registry, our private description, opcode table and policy -> ir.Lock."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Set, Tuple

from ..errors import SpecError, Where
from ..read import rows
from . import declare, ir, policy as policies
from .fields import Fields
from .refuse import Refusals, apply
from .registry import Registry, Requirement, flat

# Platforms whose surfaces the guest offers; their types are written out, so that no header of
# theirs is needed.
PLATFORMS = {
    "xcb": ("xcb_connection_t", "xcb_window_t", "xcb_visualid_t"),
    "xlib": ("Display", "Window", "VisualID"),
    "wayland": ("wl_display", "wl_surface"),
}
_PLATFORM_TEXT = {
    "xcb_connection_t": ("typedef struct xcb_connection_t xcb_connection_t;", 0),
    "xcb_window_t": ("typedef uint32_t xcb_window_t;", 4),
    "xcb_visualid_t": ("typedef uint32_t xcb_visualid_t;", 4),
    "Display": ("typedef struct _XDisplay Display;", 0),
    "Window": ("typedef unsigned long Window;", 8),
    "VisualID": ("typedef unsigned long VisualID;", 8),
    "wl_display": ("struct wl_display;", 0),
    "wl_surface": ("struct wl_surface;", 0),
}
_BASE = {
    "VkSampleMask": 4,
    "VkBool32": 4,
    "VkFlags": 4,
    "VkFlags64": 8,
    "VkDeviceSize": 8,
    "VkDeviceAddress": 8,
    "VkRemoteAddressNV": 8,
}
_PRIMITIVE = frozenset(
    {
        "void",
        "char",
        "float",
        "double",
        "int8_t",
        "uint8_t",
        "int16_t",
        "uint16_t",
        "int32_t",
        "uint32_t",
        "int64_t",
        "uint64_t",
        "size_t",
        "int",
    }
)
HASH_BASE = 200000000
HASH_RANGE = 100000000


def hashed_opcode(name: str) -> int:
    """Upstream's number of a command that is not in the fixed table."""
    return HASH_BASE + int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % HASH_RANGE


def opcodes(table: Dict[str, int], names: List[str], where: Where) -> Dict[str, int]:
    """Each command's number; two commands with one number are an error."""
    taken = {number: name for name, number in table.items()}
    found: Dict[str, int] = {}
    for name in names:
        number = table.get(name) or hashed_opcode(name)
        if taken.setdefault(number, name) != name:
            raise SpecError(where, name, f"opcode {number} is {taken[number]}'s")
        found[name] = number
    return found


class Builder:
    def __init__(self, root: Path, path: Path) -> None:
        self.where = Where(path.name, 0)
        self.registry = Registry(path)
        self.registry.add_private(root / "spec" / "vk_private.xml")
        self.policy = policies.read(root / "policy" / "vulkan.csv")
        self.table = {
            cells[1]: int(cells[0])
            for _, cells in rows(root / "spec" / "vk_opcodes.csv", ("opcode", "name"))
        }
        self.known = {
            cells[0]: tuple(cells[1].split())
            for _, cells in rows(root / "spec" / "vk_known.csv", ("struct", "peers"))
        }
        self.left_out: List[ir.Extension] = []
        self.taken = self._requirements()
        self.provided: Dict[str, List[str]] = {}
        for entry in self.taken:
            label = "private" if entry.name == "VK_GOOGLE_gfxstream" else entry.name
            for name in (*entry.commands, *entry.types):
                self.provided.setdefault(name, []).append(label)
        self.constants = self._constants()
        numbers = {c.name: c.value for c in self.constants if c.value is not None}
        self.fields = Fields(self.policy, numbers, self.where)
        self.aliases: Dict[str, str] = {}
        self.used = self._closure()

    # What is in.
    def _requirements(self) -> List[Requirement]:
        taken = list(self.registry.versions)
        for entry in self.registry.extensions:
            element = entry.element
            if entry.name == "VK_GOOGLE_gfxstream":
                taken.append(entry)
                continue
            if "vulkan" not in element.get("supported", "").split(","):
                continue
            platform = element.get("platform", "")
            line = self.policy.get("leave-out", entry.name)
            if line is not None:
                reason = line.reason
            elif element.get("provisional") == "true":
                reason = "it is provisional"
            elif platform and platform not in PLATFORMS:
                reason = f"it is of the platform {platform}"
            else:
                taken.append(entry)
                continue
            self.left_out.append(self._extension(entry, reason))
        without = frozenset(e.name for e in self.left_out)
        for entry in taken:
            if entry not in self.registry.versions:
                entry.take(entry.element, without)
        return taken

    def _extension(self, entry: Requirement, refused: str) -> ir.Extension:
        element = entry.element
        version = 0
        for enum in entry.enums:
            if (
                enum.get("name", "").endswith("_SPEC_VERSION")
                and (enum.get("value") or "").isdigit()
            ):
                version = int(enum.get("value", "0"))
        commands = () if refused else tuple(c for c in entry.commands)
        depends = element.get("depends") or "+".join((element.get("requires") or "").split(","))
        types = () if refused else tuple(t for t in entry.types if t in self.registry.types)
        return ir.Extension(
            entry.name,
            int(element.get("number", "0")),
            element.get("type") == "instance",
            version,
            depends,
            element.get("promotedto", ""),
            element.get("platform", ""),
            commands,
            types,
            refused,
        )

    def _closure(self) -> Set[str]:
        """Every type that what is in names, by its own name; aliases are kept beside."""
        todo = [name for entry in self.taken for name in entry.types]
        for entry in self.taken:
            for name in entry.commands:
                todo += self._mentions(self._command_element(name))
        seen: Set[str] = set()
        while todo:
            name = todo.pop()
            element = self.registry.types.get(name)
            if name in seen or name in _PRIMITIVE or element is None:
                continue
            seen.add(name)
            alias = element.get("alias")
            if alias:
                self.aliases[name] = alias
                todo.append(alias)
            todo += self._mentions(element)
            todo += [
                n
                for n in (element.get("bitvalues"), element.get("requires"), element.get("parent"))
                if n
            ]
        return seen

    def _command_element(self, name: str) -> ET.Element:
        element = self.registry.commands.get(name)
        if element is None:
            raise SpecError(self.where, name, "is required but not described")
        return self._command_element(element.get("alias", "")) if element.get("alias") else element

    @staticmethod
    def _mentions(element: ET.Element) -> List[str]:
        """Types that a description names."""
        if element.get("category") in ("define", "include"):
            return []
        return [child.text for child in element.iter("type") if child.text] + re.findall(
            r"\b(?:Vk|PFN_vk)\w+", flat(element) if element.get("category") == "funcpointer" else ""
        )

    def _of(self, category: str) -> List[str]:
        return sorted(
            name
            for name in self.used
            if self.registry.types[name].get("category") == category and name not in self.aliases
        )

    def _aliases_of(self, name: str) -> Tuple[str, ...]:
        return tuple(sorted(a for a, t in self.aliases.items() if t == name))

    def _provided(self, name: str) -> Tuple[str, ...]:
        names = [p for n in (name, *self._aliases_of(name)) for p in self.provided.get(n, [])]
        return tuple(dict.fromkeys(names))

    # Constants and enums.
    def _constants(self) -> Tuple[ir.Constant, ...]:
        found: Dict[str, ir.Constant] = {}
        group = self.registry.groups["API Constants"]
        extra = [e for entry in self.taken for e in entry.enums if e.get("extends") is None]
        for enum in (*group.findall("enum"), *extra):
            text = enum.get("value")
            name = enum.get("name", "")
            if name.endswith(("_SPEC_VERSION", "_EXTENSION_NAME")):
                continue  # ir.Extension says both
            if text is None:
                target = found.get(enum.get("alias") or name)
                if target is not None:
                    found[name] = replace(target, name=name)
                continue
            found[name] = ir.Constant(name, text, declare.number(text))
        return tuple(found[name] for name in sorted(found))

    def _enum_values(self, name: str, group: ET.Element) -> Tuple[ir.EnumValue, ...]:
        found: Dict[str, ir.EnumValue] = {}
        for enum in group.findall("enum"):
            self._enum_value(found, enum, "", 0)
        for entry in self.taken:
            for enum in entry.enums:
                if enum.get("extends") == name:
                    self._enum_value(
                        found, enum, entry.name, int(entry.element.get("number", "0").split(".")[0])
                    )
        return tuple(self._resolved(found, value) for value in found.values())

    def _enum_value(
        self, found: Dict[str, ir.EnumValue], enum: ET.Element, by: str, extension: int
    ) -> None:
        name = enum.get("name", "")
        if "vulkan" not in enum.get("api", "vulkan").split(","):
            return
        by = "private" if by == "VK_GOOGLE_gfxstream" else by
        provided = (by,) if by else ()
        if name in found:
            both = tuple(dict.fromkeys((*found[name].provided, *provided)))
            found[name] = replace(found[name], provided=both)
            return
        alias = enum.get("alias", "")
        number = 0
        if not alias:
            if enum.get("bitpos") is not None:
                number = 1 << int(enum.get("bitpos", "0"))
            elif enum.get("offset") is not None:
                base = int(enum.get("extnumber") or extension)
                number = 1000000000 + (base - 1) * 1000 + int(enum.get("offset", "0"))
            else:
                number = int(enum.get("value", "0"), 0)
            number = -number if enum.get("dir") == "-" else number
        found[name] = ir.EnumValue(name, number, alias, provided)

    def _resolved(self, found: Dict[str, ir.EnumValue], value: ir.EnumValue) -> ir.EnumValue:
        target, steps = value, 0
        while target.alias_of:
            steps += 1
            if target.alias_of not in found or steps > len(found):
                raise SpecError(self.where, value.name, f"alias of unknown '{target.alias_of}'")
            target = found[target.alias_of]
        return replace(value, value=target.value)

    def _enums(self) -> Tuple[ir.Enum, ...]:
        result: List[ir.Enum] = []
        for name in self._of("enum"):
            group = self.registry.groups.get(name)
            if group is None:
                group = ET.Element("enums", {"type": "bitmask" if "FlagBits" in name else "enum"})
            bits = int(group.get("bitwidth", "32"))
            result.append(
                ir.Enum(
                    name,
                    bits,
                    group.get("type") == "bitmask",
                    self._enum_values(name, group),
                    self._aliases_of(name),
                )
            )
            for one in (name, *self._aliases_of(name)):
                self.fields.sizes.add(one, bits // 8, bits // 8)
        return tuple(result)

    def _flags(self) -> Tuple[ir.Flags, ...]:
        result: List[ir.Flags] = []
        for name in self._of("bitmask"):
            element = self.registry.types[name]
            bits = 64 if element.findtext("type") == "VkFlags64" else 32
            enum = element.get("bitvalues") or element.get("requires") or ""
            result.append(ir.Flags(name, bits, enum, self._aliases_of(name)))
            for one in (name, *self._aliases_of(name)):
                self.fields.sizes.add(one, bits // 8, bits // 8)
        return tuple(result)

    def _texts(self) -> Tuple[ir.CText, ...]:
        result: List[ir.CText] = []
        for name in self._of("basetype"):
            if name not in _BASE:
                raise SpecError(self.where, name, "a base type of unknown size")
            text = re.sub(r"\s+", " ", flat(self.registry.types[name])).strip()
            result.append(ir.CText(name, "basetype", text, _BASE[name]))
            self.fields.sizes.add(name, _BASE[name], _BASE[name])
        for names in PLATFORMS.values():
            for name in names:
                text, size = _PLATFORM_TEXT[name]
                result.append(ir.CText(name, "platform", text, size))
                if size:
                    self.fields.sizes.add(name, size, size)
        for name in self._of("funcpointer"):
            result.append(self._function_pointer(name))
            self.fields.sizes.add(name, 8, 8)
        return tuple(sorted(result, key=lambda t: t.name))

    def _function_pointer(self, name: str) -> ir.CText:
        element = self.registry.types[name]
        needs = tuple(sorted({n for n in self._mentions(element) if n.startswith("Vk")}))
        proto = element.find("proto")
        if proto is not None:
            params = ", ".join(declare.normal(flat(p)) for p in element.findall("param")) or "void"
            text = f"typedef {flat(proto).replace(name, '').strip()} (VKAPI_PTR *{name})({params});"
        else:
            text = re.sub(r"\s+", " ", flat(element)).strip()
            text = re.sub(r"\(\s+", "(", re.sub(r"\s*\*\s*(?=\w+[,)])", "* ", text)).replace(
                "VKAPI_PTR* ", "VKAPI_PTR *"
            )
        return ir.CText(name, "funcpointer", text, 8, needs)

    def _handles(self) -> Tuple[ir.Handle, ...]:
        result: List[ir.Handle] = []
        for name in self._of("handle"):
            element = self.registry.types[name]
            dispatchable = element.findtext("type") == "VK_DEFINE_HANDLE"
            result.append(
                ir.Handle(
                    name,
                    dispatchable,
                    element.get("parent", ""),
                    element.get("objtypeenum", ""),
                    self._aliases_of(name),
                )
            )
            for one in (name, *self._aliases_of(name)):
                self.fields.handles.add(one)
                self.fields.sizes.add(one, 8, 8)
        return tuple(result)

    # Structs and commands.
    def _structs(self, stypes: Dict[str, int]) -> Dict[str, ir.Struct]:
        names = self._of("struct") + self._of("union")
        for name in names:
            for one in (name, *self._aliases_of(name)):
                kind = self.registry.types[name].get("category")
                (self.fields.unions if kind == "union" else self.fields.structs).add(one)
        found: Dict[str, ir.Struct] = {}
        for name in names:
            self._struct(name, found, stypes)
        return {name: found[name] for name in sorted(found)}

    def _struct(self, name: str, found: Dict[str, ir.Struct], stypes: Dict[str, int]) -> None:
        """Structs that it holds come first, for its size is made of theirs."""
        if name in found:
            return
        element = self.registry.types[name]
        members = [
            m for m in element.findall("member") if "vulkan" in m.get("api", "vulkan").split(",")
        ]
        for member in members:
            inner = self.aliases.get(member.findtext("type", ""), member.findtext("type", ""))
            if inner in (self.fields.structs | self.fields.unions) and "*" not in flat(member):
                self._struct(inner, found, stypes)
            elif inner in self.fields.unions:
                self._struct(inner, found, stypes)
        union = element.get("category") == "union"
        try:
            fields = tuple(self.fields.read(name, member) for member in members)
            size, align, _ = self.fields.sizes.struct(fields, union)
        except KeyError as problem:
            raise SpecError(self.where, name, f"type {problem} is not described") from None
        stype = next((f.value for f in fields if f.name == "sType" and f.value), "")
        extends = tuple(
            sorted(
                {
                    self.aliases.get(e, e)
                    for e in element.get("structextends", "").split(",")
                    if e in self.used
                }
            )
        )
        line = self.policy.get("leading", name)
        for one in (name, *self._aliases_of(name)):
            self.fields.sizes.add(one, size, align)
        known = next(
            (self.known[n] for n in (name, *self._aliases_of(name)) if n in self.known), ()
        )
        found[name] = ir.Struct(
            name,
            union,
            stypes[stype] if stype else None,
            stype,
            extends,
            fields,
            element.get("returnedonly") == "true",
            size,
            align,
            tuple(line.detail.split()) if line is not None else (),
            "",
            self._provided(name),
            self._aliases_of(name),
            known,
        )

    def _commands(self) -> Dict[str, ir.Command]:
        names = list(dict.fromkeys(name for entry in self.taken for name in entry.commands))
        numbers = opcodes(self.table, names, self.where)
        found: Dict[str, ir.Command] = {}
        for name in sorted(names, key=lambda n: numbers[n]):
            found[name] = self._command(name, numbers[name], set(names))
        return found

    def _command(self, name: str, opcode: int, names: Set[str]) -> ir.Command:
        element = self._command_element(name)
        own = element.findtext("proto/name", "")
        elements = [
            p for p in element.findall("param") if "vulkan" in p.get("api", "vulkan").split(",")
        ]
        try:
            params = [self.fields.param(own, p) for p in elements]
        except KeyError as problem:
            raise SpecError(self.where, name, f"type {problem} is not described") from None
        self.fields.mark_destroyed(own, params)
        returns = element.findtext("proto/type", "")
        first = params[0].type if params else ""
        dispatch = first if first in self.fields.handles and self._dispatchable(first) else ""
        level = (
            ir.Level.GLOBAL
            if not dispatch
            else ir.Level.INSTANCE
            if dispatch in ("VkInstance", "VkPhysicalDevice")
            else ir.Level.DEVICE
        )
        size = 0 if returns == "void" else self.fields.sizes.known[returns][0]
        provided = tuple(dict.fromkeys(self.provided.get(name, [])))
        alias = own if own != name and own in names else ""
        return ir.Command(
            name,
            opcode,
            returns,
            size,
            tuple(params),
            level,
            dispatch,
            alias,
            self.policy.has("early", name),
            own in self.registry.private,
            "",
            provided,
        )

    def _dispatchable(self, name: str) -> bool:
        return self.registry.types[name].findtext("type") == "VK_DEFINE_HANDLE"

    def lock(self) -> ir.Lock:
        enums, flags, texts, handles = self._enums(), self._flags(), self._texts(), self._handles()
        stypes = {v.name: v.value for e in enums if e.name == "VkStructureType" for v in e.values}
        structs = self._structs(stypes)
        platform = {name for names in PLATFORMS.values() for name in names}
        refusals = Refusals(structs, self.aliases, platform, self.policy)
        apply(structs, refusals)
        commands = self._commands()
        commands = {n: replace(c, refused=refusals.command(c)) for n, c in commands.items()}
        extensions = self.left_out + [
            self._extension(e, "")
            for e in self.taken
            if e.name.startswith("VK_")
            and e not in self.registry.versions
            and e.name != "VK_GOOGLE_gfxstream"
        ]
        extensions = [
            replace(e, refused=e.refused or refusals.extension(e, commands)) for e in extensions
        ]
        self._refuse_commands(commands, extensions)
        for line in self.policy.unused():
            if line.rule != "leave-out" and line.name.split(".")[0] in {*structs, *commands}:
                raise SpecError(line.where, line.name, "nothing asks for this policy")
        versions = tuple(
            ir.Version(
                v.name,
                int(v.name.split("_")[2]),
                int(v.name.split("_")[3]),
                tuple(v.commands),
                tuple(t for t in v.types if t in self.used),
            )
            for v in self.registry.versions
        )
        return ir.Lock(
            self.registry.header_version,
            self.constants,
            enums,
            flags,
            texts,
            handles,
            tuple(structs.values()),
            tuple(commands.values()),
            versions,
            tuple(sorted(extensions, key=lambda e: e.name)),
        )

    @staticmethod
    def _refuse_commands(commands: Dict[str, ir.Command], extensions: List[ir.Extension]) -> None:
        """A command that only refused extensions bring does not travel."""
        refused = {e.name for e in extensions if e.refused}
        for name, command in commands.items():
            if not command.refused and command.provided and set(command.provided) <= refused:
                commands[name] = replace(
                    command, refused=f"all of {' '.join(command.provided)} is refused"
                )


def build(root: Path, path: Path) -> ir.Lock:
    """root: the folder with spec/ and policy/; path: vk.xml."""
    return Builder(root, path).lock()
