/* A context as the packets that rebuild it.
 *
 * What happened to it once happens again, in the same order, as far as something is left of it: the
 * packets that made what lives and, for as long as it was there, what that was made of. An id that
 * was free when its object was made is free then, as all that had it before has ended by then. The
 * host's own choice of ids is led (vkRestoreSLUICE), a guest's is in its packets. Then come the
 * states of objects; the last packet lets ids and turns go on as they do here. */
#include "host/vulkan/hvk_save.h"

#include "host/vulkan/hvk_core.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdlib.h>

#define HEADER 12u /* opcode, length, turn */
/* How long a device's work is waited for. */
#define IDLE_NS (1000ull * 1000 * 1000)

enum sort { BIRTH, BUFFER_BOND, IMAGE_BOND, SET_BOND };

struct event {
    uint64_t serial;
    enum sort sort;
    uint32_t plane;
    void *what; /* the birth, or the object's record */
};

/* An object that is there for a while, as others are made of it. */
struct passing {
    uint32_t kind;
    uint64_t id;
    const struct hvk_birth *birth;
};

struct order {
    struct hvk_save *save;
    struct event *events;
    uint32_t count, room;
    struct passing *passing;
    uint32_t passing_count, passing_room;
};

/* --- packets --- */

void hvk_save_fail(struct hvk_save *s, enum sl_result result, const char *reason)
{
    if (s->result == SL_OK) {
        s->result = result;
        sl_warn("vulkan", "context %u is not saved: %s", s->context->ctx_id, reason);
    }
}

void hvk_save_put(struct hvk_save *s)
{
    if (s->pack.failed) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory for a packet");
    }
    if (s->result == SL_OK) {
        sl_store_u32(s->pack.data + 8, ++s->turn);
        s->result = s->saver->packet(s->saver->user, s->ring_id, s->pack.data,
                                     vk_pack_size(&s->pack), NULL, 0);
    }
    vk_pack_reset(&s->pack);
}

static void put_bytes(struct hvk_save *s, const struct hvk_birth *birth)
{
    if (s->result == SL_OK) {
        vk_pack_bytes(&s->pack, birth->packet, birth->size);
        sl_store_u32(s->pack.data + 4, (uint32_t)birth->size); /* without a checksum */
        hvk_save_put(s);
    }
}

void hvk_save_ids(struct hvk_save *s, uint32_t blob, const uint64_t *ids, uint32_t count)
{
    uint32_t slots;
    (void)sl_ids_free(&s->context->ids, &slots, NULL, 0);
    HVK_SAVE(s, RestoreSLUICE, VK_FALSE, s->turn + 1, blob, slots, count, ids);
}

const struct hvk_queue *hvk_save_queue(const struct hvk_device *device)
{
    for (uint32_t i = 0; i < device->queue_count; i++) {
        if (device->queues[i].object.id != 0) {
            return &device->queues[i];
        }
    }
    return NULL;
}

/* --- which ids are taken there --- */

static bool is_own(uint64_t id)
{
    return (uint32_t)id - 1 < SL_IDS_PEER_FIRST;
}

static bool is_taken(const struct hvk_save *s, uint64_t id)
{
    uint32_t index = (uint32_t)id - 1;
    return (s->taken[index / 8] >> (index % 8) & 1) != 0;
}

static void take(struct hvk_save *s, uint64_t id, bool taken)
{
    uint32_t index = (uint32_t)id - 1;
    uint8_t bit = (uint8_t)(1u << (index % 8));
    s->taken[index / 8] = taken ? s->taken[index / 8] | bit : s->taken[index / 8] & (uint8_t)~bit;
}

