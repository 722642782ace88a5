/* A shader's text as bytes: what joins its lines, comments, and where its words begin and end. */
#include "host/gles/hgl_tokens.h"

#include "transport/base/mem.h"

#include <string.h>

/* --- bytes --- */

static size_t newline_at(const char *p, const char *end)
{
    if (p == end || (*p != '\n' && *p != '\r')) {
        return 0;
    }
    return end - p > 1 && (p[1] == '\n' || p[1] == '\r') && p[1] != p[0] ? 2 : 1;
}

/* Lines that a backslash joins. Their ends come behind the next one that stays. */
static size_t join_lines(char *out, const char *p, const char *end)
{
    size_t size = 0, owed = 0;
    while (p < end) {
        size_t joins = *p == '\\' ? newline_at(p + 1, end) : 0, ends = newline_at(p, end);
        if (joins != 0) {
            p += 1 + joins;
            owed++;
        } else if (ends != 0) {
            for (p += ends, owed++; owed != 0; owed--) {
                out[size++] = '\n';
            }
        } else {
            out[size++] = *p++;
        }
    }
    return size;
}

static const char *behind_comment(const char *p, const char *end, size_t *lines)
{
    bool is_block = p[1] == '*';
    for (p += 2; p < end; p++) {
        if (!is_block && *p == '\n') {
            return p;
        }
        if (is_block && end - p > 1 && p[0] == '*' && p[1] == '/') {
            return p + 2;
        }
        *lines += *p == '\n';
    }
    return end;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

/* Is it a line in which compilers may see no comments? Mesa's takes some lines as they are, from
 * such a word on, which has to end nowhere. */
static bool is_taken_whole(const char *line, const char *end)
{
    static const char *const names[] = {"pragma", "extension", "error"};
    bool has_sign = false;
    while (line < end && (is_blank(*line) || (*line == '#' && !has_sign))) {
        has_sign = has_sign || *line == '#';
        line++;
    }
    for (size_t i = 0; has_sign && i < sizeof names / sizeof names[0]; i++) {
        size_t size = strlen(names[i]);
        if ((size_t)(end - line) >= size && memcmp(line, names[i], size) == 0) {
            return true;
        }
    }
    return false;
}

/* In place: a comment is a space. */
static size_t drop_comments(char *text, size_t size, bool *is_torn)
{
    const char *p = text, *end = text + size;
    size_t used = 0, owed = 0, line = 0;
    while (p < end) {
        if (end - p > 1 && p[0] == '/' && (p[1] == '/' || p[1] == '*')) {
            const char *next = behind_comment(p, end, &owed);
            bool goes_on = memchr(p, '\n', (size_t)(next - p)) != NULL;
            *is_torn = *is_torn || (goes_on && is_taken_whole(text + line, text + used));
            p = next;
            text[used++] = ' ';
            continue;
        }
        line = *p == '\n' ? used + 1 : line;
        text[used++] = *p;
        for (; *p == '\n' && owed != 0; owed--) {
            text[used++] = '\n';
        }
        p++;
    }
    return used;
}

char *hgl_text_clean(const char *text, size_t size, size_t *out_size, const char **why)
{
    bool is_torn = false;
    char *clean = sl_alloc(size + 1);
    *why = "bytes of memory are needed";
    if (clean == NULL) {
        return NULL;
    }
    *out_size = drop_comments(clean, join_lines(clean, text, text + size), &is_torn);
    if (is_torn) {
        *why = "comments begin in lines of the compiler's";
        sl_free(clean);
        return NULL;
    }
    clean[*out_size] = '\0';
    *why = NULL;
    return clean;
}

/* --- tokens --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

/* 12u, 0x1e, .5, 1.e-3f */
static const char *behind_number(const char *p, const char *end)
{
    bool is_hex = end - p > 1 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    const char *q = p + 1;
    while (q < end && (is_word(*q) || *q == '.' ||
                       ((*q == '-' || *q == '+') && !is_hex && (q[-1] == 'e' || q[-1] == 'E')))) {
        q++;
    }
    return q;
}

static size_t sign_size(const char *p, const char *end)
{
    static const char *const signs[] = {
        "<<=", ">>=", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&",
        "||",  "^^",  "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "##"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t size = strlen(signs[i]);
        if ((size_t)(end - p) >= size && memcmp(p, signs[i], size) == 0) {
            return size;
        }
    }
    return 1;
}

struct hgl_token hgl_lex(const char **p, const char *end)
{
    const char *q = *p;
    while (q < end && (*q == ' ' || *q == '\t' || *q == '\v' || *q == '\f')) {
        q++;
    }
    struct hgl_token t = {.p = q, .kind = HGL_TOKEN_END};
    if (q == end || *q == '\n') {
        *p = q;
        return t;
    }
    const char *after = q + 1;
    if (is_digit(*q) || (*q == '.' && end - q > 1 && is_digit(q[1]))) {
        t.kind = HGL_TOKEN_NUMBER;
        after = behind_number(q, end);
    } else if (is_word(*q)) {
        t.kind = HGL_TOKEN_WORD;
        while (after < end && is_word(*after)) {
            after++;
        }
    } else {
        t.kind = HGL_TOKEN_SIGN;
        after = q + sign_size(q, end);
    }
    t.size = (uint32_t)(after - q);
    *p = after;
    return t;
}

bool hgl_is_of_language(const struct hgl_token *t)
{
    static const char signs[] = "()[]{}.,;:?=<>+-*/%&|^!~";
    return t->kind != HGL_TOKEN_SIGN || memchr(signs, *t->p, sizeof signs - 1) != NULL;
}

bool hgl_is_handed_on(const struct hgl_token *name)
{
    return hgl_token_is(name, "extension") || hgl_token_is(name, "pragma") ||
           hgl_token_is(name, "line") || hgl_token_is(name, "error");
}

/* --- lists of them --- */

bool hgl_token_is(const struct hgl_token *t, const char *text)
{
    return t->kind != HGL_TOKEN_END && t->size == strlen(text) && memcmp(t->p, text, t->size) == 0;
}

bool hgl_tokens_add(struct hgl_tokens *list, const struct hgl_token *token)
{
    if (list->count == list->room) {
        size_t room = list->room * 2 + 16;
        struct hgl_token *more = sl_realloc(list->all, room * sizeof *more);
        if (more == NULL) {
            return false;
        }
        list->all = more;
        list->room = room;
    }
    list->all[list->count++] = *token;
    return true;
}

void hgl_tokens_finish(struct hgl_tokens *tokens)
{
    sl_free(tokens->all);
    sl_free(tokens->text);
    *tokens = (struct hgl_tokens){0};
}
