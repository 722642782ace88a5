/* transport/base/ids: ids that are found without a lock. */
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/ids.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

static void ids_init(struct sl_ids *ids)
{
    sl_ids_init(ids, 5000);
}

SLT_FIXTURE(ids, struct sl_ids, ids_init, sl_ids_finish);

static bool found(const struct sl_ids *ids, uint32_t kind, uint64_t id, uint64_t want)
{
    uint64_t native = 0;
    void *record = NULL;
    return sl_ids_find(ids, kind, id, &native, &record) && native == want && record == ids;
}

SLT_TEST_F(ids, finds_only_its_own, ids)
{
    uint64_t id = 0, native;
    void *record;
    SLT_ASSERT_OK(sl_ids_add(ids, 3, 77, ids, &id));
    SLT_EXPECT_NE(0u, id);
    SLT_EXPECT_TRUE(found(ids, 3, id, 77));
    static const uint64_t wrong[] = {0,          2,        1ull << 32 | 1, 1ull << 56 | 1,
                                     UINT64_MAX, 1u << 20, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SLT_EXPECT_TRUE(!sl_ids_find(ids, 3, wrong[i], &native, &record));
    }
    SLT_EXPECT_TRUE(!sl_ids_find(ids, 4, id, &native, &record));
    SLT_EXPECT_TRUE(!sl_ids_find(ids, 0, id, &native, &record));
}

SLT_TEST_F(ids, a_removed_one_is_stale_for_ever, ids)
{
    uint64_t id, again, native;
    void *record;
    SLT_ASSERT_OK(sl_ids_add(ids, 1, 5, ids, &id));
    SLT_EXPECT_TRUE(!sl_ids_remove(ids, 2, id));
    SLT_EXPECT_TRUE(sl_ids_remove(ids, 1, id));
    SLT_EXPECT_TRUE(!sl_ids_remove(ids, 1, id));
    SLT_ASSERT_OK(sl_ids_add(ids, 1, 6, ids, &again));
    SLT_EXPECT_NE(id, again);
    SLT_EXPECT_TRUE(!sl_ids_find(ids, 1, id, &native, &record));
    SLT_EXPECT_TRUE(found(ids, 1, again, 6));
    SLT_EXPECT_TRUE(sl_ids_set_native(ids, 1, again, 9));
    SLT_EXPECT_TRUE(found(ids, 1, again, 9));
    SLT_EXPECT_TRUE(!sl_ids_set_native(ids, 1, id, 9));
}

SLT_TEST_F(ids, holds_as_many_as_it_may, ids)
{
    uint64_t id, all[5000];
    for (uint32_t i = 0; i < 5000; i++) {
        SLT_ASSERT_OK(sl_ids_add(ids, 1 + i % 7, i, ids, &all[i]));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_ids_add(ids, 1, 0, ids, &id));
    uint32_t cursor = 0, kind, count = 0;
    uint64_t native;
    void *record;
    while (sl_ids_next(ids, &cursor, &kind, &id, &native, &record)) {
        SLT_ASSERT_EQ(all[count], id);
        SLT_ASSERT_TRUE(found(ids, 1 + count % 7, id, count));
        SLT_ASSERT_TRUE(sl_ids_remove(ids, kind, id));
        count++;
    }
    SLT_EXPECT_EQ(5000u, count);
    SLT_EXPECT_EQ(0u, ids->live);
}

SLT_TEST_F(ids, a_peer_chooses_in_its_own_half, ids)
{
    uint64_t first = 7ull << 32 | (SL_IDS_PEER_FIRST + 1), own;
    SLT_ASSERT_OK(sl_ids_add(ids, 1, 1, ids, &own));
    SLT_ASSERT_OK(sl_ids_add_at(ids, 1, 5, ids, first));
    SLT_ASSERT_OK(sl_ids_add_at(ids, 2, 6, ids, SL_IDS_MAX));
    SLT_EXPECT_TRUE(found(ids, 1, first, 5));
    SLT_EXPECT_TRUE(found(ids, 2, SL_IDS_MAX, 6));
    const uint64_t wrong[] = {0,
                              own,
                              first,
                              8ull << 32 | (uint32_t)first,
                              SL_IDS_PEER_FIRST,
                              SL_IDS_MAX + 1,
                              1ull << 56 | (SL_IDS_PEER_FIRST + 2),
                              UINT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, sl_ids_add_at(ids, 1, 9, ids, wrong[i]));
    }
    uint32_t cursor = 0, kind, count = 0;
    uint64_t id, native;
    void *record;
    while (sl_ids_next(ids, &cursor, &kind, &id, &native, &record)) {
        count++;
    }
    SLT_EXPECT_EQ(3u, count);
    /* Its place is for the peer to give again, not for the owner. */
    SLT_EXPECT_TRUE(sl_ids_remove(ids, 1, first));
    SLT_EXPECT_TRUE(!found(ids, 1, first, 5));
    SLT_ASSERT_OK(sl_ids_add(ids, 1, 2, ids, &own));
    SLT_EXPECT_LT(own, (uint64_t)SL_IDS_PEER_FIRST);
    SLT_ASSERT_OK(sl_ids_add_at(ids, 1, 7, ids, 8ull << 32 | (uint32_t)first));
    SLT_EXPECT_TRUE(!found(ids, 1, first, 7));
}

