/* What guests write to memory that they share with the host, recorded and read back. */
#include "tests/unit/cap_bed.h"
#include "transport/base/shm.h"
#include "transport/base/thread.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

SLT_FIXTURE(cap_memory, struct bed, bed_init, bed_finish);

#define PAGES 48u
#define SHOWN (PAGES * CAP_PAGE - 100) /* no whole number of pages */

static void search(struct cap_stream *s, uint32_t number)
{
    packet(s, number, 16);
    cap_stream_memory(s);
    cap_stream_outcome(s, &(struct vgd_outcome){0});
}

/* Brings a copy of the memory up to date; how many pieces that took. */
static uint32_t apply_to(struct bed *t, uint8_t *copy, uint32_t size)
{
    struct cap_event e;
    struct cap_piece piece;
    uint32_t pieces = 0;
    SLT_ASSERT_TRUE(next(t, CAP_EVENT_MEMORY, &e));
    SLT_EXPECT_EQ(RESOURCE, e.memory.resource_id);
    while (cap_merge_piece(t->merge, &e.memory, &piece) == SL_OK) {
        SLT_ASSERT_TRUE(piece.offset + piece.size <= size);
        memcpy(copy + piece.offset, piece.bytes, piece.size);
        pieces++;
    }
    return pieces;
}

static uint32_t apply(struct bed *t, uint8_t *copy)
{
    return apply_to(t, copy, SHOWN);
}

SLT_TEST_F(cap_memory, finds_what_was_written_to_memory, t)
{
    static uint8_t memory[PAGES * CAP_PAGE], first[sizeof memory], copy[sizeof memory];
    uint32_t size = SHOWN;
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    const struct cap_resource resource = {.id = RESOURCE, .ctx_id = CONTEXT, .blob_id = 6};
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_SUBMIT, memory, size));
    memset(memory, 0, sizeof memory);
    search(s, 0); /* zeros, as it was made: nothing */
    memory[5] = 1;
    memory[20 * CAP_PAGE] = 2;
    memory[size - 1] = 3;
    search(s, 1);
    memcpy(first, memory, sizeof memory);
    search(s, 2); /* nothing */
    memset(memory, 7, size);
    search(s, 3);
    cap_memory_pass(&t->memory, CONTEXT, 6);
    memset(memory, 8, size);
    search(s, 4); /* the host's own doing */
    cap_stream_end(s);
    struct cap_writer_report report = end(t);
    SLT_EXPECT_EQ(2u, report.totals.writes);
    /* All of it is sevens: blobs of 64 KiB, one of what is left. */
    SLT_EXPECT_EQ(3u + 2, report.totals.blobs);
    SLT_EXPECT_EQ(2ull * CAP_PIECE_BYTES - CAP_PIECE_BYTES, report.totals.shared_bytes);
    read_back(t);
    SLT_EXPECT_EQ(3u, apply(t, copy));
    SLT_EXPECT_MEMEQ(first, copy, size);
    SLT_EXPECT_EQ(3u, apply(t, copy));
    memset(memory, 7, size);
    SLT_EXPECT_MEMEQ(memory, copy, size);
    struct cap_event e;
    SLT_EXPECT_TRUE(!next(t, CAP_EVENT_MEMORY, &e));
}

/* A guest that shows its writes: it has the memory at one place, the host at another. */
struct shown {
    struct sl_writes *writes;
    uint8_t *guest;
    const uint8_t *host;
    uint32_t size;
    bool is_seen; /* this kernel can */
};

