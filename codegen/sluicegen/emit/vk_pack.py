"""wire/vk_pack.h: Vulkan packers, straight-line; memory is asked for once a run of fields."""

from __future__ import annotations

from typing import Dict, List

from ..cwriter import Output
from ..vk import ir
from .vk_args import layouts
from .vk_fields import Facts, Lines, Scope, Wire, mentions
from .vk_types import declared

STRUCT_FILES = 4  # for compilers that work side by side

# Leading words that a packer computes, and how.
_LEADING = {
    "VkGraphicsPipelineCreateInfo": """\
    uint32_t hasRasterization =
        v->pRasterizationState != NULL && !v->pRasterizationState->rasterizerDiscardEnable;
    const VkPipelineDynamicStateCreateInfo *dynamic = v->pDynamicState;
    for (uint32_t i = 0; dynamic != NULL && i < dynamic->dynamicStateCount; i++) {
        hasRasterization |=
            dynamic->pDynamicStates[i] == VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE;
    }
    uint32_t hasTessellation = 0;
    for (uint32_t i = 0; i < v->stageCount; i++) {
        VkFlags stage = v->pStages[i].stage;
        hasTessellation |= (stage & VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT) != 0 ||
                           (stage & VK_SHADER_STAGE_TESSELLATION_EVALUATION_BIT) != 0;
    }
"""
}


class Writer(Lines):
    """The body of one packer. outputs: zeros for everything but counts and the shape of chains."""

    def __init__(self, facts: Facts, scope: Scope) -> None:
        super().__init__("p = vk_pack_room(pack, @);", "return;", "pack->cur = p + @;")
        self.facts = facts
        self.scope = scope

    def fixed(self, size: int, statement: str) -> None:
        self.run.append((size, statement))

    def fields(self, fields: List[ir.Field], outputs: bool) -> None:
        for field in fields:
            self.field(field, outputs)

    def field(self, field: ir.Field, outputs: bool) -> None:
        if field.wire is Wire.ABSENT:
            return
        at = self.scope.at(field)
        if field.presence and self.facts.refused(field):
            self.fixed(8, "memset(@, 0, 8);")
            return
        if not field.presence and not field.only_if and self.fixed_field(field, outputs):
            return
        conditions = []
        if field.presence:
            conditions.append(f"vk_pack_present(pack, {at})")
        if field.only_if is not None:
            conditions.append(self.scope.condition(field.only_if))
        with self.inside(conditions):
            self.content(field, outputs)

    def fixed_field(self, field: ir.Field, outputs: bool) -> bool:
        """Into the run, where the field has one size."""
        if field.is_pointer:
            return False
        at, place = self.scope.at(field), self.scope.place(field)
        size = self.facts.copied(field)
        if field.value:
            self.fixed(4, f"sl_store_u32(@, {field.value});")
        elif outputs and field.wire in (Wire.RAW, Wire.BIG, Wire.HANDLE):
            self.out_number(field)
        elif outputs and size is not None:
            self.fixed(size, f"memset(@, 0, {size});")
        elif size is not None:
            self.fixed(size, f"memcpy(@, {place}, {size});")
        elif field.wire is Wire.BIG and field.count == 1:
            self.fixed(8, f"sl_store_u64(@, __builtin_bswap64((uint64_t){at}));")
        elif field.wire is Wire.HANDLE and field.count == 1:
            self.fixed(8, f"sl_store_u64(@, vk_pack_id(pack, (uint64_t)(uintptr_t){at}));")
        else:
            return False
        return True

    def out_number(self, field: ir.Field) -> None:
        """A count as it is while an array asks for it, anything else zero."""
        size = (field.size or 8) * field.count
        arrays = [f for f in self.scope.lengths_by(field.name) if f.is_pointer]
        if not arrays or field.count > 1:
            self.fixed(size, f"memset(@, 0, {size});")
            return
        asked = " || ".join(f"{self.scope.at(f)} != NULL" for f in arrays)
        number = f"{asked} ? (uint64_t){self.scope.at(field)} : 0"
        if field.wire is Wire.BIG:
            self.fixed(8, f"sl_store_u64(@, __builtin_bswap64({number}));")
        else:
            self.fixed(size, f"sl_store_u{8 * size}(@, (uint{8 * size}_t)({number}));")

    def content(self, field: ir.Field, outputs: bool) -> None:
        at = self.scope.at(field)
        if field.wire is Wire.PNEXT:
            self.say(f"vk_pack_{'out_' if outputs else ''}chain(pack, {at});")
        elif field.wire is Wire.STRING:
            self.say(f"vk_pack_string(pack, {at});")
        elif field.wire is Wire.STRINGS:
            assert field.length is not None
            self.say(f"vk_pack_strings(pack, {at}, (uint32_t){self.scope.length(field.length)});")
        elif not field.is_pointer:
            self.elements(field, at, str(field.count), outputs)
        elif field.length is not None:
            self.elements(field, at, self.scope.length(field.length), outputs)
        else:
            self.one(field, at, outputs)

    def one(self, field: ir.Field, at: str, outputs: bool) -> None:
        """What a pointer without a length points to."""
        arrays = [f for f in self.scope.lengths_by(field.name) if f.is_pointer]
        if outputs and arrays and field.wire in (Wire.RAW, Wire.BIG):
            asked = " || ".join(f"{self.scope.at(f)} != NULL" for f in arrays)
            number = f"{asked} ? (uint64_t)*{at} : 0"
            if field.wire is Wire.BIG:
                self.say(f"vk_pack_big64(pack, {number});")
            else:
                self.say(f"vk_pack_u{8 * field.size}(pack, (uint{8 * field.size}_t)({number}));")
        else:
            self.elements(field, at, "1", outputs)

    def elements(self, field: ir.Field, at: str, count: str, outputs: bool) -> None:
        size = self.facts.element(field)
        if outputs and field.creates:
            self.say(f"vk_pack_created(pack, {at}, {count});")
        elif outputs and field.wire in (Wire.HANDLE, Wire.BIG):
            self.say(f"vk_pack_blank(pack, {count}, 8);")
        elif outputs and size is not None and self.facts.lock.by_struct.get(field.type) is None:
            self.say(f"vk_pack_blank(pack, {count}, {size});")
        elif not outputs and size is not None:
            self.say(f"vk_pack_array(pack, {at}, {count}, {size});")
        elif field.wire is Wire.HANDLE:
            self.say(f"vk_pack_handles(pack, {at}, {count});")
        elif field.wire is Wire.BIG:
            self.loop(count, f"vk_pack_big64(pack, (uint64_t){at}[i]);")
        else:
            name = self.facts.lock.resolve(field.type)
            prefix = "out_" if outputs else ""
            if not field.is_pointer and field.count == 1:
                self.say(f"vk_pack_{prefix}{name}(pack, &{at});")
            elif count == "1":
                self.say(f"vk_pack_{prefix}{name}(pack, {at});")
            else:
                self.loop(count, f"vk_pack_{prefix}{name}(pack, &{at}[i]);")

    def loop(self, count: str, statement: str) -> None:
        self.say(f"for (uint64_t i = 0, n = {count}; i < n && !pack->failed; i++) {{")
        self.say(f"    {statement}")
        self.say("}")

    def text(self, signature: str, before: str = "") -> str:
        self.flush()
        room = "    uint8_t *p;\n" if self.used_run else ""
        return f"{signature}\n{{\n{room}{before}{''.join(self.lines)}}}\n\n"


