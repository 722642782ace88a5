/* What a monitor's author would write: from what is installed alone (pkg-config gfxstream_backend,
 * and sluice-asg-writer for its guest's end of a ring), in the order of calls that rutabaga has, a
 * guest that draws a triangle; all of it twice. The header beside it is found beside it.
 *
 * Prints the triangle's line of each life. Exit 1 with the call that went wrong. */
#include "abi_triangle.h"

#include "asg/writer.h"

#include <errno.h>
#include <gfxstream/virtio-gpu-gfxstream-renderer-unstable.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* gfxstream's commands and opcodes, as far as they are used here. */
enum { CONTEXT_CREATE = 0x1001, CONTEXT_PING = 0x1002, CREATE_EXPORT_SYNC = 0x9000 };
enum {
    rcGetRendererVersion = 10000,
    rcChooseConfig = 10006,
    rcCreateContext = 10008,
    rcCreateWindowSurface = 10010,
    rcSetWindowColorBuffer = 10015,
    rcFlushWindowColorBuffer = 10016,
    rcMakeCurrent = 10017,
    rcCreateSyncKHR = 10029,
    glAttachShader = 2049,
    glBindAttribLocation = 2050,
    glClear = 2063,
    glClearColor = 2064,
    glCompileShader = 2068,
    glCreateProgram = 2073,
    glCreateShader = 2074,
    glDrawArrays = 2088,
    glEnableVertexAttribArray = 2091,
    glGetError = 2108,
    glLinkProgram = 2137,
    glUseProgram = 2178,
    glViewport = 2189,
    glVertexAttribPointerData = 2249,
    glShaderString = 2254,
};

/* ---- fences ---- */

struct fences {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stream_renderer_fence last; /* done */
    unsigned count;
};

static void on_fence(void *user, struct stream_renderer_fence *fence)
{
    struct fences *fences = user;
    pthread_mutex_lock(&fences->lock);
    fences->last = *fence;
    fences->count++;
    pthread_cond_broadcast(&fences->changed);
    pthread_mutex_unlock(&fences->lock);
}

static void on_debug(void *user, struct stream_renderer_debug *debug)
{
    (void)user;
    fprintf(stderr, "renderer: %u: %s\n", debug->debug_type, debug->message);
}

/* A fence of the context's ring 0 (ctx_id 0: the global one), and the wait for it. */
static void fence(struct fences *fences, uint32_t ctx_id, uint64_t id)
{
    const struct stream_renderer_fence wanted = {
        .flags = STREAM_RENDERER_FENCE_FLAG_FENCE |
                 (ctx_id != 0 ? STREAM_RENDERER_FENCE_FLAG_RING_IDX : 0),
        .fence_id = id,
        .ctx_id = ctx_id};
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 60;
    pthread_mutex_lock(&fences->lock);
    unsigned before = fences->count;
    pthread_mutex_unlock(&fences->lock);
    CHECK(stream_renderer_create_fence(&wanted) == 0);
    pthread_mutex_lock(&fences->lock);
    while (fences->count == before) {
        CHECK(pthread_cond_timedwait(&fences->changed, &fences->lock, &end) == 0);
    }
    CHECK(fences->count == before + 1 && fences->last.fence_id == id);
    CHECK(fences->last.flags == wanted.flags && fences->last.ctx_id == ctx_id);
    pthread_mutex_unlock(&fences->lock);
}

/* ---- a context with its ring ---- */

struct guest {
    uint32_t ctx_id, ring_id;
    struct asg_writer writer;
    void *ring;
    uint64_t ring_size;
};

/* A command with an id; of a handle it is the low word. */
static void submit(uint32_t ctx_id, uint32_t opcode, uint32_t word)
{
    uint32_t words[] = {opcode, word, 0};
    struct stream_renderer_command command = {
        .ctx_id = ctx_id, .cmd_size = sizeof words, .cmd = (uint8_t *)words};
    CHECK(stream_renderer_submit_cmd(&command) == 0);
}

static void ping(void *user)
{
    const struct guest *guest = user;
    submit(guest->ctx_id, CONTEXT_PING, guest->ring_id);
}

