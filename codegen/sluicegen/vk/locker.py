"""python3 -m sluicegen lock --registry vk.xml [--check | --fix]: the lock against a registry.

Without a flag: the differences that --fix would make. --check with the registry that the lock was
made from: the lock is what that gives. With an older one: whatever that one says, the lock says
too. Exit 1 when it does not hold.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ..errors import SpecError
from . import build, declare, ir, lockfile

LOCK = Path("lock") / "vulkan.lock"
_SHOWN = 40


def _facts(field: ir.Field) -> Tuple[object, ...]:
    """What decides a field's bytes; spellings of its type may change."""
    length = declare.length_text(field.length) if field.length is not None else ""
    return (
        field.name,
        field.wire.value,
        field.size,
        field.count,
        field.pointers,
        field.bits,
        length,
        field.presence,
        field.only_if,
        field.out,
        field.creates,
        field.destroys,
    )


def _fields(owner: str, old: Sequence[ir.Field], new: Sequence[ir.Field]) -> List[str]:
    found = [f"{owner}: has {len(new)} fields, had {len(old)}"] if len(old) != len(new) else []
    for before, after in zip(old, new):
        if _facts(before) != _facts(after):
            found.append(f"{owner}.{before.name}: {_facts(before)} is now {_facts(after)}")
    return found


def _structs(old: ir.Lock, new: ir.Lock) -> Iterable[str]:
    for struct in old.structs:
        if new.resolve(struct.name) not in new.by_struct:
            yield f"{struct.name}: is gone"
            continue
        now = new.struct(struct.name)
        yield from _fields(struct.name, struct.fields, now.fields)
        if (struct.stype, struct.size_word, struct.leading) != (
            now.stype,
            now.size_word,
            now.leading,
        ):
            yield f"{struct.name}: sType, size or leading words changed"


def _commands(old: ir.Lock, new: ir.Lock) -> Iterable[str]:
    for command in old.commands:
        now = new.by_command.get(command.name)
        if now is None:
            yield f"{command.name}: is gone"
            continue
        yield from _fields(command.name, command.params, now.params)
        if (command.opcode, command.returns, command.early) != (now.opcode, now.returns, now.early):
            yield f"{command.name}: opcode, result or turn changed"


def lost(old: ir.Lock, new: ir.Lock) -> List[str]:
    """What an older registry says and the lock says otherwise; nothing for additions."""
    numbers: Dict[str, int] = new.numbers
    found = [
        f"{name}: is {numbers.get(name, 'gone')}, was {value}"
        for name, value in sorted(old.numbers.items())
        if numbers.get(name) != value
    ]
    found += [f"{e.name}: is gone" for e in old.extensions if e.name not in new.by_extension]
    return found + list(_structs(old, new)) + list(_commands(old, new))


def check(made: ir.Lock, path: Path) -> List[str]:
    if made.header_version == lockfile.read_lock(path).header_version:
        return difference(made, path)
    return lost(made, lockfile.read_lock(path))


def difference(made: ir.Lock, path: Path) -> List[str]:
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return list(
        difflib.unified_diff(
            there, lockfile.write_lock(made).splitlines(), "lock", "registry", "", "", 1, ""
        )
    )


def main(words: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="sluicegen lock", description=__doc__)
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).resolve().parents[2],
        help="the folder with spec/, policy/ and lock/",
    )
    parser.add_argument("--registry", type=Path, required=True, help="vk.xml")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check", action="store_true", help="exit 1 when the lock and the registry disagree"
    )
    how.add_argument("--fix", action="store_true", help="write the lock anew")
    args = parser.parse_args(words)
    path: Path = args.root / LOCK
    try:
        made = build.build(args.root, args.registry)
        if args.fix:
            path.parent.mkdir(exist_ok=True)
            path.write_text(lockfile.write_lock(made), encoding="utf-8")
            return 0
        found = check(made, path) if args.check else difference(made, path)
    except SpecError as problem:
        print(problem, file=sys.stderr)
        return 1
    for line in found[:_SHOWN] if args.check else found:
        print(line)
    if args.check and len(found) > _SHOWN:
        print(f"... {len(found) - _SHOWN} more")
    return 1 if args.check and found else 0
