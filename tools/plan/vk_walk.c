#include "tools/plan/vk_walk.h"

#include "tools/plan/plan.h"
#include "tools/plan/text.h"
#include "transport/base/bytes.h"

#include <string.h>

#define TEXT_ELEMENTS 64u /* of an array that are shown */

void vk_walk_fail(struct vk_walk *w, const char *reason)
{
    if (!w->failed) {
        w->failed = true;
        w->reason = reason;
    }
}

static bool has(const struct vk_plan_field *f, uint32_t flag)
{
    return (f->flags & flag) != 0;
}

static const uint8_t *take(struct vk_walk *w, size_t size)
{
    if (w->failed || size > (size_t)(w->end - w->in)) {
        vk_walk_fail(w, "it is shorter than its fields");
        return NULL;
    }
    const uint8_t *p = w->in;
    w->in += size;
    return p;
}

/* data NULL: zeros. */
static void give(struct vk_walk *w, const void *data, size_t size)
{
    if (w->out == NULL || w->mute != 0) {
        return;
    }
    if (w->out->size <= w->out->room && size <= w->out->room - w->out->size) {
        uint8_t *p = w->out->data + w->out->size;
        if (data != NULL) {
            memcpy(p, data, size);
        } else {
            memset(p, 0, size);
        }
    }
    w->out->size += size;
}

static void give_u32(struct vk_walk *w, uint32_t value)
{
    give(w, &value, sizeof value);
}

static uint32_t some(struct vk_walk *w, uint32_t below)
{
    return (uint32_t)(plan_random(w->state) % below);
}

static uint32_t big32(struct vk_walk *w)
{
    const uint8_t *p = take(w, 4);
    return p != NULL ? __builtin_bswap32(sl_load_u32(p)) : 0;
}

static void tell_number(const struct vk_walk *w, const struct vk_plan_field *f, const uint8_t *p)
{
    if (w->style != NULL && w->style->number != NULL) {
        w->style->number(w->style->user, f, p);
    }
}

/* `size` bytes of content, at most 8 where `number` is wanted; zero: they go out as zeros. */
static void content(struct vk_walk *w, const struct vk_plan_field *f, size_t size, bool zero)
{
    static const uint8_t none[8];
    const uint8_t *p = w->in != NULL ? take(w, size) : none;
    if (p == NULL) {
        return;
    }
    if (zero || (w->in != NULL && w->state == NULL)) {
        give(w, zero ? NULL : p, size);
    } else if (f->wire == VK_PLAN_HANDLE && w->handles != NULL) {
        for (size_t at = 0; at < size; at += 8) {
            uint64_t id = w->handles->one(w->handles->user, f->value);
            give(w, &id, sizeof id);
        }
    } else {
        for (size_t at = 0; at < size; at += 8) {
            uint64_t bits = plan_random(w->state);
            give(w, &bits, size - at < 8 ? size - at : 8);
        }
    }
    if (f->wire == VK_PLAN_RAW && size <= 8 && w->in != NULL) {
        tell_number(w, f, p);
    }
    if (f->wire == VK_PLAN_HANDLE && w->style != NULL && w->style->handle != NULL) {
        w->style->handle(w->style->user, f->value, sl_load_u64(p), has(f, VK_PLAN_CREATES),
                         w->text);
    } else if (w->text != NULL) {
        if (f->wire == VK_PLAN_BYTES) {
            vk_text_bytes(w->text, p, size);
        } else {
            vk_text_number(w->text, f, p);
        }
    }
}

