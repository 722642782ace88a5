"""wire/vk_extensions.[ch]: extensions and chained structs, for filtering what is offered."""

from __future__ import annotations

import re
from typing import Dict, List

from ..cwriter import Output
from ..vk import ir, sizes

_PEERS = {
    "mesa-25.0.7": "VK_KNOWN_MESA_25",
    "mesa-26.2.6": "VK_KNOWN_MESA_26",
    "host-june-2025": "VK_KNOWN_HOST_2025",
}
_HEADER = """/* Peers that marshal a chained struct. */
enum {
    VK_KNOWN_MESA_25 = 1, /* stock guest, Mesa 25.0.7 */
    VK_KNOWN_MESA_26 = 2, /* stock guest, Mesa 26.2.6 */
    VK_KNOWN_HOST_2025 = 4, /* upstream's host of June 2025 */
};

struct vk_extension {
    const char *name;
    uint32_t number;
    uint32_t spec_version;
    uint32_t promoted; /* the core version that has it, as VK_API_VERSION_1_2; 0 for none */
    bool instance;     /* an instance extension, else a device extension */
    const char *refused; /* why it is never offered; NULL: it may be */
};

/* A struct that may stand in a pNext chain and travels. */
struct vk_chain_struct {
    VkStructureType type;
    const char *name;
    uint32_t size;      /* sizeof: the chain's size word */
    uint16_t bools;     /* feature structs: offset of the first VkBool32 */
    uint16_t bool_count; /* and how many follow one another; 0: no feature struct */
    uint32_t version;   /* the core version that has it; 0 for none */
    uint32_t known;     /* VK_KNOWN_ bits */
    const uint16_t *extensions; /* indices into vk_extensions: any of them brings it */
    uint32_t extension_count;
};

/* Sorted by name. */
extern const struct vk_extension vk_extensions[VK_EXTENSION_COUNT];
/* Sorted by type. */
extern const struct vk_chain_struct vk_chain_structs[VK_CHAIN_STRUCT_COUNT];

/* NULL when the lock does not know the name, which need not be terminated. */
const struct vk_extension *vk_extension_find(const char *name, size_t length);
/* NULL when no such struct travels. */
const struct vk_chain_struct *vk_chain_struct_find(VkStructureType type);
"""
_FIND = """
const struct vk_extension *vk_extension_find(const char *name, size_t length)
{
    size_t low = 0;
    size_t high = VK_EXTENSION_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t own = strlen(vk_extensions[middle].name);
        int order = memcmp(vk_extensions[middle].name, name, own < length ? own : length);
        if (order == 0 && own != length)
            order = own < length ? -1 : 1;
        if (order == 0)
            return &vk_extensions[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct vk_chain_struct *vk_chain_struct_find(VkStructureType type)
{
    size_t low = 0;
    size_t high = VK_CHAIN_STRUCT_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vk_chain_structs[middle].type == type)
            return &vk_chain_structs[middle];
        if (vk_chain_structs[middle].type < type)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
"""


def _version(name: str) -> str:
    match = re.fullmatch(r"VK_VERSION_(\d+)_(\d+)", name)
    return f"VK_API_VERSION_{match[1]}_{match[2]}" if match is not None else "0"


def _text(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"' if words else "NULL"


def _core(lock: ir.Lock, extension: ir.Extension) -> str:
    """The core version at the end of its promotions: through another extension where it must be."""
    target = extension.promoted
    for _ in lock.extensions:
        if target not in lock.by_extension:
            break
        target = lock.extension(target).promoted
    return _version(target)


def _extension(lock: ir.Lock, e: ir.Extension) -> str:
    instance = "true" if e.instance else "false"
    return (
        f'    {{"{e.name}", {e.number}, {e.spec_version}, {_core(lock, e)}, {instance},\n'
        f"     {_text(e.refused)}}},\n"
    )


def _chain(struct: ir.Struct, lock: ir.Lock, known: sizes.Sizes, index: Dict[str, int]) -> str:
    bools = [f.name for f in struct.fields if f.type == "VkBool32"]
    offsets = known.struct(struct.fields, struct.union)[2]
    feature = struct in lock.feature_structs and bools
    first, count = (offsets[bools[0]], len(bools)) if feature else (0, 0)
    version = min((_version(p) for p in struct.provided if _version(p) != "0"), default="0")
    peers = " | ".join(_PEERS[p] for p in struct.known) or "0"
    brings = [p for p in struct.provided if p in index]
    lists = f"struct_{struct.stype}" if brings else "NULL"
    return (
        f'    {{{struct.stype_name}, "{struct.name}", {struct.size_word}, {first}, {count},\n'
        f"     {version}, {peers}, {lists}, {len(brings)}}},\n"
    )


def emit(out: Output, lock: ir.Lock) -> None:
    index = {e.name: i for i, e in enumerate(lock.extensions)}
    structs = sorted(lock.chain_structs, key=lambda s: s.stype or 0)
    counts = (
        f"#define VK_EXTENSION_COUNT {len(lock.extensions)}\n"
        f"#define VK_CHAIN_STRUCT_COUNT {len(structs)}\n\n"
    )
    about = "Vulkan's extensions and chained structs."
    includes = ('"wire/vk_types.h"', "", "<stdbool.h>", "<stddef.h>", "<stdint.h>")
    header = tuple(i for i in includes if i)
    out.header("wire/vk_extensions.h", about, header, counts + _HEADER)
    lists: List[str] = []
    for struct in structs:
        brings = ", ".join(str(index[p]) for p in struct.provided if p in index)
        if brings:
            lists.append(f"static const uint16_t struct_{struct.stype}[] = {{{brings}}};\n")
    known = sizes.of_lock(lock)
    source = (
        "const struct vk_extension vk_extensions[VK_EXTENSION_COUNT] = {\n"
        + "".join(_extension(lock, e) for e in lock.extensions)
        + "};\n\n"
        + "".join(lists)
        + "\nconst struct vk_chain_struct vk_chain_structs[VK_CHAIN_STRUCT_COUNT] = {\n"
        + "".join(_chain(s, lock, known, index) for s in structs)
        + "};\n"
        + _FIND
    )
    out.source("wire/vk_extensions.c", about, ('"wire/vk_extensions.h"', "", "<string.h>"), source)
