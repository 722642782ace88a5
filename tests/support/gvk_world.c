#include "tests/support/gvk_world.h"

#include "transport/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

struct gvk_world *gvk_world;

/* ---- The device ---- */

static enum sl_result fake_blob_create(struct vg *vg, const struct vg_blob_args *args,
                                       struct vg_res **out)
{
    if (gvk_world->blob_count == GW_BLOBS_MAX) {
        return SL_ERR_NOMEM;
    }
    struct gw_blob *blob = &gvk_world->blobs[gvk_world->blob_count++];
    *blob = (struct gw_blob){
        .res = {.vg = vg, .id = gvk_world->blob_count, .size = args->size},
        .memory = aligned_alloc(4096, (args->size + 4095) & ~4095ull),
        .blob_id = args->blob_id,
        .flags = args->flags,
    };
    *out = &blob->res;
    return SL_OK;
}

static enum sl_result fake_res_map(struct vg_res *res, void **mapping)
{
    *mapping = ((struct gw_blob *)res)->memory;
    return SL_OK;
}

static void fake_res_destroy(struct vg_res *res)
{
    struct gw_blob *blob = (struct gw_blob *)res;
    blob->destroyed = true; /* its memory stays until the host's thread has ended */
}

static void *host_main(void *user);

/* A ring is announced: the host's end is made, and its fence is done at once. */
static enum sl_result fake_submit(struct vg *vg, const struct vg_submit_args *args)
{
    (void)vg;
    const uint32_t *words = args->commands;
    if (words[0] == GFXSTREAM_CONTEXT_CREATE) {
        const struct asg_reader_config config = {.memory = gvk_world->blobs[words[1] - 1].memory,
                                                 .memory_size = ASG_BLOB_BYTES,
                                                 .buffer_size = ASG_BUFFER_BYTES,
                                                 .flush_interval = ASG_STEP_BYTES,
                                                 .stop = &gvk_world->stop};
        SLT_EXPECT_OK(asg_reader_init(&gvk_world->reader, &config));
        SLT_EXPECT_EQ(0, pthread_create(&gvk_world->host_thread, NULL, host_main, gvk_world));
    }
    if (args->out_fence != NULL) {
        *args->out_fence = eventfd(1, EFD_CLOEXEC);
    }
    return SL_OK;
}

static bool fake_alive(struct vg *vg)
{
    (void)vg;
    return !gvk_world->gone;
}

static const struct vg_ops fake_ops = {
    .blob_create = fake_blob_create,
    .res_map = fake_res_map,
    .res_destroy = fake_res_destroy,
    .submit = fake_submit,
    .alive = fake_alive,
};

/* ---- The world ---- */

static void dispatch_init(struct gvk_dispatch *dispatch, uint64_t id)
{
    dispatch->object.vk.id = id;
    dispatch->host = &gvk_world->host;
}

void gw_init(void *user)
{
    gvk_world = user;
    struct gvk_world *w = user;
    w->vg.ops = &fake_ops;
    pthread_mutex_init(&w->lock, NULL);
    w->gs = (struct gs_device){.vg = &w->vg,
                               .kind = GS_VULKAN,
                               .ring_size = ASG_RING_BYTES,
                               .buffer_size = ASG_BUFFER_BYTES,
                               .blob_alignment = 4096,
                               .shared_futex = true,
                               .refs = 1};
    sl_list_init(&w->gs.streams);
    w->host = (struct gvk_host){.gs = &w->gs, .refs = 1, .own = true, .deferred_mapping = true};
    pthread_mutex_init(&w->host.id_lock, NULL);
    pthread_mutex_init(&w->host.lock, NULL);
    dispatch_init(&w->instance.dispatch, 0x10);
    w->instance.api_version = VK_API_VERSION_1_3;
    dispatch_init(&w->physical.dispatch, 0x20);
    w->physical.instance = &w->instance;
    w->physical.properties.apiVersion = VK_API_VERSION_1_3;
    w->physical.memory.memoryTypeCount = 2;
    w->physical.memory.memoryTypes[1].propertyFlags =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    dispatch_init(&w->device.dispatch, 0x30);
    w->device.dispatch.device = &w->device;
    w->device.physical = &w->physical;
    pthread_mutex_init(&w->device.lock, NULL);
    gvk_blocks_init(&w->device);
}

void gw_finish(void *user)
{
    struct gvk_world *w = user;
    gvk_ids_finish(&w->host.ids);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->device.lock);
    pthread_mutex_destroy(&w->host.id_lock);
    pthread_mutex_destroy(&w->host.lock);
    for (uint32_t i = 0; i < w->blob_count; i++) {
        SLT_EXPECT_TRUE(w->blobs[i].destroyed);
        free(w->blobs[i].memory);
    }
    gvk_world = NULL;
}

/* ---- The host's ring ---- */

