/* Every GLES command through the ring's packet loop, the generated handlers and a driver that
 * remembers: what was packed is what the driver is asked, outputs come back in the reply, and what
 * policy refuses asks the driver nothing and answers zeros. */
#include "check/fake_gl.h"
#include "host/gles/hgl.h"
#include "host/gles1_dispatch.h"
#include "host/gles2_dispatch.h"
#include "host/glesx_dispatch.h"
#include "tests/support/slt.h"
#include "tests/wire/apis.h"
#include "wire/gles2_opcodes.h"

#include <stdlib.h>
#include <string.h>

enum { DATA = 256, FILL = 0x5a, PACKET_MAX = 1 << 16 };

struct world {
    struct gl_driver gl;
    struct hgl_ring binding;
    struct hgl_api api; /* no state: hand-written handlers refuse before they ask the driver */
    struct hr_ring *ring;
    struct plan_vector vector;
    uint8_t *packet;
    uint8_t reply[PACKET_MAX];
    size_t reply_size;
    uint32_t replies;
    char lost[192];
};

static void on_reply(void *user, const void *reply, size_t size)
{
    struct world *w = user;
    memcpy(w->reply, reply, size < sizeof w->reply ? size : sizeof w->reply);
    w->reply_size = size;
    w->replies++;
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)ring;
    strncpy(((struct world *)user)->lost, reason, sizeof((struct world *)user)->lost - 1);
}

static void ring_open(struct world *w)
{
    const struct hr_binding bindings[] = {
        {&gles2_family, &w->api}, {&gles1_family, &w->api}, {&glesx_family, &w->api}};
    const struct hr_config config = {.name = "test",
                                     .bindings = bindings,
                                     .binding_count = 3,
                                     .user = w,
                                     .lost = on_lost,
                                     .reply = on_reply};
    SLT_ASSERT_OK(hr_ring_create_fed(&config, &w->ring));
    w->lost[0] = '\0';
}

static void world_init(struct world *w)
{
    fake_gl_driver(&w->gl);
    w->api.gl = &w->gl;
    w->api.ring = &w->binding;
    w->packet = malloc(PACKET_MAX);
    w->vector.pool = calloc(1, PLAN_POOL_SIZE);
    ring_open(w);
}

static void world_finish(struct world *w)
{
    hr_ring_destroy(w->ring);
    free(w->packet);
    free(w->vector.pool);
}

SLT_FIXTURE(dispatch, struct world, world_init, world_finish);

/* Small numbers and long data: every length rule is met. */
static void friendly(struct world *w, const struct plan_command *c, uint64_t *state)
{
    for (uint8_t i = 0; i < c->field_count; i++) {
        struct plan_value *value = &w->vector.values[i];
        *value = (struct plan_value){0};
        if (c->fields[i].step == PLAN_SCALAR) {
            value->bits = plan_random(state) % 3;
            if (c->fields[i].prim == PLAN_F32) {
                float number = (float)value->bits + 0.5f;
                uint32_t bits;
                memcpy(&bits, &number, sizeof bits);
                value->bits = bits;
            }
        } else if (c->fields[i].step != PLAN_ADDRESS) {
            value->size = DATA;
            value->bytes = c->fields[i].step == PLAN_BYTES ? w->vector.pool : NULL;
        }
    }
}

static size_t asked_for(const struct plan_command *c, const struct plan_value *values)
{
    size_t size = c->has_value ? plan_prim_size(c->value_prim) : 0;
    for (uint8_t i = 0; i < c->field_count; i++) {
        size += c->fields[i].step == PLAN_OUT_LENGTH ? values[i].size : 0;
    }
    return size;
}

