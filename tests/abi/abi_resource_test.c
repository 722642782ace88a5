/* host/abi's resources function by function: classic ones, blobs, what comes from outside. */
#include "tests/abi/abi_monitor.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

SLT_FIXTURE_AGAIN(abi_resource_init, struct abi_monitor, abi_monitor_prepare, abi_monitor_finish,
                  abi_monitor_prepare_again);
SLT_FIXTURE_AGAIN(abi_resource, struct abi_monitor, abi_monitor_init, abi_monitor_finish,
                  abi_monitor_again);

/* ---- classic resources ---- */

static int create_picture(uint32_t id, uint32_t format, uint32_t width, uint32_t height,
                          struct iovec *iov, uint32_t count)
{
    struct stream_renderer_resource_create_args args = {.handle = id,
                                                        .target = 2,
                                                        .format = format,
                                                        .bind = 2,
                                                        .width = width,
                                                        .height = height,
                                                        .depth = 1,
                                                        .array_size = 1};
    return stream_renderer_resource_create(&args, iov, count);
}

SLT_TEST_F(abi_resource, classic_resources, m)
{
    (void)m;
    struct stream_renderer_resource_info info = {0};
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_create(NULL, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, create_picture(0, 1, 4, 4, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, create_picture(1, 9999, 4, 4, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, create_picture(1, 1, 0, 4, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, create_picture(1, 1, 1u << 31, 1u << 31, NULL, 0));
    SLT_EXPECT_EQ(0, create_picture(1, 1, 5, 3, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, create_picture(1, 1, 5, 3, NULL, 0));
    SLT_EXPECT_EQ(0, stream_renderer_resource_get_info(1, &info));
    SLT_EXPECT_EQ(1u, info.handle);
    SLT_EXPECT_EQ(1u, info.virgl_format);
    SLT_EXPECT_TRUE(info.width == 5 && info.height == 3 && info.depth == 1);
    SLT_EXPECT_TRUE(info.stride >= 20 && info.stride % 16 == 0);
    SLT_EXPECT_EQ(0x34325241, info.drm_fourcc); /* AR24 */
    SLT_EXPECT_EQ(ENOENT, stream_renderer_resource_get_info(2, &info));
    SLT_EXPECT_EQ(EINVAL, stream_renderer_resource_get_info(1, NULL));
    SLT_EXPECT_EQ(0, create_picture(2, 3, 4, 4, NULL, 0)); /* A8R8G8B8: DRM has no such name */
    SLT_EXPECT_EQ(EINVAL, stream_renderer_resource_get_info(2, &info));
    struct stream_renderer_resource_create_args pipe = {
        .handle = 3, .format = 64, .bind = 1 << 17, .width = 64, .height = 1, .depth = 1};
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_create(&pipe, NULL, 0));
    pipe.bind |= 1 << 4;
    SLT_EXPECT_EQ(0, stream_renderer_resource_create(&pipe, NULL, 0)); /* a buffer */
    struct iovec none = {NULL, 0};
    SLT_EXPECT_EQ(-EINVAL, create_picture(4, 1, 4, 4, &none, UINT32_MAX));
    SLT_EXPECT_EQ(ENOENT, stream_renderer_resource_get_info(4, &info)); /* nothing stays of it */
    stream_renderer_resource_unref(1);
    stream_renderer_resource_unref(1);
    stream_renderer_resource_unref(77);
    SLT_EXPECT_EQ(ENOENT, stream_renderer_resource_get_info(1, &info));
    stream_renderer_flush(1);
    stream_renderer_flush(2);
}

SLT_TEST_F(abi_resource, guest_pages, m)
{
    (void)m;
    uint8_t bytes[64];
    struct iovec pages[] = {{bytes, 20}, {bytes + 20, 44}};
    struct iovec *given = NULL;
    int count = 0;
    SLT_EXPECT_EQ(ENOENT, stream_renderer_resource_attach_iov(1, pages, 2));
    stream_renderer_resource_detach_iov(1, &given, &count);
    SLT_EXPECT_TRUE(given == NULL && count == 0);
    SLT_ASSERT_EQ(0, create_picture(1, 1, 4, 4, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_attach_iov(1, NULL, 2));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_attach_iov(1, pages, 0));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_attach_iov(1, pages, -1));
    SLT_EXPECT_EQ(0, stream_renderer_resource_attach_iov(1, pages, 2));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_attach_iov(1, pages, 2));
    stream_renderer_resource_detach_iov(1, &given, &count);
    SLT_EXPECT_TRUE(given == pages && count == 2);
    stream_renderer_resource_detach_iov(1, &given, &count);
    SLT_EXPECT_TRUE(given == NULL && count == 0);
    SLT_EXPECT_EQ(0, stream_renderer_resource_attach_iov(1, pages, 1));
    stream_renderer_resource_detach_iov(1, NULL, NULL);
    SLT_EXPECT_EQ(0, create_picture(2, 1, 4, 4, pages, 2));
    stream_renderer_resource_detach_iov(2, &given, &count);
    SLT_EXPECT_TRUE(given == pages && count == 2);
}

static int read_box(uint32_t id, struct stream_renderer_box box, uint32_t level, uint32_t stride,
                    uint64_t offset, struct iovec *iov)
{
    return stream_renderer_transfer_read_iov(id, 0, level, stride, 0, &box, offset, iov,
                                             iov != NULL);
}

static int write_box(uint32_t id, struct stream_renderer_box box, int level, uint64_t offset,
                     struct iovec *iov)
{
    return stream_renderer_transfer_write_iov(id, 0, level, 0, 0, &box, offset, iov, iov != NULL);
}

SLT_TEST_F(abi_resource, transfers, m)
{
    (void)m;
    enum { WIDTH = 16, HEIGHT = 4, ROW = WIDTH * 4 }; /* rows as in the resource: 64 bytes */
    uint8_t guest[ROW * HEIGHT], seen[200] = {0}, other[ROW * HEIGHT];
    for (size_t i = 0; i < sizeof guest; i++) {
        guest[i] = (uint8_t)i;
    }
    memset(other, 0xee, sizeof other);
    struct iovec pages[] = {{guest, 10}, {guest + 10, sizeof guest - 10}};
    struct iovec mine = {seen, sizeof seen}, theirs = {other, sizeof other};
    struct stream_renderer_box all = {0, 0, 0, WIDTH, HEIGHT, 1}, part = {3, 1, 0, 2, 3, 1};
    SLT_ASSERT_EQ(0, create_picture(1, 1, WIDTH, HEIGHT, NULL, 0));

    SLT_EXPECT_EQ(-EINVAL, write_box(1, all, 0, 0, NULL)); /* no pages */
    SLT_ASSERT_EQ(0, stream_renderer_resource_attach_iov(1, pages, 2));
    SLT_EXPECT_EQ(0, write_box(1, all, 0, 0, NULL));
    /* Into a list of the call's own, with its own stride and offset. */
    SLT_EXPECT_EQ(0, read_box(1, part, 0, 20, 100, &mine));
    for (uint32_t y = 0; y < 3; y++) {
        SLT_EXPECT_MEMEQ(guest + (1 + y) * ROW + 3 * 4, seen + 100 + y * 20, 8);
        SLT_EXPECT_EQ(0, seen[100 + y * 20 + 8]);
    }
    /* The attached pages are as before: written from, and read to. */
    SLT_EXPECT_EQ(0, write_box(1, all, 0, 0, &theirs));
    memset(guest, 0, sizeof guest);
    SLT_EXPECT_EQ(0, read_box(1, all, 0, 0, 0, NULL));
    SLT_EXPECT_MEMEQ(other, guest, sizeof guest);

    SLT_EXPECT_EQ(EINVAL, read_box(9, all, 0, 0, 0, &mine));
    SLT_EXPECT_EQ(EINVAL, write_box(9, all, 0, 0, NULL));
    SLT_EXPECT_EQ(-EINVAL, read_box(1, all, 1, 0, 0, NULL));
    SLT_EXPECT_EQ(-EINVAL, write_box(1, all, -1, 0, NULL));
    SLT_EXPECT_EQ(-EINVAL, read_box(1, all, 0, 0, 1, NULL));
    SLT_EXPECT_EQ(-EINVAL, read_box(1, all, 0, 0, UINT64_MAX, NULL));
    SLT_EXPECT_EQ(-EINVAL, read_box(1, all, 0, 0, 0, &mine)); /* too short a list */
    SLT_EXPECT_EQ(-EINVAL, read_box(1, all, 0, 4, 0, NULL));  /* a stride within a row */
    all.w = UINT32_MAX;
    SLT_EXPECT_EQ(-EINVAL, write_box(1, all, 0, 0, NULL));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_transfer_read_iov(1, 0, 0, 0, 0, NULL, 0, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_transfer_read_iov(1, 0, 0, 0, 0, &part, 0, &mine, -1));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_transfer_write_iov(1, 55, 0, 0, 0, &part, 0, NULL, 0));
    /* None of that took the pages away. */
    SLT_EXPECT_EQ(0, read_box(1, part, 0, 0, 0, NULL));
}

