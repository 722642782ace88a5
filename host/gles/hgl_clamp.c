/* A shader's text written anew: what is between the brackets behind a variable's name is compared
 * with how much there is. */
#include "host/gles/hgl_clamp.h"
#include "host/gles/hgl_declared.h"
#include "host/gles/hgl_zeros.h"

#include "transport/base/mem.h"

#include <GLES3/gl32.h>

#include <stdio.h>
#include <string.h>

#define TEXT_MAX   (8u << 20)
#define NESTED_MAX 64u  /* indices in each other, and parentheses */
#define PATH_MAX   256u /* bytes of a variable's name with what is in it */

struct writer {
    const struct hgl_token *tokens;
    const struct hgl_tokens *lines; /* of the compiler's */
    size_t lines_at;
    const struct hgl_names *names;
    const struct hgl_zeros *zeros;
    size_t at;
    char *text;
    size_t size, room;
    uint32_t line, nested;
    uint32_t looked;       /* tokens, back from where it was */
    uint32_t shared_count; /* how often the word is no layout's */
    bool copies, indexes;  /* variables of ours as a whole, others */
    bool no_memory;
    const char *why;
    /* Where a declaration of several names goes on, while one does. */
    uint32_t depth, declares_at;
    bool declares, in_struct;
    size_t behind_struct;
};

/* What is reached from a variable: its type, and its name with 0 for all indices. */
struct place {
    struct hgl_type type;
    char path[PATH_MAX];
    size_t size;
    bool is_vertex, is_out; /* of the brackets that come next, as of the variable's */
};

static void fail(struct writer *w, const char *why)
{
    w->why = w->why != NULL ? w->why : why;
}

/* --- what is written --- */

static void put(struct writer *w, const char *bytes, size_t size)
{
    if (w->no_memory || w->why != NULL) {
        return;
    }
    if (size > TEXT_MAX - w->size) {
        fail(w, "more than fits");
        return;
    }
    if (size >= w->room - w->size) {
        size_t room = w->room * 2 + size + 4096;
        char *more = sl_realloc(w->text, room);
        if (more == NULL) {
            w->no_memory = true;
            return;
        }
        w->text = more;
        w->room = room;
    }
    memcpy(w->text + w->size, bytes, size);
    w->size += size;
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, strlen(text));
}

/* In its line, and in none with others where it is the compiler's own. */
static void put_token(struct writer *w, const struct hgl_token *t)
{
    bool is_directive = t->kind == HGL_TOKEN_DIRECTIVE;
    bool ends = is_directive && w->size != 0 && w->text[w->size - 1] != '\n';
    if (w->line >= t->line) {
        put(w, ends ? "\n" : " ", w->size != 0);
        w->line += ends;
    }
    while (w->line < t->line && w->why == NULL && !w->no_memory) {
        put(w, "\n", 1);
        w->line++;
    }
    put(w, t->p, t->size);
    if (is_directive) {
        put(w, "\n", 1);
        w->line++;
    }
}

static const struct hgl_token *now(const struct writer *w)
{
    return &w->tokens[w->at];
}

static bool is(const struct writer *w, const char *text)
{
    return hgl_token_is(now(w), text);
}

/* The compiler's, up to what comes now. */
static void put_lines(struct writer *w)
{
    while (w->lines_at < w->lines->count && w->lines->all[w->lines_at].at <= w->at) {
        put_token(w, &w->lines->all[w->lines_at++]);
    }
}

/* Puts it, and goes on. */
static void keep(struct writer *w)
{
    put_lines(w);
    put_token(w, now(w));
    w->at++;
}

/* --- indices --- */

static void tokens_until(struct writer *w, size_t end);

/* The most that an index may be, as it is written. */
static void bound_of(const struct place *p, char *out, size_t size)
{
    if (p->is_vertex && p->type.ranks != 0) {
        (void)snprintf(out, size, "uint(gl_PatchVerticesIn-1)");
    } else if (p->type.ranks != 0) {
        (void)snprintf(out, size, "uint(%s.length()-1)", p->path);
    } else {
        uint32_t count = p->type.shape == HGL_MATRIX ? p->type.columns : p->type.rows;
        (void)snprintf(out, size, "%uu", count - 1);
    }
}

