"""guest/vk_entry.[ch], guest/vk_hand.h: what applications call, and the table by name.

Direct is what needs no thought: the call, and around it the objects that handles point to.
policy/vulkan_guest.csv names the others, which are written by hand.
"""

from __future__ import annotations

from typing import Dict, List, Tuple

from ..cwriter import Output
from ..errors import SpecError
from ..ir import Ref
from ..vk import ir
from ..vk.guest import Guest
from .vk_call import FAMILIES, arguments, called, family
from .vk_types import prototype

# What a write to a descriptor set names: such a write goes out before its object ends.
_WRITTEN = (
    "VkAccelerationStructureKHR",
    "VkAccelerationStructureNV",
    "VkBuffer",
    "VkBufferView",
    "VkImage",
    "VkImageView",
    "VkSampler",
)

_LEVELS = {"": "GLOBAL", "VkInstance": "INSTANCE", "VkPhysicalDevice": "PHYSICAL"}


def _signature(command: ir.Command) -> str:
    return f"{command.returns} gvk_entry_{command.name}({prototype(command)})"


def _call(command: ir.Command) -> str:
    return f"gvk_call_{command.name}(gvk_host_of({command.params[0].name}){arguments(command)})"


def _recorded(command: ir.Command) -> str:
    rest = "".join(f", {p.name}" for p in command.params[1:])
    text = f"    vk_pack_{command.name}(gvk_record({command.params[0].name}){rest});\n"
    return text + ("    return VK_SUCCESS;\n" if command.returns == "VkResult" else "")


def _choice(command: ir.Command, guest: Guest) -> str:
    """May the guest choose now? As a condition in front of others."""
    if not guest.chosen[command.name]:
        return ""
    return f"gvk_chooses_{command.name}({arguments(command)[2:]}) && "


def _told(command: ir.Command, param: ir.Field, guest: Guest) -> str:
    if command.name not in guest.chosen:
        return ""
    tell = _call(command).replace("gvk_call_", "gvk_tell_", 1)
    return (
        f"    if ({_choice(command, guest)}gvk_id_choose(gvk_host_of(device), made)) {{\n"
        f"        VkResult told = {tell};\n"
        "        if (told != VK_SUCCESS) {\n"
        "            gvk_object_free(gvk_device_of(device), pAllocator, made);\n"
        f"            *{param.name} = VK_NULL_HANDLE;\n        }}\n"
        "        return told;\n    }\n"
    )


def _told_many(command: ir.Command, param: ir.Field, guest: Guest) -> str:
    if command.name not in guest.chosen:
        return ""
    assert isinstance(param.length, Ref)
    tell = _call(command).replace("gvk_call_", "gvk_tell_", 1)
    args = f"gvk_device_of(device), pAllocator, {param.name}"
    return (
        f"    if ({_choice(command, guest)}gvk_made_choose(&made, gvk_host_of(device))) {{\n"
        f"        VkResult told = {tell};\n"
        f"        gvk_made_told(&made, told, {args});\n        return told;\n    }}\n"
    )


def _created(command: ir.Command, param: ir.Field, guest: Guest, lock: ir.Lock) -> str:
    struct = guest.struct(lock.resolve(param.type))
    where = param.name
    return (
        f"    struct gvk_object *made = gvk_object_new(gvk_device_of(device), pAllocator, "
        f"sizeof({struct}));\n"
        "    if (made == NULL) {\n        return VK_ERROR_OUT_OF_HOST_MEMORY;\n    }\n"
        f"    *{where} = GVK_TO({param.type}, made);\n"
        f"{_told(command, param, guest)}"
        f"    VkResult result = {_call(command)};\n"
        f"    made->vk.id = (uint64_t)(uintptr_t)*{where};\n"
        "    if (result < 0 || made->vk.id == 0) {\n"
        "        gvk_object_free(gvk_device_of(device), pAllocator, made);\n"
        f"        *{where} = VK_NULL_HANDLE;\n        return result;\n    }}\n"
        f"    *{where} = GVK_TO({param.type}, made);\n    return result;\n"
    )


