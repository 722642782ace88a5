/* Whole sessions of the stock drivers of Mesa 25.0.7 and 26.2.6 played to the host, on the CPU
 * driver that they were recorded with: every packet is understood, every reply has the recorded
 * shape and result.
 *
 * tests/data/vulkan/sessions.txt, a line each:
 *   session NAME                     a guest process begins
 *   attach RESOURCE SIZE             a resource that the next packet imports
 *   COMMAND REQUEST REPLY            "-": no reply; "?": one whose length is the host's affair
 * Bytes are hex; "00*5." is five of them; "{7}" is the 64-bit id of the session's handle 7, learned
 * from the reply that names it first. Outputs in requests are the guests' leftovers. */
#include "tests/support/vk_saved.h"

#include "transport/base/shm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 1 << 20, HANDLES = 512, MAPS = 16, PARTS = 5 };

struct session {
    struct vk_world world;
    char *line;
    uint8_t *bytes, *reply;
    uint64_t ids[HANDLES];
    uint32_t packets;
    struct {
        uint32_t resource;
        void *pointer;
        size_t size;
    } maps[MAPS];
    uint32_t map_count;
};

static void session_init(struct session *s)
{
    vk_world_init(&s->world);
    s->line = malloc(LINE);
    s->bytes = malloc(LINE);
    s->reply = malloc(LINE);
}

static void session_finish(struct session *s)
{
    vk_world_finish(&s->world);
    for (uint32_t i = 0; i < s->map_count; i++) {
        munmap(s->maps[i].pointer, s->maps[i].size);
    }
    free(s->line);
    free(s->bytes);
    free(s->reply);
}

SLT_FIXTURE(hvk_stock, struct session, session_init, session_finish);

/* The bytes of a text. from: nullable; where a reply stands from which new handles are learned. */
static size_t bytes_of(struct session *s, const char *text, uint8_t *out, const uint8_t *from,
                       size_t from_size)
{
    size_t size = 0;
    while (*text != '\0') {
        char *end;
        if (*text == '{') {
            unsigned long handle = strtoul(text + 1, &end, 10);
            text = end + 1;
            SLT_ASSERT_TRUE(handle < HANDLES && size + 8 <= LINE);
            if (s->ids[handle] == 0 && from != NULL && size + 8 <= from_size) {
                s->ids[handle] = sl_load_u64(from + size);
            }
            SLT_EXPECT_NE(0u, s->ids[handle]);
            sl_store_u64(out + size, s->ids[handle]);
            size += 8;
            continue;
        }
        const char pair[3] = {text[0], text[1], '\0'};
        uint8_t byte = (uint8_t)strtoul(pair, NULL, 16);
        unsigned long times = 1;
        text += 2;
        if (*text == '*') {
            times = strtoul(text + 1, &end, 10);
            text = end + 1; /* behind the dot */
        }
        SLT_ASSERT_TRUE(size + times <= LINE);
        memset(out + size, byte, times);
        size += times;
    }
    return size;
}

static void attach(struct session *s, uint32_t resource, size_t size)
{
    SLT_ASSERT_TRUE(s->map_count < MAPS);
    struct hct_memory memory = {.fd = -1, .size = size};
    SLT_ASSERT_OK(sl_shm_create("resource", size, &memory.fd));
    memory.pointer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
    SLT_ASSERT_TRUE(memory.pointer != MAP_FAILED);
    s->maps[s->map_count].resource = resource;
    s->maps[s->map_count].pointer = memory.pointer;
    s->maps[s->map_count++].size = size;
    struct hct_context *context = s->world.context;
    SLT_EXPECT_OK(context->ops->attach(context, resource, &memory));
    close(memory.fd);
}

