"""sizeof, alignof and offsetof on LP64, of every type that the lock describes."""

from __future__ import annotations

from typing import Dict, Sequence, Tuple

from . import ir

POINTER = 8
_PRIMITIVES = {
    "char": 1,
    "int8_t": 1,
    "uint8_t": 1,
    "int16_t": 2,
    "uint16_t": 2,
    "int32_t": 4,
    "uint32_t": 4,
    "int": 4,
    "float": 4,
    "int64_t": 8,
    "uint64_t": 8,
    "double": 8,
    "size_t": 8,
}


def _align_up(value: int, align: int) -> int:
    return (value + align - 1) // align * align


class Sizes:
    """Grows: names are added as they become known, members first."""

    def __init__(self) -> None:
        self.known: Dict[str, Tuple[int, int]] = {n: (s, s) for n, s in _PRIMITIVES.items()}

    def add(self, name: str, size: int, align: int) -> None:
        self.known[name] = (size, align)

    def element(self, field: ir.Field) -> Tuple[int, int]:
        """Size and alignment of the member without its static array; KeyError: the type."""
        return (POINTER, POINTER) if field.pointers else self.known[field.type]

    def struct(self, fields: Sequence[ir.Field], union: bool) -> Tuple[int, int, Dict[str, int]]:
        """(size, alignment, offset of each member that is no bit-field)"""
        at = used_bits = 0
        largest = align = 1
        offsets: Dict[str, int] = {}
        for field in fields:
            size, one = self.element(field)
            align = max(align, one)
            if field.bits:
                if used_bits == 0 or used_bits + field.bits > 8 * size:
                    at = _align_up(at, one) + size
                    used_bits = 0
                used_bits += field.bits
                continue
            used_bits = 0
            begin = 0 if union else _align_up(at, one)
            offsets[field.name] = begin
            at = begin + size * field.count
            largest = max(largest, at)
        return _align_up(largest if union else at, align), align, offsets


def of_lock(lock: ir.Lock) -> Sizes:
    sizes = Sizes()
    for text in lock.texts:
        if text.size:
            sizes.add(text.name, text.size, text.size)
    for enum in lock.enums:
        for name in (enum.name, *enum.aliases):
            sizes.add(name, enum.bits // 8, enum.bits // 8)
    for flags in lock.flags:
        for name in (flags.name, *flags.aliases):
            sizes.add(name, flags.bits // 8, flags.bits // 8)
    for handle in lock.handles:
        for name in (handle.name, *handle.aliases):
            sizes.add(name, POINTER, POINTER)
    for struct in lock.structs:
        for name in (struct.name, *struct.aliases):
            sizes.add(name, struct.size_word, struct.align)
    return sizes