/* The driver has our scalars; every output begins with its fill. */
static void expect_called(struct world *w, const struct plan_command *c)
{
    SLT_ASSERT_EQ(1u, fake_gl.calls);
    SLT_EXPECT_STREQ(c->name, fake_gl.name);
    SLT_ASSERT_EQ(c->field_count, fake_gl.count);
    size_t at = 0;
    for (uint8_t i = 0; i < c->field_count; i++) {
        const struct plan_value *value = &w->vector.values[i];
        if (c->fields[i].step == PLAN_SCALAR) {
            SLT_SCOPE("%s", c->fields[i].name);
            SLT_EXPECT_EQ(value->bits, fake_gl.args[i]);
        } else if (c->fields[i].step == PLAN_OUT_LENGTH) {
            SLT_EXPECT_EQ(FILL, w->reply[at]);
            SLT_EXPECT_EQ(0, w->reply[at + DATA - 1]);
            at += DATA;
        }
    }
    if (c->has_value) {
        SLT_EXPECT_EQ(1, w->reply[at]);
    }
}

static void expect_refused(const struct world *w)
{
    SLT_EXPECT_EQ(0u, fake_gl.calls);
    for (size_t i = 0; i < w->reply_size; i++) {
        SLT_ASSERT_EQ(0, w->reply[i]);
    }
}

struct dispatch_api {
    const char *label;
    int api;
    uint32_t native, hand, refused; /* as policy has them: none is passed over */
};
static const struct dispatch_api dispatch_apis[] = {{"gles1", WIRE_GLES1, 225, 50, 18},
                                                    {"gles2", WIRE_GLES2, 273, 105, 61},
                                                    {"glesx", WIRE_GLESX, 41, 28, 11}};

SLT_TEST_FP(dispatch, asks_the_driver_what_was_packed, w, struct dispatch_api, dispatch_apis, p)
{
    const struct wire_api *api = &wire_apis[p->api];
    uint32_t counts[3] = {0};
    uint64_t state = 7;
    const struct plan_framing plain = {0};
    for (uint32_t i = 0; i < api->plan->count; i++) {
        const struct plan_command *c = &api->plan->commands[i];
        SLT_SCOPE("%s", c->name);
        friendly(w, c, &state);
        size_t size = plan_encode(api->plan, api->plan->first_opcode + i, w->vector.values, &plain,
                                  w->packet, PACKET_MAX);
        SLT_ASSERT_LE(size, (size_t)PACKET_MAX);
        w->reply_size = 0;
        w->replies = 0;
        fake_gl = (struct fake_gl){.fill = FILL, .result = 1};
        SLT_ASSERT_TRUE(hr_ring_feed(w->ring, w->packet, size));
        size_t want = asked_for(c, w->vector.values);
        SLT_EXPECT_EQ(want, w->reply_size);
        SLT_EXPECT_EQ(want != 0, w->replies == 1);
        counts[api->adapters[i].policy]++;
        if (api->adapters[i].policy == PLAN_NATIVE) {
            expect_called(w, c);
        } else if (api->adapters[i].policy == PLAN_REFUSE) {
            expect_refused(w);
        }
    }
    SLT_EXPECT_EQ(p->native, counts[PLAN_NATIVE]);
    SLT_EXPECT_EQ(p->hand, counts[PLAN_HAND]);
    SLT_EXPECT_EQ(p->refused, counts[PLAN_REFUSE]);
}

/* One packet of values that agree, except that field `less` is a byte shorter than its rule. */
static void feed_fitting(struct world *w, const struct wire_api *api, uint32_t i, uint8_t less)
{
    const struct plan_framing plain = {0};
    struct plan_value *values = w->vector.values;
    if (less < PLAN_FIELDS_MAX) {
        values[less].size--;
    }
    size_t size =
        plan_encode(api->plan, api->plan->first_opcode + i, values, &plain, w->packet, PACKET_MAX);
    SLT_ASSERT_LE(size, (size_t)PACKET_MAX);
    w->reply_size = 0;
    fake_gl = (struct fake_gl){.fill = FILL, .result = 1};
    SLT_ASSERT_TRUE(hr_ring_feed(w->ring, w->packet, size));
    SLT_EXPECT_EQ(asked_for(&api->plan->commands[i], values), w->reply_size);
    if (less < PLAN_FIELDS_MAX) {
        values[less].size++;
    }
}

