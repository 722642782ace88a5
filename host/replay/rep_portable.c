/* A trace on another driver: the EGL configurations that it names are re-chosen among those that
 * are here, and contexts of a version that is refused become contexts of the newest that is not.
 *
 * Guests name a configuration by its place in the answer of rcGetConfigs, or of slGetConfigs, one
 * of which every guest asks first: both answers, the recorded one and ours, say what lies at a
 * place.
 */
#include "host/replay/rep_priv.h"

#include "transport/base/bytes.h"
#include "transport/base/mem.h"
#include "wire/rc_opcodes.h"
#include "wire/sl_opcodes.h"

#include <stdlib.h>
#include <string.h>

/* EGL's names. */
enum {
    EGL_ALPHA_SIZE = 0x3021,
    EGL_BLUE_SIZE = 0x3022,
    EGL_GREEN_SIZE = 0x3023,
    EGL_RED_SIZE = 0x3024,
    EGL_DEPTH_SIZE = 0x3025,
    EGL_STENCIL_SIZE = 0x3026,
    EGL_SAMPLES = 0x3031,
    EGL_SURFACE_TYPE = 0x3033,
    EGL_RENDERABLE_TYPE = 0x3040,
    EGL_COLOR_COMPONENT_TYPE_EXT = 0x3339,
    EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT = 0x333b,
};

#define HEADER       8u
#define VERSION      (HEADER + 8)  /* of rcCreateContext: glVersion */
#define ANSWER_BYTES (256u * 1024) /* room for any list of configurations */
#define ATTRIBUTES   256u

/* An answer: a row of attribute names, then rows of their values. */
struct configs {
    const uint8_t *words;
    uint32_t attributes, count;
};

/* The row of names ends where the first value is none: its length is that of all rows. reply: the
 * rows, what was left of the buffer, and how many there are. */
static bool parse(const uint8_t *reply, size_t size, struct configs *out)
{
    int32_t count = size >= 4 ? (int32_t)sl_load_u32(reply + size - 4) : 0;
    uint32_t attributes = 0;
    if (count <= 0 || count > (int32_t)REP_CONFIGS) {
        return false;
    }
    /* All names are EGL's, 0x3020 and above; the values of sizes, which come first, are not. */
    while (attributes < ATTRIBUTES && 4 * (size_t)(attributes + 1) <= size - 4 &&
           sl_load_u32(reply + 4 * (size_t)attributes) >= 0x3020) {
        attributes++;
    }
    if (attributes == 0 || 4 * (uint64_t)attributes * ((uint64_t)count + 1) > size - 4) {
        return false;
    }
    *out = (struct configs){.words = reply, .attributes = attributes, .count = (uint32_t)count};
    return true;
}

static uint32_t value_of(const struct configs *c, uint32_t row, uint32_t name)
{
    for (uint32_t i = 0; i < c->attributes; i++) {
        if (sl_load_u32(c->words + 4 * (size_t)i) == name) {
            return sl_load_u32(c->words + 4 * ((size_t)(row + 1) * c->attributes + i));
        }
    }
    return 0;
}

/* How far a configuration here is from a recorded one: UINT32_MAX: it lacks something. Colours and
 * samples must be equal, since pictures show them; more depth and stencil than recorded is worse
 * than as much. */
static uint32_t distance(const struct configs *was, uint32_t a, const struct configs *is,
                         uint32_t b)
{
    static const uint32_t equal[] = {EGL_RED_SIZE,   EGL_GREEN_SIZE, EGL_BLUE_SIZE,
                                     EGL_ALPHA_SIZE, EGL_SAMPLES,    EGL_COLOR_COMPONENT_TYPE_EXT};
    static const uint32_t least[] = {EGL_DEPTH_SIZE, EGL_STENCIL_SIZE};
    static const uint32_t bits[] = {EGL_SURFACE_TYPE, EGL_RENDERABLE_TYPE};
    uint32_t far = 0;
    for (uint32_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
        if (value_of(was, a, equal[i]) != value_of(is, b, equal[i])) {
            return UINT32_MAX;
        }
    }
    for (uint32_t i = 0; i < sizeof least / sizeof least[0]; i++) {
        uint32_t wanted = value_of(was, a, least[i]), there = value_of(is, b, least[i]);
        if (there < wanted) {
            return UINT32_MAX;
        }
        far += there - wanted < 64 ? there - wanted : 64;
    }
    for (uint32_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        far += (value_of(was, a, bits[i]) & ~value_of(is, b, bits[i])) != 0 ? 1000 : 0;
    }
    return far;
}

static uint32_t nearest(const struct configs *was, uint32_t row, const struct configs *is)
{
    uint32_t best = REP_NO_CONFIG, least = UINT32_MAX;
    for (uint32_t i = 0; i < is->count; i++) {
        uint32_t far = distance(was, row, is, i);
        if (far < least) {
            least = far;
            best = i;
        }
    }
    return best;
}

/* Both are asked and answered alike. */
static bool asks_configs(uint32_t opcode)
{
    return opcode == RC_OP_rcGetConfigs || opcode == SL_OP_slGetConfigs;
}

static bool row_is_float(const struct configs *c, uint32_t row)
{
    return value_of(c, row, EGL_COLOR_COMPONENT_TYPE_EXT) == EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT;
}

bool rep_portable_configs(const struct cap_event_call *call, const uint8_t *reply, size_t size)
{
    struct configs was, is;
    if (call->size < HEADER || sl_load_u32(call->packet) != SL_OP_slGetConfigs ||
        !parse(reply, size, &is)) {
        return false;
    }
    if (!parse(call->reply, call->reply_size, &was)) {
        return true; /* it was asked for the size alone */
    }
    const struct configs *more = was.count > is.count ? &was : &is;
    uint32_t both = was.count < is.count ? was.count : is.count;
    bool is_same = was.attributes == is.attributes &&
                   memcmp(was.words, is.words, 4 * (size_t)was.attributes * (both + 1)) == 0;
    for (uint32_t i = both; is_same && i < more->count; i++) {
        is_same = row_is_float(more, i);
    }
    return is_same;
}

