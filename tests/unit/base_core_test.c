/* transport/base: results, log, memory, arena, table, lists, bytes, arithmetic. */
#include "tests/support/slt.h"
#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/handles.h"
#include "transport/base/list.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/table.h"

#include <errno.h>
#include <string.h>

SLT_TEST(result, has_a_name_and_comes_of_an_errno)
{
    for (int r = SL_ERR_IO; r <= SL_OK; r++) {
        SLT_SCOPE("result %d", r);
        SLT_EXPECT_TRUE(strcmp(sl_result_name((enum sl_result)r), "unknown result") != 0);
    }
    SLT_EXPECT_STREQ("unknown result", sl_result_name((enum sl_result)77));
    SLT_EXPECT_RESULT(SL_OK, sl_result_from_errno(0));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, sl_result_from_errno(EPROTO));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, sl_result_from_errno(EPIPE));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_result_from_errno(EMFILE));
    SLT_EXPECT_RESULT(SL_ERR_IO, sl_result_from_errno(EXDEV));
}

SLT_TEST(arith, says_what_fits)
{
    uint64_t out = 5;
    SLT_EXPECT_TRUE(!sl_add_u64(UINT64_MAX, 1, &out));
    SLT_EXPECT_TRUE(!sl_mul_u64(UINT64_MAX, 2, &out));
    SLT_EXPECT_EQ(5u, out);
    SLT_EXPECT_TRUE(sl_add_u64(UINT64_MAX - 1, 1, &out));
    SLT_EXPECT_EQ(UINT64_MAX, out);
    SLT_EXPECT_TRUE(sl_region_fits(8, 0, 8));
    SLT_EXPECT_TRUE(!sl_region_fits(9, 0, 8));
    SLT_EXPECT_TRUE(!sl_region_fits(4, UINT64_MAX, 8));
    SLT_EXPECT_EQ(4096u, sl_round_up(1, 4096));
}

SLT_TEST(bytes, reader_yields_zeros_past_the_end)
{
    const uint8_t data[6] = {1, 0, 0, 0, 2, 3};
    struct sl_reader r = sl_reader_over(data, sizeof data);
    SLT_EXPECT_EQ(1u, sl_reader_u32(&r));
    SLT_EXPECT_TRUE(!r.failed);
    SLT_EXPECT_EQ(0u, sl_reader_u32(&r));
    SLT_EXPECT_TRUE(r.failed);
    SLT_EXPECT_NULL(sl_reader_take(&r, 1));
}

struct item {
    int number;
    struct sl_list link; /* head in the test */
};

SLT_TEST(list, keeps_order_and_lets_go)
{
    struct sl_list head;
    struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    sl_list_init(&head);
    SLT_EXPECT_TRUE(sl_list_empty(&head));
    for (int i = 0; i < 3; i++) {
        sl_list_add(&head, &items[i].link);
    }
    int sum = 0, place = 0;
    SL_LIST_FOR_SAFE(at, &head)
    {
        struct item *item = SL_CONTAINER(at, struct item, link);
        SLT_EXPECT_EQ(place++, item->number);
        sum += item->number;
        sl_list_remove(at);
        sl_list_remove(at);
    }
    SLT_EXPECT_EQ(3, sum);
    SLT_EXPECT_TRUE(sl_list_empty(&head));
}

SLT_TEST(log, levels_select_by_module)
{
    SLT_ASSERT_OK(sl_log_set_levels("info,ring=debug,quiet=error"));
    SLT_EXPECT_TRUE(sl_log_on(SL_LOG_INFO, "other"));
    SLT_EXPECT_TRUE(!sl_log_on(SL_LOG_DEBUG, "other"));
    SLT_EXPECT_TRUE(sl_log_on(SL_LOG_DEBUG, "ring"));
    SLT_EXPECT_TRUE(!sl_log_on(SL_LOG_WARN, "quiet"));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_log_set_levels("error,ring=loud"));
    SLT_EXPECT_TRUE(sl_log_on(SL_LOG_INFO, "other"));
    SLT_ASSERT_OK(sl_log_set_levels("warn"));
    SLT_EXPECT_TRUE(!sl_log_on(SL_LOG_DEBUG, "ring"));
}

SLT_TEST(log, peer_text_cannot_break_a_line)
{
    SLT_EXPECT_LOG("peer", "a?b?c");
    sl_error("peer", "a%cb%cc", '\n', 27);
}

SLT_TEST(log, limit_lets_a_burst_through)
{
    struct sl_log_limit limit = {0};
    unsigned passed = 0;
    for (int i = 0; i < 100; i++) {
        passed += sl_log_limit_pass(&limit, 5);
    }
    SLT_EXPECT_EQ(5u, passed);
    SLT_EXPECT_EQ(95u, limit.dropped);
}

