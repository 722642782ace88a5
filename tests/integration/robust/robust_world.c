/* The world of the calls of GLES 2 and 3. */
#include "tests/integration/robust/robust.h"

#include <EGL/eglext.h>

#define HIGH "precision highp float; precision highp int; "

void *robust_world_image;

#define DIE_SUM    "drivers die of a first and a count that come to little together"
#define DIE_BLOCK  "a block's members have places there, and no values: drivers die of it"
#define DIE_DEVICE "a device of GL_EXT_memory_object, which Mesa's software driver dies of"

const struct robust_left_out robust_left_out[] = {
    {"glScissorArrayv* 4294967295 [1-9]*", DIE_SUM},
    {"glViewportArrayv* 4294967295 [1-9]*", DIE_SUM},
    {"glDepthRangeArrayfv* 4294967295 [1-9]*", DIE_SUM},
    {"glGet*Uniform*v* 1 [0-3] *", DIE_BLOCK},
    {"glGet*v* 959[0-9a-f] *", DIE_DEVICE},
    {NULL, NULL},
};

static const char vertex2[] = "attribute vec4 shade; uniform mat4 turn[2]; "
                              "void main() { gl_Position = shade + turn[1][0]; }";
static const char fragment2[] = HIGH "uniform vec4 color; uniform sampler2D map; "
                                     "uniform ivec3 a; uniform float b[3]; "
                                     "void main() { gl_FragColor = color + texture2D(map, "
                                     "vec2(b[1], a.y)); }";
static const char vertex3[] =
    "#version 300 es\n"
    "in vec4 shade; uniform mat4x3 turn[2]; out vec4 passed[2]; "
    "layout(std140) uniform Room { vec4 wall; mat3 roof[2]; uint u; } room;"
    "void main() { gl_Position = shade; passed[0] = room.wall; "
    "passed[1] = vec4(turn[1] * shade, float(room.u)); }";
static const char fragment3[] =
    "#version 300 es\n" HIGH "uniform vec4 color; uniform sampler2D map; uniform uvec3 none; "
    "uniform ivec3 a; uniform float b[3]; uniform bool c; "
    "in vec4 passed[2]; layout(location = 0) out vec4 o; "
    "void main() { o = color + passed[1] + texture(map, "
    "vec2(b[1], a.y)) + float(none.x) + float(c); }";

static GLuint compiled(GLenum type, const char *text)
{
    GLuint shader = glCreateShader(type);
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    return shader;
}

static GLuint program_make(int version)
{
    GLuint program = glCreateProgram();
    glAttachShader(program, compiled(GL_VERTEX_SHADER, version == 2 ? vertex2 : vertex3));
    glAttachShader(program, compiled(GL_FRAGMENT_SHADER, version == 2 ? fragment2 : fragment3));
    if (version >= 3) {
        static const char *const varyings[] = {"passed"};
        glTransformFeedbackVaryings(program, 1, varyings, GL_INTERLEAVED_ATTRIBS);
    }
    glLinkProgram(program);
    glUseProgram(program);
    return program;
}

/* Of a texture that is no other's. */
static void image_make(const void *zeros)
{
    GLuint texture;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, ROBUST_SIDE, ROBUST_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 zeros);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    robust_world_image =
        eglCreateImage(eglGetCurrentDisplay(), eglGetCurrentContext(), EGL_GL_TEXTURE_2D,
                       (EGLClientBuffer)(uintptr_t)texture, NULL);
}

static void objects_make3(void)
{
    GLuint names[ROBUST_DELETED];
    glGenQueries(ROBUST_DELETED, names);
    glBeginQuery(GL_ANY_SAMPLES_PASSED, names[1]);
    glEndQuery(GL_ANY_SAMPLES_PASSED);
    glDeleteQueries(1, &names[ROBUST_OBJECTS]);
    glGenSamplers(ROBUST_DELETED, names);
    glBindSampler(0, names[0]);
    glDeleteSamplers(1, &names[ROBUST_OBJECTS]);
    glGenTransformFeedbacks(ROBUST_DELETED, names);
    glDeleteTransformFeedbacks(1, &names[ROBUST_OBJECTS]);
    glGenProgramPipelines(ROBUST_DELETED, names);
    glDeleteProgramPipelines(1, &names[ROBUST_OBJECTS]);
    glGenVertexArrays(ROBUST_DELETED, names);
    glDeleteVertexArrays(1, &names[ROBUST_OBJECTS]);
}

/* Draws read memory that is there, whatever is switched on. */
static void arrays_set(const float vertices[][4])
{
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    for (GLuint i = 0; i < 16; i++) {
        glVertexAttribPointer(i, 4, GL_FLOAT, GL_FALSE, 0, vertices);
    }
    glEnableVertexAttribArray(0);
}

void robust_world(int version, const float vertices[][4], const void *zeros)
{
    GLuint names[ROBUST_DELETED], program = program_make(version);
    glDeleteProgram(glCreateProgram());
    glGenTextures(ROBUST_DELETED, names);
    image_make(zeros);
    glBindTexture(GL_TEXTURE_2D, names[0]);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, ROBUST_SIDE, ROBUST_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 zeros);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glBindTexture(GL_TEXTURE_CUBE_MAP, names[1]);
    glDeleteTextures(1, &names[ROBUST_OBJECTS]);
    glGenBuffers(ROBUST_DELETED, names);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glBufferData(GL_ARRAY_BUFFER, 256, zeros, GL_STATIC_DRAW);
    glDeleteBuffers(1, &names[ROBUST_OBJECTS]);
    glGenRenderbuffers(ROBUST_DELETED, names);
    glBindRenderbuffer(GL_RENDERBUFFER, names[0]);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA4, ROBUST_SIDE, ROBUST_SIDE);
    glDeleteRenderbuffers(1, &names[ROBUST_OBJECTS]);
    glGenFramebuffers(ROBUST_DELETED, names);
    glDeleteFramebuffers(1, &names[ROBUST_OBJECTS]);
    if (version >= 3) {
        objects_make3();
        glUniformBlockBinding(program, 0, 1);
    }
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
    arrays_set(vertices);
}

void robust_bind(int version, const float vertices[][4])
{
    arrays_set(vertices);
    glUseProgram(1);
    glBindTexture(GL_TEXTURE_2D, 1);
    glBindTexture(GL_TEXTURE_CUBE_MAP, 2);
    glBindRenderbuffer(GL_RENDERBUFFER, 1);
    if (version >= 3) {
        glBindSampler(0, 1);
        glBindBuffer(GL_UNIFORM_BUFFER, 1);
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 2);
        glBindBuffer(GL_COPY_READ_BUFFER, 3);
    }
}

void robust_delete(int version)
{
    static const GLuint names[ROBUST_OBJECTS] = {1, 2, 3};
    for (int i = 0; i < ROBUST_OBJECTS; i++) {
        glDeleteProgram(names[i]);
        glDeleteShader(names[i]);
    }
    glDeleteTextures(ROBUST_OBJECTS, names);
    glDeleteBuffers(ROBUST_OBJECTS, names);
    glDeleteRenderbuffers(ROBUST_OBJECTS, names);
    if (version >= 3) {
        glDeleteSamplers(ROBUST_OBJECTS, names);
    }
    glFlush();
}
