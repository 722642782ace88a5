"""wire/vk_reply.h: what the host answers, and the guest's reader into the caller's memory."""

from __future__ import annotations

from typing import List

from ..cwriter import Output
from ..ir import Ref
from ..vk import ir
from .vk_args import layouts
from .vk_fields import Facts, Scope, Wire, mentions
from .vk_pack import STRUCT_FILES, Writer, families, out_chained
from .vk_types import declared
from .vk_unpack import Reader


def reply_signature(command: ir.Command) -> str:
    result = "" if command.returns == "void" else f", {command.returns} result"
    return (
        f"void vk_reply_{command.name}(struct vk_pack *pack, "
        f"const struct vk_args_{command.name} *a{result})"
    )


def _reply(facts: Facts, command: ir.Command) -> str:
    writer = Writer(facts, Scope(facts.lock, command.params, "a->"))
    for param in command.params:
        if param.out:
            writer.field(param, False)
    if command.result_size:
        writer.fixed(command.result_size, f"memcpy(@, &result, {command.result_size});")
    unused = "" if any(p.out for p in command.params) else "    (void)a;\n"
    return writer.text(reply_signature(command), unused)


class InPlace(Reader):
    """Reads into memory that is there: the application's. Handles stay ids, chains are walked."""

    def field(self, field: ir.Field, required: bool = False) -> None:
        if not field.presence or field.wire is Wire.ABSENT or self.facts.refused(field):
            super().field(field, required)
            return
        with self.inside([f"vk_unpack_matches(u, {self.scope.at(field)})"]):
            self.content(field)

    def fixed_field(self, field: ir.Field, required: bool) -> bool:
        if field.value and not field.is_pointer:
            self.run.append((4, ""))
            return True
        if field.wire is Wire.HANDLE and not field.is_pointer and field.count == 1:
            self.run.append((8, f"memcpy({self.scope.place(field)}, @, 8);"))
            return True
        return super().fixed_field(field, required)

    def content(self, field: ir.Field) -> None:
        at = self.scope.at(field)
        if field.wire is Wire.PNEXT:
            self.say(f"vk_read_chain(u, (void *)(uintptr_t){at});")
        elif not field.is_pointer:
            self.static(field, at)
        elif field.length is None:
            self.into(field, at, "1")
        else:
            self.into(
                field,
                at,
                f"vk_unpack_within(u, {self.scope.length(field.length)}, {self.room(field)})",
            )

    def room(self, field: ir.Field) -> str:
        """What the array held when the request was made."""
        assert field.length is not None
        if isinstance(field.length, Ref):
            counted = self.scope.by_name[field.length.param]
            if counted.is_pointer or not self.of_command:
                return f"room_{counted.name}"
        return self.scope.length(field.length)

    of_command = False

    def static(self, field: ir.Field, at: str) -> None:
        if field.wire is Wire.HANDLE:
            super().static(field, at)
            return
        name = self.facts.lock.resolve(field.type)
        if field.count == 1:
            self.say(f"vk_read_{name}(u, &{at});")
        else:
            self.say(f"for (uint32_t i = 0; i < {field.count} && !u->failed; i++) {{")
            self.say(f"    vk_read_{name}(u, &{at}[i]);")
            self.say("}")

    def into(self, field: ir.Field, at: str, count: str) -> None:
        size = self.facts.element(field)
        if field.wire is Wire.HANDLE:
            size = 8
        target = f"(void *)(uintptr_t){at}"
        if size is not None:
            self.say(f"vk_unpack_into(u, {target}, {count}, {size});")
        elif field.wire is Wire.BIG:
            self.say(f"vk_unpack_bigs_into(u, {target}, {count});")
        else:
            name = self.facts.lock.resolve(field.type)
            self.say(f"for (uint64_t i = 0, n = {count}; i < n && !u->failed; i++) {{")
            self.say(f"    vk_read_{name}(u, &(({name} *)(uintptr_t){at})[i]);")
            self.say("}")


def rooms(fields: List[ir.Field], scope: Scope, pointers_only: bool) -> str:
    """Capacities as locals, before the counts are overwritten."""
    names: List[str] = []
    for field in fields:
        if isinstance(field.length, Ref) and field.is_pointer:
            counted = scope.by_name[field.length.param]
            if (counted.is_pointer or not pointers_only) and counted.name not in names:
                names.append(counted.name)
    return "".join(f"    uint64_t room_{name} = {scope.number(name)};\n" for name in names)


def read_signature(struct: ir.Struct) -> str:
    return f"void vk_read_{struct.name}(struct vk_unpack *u, {struct.name} *v)"


