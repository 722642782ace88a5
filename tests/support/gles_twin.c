#include "tests/support/gles_twin.h"

#include "tests/support/slt.h"
#include "transport/base/bytes.h"
#include "wire/gles2_names.h"
#include "wire/glesx_names.h"
#include "wire/rc_names.h"
#include "wire/rc_pack.h"
#include "wire/sl_names.h"

#include <stdlib.h>
#include <string.h>

extern const struct hct_type hgl_gles_type;

/* The one whose ring runs: config.user is the ring's own. */
static _Thread_local struct twin *running;

static void on_reply(void *user, const void *reply, size_t size)
{
    (void)user;
    running->reply_size = size;
    memcpy(running->reply, reply, size < sizeof running->reply ? size : sizeof running->reply);
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)user, (void)ring;
    running->lost = true;
    SLT_FAIL("the ring is over: %s", reason);
}

static const struct hrc_thread *thread_of(const struct twin *t)
{
    return &((const struct hgl_ring *)t->state)->rc; /* its first member */
}

static void take(const struct twin *t, bool take_it)
{
    const struct hs_thread *gl = &thread_of(t)->gl;
    (void)gl->native->egl.MakeCurrent(gl->native->display, take_it ? gl->draw : EGL_NO_SURFACE,
                                      take_it ? gl->read : EGL_NO_SURFACE,
                                      take_it ? gl->context : EGL_NO_CONTEXT);
}

/* Both twins run on this thread, where one context at most is current. */
static void run_on(struct twin *t)
{
    if (running != t) {
        if (running != NULL) {
            take(running, false);
        }
        running = t;
        if (t != NULL && thread_of(t)->gl.context != EGL_NO_CONTEXT) {
            take(t, true);
        }
    }
}

void twin_init(struct twin *t)
{
    SLT_NEED(SLT_EGL);
    SLT_ALLOW_LEAKS("the native driver keeps threads and files");
    t->options.restores = true;
    SLT_ASSERT_OK(hgl_gles_type.provider_create(&t->env, &t->options, &t->provider));
    const struct hct_create_info info = {.ctx_id = 1,
                                         .capset = hgl_gles_type.capset,
                                         .name = "twin",
                                         .env = &t->env,
                                         .provider = t->provider};
    t->config = (struct hr_config){.name = "twin", .lost = on_lost, .reply = on_reply};
    SLT_ASSERT_OK(hgl_gles_type.create(&info, &t->context));
    SLT_ASSERT_OK(hgl_ring_new(t->context, &t->config, &t->state));
    SLT_ASSERT_OK(hr_ring_create_fed(&t->config, &t->ring));
    sl_pack_mem_init(&t->out);
    run_on(t);
    t->config.thread_begin(t->config.user, t->ring);
}

void twin_finish(struct twin *t)
{
    if (t->ring != NULL) {
        run_on(t);
        t->config.thread_end(t->config.user, t->ring);
        hr_ring_destroy(t->ring);
        running = NULL;
    }
    if (t->state != NULL) {
        hgl_ring_free(t->context, t->state);
    }
    if (t->context != NULL) {
        t->context->ops->destroy(t->context);
    }
    if (t->provider != NULL) {
        t->provider->ops->destroy(t->provider);
    }
    sl_pack_mem_finish(&t->out);
}

void twin_send(struct twin *t)
{
    run_on(t);
    t->reply_size = 0;
    size_t size = (size_t)(t->out.pack.cur - t->out.data);
    SLT_ASSERT_TRUE(!t->out.failed);
    t->out.pack.cur = t->out.data;
    SLT_ASSERT_TRUE(hr_ring_feed(t->ring, t->out.data, size));
}

uint32_t twin_ask(struct twin *t)
{
    twin_send(t);
    SLT_ASSERT_GE(t->reply_size, 4u);
    return sl_load_u32(t->reply);
}

