"""Every function of OpenGL ES and of its extensions, called in a context that was lost: its host
died. What each must answer is the specification's (OpenGL ES 3.2, 2.3.2; GL_KHR_robustness): the
error GL_CONTEXT_LOST, nothing written, nothing waited for, and who polls is told that it is over.

usage: SLUICE_PROGRAM=build/dev/bin/sluice ROBUST=... ROBUST1=... VENDOR_FILE=... \\
       python3 robust_lost_test.py
"""

import os
import subprocess
import unittest

from cli_bed import PATIENCE_S, Case
from refused_test import calls_of

VENDOR_FILE = os.environ.get("VENDOR_FILE", "")
PROGRAMS = {1: os.environ.get("ROBUST1", ""), 2: os.environ.get("ROBUST", "")}
LOST, UNKNOWN_RESET = "507", "8255"
SYNC_STATUS, SIGNALED, ALREADY_SIGNALED, RESULT_AVAILABLE = "9114", "9119", "911a", "8867"
# Those work on.
STATUS = ("glGetError", "glGetGraphicsResetStatus")
# Those say that there is none.
NONE = {"glGetAttribLocation": "f" * 16, "glGetUniformLocation": "f" * 16}
LEAST = {1: 100, 2: 300, 3: 300}  # functions


def written_by(call: str) -> bool:
    """Is it one that who polls is answered by?"""
    name, *words = call.split(" = ")[0].split()
    return (name == "glGetSynciv" and SYNC_STATUS in words[1:2]) or (
        name.startswith("glGetQueryObject") and RESULT_AVAILABLE in words[1:2]
    )


def wrong(call: str, error: str, written: str) -> bool:
    """call: with what it returned."""
    name, returned = call.split()[0], call.rpartition(" = ")[2]
    if name.startswith(STATUS):
        return (returned, error, written) != ("0", "0", "")
    if written and not written_by(call):
        return True
    wants = ALREADY_SIGNALED if name.startswith("glClientWaitSync") else NONE.get(name, "0")
    return (returned, error) != (wants, LOST)


class Lost(Case):
    def lines_of(self, version: int) -> "list[str]":
        """What the program says, its host dying when it asks for that."""
        server, path, status = self.start_served("serve")
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        with status:
            self.assertEqual("listening\n", status.readline())
            self.assertTrue(status.readline().startswith("ready "))
        self.env.update(SLUICE_SOCKET=path, __EGL_VENDOR_LIBRARY_FILENAMES=VENDOR_FILE)
        program = subprocess.Popen(
            [PROGRAMS[min(version, 2)], "--version", str(version), "--scene", "lost"],
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(program.kill)
        assert program.stdout is not None
        self.assertEqual("lose\n", program.stdout.readline())
        server.kill()
        server.wait()
        out, err = program.communicate("lost\n", PATIENCE_S)
        self.assertEqual(0, program.returncode, f"{out[-500:]} {err}")
        lines: "list[str]" = out.splitlines()
        return lines

    def look_at(self, version: int) -> None:
        lines = self.lines_of(version)
        calls = calls_of([line for line in lines if line.startswith("gl")])
        problems = [f"{c}: {e}, {w}" for c, e, w in calls if wrong(c, e, w)]
        self.assertFalse(problems, "\n".join(problems[:50]))
        names = {call.split()[0] for call, _, _ in calls}
        self.assertGreater(len(names), LEAST[version])
        told = [line for line in lines if not line.startswith("gl")]
        wanted = [
            f"told {UNKNOWN_RESET if version > 1 else LOST}, then 0",
            f"error {LOST}, then 0",
        ]
        if version == 3:
            wanted += [f"sync {SIGNALED}: {LOST}", f"wait {ALREADY_SIGNALED}: {LOST}"]
            wanted += [f"available 1: {LOST}", f"result 7: {LOST}"]
        self.assertEqual(wanted + [f"finished {LOST}", f"text 0: {LOST}"], told)

    def test_every_function_of_version_1(self) -> None:
        self.look_at(1)

    def test_every_function_of_version_2(self) -> None:
        self.look_at(2)

    def test_every_function_of_version_3(self) -> None:
        self.look_at(3)


if __name__ == "__main__":
    unittest.main()
