/* Macros and conditions of a shader's text. What is being expanded lies on a stack of lists, the
 * text itself below it; a macro's name in its own list stays. */
#include "host/gles/hgl_tokens.h"

#include "transport/base/mem.h"

#include <string.h>

#define MACROS_MAX     4096u
#define BUCKETS        1024u
#define PARAMETERS_MAX 16u
#define NESTED_MAX     64u

struct macro {
    struct hgl_token name;
    struct hgl_tokens body;
    struct hgl_token parameters[PARAMETERS_MAX];
    uint32_t parameter_count;
    uint32_t next; /* of its bucket, + 1 */
    bool is_function, is_defined, is_active;
};

/* A list that is being read; own: freed behind it. */
struct source {
    struct hgl_tokens own;
    const struct hgl_tokens *list; /* NULL: own */
    size_t at;
    uint32_t macro; /* + 1; 0: an argument's, or a line's */
    uint32_t line;
};

struct condition {
    bool is_on, was_on, was_else, outer;
};

struct reader {
    struct hgl_text *out;
    const char *p, *end;
    uint32_t line;
    bool is_line_begin, in_arguments;
    struct macro *macros;
    uint32_t macro_count, buckets[BUCKETS];
    struct source stack[NESTED_MAX];
    uint32_t depth, floor; /* nothing below the floor is read, and no text but at 0 */
    struct condition conditions[NESTED_MAX];
    uint32_t condition_count;
    struct hgl_token pending; /* was read ahead */
    uint32_t work, nested;
    const char *why;
    bool no_memory;
};

static bool same(const struct hgl_token *a, const struct hgl_token *b)
{
    return a->size == b->size && memcmp(a->p, b->p, a->size) == 0;
}

static bool is_well(const struct reader *r)
{
    return r->why == NULL && !r->no_memory;
}

static void add(struct reader *r, struct hgl_tokens *list, const struct hgl_token *token)
{
    if (++r->work > HGL_TOKENS_WORK) {
        r->why = "it has too many words";
    } else if (!hgl_tokens_add(list, token)) {
        r->no_memory = true;
    }
}

/* --- macros --- */

static uint32_t bucket_of(const struct hgl_token *name)
{
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < name->size; i++) {
        hash = (hash ^ (uint8_t)name->p[i]) * 16777619u;
    }
    return hash % BUCKETS;
}

/* Of whatever state; NULL. */
static struct macro *known(struct reader *r, const struct hgl_token *name)
{
    for (uint32_t i = r->buckets[bucket_of(name)]; i != 0; i = r->macros[i - 1].next) {
        if (++r->work > HGL_TOKENS_WORK) {
            r->why = "it has too many words";
            return NULL;
        }
        if (same(&r->macros[i - 1].name, name)) {
            return &r->macros[i - 1];
        }
    }
    return NULL;
}

static struct macro *find(struct reader *r, const struct hgl_token *name)
{
    struct macro *m = name->kind == HGL_TOKEN_WORD ? known(r, name) : NULL;
    return m != NULL && m->is_defined ? m : NULL;
}

static struct macro *macro_new(struct reader *r, const struct hgl_token *name)
{
    struct macro *m = known(r, name);
    if (m != NULL) {
        hgl_tokens_finish(&m->body);
        m->is_defined = true;
        m->is_function = false;
        m->parameter_count = 0;
    } else if (r->macro_count == MACROS_MAX) {
        r->why = "it has too many macros";
    } else if (is_well(r)) {
        uint32_t *bucket = &r->buckets[bucket_of(name)];
        m = &r->macros[r->macro_count++];
        *m = (struct macro){.name = *name, .next = *bucket, .is_defined = true};
        *bucket = r->macro_count;
    }
    return m;
}

static void predefine(struct reader *r, const char *name, size_t size, const char *value)
{
    const struct hgl_token token = {.p = name, .size = (uint32_t)size, .kind = HGL_TOKEN_WORD};
    const struct hgl_token one = {
        .p = value, .size = (uint32_t)strlen(value), .kind = HGL_TOKEN_NUMBER};
    struct macro *m = macro_new(r, &token);
    if (m != NULL) {
        add(r, &m->body, &one);
    }
}

static void predefine_all(struct reader *r, const char *extensions)
{
    predefine(r, "GL_ES", 5, "1");
    predefine(r, "GL_FRAGMENT_PRECISION_HIGH", 26, "1");
    predefine(r, "__VERSION__", 11, "100");
    for (const char *p = extensions; p != NULL && *p != '\0';) {
        size_t size = strcspn(p, " ");
        if (size > 3 && memcmp(p, "GL_", 3) == 0) {
            predefine(r, p, size, "1");
        }
        p += size + (p[size] == ' ');
    }
}