static void map_shown(struct bed *t, struct shown *m, uint32_t size)
{
    int fd, fds[2];
    void *guest, *host;
    m->size = size;
    SLT_ASSERT_OK(sl_shm_create("shown", m->size, &fd));
    SLT_ASSERT_OK(sl_shm_map(fd, m->size, &guest));
    SLT_ASSERT_OK(sl_shm_map(fd, m->size, &host));
    m->guest = guest;
    m->host = host;
    const struct cap_resource resource = {.id = RESOURCE, .ctx_id = CONTEXT, .blob_id = 6};
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_SUBMIT, host, m->size));
    cap_memory_file(&t->memory, RESOURCE, fd, 0);
    close(fd);
    m->is_seen = sl_writes_open(fds) == SL_OK;
    if (m->is_seen) {
        SLT_ASSERT_OK(sl_writes_create(fds, &m->writes));
        cap_memory_place(&t->memory, RESOURCE, m->writes, (uintptr_t)guest);
        sl_writes_unref(m->writes); /* kept */
    }
}

static void unmap_shown(struct bed *t, struct shown *m)
{
    cap_memory_forget(&t->memory, RESOURCE);
    sl_shm_unmap(m->guest, m->size);
    sl_shm_unmap((void *)(uintptr_t)m->host, m->size);
}

SLT_TEST_F(cap_memory, finds_what_a_guest_shows_that_it_wrote, t)
{
    static uint8_t first[PAGES * CAP_PAGE], copy[sizeof first];
    struct shown m;
    map_shown(t, &m, SHOWN);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    m.guest[5] = 1;
    search(s, 0);
    m.guest[m.size - 1] = 3;
    m.guest[20 * CAP_PAGE] = 2;
    ((uint8_t *)(uintptr_t)m.host)[30 * CAP_PAGE] = 9; /* the host's, which a replay's does, too */
    search(s, 1);
    search(s, 2); /* nothing */
    memcpy(first, m.host, m.size);
    first[30 * CAP_PAGE] = m.is_seen ? 0 : 9;
    cap_memory_share(&t->memory, RESOURCE);
    m.guest[40 * CAP_PAGE] = 4;
    search(s, 3); /* the first by comparison: all of it */
    ((uint8_t *)(uintptr_t)m.host)[31 * CAP_PAGE] = 8;
    search(s, 4);
    cap_stream_end(s);
    SLT_EXPECT_EQ(m.is_seen ? 1u : 0u, end(t).totals.scanned);
    read_back(t);
    memset(copy, 0, sizeof copy);
    SLT_EXPECT_EQ(1u, apply(t, copy));
    SLT_EXPECT_EQ(m.is_seen ? 2u : 3u, apply(t, copy));
    SLT_EXPECT_MEMEQ(first, copy, m.size);
    SLT_EXPECT_EQ(m.is_seen ? 3u : 1u, apply(t, copy));
    SLT_EXPECT_EQ(1u, apply(t, copy));
    SLT_EXPECT_MEMEQ(m.host, copy, m.size);
    unmap_shown(t, &m);
}

static uint64_t resident_pages(void *mapping, uint32_t size)
{
    static unsigned char pages[8u << 20 >> 12];
    uint64_t count = 0;
    SLT_ASSERT_EQ(0, mincore(mapping, size, pages));
    for (uint32_t i = 0; i < size / CAP_PAGE; i++) {
        count += pages[i] & 1;
    }
    return count;
}

/* A large memory of which little was ever touched: the first look finds that and makes no more of
 * it. */
SLT_TEST_F(cap_memory, does_not_touch_what_a_guest_never_touched, t)
{
    static uint8_t copy[8u << 20];
    const uint32_t size = sizeof copy, at[] = {0, 3u << 20, (3u << 20) + CAP_PAGE, size - 1};
    struct shown m;
    map_shown(t, &m, size);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        m.guest[at[i]] = (uint8_t)(i + 1);
    }
    search(s, 0);
    SLT_EXPECT_EQ(m.is_seen ? 4u : size / CAP_PAGE, resident_pages(m.guest, size));
    cap_stream_end(s);
    (void)end(t);
    read_back(t);
    (void)apply_to(t, copy, size);
    SLT_EXPECT_TRUE(memcmp(m.host, copy, size) == 0);
    unmap_shown(t, &m);
}

