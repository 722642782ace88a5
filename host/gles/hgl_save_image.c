/* Snapshots: client images (EGLImage), and the handles that objects of a replay get. */
#include "host/gles/hgl_save.h"

#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

void hgl_save_next_handle(struct hgl_save *s, enum hrc_table table, uint32_t handle)
{
    sl_pack_slNextHandle(hgl_out(s), table, handle);
    hgl_save_flush(s);
}

static void save_image(struct hgl_save *s, const struct ho_object *object)
{
    const struct hrc_image *image = object->value;
    hgl_save_about(s, VGD_FIXED, HGL_ABOUT_HANDLE, object->id);
    hgl_save_next_handle(s, HRC_TABLE_OBJECTS, object->id);
    if (image->level != 0 || image->layer != 0) {
        sl_pack_slCreateImage(hgl_out(s), image->context, image->target, image->name, image->level,
                              image->layer);
    } else {
        rc_pack_rcCreateClientImage(hgl_out(s), image->context, image->target, image->name);
    }
    hgl_save_reply(s, &object->id, 4);
}

/* A texture whose storage is its own; one of an image would be an image of that. */
static bool is_source(struct hgl_save *s, const struct hrc_image *image)
{
    uint32_t other;
    return image->target == EGL_GL_TEXTURE_2D_KHR && s->gl->IsTexture(image->name) &&
           hgl_storage_of(s->root->state->group, false, image->name, &other) == HGL_STORAGE_OWN;
}

void hgl_save_images(struct hgl_save *s)
{
    for (uint32_t i = 0; i < s->all.count; i++) {
        const struct hrc_image *image =
            s->all.list[i]->kind == HRC_IMAGE ? s->all.list[i]->value : NULL;
        for (uint32_t k = 0; image != NULL && k < s->context_count; k++) {
            if (s->contexts[k].handle == image->context &&
                s->contexts[k].state->group == s->root->state->group && is_source(s, image)) {
                hgl_save_flush(s);
                save_image(s, s->all.list[i]);
                s->images_done[i] = 1;
            }
        }
    }
}

bool hgl_save_has_image(const struct hgl_save *s, uint32_t handle)
{
    for (uint32_t i = 0; i < s->all.count; i++) {
        if (s->all.list[i]->id == handle) {
            return s->images_done[i] != 0;
        }
    }
    return false;
}
