/* Macros of a shader's text put in place. What is being expanded lies on a stack of lists, the text
 * itself below it; a macro's name in its own list stays. */
#include "host/gles/hgl_tokens_priv.h"

#include "transport/base/mem.h"

/* --- what comes next --- */

static bool next_of_text(struct hgl_words *r, struct hgl_token *out)
{
    while (hgl_words_is_well(r)) {
        while (r->p < r->end && strchr(" \t\v\f", *r->p) != NULL && *r->p != '\0') {
            r->p++;
        }
        if (r->p == r->end) {
            return false;
        }
        if (*r->p == '\n') {
            r->p++;
            r->line++;
            r->is_line_begin = true;
        } else if (r->is_line_begin && *r->p == '#') {
            hgl_words_directive(r);
        } else if (!hgl_words_is_on(r)) {
            const char *end = memchr(r->p, '\n', (size_t)(r->end - r->p));
            r->p = end != NULL ? end : r->end;
        } else {
            r->is_line_begin = false;
            *out = hgl_lex(&r->p, r->end);
            out->line = r->line;
            return true;
        }
    }
    return false;
}

static void pop(struct hgl_words *r)
{
    struct hgl_words_source *s = &r->stack[--r->depth];
    if (s->macro != 0) {
        r->macros[s->macro - 1].is_active = false;
    }
    hgl_tokens_finish(&s->own);
}

static bool next_raw(struct hgl_words *r, struct hgl_token *out)
{
    if (!hgl_words_is_well(r) || !hgl_words_work(r, 1)) {
        return false;
    }
    if (r->pending.kind != HGL_TOKEN_END) {
        *out = r->pending;
        r->pending.kind = HGL_TOKEN_END;
        return true;
    }
    while (r->depth != 0 && r->depth >= r->floor) {
        struct hgl_words_source *s = &r->stack[r->depth - 1];
        const struct hgl_tokens *list = s->list != NULL ? s->list : &s->own;
        if (s->at < list->count) {
            *out = list->all[s->at++];
            out->line = s->line;
            return true;
        }
        if (r->depth == r->floor) {
            return false; /* the list that is expanded by itself */
        }
        pop(r);
    }
    return r->floor == 0 && next_of_text(r, out);
}

static void push(struct hgl_words *r, struct hgl_macro *m, const struct hgl_words_source *source)
{
    if (r->depth == HGL_NESTED_MAX) {
        r->why = "its macros are too deep in each other";
        return;
    }
    m->is_active = true;
    r->stack[r->depth] = *source;
    r->stack[r->depth++].macro = (uint32_t)(m - r->macros) + 1;
}

static bool next_expanded(struct hgl_words *r, struct hgl_token *out);

void hgl_words_expand(struct hgl_words *r, const struct hgl_tokens *list, struct hgl_tokens *out)
{
    if (r->depth == HGL_NESTED_MAX || r->nested == HGL_NESTED_MAX) {
        r->why = "its macros are too deep in each other";
        return;
    }
    uint32_t floor = r->floor;
    struct hgl_token t;
    r->nested++;
    r->floor = r->depth + 1;
    r->stack[r->depth++] = (struct hgl_words_source){.list = list, .line = r->line};
    while (next_expanded(r, &t)) {
        hgl_words_add(r, out, &t);
    }
    r->depth = hgl_words_is_well(r) ? r->floor - 1 : r->depth;
    r->floor = floor;
    r->nested--;
}

/* What stands in the parentheses that were opened, up to commas. */
static void arguments(struct hgl_words *r, struct hgl_tokens lists[HGL_PARAMETERS_MAX],
                      uint32_t *count)
{
    uint32_t depth = 0;
    struct hgl_token t;
    bool was = r->in_arguments;
    r->in_arguments = true;
    *count = 0;
    while (next_raw(r, &t)) {
        if (depth == 0 && hgl_token_is(&t, ")")) {
            *count += *count != 0 || lists[0].count != 0;
            r->in_arguments = was;
            return;
        }
        if (depth == 0 && hgl_token_is(&t, ",")) {
            if (++*count == HGL_PARAMETERS_MAX) {
                break;
            }
            continue;
        }
        struct hgl_macro *m = hgl_macro_find(r, &t);
        t.is_final = t.is_final || (m != NULL && m->is_active);
        depth += hgl_token_is(&t, "(");
        depth -= hgl_token_is(&t, ")");
        hgl_words_add(r, &lists[*count], &t);
    }
    r->in_arguments = was;
    r->why = r->why != NULL ? r->why : "a macro's arguments are not understood";
}