/* The sum of the input bytes that the driver must have read; false: an input has no rule, so that
 * nobody knows how far the driver reads. */
static bool expected_sum(const struct plan_command *c, const struct plan_value *values,
                         uint8_t *sum)
{
    *sum = 0;
    for (uint8_t i = 0; i < c->field_count; i++) {
        uint64_t size;
        if (c->fields[i].step != PLAN_BYTES) {
            continue;
        }
        if (!plan_length(c, i, values, &size) && c->fields[i].kind != PLAN_STRING) {
            return false;
        }
        for (uint32_t j = 0; j < values[i].size; j++) {
            *sum = (uint8_t)(*sum + values[i].bytes[j]);
        }
    }
    return true;
}

/* Inputs and outputs exactly as long as their rules say are enough, and one byte less is not. */
static void at_the_rules_edge(struct world *w, const struct wire_api *api, uint32_t i,
                              uint64_t *state, uint32_t *edges, uint32_t *sums)
{
    const struct plan_command *c = &api->plan->commands[i];
    plan_vector_fit(c, 200, state, &w->vector);
    for (uint8_t f = 0; f < c->field_count; f++) { /* not with a NULL */
        uint64_t size;
        if (plan_length(c, f, w->vector.values, &size) && w->vector.values[f].size < size) {
            return;
        }
    }
    feed_fitting(w, api, i, PLAN_FIELDS_MAX);
    SLT_EXPECT_EQ(1u, fake_gl.calls);
    uint8_t sum;
    if (fake_gl.calls == 1 && expected_sum(c, w->vector.values, &sum)) {
        SLT_EXPECT_EQ(sum, fake_gl.sum);
        (*sums)++;
    }
    for (uint8_t f = 0; f < c->field_count; f++) {
        const struct plan_field *field = &c->fields[f];
        /* An output is copied as far as it was asked for: how much a name has is GL's business. */
        bool by_name = field->rule_count != 0 && field->rule[0].op == PLAN_RULE_CALL;
        if (field->rule_count == 0 || w->vector.values[f].size < 2 ||
            (field->step == PLAN_OUT_LENGTH && by_name)) {
            continue;
        }
        SLT_SCOPE("%s: a byte less than %u", field->name, w->vector.values[f].size);
        feed_fitting(w, api, i, f);
        expect_refused(w);
        (*edges)++;
    }
}

SLT_TEST_FP(dispatch, takes_no_byte_less_than_the_rules_say, w, struct dispatch_api, dispatch_apis,
            p)
{
    const struct wire_api *api = &wire_apis[p->api];
    uint32_t edges = 0, sums = 0;
    uint64_t state = 5;
    for (size_t i = 0; i < PLAN_POOL_SIZE; i++) {
        w->vector.pool[i] = (uint8_t)plan_random(&state);
    }
    for (uint32_t round = 0; round < 40; round++) {
        for (uint32_t i = 0; i < api->plan->count; i++) {
            if (api->adapters[i].policy == PLAN_NATIVE) {
                SLT_SCOPE("%s, round %u", api->plan->commands[i].name, round);
                at_the_rules_edge(w, api, i, &state, &edges, &sums);
            }
        }
    }
    SLT_EXPECT_GE(edges, p->native * 4);
    SLT_EXPECT_GE(sums, p->native * 20);
}

/* An input without a byte is an application's NULL: the driver reads zeros, as many as the rule
 * says, and more than some are not kept for it. */