/* Leads the choice of ids from this event on, as far as none comes twice. */
static void guide(struct order *o, uint32_t at)
{
    struct hvk_save *s = o->save;
    uint64_t *ids = NULL;
    uint32_t count = 0, room = 0, end = at;
    for (; end < o->count && s->result == SL_OK; end++) {
        const struct hvk_birth *birth = o->events[end].what;
        if (o->events[end].sort != BIRTH || !is_own(birth->made[0])) {
            continue;
        }
        bool again = false;
        for (uint32_t i = 0; i < birth->made_count; i++) {
            again = again || is_taken(s, birth->made[i]);
        }
        /* Who compares plays each of them alone. */
        if (end != at && (again || hvk_save_is_whole(s))) {
            break;
        }
        if (count + birth->made_count > room) {
            room = (count + birth->made_count) * 2;
            uint64_t *more = sl_realloc(ids, room * sizeof *ids);
            if (more == NULL) {
                hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
                break;
            }
            ids = more;
        }
        for (uint32_t i = 0; i < birth->made_count; i++) {
            ids[count++] = birth->made[i];
            take(s, birth->made[i], true);
        }
    }
    hvk_save_ids(s, 0, ids, count);
    for (uint32_t i = 0; i < count; i++) {
        take(s, ids[i], false); /* once they are made */
    }
    s->guided_until = end;
    sl_free(ids);
}

/* --- what is there for a while --- */

/* Any living object that the packet made. */
static const struct hvk_object *sibling(const struct hvk_save *s, const struct hvk_birth *birth)
{
    for (uint32_t i = 0; i < birth->made_count; i++) {
        const struct hvk_object *object = hvk_find(s->context, birth->kind, birth->made[i], NULL);
        if (object != NULL && hvk_birth_of(s->context, birth->kind, birth->made[i]) == birth) {
            return object;
        }
    }
    return NULL;
}

static void end_destroyed(struct hvk_save *s, const struct passing *p)
{
    for (uint32_t i = 0; s->result == SL_OK && i < hvk_save_ends(p->kind); i++) {
        if (hvk_save_pack_end(&s->pack, p->birth, p->id)) {
            hvk_save_put(s);
        } else {
            hvk_save_fail(s, SL_ERR_UNSUPPORTED, "something is gone that nothing ends");
        }
    }
}

static void end_passing(struct order *o, uint32_t which)
{
    struct hvk_save *s = o->save;
    const struct passing p = o->passing[which];
    const struct hvk_object *other = sibling(s, p.birth);
    const struct vgd_about about = {.rule = VGD_ONCE, .kind = p.kind, .id = p.id};
    hvk_save_about(s, &about);
    o->passing[which] = o->passing[--o->passing_count];
    if (p.kind == VK_KIND_VkCommandBuffer && other != NULL) {
        const struct hvk_command_buffer *b = (const void *)other;
        VkCommandBuffer id = HVK_HANDLE(VkCommandBuffer, p.id);
        HVK_SAVE(s, FreeCommandBuffers, HVK_HANDLE(VkDevice, other->device->object.id),
                 HVK_HANDLE(VkCommandPool, b->pool->object.id), 1, &id);
    } else if (p.kind == VK_KIND_VkDescriptorSet && other != NULL) {
        const struct hvk_set *set = (const void *)other;
        VkDescriptorSet id = HVK_HANDLE(VkDescriptorSet, p.id);
        HVK_SAVE(s, FreeDescriptorSets, HVK_HANDLE(VkDevice, other->device->object.id),
                 HVK_HANDLE(VkDescriptorPool, set->pool->object.id), 1, &id);
    } else {
        end_destroyed(s, &p);
    }
    if (is_own(p.id)) {
        take(s, p.id, false);
        s->guided_until = 0; /* the choice there begins with it now */
    }
}

/* Its place is wanted. */
static void make_way(struct order *o, uint64_t id)
{
    for (uint32_t i = o->passing_count; i-- != 0;) {
        if ((uint32_t)o->passing[i].id == (uint32_t)id) {
            end_passing(o, i);
        }
    }
}

