/* Answers that know their own length: names, logs, lists. The host sends as many bytes as the guest
 * asks for; the application gets what is valid of them, and nothing behind it is touched. A refused
 * query touches nothing. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

/* More is never asked for at once, whatever room the application claims to have. */
#define ROOM_MAX (1 << 20)

/* Scratch for `room` bytes of reply; NULL, with the error recorded, when the room is negative or
 * memory is short. */
static char *reply_room(struct ggl_context *c, GLsizei *room)
{
    if (*room < 0) {
        ggl_error(c, GL_INVALID_VALUE);
        return NULL;
    }
    *room = *room < ROOM_MAX ? *room : ROOM_MAX;
    char *text = ggl_scratch(c, (size_t)*room + 1);
    if (!text) {
        ggl_error(c, GL_OUT_OF_MEMORY);
    }
    return text;
}

/* `got`: the length the host reported, without NUL. */
static void give_text(const char *text, GLsizei got, GLsizei room, GLsizei *length, GLchar *out)
{
    GLsizei fits = got < 0 ? 0 : got < room ? got : room > 0 ? room - 1 : 0;
    if (out && room > 0) {
        memcpy(out, text, (size_t)fits);
        out[fits] = 0;
    }
    if (length) {
        *length = fits;
    }
}

/* glGet*InfoLog and their kin: (object, room, length, text). */
#define OBJECT_TEXT(Name)                                                                          \
    {                                                                                              \
        GLsizei got = 0;                                                                           \
        char *text = reply_room(c, &room);                                                         \
        if (text && gles2_ask_gl##Name(c, object, room, &got, 4, text, (uint32_t)room)) {          \
            give_text(text, got, room, length, out);                                               \
        }                                                                                          \
    }

void ggl_text_shader_source(struct ggl_context *c, GLuint object, GLsizei room, GLsizei *length,
                            GLchar *out) OBJECT_TEXT(GetShaderSource)

#define OBJECT_TEXT_ENTRY(Name)                                                                    \
    void ggl_gl##Name(GLuint object, GLsizei room, GLsizei *length, GLchar *out)                   \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (c) {                                                                                   \
            OBJECT_TEXT(Name)                                                                      \
        }                                                                                          \
    }
    OBJECT_TEXT_ENTRY(GetShaderInfoLog) OBJECT_TEXT_ENTRY(GetProgramInfoLog)
        OBJECT_TEXT_ENTRY(GetProgramPipelineInfoLog)

/* glGetActiveAttrib and glGetActiveUniform. */
#define ACTIVE_ENTRY(Name)                                                                         \
    void ggl_gl##Name(GLuint program, GLuint index, GLsizei room, GLsizei *length, GLint *size,    \
                      GLenum *type, GLchar *out)                                                   \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        GLsizei got = 0;                                                                           \
        GLint got_size = 0;                                                                        \
        GLenum got_type = 0;                                                                       \
        char *text = c ? reply_room(c, &room) : NULL;                                              \
        if (!text ||                                                                               \
            !gles2_ask_gl##Name(c, program, index, room, &got, 4, &got_size, 4, &got_type, 4,      \
                                text, (uint32_t)room) ||                                           \
            got_type == 0) {                                                                       \
            return; /* refused; the type says so where errors cannot be asked */                   \
        }                                                                                          \
        give_text(text, got, room, length, out);                                                   \
        if (size) {                                                                                \
            *size = got_size;                                                                      \
        }                                                                                          \
        if (type) {                                                                                \
            *type = got_type;                                                                      \
        }                                                                                          \
    }
            ACTIVE_ENTRY(GetActiveAttrib) ACTIVE_ENTRY(GetActiveUniform)

                void ggl_glGetTransformFeedbackVarying(GLuint program, GLuint index, GLsizei room,
                                                       GLsizei *length, GLsizei *size, GLenum *type,
                                                       GLchar *out)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0, got_size = 0;
    GLenum got_type = 0;
    char *text = c ? reply_room(c, &room) : NULL;
    if (!text ||
        !gles2_ask_glGetTransformFeedbackVarying(c, program, index, room, &got, 4, &got_size, 4,
                                                 &got_type, 4, text, (uint32_t)room) ||
        got_type == 0) {
        return; /* as above */
    }
    give_text(text, got, room, length, out);
    if (size) {
        *size = got_size;
    }
    if (type) {
        *type = got_type;
    }
}

void ggl_glGetActiveUniformBlockName(GLuint program, GLuint block, GLsizei room, GLsizei *length,
                                     GLchar *out)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    char *text = c ? reply_room(c, &room) : NULL;
    if (text && gles2_ask_glGetActiveUniformBlockName(c, program, block, room, &got, 4, text,
                                                      (uint32_t)room)) {
        give_text(text, got, room, length, out);
    }
}

void ggl_glGetProgramResourceName(GLuint program, GLenum interface, GLuint index, GLsizei room,
                                  GLsizei *length, GLchar *out)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    char *text = c ? reply_room(c, &room) : NULL;
    if (text && gles2_ask_glGetProgramResourceName(c, program, interface, index, room, &got, 4,
                                                   text, (uint32_t)room)) {
        give_text(text, got, room, length, out);
    }
}

/* Four-byte elements of which `got` are valid. */
static void give_list(const void *list, GLsizei got, GLsizei room, GLsizei *count, void *out)
{
    GLsizei fits = got < 0 ? 0 : got < room ? got : room;
    if (out) {
        memcpy(out, list, (size_t)fits * 4);
    }
    if (count) {
        *count = fits;
    }
}

