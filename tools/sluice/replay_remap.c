#include "tools/sluice/replay_remap.h"
#include "tools/sluice/replay_images.h"
#include "tools/sluice/replay_machine.h"
#include "tools/plan/vk_plan.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include "tables/vk_plan.h"
#include "wire/vk_kinds.h"
#include "wire/vk_opcodes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan_core.h>

#define PHYSICALS 8u
/* Offsets of a binding with it ask for memory of the image's own; only replays may. */
#define OWN_MEMORY UINT64_MAX

struct remap {
    struct remap_options options;
    struct rep_port port;
    struct machine_pair physicals[PHYSICALS];
    uint32_t physical_count;
    struct machine_pair *device; /* whose device was made last; nullable */
    struct machine_format formats[MACHINE_FORMATS];
    uint32_t format_count;
    struct uses uses;
    struct images *images;
};

/* One packet while it is walked. */
struct walk {
    struct remap *r;
    uint32_t opcode, ctx;
    uint64_t call, frame;
    uint64_t key;                     /* of its numbers */
    uint64_t physical, image, memory; /* ids that came last */
    uint64_t made_image, made_memory;
    uint8_t *size, *type, *sharing, *places; /* places in the packet; nullable */
    uint32_t family;                         /* that came last, as recorded */
    uint32_t queues[MACHINE_FAMILIES];       /* of a device that is made, by family here */
    bool is_linear;
    bool changes;
};

/* --- what is used --- */

static void note_number(const struct walk *w, const char *kind, uint32_t was, uint32_t is)
{
    char a[16], b[16] = "";
    snprintf(a, sizeof a, "%" PRIu32, was);
    if (is != MACHINE_NONE) {
        snprintf(b, sizeof b, "%" PRIu32, is);
    }
    (void)uses_note(&w->r->uses, kind, a, b, w->call, w->frame);
}

static void note_dropped(const struct walk *w, const char *kind, const char *name)
{
    struct use *use = uses_note(&w->r->uses, kind, name, "", w->call, w->frame);
    if (use != NULL) {
        use->is_dropped = true;
    }
}

/* --- machines --- */

static struct machine_pair *pair_of(struct remap *r, uint64_t physical)
{
    for (uint32_t i = 0; i < r->physical_count; i++) {
        if (r->physicals[i].physical == physical) {
            return &r->physicals[i];
        }
    }
    if (r->physical_count == PHYSICALS) {
        return NULL;
    }
    r->physicals[r->physical_count].physical = physical;
    return &r->physicals[r->physical_count++];
}

static uint32_t type_here(const struct walk *w, uint32_t type)
{
    const struct machine_pair *d = w->r->device;
    return d != NULL && type < d->was.type_count ? d->types[type] : type;
}

static bool is_family(const struct walk *w, uint32_t family)
{
    return w->r->device != NULL && family < w->r->device->was.family_count;
}

static const char *format_name(const struct vk_plan_field *field, uint32_t value)
{
    for (uint32_t i = 0; field->names != NULL && i < field->names->count; i++) {
        if (field->names->names[i].value == (int64_t)value) {
            return field->names->names[i].name;
        }
    }
    return "unknown";
}

/* --- numbers of a packet --- */

static void put(const struct walk *w, const uint8_t *place, uint32_t value)
{
    if (w->changes && value != MACHINE_NONE) {
        sl_store_u32((uint8_t *)(uintptr_t)place, value); /* in our copy of the packet */
    }
}

static void on_family(struct walk *w, const uint8_t *place, uint32_t value)
{
    if (!is_family(w, value)) {
        return; /* none, external, foreign */
    }
    uint32_t here = w->r->device->families[value].family;
    w->family = value;
    note_number(w, "queue family", value, here);
    put(w, place, here);
}

/* Families that are one here have their queues there one behind the other. */
static void on_queues(struct walk *w, uint32_t count)
{
    struct machine_pair *d = w->r->device;
    uint32_t here = is_family(w, w->family) ? d->families[w->family].family : MACHINE_NONE;
    if (here < MACHINE_FAMILIES) {
        d->families[w->family].first = w->queues[here];
        w->queues[here] += count;
    }
}

