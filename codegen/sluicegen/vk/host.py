"""policy/vulkan_host.csv: which commands the host writes by hand, and which it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Set

from ..errors import SpecError
from ..read import rows
from . import ir

RULES = ("hand", "refuse")


@dataclass(frozen=True)
class Host:
    hand: Set[str]  # commands whose handler is hvk_vkX
    refused: Dict[str, str]  # commands that are answered with zeros -> why


def _needs_line(command: ir.Command) -> bool:
    """What a generated handler cannot do: it has no native function, waits, or names many."""
    arrays = any(p.destroys and p.is_pointer for p in command.params)
    made = any(p.creates for p in command.params) and command.dispatch != "VkDevice"
    return command.early or command.private or arrays or made


def read(path: Path, lock: ir.Lock) -> Host:
    host = Host(set(), {})
    for where, (rule, name, _, reason) in rows(path, ("rule", "name", "detail", "reason")):
        if rule not in RULES:
            raise SpecError(where, name, f"'{rule}' is not a rule: {', '.join(RULES)}")
        if not reason:
            raise SpecError(where, name, "a policy needs its reason")
        if name in host.hand or name in host.refused:
            raise SpecError(where, name, "stands twice")
        command = lock.by_command.get(name)
        if command is None or not command.on_wire or command.alias_of:
            raise SpecError(where, name, "no command that travels by this first name")
        if rule == "hand":
            host.hand.add(name)
        else:
            host.refused[name] = reason
    for command in lock.wire_commands:
        known = command.name in host.hand or command.name in host.refused
        if not command.alias_of and not known and _needs_line(command):
            raise SpecError(command.where, command.name, f"needs a line in {path.name}")
    return host
