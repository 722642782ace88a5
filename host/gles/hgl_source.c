#include "host/gles/hgl_source.h"

#include "transport/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX     1024u /* parentheses in each other */
#define FRAMES_FEW     16u
#define NESTED_MAX     64u    /* macros in each other */
#define MACROS_MAX     65536u /* of one text */
#define PARAMETERS_MAX 16u
#define WORK_MAX       (64u << 20)
#define NAME_WORK      64u /* a macro's, where others have its name */

/* Both stop growing once they are past their limits. */
struct weight {
    uint32_t chain, words;
};

struct macro {
    const char *name;
    size_t length;
    const char *body, *end;
    uint32_t
        copies;     /* how often one argument may stand in the body, at least 1; 0: it takes none */
    uint32_t level; /* while it is looked into: how deep, from 1 */
    bool is_known;
    struct weight weight;
};

struct source {
    struct macro *macros; /* sorted by name */
    size_t count;
    uint32_t depth;  /* of macros that are looked into */
    uint32_t lowest; /* of those that were met again, the outermost */
    uint64_t work;   /* bytes looked at */
    const char *why;
};

/* A parenthesis: chain and words in front of it, the longest chain in it so far. */
struct frame {
    uint32_t base, peak, words;
    uint32_t copies; /* 0: no macro's */
    uint32_t commas; /* of one expression: what a call is given are several */
    bool is_call;
};

/* A text that is gone through. */
struct scan {
    struct source *s;
    const char *p, *end;
    struct frame few[FRAMES_FEW], *frames; /* more of them are in memory of their own */
    uint32_t room, depth, macro_frames, chain, copies;
    uint32_t commas; /* outside of parentheses */
    struct weight most;
    bool in_macro, is_line_begin, in_directive;
    bool is_callee; /* what stands in front may be called */
};

