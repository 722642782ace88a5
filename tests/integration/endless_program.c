/* Draws what takes the driver minutes, and waits for it: for who gives up.
 *
 *   endless_program
 *
 * Prints "drawing", then draws and calls glFinish. Exit 1: something of EGL or GL failed. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl3.h>
#include <stdio.h>

#define SIDE 2048

static const char *const vertex = "#version 300 es\n"
                                  "void main() {\n"
                                  "    vec2 at = vec2(gl_VertexID & 1, gl_VertexID >> 1);\n"
                                  "    gl_Position = vec4(at * 4.0 - 1.0, 0.0, 1.0);\n"
                                  "}\n";
static const char *const fragment = "#version 300 es\n"
                                    "precision highp float;\n"
                                    "out vec4 color;\n"
                                    "void main() {\n"
                                    "    color = vec4(sin(gl_FragCoord.x * gl_FragCoord.y));\n"
                                    "}\n";

static GLuint attach(GLuint program, GLenum kind, const char *text)
{
    GLuint shader = glCreateShader(kind);
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    glAttachShader(program, shader);
    return shader;
}

int main(void)
{
    struct plain_egl egl;
    plain_egl_open(&egl);
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, SIDE),
                      plain_egl_context(&egl, 3, EGL_NO_CONTEXT));
    GLuint program = glCreateProgram();
    attach(program, GL_VERTEX_SHADER, vertex);
    attach(program, GL_FRAGMENT_SHADER, fragment);
    glLinkProgram(program);
    glUseProgram(program);
    if (glGetError() != GL_NO_ERROR) {
        fprintf(stderr, "endless_program: the program could not be made\n");
        return 1;
    }
    printf("drawing\n");
    fflush(stdout);
    glEnable(GL_BLEND);
    glBlendFunc(GL_ONE, GL_ONE);
    glDrawArraysInstanced(GL_TRIANGLES, 0, 3, 1 << 20);
    glFinish();
    return 0;
}