def _created_many(command: ir.Command, param: ir.Field, guest: Guest, lock: ir.Lock) -> str:
    struct = guest.struct(lock.resolve(param.type))
    if not isinstance(param.length, Ref):
        raise SpecError(command.where, command.name, "created by a count that is no parameter")
    args = f"gvk_device_of(device), pAllocator, {param.name}"
    return (
        "    struct gvk_made made;\n"
        f"    if (!gvk_made_begin(&made, {param.length.param}, sizeof({struct}), {args})) {{\n"
        "        return VK_ERROR_OUT_OF_HOST_MEMORY;\n    }\n"
        f"{_told_many(command, param, guest)}"
        f"    VkResult result = {_call(command)};\n"
        f"    gvk_made_end(&made, {args});\n    return result;\n"
    )


# Hosts keep their ids until the commands that are on their way have arrived: not used again.
_KEPT = ("VkPipelineLayout",)


def _destroyed(command: ir.Command, param: ir.Field) -> str:
    callbacks = "pAllocator" if any(p.name == "pAllocator" for p in command.params) else "NULL"
    settle = "gvk_settle(gvk_device_of(device));\n        " if param.type in _WRITTEN else ""
    kept = f"        GVK_OBJECT({param.name})->vk.id = 0;\n" if param.type in _KEPT else ""
    return (
        f"    if ({param.name} != VK_NULL_HANDLE) {{\n        {settle}{_call(command)};\n{kept}"
        f"        gvk_object_free(gvk_device_of(device), {callbacks}, {param.name});\n    }}\n"
    )


def _body(command: ir.Command, guest: Guest, lock: ir.Lock) -> str:
    if command.staged:
        return _recorded(command)
    creates = [p for p in command.params if p.creates]
    destroys = [p for p in command.params if p.destroys]
    if creates or destroys:
        param = (creates or destroys)[0]
        if command.dispatch != "VkDevice" or len(creates) + len(destroys) > 1:
            raise SpecError(command.where, command.name, "makes objects: write it by hand")
        if destroys:
            if param.pointers:
                raise SpecError(command.where, command.name, "frees objects: write it by hand")
            return _destroyed(command, param)
        if param.length is not None:
            return _created_many(command, param, guest, lock)
        return _created(command, param, guest, lock)
    if not command.dispatch:
        raise SpecError(command.where, command.name, "has no object: write it by hand")
    return f"    {'return ' if command.returns != 'void' else ''}{_call(command)};\n"


def _function(command: ir.Command, guest: Guest) -> str:
    return f"gvk_{command.name}" if command.name in guest.hand else f"gvk_entry_{command.name}"


def _whole(lock: ir.Lock, guest: Guest) -> str:
    """Extensions all of whose commands applications find."""

    def there(name: str) -> bool:
        target = lock.layout_of(lock.command(name))
        travels = target.on_wire and target.name not in guest.absent
        return travels or target.name in guest.hand

    words: List[int] = []
    for index, one in enumerate(sorted(lock.extensions, key=lambda e: e.name)):
        if index % 64 == 0:
            words.append(0)
        if not one.refused and all(there(name) for name in one.commands):
            words[-1] |= 1 << index % 64
    lines = "".join(f"    0x{word:016x}u,\n" for word in words)
    return f"const uint64_t gvk_whole_extensions[{len(words)}] = {{\n{lines}}};\n\n"


