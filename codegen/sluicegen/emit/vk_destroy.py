"""host/vk_destroy.[ch]: how native objects end, and in which order they do."""

from __future__ import annotations

from typing import Dict, List, Optional, Set

from ..cwriter import Output
from ..vk import ir
from .vk_args import kind

# What a creation does not name: bound later, or in a chain.
_ALSO = {
    "VkBuffer": {"VkDeviceMemory"},
    "VkImage": {"VkDeviceMemory"},
    "VkImageView": {"VkSamplerYcbcrConversion"},
    "VkSampler": {"VkSamplerYcbcrConversion"},
}


def handles_destroyed(command: ir.Command) -> Optional[ir.Field]:
    """The one child of a device that the command destroys; None: it does something else."""
    if command.dispatch != "VkDevice" or command.returns != "void" or command.alias_of:
        return None
    gone = [p for p in command.params[1:] if p.destroys]
    return gone[0] if len(gone) == 1 and not gone[0].is_pointer else None


def _named(lock: ir.Lock, struct: ir.Struct, seen: Set[str]) -> Set[str]:
    found: Set[str] = set()
    if struct.name in seen:
        return found
    seen.add(struct.name)
    for member in struct.fields:
        if member.wire is ir.Wire.HANDLE:
            found.add(lock.resolve(member.type))
        elif member.wire is ir.Wire.STRUCT:
            found |= _named(lock, lock.struct(member.type), seen)
    return found


def needs(lock: ir.Lock) -> Dict[str, Set[str]]:
    """Kind -> kinds that must outlive it: what its creation names."""
    found = {h.name: {lock.resolve(h.parent)} if h.parent else set() for h in lock.handles}
    for command in lock.commands:
        for made in (p for p in command.params if p.creates):
            names = found[lock.resolve(made.type)]
            for param in command.params:
                if param.wire is ir.Wire.HANDLE and not param.creates:
                    names.add(lock.resolve(param.type))
                elif param.wire is ir.Wire.STRUCT and not param.out:
                    names |= _named(lock, lock.struct(param.type), set())
    for name, more in _ALSO.items():
        found[name] |= more
    return found


def order(lock: ir.Lock) -> List[str]:
    """Children before what they were made of; a circle (a swapchain's predecessor) is cut."""
    needed = needs(lock)
    done: List[str] = []
    entered: Set[str] = set()

    def visit(name: str) -> None:
        if name in entered:
            return
        entered.add(name)
        for other in sorted(needed[name]):
            visit(other)
        done.append(name)

    for handle in lock.handles:
        visit(handle.name)
    return done[::-1]


def emit(out: Output, lock: ir.Lock) -> None:
    body = (
        "/* All kinds, children first. */\n"
        "extern const uint8_t vk_destroy_order[VK_KIND_END - 1];\n\n"
        "/* End a child of a device. Kinds that go with their pool or owner: nothing. */\n"
        "void vk_destroy_native(uint32_t kind, const struct vk_driver_device *driver, "
        "VkDevice device,\n                       uint64_t native);\n\n"
        "/* The command {device, object, no allocator} by which a guest ends one; 0: none. */\n"
        "uint32_t vk_destroy_opcode(uint32_t kind);\n"
    )
    includes = ('"host/vk_driver.h"', '"wire/vk_kinds.h"')
    out.header("host/vk_destroy.h", "How Vulkan objects end.", includes, body)
    source = "const uint8_t vk_destroy_order[VK_KIND_END - 1] = {\n"
    source += "".join(f"    VK_KIND_{name},\n" for name in order(lock)) + "};\n\n"
    source += (
        "void vk_destroy_native(uint32_t kind, const struct vk_driver_device *driver, "
        "VkDevice device,\n                       uint64_t native)\n{\n    switch (kind) {\n"
    )
    for command in lock.wire_commands:
        gone = handles_destroyed(command)
        if gone is None:
            continue
        name = command.name[2:]
        source += (
            f"    case {kind(lock, gone.type)}:\n        if (driver->{name} != NULL) {{\n"
            f"            driver->{name}(device, ({gone.type})(uintptr_t)native, NULL);\n"
            "        }\n        break;\n"
        )
    source += "    default:\n        break;\n    }\n}\n\n"
    source += "uint32_t vk_destroy_opcode(uint32_t kind)\n{\n    switch (kind) {\n"
    for command in lock.wire_commands:
        gone = handles_destroyed(command)
        if gone is not None:
            source += f"    case {kind(lock, gone.type)}:\n        return VK_OP_{command.name};\n"
    source += "    default:\n        return 0;\n    }\n}\n"
    own = ('"host/vk_destroy.h"', "", '"wire/vk_opcodes.h"')
    out.source("host/vk_destroy.c", "How Vulkan objects end.", own, source)
