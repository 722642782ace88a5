"""check/vk_adapters.[ch]: each Vulkan command's generated code behind one signature, for tests and
fuzzers."""

from __future__ import annotations

from ..cwriter import Output
from ..vk import ir
from .vk_args import layouts

_HEADER = """\
struct vk_adapter {
    uint32_t opcode;
    const char *name;
    size_t args_size; /* of struct vk_args_... */
    bool staged;
    bool (*unpack)(struct vk_unpack *u, void *args);
    void (*pack)(struct vk_pack *pack, uint32_t turn, const void *args);
    /* NULL: no reply. */
    void (*reply)(struct vk_pack *pack, const void *args, uint64_t result);
    bool (*read)(struct vk_unpack *u, const void *args, uint64_t *result);
};

#define VK_ADAPTERS %du
extern const struct vk_adapter vk_adapters[VK_ADAPTERS]; /* sorted by opcode */
"""


def _functions(command: ir.Command) -> str:
    name = command.name
    args = f"struct vk_args_{name}"
    params = command.params[1:] if command.staged else command.params
    given = "".join(f", a->{p.name}" for p in params)
    turn = "" if command.staged else ", turn"
    unused = "    (void)turn;\n" if command.staged else ""
    unused += "" if params else "    (void)a;\n"
    text = (
        f"static bool unpack_{name}(struct vk_unpack *u, void *args)\n{{\n"
        f"    return vk_unpack_{name}(u, ({args} *)args);\n}}\n\n"
        f"static void pack_{name}(struct vk_pack *pack, uint32_t turn, const void *args)\n{{\n"
        f"    const {args} *a = args;\n{unused}"
        f"    vk_pack_{name}(pack{turn}{given});\n}}\n\n"
    )
    if not command.has_reply or command.staged:
        return text
    void = command.returns == "void"
    result = "" if void else f", ({command.returns})result"
    given = "".join(f", a->{p.name}" for p in command.params)
    text += (
        f"static void reply_{name}(struct vk_pack *pack, const void *args, uint64_t result)\n{{\n"
        + ("    (void)result;\n" if void else "")
        + f"    vk_reply_{name}(pack, args{result});\n}}\n\n"
        f"static bool read_{name}(struct vk_unpack *u, const void *args, uint64_t *result)\n{{\n"
        f"    const {args} *a = args;\n"
    )
    text += "" if command.params else "    (void)a;\n"
    if void:
        text += f"    *result = 0;\n    return vk_read_reply_{name}(u{given});\n}}\n\n"
    else:
        text += (
            f"    {command.returns} value = 0;\n"
            f"    bool read = vk_read_reply_{name}(u{given}, &value);\n"
            "    *result = (uint64_t)value;\n    return read;\n}\n\n"
        )
    return text


def _row(command: ir.Command) -> str:
    name = command.name
    answers = command.has_reply and not command.staged
    reply = f"reply_{name}, read_{name}" if answers else "NULL, NULL"
    staged = "true" if command.staged else "false"
    return (
        f'    {{{command.opcode}u, "{name}", sizeof(struct vk_args_{name}), {staged}, '
        f"unpack_{name}, pack_{name}, {reply}}},\n"
    )


def emit(out: Output, lock: ir.Lock) -> None:
    commands = sorted(layouts(lock), key=lambda c: c.opcode)
    out.header(
        "check/vk_adapters.h",
        "Vulkan's generated code as data.",
        ('"transport/base/vk_codec.h"',),
        _HEADER % len(commands),
    )
    out.source(
        "check/vk_adapters.c",
        "Vulkan's generated code as data.",
        (
            '"check/vk_adapters.h"',
            "",
            '"wire/vk_pack.h"',
            '"wire/vk_reply.h"',
            '"wire/vk_unpack.h"',
        ),
        "".join(_functions(c) for c in commands)
        + "const struct vk_adapter vk_adapters[VK_ADAPTERS] = {\n"
        + "".join(_row(c) for c in commands)
        + "};\n",
    )
