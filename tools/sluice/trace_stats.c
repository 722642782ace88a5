#include "tools/sluice/trace_stats.h"
#include "tools/sluice/json.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct row {
    uint64_t key, count, bytes; /* count 0: free */
};

struct trace_stats {
    enum stats_by by;
    struct schema *const *schema;
    struct row *rows; /* hashed by key */
    size_t capacity, used;
    uint64_t count, bytes;
};

struct trace_stats *trace_stats_create(enum stats_by by, struct schema *const *schema)
{
    struct trace_stats *s = sl_alloc(sizeof *s);
    if (s != NULL) {
        s->by = by;
        s->schema = schema;
    }
    return s;
}

void trace_stats_destroy(struct trace_stats *stats)
{
    if (stats != NULL) {
        sl_free(stats->rows);
        sl_free(stats);
    }
}

static struct row *row_of(struct row *rows, size_t capacity, uint64_t key)
{
    for (size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20);; i++) {
        struct row *row = &rows[i & (capacity - 1)];
        if (row->count == 0 || row->key == key) {
            return row;
        }
    }
}

static bool make_room(struct trace_stats *s)
{
    if (s->used * 2 < s->capacity) {
        return true;
    }
    size_t capacity = s->capacity != 0 ? s->capacity * 2 : 1024;
    struct row *rows = sl_alloc_array(capacity, sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    for (size_t i = 0; i < s->capacity; i++) {
        if (s->rows[i].count != 0) {
            *row_of(rows, capacity, s->rows[i].key) = s->rows[i];
        }
    }
    sl_free(s->rows);
    s->rows = rows;
    s->capacity = capacity;
    return true;
}

bool trace_stats_add(struct trace_stats *stats, const struct cap_event_call *call, uint32_t stream,
                     uint64_t frame)
{
    if (!make_room(stats)) {
        return false;
    }
    uint64_t key = stats->by == STATS_NAME    ? sl_load_u32(call->packet)
                   : stats->by == STATS_FRAME ? frame
                                              : stream;
    struct row *row = row_of(stats->rows, stats->capacity, key);
    stats->used += row->count == 0;
    row->key = key;
    row->count++;
    row->bytes += call->size + call->reply_size;
    stats->count++;
    stats->bytes += call->size + call->reply_size;
    return true;
}

static int by_count(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : a->key < b->key ? -1 : 1;
}

static int by_key(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    return a->count == 0 ? 1 : b->count == 0 ? -1 : a->key < b->key ? -1 : 1;
}

static const char *const by_names[] = {"name", "frame", "stream"};

/* text: room for a name that has to be made. */
static const char *name_of(const struct trace_stats *s, const struct row *row, char text[32])
{
    const char *name =
        s->by == STATS_NAME ? schema_find(*s->schema, (uint32_t)row->key).name : NULL;
    if (name == NULL) {
        snprintf(text, 32, s->by == STATS_NAME ? "opcode %" PRIu64 : "%" PRIu64, row->key);
        name = text;
    }
    return name;
}

static void print_row(const struct trace_stats *s, const struct row *row, enum stats_format format,
                      FILE *out)
{
    char text[32];
    const char *name = name_of(s, row, text);
    double share = s->bytes != 0 ? (double)row->bytes / (double)s->bytes : 0;
    if (format == STATS_TEXT) {
        fprintf(out, "%12" PRIu64 " %14" PRIu64 " %6.2f %%  %s\n", row->count, row->bytes,
                100 * share, name);
        return;
    }
    if (format == STATS_CSV) { /* names are words: nothing to quote */
        fprintf(out, "%s,%" PRIu64 ",%" PRIu64 ",%.4f\n", name, row->count, row->bytes, share);
        return;
    }
    if (format == STATS_JSONL) {
        fprintf(out, "{\"schema\": 1, \"by\": \"%s\", \"key\": ", by_names[s->by]);
    } else {
        fputs("{\"key\": ", out);
    }
    json_text(out, name);
    fprintf(out, ", \"count\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"share\": %.4f}%s", row->count,
            row->bytes, share, format == STATS_JSONL ? "\n" : "");
}

static void print_head(const struct trace_stats *s, enum stats_format format, FILE *out)
{
    switch (format) {
    case STATS_TEXT:
        fprintf(out, "%12s %14s %8s  %s\n", "calls", "bytes", "share", by_names[s->by]);
        break;
    case STATS_CSV:
        fprintf(out, "%s,calls,bytes,share\n", by_names[s->by]);
        break;
    case STATS_JSON:
        fprintf(out,
                "{\"schema\": 1, \"by\": \"%s\", \"calls\": %" PRIu64 ", \"bytes\": %" PRIu64
                ", \"rows\": [",
                by_names[s->by], s->count, s->bytes);
        break;
    case STATS_JSONL:
        break;
    }
}

void trace_stats_print(struct trace_stats *stats, enum stats_format format, FILE *out)
{
    if (stats->capacity != 0) {
        qsort(stats->rows, stats->capacity, sizeof *stats->rows,
              stats->by == STATS_NAME ? by_count : by_key);
    }
    print_head(stats, format, out);
    for (size_t i = 0; i < stats->used; i++) {
        fputs(format != STATS_JSON ? "" : i == 0 ? "\n  " : ",\n  ", out);
        print_row(stats, &stats->rows[i], format, out);
    }
    if (format == STATS_JSON) {
        fputs("\n]}\n", out);
    } else if (format == STATS_TEXT) {
        fprintf(out, "%12" PRIu64 " %14" PRIu64 " %6.2f %%  in all\n", stats->count, stats->bytes,
                100.0);
    }
}
