/* Active attributes and uniforms of a program, asked of the host; and the calls that need to know
 * them. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

/* What a host may claim before it is not believed. */
#define MAX_ACTIVE 65536
#define MAX_NAME   65536

/* Bytes of one element of a uniform; columns: attribute locations it takes. */
static uint32_t type_size(GLenum type, uint32_t *columns)
{
    static const struct {
        GLenum type;
        uint8_t components;
        uint8_t columns;
    } types[] = {
        {GL_FLOAT_VEC2, 2, 1},        {GL_FLOAT_VEC3, 3, 1},        {GL_FLOAT_VEC4, 4, 1},
        {GL_INT_VEC2, 2, 1},          {GL_INT_VEC3, 3, 1},          {GL_INT_VEC4, 4, 1},
        {GL_BOOL_VEC2, 2, 1},         {GL_BOOL_VEC3, 3, 1},         {GL_BOOL_VEC4, 4, 1},
        {GL_UNSIGNED_INT_VEC2, 2, 1}, {GL_UNSIGNED_INT_VEC3, 3, 1}, {GL_UNSIGNED_INT_VEC4, 4, 1},
        {GL_FLOAT_MAT2, 4, 2},        {GL_FLOAT_MAT3, 9, 3},        {GL_FLOAT_MAT4, 16, 4},
        {GL_FLOAT_MAT2x3, 6, 2},      {GL_FLOAT_MAT2x4, 8, 2},      {GL_FLOAT_MAT3x2, 6, 3},
        {GL_FLOAT_MAT3x4, 12, 3},     {GL_FLOAT_MAT4x2, 8, 4},      {GL_FLOAT_MAT4x3, 12, 4},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].type == type) {
            *columns = types[i].columns;
            return types[i].components * 4u;
        }
    }
    *columns = 1;
    return 4; /* scalars, samplers, images, counters */
}

static uint32_t program_value(struct ggl_context *c, uint32_t name, GLenum pname)
{
    GLint value = 0;
    gles2_call_glGetProgramiv(c->stream, name, pname, &value, 4);
    return value > 0 ? (uint32_t)value : 0;
}

/* A program's name buffer, zero terminated after every query. */
static GLchar *name_buffer(struct ggl_context *c, uint32_t max)
{
    return max != 0 && max <= MAX_NAME ? ggl_scratch(c, max + 1) : NULL;
}

static void fetch_attribs(struct ggl_context *c, uint32_t name, struct ggl_program *program,
                          uint32_t count, uint32_t max)
{
    GLchar *text = name_buffer(c, max);
    program->attrib_mask = 0;
    program->attribs_valid = true;
    for (uint32_t i = 0; text && i < count && i < MAX_ACTIVE && !gs_dead(c->stream); i++) {
        GLint size = 0;
        GLenum type = 0;
        gles2_call_glGetActiveAttrib(c->stream, name, i, (GLsizei)max, NULL, 0, &size, 4, &type, 4,
                                     text, max);
        text[max] = 0;
        GLint location =
            gles2_call_glGetAttribLocation(c->stream, name, text, (uint32_t)strlen(text) + 1);
        uint32_t columns;
        (void)type_size(type, &columns);
        for (uint32_t k = 0;
             location >= 0 && k < columns * (size > 0 ? (uint32_t)size : 1) && k < GGL_MAX_ATTRIBS;
             k++) {
            program->attrib_mask |=
                (uint32_t)location + k < GGL_MAX_ATTRIBS ? 1u << ((uint32_t)location + k) : 0;
        }
    }
}

static bool is_external(const struct ggl_program *program, const char *text)
{
    const char *dot = strrchr(text, '.');
    const char *last = dot ? dot + 1 : text;
    size_t length = strcspn(last, "[");
    for (const struct ggl_external_name *e = program->externals; e; e = e->next) {
        if (strlen(e->name) == length && memcmp(e->name, last, length) == 0) {
            return true;
        }
    }
    return false;
}

static void fetch_uniform(struct ggl_context *c, uint32_t name, struct ggl_program *program,
                          uint32_t index, GLchar *text, uint32_t max)
{
    GLint size = 0;
    GLenum type = 0;
    gles2_call_glGetActiveUniform(c->stream, name, index, (GLsizei)max, NULL, 0, &size, 4, &type, 4,
                                  text, max);
    text[max] = 0;
    GLint location =
        gles2_call_glGetUniformLocation(c->stream, name, text, (uint32_t)strlen(text) + 1);
    if (location < 0 || size < 1 || size > MAX_ACTIVE) {
        return; /* lies in a block */
    }
    struct ggl_uniform *u = &program->uniforms[program->uniform_count++];
    uint32_t columns;
    *u = (struct ggl_uniform){
        .location = location, .count = (uint32_t)size, .element = type_size(type, &columns)};
    u->external = is_external(program, text);
    u->sampler = u->external || type == GL_SAMPLER_2D;
    u->units = u->sampler ? sl_alloc_array(u->count, sizeof *u->units) : NULL;
}

