/* Frames: our guest's window system says which memory holds the picture that it has just submitted.
 * Only a recorder wants to know. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/mem.h"

#define PIXEL_SIZE 4u /* of all formats that surfaces have */

struct picture {
    const uint8_t *bytes; /* NULL: it cannot be read here */
    uint32_t width_px, height_px, stride;
    bool is_bgra;
};

/* R, G, B, A rows without gaps; NULL: no memory. */
static uint8_t *copy_picture(const struct picture *p)
{
    size_t row = (size_t)p->width_px * PIXEL_SIZE;
    uint8_t *out = sl_alloc_array(p->height_px, row);
    for (uint32_t y = 0; out != NULL && y < p->height_px; y++) {
        const uint8_t *from = p->bytes + (size_t)y * p->stride;
        uint8_t *to = out + y * row;
        for (size_t x = 0; x < row; x += PIXEL_SIZE) {
            to[x] = from[x + (p->is_bgra ? 2 : 0)];
            to[x + 1] = from[x + 1];
            to[x + 2] = from[x + (p->is_bgra ? 0 : 2)];
            to[x + 3] = from[x + 3];
        }
    }
    return out;
}

static bool is_bgra(VkFormat format)
{
    return format == VK_FORMAT_B8G8R8A8_UNORM || format == VK_FORMAT_B8G8R8A8_SRGB;
}

/* What a guest says of its picture; not read where it does not fit or is of another kind. Under the
 * turn. Gives a reference to *pages, where it is read. */
static struct picture find_picture(const struct hvk_device *device,
                                   const struct vk_args_vkQueueFrameSLUICE *a,
                                   struct hvk_pages **pages)
{
    struct picture p = {.width_px = a->width, .height_px = a->height, .stride = a->stride};
    uint64_t size = (uint64_t)a->stride * a->height; /* of 32 bits each: it fits */
    struct hvk_pages *found = NULL;
    bool fits = a->width != 0 && a->height != 0 && a->stride / PIXEL_SIZE >= a->width &&
                hvk_memory_holds(device, a->memory_id, a->offset, size, &found) && found != NULL;
    p.is_bgra = is_bgra(a->format);
    if (fits && (p.is_bgra || a->format == VK_FORMAT_R8G8B8A8_UNORM ||
                 a->format == VK_FORMAT_R8G8B8A8_SRGB)) {
        p.bytes = (const uint8_t *)found->pointer + a->offset;
        *pages = hvk_pages_ref(found);
    }
    return p;
}

/* Once it is drawn. The turn is over then. */
static uint8_t *read_picture(struct hvk_call *call, struct hvk_queue *queue,
                             const struct picture *picture)
{
    struct hvk_device *device = queue->object.device;
    (void)hvk_ref(&device->object);
    hvk_pass(call);
    VkResult result = hvk_queue_idle(queue, call, UINT64_MAX);
    hvk_unref(&device->object);
    return result == VK_SUCCESS ? copy_picture(picture) : NULL;
}

void hvk_vkQueueFrameSLUICE(struct hvk_call *call, struct vk_args_vkQueueFrameSLUICE *a)
{
    struct hvk_queue *queue = a->record;
    const struct hvk_device *device = queue->object.device;
    bool wants_pixels;
    uint64_t blob_id = hvk_memory_show(device, a->memory_id);
    if (!hr_ring_wants_frame(call->hr->ring, &wants_pixels)) {
        return;
    }
    struct hvk_pages *pages = NULL;
    struct picture picture = find_picture(device, a, &pages);
    struct vgd_frame frame = {.kind = VGD_FRAME_PRESENT,
                              .blob_id = blob_id,
                              .width_px = a->width,
                              .height_px = a->height};
    uint8_t *pixels = wants_pixels && pages != NULL ? read_picture(call, queue, &picture) : NULL;
    hvk_pages_unref(pages);
    frame.pixels = pixels;
    hr_ring_frame(call->hr->ring, &frame);
    sl_free(pixels);
}