/* ---- blobs ---- */

static int create_blob(uint32_t id, uint32_t mem, uint32_t flags, uint64_t size, uint64_t blob_id)
{
    const struct stream_renderer_create_blob blob = {mem, flags, blob_id, size};
    return stream_renderer_create_blob(1, id, &blob, NULL, 0, NULL);
}

SLT_TEST_F(abi_resource, blobs, m)
{
    (void)m;
    enum { HOST3D = STREAM_BLOB_MEM_HOST3D, GUEST = STREAM_BLOB_MEM_GUEST };
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 1, 4096, 0)); /* no such context */
    SLT_ASSERT_EQ(0, stream_renderer_context_create(1, 1, "x", 3));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_create_blob(1, 1, NULL, NULL, 0, NULL));
    SLT_EXPECT_EQ(-EINVAL, create_blob(0, HOST3D, 1, 4096, 0));
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 1, 0, 0));
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 1, 4097, 0));
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 1, (uint64_t)1 << 60, 0));
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 1, 4096, 5)); /* nothing waits under 5 */
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 8, 4096, 0)); /* a handle that is not there */
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, 4, 1, 4096, 0));
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, GUEST, 1, 4096, 0)); /* no pages */
    SLT_EXPECT_EQ(0, create_blob(1, HOST3D, 1, 8192, 0));
    SLT_EXPECT_EQ(-EINVAL, create_blob(1, HOST3D, 1, 8192, 0));

    uint8_t *at = NULL, *again = NULL;
    uint64_t size = 0;
    uint32_t info = 7;
    struct stream_renderer_vulkan_info vulkan;
    SLT_EXPECT_EQ(0, stream_renderer_resource_map_info(1, &info));
    SLT_EXPECT_EQ((uint32_t)STREAM_RENDERER_MAP_CACHE_CACHED, info);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map_info(2, &info));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map_info(1, NULL));
    SLT_EXPECT_EQ(0, stream_renderer_resource_map(1, (void **)&at, &size));
    SLT_EXPECT_EQ(8192u, size);
    SLT_EXPECT_EQ(0u, (uintptr_t)at % 4096);
    SLT_EXPECT_EQ(0, stream_renderer_resource_unmap(1));
    at[8191] = 9; /* still there */
    SLT_EXPECT_EQ(0, stream_renderer_resource_map(1, (void **)&again, &size));
    SLT_EXPECT_TRUE(at == again && again[8191] == 9);
    SLT_EXPECT_EQ(0, stream_renderer_resource_map_info(1, &info));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map(2, (void **)&at, &size));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map(1, NULL, &size));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map(1, (void **)&at, NULL));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_unmap(2));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_vulkan_info(1, &vulkan));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_vulkan_info(2, &vulkan));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_attach_iov(1, &(struct iovec){at, 64}, 1));
    SLT_EXPECT_EQ(-EINVAL, read_box(1, (struct stream_renderer_box){0, 0, 0, 4, 1, 1}, 0, 0, 0,
                                    &(struct iovec){at, 64}));
    struct stream_renderer_resource_info picture;
    SLT_EXPECT_EQ(EINVAL, stream_renderer_resource_get_info(1, &picture));
    stream_renderer_flush(1);

    SLT_EXPECT_EQ(0, create_blob(2, HOST3D, 0, 4096, 0)); /* not mappable */
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map(2, (void **)&at, &size));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map_info(2, &info));
}

