/* Whole packets and replies: read, made, answered, printed. */
#include "tools/plan/plan.h"
#include "tools/plan/text.h"
#include "tools/plan/vk_walk.h"
#include "transport/base/bytes.h"

#include <inttypes.h>
#include <string.h>

#define STAGED_HEADER 8u
#define NUMBERED      12u

const struct vk_plan_command *vk_plan_find(const struct vk_plan *plan, uint32_t opcode)
{
    uint32_t low = 0, high = plan->command_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->commands[middle].opcode == opcode) {
            return &plan->commands[middle];
        }
        if (plan->commands[middle].opcode < opcode) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct vk_plan_struct *vk_plan_chained(const struct vk_plan *plan, uint32_t stype)
{
    uint32_t low = 0, high = plan->chained_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->chained[middle]->stype == stype) {
            return plan->chained[middle];
        }
        if (plan->chained[middle]->stype < stype) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void give(struct vk_plan_bytes *out, const void *data, size_t size)
{
    if (out == NULL) {
        return;
    }
    if (out->size <= out->room && size <= out->room - out->size) {
        memcpy(out->data + out->size, data, size);
    }
    out->size += size;
}

/* Parameters; those that are outputs come muted in text. */
static void parameters(struct vk_walk *w, const struct vk_plan_command *c, struct vk_scope *s)
{
    FILE *text = w->text;
    const char *between = "";
    *s = (struct vk_scope){.fields = c->fields, .count = c->count};
    for (uint8_t i = c->staged ? 1 : 0; i < c->count && !w->failed; i++) {
        bool out = (c->fields[i].flags & VK_PLAN_OUT) != 0;
        s->outputs = out;
        w->text = out ? NULL : text;
        if (w->text != NULL && w->style->value != NULL) {
            w->style->value(w->style->user, c->fields[i].name, text);
        } else if (w->text != NULL) {
            plan_text_name(text, between, c->fields[i].name);
            between = ", ";
        }
        vk_walk_field(w, s, i);
    }
    w->text = text;
    s->outputs = true;
    vk_walk_settle(w, s);
}

static void header(struct vk_plan_bytes *out, const struct vk_plan_command *c, uint32_t turn)
{
    uint32_t words[3] = {c->opcode, 0, turn};
    give(out, words, c->staged ? STAGED_HEADER : NUMBERED);
}

static void finish(struct vk_plan_bytes *out)
{
    if (out != NULL && out->room >= 8) {
        sl_store_u32(out->data + 4, (uint32_t)out->size);
    }
}

/* The command whose packet it is; w stands at its parameters. */
static const struct vk_plan_command *open_packet(struct vk_walk *w, const void *packet, size_t size,
                                                 uint32_t *turn)
{
    const uint8_t *p = packet;
    if (size < STAGED_HEADER ||
        (w->text != NULL ? sl_load_u32(p + 4) < size : sl_load_u32(p + 4) != size)) {
        vk_walk_fail(w, "its length is not what it says");
        return NULL;
    }
    const struct vk_plan_command *c = vk_plan_find(w->plan, sl_load_u32(p));
    if (c == NULL) {
        vk_walk_fail(w, "its opcode is unknown");
        return NULL;
    }
    size_t head = c->staged ? STAGED_HEADER : NUMBERED;
    if (size < head) {
        vk_walk_fail(w, "it is shorter than its fields");
        return NULL;
    }
    *turn = c->staged ? 0 : sl_load_u32(p + 8);
    w->in = p + head;
    w->end = p + size;
    return c;
}

enum sl_result vk_plan_normal(const struct vk_plan *plan, const void *packet, size_t size,
                              struct vk_plan_bytes *out, const char **reason)
{
    struct vk_walk w = {.plan = plan, .out = out};
    struct vk_scope s;
    uint32_t turn;
    const struct vk_plan_command *c = open_packet(&w, packet, size, &turn);
    if (c != NULL) {
        if (out != NULL) {
            header(out, c, turn);
        }
        parameters(&w, c, &s);
        if (!w.failed && w.in != w.end) {
            vk_walk_fail(&w, "bytes are left over in it");
        }
        finish(out);
    }
    *reason = w.reason;
    return w.failed ? SL_ERR_PROTOCOL : SL_OK;
}

void vk_plan_make(const struct vk_plan *plan, const struct vk_plan_command *command,
                  uint64_t *state, const struct vk_plan_handles *handles, struct vk_plan_bytes *out)
{
    struct vk_walk w = {.plan = plan, .state = state, .handles = handles, .out = out};
    struct vk_scope s;
    header(out, command, (uint32_t)plan_random(state));
    parameters(&w, command, &s);
    finish(out);
}

void vk_plan_make_reply(const struct vk_plan *plan, const void *packet, size_t size,
                        uint64_t *state, struct vk_plan_bytes *out)
{
    struct vk_walk w = {.plan = plan, .reply = true};
    struct vk_scope s;
    uint32_t turn;
    const struct vk_plan_command *c = open_packet(&w, packet, size, &turn);
    if (c == NULL) {
        return;
    }
    s = (struct vk_scope){.fields = c->fields, .count = c->count};
    for (uint8_t i = c->staged ? 1 : 0; i < c->count && !w.failed; i++) {
        s.outputs = (c->fields[i].flags & VK_PLAN_OUT) != 0;
        w.out = s.outputs ? out : NULL;
        w.state = s.outputs ? state : NULL;
        vk_walk_field(&w, &s, i);
    }
    uint64_t result = plan_random(state);
    give(out, &result, c->result_size);
}