static void open_guest(struct guest *guest, uint32_t ctx_id, uint32_t capset, struct fences *fences)
{
    static const char name[] = {'g', 'u', 'e', 's', 't'};
    *guest = (struct guest){.ctx_id = ctx_id, .ring_id = 100 + ctx_id};
    CHECK(stream_renderer_context_create(ctx_id, sizeof name, name, capset) == 0);
    const struct stream_renderer_create_blob blob = {.blob_mem = STREAM_BLOB_MEM_HOST3D,
                                                     .blob_flags = STREAM_BLOB_FLAG_USE_MAPPABLE,
                                                     .size = ASG_BLOB_BYTES};
    struct stream_renderer_handle handle;
    struct stream_renderer_vulkan_info vulkan;
    uint32_t map_info = 0;
    CHECK(stream_renderer_create_blob(ctx_id, guest->ring_id, &blob, NULL, 0, NULL) == 0);
    CHECK(stream_renderer_export_blob(guest->ring_id, &handle) == 0);
    CHECK(stream_renderer_resource_map_info(guest->ring_id, &map_info) == 0);
    CHECK(map_info == STREAM_RENDERER_MAP_CACHE_CACHED);
    CHECK(stream_renderer_vulkan_info(guest->ring_id, &vulkan) == -EINVAL);
    stream_renderer_ctx_attach_resource((int)ctx_id, (int)guest->ring_id);
    CHECK(stream_renderer_resource_map(guest->ring_id, &guest->ring, &guest->ring_size) == 0);

    /* The descriptor is the same memory, from its first byte. */
    CHECK(handle.handle_type == STREAM_HANDLE_TYPE_MEM_SHM);
    uint8_t *again =
        mmap(NULL, ASG_BLOB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, (int)handle.os_handle, 0);
    CHECK(again != MAP_FAILED);
    again[ASG_BLOB_BYTES - 1] = 77;
    CHECK(((uint8_t *)guest->ring)[ASG_BLOB_BYTES - 1] == 77);
    munmap(again, ASG_BLOB_BYTES);
    close((int)handle.os_handle);

    submit(ctx_id, CONTEXT_CREATE, guest->ring_id);
    fence(fences, 0, 10 + ctx_id);
    const struct asg_writer_config config = {.memory = guest->ring,
                                             .memory_size = guest->ring_size,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .user = guest,
                                             .ping = ping};
    CHECK(asg_writer_init(&guest->writer, &config) == SL_OK);
    const uint32_t preamble = 0;
    asg_writer_raw(&guest->writer, &preamble, sizeof preamble);
}

static void close_guest(struct guest *guest)
{
    CHECK(asg_writer_drain(&guest->writer, 60000000000) == SL_OK);
    asg_writer_finish(&guest->writer);
    stream_renderer_ctx_detach_resource((int)guest->ctx_id, (int)guest->ring_id);
    CHECK(stream_renderer_resource_unmap(guest->ring_id) == 0);
    stream_renderer_resource_unref(guest->ring_id);
    stream_renderer_context_destroy(guest->ctx_id);
}

/* ---- packets: 'u' a word, 'f' a float, 'b' a byte, 'd' bytes behind their size ---- */

static void send_packet(struct guest *guest, uint32_t opcode, const char *format, ...)
{
    uint8_t packet[1024];
    size_t size = 8;
    va_list args;
    va_start(args, format);
    for (const char *f = format; *f != '\0'; f++) {
        uint32_t word = 0;
        float real;
        const void *bytes = NULL;
        if (*f == 'f') {
            real = (float)va_arg(args, double);
            memcpy(&word, &real, sizeof word);
        } else {
            bytes = *f == 'd' ? va_arg(args, const void *) : NULL;
            word = va_arg(args, uint32_t);
        }
        memcpy(packet + size, &word, sizeof word);
        size += *f == 'b' ? 1 : sizeof word;
        if (bytes != NULL) {
            memcpy(packet + size, bytes, word);
            size += word;
        }
    }
    va_end(args);
    uint32_t head[] = {opcode, (uint32_t)size};
    memcpy(packet, head, sizeof head);
    asg_writer_raw(&guest->writer, packet, size);
}

static uint32_t answer(struct guest *guest)
{
    uint32_t word = 0;
    CHECK(asg_writer_read(&guest->writer, &word, sizeof word) == SL_OK);
    return word;
}

