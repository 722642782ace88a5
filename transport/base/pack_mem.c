/* The memory buffer as pack target: tests and tools only, hence a file of its own. */
#include "transport/base/pack.h"
#include "transport/base/arith.h"

/* Where bytes go once memory ran out: never read. */
static _Thread_local uint8_t scratch[SL_PACK_INLINE + SL_PACK_ROOM];

static struct sl_pack_mem *mem_of(struct sl_pack *pack)
{
    return (struct sl_pack_mem *)(void *)pack;
}

static uint8_t *use_scratch(struct sl_pack_mem *mem)
{
    mem->failed = true;
    mem->pack.limit =
        scratch + sizeof scratch; /* when it is full, room is asked again and starts over */
    mem->pack.cur = scratch;
    return scratch;
}

/* Room for `size` bytes at `used`, the place the buffer is filled to. */
static uint8_t *room_at(struct sl_pack_mem *mem, size_t used, size_t size)
{
    if (mem->failed) {
        return use_scratch(mem);
    }
    if (mem->data == NULL || size > mem->size - used) {
        size_t wanted = (used + size) * 2;
        uint8_t *grown = sl_realloc(mem->data, wanted);
        if (grown == NULL) {
            return use_scratch(mem);
        }
        mem->data = grown;
        mem->size = wanted;
        mem->pack.limit = grown + wanted;
    }
    mem->pack.cur = mem->data + used;
    return mem->pack.cur;
}

static size_t used_up_to(const struct sl_pack_mem *mem, const uint8_t *p)
{
    return mem->data != NULL && !mem->failed ? (size_t)(p - mem->data) : 0;
}

static uint8_t *mem_room(struct sl_pack *pack, size_t size)
{
    struct sl_pack_mem *mem = mem_of(pack);
    return room_at(mem, used_up_to(mem, pack->cur), size);
}

static uint8_t *mem_bulk(struct sl_pack *pack, uint8_t *p, const void *data, size_t size)
{
    struct sl_pack_mem *mem = mem_of(pack);
    size_t used = used_up_to(mem, p);
    uint8_t *at = room_at(mem, used, size + SL_PACK_ROOM);
    if (mem->failed) {
        return at;
    }
    if (data != NULL) {
        memcpy(at, data, size);
    } else {
        memset(at, 0, size);
    }
    return at + size;
}

static const struct sl_pack_ops mem_ops = {.room = mem_room, .bulk = mem_bulk};

void sl_pack_mem_init(struct sl_pack_mem *mem)
{
    *mem = (struct sl_pack_mem){.pack = {.ops = &mem_ops}};
}

void sl_pack_mem_finish(struct sl_pack_mem *mem)
{
    sl_free(mem->data);
    *mem = (struct sl_pack_mem){0};
}
