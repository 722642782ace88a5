"""Toolkits and a browser, which nobody here wrote, natively and through Sluice: the same pictures.

usage: SLUICE_PROGRAM=build/dev/bin/sluice python3 toolkits_test.py [-v] [Class[.test]]

Each program runs twice natively, so that what is not deterministic is found, and once through
`sluice run`, on an X server of its own. A picture is what stays on the screen.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from xvfb import read_xwd, x_server  # noqa: E402

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PARTS = pathlib.Path(__file__).resolve().parent / "toolkits"
SDL = pathlib.Path("/usr/libexec/installed-tests/SDL2")
PATIENCE_S = 120
STILL_S = 1.5
ELSEWHERE = re.compile(r"sluice run: the program ((used|loaded) another driver|made no context).*")


def variables(more: "dict[str, str]", display: str, folder: str) -> "dict[str, str]":
    ours = ("SLUICE_", "VK_", "LIBGL_", "MESA_", "__EGL_VENDOR", "GALLIUM_", "WAYLAND_")
    env = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return dict(env, DISPLAY=display, HOME=folder, XDG_CONFIG_HOME=folder, **more)


def differing(a: bytes, b: bytes) -> int:
    return sum(a[i : i + 3] != b[i : i + 3] for i in range(0, len(a), 3))


class Screen:
    """A program on a screen of its own until its picture is what is wanted."""

    def __init__(self, words: "list[str]", more: "dict[str, str]", want: "bytes | None") -> None:
        self.said = ""
        with x_server() as (env, screen), tempfile.TemporaryDirectory() as folder:
            gtk = pathlib.Path(folder, "gtk-4.0")
            gtk.mkdir()
            quiet = "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n"
            (gtk / "settings.ini").write_text(quiet)
            empty = read_xwd(screen)[2]
            with open(os.path.join(folder, "said"), "w+") as log:
                program = subprocess.Popen(
                    words, env=variables(more, env["DISPLAY"], folder), stdout=log, stderr=log
                )
                try:
                    self.picture = self.wait(program, screen, empty, want)
                finally:
                    program.terminate()
                    self.code = program.wait()
                    log.seek(0)
                    self.said = log.read()

    @staticmethod
    def wait(
        program: "subprocess.Popen[bytes]", screen: pathlib.Path, empty: bytes, want: "bytes | None"
    ) -> bytes:
        """The wanted picture, or one that stays, the longer the slower all is here: the last one
        when time is over."""
        begin = since = time.monotonic()
        last, still_s = empty, STILL_S
        while time.monotonic() - begin < PATIENCE_S and program.poll() is None:
            now = read_xwd(screen)[2]
            if now != last:
                last, since = now, time.monotonic()
                still_s = max(still_s, since - begin)
            if now == want:
                break
            if want is None and now != empty and time.monotonic() - since > still_s:
                break
            time.sleep(0.1)
        return last


class Toolkit(unittest.TestCase):
    def check(self, done: Screen, want: bytes, name: str) -> None:
        if done.picture != want:
            pixels = differing(done.picture, want)
            self.fail(f"{name}: {pixels} pixels differ from native's; it said: {done.said[-800:]}")

    def same_picture(
        self,
        words: "list[str]",
        more: "dict[str, str] | None" = None,
        options: "tuple[str, ...]" = (),
    ) -> "tuple[Screen, Screen]":
        """Natively and, with these options of `sluice run`, through Sluice."""
        shared = more or {}
        native = Screen(words, shared, None)
        if len(set(native.picture[i : i + 3] for i in range(0, len(native.picture), 3))) < 2:
            self.fail(f"native: there is no picture: {native.said[-800:]}")
        self.check(Screen(words, shared, native.picture), native.picture, "native again")
        ours = Screen([SLUICE, "run", *options, "--", *words], shared, native.picture)
        elsewhere = ELSEWHERE.search(ours.said)
        self.assertIsNone(elsewhere, elsewhere and elsewhere.group())
        self.check(ours, native.picture, "Sluice")
        return native, ours


class Sdl(Toolkit):
    """SDL 2's own programs whose pictures stand still, by its OpenGL ES 2 renderer."""

    MORE = {"SDL_VIDEO_X11_FORCE_EGL": "1", "SDL_RENDER_DRIVER": "opengles2"}

    def draw(self, *words: str) -> None:
        sides = self.same_picture([str(SDL / words[0]), *words[1:]], self.MORE)
        found = [re.search(r"([\d.]+) frames per second", side.said) for side in sides]
        if found[0] is not None and found[1] is not None:
            native, ours = (float(m.group(1)) for m in found if m is not None)
            print(f"{words[0]}: native {native:.0f} fps, Sluice {ours:.0f}: {ours / native:.2f}")

    def test_geometry(self) -> None:
        self.draw("testgeometry")

    def test_textures(self) -> None:
        os.chdir(SDL)
        self.draw("testgeometry", "--use-texture")

    def test_chessboard(self) -> None:
        self.draw("testdrawchessboard")


class Qt(Toolkit):
    def test_quick_scene(self) -> None:
        words = ["/usr/bin/python3", str(PARTS / "quick.py"), str(PARTS / "scene.qml")]
        self.same_picture(words, {"QT_XCB_GL_INTEGRATION": "xcb_egl"})


