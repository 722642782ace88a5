"""wire/vk_unpack.h: Vulkan readers into C structs on the arena; every count is held against the
bytes that are left."""

from __future__ import annotations

from ..cwriter import Output
from ..vk import ir
from .vk_args import handles, kind, layouts
from .vk_fields import Facts, Lines, Scope, Wire
from .vk_pack import STRUCT_FILES, families

# Words that are handles by type and come from the application unread (protocol facts, trap T12).
_UNTRUSTED = {"VkDeviceGroupDeviceCreateInfo": "pPhysicalDevices"}


class Reader(Lines):
    def __init__(self, facts: Facts, scope: Scope, fail: str = "return;") -> None:
        super().__init__("p = vk_unpack_take(u, @);", fail)
        self.facts = facts
        self.scope = scope
        self.untrusted = ""

    def field(self, field: ir.Field, required: bool = False) -> None:
        """required: a single handle must not be zero."""
        if field.wire is Wire.ABSENT:
            return
        if not field.presence and not field.only_if and self.fixed_field(field, required):
            return
        self.flush()
        if field.presence and self.facts.refused(field):
            self.say("vk_unpack_absent(u);")
            return
        conditions = []
        if self.facts.required(field):
            self.say("vk_unpack_required(u);")
        elif field.presence:
            conditions.append("vk_unpack_big64(u) != 0")
        if field.only_if is not None:
            conditions.append(self.scope.condition(field.only_if))
        with self.inside(conditions):
            self.content(field)

    def fixed_field(self, field: ir.Field, required: bool) -> bool:
        if field.is_pointer:
            return False
        at, place = self.scope.at(field), self.scope.place(field)
        size = self.facts.copied(field)
        if field.value:
            self.run.append((4, f"{at} = {field.value};"))
        elif size is not None:
            self.run.append((size, f"memcpy({place}, @, {size});"))
        elif field.wire is Wire.BIG and field.count == 1:
            self.run.append((8, f"vk_unpack_swap(&{at}, @);"))
        elif field.wire is Wire.HANDLE and field.count == 1:
            optional = "false" if required and not field.optional else "true"
            name = kind(self.facts.lock, field.type)
            self.run.append(
                (
                    8,
                    f"{at} = ({field.type})(uintptr_t)"
                    f"vk_unpack_handle(u, {name}, sl_load_u64(@), {optional});",
                )
            )
        else:
            return False
        return True

    def content(self, field: ir.Field) -> None:
        at = self.scope.at(field)
        if field.wire is Wire.PNEXT:
            self.say(f"{at} = vk_unpack_chain(u);")
        elif field.wire is Wire.STRING:
            self.say(f"{at} = vk_unpack_string(u);")
        elif field.wire is Wire.STRINGS:
            assert field.length is not None
            self.say(f"{at} = vk_unpack_strings(u, {self.scope.length(field.length)});")
        elif not field.is_pointer:
            self.static(field, at)
        else:
            count = "1" if field.length is None else self.scope.length(field.length)
            self.pointed(field, at, count)

    def static(self, field: ir.Field, at: str) -> None:
        """Elements inside the struct; handles among them are never looked up."""
        if field.wire is Wire.HANDLE:
            self.say(f"vk_unpack_into(u, {at}, {field.count}, 8);")
            return
        name = self.facts.lock.resolve(field.type)
        if field.count == 1:
            self.say(f"vk_unpack_{name}(u, &{at});")
        else:
            self.say(f"for (uint32_t i = 0; i < {field.count} && !u->failed; i++) {{")
            self.say(f"    vk_unpack_{name}(u, &{at}[i]);")
            self.say("}")

    def pointed(self, field: ir.Field, at: str, count: str) -> None:
        size = self.facts.element(field)
        if field.out and field.creates:
            self.say(f"{at} = vk_unpack_array(u, {count}, 8);")
        elif field.out and size is not None and field.length is not None:
            self.say(f"{at} = vk_unpack_blank(u, {count}, {size});")
        elif size is not None:
            self.say(f"{at} = vk_unpack_array(u, {count}, {size});")
        elif field.wire is Wire.HANDLE and field.name == self.untrusted:
            self.say(f"{at} = vk_unpack_array(u, {count}, 8);")
        elif field.wire is Wire.HANDLE:
            name = kind(self.facts.lock, field.type)
            self.say(f"{at} = vk_unpack_handles(u, {name}, {count}, true);")
        elif field.wire is Wire.BIG:
            self.say(f"{at} = vk_unpack_bigs(u, {count});")
        else:
            self.structs(field, at, count)

    def structs(self, field: ir.Field, at: str, count: str) -> None:
        name = self.facts.lock.resolve(field.type)
        self.say("{")
        self.indent += 1
        if count == "1":
            self.say(f"{name} *one = vk_unpack_alloc(u, 1, sizeof *one);")
            self.give_up("one == NULL")
            self.say(f"{at} = one;")
            self.say(f"vk_unpack_{name}(u, one);")
        else:
            least = max(self.facts.smallest(name), 1)
            self.say(f"uint64_t n = vk_unpack_count(u, {count}, {least});")
            self.say(f"{name} *array = vk_unpack_alloc(u, n, sizeof *array);")
            self.give_up("array == NULL")
            self.say(f"{at} = array;")
            self.say("for (uint64_t i = 0; i < n && !u->failed; i++) {")
            self.say(f"    vk_unpack_{name}(u, &array[i]);")
            self.say("}")
        self.indent -= 1
        self.say("}")


