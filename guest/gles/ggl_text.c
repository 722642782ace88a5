/* Answers that know their own length: names, logs, lists. The host sends as many bytes as the guest
 * asks for; the application gets what is valid of them, and nothing behind it is touched. A refused
 * query touches nothing. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

/* More is never asked for at once, whatever room the application claims to have. */
#define ROOM_MAX (1 << 20)

/* Where a reply of at most `count` elements lands. */
struct room {
    void *data;    /* scratch */
    GLsizei count; /* as the host is told */
    uint32_t size; /* bytes of the reply */
};

/* Room for `count` elements as the application says. Our own host is told of negative rooms, so
 * that its driver finds the error among others; and writes something even into none, since drivers
 * see less wrong with a call that has no memory. False, with the error recorded: without memory,
 * and for negative rooms elsewhere. */
static bool room_make(struct ggl_context *c, GLsizei count, uint32_t element, struct room *room)
{
    if (count < 0 && ggl_stock(c)) {
        ggl_error(c, GL_INVALID_VALUE);
        return false;
    }
    GLsizei most = ROOM_MAX / (GLsizei)element;
    room->count = count < most ? count : most;
    room->size = count > 0 ? (uint32_t)room->count * element : ggl_stock(c) ? 0 : element;
    room->data = ggl_scratch(c, (size_t)room->size + 1);
    if (!room->data) {
        ggl_error(c, GL_OUT_OF_MEMORY);
    }
    return room->data != NULL;
}

/* `got`: the length the host reported, without NUL. */
static void give_text(const struct room *room, GLsizei got, GLsizei *length, GLchar *out)
{
    GLsizei most = room->count > 0 ? room->count - 1 : 0;
    GLsizei fits = got < 0 ? 0 : got < most ? got : most;
    if (out && room->count > 0) {
        memcpy(out, room->data, (size_t)fits);
        out[fits] = 0;
    }
    if (length) {
        *length = fits;
    }
}

/* Four-byte elements of which `got` are valid. */
static void give_list(const struct room *room, GLsizei got, GLsizei *count, void *out)
{
    GLsizei most = room->count > 0 ? room->count : 0;
    GLsizei fits = got < 0 ? 0 : got < most ? got : most;
    if (out) {
        memcpy(out, room->data, (size_t)fits * 4);
    }
    if (count) {
        *count = fits;
    }
}

/* Where there is no place for the answer drivers look at the program, and at nothing else. */
static void program_ask(struct ggl_context *c, GLuint program)
{
    GLint status;
    (void)gles2_ask_glGetProgramiv(c, program, GL_LINK_STATUS, &status, sizeof status);
}

/* glGet*InfoLog and their kin: (object, count, length, text). */
#define OBJECT_TEXT(Name)                                                                          \
    {                                                                                              \
        GLsizei got = 0;                                                                           \
        struct room room;                                                                          \
        if (room_make(c, count, 1, &room) &&                                                       \
            gles2_ask_gl##Name(c, object, room.count, &got, 4, room.data, room.size)) {            \
            give_text(&room, got, length, out);                                                    \
        }                                                                                          \
    }

void ggl_text_shader_source(struct ggl_context *c, GLuint object, GLsizei count, GLsizei *length,
                            GLchar *out) OBJECT_TEXT(GetShaderSource)

#define OBJECT_TEXT_ENTRY(Name)                                                                    \
    void ggl_gl##Name(GLuint object, GLsizei count, GLsizei *length, GLchar *out)                  \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (c) {                                                                                   \
            OBJECT_TEXT(Name)                                                                      \
        }                                                                                          \
    }
    OBJECT_TEXT_ENTRY(GetShaderInfoLog) OBJECT_TEXT_ENTRY(GetProgramInfoLog)
        OBJECT_TEXT_ENTRY(GetProgramPipelineInfoLog)

/* glGetActiveAttrib and its kin. A host that cannot be asked for errors says by the type whether it
 * refused. LENGTH: what drivers write it to. */
