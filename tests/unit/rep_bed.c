#include "tests/unit/rep_bed.h"

#include "transport/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 8, TURN = 4 };

void rep_bed_init(struct rep_bed *t)
{
    trace_maker_init(&t->maker);
}

void rep_bed_finish(struct rep_bed *t)
{
    rep_destroy(t->rep);
    cap_reader_close(t->reader);
    trace_maker_finish(&t->maker);
}

void rep_bed_verb(struct rep_bed *t, enum cap_verb verb, const void *body, size_t size)
{
    t->stamp++;
    trace_verbs_begin(&t->maker, t->stamp);
    trace_verb(&t->maker, t->stamp, verb, body, size);
    trace_chunk(&t->maker, &(struct trace_chunk){.kind = CAP_KIND_VERB,
                                                 .records = 1,
                                                 .first_stamp = t->stamp,
                                                 .first_record = t->verbs++});
}

void rep_bed_context(struct rep_bed *t, uint32_t ctx_id)
{
    const struct cap_verb_ctx body = {.ctx_id = ctx_id, .value = VIRTGPU_CAPSET_GFXSTREAM_VULKAN};
    rep_bed_verb(t, CAP_VERB_CTX_CREATE, &body, sizeof body);
}

/* With its turn before the body. */
static void put_packet(struct rep_bed *t, uint32_t opcode, uint32_t turn, const void *body,
                       size_t size, bool has_sum)
{
    uint32_t all = (uint32_t)(HEADER + TURN + size);
    trace_put_u8(&t->maker, (uint8_t)(CAP_CALL_PACKET | (has_sum ? CAP_CALL_SUM : 0)));
    trace_put_varint(&t->maker, 0);
    trace_put_u32(&t->maker, opcode);
    trace_put_u32(&t->maker, all);
    trace_put_u32(&t->maker, turn);
    trace_put(&t->maker, body, size);
}

void rep_bed_call(struct rep_bed *t, uint32_t stream, uint32_t opcode, uint32_t turn,
                  const void *body, size_t size, const struct rep_bed_end *end)
{
    t->stamp++;
    trace_calls_begin(&t->maker, t->stamp, t->contexts[stream], REP_BED_RING + stream,
                      VIRTGPU_CAPSET_GFXSTREAM_VULKAN);
    put_packet(t, opcode, turn, body, size, end != NULL && end->has_sum);
    if (end != NULL) {
        trace_result(&t->maker, 0, t->stamp, end->reply, end->reply_size);
    }
    trace_chunk(&t->maker, &(struct trace_chunk){.kind = CAP_KIND_CALL,
                                                 .stream = stream,
                                                 .records = 1,
                                                 .first_stamp = t->stamp,
                                                 .first_record = t->calls[stream]++});
}

void rep_bed_frame(struct rep_bed *t, uint32_t stream)
{
    trace_frame(&t->maker, t->stamp, stream, t->frames++);
}

void rep_bed_open(struct rep_bed *t, const struct rep_options *options)
{
    trace_end(&t->maker);
    SLT_ASSERT_OK(cap_reader_open(trace_maker_fd(&t->maker), &t->reader));
    SLT_ASSERT_OK(cap_reader_scan(t->reader));
    SLT_ASSERT_TRUE(t->reader->is_complete);
    SLT_ASSERT_OK(rep_create(t->reader, options, &t->rep));
    t->rep->report = &t->report;
}