def _table(lock: ir.Lock, guest: Guest) -> Tuple[str, int]:
    """Rows of every name that an application finds, aliases with their own rules of presence."""
    numbers = {e.name: i for i, e in enumerate(sorted(lock.extensions, key=lambda e: e.name))}
    versions = {v.name: f"VK_API_VERSION_{v.major}_{v.minor}" for v in lock.versions}
    pool: List[int] = []
    rows = ""
    count = 0
    for command in sorted(lock.commands, key=lambda c: c.name):
        target = lock.layout_of(command)
        if command.private or not (target.on_wire or target.name in guest.hand):
            continue
        if target.name in guest.absent:
            continue
        version = next((versions[p] for p in command.provided if p in versions), "0")
        brings = [numbers[p] for p in command.provided if p in numbers]
        level = _LEVELS.get(command.dispatch, "DEVICE")
        rows += (
            f'    {{"{command.name}", (PFN_vkVoidFunction){_function(target, guest)}, '
            f"GVK_LEVEL_{level}, {version}, &brings[{len(pool)}], {len(brings)}}},\n"
        )
        pool += brings
        count += 1
    words = "".join(f"    {number},\n" for number in (*pool, 0))
    return (
        f"/* Indices into vk_extensions. */\nstatic const uint16_t brings[] = {{\n{words}}};\n\n"
        f"const struct gvk_entry gvk_entries[GVK_ENTRY_COUNT] = {{\n{rows}}};\n",
        count,
    )


_STRUCT = """/* What the first parameter is. */
enum gvk_level { GVK_LEVEL_GLOBAL, GVK_LEVEL_INSTANCE, GVK_LEVEL_PHYSICAL, GVK_LEVEL_DEVICE };

struct gvk_entry {
    const char *name;
    PFN_vkVoidFunction function;
    enum gvk_level level;
    uint32_t version;           /* the core version that has it; 0: none */
    const uint16_t *extensions; /* or any of these brings it: indices into vk_extensions */
    uint32_t extension_count;
};

/* Sorted by name. */
extern const struct gvk_entry gvk_entries[GVK_ENTRY_COUNT];
/* Bit n: vk_extensions[n] is not refused, and each of its commands has an entry. */
extern const uint64_t gvk_whole_extensions[];
"""


def emit(out: Output, lock: ir.Lock, guest: Guest) -> None:
    staged = [c for c in lock.wire_commands if c.staged and not c.alias_of]
    staged.sort(key=lambda c: c.name)
    known = (guest.hand - guest.around) | guest.absent
    plain = [c for c in (*called(lock), *staged) if not c.private and c.name not in known]
    hand = [lock.command(name) for name in sorted(guest.hand)]
    table, count = _table(lock, guest)
    lines = "".join(f"{_signature(c)};\n" for c in plain)
    out.header(
        "guest/vk_entry.h",
        "What applications call, as far as it needs no thought, and every name.",
        ('"wire/vk_types.h"',),
        f"#define GVK_ENTRY_COUNT {count}\n\n{_STRUCT}\n{lines}",
    )
    lines = "".join(f"{c.returns} gvk_{c.name}({prototype(c)});\n" for c in hand)
    asked = [lock.command(name) for name, condition in sorted(guest.chosen.items()) if condition]
    lines += "\n/* May the guest choose the ids of what this makes? */\n"
    lines += "".join(f"bool gvk_chooses_{c.name}({prototype(c)});\n" for c in asked)
    out.header(
        "guest/vk_hand.h",
        "What guest/vulkan writes by hand.",
        ('"wire/vk_types.h"', "<stdbool.h>"),
        lines,
    )
    headers = (
        '"guest/vk_entry.h"',
        '"guest/vk_call.h"',
        '"guest/vk_hand.h"',
        *(f'"guest/vulkan/{h}"' for h in guest.headers()),
        '"wire/vk_pack.h"',
    )
    groups: Dict[str, List[ir.Command]] = {name: [] for name in (*FAMILIES, "command_buffer")}
    for command in plain:
        groups["command_buffer" if command.staged else family(command)].append(command)
    for name, commands in groups.items():
        body = "".join(f"{_signature(c)}\n{{\n{_body(c, guest, lock)}}}\n\n" for c in commands)
        if body:
            out.source(
                f"guest/vk_entry_{name}.c", "Entry points.", headers, body.rstrip("\n") + "\n"
            )
    out.source(
        "guest/vk_entry_table.c",
        "Entry points by name.",
        ('"guest/vk_entry.h"', '"guest/vk_hand.h"'),
        _whole(lock, guest) + table,
    )
