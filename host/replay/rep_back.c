/* From what lives now to what lived before: which packets and which bytes.
 *
 * What a loop made is ended, the newest first; what it ended, or made anew, is made again with all
 * that is made of it; what holds something else is filled; and what leads from thing to thing is
 * said in any case, in the order of the earlier moment. The loop is the same every time, so this is
 * found once. */
#include "host/replay/rep_kept.h"

#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* A moment's parts in an order to look them up in. */
struct lookup {
    const struct rep_kept *kept;
    uint32_t *by_name;   /* parts of all rules */
    uint32_t *by_serial; /* MAKES alone */
    uint32_t made_count;
};

struct finding {
    struct rep *rep;
    struct rep_back *back;
    struct lookup to, from;
    bool *again;   /* parts of `to` that are made again */
    bool *lent;    /* that are there for a while */
    bool *touched; /* that are filled */
    bool *ends;    /* parts of `from` that end */
    char *reason;
};

static enum sl_result refuse(struct finding *f, const char *what, const struct rep_kept_part *part)
{
    snprintf(f->reason, REP_REASON, "%s (context %u, kind %u, 0x%" PRIx64 ")", what, part->ctx_id,
             part->about.kind, part->about.id);
    return SL_ERR_UNSUPPORTED;
}

/* --- looking up --- */

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_names(const struct rep_kept_part *a, const struct rep_kept_part *b)
{
    const struct vgd_about *x = &a->about, *y = &b->about;
    int order = compare_u64(a->ctx_id, b->ctx_id);
    order = order != 0 ? order : compare_u64(x->rule, y->rule);
    order = order != 0 ? order : compare_u64(x->kind, y->kind);
    order = order != 0 ? order : compare_u64(x->id, y->id);
    order = order != 0 ? order : compare_u64(x->place, y->place);
    return order != 0 ? order : compare_u64(x->passes, y->passes);
}

static int compare_serials(const struct rep_kept_part *a, const struct rep_kept_part *b)
{
    int order = compare_u64(a->ctx_id, b->ctx_id);
    return order != 0 ? order : compare_u64(a->about.serial, b->about.serial);
}

static int by_name(const void *a, const void *b, void *parts)
{
    const struct rep_kept_part *list = parts;
    return compare_names(&list[*(const uint32_t *)a], &list[*(const uint32_t *)b]);
}

static int by_serial(const void *a, const void *b, void *parts)
{
    const struct rep_kept_part *list = parts;
    return compare_serials(&list[*(const uint32_t *)a], &list[*(const uint32_t *)b]);
}

static bool lookup_init(struct lookup *l, const struct rep_kept *kept)
{
    *l = (struct lookup){.kept = kept};
    l->by_name = sl_alloc_array(kept->part_count, sizeof *l->by_name);
    l->by_serial = sl_alloc_array(kept->part_count, sizeof *l->by_serial);
    if (l->by_name == NULL || l->by_serial == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < kept->part_count; i++) {
        l->by_name[i] = i;
        if (kept->parts[i].about.rule == VGD_MAKES) {
            l->by_serial[l->made_count++] = i;
        }
    }
    qsort_r(l->by_name, kept->part_count, sizeof *l->by_name, by_name, kept->parts);
    qsort_r(l->by_serial, l->made_count, sizeof *l->by_serial, by_serial, kept->parts);
    return true;
}

static void lookup_finish(struct lookup *l)
{
    sl_free(l->by_name);
    sl_free(l->by_serial);
}

#define NONE UINT32_MAX

/* The part's number; NONE. */
static uint32_t find(const uint32_t *list, uint32_t count, const struct rep_kept *kept,
                     const struct rep_kept_part *wanted,
                     int (*compare)(const struct rep_kept_part *, const struct rep_kept_part *))
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&kept->parts[list[middle]], wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && compare(&kept->parts[list[low]], wanted) == 0 ? list[low] : NONE;
}

