#include "tools/sluice/diff_lines.h"
#include "transport/base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(void *array, size_t *capacity, size_t want, size_t size)
{
    if (want <= *capacity) {
        return true;
    }
    void **at = array;
    void *more = sl_realloc(*at, want * 2 * size);
    if (more != NULL) {
        *at = more;
        *capacity = want * 2;
    }
    return more != NULL;
}

bool lines_add(struct lines *lines, uint32_t stream, uint64_t call, const char *text)
{
    size_t size = strlen(text) + 1;
    if (!reserve(&lines->list, &lines->capacity, lines->count + 1, sizeof *lines->list) ||
        !reserve(&lines->text, &lines->text_capacity, lines->text_size + size, 1)) {
        return false;
    }
    uint64_t hash = 0xcbf29ce484222325ull ^ stream;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
    }
    memcpy(lines->text + lines->text_size, text, size);
    lines->list[lines->count++] =
        (struct line_of){.hash = hash, .text = lines->text_size, .call = call, .stream = stream};
    lines->text_size += size;
    return true;
}

void lines_clear(struct lines *lines)
{
    lines->count = lines->text_size = 0;
}

void lines_finish(struct lines *lines)
{
    sl_free(lines->list);
    sl_free(lines->text);
    *lines = (struct lines){0};
}

static int by_text(const void *left, const void *right, void *user)
{
    const struct line_of *a = left, *b = right;
    const char *text = user;
    return a->stream != b->stream ? (a->stream < b->stream ? -1 : 1)
                                  : strcmp(text + a->text, text + b->text);
}

void lines_sort(struct lines *lines)
{
    if (lines->count != 0) {
        qsort_r(lines->list, lines->count, sizeof *lines->list, by_text, lines->text);
    }
}

struct compare {
    const struct lines *a, *b;
    double eps;
    void (*line)(void *user, char sign, const struct line_of *line, const char *text);
    void *user;
};

/* A number begins here: behind what can be no part of a word. */
static bool begins_number(const char *begin, const char *at)
{
    bool in_word = at != begin && (isalnum((unsigned char)at[-1]) || strchr("_#.", at[-1]) != NULL);
    return !in_word && (isdigit((unsigned char)at[*at == '-']));
}

/* Its end; *is_float: it has a fraction or an exponent. */
static const char *number_end(const char *at, bool *is_float)
{
    at += *at == '-';
    while (isalnum((unsigned char)*at) || *at == '.' ||
           ((*at == '-' || *at == '+') && at[-1] == 'e')) {
        *is_float |= *at == '.' || *at == 'e';
        at++;
    }
    return at;
}

/* Equal but for floats that are no further apart than eps. Hexadecimal numbers are not floats: they
 * are compared as text, which their 'x' shows. */
