#include "host/object/object.h"

#include "tests/support/slt.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

/* --- host/object --- */

struct objects {
    struct ho_table table;
    uintptr_t destroyed[16];
    uint32_t count;
};

static void on_destroy(void *user, uint32_t kind, void *value)
{
    struct objects *t = user;
    (void)kind;
    t->destroyed[t->count++ % 16] = (uintptr_t)value;
}

static void objects_init(struct objects *t)
{
    ho_table_init(&t->table, 8, 0x80000000u, on_destroy, t);
}

static void objects_finish(struct objects *t)
{
    ho_table_clear(&t->table);
    ho_table_finish(&t->table);
}

SLT_FIXTURE(object, struct objects, objects_init, objects_finish);

static void *value(uintptr_t v)
{
    return (void *)v;
}

SLT_TEST_F(object, finds_only_its_kind, t)
{
    uint32_t id;
    SLT_ASSERT_OK(ho_add(&t->table, 1, value(11), NULL, &id));
    SLT_EXPECT_NULL(ho_get(&t->table, 2, id));
    SLT_EXPECT_NULL(ho_get(&t->table, 1, id + 1));
    struct ho_object *o = ho_get(&t->table, 1, id);
    SLT_ASSERT_TRUE(o != NULL);
    SLT_EXPECT_EQ(11u, (uintptr_t)o->value);
    ho_put(o);
}

SLT_TEST_F(object, lives_while_somebody_holds_it, t)
{
    uint32_t id;
    SLT_ASSERT_OK(ho_add(&t->table, 1, value(11), NULL, &id));
    struct ho_object *o = ho_get(&t->table, 1, id);
    SLT_EXPECT_TRUE(ho_remove(&t->table, 1, id));
    SLT_EXPECT_NULL(ho_get(&t->table, 1, id));
    SLT_EXPECT_EQ(0u, t->count);
    ho_put(o);
    SLT_EXPECT_EQ(1u, t->count);
    SLT_EXPECT_TRUE(!ho_remove(&t->table, 1, id));
}

SLT_TEST_F(object, destroys_children_before_parents, t)
{
    uint32_t a, b, c;
    SLT_ASSERT_OK(ho_add(&t->table, 1, value(1), NULL, &a));
    struct ho_object *parent = ho_get(&t->table, 1, a);
    SLT_ASSERT_OK(ho_add(&t->table, 2, value(2), parent, &b));
    struct ho_object *child = ho_get(&t->table, 2, b);
    SLT_ASSERT_OK(ho_add(&t->table, 3, value(3), child, &c));
    ho_put(child);
    ho_put(parent);
    SLT_EXPECT_TRUE(ho_remove(&t->table, 1, a));
    SLT_ASSERT_EQ(3u, t->count);
    SLT_EXPECT_EQ(3u, t->destroyed[0]);
    SLT_EXPECT_EQ(2u, t->destroyed[1]);
    SLT_EXPECT_EQ(1u, t->destroyed[2]);
}

SLT_TEST_F(object, a_parent_outlives_a_held_child, t)
{
    uint32_t a, b;
    SLT_ASSERT_OK(ho_add(&t->table, 1, value(1), NULL, &a));
    struct ho_object *parent = ho_get(&t->table, 1, a);
    SLT_ASSERT_OK(ho_add(&t->table, 2, value(2), parent, &b));
    struct ho_object *child = ho_get(&t->table, 2, b);
    ho_put(parent);
    SLT_EXPECT_TRUE(ho_remove(&t->table, 1, a));
    SLT_EXPECT_EQ(0u, t->count);
    ho_put(child);
    SLT_ASSERT_EQ(2u, t->count);
    SLT_EXPECT_EQ(2u, t->destroyed[0]);
}

SLT_TEST_F(object, refuses_more_than_its_limit, t)
{
    uint32_t id;
    for (uintptr_t i = 0; i < 8; i++) {
        SLT_ASSERT_OK(ho_add(&t->table, 1, value(i + 1), NULL, &id));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, ho_add(&t->table, 1, value(9), NULL, &id));
    SLT_EXPECT_TRUE(ho_remove(&t->table, 1, id));
    SLT_EXPECT_OK(ho_add(&t->table, 1, value(9), NULL, &id));
}

/* At whichever allocation memory ends. */
SLT_TEST_F(object, without_memory_nothing_is_added_or_left, t)
{
    uint32_t id = 7;
    uint64_t n = 0;
    enum sl_result result = SL_ERR_NOMEM;
    for (; n < 8 && result != SL_OK; n++) {
        uint64_t live = sl_alloc_live();
        SLT_FAIL_ALLOC(n);
        result = ho_add(&t->table, 1, value(1), NULL, &id);
        SLT_FAIL_ALLOC(UINT64_MAX);
        if (result != SL_OK) {
            SLT_EXPECT_RESULT(SL_ERR_NOMEM, result);
            SLT_EXPECT_EQ(7u, id);
            SLT_EXPECT_EQ(live, sl_alloc_live());
        }
    }
    SLT_EXPECT_LT(2u, n); /* the object's own, and the table's */
    SLT_EXPECT_OK(result);
    SLT_EXPECT_EQ(0u, t->count);
}

