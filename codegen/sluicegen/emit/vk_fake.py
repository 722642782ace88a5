"""check/fake_vk.[ch]: a native Vulkan driver that does nothing and remembers what it was asked.

Every function packs its arguments into a sink: so it reads all that the wire could carry, and a
sanitizer sees a decoder that passed too little. Outputs: fresh handles, small counts, zeros.
"""

from __future__ import annotations

from typing import List

from ..cwriter import Output
from ..ir import Ref
from ..vk import ir
from .vk_fields import Facts, Wire, mentions
from .vk_types import prototype

_REQUIREMENTS = "    requirements(&pMemoryRequirements->memoryRequirements);\n"
# What a decoder needs sense in.
_SPECIAL = {
    "vkEnumerateInstanceVersion": "    *pApiVersion = VK_API_VERSION_1_3;\n",
    "vkEnumeratePhysicalDevices": """\
    if (pPhysicalDevices != NULL && *pPhysicalDeviceCount != 0) {
        pPhysicalDevices[0] = (VkPhysicalDevice)(uintptr_t)0x100;
    }
    *pPhysicalDeviceCount = pPhysicalDevices == NULL || *pPhysicalDeviceCount != 0;
""",
    "vkGetPhysicalDeviceProperties": "    properties(pProperties);\n",
    "vkGetPhysicalDeviceProperties2": "    properties(&pProperties->properties);\n",
    "vkGetPhysicalDeviceMemoryProperties": "    memory(pMemoryProperties);\n",
    "vkGetPhysicalDeviceMemoryProperties2": "    memory(&pMemoryProperties->memoryProperties);\n",
    "vkGetPhysicalDeviceQueueFamilyProperties": """\
    if (pQueueFamilyProperties != NULL && *pQueueFamilyPropertyCount != 0) {
        family(pQueueFamilyProperties);
    }
    *pQueueFamilyPropertyCount = pQueueFamilyProperties == NULL || *pQueueFamilyPropertyCount != 0;
""",
    "vkGetPhysicalDeviceQueueFamilyProperties2": """\
    if (pQueueFamilyProperties != NULL && *pQueueFamilyPropertyCount != 0) {
        family(&pQueueFamilyProperties->queueFamilyProperties);
    }
    *pQueueFamilyPropertyCount = pQueueFamilyProperties == NULL || *pQueueFamilyPropertyCount != 0;
""",
    "vkEnumerateDeviceExtensionProperties": "    *pPropertyCount = 0;\n",
    "vkEnumerateInstanceExtensionProperties": "    *pPropertyCount = 0;\n",
    "vkEnumerateInstanceLayerProperties": "    *pPropertyCount = 0;\n",
    "vkEnumerateDeviceLayerProperties": "    *pPropertyCount = 0;\n",
    "vkGetBufferMemoryRequirements": "    requirements(pMemoryRequirements);\n",
    "vkGetImageMemoryRequirements": "    requirements(pMemoryRequirements);\n",
    "vkGetBufferMemoryRequirements2": _REQUIREMENTS,
    "vkGetImageMemoryRequirements2": _REQUIREMENTS,
}
# Never answered: there is no memory behind a fake allocation.
_FAILS = {"vkMapMemory": "VK_ERROR_MEMORY_MAP_FAILED", "vkMapMemory2": "VK_ERROR_MEMORY_MAP_FAILED"}

_HEADER = """\
/* Of the calling thread. */
struct fake_vk {
    const char *name; /* what was asked last: "vkCreateBuffer" */
    uint64_t calls;
    VkResult result; /* what every function that may fail answers */
};
extern _Thread_local struct fake_vk fake_vk;

PFN_vkVoidFunction fake_vk_instance_proc(VkInstance instance, const char *name);
/* The calling thread's sink is freed. */
void fake_vk_finish(void);
"""

_HELPERS = """\
_Thread_local struct fake_vk fake_vk;
static _Thread_local struct vk_pack sink;
static uint64_t last_handle = 0x10000; /* atomic */

static void enter(const char *name)
{
    fake_vk.name = name;
    fake_vk.calls++;
    if (sink.max == 0) {
        vk_pack_init(&sink, 64u << 20, false);
    }
    vk_pack_reset(&sink);
}

void fake_vk_finish(void)
{
    vk_pack_finish(&sink);
    sink.max = 0;
}

static void handles(void *place, uint64_t count)
{
    for (uint64_t i = 0; place != NULL && i < count; i++) {
        uint64_t handle = __atomic_add_fetch(&last_handle, 16, __ATOMIC_RELAXED);
        memcpy((char *)place + i * 8, &handle, sizeof handle);
    }
}

/* A count of two, at most what there is room for. */
#define COUNT(count, array) (*(count) = (array) == NULL || *(count) > 2 ? 2 : *(count))

static void properties(VkPhysicalDeviceProperties *p)
{
    memset(p, 0, sizeof *p);
    p->apiVersion = VK_API_VERSION_1_3;
    p->deviceType = VK_PHYSICAL_DEVICE_TYPE_CPU;
    strcpy(p->deviceName, "fake");
    p->limits.nonCoherentAtomSize = 64;
    p->limits.minMemoryMapAlignment = 4096;
}

static void memory(VkPhysicalDeviceMemoryProperties *p)
{
    memset(p, 0, sizeof *p);
    p->memoryTypeCount = 1;
    p->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                      VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    p->memoryHeapCount = 1;
    p->memoryHeaps[0].size = 1u << 30;
}

static void family(VkQueueFamilyProperties *p)
{
    memset(p, 0, sizeof *p);
    p->queueFlags = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
    p->queueCount = 1;
}

static void requirements(VkMemoryRequirements *p)
{
    *p = (VkMemoryRequirements){.size = 4096, .alignment = 64, .memoryTypeBits = 1};
}

"""


