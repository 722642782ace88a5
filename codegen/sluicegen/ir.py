"""What the readers say and everybody else walks: APIs, commands, types, length expressions, policy.

Knows nothing of C emitters and nothing of byte layout (plan.py does). All frozen; order is the
spec's order.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Optional, Tuple, Union

from .errors import Where


class Prim(enum.Enum):
    """A scalar's form on the wire: value is (stdint name, bytes, sl_load/sl_store suffix)."""

    U8 = ("uint8_t", 1, "u8")
    I8 = ("int8_t", 1, "u8")
    U16 = ("uint16_t", 2, "u16")
    I16 = ("int16_t", 2, "u16")
    U32 = ("uint32_t", 4, "u32")
    I32 = ("int32_t", 4, "u32")
    U64 = ("uint64_t", 8, "u64")
    I64 = ("int64_t", 8, "u64")
    F32 = ("float", 4, "f32")

    @property
    def c_type(self) -> str:
        return self.value[0]

    @property
    def size(self) -> int:
        return self.value[1]

    @property
    def accessor(self) -> str:
        return self.value[2]

    @property
    def signed(self) -> bool:
        return self.name.startswith("I")


class Kind(enum.Enum):
    """What a type means; Vulkan adds handle, struct, union and chain beside these."""

    SCALAR = "scalar"
    ENUM = "enum"
    FLAGS = "flags"
    STRING = "string"  # bytes that end with a NUL
    ARRAY = "array"  # of `element`
    BLOB = "blob"  # bytes


@dataclass(frozen=True)
class Type:
    """A type as the API spells it, and its wire form when it is a scalar."""

    name: str  # "GLenum"; of an array or string: the element's
    kind: Kind
    prim: Optional[Prim] = None
    element: Optional["Type"] = None

    @property
    def align(self) -> int:
        """Alignment that a reader of the bytes may expect."""
        if self.kind is Kind.ARRAY and self.element is not None and self.element.prim is not None:
            return self.element.prim.size
        return 1 if self.kind is Kind.STRING else 4


# Length expressions: bytes, evaluated in 64 bits; a negative operand counts as 0.
@dataclass(frozen=True)
class Const:
    value: int


@dataclass(frozen=True)
class Ref:
    param: str


@dataclass(frozen=True)
class Binary:
    op: str  # "+", "*" or ">>"
    left: "Length"
    right: "Length"


@dataclass(frozen=True)
class Call:
    """A length function of spec/sizes.csv or of the reader's list: paramSize(pname), strlen(name),
    pixels2D(unpack)."""

    function: str
    args: Tuple[str, ...]  # names of parameters, or of pixel store state


Length = Union[Const, Ref, Binary, Call]


class Direction(enum.Enum):
    VALUE = "value"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class Param:
    name: str
    c_type: str  # as the API declares it: "GLenum", "const GLuint *"
    type: Type
    direction: Direction
    length: Optional[
        Length
    ] = None  # bytes; None: a scalar, or bytes that upstream never defined (reserved commands)
    nullable: bool = False  # a length of 0 means NULL
    large: bool = False  # upstream sends it past its stream buffer
    dma: bool = False  # an 8-byte address travels instead of the bytes
    gather: bool = False  # the packer takes pieces of memory (struct sl_gather)
    # the bytes may lie in memory shared with the peer while the command runs: whoever gets them
    # looks at each once, or does not care what it sees (slStaged)
    staged: bool = False
    # how generated code calls a pointer's byte count: data_size, or data_bytes where a parameter
    # has that
    # name
    size_name: str = ""


@dataclass(frozen=True)
class Command:
    api: str
    opcode: int
    name: str
    family: str
    returns: str  # C type, "void" for none
    result: Optional[Type]  # of the reply; None for void and for pointers, which never travel
    params: Tuple[Param, ...]
    internal: bool  # on the wire only, not a function of the API
    reserved: bool  # has an opcode, but upstream never defined a sender
    flush: bool  # the sender flushes after it
    where: Where

    def param(self, name: str) -> Param:
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(name)

    @property
    def has_reply(self) -> bool:
        return self.result is not None or any(
            p.direction is Direction.OUT and not p.dma for p in self.params
        )


@dataclass(frozen=True)
class Policy:
    """One line of policy/guest.csv or policy/host.csv."""

    api: str
    name: str
    how: str  # "hand", "absent", "direct" (guest), "refuse", "guard", "call", "data" (host)
    detail: str
    reason: str
    where: Where


@dataclass(frozen=True)
class Desktop:
    """A function of desktop OpenGL that drivers find for contexts of OpenGL ES, too."""

    name: str
    target: str  # the application's name for what it is there; empty: GL_INVALID_OPERATION
    where: Where


@dataclass(frozen=True)
class Alias:
    """An application's name for a function that is marshalled under another:
    glBindVertexArrayOES."""

    name: str
    target: str
    extension: str
    where: Where


@dataclass(frozen=True)
class Extension:
    """One line of policy/extensions.csv, or of extensions1.csv for contexts of GLES 1."""

    name: str
    commands: Tuple[str, ...]
    reason: str  # why it is refused; empty: allowed
    where: Where


@dataclass(frozen=True)
class Size:
    """One case of a length function: paramSize(GL_VIEWPORT) = 4."""

    function: str
    enum: str
    value: int


@dataclass(frozen=True)
class Enum:
    """One name of a value: of the group, or of the value wherever no group is known (empty)."""

    name: str
    value: int
    group: str
    where: Where


@dataclass(frozen=True)
class Grouping:
    """Which group names a parameter's values; api and command may have a `*`, param may be
    `return`. An empty group:
    the names that stand for themselves."""

    api: str
    command: str
    param: str
    group: str
    where: Where

    def covers(self, command: "Command", param: str) -> bool:
        return (
            self.param == param
            and fnmatchcase(command.name, self.command)
            and fnmatchcase(command.api, self.api)
        )


@dataclass(frozen=True)
class Api:
    name: str  # "gles2"
    prefix: str  # of its functions: "gl", "rc", "sl"
    first: int
    commands: Tuple[Command, ...]

    @property
    def end(self) -> int:
        return self.first + len(self.commands)

    @property
    def families(self) -> Tuple[str, ...]:
        return tuple(sorted({c.family for c in self.commands}))


@dataclass(frozen=True)
class Model:
    """Everything that was read."""

    apis: Tuple[Api, ...]
    guest: Tuple[Policy, ...]
    host: Tuple[Policy, ...]
    aliases: Tuple[Alias, ...]
    desktop: Tuple[Desktop, ...]
    extensions: Tuple[Extension, ...]
    extensions1: Tuple[Extension, ...]
    sizes: Tuple[Size, ...]
    enums: Tuple[Enum, ...]
    groupings: Tuple[Grouping, ...]

    def api(self, name: str) -> Api:
        for api in self.apis:
            if api.name == name:
                return api
        raise KeyError(name)

    def group(self, command: Command, param: str, kind: Type) -> Optional[str]:
        """The group of a parameter or of `return`; empty: values that stand for themselves; None:
        it is no enum."""
        for line in self.groupings:
            if line.covers(command, param):
                return line.group
        inner = kind.element or kind
        if inner.name == "GLboolean":
            return "Boolean"
        return "" if inner.kind is Kind.ENUM else None

    def policy(self, side: str, command: Command) -> Optional[Policy]:
        for line in self.guest if side == "guest" else self.host:
            if line.api == command.api and line.name == command.name:
                return line
        return None
