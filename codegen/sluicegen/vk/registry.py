"""vk.xml of any version from 1.3.239, as Vulkan (not Vulkan SC) sees it.

Only the XML's own structure is known here: which elements there are, in the order of the file.
What is made of them stands in build.py.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Tuple

from ..errors import SpecError, Where


def _ours(element: ET.Element) -> bool:
    """Not for another API alone."""
    return "vulkan" in element.get("api", "vulkan").split(",")


def flat(element: ET.Element, skip: Tuple[str, ...] = ("comment",)) -> str:
    """The element's text without its comments."""
    parts: List[str] = [element.text or ""]
    for child in element:
        if child.tag not in skip:
            parts.append(flat(child, skip))
        parts.append(child.tail or "")
    return "".join(parts)


def name_of(element: ET.Element) -> str:
    return element.get("name") or element.findtext("name") or element.findtext("proto/name") or ""


def possible(depends: str, without: FrozenSet[str]) -> bool:
    """Whether the expression can hold: `+` and, `,` or, from the left, parentheses."""
    tokens = re.findall(r"[\w:]+|[()+,]", depends)

    def value() -> bool:
        token = tokens.pop(0)
        if token != "(":
            return token.split("::")[0] not in without
        inner = chain()
        tokens.pop(0)
        return inner

    def chain() -> bool:
        result = value()
        while tokens and tokens[0] != ")":
            both = tokens.pop(0) == "+"
            right = value()
            result = (result and right) if both else (result or right)
        return result

    return chain() if tokens else True


@dataclass
class Requirement:
    """What a core version or an extension brings."""

    name: str
    element: ET.Element
    commands: List[str] = field(default_factory=list)
    types: List[str] = field(default_factory=list)
    enums: List[ET.Element] = field(default_factory=list)

    def take(self, element: ET.Element, without: FrozenSet[str] = frozenset()) -> None:
        """without: extensions that are left out, with all that depends on them."""
        for require in element.findall("require"):
            depends = require.get("depends") or require.get("extension") or ""
            if not _ours(require) or not possible(depends, without):
                continue
            for item in require:
                if not _ours(item):
                    continue
                name = item.get("name", "")
                if item.tag == "command" and name not in self.commands:
                    self.commands.append(name)
                elif item.tag == "type" and name not in self.types:
                    self.types.append(name)
                elif item.tag == "enum":
                    self.enums.append(item)


class Registry:
    """types, commands and enums by name; versions and extensions in the file's order."""

    def __init__(self, path: Path) -> None:
        self.where = Where(path.name, 0)
        self.types: Dict[str, ET.Element] = {}
        self.commands: Dict[str, ET.Element] = {}
        self.groups: Dict[str, ET.Element] = {}
        self.versions: List[Requirement] = []
        self.extensions: List[Requirement] = []
        self.private: Dict[str, ET.Element] = {}
        self._read(ET.parse(path).getroot())
        self.header_version = self._version()

    def add_private(self, path: Path) -> None:
        """Our own description, in the registry's words, of what is in no registry."""
        root = ET.parse(path).getroot()
        self.private.update(
            {name_of(e): e for e in root.iter() if e.tag in ("type", "command") and len(e)}
        )
        self._read(root)

    def _read(self, root: ET.Element) -> None:
        for element in self._each(root, "types", "type"):
            self.types.setdefault(name_of(element), element)
        for element in self._each(root, "commands", "command"):
            self.commands.setdefault(name_of(element), element)
        for group in root.findall("enums"):
            self.groups[group.get("name", "")] = group
        for feature in root.findall("feature"):
            if _ours(feature):
                self._feature(feature)
        for extension in (*root.findall("extensions/extension"), *root.findall("extension")):
            self.extensions.append(Requirement(extension.get("name", ""), extension))

    @staticmethod
    def _each(root: ET.Element, group: str, tag: str) -> Iterator[ET.Element]:
        for block in root.findall(group):
            for element in block.findall(tag):
                if _ours(element):
                    yield element

    def _feature(self, feature: ET.Element) -> None:
        """Newer registries split a version in base, compute and graphics: one here."""
        number = re.sub(r"\W", "_", feature.get("number", ""))
        name = f"VK_VERSION_{number}"
        for entry in self.versions:
            if entry.name == name:
                entry.take(feature)
                return
        entry = Requirement(name, feature)
        entry.take(feature)
        self.versions.append(entry)

    def _version(self) -> str:
        header = self.types.get("VK_HEADER_VERSION")
        match = (
            re.search(r"VK_HEADER_VERSION\s+(\d+)", flat(header)) if header is not None else None
        )
        if match is None or not self.versions:
            raise SpecError(self.where, "VK_HEADER_VERSION", "is missing: is this vk.xml?")
        latest = max(v.name.removeprefix("VK_VERSION_").replace("_", ".") for v in self.versions)
        return f"{latest}.{match[1]}"
