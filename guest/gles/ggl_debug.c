/* KHR_debug and EXT_debug_label: texts, labels, and the messages of the host's driver.
 *
 * The application's debug function is called in the application's process: the host keeps what its
 * driver says (while a function is set), and the guest fetches it where it waits or a frame ends
 * anyway: glGetError, glFinish, glFlush, eglSwapBuffers, and behind each message that the
 * application makes itself. GL_DEBUG_OUTPUT_SYNCHRONOUS makes no other call wait. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/bytes.h"

#include <string.h>

/* A fetch; a message alone is shorter (drivers: GL_MAX_DEBUG_MESSAGE_LENGTH of 4096). */
#define FETCH_BYTES 8192
/* Before each text: source, type, id, severity, length of the text without NUL. */
#define MESSAGE_WORDS 5

/* One message of a fetch is told; its bytes, 0 when the rest is none. */
static uint32_t tell_one(struct ggl_context *c, const uint8_t *p, uint32_t size)
{
    char text[FETCH_BYTES + 1];
    if (size < MESSAGE_WORDS * 4) {
        return 0;
    }
    uint32_t length = sl_load_u32(p + (size_t)(MESSAGE_WORDS - 1) * 4);
    if (length > size - MESSAGE_WORDS * 4) {
        return 0;
    }
    memcpy(text, p + (size_t)MESSAGE_WORDS * 4, length);
    text[length] = 0;
    if (c->debug_callback) {
        c->debug_callback(sl_load_u32(p), sl_load_u32(p + 4), sl_load_u32(p + 8),
                          sl_load_u32(p + 12), (GLsizei)length, text, c->debug_user);
    }
    return MESSAGE_WORDS * 4 + length;
}

static __attribute__((noinline)) void tell(struct ggl_context *c)
{
    uint8_t bytes[FETCH_BYTES];
    uint32_t got;
    c->debug_telling = true;
    do {
        got = glesx_call_glDebugFetchSLUICE(c->stream, sizeof bytes, bytes, sizeof bytes);
        got = got <= sizeof bytes ? got : 0;
        for (uint32_t at = 0, one = 1; at < got && one != 0; at += one) {
            one = tell_one(c, bytes + at, got - at);
        }
    } while (got != 0);
    c->debug_telling = false;
}

void ggl_messages_tell(struct ggl_context *c)
{
    if (SL_UNLIKELY(c->debug_callback != NULL) && !c->debug_telling) {
        tell(c);
    }
}

void ggl_frame_end(struct ggl_context *c)
{
    ggl_order_tell(c);
    ggl_messages_tell(c);
}

void ggl_glDebugMessageCallback(GLDEBUGPROC callback, const void *user)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c)) {
        ggl_messages_tell(c);
        c->debug_callback = callback;
        c->debug_user = user;
        glesx_pack_glDebugCallbackSLUICE(ggl_pack(c), callback ? GL_TRUE : GL_FALSE);
    }
}

void ggl_debug_pointer(struct ggl_context *c, GLenum pname, void **params)
{
    if (pname == GL_DEBUG_CALLBACK_FUNCTION) {
        memcpy(params, &c->debug_callback, sizeof *params);
    } else if (pname == GL_DEBUG_CALLBACK_USER_PARAM) {
        *params = (void *)(uintptr_t)c->debug_user; /* as it was given */
    } else {
        ggl_error(c, GL_INVALID_ENUM);
    }
}

void ggl_glGetPointerv(GLenum pname, void **params)
{
    struct ggl_context *c = ggl_current();
    if (c && params && ggl_own(c)) {
        ggl_debug_pointer(c, pname, params);
    }
}

/* The length of a text that says it, or ends by itself. */
static GLsizei text_length(const GLchar *text, GLsizei length)
{
    if (!text) {
        return 0;
    }
    size_t size = length < 0 ? strlen(text) : (size_t)length;
    return size <= INT32_MAX / 2 ? (GLsizei)size : INT32_MAX / 2;
}

/* The same of a message. Without its text nothing of it travels: the driver sees a length that it
 * refuses before it would read. */
static GLsizei message_length(const GLchar *text, GLsizei length, uint32_t *sent)
{
    GLsizei size = text_length(text, length);
    *sent = (uint32_t)size;
    return text == NULL && length > 0 ? length : size;
}

void ggl_glDebugMessageInsert(GLenum source, GLenum type, GLuint id, GLenum severity,
                              GLsizei length, const GLchar *text)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c)) {
        uint32_t sent;
        GLsizei size = message_length(text, length, &sent);
        glesx_pack_glDebugMessageInsert(ggl_pack(c), source, type, id, severity, size, text, sent);
        ggl_messages_tell(c);
    }
}

