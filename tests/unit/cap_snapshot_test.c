/* Snapshots of a device that is played here: what is in them, when they are passed by, and what
 * becomes of those that come to nothing. */
#include "host/capture/cap_device_priv.h"
#include "host/capture/cap_merge.h"
#include "tests/support/slt.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONTEXT = 3, RING = 9, OPCODE = 7000, SAVED = 7001 };

struct bed {
    struct vgd vgd; /* first: the device behind the recorder */
    struct cap_device *recorder;
    struct vgd *device;
    const struct vgd_recorder *rings;
    enum sl_result saves;
    bool stands;
    char path[4096];
    struct cap_reader *reader;
    struct cap_merge *merge;
};

static enum sl_result ctx_create(struct vgd *vgd, uint32_t ctx_id, uint32_t capset,
                                 const char *name)
{
    (void)vgd, (void)ctx_id, (void)capset, (void)name;
    return SL_OK;
}
static enum sl_result create_blob(struct vgd *vgd, uint32_t ctx_id, uint32_t id,
                                  const struct vgd_blob_args *args)
{
    (void)vgd, (void)ctx_id, (void)id, (void)args;
    return SL_OK;
}
static enum sl_result attach(struct vgd *vgd, uint32_t ctx_id, uint32_t id)
{
    (void)vgd, (void)ctx_id, (void)id;
    return SL_OK;
}
static enum sl_result submit(struct vgd *vgd, uint32_t ctx_id, const void *commands, size_t size)
{
    (void)vgd, (void)ctx_id, (void)commands, (void)size;
    return SL_OK;
}
static uint32_t capset_count(struct vgd *vgd)
{
    (void)vgd;
    return 0;
}
static enum sl_result ring_stats(struct vgd *vgd, uint32_t ctx_id, uint32_t index,
                                 struct vgd_ring_stats *out)
{
    (void)vgd, (void)ctx_id;
    *out = (struct vgd_ring_stats){.resource_id = RING, .preamble = 5};
    return index == 0 ? SL_OK : SL_ERR_NOTFOUND;
}
static bool rest(struct vgd *vgd, bool on)
{
    return on && ((struct bed *)(void *)vgd)->stands;
}
static enum sl_result ctx_save(struct vgd *vgd, uint32_t ctx_id, const struct vgd_saver *saver)
{
    const uint32_t packet[] = {SAVED, 12, ctx_id}, reply = 77;
    struct bed *t = (struct bed *)(void *)vgd;
    enum sl_result result =
        saver->packet(saver->user, RING, packet, sizeof packet, &reply, sizeof reply);
    return result == SL_OK ? t->saves : result;
}
static void nothing(struct vgd *vgd)
{
    (void)vgd;
}

static const struct vgd_ops ops = {.capset_count = capset_count,
                                   .ctx_create = ctx_create,
                                   .ctx_attach = attach,
                                   .submit = submit,
                                   .res_create_blob = create_blob,
                                   .ring_stats = ring_stats,
                                   .rest = rest,
                                   .ctx_save = ctx_save,
                                   .poll = nothing,
                                   .reset = nothing,
                                   .destroy = nothing};

static void on_lost(void *user, uint32_t ctx_id, const char *reason)
{
    (void)user;
    (void)ctx_id;
    (void)reason;
}

static void bed_init(struct bed *t)
{
    const struct vgd_sink front = {.user = t, .ctx_lost = on_lost};
    const uint32_t ring[] = {GFXSTREAM_CONTEXT_CREATE, RING};
    t->vgd.ops = &ops;
    t->stands = true;
    snprintf(t->path, sizeof t->path, "%s/t.slc", SLT_TMPDIR());
    SLT_ASSERT_OK(cap_device_create(&front, &t->recorder));
    t->rings = cap_device_sink(t->recorder).recorder;
    t->device = cap_device_wrap(t->recorder, &t->vgd);
    const struct vgd_ops *o = t->device->ops;
    SLT_ASSERT_OK(o->ctx_create(t->device, CONTEXT, 8, "test"));
    SLT_ASSERT_OK(
        o->res_create_blob(t->device, CONTEXT, RING,
                           &(struct vgd_blob_args){.mem = VIRTGPU_BLOB_HOST3D, .size = 4096}));
    SLT_ASSERT_OK(o->ctx_attach(t->device, CONTEXT, RING));
    SLT_ASSERT_OK(o->submit(t->device, CONTEXT, ring, sizeof ring));
}

static void bed_finish(struct bed *t)
{
    cap_merge_destroy(t->merge);
    cap_reader_close(t->reader);
    t->device->ops->destroy(t->device);
}

SLT_FIXTURE(cap_snapshot, struct bed, bed_init, bed_finish);