static uint32_t find_named(const struct lookup *l, const struct rep_kept_part *wanted)
{
    return find(l->by_name, l->kept->part_count, l->kept, wanted, compare_names);
}

/* What the part's need number `which` is. */
static uint32_t find_need(const struct lookup *l, const struct rep_kept_part *part, uint32_t which)
{
    const struct rep_kept_part wanted = {.ctx_id = part->ctx_id,
                                         .about.serial = l->kept->serials[part->needs + which]};
    return find(l->by_serial, l->made_count, l->kept, &wanted, compare_serials);
}

/* --- comparing --- */

static bool same_packet(struct rep *rep, const struct rep_kept *a, const struct rep_kept_packet *x,
                        const struct rep_kept *b, const struct rep_kept_packet *y)
{
    if (x->ring_id != y->ring_id || x->resource_id != y->resource_id || x->size != y->size ||
        x->reply_size != y->reply_size) {
        return false;
    }
    const uint8_t *p = a->bytes + x->at, *q = b->bytes + y->at;
    uint32_t size = x->size + x->reply_size, from = 0;
    if (x->size >= REP_TURN + REP_TURN_BYTES && rep_has_turns(rep, x->ring_id)) {
        from = REP_TURN + REP_TURN_BYTES;
    }
    return memcmp(p, q, from != 0 ? REP_TURN : 0) == 0 &&
           memcmp(p + from, q + from, size - from) == 0;
}

static bool same_packets(struct rep *rep, const struct rep_kept *a, const struct rep_kept_part *x,
                         const struct rep_kept *b, const struct rep_kept_part *y)
{
    bool same = x->count == y->count;
    for (uint32_t i = 0; same && i < x->count; i++) {
        same = same_packet(rep, a, &a->packets[x->first + i], b, &b->packets[y->first + i]);
    }
    return same;
}

/* The thing that the part fills, in that moment. */
static uint32_t find_filled(const struct lookup *l, const struct rep_kept_part *part)
{
    return part->about.serial == 0
               ? NONE
               : find(l->by_serial, l->made_count, l->kept, part, compare_serials);
}

static bool needs_again(const struct finding *f, const struct rep_kept_part *part)
{
    bool again = false;
    for (uint32_t i = 0; !again && i < part->about.need_count; i++) {
        uint32_t at = find_need(&f->to, part, i);
        again = at != NONE && (f->again[at] || f->touched[at]);
    }
    return again;
}

/* --- steps --- */

static enum sl_result add_step(struct finding *f, uint32_t packet, bool is_own)
{
    struct rep_back *b = f->back;
    if (!REP_GROW(b->steps, b->step_room, b->step_count)) {
        return SL_ERR_NOMEM;
    }
    b->steps[b->step_count].is_own = is_own;
    b->steps[b->step_count++].packet = packet;
    const struct rep_kept *kept = is_own ? &b->own : b->to;
    b->bytes += kept->packets[packet].size;
    return SL_OK;
}

static enum sl_result add_part(struct finding *f, const struct rep_kept_part *part)
{
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < part->count; i++) {
        result = add_step(f, part->first + i, false);
    }
    return result;
}

/* A packet that is not the earlier moment's. */
static enum sl_result add_own(struct finding *f, uint32_t ring_id, const uint8_t *packet,
                              size_t size)
{
    struct rep_kept *own = &f->back->own;
    size_t at = rep_kept_bytes(own, packet, size);
    if (at == SIZE_MAX || !REP_GROW(own->packets, own->packet_room, own->packet_count)) {
        return SL_ERR_NOMEM;
    }
    own->packets[own->packet_count++] =
        (struct rep_kept_packet){.ring_id = ring_id, .at = at, .size = (uint32_t)size};
    return add_step(f, own->packet_count - 1, true);
}

