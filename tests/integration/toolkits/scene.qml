import QtQuick 2.0
import QtQuick.Window 2.0

Window {
    visible: true; width: 400; height: 300; color: "navy"
    Rectangle {
        x: 40; y: 40; width: 200; height: 120; radius: 20; rotation: 17
        gradient: Gradient {
            GradientStop { position: 0; color: "orange" }
            GradientStop { position: 1; color: "crimson" }
        }
    }
    Text { x: 60; y: 220; text: "Qt Quick"; color: "white"; font.pixelSize: 40; renderType: Text.NativeRendering }
    ShaderEffect {
        x: 280; y: 150; width: 90; height: 90
        fragmentShader: "varying highp vec2 qt_TexCoord0; uniform lowp float qt_Opacity;
            void main() { gl_FragColor = vec4(qt_TexCoord0, 0.5, 1.0) * qt_Opacity; }"
    }
}
