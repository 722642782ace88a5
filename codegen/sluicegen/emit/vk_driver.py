"""host/vk_driver.[ch]: the native Vulkan functions as three tables."""

from __future__ import annotations

from typing import Dict, List

from ..cwriter import Output
from ..vk import ir

_LEVELS = ("global", "instance", "device")
_ARGS = {
    "global": "PFN_vkGetInstanceProcAddr get",
    "instance": "VkInstance instance, PFN_vkGetInstanceProcAddr get",
    "device": "VkDevice device, PFN_vkGetDeviceProcAddr get",
}
_OBJECT = {"global": "NULL", "instance": "instance", "device": "device"}


def level(command: ir.Command) -> str:
    """vkGetDeviceProcAddr is asked of the instance: it is what fills the device's table."""
    return "instance" if command.name == "vkGetDeviceProcAddr" else command.level.value


def native(lock: ir.Lock) -> Dict[str, List[ir.Command]]:
    """What a driver may have, by level; aliases share their target's place."""
    found: Dict[str, List[ir.Command]] = {name: [] for name in _LEVELS}
    for command in sorted(lock.commands, key=lambda c: c.name):
        if not command.private and not command.alias_of:
            found[level(command)].append(command)
    return found


def _rows(lock: ir.Lock, commands: List[ir.Command], table: str) -> str:
    """A function's own name first: an alias is asked for where that one is missing."""
    aliases: Dict[str, List[str]] = {}
    for command in lock.commands:
        if command.alias_of:
            aliases.setdefault(command.alias_of, []).append(command.name)
    rows = ""
    for command in commands:
        for name in (command.name, *sorted(aliases.get(command.name, []))):
            rows += f'    {{"{name}", offsetof(struct {table}, {command.name[2:]})}},\n'
    return rows


def emit(out: Output, lock: ir.Lock) -> None:
    header = ""
    source = "struct function {\n    const char *name;\n    size_t offset;\n};\n\n"
    for name, commands in native(lock).items():
        table = f"vk_driver_{name}"
        fields = "".join(f"    PFN_{c.name} {c.name[2:]};\n" for c in commands)
        signature = f"void {table}_load(struct {table} *driver, {_ARGS[name]})"
        header += f"struct {table} {{\n{fields}}};\n\n"
        header += (
            "/* Fills the table; an absent function is tried by its aliases, then stays NULL. */\n"
        )
        header += f"{signature};\n\n"
        source += (
            f"static const struct function {name}_functions[] = {{\n"
            f"{_rows(lock, commands, table)}}};\n\n{signature}\n{{\n"
            f"    memset(driver, 0, sizeof *driver);\n"
            f"    size_t count = sizeof {name}_functions / sizeof {name}_functions[0];\n"
            "    for (size_t i = 0; i < count; i++) {\n"
            f"        const struct function *one = &{name}_functions[i];\n"
            "        PFN_vkVoidFunction found;\n"
            "        char *place = (char *)driver + one->offset;\n"
            "        memcpy(&found, place, sizeof found);\n"
            "        if (found == NULL)\n"
            f"            found = get({_OBJECT[name]}, one->name);\n"
            "        memcpy(place, &found, sizeof found);\n    }\n}\n\n"
        )
    about = "Waist D: the native Vulkan driver."
    out.header("host/vk_driver.h", about, ('"wire/vk_types.h"',), header.rstrip("\n") + "\n")
    includes = ('"host/vk_driver.h"', "", "<stddef.h>", "<string.h>")
    out.source("host/vk_driver.c", about, includes, source.rstrip("\n") + "\n")
