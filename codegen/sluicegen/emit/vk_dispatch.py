"""host/vk_dispatch.[ch], host/vk_hand.h: what the host does with each Vulkan packet.

Every handler has the same order: take the turn, unpack, call, turn new native handles into ids,
pass the turn, answer. A command that policy/vulkan_host.csv lists as `hand` calls hvk_X instead of
the driver; `refuse` answers zeros.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List

from ..cwriter import Output
from ..ir import Ref
from ..vk import ir
from ..vk.host import Host
from . import vk_dispatch_table
from .vk_args import kind
from .vk_destroy import handles_destroyed

_FILES = {
    "VkCommandBuffer": "record",
    "VkDevice": "device",
    "VkPhysicalDevice": "physical",
    "VkQueue": "queue",
}
_VERBS = {"vkCreate": "create", "vkDestro": "destroy", "vkGet": "get"}
_INCLUDES = (
    '"host/vk_hand.h"',
    '"host/vk_handlers.h"',
    '"wire/vk_names.h"',
    '"wire/vk_reply.h"',
    '"wire/vk_unpack.h"',
)


def _file(command: ir.Command) -> str:
    name = _FILES.get(command.dispatch, "instance")
    if name == "device":
        return next((f for verb, f in _VERBS.items() if command.name.startswith(verb)), name)
    return f"{name}_{'draw' if command.name < 'vkCmdS' else 'set'}" if name == "record" else name


class Dispatch:
    def __init__(self, lock: ir.Lock, policy: Host, quiet: FrozenSet[str]) -> None:
        self.lock = lock
        self.policy = policy
        self.quiet = quiet

    def commands(self) -> List[ir.Command]:
        return [c for c in self.lock.wire_commands if not c.alias_of]

    # --- the pieces of a handler ---

    def _native(self, command: ir.Command) -> str:
        """The call through the table, as an expression."""
        words = []
        for param in command.params:
            if self.lock.resolve(param.type) == "VkAllocationCallbacks":
                words.append("NULL")
            elif param.creates:
                words.append("made" if param.length is not None else "&made")
            else:
                words.append(f"a.{param.name}")
        return f"driver->{command.name[2:]}({', '.join(words)})"

    def _driver(self, command: ir.Command) -> str:
        if command.level is ir.Level.INSTANCE:
            return (
                "    const struct vk_driver_instance *driver = "
                "&hvk_instance_of(a.record)->driver;\n"
            )
        return (
            "    struct hvk_device *device = hvk_device_of(a.record);\n"
            "    const struct vk_driver_device *driver = &device->driver;\n"
        )

    def _generated(self, command: ir.Command) -> str:
        """Call the driver; `result` is declared where there is one."""
        text = self._driver(command)
        made = next((p for p in command.params if p.creates), None)
        if made is not None:
            text += self._made(made)
        call = self._native(command)
        absent = f'hvk_absent(&call, "{command.name}");'
        if command.returns == "void":
            text += f"    if ({self._there(command)}) {{\n"
            text += self._locked(command, f"        {call};\n")
            text += f"    }} else {{\n        {absent}\n{self._blank(command)}    }}\n"
            return text
        failed = "VK_ERROR_FEATURE_NOT_PRESENT" if command.returns == "VkResult" else "0"
        text += f"    {command.returns} result = {failed};\n"
        text += f"    if ({self._there(command)}) {{\n"
        text += self._locked(command, f"        result = {call};\n")
        text += f"    }} else {{\n        {absent}\n{self._blank(command)}    }}\n"
        if made is not None:
            text += self._bind(made)
        if command.returns == "VkResult" and command.level is ir.Level.DEVICE:
            text += "    result = hvk_device_result(device, result);\n"
        return text

    def _there(self, command: ir.Command) -> str:
        """Is there such a function? The loader has those of physical devices whether their driver
        has them or not."""
        text = f"driver->{command.name[2:]} != NULL"
        if command.dispatch != "VkPhysicalDevice":
            return text
        names = [
            n
            for c in self.lock.commands
            if c.name == command.name or c.alias_of == command.name
            for n in c.provided
        ]
        version = next((n[-3:] for n in names if n.startswith("VK_VERSION_")), "")
        if version in ("1_0", "1_1"):
            return text  # the loader stands in for older drivers
        extensions = " ".join(sorted(n for n in names if not n.startswith("VK_VERSION_")))
        reached = f"VK_API_VERSION_{version}" if version else "UINT32_MAX"
        return f'{text} && hvk_physical_has(a.record, {reached}, "{extensions}")'

    def _locked(self, command: ir.Command, call: str) -> str:
        """Native queues are externally synchronised, and waits use them past their turn."""
        if command.dispatch != "VkQueue":
            return call
        lock = "        pthread_mutex_{}(((struct hvk_queue *)a.record)->lock);\n"
        return lock.format("lock") + call + lock.format("unlock")

    def _count(self, param: ir.Field) -> str:
        length = param.length
        if isinstance(length, Ref):
            return f"a.{length.param}"
        assert isinstance(length, ir.Arrow)
        return f"a.{length.pointer}->{length.member}"

    def _made(self, param: ir.Field) -> str:
        if param.length is None:
            return f"    {param.type} made = VK_NULL_HANDLE;\n"
        return (
            f"    uint32_t count = {self._count(param)};\n"
            f"    {param.type} *made = vk_unpack_alloc(&call.in, count, sizeof *made);\n"
            "    if (made == NULL) {\n        goto out;\n    }\n"
        )

    def _bind(self, param: ir.Field) -> str:
        name = kind(self.lock, param.type)
        if param.length is None:
            return f"    hvk_made(&call, {name}, HVK_U64(made), device, &result, a.{param.name});\n"
        return (
            "    for (uint32_t i = 0; i < count; i++) {\n"
            f"        hvk_made_some(&call, {name}, HVK_U64(made[i]), device, &result, "
            f"&a.{param.name}[i]);\n    }}\n"
        )

    def _blank(self, command: ir.Command) -> str:
        """Counts of what is not answered."""
        text = ""
        for param in command.params:
            if param.out and param.length is None and param.type in ("uint32_t", "size_t"):
                text += f"        if (a.{param.name} != NULL) {{\n"
                text += f"            *a.{param.name} = 0;\n        }}\n"
        return text

    def _refusal(self, command: ir.Command, reason: str) -> str:
        text = f'    hr_call_refuse(call.hr, "{reason}");\n'
        blank = self._blank(command)
        text += "\n".join(line[4:] for line in blank.split("\n")) if blank else ""
        if command.returns == "VkResult":
            text += "    VkResult result = VK_ERROR_FEATURE_NOT_PRESENT;\n"
        elif command.returns != "void":
            text += f"    {command.returns} result = 0;\n"
        return text

    def _wishes(self, command: ir.Command) -> str:
        text = ""
        for param in command.params:
            if not param.creates:
                continue
            count = "1" if param.length is None else self._count(param)
            if isinstance(param.length, Ref) and command.param(param.length.param).is_pointer:
                count = f"({count} != NULL ? *{count} : 0)"
            allowed = "true" if command.dispatch == "VkDevice" else "false"
            text += f"    hvk_wishes(&call, a.{param.name}, {count}, {allowed});\n"
        return text

    def _answer(self, command: ir.Command) -> str:
        if not command.has_reply:
            return ""
        result = "" if command.returns == "void" else ", result"
        reply = f"vk_reply_{command.name}(&call.ring->reply, &a{result});"
        condition = "call.silent"
        if command.name in self.quiet:
            condition = "hvk_is_quiet(&call)"
        elif command.dispatch != "VkDevice" or not any(p.creates for p in command.params):
            return f"    {reply}\n    hvk_reply(&call);\n"
        failed = "result" if command.returns == "VkResult" else "VK_SUCCESS"
        return (
            f"    if ({condition}) {{\n        hvk_unanswered(&call, a.record, {failed});\n"
            f"    }} else {{\n        {reply}\n        hvk_reply(&call);\n    }}\n"
        )

    # --- the two sorts of handlers ---

    def _body(self, command: ir.Command) -> str:
        if command.name in self.policy.refused:
            return self._refusal(command, self.policy.refused[command.name])
        if command.name in self.policy.hand:
            call = f"hvk_{command.name}(&call, &a);\n"
            result = "" if command.returns == "void" else f"{command.returns} result = "
            return f"    {result}{call}"
        gone = handles_destroyed(command)
        if gone is not None:
            name = kind(self.lock, gone.type)
            return f"    hvk_destroy(call.context, {name}, a.{gone.name}_id);\n"
        return self._generated(command)

    def packet(self, command: ir.Command) -> str:
        """A handler of the ring."""
        name = command.name
        body = self._wishes(command) + self._body(command)
        answer = self._answer(command)
        jumps = "goto out;" in body
        makes = "    hvk_makes(&call);\n" if any(p.creates for p in command.params) else ""
        return (
            f"void vk_on_{name}(struct hr_call *hr)\n{{\n    struct hvk_call call;\n"
            f"    struct vk_args_{name} a;\n    if (!hvk_begin(&call, hr)) {{\n        return;\n"
            f"    }}\n{makes}    if (!vk_unpack_{name}(&call.in, &a)) {{\n        hvk_end(&call);\n"
            f"        return;\n    }}\n{body}{answer}"
            f"{'out:' if jumps else ''}{chr(10) if jumps else ''}    hvk_end(&call);\n}}\n"
        )

    def recorded(self, command: ir.Command) -> str:
        """One command of a command buffer; the recording's reader sees the failure."""
        name = command.name
        text = (
            f"void vk_record_{name}(struct hvk_recording *r)\n{{\n    struct vk_args_{name} a;\n"
            f"    if (!vk_unpack_{name}(&r->in, &a)) {{\n        return;\n    }}\n"
            "    a.commandBuffer = r->native;\n"
        )
        if name in self.policy.hand:
            return text + f"    hvk_{name}(r, &a);\n}}\n"
        if name in self.policy.refused:
            return text + f'    vk_unpack_fail(&r->in, "{self.policy.refused[name]}");\n}}\n'
        words = ", ".join(f"a.{p.name}" for p in command.params)
        call = f"r->driver->{name[2:]}({words})"
        text += (
            f"    if (SL_UNLIKELY(r->driver->{name[2:]} == NULL)) {{\n"
            '        vk_unpack_fail(&r->in, "the native driver has no such function");\n'
            "        return;\n    }\n"
        )
        if command.returns == "VkResult":
            return text + f'    hvk_recorded(r, {call}, "{name}");\n}}\n'
        return text + f"    {call};\n}}\n"