/* The same room, in elements. */
static void *list_room(struct ggl_context *c, GLsizei *room)
{
    GLsizei bytes = *room < 0 ? -1 : *room < ROOM_MAX / 4 ? *room * 4 : ROOM_MAX;
    void *list = reply_room(c, &bytes);
    *room = bytes / 4;
    return list;
}

void ggl_glGetAttachedShaders(GLuint program, GLsizei room, GLsizei *count, GLuint *shaders)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    void *list = c ? list_room(c, &room) : NULL;
    if (list &&
        gles2_ask_glGetAttachedShaders(c, program, room, &got, 4, list, (uint32_t)room * 4)) {
        give_list(list, got, room, count, shaders);
    }
}

void ggl_glGetProgramResourceiv(GLuint program, GLenum interface, GLuint index, GLsizei prop_count,
                                const GLenum *props, GLsizei room, GLsizei *length, GLint *params)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    if (!c) {
        return;
    }
    if (prop_count <= 0 || !props || prop_count > ROOM_MAX / 4) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    void *list = list_room(c, &room);
    if (list && gles2_ask_glGetProgramResourceiv(c, program, interface, index, prop_count, props,
                                                 (uint32_t)prop_count * 4, room, &got, 4, list,
                                                 (uint32_t)room * 4)) {
        give_list(list, got, room, length, params);
    }
}

/* Formats without samples give an empty list; every other parameter is one value. */
void ggl_glGetInternalformativ(GLenum target, GLenum format, GLenum pname, GLsizei room,
                               GLint *params)
{
    struct ggl_context *c = ggl_current();
    void *list = c ? list_room(c, &room) : NULL;
    if (!list) {
        return;
    }
    GLint count = 1;
    if (pname == GL_SAMPLES) {
        count = 0;
        if (!gles2_ask_glGetInternalformativ(c, target, format, GL_NUM_SAMPLE_COUNTS, 1, &count,
                                             4)) {
            return;
        }
    }
    room = count < room ? count : room;
    if (room > 0 &&
        gles2_ask_glGetInternalformativ(c, target, format, pname, room, list, (uint32_t)room * 4)) {
        give_list(list, room, room, NULL, params);
    }
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
    size = size < 0 ? 0 : size;
    size = size < room ? size : room; /* too small a room is an error the host finds */
    void *data = ggl_scratch(c, (size_t)size + 1);
    if (!data) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return;
    }
    if (!gles2_ask_glGetProgramBinary(c, program, size, &got, 4, &got_format, 4, data,
                                      (uint32_t)size)) {
        return;
    }
    got = got < 0 ? 0 : got < size ? got : size;
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

/* Names with ';' behind each, then NUL (protocol: 14.4), in scratch memory of at least 4 bytes a
 * name. NULL: one is empty, holds a ';' or is missing; *size counts the NUL. */
static char *pack_names(struct ggl_context *c, GLsizei count, const GLchar *const *names,
                        uint32_t *size)
{
    size_t bytes = 1;
    for (GLsizei i = 0; i < count; i++) {
        if (!names[i] || !*names[i] || strchr(names[i], ';')) {
            return NULL;
        }
        bytes += strlen(names[i]) + 1;
    }
    size_t list = (size_t)count * 4;
    char *text = ggl_scratch(c, bytes > list ? bytes : list);
    char *p = text;
    for (GLsizei i = 0; text && i < count; i++) {
        size_t length = strlen(names[i]);
        memcpy(p, names[i], length);
        p[length] = ';';
        p += length + 1;
    }
    if (text) {
        *p = 0;
    }
    *size = (uint32_t)bytes;
    return text;
}

void ggl_glTransformFeedbackVaryings(GLuint program, GLsizei count, const GLchar *const *varyings,
                                     GLenum mode)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (count < 0 || (count > 0 && !varyings)) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    ggl_stock_limit(c, GL_MAX_TRANSFORM_FEEDBACK_SEPARATE_ATTRIBS);
    uint32_t size;
    char *text = pack_names(c, count, varyings, &size);
    if (!text) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    gles2_pack_glTransformFeedbackVaryingsAEMU(ggl_pack(c), program, count, text, size, size, mode);
}

void ggl_glGetUniformIndices(GLuint program, GLsizei count, const GLchar *const *names,
                             GLuint *indices)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (count < 0 || count > ROOM_MAX / 4 || (count > 0 && (!names || !indices))) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    uint32_t size;
    char *text = count ? pack_names(c, count, names, &size) : NULL;
    if (!text) {
        if (count) {
            ggl_error(c, GL_INVALID_OPERATION);
        }
        return;
    }
    /* The names are sent before the reply takes their place. */
    if (gles2_ask_glGetUniformIndicesAEMU(c, program, count, text, size, size, text,
                                          (uint32_t)count * 4)) {
        memcpy(indices, text, (size_t)count * 4);
    }
}

/* A block's list of uniforms is as long as the block says (protocol: trap T25). */
void ggl_glGetActiveUniformBlockiv(GLuint program, GLuint block, GLenum pname, GLint *params)
{
    struct ggl_context *c = ggl_current();
    if (!c || !params) {
        return;
    }
    GLint count = 1;
    if (pname == GL_UNIFORM_BLOCK_ACTIVE_UNIFORM_INDICES) {
        count = 0;
        if (!gles2_ask_glGetActiveUniformBlockiv(c, program, block,
                                                 GL_UNIFORM_BLOCK_ACTIVE_UNIFORMS, &count, 4) ||
            count <= 0 || count > ROOM_MAX / 4) {
            return;
        }
    }
    void *list = list_room(c, &count);
    if (list &&
        gles2_ask_glGetActiveUniformBlockiv(c, program, block, pname, list, (uint32_t)count * 4)) {
        give_list(list, count, count, NULL, params);
    }
}
