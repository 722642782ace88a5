"""lock/vulkan.lock against what stock peers were measured to send, and an older registry."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from typing import Dict, List, Tuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "vulkan"
sys.path.insert(0, str(ROOT / "codegen"))

from sluicegen.vk import build, declare, ir, lockfile, locker, sizes  # noqa: E402

ARGS = argparse.Namespace(registry="", cc="cc", header="")

_ANDROID = "Android alone sends it; its extension is disabled in the registry"
_SUBDECODER = "the measured table knows the opcode alone, from a constant in Mesa 26.2.6"
_ALIAS = "an alias that no guest sends: it creates or destroys as its target does"
# Every difference between the table and the lock, with its reason.
EXPLAINED = {
    "VkNativeBufferANDROID: missing": _ANDROID,
    "VkNativeBufferUsage2ANDROID: missing": _ANDROID,
    "VkPhysicalDevicePresentationPropertiesANDROID: missing": _ANDROID,
    "VkSwapchainImageCreateInfoANDROID: missing": _ANDROID,
    "vkAcquireImageANDROID: missing": _ANDROID,
    "vkGetSwapchainGrallocUsage2ANDROID: missing": _ANDROID,
    "vkGetSwapchainGrallocUsageANDROID: missing": _ANDROID,
    "vkQueueSignalReleaseImageANDROID: missing": _ANDROID,
    "vkCreatePrivateDataSlotEXT: pPrivateDataSlot VkPrivateDataSlot handle * out": _ALIAS,
    "vkDestroyPrivateDataSlotEXT: privateDataSlot VkPrivateDataSlot handle": _ALIAS,
    "vkReleaseSwapchainImagesEXT: 230545069 VkResult reply": "promoted to KHR in a newer registry",
    "vkCmdBindDescriptorBufferEmbeddedSamplers2EXT: staged": _SUBDECODER,
    "vkCmdBindDescriptorSets2KHR: staged": _SUBDECODER,
    "vkCmdPushConstants2KHR: staged": _SUBDECODER,
    "vkCmdPushDescriptorSet2KHR: staged": _SUBDECODER,
    "vkCmdPushDescriptorSetWithTemplate2KHR: staged": _SUBDECODER,
    "vkCmdSetDescriptorBufferOffsets2EXT: staged": _SUBDECODER,
}
# What Vulkan 1.3.239 says otherwise than the lock, with its reason.
_GREW = "grew in a newer registry; no stock peer marshals it"
_BECAME_OPTIONAL = "became optional in a newer registry; no stock peer marshals it"
OLDER = {
    "VK_EXT_video_encode_h264": "replaced by KHR's, which is left out",
    "VK_EXT_video_encode_h265": "replaced by KHR's, which is left out",
    "VkDebugUtilsMessengerCallbackDataEXT.pMessage": _BECAME_OPTIONAL,
    "VkDeviceFaultVendorBinaryHeaderVersionOneEXT": "the registry's own mistake, mended later",
    "VkPhysicalDeviceClusterCullingShaderPropertiesHUAWEI": _GREW,
    "VkSwapchainPresentFenceInfoEXT.pFences": _BECAME_OPTIONAL,
    "vkCmdSetSampleMaskEXT.pSampleMask": _BECAME_OPTIONAL,
}


def table() -> Dict[str, Tuple[str, List[str]]]:
    """name -> (the rest of its line, its fields)"""
    found: Dict[str, Tuple[str, List[str]]] = {}
    fields: List[str] = []
    for line in (DATA / "layout.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(("command ", "struct ")):
            _, name, *rest = line.split(" ")
            fields = []
            found[name] = (" ".join(rest), fields)
        elif line.startswith("  "):
            fields.append(line.strip())
    return found


def field_text(lock: ir.Lock, field: ir.Field) -> str:
    """One field in the table's words."""
    wire = "raw" if field.wire is ir.Wire.BYTES else field.wire.value
    said = [
        field.name,
        lock.resolve(field.type),
        wire + (str(field.size) if wire in ("raw", "big") else ""),
    ]
    said += ["*" * field.pointers] if field.pointers else []
    said += ["".join(f"[{dim}]" for dim in field.dims)] if field.dims else []
    if field.length is not None and field.wire is not ir.Wire.STRINGS:
        said.append("n=" + declare.length_text(field.length))
    said += ["conditional"] if field.only_if is not None else []
    said += [flag for flag in ("presence", "out", "creates", "destroys") if getattr(field, flag)]
    return " ".join(said)