/* Does the text say the tokens up to `end`? */
static bool reads(const struct hgl_token *t, const struct hgl_token *end, const char *text)
{
    const char *p = text, *text_end = text + strlen(text);
    for (;; t++) {
        const struct hgl_token said = hgl_lex(&p, text_end);
        if (said.kind == HGL_TOKEN_END || t == end) {
            return said.kind == HGL_TOKEN_END && t == end;
        }
        if (said.size != t->size || memcmp(said.p, t->p, t->size) != 0) {
            return false;
        }
    }
}

/* Is it `min(uint((` e `)>>0),` bound `)`, as it is written here? *e_end: behind e. */
static bool is_clamped(const struct writer *w, size_t end, const char *bound, size_t *e_end)
{
    static const char head[] = "min(uint((";
    const struct hgl_token *t = now(w);
    if (end - w->at < 12 || !reads(t, t + 5, head)) {
        return false;
    }
    *e_end = hgl_behind_pair(w->tokens, w->at + 4) - 1;
    char tail[PATH_MAX + 64];
    (void)snprintf(tail, sizeof tail, ")>>0),%s)", bound);
    return *e_end < end && reads(&w->tokens[*e_end], &w->tokens[end], tail);
}

/* What an array or a vector has as elements. */
static void enter(struct writer *w, struct place *p)
{
    p->is_vertex = p->is_out = false;
    if (p->type.ranks == 0) {
        p->type.shape = p->type.shape == HGL_MATRIX ? HGL_VECTOR : HGL_SCALAR;
        return;
    }
    p->type.ranks--;
    if (p->size + 4 > PATH_MAX) {
        fail(w, "names that are too long");
        return;
    }
    memcpy(p->path + p->size, "[0]", 4);
    p->size += 3;
}

/* At a bracket. */
static void index_of(struct writer *w, struct place *p)
{
    char bound[PATH_MAX + 32];
    bool has_elements =
        p->type.ranks != 0 || p->type.shape == HGL_MATRIX || p->type.shape == HGL_VECTOR;
    size_t end = hgl_behind_pair(w->tokens, w->at) - 1, e_end = end;
    if (!has_elements || end <= w->at + 1 || !hgl_token_is(&w->tokens[end], "]") ||
        w->nested == NESTED_MAX) {
        fail(w, "what is indexed");
        return;
    }
    keep(w);
    bound_of(p, bound, sizeof bound);
    w->nested++;
    bool is_own = p->is_out && is(w, "gl_InvocationID");
    if (end - w->at == 1 && (now(w)->kind == HGL_TOKEN_NUMBER || is_own)) {
        keep(w); /* the compiler looks at those */
    } else {
        bool was = is_clamped(w, end, bound, &e_end);
        w->at += was ? 5 : 0;
        put_text(w, " min(uint((");
        tokens_until(w, was ? e_end : end);
        put_text(w, ")>>0),");
        put_text(w, bound);
        put_text(w, ")");
        w->at = end;
    }
    w->nested--;
    keep(w);
    enter(w, p);
}

/* At a dot. False: what comes has nothing to do with what is in memory. */
static bool member_of(struct writer *w, struct place *p)
{
    keep(w);
    const struct hgl_token name = *now(w);
    if (name.kind != HGL_TOKEN_WORD) {
        fail(w, "what is behind a dot");
        return false;
    }
    keep(w);
    if (p->type.ranks != 0) {
        if (!hgl_token_is(&name, "length")) {
            fail(w, "what is behind a dot");
        }
        return false;
    }
    if (p->type.shape == HGL_VECTOR) {
        p->type.rows = name.size;
        p->type.shape = name.size == 1 ? HGL_SCALAR : HGL_VECTOR;
        if (name.size > 4) {
            fail(w, "what is behind a dot");
        }
        return true;
    }
    const struct hgl_variable *m =
        p->type.shape == HGL_STRUCT ? hgl_names_member(w->names, p->type.structure, &name) : NULL;
    if (m == NULL || p->size + name.size + 2 > PATH_MAX) {
        fail(w, "what is behind a dot");
        return false;
    }
    p->path[p->size++] = '.';
    memcpy(p->path + p->size, name.p, name.size);
    p->size += name.size;
    p->path[p->size] = '\0';
    p->type = m->type;
    return true;
}

