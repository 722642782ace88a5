/* Composition of colour buffers into one, on the CPU: layers are few, and the host it runs on has
 * no better renderer by rule. Both struct versions of the wire. */
#include "host/rc/hrc_internal.h"

#include "transport/base/mem.h"

#include <math.h>
#include <string.h>

#define LAYERS_MAX  64u
#define LAYER_BYTES 56u
/* Destination pixels of all layers of one call: 16 full layers of 4096x4096. */
#define PIXELS_MAX (16ull * 4096 * 4096)

enum { MODE_CLIENT = 1, MODE_DEVICE = 2, MODE_SOLID = 3, MODE_CURSOR = 4, MODE_SIDEBAND = 5 };
enum { BLEND_NONE = 1, BLEND_PREMULTIPLIED = 2, BLEND_COVERAGE = 3 };
enum { FLIP_H = 1, FLIP_V = 2, ROT_90 = 4 };

struct layer {
    uint32_t buffer;
    int32_t mode;
    int32_t left, top, right, bottom; /* in the target */
    float crop_left, crop_top, crop_right, crop_bottom;
    int32_t blend;
    float alpha;
    uint8_t color[4];
    int32_t transform;
};

struct canvas {
    uint8_t *pixels; /* RGBA, 4 bytes */
    uint32_t width, height;
};

static void read_layer(struct layer *l, const uint8_t *p)
{
    *l = (struct layer){.buffer = sl_load_u32(p),
                        .mode = (int32_t)sl_load_u32(p + 4),
                        .left = (int32_t)sl_load_u32(p + 8),
                        .top = (int32_t)sl_load_u32(p + 12),
                        .right = (int32_t)sl_load_u32(p + 16),
                        .bottom = (int32_t)sl_load_u32(p + 20),
                        .crop_left = sl_load_f32(p + 24),
                        .crop_top = sl_load_f32(p + 28),
                        .crop_right = sl_load_f32(p + 32),
                        .crop_bottom = sl_load_f32(p + 36),
                        .blend = (int32_t)sl_load_u32(p + 40),
                        .alpha = sl_load_f32(p + 44),
                        .transform = (int32_t)sl_load_u32(p + 52)};
    memcpy(l->color, p + 48, 4);
}

static bool load_canvas(struct canvas *c, struct hs_buffer *b, struct hs_thread *t)
{
    c->width = b->width;
    c->height = b->height;
    size_t size = (size_t)b->width * b->height * 4;
    c->pixels = sl_alloc(size);
    return c->pixels != NULL && hs_read(b, t, 0, 0, (int32_t)b->width, (int32_t)b->height, GL_RGBA,
                                        GL_UNSIGNED_BYTE, c->pixels, size);
}

static float clamp01(float v)
{
    return v >= 0.0f ? v <= 1.0f ? v : 1.0f : 0.0f; /* NaN: 0 */
}

static int32_t clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Nearest pixel of the source at (u, v), both 0..1 of the crop. */
static const uint8_t *sample(const struct canvas *s, const struct layer *l, float u, float v)
{
    if (l->transform & ROT_90) {
        float t = u;
        u = v;
        v = 1.0f - t;
    }
    u = l->transform & FLIP_H ? 1.0f - u : u;
    v = l->transform & FLIP_V ? 1.0f - v : v;
    float x = l->crop_left + (l->crop_right - l->crop_left) * u,
          y = l->crop_top + (l->crop_bottom - l->crop_top) * v;
    float xm = (float)(s->width - 1), ym = (float)(s->height - 1);
    uint32_t xi = x >= 0.0f ? x <= xm ? (uint32_t)x : s->width - 1 : 0; /* NaN: 0 */
    uint32_t yi = y >= 0.0f ? y <= ym ? (uint32_t)y : s->height - 1 : 0;
    return s->pixels + ((size_t)yi * s->width + xi) * 4;
}

static void blend_pixel(uint8_t *to, const uint8_t *from, const struct layer *l, float plane)
{
    float a = from[3] / 255.0f * plane;
    float scale = l->blend == BLEND_PREMULTIPLIED ? plane : l->blend == BLEND_COVERAGE ? a : 1.0f;
    float keep = l->blend == BLEND_NONE ? 0.0f : 1.0f - a;
    for (int i = 0; i < 3; i++) {
        to[i] =
            (uint8_t)clamp((int32_t)lrintf((float)from[i] * scale + (float)to[i] * keep), 0, 255);
    }
    to[3] = (uint8_t)clamp((int32_t)lrintf(a * 255.0f + (float)to[3] * keep), 0, 255);
}

