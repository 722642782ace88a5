"""Vulkan programs that nobody here wrote, through Sluice against what they say natively.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 programs_test.py [-v] [Class[.test]]

Each difference of vulkaninfo stands in the table below with its reason; any other is a failure. -v
prints the differences with their reasons. A headless weston is started where a Wayland compositor
is needed. VULKAN_PROGRAMS: the folder of the test programs that run below the validation layer,
GLES_PROGRAMS: of those that run on Zink; SLUICE_ICD: our driver's file for the loader.
ISOLATED=1: all of them below one server that gives each a process of its own.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from isolated import isolated  # noqa: E402
from weston import environment, weston  # noqa: E402

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROGRAMS = pathlib.Path(os.environ.get("VULKAN_PROGRAMS", "."))
GLES_PROGRAMS = pathlib.Path(os.environ.get("GLES_PROGRAMS", "."))
START = [SLUICE, "run"]
PATIENCE_S = 200
VALIDATION = "VK_LAYER_KHRONOS_validation"

# Differences of vulkaninfo: the line, below its headings ("Device Extensions/VK_KHR_x : ..."), a -
# in front of what native alone says, a + in front of what comes through Sluice alone; the reason.
DIFFERENCES = [
    (
        r"-.*ERROR: \[Loader Message\] Code 0 : .*",
        "drivers of another processor beside the native one, which the loader leaves out",
    ),
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


# Programs of one area each. (pipeline_parts: the layer follows what dangles in it, natively too.)
AREAS = "compute depth_stencil dynamic_rendering external_memory indirect msaa queries queues"
AREAS += " secondary subpasses triangle ycbcr"


def setUpModule() -> None:
    if "ISOLATED" in os.environ:
        START.extend(["--socket", unittest.enterModuleContext(isolated(SLUICE))])


def run(words: "list[str]", env: "dict[str, str]") -> str:
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(words)} ended with {done.returncode}: {done.stdout[-500:]}"
            f"{done.stderr[-1000:]}"
        )
    return done.stdout + "\n" + done.stderr


def run_zink(words: "list[str]", env: "dict[str, str]") -> str:
    return run([*START, "--zink", "--", *words], env)


def both(words: "list[str]", env: "dict[str, str]") -> "tuple[str, str]":
    return run(words, env), run([*START, "--", *words], env)


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
        run([*START, "--", "vkcube", "--c", "300"], environment())

    def test_on_wayland(self) -> None:
        with weston() as env:
            run([*START, "--", "vkcube-wayland", "--c", "60"], env)


class Ffmpeg(unittest.TestCase):
    """Video filters on Vulkan: the MD5 of every frame is what it is natively."""

    def compare(self, chains: "list[str]", size: str) -> None:
        """Each chain on frames of its own, all of them in one process."""
        parts = [f"[0]format=yuv420p,hwupload,split={len(chains)}"]
        parts[0] += "".join(f"[i{i}]" for i in range(len(chains)))
        parts += [f"[i{i}]{c},hwdownload,format=yuv420p[o{i}]" for i, c in enumerate(chains)]
        words = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error"]
        words += ["-init_hw_device", "vulkan=vk:0", "-filter_hw_device", "vk", "-f", "lavfi"]
        words += ["-i", f"testsrc2=size={size}:rate=25:duration=0.12"]
        words += ["-filter_complex", ";".join(parts)]
        for i in range(len(chains)):
            words += ["-map", f"[o{i}]"]
        words += ["-f", "framemd5", "-"]
        found = []
        for text in both(
            words, environment()
        ):  # which of the outputs is written first is left to ffmpeg
            lines = [line for line in text.splitlines() if re.match(r"\d+,", line)]
            self.assertEqual(3 * len(chains), len(lines), text)
            found.append(sorted(lines))
        self.assertEqual(found[0], found[1])

    def test_filters(self) -> None:
        chains = ["scale_vulkan=w=100:h=76", "gblur_vulkan=sigma=3", "hflip_vulkan"]
        chains += ["transpose_vulkan=dir=clock", "chromaber_vulkan=dist_x=10:dist_y=5"]
        chains += ["libplacebo=w=128:h=96:format=yuv420p"]
        self.compare(chains, "160x120")

    def test_average_blur(self) -> None:
        """A multiple of its workgroups in each plane: of others it reads shared memory that it
        never wrote, natively with what an earlier workgroup left there, here with zeros."""
        self.compare(["avgblur_vulkan=sizeX=5:sizeY=3,hflip_vulkan"], "192x128")


# Once the first frame is shown: what the window has.
MPV_SCRIPT = """
local shown = false
mp.register_event("playback-restart", function()
    if not shown then
        shown = true
        mp.add_timeout(0.2, function()
            mp.commandv("screenshot-to-file", os.getenv("SHOT"), "window")
            mp.command("quit")
        end)
    end
end)
"""


class Mpv(unittest.TestCase):
    def test_window(self) -> None:
        env = environment()
        name = re.search(r"deviceName *= (.*)", run(["vulkaninfo", "--summary"], env))
        assert name is not None
        with tempfile.TemporaryDirectory() as folder:
            video, script = f"{folder}/video.mkv", f"{folder}/shoot.lua"
            pathlib.Path(script).write_text(MPV_SCRIPT)
            make = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi"]
            make += ["-i", "testsrc2=size=320x240:rate=25:duration=0.2", "-c:v", "ffv1", video]
            run(make, env)
            words = ["mpv", "--no-config", "--vo=gpu", "--gpu-api=vulkan", "--ao=null", "--pause"]
            words += [f"--vulkan-device={name.group(1)}", "--osd-level=0", "--no-osc"]
            words += ["--geometry=320x240+0+0", f"--script={script}", video]
            pictures = []
            for start in ([], [*START, "--"]):
                shot = pathlib.Path(folder, f"{len(start)}.png")
                run([*start, *words], dict(env, SHOT=str(shot)))
                pictures.append(shot.read_bytes())
        self.assertGreater(len(pictures[0]), 5000)  # not of one colour
        self.assertEqual(*pictures)


class Zink(unittest.TestCase):
    """GL above our Vulkan gives what it gives above the native one."""

    def setUp(self) -> None:
        self.env = environment()
        show = ["sh", "-c", 'echo "$LIBGL_ALWAYS_SOFTWARE"']
        told = run([*START, "--zink", "--allow-idle", "--", *show], self.env).strip()
        self.native = dict(self.env, MESA_LOADER_DRIVER_OVERRIDE="zink", LIBGL_ALWAYS_SOFTWARE=told)
        self.native["__GLX_VENDOR_LIBRARY_NAME"] = "mesa"

    def compare(self, words: "list[str]", at_least: int) -> str:
        native, ours = run(words, self.native), run_zink(words, self.env)
        self.assertGreaterEqual(len(native.splitlines()), at_least)
        self.assertEqual(native.splitlines(), ours.splitlines())
        return ours

    def test_glxinfo(self) -> None:
        said = self.compare(["glxinfo"], 500)
        self.assertRegex(said, r"OpenGL renderer string: zink \(")

    def test_gles_2_pictures(self) -> None:
        self.compare([str(GLES_PROGRAMS / "gles2_features")], 150)

    def test_gles_3_pictures(self) -> None:
        self.compare([str(GLES_PROGRAMS / "gles3_features")], 150)

    def test_glmark2(self) -> None:
        """It knows some pixels of its scenes itself."""
        words = ["glmark2", "--size", "200x150", "-b", "build", "-b", "texture", "-b", "shading"]
        said = run_zink([*words, "--validate"], self.env)
        self.assertRegex(said, r"GL_RENDERER: +zink \(")
        self.assertEqual(3, said.count("Validation: Success"), said)


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


class ValidationBelow(unittest.TestCase):
    """What a host makes of a recording: the layer between it and the native driver says nothing
    that it does not say of the program alone."""

    def compare(self, words: "list[str]") -> "set[str]":
        """Gives what is said of the replay."""
        env = environment()
        with tempfile.TemporaryDirectory() as folder:
            trace = f"{folder}/trace.slc"
            run([SLUICE, "record", "-o", trace, "--", *words], env)
            replay = [SLUICE, "replay", "--validate", trace]
            done = subprocess.run(replay, env=env, capture_output=True, text=True,
                                  timeout=PATIENCE_S)  # fmt: skip
        self.assertIn("frames ", done.stdout, done.stderr)
        native = messages(run(words, dict(env, VK_INSTANCE_LAYERS=VALIDATION)))
        self.assertEqual(set(), messages(done.stderr) - native, done.stderr)
        self.assertEqual("validation: " in done.stderr, done.returncode == 1, done.stderr)
        return messages(done.stderr)

    def test_programs(self) -> None:
        for name in AREAS.split():
            with self.subTest(name):
                self.compare([str(PROGRAMS / f"vulkan_{name}")])

    def test_windows(self) -> None:
        self.compare(["vkcube", "--c", "20"])

    def test_a_fault_of_the_program(self) -> None:
        """And of its images, which lie in imported memory without saying so, nothing."""
        found = self.compare([str(PROGRAMS / "vulkan_faulty")])
        self.assertEqual({"VUID-vkCmdCopyBuffer-srcBuffer-00118"}, found)


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "-v"])
