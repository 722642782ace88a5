#include "tests/support/gles_twin.h"

#include "tests/support/slt.h"
#include "transport/base/bytes.h"
#include "wire/gles2_names.h"
#include "wire/gles2_pack.h"
#include "wire/glesx_names.h"
#include "wire/rc_names.h"
#include "wire/rc_pack.h"
#include "wire/sl_names.h"

#include <stdlib.h>
#include <string.h>

/* Resource id of the first ring. */
#define FIRST_RING 7u

extern const struct hct_type hgl_gles_type;

/* The one whose ring runs, and which of its rings: config.user is the ring's own. */
static _Thread_local struct twin *running;
static _Thread_local uint32_t running_at;

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

static const struct hrc_thread *thread_of(const struct twin *t, uint32_t at)
{
    return &((const struct hgl_ring *)t->states[at])->rc; /* its first member */
}

static void take(const struct twin *t, uint32_t at, bool take_it)
{
    const struct hs_thread *gl = &thread_of(t, at)->gl;
    (void)gl->native->egl.MakeCurrent(gl->native->display, take_it ? gl->draw : EGL_NO_SURFACE,
                                      take_it ? gl->read : EGL_NO_SURFACE,
                                      take_it ? gl->context : EGL_NO_CONTEXT);
}

/* All rings run on this thread, where one context at most is current. */
static void run_on(struct twin *t)
{
    if (running == t && running_at == t->at) {
        return;
    }
    if (running != NULL) {
        take(running, running_at, false);
    }
    running = t;
    running_at = t->at;
    if (thread_of(t, t->at)->gl.context != EGL_NO_CONTEXT) {
        take(t, t->at, true);
    }
}

void twin_init(struct twin *t)
{
    SLT_NEED(SLT_EGL);
    SLT_ALLOW_LEAKS("the native driver keeps threads and files");
    t->options.restores = true;
    t->options.is_saved = true;
    SLT_ASSERT_OK(hgl_gles_type.provider_create(&t->env, &t->options, &t->provider));
    const struct hct_create_info info = {.ctx_id = 1,
                                         .capset = hgl_gles_type.capset,
                                         .name = "twin",
                                         .env = &t->env,
                                         .provider = t->provider};
    SLT_ASSERT_OK(hgl_gles_type.create(&info, &t->context));
    sl_pack_mem_init(&t->out);
    for (uint32_t i = 0; i < TWIN_RINGS; i++) {
        t->configs[i] = (struct hr_config){.name = "twin", .lost = on_lost, .reply = on_reply};
        SLT_ASSERT_OK(hgl_ring_new(t->context, &t->configs[i], &t->states[i]));
        SLT_ASSERT_OK(hr_ring_create_fed(&t->configs[i], &t->rings[i]));
        t->at = i;
        run_on(t);
        t->configs[i].thread_begin(t->configs[i].user, t->rings[i]);
    }
    t->at = 0;
    run_on(t);
}

void twin_finish(struct twin *t)
{
    for (t->at = 0; t->at < TWIN_RINGS && t->rings[t->at] != NULL; t->at++) {
        run_on(t);
        t->configs[t->at].thread_end(t->configs[t->at].user, t->rings[t->at]);
        hr_ring_destroy(t->rings[t->at]);
        running = NULL;
    }
    for (uint32_t i = 0; i < TWIN_RINGS && t->states[i] != NULL; i++) {
        hgl_ring_free(t->context, t->states[i]);
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
    SLT_ASSERT_TRUE(hr_ring_feed(t->rings[t->at], t->out.data, size));
}

uint32_t twin_ask(struct twin *t)
{
    twin_send(t);
    SLT_ASSERT_GE(t->reply_size, 4u);
    return sl_load_u32(t->reply);
}

uint32_t twin_shader(struct twin *t, uint32_t type, const char *text)
{
    uint32_t size = (uint32_t)strlen(text) + 1;
    gles2_pack_glCreateShader(twin_out(t), type);
    uint32_t name = twin_ask(t);
    gles2_pack_glShaderString(twin_out(t), name, text, size, (GLsizei)size);
    gles2_pack_glCompileShader(twin_out(t), name);
    twin_send(t);
    return name;
}

static uint32_t pick_config(const struct twin *t)
{
    const struct hs_native *n = thread_of(t, 0)->client->native;
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

void twin_list_add(struct twin_list *list, uint32_t ring, const void *packet, size_t size,
                   const void *reply, size_t reply_size)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 256;
        list->packets = realloc(list->packets, list->capacity * sizeof *list->packets);
    }
    struct twin_packet *p = &list->packets[list->count++];
    *p = (struct twin_packet){
        .bytes = malloc(size), .size = size, .reply_size = reply_size, .ring = ring};
    memcpy(p->bytes, packet, size);
    if (reply_size != 0) {
        p->reply = malloc(reply_size);
        memcpy(p->reply, reply, reply_size);
    }
}

struct saving {
    struct twin_list *list, *did;
};

static enum sl_result on_packet(void *user, uint32_t ring_id, const void *packet, size_t size,
                                const void *reply, size_t reply_size)
{
    const struct saving *saving = user;
    twin_list_add(saving->list, ring_id - FIRST_RING, packet, size, reply, reply_size);
    return SL_OK;
}

static void on_did(void *user, uint32_t ring_id, const void *packet, size_t size, const void *reply,
                   size_t reply_size)
{
    const struct saving *saving = user;
    twin_list_add(saving->did, ring_id - FIRST_RING, packet, size, reply, reply_size);
}

enum sl_result twin_save(struct twin *t, struct twin_list *list)
{
    struct hgl_ring *ring = t->states[0];
    struct hgl_ring_ref refs[TWIN_RINGS];
    for (uint32_t i = 0; i < TWIN_RINGS; i++) {
        struct hgl_ring *own = t->states[i];
        refs[i] = (struct hgl_ring_ref){.id = FIRST_RING + i, .thread = &own->rc};
    }
    struct saving saving = {list, t->did};
    const struct vgd_saver saver = {.user = &saving,
                                    .packet = on_packet,
                                    .did = t->did != NULL ? on_did : NULL,
                                    .is_last = !t->goes_on};
    *list = (struct twin_list){0};
    run_on(t);
    take(t, t->at, false);
    enum sl_result result =
        hgl_save_client(ring->rc.client, ring->es2.gl, refs, TWIN_RINGS, &saver);
    take(t, t->at, true);
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
    t->at = packet->ring;
    run_on(t);
    t->reply_size = 0;
    SLT_ASSERT_TRUE(hr_ring_feed(t->rings[t->at], packet->bytes, packet->size));
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
    t->at = 0;
}

void twin_expect_equal(const struct twin_list *a, const struct twin_list *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        SLT_SCOPE("packet %zu, %s and %s", i, packet_name(&a->packets[i]),
                  packet_name(&b->packets[i]));
        SLT_ASSERT_EQ(a->packets[i].ring, b->packets[i].ring);
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
