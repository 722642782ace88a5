/* What stands behind #if: whole numbers, and what is not known where it does not matter. */
#include "host/gles/hgl_tokens.h"

#include <stdlib.h>
#include <string.h>

#define NESTED_MAX 64u

struct value {
    int64_t number;
    bool is_known;
};

struct reader {
    const struct hgl_tokens *line;
    size_t at;
    uint32_t depth;
    bool failed;
};

static const char *const levels[][5] = {
    {"||"},       {"&&"},     {"|"},          {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="},
    {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}};
#define LEVELS (sizeof levels / sizeof levels[0])

static struct value level(struct reader *r, size_t which);

static bool take(struct reader *r, const char *sign)
{
    if (r->at < r->line->count && hgl_token_is(&r->line->all[r->at], sign)) {
        r->at++;
        return true;
    }
    return false;
}

static struct value number(struct reader *r)
{
    char digits[24], *end = NULL;
    const struct hgl_token *t = &r->line->all[r->at++];
    if (t->kind != HGL_TOKEN_NUMBER || t->size >= sizeof digits) {
        r->failed = r->failed || t->kind != HGL_TOKEN_WORD;
        return (struct value){0, false};
    }
    memcpy(digits, t->p, t->size);
    digits[t->size] = '\0';
    struct value v = {(int32_t)strtoul(digits, &end, 0), true};
    r->failed = r->failed || (*end != '\0' && strcmp(end, "u") != 0 && strcmp(end, "U") != 0);
    return v;
}

static struct value one(struct reader *r)
{
    static const char *const signs[] = {"+", "-", "~", "!"};
    struct value v = {0, false};
    if (r->failed || r->at >= r->line->count || r->depth >= NESTED_MAX) {
        r->failed = true;
        return v;
    }
    r->depth++;
    for (size_t i = 0; i < 4; i++) {
        if (take(r, signs[i])) {
            v = one(r);
            v.number = i == 0 ? v.number : i == 1 ? -v.number : i == 2 ? ~v.number : !v.number;
            r->depth--;
            return v;
        }
    }
    if (take(r, "(")) {
        v = level(r, 0);
        r->failed = r->failed || !take(r, ")");
    } else {
        v = number(r);
    }
    r->depth--;
    return v;
}

static int64_t joined(const char *sign, int64_t a, int64_t b)
{
    bool is_pair = sign[1] != '\0';
    switch (sign[0]) {
    case '|':
        return is_pair ? a != 0 || b != 0 : a | b;
    case '&':
        return is_pair ? a != 0 && b != 0 : a & b;
    case '^':
        return a ^ b;
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        return sign[1] == '<' ? (int64_t)((uint64_t)a << (b & 31)) : is_pair ? a <= b : a < b;
    case '>':
        return sign[1] == '>' ? a >> (b & 31) : is_pair ? a >= b : a > b;
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        return a % b;
    }
}

/* `0 && what is not known` is 0, `1 || it` is 1. Numbers have 32 bits, as a compiler's. */
static struct value join(struct reader *r, const char *sign, struct value a, struct value b)
{
    bool is_and = strcmp(sign, "&&") == 0, is_or = strcmp(sign, "||") == 0;
    if (a.is_known && ((is_and && a.number == 0) || (is_or && a.number != 0))) {
        return (struct value){is_or, true};
    }
    struct value v = {0, a.is_known && b.is_known};
    if (v.is_known && (*sign == '/' || *sign == '%') && b.number == 0) {
        r->failed = true;
        return v;
    }
    v.number = v.is_known ? (int32_t)(uint32_t)(uint64_t)joined(sign, a.number, b.number) : 0;
    return v;
}

static struct value level(struct reader *r, size_t which)
{
    if (which == LEVELS) {
        return one(r);
    }
    struct value v = level(r, which + 1);
    for (;;) {
        const char *sign = NULL;
        for (size_t i = 0; i < 5 && levels[which][i] != NULL && sign == NULL; i++) {
            sign = take(r, levels[which][i]) ? levels[which][i] : NULL;
        }
        if (sign == NULL || r->failed) {
            return v;
        }
        v = join(r, sign, v, level(r, which + 1));
    }
}

bool hgl_condition(const struct hgl_tokens *line, bool *value)
{
    struct reader r = {.line = line};
    struct value v = level(&r, 0);
    *value = v.number != 0;
    return v.is_known && !r.failed && r.at == line->count;
}