static void on_queue(const struct walk *w, const uint8_t *place, uint32_t value)
{
    if (is_family(w, w->family)) {
        put(w, place, value + w->r->device->families[w->family].first);
    }
}

static void on_format(const struct walk *w, const struct vk_plan_field *field, const uint8_t *place,
                      uint32_t value)
{
    for (uint32_t i = 0; i < w->r->format_count; i++) {
        const struct machine_format *f = &w->r->formats[i];
        if (f->was == value) {
            (void)uses_note(&w->r->uses, "format", format_name(field, value),
                            format_name(field, f->is), w->call, w->frame);
            put(w, place, f->is);
        }
    }
}

/* Of a device that is made. */
static void on_feature(const struct walk *w, const struct vk_plan_field *field,
                       const uint8_t *place)
{
    if (w->r->device != NULL && machine_lacks(w->r->device, field->name)) {
        note_dropped(w, "feature", field->name);
        put(w, place, 0);
    }
}

static bool is_format(const struct vk_plan_field *field)
{
    return field->show == VK_PLAN_ENUM && field->names != NULL && field->names->count != 0 &&
           strncmp(field->names->names[0].name, "VK_FORMAT_", 10) == 0;
}

static void on_number(void *user, const struct vk_plan_field *field, const uint8_t *place)
{
    struct walk *w = user;
    uint32_t value = field->size >= 4 ? sl_load_u32(place) : 0;
    uint64_t whole = field->size == 8 ? sl_load_u64(place) : value;
    if (whole != 0) { /* what is only asked for is zero, or not there */
        w->key = (w->key ^ whole ^ (uintptr_t)field) * 0x9e3779b97f4a7c15ull;
        w->key ^= w->key >> 29;
    }
    const char *name = field->name;
    if (field->size == 8 && strcmp(name, "allocationSize") == 0) {
        w->size = (uint8_t *)(uintptr_t)place;
    } else if (field->size != 4) {
        return;
    } else if (strcmp(name, "tiling") == 0) {
        w->is_linear = value == VK_IMAGE_TILING_LINEAR;
    } else if (strcmp(name, "memoryTypeIndex") == 0) {
        w->type = (uint8_t *)(uintptr_t)place;
    } else if (strcmp(name, "sharingMode") == 0) {
        w->sharing = (uint8_t *)(uintptr_t)place;
    } else if (strcmp(name, "queueFamilyIndex") == 0 || strcmp(name, "srcQueueFamilyIndex") == 0 ||
               strcmp(name, "dstQueueFamilyIndex") == 0 ||
               strcmp(name, "pQueueFamilyIndices") == 0) {
        on_family(w, place, value);
    } else if (strcmp(name, "queueIndex") == 0) {
        on_queue(w, place, value);
    } else if (w->opcode == VK_OP_vkCreateDevice && strcmp(name, "queueCount") == 0) {
        on_queues(w, value);
    } else if (is_format(field)) {
        on_format(w, field, place, value);
    } else if (w->opcode == VK_OP_vkCreateDevice && value == VK_TRUE) {
        on_feature(w, field, place);
    }
}

/* --- images and their memory --- */

static void on_handle(void *user, uint32_t kind, uint64_t id, bool made, FILE *out)
{
    struct walk *w = user;
    (void)out;
    if (kind == VK_KIND_VkPhysicalDevice) {
        w->physical = id;
    } else if (kind == VK_KIND_VkImage) {
        *(made ? &w->made_image : &w->image) = id;
    } else if (kind == VK_KIND_VkDeviceMemory) {
        *(made ? &w->made_memory : &w->memory) = id;
    }
}

static void say_grown(const struct walk *w, const struct image_shape *s, bool rebound)
{
    const struct remap_options *o = &w->r->options;
    if (w->changes && o->grown != NULL) {
        o->grown(o->user, images_number(w->r->images, w->ctx, w->image), s->is.size, s->was.size,
                 rebound);
    }
}