static bool is_near(const char *a, const char *b, double eps)
{
    const char *a_begin = a, *b_begin = b;
    while (*a != '\0' && *b != '\0') {
        bool is_float = false;
        if (begins_number(a_begin, a) && begins_number(b_begin, b)) {
            const char *a_end = number_end(a, &is_float), *b_end = number_end(b, &is_float);
            size_t size = (size_t)(a_end - a);
            bool is_equal = size == (size_t)(b_end - b) && memcmp(a, b, size) == 0;
            bool is_hex = memchr(a, 'x', size) != NULL || memchr(b, 'x', (size_t)(b_end - b));
            if (!is_equal &&
                (is_hex || !is_float || fabs(strtod(a, NULL) - strtod(b, NULL)) > eps)) {
                return false;
            }
            a = a_end;
            b = b_end;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static bool is_same(const struct compare *c, size_t i, size_t j)
{
    const struct line_of *a = &c->a->list[i], *b = &c->b->list[j];
    const char *left = c->a->text + a->text, *right = c->b->text + b->text;
    return a->stream == b->stream && ((a->hash == b->hash && strcmp(left, right) == 0) ||
                                      (c->eps > 0 && is_near(left, right, c->eps)));
}

static void tell(const struct compare *c, char sign, const struct lines *lines, size_t from,
                 size_t to)
{
    for (size_t i = from; i < to; i++) {
        c->line(c->user, sign, &lines->list[i], lines->text + lines->list[i].text);
    }
}

/* Myers: furthest[d][k], the furthest line of a reached with d edits on the diagonal k = i - j.
 * Between begin and the ends, which hold no common lines any more. */
struct middle {
    size_t a_begin, a_count, b_begin, b_count;
    int32_t *rows; /* row d has 2 d + 1 places, from d * d on */
};

static int32_t *place(const struct middle *m, int64_t d, int64_t k)
{
    return &m->rows[d * d + k + d];
}

/* Whether the way to diagonal k with d edits ends with a line of b, not of a. */
static bool is_insertion(const struct middle *m, int64_t d, int64_t k)
{
    return k - 1 < -(d - 1) ||
           (k + 1 <= d - 1 && *place(m, d - 1, k - 1) < *place(m, d - 1, k + 1));
}

/* The furthest line of a before the common ones are passed by. */
static int32_t step(const struct middle *m, int64_t d, int64_t k)
{
    return d == 0                  ? 0
           : is_insertion(m, d, k) ? *place(m, d - 1, k + 1)
                                   : *place(m, d - 1, k - 1) + 1;
}

/* Edits that lead through; -1: more than LINES_EDITS. */
static int64_t edits_of(const struct compare *c, const struct middle *m)
{
    int64_t n = (int64_t)m->a_count, p = (int64_t)m->b_count;
    for (int64_t d = 0; d <= LINES_EDITS; d++) {
        for (int64_t k = -d; k <= d; k += 2) {
            int64_t i = step(m, d, k), j = i - k;
            while (i < n && j >= 0 && j < p &&
                   is_same(c, m->a_begin + (size_t)i, m->b_begin + (size_t)j)) {
                i++;
                j++;
            }
            *place(m, d, k) = (int32_t)i;
            if (k == n - p && i >= n) {
                return d;
            }
        }
    }
    return -1;
}

/* Walks back from the end: '-' or '+' for each edit, in order. */
static void trace_back(const struct middle *m, int64_t edits, char *script)
{
    int64_t k = (int64_t)m->a_count - (int64_t)m->b_count;
    for (int64_t d = edits; d > 0; d--) {
        bool insertion = is_insertion(m, d, k);
        script[d - 1] = insertion ? '+' : '-';
        k += insertion ? 1 : -1;
    }
}

/* The edits in order, with the common lines between them passed by. */
static void tell_script(const struct compare *c, const struct middle *m, const char *script,
                        int64_t edits)
{
    size_t i = m->a_begin, j = m->b_begin;
    size_t a_end = m->a_begin + m->a_count, b_end = m->b_begin + m->b_count;
    for (int64_t e = 0; e < edits; e++) {
        while (i < a_end && j < b_end && is_same(c, i, j)) {
            i++;
            j++;
        }
        if (script[e] == '-' && i < a_end) {
            tell(c, '-', c->a, i, i + 1);
            i++;
        } else if (j < b_end) {
            tell(c, '+', c->b, j, j + 1);
            j++;
        }
    }
}

bool lines_compare(const struct lines *a, const struct lines *b, double eps,
                   void (*line)(void *user, char sign, const struct line_of *line,
                                const char *text),
                   void *user)
{
    const struct compare c = {.a = a, .b = b, .eps = eps, .line = line, .user = user};
    size_t begin = 0, a_end = a->count, b_end = b->count;
    while (begin < a_end && begin < b_end && is_same(&c, begin, begin)) {
        begin++;
    }
    while (a_end > begin && b_end > begin && is_same(&c, a_end - 1, b_end - 1)) {
        a_end--;
        b_end--;
    }
    if (a_end == begin || b_end == begin) {
        tell(&c, '-', a, begin, a_end);
        tell(&c, '+', b, begin, b_end);
        return true;
    }
    size_t most = a_end + b_end - 2 * begin;
    most = most < LINES_EDITS ? most : LINES_EDITS;
    struct middle m = {.a_begin = begin,
                       .a_count = a_end - begin,
                       .b_begin = begin,
                       .b_count = b_end - begin,
                       .rows = sl_alloc_array((most + 1) * (most + 1), sizeof *m.rows)};
    char *script = sl_alloc(most + 1);
    bool ok = m.rows != NULL && script != NULL;
    int64_t edits = ok ? edits_of(&c, &m) : 0;
    if (ok && edits < 0) {
        tell(&c, '-', a, begin, a_end);
        tell(&c, '+', b, begin, b_end);
    } else if (ok) {
        trace_back(&m, edits, script);
        tell_script(&c, &m, script, edits);
    }
    sl_free(m.rows);
    sl_free(script);
    return ok;
}
