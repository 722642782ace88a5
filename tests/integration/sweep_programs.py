"""The programs that sweep_test.py cuts, and what each needs around it."""

from __future__ import annotations

import dataclasses
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "bench"))

from glmark2_table import BENCHMARKS  # noqa: E402

TOOLKITS = TESTS / "integration" / "toolkits"
BENCH = TESTS / "bench" / "programs"
SDL = "/usr/libexec/installed-tests/SDL2"
PIGLIT = "/usr/lib/x86_64-linux-gnu/piglit/bin"


@dataclasses.dataclass
class Program:
    """words: its command; FOLDER in one, or in more, stands for a fresh folder. screen: x11 or
    wayland."""

    name: str
    words: "list[str]"
    screen: str = "x11"
    more: "dict[str, str]" = dataclasses.field(default_factory=dict)
    options: "tuple[str, ...]" = ()
    folder: str = "/"

    def needs(self) -> str:
        return self.words[0]


def glmark2(program: str, scene: str, *more: str) -> "list[str]":
    return [program, *more, "--size", "320x240", "-b", f"{scene}:duration=1000"]


def scenes() -> "list[Program]":
    found = []
    for number, scene in enumerate(BENCHMARKS):
        name = f"glmark2 {number:02} {scene.split(':')[0]}"
        found.append(Program(name, glmark2("glmark2-es2", scene)))
    return found


FORCE_EGL = {"SDL_VIDEO_X11_FORCE_EGL": "1", "SDL_RENDER_DRIVER": "opengles2"}
ZINK = ("--zink",)
CHROMIUM = (
    "chromium --no-sandbox --no-first-run --window-size=560,400 --use-gl=angle"
    " --use-angle=gles-egl --disable-gpu-sandbox"
    " --ignore-gpu-blocklist --disable-dev-shm-usage --disable-frame-rate-limit"
    " --disable-gpu-vsync --user-data-dir=FOLDER/profile"
).split()
MPV = (
    "mpv --no-config --no-audio --no-terminal --no-osc --loop=inf --untimed"
    " av://lavfi:testsrc2=size=320x240:rate=30 --vo=gpu"
).split()
GTK = {"GDK_BACKEND": "x11", "GSK_RENDERER": "gl"}
GODOT = ["godot3", "--audio-driver", "Dummy", "--path", str(TOOLKITS / "godot"), "--video-driver"]

# A compositor that draws by GL in a window, and a client that is not recorded by itself.
WESTON = (
    "(sleep 2; WAYLAND_DISPLAY=sweep exec weston-simple-egl) &"
    " exec weston --backend=x11-backend.so --width=400 --height=300 --idle-time=0 --socket=sweep"
)


def sdl(name: str, *more: str) -> Program:
    return Program(f"SDL {name}", [f"{SDL}/{name}", *more], more=FORCE_EGL, folder=SDL)


def mpv(api: str, *more: str) -> Program:
    es = " ES" if "--opengl-es=yes" in more else ""
    return Program(f"mpv {api}{es}", [*MPV, f"--gpu-api={api}", *more])


def zink(name: str, words: "list[str]", more: "dict[str, str] | None" = None) -> Program:
    return Program(f"{name} Zink", words, more=more or {}, options=ZINK)


PROGRAMS = [
    *scenes(),
    Program("glmark2 wayland", glmark2("glmark2-es2-wayland", "build"), "wayland"),
    Program("glmark2 samples", glmark2("glmark2-es2", "build", "--visual-config", "samples=4")),
    Program("es2gears x11", ["es2gears_x11"]),
    Program("es2gears wayland", ["es2gears_wayland"], "wayland"),
    sdl("testgles2"),
    sdl("testsprite2"),
    sdl("testgeometry", "--use-texture"),
    sdl("testdraw2"),
    sdl("testdrawchessboard"),
    sdl("testscale"),
    sdl("testrendertarget"),
    sdl("testrendercopyex"),
    sdl("testviewport"),
    sdl("testintersections"),
    sdl("teststreaming"),
    sdl("testspriteminimal"),
    Program("SDL testvulkan", [f"{SDL}/testvulkan"], folder=SDL),
    Program(
        "Qt Quick",
        ["/usr/bin/python3", str(TOOLKITS / "quick.py"), str(TOOLKITS / "scene.qml"), "--frames"],
        more={"QT_XCB_GL_INTEGRATION": "xcb_egl", "QSG_RENDER_LOOP": "basic"},
    ),
    Program("Chromium WebGL", [*CHROMIUM, (BENCH / "webgl.html").as_uri()]),
    Program("weston", ["sh", "-c", WESTON], more={"XDG_RUNTIME_DIR": "FOLDER"}),
    Program("vkcube", ["vkcube"]),
    Program("vkcube wayland", ["vkcube-wayland"], "wayland"),
    mpv("opengl", "--gpu-context=x11egl"),
    mpv("opengl", "--gpu-context=x11egl", "--opengl-es=yes"),
    mpv("vulkan", "--gpu-context=x11vk", "--vulkan-device=llvmpipe (LLVM 15.0.6, 256 bits)"),
    zink("glxgears", ["glxgears"]),
    zink("glmark2 build", glmark2("glmark2", "build")),
    zink("glmark2 terrain", glmark2("glmark2", "terrain")),
    zink("glmark2 desktop", glmark2("glmark2", "desktop:effect=shadow:windows=4")),
    zink("glmark2 buffer", glmark2("glmark2", "buffer:update-method=map")),
    zink("glmark2 ideas", glmark2("glmark2", "ideas:speed=duration")),
    zink("glmark2 shadow", glmark2("glmark2", "shadow")),
    zink("glmark2 refract", glmark2("glmark2", "refract")),
    zink("GTK 4", ["/usr/bin/python3", str(BENCH / "gtk_scene.py")], GTK),
    zink("godot3 GLES2", [*GODOT, "GLES2"]),
    zink("godot3 GLES3", [*GODOT, "GLES3"]),
    zink("neverball", ["/usr/games/neverball"]),
    zink("extremetuxracer", ["/usr/games/etr"]),
    zink("SDL testgl2", [f"{SDL}/testgl2"]),
]

# What the usual run of the tests cuts.
SHORT = [
    "glmark2 15 desktop",
    "glmark2 22 terrain",
    "SDL testrendertarget",
    "weston",
    "vkcube",
    "glxgears Zink",
]