/* Words that no name follows, and no call's parenthesis. */
static bool is_statement(const struct hgl_token *t)
{
    static const char *const words[] = {"return", "else", "do", "case"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (hgl_token_is(t, words[i])) {
            return true;
        }
    }
    return false;
}

/* `.a[e]` behind a value, e being no number. */
static bool is_indexed(const struct hgl_token *tokens, size_t at)
{
    for (;;) {
        if (hgl_token_is(&tokens[at], ".") && tokens[at + 1].kind == HGL_TOKEN_WORD) {
            at += 2;
        } else if (!hgl_token_is(&tokens[at], "[")) {
            return false;
        } else if (tokens[at + 1].kind != HGL_TOKEN_NUMBER || !hgl_token_is(&tokens[at + 2], "]")) {
            return true;
        } else {
            at += 3;
        }
    }
}

/* At the parenthesis that closes `(b ? name : x)[e]`: a value without a name, which may be one of
 * ours. What a call returns is not. */
static bool is_bare(struct writer *w)
{
    uint32_t depth = 0;
    bool has_ours = false;
    if (!is_indexed(w->tokens, w->at + 1)) {
        return false;
    }
    for (size_t i = w->at + 1; i-- != 0;) {
        if (++w->looked > HGL_TOKENS_WORK) {
            return true; /* more than any text has, but one of parentheses without begins */
        }
        depth += hgl_token_is(&w->tokens[i], ")");
        depth -= hgl_token_is(&w->tokens[i], "(");
        has_ours = has_ours || hgl_names_variable(w->names, &w->tokens[i]) != NULL;
        if (depth == 0) {
            const struct hgl_token *before = i != 0 ? &w->tokens[i - 1] : NULL;
            bool is_call = before != NULL && !is_statement(before) &&
                           (before->kind == HGL_TOKEN_WORD || hgl_token_is(before, "]"));
            return has_ours && !is_call;
        }
    }
    return false;
}

/* Is what stands there compared, computed with or written, and not copied? */
static bool is_operand(const struct writer *w, size_t begin, size_t end)
{
    static const char *const signs[] = {"==", "!=", "*", "/", "=", "+", "-"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        bool is_before = i < 4 && begin != 0 && hgl_token_is(&w->tokens[begin - 1], signs[i]);
        if (is_before || hgl_token_is(&w->tokens[end], signs[i])) {
            return true;
        }
    }
    return false;
}

/* At the name of one of ours. */
static void variable(struct writer *w, const struct hgl_variable *v)
{
    struct place p = {
        .type = v->type, .size = v->name.size, .is_vertex = v->is_vertex, .is_out = v->is_out};
    if (v->name.size + 1 > PATH_MAX) {
        fail(w, "names that are too long");
        return;
    }
    memcpy(p.path, v->name.p, v->name.size);
    size_t begin = w->at;
    keep(w);
    while (w->why == NULL) {
        if (is(w, "[")) {
            index_of(w, &p);
        } else if (!is(w, ".")) {
            break;
        } else if (!member_of(w, &p)) {
            return;
        }
    }
    bool is_whole = p.type.ranks != 0 || p.type.shape == HGL_MATRIX || p.type.shape == HGL_STRUCT;
    w->copies = w->copies || (is_whole && !is_operand(w, begin, w->at));
}

/* --- all of it --- */

/* Does a type, or what ends in one, stand in front? */
static bool is_type_before(const struct writer *w)
{
    const struct hgl_token *before = w->at != 0 ? &w->tokens[w->at - 1] : NULL;
    return before != NULL &&
           (hgl_token_is(before, "]") || (before->kind == HGL_TOKEN_WORD && !is_statement(before)));
}

/* Is it what bounds are written with? */
static bool is_of_bounds(const struct hgl_token *t)
{
    return hgl_token_is(t, "min") || hgl_token_is(t, "gl_InvocationID") ||
           hgl_token_is(t, "gl_PatchVerticesIn");
}

