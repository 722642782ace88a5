/* What the images of a trace need here and needed while recording, and which memory they are bound
 * to. Images are numbered as dumps number them; ids are those of a context. One thread. */
#ifndef SLUICE_REPLAY_IMAGES_H
#define SLUICE_REPLAY_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

struct images;

/* VkMemoryRequirements. */
struct image_needs {
    uint64_t size, alignment;
    uint32_t types; /* bits */
};

/* What images of certain arguments need. */
struct image_shape {
    uint64_t key;               /* of the arguments; not 0 */
    struct image_needs was, is; /* is.size 0: not known */
};

/* NULL: no memory. */
struct images *images_create(void);
void images_destroy(struct images *images);

/* An image was made. linear: what its memory holds may be the guest's own writing. */
void images_add(struct images *images, uint32_t ctx, uint64_t id, uint64_t key, bool linear);
uint32_t images_number(struct images *images, uint32_t ctx, uint64_t id);
/* The key of its arguments; 0: not known. */
uint64_t images_key(struct images *images, uint32_t ctx, uint64_t id);
/* Both answers about images of these arguments came. */
void images_learn(struct images *images, uint64_t key, const struct image_needs *was,
                  const struct image_needs *is);
/* NULL: nothing is known of it. */
const struct image_shape *images_shape(struct images *images, uint32_t ctx, uint64_t id);

/* Memory is allocated; single: the image that it is for, 0: any. Its id comes by images_memory_is,
 * now or with its answer. */
void images_allocate(struct images *images, uint64_t size, uint32_t type, uint64_t single);
void images_memory_is(struct images *images, uint32_t ctx, uint64_t id);
/* The image cannot lie there as it did while recording: its memory must be its own. */
bool images_outgrows(struct images *images, uint32_t ctx, uint64_t id, uint64_t memory,
                     uint64_t offset);

#endif