/* Behind its walk: an allocation. */
static void allocate(struct walk *w)
{
    if (w->type == NULL || w->size == NULL) {
        return;
    }
    uint32_t type = sl_load_u32(w->type), here = type_here(w, type);
    uint64_t size = sl_load_u64(w->size);
    note_number(w, "memory type", type, here);
    put(w, w->type, here);
    const struct image_shape *s =
        w->image != 0 ? images_shape(w->r->images, w->ctx, w->image) : NULL;
    if (s != NULL && s->is.size > s->was.size && s->is.size > size) {
        say_grown(w, s, false);
        size = s->is.size;
        if (w->changes) {
            sl_store_u64(w->size, size);
        }
    }
    images_allocate(w->r->images, size, here, w->image);
    if (w->made_memory != 0) {
        images_memory_is(w->r->images, w->ctx, w->made_memory);
    }
}

static void on_bind_number(void *user, const struct vk_plan_field *field, const uint8_t *place)
{
    const struct walk *w = user;
    if (field->size != 8 || strcmp(field->name, "memoryOffset") != 0 ||
        !images_outgrows(w->r->images, w->ctx, w->image, w->memory, sl_load_u64(place))) {
        return;
    }
    say_grown(w, images_shape(w->r->images, w->ctx, w->image), true);
    if (w->changes) {
        sl_store_u64((uint8_t *)(uintptr_t)place, OWN_MEMORY);
    }
}

/* Where the count lies, and behind it and the array's word the array. */
static void on_count(void *user, const struct vk_plan_field *field, const uint8_t *place)
{
    struct walk *w = user;
    if (w->size == NULL && strcmp(field->name, "pQueueFamilyPropertyCount") == 0) {
        w->size = (uint8_t *)(uintptr_t)place;
        w->places = w->size + 4 + 8;
    }
}

/* --- packets --- */

static bool is_creation(uint32_t opcode)
{
    return opcode == VK_OP_vkCreateImage || opcode == VK_OP_vkCreateImageWithRequirementsGOOGLE;
}

static uint64_t key_of(const struct walk *w)
{
    return w->key != 0 ? w->key : 1;
}

/* Concurrently used by families that are one here: by that one alone. */
static void share(const struct walk *w)
{
    const struct machine_pair *d = w->r->device;
    bool is_one = d != NULL && d->is.family_count == 1;
    if (w->sharing != NULL && is_one && sl_load_u32(w->sharing) == VK_SHARING_MODE_CONCURRENT) {
        put(w, w->sharing, VK_SHARING_MODE_EXCLUSIVE);
    }
}

static uint32_t packet_size(const struct cap_event_call *call)
{
    return sl_load_u32(call->packet + 4) < call->size ? sl_load_u32(call->packet + 4) : call->size;
}

static void find_extensions(const struct walk *w, const uint8_t *packet, uint32_t size)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return;
    }
    vk_plan_print(&vk_plan, NULL, packet, size, NULL, 0, out);
    const char *at = fclose(out) == 0 ? strstr(text, "ppEnabledExtensionNames = ") : NULL;
    while (at != NULL && (at = strstr(at, "\"VK_")) != NULL) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
        if (machine_lacks_extension(w->r->device, name)) {
            note_dropped(w, "extension", name);
        }
        at += 1 + strlen(name);
    }
    free(text);
}

static struct walk walk_of(struct remap *r, const struct cap_event *event, uint64_t frame)
{
    return (struct walk){.r = r,
                         .opcode = sl_load_u32(event->call.packet),
                         .ctx = event->call.ctx_id,
                         .call = event->stamp,
                         .frame = frame,
                         .family = UINT32_MAX};
}

/* bytes: the packet, or our copy of it. */
static void walk_packet(struct walk *w, const struct cap_event_call *call, const uint8_t *bytes)
{
    bool binds = w->opcode == VK_OP_vkBindImageMemory || w->opcode == VK_OP_vkBindImageMemory2 ||
                 w->opcode == VK_OP_vkBindImageMemory2KHR;
    const struct plan_style style = {
        .user = w, .handle = on_handle, .number = binds ? on_bind_number : on_number};
    if (w->opcode == VK_OP_vkCreateDevice) { /* whose families and features come first */
        const struct plan_style ids = {.user = w, .handle = on_handle};
        vk_plan_tell(&vk_plan, &ids, call->packet, packet_size(call), NULL, 0);
        w->r->device = pair_of(w->r, w->physical);
        if (w->r->device != NULL) {
            find_extensions(w, call->packet, packet_size(call));
        }
    }
    vk_plan_tell(&vk_plan, &style, bytes, packet_size(call), NULL, 0);
    if (w->opcode == VK_OP_vkAllocateMemory) {
        allocate(w);
    } else if (is_creation(w->opcode)) {
        share(w);
        if (w->made_image != 0) {
            images_add(w->r->images, w->ctx, w->made_image, key_of(w), w->is_linear);
        }
    } else if (w->opcode == VK_OP_vkCreateBuffer ||
               w->opcode == VK_OP_vkCreateBufferWithRequirementsGOOGLE) {
        share(w);
    }
}