void ggl_glPushDebugGroup(GLenum source, GLuint id, GLsizei length, const GLchar *text)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c)) {
        uint32_t sent;
        GLsizei size = message_length(text, length, &sent);
        glesx_pack_glPushDebugGroup(ggl_pack(c), source, id, size, text, sent);
        ggl_messages_tell(c);
    }
}

void ggl_glPopDebugGroup(void)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c)) {
        glesx_pack_glPopDebugGroup(ggl_pack(c));
        ggl_messages_tell(c);
    }
}

void ggl_glObjectLabel(GLenum kind, GLuint name, GLsizei length, const GLchar *label)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c)) {
        GLsizei size = text_length(label, length);
        glesx_pack_glObjectLabel(ggl_pack(c), kind, name, size, label, (uint32_t)size);
    }
}

/* The older extension: a length of 0, not a negative one, is text that ends by itself. */
void ggl_glLabelObjectEXT(GLenum type, GLuint object, GLsizei length, const GLchar *label)
{
    struct ggl_context *c = ggl_any();
    if (!c || !ggl_own(c)) {
        return;
    }
    /* Of a length below zero the driver reads nothing, and says what is wrong. */
    GLsizei size = length < 0 ? 0 : text_length(label, length == 0 ? -1 : length);
    glesx_pack_glLabelObjectEXT(ggl_pack(c), type, object, length < 0 ? length : size, label,
                                (uint32_t)size);
}

/* The sync objects of the application are the pointers it may name. */
static bool sync_known(struct ggl_context *c, const void *pointer)
{
    if (ggl_glIsSync((GLsync)(uintptr_t)pointer)) {
        return true;
    }
    ggl_error(c, GL_INVALID_VALUE);
    return false;
}

void ggl_glObjectPtrLabel(const void *pointer, GLsizei length, const GLchar *label)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c) && sync_known(c, pointer)) {
        GLsizei size = text_length(label, length);
        glesx_pack_glObjectSyncLabelSLUICE(ggl_pack(c), (uintptr_t)pointer, size, label,
                                           (uint32_t)size);
    }
}

void ggl_glGetObjectPtrLabel(const void *pointer, GLsizei room, GLsizei *length, GLchar *label)
{
    struct ggl_context *c = ggl_any();
    if (c && ggl_own(c) && sync_known(c, pointer)) {
        ggl_text_sync_label(c, (uintptr_t)pointer, room, length, label);
    }
}

/* Messages of a log that lie one behind the other, each with its NUL. */
static size_t texts_size(const GLsizei *lengths, GLuint count, size_t most)
{
    size_t size = 0;
    for (GLuint i = 0; i < count && lengths[i] > 0 && (size_t)lengths[i] <= most - size; i++) {
        size += (size_t)lengths[i];
    }
    return size;
}

/* What one call may ask for; a driver's log holds a few messages of a few KiB. */
#define LOG_MAX  64
#define TEXT_MAX (LOG_MAX * 4096)

GLuint ggl_glGetDebugMessageLog(GLuint count, GLsizei room, GLenum *sources, GLenum *types,
                                GLuint *ids, GLenum *severities, GLsizei *lengths, GLchar *texts)
{
    struct ggl_context *c = ggl_any();
    if (!c || !ggl_own(c)) {
        return 0;
    }
    if (room < 0 && texts) {
        ggl_error(c, GL_INVALID_VALUE);
        return 0;
    }
    GLuint words[5][LOG_MAX];
    uint32_t asked = count < LOG_MAX ? count : LOG_MAX;
    uint32_t size = asked * 4;
    GLsizei text_room = !texts ? 0 : room < TEXT_MAX ? room : TEXT_MAX;
    void *text = ggl_scratch(c, (size_t)text_room + 1);
    if (!text) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return 0;
    }
    GLuint got = glesx_call_glGetDebugMessageLog(
        c->stream, asked, text_room, words[0], size, words[1], size, words[2], size, words[3], size,
        words[4], size, texts ? text : NULL, (uint32_t)text_room);
    got = got < asked ? got : asked;
    GLuint *const out[] = {sources, types, ids, severities, (GLuint *)lengths};
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        if (out[i]) {
            memcpy(out[i], words[i], (size_t)got * 4);
        }
    }
    if (texts) {
        memcpy(texts, text, texts_size((const GLsizei *)words[4], got, (size_t)text_room));
    }
    return got;
}
