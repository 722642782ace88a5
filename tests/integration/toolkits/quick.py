"""A Qt Quick scene on OpenGL ES: Debian's Qt takes desktop GL where a program does not ask.

usage: quick.py SCENE.qml [--frames]

--frames: draws all the time, without waiting for a display, and prints its frames per second.
"""

import sys
import time

from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QGuiApplication, QSurfaceFormat
from PyQt5.QtQml import QQmlApplicationEngine
from PyQt5.QtQuick import QQuickWindow


class Frames:
    """Counts what a window shows, and has it draw the next."""

    def __init__(self, window: "QQuickWindow") -> None:
        self.window, self.count, self.since = window, 0, time.monotonic()
        window.frameSwapped.connect(self.next)
        window.update()

    def next(self) -> None:
        self.count += 1
        passed = time.monotonic() - self.since
        if passed >= 1:
            print(f"{self.count / passed:.2f} frames per second", flush=True)
            self.count, self.since = 0, time.monotonic()
        self.window.update()


wanted = QSurfaceFormat()
wanted.setRenderableType(QSurfaceFormat.OpenGLES)
wanted.setVersion(2, 0)
if "--frames" in sys.argv:
    wanted.setSwapInterval(0)
QSurfaceFormat.setDefaultFormat(wanted)
application = QGuiApplication(sys.argv)
engine = QQmlApplicationEngine(QUrl.fromLocalFile(sys.argv[1]))
frames = [Frames(window) for window in engine.rootObjects() if "--frames" in sys.argv]
sys.exit(application.exec_())
