"""Stock drivers' packets, read and written by the lock alone.

tests/data/golden/vulkan.txt: what Mesa 25.0.7 and 26.2.6 sent and were answered, a line each:
call, who sent it, bytes, reply or "-"; "00*12." stands for twelve bytes 00. A call may be
`substream:NAME` (a recorded command) or `struct:NAME` (one link of a chain).
"""

import pathlib
import re
import sys
import unittest
from typing import Iterator, NamedTuple, Optional

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "data" / "golden" / "vulkan.txt"
sys.path.insert(0, str(ROOT / "codegen"))

from sluicegen.vk import coder, lockfile  # noqa: E402

# As many as the recordings hold, so that none is passed over.
REQUESTS, STAGED, REPLIES, STRUCTS = 2180, 215, 1602, 371
# Sent by Android's builds alone, whose extension the registry disables: refused by name.
ANDROID = ("VkSwapchainImageCreateInfoANDROID", "VkPhysicalDevicePresentationPropertiesANDROID")


class Line(NamedTuple):
    kind: str
    name: str
    data: bytes
    reply: Optional[bytes]


def unpacked(text: str) -> bytes:
    runs = re.sub(r"(..)\*(\d+)\.", lambda m: m.group(1) * int(m.group(2)), text)
    return bytes.fromhex(runs)


def lines() -> Iterator[Line]:
    for line in GOLDEN.read_text().splitlines():
        call, _, data, reply = line.split()
        kind, _, name = call.rpartition(":")
        yield Line(kind, name, unpacked(data), None if reply == "-" else unpacked(reply))


class Golden(unittest.TestCase):
    coder: coder.Coder

    @classmethod
    def setUpClass(cls) -> None:
        cls.coder = coder.Coder(lockfile.read_lock(ROOT / "codegen" / "lock" / "vulkan.lock"))

    def check_struct(self, line: Line) -> None:
        reader = coder.Reader(line.data)
        if line.name in ANDROID:
            with self.assertRaisesRegex(coder.WireError, "is unknown"):
                self.coder.read_chain(reader)
            return
        (link,) = self.coder.read_chain(reader)
        assert isinstance(link, coder.Chain) and link.tree.struct is not None
        self.assertEqual(0, reader.left)
        self.assertEqual(self.coder.lock.resolve(line.name), link.tree.struct.name)
        self.assertEqual(link.tree.struct.size_word, link.size_word)
        out = bytearray()
        self.coder.write_chain([link], out)
        self.assertEqual(line.data, bytes(out))

    def check_request(self, line: Line) -> None:
        command, number, tree = self.coder.read_request(line.data)
        self.assertEqual((line.name, line.kind == "substream"), (command.name, number is None))
        self.assertEqual(line.data, self.coder.write_request(command, number, tree))
        if line.reply is not None:
            self.assertTrue(self.coder.lock.layout_of(command).has_reply)
            outputs, result = self.coder.read_reply(command, tree, line.reply)
            self.assertEqual(line.reply, self.coder.write_reply(command, outputs, result))

    def test_every_packet_and_reply(self) -> None:
        counts = {"": 0, "substream": 0, "struct": 0, "replies": 0}
        for number, line in enumerate(lines(), 1):
            with self.subTest(line=number, name=line.name):
                (self.check_struct if line.kind == "struct" else self.check_request)(line)
                counts[line.kind] += 1
                counts["replies"] += line.reply is not None
        self.assertEqual((REQUESTS, STAGED), (counts[""], counts["substream"]))
        self.assertEqual((STRUCTS + len(ANDROID), REPLIES), (counts["struct"], counts["replies"]))

    def test_every_cut_is_noticed(self) -> None:
        for line in lines():
            if line.kind != "struct" and len(line.data) <= 400:
                for size in {len(line.data) - 1, len(line.data) // 2 + 4} - {len(line.data)}:
                    with self.subTest(name=line.name, size=size):
                        cut = line.data[:4] + size.to_bytes(4, "little") + line.data[8:size]
                        with self.assertRaises(coder.WireError):
                            self.coder.read_request(cut)

    def test_unknown_structs_and_opcodes_are_refused(self) -> None:
        with self.assertRaisesRegex(coder.WireError, "sType 4711 is unknown"):
            self.coder.read_chain(coder.Reader(b"\0\0\0\x10" + (4711).to_bytes(4, "little")))
        with self.assertRaisesRegex(coder.WireError, "opcode 30000 is unknown"):
            self.coder.read_request((30000).to_bytes(4, "little") + (8).to_bytes(4, "little"))


if __name__ == "__main__":
    unittest.main()
