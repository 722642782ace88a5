"""What `info --check`, `dump` and `replay --backend decode` make of traces that something happened
to: bytes flipped, ends cut off, chunks swapped, as whoever runs the program meets them.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 trace_damage_test.py [-v] [CLASS]

SLUICE_FAULTS=N: N flips, and a tenth of it of the others, instead of a few, by another seed each
time; the long form is 10000.
"""

import os
import random
import resource
import subprocess
import time
import unittest

from trace_bed import SLUICE, TraceBed

FEW = {"flips": 150, "cuts": 60, "swaps": 60}
DAMAGED, INCOMPLETE, OTHER = 5, 6, 4
MEMORY = 1 << 30  # address space: a chunk has 16 MiB at most, several may be looked at
SECONDS = 20  # of one look, beside other work


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


class Damage(TraceBed):
    """Everything is reported, by the right code and in words, within bounds."""

    def setUp(self) -> None:
        count = os.environ.get("SLUICE_FAULTS")
        self.counts = dict.fromkeys(FEW, int(count)) if count else FEW
        self.seed = int(time.time()) if count else 1
        self.random = random.Random(self.seed)
        self.whole = self.any().read_bytes()
        self.verbs = [["info", "--check", "--strict"], ["dump", "--strict", "--keep-going"],
                      ["replay", "--backend", "decode", "--strict"]]  # fmt: skip

    def look(self, words: "list[str]", data: bytes) -> "subprocess.CompletedProcess[bytes]":
        path = self.tmp / "damage.slc"
        path.write_bytes(data)
        return subprocess.run(
            [SLUICE, *words, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            preexec_fn=bounded,
            timeout=10 * SECONDS,
        )

    def reported(self, data: bytes, codes: "tuple[int, ...]", what: str, verbs: int = 1) -> None:
        """The first verb reads every byte and must find it; others may read no such one."""
        for words in self.verbs[:verbs]:
            done = self.look(words, data)
            said = done.stderr.decode(errors="replace")
            where = f"seed {self.seed}: {what}: {words[0]} ends with {done.returncode}: {said}"
            allowed = codes if words[0] == "info" else (0, *codes)
            self.assertIn(done.returncode, allowed, where)
            if done.returncode != 0:
                self.assertIn(f"sluice {words[0]}: ", said, where)

    def test_flipped_bits(self) -> None:
        for i in range(self.counts["flips"]):
            at = self.random.randrange(len(self.whole))
            changed = bytearray(self.whole)
            changed[at] ^= 1 << self.random.randrange(8)
            codes = (DAMAGED, INCOMPLETE, OTHER) if at < 64 else (DAMAGED, INCOMPLETE)
            self.reported(bytes(changed), codes, f"byte {at}", 3 if i % 10 == 0 else 1)

    def test_cuts(self) -> None:
        for i in range(max(self.counts["cuts"] // 10, FEW["cuts"])):
            size = self.random.randrange(len(self.whole))
            codes = (INCOMPLETE,) if size >= 64 else (OTHER, DAMAGED, INCOMPLETE)
            self.reported(self.whole[:size], codes, f"cut at {size}",
                          3 if i % 10 == 0 else 1)  # fmt: skip

    def test_swapped_chunks(self) -> None:
        """Each chunk is whole: that they are not where they were is what is found."""
        chunks = self.chunks(self.whole)
        self.assertGreater(len(chunks), 4)
        for i in range(max(self.counts["swaps"] // 10, FEW["swaps"])):
            (a, a_size, a_kind), (b, b_size, b_kind) = sorted(self.random.sample(chunks, 2))
            if self.whole[a : a + a_size] == self.whole[b : b + b_size]:
                continue
            data = b"".join((
                self.whole[:a], self.whole[b : b + b_size], self.whole[a + a_size : b],
                self.whole[a : a + a_size], self.whole[b + b_size :]))  # fmt: skip
            self.assertEqual(len(self.whole), len(data))
            self.reported(data, (DAMAGED, INCOMPLETE), f"{a_kind!r} at {a} and {b_kind!r} at {b}",
                          3 if i % 10 == 0 else 1)  # fmt: skip

    def test_chunks_twice_or_not_at_all(self) -> None:
        for at, size, kind in self.chunks(self.whole)[:-1]:
            without = self.whole[:at] + self.whole[at + size :]
            twice = self.whole[: at + size] + self.whole[at:]
            for data, what in ((without, "missing"), (twice, "twice")):
                self.reported(data, (DAMAGED, INCOMPLETE), f"{kind!r} at {at} {what}")


if __name__ == "__main__":
    unittest.main()