static void add_passing(struct order *o, const struct hvk_birth *birth, uint64_t id)
{
    if (o->passing_count == o->passing_room) {
        uint32_t room = o->passing_room != 0 ? o->passing_room * 2 : 64;
        struct passing *more = sl_realloc(o->passing, room * sizeof *more);
        if (more == NULL) {
            hvk_save_fail(o->save, SL_ERR_NOMEM, "no memory");
            return;
        }
        o->passing = more;
        o->passing_room = room;
    }
    o->passing[o->passing_count++] = (struct passing){birth->kind, id, birth};
}

/* --- the order of what happened --- */

static void add_event(struct order *o, enum sort sort, uint64_t serial, uint32_t plane, void *what)
{
    if (o->count == o->room) {
        uint32_t room = o->room != 0 ? o->room * 2 : 1024;
        struct event *more = sl_realloc(o->events, room * sizeof *more);
        if (more == NULL) {
            hvk_save_fail(o->save, SL_ERR_NOMEM, "no memory");
            return;
        }
        o->events = more;
        o->room = room;
    }
    o->events[o->count++] = (struct event){serial, sort, plane, what};
}

static void add_birth(struct order *o, struct hvk_birth *birth)
{
    if (!birth->is_listed) {
        birth->is_listed = true;
        add_event(o, BIRTH, birth->serial, 0, birth);
    }
}

static void add_bond(struct order *o, enum sort sort, const struct hvk_bond *bond, uint32_t plane,
                     void *object)
{
    if (bond->to != NULL) {
        add_birth(o, bond->to);
        add_event(o, sort, bond->serial, plane, object);
    }
}

static void add_object(struct order *o, uint32_t kind, uint64_t id, void *record)
{
    struct hvk_birth *birth = hvk_birth_of(o->save->context, kind, id);
    if (birth == NULL) {
        hvk_save_fail(o->save, SL_ERR_UNSUPPORTED, "how its objects were made was not kept");
        return;
    }
    add_birth(o, birth);
    if (kind == VK_KIND_VkBuffer) {
        add_bond(o, BUFFER_BOND, &((struct hvk_buffer *)record)->memory, 0, record);
    } else if (kind == VK_KIND_VkImage) {
        for (uint32_t i = 0; i < HVK_PLANES; i++) {
            add_bond(o, IMAGE_BOND, &((struct hvk_image *)record)->memory[i], i, record);
        }
    } else if (kind == VK_KIND_VkDescriptorSet) {
        add_bond(o, SET_BOND, &((struct hvk_set *)record)->layout, 0, record);
    }
}

static int by_serial(const void *a, const void *b)
{
    uint64_t x = ((const struct event *)a)->serial, y = ((const struct event *)b)->serial;
    return x < y ? -1 : x > y;
}

/* All that lives, and what it was made of. */
static void collect(struct order *o)
{
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *record;
    while (sl_ids_next(&o->save->context->ids, &cursor, &kind, &id, &native, &record)) {
        add_object(o, kind, id, record);
    }
    for (uint32_t i = 0; i < o->save->shared_count; i++) {
        if (o->save->shared[i].birth != NULL) {
            add_birth(o, o->save->shared[i].birth);
        }
    }
    for (uint32_t i = 0; i < o->count && o->save->result == SL_OK; i++) {
        const struct hvk_birth *birth = o->events[i].sort == BIRTH ? o->events[i].what : NULL;
        for (uint32_t k = 0; birth != NULL && k < birth->need_count; k++) {
            add_birth(o, birth->needs[k]);
        }
    }
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->events[i].sort == BIRTH) {
            ((struct hvk_birth *)o->events[i].what)->is_listed = false;
        }
    }
    if (o->count != 0) {
        qsort(o->events, o->count, sizeof o->events[0], by_serial);
    }
}

/* --- playing --- */