static uint32_t pick_config(const struct twin *t)
{
    const struct hs_native *n = thread_of(t)->client->native;
    for (uint32_t i = 0; i < n->config_count; i++) {
        const int32_t *v = n->configs[i].values; /* depth, stencil; alpha, blue, green, red */
        if (v[0] == 24 && v[1] == 8 && v[6] == 8 && v[7] == 8 && v[8] == 8 && v[9] == 8 &&
            v[19] == 0) {
            return i;
        }
    }
    SLT_FAIL("no config of 8 bits, depth 24 and stencil 8");
    return 0;
}

uint32_t twin_start(struct twin *t, uint32_t version)
{
    uint32_t config = pick_config(t);
    rc_pack_rcCreateContext(twin_out(t), config, 0, version);
    uint32_t context = twin_ask(t);
    rc_pack_rcCreateWindowSurface(twin_out(t), config, 64, 48);
    uint32_t surface = twin_ask(t);
    rc_pack_rcMakeCurrent(twin_out(t), context, surface, surface);
    SLT_ASSERT_EQ(1u, twin_ask(t));
    return context;
}

void twin_list_add(struct twin_list *list, const void *packet, size_t size, const void *reply,
                   size_t reply_size)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 256;
        list->packets = realloc(list->packets, list->capacity * sizeof *list->packets);
    }
    struct twin_packet *p = &list->packets[list->count++];
    *p = (struct twin_packet){.bytes = malloc(size), .size = size, .reply_size = reply_size};
    memcpy(p->bytes, packet, size);
    if (reply_size != 0) {
        p->reply = malloc(reply_size);
        memcpy(p->reply, reply, reply_size);
    }
}

static enum sl_result on_packet(void *user, uint32_t ring_id, const void *packet, size_t size,
                                const void *reply, size_t reply_size)
{
    SLT_EXPECT_EQ(7u, ring_id);
    twin_list_add(user, packet, size, reply, reply_size);
    return SL_OK;
}

enum sl_result twin_save(struct twin *t, struct twin_list *list)
{
    struct hgl_ring *ring = t->state;
    const struct hgl_ring_ref ref = {.id = 7, .thread = &ring->rc};
    const struct hct_saver saver = {.user = list, .packet = on_packet};
    *list = (struct twin_list){0};
    run_on(t);
    take(t, false);
    enum sl_result result = hgl_save_client(ring->rc.client, ring->es2.gl, &ref, 1, &saver);
    take(t, true);
    return result;
}

static const char *packet_name(const struct twin_packet *p)
{
    uint32_t opcode = sl_load_u32(p->bytes);
    const char *name = gles2_op_name(opcode);
    name = name != NULL ? name : glesx_op_name(opcode);
    name = name != NULL ? name : rc_op_name(opcode);
    name = name != NULL ? name : sl_op_name(opcode);
    return name != NULL ? name : "?";
}

void twin_feed(struct twin *t, const struct twin_packet *packet)
{
    run_on(t);
    t->reply_size = 0;
    SLT_ASSERT_TRUE(hr_ring_feed(t->ring, packet->bytes, packet->size));
}

void twin_play(struct twin *t, const struct twin_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct twin_packet *p = &list->packets[i];
        SLT_SCOPE("packet %zu, %s", i, packet_name(p));
        twin_feed(t, p);
        SLT_ASSERT_EQ(p->reply_size, t->reply_size);
        SLT_ASSERT_MEMEQ(p->reply != NULL ? p->reply : t->reply, t->reply, t->reply_size);
    }
}

void twin_expect_equal(const struct twin_list *a, const struct twin_list *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        SLT_SCOPE("packet %zu, %s and %s", i, packet_name(&a->packets[i]),
                  packet_name(&b->packets[i]));
        SLT_ASSERT_EQ(a->packets[i].size, b->packets[i].size);
        SLT_ASSERT_MEMEQ(a->packets[i].bytes, b->packets[i].bytes, a->packets[i].size);
        SLT_ASSERT_EQ(a->packets[i].reply_size, b->packets[i].reply_size);
    }
    SLT_EXPECT_EQ(a->count, b->count);
}

void twin_list_finish(struct twin_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->packets[i].bytes);
        free(list->packets[i].reply);
    }
    free(list->packets);
    *list = (struct twin_list){0};
}
