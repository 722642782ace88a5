"""What the Vulkan emitters share: C expressions of fields, sizes on the wire, which structs go
which way."""

from __future__ import annotations

import contextlib
import re
from functools import lru_cache
from typing import Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from ..ir import Const, Ref
from ..vk import ir

Wire = ir.Wire


class Scope:
    """The fields of a struct (`v->name`) or the parameters of a command (`name`, `a->name`)."""

    def __init__(self, lock: ir.Lock, fields: Iterable[ir.Field], prefix: str) -> None:
        self.lock = lock
        self.fields = tuple(fields)
        self.prefix = prefix
        self.by_name = {f.name: f for f in self.fields}

    def at(self, field: ir.Field) -> str:
        return self.prefix + field.name

    def place(self, field: ir.Field) -> str:
        """The address of its first byte; an array is one already."""
        return self.at(field) if field.dims else "&" + self.at(field)

    def number(self, name: str) -> str:
        field = self.by_name[name]
        at = self.at(field)
        if field.is_pointer:
            return f"({at} != NULL ? (uint64_t)*{at} : 0)"
        return f"(uint64_t){at}"

    def length(self, length: ir.Length) -> str:
        if isinstance(length, Const):
            return str(length.value)
        if isinstance(length, Ref):
            return self.number(length.param)
        if isinstance(length, ir.Arrow):
            at = self.prefix + length.pointer
            return f"(uint64_t){at}->{length.member}"
        left, right = self.length(length.left), self.length(length.right)
        return f"({left} {length.op} {right})"

    def condition(self, condition: ir.Condition) -> str:
        if condition.test is ir.Test.NONZERO:
            return f"{condition.member} != 0"
        at = self.prefix + condition.member
        if condition.test is ir.Test.AMONG:
            return " || ".join(f"{at} == {value}" for value in condition.values)
        return f"({at} & ({' | '.join(condition.values)})) == 0"

    def lengths_by(self, name: str) -> List[ir.Field]:
        """The arrays whose length is this field."""
        return [f for f in self.fields if f.length is not None and name in names_in(f.length)]


def names_in(length: ir.Length) -> Set[str]:
    if isinstance(length, Ref):
        return {length.param}
    if isinstance(length, ir.Binary):
        return names_in(length.left) | names_in(length.right)
    return set()


class Lines:
    """The body of a C function that asks once for the bytes of a run of fields."""

    def __init__(self, ask: str, fail: str, step: str = "") -> None:
        self.ask = ask  # asks for @ bytes at p
        self.fail = fail
        self.step = step  # moves on by @ bytes
        self.lines: List[str] = []
        self.run: List[Tuple[int, str]] = []  # bytes, statement with @ for the place; "": skipped
        self.indent = 1
        self.used_run = False

    def say(self, text: str) -> None:
        self.lines.append("    " * self.indent + text + "\n")

    def give_up(self, condition: str) -> None:
        self.say(f"if ({condition}) {{")
        self.say(f"    {self.fail}")
        self.say("}")

    def flush(self) -> None:
        if not self.run:
            return
        total = sum(size for size, _ in self.run)
        self.used_run = True
        self.say(self.ask.replace("@", str(total)))
        self.give_up("p == NULL")
        at = 0
        for size, statement in self.run:
            if statement:
                self.say(statement.replace("@", f"p + {at}" if at else "p"))
            at += size
        if self.step:
            self.say(self.step.replace("@", str(total)))
        self.run = []

    @contextlib.contextmanager
    def inside(self, conditions: Sequence[str]) -> Iterator[None]:
        """What is said meanwhile stands below these conditions; runs do not cross them."""
        self.flush()
        for condition in conditions:
            self.say(f"if ({condition}) {{")
            self.indent += 1
        yield
        self.flush()
        for _ in conditions:
            self.indent -= 1
            self.say("}")


def mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


