#include "tests/support/echo_type.h"

#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/list.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/thread.h"

#include <string.h>

#define THREADS_MAX 64u

/* Test bookkeeping of the whole process: atomic. */
static uint32_t live;
static uint32_t tex_count;
static uint32_t tex_transfers;
static uint32_t contexts, asked; /* how many there are, and were asked to stop */
static uint32_t ended_early;

struct echo_thread {
    pthread_t thread;
    struct echo_context *echo;
    struct hct_hold *hold; /* ring threads */
    uint32_t *word;
    uint32_t resource_id;
    uint64_t task; /* later threads */
    uint64_t delay_ns;
};

struct echo_context {
    struct hct_context context; /* first */
    const struct hct_env *env;
    uint32_t ctx_id;
    uint32_t stop; /* atomic */
    bool is_asked; /* to stop */
    uint64_t tasks[ECHO_SLOTS];
    struct sl_map attached; /* -> struct hct_memory */
    struct sl_map offers;   /* blob id -> its size, boxed */
    struct echo_thread threads[THREADS_MAX];
    uint32_t thread_count;
};

static struct echo_context *from(struct hct_context *context)
{
    return (struct echo_context *)(void *)context;
}

static void *ring_thread(void *user)
{
    struct echo_thread *t = user;
    /* Pairs with the store in echo_destroy: the last thing it sees. */
    while (sl_atomic_load_acquire(&t->echo->stop) == 0) {
        (void)sl_atomic_add(t->word, 1);
        sl_clock_sleep_ns(100 * SL_NS_PER_US);
    }
    return NULL;
}

static void *later_thread(void *user)
{
    struct echo_thread *t = user;
    sl_clock_sleep_ns(t->delay_ns);
    t->echo->env->task_done(t->echo->env->user, t->task);
    return NULL;
}

static void *lose_thread(void *user)
{
    struct echo_thread *t = user;
    t->echo->env->ctx_lost(t->echo->env->user, t->echo->ctx_id, "echo was told to");
    return NULL;
}

static struct echo_thread *new_thread(struct echo_context *echo)
{
    if (echo->thread_count == THREADS_MAX) {
        return NULL;
    }
    struct echo_thread *t = &echo->threads[echo->thread_count];
    *t = (struct echo_thread){.echo = echo};
    return t;
}

static enum sl_result start(struct echo_thread *t, void *(*fn)(void *))
{
    enum sl_result r = sl_thread_start(&t->thread, "echo", 0, fn, t);
    if (r == SL_OK) {
        t->echo->thread_count++;
        (void)sl_atomic_add(&live, 1);
    }
    return r;
}

static void echo_stop(struct hct_context *context)
{
    struct echo_context *echo = from(context);
    if (!echo->is_asked) {
        echo->is_asked = true;
        (void)sl_atomic_add(&asked, 1);
    }
}

static void echo_destroy(struct hct_context *context)
{
    struct echo_context *echo = from(context);
    if (sl_atomic_load_acquire(&asked) < sl_atomic_load_acquire(&contexts)) {
        (void)sl_atomic_add(&ended_early, 1);
    }
    (void)sl_atomic_add(&asked, echo->is_asked ? UINT32_MAX : 0);
    (void)sl_atomic_add(&contexts, UINT32_MAX);
    sl_atomic_store_release(&echo->stop, 1); /* pairs with ring_thread's load */
    for (uint32_t i = 0; i < echo->thread_count; i++) {
        pthread_join(echo->threads[i].thread, NULL);
        (void)sl_atomic_add(&live, UINT32_MAX);
        if (echo->threads[i].hold != NULL) {
            echo->env->memory_release(echo->threads[i].hold);
        }
    }
    uint32_t cursor = 0;
    for (void *p; (p = sl_map_next(&echo->offers, &cursor, NULL)) != NULL;) {
        sl_free(p);
    }
    sl_map_finish(&echo->offers);
    sl_map_finish(&echo->attached);
    sl_free(echo);
    (void)sl_atomic_add(&live, UINT32_MAX);
}

static enum sl_result echo_attach(struct hct_context *context, uint32_t resource_id,
                                  const struct hct_memory *memory)
{
    struct hct_memory *copy = sl_alloc(sizeof *copy);
    if (copy == NULL) {
        return SL_ERR_NOMEM;
    }
    *copy = *memory;
    enum sl_result r = sl_map_add(&from(context)->attached, resource_id, copy);
    if (r != SL_OK) {
        sl_free(copy);
    }
    return r;
}

static void echo_detach(struct hct_context *context, uint32_t resource_id)
{
    sl_free(sl_map_remove(&from(context)->attached, resource_id));
}

