/* The guest driver's core against a host that is played here: its device is a table of functions,
 * its ring a thread that gives the answers that a test has prepared. Each test's calls run on a
 * thread of their own, whose stream ends with it. */
#include "asg/reader.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_block.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/ids.h"
#include "wire/vk_opcodes.h"
#include "wire/vk_pack.h"
#include "wire/vk_reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PACKETS_MAX = 64, BLOB_MAX = 8, ANSWERS_MAX = 16, BYTES_MAX = 1 << 16 };

struct packet {
    uint32_t opcode;
    uint32_t turn;
    uint8_t bytes[512];
    size_t size;
};

/* To the next packet with this opcode. */
struct answer {
    uint32_t opcode;
    uint8_t bytes[64];
    const uint8_t *long_bytes; /* nullable: instead, sent in two pieces */
    size_t size;
};

struct fake_blob {
    struct vg_res res; /* first */
    void *memory;
    uint64_t blob_id;
    uint32_t flags;
    bool destroyed;
};

static struct world {
    struct vg vg;
    struct gs_device gs;
    struct gvk_host host;
    struct gvk_instance instance;
    struct gvk_physical physical;
    struct gvk_device device;
    struct fake_blob blobs[BLOB_MAX];
    uint32_t blob_count;
    bool gone; /* the host died */
    uint32_t stop;
    struct asg_reader reader;
    pthread_t host_thread;
    pthread_mutex_t lock; /* guards what follows */
    uint8_t bytes[BYTES_MAX];
    size_t got, at; /* of bytes: taken, and made packets of */
    struct packet packets[PACKETS_MAX];
    uint32_t packet_count;
    struct answer answers[ANSWERS_MAX];
    uint32_t answer_count, answered;
    void (*run)(struct world *);
} * world;

/* ---- The device ---- */

static enum sl_result fake_blob_create(struct vg *vg, const struct vg_blob_args *args,
                                       struct vg_res **out)
{
    if (world->blob_count == BLOB_MAX) {
        return SL_ERR_NOMEM;
    }
    struct fake_blob *blob = &world->blobs[world->blob_count++];
    *blob = (struct fake_blob){
        .res = {.vg = vg, .id = world->blob_count, .size = args->size},
        .memory = aligned_alloc(4096, (args->size + 4095) & ~4095ull),
        .blob_id = args->blob_id,
        .flags = args->flags,
    };
    *out = &blob->res;
    return SL_OK;
}

static enum sl_result fake_res_map(struct vg_res *res, void **mapping)
{
    *mapping = ((struct fake_blob *)res)->memory;
    return SL_OK;
}

static void fake_res_destroy(struct vg_res *res)
{
    struct fake_blob *blob = (struct fake_blob *)res;
    blob->destroyed = true; /* its memory stays until the host's thread has ended */
}

static void *host_main(void *user);

/* A ring is announced: the host's end is made, and its fence is done at once. */
static enum sl_result fake_submit(struct vg *vg, const struct vg_submit_args *args)
{
    (void)vg;
    const uint32_t *words = args->commands;
    if (words[0] == GFXSTREAM_CONTEXT_CREATE) {
        const struct asg_reader_config config = {.memory = world->blobs[words[1] - 1].memory,
                                                 .memory_size = ASG_BLOB_BYTES,
                                                 .buffer_size = ASG_BUFFER_BYTES,
                                                 .flush_interval = ASG_STEP_BYTES,
                                                 .stop = &world->stop};
        SLT_EXPECT_OK(asg_reader_init(&world->reader, &config));
        SLT_EXPECT_EQ(0, pthread_create(&world->host_thread, NULL, host_main, world));
    }
    if (args->out_fence != NULL) {
        *args->out_fence = eventfd(1, EFD_CLOEXEC);
    }
    return SL_OK;
}

static bool fake_alive(struct vg *vg)
{
    (void)vg;
    return !world->gone;
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
    dispatch->host = &world->host;
}

static void world_init(void *user)
{
    world = user;
    struct world *w = user;
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

static void world_finish(void *user)
{
    struct world *w = user;
    gvk_ids_finish(&w->host.ids);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->device.lock);
    pthread_mutex_destroy(&w->host.id_lock);
    pthread_mutex_destroy(&w->host.lock);
    for (uint32_t i = 0; i < w->blob_count; i++) {
        SLT_EXPECT_TRUE(w->blobs[i].destroyed);
        free(w->blobs[i].memory);
    }
    world = NULL;
}

SLT_FIXTURE(gvk_core, struct world, world_init, world_finish);

/* ---- The host's ring ---- */