static uint32_t make_shader(struct guest *guest, uint32_t type, const char *text)
{
    uint32_t size = (uint32_t)strlen(text) + 1;
    send_packet(guest, glCreateShader, "u", type);
    uint32_t name = answer(guest);
    send_packet(guest, glShaderString, "udu", name, text, size, size);
    send_packet(guest, glCompileShader, "u", name);
    return name;
}

/* On a window surface over the resource. */
static void draw_triangle(struct guest *guest, uint32_t window)
{
    static const int32_t wanted[] = {0x3024, 8, 0x3023, 8, 0x3022, 8, 0x3021, 8, 0x3038};
    send_packet(guest, rcChooseConfig, "duuu", wanted, (uint32_t)sizeof wanted,
                (uint32_t)sizeof wanted, 4u, 1u);
    uint32_t config = answer(guest);
    CHECK(answer(guest) == 1);
    send_packet(guest, rcCreateContext, "uuu", config, 0, 2);
    uint32_t context = answer(guest);
    send_packet(guest, rcCreateWindowSurface, "uuu", config, TRIANGLE_WIDTH, TRIANGLE_HEIGHT);
    uint32_t surface = answer(guest);
    send_packet(guest, rcSetWindowColorBuffer, "uu", surface, window);
    send_packet(guest, rcMakeCurrent, "uuu", context, surface, surface);
    CHECK(answer(guest) == 1);
    send_packet(guest, glViewport, "uuuu", 0, 0, TRIANGLE_WIDTH, TRIANGLE_HEIGHT);
    const float *b = triangle_background;
    send_packet(guest, glClearColor, "ffff", b[0], b[1], b[2], b[3]);
    send_packet(guest, glClear, "u", 0x4000);

    send_packet(guest, glCreateProgram, "");
    uint32_t program = answer(guest);
    send_packet(guest, glAttachShader, "uu", program, make_shader(guest, 0x8b31, TRIANGLE_VERTEX));
    send_packet(guest, glAttachShader, "uu", program,
                make_shader(guest, 0x8b30, TRIANGLE_FRAGMENT));
    send_packet(guest, glBindAttribLocation, "uud", program, 0, "p", 2);
    send_packet(guest, glBindAttribLocation, "uud", program, 1, "c", 2);
    send_packet(guest, glLinkProgram, "u", program);
    send_packet(guest, glUseProgram, "u", program);
    for (uint32_t i = 0; i < 2; i++) {
        const float *data = i == 0 ? triangle_places : triangle_colours;
        uint32_t size = sizeof triangle_places;
        send_packet(guest, glEnableVertexAttribArray, "u", i);
        send_packet(guest, glVertexAttribPointerData, "uuubudu", i, 4, 0x1406, 0, 0, data, size,
                    size);
    }
    send_packet(guest, glDrawArrays, "uuu", 4, 0, 3);
    send_packet(guest, glGetError, "");
    CHECK(answer(guest) == 0);
    uint32_t sync[4]; /* its handle in two words, and its thread's */
    send_packet(guest, rcCreateSyncKHR, "uuuuuu", 0x3144, 0, 0, 1, 8, 8);
    CHECK(asg_writer_read(&guest->writer, sync, sizeof sync) == SL_OK);
    submit(guest->ctx_id, CREATE_EXPORT_SYNC, sync[0]); /* the next fence waits for the triangle */
    send_packet(guest, rcFlushWindowColorBuffer, "u", surface);
    CHECK(answer(guest) == 0);
}

/* ---- pictures ---- */

static void make_picture(uint32_t id)
{
    /* As of RESOURCE_CREATE_2D, B8G8R8A8, and with the top row first. */
    struct stream_renderer_resource_create_args args = {.handle = id,
                                                        .target = 2,
                                                        .format = 1,
                                                        .bind = 2,
                                                        .width = TRIANGLE_WIDTH,
                                                        .height = TRIANGLE_HEIGHT,
                                                        .depth = 1,
                                                        .array_size = 1,
                                                        .flags = 1};
    struct stream_renderer_handle handle;
    CHECK(stream_renderer_resource_create(&args, NULL, 0) == 0);
    CHECK(stream_renderer_export_blob(id, &handle) == 0);
    close((int)handle.os_handle);
}

