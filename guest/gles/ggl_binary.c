/* Program binaries. The host knows nothing of external samplers, so their names travel in the
 * binary, which may be loaded by another process: behind the driver's bytes stand the names, each
 * with its NUL, and a tail. Binaries of programs without them are the driver's alone. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

struct tail {
    uint8_t mark[12];
    uint32_t names_size; /* bytes */
};
_Static_assert(sizeof(struct tail) == 16, "no padding is written to binaries");

static const uint8_t mark[12] = "SLUICE-EXT\1";

static uint32_t names_size(const struct ggl_external_name *names)
{
    size_t size = 0;
    for (; names; names = names->next) {
        size += strlen(names->name) + 1;
    }
    return (uint32_t)size;
}

/* Bytes behind the driver's binary of a program. */
static uint32_t extra_size(struct ggl_context *c, GLuint name)
{
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_program *program = sl_map_find(&c->share->programs, name);
    uint32_t size = program ? names_size(program->externals) : 0;
    pthread_mutex_unlock(&c->share->lock);
    return size ? size + (uint32_t)sizeof(struct tail) : 0;
}

/* Writes them: `size` bytes, or nothing when the names are others by now. */
static bool extra_write(struct ggl_context *c, GLuint name, uint8_t *out, uint32_t size)
{
    struct tail tail = {.names_size = size - (uint32_t)sizeof tail};
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_program *program = sl_map_find(&c->share->programs, name);
    const struct ggl_external_name *names = program ? program->externals : NULL;
    bool same = names_size(names) == tail.names_size;
    for (; same && names; names = names->next) {
        size_t length = strlen(names->name) + 1;
        memcpy(out, names->name, length);
        out += length;
    }
    pthread_mutex_unlock(&c->share->lock);
    memcpy(tail.mark, mark, sizeof mark);
    if (same) {
        memcpy(out, &tail, sizeof tail);
    }
    return same;
}

/* The names in a binary, which loses them: *length becomes the driver's. */
static struct ggl_external_name *extra_take(const uint8_t *binary, GLsizei *length)
{
    struct ggl_external_name *names = NULL;
    struct tail tail;
    size_t size = (size_t)*length;
    if (size < sizeof tail) {
        return NULL;
    }
    memcpy(&tail, binary + size - sizeof tail, sizeof tail);
    size -= sizeof tail;
    if (memcmp(tail.mark, mark, sizeof mark) != 0 || tail.names_size == 0 ||
        tail.names_size > size || binary[size - 1] != 0) {
        return NULL;
    }
    const char *end = (const char *)binary + size;
    size -= tail.names_size;
    for (const char *p = (const char *)binary + size; p < end; p += strlen(p) + 1) {
        names = ggl_external_name_add(names, p, strlen(p));
    }
    *length = (GLsizei)size;
    return names;
}

void ggl_glGetProgramiv(GLuint program, GLenum pname, GLint *params)
{
    struct ggl_context *c = ggl_current();
    GLint values[3] = {0};
    if (!c || !params) {
        return;
    }
    uint32_t size = pname == GL_COMPUTE_WORK_GROUP_SIZE ? sizeof values : sizeof *values;
    if (!gles2_ask_glGetProgramiv(c, program, pname, values, size)) {
        return;
    }
    if (pname == GL_LINK_STATUS && values[0] != GL_FALSE) {
        ggl_locations_prepare(c, program); /* who asks this asks for them next */
    }
    if (pname == GL_PROGRAM_BINARY_LENGTH && values[0] > 0) {
        values[0] += (GLint)extra_size(c, program);
    }
    memcpy(params, values, size);
}

void ggl_glGetProgramBinary(GLuint program, GLsizei room, GLsizei *length, GLenum *format,
                            void *binary)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (room < 0) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    GLint size = 0;
    GLsizei got = 0;
    GLenum got_format = 0;
    if (!gles2_ask_glGetProgramiv(c, program, GL_PROGRAM_BINARY_LENGTH, &size, 4)) {
        return;
    }
    uint32_t extra = size > 0 ? extra_size(c, program) : 0;
    GLsizei most = extra > (uint32_t)room ? 0 : room - (GLsizei)extra;
    size = size < 0 ? 0 : size;
    size = size < most ? size : most; /* too small a room is an error the host finds */
    uint8_t *data = ggl_scratch(c, (size_t)size + extra + 1);
    if (!data) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return;
    }
    if (!gles2_ask_glGetProgramBinary(c, program, size, &got, 4, &got_format, 4, data,
                                      (uint32_t)size)) {
        return;
    }
    got = got < 0 ? 0 : got < size ? got : size;
    if (got > 0 && extra != 0 && extra_write(c, program, data + got, extra)) {
        got += (GLsizei)extra;
    }
    if (binary) {
        memcpy(binary, data, (size_t)got);
    }
    if (length) {
        *length = got;
    }
    if (format && got > 0) {
        *format = got_format;
    }
}

void ggl_glProgramBinary(GLuint name, GLenum format, const void *binary, GLsizei length)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (!ggl_size_travels(c, binary ? length : -1)) {
        return;
    }
    if (length < 0 || !binary) { /* the driver finds which error is the first */
        gles2_pack_glProgramBinary(ggl_pack(c), name, format, "", 0, length < 0 ? -1 : length);
        return;
    }
    struct ggl_external_name *externals = extra_take(binary, &length);
    /* As where a shader's text says so: read by use of the program, and at draws. Whether vertices
     * are counted is not known of a binary. */
    sl_atomic_store_relaxed(&c->share->vertex_id, 1);
    if (externals) {
        sl_atomic_store_relaxed(&c->share->externals, 1);
    }
    gles2_pack_glProgramBinary(ggl_pack(c), name, format, binary, (uint32_t)length, length);
    ggl_program_linked(c, name, externals);
}
