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

void es3_note_buffer(struct fx *fx, GLuint buffer, size_t size)
{
    glBindBuffer(GL_COPY_READ_BUFFER, buffer);
    void *data = glMapBufferRange(GL_COPY_READ_BUFFER, 0, (GLsizeiptr)size, GL_MAP_READ_BIT);
    if (data != NULL) {
        fx_note(fx, data, size);
    }
    glUnmapBuffer(GL_COPY_READ_BUFFER);
}
