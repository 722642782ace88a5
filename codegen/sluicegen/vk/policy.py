"""policy/vulkan.csv: what is decided about Vulkan by name, each line with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Set, Tuple

from ..errors import SpecError, Where
from ..read import rows

RULES = (
    "leave-out",
    "refuse-extension",
    "refuse-command",
    "refuse-struct",
    "in-guest",
    "no-presence",
    "leading",
    "only-if",
    "first-member",
    "early",
    "never-sent",
    "allow",
    "creates",
)


@dataclass(frozen=True)
class Line:
    rule: str
    name: str  # "VkStruct", "VkStruct.member", "vkCommand.param", "VK_extension"
    detail: str
    reason: str
    where: Where


class Policy:
    def __init__(self, lines: Tuple[Line, ...]) -> None:
        self.lines = lines
        self._found: Dict[Tuple[str, str], Line] = {}
        self._used: Set[Tuple[str, str]] = set()
        for line in lines:
            if line.rule not in RULES:
                raise SpecError(
                    line.where, line.name, f"'{line.rule}' is not a rule: {', '.join(RULES)}"
                )
            if not line.reason:
                raise SpecError(line.where, line.name, "a policy needs its reason")
            if (line.rule, line.name) in self._found:
                raise SpecError(line.where, line.name, "stands twice")
            self._found[line.rule, line.name] = line

    def get(self, rule: str, name: str) -> Optional[Line]:
        line = self._found.get((rule, name))
        if line is not None:
            self._used.add((rule, name))
        return line

    def has(self, rule: str, name: str) -> bool:
        return self.get(rule, name) is not None

    def unused(self) -> Tuple[Line, ...]:
        """Lines that nothing asked for: names that the registry does not have."""
        return tuple(line for line in self.lines if (line.rule, line.name) not in self._used)


def read(path: Path) -> Policy:
    return Policy(
        tuple(
            Line(cells[0], cells[1], cells[2], cells[3], where)
            for where, cells in rows(path, ("rule", "name", "detail", "reason"))
        )
    )