static void reply_to_locked(struct world *w, uint32_t opcode)
{
    if (opcode == VK_OP_vkEnumerateInstanceVersion) { /* how a thread ends */
        const uint32_t reply[2] = {VK_API_VERSION_1_3, VK_SUCCESS};
        SLT_EXPECT_OK(asg_reader_reply(&w->reader, reply, sizeof reply));
    }
    if (w->answered == w->answer_count || w->answers[w->answered].opcode != opcode) {
        return;
    }
    const struct answer *answer = &w->answers[w->answered++];
    const uint8_t *bytes = answer->long_bytes != NULL ? answer->long_bytes : answer->bytes;
    size_t first = answer->size > 1000 ? 1000 : answer->size;
    SLT_EXPECT_OK(asg_reader_reply(&w->reader, bytes, first));
    if (first != answer->size) {
        SLT_EXPECT_OK(asg_reader_reply(&w->reader, bytes + first, answer->size - first));
    }
}

static void packet_locked(struct world *w, const uint8_t *bytes, uint32_t size)
{
    SLT_EXPECT_LT(w->packet_count, PACKETS_MAX);
    if (w->packet_count < PACKETS_MAX) {
        struct packet *packet = &w->packets[w->packet_count++];
        packet->opcode = sl_load_u32(bytes);
        packet->size = size;
        packet->turn = sl_load_u32(bytes + 8);
        memcpy(packet->bytes, bytes, size < sizeof packet->bytes ? size : sizeof packet->bytes);
    }
    reply_to_locked(w, sl_load_u32(bytes));
}

static void take_locked(struct world *w)
{
    size_t used = 0;
    while (asg_reader_take(&w->reader, w->bytes + w->got, BYTES_MAX - w->got, &used) == SL_OK) {
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
    struct world *w = user;
    while (asg_reader_wait(&w->reader) == SL_OK) {
        pthread_mutex_lock(&w->lock);
        take_locked(w);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* All that was sent is in packets[0 .. packet_count). */
static void look(void)
{
    struct gvk_stream *stream = gvk_stream_peek(&world->host);
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
    bool all = false;
    while (!all && sl_clock_ns() < end) {
        pthread_mutex_lock(&world->lock);
        all = world->at == stream->gs->ring.published;
        pthread_mutex_unlock(&world->lock);
        if (!all) {
            sl_clock_sleep_ns(100000);
        }
    }
    SLT_EXPECT_TRUE(all);
}

static void forget(void)
{
    pthread_mutex_lock(&world->lock);
    world->packet_count = 0;
    pthread_mutex_unlock(&world->lock);
}

static uint32_t sent(uint32_t opcode)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->packet_count; i++) {
        count += world->packets[i].opcode == opcode;
    }
    return count;
}

/* What the host will say to the next packet of that kind. */
static void answer(uint32_t opcode, const void *data, size_t size)
{
    look(); /* not to one before */
    pthread_mutex_lock(&world->lock);
    SLT_EXPECT_LT(world->answer_count, ANSWERS_MAX);
    struct answer *made = &world->answers[world->answer_count++];
    made->opcode = opcode;
    made->size = size;
    if (size <= sizeof made->bytes) {
        memcpy(made->bytes, data, size);
    } else {
        made->long_bytes = data;
    }
    pthread_mutex_unlock(&world->lock);
}

/* A new handle's id, and success. */
static void answer_id(uint32_t opcode, uint64_t id)
{
    uint8_t reply[12] = {0};
    sl_store_u64(reply, id);
    answer(opcode, reply, sizeof reply);
}

static void answer_success(uint32_t opcode)
{
    uint32_t success = VK_SUCCESS;
    answer(opcode, &success, sizeof success);
}

static void *thread_main(void *user)
{
    struct world *w = user;
    SLT_EXPECT_TRUE(gvk_begin(&w->host) != NULL);
    w->run(w);
    return NULL;
}

/* Runs on a thread of its own, whose ring is there already. */
static void on_thread(struct world *w, void (*run)(struct world *))
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

static VkDevice device(void)
{
    return GVK_TO(VkDevice, &world->device);
}

/* ---- Packets and replies ---- */

static void number_packets(struct world *w)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct gvk_stream *s = gvk_begin(&w->host);
        vk_pack_vkTrimCommandPool(&s->pack, 77, device(), VK_NULL_HANDLE, i);
        SLT_EXPECT_TRUE(gvk_send(s));
    }
    struct gvk_stream *s = gvk_begin(&w->host);
    vk_pack_vkTrimCommandPool(&s->pack, 0, device(), VK_NULL_HANDLE, 0);
    SLT_EXPECT_TRUE(gvk_send_with(s, "more than that", 14));
    look();
    SLT_EXPECT_EQ(4u, w->packet_count);
    for (uint32_t i = 0; i < 4; i++) {
        SLT_EXPECT_EQ((uint32_t)VK_OP_vkTrimCommandPool, w->packets[i].opcode);
        SLT_EXPECT_EQ(i + 1, w->packets[i].turn);
    }
    SLT_EXPECT_EQ(w->packets[0].size + 14, w->packets[3].size);
    SLT_EXPECT_MEMEQ("more than that", w->packets[3].bytes + w->packets[0].size, 14);
}