static void draw_layer(struct canvas *target, const struct canvas *source, const struct layer *l)
{
    int32_t left = clamp(l->left, 0, (int32_t)target->width),
            right = clamp(l->right, 0, (int32_t)target->width);
    int32_t top = clamp(l->top, 0, (int32_t)target->height),
            bottom = clamp(l->bottom, 0, (int32_t)target->height);
    float width = (float)((double)l->right - l->left), height = (float)((double)l->bottom - l->top);
    float plane = clamp01(l->alpha);
    for (int32_t y = top; y < bottom; y++) {
        float v = ((float)((double)y - l->top) + 0.5f) / height;
        uint8_t *to = target->pixels + ((size_t)y * target->width + (size_t)left) * 4;
        for (int32_t x = left; x < right; x++, to += 4) {
            float u = ((float)((double)x - l->left) + 0.5f) / width;
            blend_pixel(to, source != NULL ? sample(source, l, u, v) : l->color, l, plane);
        }
    }
}

static uint64_t layer_pixels(const struct canvas *target, const struct layer *l)
{
    uint64_t width = (uint64_t)clamp(l->right, 0, (int32_t)target->width) -
                     (uint64_t)clamp(l->left, 0, (int32_t)target->width);
    uint64_t height = (uint64_t)clamp(l->bottom, 0, (int32_t)target->height) -
                      (uint64_t)clamp(l->top, 0, (int32_t)target->height);
    return l->right > l->left && l->bottom > l->top ? width * height : 0;
}

/* False: a buffer that this client may not name, the target itself, or no memory. */
static bool compose_layer(struct hrc_thread *thread, struct canvas *target,
                          const struct hs_buffer *into, const struct layer *l, uint64_t *budget)
{
    uint64_t pixels = layer_pixels(target, l);
    if (pixels == 0) {
        return true;
    }
    if (pixels > *budget) {
        return false;
    }
    *budget -= pixels;
    if (l->mode == MODE_SOLID) {
        draw_layer(target, NULL, l);
        return true;
    }
    if (l->mode != MODE_DEVICE && l->mode != MODE_CLIENT && l->mode != MODE_CURSOR) {
        return l->mode == MODE_SIDEBAND; /* nothing to show */
    }
    struct hs_buffer *b = hrc_buffer(thread->client, l->buffer);
    struct canvas source = {0};
    bool ok = b != NULL && b != into && b->kind == HS_COLOR && load_canvas(&source, b, &thread->gl);
    if (ok) {
        draw_layer(target, &source, l);
    }
    sl_free(source.pixels);
    hs_put(b);
    return ok;
}

static int32_t compose(struct hr_call *call, const void *data, uint32_t size)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    const uint8_t *p = data;
    uint32_t version = size >= 4 ? sl_load_u32(p) : 0;
    uint32_t head = version == 2 ? 16 : 12;
    if ((version != 1 && version != 2) || size < head) {
        hr_call_refuse(call, "struct version %u in %u bytes", version, size);
        return 0;
    }
    uint32_t target_handle = sl_load_u32(p + head - 8), count = sl_load_u32(p + head - 4);
    if (count > LAYERS_MAX || (uint64_t)count * LAYER_BYTES > size - head) {
        hr_call_refuse(call, "%u layers in %u bytes, at most %u", count, size, LAYERS_MAX);
        return -1;
    }
    struct hs_buffer *b = hrc_buffer(thread->client, target_handle);
    if (b == NULL || b->kind != HS_COLOR) {
        hr_call_refuse(call, "unknown target 0x%x", target_handle);
        hs_put(b);
        return -1;
    }
    struct canvas target = {.width = b->width, .height = b->height};
    target.pixels = sl_alloc_array((size_t)b->width * b->height, 4);
    uint64_t budget = PIXELS_MAX;
    bool ok = target.pixels != NULL;
    for (uint32_t i = 0; ok && i < count && !hr_ring_stopping(call->ring); i++) {
        struct layer l;
        read_layer(&l, p + head + (size_t)i * LAYER_BYTES);
        ok = compose_layer(thread, &target, b, &l, &budget);
    }
    ok = ok && hs_write(b, &thread->gl, 0, 0, (int32_t)b->width, (int32_t)b->height, GL_RGBA,
                        GL_UNSIGNED_BYTE, target.pixels, (size_t)b->width * b->height * 4);
    if (!ok) {
        hr_call_refuse(call, "target 0x%x, %u layers: a layer cannot be drawn", target_handle,
                       count);
    }
    sl_free(target.pixels);
    hs_put(b);
    return ok ? 1 : -1;
}

int32_t hrc_rcCompose(struct hr_call *call, const struct rc_args_rcCompose *args)
{
    return compose(call, args->buffer, args->buffer_size);
}

void hrc_rcComposeAsync(struct hr_call *call, const struct rc_args_rcComposeAsync *args)
{
    (void)compose(call, args->buffer, args->buffer_size);
}

int32_t hrc_rcComposeWithoutPost(struct hr_call *call,
                                 const struct rc_args_rcComposeWithoutPost *args)
{
    return compose(call, args->buffer, args->buffer_size);
}

void hrc_rcComposeAsyncWithoutPost(struct hr_call *call,
                                   const struct rc_args_rcComposeAsyncWithoutPost *args)
{
    (void)compose(call, args->buffer, args->buffer_size);
}
