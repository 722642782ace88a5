"""What lock/vulkan.lock says and every Vulkan emitter walks.

All frozen. Types, structs, extensions and enums are sorted by name, commands by opcode and then
name; members, parameters and enumerators keep the registry's order, for it has meaning.
Sizes are bytes of the LP64 ABI. Knows nothing of C emitters and nothing of byte layout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum as PyEnum
from functools import cached_property
from typing import Dict, Optional, Tuple, Union

from ..errors import Where
from ..ir import Const, Ref

NOWHERE = Where("vulkan.lock", 0)


class Wire(PyEnum):
    """How the content of one member or parameter travels; pointers and arrays repeat it."""

    RAW = "raw"  # `size` bytes each, little-endian; of a union: its bytes in memory
    BIG = "big"  # size_t and function pointers: 8 bytes each, big-endian
    HANDLE = "handle"  # 8 bytes each, the host's id
    STRUCT = "struct"  # the struct's members
    UNION = "union"  # the union's first member alone
    STRING = "string"  # u32 big-endian length, bytes, no terminator
    STRINGS = "strings"  # u32 big-endian count, then that many strings
    PNEXT = "pnext"  # chain of structs
    BYTES = "bytes"  # what a void pointer points to: `length` bytes, or one byte without a length
    ABSENT = "absent"  # nothing of it travels


# Length expressions: elements of the member's type (bytes of a void pointer), 64-bit arithmetic.
@dataclass(frozen=True)
class Arrow:
    """pAllocateInfo->descriptorSetCount: a member of what a sibling points to."""

    pointer: str
    member: str


@dataclass(frozen=True)
class Binary:
    op: str  # "+", "*" or "/"
    left: "Length"
    right: "Length"


# Ref: a sibling member or parameter; where that is a pointer, what it points to (pDataSize).
Length = Union[Const, Ref, Arrow, Binary]


class Test(PyEnum):
    NONZERO = "nonzero"  # `member` is a leading word of the struct; values is empty
    AMONG = "among"  # `member` equals one of the enumerators
    LACKS = "lacks"  # `member` has none of the enumerators' bits


@dataclass(frozen=True)
class Condition:
    """When a present member's content travels; the presence word comes before it."""

    test: Test
    member: str
    values: Tuple[str, ...] = ()  # enumerators; their numbers: Lock.number()


@dataclass(frozen=True)
class Field:
    """A struct's member or a command's parameter."""

    name: str
    declaration: str  # C: "const VkImageCopy* pRegions", "uint8_t uuid[VK_UUID_SIZE]"
    type: str  # the base type: "VkImageCopy"
    pointers: int  # of the declaration, static arrays not counted
    wire: Wire
    size: int = 0  # of one element: RAW, BIG, HANDLE 8, BYTES 1; else 0
    dims: Tuple[str, ...] = ()  # of a static array: a number or a constant's name
    count: int = 1  # elements of the static array: the product of dims; 1 for none
    bits: int = 0  # width of a bit-field; 0 for none
    const: bool = False  # what it points to is const
    length: Optional[Length] = None  # of a pointer to more than one element
    terminated: bool = False  # the (inner) length is up to a NUL
    presence: bool = False  # a u64 big-endian presence word comes first
    only_if: Optional[Condition] = None
    out: bool = False  # part of the reply
    creates: bool = False  # the host makes the handle
    destroys: bool = False  # the handle is invalid afterwards
    optional: bool = False  # may be NULL or VK_NULL_HANDLE
    value: str = ""  # the enumerator that it must have: sType
    selector: str = ""  # of a union: the sibling that selects
    selection: Tuple[str, ...] = ()  # of a union's member: the selector's enumerators

    @property
    def is_pointer(self) -> bool:
        return self.pointers > 0


@dataclass(frozen=True)
class Constant:
    name: str
    text: str  # "256U", "(~0U)", "1000.0F"
    value: Optional[int]  # None: a float or a string