def _read_struct(facts: Facts, struct: ir.Struct) -> str:
    scope = Scope(facts.lock, struct.fields, "v->")
    reader = InPlace(facts, scope)
    for field in facts.members(struct):
        reader.field(field)
    reader.flush()
    room = "    const uint8_t *p;\n" if reader.used_run else ""
    body = "".join(reader.lines)
    unused = "" if "v->" in body else "    (void)v;\n"
    return (
        f"{read_signature(struct)}\n{{\n{room}{rooms(facts.members(struct), scope, False)}{unused}"
        f"{body}}}\n\n"
    )


def _read_chain(structs: List[ir.Struct]) -> str:
    text = (
        "void vk_read_chain(struct vk_unpack *u, void *chain)\n{\n"
        "    VkBaseOutStructure *v = chain;\n"
        "    while (v != NULL && !vk_chain_travels((uint32_t)v->sType, u->peers)) {\n"
        "        v = v->pNext;\n    }\n"
        "    uint32_t stype = v != NULL ? (uint32_t)v->sType : 0;\n"
        "    if (!vk_unpack_link(u, v != NULL, stype) || v == NULL ||\n"
        "        !vk_unpack_enter(u)) {\n        return;\n    }\n"
        "    switch ((uint32_t)v->sType) {\n"
    )
    for struct in structs:
        text += (
            f"    case {struct.stype}u:\n"
            f"        vk_read_{struct.name}(u, ({struct.name} *)v);\n        break;\n"
        )
    return text + (
        "    default:\n"
        '        vk_unpack_fail(u, "a chained struct is no output");\n        break;\n    }\n'
        "    u->depth--;\n}\n"
    )


def command_signature(command: ir.Command) -> str:
    params = ["struct vk_unpack *u", *(declared(p) for p in command.params)]
    if command.returns != "void":
        params.append(f"{command.returns} *result")
    return f"bool vk_read_reply_{command.name}({', '.join(params)})"


def _read_reply(facts: Facts, command: ir.Command) -> str:
    scope = Scope(facts.lock, command.params, "")
    reader = InPlace(facts, scope, "return false;")
    reader.of_command = True
    outputs = [p for p in command.params if p.out]
    for param in outputs:
        reader.field(param)
    reader.flush()
    if command.result_size:
        reader.say(f"vk_unpack_into(u, result, 1, {command.result_size});")
    room = "    const uint8_t *p;\n" if reader.used_run else ""
    body = room + rooms(outputs, scope, True) + "".join(reader.lines)
    unused = "".join(f"    (void){p.name};\n" for p in command.params if not mentions(body, p.name))
    return f"{command_signature(command)}\n{{\n{unused}{body}    return vk_unpack_done(u);\n}}\n\n"


def emit(out: Output, lock: ir.Lock, facts: Facts) -> None:
    outputs = facts.outputs()
    answered = [c for c in layouts(lock) if c.has_reply and not c.staged]
    header = "/* Host: outputs and result; handles in them are written as they stand: ids. */\n"
    header += "".join(reply_signature(c) + ";\n" for c in answered)
    header += "\n/* Guest: into the caller's memory; ids where handles are created. */\n"
    header += "".join(command_signature(c) + ";\n" for c in answered)
    header += "\n" + "".join(read_signature(s) + ";\n" for s in outputs)
    header += "void vk_read_chain(struct vk_unpack *u, void *chain);\n"
    includes = ('"transport/base/vk_codec.h"', '"wire/vk_args.h"', '"wire/vk_types.h"')
    out.header("wire/vk_reply.h", "Replies of Vulkan.", includes, header)
    includes = ('"wire/vk_chain.h"', '"wire/vk_pack.h"', '"wire/vk_reply.h"')
    for index in range(STRUCT_FILES):
        body = "".join(_read_struct(facts, s) for s in outputs[index::STRUCT_FILES])
        name = f"wire/vk_read_structs_{index}.c"
        out.source(name, "Outputs into memory that is there.", includes, body.rstrip("\n") + "\n")
    body = _read_chain(out_chained(lock, outputs))
    out.source("wire/vk_read_chain.c", "Chains of outputs.", includes, body)
    for name, commands in families(lock).items():
        mine = [c for c in commands if c in answered]
        if not mine:
            continue
        body = "".join(_reply(facts, c) for c in mine)
        out.source(f"wire/vk_reply_{name}.c", "Replies.", includes, body.rstrip("\n") + "\n")
        body = "".join(_read_reply(facts, c) for c in mine)
        out.source(
            f"wire/vk_read_{name}.c", "Readers of replies.", includes, body.rstrip("\n") + "\n"
        )