static enum sl_result add_end(struct finding *f, const struct rep_kept *kept,
                              const struct rep_kept_part *part)
{
    enum sl_result result = SL_OK;
    for (size_t at = 0; result == SL_OK && part->about.end_size - at >= 8;) {
        const uint8_t *packet = kept->bytes + part->end + at;
        uint32_t size = sl_load_u32(packet + 4);
        if (size < 8 || size > part->about.end_size - at) {
            return SL_ERR_INVALID;
        }
        result = add_own(f, part->about.end_ring, packet, size);
        at += size;
    }
    return result;
}

/* --- what is made again, and what ends --- */

static void mark_again(struct finding *f)
{
    const struct rep_kept *to = f->to.kept;
    for (uint32_t i = 0; i < to->part_count; i++) {
        const struct rep_kept_part *part = &to->parts[i];
        if (part->about.rule != VGD_MAKES || part->about.passes) {
            continue;
        }
        uint32_t at = find_named(&f->from, part);
        const struct vgd_about *now = at != NONE ? &f->from.kept->parts[at].about : NULL;
        f->again[i] = now == NULL || now->serial != part->about.serial ||
                      now->state != part->about.state || needs_again(f, part);
        f->back->made += f->again[i];
    }
    for (uint32_t i = to->part_count; i-- != 0;) { /* and what passes, for those */
        const struct rep_kept_part *part = &to->parts[i];
        for (uint32_t k = 0; (f->again[i] || f->lent[i]) && k < part->about.need_count; k++) {
            uint32_t at = find_need(&f->to, part, k);
            if (at != NONE && to->parts[at].about.passes) {
                f->lent[at] = true;
            }
        }
    }
}

/* It is ended by its own packet, or goes with what it is made of. */
static enum sl_result mark_ends(struct finding *f)
{
    const struct rep_kept *from = f->from.kept;
    for (uint32_t i = 0; i < from->part_count; i++) {
        const struct rep_kept_part *part = &from->parts[i];
        if (part->about.rule != VGD_MAKES || part->about.passes) {
            continue;
        }
        uint32_t at = find_named(&f->to, part);
        f->ends[i] = at == NONE || f->again[at];
        bool goes = part->about.end_size != 0 || part->about.stays;
        for (uint32_t k = 0; !goes && k < part->about.need_count; k++) {
            uint32_t need = find_need(&f->from, part, k);
            goes = need != NONE && f->ends[need];
        }
        if (f->ends[i] && !goes) {
            return refuse(f, "nothing ends what the loop made", part);
        }
        f->back->ended += f->ends[i];
    }
    return SL_OK;
}

static enum sl_result end_all(struct finding *f)
{
    const struct rep_kept *from = f->from.kept;
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < from->part_count; i++) {
        const struct rep_kept_part *part = &from->parts[i];
        for (uint32_t k = 0; part->about.rule == VGD_ENTERS && k < part->count; k++) {
            const struct rep_kept_packet *p = &from->packets[part->first + k];
            result =
                result == SL_OK ? add_own(f, p->ring_id, from->bytes + p->at, p->size) : result;
        }
    }
    for (uint32_t i = from->part_count; result == SL_OK && i-- != 0;) {
        if (f->ends[i]) {
            result = add_end(f, from, &from->parts[i]);
        }
    }
    return result;
}

static bool is_to_be_filled(struct finding *f, const struct rep_kept_part *part)
{
    uint32_t at = find_named(&f->from, part), thing = find_filled(&f->to, part);
    return at == NONE || (thing != NONE && f->again[thing]) || needs_again(f, part) ||
           !same_packets(f->rep, f->to.kept, part, f->from.kept, &f->from.kept->parts[at]);
}

