/* Snapshots: views of resources' memory, textures and renderbuffers that are of colour buffers, and
 * those that are exported as resources. */
#include "host/gles/hgl_save.h"

#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

void hgl_save_view(struct hgl_save *s, const struct hs_view_args *view)
{
    uint32_t words[HS_PLANES_MAX * 3], size = view->plane_count * 3 * (uint32_t)sizeof words[0];
    for (uint32_t i = 0; i < view->plane_count; i++) {
        words[i * 3] = view->planes[i].of->handle;
        words[i * 3 + 1] = view->planes[i].offset;
        words[i * 3 + 2] = view->planes[i].pitch;
    }
    sl_pack_slCreateView(hgl_out(s), view->fourcc, view->width, view->height, view->yuv, words,
                         size, size);
}

bool hgl_save_has_buffer(struct hgl_save *s, bool renderbuffer, uint32_t name, uint32_t handle)
{
    struct hs_buffer *open = hrc_buffer(s->client, handle);
    struct hs_buffer *stored = hgl_storage_buffer(s->root->state->group, renderbuffer, name);
    bool has = open != NULL && open == stored;
    hs_put(open);
    hs_put(stored);
    return has;
}

/* By an image that goes again: the one that it was done by may have gone as well. */
static void save_export(struct hgl_save *s, bool renderbuffer, uint32_t name, uint32_t resource)
{
    const uint32_t done = 1;
    sl_pack_slNextHandle(hgl_out(s), HRC_TABLE_OBJECTS, s->spare);
    hgl_save_flush(s);
    sl_pack_slCreateImage(hgl_out(s), s->root->handle,
                          renderbuffer ? EGL_GL_RENDERBUFFER_KHR : EGL_GL_TEXTURE_2D_KHR, name, 0,
                          0);
    hgl_save_reply(s, &s->spare, 4);
    sl_pack_slExportImage(hgl_out(s), s->spare, resource);
    hgl_save_reply(s, &done, 4);
    rc_pack_rcDestroyClientImage(hgl_out(s), (EGLint)s->spare);
    hgl_save_reply(s, &done, 4);
}

static bool is_exported(struct hgl_save *s, bool renderbuffer, uint32_t name)
{
    struct hgl_group *group = s->root->state->group;
    struct hs_buffer *b = hgl_storage_buffer(group, renderbuffer, name);
    uint32_t handle;
    hs_put(b);
    return b != NULL && hgl_storage_of(group, renderbuffer, name, &handle) == HGL_STORAGE_OWN;
}

void hgl_save_exports(struct hgl_save *s, bool renderbuffers, uint32_t top, const uint8_t *alive)
{
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        if (alive[name] == 0 || !is_exported(s, renderbuffers, name)) {
            continue;
        }
        struct hs_buffer *b = hgl_storage_buffer(s->root->state->group, renderbuffers, name);
        hgl_save_about(s, VGD_FIXED, HGL_ABOUT_HANDLE, b->handle);
        if (hgl_save_has_buffer(s, renderbuffers, name, b->handle)) {
            save_export(s, renderbuffers, name, b->handle);
        } else {
            hgl_save_refuse(s, "%s %u is exported as a resource that is gone",
                            renderbuffers ? "renderbuffer" : "texture", name);
        }
        hs_put(b);
    }
}
