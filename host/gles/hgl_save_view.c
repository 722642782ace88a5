/* Snapshots: views of resources' memory. */
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
