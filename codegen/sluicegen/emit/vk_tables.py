"""tables/vk_plan.[ch]: the Vulkan wire as data, for the interpreter in tools/plan."""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

from ..cwriter import Output
from ..ir import Const, Ref
from ..vk import ir
from .vk_fields import Facts, Scope, Wire, names_in

_WIRES = {
    Wire.RAW: "RAW",
    Wire.BIG: "BIG",
    Wire.HANDLE: "HANDLE",
    Wire.STRUCT: "STRUCT",
    Wire.UNION: "STRUCT",
    Wire.STRING: "STRING",
    Wire.STRINGS: "STRINGS",
    Wire.PNEXT: "PNEXT",
    Wire.BYTES: "BYTES",
}
_TESTS = {ir.Test.NONZERO: "NONZERO", ir.Test.AMONG: "AMONG", ir.Test.LACKS: "LACKS"}
_SIGNED = ("int", "int8_t", "int16_t", "int32_t", "int64_t")


class Tables:
    def __init__(self, lock: ir.Lock, facts: Facts) -> None:
        self.lock = lock
        self.facts = facts
        self.rules: Dict[str, str] = {}
        self.conditions: Dict[str, str] = {}
        self.enums: Dict[str, ir.Enum] = {}
        self.outputs = {s.name for s in facts.outputs()}
        # Members that a length of a command's parameter asks for.
        self.asked = {
            (lock.resolve(command.param(p.length.pointer).type), p.length.member)
            for command in lock.commands
            for p in command.params
            if isinstance(p.length, ir.Arrow)
        }

    def rule(self, length: ir.Length, index: Dict[str, int]) -> List[str]:
        if isinstance(length, Const):
            return [f"{{VK_PLAN_CONST, {length.value}}}"]
        if isinstance(length, Ref):
            return [f"{{VK_PLAN_FIELD, {index[length.param]}}}"]
        if isinstance(length, ir.Arrow):
            return ["{VK_PLAN_ARROW, 0}"]
        name = {"+": "ADD", "*": "MUL", "/": "DIV"}[length.op]
        left, right = self.rule(length.left, index), self.rule(length.right, index)
        return [*left, *right, f"{{VK_PLAN_{name}, 0}}"]

    def named_rule(self, field: ir.Field, index: Dict[str, int]) -> str:
        if field.length is None or field.wire is Wire.STRING:
            return "0, NULL"
        parts = self.rule(field.length, index)
        name = self.rules.setdefault(", ".join(parts), f"rule_{len(self.rules)}")
        return f"{len(parts)}, {name}"

    def condition(self, struct: Sequence[str], field: ir.Field, index: Dict[str, int]) -> str:
        found = field.only_if
        if found is None:
            return "NULL"
        nonzero = found.test is ir.Test.NONZERO
        at = struct.index(found.member) if nonzero else index[found.member]
        values = ", ".join(str(self.lock.number(v)) for v in found.values) or "0"
        count = len(found.values)
        text = f"{{VK_PLAN_{_TESTS[found.test]}, {at}, {count}, (const uint32_t[]){{{values}}}}}"
        return "&" + self.conditions.setdefault(text, f"condition_{len(self.conditions)}")

    def show(self, field: ir.Field) -> Tuple[str, str]:
        """How it is shown, and the names of its values."""
        flags = self.lock.by_flags.get(self.lock.resolve(field.type))
        enum = self.lock.by_enum.get(flags.enum if flags else self.lock.resolve(field.type))
        if field.wire is not Wire.RAW:
            return "VK_PLAN_NUMBER", "NULL"
        if enum is not None:
            self.enums[enum.name] = enum
            kind = "FLAGS" if flags or enum.bitmask else "ENUM"
            return f"VK_PLAN_{kind}", f"&names_{enum.name}"
        if flags is not None:
            return "VK_PLAN_FLAGS", "NULL"
        if field.type == "char":
            return "VK_PLAN_TEXT", "NULL"
        if field.type in ("float", "double"):
            return "VK_PLAN_FLOAT", "NULL"
        return ("VK_PLAN_SIGNED" if field.type in _SIGNED else "VK_PLAN_NUMBER"), "NULL"

    def row(self, owner: str, scope: Scope, field: ir.Field, leading: Sequence[str]) -> str:
        index = {f.name: i for i, f in enumerate(scope.fields)}
        refused = self.facts.refused(field)
        arrows = [
            f.length
            for f in scope.fields
            if isinstance(f.length, ir.Arrow) and f.length.pointer == field.name
        ]
        counts = [f for f in scope.fields if f.length and field.name in names_in(f.length)]
        flags = [
            name
            for name, on in (
                ("POINTER", field.is_pointer),
                ("PRESENCE", field.presence),
                ("OUT", field.out),
                ("CREATES", field.creates),
                ("REFUSED", refused),
                ("REQUIRED", self.facts.required(field)),
                ("FIXED", bool(field.value) and not field.is_pointer),
                ("COUNTS", any(f.is_pointer for f in counts) or (owner, field.name) in self.asked),
                ("ARROWS", bool(arrows)),
            )
            if on
        ]
        value = str(self.lock.number(field.value)) if field.value else "0"
        if field.wire is Wire.HANDLE:
            names = [h.name for h in self.lock.handles]
            value = str(1 + names.index(self.lock.resolve(field.type)))
        inner = "NULL"
        if field.wire in (Wire.STRUCT, Wire.UNION) and not refused:
            struct = self.lock.struct(field.type)
            inner = f"&struct_{struct.name}"
            if arrows:
                names = [f.name for f in self.facts.members(struct)]
                value = str(names.index(arrows[0].member))
        show, names_of = self.show(field)
        size = max(field.size, 1) if field.wire is Wire.BYTES else field.size
        return (
            f'    {{"{field.name}", VK_PLAN_{_WIRES[field.wire]}, {show}, '
            f'{" | ".join("VK_PLAN_" + f for f in flags) or "0"}, '
            f"{size}, {field.count}, {value}, {self.named_rule(field, index)}, "
            f"{self.condition(leading, field, index)}, {inner}, {names_of}}},\n"
        )

    def rows(
        self, name: str, fields: Sequence[ir.Field], leading: Sequence[str], owner: str = ""
    ) -> str:
        travelling = [f for f in fields if f.wire is not Wire.ABSENT]
        scope = Scope(self.lock, travelling, "")
        body = "".join(self.row(owner, scope, f, leading) for f in travelling)
        return f"static const struct vk_plan_field {name}[] = {{\n{body}}};\n" if body else ""

    def struct(self, struct: ir.Struct) -> str:
        members = [f for f in self.facts.members(struct) if f.wire is not Wire.ABSENT]
        text = self.rows(f"fields_{struct.name}", members, struct.leading, struct.name)
        stype = struct.stype if struct.stype is not None else 0
        answers = "true" if struct.name in self.outputs else "false"
        return text + (
            f"static const struct vk_plan_struct struct_{struct.name} = {{\n"
            f'    "{struct.name}", fields_{struct.name}, {len(members)}, {len(struct.leading)}, '
            f"{answers}, {struct.size_word}, {stype}u}};\n"
        )


