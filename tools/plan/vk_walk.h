/* Inside tools/plan: one walk over the fields of a command. Three kinds:
 * reading (`in` is a packet or a reply), making (`in` is NULL: values come from `state`), and
 * answering (`in` is a request, whose outputs get new content from `state`). */
#ifndef VK_WALK_H
#define VK_WALK_H

#include "tools/plan/vk_plan.h"

/* One struct's or command's fields. */
struct vk_scope {
    const struct vk_plan_field *fields;
    uint8_t count;
    bool outputs;
    uint32_t leading[4];
    uint64_t old[VK_PLAN_FIELDS_MAX];   /* numbers as they came, or what a pointer gave */
    uint64_t new[VK_PLAN_FIELDS_MAX];   /* as they go out: others while answering */
    size_t places[VK_PLAN_FIELDS_MAX];  /* in `out`: where a count stands */
    uint8_t widths[VK_PLAN_FIELDS_MAX]; /* 0: it stands nowhere */
    bool asked[VK_PLAN_FIELDS_MAX];     /* an array that it counts is there */
    uint64_t arrow;                     /* the member that a length asks for */
};

struct vk_walk {
    const struct vk_plan *plan;
    const uint8_t *in, *end;
    uint64_t *state;                       /* making, answering */
    struct vk_plan_bytes *out;             /* nullable */
    FILE *text;                            /* nullable */
    const struct plan_style *style;        /* nullable */
    const struct vk_plan_handles *handles; /* making; nullable */
    const char *reason;
    uint32_t depth;
    uint32_t mute; /* answering: elements that do not go out */
    bool failed;
    bool reply; /* outputs have content */
};

void vk_walk_fail(struct vk_walk *w, const char *reason);
/* Field `i` of a scope. */
void vk_walk_field(struct vk_walk *w, struct vk_scope *s, uint8_t i);
/* Counts that no array asks for become 0 in a request's outputs. */
void vk_walk_settle(struct vk_walk *w, const struct vk_scope *s);

/* Text of values; no newline. */
void vk_text_number(FILE *text, const struct vk_plan_field *f, const uint8_t *bytes);
void vk_text_bytes(FILE *text, const uint8_t *bytes, size_t size);

#endif