/* Whether work is done by now is the machine's affair; descriptors of semaphores stay at home. */
static bool is_elsewhere(const char *name)
{
    static const char *const names[] = {"vkGetFenceStatus", "vkGetQueryPoolResults",
                                        "vkGetSemaphoreFdKHR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void packet(struct session *s, const char *name, const char *request, const char *reply)
{
    struct vk_guest_ring *ring = &s->world.main;
    SLT_SCOPE("packet %u, %s", ++s->packets, name);
    size_t size = bytes_of(s, request, s->bytes, NULL, 0);
    SLT_ASSERT_LE(12u, size);
    sl_store_u32(s->bytes + 8, ++s->world.turn);
    vk_pack_bytes(&ring->pack, s->bytes, size);
    vk_ring_feed(ring);
    SLT_ASSERT_TRUE(!ring->lost);
    if (*reply == '?') {
        return;
    }
    size_t want = *reply == '-' ? 0 : bytes_of(s, reply, s->reply, ring->reply, ring->reply_size);
    SLT_ASSERT_EQ(want, ring->reply_size);
    if (want >= 4 && strncmp(name, "vkGetPhysical", 13) != 0 && !is_elsewhere(name)) {
        /* The result, of those that have one. */
        int32_t result = (int32_t)sl_load_u32(s->reply + want - 4);
        int32_t got = (int32_t)sl_load_u32(ring->reply + want - 4);
        SLT_EXPECT_EQ(result < 0, got < 0);
    }
}

static bool is_recorded_driver(struct session *s)
{
    const char *description = s->world.provider->ops->describe(s->world.provider);
    return strstr(description, "llvmpipe") != NULL;
}

struct session_case {
    const char *label;
    const char *name;
    uint32_t packets;
};

static const struct session_case session_cases[] = {
    {"mesa_25_vulkaninfo", "25.0.7_vulkaninfo", 110},
    {"mesa_25_compute_triangle", "25.0.7_compute_triangle_deferredmapping_1_no_batching", 191},
    {"mesa_25_batched_sets", "25.0.7_compute_triangle_batched_descriptor_sets", 190},
    {"mesa_25_blocks_of_memory", "25.0.7_compute_triangle_deferredmapping_0", 183},
    {"mesa_25_export_no_modifiers", "25.0.7_dma_buf_and_sync_export_host_without_drm_modifiers",
     90},
    {"mesa_25_export_linear", "25.0.7_dma_buf_and_sync_export_host_with_drm_modifier_linear", 104},
    {"mesa_25_wayland_linear", "25.0.7_wayland_swapchain_host_with_drm_modifier_linear", 277},
    {"mesa_25_misc", "25.0.7_misc_calls", 92},
    {"mesa_26_vulkaninfo", "26.2.6_vulkaninfo", 111},
    {"mesa_26_compute_triangle", "26.2.6_compute_triangle_deferredmapping_1_no_batching", 192},
    {"mesa_26_batched_sets", "26.2.6_compute_triangle_batched_descriptor_sets", 191},
    {"mesa_26_blocks_of_memory", "26.2.6_compute_triangle_deferredmapping_0", 184},
    {"mesa_26_export_no_modifiers", "26.2.6_dma_buf_and_sync_export_host_without_drm_modifiers",
     99},
    {"mesa_26_export_linear", "26.2.6_dma_buf_and_sync_export_host_with_drm_modifier_linear", 100},
    {"mesa_26_wayland_linear", "26.2.6_wayland_swapchain_host_with_drm_modifier_linear", 230},
    {"mesa_26_misc", "26.2.6_misc_calls", 91},
    {"mesa_26_wayland_no_modifiers", "26.2.6_wayland_swapchain_host_without_drm_modifiers", 226},
};

/* Plays packets of a session from number `first` up to `end`. */
static void play(struct session *s, const struct session_case *c, uint32_t first, uint32_t end)
{
    FILE *file = fopen(SLT_DATA("vulkan/sessions.txt"), "r");
    SLT_ASSERT_TRUE(file != NULL);
    bool ours = false;
    uint32_t number = 0;
    while (fgets(s->line, LINE, file) != NULL) {
        s->line[strcspn(s->line, "\n")] = '\0';
        char *name = strtok(s->line, " ");
        char *one = strtok(NULL, " "), *two = strtok(NULL, " ");
        bool is_attach = strcmp(name, "attach") == 0;
        if (strcmp(name, "session") == 0) {
            ours = strcmp(one, c->name) == 0;
            continue;
        }
        bool now = ours && number >= first && number < end;
        if (now && is_attach) {
            attach(s, (uint32_t)atoi(one), (size_t)atol(two));
        } else if (now) {
            packet(s, name, one, two);
        }
        number += ours && !is_attach;
    }
    fclose(file);
}

SLT_TEST_FP(hvk_stock, is_served, s, struct session_case, session_cases, c)
{
    if (!is_recorded_driver(s)) {
        SLT_SKIP("the first GPU is no llvmpipe");
    }
    play(s, c, 0, UINT32_MAX);
    SLT_EXPECT_EQ(c->packets, s->packets);
}

/* What another host makes of the session's first part is what was saved, and the session goes on
 * there as if nothing had been. */
static void go_on_elsewhere(struct session *s, const struct session_case *c, uint32_t at)
{
    struct session *other = calloc(1, sizeof *other);
    struct vk_saved saved = {0}, again = {0};
    other->world.options.restores = true;
    session_init(other);
    SLT_ASSERT_OK(vk_saved_take(&saved, &s->world));
    for (uint32_t i = 0; i < s->map_count; i++) { /* resources are the device's matter */
        attach(other, s->maps[i].resource, s->maps[i].size);
    }
    vk_saved_play(&saved, &other->world, s->world.turn);
    SLT_EXPECT_OK(vk_saved_take(&again, &other->world));
    vk_saved_compare(&saved, &again);
    memcpy(other->ids, s->ids, sizeof s->ids);
    other->packets = s->packets;
    play(other, c, at, UINT32_MAX);
    SLT_EXPECT_EQ(c->packets, other->packets);
    vk_saved_finish(&saved);
    vk_saved_finish(&again);
    session_finish(other);
    free(other);
}

SLT_TEST_FP(hvk_stock, is_saved_and_goes_on_elsewhere, s, struct session_case, session_cases, c)
{
    if (!is_recorded_driver(s)) {
        SLT_SKIP("the first GPU is no llvmpipe");
    }
    uint32_t done = 0;
    for (uint32_t part = 1; part <= PARTS; part++) {
        uint32_t at = c->packets * part / PARTS;
        SLT_SCOPE("saved at packet %u", at);
        play(s, c, done, at);
        go_on_elsewhere(s, c, at);
        done = at;
    }
}