def same_field(lock: ir.Lock, field: ir.Field, said: str) -> bool:
    """Flags stand in any order; a type may have become an alias."""
    name, kind, *rest = said.split(" ")
    return sorted([name, lock.resolve(kind), *rest]) == sorted(field_text(lock, field).split(" "))


def command_text(command: ir.Command) -> str:
    said = [str(command.opcode), command.returns]
    said += [f"alias={command.alias_of}"] if command.alias_of else []
    said += ["reply"] if command.has_reply else []
    return " ".join(said + (["early"] if command.early else []))


def differences(lock: ir.Lock) -> List[str]:
    found: List[str] = []
    for name, (head, fields) in table().items():
        mine: Tuple[ir.Field, ...] = ()
        if name in lock.by_command:
            command = lock.command(name)
            mine = command.params
            staged = head.endswith(" staged")
            head = head[: -len(" staged")] if staged else head
            found += [f"{name}: {head}"] if head != command_text(command) else []
            found += [f"{name}: staged"] if staged != command.staged else []
        elif lock.resolve(name) in lock.by_struct:
            struct = lock.struct(name)
            mine = struct.fields[:1] if struct.union else struct.fields
            found += [f"{name}: {head}"] if not same_struct(struct, head.split()) else []
        else:
            found.append(f"{name}: missing")
            continue
        if len(mine) != len(fields):
            found.append(f"{name}: {len(fields)} fields")
        found += [
            f"{name}: {said}"
            for field, said in zip(mine, fields)
            if not same_field(lock, field, said)
        ]
    return found


def same_struct(struct: ir.Struct, said: List[str]) -> bool:
    mine = [f"stype={struct.stype}"] if struct.stype is not None else []
    mine += [f"size={struct.size_word}"] if any(s.startswith("size=") for s in said) else []
    mine += ["chain"] if struct.extends else []
    mine += [f"leading={','.join(struct.leading)}"] if struct.leading else []
    return mine == said


class LockTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.lock = lockfile.read_lock(ROOT / "codegen" / locker.LOCK)

    lock: ir.Lock

    def test_reads_as_written(self) -> None:
        text = (ROOT / "codegen" / locker.LOCK).read_text(encoding="utf-8")
        self.assertEqual(lockfile.write_lock(self.lock), text)

    def test_edited_lock_is_refused(self) -> None:
        text = (ROOT / "codegen" / locker.LOCK).read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "vulkan.lock"
            path.write_text(
                text.replace("vkCreateInstance 20000", "vkCreateInstance 20001"), encoding="utf-8"
            )
            with self.assertRaisesRegex(Exception, "does not fit the text"):
                lockfile.read_lock(path)

    def test_measured_layout(self) -> None:
        names = table()
        self.assertEqual(sum(n.startswith("vk") for n in names), 388)
        self.assertEqual(sum(n.startswith("Vk") for n in names), 450)
        self.assertEqual(sorted(differences(self.lock)), sorted(EXPLAINED))

    def test_a_difference_is_seen(self) -> None:
        """Presence words, lengths and orders are what a wrong lock would get wrong."""
        broken = []
        for struct in self.lock.structs:
            if struct.name == "VkSubmitInfo":
                struct = lockfile.replace(
                    struct,
                    fields=tuple(
                        lockfile.replace(f, presence=True) if f.name == "pWaitSemaphores" else f
                        for f in struct.fields
                    ),
                )
            broken.append(struct)
        lock = lockfile.replace(self.lock, structs=tuple(broken))
        self.assertEqual(len(differences(lock)), len(EXPLAINED) + 1)

    def test_opcodes(self) -> None:
        self.assertEqual(build.hashed_opcode("vkQueueSubmitAsync2GOOGLE"), 292092830)
        numbers = [c.opcode for c in self.lock.commands]
        self.assertEqual(len(numbers), len(set(numbers)))
        where = build.Where("x", 1)
        with self.assertRaisesRegex(Exception, "vkA: opcode 7 is vkB's"):
            build.opcodes({"vkA": 7, "vkB": 7}, ["vkA", "vkB"], where)

    def test_sizes_follow_from_members(self) -> None:
        known = sizes.of_lock(self.lock)
        for struct in self.lock.structs:
            size, align, _ = known.struct(struct.fields, struct.union)
            self.assertEqual(
                (struct.name, size, align), (struct.name, struct.size_word, struct.align)
            )

    def test_every_refusal_has_a_reason(self) -> None:
        """What travels is made of what travels; the allocator's pointer is always NULL."""
        for command in self.lock.commands:
            if command.refused:
                continue
            for param in command.params:
                inner = self.lock.by_struct.get(self.lock.resolve(param.type))
                if inner is not None and inner.name != "VkAllocationCallbacks":
                    self.assertEqual(inner.refused, "", f"{command.name} {param.name}")

    def test_older_registry(self) -> None:
        if not ARGS.registry:
            self.skipTest("no vk.xml is installed")
        found = locker.check(
            build.build(ROOT / "codegen", pathlib.Path(ARGS.registry)),
            ROOT / "codegen" / locker.LOCK,
        )
        self.assertLessEqual({line.split(": ")[0] for line in found}, set(OLDER))