/* What a monitor does to show a scanout: flush, and read all of it. */
static void read_picture(uint32_t id, uint8_t *pixels)
{
    struct stream_renderer_box all = {0, 0, 0, TRIANGLE_WIDTH, TRIANGLE_HEIGHT, 1};
    struct iovec iov = {pixels, (size_t)TRIANGLE_WIDTH * TRIANGLE_HEIGHT * 4};
    stream_renderer_flush(id);
    CHECK(stream_renderer_transfer_read_iov(id, 0, 0, TRIANGLE_WIDTH * 4, 0, &all, 0, &iov, 1) ==
          0);
}

/* 2D: the guest's pages, two pieces of them, are sent and come back. */
static void two_dimensions(uint32_t id)
{
    enum { SIZE = TRIANGLE_WIDTH * TRIANGLE_HEIGHT * 4 };
    static uint8_t pages[SIZE], seen[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        pages[i] = (uint8_t)(i * 7 + i / 640);
    }
    struct iovec backing[] = {{pages, 1000}, {pages + 1000, SIZE - 1000}};
    struct stream_renderer_box all = {0, 0, 0, TRIANGLE_WIDTH, TRIANGLE_HEIGHT, 1};
    make_picture(id);
    CHECK(stream_renderer_resource_attach_iov((int)id, backing, 2) == 0);
    CHECK(stream_renderer_transfer_write_iov(id, 0, 0, 0, 0, &all, 0, NULL, 0) == 0);
    read_picture(id, seen);
    CHECK(memcmp(pages, seen, SIZE) == 0);
    stream_renderer_resource_detach_iov((int)id, NULL, NULL);
    stream_renderer_resource_unref(id);
}

/* ---- lives ---- */

static void live(void)
{
    static const uint32_t capsets[] = {3, 8, 9};
    enum { WINDOW = 7, PICTURE = 8 };
    static uint8_t pixels[TRIANGLE_WIDTH * TRIANGLE_HEIGHT * 4];
    struct fences fences = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct guest guests[3];
    struct stream_renderer_param params[] = {
        {STREAM_RENDERER_PARAM_USER_DATA, (uintptr_t)&fences},
        {STREAM_RENDERER_PARAM_RENDERER_FLAGS,
         STREAM_RENDERER_FLAGS_USE_EGL | STREAM_RENDERER_FLAGS_USE_SURFACELESS |
             STREAM_RENDERER_FLAGS_USE_GLES | STREAM_RENDERER_FLAGS_USE_VK},
        {STREAM_RENDERER_PARAM_FENCE_CALLBACK, (uintptr_t)on_fence},
        {STREAM_RENDERER_PARAM_WIN0_WIDTH, 1280},
        {STREAM_RENDERER_PARAM_WIN0_HEIGHT, 800},
        {STREAM_RENDERER_PARAM_DEBUG_CALLBACK, (uintptr_t)on_debug},
        {STREAM_RENDERER_PARAM_RENDERER_FEATURES,
         (uintptr_t) "VulkanBatchedDescriptorSetUpdate:enabled"}};
    CHECK(stream_renderer_init(params, sizeof params / sizeof params[0]) == 0);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t version = 0, size = 0, bytes[1024] = {0};
        stream_renderer_get_cap_set(capsets[i], &version, &size);
        CHECK(size >= 16 && size <= sizeof bytes);
        stream_renderer_fill_caps(capsets[i], version, bytes);
        CHECK(bytes[0] == 1 && bytes[1] == ASG_RING_BYTES && bytes[2] == ASG_BUFFER_BYTES);
        open_guest(&guests[i], 1 + i, capsets[i], &fences);
    }
    make_picture(WINDOW);
    stream_renderer_ctx_attach_resource((int)guests[1].ctx_id, WINDOW);
    draw_triangle(&guests[1], WINDOW);
    fence(&fences, guests[1].ctx_id, 5); /* ids of timelines need not follow one another */
    read_picture(WINDOW, pixels);
    triangle_print(pixels, 2, 1, 0, 0);
    send_packet(&guests[2], rcGetRendererVersion, "");
    CHECK(answer(&guests[2]) == 1);
    two_dimensions(PICTURE);

    stream_renderer_ctx_detach_resource((int)guests[1].ctx_id, WINDOW);
    stream_renderer_resource_unref(WINDOW);
    for (uint32_t i = 0; i < 3; i++) {
        close_guest(&guests[i]);
    }
    stream_renderer_teardown();
}

int main(void)
{
    live();
    live();
    return 0;
}
