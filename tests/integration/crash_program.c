/* Ends the process that the native driver is in, as a program that breaks no rule can: for who must
 * outlive that.
 *
 *   crash_program shared | compiler
 *
 * shared: what a shader shares is indexed far outside of it, at which llvmpipe does not look;
 * natively it dies of SIGSEGV. compiler: a small shader that becomes gigabytes when it is compiled;
 * natively it dies where memory is limited. Prints "crashing" before. Exit 1: something of EGL or
 * GL failed; 2: usage; 3: nothing happened; 42: the context was lost. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl32.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DOUBLINGS 27

static const char *const far_indices = "#version 310 es\n"
                                       "layout(local_size_x = 1) in;\n"
                                       "layout(std430, binding = 0) buffer Out { uint value[]; };\n"
                                       "shared uint room[4];\n"
                                       "uniform uint far;\n"
                                       "void main() {\n"
                                       "    room[gl_WorkGroupID.x * far] = 7u;\n"
                                       "    barrier();\n"
                                       "    value[0] = room[(gl_WorkGroupID.x + 1u) * far];\n"
                                       "}\n";

/* Each function calls the one before twice: compilers put them all into one another. */
static void write_doublings(char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size,
                                   "#version 310 es\n"
                                   "layout(local_size_x = 1) in;\n"
                                   "layout(std430, binding = 0) buffer Out { uint value[]; };\n"
                                   "uint f0(uint x) { return x * value[x & 3u] + 1u; }\n");
    for (int i = 1; i <= DOUBLINGS; i++) {
        used += (size_t)snprintf(text + used, size - used,
                                 "uint f%d(uint x) { return f%d(x + 1u) ^ f%d(x * 3u); }\n", i,
                                 i - 1, i - 1);
    }
    (void)snprintf(text + used, size - used, "void main() { value[0] = f%d(value[1]); }\n",
                   DOUBLINGS);
}

static GLuint make_program(const char *source)
{
    GLuint program = glCreateProgram();
    GLuint shader = glCreateShader(GL_COMPUTE_SHADER);
    glShaderSource(shader, 1, &source, NULL);
    glCompileShader(shader);
    glAttachShader(program, shader);
    glLinkProgram(program);
    return program;
}

static void dispatch(GLuint program)
{
    GLuint buffer;
    glUseProgram(program);
    glUniform1ui(glGetUniformLocation(program, "far"), 0x10000000u);
    glGenBuffers(1, &buffer);
    glBindBufferBase(GL_SHADER_STORAGE_BUFFER, 0, buffer);
    glBufferData(GL_SHADER_STORAGE_BUFFER, 16, NULL, GL_DYNAMIC_READ);
    glDispatchCompute(4, 1, 1);
    glFinish();
}

int main(int argc, char **argv)
{
    static char doublings[8192];
    bool is_shared = argc == 2 && strcmp(argv[1], "shared") == 0;
    if (!is_shared && (argc != 2 || strcmp(argv[1], "compiler") != 0)) {
        fprintf(stderr, "usage: crash_program shared | compiler\n");
        return 2;
    }
    struct plain_egl egl;
    plain_egl_open(&egl);
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, 16),
                      plain_egl_context(&egl, 3, EGL_NO_CONTEXT));
    write_doublings(doublings, sizeof doublings);
    if (glGetError() != GL_NO_ERROR) {
        return 1;
    }
    printf("crashing\n");
    fflush(stdout);
    dispatch(make_program(is_shared ? far_indices : doublings));
    return glGetError() == GL_CONTEXT_LOST ? 42 : 3;
}
