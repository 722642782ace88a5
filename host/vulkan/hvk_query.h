/* Query pools, and what a snapshot knows of their results. Who may call: in turns, unless it says
 * so.
 */
#ifndef HOST_HVK_QUERY_H
#define HOST_HVK_QUERY_H

#include "host/vulkan/hvk_family.h"

struct vk_args_vkGetQueryPoolResults;
struct vk_args_vkCmdCopyQueryPoolResults;

/* How many queries a pool has, as the driver believes any index. */
#define HVK_QUERY_VALUES_MAX 32u /* of one query of those that tell */
struct hvk_query_pool {
    struct hvk_object object;
    uint32_t count;
    uint32_t value_count; /* of one query's results */
    bool tells;           /* the driver tells whether one is available */
    bool is_used;         /* some of them were reset, or submitted for; under the turn */
    /* hvk_query_kept.c: of each whether a snapshot knows its results (atomic) and what they are;
     * NULL but in a replay that began with one. */
    uint64_t *kept;
    struct hvk_work work;  /* that many of its queries at a time were submitted for */
    struct hvk_work one[]; /* and each alone; none of a large pool */
};
/* Queries that a submit uses. */
void hvk_queries_give(struct hvk_query_pool *pool, uint32_t first, uint32_t count,
                      struct hvk_queue *queue);
/* The pool, if it has these queries. */
struct hvk_query_pool *hvk_queries_find(const struct hvk_context *context, uint64_t id,
                                        uint32_t first, uint32_t count);

/* --- hvk_query_kept.c --- */

/* vkRestoreSLUICE.last: ids and turns go on (0 and 1), or results of queries come in place of ids,
 * behind so many words: the pool's id, the first query, how many. */
#define HVK_RESTORE_QUERIES 2u
#define HVK_QUERIES_HEAD    3u
/* Words of one query's results: whether it is available (1 or 0), and the values. */
static inline uint32_t hvk_query_words(const struct hvk_query_pool *pool)
{
    return 1 + pool->value_count;
}
/* The driver's results, or what a snapshot knew of them; zeros for those that are not available.
 * The device is idle. */
VkResult hvk_queries_read(const struct hvk_query_pool *pool, uint32_t first, uint32_t count,
                          uint64_t *out);
/* Of a snapshot: these results are known, whatever the driver has, and queries without are reset;
 * no words: all of them. INVALID: another number of words; NOMEM; DEVICE_LOST. */
enum sl_result hvk_queries_restore(struct hvk_query_pool *pool, uint32_t first, uint32_t count,
                                   const uint64_t *results, uint32_t words);
bool hvk_queries_kept(const struct hvk_query_pool *pool, uint32_t first, uint32_t count);
/* They are reset: nothing is known of them any more. */
void hvk_queries_forget(struct hvk_query_pool *pool, uint32_t first, uint32_t count);
/* vkGetQueryPoolResults where some are kept. flags: as the driver may be asked. */
VkResult hvk_queries_get(const struct hvk_query_pool *pool,
                         const struct vk_args_vkGetQueryPoolResults *a, VkQueryResultFlags flags);
/* vkCmdCopyQueryPoolResults in a replay. */
void hvk_queries_copy(struct hvk_recording *r, const struct hvk_query_pool *pool,
                      const struct vk_args_vkCmdCopyQueryPoolResults *a);
/* A buffer executes another one, which may copy results. */
void hvk_queries_execute(struct hvk_command_buffer *b, const struct hvk_command_buffer *second);
/* A buffer that copies results is submitted: it takes those that are kept now. In turns. */
void hvk_queries_settle(struct hvk_command_buffer *b);
void hvk_queries_free(struct hvk_query_pool *pool);

#endif
