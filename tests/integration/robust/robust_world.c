/* The world of the calls of GLES 2 and 3. */
#include "tests/integration/robust/robust.h"

static GLuint compiled(GLenum type, const char *text)
{
    GLuint shader = glCreateShader(type);
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    return shader;
}

static void program_make(int version)
{
    GLuint program = glCreateProgram();
    glAttachShader(program,
                   compiled(GL_VERTEX_SHADER,
                            version == 2 ? "attribute vec4 shade; void main() { gl_Position = "
                                           "shade; }"
                                         : "#version 300 es\nin vec4 shade; void main() { "
                                           "gl_Position = shade; }"));
    glAttachShader(program,
                   compiled(GL_FRAGMENT_SHADER,
                            version == 2 ? "precision highp float; uniform vec4 color; void main() "
                                           "{ gl_FragColor = color; }"
                                         : "#version 300 es\nprecision highp float; uniform vec4 "
                                           "color; out vec4 o; void main() { o = color; }"));
    glLinkProgram(program);
    glUseProgram(program);
}

void robust_world(int version, const float vertices[][4], const void *zeros)
{
    program_make(version);
    GLuint names[ROBUST_OBJECTS];
    glGenTextures(ROBUST_OBJECTS, names);
    glBindTexture(GL_TEXTURE_2D, names[0]);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, ROBUST_SIDE, ROBUST_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 zeros);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glBindTexture(GL_TEXTURE_CUBE_MAP, names[1]);
    glGenBuffers(ROBUST_OBJECTS, names);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glBufferData(GL_ARRAY_BUFFER, 256, zeros, GL_STATIC_DRAW);
    glGenRenderbuffers(ROBUST_OBJECTS, names);
    glBindRenderbuffer(GL_RENDERBUFFER, names[0]);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA4, ROBUST_SIDE, ROBUST_SIDE);
    glGenFramebuffers(ROBUST_OBJECTS, names);
    if (version >= 3) {
        glGenQueries(ROBUST_OBJECTS, names);
        glGenSamplers(ROBUST_OBJECTS, names);
        glGenTransformFeedbacks(ROBUST_OBJECTS, names);
        glGenProgramPipelines(ROBUST_OBJECTS, names);
    }
    /* Draws read memory that is there, whatever is switched on. */
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    for (GLuint i = 0; i < 16; i++) {
        glVertexAttribPointer(i, 4, GL_FLOAT, GL_FALSE, 0, vertices);
    }
    glEnableVertexAttribArray(0);
}