def _answer(facts: Facts, command: ir.Command) -> str:
    """What is written into outputs."""
    if command.name in _SPECIAL:
        return _SPECIAL[command.name]
    text = ""
    counts = {p.length.param for p in command.params if p.out and isinstance(p.length, Ref)}
    for param in command.params:
        if not param.out:
            continue
        if param.name in counts:
            arrays = [p for p in command.params if p.length == Ref(param.name)]
            text += f"    COUNT({param.name}, {arrays[0].name});\n"
        elif param.creates:
            count = "1"
            if isinstance(param.length, Ref):
                counted = command.param(param.length.param)
                count = f"*{counted.name}" if counted.is_pointer else counted.name
            elif isinstance(param.length, ir.Arrow):
                count = f"{param.length.pointer}->{param.length.member}"
            text += f"    handles({param.name}, {count});\n"
        elif param.length is None and param.wire in (Wire.RAW, Wire.BIG):
            text += f"    if ({param.name} != NULL) {{\n        *{param.name} = 0;\n    }}\n"
    return text


def _function(facts: Facts, command: ir.Command) -> str:
    name = command.name
    params = command.params[1:] if command.staged else command.params
    body = f'    enter("{name}");\n'
    if command.on_wire:
        turn = "" if command.staged else ", 0"
        given = "".join(f", {p.name}" for p in params)
        body += f"    vk_pack_{name}(&sink{turn}{given});\n"
        body += _answer(facts, command)
    unused = "".join(f"    (void){p.name};\n" for p in command.params if not mentions(body, p.name))
    result = ""
    if command.returns == "VkResult":
        result = f"    return {_FAILS.get(name, 'fake_vk.result')};\n"
    elif command.returns != "void":
        result = "    return 0;\n"
    return (
        f"static VKAPI_ATTR {command.returns} VKAPI_CALL fake_{name}({prototype(command)})\n{{\n"
        f"{body}{unused}{result}}}\n\n"
    )


def emit(out: Output, lock: ir.Lock, facts: Facts) -> None:
    native: List[ir.Command] = sorted(
        (
            c
            for c in lock.commands
            if not c.private
            and not c.alias_of
            and not c.name.endswith("ProcAddr")
            and (c.on_wire or c.name in _FAILS)
        ),
        key=lambda c: c.name,
    )
    rows = "".join(f'    {{"{c.name}", (PFN_vkVoidFunction)fake_{c.name}}},\n' for c in native)
    about = "A native Vulkan driver for tests that does nothing."
    out.header("check/fake_vk.h", about, ('"wire/vk_types.h"',), _HEADER)
    out.source(
        "check/fake_vk.c",
        about,
        (
            '"check/fake_vk.h"',
            "",
            '"transport/base/vk_codec.h"',
            '"wire/vk_pack.h"',
            "",
            "<stdlib.h>",
            "<string.h>",
        ),
        _HELPERS
        + "".join(_function(facts, c) for c in native)
        + "struct function {\n    const char *name;\n    PFN_vkVoidFunction function;\n};\n\n"
        + f"static const struct function functions[] = {{\n{rows}}};\n\n"
        + "static int order(const void *key, const void *one)\n{\n"
        + "    return strcmp(key, ((const struct function *)one)->name);\n}\n\n"
        + "static PFN_vkVoidFunction device_proc(VkDevice device, const char *name)\n{\n"
        + "    (void)device;\n    return fake_vk_instance_proc(NULL, name);\n}\n\n"
        + "PFN_vkVoidFunction fake_vk_instance_proc(VkInstance instance, const char *name)\n{\n"
        + "    (void)instance;\n"
        + '    if (strcmp(name, "vkGetInstanceProcAddr") == 0) {\n'
        + "        return (PFN_vkVoidFunction)fake_vk_instance_proc;\n    }\n"
        + '    if (strcmp(name, "vkGetDeviceProcAddr") == 0) {\n'
        + "        return (PFN_vkVoidFunction)device_proc;\n    }\n"
        + "    const struct function *found =\n"
        + "        bsearch(name, functions, sizeof functions / sizeof functions[0],\n"
        + "                sizeof functions[0], order);\n"
        + "    return found != NULL ? found->function : NULL;\n}\n",
    )