def _struct(facts: Facts, struct: ir.Struct, outputs: bool) -> str:
    writer = Writer(facts, Scope(facts.lock, struct.fields, "v->"))
    before = ""
    if struct.leading:
        before = _LEADING[struct.name]
        for word in struct.leading:
            writer.fixed(4, f"sl_store_u32(@, __builtin_bswap32({word}));")
    writer.fields(facts.members(struct), outputs)
    writer.flush()
    if not mentions("".join(writer.lines), "v"):
        before += "    (void)v;\n"
    return writer.text(struct_signature(struct, outputs), before)


def struct_signature(struct: ir.Struct, outputs: bool) -> str:
    prefix = "out_" if outputs else ""
    return f"void vk_pack_{prefix}{struct.name}(struct vk_pack *pack, const {struct.name} *v)"


def _chain(facts: Facts, structs: List[ir.Struct], outputs: bool) -> str:
    prefix = "out_" if outputs else ""
    name = "out_chain" if outputs else "links"
    text = (
        f"void vk_pack_{name}(struct vk_pack *pack, const void *chain)\n{{\n"
        "    if (++pack->depth > VK_DEPTH_MAX) {\n"
        "        pack->failed = true;\n        return;\n    }\n"
        "    for (const VkBaseInStructure *v = chain; v != NULL; v = v->pNext) {\n"
        "        if (!vk_chain_travels((uint32_t)v->sType, pack->peers)) {\n"
        "            continue;\n        }\n"
        "        switch ((uint32_t)v->sType) {\n"
    )
    for struct in structs:
        text += (
            f"        case {struct.stype}u:\n"
            f"            vk_pack_link(pack, {struct.size_word}, {struct.stype}u);\n"
            f"            vk_pack_{prefix}{struct.name}(pack, (const {struct.name} *)v);\n"
            "            pack->depth--;\n            return;\n"
        )
    text += (
        "        default:\n            break;\n        }\n    }\n    pack->depth--;\n"
        "    vk_pack_u32(pack, 0);\n}\n\n"
    )
    return text


def command_signature(command: ir.Command) -> str:
    params = [declared(p) for p in (command.params[1:] if command.staged else command.params)]
    turn = [] if command.staged else ["uint32_t turn"]
    return f"void vk_pack_{command.name}({', '.join(['struct vk_pack *pack', *turn, *params])})"


