"""Vulkan programs that nobody here wrote, through Sluice against what they say natively.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 programs_test.py [-v] [Class[.test]]

Each difference of vulkaninfo stands in the table below with its reason; any other is a failure. -v
prints the differences with their reasons. A headless weston is started where a Wayland compositor
is needed. VULKAN_PROGRAMS: the folder of the test programs that run below the validation layer;
SLUICE_ICD: our driver's file for the loader.
"""

import contextlib
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Iterator

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROGRAMS = pathlib.Path(os.environ.get("VULKAN_PROGRAMS", "."))
PATIENCE_S = 200
VALIDATION = "VK_LAYER_KHRONOS_validation"

# Differences of vulkaninfo: the line, below its headings ("Device Extensions/VK_KHR_x : ..."), a -
# in front of what native alone says, a + in front of what comes through Sluice alone; the reason.
DIFFERENCES = [
    (r"[-+](Instance|Device) Extensions: count = \d+", "the count of those below"),
    (
        r"\+Instance Extensions/VK_EXT_headless_surface : .*",
        "the guest presents nowhere by itself; Mesa 22.3 has no such surface",
    ),
    (
        r"-Instance Extensions/VK_EXT_acquire_xlib_display : .*",
        "screens without a window system are the host's",
    ),
    (
        r"-(Device Extensions/VK_EXT_external_memory_host : .*"
        r"|VkPhysicalDeviceExternalMemoryHostPropertiesEXT:.*)",
        "a host cannot import the guest's own pages",
    ),
]


def environment() -> "dict[str, str]":
    return {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "VK_"))}


def run(words: "list[str]", env: "dict[str, str]") -> str:
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(words)} ended with {done.returncode}: {done.stdout[-500:]}"
            f"{done.stderr[-1000:]}"
        )
    return done.stdout + "\n" + done.stderr


def both(words: "list[str]", env: "dict[str, str]") -> "tuple[str, str]":
    return run(words, env), run([SLUICE, "run", "--", *words], env)


@contextlib.contextmanager
def weston() -> "Iterator[dict[str, str]]":
    """A headless compositor of our own: the environment that reaches it."""
    with tempfile.TemporaryDirectory() as folder:
        env = dict(environment(), XDG_RUNTIME_DIR=folder, WAYLAND_DISPLAY="wayland-test")
        env.pop("DISPLAY", None)
        words = ["weston", "--backend=headless-backend.so", "--use-pixman", "--idle-time=0"]
        words += ["--socket=wayland-test", "--width=800", "--height=600"]
        with open(os.path.join(folder, "log"), "wb") as log:
            server = subprocess.Popen(words, env=env, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while not os.path.exists(os.path.join(folder, "wayland-test")):
                if server.poll() is not None or time.monotonic() > deadline:
                    said = pathlib.Path(folder, "log").read_text(errors="replace")
                    raise AssertionError(f"weston did not start: {said[-1000:]}")
                time.sleep(0.05)
            yield env
        finally:
            server.terminate()
            server.wait()


def qualified(text: str) -> "list[str]":
    """vulkaninfo's lines below their headings: indented lines belong to the last line that is
    indented less, and a line of = or - below a line makes that a heading. Runs of blanks are one:
    how wide a column is depends on its other lines."""
    found: "list[str]" = []
    lines = text.splitlines()
    headings: "list[tuple[int, str]]" = []
    for at, line in enumerate(lines):
        words = " ".join(line.split())
        if not words or re.fullmatch(r"[=-]+", words):
            continue
        below = lines[at + 1].strip() if at + 1 < len(lines) else ""
        is_heading = (len(below) > 2 and re.fullmatch(r"=+|-+", below) is not None) or (
            not line.startswith("\t") and re.search(r": count = \d+$", words) is not None
        )
        depth = 2 * (len(line) - len(line.lstrip())) + (0 if is_heading else 1)
        while headings and headings[-1][0] >= depth:
            headings.pop()
        found.append("/".join([heading for _, heading in headings] + [words]))
        headings.append((depth, re.sub(r": count = \d+", "", words)))
    return found


class Vulkaninfo(unittest.TestCase):
    def compare(self, env: "dict[str, str]") -> None:
        native, ours = (qualified(text) for text in both(["vulkaninfo"], env))
        self.assertGreater(len(native), 300)
        unexplained = []
        for line in difflib.unified_diff(native, ours, n=0, lineterm=""):
            if line.startswith(("---", "+++", "@@")):
                continue
            reason = next((why for what, why in DIFFERENCES if re.fullmatch(what, line)), None)
            if reason is None:
                unexplained.append(line)
            elif "-v" in sys.argv:
                print(f"  {line}: {reason}")
        text = "\n".join(unexplained)
        self.assertFalse(unexplained, f"differences that nothing explains:\n{text}")

    def test_on_x11(self) -> None:
        self.compare(environment())

    def test_on_wayland(self) -> None:
        with weston() as env:
            self.compare(env)


class Beside(unittest.TestCase):
    """Our driver installed beside others, the program not told of a host."""

    def said(self, **more: str) -> str:
        env = dict(environment(), VK_ADD_DRIVER_FILES=os.environ["SLUICE_ICD"], **more)
        text = run(["vulkaninfo", "--summary"], env)
        self.assertIn("llvmpipe", text)
        return text

    def test_silent_where_no_host_is_meant(self) -> None:
        self.assertNotIn("sluice", self.said())

    def test_a_missing_host_is_told_once(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            text = self.said(SLUICE_SOCKET=f"{folder}/none")
        self.assertEqual(1, text.count("sluice: error"), text)


class Vkcube(unittest.TestCase):
    def test_on_x11(self) -> None:
        run([SLUICE, "run", "--", "vkcube", "--c", "300"], environment())

    def test_on_wayland(self) -> None:
        with weston() as env:
            run([SLUICE, "run", "--", "vkcube-wayland", "--c", "60"], env)


def messages(text: str) -> "set[str]":
    """What the validation layer complained of, by name."""
    return set(re.findall(r"\b(?:VUID|UNASSIGNED|BestPractices|SYNC)-[\w-]+", text))


class Validation(unittest.TestCase):
    """The validation layer above us says nothing that it does not say above native."""

    def compare(self, words: "list[str]", env: "dict[str, str]") -> None:
        native, ours = (messages(text) for text in both(words, env))
        self.assertEqual(set(), ours - native, " ".join(words))

    def test_vkcube(self) -> None:
        env = dict(environment(), VK_INSTANCE_LAYERS=VALIDATION)
        self.compare(["vkcube", "--c", "50"], env)

    def test_vkcube_wayland(self) -> None:
        with weston() as env:
            env["VK_INSTANCE_LAYERS"] = VALIDATION
            self.compare(["vkcube-wayland", "--c", "10"], env)

    def test_programs(self) -> None:
        env = dict(environment(), VK_INSTANCE_LAYERS=VALIDATION)
        names = ("msaa", "subpasses", "dynamic_rendering", "secondary", "timeline", "queues")
        for name in names + ("update_templates", "queries", "external_memory"):
            self.compare([str(PROGRAMS / f"vulkan_{name}")], env)

    def test_layer_is_there(self) -> None:
        """Else all of the above would compare nothing."""
        env = dict(environment(), VK_INSTANCE_LAYERS=VALIDATION, VK_LOADER_DEBUG="layer")
        said = run([str(PROGRAMS / "vulkan_compute")], env)
        self.assertIn(f'Insert instance layer "{VALIDATION}"', said)


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "-v"])
