/* What contexts of OpenGL ES take the GPU (hct_options.times).
 *
 * What a context does from one handing over (its surface is shown, another context becomes current)
 * to the next is measured by two timestamps in its own stream of commands. Timestamps are not begun
 * and ended, so the guest's own queries of any target go on. Their objects bear the context's first
 * names: the guest's are counted from behind them, here and back, wherever a packet names one.
 *
 * Drivers that draw by threads of their own write a timestamp for each tile of a picture, and the
 * last one stays: there the first is flushed, so that it comes before the picture. */
#include "host/gles/hgl_times.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

#define SPANS 64u /* that are on their way at once */
#define NAMES (2 * SPANS)

struct hgl_clock {
    const char *why; /* nothing is measured; a literal, NULL: it is */
    uint64_t mask;   /* of the bits that count */
    uint32_t opcodes[SPANS];
    uint32_t first, count; /* of those that are over and not told */
    bool is_open;
};

uint32_t hgl_times_names(const struct hgl_state *s)
{
    return s->clock != NULL && s->clock->why == NULL ? NAMES : 0;
}

static GLuint begin_of(uint32_t span)
{
    return 1 + 2 * (span % SPANS);
}

/* --- making --- */

static const char *take_names(const struct gl_driver *gl)
{
    GLuint names[NAMES] = {0};
    bool are_first = true;
    gl->GenQueries(NAMES, names);
    for (uint32_t i = 0; i < NAMES; i++) {
        are_first = are_first && names[i] == i + 1;
    }
    if (!are_first) {
        gl->DeleteQueries(NAMES, names);
    }
    return are_first ? NULL : "the driver's names of queries do not count from 1";
}

/* NULL: it has all that is needed. */
static const char *missing(const struct gl_driver *gl, const struct hgl_state *s, GLint *bits)
{
    if (s->gles_version < 20) {
        return "OpenGL ES 1 has no timestamps";
    }
    if (!hgl_has_word((const char *)gl->GetString(GL_EXTENSIONS), "GL_EXT_disjoint_timer_query") ||
        gl->QueryCounterEXT == NULL || gl->GetQueryObjectui64vEXT == NULL ||
        gl->GenQueries == NULL) {
        return "the driver has no GL_EXT_disjoint_timer_query";
    }
    gl->GetQueryiv(GL_TIMESTAMP_EXT, GL_QUERY_COUNTER_BITS_EXT, bits);
    return *bits > 0 ? take_names(gl) : "the driver's timestamps have no bits";
}

static struct hgl_clock *make(const struct gl_driver *gl, const struct hgl_state *s)
{
    struct hgl_clock *clock = sl_alloc(sizeof *clock);
    GLint bits = 0;
    if (clock != NULL) {
        clock->why = missing(gl, s, &bits);
        clock->mask = bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    }
    return clock;
}

/* --- measuring --- */

void hgl_times_begin(struct hct_times *times, const struct gl_driver *gl, struct hgl_state *s,
                     bool software)
{
    if (times == NULL) {
        return;
    }
    if (s->clock == NULL) {
        s->clock = make(gl, s);
    }
    struct hgl_clock *clock = s->clock;
    if (clock == NULL || clock->why != NULL) {
        return;
    }
    gl->QueryCounterEXT(begin_of(clock->first + clock->count), GL_TIMESTAMP_EXT);
    if (software) {
        gl->Flush();
    }
    clock->is_open = true;
}

/* The oldest one that is over. False: it is not there, and is not waited for. */
static bool tell(struct hct_times *times, const struct gl_driver *gl, struct hgl_clock *clock,
                 bool waits)
{
    GLuint name = begin_of(clock->first), is_there = GL_TRUE;
    GLuint64 begin = 0, end = 0;
    GLint disjoint = GL_FALSE;
    if (!waits) {
        gl->GetQueryObjectuiv(name + 1, GL_QUERY_RESULT_AVAILABLE, &is_there);
    }
    if (is_there == GL_FALSE) {
        return false;
    }
    gl->GetQueryObjectui64vEXT(name, GL_QUERY_RESULT, &begin);
    gl->GetQueryObjectui64vEXT(name + 1, GL_QUERY_RESULT, &end);
    gl->GetIntegerv(GL_GPU_DISJOINT_EXT, &disjoint);
    if (disjoint != GL_FALSE) {
        hct_times_untold(times, "the GPU's clock was changed meanwhile");
    } else {
        hct_times_add(times, clock->opcodes[clock->first % SPANS], (end - begin) & clock->mask);
    }
    clock->first++;
    clock->count--;
    return true;
}

void hgl_times_end(struct hct_times *times, const struct gl_driver *gl, struct hgl_state *s,
                   uint32_t opcode, bool is_left)
{
    struct hgl_clock *clock = s->clock;
    if (times == NULL) {
        return;
    }
    if (clock == NULL || clock->why != NULL) {
        hct_times_untold(times, clock != NULL ? clock->why : "there is no memory");
        return;
    }
    if (clock->is_open) {
        uint32_t span = clock->first + clock->count;
        gl->QueryCounterEXT(begin_of(span) + 1, GL_TIMESTAMP_EXT);
        clock->opcodes[span % SPANS] = opcode;
        clock->count++;
        clock->is_open = false;
    }
    while (clock->count != 0 && tell(times, gl, clock, is_left || clock->count == SPANS)) {
    }
}