/* --- lines of the preprocessor --- */

/* `NAME(x, y) body`: at p, behind the parenthesis. */
static const char *parameters(struct reader *r, struct macro *m, const char *p, const char *end)
{
    m->is_function = true;
    for (struct hgl_token t = hgl_lex(&p, end); !hgl_token_is(&t, ")"); t = hgl_lex(&p, end)) {
        bool is_comma = m->parameter_count != 0 && hgl_token_is(&t, ",");
        t = is_comma ? hgl_lex(&p, end) : t;
        if (t.kind != HGL_TOKEN_WORD || is_comma != (m->parameter_count != 0) ||
            m->parameter_count == PARAMETERS_MAX) {
            r->why = "a macro has strange parameters";
            return end;
        }
        m->parameters[m->parameter_count++] = t;
    }
    return p;
}

/* May a text define it? The language's own are its compiler's to tell. */
static bool is_free(const struct hgl_token *name)
{
    static const char *const taken[] = {"defined", "__VERSION__", "__LINE__", "__FILE__"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (hgl_token_is(name, taken[i])) {
            return false;
        }
    }
    return name->kind == HGL_TOKEN_WORD && (name->size < 3 || memcmp(name->p, "GL_", 3) != 0);
}

static void define(struct reader *r, const char *p, const char *end)
{
    const struct hgl_token name = hgl_lex(&p, end);
    struct macro *m = is_free(&name) ? macro_new(r, &name) : NULL;
    if (m == NULL) {
        r->why = r->why != NULL ? r->why : "a macro's name is not its own";
        return;
    }
    if (p < end && *p == '(') {
        p = parameters(r, m, p + 1, end);
    }
    for (struct hgl_token t = hgl_lex(&p, end); is_well(r) && t.kind != HGL_TOKEN_END;
         t = hgl_lex(&p, end)) {
        if (t.kind == HGL_TOKEN_SIGN && *t.p == '#') {
            r->why = "a macro joins words";
            return;
        }
        add(r, &m->body, &t);
    }
}

static bool next_expanded(struct reader *r, struct hgl_token *out);

/* All of a list, expanded by itself. */
static void expand(struct reader *r, const struct hgl_tokens *list, struct hgl_tokens *out)
{
    if (r->depth == NESTED_MAX || r->nested == NESTED_MAX) {
        r->why = "its macros are too deep in each other";
        return;
    }
    uint32_t floor = r->floor;
    struct hgl_token t;
    r->nested++;
    r->floor = r->depth + 1;
    r->stack[r->depth++] = (struct source){.list = list, .line = r->line};
    while (next_expanded(r, &t)) {
        add(r, out, &t);
    }
    r->depth = is_well(r) ? r->floor - 1 : r->depth;
    r->floor = floor;
    r->nested--;
}

/* `defined X`, `defined(X)` at the token; how it was found is put in its place. */
static void defined(struct reader *r, const char **p, const char *end, struct hgl_token *t)
{
    struct hgl_token name = hgl_lex(p, end);
    bool has_parentheses = hgl_token_is(&name, "(");
    name = has_parentheses ? hgl_lex(p, end) : name;
    struct hgl_token close = has_parentheses ? hgl_lex(p, end) : name;
    if (name.kind != HGL_TOKEN_WORD || (has_parentheses && !hgl_token_is(&close, ")"))) {
        r->why = "a condition is not understood";
        return;
    }
    t->kind = HGL_TOKEN_NUMBER;
    t->p = find(r, &name) != NULL ? "1" : "0";
    t->size = 1;
}

static bool holds(struct reader *r, const char *p, const char *end)
{
    struct hgl_tokens raw = {0}, line = {0};
    bool value = false;
    for (struct hgl_token t = hgl_lex(&p, end); is_well(r) && t.kind != HGL_TOKEN_END;
         t = hgl_lex(&p, end)) {
        if (hgl_token_is(&t, "defined")) {
            defined(r, &p, end, &t);
        }
        add(r, &raw, &t);
    }
    if (is_well(r)) {
        expand(r, &raw, &line);
    }
    if (is_well(r) && !hgl_condition(&line, &value)) {
        r->why = "a condition is not understood";
    }
    hgl_tokens_finish(&raw);
    hgl_tokens_finish(&line);
    return value;
}

static bool is_on(const struct reader *r)
{
    return r->condition_count == 0 || r->conditions[r->condition_count - 1].is_on;
}

