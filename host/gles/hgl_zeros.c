#include "host/gles/hgl_zeros.h"

#include "transport/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 65536u
#define PATH_MAX 256u

struct writer {
    const struct hgl_names *names;
    char *text; /* TEXT_MAX */
    size_t size;
    const char *why;
};

static void fail(struct writer *w, const char *why)
{
    w->why = w->why != NULL ? w->why : why;
}

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int size = vsnprintf(w->text + w->size, TEXT_MAX - w->size, format, list);
    va_end(list);
    if (size < 0 || (size_t)size >= TEXT_MAX - w->size) {
        fail(w, "shared variables, which are too many");
    } else {
        w->size += (size_t)size;
    }
}

static void value(struct writer *w, const struct hgl_type *type, const char *path, uint32_t loops);

/* With all its elements: those of the outermost array are shared out. */
static void elements(struct writer *w, const struct hgl_type *type, const char *path,
                     uint32_t loops)
{
    char first[PATH_MAX + 16], inner[PATH_MAX + 16];
    struct hgl_type element = *type;
    element.ranks--;
    (void)snprintf(inner, sizeof inner, "%s[" HGL_ZEROS_PREFIX "%u]", path, loops);
    (void)snprintf(first, sizeof first, "%s", path);
    put(w, "for(uint " HGL_ZEROS_PREFIX "%u=%s;" HGL_ZEROS_PREFIX "%u<uint(%s.length());", loops,
        loops == 0 ? "gl_LocalInvocationIndex" : "0u", loops, first);
    put(w, HGL_ZEROS_PREFIX "%u+=%s){", loops,
        loops == 0 ? "gl_WorkGroupSize.x*gl_WorkGroupSize.y*gl_WorkGroupSize.z" : "1u");
    value(w, &element, inner, loops + 1);
    put(w, "}");
}

static void value(struct writer *w, const struct hgl_type *type, const char *path, uint32_t loops)
{
    if (w->why != NULL) {
        return;
    }
    if (strlen(path) >= PATH_MAX) {
        fail(w, "names that are too long");
    } else if (type->ranks != 0) {
        elements(w, type, path, loops);
    } else if (type->shape != HGL_STRUCT) {
        put(w, "%s=%.*s(0);", path, (int)type->word.size, type->word.p);
    } else if (type->structure >= w->names->structure_count) {
        fail(w, "a variable's type");
    } else {
        uint32_t first = w->names->structures[type->structure].first;
        for (uint32_t i = 0; i < w->names->structures[type->structure].count; i++) {
            const struct hgl_variable *m = &w->names->members[first + i];
            char inner[PATH_MAX * 2];
            (void)snprintf(inner, sizeof inner, "%s.%.*s", path, (int)m->name.size, m->name.p);
            value(w, &m->type, inner, loops);
        }
    }
}

static bool same(const struct hgl_token *a, const struct hgl_token *b)
{
    return a->kind == b->kind && a->size == b->size && memcmp(a->p, b->p, a->size) == 0;
}

/* Does one of the tokens up to count say it, but where it is declared? */
static bool is_used(const struct hgl_variable *v, const struct hgl_token *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != v->at && same(&v->name, &tokens[i])) {
            return true;
        }
    }
    return false;
}

static void write_all(struct writer *w, const struct hgl_token *tokens, size_t count)
{
    w->size = 0;
    w->text[0] = '\0';
    put(w, "void main(){");
    size_t begin = w->size;
    for (uint32_t i = 0; i < w->names->variable_count; i++) {
        const struct hgl_variable *v = &w->names->variables[i];
        char path[PATH_MAX];
        int size = snprintf(path, sizeof path, "%.*s", (int)v->name.size, v->name.p);
        if ((size_t)size >= sizeof path ||
            strncmp(path, HGL_ZEROS_PREFIX, sizeof HGL_ZEROS_PREFIX - 1) == 0) {
            fail(w, "a variable's name");
        } else if (is_used(v, tokens, count)) {
            value(w, &v->type, path, 0);
        }
    }
    bool is_empty = w->size == begin;
    put(w, "barrier();" HGL_ZEROS_MAIN "();}");
    if (is_empty) {
        w->size = 0;
    }
}

/* Do the tokens from `at` on say what was written, and nothing else? */
static bool stands(const struct writer *w, const struct hgl_tokens *tokens, size_t at)
{
    const char *p = w->text, *end = w->text + w->size;
    for (;; at++) {
        const struct hgl_token said = hgl_lex(&p, end);
        if (said.kind == HGL_TOKEN_END || at == tokens->count) {
            return said.kind == HGL_TOKEN_END && at == tokens->count;
        }
        if (!same(&said, &tokens->all[at])) {
            return false;
        }
    }
}

/* The last `void main`; the count: there is none. */
static size_t last_main(const struct hgl_tokens *tokens)
{
    for (size_t i = tokens->count; i-- > 1;) {
        if (hgl_token_is(&tokens->all[i], "main") && hgl_token_is(&tokens->all[i - 1], "void")) {
            return i - 1;
        }
    }
    return tokens->count;
}

enum sl_result hgl_zeros_write(const struct hgl_names *names, const struct hgl_tokens *tokens,
                               struct hgl_zeros *out, const char **why)
{
    size_t at = last_main(tokens);
    struct writer w = {.names = names, .text = sl_alloc(TEXT_MAX)};
    *out = (struct hgl_zeros){.count = tokens->count};
    if (w.text == NULL) {
        return SL_ERR_NOMEM;
    }
    if (at != tokens->count) {
        write_all(&w, tokens->all, at);
        if (w.why == NULL && w.size != 0 && stands(&w, tokens, at)) {
            out->count = at;
        } else {
            write_all(&w, tokens->all, tokens->count);
        }
    }
    if (w.why != NULL || w.size == 0) {
        *why = w.why;
        sl_free(w.text);
        return w.why != NULL ? SL_ERR_UNSUPPORTED : SL_OK;
    }
    out->text = w.text;
    return SL_OK;
}