/* The guest may map something else there at any time; then nothing is missing. */
SLT_TEST_F(cap_memory, is_not_misled_by_a_guest_that_maps_anew, t)
{
    static uint8_t copy[PAGES * CAP_PAGE];
    struct shown m;
    map_shown(t, &m, SHOWN);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    m.guest[0] = 1;
    search(s, 0);
    uint32_t looks = 1;
    for (uint8_t i = 2; i < 10; i++, looks++) {
        m.guest[i * CAP_PAGE] = i;
        m.guest[0] = 0;
        /* The same pages at the same place, protected no more. */
        SLT_ASSERT_TRUE(mremap((void *)(uintptr_t)m.host, 0, m.size, MREMAP_MAYMOVE | MREMAP_FIXED,
                               m.guest) == m.guest);
        m.guest[i * CAP_PAGE + 1] = i;
        search(s, i);
    }
    cap_stream_end(s);
    (void)end(t);
    read_back(t);
    memset(copy, 0, sizeof copy);
    while (looks-- != 0) {
        SLT_EXPECT_LE(1u, apply(t, copy));
    }
    SLT_EXPECT_MEMEQ(m.host, copy, m.size);
    unmap_shown(t, &m);
}

/* Maps the memory and lets itself be seen, writes when it is told to, and never ends. */
static void be_a_guest(int memory, int tell, int told)
{
    int fds[2];
    char byte;
    uint8_t *guest = mmap(NULL, SHOWN, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    uint64_t shown[3] = {(uintptr_t)guest, 0, 0};
    if (sl_writes_open(fds) != SL_OK) {
        _exit(0);
    }
    shown[1] = (uint64_t)fds[0];
    shown[2] = (uint64_t)fds[1];
    if (write(tell, shown, sizeof shown) != sizeof shown || read(told, &byte, 1) != 1) {
        _exit(1);
    }
    guest[3 * CAP_PAGE] = 3;
    guest[SHOWN - 1] = 7;
    (void)!write(tell, shown, 1);
    for (;;) {
        pause();
    }
}

/* What it wrote before it was killed is there: packets that need it may still be to come. */
SLT_TEST_F(cap_memory, finds_what_a_guest_wrote_that_is_gone, t)
{
    static uint8_t copy[SHOWN];
    const struct cap_resource resource = {.id = RESOURCE, .ctx_id = CONTEXT, .blob_id = 6};
    int memory, from[2], to[2];
    void *host;
    uint64_t shown[3];
    SLT_ASSERT_OK(sl_shm_create("gone", SHOWN, &memory));
    SLT_ASSERT_OK(sl_shm_map(memory, SHOWN, &host));
    SLT_ASSERT_TRUE(pipe(from) == 0 && pipe(to) == 0);
    pid_t guest = fork();
    if (guest == 0) {
        be_a_guest(memory, from[1], to[0]);
    }
    close(from[1]);
    bool is_seen = read(from[0], shown, sizeof shown) == sizeof shown;
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_SUBMIT, host, SHOWN));
    int pidfd = is_seen ? (int)syscall(SYS_pidfd_open, guest, 0) : -1;
    struct sl_writes *writes = NULL;
    if (pidfd >= 0) {
        int fds[2] = {(int)syscall(SYS_pidfd_getfd, pidfd, (int)shown[1], 0),
                      (int)syscall(SYS_pidfd_getfd, pidfd, (int)shown[2], 0)};
        SLT_ASSERT_OK(sl_writes_create(fds, &writes));
        cap_memory_place(&t->memory, RESOURCE, writes, shown[0]);
        sl_writes_unref(writes);
    }
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    search(s, 0);
    if (is_seen) {
        SLT_ASSERT_TRUE(write(to[1], "w", 1) == 1 && read(from[0], shown, 1) == 1);
    }
    kill(guest, SIGKILL);
    SLT_ASSERT_EQ(guest, waitpid(guest, NULL, 0));
    search(s, 1);
    search(s, 2); /* nothing more */
    cap_stream_end(s);
    SLT_EXPECT_EQ(is_seen ? 1u : 0u, end(t).totals.writes);
    read_back(t);
    if (is_seen) {
        (void)apply(t, copy);
    }
    SLT_EXPECT_MEMEQ(host, copy, SHOWN);
    cap_memory_forget(&t->memory, RESOURCE);
    sl_shm_unmap(host, SHOWN);
    close(pidfd);
    close(memory);
    close(from[0]);
    close(to[0]);
    close(to[1]);
}