/* A name behind a type, or behind a comma where a type was: another variable, which hides ours. */
static void look_for_names(struct writer *w)
{
    bool is_next = w->declares && w->declares_at == w->depth && w->at != 0 &&
                   hgl_token_is(&w->tokens[w->at - 1], ",");
    if (is_type_before(w) || w->at == w->behind_struct) {
        w->declares = true;
        w->declares_at = w->depth;
        is_next = true;
    }
    const struct hgl_variable *v = hgl_names_variable(w->names, now(w));
    if (is_next && ((v != NULL && v->at != w->at) || is_of_bounds(now(w)))) {
        fail(w, "a name that hides another");
    }
}

/* What has constants alone, and names of members. */
static void keep_pair(struct writer *w)
{
    for (size_t end = hgl_behind_pair(w->tokens, w->at); w->at < end && w->why == NULL;) {
        if (hgl_names_variable(w->names, now(w)) != NULL && !is_type_before(w) &&
            hgl_token_is(now(w) + 1, "[")) {
            fail(w, "what is indexed");
        }
        keep(w);
    }
}

/* A name, or what is between it and the next. */
static void word(struct writer *w)
{
    if (is(w, "layout") && hgl_token_is(now(w) + 1, "(")) {
        keep(w);
        keep_pair(w);
        return;
    }
    w->shared_count += is(w, "shared");
    w->in_struct = w->in_struct || is(w, "struct");
    look_for_names(w);
    const struct hgl_variable *v = hgl_names_variable(w->names, now(w));
    if (v != NULL && v->at != w->at) {
        variable(w, v);
    } else if (w->zeros->text != NULL && is(w, "main")) {
        put_lines(w);
        put_token(w, &(struct hgl_token){.p = HGL_ZEROS_MAIN,
                                         .size = sizeof HGL_ZEROS_MAIN - 1,
                                         .line = now(w)->line});
        w->at++;
    } else {
        keep(w);
    }
}

/* `name++[e]`, which has none either. */
static bool is_stepped(const struct writer *w)
{
    return w->at != 0 &&
           (hgl_token_is(&w->tokens[w->at - 1], "++") || hgl_token_is(&w->tokens[w->at - 1], "--"));
}

static void sign(struct writer *w)
{
    char c = now(w)->size == 1 ? *now(w)->p : ' ';
    bool is_block =
        c == '{' && w->depth == 0 && w->at != 0 && !hgl_token_is(&w->tokens[w->at - 1], ")");
    if (is_block || (c == '{' && w->in_struct)) { /* names of members hide none */
        w->behind_struct = w->in_struct ? hgl_behind_pair(w->tokens, w->at) : 0;
        w->in_struct = false;
        keep_pair(w);
        return;
    }
    bool is_constant = hgl_token_is(now(w) + 1, "]") ||
                       (now(w)[1].kind == HGL_TOKEN_NUMBER && hgl_token_is(now(w) + 2, "]"));
    w->indexes = w->indexes || (c == '[' && !is_constant);
    if ((c == ')' && is_bare(w)) || (c == '[' && is_stepped(w))) {
        fail(w, "what is indexed");
    }
    w->depth += c == '(' || c == '[' || c == '{';
    w->depth -= c == ')' || c == ']' || c == '}';
    if (c == ';' || c == '{' || c == '}' || w->depth < w->declares_at) {
        w->declares = false;
        w->in_struct = false;
    }
    keep(w);
}

static void tokens_until(struct writer *w, size_t end)
{
    while (w->at < end && w->why == NULL && !w->no_memory) {
        const struct hgl_token *t = now(w);
        if (t->kind == HGL_TOKEN_WORD && (w->at == 0 || !hgl_token_is(t - 1, "."))) {
            word(w);
        } else if (t->kind == HGL_TOKEN_SIGN) {
            sign(w);
        } else {
            keep(w);
        }
    }
}

