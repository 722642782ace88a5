/* Client images (EGLImage) of a snapshot, between the files that write it: hgl_save_image.c. */
#ifndef HOST_HGL_SAVE_IMAGE_H
#define HOST_HGL_SAVE_IMAGE_H

#include "host/gles/hgl_save.h"

/* An image of a texture of an image, and so on, are led to up to here. */
#define HGL_IMAGE_DEPTHS 4u

/* 0: its storage is no image's; 1: of an image whose own source's is no image's, and so on. At most
 * HGL_IMAGE_DEPTHS. */
uint32_t hgl_save_image_depth(const struct hgl_save *s, bool renderbuffer, uint32_t name);
/* Images of the group's textures and renderbuffers of this depth, which are there. */
void hgl_save_images(struct hgl_save *s, uint32_t depth);
/* Before the groups: those that textures have and the guest has closed; then what no texture leads
 * to. Behind the groups: closed again. */
void hgl_save_find_closed(struct hgl_save *s);
void hgl_save_lone_images(struct hgl_save *s);
void hgl_save_closed_finish(struct hgl_save *s);
/* Does a group of images come before this one, and is not there yet? */
bool hgl_save_waits_for_image(const struct hgl_save *s, const struct hgl_saved *root);
/* In the replay: what is bound at target, `name`, gets the storage of its image. */
void hgl_save_image_storage(struct hgl_save *s, GLenum target, uint32_t name,
                            enum hgl_storage storage);

#endif