static void reply_to_locked(struct gvk_world *w, uint32_t opcode)
{
    if (opcode == VK_OP_vkEnumerateInstanceVersion) { /* how a thread ends */
        const uint32_t reply[2] = {VK_API_VERSION_1_3, VK_SUCCESS};
        SLT_EXPECT_OK(asg_reader_reply(&w->reader, reply, sizeof reply));
    }
    if (w->answered == w->answer_count || w->answers[w->answered].opcode != opcode) {
        return;
    }
    const struct gw_answer *answer = &w->answers[w->answered++];
    const uint8_t *bytes = answer->long_bytes != NULL ? answer->long_bytes : answer->bytes;
    size_t first = answer->size > 1000 ? 1000 : answer->size;
    SLT_EXPECT_OK(asg_reader_reply(&w->reader, bytes, first));
    if (first != answer->size) {
        SLT_EXPECT_OK(asg_reader_reply(&w->reader, bytes + first, answer->size - first));
    }
}

static void packet_locked(struct gvk_world *w, const uint8_t *bytes, uint32_t size)
{
    SLT_EXPECT_LT(w->packet_count, GW_PACKETS_MAX);
    if (w->packet_count < GW_PACKETS_MAX) {
        struct gw_packet *packet = &w->packets[w->packet_count++];
        packet->opcode = sl_load_u32(bytes);
        packet->size = size;
        packet->turn = sl_load_u32(bytes + 8);
        memcpy(packet->bytes, bytes, size < sizeof packet->bytes ? size : sizeof packet->bytes);
    }
    reply_to_locked(w, sl_load_u32(bytes));
}

static void take_locked(struct gvk_world *w)
{
    size_t used = 0;
    while (asg_reader_take(&w->reader, w->bytes + w->got, GW_BYTES_MAX - w->got, &used) == SL_OK) {
        w->got += used;
    }
    while (w->got - w->at >= 12 || (w->at == 0 && w->got >= 4)) {
        uint32_t size = w->at == 0 ? 4 : sl_load_u32(w->bytes + w->at + 4);
        if (size > w->got - w->at || size < 4) {
            break;
        }
        if (w->at != 0) { /* the stream's first word is no packet */
            packet_locked(w, w->bytes + w->at, size);
        }
        w->at += size;
    }
}

static void *host_main(void *user)
{
    struct gvk_world *w = user;
    while (asg_reader_wait(&w->reader) == SL_OK) {
        pthread_mutex_lock(&w->lock);
        take_locked(w);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

void gw_look(void)
{
    struct gvk_stream *stream = gvk_stream_peek(&gvk_world->host);
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
    bool all = false;
    while (!all && sl_clock_ns() < end) {
        pthread_mutex_lock(&gvk_world->lock);
        all = gvk_world->at == stream->gs->ring.published;
        pthread_mutex_unlock(&gvk_world->lock);
        if (!all) {
            sl_clock_sleep_ns(100000);
        }
    }
    SLT_EXPECT_TRUE(all);
}

void gw_forget(void)
{
    pthread_mutex_lock(&gvk_world->lock);
    gvk_world->packet_count = 0;
    pthread_mutex_unlock(&gvk_world->lock);
}

uint32_t gw_sent(uint32_t opcode)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < gvk_world->packet_count; i++) {
        count += gvk_world->packets[i].opcode == opcode;
    }
    return count;
}

void gw_answer(uint32_t opcode, const void *data, size_t size)
{
    gw_look(); /* not to one before */
    pthread_mutex_lock(&gvk_world->lock);
    SLT_EXPECT_LT(gvk_world->answer_count, GW_ANSWERS_MAX);
    struct gw_answer *made = &gvk_world->answers[gvk_world->answer_count++];
    made->opcode = opcode;
    made->size = size;
    if (size <= sizeof made->bytes) {
        memcpy(made->bytes, data, size);
    } else {
        made->long_bytes = data;
    }
    pthread_mutex_unlock(&gvk_world->lock);
}

void gw_answer_id(uint32_t opcode, uint64_t id)
{
    uint8_t reply[12] = {0};
    sl_store_u64(reply, id);
    gw_answer(opcode, reply, sizeof reply);
}

void gw_answer_success(uint32_t opcode)
{
    uint32_t success = VK_SUCCESS;
    gw_answer(opcode, &success, sizeof success);
}

static void *thread_main(void *user)
{
    struct gvk_world *w = user;
    SLT_EXPECT_TRUE(gvk_begin(&w->host) != NULL);
    w->run(w);
    return NULL;
}

void gw_on_thread(struct gvk_world *w, void (*run)(struct gvk_world *))
{
    pthread_t thread;
    w->run = run;
    SLT_ASSERT_EQ(0, pthread_create(&thread, NULL, thread_main, w));
    SLT_ASSERT_EQ(0, pthread_join(thread, NULL));
    SLT_EXPECT_EQ(w->answer_count, w->answered);
    sl_atomic_store_relaxed(&w->stop, 1);
    asg_reader_wake(&w->reader);
    SLT_ASSERT_EQ(0, pthread_join(w->host_thread, NULL));
}

VkDevice gw_device(void)
{
    return GVK_TO(VkDevice, &gvk_world->device);
}