@dataclass(frozen=True)
class EnumValue:
    name: str
    value: int
    alias_of: str = ""
    provided: Tuple[str, ...] = ()  # what adds it to an enum of a lower version


@dataclass(frozen=True)
class Enum:
    name: str  # "VkFormat", "VkImageUsageFlagBits"
    bits: int  # 32 or 64
    bitmask: bool
    values: Tuple[EnumValue, ...]
    aliases: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Flags:
    name: str  # "VkImageUsageFlags"
    bits: int  # 32 or 64
    enum: str  # its bits: "VkImageUsageFlagBits"; "" when none are defined
    aliases: Tuple[str, ...] = ()


@dataclass(frozen=True)
class CText:
    """A type that is its C text: basetypes, function pointers, platforms' types, defines."""

    name: str
    kind: str  # "basetype", "funcpointer", "platform", "define"
    text: str  # complete C text, one line for each line of it
    size: int = 0  # sizeof, 0 for none or unknown
    requires: Tuple[str, ...] = ()  # types that must be declared before


@dataclass(frozen=True)
class Handle:
    name: str
    dispatchable: bool
    parent: str  # "" for VkInstance and for handles without one
    object_type: str  # enumerator of VkObjectType; "" for none
    aliases: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Struct:
    name: str
    union: bool
    stype: Optional[int]  # None: the struct has no sType
    stype_name: str
    extends: Tuple[str, ...]  # structs in whose chain it may stand
    fields: Tuple[Field, ...]
    returned_only: bool
    size_word: int  # sizeof in C: the chain's size word
    align: int
    leading: Tuple[str, ...] = ()  # u32 big-endian words before the first member
    # Why it never travels; "": it does. A pointer with a presence word to a refused struct
    # (pAllocator) may stand in what does travel: its word is then 0, and anything else breaks the
    # protocol.
    refused: str = ""
    provided: Tuple[str, ...] = ()  # "VK_VERSION_1_1", "VK_KHR_maintenance1", "private"
    aliases: Tuple[str, ...] = ()
    known: Tuple[str, ...] = ()  # peers that marshal it in a chain, see spec/vk_known.csv
    where: Where = field(default=NOWHERE, compare=False)

    @property
    def chainable(self) -> bool:
        return self.stype is not None and bool(self.extends) and not self.refused

    def field(self, name: str) -> Field:
        for member in self.fields:
            if member.name == name:
                return member
        raise KeyError(f"{self.name}.{name}")


class Level(PyEnum):
    GLOBAL = "global"
    INSTANCE = "instance"
    DEVICE = "device"


@dataclass(frozen=True)
class Command:
    name: str
    opcode: int  # upstream's rule gives one to every name, refused ones too
    returns: str  # C type; "void" for none
    result_size: int  # bytes of the return value in a reply, little-endian; 0 for void
    params: Tuple[Field, ...]
    level: Level
    dispatch: str  # type of the first parameter if that is a dispatchable handle, else ""
    alias_of: str = ""  # same layout under another opcode
    early: bool = False  # gives its turn away before it executes
    private: bool = False  # of spec/vk_private.csv
    refused: str = ""  # why it never travels; "": it does
    provided: Tuple[str, ...] = ()
    where: Where = field(default=NOWHERE, compare=False)

    @property
    def has_reply(self) -> bool:
        return self.result_size > 0 or any(p.out for p in self.params)

    @property
    def staged(self) -> bool:
        """Recorded: travels in a command buffer's sub-stream, without the handle and a number."""
        return self.dispatch == "VkCommandBuffer"

    @property
    def on_wire(self) -> bool:
        return self.opcode != 0 and not self.refused

    @property
    def legible(self) -> bool:
        """Its packet can be read, if only to print it and to refuse it."""
        return self.opcode != 0 and all(p.wire is not Wire.ABSENT for p in self.params)

    def param(self, name: str) -> Field:
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(f"{self.name}: {name}")