static uint64_t length_of(const struct vk_plan_field *f, const struct vk_scope *s,
                          const uint64_t *values)
{
    uint64_t stack[VK_PLAN_RULE_DEPTH] = {0};
    uint32_t depth = 0;
    for (uint8_t i = 0; i < f->rule_count; i++) {
        const struct vk_plan_rule *rule = &f->rule[i];
        if (rule->op < VK_PLAN_ADD) {
            stack[depth++ % VK_PLAN_RULE_DEPTH] = rule->op == VK_PLAN_CONST ? rule->operand
                                                  : rule->op == VK_PLAN_FIELD
                                                      ? values[rule->operand]
                                                      : s->arrow;
            continue;
        }
        uint64_t right = stack[--depth % VK_PLAN_RULE_DEPTH];
        uint64_t *left = &stack[(depth - 1) % VK_PLAN_RULE_DEPTH];
        *left = rule->op == VK_PLAN_ADD   ? *left + right
                : rule->op == VK_PLAN_MUL ? *left * right
                : right != 0              ? *left / right
                                          : 0;
    }
    return f->rule_count != 0 ? stack[0] : 1;
}

static bool holds(const struct vk_plan_condition *c, const struct vk_scope *s)
{
    if (c->test == VK_PLAN_NONZERO) {
        return s->leading[c->field] != 0;
    }
    bool found = false;
    for (uint16_t i = 0; i < c->count; i++) {
        found |= c->test == VK_PLAN_AMONG ? s->old[c->field] == c->values[i]
                                          : (s->old[c->field] & c->values[i]) != 0;
    }
    return found == (c->test == VK_PLAN_AMONG);
}

/* A made number: small where it counts, often one that a sibling's condition asks for. */
static uint64_t made(struct vk_walk *w, const struct vk_scope *s, uint8_t i)
{
    const struct vk_plan_field *f = &s->fields[i];
    if (has(f, VK_PLAN_COUNTS)) {
        return w->depth > 6 ? 0 : some(w, 5);
    }
    for (uint8_t j = 0; j < s->count; j++) {
        const struct vk_plan_condition *c = s->fields[j].condition;
        if (c != NULL && c->test != VK_PLAN_NONZERO && c->field == i && some(w, 2) != 0) {
            return c->values[some(w, c->count)];
        }
    }
    return plan_random(w->state);
}

/* One number of at most 8 bytes, remembered. */
static void number(struct vk_walk *w, struct vk_scope *s, uint8_t i)
{
    const struct vk_plan_field *f = &s->fields[i];
    size_t size = f->wire == VK_PLAN_RAW ? f->size : 8;
    uint8_t bytes[8] = {0};
    if (w->in != NULL) {
        const uint8_t *p = take(w, size);
        if (p == NULL) {
            return;
        }
        memcpy(bytes, p, size);
        tell_number(w, f, p);
    }
    uint64_t value = sl_load_u64(bytes);
    value = f->wire == VK_PLAN_BIG ? __builtin_bswap64(value) : value;
    if (w->text != NULL) {
        vk_text_number(w->text, f, (const uint8_t *)&value);
    }
    s->old[i] = s->new[i] = value;
    if (has(f, VK_PLAN_FIXED)) {
        s->new[i] = f->value;
    } else if (w->state != NULL) {
        s->new[i] = made(w, s, i);
        if (w->in != NULL && has(f, VK_PLAN_COUNTS)) {
            s->new[i] = value != 0 ? plan_random(w->state) % (value + 1) : 0;
        }
        if (w->in == NULL) {
            s->new[i] &= size < 8 ? (1ull << 8 * size) - 1 : UINT64_MAX;
            s->old[i] = s->new[i];
        }
    }
    bool zero = s->outputs && !w->reply && !has(f, VK_PLAN_COUNTS | VK_PLAN_FIXED);
    value = zero ? 0 : s->new[i];
    if (w->out != NULL && w->mute == 0) {
        s->places[i] = w->out->size;
        s->widths[i] = has(f, VK_PLAN_COUNTS) ? (uint8_t)size : 0;
    }
    value = f->wire == VK_PLAN_BIG ? __builtin_bswap64(value) : value;
    give(w, &value, size);
}

void vk_walk_settle(struct vk_walk *w, const struct vk_scope *s)
{
    for (uint8_t i = 0; i < s->count && w->out != NULL && s->outputs && !w->reply; i++) {
        if (s->widths[i] != 0 && !s->asked[i] && s->places[i] + 8 <= w->out->room) {
            memset(w->out->data + s->places[i], 0, s->widths[i]);
        }
    }
}