static void play_birth(struct order *o, uint32_t at)
{
    struct hvk_save *s = o->save;
    const struct hvk_birth *birth = o->events[at].what;
    for (uint32_t i = 0; i < birth->made_count; i++) {
        make_way(o, birth->made[i]);
    }
    if (hvk_save_is_whole(s)) {
        hvk_save_about_birth(s, birth);
    }
    if (is_own(birth->made[0]) && at >= s->guided_until) {
        guide(o, at);
    }
    put_bytes(s, birth);
    for (uint32_t i = 0; i < birth->made_count; i++) {
        uint64_t id = birth->made[i];
        if (is_own(id)) {
            take(s, id, true);
        }
        if (hvk_birth_of(s->context, birth->kind, id) != birth) {
            add_passing(o, birth, id);
            if (birth->kind == VK_KIND_VkDeviceMemory) {
                hvk_save_lost_memory(s, birth);
            }
        } else if (birth->kind == VK_KIND_VkDeviceMemory) {
            hvk_save_memory(s, (void *)hvk_find(s->context, birth->kind, id, NULL));
        }
    }
}

static void play(struct order *o)
{
    for (uint32_t i = 0; i < o->count && o->save->result == SL_OK; i++) {
        const struct event *e = &o->events[i];
        switch (e->sort) {
        case BIRTH:
            play_birth(o, i);
            break;
        case BUFFER_BOND:
            hvk_save_about_bond(o->save, VK_KIND_VkBuffer, e->what, e->plane);
            hvk_save_buffer_bond(o->save, e->what);
            break;
        case IMAGE_BOND:
            hvk_save_about_bond(o->save, VK_KIND_VkImage, e->what, e->plane);
            hvk_save_image_bond(o->save, e->what, e->plane);
            break;
        case SET_BOND:
            hvk_save_about_bond(o->save, VK_KIND_VkDescriptorSet, e->what, e->plane);
            hvk_save_set_bond(o->save, e->what);
            break;
        }
    }
    while (o->passing_count != 0) {
        end_passing(o, o->passing_count - 1);
    }
}

/* --- all of it --- */

/* Layouts that were destroyed and still stand for commands to come, as they were, the oldest first.
 */
static void retire_layouts(struct hvk_save *s, const struct hvk_device *device)
{
    SL_LIST_FOR(item, &device->layouts)
    {
        const struct hvk_pipeline_layout *layout =
            SL_CONTAINER(item, struct hvk_pipeline_layout, retired);
        hvk_save_about_retired(s, layout->object.id);
        HVK_SAVE(s, DestroyPipelineLayout, HVK_HANDLE(VkDevice, device->object.id),
                 HVK_HANDLE(VkPipelineLayout, layout->object.id), NULL);
    }
}

static void go_on(struct hvk_save *s, VkBool32 last)
{
    struct hvk_context *c = s->context;
    uint32_t slots, count = sl_ids_free(&c->ids, &slots, NULL, 0);
    uint64_t *ids = sl_alloc_array(count + 1, sizeof *ids);
    if (ids == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
        return;
    }
    (void)sl_ids_free(&c->ids, &slots, ids, count);
    const struct vgd_about about = {.rule = last ? VGD_LEADS : VGD_ENTERS, .kind = HVK_ABOUT_REST};
    hvk_save_about(s, &about);
    HVK_SAVE(s, RestoreSLUICE, last, sl_atomic_load_acquire(&c->turns.passed) - s->waiting,
             hvk_blob_last(c), slots, count, ids);
    sl_free(ids);
}

/* The next ring's that waits past its turn. NULL: no more. */
static const struct hvk_ring *next_waiting(const struct hvk_context *c, uint64_t *after,
                                           uint32_t *ring_id)
{
    void *state;
    while (hr_rings_next(&c->hr.rings, after, ring_id, &state) != NULL) {
        const struct hvk_ring *ring = state;
        if (ring->waiting != NULL) {
            return ring;
        }
    }
    return NULL;
}

static void count_waiting(struct hvk_save *s)
{
    uint64_t after = 0;
    uint32_t ring_id;
    while (next_waiting(s->context, &after, &ring_id) != NULL) {
        s->waiting++;
    }
    if (s->waiting != 0 && s->saver->waiting == NULL) {
        hvk_save_fail(s, SL_ERR_AGAIN, "a thread of it waits");
    }
}