static void start(struct bed *t)
{
    SLT_ASSERT_OK(
        cap_device_start(t->recorder, &(struct cap_start){.path = t->path, .meta = "{}"}));
}

static void end(struct bed *t)
{
    struct cap_writer_report report;
    SLT_ASSERT_OK(cap_device_stop(t->recorder, CAP_END_ASKED, 0, &report));
    SLT_ASSERT_OK(cap_reader_open(open(t->path, O_RDONLY | O_CLOEXEC), &t->reader));
    SLT_ASSERT_OK(cap_reader_scan(t->reader));
}

/* A packet of the ring, which ends a frame. */
static void frame(struct bed *t, void *stream, uint32_t value)
{
    const uint32_t packet[] = {OPCODE, 12, value};
    t->rings->packet(stream, packet, sizeof packet, false);
    t->rings->frame(stream, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH, .surface = value});
    t->rings->outcome(stream, &(struct vgd_outcome){.reply_size = 0});
}

/* All records, a word each. */
static void expect(struct bed *t, const char *text)
{
    char got[512] = "";
    struct cap_event e;
    while (cap_merge_next(t->merge, &e, NULL) == SL_OK) {
        size_t at = strlen(got);
        if (e.kind == CAP_EVENT_CALL) {
            snprintf(got + at, sizeof got - at, "%s%u%s ",
                     sl_load_u32(e.call.packet) == SAVED ? "saved" : "call",
                     sl_load_u32(e.call.packet + 8), e.call.has_reply ? "!" : "");
        } else if (e.kind == CAP_EVENT_VERB) {
            snprintf(got + at, sizeof got - at, "v%u ", e.verb.verb);
        } else if (e.kind == CAP_EVENT_FRAME) {
            snprintf(got + at, sizeof got - at, "frame ");
        }
    }
    SLT_EXPECT_STREQ(text, got);
    cap_merge_destroy(t->merge);
    t->merge = NULL;
}

/* Context, blob, attach, ring, stream; then what the context says. */
#define STATE "v1 v7 v3 v5 v130 saved3! "

static void count(void *user)
{
    (*(uint32_t *)user)++;
}

static void count_lost(void *user, uint32_t ctx_id)
{
    *(uint32_t *)user += ctx_id;
}

/* Frame 1 alone: the snapshot stands behind frame 0, and what comes later is nobody's. */
SLT_TEST_F(cap_snapshot, a_range_is_counted_from_the_beginning, t)
{
    uint32_t over = 0;
    SLT_ASSERT_OK(cap_device_start(t->recorder, &(struct cap_start){.path = t->path,
                                                                    .meta = "{}",
                                                                    .first = 1,
                                                                    .end = 2,
                                                                    .more = true,
                                                                    .over = count,
                                                                    .over_user = &over}));
    void *stream = t->rings->begin(t->rings->user, CONTEXT, RING, 5);
    frame(t, stream, 1);
    SLT_ASSERT_TRUE((*t->rings->epoch & VGD_EPOCH_REST) != 0);
    t->device->ops->poll(t->device);
    SLT_EXPECT_EQ(0u, over);
    frame(t, stream, 2);
    SLT_ASSERT_TRUE((*t->rings->epoch & VGD_EPOCH_REST) != 0); /* until the next one began */
    t->device->ops->poll(t->device);
    SLT_EXPECT_EQ(1u, over);
    frame(t, stream, 3);
    t->device->ops->poll(t->device);
    SLT_EXPECT_EQ(1u, over);
    t->rings->end(stream);
    end(t);
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
    expect(t, STATE "call2 frame ");
}

SLT_TEST_F(cap_snapshot, a_lost_context_is_told, t)
{
    uint32_t lost = 0;
    const struct vgd_sink sink = cap_device_sink(t->recorder);
    sink.ctx_lost(sink.user, CONTEXT, "nothing is recorded");
    SLT_ASSERT_OK(cap_device_start(
        t->recorder, &(struct cap_start){
                         .path = t->path, .meta = "{}", .lost = count_lost, .over_user = &lost}));
    SLT_EXPECT_EQ(0u, lost);
    sink.ctx_lost(sink.user, CONTEXT, "it broke the protocol");
    SLT_EXPECT_EQ((uint32_t)CONTEXT, lost);
    end(t);
    sink.ctx_lost(sink.user, CONTEXT, "nothing is recorded any more");
    SLT_EXPECT_EQ((uint32_t)CONTEXT, lost);
}

