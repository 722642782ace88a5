#include "host/gles/hgl_lengths.h"

#include "transport/base/mem.h"

#include <stdint.h>
#include <string.h>

#define NAMES_MAX  1024u
#define NESTED_MAX 32u
#define WORK_MAX   (1u << 22) /* tokens */
/* No value is further from 0. */
#define VALUE_MAX ((int64_t)1 << 40)
/* Lengths from which on they are summed up: indices are mostly less. */
#define LONG 4096

enum { END, NUMBER, WORD, SIGN };

struct token {
    uint32_t kind;
    const char *p;
    size_t length;
    int64_t value; /* of a number */
    bool is_line;  /* the first of its line */
};

struct name {
    const char *p, *body, *end; /* body NULL: a constant of that value */
    size_t length;
    int64_t value;
};

struct reader {
    const char *p, *end;
    struct token at;
    struct lengths *of;
    uint32_t depth;
    bool is_line;
};

struct lengths {
    struct name *names;
    uint32_t name_count, name_room, work;
    int64_t sum, in_structs; /* elements */
    bool renames;            /* what stands for `buffer` is not known */
    const char *why;
};

static int64_t bounded(int64_t v)
{
    return v > VALUE_MAX ? VALUE_MAX : v < -VALUE_MAX ? -VALUE_MAX : v;
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

static void skip_space(struct reader *r)
{
    for (; r->p < r->end; r->p++) {
        const char *p = r->p;
        if (*p == '/' && r->end - p > 1 && p[1] == '/') {
            const char *line = memchr(p, '\n', (size_t)(r->end - p));
            r->p = line != NULL ? line - 1 : r->end - 1;
        } else if (*p == '/' && r->end - p > 1 && p[1] == '*') {
            for (p += 2; r->end - p > 1 && (p[0] != '*' || p[1] != '/'); p++) {
            }
            r->p = r->end - p > 1 ? p + 1 : r->end - 1;
        } else if (*p == '\n') {
            r->is_line = true;
        } else if (*p == '\\' && r->end - p > 1 && (p[1] == '\n' || p[1] == '\r')) {
            r->p += p[1] == '\r' && r->end - p > 2 && p[2] == '\n' ? 2 : 1;
        } else if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\v' && *p != '\f') {
            return;
        }
    }
}

