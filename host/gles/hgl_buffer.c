/* Mapped buffers: the guest maps a shadow; the host maps, copies and unmaps within one command. */
#include "host/gles/hgl.h"

#include "host/gles2_hand.h"
#include "transport/base/copy.h"

static void *map(struct hr_call *call, uint32_t target, int64_t offset, int64_t length,
                 uint32_t access, uint32_t size)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (hgl_state_of_any(call) == NULL || gl->MapBufferRange == NULL || offset < 0 || length <= 0 ||
        length > (int64_t)size) {
        hr_call_refuse(call, "target 0x%x, %lld bytes at %lld, %u sent", target, (long long)length,
                       (long long)offset, size);
        return NULL;
    }
    return gl->MapBufferRange(target, (GLintptr)offset, (GLsizeiptr)length, access);
}

void hgl_glMapBufferRangeAEMU(struct hr_call *call, const struct gles2_args_glMapBufferRangeAEMU *a)
{
    const uint32_t invalidate = GL_MAP_INVALIDATE_RANGE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT;
    bool wants = (a->access & GL_MAP_READ_BIT) != 0 ||
                 ((a->access & GL_MAP_WRITE_BIT) != 0 && (a->access & invalidate) == 0);
    if (!wants || a->mapped == NULL || a->mapped_size == 0) {
        return;
    }
    /* The content is asked for: read it, whatever else the guest is going to do. */
    const void *p = map(call, a->target, a->offset, a->length, GL_MAP_READ_BIT, a->mapped_size);
    if (p != NULL) {
        sl_copy_shared(a->mapped, p, (size_t)a->length);
        (void)hgl_api_of(call)->gl->UnmapBuffer(a->target);
    }
}

/* True: written and unmapped; or nothing was to be written. */
static bool write_back(struct hr_call *call, uint32_t target, int64_t offset, int64_t length,
                       uint32_t access, const void *data, uint32_t size, bool flush)
{
    if ((access & GL_MAP_WRITE_BIT) == 0 || data == NULL || size == 0) {
        return true;
    }
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    /* Bytes outside the range that came are not the guest's to lose here: a map of the whole had
     * been its own. */
    uint32_t with =
        GL_MAP_WRITE_BIT | (access & GL_MAP_UNSYNCHRONIZED_BIT) | GL_MAP_INVALIDATE_RANGE_BIT;
    if (flush) {
        with |= GL_MAP_FLUSH_EXPLICIT_BIT;
    }
    void *p = map(call, target, offset, length, with, size);
    if (p == NULL) {
        return false;
    }
    sl_copy_shared(p, data, (size_t)length);
    if (flush) {
        gl->FlushMappedBufferRange(target, 0, (GLsizeiptr)length);
    }
    return gl->UnmapBuffer(target);
}

void hgl_glUnmapBufferAEMU(struct hr_call *call, const struct gles2_args_glUnmapBufferAEMU *a)
{
    bool ok = write_back(call, a->target, a->offset, a->length, a->access, a->guest_buffer,
                         a->guest_buffer_size, false);
    *(uint8_t *)a->out_res = ok ? GL_TRUE : GL_FALSE;
}

void hgl_glUnmapBufferAsyncAEMU(struct hr_call *call,
                                const struct gles2_args_glUnmapBufferAsyncAEMU *a)
{
    (void)write_back(call, a->target, a->offset, a->length, a->access, a->guest_buffer,
                     a->guest_buffer_size, false);
}

void hgl_glFlushMappedBufferRangeAEMU(struct hr_call *call,
                                      const struct gles2_args_glFlushMappedBufferRangeAEMU *a)
{
    (void)write_back(call, a->target, a->offset, a->length, a->access | GL_MAP_WRITE_BIT,
                     a->guest_buffer, a->guest_buffer_size, true);
}

void hgl_glFlushMappedBufferRangeAEMU2(struct hr_call *call,
                                       const struct gles2_args_glFlushMappedBufferRangeAEMU2 *a)
{
    (void)write_back(call, a->target, a->offset, a->length, a->access | GL_MAP_WRITE_BIT,
                     a->guest_buffer, a->guest_buffer_size, true);
}

GLboolean hgl_glBufferDataSyncAEMU(struct hr_call *call,
                                   const struct gles2_args_glBufferDataSyncAEMU *a)
{
    if (hgl_state_of(call) == NULL || (a->data_size != 0 && a->size > (int64_t)a->data_size)) {
        hr_call_refuse(call, "%lld bytes, %u sent", (long long)a->size, a->data_size);
        return GL_FALSE;
    }
    hgl_api_of(call)->gl->BufferData(a->target, (GLsizeiptr)a->size,
                                     a->data_size != 0 ? a->data : NULL, a->usage);
    return GL_TRUE;
}