SLT_TEST_F(cap_snapshot, a_recording_that_begins_late_begins_with_one, t)
{
    uint64_t tries;
    start(t);
    void *stream = t->rings->begin(t->rings->user, CONTEXT, RING, 5);
    SLT_ASSERT_TRUE(stream != NULL);
    SLT_EXPECT_TRUE(cap_device_is_waiting(t->recorder, &tries));
    frame(t, stream, 1); /* nobody takes it */
    SLT_ASSERT_TRUE((*t->rings->epoch & VGD_EPOCH_REST) != 0);
    SLT_ASSERT_OK(cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    SLT_EXPECT_TRUE((*t->rings->epoch & VGD_EPOCH_REST) == 0);
    SLT_EXPECT_TRUE(!cap_device_is_waiting(t->recorder, &tries));
    frame(t, stream, 2);
    t->rings->end(stream);
    end(t);
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
    expect(t, STATE "call2 frame v131 ");
}

SLT_TEST_F(cap_snapshot, later_ones_serve_those_who_seek, t)
{
    struct cap_merge_snapshot *all;
    uint32_t count;
    start(t);
    SLT_ASSERT_OK(cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    void *stream = t->rings->begin(t->rings->user, CONTEXT, RING, 5);
    frame(t, stream, 1);
    SLT_ASSERT_OK(cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    frame(t, stream, 2);
    t->rings->end(stream);
    end(t);
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
    expect(t, STATE "call1 frame call2 frame v131 ");
    SLT_ASSERT_OK(cap_merge_snapshots(t->reader, &all, &count));
    SLT_ASSERT_EQ(2u, count);
    SLT_EXPECT_EQ(0u, all[0].mark.frame);
    SLT_EXPECT_EQ(1u, all[1].mark.frame);
    SLT_ASSERT_OK(cap_merge_create_at(t->reader, all[1].begin, &t->merge));
    SLT_EXPECT_TRUE(cap_merge_is_in_snapshot(t->merge));
    free(all);
    expect(t, STATE "call2 frame v131 ");
}

/* A packet that waits for others is the snapshot's last, and has its answer behind. */
SLT_TEST_F(cap_snapshot, a_packet_that_waits_is_in_it, t)
{
    const uint32_t packet[] = {OPCODE, 12, 4}, reply = 6;
    start(t);
    void *stream = t->rings->begin(t->rings->user, CONTEXT, RING, 5);
    t->rings->packet(stream, packet, sizeof packet, false);
    SLT_ASSERT_OK(cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    t->rings->outcome(stream, &(struct vgd_outcome){.reply = &reply, .reply_size = sizeof reply});
    frame(t, stream, 5);
    t->rings->end(stream);
    end(t);
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
    expect(t, STATE "call4! call5 frame v131 ");
}

static void *stop(void *user)
{
    struct bed *t = user;
    struct cap_writer_report report;
    SLT_EXPECT_OK(cap_device_stop(t->recorder, CAP_END_ASKED, 0, &report));
    return NULL;
}

/* A ring that sees it switched off is not recorded any more; from then on no ring is. */
SLT_TEST_F(cap_snapshot, a_recording_stops_for_all_rings_at_once, t)
{
    pthread_t thread;
    start(t);
    void *stream = t->rings->begin(t->rings->user, CONTEXT, RING, 5);
    SLT_ASSERT_OK(cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    frame(t, stream, 1);
    pthread_mutex_lock(&t->recorder->lock); /* the stop stands still within */
    SLT_ASSERT_OK(sl_thread_start(&thread, "stop", 0, stop, t));
    while (sl_atomic_load_acquire(t->rings->epoch) != 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    frame(t, stream, 2);
    pthread_mutex_unlock(&t->recorder->lock);
    pthread_join(thread, NULL);
    t->rings->end(stream);
    SLT_ASSERT_OK(cap_reader_open(open(t->path, O_RDONLY | O_CLOEXEC), &t->reader));
    SLT_ASSERT_OK(cap_reader_scan(t->reader));
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
    expect(t, STATE "call1 frame ");
}

SLT_TEST_F(cap_snapshot, what_comes_to_nothing_is_passed_by, t)
{
    uint64_t tries;
    start(t);
    t->saves = SL_ERR_UNSUPPORTED;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    t->stands = false;
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    SLT_EXPECT_TRUE(cap_device_is_waiting(t->recorder, &tries));
    SLT_EXPECT_EQ(2u, tries);
    t->stands = true;
    t->saves = SL_OK;
    SLT_EXPECT_OK(cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    void *stream = t->rings->begin(t->rings->user, CONTEXT, RING, 5);
    frame(t, stream, 1);
    t->saves = SL_ERR_UNSUPPORTED;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
    frame(t, stream, 2);
    t->rings->end(stream);
    end(t);
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
    expect(t, STATE "call1 frame call2 frame v131 ");
}

SLT_TEST_F(cap_snapshot, is_of_a_recording, t)
{
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, cap_device_snapshot(t->recorder, CAP_SNAPSHOT_PERIOD));
}