static void print_name(const struct vk_walk *w, const char *name)
{
    if (w->style->value != NULL) {
        w->style->value(w->style->user, name, w->text);
    } else if (name != NULL) {
        plan_text_name(w->text, " ", name);
    } else {
        fputc(' ', w->text);
    }
}

static void print_reply(struct vk_walk *w, const struct vk_plan_command *c, struct vk_scope *s,
                        const uint8_t *reply, size_t size)
{
    w->in = reply;
    w->end = reply + size;
    w->reply = true;
    FILE *text = w->text;
    if (w->style->value == NULL) {
        fputs(" ->", text);
    }
    for (uint8_t i = 0; i < c->count && !w->failed; i++) {
        if ((c->fields[i].flags & VK_PLAN_OUT) != 0) {
            print_name(w, c->fields[i].name);
            s->outputs = true;
            vk_walk_field(w, s, i);
        }
    }
    const struct vk_plan_field value = {.wire = VK_PLAN_RAW,
                                        .size = c->result_size,
                                        .show =
                                            c->result_names != NULL ? VK_PLAN_ENUM : VK_PLAN_NUMBER,
                                        .names = c->result_names};
    if (!w->failed && c->result_size != 0 && (size_t)(w->end - w->in) >= c->result_size) {
        print_name(w, NULL);
        vk_text_number(text, &value, w->in);
        w->in += c->result_size;
    }
    if (w->failed || w->in != w->end) {
        fprintf(text, " (broken reply: %s)",
                w->failed ? w->reason : "its length is not that of its fields");
    }
}

/* The recorded commands that a packet carries. */
static void print_recorded(const struct vk_plan *plan, const struct plan_style *style,
                           const uint8_t *data, size_t size, FILE *out)
{
    struct plan_style plain = *style;
    const char *before = style->value != NULL ? "; " : "\n    ";
    plain.value = NULL;
    while (size >= STAGED_HEADER) {
        uint32_t length = sl_load_u32(data + 4);
        if (length < STAGED_HEADER || length > size) {
            break;
        }
        fputs(before, out);
        vk_plan_print(plan, &plain, data, length, NULL, 0, out);
        data += length;
        size -= length;
    }
    if (size != 0) {
        fprintf(out, "%s(%zu bytes that are no command)", before, size);
    }
}

static bool carries_commands(const struct vk_plan_command *c)
{
    return strcmp(c->name, "vkQueueFlushCommandsGOOGLE") == 0;
}

/* dataSize stands before pData, the last. */
static void recorded_of(struct vk_walk *w, const struct vk_plan_command *c,
                        const struct vk_scope *s)
{
    uint64_t data = s->old[c->count - 2];
    print_recorded(w->plan, w->style, w->end - data, (size_t)data, w->text);
}

void vk_plan_print(const struct vk_plan *plan, const struct plan_style *style, const void *packet,
                   size_t size, const void *reply, size_t reply_size, FILE *out)
{
    static const struct plan_style plain;
    struct vk_walk w = {.plan = plan, .text = out, .style = style != NULL ? style : &plain};
    struct vk_scope s;
    uint32_t turn;
    const struct vk_plan_command *c = open_packet(&w, packet, size, &turn);
    if (c == NULL) {
        fprintf(out, "(broken packet: %s)", w.reason);
        return;
    }
    bool cut = sl_load_u32((const uint8_t *)packet + 4) > size;
    if (w.style->value == NULL) {
        fputs(c->name, out);
        fputc('(', out);
    }
    parameters(&w, c, &s);
    if (w.style->value == NULL) {
        fputc(')', out);
    }
    if (cut) {
        fprintf(out, " (cut: %u bytes in all)", sl_load_u32((const uint8_t *)packet + 4));
    } else if (w.failed || w.in != w.end) {
        fprintf(out, " (broken packet: %s)", w.failed ? w.reason : "bytes are left over in it");
    } else if (carries_commands(c)) {
        if (w.style->value != NULL) {
            w.style->value(w.style->user, "recorded", out);
        }
        recorded_of(&w, c, &s);
    } else if (reply_size != 0) {
        print_reply(&w, c, &s, reply, reply_size);
    }
}

/* Of each of the recorded commands that a packet carries. */
static void tell_recorded(const struct vk_plan *plan, const struct plan_style *style,
                          const uint8_t *data, size_t size)
{
    while (size >= STAGED_HEADER) {
        uint32_t length = sl_load_u32(data + 4);
        if (length < STAGED_HEADER || length > size) {
            return;
        }
        vk_plan_tell(plan, style, data, length, NULL, 0);
        data += length;
        size -= length;
    }
}

void vk_plan_tell(const struct vk_plan *plan, const struct plan_style *style, const void *packet,
                  size_t size, const void *reply, size_t reply_size)
{
    static const struct plan_style nothing;
    struct vk_walk w = {.plan = plan, .style = reply_size == 0 ? style : &nothing};
    struct vk_scope s;
    uint32_t turn;
    const struct vk_plan_command *c = open_packet(&w, packet, size, &turn);
    if (c == NULL) {
        return;
    }
    parameters(&w, c, &s);
    if (w.failed || w.in != w.end) {
        return;
    }
    if (reply_size == 0 && carries_commands(c)) {
        uint64_t data = s.old[c->count - 2];
        tell_recorded(plan, style, w.end - data, (size_t)data);
    }
    w.in = reply;
    w.end = w.in + reply_size;
    w.reply = true;
    w.style = style;
    s.outputs = true;
    for (uint8_t i = 0; reply_size != 0 && i < c->count && !w.failed; i++) {
        if ((c->fields[i].flags & VK_PLAN_OUT) != 0) {
            vk_walk_field(&w, &s, i);
        }
    }
}
