"""The one exception of the generator: it carries file, line and entity, and prints as one line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Where:
    """A place in a spec or policy file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class SpecError(Exception):
    """Input that the generator refuses: `gles2.csv:41: glFoo: length names unknown parameter
    'n'`."""

    def __init__(self, where: Where, entity: str, problem: str) -> None:
        super().__init__(f"{where}: {entity}: {problem}")
