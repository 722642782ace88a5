/* A shader's text while it is read: what hgl_tokens.c (what comes next) and hgl_directive.c (macros
 * and the preprocessor's lines) share. */
#ifndef HOST_HGL_TOKENS_PRIV_H
#define HOST_HGL_TOKENS_PRIV_H

#include "host/gles/hgl_tokens.h"

#include <string.h>

#define HGL_MACROS_MAX     4096u
#define HGL_MACRO_BUCKETS  1024u
#define HGL_PARAMETERS_MAX 16u
#define HGL_NESTED_MAX     64u

struct hgl_macro {
    struct hgl_token name;
    struct hgl_tokens body;
    struct hgl_token parameters[HGL_PARAMETERS_MAX];
    uint32_t parameter_count;
    uint32_t next; /* of its bucket, + 1 */
    bool is_function, is_defined, is_active;
};

/* A list that is being read; own: freed behind it. */
struct hgl_words_source {
    struct hgl_tokens own;
    const struct hgl_tokens *list; /* NULL: own */
    size_t at;
    uint32_t macro; /* + 1; 0: an argument's, or a line's */
    uint32_t line;
};

struct hgl_words_condition {
    bool is_on, was_on, was_else, outer;
};

struct hgl_words {
    struct hgl_text *out;
    const char *p, *end;
    uint32_t line;
    bool is_line_begin, in_arguments;
    struct hgl_macro *macros;
    uint32_t macro_count, buckets[HGL_MACRO_BUCKETS];
    struct hgl_words_source stack[HGL_NESTED_MAX];
    uint32_t depth, floor; /* nothing below the floor is read, and no text but at 0 */
    struct hgl_words_condition conditions[HGL_NESTED_MAX];
    uint32_t condition_count;
    struct hgl_token pending; /* was read ahead */
    uint64_t work;
    uint32_t nested;
    const char *why;
    bool no_memory;
};

static inline bool hgl_token_same(const struct hgl_token *a, const struct hgl_token *b)
{
    return a->size == b->size && memcmp(a->p, b->p, a->size) == 0;
}

static inline bool hgl_words_is_well(const struct hgl_words *r)
{
    return r->why == NULL && !r->no_memory;
}

/* What it takes to compare it with another. */
static inline uint32_t hgl_token_length(const struct hgl_token *token)
{
    return token->size / 16;
}

/* hgl_directive.c. False: there is too much to look at. */
bool hgl_words_work(struct hgl_words *r, uint32_t amount);
/* `why` or `no_memory` where it cannot be. */
void hgl_words_add(struct hgl_words *r, struct hgl_tokens *list, const struct hgl_token *token);
/* One that is defined; NULL. */
struct hgl_macro *hgl_macro_find(struct hgl_words *r, const struct hgl_token *name);
/* The language's own macros, and the extensions'. */
void hgl_words_predefine(struct hgl_words *r, const char *extensions);
/* No condition leaves out what comes. */
bool hgl_words_is_on(const struct hgl_words *r);
/* At a #. */
void hgl_words_directive(struct hgl_words *r);

/* hgl_tokens.c: all of a list, expanded by itself. */
void hgl_words_expand(struct hgl_words *r, const struct hgl_tokens *list, struct hgl_tokens *out);

#endif