static int digit_of(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

/* 12, 014, 0xcu, 1.2e1f: towards 0. */
static int64_t number_of(const char *p, const char *end)
{
    int base = 10, exponent = 0;
    int64_t value = 0;
    bool is_part = false;
    const char *q = p;
    while (q < end && is_digit(*q)) {
        q++;
    }
    bool is_real = q < end && (*q == '.' || *q == 'e' || *q == 'E' || *q == 'f' || *q == 'F');
    if (end - p > 1 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    } else if (!is_real && *p == '0') {
        base = 8;
    }
    for (; p < end; p++) {
        if (*p == '.') {
            is_part = true;
        } else if (base != 16 && (*p == 'e' || *p == 'E')) {
            break;
        } else if (digit_of(*p) >= base) {
            break;
        } else if (value < VALUE_MAX) { /* digits past that are none that matter */
            value = value * base + digit_of(*p);
            exponent -= is_part;
        } else {
            exponent += !is_part && base == 10;
        }
    }
    if (p < end && base == 10 && (*p == 'e' || *p == 'E')) {
        bool is_less = end - p > 1 && p[1] == '-';
        int e = 0;
        for (p += end - p > 1 && (p[1] == '-' || p[1] == '+') ? 2 : 1; p < end && is_digit(*p);
             p++) {
            e = e < 1000 ? e * 10 + (*p - '0') : e;
        }
        exponent += is_less ? -e : e;
    }
    for (; exponent > 0 && value < VALUE_MAX && value != 0; exponent--) {
        value *= 10;
    }
    for (; exponent < 0 && value != 0; exponent++) {
        value /= 10;
    }
    return bounded(value);
}

static void next(struct reader *r)
{
    skip_space(r);
    const char *p = r->p;
    r->at = (struct token){.kind = END, .p = p, .is_line = r->is_line};
    r->is_line = false;
    if (p >= r->end || r->of->work++ > WORK_MAX) {
        r->of->why = r->of->work > WORK_MAX ? "words are in it" : r->of->why;
        return;
    }
    if (is_digit(*p) || (*p == '.' && r->end - p > 1 && is_digit(p[1]))) {
        bool is_hex = r->end - p > 1 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
        while (r->p < r->end && (is_word(*r->p) || *r->p == '.' ||
                                 ((*r->p == '-' || *r->p == '+') && !is_hex &&
                                  (r->p[-1] == 'e' || r->p[-1] == 'E')))) {
            r->p++;
        }
        r->at.kind = NUMBER;
        r->at.value = number_of(p, r->p);
    } else if (is_word(*p)) {
        while (r->p < r->end && is_word(*r->p)) {
            r->p++;
        }
        r->at.kind = WORD;
    } else {
        bool is_pair = r->end - p > 1 && p[0] == p[1] && (*p == '<' || *p == '>');
        r->p += is_pair ? 2 : 1;
        r->at.kind = SIGN;
    }
    r->at.length = (size_t)(r->p - p);
}

static bool is(const struct reader *r, const char *text)
{
    return r->at.kind != END && r->at.length == strlen(text) &&
           memcmp(r->at.p, text, r->at.length) == 0;
}

/* --- values --- */

static bool value_of(struct reader *r, int least, int64_t *out);

/* The greatest of all that have the name: which one holds is the preprocessor's to say. */
static bool named(struct reader *r, const struct token *t, int64_t *out)
{
    struct lengths *of = r->of;
    bool found = false;
    of->work += of->name_count / 8;
    for (uint32_t i = 0; i < of->name_count && r->depth < NESTED_MAX; i++) {
        const struct name *n = &of->names[i];
        int64_t value = n->value;
        if (n->length != t->length || memcmp(n->p, t->p, t->length) != 0) {
            continue;
        }
        if (n->body != NULL) {
            struct reader inner = {.p = n->body, .end = n->end, .of = of, .depth = r->depth + 1};
            next(&inner);
            if (!value_of(&inner, 0, &value) || inner.at.kind != END) {
                continue;
            }
        }
        *out = !found || value > *out ? value : *out;
        found = true;
    }
    return found;
}

static bool one(struct reader *r, int64_t *out)
{
    if (r->depth >= NESTED_MAX) {
        return false;
    }
    if (r->at.kind == NUMBER) {
        *out = r->at.value;
        next(r);
        return true;
    }
    if (is(r, "-") || is(r, "~") || is(r, "+")) {
        char sign = *r->at.p;
        next(r);
        r->depth++;
        bool ok = one(r, out);
        r->depth--;
        *out = ok && sign == '-' ? -*out : ok && sign == '~' ? ~*out : *out;
        return ok;
    }
    if (is(r, "int") || is(r, "uint")) {
        next(r);
        if (!is(r, "(")) {
            return false;
        }
    }
    if (is(r, "(")) {
        next(r);
        r->depth++;
        bool ok = value_of(r, 0, out) && is(r, ")");
        r->depth--;
        if (ok) {
            next(r);
        }
        return ok;
    }
    if (r->at.kind == WORD && named(r, &r->at, out)) {
        next(r);
        return true;
    }
    return false;
}

/* How tightly it binds; 0: it is none of those that are known. */
static int binds(const struct reader *r)
{
    static const char *const signs[] = {"|", "^", "&", "<<", ">>", "+", "-", "*", "/", "%"};
    static const int how[] = {1, 2, 3, 4, 4, 5, 5, 6, 6, 6};
    for (size_t i = 0; r->at.kind == SIGN && i < sizeof how / sizeof how[0]; i++) {
        if (is(r, signs[i])) {
            return how[i];
        }
    }
    return 0;
}

static int64_t joined(char sign, int64_t a, int64_t b)
{
    switch (sign) {
    case '|':
        return a | b;
    case '^':
        return a ^ b;
    case '&':
        return a & b;
    case '<':
        return b < 0 || b > 40 || a < 0 ? 0 : a > VALUE_MAX >> b ? VALUE_MAX : a << b;
    case '>':
        return b < 0 || b > 40 || a < 0 ? 0 : a >> b;
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a != 0 && (b > VALUE_MAX / (a < 0 ? -a : a) || b < -(VALUE_MAX / (a < 0 ? -a : a)))
                   ? VALUE_MAX
                   : a * b;
    case '/':
        return b != 0 ? a / b : 0;
    default:
        return b != 0 ? a % b : 0;
    }
}

/* A constant expression of what binds more tightly than `least`. False: it is none that is known.
 */
static bool value_of(struct reader *r, int least, int64_t *out)
{
    if (!one(r, out)) {
        return false;
    }
    for (int how = binds(r); how > least; how = binds(r)) {
        char sign = *r->at.p;
        int64_t right;
        next(r);
        if (!value_of(r, how, &right)) {
            return false;
        }
        *out = bounded(joined(sign, *out, right));
    }
    return true;
}

/* --- what has names --- */

static void name_add(struct lengths *of, const struct name *name)
{
    if (of->name_count == NAMES_MAX) {
        return; /* what has it later is not known */
    }
    if (of->name_count == of->name_room) {
        uint32_t room = of->name_room * 2 + 8;
        struct name *more = sl_realloc(of->names, room * sizeof *more);
        if (more == NULL) {
            of->why = "bytes of memory are needed";
            return;
        }
        of->names = more;
        of->name_room = room;
    }
    of->names[of->name_count++] = *name;
}

static const char *line_end(const struct reader *r)
{
    struct reader line = *r;
    do {
        line.p = line.at.p + line.at.length;
        next(&line);
    } while (line.at.kind != END && !line.at.is_line);
    return line.at.p;
}

/* Behind a line's #. */
static void directive(struct reader *r)
{
    struct reader line = {.p = r->at.p + 1, .end = line_end(r), .of = r->of};
    const char *end = line.end;
    next(&line);
    if (is(&line, "define")) {
        next(&line);
        struct name n = {.p = line.at.p, .length = line.at.length, .body = line.p, .end = end};
        r->of->renames = r->of->renames || is(&line, "buffer");
        if (line.at.kind == WORD && (line.p >= end || *line.p != '(')) {
            name_add(r->of, &n);
        }
    }
    r->p = end;
    r->is_line = true;
    next(r);
}

/* `const int N = 4 * M`, at its type. */
static void constants(struct reader *r)
{
    do {
        next(r);
        struct name n = {.p = r->at.p, .length = r->at.length};
        if (r->at.kind != WORD) {
            return;
        }
        next(r);
        if (!is(r, "=")) {
            return;
        }
        next(r);
        if (!value_of(r, 0, &n.value)) {
            return;
        }
        name_add(r->of, &n);
    } while (is(r, ","));
}

/* --- lengths --- */

struct place {
    bool begins_struct, begins_stored; /* the word was there, and no sign since */
    bool in_struct, is_stored;
};

static void length_is(struct lengths *of, int64_t length, const struct place *place)
{
    int64_t all = length > HGL_LENGTHS_MAX ? length : length * (1 + of->in_structs);
    if (place->in_struct && all > 0) {
        of->in_structs = bounded(of->in_structs + all);
    }
    of->sum += length >= LONG && !place->is_stored ? bounded(length) : 0;
    if (length > (place->is_stored ? HGL_LENGTH_STORED : HGL_LENGTH_MAX) ||
        (!place->is_stored && (all > HGL_LENGTHS_MAX || of->sum > HGL_LENGTHS_MAX))) {
        of->why = "elements are in its arrays";
    }
}

/* From a bracket on. */
static void brackets(struct reader *r, const struct place *place)
{
    int64_t product = 1;
    while (is(r, "[")) {
        int64_t length;
        next(r);
        if (!value_of(r, 0, &length) || !is(r, "]")) {
            break; /* what it has in brackets is still to come */
        }
        product = length > 0 ? joined('*', product, length) : product;
        next(r);
    }
    length_is(r->of, product, place);
}

/* Whether a brace opens a structure, or a block of memory that is the program's. */
static void place_go_on(struct place *place, const struct reader *r)
{
    if (r->at.kind != SIGN) {
        place->begins_struct = place->begins_struct || is(r, "struct");
        place->begins_stored = place->begins_stored || (is(r, "buffer") && !r->of->renames);
    } else if (is(r, "{")) {
        *place = (struct place){.in_struct = place->begins_struct,
                                .is_stored = place->begins_stored && !place->begins_struct};
    } else if (is(r, "}")) {
        *place = (struct place){0};
    } else {
        place->begins_struct = place->begins_stored = false;
    }
}

static void look(struct reader *r)
{
    struct place place = {0};
    bool is_const = false;
    while (r->at.kind != END && r->of->why == NULL) {
        if (is(r, "#") && r->at.is_line) {
            directive(r);
        } else if (is(r, "[")) {
            brackets(r, &place);
        } else if (is_const && (is(r, "int") || is(r, "uint"))) {
            constants(r);
            is_const = false;
        } else {
            is_const = is(r, "const") ||
                       (is_const && (is(r, "highp") || is(r, "mediump") || is(r, "lowp")));
            place_go_on(&place, r);
            next(r);
        }
    }
}

bool hgl_lengths_fit(const char *text, size_t size, const char **why)
{
    struct lengths of = {0};
    struct reader r = {.p = text, .end = text + size, .of = &of, .is_line = true};
    next(&r);
    look(&r);
    sl_free(of.names);
    *why = of.why;
    return of.why == NULL;
}
