#include "tools/sluice/replay_images.h"
#include "tools/sluice/names.h"
#include "transport/base/mem.h"

#include "wire/vk_kinds.h"

#define SHAPES 4096u
#define IMAGES 65536u /* images, and allocations */

struct image {
    uint64_t key;
    bool is_linear;
};

struct memory {
    uint64_t size; /* 0: not known */
    uint64_t single;
    uint32_t type;
};

struct images {
    struct names *names;
    struct image_shape *shapes; /* SHAPES, by key; key 0: free */
    struct image *list;         /* IMAGES, by number */
    struct memory *memories;    /* IMAGES, by number */
    struct memory made;         /* the last one */
};

struct images *images_create(void)
{
    struct images *images = sl_alloc(sizeof *images);
    if (images == NULL) {
        return NULL;
    }
    *images = (struct images){.names = names_create(),
                              .shapes = sl_alloc_array(SHAPES, sizeof *images->shapes),
                              .list = sl_alloc_array(IMAGES, sizeof *images->list),
                              .memories = sl_alloc_array(IMAGES, sizeof *images->memories)};
    if (images->names == NULL || images->shapes == NULL || images->list == NULL ||
        images->memories == NULL) {
        images_destroy(images);
        return NULL;
    }
    return images;
}

void images_destroy(struct images *images)
{
    if (images != NULL) {
        names_destroy(images->names);
        sl_free(images->shapes);
        sl_free(images->list);
        sl_free(images->memories);
        sl_free(images);
    }
}

void images_add(struct images *images, uint32_t ctx, uint64_t id, uint64_t key, bool linear)
{
    uint32_t number = names_number(images->names, ctx, VK_KIND_VkImage, id, true);
    if (number < IMAGES) {
        images->list[number] = (struct image){.key = key, .is_linear = linear};
    }
}

uint32_t images_number(struct images *images, uint32_t ctx, uint64_t id)
{
    return names_number(images->names, ctx, VK_KIND_VkImage, id, false);
}

uint64_t images_key(struct images *images, uint32_t ctx, uint64_t id)
{
    uint32_t number = images_number(images, ctx, id);
    return number < IMAGES ? images->list[number].key : 0;
}

static struct image_shape *shape_at(const struct images *images, uint64_t key, bool is_new)
{
    for (uint32_t i = 0; i < SHAPES; i++) {
        struct image_shape *s = &images->shapes[(key + i) % SHAPES];
        if (s->key == key || (s->key == 0 && is_new)) {
            s->key = key;
            return s;
        }
        if (s->key == 0) {
            break;
        }
    }
    return NULL;
}

void images_learn(struct images *images, uint64_t key, const struct image_needs *was,
                  const struct image_needs *is)
{
    struct image_shape *s = key != 0 ? shape_at(images, key, true) : NULL;
    if (s != NULL && is->size != 0) {
        s->was = *was;
        s->is = *is;
    }
}

const struct image_shape *images_shape(struct images *images, uint32_t ctx, uint64_t id)
{
    uint64_t key = images_key(images, ctx, id);
    const struct image_shape *s = key != 0 ? shape_at(images, key, false) : NULL;
    return s != NULL && s->is.size != 0 ? s : NULL;
}

void images_allocate(struct images *images, uint64_t size, uint32_t type, uint64_t single)
{
    images->made = (struct memory){.size = size, .type = type, .single = single};
}

void images_memory_is(struct images *images, uint32_t ctx, uint64_t id)
{
    uint32_t number = names_number(images->names, ctx, VK_KIND_VkDeviceMemory, id, true);
    if (number < IMAGES) {
        images->memories[number] = images->made;
    }
}

bool images_outgrows(struct images *images, uint32_t ctx, uint64_t id, uint64_t memory,
                     uint64_t offset)
{
    const struct image_shape *s = images_shape(images, ctx, id);
    uint32_t number = names_number(images->names, ctx, VK_KIND_VkDeviceMemory, memory, false);
    if (s == NULL || number >= IMAGES || images->memories[number].size == 0) {
        return false;
    }
    const struct memory *m = &images->memories[number];
    uint32_t image = images_number(images, ctx, id); /* images_shape has looked at it */
    uint64_t alignment = s->is.alignment != 0 ? s->is.alignment : 1;
    bool has_room = s->is.size <= s->was.size || m->single == id;
    bool fits = has_room && offset % alignment == 0 && offset <= m->size &&
                s->is.size <= m->size - offset && m->type < 32 && (s->is.types >> m->type & 1) != 0;
    return !fits && !images->list[image].is_linear;
}
