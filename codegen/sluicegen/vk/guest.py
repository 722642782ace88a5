"""policy/vulkan_guest.csv: which commands the guest writes by hand, which objects it adds to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Set, Tuple

from ..errors import SpecError
from ..read import rows
from . import ir

RULES = ("hand", "around", "absent", "chosen", "object")


@dataclass(frozen=True)
class Guest:
    hand: FrozenSet[str]  # commands whose entry point is gvk_vkX
    around: FrozenSet[str]  # those of them that use the generated gvk_entry_vkX
    absent: FrozenSet[str]  # commands that travel and that applications do not find
    # Commands whose new ids the guest chooses: they are told, not asked. True: only when the
    # hand-written gvk_chooses_vkX says so.
    chosen: Dict[str, bool]
    objects: Dict[str, Tuple[str, str]]  # "VkBuffer" -> ("gvk_buffer", "gvk.h")

    def struct(self, handle: str) -> str:
        return "struct " + (self.objects[handle][0] if handle in self.objects else "gvk_object")

    def headers(self) -> Tuple[str, ...]:
        return tuple(sorted({header for _, header in self.objects.values()}))


def read(path: Path, lock: ir.Lock) -> Guest:
    named: Dict[str, Set[str]] = {"hand": set(), "around": set(), "absent": set()}
    chosen: Dict[str, bool] = {}
    objects: Dict[str, Tuple[str, str]] = {}
    for where, (rule, name, detail, reason) in rows(path, ("rule", "name", "detail", "reason")):
        if rule not in RULES:
            raise SpecError(where, name, f"'{rule}' is not a rule: {', '.join(RULES)}")
        if not reason:
            raise SpecError(where, name, "a policy needs its reason")
        if rule == "chosen":
            if name not in lock.by_command or name in chosen or detail not in ("", "if"):
                raise SpecError(where, name, "wants a command, once, and 'if' or nothing in detail")
            chosen[name] = detail == "if"
            continue
        if any(name in names for names in (*named.values(), objects)):
            raise SpecError(where, name, "stands twice")
        if rule in named:
            command = lock.by_command.get(name)
            if command is None or command.alias_of or command.private:
                raise SpecError(where, name, "no command that applications call by this first name")
            named[rule].add(name)
        else:
            words = tuple(detail.split())
            if name not in lock.by_handle or len(words) != 2:
                raise SpecError(
                    where, name, "wants a handle, and a struct and its header in detail"
                )
            objects[name] = (words[0], words[1])
    return Guest(
        frozenset(named["hand"] | named["around"]),
        frozenset(named["around"]),
        frozenset(named["absent"]),
        chosen,
        objects,
    )
