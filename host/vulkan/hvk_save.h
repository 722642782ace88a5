/* Between the files that save a context: hvk_save.c (objects in the order in which they came to
 * be), hvk_save_about.c (what each is, for who compares), hvk_save_held.c (what they hold) and
 * hvk_save_state.c (what became of them since). Device thread, while all rings stand. */
#ifndef HOST_HVK_SAVE_H
#define HOST_HVK_SAVE_H

#include "host/vulkan/hvk_family.h"

#include "wire/vk_pack.h"

struct hvk_named {
    uint32_t kind;
    uint64_t native, id;
};

struct hvk_save {
    struct hvk_context *context;
    const struct vgd_saver *saver;
    enum sl_result result; /* the first failure; nothing is packed behind it */
    uint32_t ring_id;
    uint32_t turn;    /* of the last packet */
    uint32_t waiting; /* rings whose packets wait past their turns */
    struct vk_pack pack;
    /* What descriptors may hold, sorted by kind and native. */
    struct hvk_named *named;
    uint32_t named_count;
    /* Attached resources, sorted by inode. */
    struct hvk_shared *shared;
    uint32_t shared_count;
    /* The choice of ids there: until which event it leads, and which of the host's own are taken.
     */
    uint32_t guided_until;
    uint8_t *taken;        /* SL_IDS_PEER_FIRST bits */
    struct vk_pack ending; /* packets that end something */
};

/* What a snapshot's packets are about, beside objects, which have their VK_KIND_ numbers. */
enum hvk_about {
    HVK_ABOUT_STATE = 0x100, /* + kind: of an object */
    HVK_ABOUT_BOND = 0x200,  /* + kind: what it was given after it was made; place: its plane */
    HVK_ABOUT_PAGES = 0x300, /* of a memory; place: the offset */
    HVK_ABOUT_PLACE,         /* of a device: pages that it tells its guest things in */
    HVK_ABOUT_REST,
};
/* Packets from here on are about this (vgd_saver.about). What is `whole` is told to whoever
 * compares: packets are then for objects that are not new, too. */
void hvk_save_about(struct hvk_save *s, const struct vgd_about *about);
static inline bool hvk_save_is_whole(const struct hvk_save *s)
{
    return s->saver->about != NULL;
}

/* The packet in s->pack goes out with the next turn. */
void hvk_save_put(struct hvk_save *s);
#define HVK_SAVE(s, X, ...)                                                                        \
    do {                                                                                           \
        if ((s)->result == SL_OK) {                                                                \
            vk_pack_vk##X(&(s)->pack, 0, __VA_ARGS__);                                             \
            hvk_save_put(s);                                                                       \
        }                                                                                          \
    } while (0)
/* It cannot be saved; logged. */
void hvk_save_fail(struct hvk_save *s, enum sl_result result, const char *reason);
/* The choice of ids that are there from now on: `ids` next, and no others before the next call. */
void hvk_save_ids(struct hvk_save *s, uint32_t blob, const uint64_t *ids, uint32_t count);
/* A queue of the device that its guest has asked for; NULL: none. */
const struct hvk_queue *hvk_save_queue(const struct hvk_device *device);

/* hvk_save_about.c */
/* How often one of that kind is destroyed until it is gone. */
uint32_t hvk_save_ends(uint32_t kind);
/* The packet that destroys it. False: nothing does. */
bool hvk_save_pack_end(struct vk_pack *pack, const struct hvk_birth *birth, uint64_t id);
/* What a packet has made, what it was bound to, a layout that stands for commands to come. */
void hvk_save_about_birth(struct hvk_save *s, const struct hvk_birth *birth);
void hvk_save_about_bond(struct hvk_save *s, uint32_t kind, const struct hvk_object *object,
                         uint32_t plane);
void hvk_save_about_retired(struct hvk_save *s, uint64_t id);

/* hvk_save_held.c */
bool hvk_save_is_zero(const void *data, size_t size);
enum sl_result hvk_save_look(struct hvk_save *s); /* named and shared */
/* Memory is there: its blobs, and its bytes where nobody else writes them. */
void hvk_save_memory(struct hvk_save *s, const struct hvk_memory *memory);
/* The same where the memory object has ended since, but not all resources that were its blobs. */
void hvk_save_lost_memory(struct hvk_save *s, const struct hvk_birth *birth);
/* Objects that got something after they were made. */
void hvk_save_buffer_bond(struct hvk_save *s, const struct hvk_buffer *buffer);
void hvk_save_image_bond(struct hvk_save *s, const struct hvk_image *image, uint32_t plane);
void hvk_save_set_bond(struct hvk_save *s, const struct hvk_set *set);
void hvk_save_set(struct hvk_save *s, const struct hvk_set *set);
/* The page that a device tells its guest things in. */
void hvk_save_status(struct hvk_save *s, const struct hvk_device *device);

/* hvk_save_state.c */
/* Whether it is signalled, or its value: with another one it has to be made anew. */
uint64_t hvk_save_signal(struct hvk_save *s, const struct hvk_semaphore *semaphore);
/* All objects are there: what they hold, and the state that they are in. */
void hvk_save_states(struct hvk_save *s);

/* hvk_save.c. hct_ops.save. */
enum sl_result hvk_save(struct hvk_context *context, const struct vgd_saver *saver,
                        uint32_t ring_id);

#endif