/* The body with what was given in place of its parameters. */
static void substitute(struct hgl_words *r, const struct hgl_macro *m,
                       const struct hgl_tokens *given, struct hgl_tokens *out)
{
    for (size_t i = 0; i < m->body.count && hgl_words_is_well(r); i++) {
        uint32_t which = 0;
        (void)hgl_words_work(r, 1 + hgl_token_length(&m->body.all[i])); /* it may become nothing */
        while (which < m->parameter_count &&
               (m->body.all[i].kind != HGL_TOKEN_WORD ||
                !hgl_token_same(&m->parameters[which], &m->body.all[i]))) {
            which++;
        }
        if (which == m->parameter_count) {
            hgl_words_add(r, out, &m->body.all[i]);
            continue;
        }
        for (size_t k = 0; k < given[which].count && hgl_words_is_well(r); k++) {
            hgl_words_add(r, out, &given[which].all[k]);
        }
    }
}

/* Behind `NAME(`. */
static void invoke(struct hgl_words *r, struct hgl_macro *m, uint32_t line)
{
    struct hgl_tokens raw[HGL_PARAMETERS_MAX] = {{0}}, given[HGL_PARAMETERS_MAX] = {{0}};
    struct hgl_words_source source = {.line = line};
    uint32_t count;
    arguments(r, raw, &count);
    count += count == 0 && m->parameter_count == 1; /* nothing is one, too */
    if (hgl_words_is_well(r) && count != m->parameter_count) {
        r->why = "a macro has other arguments than parameters";
    }
    for (uint32_t i = 0; i < count && hgl_words_is_well(r); i++) {
        hgl_words_expand(r, &raw[i], &given[i]);
    }
    if (hgl_words_is_well(r)) {
        substitute(r, m, given, &source.own);
    }
    for (uint32_t i = 0; i < HGL_PARAMETERS_MAX; i++) {
        hgl_tokens_finish(&raw[i]);
        hgl_tokens_finish(&given[i]);
    }
    if (hgl_words_is_well(r)) {
        push(r, m, &source);
    }
    if (!hgl_words_is_well(r)) {
        hgl_tokens_finish(&source.own);
    }
}

static bool next_expanded(struct hgl_words *r, struct hgl_token *out)
{
    while (next_raw(r, out)) {
        struct hgl_macro *m = out->is_final ? NULL : hgl_macro_find(r, out);
        if (m == NULL || m->is_active) {
            out->is_final = out->is_final || m != NULL;
            return hgl_words_is_well(r);
        }
        if (!m->is_function) {
            push(r, m, &(struct hgl_words_source){.list = &m->body, .line = out->line});
            continue;
        }
        struct hgl_token open;
        if (!next_raw(r, &open)) {
            return hgl_words_is_well(r);
        }
        m = hgl_macro_find(r, out); /* a line between may have changed it */
        if (m == NULL || !m->is_function || !hgl_token_is(&open, "(")) {
            r->pending = open;
            return hgl_words_is_well(r);
        }
        invoke(r, m, out->line);
    }
    return false;
}

/* --- all of it --- */

static void read_all(struct hgl_words *r)
{
    struct hgl_tokens *out = &r->out->tokens;
    struct hgl_token t;
    while (hgl_words_is_well(r) && next_expanded(r, &t)) {
        hgl_words_add(r, out, &t);
        r->why = hgl_is_of_language(&t) ? r->why : "a sign that is none of the language";
    }
    if (hgl_words_is_well(r) && r->condition_count != 0) {
        r->why = "its conditions are crooked";
    }
    if (hgl_words_is_well(r)) {
        hgl_words_add(r, out, &(struct hgl_token){.p = "", .line = r->line});
        out->count -= hgl_words_is_well(r);
    }
}

enum sl_result hgl_tokens_read(const char *text, size_t size, const char *extensions,
                               struct hgl_text *out, const char **why)
{
    struct hgl_words *r = sl_alloc(sizeof *r);
    *out = (struct hgl_text){0};
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->out = out;
    r->macros = sl_alloc_array(HGL_MACROS_MAX, sizeof *r->macros);
    out->tokens.text = hgl_text_clean(text, size, &size, &r->why);
    r->no_memory = r->macros == NULL;
    if (hgl_words_is_well(r)) {
        r->p = out->tokens.text;
        r->end = r->p + size;
        r->is_line_begin = true;
        hgl_words_predefine(r, extensions);
        read_all(r);
    }
    while (r->depth != 0) {
        pop(r);
    }
    for (uint32_t i = 0; i < r->macro_count; i++) {
        hgl_tokens_finish(&r->macros[i].body);
    }
    enum sl_result result = r->no_memory     ? SL_ERR_NOMEM
                            : r->why != NULL ? SL_ERR_UNSUPPORTED
                                             : SL_OK;
    *why = r->why;
    if (result != SL_OK) {
        hgl_text_finish(out);
    }
    sl_free(r->macros);
    sl_free(r);
    return result;
}

void hgl_text_finish(struct hgl_text *text)
{
    hgl_tokens_finish(&text->tokens);
    hgl_tokens_finish(&text->lines);
}