SLT_TEST(mem, counts_live_blocks)
{
    uint64_t before = sl_alloc_live();
    uint8_t *p = sl_alloc(3);
    char *text = sl_strdup("text");
    SLT_ASSERT_TRUE(p != NULL && text != NULL);
    SLT_EXPECT_EQ(before + 2, sl_alloc_live());
    SLT_EXPECT_EQ(0, p[0] | p[1] | p[2]);
    SLT_EXPECT_STREQ("text", text);
    p = sl_realloc(p, 300);
    SLT_EXPECT_EQ(before + 2, sl_alloc_live());
    sl_free(p);
    sl_free(text);
    sl_free(NULL);
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

SLT_TEST(mem, products_that_overflow_fail)
{
    SLT_EXPECT_NULL(sl_alloc_array(SIZE_MAX / 2, 3));
    void *none = sl_alloc(0);
    SLT_EXPECT_TRUE(none != NULL);
    sl_free(none);
}

static void arena_init(struct sl_arena *arena)
{
    sl_arena_init(arena, 100000);
}
SLT_FIXTURE(arena, struct sl_arena, arena_init, sl_arena_finish);

SLT_TEST_F(arena, gives_aligned_disjoint_bytes, arena)
{
    uint8_t *last = NULL;
    SLT_EXPECT_TRUE(sl_arena_get(arena, 0) != NULL);
    for (size_t size = 1; size < 200; size++) {
        uint8_t *p = sl_arena_get(arena, size);
        SLT_ASSERT_TRUE(p != NULL);
        SLT_ASSERT_EQ(0u, (uintptr_t)p % 8);
        SLT_ASSERT_TRUE(p != last);
        memset(p, (int)size, size);
        last = p;
    }
}

SLT_TEST_F(arena, stops_at_its_maximum, arena)
{
    SLT_EXPECT_NULL(sl_arena_get(arena, 100001));
    SLT_EXPECT_NULL(sl_arena_get(arena, SIZE_MAX));
    size_t given = 0;
    while (sl_arena_get(arena, 1000) != NULL) {
        given += 1000;
        SLT_ASSERT_LE(given, 100000u);
    }
    SLT_EXPECT_EQ(100000u, given);
    sl_arena_reset(arena);
    SLT_EXPECT_TRUE(sl_arena_get(arena, 100000) != NULL);
    SLT_EXPECT_NULL(sl_arena_get(arena, 1));
}

SLT_TEST_F(arena, survives_allocation_failure, arena)
{
    SLT_FAIL_ALLOC(0);
    SLT_EXPECT_NULL(sl_arena_get(arena, 10));
    SLT_FAIL_ALLOC(UINT64_MAX);
    SLT_EXPECT_TRUE(sl_arena_get(arena, 10) != NULL);
}

SLT_TEST_F(arena, keeps_its_largest_block_at_reset, arena)
{
    for (int i = 0; i < 50; i++) {
        SLT_ASSERT_TRUE(sl_arena_get(arena, 1000) != NULL);
    }
    size_t size = arena->size;
    sl_arena_reset(arena);
    SLT_EXPECT_EQ(size, arena->size);
    uint64_t live = sl_alloc_live();
    SLT_ASSERT_TRUE(sl_arena_get(arena, size) != NULL);
    SLT_EXPECT_EQ(live, sl_alloc_live());
}

#define TABLE_BASE 0x40000000u

static void table_init(struct sl_table *table)
{
    sl_table_init(table, 100, TABLE_BASE);
}
SLT_FIXTURE(table, struct sl_table, table_init, sl_table_finish);

SLT_TEST_F(table, finds_only_its_own, table)
{
    int value;
    uint32_t id = 0;
    SLT_ASSERT_OK(sl_table_add(table, 3, &value, &id));
    SLT_EXPECT_EQ(TABLE_BASE, id & TABLE_BASE);
    SLT_EXPECT_EQ(&value, sl_table_find(table, 3, id));
    SLT_EXPECT_NULL(sl_table_find(table, 4, id));
    SLT_EXPECT_NULL(sl_table_find(table, 3, id & ~TABLE_BASE));
    SLT_EXPECT_NULL(sl_table_find(table, 3, id + 1));
    SLT_EXPECT_NULL(sl_table_find(table, 3, 0));
    SLT_EXPECT_NULL(sl_table_find(table, 3, UINT32_MAX));
}

SLT_TEST_F(table, stale_ids_stay_stale, table)
{
    int value;
    uint32_t old = 0, fresh = 0;
    SLT_ASSERT_OK(sl_table_add(table, 1, &value, &old));
    SLT_EXPECT_EQ(&value, sl_table_remove(table, 1, old));
    SLT_EXPECT_NULL(sl_table_remove(table, 1, old));
    for (int i = 0; i < 1000; i++) {
        SLT_ASSERT_OK(sl_table_add(table, 1, &value, &fresh));
        SLT_ASSERT_NE(old, fresh);
        SLT_ASSERT_NULL(sl_table_find(table, 1, old));
        SLT_ASSERT_EQ(&value, sl_table_remove(table, 1, fresh));
    }
}

/* What is added next has the same id in both. */
static void expect_twins(struct sl_table *table, struct sl_table *twin)
{
    int value;
    for (int i = 0; i < 20; i++) {
        uint32_t one = 0, other = 1;
        SLT_ASSERT_OK(sl_table_add(table, 1, &value, &one));
        SLT_ASSERT_OK(sl_table_add(twin, 1, &value, &other));
        SLT_ASSERT_EQ(one, other);
    }
}

SLT_TEST_F(table, is_brought_back, table)
{
    int value;
    uint32_t ids[10], words[64], cursor = 0, kind, id;
    struct sl_table twin;
    for (int i = 0; i < 10; i++) {
        SLT_ASSERT_OK(sl_table_add(table, 2, &value, &ids[i]));
    }
    static const uint8_t gone[] = {7, 2, 9, 4};
    for (size_t i = 0; i < sizeof gone; i++) {
        (void)sl_table_remove(table, 2, ids[gone[i]]);
    }
    SLT_ASSERT_OK(sl_table_add(table, 2, &value, &ids[4])); /* a second generation */
    sl_table_init(&twin, 100, TABLE_BASE);
    while (sl_table_next(table, &cursor, &kind, &id) != NULL) {
        SLT_ASSERT_OK(sl_table_add_at(&twin, kind, &value, id));
        SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_add_at(&twin, kind, &value, id));
    }
    size_t count = sl_table_shape(table, words, 64);
    SLT_EXPECT_EQ(1u + 10 + 3, count);
    SLT_EXPECT_OK(sl_table_set_shape(&twin, words, count));
    SLT_EXPECT_EQ(&value, sl_table_find(&twin, 2, ids[4]));
    expect_twins(table, &twin);
    sl_table_finish(&twin);
}