void rep_portable_answer(struct rep *rep, const struct cap_event_call *call, const uint8_t *reply,
                         size_t size)
{
    struct configs was, is;
    if (!rep->options.portable || rep->configs != NULL ||
        !asks_configs(sl_load_u32(call->packet)) || !parse(call->reply, call->reply_size, &was) ||
        !parse(reply, size, &is)) {
        return;
    }
    rep->configs = sl_alloc_array(was.count, sizeof *rep->configs);
    rep->config_count = rep->configs != NULL ? was.count : 0;
    for (uint32_t i = 0; i < rep->config_count; i++) {
        rep->configs[i].here = nearest(&was, i, &is);
    }
}

/* What glVersion to ask for: 1, 2, 3, 4 and 5 are OpenGL ES 1, 2, 3.0, 3.1 and 3.2. */
static uint32_t version_of(const struct rep *rep, const struct cap_event_call *call)
{
    uint32_t version = sl_load_u32(call->packet + VERSION);
    return rep->newest_gles != 0 && version > rep->newest_gles ? rep->newest_gles : version;
}

/* False: it stays as it is. */
static bool patch_gles(struct rep *rep, const struct cap_event_call *call,
                       uint8_t patched[REP_PATCH])
{
    uint32_t opcode = call->size >= HEADER + 8 ? sl_load_u32(call->packet) : 0;
    if (call->size > REP_PATCH) {
        return false;
    }
    memcpy(patched, call->packet, call->size);
    if (asks_configs(opcode)) {
        sl_store_u32(patched + HEADER, ANSWER_BYTES);     /* bufSize */
        sl_store_u32(patched + HEADER + 4, ANSWER_BYTES); /* of the reply's part */
        return true;
    }
    uint32_t config = opcode != 0 ? sl_load_u32(patched + HEADER) : 0;
    if ((opcode != RC_OP_rcCreateContext && opcode != RC_OP_rcCreateWindowSurface) ||
        config >= rep->config_count) {
        return false;
    }
    rep->configs[config].is_used = true;
    if (rep->configs[config].here == REP_NO_CONFIG) {
        return false; /* the driver refuses it, which is told */
    }
    sl_store_u32(patched + HEADER, rep->configs[config].here);
    if (opcode == RC_OP_rcCreateContext && call->size >= VERSION + 4) {
        sl_store_u32(patched + VERSION, version_of(rep, call));
    }
    return true;
}

bool rep_portable_lower(struct rep *rep, const struct cap_event_call *call, bool is_refused,
                        uint8_t patched[REP_PATCH])
{
    if (!rep->options.portable || call->size < VERSION + 4 || !is_refused || call->is_refused ||
        sl_load_u32(call->packet) != RC_OP_rcCreateContext || version_of(rep, call) <= 2) {
        return false;
    }
    rep->newest_gles = version_of(rep, call) - 1;
    return patch_gles(rep, call, patched);
}

/* Room for that many bytes; NULL: no memory. */
static uint8_t *patch_room(struct rep *rep, size_t size)
{
    if (size > rep->patched_capacity) {
        uint8_t *more = sl_realloc(rep->patched, size);
        if (more == NULL) {
            return NULL;
        }
        rep->patched = more;
        rep->patched_capacity = size;
    }
    return rep->patched;
}

const uint8_t *rep_portable_packet(struct rep *rep, const struct cap_event *event, uint32_t *size)
{
    const struct cap_event_call *call = &event->call;
    bool is_vulkan = call->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
    bool all_configs =
        !is_vulkan && call->size >= HEADER && sl_load_u32(call->packet) == SL_OP_slGetConfigs;
    *size = call->size - (call->has_sum ? REP_SUM : 0);
    if ((!rep->options.portable && !all_configs) || (is_vulkan && rep->port == NULL)) {
        return call->packet;
    }
    size_t room = (size_t)call->size + (is_vulkan ? REP_MORE : REP_PATCH);
    uint8_t *bytes = patch_room(rep, room);
    if (bytes == NULL) {
        return call->packet; /* the driver refuses it, which is told */
    }
    if (is_vulkan) {
        memcpy(bytes, call->packet, call->size);
        *size = rep->port->patch(rep->port->user, event, rep->frame, bytes, room);
        return bytes;
    }
    return patch_gles(rep, call, bytes) ? bytes : call->packet;
}

bool rep_portable_same(struct rep *rep, const struct rep_answer *answer)
{
    const struct cap_event_call *call = &answer->event->call;
    bool is_same = call->is_refused == answer->is_refused;
    if (call->capset != VIRTGPU_CAPSET_GFXSTREAM_VULKAN) {
        return is_same;
    }
    return is_same &&
           (rep->port == NULL || rep->port->answered(rep->port->user, answer->event, answer->frame,
                                                     answer->reply, answer->reply_size));
}

void rep_set_portable(struct rep *rep)
{
    rep->options.portable = true;
}

void rep_set_port(struct rep *rep, const struct rep_port *port)
{
    rep->port = port;
}

uint32_t rep_remaps(const struct rep *rep, bool all, struct rep_remap *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rep->config_count; i++) {
        const struct rep_config *c = &rep->configs[i];
        if (all || c->is_used) {
            out[count++] = (struct rep_remap){.recorded = i, .here = c->here};
        }
    }
    return count;
}
