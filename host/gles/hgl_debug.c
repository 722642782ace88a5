/* Errors for a guest that does not wait for them, and KHR_debug: texts whose length must not be the
 * driver's to find, labels of sync objects, and the messages of the driver, which wait here until
 * the guest fetches them. */
#include "host/gles/hgl.h"

#include "host/glesx_hand.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>
#include <pthread.h>
#include <string.h>

/* Bytes of messages that wait; later ones are dropped, as a full log drops them. */
#define MESSAGES_MAX 65536u
/* Before each text: source, type, id, severity, length of the text without NUL. */
#define MESSAGE_WORDS 5u

/* Drivers may call back on a thread of theirs. */
struct hgl_messages {
    pthread_mutex_t lock;
    uint32_t size;
    uint8_t bytes[MESSAGES_MAX];
};

static void GL_APIENTRY on_message(GLenum source, GLenum type, GLuint id, GLenum severity,
                                   GLsizei length, const GLchar *text, const void *user)
{
    struct hgl_messages *m = (struct hgl_messages *)(uintptr_t)user; /* as it was given */
    uint32_t size = length >= 0 ? (uint32_t)length : (uint32_t)strlen(text);
    const uint32_t words[MESSAGE_WORDS] = {source, type, id, severity, size};
    pthread_mutex_lock(&m->lock);
    if (size < MESSAGES_MAX && sizeof words + size <= MESSAGES_MAX - m->size) {
        memcpy(m->bytes + m->size, words, sizeof words);
        memcpy(m->bytes + m->size + sizeof words, text, size);
        m->size += (uint32_t)sizeof words + size;
    }
    pthread_mutex_unlock(&m->lock);
}

/* An error that the guest has not taken yet keeps the next one where it is: in the driver. */
void hgl_glReportErrorSLUICE(struct hr_call *call, const struct glesx_args_glReportErrorSLUICE *a)
{
    (void)a;
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (hr_ring_error_taken(call->ring)) {
        GLenum error = gl->GetError();
        if (error != GL_NO_ERROR) {
            hr_ring_error(call->ring, error);
        }
    }
}

void hgl_messages_free(struct hgl_messages *messages)
{
    if (messages != NULL) {
        pthread_mutex_destroy(&messages->lock);
        sl_free(messages);
    }
}

void hgl_glDebugCallbackSLUICE(struct hr_call *call,
                               const struct glesx_args_glDebugCallbackSLUICE *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of_any(call);
    if (s == NULL || gl->DebugMessageCallback == NULL) {
        return;
    }
    if (s->messages == NULL && a->on != 0) {
        s->messages = sl_alloc(sizeof *s->messages);
        if (s->messages == NULL) {
            hr_call_refuse(call, "no memory for messages");
            return;
        }
        s->messages->size = 0;
        pthread_mutex_init(&s->messages->lock, NULL);
    }
    gl->DebugMessageCallback(a->on != 0 ? on_message : NULL, s->messages);
}

/* Whole messages, the oldest first, as many as there is room for. Returns their bytes. */
uint32_t hgl_glDebugFetchSLUICE(struct hr_call *call, const struct glesx_args_glDebugFetchSLUICE *a)
{
    struct hgl_state *s = hgl_state_of_any(call);
    uint32_t taken = 0;
    if (s == NULL || s->messages == NULL) {
        return 0;
    }
    struct hgl_messages *m = s->messages;
    pthread_mutex_lock(&m->lock);
    while (taken < m->size) {
        uint32_t text = sl_load_u32(m->bytes + taken + (MESSAGE_WORDS - 1) * 4);
        uint32_t next = taken + MESSAGE_WORDS * 4 + text;
        if (next > a->data_size) {
            break;
        }
        taken = next;
    }
    memcpy(a->data, m->bytes, taken);
    m->size -= taken;
    memmove(m->bytes, m->bytes + taken, m->size);
    pthread_mutex_unlock(&m->lock);
    return taken;
}

/* Is the length given, and within the text that came? */
static bool text_ok(struct hr_call *call, int32_t length, uint32_t size)
{
    if (length < 0 || (uint32_t)length > size) {
        hr_call_refuse(call, "a text of %d bytes in %u", length, size);
        return false;
    }
    return hgl_state_of_any(call) != NULL;
}

void hgl_glDebugMessageInsert(struct hr_call *call, const struct glesx_args_glDebugMessageInsert *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->DebugMessageInsert != NULL && text_ok(call, a->length, a->buf_size)) {
        gl->DebugMessageInsert(a->source, a->type, a->id, a->severity, a->length, a->buf);
    }
}

void hgl_glPushDebugGroup(struct hr_call *call, const struct glesx_args_glPushDebugGroup *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->PushDebugGroup != NULL && text_ok(call, a->length, a->message_size)) {
        gl->PushDebugGroup(a->source, a->id, a->length, a->message);
    }
}

void hgl_glObjectLabel(struct hr_call *call, const struct glesx_args_glObjectLabel *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->ObjectLabel != NULL && text_ok(call, a->length, a->label_size)) {
        gl->ObjectLabel(a->identifier, a->name, a->length, a->label);
    }
}

/* Here a length of 0 is text that ends by itself: no text at all takes the label away. */
void hgl_glLabelObjectEXT(struct hr_call *call, const struct glesx_args_glLabelObjectEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    int32_t length = a->length > 0 ? a->length : 0;
    if (gl->LabelObjectEXT != NULL && text_ok(call, length, a->label_size)) {
        const void *label = length != 0 ? a->label : a->length < 0 ? "" : NULL;
        gl->LabelObjectEXT(a->type, a->object, a->length, label);
    }
}

void hgl_glObjectSyncLabelSLUICE(struct hr_call *call,
                                 const struct glesx_args_glObjectSyncLabelSLUICE *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->ObjectPtrLabel == NULL || !text_ok(call, a->length, a->label_size)) {
        return;
    }
    struct ho_object *object = hgl_sync_get(call, a->sync);
    if (object != NULL) {
        gl->ObjectPtrLabel(object->value, a->length, a->label);
        ho_put(object);
    }
}

void hgl_glGetObjectSyncLabelSLUICE(struct hr_call *call,
                                    const struct glesx_args_glGetObjectSyncLabelSLUICE *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct ho_object *object = gl->GetObjectPtrLabel != NULL && hgl_state_of_any(call) != NULL
                                   ? hgl_sync_get(call, a->sync)
                                   : NULL;
    if (object == NULL) {
        return;
    }
    GLsizei length = 0, room = a->bufSize;
    room = room > 0 && (uint32_t)room > a->label_size ? (GLsizei)a->label_size : room;
    gl->GetObjectPtrLabel(object->value, room, &length, a->label);
    if (a->length != NULL && a->length_size >= sizeof length) {
        memcpy(a->length, &length, sizeof length);
    }
    ho_put(object);
}
