"""Checks every #include of the project against tools/lint/includes.txt.

usage: includes.py [--root DIR] [--gen DIR] [--table FILE]
Prints one line for each violation; exit 1 when there is one.
"""

import argparse
import dataclasses
import fnmatch
import pathlib
import re
import sys
from typing import Iterator, Optional

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
SOURCES = {".c", ".h", ".cpp", ".def"}
FOLDERS = ("transport", "asg", "guest", "host", "tools", "tests")


@dataclasses.dataclass(frozen=True)
class Room:
    folder: str
    allowed: tuple[str, ...]


def read_table(path: pathlib.Path) -> list[Room]:
    rooms = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        if line.count("|") != 1:
            raise SystemExit(f"{path}:{number}: want 'folder | patterns'")
        folder, patterns = line.split("|")
        rooms.append(Room(folder.strip(), tuple(patterns.split())))
    # The longest folder that fits decides.
    return sorted(rooms, key=lambda room: -len(room.folder))


def room_of(name: str, rooms: list[Room]) -> Optional[Room]:
    return next((room for room in rooms if name.startswith(room.folder + "/")), None)


def sources(root: pathlib.Path, gen: Optional[pathlib.Path]) -> Iterator[tuple[str, pathlib.Path]]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield path.relative_to(root).as_posix(), path
    if gen is not None:
        for path in sorted(gen.rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield "gen:" + path.relative_to(gen).as_posix(), path


def check(
    root: pathlib.Path, gen: Optional[pathlib.Path], table: pathlib.Path
) -> tuple[int, list[str]]:
    rooms, complaints, count = read_table(table), [], 0
    for name, path in sources(root, gen):
        room = room_of(name, rooms)
        if room is None:
            complaints.append(f"{name}: no room of {table.name} holds it")
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            count += 1
            included = match[1] if (root / match[1]).exists() else "gen:" + match[1]
            if room_of(included, rooms) == room:
                continue
            if not any(fnmatch.fnmatchcase(included, pattern) for pattern in room.allowed):
                line = text.count("\n", 0, match.start()) + 1
                complaints.append(f"{name}:{line}: {room.folder} may not include {included}")
    return count, complaints


def main() -> int:
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    parser.add_argument("--gen", type=pathlib.Path)
    parser.add_argument("--table", type=pathlib.Path, default=here / "includes.txt")
    options = parser.parse_args()
    gen = options.gen if options.gen is not None and options.gen.is_dir() else None
    count, complaints = check(options.root.resolve(), gen, options.table)
    print("\n".join(complaints) or f"{count} includes follow the table")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
