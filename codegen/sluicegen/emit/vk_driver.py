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


def is_nulled(command: ir.Command) -> bool:
    """Of a command buffer's recording: nothing else is left out by a null driver."""
    return command.staged or command.name == "vkResetCommandPool"


def _null(command: ir.Command) -> str:
    params = ", ".join(p.declaration for p in command.params)
    unused = "".join(f"    (void){p.name};\n" for p in command.params)
    result = "" if command.returns == "void" else "    return VK_SUCCESS;\n"
    return (
        f"static VKAPI_ATTR {command.returns} VKAPI_CALL null_{command.name[2:]}({params})\n"
        f"{{\n{unused}{result}}}\n\n"
    )


def _nulls(commands: List[ir.Command]) -> str:
    rows = "".join(
        f"    if (driver->{c.name[2:]} != NULL)\n        driver->{c.name[2:]} = "
        f"null_{c.name[2:]};\n"
        for c in commands
    )
    return (
        "".join(map(_null, commands))
        + f"void vk_driver_device_null(struct vk_driver_device *driver)\n{{\n{rows}}}\n"
    )


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
    header += (
        "/* Records nothing: what was recorded must not be submitted. */\n"
        "void vk_driver_device_null(struct vk_driver_device *driver);\n"
    )
    source += _nulls([c for c in native(lock)["device"] if is_nulled(c)])
    about = "Waist D: the native Vulkan driver."
    out.header("host/vk_driver.h", about, ('"wire/vk_types.h"',), header.rstrip("\n") + "\n")
    includes = ('"host/vk_driver.h"', "", "<stddef.h>", "<string.h>")
    out.source("host/vk_driver.c", about, includes, source.rstrip("\n") + "\n")
