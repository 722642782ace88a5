/* Macros and the lines of the preprocessor: what they define, and which lines of a text they leave
 * out. */
#include "host/gles/hgl_tokens_priv.h"

bool hgl_words_work(struct hgl_words *r, uint32_t amount)
{
    r->work += amount;
    if (r->work > HGL_TOKENS_WORK && r->why == NULL) {
        r->why = "it has too many words";
    }
    return r->work <= HGL_TOKENS_WORK;
}

void hgl_words_add(struct hgl_words *r, struct hgl_tokens *list, const struct hgl_token *token)
{
    if (hgl_words_work(r, 1 + hgl_token_length(token)) && !hgl_tokens_add(list, token)) {
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
    return hash % HGL_MACRO_BUCKETS;
}

/* Of whatever state; NULL. */
static struct hgl_macro *known(struct hgl_words *r, const struct hgl_token *name)
{
    uint32_t length = hgl_token_length(name);
    uint32_t i = hgl_words_work(r, length) ? r->buckets[bucket_of(name)] : 0;
    while (i != 0 && !hgl_token_same(&r->macros[i - 1].name, name)) {
        i = hgl_words_work(r, 1 + length) ? r->macros[i - 1].next : 0;
    }
    return i != 0 ? &r->macros[i - 1] : NULL;
}

struct hgl_macro *hgl_macro_find(struct hgl_words *r, const struct hgl_token *name)
{
    struct hgl_macro *m = name->kind == HGL_TOKEN_WORD ? known(r, name) : NULL;
    return m != NULL && m->is_defined ? m : NULL;
}

static struct hgl_macro *macro_new(struct hgl_words *r, const struct hgl_token *name)
{
    struct hgl_macro *m = known(r, name);
    if (m != NULL) {
        hgl_tokens_finish(&m->body);
        m->is_defined = true;
        m->is_function = false;
        m->parameter_count = 0;
    } else if (r->macro_count == HGL_MACROS_MAX) {
        r->why = "it has too many macros";
    } else if (hgl_words_is_well(r)) {
        uint32_t *bucket = &r->buckets[bucket_of(name)];
        m = &r->macros[r->macro_count++];
        *m = (struct hgl_macro){.name = *name, .next = *bucket, .is_defined = true};
        *bucket = r->macro_count;
    }
    return m;
}

static void predefine(struct hgl_words *r, const char *name, size_t size, const char *value)
{
    const struct hgl_token token = {.p = name, .size = (uint32_t)size, .kind = HGL_TOKEN_WORD};
    const struct hgl_token one = {
        .p = value, .size = (uint32_t)strlen(value), .kind = HGL_TOKEN_NUMBER};
    struct hgl_macro *m = macro_new(r, &token);
    if (m != NULL) {
        hgl_words_add(r, &m->body, &one);
    }
}

void hgl_words_predefine(struct hgl_words *r, const char *extensions)
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
static const char *parameters(struct hgl_words *r, struct hgl_macro *m, const char *p,
                              const char *end)
{
    m->is_function = true;
    for (struct hgl_token t = hgl_lex(&p, end); !hgl_token_is(&t, ")"); t = hgl_lex(&p, end)) {
        bool is_comma = m->parameter_count != 0 && hgl_token_is(&t, ",");
        t = is_comma ? hgl_lex(&p, end) : t;
        if (t.kind != HGL_TOKEN_WORD || is_comma != (m->parameter_count != 0) ||
            m->parameter_count == HGL_PARAMETERS_MAX) {
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

static void define(struct hgl_words *r, const char *p, const char *end)
{
    const struct hgl_token name = hgl_lex(&p, end);
    struct hgl_macro *m = is_free(&name) ? macro_new(r, &name) : NULL;
    if (m == NULL) {
        r->why = r->why != NULL ? r->why : "a macro's name is not its own";
        return;
    }
    if (p < end && *p == '(') {
        p = parameters(r, m, p + 1, end);
    }
    for (struct hgl_token t = hgl_lex(&p, end); hgl_words_is_well(r) && t.kind != HGL_TOKEN_END;
         t = hgl_lex(&p, end)) {
        if (t.kind == HGL_TOKEN_SIGN && *t.p == '#') {
            r->why = "a macro joins words";
            return;
        }
        hgl_words_add(r, &m->body, &t);
    }
}

/* `defined X`, `defined(X)` at the token; how it was found is put in its place. */
static void defined(struct hgl_words *r, const char **p, const char *end, struct hgl_token *t)
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
    t->p = hgl_macro_find(r, &name) != NULL ? "1" : "0";
    t->size = 1;
}

static bool holds(struct hgl_words *r, const char *p, const char *end)
{
    struct hgl_tokens raw = {0}, line = {0};
    bool value = false;
    for (struct hgl_token t = hgl_lex(&p, end); hgl_words_is_well(r) && t.kind != HGL_TOKEN_END;
         t = hgl_lex(&p, end)) {
        if (hgl_token_is(&t, "defined")) {
            defined(r, &p, end, &t);
        }
        hgl_words_add(r, &raw, &t);
    }
    if (hgl_words_is_well(r)) {
        hgl_words_expand(r, &raw, &line);
    }
    if (hgl_words_is_well(r) && !hgl_condition(&line, &value)) {
        r->why = "a condition is not understood";
    }
    hgl_tokens_finish(&raw);
    hgl_tokens_finish(&line);
    return value;
}

bool hgl_words_is_on(const struct hgl_words *r)
{
    return r->condition_count == 0 || r->conditions[r->condition_count - 1].is_on;
}

/* #if, #ifdef, #ifndef, #elif, #else, #endif. False: it is none of them. */
static bool conditional(struct hgl_words *r, const struct hgl_token *name, const char *p,
                        const char *end)
{
    bool is_ifdef = hgl_token_is(name, "ifdef"), is_ifndef = hgl_token_is(name, "ifndef");
    bool is_elif = hgl_token_is(name, "elif"), is_else = hgl_token_is(name, "else");
    bool is_endif = hgl_token_is(name, "endif"), outer = hgl_words_is_on(r);
    struct hgl_words_condition *c =
        r->condition_count != 0 ? &r->conditions[r->condition_count - 1] : NULL;
    if (is_ifdef || is_ifndef || hgl_token_is(name, "if")) {
        if (r->condition_count == HGL_NESTED_MAX) {
            r->why = "its conditions are too deep in each other";
            return true;
        }
        bool value = false;
        if (outer && !is_ifdef && !is_ifndef) {
            value = holds(r, p, end);
        } else if (outer) {
            const struct hgl_token what = hgl_lex(&p, end);
            value = (hgl_macro_find(r, &what) != NULL) == is_ifdef;
        }
        r->conditions[r->condition_count++] =
            (struct hgl_words_condition){.is_on = outer && value, .was_on = value, .outer = outer};
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

static void version(struct hgl_words *r, const char *p, const char *end)
{
    const struct hgl_token number = hgl_lex(&p, end);
    struct hgl_macro *m = known(r, &(struct hgl_token){.p = "__VERSION__", .size = 11});
    if (number.kind != HGL_TOKEN_NUMBER) {
        r->why = "a version is no number";
    } else if (m != NULL && m->body.count == 1) {
        m->body.all[0] = number;
    }
}

/* At a #. */
void hgl_words_directive(struct hgl_words *r)
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
    if (name.kind == HGL_TOKEN_END || conditional(r, &name, p, end) || !hgl_words_is_on(r)) {
        return;
    }
    if (hgl_token_is(&name, "define")) {
        define(r, p, end);
    } else if (hgl_token_is(&name, "undef")) {
        const struct hgl_token what = hgl_lex(&p, end);
        struct hgl_macro *m = hgl_macro_find(r, &what);
        if (m != NULL && !is_free(&what)) {
            r->why = "a macro's name is not its own";
        } else if (m != NULL) {
            m->is_defined = false;
        }
    } else if (hgl_token_is(&name, "version")) {
        version(r, p, end);
        hgl_words_add(r, &r->out->lines, &whole);
    } else if (hgl_is_handed_on(&name)) {
        hgl_words_add(r, &r->out->lines, &whole);
    } else {
        r->why = "a line of the preprocessor";
    }
}
