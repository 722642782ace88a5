/* All ways take turns: a ring without a recorder, with one that is off, with one that is on. */
#include "tools/sluice/bench_record.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "host/capture/cap_recording.h"
#include "host/ring/ring.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS  15
#define THREADS 4u
#define PACKET  BENCH_RECORD_PACKET
#define BATCH   4096u /* packets fed at once: 256 KiB */
#define BATCHES 24u   /* of a round, on all threads: 6 MiB, far from a full queue */
#define FULL    (40 * BATCHES)
#define OPCODE  1000u

struct bed {
    struct cap_memory memory;
    struct cap_recording *recording;
    struct vgd_recorder recorder;
    uint32_t epoch, wants_pixel;
    char path[256];
};

/* Aligned: each thread writes its own at every packet, and processors fetch lines in pairs. */
struct lane {
    _Alignas(128) struct hr_ring *ring;
    uint64_t sum;
    uint32_t batches;
    uint8_t *bytes; /* BATCH packets */
    double ns;      /* for each packet */
};

/* The process is for this alone: see bench_record. */
static void need(bool ok, const char *what)
{
    if (!ok) {
        say_error("--record-cost: %s", what);
        exit(SLUICE_EXIT_INTERNAL);
    }
}

/* ---- the ring's side ---- */

static void on_draw(struct hr_call *call)
{
    struct lane *lane = call->user;
    lane->sum += sl_unpack_u32(&call->in);
}

static const hr_handler handlers[] = {on_draw};
static const char *name_of(uint32_t opcode)
{
    (void)opcode;
    return "draw";
}
static const struct hr_family family = {.name = "bench",
                                        .first_opcode = OPCODE,
                                        .count = 1,
                                        .handlers = handlers,
                                        .opcode_name = name_of};

static void lane_open(struct lane *lane, const struct vgd_recorder *recorder, uint32_t batches)
{
    const struct hr_binding binding = {&family, lane};
    const struct hr_config config = {.name = "bench",
                                     .bindings = &binding,
                                     .binding_count = 1,
                                     .user = lane,
                                     .recorder = recorder,
                                     .ctx_id = 1,
                                     .ring_id = 1};
    *lane = (struct lane){.batches = batches, .bytes = malloc(BATCH * PACKET)};
    need(lane->bytes != NULL && hr_ring_create_fed(&config, &lane->ring) == SL_OK, "memory");
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t words[PACKET / 4] = {OPCODE, PACKET, i, i % 7, 0x8892, i * 16, i % 3, 0x1406};
        memcpy(lane->bytes + i * PACKET, words, sizeof words);
    }
}

static void lane_close(struct lane *lane)
{
    need(hr_ring_destroy(lane->ring), "a ring does not end");
    free(lane->bytes);
}

static void *run(void *user)
{
    struct lane *lane = user;
    for (uint32_t i = 0; i < BATCHES; i++) { /* the recorder's buffers come from the system once */
        need(hr_ring_feed(lane->ring, lane->bytes, BATCH * PACKET), "a ring is lost");
    }
    uint64_t begin = sl_clock_thread_cpu_ns();
    for (uint32_t i = 0; i < lane->batches; i++) {
        need(hr_ring_feed(lane->ring, lane->bytes, BATCH * PACKET), "a ring is lost");
    }
    lane->ns = (double)(sl_clock_thread_cpu_ns() - begin) / ((double)lane->batches * BATCH);
    return NULL;
}

/* ns for each packet of one of `threads` rings. */
static double measure(const struct vgd_recorder *recorder, uint32_t threads, uint32_t batches)
{
    struct lane lanes[THREADS];
    pthread_t ids[THREADS];
    double ns = 0;
    for (uint32_t i = 0; i < threads; i++) {
        lane_open(&lanes[i], recorder, batches);
    }
    for (uint32_t i = 1; i < threads; i++) {
        need(sl_thread_start(&ids[i], "bench", 0, run, &lanes[i]) == SL_OK, "a thread");
    }
    (void)run(&lanes[0]);
    for (uint32_t i = 0; i < threads; i++) {
        if (i != 0) {
            pthread_join(ids[i], NULL);
        }
        ns += lanes[i].ns / threads;
        lane_close(&lanes[i]);
    }
    return ns;
}

/* ---- the recorder's side ---- */

static void *on_begin(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble)
{
    struct bed *bed = user;
    const struct cap_call_head head = {.ctx_id = ctx_id, .ring_id = ring_id, .preamble = preamble};
    return cap_stream_begin(bed->recording, &head);
}

static void record_begin(struct bed *bed)
{
    const struct cap_start start = {.path = bed->path, .level = 1, .force = true};
    need(cap_recording_start(&start, &bed->memory, &bed->recording) == SL_OK, "the file");
    bed->epoch++;
}

static struct cap_writer_report record_end(struct bed *bed)
{
    struct cap_writer_report report;
    cap_recording_end(bed->recording);
    cap_writer_finish(bed->recording->writer, CAP_END_ASKED, 0, &report);
    cap_recording_unref(bed->recording);
    need(report.error == 0 && unlink(bed->path) == 0, "the file");
    return report;
}

static double measure_recorded(struct bed *bed, uint32_t threads, uint32_t batches,
                               struct cap_writer_report *report)
{
    record_begin(bed);
    double ns = measure(&bed->recorder, threads, batches);
    *report = record_end(bed);
    return ns;
}

/* Packets a second that reach the file, when more come than the writer packs. */
static double measure_full(struct bed *bed, uint32_t threads, struct cap_writer_report *report)
{
    uint64_t begin = sl_clock_ns();
    (void)measure_recorded(bed, threads, FULL / threads, report);
    return (double)report->totals.calls * SL_NS_PER_S / (double)(sl_clock_ns() - begin);
}

void bench_record(const char *folder, struct bench_record *out)
{
    double plain[ROUNDS], armed[ROUNDS], recorded[ROUNDS], recorded_4[ROUNDS];
    struct cap_writer_report report;
    struct bed bed = {0};
    snprintf(bed.path, sizeof bed.path, "%.200s/sluice-bench-%d.slc", folder, (int)getpid());
    cap_memory_init(&bed.memory);
    bed.recorder = (struct vgd_recorder){.user = &bed,
                                         .epoch = &bed.epoch,
                                         .wants_pixel = &bed.wants_pixel,
                                         .begin = on_begin,
                                         .packet = cap_stream_packet,
                                         .packets = cap_stream_packets,
                                         .outcome = cap_stream_outcome,
                                         .end = cap_stream_end};
    for (int i = 0; i < ROUNDS; i++) {
        plain[i] = measure(NULL, 1, BATCHES);
        bed.epoch = 0;
        armed[i] = measure(&bed.recorder, 1, BATCHES);
        bed.epoch = (uint32_t)i * 3 + 1;
        recorded[i] = measure_recorded(&bed, 1, BATCHES, &report);
        recorded_4[i] = measure_recorded(&bed, THREADS, BATCHES / THREADS, &report);
    }
    double full_4 = measure_full(&bed, THREADS, &report);
    double full = measure_full(&bed, 1, &report);
    cap_memory_finish(&bed.memory);
    *out =
        (struct bench_record){.plain = bench_figure_of(plain, ROUNDS),
                              .armed = bench_figure_of(armed, ROUNDS),
                              .recorded = bench_figure_of(recorded, ROUNDS),
                              .recorded_4 = bench_figure_of(recorded_4, ROUNDS),
                              .file_bytes = (double)report.file_size / (double)report.totals.calls,
                              .full = full,
                              .full_4 = full_4,
                              .stalls = (unsigned long long)report.totals.stalls};
}