static enum sl_result echo_blob(struct hct_context *context, uint64_t blob_id,
                                const struct vgd_blob_args *args, struct hct_memory *out)
{
    uint64_t *size =
        blob_id <= UINT32_MAX ? sl_map_remove(&from(context)->offers, (uint32_t)blob_id) : NULL;
    if (size == NULL) {
        return SL_ERR_NOTFOUND;
    }
    enum sl_result r = *size >= args->size ? SL_OK : SL_ERR_INVALID;
    *out = (struct hct_memory){.fd = -1, .size = *size, .map_info = VIRTGPU_MAP_CACHED};
    sl_free(size);
    return r == SL_OK ? sl_shm_create("echo-blob", out->size, &out->fd) : r;
}

static enum sl_result fill(struct echo_context *echo, const struct echo_command *c)
{
    const struct hct_memory *memory = sl_map_find(&echo->attached, c->a);
    if (memory == NULL || memory->pointer == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (c->b > memory->size || c->c > memory->size - c->b) {
        return SL_ERR_INVALID;
    }
    memset((uint8_t *)memory->pointer + c->b, (int)c->d, c->c);
    return SL_OK;
}

static enum sl_result ring(struct echo_context *echo, uint32_t resource_id)
{
    const struct hct_memory *memory = sl_map_find(&echo->attached, resource_id);
    struct echo_thread *t = new_thread(echo);
    if (memory == NULL || memory->pointer == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (t == NULL) {
        return SL_ERR_NOMEM;
    }
    t->hold = echo->env->memory_hold(echo->env->user, resource_id);
    t->word = memory->pointer;
    t->resource_id = resource_id;
    enum sl_result r = t->hold != NULL ? start(t, ring_thread) : SL_ERR_INVALID;
    if (r != SL_OK && t->hold != NULL) {
        echo->env->memory_release(t->hold);
    }
    return r;
}

static enum sl_result offer(struct echo_context *echo, const struct echo_command *c)
{
    uint64_t *size = sl_alloc(sizeof *size);
    if (size == NULL) {
        return SL_ERR_NOMEM;
    }
    *size = c->b;
    enum sl_result r = sl_map_add(&echo->offers, c->a, size);
    if (r != SL_OK) {
        sl_free(size);
    }
    return r;
}

static enum sl_result later(struct echo_context *echo, const struct echo_command *c)
{
    struct echo_thread *t = new_thread(echo);
    if (t == NULL) {
        return SL_ERR_NOMEM;
    }
    t->task = echo->tasks[c->b % ECHO_SLOTS];
    t->delay_ns = (c->a < 1000000 ? c->a : 1000000) * SL_NS_PER_US;
    return start(t, later_thread);
}

static enum sl_result execute(struct echo_context *echo, const struct echo_command *c)
{
    const struct hct_env *env = echo->env;
    struct echo_thread *t;
    switch (c->opcode) {
    case ECHO_FILL:
        return fill(echo, c);
    case ECHO_TASK:
        return env->task_begin(env->user, echo->ctx_id, c->a, &echo->tasks[c->b % ECHO_SLOTS]);
    case ECHO_DONE:
        env->task_done(env->user, echo->tasks[c->b % ECHO_SLOTS]);
        return SL_OK;
    case ECHO_LATER:
        return later(echo, c);
    case ECHO_LOSE:
        t = new_thread(echo);
        return t != NULL ? start(t, lose_thread) : SL_ERR_NOMEM;
    case ECHO_RING:
        return ring(echo, c->a);
    case ECHO_OFFER:
        return offer(echo, c);
    case ECHO_PACKET:
        if (sl_atomic_load_relaxed(env->tap_on) != 0) { /* a hint: orders nothing */
            env->tap(env->user, echo->ctx_id, c->a, c->b, c, sizeof *c, "ok", 2);
        }
        return SL_OK;
    default:
        return SL_ERR_INVALID;
    }
}

static enum sl_result echo_submit(struct hct_context *context, const void *commands, size_t size)
{
    if (size % sizeof(struct echo_command) != 0) {
        return SL_ERR_INVALID;
    }
    const uint8_t *p = commands;
    for (size_t i = 0; i < size; i += sizeof(struct echo_command)) {
        struct echo_command c;
        memcpy(&c, p + i, sizeof c);
        enum sl_result r = execute(from(context), &c);
        if (r != SL_OK) {
            return r;
        }
    }
    return SL_OK;
}

static enum sl_result echo_ring_stats(struct hct_context *context, uint32_t index,
                                      struct vgd_ring_stats *out)
{
    const struct echo_context *echo = from(context);
    for (uint32_t i = 0; i < echo->thread_count; i++) {
        const struct echo_thread *t = &echo->threads[i];
        if (t->hold != NULL && index-- == 0) {
            *out = (struct vgd_ring_stats){.resource_id = t->resource_id,
                                           .packets = sl_atomic_load_relaxed(t->word)};
            return SL_OK;
        }
    }
    return SL_ERR_NOTFOUND;
}

static const struct hct_ops echo_ops = {
    .stop = echo_stop,
    .destroy = echo_destroy,
    .attach = echo_attach,
    .detach = echo_detach,
    .blob = echo_blob,
    .submit = echo_submit,
    .ring_stats = echo_ring_stats,
};

static enum sl_result echo_create(const struct hct_create_info *info, struct hct_context **out)
{
    struct echo_context *echo = sl_alloc(sizeof *echo);
    if (echo == NULL) {
        return SL_ERR_NOMEM;
    }
    echo->context.ops = &echo_ops;
    echo->env = info->env;
    echo->ctx_id = info->ctx_id;
    sl_map_init(&echo->attached, 1u << 20);
    sl_map_init(&echo->offers, 1024);
    (void)sl_atomic_add(&live, 1);
    (void)sl_atomic_add(&contexts, 1);
    *out = &echo->context;
    return SL_OK;
}

static size_t echo_fill_capset(struct hct_provider *provider, void *data, size_t size)
{
    (void)provider;
    static const uint8_t bytes[ECHO_CAPSET_BYTES] = {'e', 'c', 'h', 'o'};
    if (size != 0) {
        memcpy(data, bytes, size < sizeof bytes ? size : sizeof bytes);
    }
    return sizeof bytes;
}

/* ---- the provider with textures ---- */

static void tex_provider_destroy(struct hct_provider *provider)
{
    sl_free(provider);
}

static const char *tex_provider_describe(struct hct_provider *provider)
{
    (void)provider;
    return "echo textures";
}

static enum sl_result tex_create(struct hct_provider *provider, uint32_t resource_id,
                                 const struct vg_tex_args *args, const struct hct_memory *memory,
                                 uint32_t stride)
{
    (void)provider, (void)resource_id, (void)memory, (void)stride;
    if (args->width_px > ECHO_WIDE_PX) {
        return SL_ERR_UNSUPPORTED;
    }
    (void)sl_atomic_add(&tex_count, 1);
    return SL_OK;
}

static void tex_destroy(struct hct_provider *provider, uint32_t resource_id)
{
    (void)provider, (void)resource_id;
    (void)sl_atomic_add(&tex_count, UINT32_MAX);
}

static enum sl_result tex_transfer(struct hct_provider *provider, uint32_t resource_id,
                                   const struct vg_box *box, uint32_t level,
                                   const struct iovec *iov, uint32_t iov_count, uint64_t offset,
                                   uint32_t stride, uint32_t layer_stride,
                                   enum vg_direction direction)
{
    (void)provider, (void)resource_id, (void)box, (void)level, (void)stride, (void)layer_stride,
        (void)direction;
    (void)sl_atomic_add(&tex_transfers, 1);
    return iov_count != 0 && offset < iov[0].iov_len ? SL_OK : SL_ERR_INVALID;
}

static const struct hct_provider_ops tex_provider_ops = {
    .destroy = tex_provider_destroy,
    .describe = tex_provider_describe,
    .tex_create = tex_create,
    .tex_destroy = tex_destroy,
    .tex_transfer = tex_transfer,
};

static enum sl_result tex_provider_create(const struct hct_env *env,
                                          const struct hct_options *options,
                                          struct hct_provider **out)
{
    (void)env, (void)options;
    struct hct_provider *provider = sl_alloc(sizeof *provider);
    if (provider == NULL) {
        return SL_ERR_NOMEM;
    }
    provider->ops = &tex_provider_ops;
    *out = provider;
    return SL_OK;
}

static enum sl_result broken_provider_create(const struct hct_env *env,
                                             const struct hct_options *options,
                                             struct hct_provider **out)
{
    (void)env, (void)options, (void)out;
    return SL_ERR_UNSUPPORTED;
}

const struct hct_type echo_type = {
    .name = "echo",
    .capset = ECHO_CAPSET,
    .fill_capset = echo_fill_capset,
    .create = echo_create,
};

const struct hct_type echo_tex_type = {
    .name = "echo-tex",
    .capset = ECHO_TEX_CAPSET,
    .provider = "echo-tex",
    .provider_create = tex_provider_create,
    .fill_capset = echo_fill_capset,
    .create = echo_create,
};

const struct hct_type echo_broken_type = {
    .name = "echo-broken",
    .capset = 62,
    .provider_create = broken_provider_create,
    .fill_capset = echo_fill_capset,
    .create = echo_create,
};

uint32_t echo_tex_count(void)
{
    return sl_atomic_load_seq(&tex_count);
}

uint32_t echo_tex_transfers(void)
{
    return sl_atomic_load_seq(&tex_transfers);
}

uint32_t echo_live(void)
{
    return sl_atomic_load_seq(&live);
}

uint32_t echo_ended_early(void)
{
    return sl_atomic_load_seq(&ended_early);
}
