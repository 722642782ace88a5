"""A headless weston for tests, and pictures of what it shows."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time
from typing import Iterator, Sequence

WIDTH, HEIGHT = 800, 600
# Nothing that fades in or tells the time.
CONFIG = "[shell]\nstartup-animation=none\nanimation=none\npanel-position=none\n"


def environment() -> "dict[str, str]":
    """Without what chooses drivers."""
    not_ours = ("SLUICE_", "VK_", "LIBGL_", "MESA_", "__EGL_VENDOR", "__GLX_VENDOR")
    return {k: v for k, v in os.environ.items() if not k.startswith(not_ours)}


def listens(path: str) -> bool:
    """A socket's name is there before anybody listens at it."""
    with socket.socket(socket.AF_UNIX) as end:
        return end.connect_ex(path) == 0


@contextlib.contextmanager
def weston(
    *more: str, through: "Sequence[str]" = (), renderer: str = "--use-pixman", shell: str = ""
) -> "Iterator[dict[str, str]]":
    """A compositor of our own: the environment that reaches it. more: its options; through: words
    in front of its own; shell: lines of its configuration."""
    with tempfile.TemporaryDirectory() as folder:
        env = dict(environment(), XDG_RUNTIME_DIR=folder, WAYLAND_DISPLAY="wayland-test")
        env.pop("DISPLAY", None)
        words = [*through, "weston", "--backend=headless-backend.so", renderer, "--idle-time=0"]
        words += ["--socket=wayland-test", f"--width={WIDTH}", f"--height={HEIGHT}", *more]
        words += [f"--config={os.path.join(folder, 'weston.ini')}"]
        pathlib.Path(folder, "weston.ini").write_text(CONFIG + shell)
        with open(os.path.join(folder, "log"), "wb") as log:
            server = subprocess.Popen(words, env=env, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not listens(os.path.join(folder, "wayland-test")):
                if server.poll() is not None or time.monotonic() > deadline:
                    said = pathlib.Path(folder, "log").read_text(errors="replace")
                    raise AssertionError(f"weston did not start: {said[-1000:]}")
                time.sleep(0.05)
            yield env
        finally:
            server.terminate()
            server.wait()


def screenshot(env: "dict[str, str]") -> bytes:
    """The PNG file of a weston that was started with --debug. Equal pictures are equal files."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["weston-screenshooter"], cwd=folder, env=env, check=True, timeout=120)
        (file,) = pathlib.Path(folder).glob("*.png")
        return file.read_bytes()
