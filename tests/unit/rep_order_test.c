/* In which order a replay takes the records of a trace: packets by their turns, frames behind what
 * completes them, and nothing that waits for what is not in the trace. */
#include "tests/unit/rep_bed.h"
#include "transport/base/bytes.h"
#include "wire/vk_opcodes.h"

#include <stdio.h>
#include <string.h>

SLT_FIXTURE(rep_order, struct rep_bed, rep_bed_init, rep_bed_finish);

enum { OPCODE = 7000 };

/* Context 1 has streams 1 to 4, context 2 the others. */
static void two_contexts(struct rep_bed *t)
{
    for (uint32_t i = 0; i < REP_BED_STREAMS; i++) {
        t->contexts[i] = i < 5 ? 1 : 2;
    }
    rep_bed_context(t, 1);
    rep_bed_context(t, 2);
}

static void call(struct rep_bed *t, uint32_t stream, uint32_t turn)
{
    rep_bed_call(t, stream, OPCODE, turn, NULL, 0, NULL);
}

/* All that is played, a word each: "stream.turn". */
static void expect(struct rep_bed *t, const char *text)
{
    char got[512] = "";
    struct cap_event e;
    while (rep_order_next(t->rep, &e) == SL_OK) {
        size_t at = strlen(got), room = sizeof got - at;
        if (e.kind == CAP_EVENT_CALL) {
            snprintf(got + at, room, "%u.%u ", e.stream, sl_load_u32(e.call.packet + 8));
        } else if (e.kind == CAP_EVENT_FRAME) {
            snprintf(got + at, room, "frame%u ", (unsigned)e.number);
        } else if (e.kind == CAP_EVENT_VERB && e.verb.verb != CAP_VERB_CTX_CREATE) {
            snprintf(got + at, room, "verb%u ", e.verb.verb);
        }
        if (e.kind == CAP_EVENT_FRAME && e.number + 1 == t->rep->options.stop_frame) {
            break;
        }
    }
    SLT_EXPECT_STREQ(text, got);
}

static const struct rep_options all = {.stop_frame = UINT64_MAX, .stop_call = UINT64_MAX};

SLT_TEST_F(rep_order, packets_come_by_their_turns, t)
{
    two_contexts(t);
    call(t, 2, 3); /* it began first, and waits for the two */
    call(t, 5, 1); /* another context does not */
    call(t, 3, 2);
    call(t, 1, 1);
    call(t, 1, 4);
    rep_bed_open(t, &all);
    expect(t, "5.1 1.1 3.2 2.3 1.4 ");
    SLT_EXPECT_EQ(0u, t->report.unplayed.calls);
}

SLT_TEST_F(rep_order, turns_go_round, t)
{
    const uint32_t restored[] = {1, UINT32_MAX - 1, 0, 0, 0, 0}; /* last, passed */
    two_contexts(t);
    rep_bed_call(t, 1, VK_OP_vkRestoreSLUICE, 1, restored, sizeof restored, NULL);
    call(t, 2, 0);
    call(t, 1, UINT32_MAX);
    call(t, 1, 1);
    rep_bed_open(t, &all);
    expect(t, "1.1 1.4294967295 2.0 1.1 ");
}

/* The mark is behind what its packet waits for, and keeps its number. */
SLT_TEST_F(rep_order, a_frame_comes_behind_its_packet, t)
{
    two_contexts(t);
    call(t, 1, 2);
    rep_bed_frame(t, 1);
    call(t, 5, 1);
    rep_bed_frame(t, 5);
    call(t, 2, 1);
    call(t, 5, 2);
    rep_bed_open(t, &all);
    expect(t, "5.1 frame1 2.1 1.2 frame0 5.2 ");
}

/* As every other recording ends that is switched off. */
SLT_TEST_F(rep_order, what_waits_at_the_end_is_left_out, t)
{
    two_contexts(t);
    call(t, 1, 1);
    rep_bed_frame(t, 1);
    call(t, 2, 3);
    call(t, 1, 4);
    call(t, 5, 1);
    rep_bed_open(t, &all);
    expect(t, "1.1 frame0 5.1 ");
    SLT_EXPECT_EQ(2u, t->report.unplayed.calls);
    SLT_EXPECT_EQ(4u, t->report.unplayed.first_call);
    SLT_EXPECT_EQ(0u, t->report.unplayed.frames);
}

/* Stream 2 left the recording before stream 1 did, which went on for a while. */
SLT_TEST_F(rep_order, a_context_ends_where_a_turn_is_missing, t)
{
    two_contexts(t);
    call(t, 2, 1);
    call(t, 1, 3);
    rep_bed_frame(t, 1);
    call(t, 5, 1);
    rep_bed_frame(t, 5);
    call(t, 1, 4);
    rep_bed_frame(t, 1);
    call(t, 3, 6);
    call(t, 5, 2);
    rep_bed_frame(t, 5);
    rep_bed_open(t, &all);
    expect(t, "2.1 5.1 frame1 5.2 frame3 ");
    SLT_EXPECT_EQ(3u, t->report.unplayed.calls);
    SLT_EXPECT_EQ(2u, t->report.unplayed.frames);
}

/* A thread that ended has sent what others' turns wait for. */
SLT_TEST_F(rep_order, a_rings_last_packet_comes_before_its_end, t)
{
    const struct cap_verb_res ring = {.resource_id = REP_BED_RING + 1},
                              other = {.resource_id = REP_BED_RING + 2};
    two_contexts(t);
    call(t, 1, 2);
    rep_bed_verb(t, CAP_VERB_RES_DESTROY, &other, sizeof other);
    rep_bed_verb(t, CAP_VERB_RES_DESTROY, &ring, sizeof ring);
    call(t, 3, 1);
    call(t, 3, 3);
    rep_bed_open(t, &all);
    expect(t, "verb9 1.2 verb9 3.1 3.3 ");
}

SLT_TEST_F(rep_order, a_context_counts_from_1_again, t)
{
    const struct cap_verb_ctx body = {.ctx_id = 1};
    two_contexts(t);
    call(t, 1, 1);
    call(t, 1, 2);
    call(t, 2, 4); /* its turn never comes */
    rep_bed_verb(t, CAP_VERB_CTX_DESTROY, &body, sizeof body);
    rep_bed_context(t, 1);
    call(t, 3, 2);
    call(t, 4, 1);
    rep_bed_open(t, &all);
    expect(t, "1.1 1.2 verb2 4.1 3.2 ");
    SLT_EXPECT_EQ(1u, t->report.unplayed.calls);
}

/* For who copies what is behind the mark: that is not played, what is before it is. */
SLT_TEST_F(rep_order, all_before_a_mark_is_played, t)
{
    struct rep_options options = all;
    two_contexts(t);
    call(t, 1, 1);
    rep_bed_frame(t, 1);
    call(t, 2, 4);
    call(t, 1, 2);
    call(t, 3, 5);
    rep_bed_frame(t, 1);
    call(t, 1, 3);
    options.stop_frame = 2;
    options.ends_at_mark = true;
    rep_bed_open(t, &options);
    expect(t, "1.1 frame0 1.2 2.4 3.5 frame1 ");
}
