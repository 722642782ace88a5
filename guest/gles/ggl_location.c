/* Locations, answered from a table that our own host gives for a whole link. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

/* All of a table's room is answered, so that too much costs as much as another question. */
#define ROOM_FIRST 512u
#define ROOM_KEPT  4096u      /* most that a program is thought to need since another did */
#define ROOM_MAX   (1u << 20) /* larger tables are not fetched: each name is asked for */

enum kind { ATTRIBUTE, UNIFORM };

void ggl_locations_forget(struct ggl_program *program)
{
    sl_free(program->locations);
    program->locations = NULL;
    program->locations_size = 0;
    program->locations_known = false;
}

/* The table, as the host packs it; none for a program that is not linked: the host knows which
 * error that is. */
static void fetch(struct ggl_context *c, uint32_t name, struct ggl_program *program)
{
    uint32_t *kept = &c->share->locations_room;
    uint32_t room = *kept > ROOM_FIRST ? *kept : ROOM_FIRST, needed = room;
    ggl_locations_forget(program);
    program->locations_known = true;
    for (int i = 0; i < 2 && needed != 0; i++) {
        uint8_t *table = sl_alloc(room);
        if (!table) {
            return;
        }
        needed = 0;
        glesx_call_glGetLocationsSLUICE(c->stream, name, (GLsizei)room, (GLint *)&needed, 4, table,
                                        room);
        if (needed <= room) {
            program->locations = table;
            program->locations_size = gs_dead(c->stream) ? 0 : needed;
            return;
        }
        sl_free(table);
        if (needed > ROOM_MAX) {
            return;
        }
        room = needed;
        *kept = needed < ROOM_KEPT ? needed : ROOM_KEPT;
    }
}

/* Is `name` what stands there? An array goes by its name, too. */
static bool same_name(const char *there, size_t length, const char *name)
{
    size_t asked = strlen(name);
    return (asked == length && memcmp(there, name, asked) == 0) ||
           (asked + 3 == length && memcmp(there, name, asked) == 0 &&
            memcmp(there + asked, "[0]", 3) == 0);
}

/* -1: no entry. The table is the host's word, of any shape. */
static GLint search(const struct ggl_program *program, enum kind kind, const char *name)
{
    const uint8_t *p = program->locations, *end = p + program->locations_size;
    while (end - p >= 12) {
        uint32_t of = sl_load_u32(p), size = sl_load_u32(p + 8);
        if (size == 0 || size > (size_t)(end - p) - 12) {
            return -1;
        }
        if (of == kind && same_name((const char *)p + 12, size - 1, name)) {
            return (GLint)sl_load_u32(p + 4);
        }
        size_t all = 12 + ((size_t)size + 3) / 4 * 4;
        p += all < (size_t)(end - p) ? all : (size_t)(end - p);
    }
    return -1;
}

/* Elements of arrays beyond the first are not in the table. */
static bool in_table(const char *name)
{
    size_t length = strlen(name);
    return length == 0 || name[length - 1] != ']';
}

void ggl_locations_prepare(struct ggl_context *c, uint32_t name)
{
    if (!ggl_has(c, GGL_FEATURE_LOCATIONS)) {
        return;
    }
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = sl_map_find(&c->share->programs, name);
    if (program && !program->locations_known) {
        fetch(c, name, program);
    }
    pthread_mutex_unlock(&c->share->lock);
}

static bool find(struct ggl_context *c, uint32_t name, enum kind kind, const char *text,
                 GLint *location)
{
    if (!ggl_has(c, GGL_FEATURE_LOCATIONS) || !in_table(text)) {
        return false;
    }
    ggl_locations_prepare(c, name);
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_program *program = sl_map_find(&c->share->programs, name);
    bool known = program && program->locations;
    if (known) {
        *location = search(program, kind, text);
    }
    pthread_mutex_unlock(&c->share->lock);
    return known;
}

GLint ggl_glGetAttribLocation(GLuint program, const GLchar *name)
{
    struct ggl_context *c = ggl_current();
    GLint location = -1;
    if (!c || !name || find(c, program, ATTRIBUTE, name, &location)) {
        return location;
    }
    return gles2_call_glGetAttribLocation(c->stream, program, name, (uint32_t)strlen(name) + 1);
}

GLint ggl_glGetUniformLocation(GLuint program, const GLchar *name)
{
    struct ggl_context *c = ggl_current();
    GLint location = -1;
    if (!c || !name || find(c, program, UNIFORM, name, &location)) {
        return location;
    }
    return gles2_call_glGetUniformLocation(c->stream, program, name, (uint32_t)strlen(name) + 1);
}