/* The texture units that samplers have by now. */
static void fetch_units(struct ggl_context *c, uint32_t name, struct ggl_program *program)
{
    program->units_valid = true;
    for (uint32_t i = 0; i < program->uniform_count; i++) {
        struct ggl_uniform *u = &program->uniforms[i];
        for (uint32_t k = 0; u->units && k < u->count; k++) {
            gles2_call_glGetUniformiv(c->stream, name, u->location + (GLint)k, &u->units[k], 4);
        }
    }
}

static void fetch_uniforms(struct ggl_context *c, uint32_t name, struct ggl_program *program,
                           uint32_t count, uint32_t max)
{
    GLchar *text = name_buffer(c, max);
    ggl_uniforms_forget(program);
    count = count < MAX_ACTIVE ? count : MAX_ACTIVE;
    program->uniforms = text && count ? sl_alloc_array(count, sizeof *program->uniforms) : NULL;
    program->uniforms_valid = true;
    for (uint32_t i = 0; program->uniforms && i < count && !gs_dead(c->stream); i++) {
        fetch_uniform(c, name, program, i, text, max);
    }
}

void ggl_attribs_fetch_locked(struct ggl_context *c, uint32_t name, struct ggl_program *program)
{
    bool linked = program_value(c, name, GL_LINK_STATUS) != 0;
    program->linked = linked;
    uint32_t count = linked ? program_value(c, name, GL_ACTIVE_ATTRIBUTES) : 0;
    fetch_attribs(c, name, program, count,
                  count ? program_value(c, name, GL_ACTIVE_ATTRIBUTE_MAX_LENGTH) : 0);
}

static void fetch_uniform_table(struct ggl_context *c, uint32_t name, struct ggl_program *program)
{
    bool linked = program_value(c, name, GL_LINK_STATUS) != 0;
    uint32_t count = linked ? program_value(c, name, GL_ACTIVE_UNIFORMS) : 0;
    fetch_uniforms(c, name, program, count,
                   count ? program_value(c, name, GL_ACTIVE_UNIFORM_MAX_LENGTH) : 0);
}

void ggl_table_fetch_locked(struct ggl_context *c, uint32_t name, struct ggl_program *program)
{
    program->attrib_mask = 0;
    program->attribs_valid = program->uniforms_valid = true;
    if (program_value(c, name, GL_LINK_STATUS) == 0) {
        return;
    }
    uint32_t uniforms = program_value(c, name, GL_ACTIVE_UNIFORMS);
    uint32_t attribs = program_value(c, name, GL_ACTIVE_ATTRIBUTES);
    uint32_t uniform_max = program_value(c, name, GL_ACTIVE_UNIFORM_MAX_LENGTH);
    uint32_t attrib_max = program_value(c, name, GL_ACTIVE_ATTRIBUTE_MAX_LENGTH);
    fetch_uniforms(c, name, program, uniforms, uniform_max);
    /* Samplers start at unit 0, and are watched while external ones exist. */
    program->units_valid =
        sl_atomic_load_relaxed(&c->share->externals); /* as written by the source */
    fetch_attribs(c, name, program, attribs, attrib_max);
    if (ggl_stock(c) && c->version >= 30) {
        (void)program_value(c, name,
                            GL_ACTIVE_UNIFORM_BLOCKS); /* upstream asks; nothing here needs it */
        (void)program_value(c, name, GL_TRANSFORM_FEEDBACK_VARYINGS);
    }
}

void ggl_uniforms_forget(struct ggl_program *program)
{
    for (uint32_t i = 0; i < program->uniform_count; i++) {
        sl_free(program->uniforms[i].units);
    }
    sl_free(program->uniforms);
    program->uniforms = NULL;
    program->uniform_count = 0;
    program->uniforms_valid = program->units_valid = false;
}

static struct ggl_uniform *find_uniform(const struct ggl_program *program, GLint location)
{
    for (uint32_t i = 0; i < program->uniform_count; i++) {
        struct ggl_uniform *u = &program->uniforms[i];
        if (location >= u->location && (uint32_t)(location - u->location) < u->count) {
            return u;
        }
    }
    return NULL;
}

/* The program with its uniforms known; NULL when there is none. */
static struct ggl_program *with_uniforms_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_program *program = ggl_program_get_locked(c, name);
    if (program && !program->uniforms_valid) {
        fetch_uniform_table(c, name, program);
    }
    return program;
}

/* The same, and the units of its samplers. */
static struct ggl_program *with_units_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_program *program = with_uniforms_locked(c, name);
    if (program && !program->units_valid) {
        fetch_units(c, name, program);
    }
    return program;
}