SLT_TEST_F(gvk_core, packets_carry_the_next_number_and_their_length, w)
{
    on_thread(w, number_packets);
}

SLT_TEST_F(gvk_core, a_thread_ends_when_all_it_sent_has_run, w)
{
    on_thread(w, number_packets);
    SLT_EXPECT_EQ(5u, w->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkEnumerateInstanceVersion, w->packets[4].opcode);
}

static void fail_packing(struct world *w)
{
    struct gvk_stream *s = gvk_begin(&w->host);
    vk_pack_vkTrimCommandPool(&s->pack, 0, device(), VK_NULL_HANDLE, 0);
    s->pack.failed = true;
    SLT_EXPECT_TRUE(!gvk_send(s));
    SLT_EXPECT_EQ(0u, w->host.turn);
    s = gvk_begin(&w->host);
    SLT_EXPECT_TRUE(!s->pack.failed);
    vk_pack_vkTrimCommandPool(&s->pack, 0, device(), VK_NULL_HANDLE, 0);
    SLT_EXPECT_TRUE(gvk_send(s));
    SLT_EXPECT_EQ(1u, w->host.turn);
}

SLT_TEST_F(gvk_core, a_packet_that_failed_takes_no_number, w)
{
    on_thread(w, fail_packing);
}

/* vkGetPipelineCacheData: presence, size, presence, data, result. */
static void read_long(struct world *w)
{
    enum { SIZE = 20000 };
    static uint8_t reply[24 + SIZE + 4];
    uint8_t *p = reply;
    sl_store_u64(p, __builtin_bswap64(1));
    sl_store_u64(p + 8, __builtin_bswap64(SIZE));
    sl_store_u64(p + 16, __builtin_bswap64(1));
    for (uint32_t i = 0; i < SIZE; i++) {
        p[24 + i] = (uint8_t)(i * 7);
    }
    sl_store_u32(p + 24 + SIZE, VK_SUCCESS);
    answer(VK_OP_vkGetPipelineCacheData, reply, sizeof reply);
    static uint8_t data[SIZE];
    size_t size = sizeof data;
    struct gvk_object cache = {.vk.id = 5};
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkGetPipelineCacheData(
                                  device(), GVK_TO(VkPipelineCache, &cache), &size, data));
    SLT_EXPECT_EQ((size_t)SIZE, size);
    SLT_EXPECT_MEMEQ(reply + 24, data, SIZE);
    SLT_EXPECT_TRUE(!gvk_host_lost(&w->host));
}

SLT_TEST_F(gvk_core, a_long_reply_is_read_as_it_comes, w)
{
    on_thread(w, read_long);
}

static void read_nonsense(struct world *w)
{
    uint8_t reply[28] = {0};
    sl_store_u64(reply, __builtin_bswap64(1));
    sl_store_u64(reply + 8, __builtin_bswap64(100)); /* more than there is room for */
    sl_store_u64(reply + 16, __builtin_bswap64(1));
    answer(VK_OP_vkGetPipelineCacheData, reply, sizeof reply);
    uint8_t data[10];
    size_t size = sizeof data;
    struct gvk_object cache = {.vk.id = 5};
    SLT_EXPECT_LOG("vulkan", "a reply makes no sense");
    SLT_EXPECT_EQ(
        VK_ERROR_DEVICE_LOST,
        gvk_entry_vkGetPipelineCacheData(device(), GVK_TO(VkPipelineCache, &cache), &size, data));
    SLT_EXPECT_TRUE(gvk_host_lost(&w->host));
    SLT_EXPECT_TRUE(gvk_begin(&w->host) == NULL);
}

SLT_TEST_F(gvk_core, a_reply_that_is_wrong_loses_the_host, w)
{
    on_thread(w, read_nonsense);
}

static void lose_host(struct world *w)
{
    w->gone = true;
    struct gvk_object pool = {.vk.id = 5};
    gvk_entry_vkTrimCommandPool(device(), GVK_TO(VkCommandPool, &pool), 0);
    SLT_EXPECT_TRUE(gvk_host_lost(&w->host)); /* nobody was waited for, and yet */
    VkSampler sampler;
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, gvk_entry_vkCreateSampler(device(), &info, NULL, &sampler));
    SLT_EXPECT_NULL(sampler);
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    const VkBufferMemoryRequirementsInfo2 of = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2};
    gvk_entry_vkGetBufferMemoryRequirements2(device(), &of, &needs);
}

SLT_TEST_F(gvk_core, a_host_that_died_is_noticed_without_waiting_for_it, w)
{
    on_thread(w, lose_host);
}

/* ---- Objects ---- */

