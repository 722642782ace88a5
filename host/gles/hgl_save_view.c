/* Snapshots: views of resources' memory, and textures and renderbuffers that are of colour buffers.
 */
#include "host/gles/hgl_save.h"

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
