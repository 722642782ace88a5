"""What es2_info, eglinfo and es2gears_x11 say through Sluice against what they say natively.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 info_test.py [-v] [Class[.test]]

Each kind of difference stands in one of the tables below with its reason; any other is a failure.
For extensions of
GLES the reasons are those of codegen/policy/extensions.csv. -v prints the differences with their
reasons.
"""

import contextlib
import csv
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time
import unittest
from typing import Dict

from weston import weston

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
EXTENSIONS = pathlib.Path(__file__).resolve().parents[2] / "codegen" / "policy" / "extensions.csv"
PATIENCE_S = 120
FRAMES = 100

# Lines that say something else: (what Sluice says, why).
LINES = {
    "EGL vendor": (r"Sluice", "the vendor library is ours"),
    "EGL client APIs": (r"OpenGL_ES", "desktop GL has no wire"),
    "EGL driver name": ("sluice", "the driver is ours"),
}
# Extensions of EGL that native has and we do not.
EGL_MISSING = {
    "EGL_ANGLE_sync_control_rate": "presentation is not paced by a display",
    "EGL_KHR_cl_event2": "there is no OpenCL",
    "EGL_MESA_drm_image": "names of DRM buffers mean nothing on another machine",
}
# Extensions that we have and native has not.
KEPT = "the host surface keeps its picture over a swap; Mesa's software windows do not say so"
DAMAGE = "a Wayland compositor is told what changed; Mesa's software windows do not ask"
MORE = {
    "EGL_EXT_buffer_age": KEPT,
    "EGL_EXT_swap_buffers_with_damage": DAMAGE,
    "EGL_KHR_partial_update": KEPT,
    "EGL_KHR_swap_buffers_with_damage": DAMAGE,
    "GL_OES_EGL_image_external_essl3": "the guest turns external textures into 2D ones, in ESSL "
    "3, too",
}
# Configurations.
CONFIG_API = "not renderable as gl: desktop GL has no wire"
CONFIG_DEEP_VISUAL = (
    "with alpha on a 32 bits deep visual, too, which Mesa's software windows leave out"
)


def run(words: "list[str]", codes: "tuple[int, ...]", env: "Dict[str, str]") -> str:
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode not in codes:
        raise AssertionError(
            f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}"
        )
    return done.stdout


def both(words: "list[str]", more: "Dict[str, str]") -> "tuple[str, str]":
    """eglinfo's code is the count of platforms that do not work: one, GBM, where there is no DRM
    device. more: variables of the environment."""
    env = dict(os.environ, **more)
    return run(words, (0, 1), env), run([SLUICE, "run", "--"] + words, (0, 1), env)


def policy() -> "dict[str, str]":
    """GLES extensions and why they are not offered; an empty reason: offered where the host has
    it."""
    with EXTENSIONS.open(newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file)}


class Case(unittest.TestCase):
    """Collects differences; one without a reason is a failure."""

    def setUp(self) -> None:
        self.policy = policy()

    def explain(self, what: str, reason: str) -> None:
        self.assertTrue(reason, f"a difference that nothing explains: {what}")
        if "-v" in sys.argv:
            print(f"  {what}: {reason}")

    def line(self, name: str, native: str, ours: str) -> None:
        if native != ours:
            want, reason = LINES.get(name, (None, ""))
            self.explain(f"{name}: '{native}', through Sluice '{ours}'", reason)
            self.assertTrue(
                ours == "" if want is None else re.fullmatch(want, ours), f"{name}: '{ours}'"
            )

    def extensions(self, native: "set[str]", ours: "set[str]") -> None:
        self.assertEqual(bool(native), bool(ours))  # none: the platform does not work
        for name in sorted(native - ours):
            reason = (
                EGL_MISSING.get(name, "")
                if name.startswith("EGL_")
                else self.policy.get(name, "unknown to codegen")
            )
            self.explain(f"{name} is missing", reason)
        for name in sorted(ours - native):
            self.explain(f"{name} is more than native has", MORE.get(name, ""))


def values(text: str) -> "dict[str, str]":
    """es2_info's `NAME: value`, a list going on in indented lines."""
    found: "dict[str, str]" = {}
    name = ""
    for line in text.splitlines():
        head = re.match(r"(\w+): *(.*)", line)
        if head is not None:
            name = head.group(1)
            found[name] = head.group(2).strip()
        elif name and line.startswith(" "):
            found[name] += " " + line.strip()
    return found