SLT_TEST_F(object, walks_what_is_there, t)
{
    uint32_t first, second, cursor = 0, seen = 0;
    SLT_ASSERT_OK(ho_add(&t->table, 1, value(1), NULL, &first));
    SLT_ASSERT_OK(ho_add(&t->table, 2, value(2), NULL, &second));
    for (struct ho_object *o; (o = ho_next(&t->table, &cursor)) != NULL; seen++) {
        SLT_EXPECT_EQ(seen == 0 ? first : second, o->id);
        ho_put(o);
    }
    SLT_EXPECT_EQ(2u, seen);
}

/* --- transport/base/map --- */

SLT_TEST(map, holds_any_key_once)
{
    static int values[3];
    static const uint32_t keys[] = {0, UINT32_MAX, 7};
    struct sl_map map;
    sl_map_init(&map, 3);
    for (int i = 0; i < 3; i++) {
        SLT_EXPECT_OK(sl_map_add(&map, keys[i], &values[i]));
    }
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_map_add(&map, 7, &values[0]));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_map_add(&map, 8, &values[0]));
    SLT_EXPECT_TRUE(sl_map_find(&map, UINT32_MAX) == &values[1]);
    SLT_EXPECT_TRUE(sl_map_remove(&map, 0) == &values[0]);
    SLT_EXPECT_NULL(sl_map_find(&map, 0));
    SLT_EXPECT_NULL(sl_map_remove(&map, 0));
    sl_map_finish(&map);
}

/* Keys that agree in a word of the number or of its space are others still. */
SLT_TEST(map, tells_spaces_and_both_words_apart)
{
    static const uint64_t keys[][2] = {{0, 5},          {0, 5ull << 32}, {5, 0},
                                       {5ull << 32, 0}, {5, 5},          {5, 5ull << 32 | 5}};
    enum { COUNT = sizeof keys / sizeof keys[0] };
    static int values[COUNT], other;
    struct sl_map map;
    sl_map_init(&map, COUNT);
    for (int i = 0; i < COUNT; i++) {
        SLT_EXPECT_OK(sl_map_set_in(&map, keys[i][0], keys[i][1], &values[i]));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_map_set(&map, 6, &other));
    for (int i = 0; i < COUNT; i++) {
        SLT_EXPECT_TRUE(sl_map_find_in(&map, keys[i][0], keys[i][1]) == &values[i]);
    }
    SLT_EXPECT_OK(sl_map_set(&map, 5, &other));
    SLT_EXPECT_TRUE(sl_map_find(&map, 5) == &other);
    SLT_EXPECT_TRUE(sl_map_remove_in(&map, 5, 5) == &values[4]);
    SLT_EXPECT_NULL(sl_map_find_in(&map, 5, 5));
    SLT_EXPECT_TRUE(sl_map_find_in(&map, 5, 0) == &values[2]);
    SLT_EXPECT_EQ(COUNT - 1u, map.live);
    sl_map_finish(&map);
}

/* Against the obvious reference: an array. */
SLT_TEST(map, agrees_with_an_array_over_random_work)
{
    enum { KEYS = 512 };
    const uint64_t step_of = 0x1000000001000u; /* both words change */
    static void *reference[KEYS];
    struct sl_map map;
    uint32_t seed = 1, live = 0;
    sl_map_init(&map, KEYS);
    for (int step = 0; step < 100000; step++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t key = seed >> 8 & (KEYS - 1);
        if ((seed >> 28) % 2 == 0) {
            enum sl_result want = reference[key] != NULL ? SL_ERR_INVALID : SL_OK;
            SLT_ASSERT_RESULT(want, sl_map_add(&map, key * step_of, &reference[key]));
            live += reference[key] == NULL;
            reference[key] = &reference[key];
        } else {
            SLT_ASSERT_TRUE(sl_map_remove(&map, key * step_of) == reference[key]);
            live -= reference[key] != NULL;
            reference[key] = NULL;
        }
        SLT_ASSERT_EQ(live, map.live);
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        SLT_EXPECT_TRUE(sl_map_find(&map, key * step_of) == reference[key]);
    }
    uint32_t cursor = 0, seen = 0;
    uint64_t key;
    while (sl_map_next(&map, &cursor, &key) != NULL) {
        SLT_EXPECT_TRUE(reference[key / step_of] != NULL);
        seen++;
    }
    SLT_EXPECT_EQ(live, seen);
    sl_map_finish(&map);
}

/* Keys that meet in one map need not meet in the next, so none can be chosen to. */
SLT_TEST(map, places_keys_by_a_seed_of_its_own)
{
    enum { KEYS = 64 };
    static int value;
    uint64_t orders[2][KEYS];
    for (int i = 0; i < 2; i++) {
        struct sl_map map;
        uint32_t cursor = 0, n = 0;
        sl_map_init(&map, KEYS);
        for (uint32_t key = 0; key < KEYS; key++) {
            SLT_ASSERT_OK(sl_map_add(&map, key, &value));
        }
        while (n < KEYS && sl_map_next(&map, &cursor, &orders[i][n]) != NULL) {
            n++;
        }
        SLT_EXPECT_EQ(KEYS, n);
        sl_map_finish(&map);
    }
    SLT_EXPECT_TRUE(memcmp(orders[0], orders[1], sizeof orders[0]) != 0);
}