static enum sl_result go_through(struct finding *f)
{
    const struct rep_kept *to = f->to.kept;
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < to->part_count; i++) {
        const struct rep_kept_part *part = &to->parts[i];
        bool fills = part->about.rule == VGD_FILLS && is_to_be_filled(f, part);
        if (f->again[i] && part->count == 0) {
            return refuse(f, "what the loop ended cannot be made again", part);
        }
        if (f->again[i] || f->lent[i] || fills || part->about.rule == VGD_LEADS) {
            result = add_part(f, part);
        }
        uint32_t thing = fills ? find_filled(&f->to, part) : NONE;
        if (thing != NONE) {
            f->touched[thing] = true;
        }
        f->back->filled += fills;
    }
    for (uint32_t i = to->part_count; result == SL_OK && i-- != 0;) {
        if (!f->lent[i]) {
            continue;
        }
        result = to->parts[i].about.end_size != 0
                     ? add_end(f, to, &to->parts[i])
                     : refuse(f, "nothing ends what others are made of", &to->parts[i]);
    }
    return result;
}

/* What there is no way back from. */
static enum sl_result check(struct finding *f)
{
    const struct rep_kept *to = f->to.kept, *from = f->from.kept;
    for (uint32_t i = 0; i < to->part_count; i++) {
        const struct rep_kept_part *part = &to->parts[i];
        uint32_t at = part->about.rule == VGD_FIXED ? find_named(&f->from, part) : i;
        if (at == NONE || (part->about.rule == VGD_FIXED &&
                           !same_packets(f->rep, to, part, from, &from->parts[at]))) {
            return refuse(f, "what cannot be changed back changed", part);
        }
    }
    for (uint32_t i = 0; i < from->part_count; i++) {
        const struct rep_kept_part *part = &from->parts[i];
        bool holds = part->about.rule == VGD_FILLS || part->about.rule == VGD_FIXED;
        if (holds && find_named(&f->to, part) == NONE) {
            uint32_t at = find_filled(&f->from, part);
            if (at == NONE || !f->ends[at]) {
                return refuse(f, "there is more of it than at the loop's begin", part);
            }
        }
    }
    return SL_OK;
}

/* --- memory --- */

static enum sl_result add_piece(struct finding *f, const struct rep_kept_resource *r,
                                uint64_t offset, uint64_t size)
{
    struct rep_back *b = f->back;
    if (!REP_GROW(b->pieces, b->piece_room, b->piece_count)) {
        return SL_ERR_NOMEM;
    }
    b->pieces[b->piece_count++] = (struct rep_back_piece){
        .resource_id = r->id, .offset = offset, .size = size, .at = r->at + offset};
    b->bytes += size;
    return SL_OK;
}

/* Runs of pages that differ. */
static enum sl_result compare_bytes(struct finding *f, const struct rep_kept_resource *was,
                                    const struct rep_kept_resource *is)
{
    const uint8_t *a = f->to.kept->bytes + was->at, *b = f->from.kept->bytes + is->at;
    enum sl_result result = SL_OK;
    uint64_t begin = 0, end = 0; /* of the run so far */
    for (uint64_t at = 0; result == SL_OK && at < was->size; at += PAGE) {
        uint64_t size = was->size - at < PAGE ? was->size - at : PAGE;
        if (at + size <= is->size && memcmp(a + at, b + at, size) == 0) {
            continue;
        }
        if (at != end && end != begin) {
            result = add_piece(f, was, begin, end - begin);
            begin = at;
        }
        begin = end == begin ? at : begin;
        end = at + size;
    }
    return result == SL_OK && end != begin ? add_piece(f, was, begin, end - begin) : result;
}

/* A ring that began in it since then ends with it. */
static bool is_same_resource(const struct rep_kept_resource *was,
                             const struct rep_kept_resource *now)
{
    return was != NULL && now != NULL && was->serial == now->serial &&
           was->has_ring == now->has_ring;
}

