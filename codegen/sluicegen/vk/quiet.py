"""policy/vulkan_quiet.csv: commands without an answer between our own guest and our own host.

SLUICE_FEATURE_VK_QUIET: what fails all the same loses the device."""

from __future__ import annotations

from pathlib import Path
from typing import FrozenSet, Set

from ..errors import SpecError
from ..read import rows
from . import ir


def read(path: Path, lock: ir.Lock) -> FrozenSet[str]:
    names: Set[str] = set()
    for where, (name, reason) in rows(path, ("name", "reason")):
        command = lock.by_command.get(name)
        if command is None or not command.on_wire or command.alias_of or name in names:
            raise SpecError(where, name, "no command that travels by this first name, or twice")
        told = command.returns == "VkResult" and not any(p.out for p in command.params)
        if not told or command.early or command.dispatch != "VkDevice":
            raise SpecError(where, name, "it has outputs, waits, or no device could be lost for it")
        if not reason:
            raise SpecError(where, name, "a policy needs its reason")
        names.add(name)
    return frozenset(names)