class Es2Info(Case):
    def test_says_what_native_says(self) -> None:
        native, ours = (values(text) for text in both(["es2_info"], {}))
        self.assertEqual(native.keys(), ours.keys())
        names = {
            "EGL_VENDOR": "EGL vendor",
            "EGL_CLIENT_APIS": "EGL client APIs",
            "GL_VERSION": "GL version",
        }
        for key in native:
            if key.endswith("EXTENSIONS"):
                self.extensions(
                    *(
                        {word for word in re.split(r"[,\s]+", side[key]) if word}
                        for side in (native, ours)
                    )
                )
            else:
                self.line(names.get(key, key), native[key], ours[key])


class Platform:
    """A section of eglinfo's output."""

    def __init__(self, lines: "list[str]") -> None:
        self.values: "dict[str, str]" = {}
        self.extensions: "set[str]" = set()
        self.configs: "list[dict[str, str]]" = []
        header = ""
        for line in lines:
            head = re.match(r"(EGL [\w ]+?)(?: string)?: *(.*)", line)
            if line.startswith("    EGL_"):
                self.extensions.update(line.split())
            elif line.startswith("  id sz"):
                header = line
            elif line.startswith("0x"):
                self.configs.append(self.config(header, line))
            elif head is not None:
                self.values[head.group(1)] = head.group(2).strip()

    @staticmethod
    def config(header: str, line: str) -> "dict[str, str]":
        api = header.index(" gl ") + 1
        surfaces = header.index(" surfaces")
        visual = header.index(" id ", 5) - 2
        return {
            "color": line[4:visual],
            "visual": line[visual : visual + 7],
            "rest": line[visual + 7 : api].strip(),
            "apis": " ".join(
                name
                for name, at in (("gl", api), ("es", api + 3), ("es2", api + 6))
                if line[at : at + 2].strip()
            ),
            "surfaces": line[surfaces:].strip(),
        }


def platforms(text: str) -> "dict[str, Platform]":
    """By name; the client extensions under ''."""
    parts = re.split(r"^(\w+) platform:$", text, flags=re.M)
    found = {"": Platform(parts[0].splitlines())}
    for name, part in zip(parts[1::2], parts[2::2]):
        found[name] = Platform(part.splitlines())
    return found


class EglInfo(Case):
    def configs(self, native: "list[dict[str, str]]", ours: "list[dict[str, str]]") -> None:
        self.assertTrue(native and ours)
        said = set()
        wanted = []
        for config in native:
            apis = " ".join(api for api in config["apis"].split() if api != "gl")
            if config["apis"] != apis:
                said.add(CONFIG_API)
            wanted.append(dict(config, apis=apis))
        for config in wanted:
            self.assertIn(config, ours)
        for config in ours:
            if config not in wanted:
                said.add(CONFIG_DEEP_VISUAL)
                self.assertIn(dict(config, visual=""), [dict(other, visual="") for other in wanted])
        for reason in sorted(said):
            self.explain("configurations", reason)

    def test_says_what_native_says(self) -> None:
        with weston() as compositor:
            names = ("XDG_RUNTIME_DIR", "WAYLAND_DISPLAY")
            said = both(["eglinfo"], {name: compositor[name] for name in names})
        native, ours = (platforms(text) for text in said)
        for name in ("Device", "Surfaceless", "Wayland", "X11"):
            self.assertIn(name, ours)
        self.assertEqual(ours.keys(), native.keys())
        for name, section in native.items():
            self.extensions(section.extensions, ours[name].extensions)
            for key, value in section.values.items():
                self.line(key, value, ours[name].values.get(key, ""))
            if section.configs or ours[name].configs:
                self.configs(section.configs, ours[name].configs)


class Gears(unittest.TestCase):
    """It says how many frames it drew every five seconds, and runs until it is told to end."""

    def test_draws_frames(self) -> None:
        self.watch("es2gears_x11", dict(os.environ))

    def test_draws_frames_on_wayland(self) -> None:
        with weston() as env:
            self.watch("es2gears_wayland", env)

    def watch(self, name: str, env: "Dict[str, str]") -> None:
        ours, its = os.pipe()
        line_by_line = ["stdbuf", "-oL"]  # to a pipe it would say nothing for long
        program = subprocess.Popen(
            [SLUICE, "run", "--", *line_by_line, name],
            env=env,
            stdout=its,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        os.close(its)
        said = ""
        deadline = time.monotonic() + PATIENCE_S
        while self.frames(said) < FRAMES and program.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 1)[0]:
                with contextlib.suppress(OSError):  # it ended
                    said += os.read(ours, 4096).decode()
        program.terminate()
        self.assertEqual(128 + signal.SIGTERM, program.wait(PATIENCE_S), said)
        os.close(ours)
        self.assertGreaterEqual(self.frames(said), FRAMES, said)

    @staticmethod
    def frames(said: str) -> int:
        return sum(int(count) for count in re.findall(r"^(\d+) frames in ", said, re.M))


if __name__ == "__main__":
    unittest.main()
