#include "tests/support/gles_world.h"

#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "wire/gles2_opcodes.h"
#include "wire/rc_opcodes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

extern const struct hct_type hgl_gles_type;
extern const struct hct_type hgl_composer_type;

static void ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct gles_world *w = user;
    for (uint32_t i = 0; i < w->guest_count; i++) {
        if (w->guests[i].ctx_id == ctx_id) {
            strncpy(w->guests[i].reason, reason, sizeof w->guests[i].reason - 1);
            sl_atomic_store_release(&w->guests[i].lost, 1);
        }
    }
}

/* Resources' memory is the window's, which stays while the world does. */
static struct hct_hold *memory_hold(void *user, uint32_t resource_id)
{
    (void)resource_id;
    return user;
}

static void memory_release(struct hct_hold *hold)
{
    (void)hold;
}

void gles_world_init(struct gles_world *w)
{
    SLT_NEED(SLT_EGL);
    SLT_ALLOW_LEAKS("the native driver keeps threads and files");
    w->env = (struct hct_env){.user = w,
                              .task_begin = task_count_begin,
                              .task_done = task_count_done,
                              .ctx_lost = ctx_lost,
                              .memory_hold = memory_hold,
                              .memory_release = memory_release};
    SLT_ASSERT_OK(hgl_gles_type.provider_create(&w->env, &w->options, &w->provider));
    uint32_t size = WORLD_WIDTH * WORLD_HEIGHT * 4;
    w->pixels = calloc(1, size);
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = VIRTGPU_FORMAT_B8G8R8X8,
                                     .width_px = WORLD_WIDTH,
                                     .height_px = WORLD_HEIGHT,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP};
    const struct hct_memory memory = {.fd = -1, .size = size, .pointer = w->pixels};
    SLT_ASSERT_OK(
        w->provider->ops->tex_create(w->provider, WORLD_WINDOW, &args, &memory, WORLD_WIDTH * 4));
}

static void guest_close(struct gles_guest *g)
{
    if (g->context != NULL) {
        g->context->ops->destroy(g->context);
        asg_writer_finish(&g->writer);
        free(g->memory);
        g->context = NULL;
    }
}

void gles_world_finish(struct gles_world *w)
{
    for (uint32_t i = 0; i < w->guest_count; i++) {
        guest_close(&w->guests[i]);
    }
    if (w->provider != NULL) {
        w->provider->ops->tex_destroy(w->provider, WORLD_WINDOW);
        w->provider->ops->destroy(w->provider);
    }
    free(w->pixels);
}

static void ping(void *user)
{
    struct gles_guest *g = user;
    uint32_t command[2] = {GFXSTREAM_CONTEXT_PING, g->ring_id};
    (void)!g->context->ops->submit(g->context, command, sizeof command);
}

static bool alive(void *user)
{
    return sl_atomic_load_acquire(&((struct gles_guest *)user)->lost) == 0;
}

static struct gles_guest *guest_open(struct gles_world *w, const struct hct_type *type)
{
    struct gles_guest *g = &w->guests[w->guest_count++];
    g->world = w;
    g->ctx_id = w->guest_count;
    g->ring_id = 100 + w->guest_count;
    g->memory = aligned_alloc(4096, ASG_BLOB_BYTES);
    memset(g->memory, 0, ASG_BLOB_BYTES);
    const struct hct_create_info info = {.ctx_id = g->ctx_id,
                                         .capset = type->capset,
                                         .name = "test",
                                         .env = &w->env,
                                         .provider = w->provider};
    SLT_ASSERT_OK(type->create(&info, &g->context));
    const struct hct_memory ring = {.fd = -1, .size = ASG_BLOB_BYTES, .pointer = g->memory};
    SLT_ASSERT_OK(g->context->ops->attach(g->context, g->ring_id, &ring));
    SLT_ASSERT_OK(g->context->ops->attach(g->context, WORLD_WINDOW, NULL));
    uint32_t command[2] = {GFXSTREAM_CONTEXT_CREATE, g->ring_id};
    SLT_ASSERT_OK(g->context->ops->submit(g->context, command, sizeof command));
    const struct asg_writer_config config = {.memory = g->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .user = g,
                                             .ping = ping,
                                             .alive = alive};
    SLT_ASSERT_OK(asg_writer_init(&g->writer, &config));
    uint32_t preamble = 0;
    asg_writer_raw(&g->writer, &preamble, 4);
    return g;
}

