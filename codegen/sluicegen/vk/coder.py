"""Reads and writes Vulkan packets as the lock describes them: the reference of the generated code.

What is read is a tree that keeps every byte: writing it again gives the packet back. Slow and plain
on purpose; tests compare with it, nothing else calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple, Union

from ..ir import Const, Ref
from . import ir

HEADER_SIZE = 8  # u32 opcode, u32 length of the whole packet
NUMBER_SIZE = 4  # u32 sequence number, of packets that are not staged
DEPTH_MAX = 64  # of structs in structs


class WireError(Exception):
    """The bytes are not what the lock says."""


@dataclass
class Value:
    """What one field carried."""

    present: Optional[int] = None  # the presence word, where the field has one
    items: List["Item"] = field(default_factory=list)
    count: Optional[int] = None  # STRINGS: the count that travels with them
    here: bool = False  # its content travelled


@dataclass
class Tree:
    """A struct, or a command's parameters."""

    struct: Optional[ir.Struct]
    leading: List[int] = field(default_factory=list)
    values: Dict[str, Value] = field(default_factory=dict)


@dataclass
class Chain:
    size_word: int
    stype: int
    tree: Tree


Item = Union[int, bytes, Tree, Chain]


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        if size < 0 or size > self.left:
            raise WireError(f"{size} bytes at {self.at}, {self.left} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def little(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def big(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


def _number(tree: Tree, name: str) -> int:
    """A sibling's value: itself, or what it points to; 0 where nothing travelled."""
    value = tree.values[name]
    item = value.items[0] if value.items else 0
    if not isinstance(item, int):
        raise WireError(f"{name} is no number")
    return item


class Coder:
    def __init__(self, lock: ir.Lock) -> None:
        self.lock = lock
        self.by_opcode = {c.opcode: c for c in lock.commands if c.legible}
        self.by_stype = {s.stype: s for s in lock.structs if s.chainable}

    # --- what both directions need ---

    def _length(self, length: ir.Length, tree: Tree) -> int:
        if isinstance(length, Const):
            return length.value
        if isinstance(length, Ref):
            return _number(tree, length.param)
        if isinstance(length, ir.Arrow):
            inner = tree.values[length.pointer].items
            if not inner or not isinstance(inner[0], Tree):
                raise WireError(f"{length.pointer} is not there")
            return _number(inner[0], length.member)
        left, right = self._length(length.left, tree), self._length(length.right, tree)
        if length.op == "/":
            if right == 0:
                raise WireError("a length divides by zero")
            return left // right
        return left + right if length.op == "+" else left * right

    def _holds(self, condition: ir.Condition, tree: Tree) -> bool:
        if condition.test is ir.Test.NONZERO:
            struct = tree.struct
            assert struct is not None
            return tree.leading[struct.leading.index(condition.member)] != 0
        value = _number(tree, condition.member)
        numbers = [self.lock.number(name) for name in condition.values]
        if condition.test is ir.Test.AMONG:
            return value in numbers
        return not any(value & number for number in numbers)

    def _count(self, f: ir.Field, tree: Tree) -> int:
        """Elements of the content."""
        if f.is_pointer and f.length is not None and f.wire is not ir.Wire.STRING:
            return self._length(f.length, tree) * f.count
        return f.count

    # --- reading ---

    def _read_item(self, f: ir.Field, r: Reader, depth: int) -> Item:
        if f.wire is ir.Wire.RAW:
            return r.little(f.size)
        if f.wire is ir.Wire.BIG:
            return r.big(8)
        if f.wire is ir.Wire.HANDLE:
            return r.little(8)
        if f.wire is ir.Wire.STRING:
            return r.take(r.big(4))
        return self.read_struct(self.lock.struct(f.type), r, depth + 1)

    def read_chain(self, r: Reader, depth: int = 0) -> List[Item]:
        """One link with what hangs from it, or nothing."""
        size_word = r.big(4)
        if size_word == 0:
            return []
        stype = r.little(4)
        struct = self.by_stype.get(stype)
        if struct is None:
            raise WireError(f"sType {stype} is unknown")
        return [Chain(size_word, stype, self.read_struct(struct, r, depth + 1))]

    def read_field(self, f: ir.Field, tree: Tree, r: Reader, depth: int = 0) -> Value:
        value = Value()
        if f.wire is ir.Wire.ABSENT:
            return value
        if f.presence:
            value.present = r.big(8)
            if value.present == 0:
                return value
        if f.only_if is not None and not self._holds(f.only_if, tree):
            return value
        value.here = True
        if f.wire is ir.Wire.PNEXT:
            value.items = self.read_chain(r, depth)
        elif f.wire is ir.Wire.BYTES:
            value.items = [r.take(self._count(f, tree))]
        elif f.wire is ir.Wire.STRINGS:
            value.count = r.big(4)
            if value.count > r.left:
                raise WireError(f"{value.count} strings in {r.left} bytes")
            value.items = [r.take(r.big(4)) for _ in range(value.count)]
        else:
            count = self._count(f, tree)
            if count > r.left:
                raise WireError(f"{f.name}: {count} elements in {r.left} bytes")
            value.items = [self._read_item(f, r, depth) for _ in range(count)]
        return value

    def read_struct(self, struct: ir.Struct, r: Reader, depth: int = 0) -> Tree:
        if depth > DEPTH_MAX:
            raise WireError("structs are nested too deep")
        tree = Tree(struct, [r.big(4) for _ in struct.leading])
        for f in struct.fields[:1] if struct.union else struct.fields:
            tree.values[f.name] = self.read_field(f, tree, r, depth)
        return tree

    def read_request(self, packet: bytes) -> Tuple[ir.Command, Optional[int], Tree]:
        """The command, its sequence number (None: staged) and its parameters."""
        r = Reader(packet)
        opcode, size = r.little(4), r.little(4)
        command = self.by_opcode.get(opcode)
        if command is None:
            raise WireError(f"opcode {opcode} is unknown")
        if size != len(packet):
            raise WireError(f"{command.name} says {size} bytes, it has {len(packet)}")
        layout = self.lock.layout_of(command)
        number = None if command.staged else r.little(NUMBER_SIZE)
        tree = Tree(None)
        for f in layout.params[1:] if command.staged else layout.params:
            tree.values[f.name] = self.read_field(f, tree, r)
        if r.left:
            raise WireError(f"{command.name}: {r.left} bytes are left over")
        return command, number, tree

    def read_reply(self, command: ir.Command, request: Tree, reply: bytes) -> Tuple[Tree, bytes]:
        """The outputs and the returned value."""
        r = Reader(reply)
        tree = Tree(None, values=dict(request.values))
        for f in self.lock.layout_of(command).params:
            if f.out:
                tree.values[f.name] = self.read_field(f, tree, r)
        result = r.take(self.lock.layout_of(command).result_size)
        if r.left:
            raise WireError(f"{command.name}: {r.left} bytes are left over in its reply")
        return tree, result

    # --- writing ---

    def _write_item(self, f: ir.Field, item: Item, out: bytearray) -> None:
        if isinstance(item, Tree):
            self.write_struct(item, out)
        elif isinstance(item, bytes):
            out += len(item).to_bytes(4, "big") + item
        elif isinstance(item, int):
            if f.wire is ir.Wire.BIG:
                out += item.to_bytes(8, "big")
            else:
                out += item.to_bytes(f.size if f.wire is ir.Wire.RAW else 8, "little")
        else:
            raise WireError(f"{f.name} is no chain")

    def write_chain(self, items: List[Item], out: bytearray) -> None:
        if not items:
            out += bytes(4)
        for link in items:
            assert isinstance(link, Chain)
            out += link.size_word.to_bytes(4, "big") + link.stype.to_bytes(4, "little")
            self.write_struct(link.tree, out)

    def write_field(self, f: ir.Field, value: Value, out: bytearray) -> None:
        if value.present is not None:
            out += value.present.to_bytes(8, "big")
        if not value.here:
            return
        if f.wire is ir.Wire.PNEXT:
            self.write_chain(value.items, out)
            return
        if f.wire is ir.Wire.BYTES:
            for item in value.items:
                assert isinstance(item, bytes)
                out += item
            return
        if value.count is not None:
            out += value.count.to_bytes(4, "big")
        for item in value.items:
            self._write_item(f, item, out)

    def write_struct(self, tree: Tree, out: bytearray) -> None:
        struct = tree.struct
        assert struct is not None
        for word in tree.leading:
            out += word.to_bytes(4, "big")
        for f in struct.fields[:1] if struct.union else struct.fields:
            self.write_field(f, tree.values[f.name], out)

    def write_request(self, command: ir.Command, number: Optional[int], tree: Tree) -> bytes:
        out = bytearray()
        if number is not None:
            out += number.to_bytes(NUMBER_SIZE, "little")
        layout = self.lock.layout_of(command)
        for f in layout.params[1:] if command.staged else layout.params:
            self.write_field(f, tree.values[f.name], out)
        size = HEADER_SIZE + len(out)
        return command.opcode.to_bytes(4, "little") + size.to_bytes(4, "little") + bytes(out)

    def write_reply(self, command: ir.Command, tree: Tree, result: bytes) -> bytes:
        out = bytearray()
        for f in self.lock.layout_of(command).params:
            if f.out:
                self.write_field(f, tree.values[f.name], out)
        return bytes(out) + result
