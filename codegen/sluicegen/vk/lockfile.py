"""lock/vulkan.lock: ir.Lock as text, one fact a line, and back.

An entry starts at column 0 with its kind and name; what belongs to it is indented by two. Lists are
separated by blanks. The first line carries the format, the second the SHA-256 of all that follows.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple

from ..errors import SpecError, Where
from . import declare, ir

_TITLE = (
    "# Vulkan as Sluice marshals it. Made by `python3 -m sluicegen lock`; reviewed, not edited."
)


def digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _words(name: str, words: Iterable[str]) -> List[str]:
    text = " ".join(words)
    return [f"  {name} {text}"] if text else []


def _field(kind: str, f: ir.Field) -> str:
    said = [f.wire.value + (f" {f.size}" if f.size else "")]
    said += [f"length {declare.length_text(f.length)}"] if f.length is not None else []
    for flag in ("terminated", "presence", "out", "creates", "destroys", "optional"):
        said += [flag] if getattr(f, flag) else []
    said += [f"if {declare.condition_text(f.only_if)}"] if f.only_if is not None else []
    said += [f"value {f.value}"] if f.value else []
    said += [f"selector {f.selector}"] if f.selector else []
    said += [f"selection {' '.join(f.selection)}"] if f.selection else []
    return f"  {kind} {f.declaration} :: {', '.join(said)}"


def _enum(e: ir.Enum) -> List[str]:
    lines = [
        f"enum {e.name} {e.bits}{' bitmask' if e.bitmask else ''}",
        *_words("alias", e.aliases),
    ]
    for v in e.values:
        by = "".join(f" +{p}" for p in v.provided)
        number = hex(v.value) if e.bitmask and v.value > 9 else str(v.value)
        lines.append(f"  {v.name} = {v.alias_of or number}{by}")
    return lines


def _struct(s: ir.Struct) -> List[str]:
    lines = [f"{'union' if s.union else 'struct'} {s.name}"]
    lines += [f"  stype {s.stype} {s.stype_name}"] if s.stype is not None else []
    lines += [f"  size {s.size_word} {s.align}"]
    lines += (
        _words("extends", s.extends) + _words("provided", s.provided) + _words("alias", s.aliases)
    )
    lines += _words("known", s.known) + _words("leading", s.leading)
    lines += ["  returned-only"] if s.returned_only else []
    lines += _words("refused", [s.refused])
    return lines + [_field("member", f) for f in s.fields]


def _command(c: ir.Command) -> List[str]:
    lines = [
        f"command {c.name} {c.opcode}",
        f"  returns {c.returns} {c.result_size}",
        f"  level {c.level.value} {c.dispatch}".rstrip(),
    ]
    lines += _words("provided", c.provided) + _words("alias-of", [c.alias_of])
    lines += ["  early"] if c.early else []
    lines += ["  private"] if c.private else []
    lines += _words("refused", [c.refused])
    return lines + ([] if c.alias_of else [_field("param", p) for p in c.params])


def _extension(e: ir.Extension) -> List[str]:
    lines = [
        f"extension {e.name} {e.number} {'instance' if e.instance else 'device'} {e.spec_version}"
    ]
    lines += (
        _words("depends", [e.depends])
        + _words("promoted", [e.promoted])
        + _words("platform", [e.platform])
    )
    return (
        lines
        + _words("refused", [e.refused])
        + _words("commands", e.commands)
        + _words("types", e.types)
    )


def write_lock(lock: ir.Lock) -> str:
    lines = [f"header {lock.header_version}"]
    for v in lock.versions:
        lines += [
            f"version {v.name} {v.major} {v.minor}",
            *_words("commands", v.commands),
            *_words("types", v.types),
        ]
    for e in lock.extensions:
        lines += _extension(e)
    lines += [f"constant {c.name} {c.text}" for c in lock.constants]
    for text in lock.texts:
        lines += [
            f"text {text.name} {text.kind} {text.size}",
            *_words("requires", text.requires),
            f"  c {text.text}",
        ]
    for handle in lock.handles:
        lines += [
            f"handle {handle.name} {'dispatchable' if handle.dispatchable else 'plain'}",
            *_words("parent", [handle.parent]),
            *_words("object", [handle.object_type]),
            *_words("alias", handle.aliases),
        ]
    for flags in lock.flags:
        lines += [
            f"flags {flags.name} {flags.bits}",
            *_words("enum", [flags.enum]),
            *_words("alias", flags.aliases),
        ]
    for enum in lock.enums:
        lines += _enum(enum)
    for struct in lock.structs:
        lines += _struct(struct)
    for command in lock.commands:
        lines += _command(command)
    body = "\n".join(lines) + "\n"
    return f"{_TITLE}\nhash {digest(body)}\n{body}"


class _Entry:
    """One entry while it is read."""

    def __init__(self, words: List[str], where: Where) -> None:
        self.kind, self.name = words[0], words[1]
        self.head = words[2:]
        self.where = where
        self.facts: Dict[str, str] = {}
        self.lines: List[
            Tuple[str, str, Where]
        ] = []  # (kind, rest, place) of members, parameters, values

    def text(self, name: str) -> str:
        return self.facts.get(name, "")

    def words(self, name: str) -> Tuple[str, ...]:
        return tuple(self.text(name).split())


_REPEATED = ("member", "param")


def _entries(path: Path, body: str, first: int) -> Iterable[_Entry]:
    entry: Optional[_Entry] = None
    for number, line in enumerate(body.splitlines(), first):
        where = Where(path.name, number)
        if not line.startswith(" "):
            if entry is not None:
                yield entry
            words = line.split()
            if len(words) < 2:
                raise SpecError(where, line, "an entry is a kind and a name")
            entry = _Entry(words, where)
            continue
        if entry is None:
            raise SpecError(where, line.strip(), "belongs to no entry")
        kind, _, rest = line.strip().partition(" ")
        if kind in _REPEATED or rest.startswith("= "):
            entry.lines.append((kind, rest, where))
        else:
            entry.facts[kind] = rest
    if entry is not None:
        yield entry


def _read_field(text: str, where: Where, constants: Dict[str, int]) -> ir.Field:
    c_text, found, said = text.partition(" :: ")
    try:
        d = declare.declaration(c_text)
        facts: Dict[str, str] = {}
        wire, *rest = said.split(", ")
        for fact in rest:
            name, _, value = fact.partition(" ")
            facts[name] = value
        count = 1
        for dim in d.dims:
            count *= int(dim) if dim.isdigit() else constants[dim]
        kind, _, size = wire.partition(" ")
        return ir.Field(
            d.name,
            c_text,
            d.type,
            d.pointers,
            ir.Wire(kind),
            int(size or 0),
            d.dims,
            count,
            d.bits,
            d.const,
            declare.length(facts["length"]) if "length" in facts else None,
            "terminated" in facts,
            "presence" in facts,
            declare.condition(facts["if"]) if "if" in facts else None,
            "out" in facts,
            "creates" in facts,
            "destroys" in facts,
            "optional" in facts,
            facts.get("value", ""),
            facts.get("selector", ""),
            tuple(facts.get("selection", "").split()),
        )
    except (declare.BadText, ValueError, KeyError) as problem:
        raise SpecError(where, c_text, f"{problem}") from None


class _Reader:
    """Collects entries by kind; constants come before what is measured in them."""

    def __init__(self) -> None:
        self.header = ""
        self.numbers: Dict[str, int] = {}
        self.constants: List[ir.Constant] = []
        self.enums: List[ir.Enum] = []
        self.flags: List[ir.Flags] = []
        self.texts: List[ir.CText] = []
        self.handles: List[ir.Handle] = []
        self.structs: List[ir.Struct] = []
        self.commands: Dict[str, ir.Command] = {}
        self.versions: List[ir.Version] = []
        self.extensions: List[ir.Extension] = []

    def take(self, e: _Entry) -> None:
        method = getattr(self, "_" + e.kind, None)
        if method is None:
            raise SpecError(e.where, e.kind, "no such kind of entry")
        method(e)

    def _header(self, e: _Entry) -> None:
        self.header = e.name

    def _constant(self, e: _Entry) -> None:
        text = " ".join(e.head)
        value = declare.number(text)
        if value is not None:
            self.numbers[e.name] = value
        self.constants.append(ir.Constant(e.name, text, value))

    def _enum(self, e: _Entry) -> None:
        known: Dict[str, int] = {}
        values: List[ir.EnumValue] = []
        raw = {name: rest.split()[1] for name, rest, _ in e.lines}
        for name, rest, where in e.lines:
            target = name
            while raw[target] in raw:
                target = raw[target]
            known[name] = int(raw[target], 0)
            alias = raw[name] if raw[name] in raw else ""
            provided = tuple(w[1:] for w in rest.split()[2:])
            values.append(ir.EnumValue(name, known[name], alias, provided))
        self.enums.append(
            ir.Enum(e.name, int(e.head[0]), "bitmask" in e.head, tuple(values), e.words("alias"))
        )

    def _flags(self, e: _Entry) -> None:
        self.flags.append(ir.Flags(e.name, int(e.head[0]), e.text("enum"), e.words("alias")))

    def _text(self, e: _Entry) -> None:
        self.texts.append(
            ir.CText(e.name, e.head[0], e.text("c"), int(e.head[1]), e.words("requires"))
        )

    def _handle(self, e: _Entry) -> None:
        self.handles.append(
            ir.Handle(
                e.name,
                e.head[0] == "dispatchable",
                e.text("parent"),
                e.text("object"),
                e.words("alias"),
            )
        )

    def _struct(self, e: _Entry) -> None:
        stype = e.words("stype")
        size, align = e.words("size")
        fields = tuple(_read_field(rest, where, self.numbers) for _, rest, where in e.lines)
        self.structs.append(
            ir.Struct(
                e.name,
                e.kind == "union",
                int(stype[0]) if stype else None,
                stype[1] if stype else "",
                e.words("extends"),
                fields,
                "returned-only" in e.facts,
                int(size),
                int(align),
                e.words("leading"),
                e.text("refused"),
                e.words("provided"),
                e.words("alias"),
                e.words("known"),
                e.where,
            )
        )

    _union = _struct

    def _command(self, e: _Entry) -> None:
        returns, size = e.words("returns")
        level, *dispatch = e.words("level")
        params = tuple(_read_field(rest, where, self.numbers) for _, rest, where in e.lines)
        self.commands[e.name] = ir.Command(
            e.name,
            int(e.head[0]),
            returns,
            int(size),
            params,
            ir.Level(level),
            dispatch[0] if dispatch else "",
            e.text("alias-of"),
            "early" in e.facts,
            "private" in e.facts,
            e.text("refused"),
            e.words("provided"),
            e.where,
        )

    def _version(self, e: _Entry) -> None:
        self.versions.append(
            ir.Version(
                e.name, int(e.head[0]), int(e.head[1]), e.words("commands"), e.words("types")
            )
        )

    def _extension(self, e: _Entry) -> None:
        self.extensions.append(
            ir.Extension(
                e.name,
                int(e.head[0]),
                e.head[1] == "instance",
                int(e.head[2]),
                e.text("depends"),
                e.text("promoted"),
                e.text("platform"),
                e.words("commands"),
                e.words("types"),
                e.text("refused"),
                e.where,
            )
        )

    def lock(self) -> ir.Lock:
        commands = tuple(
            replace(c, params=self.commands[c.alias_of].params) if c.alias_of else c
            for c in self.commands.values()
        )
        return ir.Lock(
            self.header,
            tuple(self.constants),
            tuple(self.enums),
            tuple(self.flags),
            tuple(self.texts),
            tuple(self.handles),
            tuple(self.structs),
            commands,
            tuple(self.versions),
            tuple(self.extensions),
        )


def read_lock(path: Path) -> ir.Lock:
    """Parses a lock; SpecError when it was changed by hand or is none."""
    text = path.read_text(encoding="utf-8")
    title, _, rest = text.partition("\n")
    head, _, body = rest.partition("\n")
    if title != _TITLE or head != f"hash {digest(body)}":
        raise SpecError(
            Where(path.name, 2),
            "hash",
            "does not fit the text; make it with `sluicegen lock --fix`",
        )
    reader = _Reader()
    for entry in _entries(path, body, 3):
        reader.take(entry)
    return reader.lock()