struct gles_guest *gles_guest_open(struct gles_world *w)
{
    return guest_open(w, &hgl_gles_type);
}

struct gles_guest *gles_composer_open(struct gles_world *w)
{
    return guest_open(w, &hgl_composer_type);
}

static void send_list(struct gles_guest *g, uint32_t opcode, const char *format, va_list list)
{
    uint8_t head[256];
    uint8_t *p = head + 8;
    const void *data = NULL; /* at most one array is bulky; small ones are copied into the head */
    uint32_t data_size = 0;
    size_t data_at = 0;
    for (const char *f = format; *f != '\0'; f++) {
        if (*f == 'u' || *f == 'i') {
            sl_store_u32(p, va_arg(list, uint32_t));
            p += 4;
        } else if (*f == 'b') {
            *p++ = (uint8_t)va_arg(list, int);
        } else if (*f == 'f') {
            float v = (float)va_arg(list, double);
            memcpy(p, &v, 4);
            p += 4;
        } else if (*f == 'q') {
            sl_store_u64(p, va_arg(list, uint64_t));
            p += 8;
        } else {
            data = va_arg(list, const void *);
            data_size = va_arg(list, uint32_t);
            sl_store_u32(p, data_size);
            p += 4;
            data_at = (size_t)(p - head);
        }
    }
    size_t size = (size_t)(p - head);
    sl_store_u32(head, opcode);
    sl_store_u32(head + 4, (uint32_t)size + data_size);
    size_t first = data_size != 0 ? data_at : size;
    asg_writer_raw(&g->writer, head, first);
    if (data_size != 0) {
        asg_writer_raw(&g->writer, data, data_size);
        if (size > first) {
            asg_writer_raw(&g->writer, head + first, size - first);
        }
    }
}

void gles_send(struct gles_guest *g, uint32_t opcode, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    send_list(g, opcode, format, list);
    va_end(list);
}

void gles_read(struct gles_guest *g, void *data, uint32_t size)
{
    SLT_EXPECT_OK(asg_writer_read(&g->writer, data, size));
}

uint32_t gles_call(struct gles_guest *g, uint32_t opcode, const char *format, ...)
{
    uint32_t answer = 0;
    va_list list;
    va_start(list, format);
    send_list(g, opcode, format, list);
    va_end(list);
    gles_read(g, &answer, 4);
    return answer;
}

uint32_t gles_error(struct gles_guest *g)
{
    return gles_call(g, GLES2_OP_glGetError, "");
}

uint32_t gles_config(struct gles_guest *g, int32_t alpha)
{
    uint32_t attribs = 0, count = gles_call(g, RC_OP_rcGetNumConfigs, "u", 4);
    attribs = count;
    gles_read(g, &count, 4);
    SLT_ASSERT_EQ(34u, attribs);
    SLT_ASSERT_GT(count, 0u);
    uint32_t bytes = (count + 1) * 34 * 4, got = 0;
    int32_t *rows = malloc(bytes);
    gles_send(g, RC_OP_rcGetConfigs, "uu", bytes, bytes);
    gles_read(g, rows, bytes);
    gles_read(g, &got, 4);
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < count && best == UINT32_MAX; i++) {
        const int32_t *row = rows + (size_t)(i + 1) * 34;
        /* the columns as row 0 names them */
        bool colors = row[9] == 8 && row[8] == 8 && row[7] == 8 && row[6] == alpha;
        best = colors && row[0] >= 16 && row[19] == 0 ? i : best;
    }
    free(rows);
    SLT_ASSERT_EQ(got, count);
    SLT_ASSERT_NE(UINT32_MAX, best);
    return best;
}