def _enum(enum: ir.Enum) -> str:
    found: Dict[int, str] = {}
    for value in enum.values:
        if not value.alias_of:
            found.setdefault(value.value, value.name)
    rows = ", ".join(
        f'{{{number - (1 << 64) if number >= 1 << 63 else number}LL, "{name}"}}'
        for number, name in sorted(
            found.items(), key=lambda i: i[0] - (1 << 64 if i[0] >> 63 == 1 else 0)
        )
    )
    return (
        f"static const struct vk_plan_name values_{enum.name}[] = {{{rows or '{0, NULL}'}}};\n"
        f"static const struct vk_plan_names names_{enum.name} = "
        f"{{values_{enum.name}, {len(found)}}};\n"
    )


def emit(out: Output, lock: ir.Lock, facts: Facts) -> None:
    tables = Tables(lock, facts)
    legible = sorted((c for c in lock.commands if c.legible), key=lambda c: c.opcode)
    legible = [c for c in legible if _readable(facts, lock.layout_of(c))]
    reached = facts.reach(legible)
    forward = "".join(f"static const struct vk_plan_struct struct_{s.name};\n" for s in reached)
    structs = "".join(tables.struct(s) for s in reached)
    layouts = {lock.layout_of(c).name: lock.layout_of(c) for c in legible}
    params = "".join(tables.rows(f"params_{c.name}", c.params, ()) for c in layouts.values())
    rows = ""
    for command in legible:
        layout = lock.layout_of(command)
        result = lock.by_enum.get(layout.returns)
        if result is not None:
            tables.enums[result.name] = result
        fields = f"params_{layout.name}" if layout.params else "NULL"
        words = [
            "true" if w else "false" for w in (command.staged, layout.has_reply, command.refused)
        ]
        rows += (
            f'    {{"{command.name}", {fields}, {len(layout.params)}, {", ".join(words)}, '
            f"{layout.result_size}, {command.opcode}u, "
            f"{f'&names_{result.name}' if result else 'NULL'}}},\n"
        )
    chained = sorted(lock.chain_structs, key=lambda s: s.stype or 0)
    chain = "".join(f"    &struct_{s.name},\n" for s in chained)
    rules = "".join(
        f"static const struct vk_plan_rule {name}[] = {{{text}}};\n"
        for text, name in tables.rules.items()
    )
    conditions = "".join(
        f"static const struct vk_plan_condition {name} = {text};\n"
        for text, name in tables.conditions.items()
    )
    enums = "".join(_enum(e) for _, e in sorted(tables.enums.items()))
    out.header(
        "tables/vk_plan.h",
        "The Vulkan wire as data.",
        ('"tools/plan/vk_plan.h"',),
        "extern const struct vk_plan vk_plan;\n",
    )
    out.source(
        "tables/vk_plan.c",
        "The Vulkan wire as data.",
        ('"tables/vk_plan.h"', "", "<stddef.h>"),
        f"{enums}\n{rules}{conditions}\n{forward}\n{structs}\n{params}\n"
        f"static const struct vk_plan_command commands[] = {{\n{rows}}};\n\n"
        f"static const struct vk_plan_struct *const chained[] = {{\n{chain}}};\n\n"
        f"const struct vk_plan vk_plan = {{commands, {len(legible)}, chained, {len(chained)}}};\n",
    )


def _readable(facts: Facts, command: ir.Command) -> bool:
    """Nothing in it is of a struct that never travels, but where it must be absent."""
    return all(not facts.refused(p) or p.presence for p in command.params)