SLT_TEST_F(ids, another_table_goes_on_as_this_one_does, ids)
{
    struct sl_ids other;
    uint64_t all[8], next[8], id, again;
    uint32_t slots;
    sl_ids_init(&other, 5000);
    for (uint32_t i = 0; i < 8; i++) {
        SLT_ASSERT_OK(sl_ids_add(ids, 1, i, ids, &all[i]));
    }
    for (uint32_t i = 0; i < 8; i += 3) {
        SLT_ASSERT_TRUE(sl_ids_remove(ids, 1, all[i]));
    }
    SLT_EXPECT_EQ(3u, sl_ids_free(ids, &slots, next, 8));
    SLT_EXPECT_EQ(8u, slots);
    /* Those that live there, then the choice. */
    const uint64_t living[] = {all[1], all[7]};
    SLT_ASSERT_OK(sl_ids_restore(&other, 8, living, 2));
    for (uint32_t i = 0; i < 2; i++) {
        SLT_ASSERT_OK(sl_ids_add(&other, 1, 40 + i, ids, &id));
        SLT_EXPECT_EQ(living[i], id);
    }
    SLT_ASSERT_OK(sl_ids_restore(&other, slots, next, 3));
    for (uint32_t i = 0; i < 6; i++) {
        SLT_ASSERT_OK(sl_ids_add(ids, 1, 0, ids, &id));
        SLT_ASSERT_OK(sl_ids_add(&other, 1, 0, ids, &again));
        SLT_EXPECT_EQ(id, again);
    }
    const uint64_t twice[] = {all[1], 5ull << 32 | 3, 6ull << 32 | 3}, far[] = {9};
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_ids_restore(&other, 8, twice, 1)); /* it lives */
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_ids_restore(&other, 11, twice + 1, 2));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_ids_restore(&other, 3, far, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_ids_restore(&other, SL_IDS_PEER_FIRST + 1, far, 0));
    sl_ids_finish(&other);
}

SLT_TEST_F(ids, a_note_goes_with_its_entry, ids)
{
    uint64_t id;
    SLT_ASSERT_OK(sl_ids_add(ids, 1, 0, ids, &id));
    SLT_ASSERT_TRUE(sl_ids_note(ids, 1, id) != NULL);
    SLT_EXPECT_TRUE(*sl_ids_note(ids, 1, id) == NULL);
    *sl_ids_note(ids, 1, id) = ids;
    SLT_EXPECT_TRUE(*sl_ids_note(ids, 1, id) == ids);
    SLT_EXPECT_TRUE(sl_ids_note(ids, 2, id) == NULL);
    SLT_ASSERT_TRUE(sl_ids_remove(ids, 1, id));
    SLT_EXPECT_TRUE(sl_ids_note(ids, 1, id) == NULL);
    SLT_ASSERT_OK(sl_ids_add(ids, 1, 0, ids, &id));
    SLT_EXPECT_TRUE(*sl_ids_note(ids, 1, id) == NULL);
}

SLT_TEST_F(ids, without_memory_nothing_changes, ids)
{
    uint64_t id;
    sl_alloc_fail_after(0);
    enum sl_result result = sl_ids_add(ids, 1, 1, ids, &id);
    sl_alloc_fail_after(UINT64_MAX);
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, result);
    SLT_EXPECT_OK(sl_ids_add(ids, 1, 1, ids, &id));
}

struct race {
    struct sl_ids *ids;
    uint64_t id; /* atomic */
    uint32_t stop, wrong;
};

static void *find_always(void *user)
{
    struct race *race = user;
    while (sl_atomic_load_relaxed(&race->stop) == 0) {
        uint64_t id = __atomic_load_n(&race->id, __ATOMIC_ACQUIRE), native;
        void *record;
        if (sl_ids_find(race->ids, 1, id, &native, &record) &&
            (native != (uint64_t)(uintptr_t)record || native == 0)) {
            sl_atomic_add(&race->wrong, 1);
        }
    }
    return NULL;
}

SLT_TEST_F(ids, a_finder_sees_an_entry_whole, ids)
{
    struct race race = {.ids = ids};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        SLT_ASSERT_OK(sl_thread_start(&threads[i], "finder", 0, find_always, &race));
    }
    for (uintptr_t i = 1; i <= 100000; i++) {
        uint64_t id;
        SLT_EXPECT_OK(sl_ids_add(ids, 1, i, (void *)i, &id));
        __atomic_store_n(&race.id, id, __ATOMIC_RELEASE);
        SLT_EXPECT_TRUE(sl_ids_remove(ids, 1, id));
    }
    sl_atomic_store_relaxed(&race.stop, 1);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    SLT_EXPECT_EQ(0u, race.wrong);
}
