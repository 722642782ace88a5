"""What the tests of the sluice program from outside have in common."""

import os
import pathlib
import subprocess
import tempfile
import time
import unittest
from typing import Any, Callable

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROBE = os.environ.get("PROBE_PROGRAM", "probe_program")
PATIENCE_S = 60


def state_of(pid: int) -> str:
    """R, S, T, Z ...; empty when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def blocks(pid: int, number: int) -> bool:
    """Has the process taken the signal's handling into its own hands?"""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    mask = next(int(l.split()[1], 16) for l in text.splitlines() if l.startswith("SigBlk:"))
    return bool(mask >> (number - 1) & 1)


def wait_for(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.01)
    return False


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.tmp = pathlib.Path(self.folder.name)
        self.env = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("SLUICE_") and k != "XDG_RUNTIME_DIR"
        }
        self.env["TMPDIR"] = str(self.tmp)

    def tearDown(self) -> None:
        left = sorted(path.name for path in self.tmp.glob("sluice-*"))
        self.folder.cleanup()
        self.assertEqual([], left, "a private directory was left behind")

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[str]":
        options: dict[str, Any] = {
            "env": self.env,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }
        options.update(more)
        return subprocess.Popen([SLUICE, *words], **options)

    def run_sluice(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        stdin = more.pop("input", None)
        process = self.start(
            *words, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL, **more
        )
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f"sluice {' '.join(words)} did not end")
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def refused(self, code: int, *words: str, says: str, **more: Any) -> None:
        """Ends with this code and one line that says this."""
        done = self.run_sluice(*words, **more)
        own = [line for line in done.stderr.splitlines() if line.startswith(f"sluice {words[0]}: ")]
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertTrue(own and says in " ".join(own), f"want {says!r} in: {done.stderr}")
        self.assertLessEqual(len(own), 2, done.stderr)

    def start_served(self, verb: str, *words: str) -> tuple["subprocess.Popen[str]", str, Any]:
        """serve or device: the process, its socket's path, what it says of its state."""
        path = str(self.tmp / "s")
        reader, writer = os.pipe()
        process = self.start(
            verb, "-q", "--socket", path, "--status-fd", str(writer), *words, pass_fds=[writer]
        )
        os.close(writer)
        return process, path, os.fdopen(reader)
