#include "tests/integration/features/gles3.h"

#include <stdio.h>

GLuint es3_fill(const char *fragment)
{
    char text[4096];
    snprintf(text, sizeof text, ES3_FS "%s", fragment);
    GLuint program = fx_program(ES3_VS, text);
    glUseProgram(program);
    return program;
}
