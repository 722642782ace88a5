"""What the guest shows on its display: its console, a desktop, another size, the cursor."""

from __future__ import annotations

import subprocess
import time
from typing import Callable, List, Optional, Tuple

import picture
from cases import Case, Guest, Setup, need
from picture import Picture

PATIENCE_S = 120


def screenshot(guest: Guest, *options: str) -> Optional[Picture]:
    """None: nothing is shown."""
    target = guest.share / "screenshot.png"
    command = [str(guest.setup.sluice), "screenshot", "--quiet", "--force", "-o", str(target)]
    done = subprocess.run(
        [*command, *options, str(guest.device.socket)], capture_output=True, timeout=60
    )
    return picture.read(target) if done.returncode == 0 else None


def display(guest: Guest, *options: str) -> None:
    command = [str(guest.setup.sluice), "display", *options, str(guest.device.socket)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    need(done.returncode == 0, f"sluice display {options}: {done.stderr.decode()}")


def until(guest: Guest, what: str, found: Callable[[], bool]) -> None:
    """Waits for what a guest does in its own time."""
    started = time.monotonic()
    while not found():
        waited = time.monotonic() - started
        need(guest.machine.is_on(), f"{what}: the guest ended:\n{guest.said()}")
        need(waited < PATIENCE_S, f"{what}: not in {PATIENCE_S} s:\n{guest.said()}")
        time.sleep(0.3)


# The console's font as its driver has it: width, height, then 32 lines a glyph.
FONT = r"""
cat > font.py <<'END'
import array, fcntl, struct, sys
GET, KDFONTOP, GLYPHS = 1, 0x4B72, 512
font = array.array("B", bytes(32 * 4 * GLYPHS))
op = bytearray(struct.pack("5I4xP", GET, 0, 32, 32, GLYPHS, font.buffer_info()[0]))
with open("/dev/tty1", "rb") as console:
    fcntl.ioctl(console, KDFONTOP, op, True)
width, height = struct.unpack_from("5I", op)[2:4]
sys.stdout.buffer.write(struct.pack("2I", width, height) + font.tobytes())
END
"""
TEXT = "Sluice shows a console: 0123 ABC xyz {}"
GREY, BLUE, BLACK = b"\xaa\xaa\xaa", b"\x00\x00\xaa", b"\x00\x00\x00"


def text_in(font: bytes, text: str) -> Picture:
    """Text as the console draws it."""
    width, height = int.from_bytes(font[:4], "little"), int.from_bytes(font[4:8], "little")
    per_line = (width + 7) // 8
    rows: List[bytes] = []
    for y in range(height):
        row = b""
        for letter in text.encode():
            at = 8 + (letter * 32 + y) * per_line
            bits = int.from_bytes(font[at : at + per_line], "big")
            row += b"".join(
                GREY if bits >> (8 * per_line - 1 - x) & 1 else BLUE for x in range(width)
            )
        rows.append(row)
    return Picture(width * len(text), height, rows)


def console(setup: Setup) -> None:
    """Text on the guest's console is seen letter by letter, in the kernel's own font."""
    script = FONT
    script += f"printf '\\033[?25l\\033[2J\\033[3;5H\\033[44m{TEXT}' > /dev/tty1\n"
    script += "python3 font.py > font.bin && meet text\n"
    with Guest(setup, "console") as guest:
        guest.begin(script)
        guest.meet("text")
        font = (guest.share / "font.bin").read_bytes()
        want = text_in(font, TEXT)
        letter, line = want.width // len(TEXT), want.height
        need(letter == 8 and any(font[8:]), f"the font is odd: {letter}x{line}")

        def is_shown() -> bool:
            seen = screenshot(guest)
            if seen is None or (seen.width, seen.height) != (1280, 800):
                return False
            rest = seen.part(4 * letter + want.width, 2 * line, 200, line)
            return seen.part(4 * letter, 2 * line, want.width, line) == want and set(rest.rows) == {
                BLACK * 200
            }

        until(guest, "the text on the console", is_shown)
        guest.let_go("text")
        guest.end()


BACKGROUND = (0x33, 0x66, 0x99)
CONFIGURATION = """
[core]
idle-time=0
[shell]
background-image=/share/background.png
background-type=centered
background-color=0xff336699
panel-position=none
locking=false
"""
DESKTOP = """
cat > weston.ini <<END
CONFIGURATION
END
/usr/lib/systemd/systemd-udevd --daemon
modprobe -a virtio_input evdev
udevadm trigger --action=add
udevadm settle
export LIBSEAT_BACKEND=builtin
weston --backend=drm --renderer=RENDERER --config=/share/weston.ini > weston.log 2>&1 &
meet desktop
part weston
cat weston.log
"""


def known_picture() -> Picture:
    """No two lines and no two columns alike."""
    rows = [b"".join(bytes((x, 255 - y, (x * y) & 0xFF)) for x in range(240)) for y in range(160)]
    return Picture(240, 160, rows)


def shows_desktop(guest: Guest, width: int, height: int) -> bool:
    """The known picture in the middle, its background around."""
    want, seen = known_picture(), screenshot(guest)
    if seen is None or (seen.width, seen.height) != (width, height):
        return False
    x, y = (width - want.width) // 2, (height - want.height) // 2
    corners = {seen.at(a, b) for a in (0, width - 1) for b in (0, height - 1)}
    return seen.part(x, y, want.width, want.height) == want and corners == {BACKGROUND}


def point(guest: Guest, clean: Picture, x: int, y: int) -> Tuple[int, int]:
    """The pointer is moved there by the guest's tablet: the upper left corner of what it covers of
    the clean picture."""
    corner = (0, 0)
    events = [
        {"type": "abs", "data": {"axis": axis, "value": value * 0x7FFF // (side - 1)}}
        for axis, value, side in (("x", x, clean.width), ("y", y, clean.height))
    ]
    guest.machine.monitor("input-send-event", events=events)

    def is_there() -> bool:
        nonlocal corner
        seen = screenshot(guest, "--cursor")
        if seen is None or (seen.width, seen.height) != (clean.width, clean.height):
            return False
        covered = clean.changed(seen)
        if not 20 < len(covered) < 1000:
            return False
        corner = min(p[0] for p in covered), min(p[1] for p in covered)
        return abs(corner[0] - x) <= 4 and abs(corner[1] - y) <= 4

    until(guest, f"the pointer at {x}, {y}", is_there)
    return corner


POINTING = ("virtio-tablet-pci", "virtio-keyboard-pci")  # devices that desktop_script wants


def desktop_script(renderer: str) -> str:
    """Starts weston on the guest's display and stays with `meet desktop`."""
    return DESKTOP.replace("CONFIGURATION", CONFIGURATION).replace("RENDERER", renderer)


def desktop_begin(guest: Guest, script: str) -> Picture:
    """Until the known picture is shown; what is seen then."""
    picture.write(guest.share / "background.png", known_picture())
    guest.begin(script)
    guest.meet("desktop")
    until(guest, "the desktop", lambda: shows_desktop(guest, 1280, 800))
    clean = screenshot(guest)
    assert clean is not None
    return clean


def desktop_points(guest: Guest, clean: Picture) -> None:
    """The pointer's picture goes where the tablet goes."""
    first = point(guest, clean, 200, 150)
    second = point(guest, clean, 1000, 700)
    moved = second[0] - first[0], second[1] - first[1]
    need(
        abs(moved[0] - 800) <= 1 and abs(moved[1] - 550) <= 1,
        f"the pointer went by 800, 550, its picture by {moved}",
    )


def desktop(setup: Setup) -> None:
    """A desktop is seen, has its pointer where the guest's tablet is, takes another size."""
    with Guest(setup, "desktop", devices=POINTING) as guest:
        desktop_points(guest, desktop_begin(guest, desktop_script("pixman")))
        # weston keeps a display's size as long as that is plugged in.
        display(guest, "--unplug")
        until(guest, "the display off", lambda: screenshot(guest) is None)
        display(guest, "--size", "1024x600")
        until(guest, "the desktop of 1024x600", lambda: shows_desktop(guest, 1024, 600))
        guest.let_go("desktop")
        guest.end()


ALL: Tuple[Case, ...] = (console, desktop)