/* #if, #ifdef, #ifndef, #elif, #else, #endif. False: it is none of them. */
static bool conditional(struct reader *r, const struct hgl_token *name, const char *p,
                        const char *end)
{
    bool is_ifdef = hgl_token_is(name, "ifdef"), is_ifndef = hgl_token_is(name, "ifndef");
    bool is_elif = hgl_token_is(name, "elif"), is_else = hgl_token_is(name, "else");
    bool is_endif = hgl_token_is(name, "endif"), outer = is_on(r);
    struct condition *c = r->condition_count != 0 ? &r->conditions[r->condition_count - 1] : NULL;
    if (is_ifdef || is_ifndef || hgl_token_is(name, "if")) {
        if (r->condition_count == NESTED_MAX) {
            r->why = "its conditions are too deep in each other";
            return true;
        }
        bool value = false;
        if (outer && !is_ifdef && !is_ifndef) {
            value = holds(r, p, end);
        } else if (outer) {
            const struct hgl_token what = hgl_lex(&p, end);
            value = (find(r, &what) != NULL) == is_ifdef;
        }
        r->conditions[r->condition_count++] =
            (struct condition){.is_on = outer && value, .was_on = value, .outer = outer};
        return true;
    }
    if (!is_elif && !is_else && !is_endif) {
        return false;
    }
    if (c == NULL || (c->was_else && !is_endif)) {
        r->why = "its conditions are crooked";
    } else if (is_endif) {
        r->condition_count--;
    } else {
        c->is_on = false;
        bool value = c->outer && !c->was_on && (is_else || holds(r, p, end));
        c->is_on = value;
        c->was_on = c->was_on || value;
        c->was_else = is_else;
    }
    return true;
}

static void version(struct reader *r, const char *p, const char *end)
{
    const struct hgl_token number = hgl_lex(&p, end);
    struct macro *m = known(r, &(struct hgl_token){.p = "__VERSION__", .size = 11});
    if (number.kind != HGL_TOKEN_NUMBER) {
        r->why = "a version is no number";
    } else if (m != NULL && m->body.count == 1) {
        m->body.all[0] = number;
    }
}

/* At a #. */
static void directive(struct reader *r)
{
    const char *p = r->p + 1;
    const char *end = memchr(p, '\n', (size_t)(r->end - p));
    end = end != NULL ? end : r->end;
    const struct hgl_token whole = {.p = r->p,
                                    .size = (uint32_t)(end - r->p),
                                    .line = r->line,
                                    .at = (uint32_t)r->out->tokens.count,
                                    .kind = HGL_TOKEN_DIRECTIVE};
    r->p = end;
    if (r->in_arguments) {
        r->why = "a macro's arguments have a condition";
        return;
    }
    const struct hgl_token name = hgl_lex(&p, end);
    if (name.kind == HGL_TOKEN_END || conditional(r, &name, p, end) || !is_on(r)) {
        return;
    }
    if (hgl_token_is(&name, "define")) {
        define(r, p, end);
    } else if (hgl_token_is(&name, "undef")) {
        const struct hgl_token what = hgl_lex(&p, end);
        struct macro *m = find(r, &what);
        if (m != NULL && !is_free(&what)) {
            r->why = "a macro's name is not its own";
        } else if (m != NULL) {
            m->is_defined = false;
        }
    } else if (hgl_token_is(&name, "version")) {
        version(r, p, end);
        add(r, &r->out->lines, &whole);
    } else if (hgl_is_handed_on(&name)) {
        add(r, &r->out->lines, &whole);
    } else {
        r->why = "a line of the preprocessor";
    }
}

/* --- what comes next --- */

