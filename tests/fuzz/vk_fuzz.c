/* The Vulkan decoder, from the packet loop to the driver's door: generated handlers, hand-written
 * ones and recorded commands, over a driver that does nothing. Input: a row of steps of eight
 * bytes, {u16 command, u8 how, u8 damage, u32 seed}: a packet of that command made from the seed by
 * the tables, naming living objects, then damaged as often as `damage` says. */
#include "check/fake_vk.h"
#include "tables/vk_plan.h"
#include "tests/support/fed_vk.h"
#include "tools/plan/plan.h"
#include "transport/base/log.h"
#include "wire/vk_opcodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 8, ROOM = 1 << 18, RECORDED = 16, RAW_IDS = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct fed_vk fed;
    uint64_t state;
};

static void quiet(void *user, enum sl_log_level level, const char *module, const char *text)
{
    (void)user, (void)level, (void)module, (void)text;
}

static uint64_t one_handle(void *user, uint32_t kind)
{
    struct fuzz *f = user;
    uint64_t n = plan_random(&f->state);
    return (n & RAW_IDS) == 0 ? n >> 3 : fed_vk_some(&f->fed, kind, (uint32_t)(n >> 8));
}

static size_t make(struct fuzz *f, const uint8_t *step, uint8_t *packet, size_t room)
{
    const struct vk_plan_handles handles = {f, one_handle};
    struct vk_plan_bytes out = {.data = packet, .room = room};
    f->state = sl_load_u32(step + 4) | 1ull << 40;
    const struct vk_plan_command *c =
        &vk_plan.commands[(step[0] | step[1] << 8) % vk_plan.command_count];
    vk_plan_make(&vk_plan, c, &f->state, &handles, &out);
    if (out.size > room) {
        return 0;
    }
    for (uint8_t n = 0; n < step[3] % 4; n++) {
        out.size = plan_mutate(packet, out.size, &f->state);
        if (out.size >= 8) {
            sl_store_u32(packet + 4, (uint32_t)out.size);
        }
    }
    return out.size;
}

static bool is_staged(const uint8_t *step)
{
    return vk_plan.commands[(step[0] | step[1] << 8) % vk_plan.command_count].staged;
}

/* Recorded commands in a row go in one packet. */
static bool flush(struct fuzz *f, uint8_t *packet, size_t body)
{
    enum { HEAD = 12 + 8 + 8 + 8 };
    memmove(packet + HEAD, packet, body);
    sl_store_u32(packet, VK_OP_vkQueueFlushCommandsGOOGLE);
    sl_store_u32(packet + 4, (uint32_t)(HEAD + body));
    sl_store_u64(packet + 12, fed_vk_some(&f->fed, VK_KIND_VkQueue, 0));
    sl_store_u64(packet + 20, fed_vk_some(&f->fed, VK_KIND_VkCommandBuffer, 0));
    sl_store_u64(packet + 28, body);
    return fed_vk_packet(&f->fed, packet, HEAD + body, false);
}

static void steps(struct fuzz *f, const uint8_t *data, size_t size, uint8_t *packet)
{
    bool alive = true;
    while (alive && size >= STEP) {
        size_t body = 0;
        bool staged = is_staged(data) && data[2] % 8 != 0;
        if (!staged) {
            body = make(f, data, packet, ROOM);
            alive = body < 8 || fed_vk_packet(&f->fed, packet, body, false);
        }
        for (uint32_t n = 0; staged && n < RECORDED && size >= STEP && is_staged(data); n++) {
            body += make(f, data, packet + body, ROOM - 64 - body);
            data += STEP;
            size -= STEP;
        }
        if (staged) {
            alive = flush(f, packet, body);
        } else {
            data += STEP;
            size -= STEP;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packet[ROOM];
    static bool told;
    if (!told) {
        sl_log_set_callback(quiet, NULL);
        told = true;
    }
    uint64_t live = sl_alloc_live();
    struct fuzz f = {.state = 1};
    fake_vk.result = VK_SUCCESS;
    if (!fed_vk_init(&f.fed) || !fed_vk_populate(&f.fed)) {
        abort();
    }
    fake_vk.result = size % 5 == 4 ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
    steps(&f, data, size, packet);
    fed_vk_finish(&f.fed);
    if (sl_alloc_live() != live) {
        fprintf(stderr, "%llu blocks are left behind\n",
                (unsigned long long)(sl_alloc_live() - live));
        abort();
    }
    return 0;
}