static void create_asked(struct world *w)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler;
    answer_id(VK_OP_vkCreateSampler, 0x77);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(device(), &info, NULL, &sampler));
    SLT_EXPECT_EQ(0x77u, GVK_OBJECT(sampler)->vk.id);
    look();
    const struct packet *packet = &w->packets[0];
    SLT_EXPECT_EQ(0u, sl_load_u64(packet->bytes + packet->size - 8)); /* the host chooses */
    forget();
    gvk_entry_vkDestroySampler(device(), sampler, NULL);
    gvk_entry_vkDestroySampler(device(), VK_NULL_HANDLE, NULL);
    look();
    SLT_EXPECT_EQ(1u, w->packet_count);
    SLT_EXPECT_EQ(0x77u, sl_load_u64(w->packets[0].bytes + 20));
}

SLT_TEST_F(gvk_core, an_object_has_the_id_that_the_host_gave, w)
{
    on_thread(w, create_asked);
}

static void create_told(struct world *w)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler[2];
    w->host.guest_ids = true;
    for (uint32_t i = 0; i < 2; i++) { /* nothing lies there as an answer */
        SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(device(), &info, NULL, &sampler[i]));
    }
    uint64_t first = GVK_OBJECT(sampler[0])->vk.id;
    SLT_EXPECT_NE(first, GVK_OBJECT(sampler[1])->vk.id);
    SLT_EXPECT_GT((uint32_t)first, SL_IDS_PEER_FIRST);
    look();
    SLT_EXPECT_EQ(first, sl_load_u64(w->packets[0].bytes + w->packets[0].size - 8));
    gvk_entry_vkDestroySampler(device(), sampler[0], NULL);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(device(), &info, NULL, &sampler[0]));
    /* Its index again, another generation. */
    SLT_EXPECT_EQ((uint32_t)first, (uint32_t)GVK_OBJECT(sampler[0])->vk.id);
    SLT_EXPECT_EQ((first >> 32) + 1, GVK_OBJECT(sampler[0])->vk.id >> 32);
    gvk_entry_vkDestroySampler(device(), sampler[0], NULL);
    gvk_entry_vkDestroySampler(device(), sampler[1], NULL);
}

SLT_TEST_F(gvk_core, chosen_ids_are_fresh_and_need_no_answer, w)
{
    on_thread(w, create_told);
}

/* ---- The application's own memory ---- */

static uint32_t blocks_held;

static void *count_alloc(void *user, size_t size, size_t alignment, VkSystemAllocationScope scope)
{
    (void)scope;
    SLT_EXPECT_TRUE(user == &blocks_held);
    SLT_EXPECT_EQ(8u, alignment);
    blocks_held++;
    void *memory = malloc(size);
    if (memory != NULL) {
        memset(memory, 0xa5, size); /* whatever was there */
    }
    return memory;
}

static void count_free(void *user, void *memory)
{
    SLT_EXPECT_TRUE(user == &blocks_held);
    blocks_held--;
    free(memory);
}

static const VkAllocationCallbacks counting = {
    .pUserData = &blocks_held, .pfnAllocation = count_alloc, .pfnFree = count_free};

static void use_callbacks(struct world *w)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler samplers[2];
    w->device.allocator = gvk_allocator_of(&counting); /* the device was made with them */
    answer_id(VK_OP_vkCreateSampler, 0x77);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(device(), &info, &counting, &samplers[0]));
    answer_id(VK_OP_vkCreateSampler, 0x78);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(device(), &info, NULL, &samplers[1]));
    SLT_EXPECT_EQ(2u, blocks_held);
    SLT_EXPECT_NULL(GVK_OBJECT(samplers[0])->private);
    gvk_entry_vkDestroySampler(device(), samplers[0], &counting);
    gvk_entry_vkDestroySampler(device(), samplers[1], NULL);
    SLT_EXPECT_EQ(0u, blocks_held);
}

SLT_TEST_F(gvk_core, objects_lie_in_the_applications_memory, w)
{
    on_thread(w, use_callbacks);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void take_many(struct world *w)
{
    enum { MANY = 1000 };
    static uint64_t ids[MANY];
    w->host.guest_ids = true;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            ids[i] = gvk_id_take(&w->host);
        }
        qsort(ids, MANY, sizeof ids[0], by_value);
        for (uint32_t i = 1; i < MANY; i++) {
            SLT_EXPECT_NE(ids[i - 1], ids[i]);
        }
        for (uint32_t i = 0; i < MANY; i++) {
            gvk_id_give(&w->host, ids[i]);
        }
    }
    SLT_EXPECT_LE(w->host.ids.fresh, MANY + 64u); /* used again, not ever new ones */
    gvk_id_give(&w->host, 12);                    /* the host's own */
    gvk_id_give(&w->host, gvk_local_id());
}

SLT_TEST_F(gvk_core, ids_are_given_back_and_used_again, w)
{
    on_thread(w, take_many);
}