/* Behind all else, as their rings are at them until something comes. They have the last of the
 * turns that have passed. */
static void put_waiting(struct hvk_save *s)
{
    uint32_t turn = sl_atomic_load_acquire(&s->context->turns.passed) - s->waiting;
    uint64_t after = 0;
    uint32_t ring_id;
    const struct hvk_ring *ring;
    while (s->result == SL_OK && (ring = next_waiting(s->context, &after, &ring_id)) != NULL) {
        vk_pack_bytes(&s->pack, ring->waiting, ring->waiting_size);
        if (s->pack.failed) {
            hvk_save_fail(s, SL_ERR_NOMEM, "no memory for a packet");
            return;
        }
        sl_store_u32(s->pack.data + 4, (uint32_t)ring->waiting_size); /* without a checksum */
        sl_store_u32(s->pack.data + 8, ++turn);
        s->result =
            s->saver->waiting(s->saver->user, ring_id, s->pack.data, vk_pack_size(&s->pack));
        vk_pack_reset(&s->pack);
    }
}

/* No device works, and none has failed. */
static void settle(struct hvk_save *s)
{
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *record;
    while (sl_ids_next(&s->context->ids, &cursor, &kind, &id, &native, &record)) {
        struct hvk_device *device = ((struct hvk_object *)record)->device;
        if (kind != VK_KIND_VkDevice) {
            continue;
        }
        if (device->abandoned || sl_atomic_load_relaxed(&device->error) != 0) {
            hvk_save_fail(s, SL_ERR_UNSUPPORTED, "its device is lost");
        }
        for (uint32_t i = 0; s->result == SL_OK && i < device->queue_count; i++) {
            if (hvk_queue_idle(&device->queues[i], NULL, IDLE_NS) != VK_SUCCESS) {
                hvk_save_fail(s, SL_ERR_AGAIN, "its device is at work");
            }
        }
    }
}

static void save_all(struct hvk_save *s)
{
    struct order order = {.save = s};
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *record;
    if (hvk_save_is_whole(s)) { /* ids and turns are as they are: it does not begin anew */
        s->turn = sl_atomic_load_acquire(&s->context->turns.passed);
        go_on(s, VK_FALSE);
    }
    collect(&order);
    play(&order);
    sl_free(order.events);
    sl_free(order.passing);
    hvk_save_states(s);
    while (sl_ids_next(&s->context->ids, &cursor, &kind, &id, &native, &record)) {
        if (kind == VK_KIND_VkDevice) {
            retire_layouts(s, record);
        }
    }
    go_on(s, VK_TRUE);
    put_waiting(s);
}

enum sl_result hvk_save(struct hvk_context *context, const struct vgd_saver *saver,
                        uint32_t ring_id)
{
    struct hvk_save s = {.context = context, .saver = saver, .ring_id = ring_id};
    if (sl_atomic_load_acquire(&context->turns.passed) == 0) {
        return SL_OK; /* nothing has happened yet */
    }
    vk_pack_init(&s.pack, HR_PACKET_MAX, false);
    vk_pack_init(&s.ending, HR_PACKET_MAX, false);
    s.taken = sl_alloc(SL_IDS_PEER_FIRST / 8);
    s.result = s.taken != NULL ? hvk_save_look(&s) : SL_ERR_NOMEM;
    if (sl_atomic_load_relaxed(&context->is_kept_short) != 0) {
        hvk_save_fail(&s, SL_ERR_UNSUPPORTED, "it has more than is kept");
    }
    if (context->is_sparse) {
        hvk_save_fail(&s, SL_ERR_UNSUPPORTED, "it binds sparse memory");
    }
    count_waiting(&s);
    settle(&s);
    if (s.result == SL_OK) {
        save_all(&s);
    }
    vk_pack_finish(&s.pack);
    vk_pack_finish(&s.ending);
    sl_free(s.taken);
    sl_free(s.named);
    sl_free(s.shared);
    return s.result;
}