static uint32_t capped(uint64_t value)
{
    return value > HGL_SOURCE_WORDS ? HGL_SOURCE_WORDS + 1 : (uint32_t)value;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Behind a comment that begins at p, or p. Line ends of the one kind stay. */
static const char *behind_comment(const char *p, const char *end)
{
    if (end - p < 2 || p[0] != '/' || (p[1] != '/' && p[1] != '*')) {
        return p;
    }
    if (p[1] == '/') {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        return line != NULL ? line : end;
    }
    for (p += 2; end - p >= 2; p++) {
        if (p[0] == '*' && p[1] == '/') {
            return p + 2;
        }
    }
    return end;
}

static const char *behind_word(const char *p, const char *end)
{
    while (p < end && is_word(*p)) {
        p++;
    }
    return p;
}

static const char *behind_space(const char *p, const char *end)
{
    for (;;) {
        const char *q = behind_comment(p, end);
        while (q < end && is_space(*q)) {
            q++;
        }
        if (q == p) {
            return p;
        }
        p = q;
    }
}

/* The end of a line of the preprocessor, which a backslash makes longer. */
static const char *line_end(const char *p, const char *end)
{
    while (p < end && *p != '\n') {
        const char *q = p[0] == '/' && end - p > 1 && p[1] == '*' ? behind_comment(p, end) : p + 1;
        p = *p == '\\' && q < end ? q + 1 + (*q == '\r' && q + 1 < end) : q;
    }
    return p;
}

static int by_name(const void *a, const void *b)
{
    const struct macro *x = a, *y = b;
    size_t least = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->name, y->name, least);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* The first of that name; NULL. One that is defined several times stands there several times. */
static struct macro *find(const struct source *s, const char *name, size_t length)
{
    const struct macro key = {.name = name, .length = length};
    size_t from = 0, to = s->count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (by_name(&s->macros[middle], &key) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < s->count && by_name(&s->macros[from], &key) == 0 ? &s->macros[from] : NULL;
}

/* How often the word stands there. */
static uint32_t count_word(const char *p, const char *end, const char *word, size_t length)
{
    uint32_t count = 0;
    while (p < end) {
        const char *next = behind_word(p, end);
        count += (size_t)(next - p) == length && memcmp(p, word, length) == 0;
        p = next > p ? next : p + 1;
    }
    return count;
}

/* Of the parameters between p and close: the one that stands in the body most often. */
static uint32_t most_copies(const struct macro *m, const char *p, const char *close)
{
    uint32_t most = 1;
    for (uint32_t i = 0; p < close; i++) {
        const char *word = behind_space(p, close), *next = behind_word(word, close);
        uint32_t count = i < PARAMETERS_MAX
                             ? count_word(m->body, m->end, word, (size_t)(next - word))
                             : (uint32_t)(m->end - m->body); /* no more than there are bytes */
        most = next > word && count > most ? count : most;
        p = next > p ? next : p + 1;
    }
    return most;
}

/* `NAME(x, y) BODY` of a define. */
static void define(struct source *s, const char *p, const char *end)
{
    p = behind_space(p, end);
    const char *after = behind_word(p, end);
    if (after == p) {
        return;
    }
    struct macro *m = &s->macros[s->count++];
    *m = (struct macro){.name = p, .length = (size_t)(after - p), .body = after, .end = end};
    if (after < end && *after == '(') {
        const char *close = memchr(after, ')', (size_t)(end - after));
        m->body = close != NULL ? close + 1 : end;
        m->copies = most_copies(m, after + 1, close != NULL ? close : end);
    }
}

/* The word behind a line's #, or NULL. */
static const char *directive(const char *p, const char *end)
{
    p = behind_space(p, end);
    return p < end && *p == '#' ? behind_space(p + 1, end) : NULL;
}

/* All that the text defines; only counted while there is no room for it. */
static size_t defines(struct source *s, const char *p, const char *end)
{
    size_t count = 0;
    while (p < end) {
        const char *next = line_end(p, end), *word = directive(p, next);
        if (word != NULL && next - word > 6 && memcmp(word, "define", 6) == 0) {
            count++;
            if (s->macros != NULL) {
                define(s, word + 6, next);
            }
        }
        p = next < end ? next + 1 : end;
    }
    return count;
}

static struct weight weigh(struct source *s, const char *p, const char *end, bool in_macro);

/* Looks into a macro. What met one that is being looked into holds there alone: it is not kept. */
static void look_into(struct source *s, struct macro *m)
{
    uint32_t before = s->lowest;
    s->lowest = UINT32_MAX;
    m->level = ++s->depth;
    m->weight = weigh(s, m->body, m->end, true);
    m->is_known = s->lowest >= m->level;
    s->lowest = s->lowest < m->level && s->lowest < before ? s->lowest : before;
    m->level = 0;
    s->depth--;
}

/* What all macros of that name become, together; copies: of an argument. */
static struct weight weight_of(struct source *s, struct macro *m, uint32_t *copies)
{
    struct weight sum = {0, 1};
    const struct macro key = *m;
    for (; m < s->macros + s->count && by_name(m, &key) == 0; m++) {
        s->work += NAME_WORK;
        if (s->work > WORK_MAX) {
            s->why = "macros have one name";
            break;
        }
        if (m->level != 0) { /* one in itself stays as it is */
            s->lowest = m->level < s->lowest ? m->level : s->lowest;
            continue;
        }
        if (!m->is_known) {
            look_into(s, m);
        }
        sum.chain = capped((uint64_t)sum.chain + m->weight.chain);
        sum.words = capped((uint64_t)sum.words + m->weight.words);
        *copies = capped((uint64_t)*copies + m->copies);
    }
    return sum;
}

/* Words that a parenthesis may follow which holds one expression. */
static bool is_statement(const char *p, size_t length)
{
    static const char *const words[] = {"return", "if",   "for", "while",
                                        "switch", "else", "do",  "case"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == length && memcmp(p, words[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static void word(struct scan *t)
{
    const char *next = behind_word(t->p, t->end);
    struct macro *m = find(t->s, t->p, (size_t)(next - t->p));
    t->copies = 0;
    t->is_callee = m == NULL && !is_statement(t->p, (size_t)(next - t->p));
    struct weight w = m != NULL ? weight_of(t->s, m, &t->copies) : (struct weight){0, 1};
    t->chain = capped((uint64_t)t->chain + w.chain);
    t->most.words = capped((uint64_t)t->most.words + w.words);
    t->p = next;
}

/* Room for another frame. */
static bool room_make(struct scan *t)
{
    uint32_t room = t->room * 2;
    struct frame *more = sl_realloc(t->frames != t->few ? t->frames : NULL, room * sizeof *more);
    if (more == NULL) {
        t->s->why = "bytes of memory are needed";
        return false;
    }
    if (t->frames == t->few) {
        memcpy(more, t->few, sizeof t->few);
    }
    t->frames = more;
    t->room = room;
    return true;
}

static void open_frame(struct scan *t)
{
    if (t->depth == FRAMES_MAX) {
        t->s->why = "parentheses are in each other";
        return;
    }
    if (t->depth == t->room && !room_make(t)) {
        return;
    }
    t->frames[t->depth++] = (struct frame){.base = t->chain,
                                           .peak = t->chain,
                                           .words = t->most.words,
                                           .copies = t->copies,
                                           .is_call = t->is_callee};
    t->macro_frames += t->copies != 0;
}

/* A chain goes on behind parentheses with the longest in them. */
static void close_frame(struct scan *t)
{
    if (t->depth != 0) {
        const struct frame *f = &t->frames[--t->depth];
        uint32_t peak = f->peak > t->chain ? f->peak : t->chain;
        uint32_t times = f->copies != 0 ? f->copies : 1;
        t->chain = capped(f->base + (uint64_t)(peak - f->base) * times);
        t->most.words = capped(f->words + (uint64_t)(t->most.words - f->words) * times);
        t->macro_frames -= f->copies != 0;
    }
}

/* Another chain begins, but in a macro or what it is given, which may join them. */
static void begin_chain(struct scan *t, char sign)
{
    if (t->in_macro || t->macro_frames != 0) {
        return;
    }
    if (sign == '{' || sign == '}') {
        t->depth = 0; /* a macro has had the other parenthesis */
    }
    if (t->depth == 0) {
        t->chain = t->commas = 0;
    }
}

/* Mesa keeps for each of `a, b, c` all of those before it, one in the other. What a call is given,
 * or a constructor, is no such row; what is declared might be. */
static void comma(struct scan *t)
{
    struct frame *f = t->depth != 0 ? &t->frames[t->depth - 1] : NULL;
    if (t->in_macro || t->macro_frames != 0) {
        t->chain = capped((uint64_t)t->chain + 1);
        return;
    }
    if (f != NULL && f->is_call) {
        f->peak = f->peak > t->chain ? f->peak : t->chain;
        t->chain = f->base;
        return;
    }
    uint32_t *commas = f != NULL ? &f->commas : &t->commas;
    ++*commas;
    t->most.words = capped((uint64_t)t->most.words + *commas);
    if (f != NULL) {
        f->peak = f->peak > t->chain ? f->peak : t->chain;
    }
    t->chain = (f != NULL ? f->base : 0) + *commas;
}

static bool is_operator(char c)
{
    return c != '\0' && strchr("+-*/%<>=!&|^~?.[", c) != NULL;
}

static void sign(struct scan *t)
{
    char c = *t->p++;
    t->most.words = capped((uint64_t)t->most.words + 1);
    t->chain = capped((uint64_t)t->chain + is_operator(c));
    if (c == '(') {
        open_frame(t);
    } else if (c == ')') {
        close_frame(t);
    } else if (c == ',') {
        comma(t);
    } else if (c == ';' || c == '{' || c == '}') {
        begin_chain(t, c);
    }
    t->copies = 0;
    t->is_callee = c == ']';
}

/* What is no word or sign of the language. False: there is one. */
static bool skip(struct scan *t)
{
    const char *next = behind_space(t->p, t->end);
    if (next != t->p) {
        t->p = next;
    } else if (*t->p == '\n') {
        if (t->in_directive) {
            begin_chain(t, '}');
        }
        t->is_line_begin = !t->in_macro;
        t->in_directive = false;
        t->p++;
    } else if (t->is_line_begin && *t->p == '#') {
        const char *line = line_end(t->p, t->end), *name = directive(t->p, line);
        bool defines = name != NULL && line - name > 6 && memcmp(name, "define", 6) == 0;
        t->p = defines ? line : t->p + 1;
        t->is_line_begin = false;
        t->in_directive = true;
    } else if (*t->p == '\\') {
        t->p += t->end - t->p > 1 ? 2 : 1;
    } else {
        return false;
    }
    return true;
}

static void scan_all(struct scan *t)
{
    while (t->p < t->end && t->s->why == NULL) {
        if (skip(t)) {
            continue;
        }
        t->is_line_begin = false;
        if (is_word(*t->p)) {
            word(t);
        } else {
            sign(t);
        }
        t->most.chain = t->chain > t->most.chain ? t->chain : t->most.chain;
        if (t->most.chain > HGL_SOURCE_CHAIN) {
            t->s->why = "operators are in one expression";
        } else if (t->most.words > HGL_SOURCE_WORDS) {
            t->s->why = "words are in it";
        }
    }
}

static struct weight weigh(struct source *s, const char *p, const char *end, bool in_macro)
{
    struct scan t = {.s = s, .p = p, .end = end, .in_macro = in_macro, .is_line_begin = !in_macro};
    s->work += (uint64_t)(end - p) + 1;
    if (s->depth > NESTED_MAX || s->work > WORK_MAX) {
        s->why = "macros are in each other";
        return (struct weight){0, 0};
    }
    t.frames = t.few;
    t.room = FRAMES_FEW;
    scan_all(&t);
    if (t.frames != t.few) {
        sl_free(t.frames);
    }
    return t.most;
}

bool hgl_source_fits(const char *text, size_t size, const char **why)
{
    struct source s = {.lowest = UINT32_MAX};
    const char *end = text + size;
    size_t count = defines(&s, text, end);
    *why = "macros are defined";
    if (count > MACROS_MAX) {
        return false;
    }
    if (count != 0) {
        s.macros = sl_alloc_array(count, sizeof *s.macros);
        *why = "bytes of memory are needed";
        if (s.macros == NULL) {
            return false;
        }
        (void)defines(&s, text, end);
        qsort(s.macros, s.count, sizeof *s.macros, by_name);
    }
    (void)weigh(&s, text, end, false);
    sl_free(s.macros);
    *why = s.why;
    return s.why == NULL;
}