static void keep_private(struct world *w)
{
    (void)w;
    struct gvk_object object = {.vk.id = 1};
    uint64_t handle = (uint64_t)(uintptr_t)&object, data = 9;
    VkPrivateDataSlot slots[2];
    const VkPrivateDataSlotCreateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    for (uint32_t i = 0; i < 2; i++) {
        SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreatePrivateDataSlot(device(), &info, NULL, &slots[i]));
    }
    gvk_vkGetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], &data);
    SLT_EXPECT_EQ(0u, data);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkSetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], 5));
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkSetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[1], 6));
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkSetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], 7));
    gvk_vkGetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], &data);
    SLT_EXPECT_EQ(7u, data);
    gvk_vkGetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[1], &data);
    SLT_EXPECT_EQ(6u, data);
    gvk_vkDestroyPrivateDataSlot(device(), slots[0], NULL);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreatePrivateDataSlot(device(), &info, NULL, &slots[0]));
    gvk_vkGetPrivateData(device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], &data);
    SLT_EXPECT_EQ(0u, data); /* a new slot, whatever memory it lies in */
    gvk_vkDestroyPrivateDataSlot(device(), slots[0], NULL);
    gvk_vkDestroyPrivateDataSlot(device(), slots[1], NULL);
    gvk_private_clear(&object);
}

SLT_TEST_F(gvk_core, private_data_stays_with_object_and_slot, w)
{
    on_thread(w, keep_private);
    SLT_EXPECT_EQ(0u, w->packet_count);
}

static void be_quiet(struct world *w)
{
    struct gvk_object event = {.vk.id = 5};
    w->host.quiet = true;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkSetEvent(device(), GVK_TO(VkEvent, &event)));
    w->host.quiet = false;
    answer_success(VK_OP_vkSetEvent);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkSetEvent(device(), GVK_TO(VkEvent, &event)));
}

SLT_TEST_F(gvk_core, a_quiet_host_is_not_waited_for, w)
{
    on_thread(w, be_quiet);
}

/* ---- Memory ---- */

static VkDeviceMemory allocate(uint64_t size, uint32_t type, const void *next)
{
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = next,
        .allocationSize = size,
        .memoryTypeIndex = type,
    };
    VkDeviceMemory memory = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkAllocateMemory(device(), &info, NULL, &memory));
    return memory;
}

static uint64_t offset_of(VkDeviceMemory memory)
{
    return GVK_FROM(gvk_memory, memory)->offset;
}

static void cut_blocks(struct world *w)
{
    VkDeviceMemory memory[4];
    answer_id(VK_OP_vkAllocateMemory, 0x100);
    for (uint32_t i = 0; i < 4; i++) {
        memory[i] = allocate(100000, 1, NULL);
        SLT_EXPECT_EQ(0x100u, GVK_OBJECT(memory[i])->vk.id);
        SLT_EXPECT_EQ((uint64_t)i * 2 * GVK_UNIT, offset_of(memory[i]));
    }
    look();
    SLT_EXPECT_EQ(1u, w->packet_count); /* one allocation of the host's for all */
    forget();
    gvk_vkFreeMemory(device(), memory[1], NULL);
    memory[1] = allocate(GVK_UNIT, 1, NULL);
    SLT_EXPECT_EQ(2ull * GVK_UNIT, offset_of(memory[1])); /* the gap */

    struct gvk_buffer buffer = {.object.vk.id = 0x200};
    answer_success(VK_OP_vkBindBufferMemory);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkBindBufferMemory(device(), GVK_TO(VkBuffer, &buffer), memory[2], 256));
    look();
    const struct packet *bind = &w->packets[0];
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkBindBufferMemory, bind->opcode);
    SLT_EXPECT_EQ(4ull * GVK_UNIT + 256, sl_load_u64(bind->bytes + bind->size - 8));

    forget();
    const VkMappedMemoryRange range = {
        .sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, .memory = memory[0], .size = VK_WHOLE_SIZE};
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkFlushMappedMemoryRanges(device(), 1, &range));
    for (uint32_t i = 0; i < 4; i++) {
        gvk_vkFreeMemory(device(), memory[i], NULL);
    }
    look();
    SLT_EXPECT_EQ(0u, w->packet_count); /* coherent memory, and the empty block is kept */
    gvk_blocks_finish(&w->device);
    look();
    SLT_EXPECT_EQ(1u, sent(VK_OP_vkFreeMemory));
}

SLT_TEST_F(gvk_core, small_allocations_share_one_of_the_host, w)
{
    on_thread(w, cut_blocks);
}

