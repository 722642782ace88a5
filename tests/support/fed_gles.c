#include "tests/support/fed_gles.h"

#include "transport/base/mem.h"
#include "transport/base/pack.h"
#include "wire/rc_pack.h"

static void provider_destroy(struct hct_provider *provider)
{
    hgl_provider_unref((struct hgl_provider *)(void *)provider); /* first member */
}

static const struct hct_provider_ops provider_ops = {.destroy = provider_destroy};

/* config.user is the ring's own: the fed ring is found by thread. */
static _Thread_local struct fed_gles *feeding;

static void on_reply(void *user, const void *reply, size_t size)
{
    (void)user;
    feeding->last_reply = size >= 4 ? sl_load_u32(reply) : 0;
    feeding->replies++;
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)user, (void)ring, (void)reason;
    feeding->lost = true;
}

bool fed_gles_init(struct fed_gles *f)
{
    *f = (struct fed_gles){
        .env = {.user = f, .task_begin = task_count_begin, .task_done = task_count_done}};
    struct hgl_provider *p = sl_alloc(sizeof *p);
    if (p == NULL) {
        return false;
    }
    *p = (struct hgl_provider){.base.ops = &provider_ops, .env = &f->env, .refs = 1};
    f->provider = p;
    fake_egl_fill(&p->driver);
    hs_table_init(&p->buffers, &p->driver.native, NULL);
    const struct hct_create_info info = {
        .ctx_id = 1, .name = "fed", .env = &f->env, .provider = &p->base};
    f->config = (struct hr_config){.name = "fed", .lost = on_lost, .reply = on_reply};
    if (hgl_context_create(&info, &f->context) != SL_OK ||
        hgl_ring_new(f->context, &f->config, &f->state) != SL_OK ||
        hr_ring_create_fed(&f->config, &f->ring) != SL_OK) {
        fed_gles_finish(f);
        return false;
    }
    hr_ring_stage(f->ring, f->stage, sizeof f->stage);
    feeding = f;
    f->config.thread_begin(f->config.user, f->ring);
    return true;
}

static bool feed(struct fed_gles *f, struct sl_pack_mem *mem)
{
    bool ok = hr_ring_feed(f->ring, mem->data, (size_t)(mem->pack.cur - mem->data));
    mem->pack.cur = mem->data;
    return ok;
}

bool fed_gles_current(struct fed_gles *f, bool es1)
{
    struct sl_pack_mem mem;
    sl_pack_mem_init(&mem);
    uint32_t *context = es1 ? &f->gles1_context : &f->gles_context;
    rc_pack_rcCreateContext(&mem.pack, 0, 0, es1 ? 1 : 3);
    bool ok = feed(f, &mem);
    *context = f->last_reply;
    rc_pack_rcCreateWindowSurface(&mem.pack, 0, 64, 64);
    ok = ok && feed(f, &mem);
    f->surface = f->last_reply;
    rc_pack_rcMakeCurrent(&mem.pack, *context, f->surface, f->surface);
    ok = ok && feed(f, &mem) && f->last_reply == 1 && *context != 0 && f->surface != 0;
    sl_pack_mem_finish(&mem);
    return ok;
}

void fed_gles_finish(struct fed_gles *f)
{
    if (f->ring != NULL) {
        f->config.thread_end(f->config.user, f->ring);
        hr_ring_destroy(f->ring);
    }
    if (f->state != NULL) {
        hgl_ring_free(f->context, f->state);
    }
    if (f->context != NULL) {
        f->context->ops->destroy(f->context);
    }
    if (f->provider != NULL) {
        provider_destroy(&f->provider->base);
    }
    feeding = NULL;
}