struct scribbler {
    struct shown *shown;
    uint32_t seed, stop; /* atomic */
};

static void *scribble(void *user)
{
    struct scribbler *w = user;
    for (uint32_t x = w->seed; sl_atomic_load_relaxed(&w->stop) == 0;) {
        x = x * 1664525u + 1013904223u;
        __atomic_store_n(&w->shown->guest[x % w->shown->size], (uint8_t)(x >> 24),
                         __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Threads write while it is recorded, over and over; when they stand, the recording is complete. */
SLT_TEST_F(cap_memory, misses_no_write_of_any_thread, t)
{
    static uint8_t copy[PAGES * CAP_PAGE];
    struct shown m;
    map_shown(t, &m, SHOWN);
    for (uint32_t round = 0; round < 3; round++) {
        struct scribbler w[2] = {{&m, 7 + round, 0}, {&m, 99 + round, 0}};
        pthread_t threads[2];
        begin(t, &(struct cap_start){.level = 1, .force = true});
        struct cap_stream *s = stream_new(t);
        for (int i = 0; i < 2; i++) {
            SLT_ASSERT_OK(sl_thread_start(&threads[i], "scribble", 0, scribble, &w[i]));
        }
        for (uint32_t i = 0; i < 200; i++) {
            search(s, i);
        }
        for (int i = 0; i < 2; i++) {
            sl_atomic_store_relaxed(&w[i].stop, 1);
            pthread_join(threads[i], NULL);
        }
        search(s, 200);
        cap_stream_end(s);
        struct cap_writer_report report = end(t);
        cap_memory_restart(&t->memory);
        read_back(t);
        memset(copy, 0, sizeof copy);
        for (uint64_t i = 0; i < report.totals.writes; i++) {
            (void)apply(t, copy);
        }
        SLT_EXPECT_MEMEQ(m.host, copy, m.size);
        cap_merge_destroy(t->merge);
        cap_reader_close(t->reader);
        t->merge = NULL;
        t->reader = NULL;
    }
    unmap_shown(t, &m);
}

SLT_TEST_F(cap_memory, finds_what_was_written_to_scattered_pages, t)
{
    static uint8_t pages[3][6000], copy[sizeof pages];
    const struct iovec iov[] = {{pages[2], 6000}, {pages[0], 100}, {pages[1], 6000}};
    const struct cap_resource resource = {.id = RESOURCE};
    memset(pages, 0, sizeof pages);
    memset(copy, 0, sizeof copy);
    begin(t, &(struct cap_start){.level = 1});
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_TRANSFER, NULL, 0));
    cap_memory_backing(&t->memory, RESOURCE, iov, 3);
    pages[2][0] = 1;
    pages[0][99] = 2;
    pages[1][5999] = 3;
    const struct cap_verb_transfer body = {.resource_id = RESOURCE};
    uint64_t stamp =
        cap_recording_verb(t->recording, CAP_VERB_TRANSFER, &body, sizeof body, NULL, 0);
    cap_recording_search(t->recording, RESOURCE, stamp);
    SLT_EXPECT_EQ(1u, end(t).totals.writes);
    read_back(t);
    SLT_EXPECT_LE(1u, apply(t, copy));
    SLT_EXPECT_EQ(1u, copy[0]);
    SLT_EXPECT_EQ(2u, copy[6099]);
    SLT_EXPECT_EQ(3u, copy[12099]);
}