SLT_TEST_F(abi_resource, exports, m)
{
    (void)m;
    struct stream_renderer_handle handle = {0};
    SLT_ASSERT_EQ(0, stream_renderer_context_create(1, 1, "x", 8));
    SLT_ASSERT_EQ(0, create_blob(1, STREAM_BLOB_MEM_HOST3D, 1, 4096, 0));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_blob(1, NULL));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_blob(2, &handle));
    SLT_EXPECT_EQ(0, stream_renderer_export_blob(1, &handle));
    SLT_EXPECT_EQ((uint32_t)STREAM_HANDLE_TYPE_MEM_SHM, handle.handle_type);
    uint8_t *mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)handle.os_handle, 0);
    SLT_ASSERT_TRUE(mine != MAP_FAILED);
    uint8_t *theirs;
    uint64_t size;
    SLT_EXPECT_EQ(0, stream_renderer_resource_map(1, (void **)&theirs, &size));
    mine[5] = 5;
    SLT_EXPECT_EQ(5, theirs[5]);
    munmap(mine, 4096);
    close((int)handle.os_handle);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_blob(1, &handle)); /* once */

    uint8_t page[4096];
    struct iovec iov = {page, sizeof page};
    const struct stream_renderer_create_blob guest = {STREAM_BLOB_MEM_GUEST, 1, 0, 4096};
    SLT_EXPECT_EQ(0, stream_renderer_create_blob(1, 2, &guest, &iov, 1, NULL));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_blob(2, &handle)); /* nothing of ours */
}