def struct_signature(struct: ir.Struct) -> str:
    return f"void vk_unpack_{struct.name}(struct vk_unpack *u, {struct.name} *v)"


def _struct(facts: Facts, struct: ir.Struct, is_output: bool) -> str:
    """is_output: it may be a blank that the host fills in; else its handles say something."""
    reader = Reader(facts, Scope(facts.lock, struct.fields, "v->"))
    reader.untrusted = _UNTRUSTED.get(struct.name, "")
    leading = "".join(f"    uint32_t {word} = vk_unpack_big32(u);\n" for word in struct.leading)
    for field in facts.members(struct):
        reader.field(field, required=not is_output)
    reader.flush()
    nests = any(f.wire in (Wire.PNEXT, Wire.STRUCT, Wire.UNION) for f in facts.members(struct))
    enter = "    if (!vk_unpack_enter(u)) {\n        return;\n    }\n" if nests else ""
    leave = "    u->depth--;\n" if nests else ""
    room = "    const uint8_t *p;\n" if reader.used_run else ""
    body = room + enter + leading + "".join(reader.lines) + leave
    return f"{struct_signature(struct)}\n{{\n{body}}}\n\n"


def _chain(lock: ir.Lock) -> str:
    text = (
        "void *vk_unpack_chain(struct vk_unpack *u)\n{\n"
        "    if (vk_unpack_big32(u) == 0) {\n        return NULL;\n    }\n"
        "    uint32_t stype = vk_unpack_u32(u);\n    switch (stype) {\n"
    )
    for struct in lock.chain_structs:
        text += (
            f"    case {struct.stype}u: {{\n"
            f"        {struct.name} *v = vk_unpack_alloc(u, 1, sizeof *v);\n"
            "        if (v != NULL) {\n"
            f"            vk_unpack_{struct.name}(u, v);\n        }}\n"
            "        return v;\n    }\n"
        )
    return text + (
        "    default:\n"
        '        vk_unpack_fail(u, "a chained struct is of a type that is not known");\n'
        "        return NULL;\n    }\n}\n"
    )


def command_signature(command: ir.Command) -> str:
    return f"bool vk_unpack_{command.name}(struct vk_unpack *u, struct vk_args_{command.name} *a)"


def _command(facts: Facts, command: ir.Command) -> str:
    reader = Reader(facts, Scope(facts.lock, command.params, "a->"), "return false;")
    params = command.params[1:] if command.staged else command.params
    direct = {p.name for p in handles(command)}
    first = True
    for param in params:
        if param.name in direct:
            name = kind(facts.lock, param.type)
            reader.flush()
            if first and not param.optional:
                reader.say(
                    f"a->{param.name} = ({param.type})(uintptr_t)"
                    f"vk_unpack_first(u, {name}, &a->{param.name}_id);"
                )
                reader.say("a->record = u->record;")
            else:
                reader.say(f"a->{param.name}_id = vk_unpack_u64(u);")
                optional = "true" if param.optional else "false"
                reader.say(
                    f"a->{param.name} = ({param.type})(uintptr_t)"
                    f"vk_unpack_handle(u, {name}, a->{param.name}_id, {optional});"
                )
            first = False
        elif param.dims:
            size = facts.element(param)
            assert size is not None
            reader.flush()
            reader.say(f"a->{param.name} = vk_unpack_array(u, {param.count}, {size});")
        elif param.out:
            reader.flush()
            reader.say("u->outputs = true;")
            reader.field(param)
            reader.flush()
            reader.say("u->outputs = false;")
        else:
            reader.field(param)
    reader.flush()
    room = "    const uint8_t *p;\n" if reader.used_run else ""
    unused = "" if params else "    (void)a;\n"
    return (
        f"{command_signature(command)}\n{{\n{room}    memset(a, 0, sizeof *a);\n{unused}"
        f"{''.join(reader.lines)}    return vk_unpack_done(u);\n}}\n\n"
    )


def emit(out: Output, lock: ir.Lock, facts: Facts) -> None:
    header = "".join(struct_signature(s) + ";\n" for s in facts.travelling)
    header += "\n/* One link with what hangs from it; NULL for none, and failed. */\n"
    header += "void *vk_unpack_chain(struct vk_unpack *u);\n\n"
    header += "/* All of a body behind opcode, length and turn; false: u->reason says why not. */\n"
    header += "".join(command_signature(c) + ";\n" for c in layouts(lock))
    includes = ('"transport/base/vk_codec.h"', '"wire/vk_args.h"', '"wire/vk_types.h"')
    out.header("wire/vk_unpack.h", "Vulkan readers.", includes, header)
    parts = ('"wire/vk_kinds.h"', '"wire/vk_unpack.h"')
    outputs = {s.name for s in facts.outputs()}
    for index in range(STRUCT_FILES):
        body = "".join(
            _struct(facts, s, s.name in outputs) for s in facts.travelling[index::STRUCT_FILES]
        )
        name = f"wire/vk_unpack_structs_{index}.c"
        out.source(name, "Readers of structs.", parts, body.rstrip("\n") + "\n")
    out.source("wire/vk_unpack_chain.c", "Reader of chains.", parts, _chain(lock))
    for name, commands in families(lock).items():
        body = "".join(_command(facts, c) for c in commands)
        out.source(
            f"wire/vk_unpack_{name}.c", "Readers of commands.", parts, body.rstrip("\n") + "\n"
        )
