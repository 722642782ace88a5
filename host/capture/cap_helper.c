#include "host/capture/cap_helper.h"

#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <sched.h>
#include <string.h>
#include <zstd.h>

enum {
    STACK = 512 * 1024,
    PROCESSORS = 3, /* from so many on it packs: producers have one, and the writer */
};

bool cap_pack_init(struct cap_pack *pack)
{
    *pack = (struct cap_pack){.context = ZSTD_createCCtx()};
    return pack->context != NULL;
}

void cap_pack_finish(struct cap_pack *pack)
{
    ZSTD_freeCCtx(pack->context);
    cap_bytes_finish(&pack->bytes);
}

const uint8_t *cap_pack(struct cap_pack *pack, int level, const uint8_t *payload, size_t size,
                        size_t *stored)
{
    size_t bound = ZSTD_compressBound(size);
    if (level == 0 || size < 64) {
        return NULL;
    }
    if (pack->bytes.capacity < bound) {
        cap_bytes_finish(&pack->bytes);
        if (cap_bytes_more(&pack->bytes, bound) == NULL) {
            return NULL;
        }
    }
    if (level != pack->level) {
        (void)ZSTD_CCtx_setParameter(pack->context, ZSTD_c_compressionLevel, level);
        pack->level = level;
    }
    size_t got =
        ZSTD_compress2(pack->context, pack->bytes.data, pack->bytes.capacity, payload, size);
    if (ZSTD_isError(got) || got >= size - size / 20) {
        return NULL;
    }
    *stored = got;
    return pack->bytes.data;
}

static void pack_buffer(struct cap_helper *h, struct cap_buffer *b)
{
    size_t size = 0;
    int level = cap_queue_level(h->queue, h->level);
    const uint8_t *bytes = cap_pack(&h->pack, level, b->data, b->used, &size);
    uint8_t *packed = bytes != NULL ? sl_realloc(NULL, size) : NULL;
    if (packed != NULL) {
        memcpy(packed, bytes, size);
    }
    cap_queue_packed(h->queue, b, packed, size);
}

static void *helper_main(void *user)
{
    struct cap_helper *h = user;
    struct cap_buffer *b;
    while (cap_queue_help(h->queue, &b)) {
        if (b != NULL) {
            pack_buffer(h, b);
        } else {
            cap_queue_warm(h->queue);
        }
    }
    return NULL;
}

static bool has_processors(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) >= PROCESSORS;
}

void cap_helper_start(struct cap_helper *h, struct cap_queue *q, int level)
{
    *h = (struct cap_helper){.queue = q, .level = level};
    if (level != 0 && has_processors() && cap_pack_init(&h->pack)) {
        pthread_mutex_lock(&q->lock);
        q->packs = true;
        pthread_mutex_unlock(&q->lock);
    }
    h->runs = sl_thread_start(&h->thread, "capture-help", STACK, helper_main, h) == SL_OK;
}

void cap_helper_end(struct cap_helper *h)
{
    if (h->runs) {
        pthread_join(h->thread, NULL);
    }
    cap_pack_finish(&h->pack);
}