def probe(old: ir.Lock, header: str) -> str:
    """A program that prints the size of every struct and the offset of every member."""
    facts = []
    for struct in old.structs:
        if set(struct.provided) & {"private", *(f"VK_KHR_{p}_surface" for p in build.PLATFORMS)}:
            continue
        facts.append((struct.name, f"sizeof({struct.name})"))
        facts += [
            (f"{struct.name}.{f.name}", f"offsetof({struct.name}, {f.name})")
            for f in struct.fields
            if not f.bits
        ]
    rows = "".join(f'    {{"{name}", {value}}},\n' for name, value in facts)
    return (
        f"#include {header}\n#include <stddef.h>\n#include <stdio.h>\n"
        f"static const struct {{ const char *name; size_t value; }} facts[] = {{\n{rows}}};\n"
        "int main(void) {\n    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)\n"
        '        printf("%s %zu\\n", facts[i].name, facts[i].value);\n    return 0;\n}\n'
    )


class HeaderTest(unittest.TestCase):
    """wire/vk_types.h has the layout of the header that Debian installs."""

    def run_probe(self, old: ir.Lock, header: str, *flags: str) -> str:
        with tempfile.TemporaryDirectory() as scratch:
            source, program = pathlib.Path(scratch) / "probe.c", pathlib.Path(scratch) / "probe"
            source.write_text(probe(old, header), encoding="utf-8")
            subprocess.run(
                [ARGS.cc, "-std=c11", "-O0", *flags, str(source), "-o", str(program)], check=True
            )
            return subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout

    def test_layout_is_the_installed_header_s(self) -> None:
        if not ARGS.registry:
            self.skipTest("no vk.xml is installed")
        old = build.build(ROOT / "codegen", pathlib.Path(ARGS.registry))
        lock = lockfile.read_lock(ROOT / "codegen" / locker.LOCK)
        changed = {s.name for s in old.structs if len(s.fields) != len(lock.struct(s.name).fields)}
        self.assertLessEqual(changed, set(OLDER))
        old = lockfile.replace(old, structs=tuple(s for s in old.structs if s.name not in changed))
        theirs = self.run_probe(old, "<vulkan/vulkan_core.h>")
        ours = self.run_probe(old, '"wire/vk_types.h"', "-I", ARGS.gen)
        self.assertGreater(len(theirs.splitlines()), 4000)
        self.assertEqual(theirs, ours)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--registry", default="", help="an installed vk.xml, older than the lock's")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("--gen", required=True, help="the folder with the generated headers")
    known, rest = parser.parse_known_args(namespace=ARGS)
    assert known is ARGS
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