static void structure(struct vk_walk *w, const struct vk_plan_struct *inner, bool outputs,
                      uint64_t *member)
{
    if (++w->depth > VK_PLAN_DEPTH || w->failed) {
        vk_walk_fail(w, "its structs are nested too deep");
        return;
    }
    struct vk_scope s = {.fields = inner->fields, .count = inner->count, .outputs = outputs};
    for (uint8_t i = 0; i < inner->leading; i++) {
        s.leading[i] = w->in != NULL ? big32(w) : some(w, 2);
        give_u32(w, __builtin_bswap32(s.leading[i]));
    }
    if (w->text != NULL) {
        fputc('{', w->text);
    }
    for (uint8_t i = 0; i < s.count && !w->failed; i++) {
        if (w->text != NULL) {
            plan_text_name(w->text, i != 0 ? ", " : "", s.fields[i].name);
        }
        vk_walk_field(w, &s, i);
    }
    if (w->text != NULL) {
        fputc('}', w->text);
    }
    vk_walk_settle(w, &s);
    if (member != NULL) {
        *member = s.old[*member];
    }
    w->depth--;
}

static void chain(struct vk_walk *w, bool outputs)
{
    const struct vk_plan_struct *link = NULL;
    if (w->in != NULL) {
        if (big32(w) != 0) {
            const uint8_t *p = take(w, 4);
            link = p != NULL ? vk_plan_chained(w->plan, sl_load_u32(p)) : NULL;
            if (link == NULL) {
                vk_walk_fail(w, "a chained struct is of a type that is not known");
                return;
            }
        }
    } else if (w->depth < 6 && some(w, 3) == 0) {
        link = w->plan->chained[some(w, w->plan->chained_count)];
        link = !outputs || link->answers ? link : NULL;
    }
    if (link == NULL) {
        give_u32(w, 0);
        if (w->text != NULL) {
            fputs("NULL", w->text);
        }
        return;
    }
    give_u32(w, __builtin_bswap32(link->size_word));
    give_u32(w, link->stype);
    structure(w, link, outputs, NULL);
}

static void text_of(struct vk_walk *w, uint32_t length)
{
    char made_text[8];
    const uint8_t *p;
    if (w->in != NULL) {
        length = big32(w);
        p = take(w, length);
    } else {
        for (uint32_t i = 0; i < length; i++) {
            made_text[i] = (char)('a' + some(w, 26));
        }
        p = (const uint8_t *)made_text;
    }
    if (p == NULL) {
        return;
    }
    give_u32(w, __builtin_bswap32(length));
    give(w, p, length);
    if (w->text != NULL) {
        fprintf(w->text, "\"%.*s\"", (int)length, (const char *)p);
    }
}

static void texts(struct vk_walk *w, uint64_t count)
{
    uint64_t there = w->in != NULL ? big32(w) : count;
    if (!w->failed && there != count) {
        vk_walk_fail(w, "it gives two different counts of its strings");
    }
    give_u32(w, __builtin_bswap32((uint32_t)there));
    for (uint64_t i = 0; i < count && !w->failed; i++) {
        if (w->text != NULL) {
            fputs(i != 0 ? ", " : "[", w->text);
        }
        text_of(w, w->in != NULL ? 0 : some(w, 8));
    }
    if (w->text != NULL) {
        fputs(count != 0 ? "]" : "[]", w->text);
    }
}