static enum sl_result find_memory(struct finding *f)
{
    const struct rep_kept *to = f->to.kept, *from = f->from.kept;
    struct rep_back *b = f->back;
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < from->resource_count; i++) {
        const struct rep_kept_resource *now = &from->resources[i];
        const struct rep_kept_resource *was = rep_kept_resource(to, now->id);
        if (is_same_resource(was, now)) {
            continue;
        }
        if (!REP_GROW(b->gone, b->gone_room, b->gone_count)) {
            return SL_ERR_NOMEM;
        }
        b->gone[b->gone_count++] = now->id;
    }
    for (uint32_t i = 0; result == SL_OK && i < to->resource_count; i++) {
        const struct rep_kept_resource *was = &to->resources[i];
        const struct rep_kept_resource *now = rep_kept_resource(from, was->id);
        if (is_same_resource(was, now)) {
            result = compare_bytes(f, was, now);
        } else if (was->has_ring && now != NULL && now->serial == was->serial) {
            snprintf(f->reason, REP_REASON, "the ring in resource %u ended", was->id);
            result = SL_ERR_UNSUPPORTED;
        } else if (was->origin.verb == 0 || was->origin.attached_count > REP_ATTACHED) {
            snprintf(f->reason, REP_REASON, "how resource %u was made is not known", was->id);
            result = SL_ERR_UNSUPPORTED;
        } else if (was->size != 0) {
            result = add_piece(f, was, 0, was->size);
        }
    }
    return result;
}

/* --- all of it --- */

static enum sl_result find_all(struct finding *f)
{
    mark_again(f);
    enum sl_result result = mark_ends(f);
    if (result == SL_OK) {
        result = check(f);
    }
    if (result == SL_OK) {
        result = end_all(f);
    }
    if (result == SL_OK) {
        result = go_through(f);
    }
    return result == SL_OK ? find_memory(f) : result;
}

enum sl_result rep_back_find(struct rep_back *back, struct rep_kept *to,
                             const struct rep_kept *from, struct rep *rep, char *reason)
{
    *back = (struct rep_back){.to = to};
    struct finding f = {.rep = rep, .back = back, .reason = reason};
    snprintf(reason, REP_REASON, "no memory");
    f.again = sl_alloc_array(to->part_count + 1, sizeof *f.again);
    f.touched = sl_alloc_array(to->part_count + 1, sizeof *f.touched);
    f.lent = sl_alloc_array(to->part_count + 1, sizeof *f.lent);
    f.ends = sl_alloc_array(from->part_count + 1, sizeof *f.ends);
    bool ok = lookup_init(&f.to, to) && lookup_init(&f.from, from) && f.again != NULL &&
              f.lent != NULL && f.touched != NULL && f.ends != NULL;
    enum sl_result result = ok ? find_all(&f) : SL_ERR_NOMEM;
    lookup_finish(&f.to);
    lookup_finish(&f.from);
    sl_free(f.again);
    sl_free(f.lent);
    sl_free(f.touched);
    sl_free(f.ends);
    return result;
}

bool rep_kept_same(const struct rep_kept *a, const struct rep_kept *b, char *reason)
{
    struct lookup l;
    bool same = lookup_init(&l, b);
    struct finding f = {.reason = reason};
    snprintf(reason, REP_REASON, "no memory");
    for (uint32_t i = 0; same && i < a->part_count; i++) {
        const struct rep_kept_part *part = &a->parts[i];
        enum vgd_rule rule = part->about.rule;
        bool is_free = rule == VGD_FILLS && part->count == 0; /* it held nothing that can be told */
        if (part->about.passes || rule == VGD_ONCE || rule == VGD_ENTERS || is_free) {
            continue;
        }
        uint32_t at = find_named(&l, part);
        same = at != NONE && (rule == VGD_MAKES || same_packets(a->rep, a, part, b, &b->parts[at]));
        if (!same) {
            (void)refuse(&f, at == NONE ? "it is not there" : "it is not as it was", part);
        }
    }
    lookup_finish(&l);
    return same;
}

void rep_back_finish(struct rep_back *back)
{
    rep_kept_finish(&back->own);
    sl_free(back->steps);
    sl_free(back->pieces);
    sl_free(back->gone);
    *back = (struct rep_back){0};
}