static void without_an_input(struct world *w, const struct wire_api *api, uint32_t i,
                             uint64_t *state, uint32_t *missing)
{
    const struct plan_command *c = &api->plan->commands[i];
    plan_vector_fit(c, 200, state, &w->vector);
    for (uint8_t f = 0; f < c->field_count; f++) {
        struct plan_value *value = &w->vector.values[f], there = *value;
        uint64_t size;
        bool is_text = c->fields[f].kind == PLAN_STRING;
        if (c->fields[f].step != PLAN_BYTES || c->fields[f].nullable || value->size == 0 ||
            (!is_text && !plan_length(c, f, w->vector.values, &size))) {
            continue;
        }
        SLT_SCOPE("%s: nothing", c->fields[f].name);
        *value = (struct plan_value){0};
        feed_fitting(w, api, i, PLAN_FIELDS_MAX);
        SLT_EXPECT_EQ(1u, fake_gl.calls);
        uint8_t sum;
        if (fake_gl.calls == 1 && expected_sum(c, w->vector.values, &sum)) {
            SLT_EXPECT_EQ(sum, fake_gl.sum);
        }
        *value = there;
        (*missing)++;
    }
}

SLT_TEST_F(dispatch, reads_zeros_where_nothing_came, w)
{
    uint64_t state = 7;
    for (size_t i = 0; i < PLAN_POOL_SIZE; i++) {
        w->vector.pool[i] = (uint8_t)plan_random(&state);
    }
    for (size_t p = 0; p < sizeof dispatch_apis / sizeof *dispatch_apis; p++) {
        const struct wire_api *api = &wire_apis[dispatch_apis[p].api];
        uint32_t missing = 0;
        for (uint32_t round = 0; round < 10; round++) {
            for (uint32_t i = 0; i < api->plan->count; i++) {
                if (api->adapters[i].policy == PLAN_NATIVE) {
                    SLT_SCOPE("%s, round %u", api->plan->commands[i].name, round);
                    without_an_input(w, api, i, &state, &missing);
                }
            }
        }
        SLT_EXPECT_GE(missing, 30u);
    }
}

SLT_TEST_F(dispatch, keeps_no_large_zeros, w)
{
    enum { MATRIX = 64, MOST = HR_ZEROS_MAX / MATRIX, LENGTH = 21 };
    for (uint32_t count = MOST; count <= MOST + 1; count++) {
        uint8_t packet[LENGTH] = {0}; /* of a transpose, and of the size of no values, too */
        sl_store_u32(packet, GLES2_OP_glUniformMatrix4fv);
        sl_store_u32(packet + 4, LENGTH);
        sl_store_u32(packet + 12, count);
        fake_gl = (struct fake_gl){.fill = FILL};
        SLT_ASSERT_TRUE(hr_ring_feed(w->ring, packet, LENGTH));
        SLT_EXPECT_EQ(count == MOST ? 1u : 0u, fake_gl.calls);
    }
}

/* Damaged packets of every command: handlers, hand-written ones too, stay within what came. */
SLT_TEST_FP(dispatch, survives_damage, w, struct dispatch_api, dispatch_apis, p)
{
    const struct wire_api *api = &wire_apis[p->api];
    uint64_t state = 11;
    const struct plan_framing plain = {0};
    for (uint32_t n = 0; n < 8000; n++) {
        uint32_t i = n % api->plan->count;
        plan_vector_make(&api->plan->commands[i], 500, &state, &w->vector);
        size_t size = plan_encode(api->plan, api->plan->first_opcode + i, w->vector.values, &plain,
                                  w->packet, PACKET_MAX);
        SLT_ASSERT_LE(size, (size_t)PACKET_MAX);
        size = plan_mutate(w->packet, size, &state);
        if (size >= PLAN_HEADER_SIZE) {
            sl_store_u32(w->packet + 4, (uint32_t)size);
        }
        if (!hr_ring_feed(w->ring, w->packet, size)) {
            SLT_ASSERT_NE('\0', w->lost[0]);
        }
        if (w->lost[0] != '\0' || size < PLAN_HEADER_SIZE) { /* a new ring for the next one */
            hr_ring_destroy(w->ring);
            ring_open(w);
        }
    }
}