/* n elements come, the first m of them go out. */
static void elements(struct vk_walk *w, struct vk_scope *s, uint8_t i, uint64_t n, uint64_t m)
{
    const struct vk_plan_field *f = &s->fields[i];
    if (w->in != NULL && n > (size_t)(w->end - w->in)) {
        vk_walk_fail(w, "a count is larger than what follows");
        return;
    }
    bool zero = s->outputs && !w->reply;
    FILE *text = w->text;
    bool list = text != NULL && (has(f, VK_PLAN_POINTER) ? f->rule != NULL : f->count > 1);
    if (f->wire == VK_PLAN_BYTES || (f->show == VK_PLAN_TEXT && f->wire == VK_PLAN_RAW)) {
        /* One piece, as text or bytes. */
        const struct vk_plan_field piece = {.wire = VK_PLAN_BYTES, .size = 1};
        content(w, &piece, m, zero);
        if (n != m) {
            w->mute++;
            content(w, &piece, n - m, true);
            w->mute--;
        }
        return;
    }
    if (list) {
        fputc('[', text);
    }
    for (uint64_t at = 0; at < n && !w->failed; at++) {
        if (list && at != 0 && at <= TEXT_ELEMENTS) {
            fputs(at == TEXT_ELEMENTS ? ", ..." : ", ", text);
        }
        w->text = at < TEXT_ELEMENTS ? text : NULL;
        w->mute += at >= m;
        if (f->wire == VK_PLAN_STRUCT) {
            uint64_t member = f->value;
            structure(w, f->inner, s->outputs, has(f, VK_PLAN_ARROWS) ? &member : NULL);
            s->arrow = has(f, VK_PLAN_ARROWS) ? member : s->arrow;
        } else {
            content(w, f, f->wire == VK_PLAN_RAW ? f->size : 8, zero);
        }
        w->mute -= at >= m;
    }
    w->text = text;
    if (list) {
        fputc(']', text);
    }
}

/* What is behind the presence word. */
static void whole(struct vk_walk *w, struct vk_scope *s, uint8_t i)
{
    const struct vk_plan_field *f = &s->fields[i];
    bool pointer = has(f, VK_PLAN_POINTER);
    bool single = pointer ? f->rule == NULL : f->count == 1;
    switch (f->wire) {
    case VK_PLAN_PNEXT:
        chain(w, s->outputs);
        break;
    case VK_PLAN_STRING:
        text_of(w, w->in != NULL ? 0 : some(w, 8));
        break;
    case VK_PLAN_STRINGS:
        texts(w, length_of(f, s, s->old));
        break;
    case VK_PLAN_RAW:
    case VK_PLAN_BIG:
        if (single && (f->wire == VK_PLAN_BIG || f->size <= 8)) {
            number(w, s, i);
            break;
        }
        /* fall through */
    default:
        elements(w, s, i, pointer ? length_of(f, s, s->old) : f->count,
                 pointer ? length_of(f, s, s->new) : f->count);
        break;
    }
}

void vk_walk_field(struct vk_walk *w, struct vk_scope *s, uint8_t i)
{
    const struct vk_plan_field *f = &s->fields[i];
    bool there = true;
    bool left_out = f->condition != NULL && !holds(f->condition, s);
    if (has(f, VK_PLAN_PRESENCE)) {
        uint64_t word = 0;
        if (w->in != NULL) {
            const uint8_t *p = take(w, 8);
            word = p != NULL ? sl_load_u64(p) : 0;
        } else if (!has(f, VK_PLAN_REFUSED)) {
            word = has(f, VK_PLAN_REQUIRED) ? 1 : some(w, 2);
        }
        there = word != 0;
        if (!there && has(f, VK_PLAN_REQUIRED) && !w->reply) {
            vk_walk_fail(w, "it lacks what must be there");
        }
        if (there && has(f, VK_PLAN_REFUSED)) {
            vk_walk_fail(w, "it gives something that never travels");
        }
        /* What is left out behind its word is not there when it is sent again. */
        word = there && !left_out ? 1ull << 56 : 0;
        give(w, &word, sizeof word);
    }
    for (uint8_t r = 0; there && has(f, VK_PLAN_POINTER) && r < f->rule_count; r++) {
        if (f->rule[r].op == VK_PLAN_FIELD) {
            s->asked[f->rule[r].operand] = true;
        }
    }
    if (!there || w->failed) {
        if (w->text != NULL) {
            fputs("NULL", w->text);
        }
    } else if (left_out) {
        if (w->text != NULL) {
            fputs("left out", w->text);
        }
    } else {
        whole(w, s, i);
    }
}