def _command_body(facts: Facts, command: ir.Command, length: str) -> Writer:
    writer = Writer(facts, Scope(facts.lock, command.params, ""))
    writer.fixed(4, f"sl_store_u32(@, VK_OP_{command.name});")
    writer.fixed(4, f"sl_store_u32(@, {length});")
    if not command.staged:
        writer.fixed(4, "sl_store_u32(@, turn);")
    for param in command.params[1:] if command.staged else command.params:
        writer.field(param, param.out)
    return writer


def _command(facts: Facts, command: ir.Command) -> str:
    writer = _command_body(facts, command, "0")
    before = ""
    if writer.lines:
        before = "    size_t start = vk_pack_size(pack);\n"
        writer.flush()
        writer.say("vk_pack_end(pack, start);")
    else:  # one run: its length is known
        writer = _command_body(facts, command, str(sum(size for size, _ in writer.run)))
        writer.flush()
    body = "".join(writer.lines)
    params = command.params[1:] if command.staged else command.params
    before = (
        "".join(f"    (void){p.name};\n" for p in params if not mentions(body, p.name)) + before
    )
    return writer.text(command_signature(command), before)


def family(command: ir.Command) -> str:
    names = {
        "VkCommandBuffer": "command_buffer",
        "VkDevice": "device",
        "VkPhysicalDevice": "physical_device",
        "VkQueue": "queue",
    }
    return names.get(command.dispatch, "instance")


def families(lock: ir.Lock) -> Dict[str, List[ir.Command]]:
    found: Dict[str, List[ir.Command]] = {}
    for command in layouts(lock):
        found.setdefault(family(command), []).append(command)
    return found


_CHAIN = """static inline void vk_pack_chain(struct vk_pack *pack, const void *chain)
{
    if (chain == NULL) { /* nearly always */
        vk_pack_u32(pack, 0);
    } else {
        vk_pack_links(pack, chain);
    }
}

"""


def out_chained(lock: ir.Lock, outputs: List[ir.Struct]) -> List[ir.Struct]:
    names = {s.name for s in outputs}
    return [s for s in lock.chain_structs if s.name in names]


def emit(out: Output, lock: ir.Lock, facts: Facts) -> None:
    outputs = facts.outputs()
    header = "".join(struct_signature(s, False) + ";\n" for s in facts.travelling)
    header += "\n/* Of an output: its counts and chain, zeros for the rest. */\n"
    header += "".join(struct_signature(s, True) + ";\n" for s in outputs)
    header += "\nvoid vk_pack_links(struct vk_pack *pack, const void *chain);\n"
    header += "void vk_pack_out_chain(struct vk_pack *pack, const void *chain);\n"
    header += _CHAIN
    header += "".join(command_signature(c) + ";\n" for c in layouts(lock))
    includes = ('"transport/base/vk_codec.h"', '"wire/vk_types.h"')
    out.header(
        "wire/vk_pack.h", "Vulkan packers; each appends to the pack's memory.", includes, header
    )
    parts = ('"wire/vk_chain.h"', '"wire/vk_opcodes.h"', '"wire/vk_pack.h"')
    for index in range(STRUCT_FILES):
        body = "".join(_struct(facts, s, False) for s in facts.travelling[index::STRUCT_FILES])
        body += "".join(_struct(facts, s, True) for s in outputs[index::STRUCT_FILES])
        out.source(
            f"wire/vk_pack_structs_{index}.c",
            "Packers of structs.",
            parts,
            body.rstrip("\n") + "\n",
        )
    body = _chain(facts, list(lock.chain_structs), False)
    body += _chain(facts, out_chained(lock, outputs), True)
    out.source("wire/vk_pack_chain.c", "Packers of chains.", parts, body.rstrip("\n") + "\n")
    for name, commands in families(lock).items():
        body = "".join(_command(facts, c) for c in commands)
        out.source(
            f"wire/vk_pack_{name}.c", "Packers of commands.", parts, body.rstrip("\n") + "\n"
        )
    _emit_chain_facts(out, lock)


def _emit_chain_facts(out: Output, lock: ir.Lock) -> None:
    """vk_chain_travels: what a peer can read."""
    bits = {"mesa-25.0.7": 1, "mesa-26.2.6": 2, "host-june-2025": 4}
    cases: Dict[int, str] = {}
    for struct in lock.chain_structs:
        known = sum(bits[peer] for peer in struct.known)
        cases[known] = cases.get(known, "") + f"    case {struct.stype}u:\n"
    body = "bool vk_chain_travels(uint32_t stype, uint32_t peers)\n{\n    switch (stype) {\n"
    for known, labels in sorted(cases.items()):
        body += f"{labels}        return (peers & ~{known}u) == 0;\n"
    body += "    default:\n        return false;\n    }\n}\n"
    out.header(
        "wire/vk_chain.h",
        "Which structs travel in a chain.",
        ("<stdbool.h>", "<stdint.h>"),
        "/* peers: VK_KNOWN_ bits of who must be able to read it; 0: our own kind. */\n"
        "bool vk_chain_travels(uint32_t stype, uint32_t peers);\n",
    )
    out.source("wire/vk_chain.c", "Which structs travel in a chain.", ('"wire/vk_chain.h"',), body)