void ggl_samplers_apply(struct ggl_context *c, uint32_t name)
{
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_program *program = with_units_locked(c, name);
    for (uint32_t i = 0; program && i < program->uniform_count; i++) {
        const struct ggl_uniform *u = &program->uniforms[i];
        for (uint32_t k = 0; u->units && k < u->count; k++) {
            ggl_unit_prefer(c, (uint32_t)u->units[k], u->external);
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}

/* Integers went to a program: when they are samplers, their units now have a kind of texture. */
static void note_units(struct ggl_context *c, uint32_t name, GLint location, GLsizei count,
                       const GLint *values)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = with_units_locked(c, name);
    struct ggl_uniform *u = program ? find_uniform(program, location) : NULL;
    for (GLsizei i = 0;
         u && u->units && i < count && (uint32_t)(location - u->location) + (uint32_t)i < u->count;
         i++) {
        u->units[location - u->location + i] = values[i];
        if (name == c->program) {
            ggl_unit_prefer(c, (uint32_t)values[i], u->external);
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}

static inline void integers_set(struct ggl_context *c, uint32_t name, GLint location, GLsizei count,
                                const GLint *values)
{
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->externals))) { /* as written by the source */
        note_units(c, name, location, count, values);
    }
}

void ggl_glUniform1i(GLint location, GLint x)
{
    struct ggl_context *c = ggl_current();
    if (SL_LIKELY(c)) {
        gles2_pack_glUniform1i(ggl_pack(c), location, x);
        integers_set(c, c->program, location, 1, &x);
    }
}

void ggl_glProgramUniform1i(GLuint program, GLint location, GLint x)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        gles2_pack_glProgramUniform1i(ggl_pack(c), program, location, x);
        integers_set(c, program, location, 1, &x);
    }
}

static bool vector_size(struct ggl_context *c, GLsizei count, const void *values, uint32_t *size)
{
    if (count > INT32_MAX / 4) {
        ggl_error(c, GL_INVALID_VALUE);
        return false;
    }
    *size = values && count > 0 ? (uint32_t)count * 4 : 0;
    return ggl_size_travels(c, count);
}

void ggl_glUniform1iv(GLint location, GLsizei count, const GLint *values)
{
    struct ggl_context *c = ggl_current();
    uint32_t size;
    if (c && vector_size(c, count, values, &size)) {
        gles2_pack_glUniform1iv(ggl_pack(c), location, count, values, size);
        integers_set(c, c->program, location, values ? count : 0, values);
    }
}

void ggl_glProgramUniform1iv(GLuint program, GLint location, GLsizei count, const GLint *values)
{
    struct ggl_context *c = ggl_current();
    uint32_t size;
    if (c && vector_size(c, count, values, &size)) {
        gles2_pack_glProgramUniform1iv(ggl_pack(c), program, location, count, values, size);
        integers_set(c, program, location, values ? count : 0, values);
    }
}

/* Bytes of the uniform at a location; 0: the program has none there. */
static uint32_t uniform_size(struct ggl_context *c, GLuint name, GLint location)
{
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_program *program = location >= 0 ? with_uniforms_locked(c, name) : NULL;
    const struct ggl_uniform *u = program ? find_uniform(program, location) : NULL;
    uint32_t size = u ? u->element : 0;
    pthread_mutex_unlock(&c->share->lock);
    return size;
}

/* An unknown location is left to the host to refuse; its answer is nobody's. */
#define GET_UNIFORM(suffix, type)                                                                  \
    void ggl_glGetUniform##suffix(GLuint program, GLint location, type *params)                    \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (!c || !params) {                                                                       \
            return;                                                                                \
        }                                                                                          \
        type values[16] = {0};                                                                     \
        uint32_t size = uniform_size(c, program, location);                                        \
        if (gles2_ask_glGetUniform##suffix(c, program, location, values, size ? size : 4)) {       \
            memcpy(params, values, size);                                                          \
        }                                                                                          \
    }
GET_UNIFORM(fv, GLfloat)
GET_UNIFORM(iv, GLint)
GET_UNIFORM(uiv, GLuint)

/* A room that is too small: the host says what is wrong first. */
#define GET_UNIFORM_ROOM(Name, suffix, type, api, CAN)                                             \
    void ggl_gl##Name(GLuint program, GLint location, GLsizei room, type *params)                  \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (!c) {                                                                                  \
            return;                                                                                \
        }                                                                                          \
        uint32_t size = uniform_size(c, program, location);                                        \
        if (room >= 0 && (uint32_t)room >= size) {                                                 \
            ggl_glGetUniform##suffix(program, location, params ? params : ggl_nowhere());          \
        } else if (ggl_stock(c)) {                                                                 \
            ggl_error(c, GL_INVALID_OPERATION);                                                    \
        } else if (CAN) {                                                                          \
            type values[16];                                                                       \
            (void)api##_ask_gl##Name(c, program, location, room, values,                           \
                                     room > 0 ? (uint32_t)room : 0);                               \
        }                                                                                          \
    }
GET_UNIFORM_ROOM(GetnUniformfvEXT, fv, GLfloat, gles2, true)
GET_UNIFORM_ROOM(GetnUniformivEXT, iv, GLint, gles2, true)
GET_UNIFORM_ROOM(GetnUniformuiv, uiv, GLuint, glesx, ggl_own(c))