static int shared_memory(uint64_t size)
{
    int fd = -1;
    SLT_ASSERT_OK(sl_shm_create("abi-test", size, &fd));
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

SLT_TEST_F(abi_resource, imports, m)
{
    (void)m;
    struct stream_renderer_import_data data = {0};
    struct stream_renderer_handle handle = {.os_handle = shared_memory(8192),
                                            .handle_type = STREAM_HANDLE_TYPE_MEM_SHM};
    uint8_t *at;
    uint64_t size;
    SLT_EXPECT_EQ(0, stream_renderer_import_resource(1, &handle, &data));
    SLT_EXPECT_EQ(0, stream_renderer_resource_map(1, (void **)&at, &size));
    SLT_EXPECT_EQ(8192u, size);
    handle.os_handle = shared_memory(4096);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(1, &handle, &data)); /* in use */
    SLT_EXPECT_TRUE(!is_open((int)handle.os_handle)); /* taken all the same, as below */
    handle.os_handle = shared_memory(4096);
    data.flags = STREAM_RENDERER_IMPORT_FLAG_3D_INFO;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(2, &handle, &data));
    SLT_EXPECT_TRUE(!is_open((int)handle.os_handle));
    handle.os_handle = shared_memory(4096);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(2, &handle, NULL));
    SLT_EXPECT_TRUE(!is_open((int)handle.os_handle));
    data.flags = 0;
    handle.os_handle = memfd_create("unsealed", MFD_CLOEXEC);
    SLT_ASSERT_EQ(0, ftruncate((int)handle.os_handle, 4096));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(2, &handle, &data));
    SLT_EXPECT_TRUE(!is_open((int)handle.os_handle));
    handle.os_handle = -1;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(2, &handle, &data));
    handle = (struct stream_renderer_handle){.os_handle = STDERR_FILENO,
                                             .handle_type = STREAM_HANDLE_TYPE_MEM_ZIRCON};
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(2, &handle, &data));
    SLT_EXPECT_TRUE(is_open(STDERR_FILENO)); /* no descriptor: left alone */
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(2, NULL, &data));

    struct stream_renderer_create_blob blob = {STREAM_BLOB_MEM_GUEST,
                                               STREAM_BLOB_FLAG_CREATE_GUEST_HANDLE, 0, 4096};
    handle = (struct stream_renderer_handle){.os_handle = shared_memory(4096),
                                             .handle_type = STREAM_HANDLE_TYPE_MEM_SHM};
    SLT_EXPECT_EQ(0, stream_renderer_create_blob(0, 3, &blob, NULL, 0, &handle));
    SLT_EXPECT_EQ(0, stream_renderer_resource_map(3, (void **)&at, &size));
    handle.os_handle = shared_memory(4096);
    blob.size = 8192; /* more than there is */
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_create_blob(0, 4, &blob, NULL, 0, &handle));
    SLT_EXPECT_TRUE(!is_open((int)handle.os_handle));
}

SLT_TEST_F(abi_resource_init, external_blobs_are_not_mapped_here, m)
{
    struct stream_renderer_handle handle;
    void *at;
    uint64_t size;
    uint32_t info;
    SLT_ASSERT_EQ(0, abi_monitor_start(m, HEADLESS | GLES | EXTERNAL, NULL));
    SLT_ASSERT_EQ(0, stream_renderer_context_create(1, 1, "x", 8));
    SLT_ASSERT_EQ(0, create_blob(1, STREAM_BLOB_MEM_HOST3D, 1, 4096, 0));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map(1, &at, &size));
    SLT_EXPECT_EQ(0, stream_renderer_resource_map_info(1, &info));
    SLT_EXPECT_EQ(0, stream_renderer_export_blob(1, &handle));
    close((int)handle.os_handle);
}