@dataclass(frozen=True)
class Version:
    """A core version."""

    name: str  # "VK_VERSION_1_3"
    major: int
    minor: int
    commands: Tuple[str, ...]
    types: Tuple[str, ...]


@dataclass(frozen=True)
class Extension:
    name: str
    number: int
    instance: bool  # an instance extension, else a device extension
    spec_version: int
    depends: str  # the registry's expression: "(A+B),VK_VERSION_1_1"
    promoted: str  # "VK_VERSION_1_2", another extension, or ""
    platform: str
    commands: Tuple[str, ...]
    types: Tuple[str, ...]
    refused: str = ""
    where: Where = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Lock:
    """The whole of lock/vulkan.lock."""

    header_version: str  # of the registry it was made from: "1.4.363"
    constants: Tuple[Constant, ...]
    enums: Tuple[Enum, ...]
    flags: Tuple[Flags, ...]
    texts: Tuple[CText, ...]
    handles: Tuple[Handle, ...]
    structs: Tuple[Struct, ...]
    commands: Tuple[Command, ...]
    versions: Tuple[Version, ...]
    extensions: Tuple[Extension, ...]

    @cached_property
    def aliases(self) -> Dict[str, str]:
        """Every alias of a type -> the type that the lock describes."""
        named: Tuple[Union[Enum, Flags, Handle, Struct], ...] = (
            *self.enums,
            *self.flags,
            *self.handles,
            *self.structs,
        )
        return {alias: entry.name for entry in named for alias in entry.aliases}

    @cached_property
    def by_constant(self) -> Dict[str, Constant]:
        return {c.name: c for c in self.constants}

    @cached_property
    def by_enum(self) -> Dict[str, Enum]:
        return {e.name: e for e in self.enums}

    @cached_property
    def by_flags(self) -> Dict[str, Flags]:
        return {f.name: f for f in self.flags}

    @cached_property
    def by_text(self) -> Dict[str, CText]:
        return {t.name: t for t in self.texts}

    @cached_property
    def by_handle(self) -> Dict[str, Handle]:
        return {h.name: h for h in self.handles}

    @cached_property
    def by_struct(self) -> Dict[str, Struct]:
        return {s.name: s for s in self.structs}

    @cached_property
    def by_command(self) -> Dict[str, Command]:
        return {c.name: c for c in self.commands}

    @cached_property
    def by_extension(self) -> Dict[str, Extension]:
        return {e.name: e for e in self.extensions}

    @cached_property
    def numbers(self) -> Dict[str, int]:
        """Every enumerator, and every constant that is a number."""
        found = {v.name: v.value for e in self.enums for v in e.values}
        found.update({c.name: c.value for c in self.constants if c.value is not None})
        return found

    def resolve(self, name: str) -> str:
        """The type's own name of a name that may be an alias."""
        return self.aliases.get(name, name)

    def struct(self, name: str) -> Struct:
        return self.by_struct[self.resolve(name)]

    def handle(self, name: str) -> Handle:
        return self.by_handle[self.resolve(name)]

    def command(self, name: str) -> Command:
        return self.by_command[name]

    def extension(self, name: str) -> Extension:
        return self.by_extension[name]

    def number(self, name: str) -> int:
        """An enumerator's or constant's value."""
        return self.numbers[name]

    def layout_of(self, command: Command) -> Command:
        """The command whose parameters describe it: itself, or what it is an alias of."""
        return self.command(command.alias_of) if command.alias_of else command

    @cached_property
    def wire_commands(self) -> Tuple[Command, ...]:
        return tuple(c for c in self.commands if c.on_wire)

    @cached_property
    def chain_structs(self) -> Tuple[Struct, ...]:
        return tuple(s for s in self.structs if s.chainable)

    @cached_property
    def feature_structs(self) -> Tuple[Struct, ...]:
        """What may be asked in VkPhysicalDeviceFeatures2's chain: all members are VkBool32."""
        return tuple(s for s in self.chain_structs if "VkPhysicalDeviceFeatures2" in s.extends)