void gles_guest_start(struct gles_guest *g, uint32_t version)
{
    uint32_t config = gles_config(g, 8);
    g->gl = gles_call(g, RC_OP_rcCreateContext, "uuu", config, 0, version);
    g->surface = gles_call(g, RC_OP_rcCreateWindowSurface, "uuu", config, 16, 16);
    SLT_ASSERT_NE(0u, g->gl);
    SLT_ASSERT_NE(0u, g->surface);
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", g->surface, WORLD_WINDOW);
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->gl, g->surface, g->surface));
    gles_send(g, GLES2_OP_glViewport, "iiii", 0, 0, WORLD_WIDTH, WORLD_HEIGHT);
    gles_send(g, GLES2_OP_glClearColor, "ffff", 0.0, 0.0, 0.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
}

uint32_t gles_window_pixel(struct gles_guest *g, uint32_t x, uint32_t y)
{
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", g->surface));
    const uint8_t *p = g->world->pixels + ((size_t)y * WORLD_WIDTH + x) * 4;
    return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

uint32_t gles_pixel(struct gles_guest *g, int32_t x, int32_t y)
{
    uint8_t p[4];
    gles_send(g, GLES2_OP_glReadPixels, "iiiiuuu", x, y, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
    gles_read(g, p, 4);
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t shader(struct gles_guest *g, uint32_t type, const char *text)
{
    uint32_t name = gles_call(g, GLES2_OP_glCreateShader, "u", type);
    uint32_t size = (uint32_t)strlen(text) + 1;
    gles_send(g, GLES2_OP_glShaderString, "udu", name, text, size, size);
    gles_send(g, GLES2_OP_glCompileShader, "u", name);
    return name;
}

uint32_t gles_program_of(struct gles_guest *g, const char *vertex, const char *fragment)
{
    uint32_t v = shader(g, GL_VERTEX_SHADER, vertex), f = shader(g, GL_FRAGMENT_SHADER, fragment);
    uint32_t program = gles_call(g, GLES2_OP_glCreateProgram, "");
    gles_send(g, GLES2_OP_glAttachShader, "uu", program, v);
    gles_send(g, GLES2_OP_glAttachShader, "uu", program, f);
    gles_send(g, GLES2_OP_glBindAttribLocation, "uud", program, 0, "p", 2);
    gles_send(g, GLES2_OP_glBindAttribLocation, "uud", program, 1, "c", 2);
    gles_send(g, GLES2_OP_glLinkProgram, "u", program);
    uint32_t linked = gles_call(g, GLES2_OP_glGetProgramiv, "uuu", program, GL_LINK_STATUS, 4);
    SLT_ASSERT_EQ(1u, linked);
    gles_send(g, GLES2_OP_glUseProgram, "u", program);
    return program;
}

uint32_t gles_program(struct gles_guest *g)
{
    return gles_program_of(
        g,
        "attribute vec4 p; attribute vec4 c; varying vec4 k; void main() { gl_Position = p; k = "
        "c; }",
        "precision mediump float; varying vec4 k; void main() { gl_FragColor = k; }");
}

uint32_t gles_target(struct gles_guest *g, int32_t size)
{
    uint32_t texture, framebuffer;
    gles_send(g, GLES2_OP_glGenTextures, "iu", 1, 4);
    gles_read(g, &texture, 4);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, texture);
    gles_send(g, GLES2_OP_glTexStorage2D, "uiuii", GL_TEXTURE_2D, 1, GL_RGBA8, size, size);
    gles_send(g, GLES2_OP_glGenFramebuffers, "iu", 1, 4);
    gles_read(g, &framebuffer, 4);
    gles_send(g, GLES2_OP_glBindFramebuffer, "uu", GL_FRAMEBUFFER, framebuffer);
    gles_send(g, GLES2_OP_glFramebufferTexture2D, "uuuui", GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
              GL_TEXTURE_2D, texture, 0);
    gles_send(g, GLES2_OP_glViewport, "iiii", 0, 0, size, size);
    return texture;
}

bool gles_guest_alive(struct gles_guest *g)
{
    return sl_atomic_load_acquire(&g->lost) == 0 &&
           gles_call(g, RC_OP_rcGetRendererVersion, "") == 1;
}

void gles_one_init(struct gles_one *t)
{
    gles_world_init(&t->world);
    t->g = gles_guest_open(&t->world);
    gles_guest_start(t->g, 3);
}

void gles_one_finish(struct gles_one *t)
{
    gles_world_finish(&t->world);
}