SLT_TEST(handles, one_entry_gets_the_handle_that_was_said)
{
    static const uint32_t shape[] = {4, 0, 0, 0, 0, 2, 1}; /* of 0 and 3, then 2 */
    int value;
    uint32_t first = 0, id = 0, words[8];
    struct sl_handles handles;
    sl_handles_init(&handles, 100, TABLE_BASE);
    SLT_EXPECT_OK(sl_handles_add_locked(&handles, 1, &value, &first));
    sl_handles_set_next(&handles, first + 3);
    SLT_EXPECT_OK(sl_handles_add_locked(&handles, 1, &value, &id));
    SLT_EXPECT_EQ(first + 3, id);
    SLT_EXPECT_OK(sl_handles_set_shape(&handles, shape, 7));
    SLT_EXPECT_EQ(7u, sl_handles_shape(&handles, words, 8));
    sl_handles_set_next(&handles, first); /* taken: refused once, then forgotten */
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_handles_add_locked(&handles, 1, &value, &id));
    SLT_EXPECT_OK(sl_handles_add_locked(&handles, 1, &value, &id));
    SLT_EXPECT_EQ(first + 2, id);
    sl_handles_finish(&handles);
}

SLT_TEST_F(table, believes_no_wrong_shape, table)
{
    int value;
    uint32_t id;
    SLT_ASSERT_OK(sl_table_add(table, 1, &value, &id));
    static const uint32_t taken[] = {2, 0, 0, 0}, twice[] = {3, 0, 0, 0, 1, 1},
                          far[] = {2, 0, 0, 2}, few[] = {3, 0, 0, 0, 1}, many[] = {101},
                          cut[] = {5, 0}, smaller[] = {0};
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, taken, 4));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, twice, 6));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, far, 4));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, few, 5));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, many, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, cut, 2));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, smaller, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_set_shape(table, NULL, 0));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_add_at(table, 1, &value, id & ~TABLE_BASE));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_add_at(table, 1, &value, TABLE_BASE | 101));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_table_add_at(table, 1, &value, TABLE_BASE));
    SLT_EXPECT_EQ(&value, sl_table_find(table, 1, id));
}

SLT_TEST_F(table, is_full_at_max, table)
{
    int value;
    uint32_t id = 0, cursor = 0, kind = 0, count = 0;
    for (int i = 0; i < 100; i++) {
        SLT_ASSERT_OK(sl_table_add(table, 9, &value, &id));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_table_add(table, 9, &value, &id));
    while (sl_table_next(table, &cursor, &kind, &id) != NULL) {
        count++;
        SLT_EXPECT_EQ(9u, kind);
        SLT_EXPECT_EQ(&value, sl_table_remove(table, kind, id));
    }
    SLT_EXPECT_EQ(100u, count);
    SLT_EXPECT_EQ(0u, table->live);
}

SLT_TEST_F(table, survives_allocation_failure, table)
{
    int value;
    uint32_t id = 7;
    SLT_FAIL_ALLOC(0);
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_table_add(table, 1, &value, &id));
    SLT_EXPECT_EQ(7u, id);
    SLT_FAIL_ALLOC(UINT64_MAX);
    SLT_EXPECT_OK(sl_table_add(table, 1, &value, &id));
}