static void allocate_whole(struct world *w)
{
    struct gvk_buffer buffer = {.object.vk.id = 0x200};
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .buffer = GVK_TO(VkBuffer, &buffer)};
    const VkMemoryAllocateFlagsInfo address = {.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                               .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    VkDeviceMemory memory[5];
    for (uint32_t i = 0; i < 5; i++) {
        answer_id(VK_OP_vkAllocateMemory, 0x100 + i);
    }
    memory[0] = allocate(GVK_PART_MAX + 1, 1, NULL); /* too large */
    memory[1] = allocate(4096, 0, NULL);             /* not to be mapped */
    memory[2] = allocate(4096, 1, &dedicated);
    memory[3] = allocate(4096, 1, NULL);
    memory[4] = allocate(4096, 1, &address); /* in a block with addresses */
    for (uint32_t i = 0; i < 5; i++) {
        SLT_EXPECT_EQ(0x100 + i, GVK_OBJECT(memory[i])->vk.id);
    }
    void *bytes;
    SLT_EXPECT_EQ(VK_ERROR_MEMORY_MAP_FAILED,
                  gvk_vkMapMemory(device(), memory[1], 0, VK_WHOLE_SIZE, 0, &bytes));
    for (uint32_t i = 0; i < 5; i++) {
        gvk_vkFreeMemory(device(), memory[i], NULL);
    }
    look();
    SLT_EXPECT_EQ(3u, sent(VK_OP_vkFreeMemory)); /* the two blocks are kept */
    gvk_blocks_finish(&w->device);
}

SLT_TEST_F(gvk_core, special_allocations_are_the_hosts_own, w)
{
    on_thread(w, allocate_whole);
}

static void map_twice(struct world *w)
{
    answer_id(VK_OP_vkAllocateMemory, 0x100);
    VkDeviceMemory first = allocate(4096, 1, NULL), second = allocate(4096, 1, NULL);
    void *bytes[3];
    answer_success(VK_OP_vkGetBlobGOOGLE);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(device(), first, 0, VK_WHOLE_SIZE, 0, &bytes[0]));
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(device(), second, 16, 32, 0, &bytes[1]));
    gvk_vkUnmapMemory(device(), first);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(device(), first, 0, VK_WHOLE_SIZE, 0, &bytes[2]));
    SLT_EXPECT_TRUE(bytes[0] == bytes[2]);
    SLT_EXPECT_TRUE((uint8_t *)bytes[0] + GVK_UNIT + 16 == bytes[1]);
    const struct fake_blob *blob = &w->blobs[w->blob_count - 1];
    SLT_EXPECT_EQ(1u, blob->blob_id);
    SLT_EXPECT_EQ(GVK_BLOCK_SIZE, blob->res.size);
    SLT_EXPECT_EQ((uint32_t)VIRTGPU_BLOB_MAPPABLE, blob->flags);
    look();
    SLT_EXPECT_EQ(1u, sent(VK_OP_vkGetBlobGOOGLE));
    gvk_vkFreeMemory(device(), first, NULL);
    gvk_vkFreeMemory(device(), second, NULL);
    SLT_EXPECT_TRUE(!blob->destroyed);
    answer_success(VK_OP_vkFreeMemorySyncGOOGLE); /* the host lets go before the blob does */
    gvk_blocks_finish(&w->device);
    look();
    SLT_EXPECT_EQ(1u, sent(VK_OP_vkFreeMemorySyncGOOGLE));
    SLT_EXPECT_TRUE(blob->destroyed);
}

SLT_TEST_F(gvk_core, a_block_is_mapped_once, w)
{
    on_thread(w, map_twice);
}

/* A host that names the blob itself, when it is asked where the memory is. */
static void map_by_address(struct world *w)
{
    uint8_t reply[3 * 16 + 4] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        sl_store_u64(reply + (size_t)i * 16, __builtin_bswap64(1));
        sl_store_u64(reply + (size_t)i * 16 + 8, 40 + i);
    }
    w->host.deferred_mapping = false;
    answer_id(VK_OP_vkAllocateMemory, 0x100);
    VkDeviceMemory memory = allocate(4096, 1, NULL);
    void *bytes;
    answer(VK_OP_vkGetMemoryHostAddressInfoGOOGLE, reply, sizeof reply);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(device(), memory, 0, VK_WHOLE_SIZE, 0, &bytes));
    SLT_EXPECT_EQ(42u, w->blobs[w->blob_count - 1].blob_id);
    look();
    SLT_EXPECT_EQ(0u, sent(VK_OP_vkGetBlobGOOGLE));
    gvk_vkFreeMemory(device(), memory, NULL);
    answer_success(VK_OP_vkFreeMemorySyncGOOGLE);
    gvk_blocks_finish(&w->device);
}

SLT_TEST_F(gvk_core, the_host_may_name_the_blob, w)
{
    on_thread(w, map_by_address);
}

/* vkCreateBufferWithRequirementsGOOGLE's answer. */
static void answer_buffer(uint64_t id, uint64_t size, uint64_t alignment)
{
    uint8_t reply[8 + 20 + 4] = {0};
    sl_store_u64(reply, id);
    sl_store_u64(reply + 8, size);
    sl_store_u64(reply + 16, alignment);
    sl_store_u32(reply + 24, 3);
    answer(VK_OP_vkCreateBufferWithRequirementsGOOGLE, reply, sizeof reply);
}

static VkBuffer make_buffer(uint64_t size, VkBufferUsageFlags usage)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = size,
        .usage = usage,
        .queueFamilyIndexCount = 3, /* means nothing here, nor does the pointer */
        .pQueueFamilyIndices = (const uint32_t *)(uintptr_t)8,
    };
    VkBuffer buffer = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateBuffer(device(), &info, NULL, &buffer));
    return buffer;
}