/* A guest asks for as many families as there were: the question gets room for all that there may
 * be here, as copies of its last place. Gives the packet's new size. */
static uint32_t widen(struct walk *w, uint8_t *packet, uint32_t size, size_t room)
{
    const struct plan_style style = {.user = w, .number = on_count};
    vk_plan_tell(&vk_plan, &style, packet, size, NULL, 0);
    uint32_t count = w->size != NULL ? sl_load_u32(w->size) : 0;
    if (count == 0 || count >= MACHINE_FAMILIES || w->places == NULL) {
        return size;
    }
    uint32_t each = (uint32_t)(packet + size - w->places) / count;
    uint32_t more = (MACHINE_FAMILIES - count) * each;
    if (each == 0 || size + more > room) {
        return size;
    }
    for (uint32_t i = count; i < MACHINE_FAMILIES; i++) {
        memcpy(w->places + i * each, w->places + (i - 1) * each, each);
    }
    sl_store_u32(w->size, MACHINE_FAMILIES);
    sl_store_u32(packet + 4, size + more);
    return size + more;
}

static bool asks_families(uint32_t opcode)
{
    return opcode == VK_OP_vkGetPhysicalDeviceQueueFamilyProperties ||
           opcode == VK_OP_vkGetPhysicalDeviceQueueFamilyProperties2 ||
           opcode == VK_OP_vkGetPhysicalDeviceQueueFamilyProperties2KHR;
}

static uint32_t patch(void *user, const struct cap_event *event, uint64_t frame, uint8_t *packet,
                      size_t room)
{
    struct walk w = walk_of(user, event, frame);
    uint32_t size = packet_size(&event->call);
    w.changes = true;
    if (asks_families(w.opcode)) {
        return widen(&w, packet, size, room);
    }
    walk_packet(&w, &event->call, packet);
    return size;
}

void remap_look(struct remap *r, const struct cap_event *event, uint64_t frame)
{
    if (event->call.capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN && event->call.size >= 12) {
        struct walk w = walk_of(r, event, frame);
        walk_packet(&w, &event->call, event->call.packet);
    }
}

/* --- answers --- */

struct needs {
    struct walk *w;
    struct image_needs *to;
};

static void on_needs(void *user, const struct vk_plan_field *field, const uint8_t *place)
{
    struct image_needs *to = ((struct needs *)user)->to;
    if (strcmp(field->name, "size") == 0) {
        to->size = sl_load_u64(place);
    } else if (strcmp(field->name, "alignment") == 0) {
        to->alignment = sl_load_u64(place);
    } else if (strcmp(field->name, "memoryTypeBits") == 0) {
        to->types = sl_load_u32(place);
    }
}

static void on_needs_handle(void *user, uint32_t kind, uint64_t id, bool made, FILE *out)
{
    on_handle(((struct needs *)user)->w, kind, id, made, out);
}

static void hear_needs(struct walk *w, const struct cap_event_call *call, const uint8_t *reply,
                       size_t size, struct image_needs *to)
{
    struct needs needs = {.w = w, .to = to};
    const struct plan_style style = {.user = &needs, .handle = on_needs_handle, .number = on_needs};
    vk_plan_tell(&vk_plan, &style, call->packet, packet_size(call), reply, size);
}

