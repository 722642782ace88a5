"""A GTK 4 window of labels that is drawn anew all the time; prints its frames per second.

GTK is called as it is in C, so that no bindings need be installed.
"""

from __future__ import annotations

import ctypes
import time
from ctypes import c_bool, c_char_p, c_int, c_void_p

COLUMNS, ROWS = 8, 16
STYLE = b"label { background: linear-gradient(#fa0, #a0f); border-radius: 9px; padding: 4px; }"

gtk = ctypes.CDLL("libgtk-4.so.1")
glib = ctypes.CDLL("libglib-2.0.so.0")


def new(name: str, *values: object) -> c_void_p:
    make = getattr(gtk, name)
    make.restype = c_void_p
    return c_void_p(make(*values))


def styled(display: c_void_p) -> None:
    provider = new("gtk_css_provider_new")
    gtk.gtk_css_provider_load_from_data(provider, c_char_p(STYLE), ctypes.c_ssize_t(len(STYLE)))
    gtk.gtk_style_context_add_provider_for_display(display, provider, ctypes.c_uint(600))


class Frames:
    """Counts what the window's frame clock draws."""

    def __init__(self) -> None:
        self.count, self.since = 0, time.monotonic()

    def tick(self, window: int, _clock: int, _data: int) -> bool:
        gtk.gtk_widget_queue_draw(c_void_p(window))
        gtk.gtk_widget_set_opacity(c_void_p(window), ctypes.c_double(0.9 + self.count % 2 * 0.1))
        self.count += 1
        passed = time.monotonic() - self.since
        if passed >= 1:
            print(f"{self.count / passed:.2f} frames per second", flush=True)
            self.count, self.since = 0, time.monotonic()
        return True


def main() -> None:
    gtk.gtk_init()
    window, grid = new("gtk_window_new"), new("gtk_grid_new")
    gtk.gtk_window_set_default_size(window, c_int(700), c_int(500))
    styled(new("gtk_widget_get_display", window))
    for place in range(COLUMNS * ROWS):
        label = new("gtk_label_new", c_char_p(b"label %d" % place))
        gtk.gtk_grid_attach(grid, label, place % COLUMNS, place // COLUMNS, c_int(1), c_int(1))
    gtk.gtk_window_set_child(window, grid)
    frames = Frames()
    tick = ctypes.CFUNCTYPE(c_bool, c_void_p, c_void_p, c_void_p)(frames.tick)
    gtk.gtk_widget_add_tick_callback(window, tick, None, None)
    gtk.gtk_window_present(window)
    while True:
        glib.g_main_context_iteration(None, c_int(1))


if __name__ == "__main__":
    main()