class Facts:
    """Answers about the lock's structs."""

    def __init__(self, lock: ir.Lock) -> None:
        self.lock = lock
        self.flat = lru_cache(None)(self._flat)
        self.smallest = lru_cache(None)(self._smallest)
        self.travelling = self.reach(lock.wire_commands)

    def reach(self, commands: Iterable[ir.Command]) -> List[ir.Struct]:
        """Structs of these commands, of chains, and of what stands in them."""
        found: Set[str] = set()
        work = [s.name for s in self.lock.chain_structs]
        fields = [p for c in commands for p in self.lock.layout_of(c).params]
        while work or fields:
            while fields:
                field = fields.pop()
                if field.wire in (Wire.STRUCT, Wire.UNION) and not self.refused(field):
                    work.append(self.lock.resolve(field.type))
            while work:
                name = work.pop()
                if name not in found:
                    found.add(name)
                    fields += self.members(self.lock.struct(name))
        return [s for s in self.lock.structs if s.name in found]

    def struct(self, field: ir.Field) -> ir.Struct:
        return self.lock.struct(field.type)

    def members(self, struct: ir.Struct) -> List[ir.Field]:
        """Those that travel: of a union the first one."""
        return list(struct.fields[:1] if struct.union else struct.fields)

    def _flat(self, name: str) -> bool:
        """On the wire its bytes lie as in memory."""
        struct = self.lock.struct(name)
        if struct.leading:
            return False
        total = sum(self.copied(f) or 0 for f in self.members(struct))
        whole = all(self.copied(f) for f in self.members(struct))
        return whole and total == struct.size_word

    def copied(self, field: ir.Field) -> Optional[int]:
        """Bytes of a field that is copied as it lies; None for any other."""
        if field.is_pointer or field.presence or field.only_if or field.bits or field.value:
            return None
        if field.wire is Wire.RAW:
            return field.size * field.count
        if field.wire in (Wire.STRUCT, Wire.UNION) and self.flat(self.lock.resolve(field.type)):
            return self.struct(field).size_word * field.count
        return None

    def element(self, field: ir.Field) -> Optional[int]:
        """Bytes of one element of an array that is copied as it lies; None for any other."""
        if field.wire in (Wire.RAW, Wire.BYTES):
            return max(field.size, 1)
        if field.wire in (Wire.STRUCT, Wire.UNION) and self.flat(self.lock.resolve(field.type)):
            return self.struct(field).size_word
        return None

    def _smallest(self, name: str) -> int:
        """The fewest bytes of a struct on the wire."""
        struct = self.lock.struct(name)
        return 4 * len(struct.leading) + sum(self.least(f) for f in self.members(struct))

    def least(self, field: ir.Field) -> int:
        if field.wire is Wire.ABSENT:
            return 0
        if field.presence:
            return 8
        if field.only_if:
            return 0
        if field.wire in (Wire.PNEXT, Wire.STRING, Wire.STRINGS):
            return 4
        if field.is_pointer and field.length is not None:
            return 0
        return self.one(field) * field.count

    def one(self, field: ir.Field) -> int:
        """The fewest bytes of one element."""
        if field.wire in (Wire.STRUCT, Wire.UNION):
            if self.struct(field).refused:
                return 0
            return self.smallest(self.lock.resolve(field.type))
        if field.wire in (Wire.STRING, Wire.STRINGS, Wire.PNEXT):
            return 4
        return field.size or 8

    def refused(self, field: ir.Field) -> bool:
        """pAllocator: its presence word must be 0."""
        return field.wire is Wire.STRUCT and bool(self.struct(field).refused)

    @staticmethod
    def required(field: ir.Field) -> bool:
        """An output that has a presence word and yet must be there: a count."""
        return field.out and field.presence and field.length is None

    def outputs(self) -> List[ir.Struct]:
        """Structs that stand in outputs, chained ones too."""
        found: Set[str] = set()
        work: List[str] = []

        def reach(fields: Iterable[ir.Field]) -> None:
            for field in fields:
                if field.wire in (Wire.STRUCT, Wire.UNION) and not self.refused(field):
                    work.append(self.lock.resolve(field.type))

        for command in self.lock.wire_commands:
            reach(p for p in command.params if p.out)
        while work:
            name = work.pop()
            if name in found:
                continue
            found.add(name)
            reach(self.members(self.lock.struct(name)))
            work += [
                s.name for s in self.lock.chain_structs if name in map(self.lock.resolve, s.extends)
            ]
        return [s for s in self.travelling if s.name in found]