static bool next_of_text(struct reader *r, struct hgl_token *out)
{
    while (is_well(r)) {
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
            directive(r);
        } else if (!is_on(r)) {
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

static void pop(struct reader *r)
{
    struct source *s = &r->stack[--r->depth];
    if (s->macro != 0) {
        r->macros[s->macro - 1].is_active = false;
    }
    hgl_tokens_finish(&s->own);
}

static bool next_raw(struct reader *r, struct hgl_token *out)
{
    if (!is_well(r) || ++r->work > HGL_TOKENS_WORK) {
        r->why = r->why == NULL && !r->no_memory ? "it has too many words" : r->why;
        return false;
    }
    if (r->pending.kind != HGL_TOKEN_END) {
        *out = r->pending;
        r->pending.kind = HGL_TOKEN_END;
        return true;
    }
    while (r->depth != 0 && r->depth >= r->floor) {
        struct source *s = &r->stack[r->depth - 1];
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

static void push(struct reader *r, struct macro *m, const struct source *source)
{
    if (r->depth == NESTED_MAX) {
        r->why = "its macros are too deep in each other";
        return;
    }
    m->is_active = true;
    r->stack[r->depth] = *source;
    r->stack[r->depth++].macro = (uint32_t)(m - r->macros) + 1;
}

/* What stands in the parentheses that were opened, up to commas. */
static void arguments(struct reader *r, struct hgl_tokens lists[PARAMETERS_MAX], uint32_t *count)
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
            if (++*count == PARAMETERS_MAX) {
                break;
            }
            continue;
        }
        struct macro *m = find(r, &t);
        t.is_final = t.is_final || (m != NULL && m->is_active);
        depth += hgl_token_is(&t, "(");
        depth -= hgl_token_is(&t, ")");
        add(r, &lists[*count], &t);
    }
    r->in_arguments = was;
    r->why = r->why != NULL ? r->why : "a macro's arguments are not understood";
}

/* The body with what was given in place of its parameters. */
static void substitute(struct reader *r, const struct macro *m, const struct hgl_tokens *given,
                       struct hgl_tokens *out)
{
    for (size_t i = 0; i < m->body.count && is_well(r); i++) {
        uint32_t which = 0;
        while (which < m->parameter_count && (m->body.all[i].kind != HGL_TOKEN_WORD ||
                                              !same(&m->parameters[which], &m->body.all[i]))) {
            which++;
        }
        if (which == m->parameter_count) {
            add(r, out, &m->body.all[i]);
            continue;
        }
        for (size_t k = 0; k < given[which].count && is_well(r); k++) {
            add(r, out, &given[which].all[k]);
        }
    }
}

/* Behind `NAME(`. */
static void invoke(struct reader *r, struct macro *m, uint32_t line)
{
    struct hgl_tokens raw[PARAMETERS_MAX] = {{0}}, given[PARAMETERS_MAX] = {{0}};
    struct source source = {.line = line};
    uint32_t count;
    arguments(r, raw, &count);
    count += count == 0 && m->parameter_count == 1; /* nothing is one, too */
    if (is_well(r) && count != m->parameter_count) {
        r->why = "a macro has other arguments than parameters";
    }
    for (uint32_t i = 0; i < count && is_well(r); i++) {
        expand(r, &raw[i], &given[i]);
    }
    if (is_well(r)) {
        substitute(r, m, given, &source.own);
    }
    for (uint32_t i = 0; i < PARAMETERS_MAX; i++) {
        hgl_tokens_finish(&raw[i]);
        hgl_tokens_finish(&given[i]);
    }
    if (is_well(r)) {
        push(r, m, &source);
    }
    if (!is_well(r)) {
        hgl_tokens_finish(&source.own);
    }
}

static bool next_expanded(struct reader *r, struct hgl_token *out)
{
    while (next_raw(r, out)) {
        struct macro *m = out->is_final ? NULL : find(r, out);
        if (m == NULL || m->is_active) {
            out->is_final = out->is_final || m != NULL;
            return is_well(r);
        }
        if (!m->is_function) {
            push(r, m, &(struct source){.list = &m->body, .line = out->line});
            continue;
        }
        struct hgl_token open;
        if (!next_raw(r, &open)) {
            return is_well(r);
        }
        m = find(r, out); /* a line between may have changed it */
        if (m == NULL || !m->is_function || !hgl_token_is(&open, "(")) {
            r->pending = open;
            return is_well(r);
        }
        invoke(r, m, out->line);
    }
    return false;
}

/* --- all of it --- */

static void read_all(struct reader *r)
{
    struct hgl_tokens *out = &r->out->tokens;
    struct hgl_token t;
    while (is_well(r) && next_expanded(r, &t)) {
        add(r, out, &t);
        r->why = hgl_is_of_language(&t) ? r->why : "a sign that is none of the language";
    }
    if (is_well(r) && r->condition_count != 0) {
        r->why = "its conditions are crooked";
    }
    if (is_well(r)) {
        add(r, out, &(struct hgl_token){.p = "", .line = r->line});
        out->count -= is_well(r);
    }
}

enum sl_result hgl_tokens_read(const char *text, size_t size, const char *extensions,
                               struct hgl_text *out, const char **why)
{
    struct reader *r = sl_alloc(sizeof *r);
    *out = (struct hgl_text){0};
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->out = out;
    r->macros = sl_alloc_array(MACROS_MAX, sizeof *r->macros);
    out->tokens.text = hgl_text_clean(text, size, &size);
    r->no_memory = r->macros == NULL || out->tokens.text == NULL;
    if (is_well(r)) {
        r->p = out->tokens.text;
        r->end = r->p + size;
        r->is_line_begin = true;
        predefine_all(r, extensions);
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