def _hand_declaration(command: ir.Command) -> str:
    frame = "struct hvk_recording *recording" if command.staged else "struct hvk_call *call"
    returns = "void" if command.staged else command.returns
    return f"{returns} hvk_{command.name}({frame}, struct vk_args_{command.name} *a);\n"


def emit(out: Output, lock: ir.Lock, policy: Host, quiet: FrozenSet[str]) -> None:
    dispatch = Dispatch(lock, policy, quiet)
    commands = dispatch.commands()
    out.header(
        "host/vk_dispatch.h",
        "Dispatch of Vulkan.",
        ('"host/vulkan/hvk.h"',),
        "extern const struct hr_family vk_family;\n\n"
        "/* Place of an opcode in the family's tables; >= its count: none. */\n"
        "uint32_t vk_dispatch_find(uint32_t opcode);\n\n"
        "/* Run recorded commands on the recording's native command buffer. NULL, or why they\n"
        " * break the protocol. `in` has arena and ids; the arena is reset after each command. */\n"
        "const char *vk_sub_decode(struct hvk_recording *r, const void *data, size_t size);\n",
    )
    hands = [c for c in commands if c.name in policy.hand]
    out.header(
        "host/vk_hand.h",
        "Handlers of Vulkan that are written by hand; why: policy/vulkan_host.csv.",
        ('"host/vulkan/hvk.h"', '"wire/vk_args.h"'),
        "".join(_hand_declaration(c) for c in hands),
    )
    declared = "".join(
        f"void vk_record_{c.name}(struct hvk_recording *r);\n"
        if c.staged
        else f"void vk_on_{c.name}(struct hr_call *hr);\n"
        for c in commands
    )
    out.header("host/vk_handlers.h", "Handlers of Vulkan.", ('"host/vulkan/hvk.h"',), declared)
    files: Dict[str, List[ir.Command]] = {}
    for command in commands:
        files.setdefault(_file(command), []).append(command)
    for name, members in files.items():
        body = "\n".join(dispatch.recorded(c) if c.staged else dispatch.packet(c) for c in members)
        out.source(f"host/vk_{name}_dispatch.c", f"Handlers of Vulkan, {name}.", _INCLUDES, body)
    vk_dispatch_table.emit(out, lock)