/* What an image needs, there and here. */
static void learn_needs(struct walk *w, const struct cap_event_call *call, const uint8_t *reply,
                        size_t size)
{
    struct image_needs was = {0}, is = {0};
    const struct plan_style style = {.user = w, .handle = on_handle, .number = on_number};
    vk_plan_tell(&vk_plan, &style, call->packet, packet_size(call), NULL, 0);
    bool chosen = w->made_image != 0; /* by the guest, and remembered when it was asked for */
    hear_needs(w, call, reply, size, &is);
    hear_needs(w, call, call->reply, call->reply_size, &was); /* whose ids later packets have */
    uint64_t key = key_of(w);
    if (!is_creation(w->opcode)) {
        key = images_key(w->r->images, w->ctx, w->image);
    } else if (!chosen && w->made_image != 0) {
        images_add(w->r->images, w->ctx, w->made_image, key, w->is_linear);
    }
    images_learn(w->r->images, key, &was, &is);
}

static bool asks_needs(uint32_t opcode)
{
    return is_creation(opcode) || opcode == VK_OP_vkGetImageMemoryRequirements ||
           opcode == VK_OP_vkGetImageMemoryRequirements2 ||
           opcode == VK_OP_vkGetImageMemoryRequirements2KHR;
}

/* Success and failure are the same everywhere; more the drivers need not agree in. */
static bool is_same_result(const struct cap_event_call *call, const uint8_t *reply, size_t size)
{
    const struct vk_plan_command *c = vk_plan_find(&vk_plan, sl_load_u32(call->packet));
    if (c == NULL || c->result_size != 4 || c->result_names == NULL || size < 4 ||
        call->reply_size < 4) {
        return true;
    }
    int32_t was = (int32_t)sl_load_u32(call->reply + call->reply_size - 4);
    int32_t is = (int32_t)sl_load_u32(reply + size - 4);
    return (was < 0) == (is < 0);
}

static bool answered(void *user, const struct cap_event *event, uint64_t frame,
                     const uint8_t *reply, size_t size)
{
    struct remap *r = user;
    const struct cap_event_call *call = &event->call;
    struct walk w = walk_of(r, event, frame);
    struct machine_format format;
    if (reply == NULL || call->reply == NULL) {
        return true;
    }
    if (r->options.portable && asks_needs(w.opcode)) {
        learn_needs(&w, call, reply, size);
    }
    if (!machine_is_asked(w.opcode) && w.opcode != VK_OP_vkAllocateMemory &&
        w.opcode != VK_OP_vkCreateDevice) {
        return is_same_result(call, reply, size);
    }
    const struct plan_style ids = {.user = &w, .handle = on_handle};
    vk_plan_tell(&vk_plan, &ids, call->packet, packet_size(call), NULL, 0);
    if (w.opcode == VK_OP_vkAllocateMemory && w.made_memory == 0) {
        vk_plan_tell(&vk_plan, &ids, call->packet, packet_size(call), call->reply,
                     call->reply_size);
        images_memory_is(r->images, w.ctx, w.made_memory);
    }
    struct machine_pair *pair = w.physical != 0 ? pair_of(r, w.physical) : NULL;
    if (pair != NULL && machine_learn(pair, call, reply, size, &format) && format.was != 0 &&
        format.is != 0 && r->format_count < MACHINE_FORMATS) {
        r->formats[r->format_count++] = format;
    }
    if (w.opcode == VK_OP_vkCreateDevice && !r->options.portable) {
        remap_look(r, event, frame);
        return !uses_are_missing(&r->uses, r->options.portable);
    }
    return is_same_result(call, reply, size);
}

/* --- life --- */

struct remap *remap_create(const struct remap_options *options)
{
    struct remap *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    *r = (struct remap){.options = *options,
                        .port = {.user = r, .patch = patch, .answered = answered},
                        .images = images_create()};
    if (r->images == NULL) {
        remap_destroy(r);
        return NULL;
    }
    return r;
}

void remap_destroy(struct remap *r)
{
    if (r == NULL) {
        return;
    }
    for (uint32_t i = 0; i < r->physical_count; i++) {
        machine_finish(&r->physicals[i]);
    }
    images_destroy(r->images);
    sl_free(r);
}

const struct rep_port *remap_port(struct remap *r)
{
    return &r->port;
}

const struct uses *remap_uses(const struct remap *r)
{
    return &r->uses;
}