static void write_all(struct writer *w, size_t count)
{
    tokens_until(w, count);
    if (w->shared_count != w->names->shared_count) {
        fail(w, "what is shared"); /* inside of something */
    }
    /* Where drivers read the copy's element from what was copied. */
    if (w->copies && w->indexes && (w->names->wanted & HGL_QUALIFIED_SHARED) == 0) {
        fail(w, "copies of what stages hand on, and their indices");
    }
    put_lines(w);
    if (w->zeros->text != NULL) {
        put_text(w, "\n");
        put_text(w, w->zeros->text);
    }
    put(w, "\n", 2); /* its end, too */
}

/* Which variables of a stage may be indexed past their ends; 0: none. */
static uint32_t wanted_of(uint32_t stage)
{
    switch (stage) {
    case GL_COMPUTE_SHADER:
        return HGL_QUALIFIED_SHARED;
    case GL_TESS_CONTROL_SHADER:
        return HGL_QUALIFIED_IN | HGL_QUALIFIED_OUT;
    case GL_TESS_EVALUATION_SHADER:
    case GL_FRAGMENT_SHADER:
        return HGL_QUALIFIED_IN;
    default:
        return 0;
    }
}

/* A stage's words without which it has nothing of that. text: ends with a NUL. */
static bool has_words(uint32_t stage, const char *text)
{
    switch (stage) {
    case GL_COMPUTE_SHADER:
        return strstr(text, "shared") != NULL;
    case GL_FRAGMENT_SHADER:
        return strstr(text, "interpolateAt") != NULL || strstr(text, "gl_ClipDistance") != NULL ||
               strstr(text, "gl_CullDistance") != NULL;
    default:
        return true;
    }
}

/* SL_OK with *is_needed; UNSUPPORTED. */
static enum sl_result look(uint32_t stage, const char *text, size_t size, bool *is_needed,
                           const char **why)
{
    *is_needed = wanted_of(stage) != 0;
    if (!*is_needed) {
        return SL_OK;
    }
    char *clean = hgl_text_clean(text, size, &size, why);
    if (clean == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    *is_needed = has_words(stage, clean);
    sl_free(clean);
    return SL_OK;
}

static enum sl_result clamp(struct hgl_names *names, const struct hgl_text *text,
                            struct hgl_clamped *out, const char **why)
{
    struct hgl_zeros zeros = {.count = text->tokens.count};
    struct writer w = {
        .tokens = text->tokens.all, .lines = &text->lines, .names = names, .zeros = &zeros};
    names->tokens = text->tokens.all;
    if (!hgl_names_find(names)) {
        *why = names->why;
        return SL_ERR_UNSUPPORTED;
    }
    enum sl_result result = SL_OK;
    if ((names->wanted & HGL_QUALIFIED_SHARED) != 0) {
        result = hgl_zeros_write(names, &text->tokens, &zeros, why);
    }
    if (result != SL_OK) {
        return result;
    }
    write_all(&w, zeros.count);
    sl_free(zeros.text);
    if (w.no_memory || w.why != NULL) {
        *why = w.why;
        sl_free(w.text);
        return w.no_memory ? SL_ERR_NOMEM : SL_ERR_UNSUPPORTED;
    }
    *out = (struct hgl_clamped){.text = w.text, .size = w.size - 1};
    return SL_OK;
}

enum sl_result hgl_clamp(uint32_t stage, const char *text, size_t size, const char *extensions,
                         struct hgl_clamped *out, const char **why)
{
    struct hgl_text read;
    bool is_needed;
    *out = (struct hgl_clamped){0};
    enum sl_result result = look(stage, text, size, &is_needed, why);
    if (result != SL_OK || !is_needed) {
        return result;
    }
    result = hgl_tokens_read(text, size, extensions, &read, why);
    if (result != SL_OK) {
        return result;
    }
    struct hgl_names *names = sl_alloc(sizeof *names);
    if (names != NULL) {
        names->wanted = wanted_of(stage);
        names->has_patches = stage == GL_TESS_CONTROL_SHADER || stage == GL_TESS_EVALUATION_SHADER;
        result = clamp(names, &read, out, why);
    }
    result = names != NULL ? result : SL_ERR_NOMEM;
    sl_free(names);
    hgl_text_finish(&read);
    return result;
}
