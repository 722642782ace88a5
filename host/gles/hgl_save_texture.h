/* What files that save textures share. The desktop context is current, and the texture bound to its
 * target. */
#ifndef HOST_HGL_SAVE_TEXTURE_H
#define HOST_HGL_SAVE_TEXTURE_H

#include "host/gles/hgl_save.h"

#include <GLES2/gl2ext.h>

struct hgl_texture {
    uint32_t name;
    GLenum target;
    bool layered;    /* three sizes */
    GLint immutable; /* levels, or 0 */
    bool is_view;    /* the storage is there */
};

struct hgl_level {
    GLint width, height, depth, internal, compressed, samples, fixed, compressed_size;
    const struct hgl_format *format; /* not of compressed ones */
};

static inline bool hgl_is_layered(GLenum target)
{
    return target == GL_TEXTURE_3D || target == GL_TEXTURE_2D_ARRAY ||
           target == GL_TEXTURE_CUBE_MAP_ARRAY || target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
}

/* What a level of a face is; width 0: there is none. */
struct hgl_level hgl_save_level(struct hgl_save *s, GLenum face, GLint number);
/* The storage of an immutable texture, or one of several samples, by its level 0. */
void hgl_save_storage(struct hgl_save *s, const struct hgl_texture *t, const struct hgl_level *l);
/* Storage and contents. */
void hgl_save_texture_images(struct hgl_save *s, const struct hgl_texture *t);

/* hgl_save_texture_view.c. It is made of another one's storage, by hgl_save_views. */
bool hgl_save_is_view(const struct hgl_save *s, uint32_t name);
/* Those whose storage is, or is not, an image's; all others are there. As hgl_save_names says. */
void hgl_save_views(struct hgl_save *s, uint32_t top, const uint8_t *alive, bool of_images);

#endif