#define ACTIVE_ENTRY(Name, LENGTH)                                                                 \
    void ggl_gl##Name(GLuint program, GLuint index, GLsizei count, GLsizei *length, GLint *size,   \
                      GLenum *type, GLchar *out)                                                   \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        GLsizei got = 0;                                                                           \
        GLint got_size = 0;                                                                        \
        GLenum got_type = 0;                                                                       \
        struct room room;                                                                          \
        if (!c || !room_make(c, count, 1, &room) ||                                                \
            !gles2_ask_gl##Name(c, program, index, room.count, &got, 4, &got_size, 4, &got_type,   \
                                4, room.data, room.size) ||                                        \
            got_type == 0) {                                                                       \
            return;                                                                                \
        }                                                                                          \
        give_text(&room, got, LENGTH, out);                                                        \
        if (size) {                                                                                \
            *size = got_size;                                                                      \
        }                                                                                          \
        if (type) {                                                                                \
            *type = got_type;                                                                      \
        }                                                                                          \
    }
            ACTIVE_ENTRY(GetActiveAttrib, length)
                ACTIVE_ENTRY(GetActiveUniform, out ? length : NULL)
                    ACTIVE_ENTRY(GetTransformFeedbackVarying, length)

                        void ggl_glGetActiveUniformBlockName(GLuint program, GLuint block,
                                                             GLsizei count, GLsizei *length,
                                                             GLchar *out)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    struct room room;
    if (c && !out && count >= 0) {
        program_ask(c, program);
    } else if (c && room_make(c, count, 1, &room) &&
               gles2_ask_glGetActiveUniformBlockName(c, program, block, room.count, &got, 4,
                                                     room.data, room.size)) {
        give_text(&room, got, length, out);
    }
}

/* Labels: (..., room, length, text). Without memory for the text its length alone is asked for. */
#define LABEL(NAME, ...)                                                                           \
    {                                                                                              \
        GLsizei got = 0;                                                                           \
        struct room room = {NULL, count, 0};                                                       \
        if ((!out || room_make(c, count, 1, &room)) &&                                             \
            glesx_ask_gl##NAME(c, __VA_ARGS__, room.count, &got, 4, room.data, room.size)) {       \
            if (out) {                                                                             \
                give_text(&room, got, length, out);                                                \
            } else if (length) {                                                                   \
                *length = got;                                                                     \
            }                                                                                      \
        }                                                                                          \
    }
#define LABEL_ENTRY(NAME)                                                                          \
    void ggl_gl##NAME(GLenum kind, GLuint name, GLsizei count, GLsizei *length, GLchar *out)       \
    {                                                                                              \
        struct ggl_context *c = ggl_any();                                                         \
        if (c && ggl_own(c)) {                                                                     \
            LABEL(NAME, kind, name)                                                                \
        }                                                                                          \
    }
LABEL_ENTRY(GetObjectLabel)
LABEL_ENTRY(GetObjectLabelEXT)

void ggl_text_sync_label(struct ggl_context *c, uint64_t sync, GLsizei count, GLsizei *length,
                         GLchar *out) LABEL(GetObjectSyncLabelSLUICE, sync)

    void ggl_glGetProgramResourceName(GLuint program, GLenum interface, GLuint index, GLsizei count,
                                      GLsizei *length, GLchar *out)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    struct room room;
    if (c && !out) {
        program_ask(c, program);
    } else if (c && room_make(c, count, 1, &room) &&
               gles2_ask_glGetProgramResourceName(c, program, interface, index, room.count, &got, 4,
                                                  room.data, room.size)) {
        give_text(&room, got, length, out);
    }
}

void ggl_glGetAttachedShaders(GLuint program, GLsizei most, GLsizei *count, GLuint *shaders)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    struct room room;
    if (c && room_make(c, most, 4, &room) &&
        gles2_ask_glGetAttachedShaders(c, program, room.count, &got, 4, room.data, room.size)) {
        give_list(&room, got, count, shaders);
    }
}