class Gtk(Toolkit):
    """GTK 4 draws by desktop GL: through Sluice by Zink above our Vulkan."""

    def draw(self, demo: str) -> None:
        shared = {"GDK_BACKEND": "x11", "GSK_RENDERER": "gl", "LIBGL_ALWAYS_SOFTWARE": "1"}
        self.same_picture(["gtk4-demo", f"--run={demo}"], shared, ("--zink",))

    def test_style_classes(self) -> None:
        self.draw("theming_style_classes")

    def test_backgrounds(self) -> None:
        self.draw("css_multiplebgs")


class Godot(Toolkit):
    """A game engine, which draws by desktop GL: through Sluice by Zink above our Vulkan."""

    def test_scene(self) -> None:
        words = ["godot3", "--video-driver", "GLES2", "--audio-driver", "Dummy", "--path"]
        self.same_picture([*words, str(PARTS / "godot")], {}, ("--zink",))


class Love(Toolkit):
    """A game engine on OpenGL ES."""

    def test_scene(self) -> None:
        more = {"LOVE_GRAPHICS_USE_OPENGLES": "1", "SDL_VIDEO_X11_FORCE_EGL": "1"}
        self.same_picture(["love", str(PARTS / "love")], more)


class Vkd3d(Toolkit):
    """Direct3D 12 above our Vulkan."""

    def test_triangle(self) -> None:
        self.same_picture(["vkd3d-triangle"])


class Gstreamer(unittest.TestCase):
    """Its GL elements, each branch of a pipeline on a thread of its own: the same bytes."""

    EFFECTS = "blur bulge fisheye glow heat laplacian mirror sepia sin sobel square squeeze"
    EFFECTS += " stretch tunnel twirl xpro xray"
    FORMATS = "I420 NV12 NV21 YUY2 UYVY AYUV Y42B Y444 RGB16 GRAY8 ARGB"

    def branches(self, folder: pathlib.Path) -> "list[str]":
        words = []
        for name in self.EFFECTS.split():
            words += f"t. ! queue ! glupload ! gleffects_{name} ! gldownload".split()
            words += f"! video/x-raw,format=RGBA ! filesink location={folder}/{name}".split()
        for name in self.FORMATS.split():
            words += f"t. ! queue ! videoconvert ! video/x-raw,format={name} ! glupload".split()
            words += "! glcolorconvert ! video/x-raw(memory:GLMemory),format=RGBA".split()
            words += f"! gldownload ! filesink location={folder}/{name}".split()
        return words

    def frames(self, prefix: "list[str]", display: str) -> "dict[str, bytes]":
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name, "frames")
            folder.mkdir()
            words = "gst-launch-1.0 -q videotestsrc num-buffers=3 pattern=smpte75".split()
            words += "! video/x-raw,width=160,height=120 ! tee name=t".split()
            more = {"GST_GL_PLATFORM": "egl", "GST_GL_API": "gles2"}
            done = subprocess.run(
                [*prefix, *words, *self.branches(folder)],
                env=variables(more, display, name),
                capture_output=True,
                text=True,
                timeout=120,
            )
            self.assertEqual(0, done.returncode, done.stderr[-2000:])
            return {path.name: path.read_bytes() for path in folder.iterdir()}

    def test_effects_and_formats(self) -> None:
        with x_server() as (env, _):
            native = self.frames([], env["DISPLAY"])
            ours = self.frames([SLUICE, "run", "--"], env["DISPLAY"])
        wanted = set(f"{self.EFFECTS} {self.FORMATS}".split())
        self.assertEqual(wanted, {name for name, data in native.items() if data})
        self.assertEqual([], [name for name in sorted(wanted) if native[name] != ours.get(name)])


class Chromium(unittest.TestCase):
    """Headless, its pages and WebGL drawn by ANGLE on OpenGL ES."""

    def screenshot(self, prefix: "list[str]", display: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            picture = pathlib.Path(folder, "page.png")
            words = [*prefix, "chromium", "--headless=new", "--no-sandbox", "--use-gl=angle"]
            words += ["--use-angle=gles-egl", "--ignore-gpu-blocklist", "--disable-gpu-sandbox"]
            words += ["--disable-dev-shm-usage", f"--user-data-dir={folder}/profile"]
            words += ["--window-size=560,400", "--virtual-time-budget=4000"]
            words += [f"--screenshot={picture}", (PARTS / "page.html").as_uri()]
            env = variables({}, display, folder)
            done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120)
            self.assertEqual(0, done.returncode, done.stderr[-2000:])
            self.assertTrue(picture.exists(), done.stderr[-2000:])
            return picture.read_bytes()

    def compare(self, display: str) -> None:
        native = self.screenshot([], display)
        self.assertEqual(native, self.screenshot([], display), "native again")
        self.assertEqual(native, self.screenshot([SLUICE, "run", "--"], display), "Sluice")

    def test_webgl(self) -> None:
        with x_server() as (env, _):
            self.compare(env["DISPLAY"])

    def test_webgl_without_a_screen(self) -> None:
        """It takes EGL's device then."""
        self.compare("")


if __name__ == "__main__":
    unittest.main()
