/* Results of queries that no driver takes: hgl_query.c. The thread of the ring where the context is
 * current, or the device thread while all rings stand. */
#ifndef HOST_HGL_QUERY_H
#define HOST_HGL_QUERY_H

#include "host/gles/hgl.h"

struct hgl_result {
    uint64_t value;
    bool is_partial; /* the driver counts what comes since */
};

/* What is kept of a query; NULL: the driver tells all of it. */
const struct hgl_result *hgl_query_result(const struct hgl_state *s, uint32_t name);
/* In place of what was kept. False: no room. */
bool hgl_query_keep(struct hgl_state *s, uint32_t name, uint64_t value, bool is_partial);
/* What a query has counted that was ended and begun again in between. */
uint64_t hgl_query_sum(const struct hgl_state *s, uint32_t name, uint64_t before, uint64_t since);
void hgl_queries_finish(struct hgl_state *s);

#endif