static void expect_needs(VkBuffer buffer, uint64_t size)
{
    VkMemoryRequirements needs;
    gvk_vkGetBufferMemoryRequirements(device(), buffer, &needs);
    SLT_EXPECT_EQ(size, needs.size);
    SLT_EXPECT_EQ(64u, needs.alignment);
    SLT_EXPECT_EQ(3u, needs.memoryTypeBits);
    gvk_vkDestroyBuffer(device(), buffer, NULL);
}

static void foresee_buffers(struct world *w)
{
    w->host.guest_ids = true;
    answer_buffer(0x50, 128, 64);
    expect_needs(make_buffer(128, 1), 128);
    expect_needs(make_buffer(640, 1), 640); /* no answer needed: a multiple of the alignment */
    answer_buffer(0x51, 128, 64);
    expect_needs(make_buffer(100, 1), 128); /* asked: does this host round up? */
    expect_needs(make_buffer(130, 1), 192); /* it does */
    answer_buffer(0x52, 100, 64);
    expect_needs(make_buffer(100, 2), 100); /* another usage, another rule */
    expect_needs(make_buffer(101, 2), 101);
    look();
    SLT_EXPECT_EQ(3u, sent(VK_OP_vkCreateBufferWithRequirementsGOOGLE));
    SLT_EXPECT_EQ(3u, sent(VK_OP_vkDestroyBuffer)); /* of the others the host never heard */
}

SLT_TEST_F(gvk_core, like_buffers_have_like_requirements, w)
{
    on_thread(w, foresee_buffers);
}

/* How the host comes to hear of a buffer whose requirements were known. */
static void tell_buffers(struct world *w)
{
    w->host.guest_ids = true;
    answer_buffer(0x50, 128, 64);
    gvk_vkDestroyBuffer(device(), make_buffer(128, 1), NULL);
    VkBuffer buffers[4];
    for (uint32_t i = 0; i < 4; i++) {
        buffers[i] = make_buffer(128 + 64 * i, 1);
    }
    answer_id(VK_OP_vkAllocateMemory, 0x100);
    VkDeviceMemory memory = allocate(4096, 1, NULL);
    look();
    forget();
    answer_success(VK_OP_vkBindBufferMemory);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkBindBufferMemory(device(), buffers[0], memory, 0));
    const VkBindBufferMemoryInfo bind = {
        .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, .buffer = buffers[1], .memory = memory};
    answer_success(VK_OP_vkBindBufferMemory2);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkBindBufferMemory2(device(), 1, &bind));
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .buffer = buffers[2]};
    answer_id(VK_OP_vkAllocateMemory, 0x101);
    VkDeviceMemory own = allocate(4096, 1, &dedicated);
    const VkBufferMemoryRequirementsInfo2 asked = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = buffers[3]};
    VkMemoryDedicatedRequirements also = {.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    gvk_vkGetBufferMemoryRequirements2(device(), &asked, &needs);
    SLT_EXPECT_EQ(320u, needs.memoryRequirements.size);
    look();
    SLT_EXPECT_EQ(6u, w->packet_count);
    static const uint32_t opcodes[] = {VK_OP_vkBindBufferMemory, VK_OP_vkBindBufferMemory2,
                                       VK_OP_vkAllocateMemory};
    for (uint32_t i = 0; i < 3; i++) {
        SLT_SCOPE("buffer %u", i);
        const struct packet *made = &w->packets[2 * i];
        SLT_EXPECT_EQ((uint32_t)VK_OP_vkCreateBufferWithRequirementsGOOGLE, made->opcode);
        SLT_EXPECT_EQ(opcodes[i], w->packets[2 * i + 1].opcode);
        SLT_EXPECT_EQ(128 + 64ull * i, sl_load_u64(made->bytes + 12 + 8 + 12));
    }
    forget();
    needs.pNext = &also;
    uint8_t reply[4 + 4 + 4 + 16 + 20] = {0}; /* type, the chained struct's size, type and itself */
    sl_store_u32(reply, needs.sType);
    sl_store_u32(reply + 4, __builtin_bswap32(sizeof also));
    sl_store_u32(reply + 8, also.sType);
    sl_store_u32(reply + 12, also.sType);
    reply[20] = 1; /* prefersDedicatedAllocation, behind an end of chain */
    answer(VK_OP_vkGetBufferMemoryRequirements2, reply, sizeof reply);
    gvk_vkGetBufferMemoryRequirements2(device(), &asked, &needs);
    SLT_EXPECT_EQ(1u, also.prefersDedicatedAllocation);
    look();
    SLT_EXPECT_EQ(1u, sent(VK_OP_vkCreateBufferWithRequirementsGOOGLE));
    for (uint32_t i = 0; i < 4; i++) {
        gvk_vkDestroyBuffer(device(), buffers[i], NULL);
    }
    look();
    SLT_EXPECT_EQ(4u, sent(VK_OP_vkDestroyBuffer));
    gvk_vkFreeMemory(device(), memory, NULL);
    gvk_vkFreeMemory(device(), own, NULL);
    gvk_blocks_finish(&w->device);
}