void ggl_glGetProgramResourceiv(GLuint program, GLenum interface, GLuint index, GLsizei prop_count,
                                const GLenum *props, GLsizei count, GLsizei *length, GLint *params)
{
    struct ggl_context *c = ggl_current();
    GLsizei got = 0;
    struct room room;
    if (!c) {
        return;
    }
    if (prop_count > ROOM_MAX / 4 || ((!props || prop_count <= 0) && ggl_stock(c))) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    uint32_t props_size = props && prop_count > 0 ? (uint32_t)prop_count * 4 : 0;
    if (!params) {
        program_ask(c, program);
    } else if (room_make(c, count, 4, &room) &&
               gles2_ask_glGetProgramResourceiv(c, program, interface, index, prop_count, props,
                                                props_size, room.count, &got, 4, room.data,
                                                room.size)) {
        give_list(&room, got, length, params);
    }
}

/* Formats without samples give an empty list; every other parameter is one value. */
void ggl_glGetInternalformativ(GLenum target, GLenum format, GLenum pname, GLsizei room_count,
                               GLint *params)
{
    struct ggl_context *c = ggl_current();
    struct room room;
    GLint count = 1;
    if (!c) {
        return;
    }
    if (pname == GL_SAMPLES && room_count >= 0) {
        count = 0;
        if (!gles2_ask_glGetInternalformativ(c, target, format, GL_NUM_SAMPLE_COUNTS, 1, &count,
                                             4)) {
            return;
        }
    }
    count = count < room_count ? count : room_count;
    if (count == 0 && ggl_stock(c)) {
        return;
    }
    if (room_make(c, count, 4, &room) &&
        gles2_ask_glGetInternalformativ(c, target, format, pname, room.count, room.data,
                                        room.size)) {
        give_list(&room, room.count, NULL, params);
    }
}

/* Names with ';' behind each, then NUL (protocol: 14.4), in scratch memory of at least 4 bytes a
 * name. NULL: one is empty, holds a ';' or is missing; *size counts the NUL. Of no list all names
 * are empty: the driver finds what is wrong otherwise. */
static char *pack_names(struct ggl_context *c, GLsizei count, const GLchar *const *names,
                        uint32_t *size)
{
    size_t bytes = 1 + (!names && count > 0 ? (size_t)count : 0);
    for (GLsizei i = 0; names && i < count; i++) {
        if (!names[i] || !*names[i] || strchr(names[i], ';')) {
            return NULL;
        }
        bytes += strlen(names[i]) + 1;
    }
    size_t list = count > 0 ? (size_t)count * 4 : 0;
    char *text = ggl_scratch(c, bytes > list ? bytes : list);
    char *p = text;
    for (GLsizei i = 0; text && i < count; i++) {
        size_t length = names ? strlen(names[i]) : 0;
        memcpy(p, names ? names[i] : "", length);
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
    if (!ggl_size_travels(c, count)) {
        return;
    }
    if (count > 0 && !varyings && (ggl_stock(c) || count > ROOM_MAX)) {
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
    bool is_missing = count > 0 && (!names || !indices);
    if (((count < 0 || is_missing) && ggl_stock(c)) || count > ROOM_MAX / 4) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    uint32_t size, list_size = count > 0 ? (uint32_t)count * 4 : 0;
    char *text = pack_names(c, count, names, &size);
    if (!text) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    if (list_size == 0 && ggl_stock(c)) {
        return;
    }
    /* The names are sent before the reply takes their place. */
    if (gles2_ask_glGetUniformIndicesAEMU(c, program, count, text, size, size, text, list_size) &&
        list_size != 0 && indices) {
        memcpy(indices, text, list_size);
    }
}

/* A block's list of uniforms is as long as the block says (protocol: trap T25). */
void ggl_glGetActiveUniformBlockiv(GLuint program, GLuint block, GLenum pname, GLint *params)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
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
    struct room room;
    if (room_make(c, count, 4, &room) &&
        gles2_ask_glGetActiveUniformBlockiv(c, program, block, pname, room.data, room.size)) {
        give_list(&room, count, NULL, params);
    }
}
