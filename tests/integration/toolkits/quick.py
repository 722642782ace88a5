"""A Qt Quick scene on OpenGL ES: Debian's Qt takes desktop GL where a program does not ask.

usage: quick.py SCENE.qml
"""

import sys

from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QGuiApplication, QSurfaceFormat
from PyQt5.QtQml import QQmlApplicationEngine

wanted = QSurfaceFormat()
wanted.setRenderableType(QSurfaceFormat.OpenGLES)
wanted.setVersion(2, 0)
QSurfaceFormat.setDefaultFormat(wanted)
application = QGuiApplication(sys.argv)
engine = QQmlApplicationEngine(QUrl.fromLocalFile(sys.argv[1]))
sys.exit(application.exec_())