SLT_TEST_F(gvk_core, a_buffer_is_told_of_when_somebody_could_tell, w)
{
    on_thread(w, tell_buffers);
}

/* ---- Names ---- */

static VkInstance instance(void)
{
    return GVK_TO(VkInstance, &world->instance);
}

static uint32_t extension(const char *name)
{
    return (uint32_t)(vk_extension_find(name, strlen(name)) - vk_extensions);
}

SLT_TEST_F(gvk_core, functions_are_found_by_version_and_extension, w)
{
    w->instance.api_version = VK_API_VERSION_1_0;
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(NULL, "vkCreateInstance") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(NULL, "vkDestroyInstance") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkDestroyInstance") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkNothing") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkQueueFlushCommandsGOOGLE") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkCreateDebugUtilsMessengerEXT") ==
                    NULL);
    gvk_set_add(&w->instance.enabled, extension("VK_EXT_debug_utils"));
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkCreateDebugUtilsMessengerEXT") !=
                    NULL);

    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(device(), "vkCmdDraw") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(device(), "vkGetDeviceProcAddr") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(device(), "vkCreateDevice") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(device(), "vkQueueSubmit2") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(device(), "vkQueueSubmit2KHR") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkQueueSubmit2KHR") != NULL);
    gvk_set_add(&w->device.enabled, extension("VK_KHR_synchronization2"));
    PFN_vkVoidFunction aliased = gvk_vkGetDeviceProcAddr(device(), "vkQueueSubmit2KHR");
    SLT_EXPECT_TRUE(aliased != NULL);
    w->instance.api_version = VK_API_VERSION_1_3;
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(device(), "vkQueueSubmit2") == aliased);

    SLT_EXPECT_TRUE(gvk_physical_proc(instance(), "vkGetPhysicalDeviceProperties") != NULL);
    SLT_EXPECT_TRUE(gvk_physical_proc(instance(), "vkCmdDraw") == NULL);
}

SLT_TEST(gvk_names, are_sorted)
{
    for (uint32_t i = 1; i < GVK_ENTRY_COUNT; i++) {
        SLT_EXPECT_LT(strcmp(gvk_entries[i - 1].name, gvk_entries[i].name), 0);
    }
}

SLT_TEST(gvk_extensions, only_what_travels_whole_is_offered)
{
    const VkExtensionProperties host[] = {
        {"VK_KHR_synchronization2", 1},
        {"VK_KHR_video_queue", 8},             /* refused */
        {"VK_EXT_external_memory_host", 1},    /* refused */
        {"VK_EXT_external_memory_dma_buf", 1}, /* of the host's kernel */
        {"VK_KHR_swapchain", 70},              /* the guest's own */
        {"VK_KHR_external_memory_fd", 1},      /* done in the guest */
        {"VK_XYZ_never_heard_of", 1},
        {"VK_KHR_get_physical_device_properties2", 2},
    };
    struct gvk_extensions list = {.count = 0};
    SLT_ASSERT_TRUE(gvk_extensions_fill(&list, false, host, sizeof host / sizeof host[0]));
    SLT_EXPECT_TRUE(gvk_set_has_name(&list.set, "VK_KHR_synchronization2"));
    SLT_EXPECT_TRUE(gvk_set_has_name(&list.set, "VK_KHR_swapchain"));
    SLT_EXPECT_TRUE(gvk_set_has_name(&list.set, "VK_KHR_external_memory_fd"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_KHR_video_queue"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_EXT_external_memory_host"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_EXT_external_memory_dma_buf"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_XYZ_never_heard_of"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_KHR_get_physical_device_properties2"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_KHR_surface")); /* an instance's */
    for (uint32_t i = 0; i < list.count; i++) {
        if (strcmp(list.items[i].extensionName, "VK_KHR_swapchain") == 0) {
            SLT_EXPECT_TRUE(list.items[i].specVersion != 0);
        }
    }

    const char *asked[] = {"VK_KHR_swapchain", "VK_KHR_synchronization2",
                           "VK_KHR_external_memory_fd"};
    const char *told[3];
    struct gvk_set enabled = {{0}};
    uint32_t count = 0;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_extensions_take(&list, 3, asked, &enabled, told, &count));
    SLT_EXPECT_EQ(1u, count);
    SLT_EXPECT_STREQ("VK_KHR_synchronization2", told[0]);
    asked[0] = "VK_KHR_video_queue";
    SLT_EXPECT_EQ(VK_ERROR_EXTENSION_NOT_PRESENT,
                  gvk_extensions_take(&list, 3, asked, &enabled, told, &count));
    gvk_extensions_finish(&list);
}
