/* Shaders and programs of a snapshot. Names of both come from one row, so that each is made as what
 * it is, or as a shader that goes again; such a one lends itself to programs whose own shaders are
 * gone. */
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 1024u

static const GLenum stage_types[HGL_STAGES] = {GL_VERTEX_SHADER,       GL_FRAGMENT_SHADER,
                                               GL_COMPUTE_SHADER,      GL_GEOMETRY_SHADER,
                                               GL_TESS_CONTROL_SHADER, GL_TESS_EVALUATION_SHADER};

enum what { HOLE, SHADER, PROGRAM, LENT_PROGRAM };

struct programs {
    uint32_t top;
    uint8_t *what;                /* [top + 1] */
    uint32_t lenders[HGL_STAGES]; /* a shader of each type that may be used for a while; 0 none */
    bool lender_is_above;         /* the last ones were made beyond top */
    struct hgl_lent lent;         /* who writes samples */
};

static uint32_t stage_index(GLenum type)
{
    uint32_t i = 0;
    while (i < HGL_STAGES - 1 && stage_types[i] != type) {
        i++;
    }
    return i;
}

static GLint shader_get(const struct hgl_save *s, uint32_t name, GLenum what)
{
    GLint value = 0;
    s->gl->GetShaderiv(name, what, &value);
    return value;
}

static GLint program_get(const struct hgl_save *s, uint32_t name, GLenum what)
{
    GLint value[4] = {0};
    s->gl->GetProgramiv(name, what, value);
    return value[0];
}

/* --- all names --- */

static void create_shader(struct hgl_save *s, GLenum type, uint32_t name)
{
    gles2_pack_glCreateShader(hgl_out(s), type);
    hgl_save_reply(s, &name, 4);
}

/* Which stages are wanted from shaders that are gone? */
static uint32_t wanted_stages(struct hgl_save *s, const struct programs *p)
{
    struct hgl_group *g = s->root->state->group;
    uint32_t wanted = 0;
    for (uint32_t name = 1; name <= p->top; name++) {
        const struct hgl_program *record =
            p->what[name] == PROGRAM ? sl_map_find(&g->programs, name) : NULL;
        for (uint32_t i = 0; record != NULL && i < record->stage_count; i++) {
            wanted |= 1u << stage_index(record->stages[i].type);
        }
    }
    return wanted;
}

/* One that is linked anew behind what it is lent for. */
static uint32_t find_relinked(struct hgl_save *s, const struct programs *p)
{
    for (uint32_t name = 1; name <= p->top; name++) {
        const struct hgl_program *record =
            p->what[name] == PROGRAM ? sl_map_find(&s->root->state->group->programs, name) : NULL;
        if (record != NULL && record->linked && !record->forgotten) {
            return name;
        }
    }
    return 0;
}

/* Who writes samples needs two shaders and a program for a while: of names that are nobody's, or of
 * those that get their own texts behind it. */
static void find_lent(struct hgl_save *s, struct programs *p)
{
    uint32_t *const shaders[] = {&p->lent.vertex, &p->lent.fragment};
    if (s->samples_count == 0) {
        return;
    }
    p->lent.program = find_relinked(s, p);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t own = 0;
        for (uint32_t name = 1; name <= p->top && own == 0; name++) {
            bool is_one = p->what[name] == SHADER &&
                          shader_get(s, name, GL_SHADER_TYPE) == (GLint)stage_types[i] &&
                          shader_get(s, name, GL_SHADER_SOURCE_LENGTH) > 0 &&
                          shader_get(s, name, GL_COMPILE_STATUS) != 0;
            own = is_one ? name : 0;
        }
        *shaders[i] = own;
    }
}

/* What a name that is nobody's is made as beyond what is wanted: LENT_PROGRAM, or the stage of a
 * shader that is lent. */
static bool lend_hole(struct hgl_save *s, struct programs *p, uint32_t name, uint32_t *stage)
{
    uint32_t *const shaders[] = {&p->lent.vertex, &p->lent.fragment};
    for (uint32_t i = 0; s->samples_count != 0 && i < 2; i++) {
        if (*shaders[i] == 0) {
            *shaders[i] = name;
            *stage = i;
            return false;
        }
    }
    if (s->samples_count == 0 || p->lent.program != 0) {
        return false;
    }
    p->lent.program = name;
    return true;
}

static void create_all(struct hgl_save *s, struct programs *p)
{
    uint32_t wanted = wanted_stages(s, p);
    find_lent(s, p);
    for (uint32_t name = 1; name <= p->top && !hgl_save_failed(s); name++) {
        if (p->what[name] == HOLE && wanted == 0) {
            uint32_t stage = 0;
            if (lend_hole(s, p, name, &stage)) {
                p->what[name] = LENT_PROGRAM;
            } else {
                create_shader(s, stage_types[stage], name);
                continue;
            }
        }
        if (p->what[name] == PROGRAM || p->what[name] == LENT_PROGRAM) {
            hgl_save_flush(s);
            gles2_pack_glCreateProgram(hgl_out(s));
            hgl_save_reply(s, &name, 4);
            continue;
        }
        uint32_t stage = 0;
        if (p->what[name] == SHADER) {
            stage = stage_index((GLenum)shader_get(s, name, GL_SHADER_TYPE));
        } else {
            while (stage < HGL_STAGES && (wanted & 1u << stage) == 0) {
                stage++;
            }
            stage = stage < HGL_STAGES ? stage : 0;
        }
        create_shader(s, stage_types[stage], name);
        wanted &= ~(1u << stage);
        if (p->lenders[stage] == 0 || p->what[name] == HOLE) {
            p->lenders[stage] = name;
        }
    }
    for (uint32_t i = 0; i < 2; i++) { /* those that are lent to programs as well */
        uint32_t *shader = i == 0 ? &p->lent.vertex : &p->lent.fragment, own = p->lenders[i];
        *shader = *shader == 0 && own != 0 && p->what[own] == HOLE ? own : *shader;
    }
    /* Where names are given out again, the next ones leave no trace. */
    for (uint32_t stage = 0, above = p->top; stage < HGL_STAGES; stage++) {
        if ((wanted & 1u << stage) != 0) {
            p->lenders[stage] = ++above;
            p->lender_is_above = true;
            create_shader(s, stage_types[stage], above);
        }
    }
}

/* --- shaders --- */

static void put_source(struct hgl_save *s, uint32_t shader, const char *text, uint32_t size)
{
    char *copy = hgl_save_alloc(s, (size_t)size + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
        gles2_pack_glShaderString(hgl_out(s), shader, copy, size + 1, (GLsizei)size + 1);
        hgl_save_flush(s);
        sl_free(copy);
    }
}

static void save_shader(struct hgl_save *s, uint32_t name)
{
    GLint length = shader_get(s, name, GL_SHADER_SOURCE_LENGTH), got = 0;
    if (length > 0) {
        char *text = hgl_save_alloc(s, (size_t)length + 1, 1);
        if (text != NULL) {
            s->gl->GetShaderSource(name, length, &got, text);
            put_source(s, name, text, (uint32_t)got);
        }
        sl_free(text);
    }
    if (shader_get(s, name, GL_COMPILE_STATUS) != 0 ||
        shader_get(s, name, GL_INFO_LOG_LENGTH) > 1) {
        gles2_pack_glCompileShader(hgl_out(s), name);
    }
}

/* --- linking --- */

static void put_wish(struct hgl_save *s, uint32_t program, const struct hgl_wish *w)
{
    uint32_t size = (uint32_t)strlen(w->name) + 1;
    switch (w->kind) {
    case HGL_WISH_ATTRIBUTE:
        gles2_pack_glBindAttribLocation(hgl_out(s), program, w->location, w->name, size);
        break;
    case HGL_WISH_COLOR:
        glesx_pack_glBindFragDataLocationEXT(hgl_out(s), program, w->location, w->name, size);
        break;
    case HGL_WISH_COLOR_INDEX:
        glesx_pack_glBindFragDataLocationIndexedEXT(hgl_out(s), program, w->location, w->index,
                                                    w->name, size);
        break;
    }
}

/* What transform feedback captures, as of the last link: each name with ';' behind it. */
static void put_varyings(struct hgl_save *s, uint32_t program)
{
    GLint count = program_get(s, program, GL_TRANSFORM_FEEDBACK_VARYINGS);
    GLint longest = program_get(s, program, GL_TRANSFORM_FEEDBACK_VARYING_MAX_LENGTH);
    if (count <= 0 || longest <= 0) {
        return;
    }
    size_t room = (size_t)count * ((size_t)longest + 1);
    char *names = hgl_save_alloc(s, room + 1, 1);
    size_t used = 0;
    for (GLint i = 0; names != NULL && i < count; i++) {
        GLsizei length = 0, size;
        GLenum type;
        s->gl->GetTransformFeedbackVarying(program, (GLuint)i, longest, &length, &size, &type,
                                           names + used);
        used += (size_t)length;
        names[used++] = ';';
    }
    if (names != NULL) {
        gles2_pack_glTransformFeedbackVaryingsAEMU(
            hgl_out(s), program, count, names, (uint32_t)used, (uint32_t)used,
            (GLenum)program_get(s, program, GL_TRANSFORM_FEEDBACK_BUFFER_MODE));
        hgl_save_flush(s);
    }
    sl_free(names);
}

static void link_program(struct hgl_save *s, const struct programs *p, uint32_t name,
                         const struct hgl_program *record)
{
    struct sl_pack *out = hgl_out(s);
    for (uint32_t i = 0; i < record->wishes_linked; i++) {
        put_wish(s, name, &record->wishes[i]);
    }
    for (uint32_t i = 0; i < record->stage_count; i++) {
        uint32_t lender = p->lenders[stage_index(record->stages[i].type)];
        put_source(s, lender, record->stages[i].text, record->stages[i].size);
        gles2_pack_glCompileShader(out, lender);
        gles2_pack_glAttachShader(out, name, lender);
    }
    put_varyings(s, name);
    gles2_pack_glLinkProgram(out, name);
    for (uint32_t i = 0; i < record->stage_count; i++) {
        gles2_pack_glDetachShader(out, name, p->lenders[stage_index(record->stages[i].type)]);
    }
}

/* --- uniforms --- */

enum value { FLOATS, INTS, UINTS };
struct uniform_type {
    GLenum type;
    uint16_t opcode;
    uint8_t components;
    uint8_t value;
    bool matrix;
};
static const struct uniform_type uniform_types[] = {
    {GL_FLOAT, GLES2_OP_glUniform1fv, 1, FLOATS, false},
    {GL_FLOAT_VEC2, GLES2_OP_glUniform2fv, 2, FLOATS, false},
    {GL_FLOAT_VEC3, GLES2_OP_glUniform3fv, 3, FLOATS, false},
    {GL_FLOAT_VEC4, GLES2_OP_glUniform4fv, 4, FLOATS, false},
    {GL_INT, GLES2_OP_glUniform1iv, 1, INTS, false},
    {GL_INT_VEC2, GLES2_OP_glUniform2iv, 2, INTS, false},
    {GL_INT_VEC3, GLES2_OP_glUniform3iv, 3, INTS, false},
    {GL_INT_VEC4, GLES2_OP_glUniform4iv, 4, INTS, false},
    {GL_BOOL, GLES2_OP_glUniform1iv, 1, INTS, false},
    {GL_BOOL_VEC2, GLES2_OP_glUniform2iv, 2, INTS, false},
    {GL_BOOL_VEC3, GLES2_OP_glUniform3iv, 3, INTS, false},
    {GL_BOOL_VEC4, GLES2_OP_glUniform4iv, 4, INTS, false},
    {GL_UNSIGNED_INT, GLES2_OP_glUniform1uiv, 1, UINTS, false},
    {GL_UNSIGNED_INT_VEC2, GLES2_OP_glUniform2uiv, 2, UINTS, false},
    {GL_UNSIGNED_INT_VEC3, GLES2_OP_glUniform3uiv, 3, UINTS, false},
    {GL_UNSIGNED_INT_VEC4, GLES2_OP_glUniform4uiv, 4, UINTS, false},
    {GL_FLOAT_MAT2, GLES2_OP_glUniformMatrix2fv, 4, FLOATS, true},
    {GL_FLOAT_MAT3, GLES2_OP_glUniformMatrix3fv, 9, FLOATS, true},
    {GL_FLOAT_MAT4, GLES2_OP_glUniformMatrix4fv, 16, FLOATS, true},
    {GL_FLOAT_MAT2x3, GLES2_OP_glUniformMatrix2x3fv, 6, FLOATS, true},
    {GL_FLOAT_MAT2x4, GLES2_OP_glUniformMatrix2x4fv, 8, FLOATS, true},
    {GL_FLOAT_MAT3x2, GLES2_OP_glUniformMatrix3x2fv, 6, FLOATS, true},
    {GL_FLOAT_MAT3x4, GLES2_OP_glUniformMatrix3x4fv, 12, FLOATS, true},
    {GL_FLOAT_MAT4x2, GLES2_OP_glUniformMatrix4x2fv, 8, FLOATS, true},
    {GL_FLOAT_MAT4x3, GLES2_OP_glUniformMatrix4x3fv, 12, FLOATS, true},
};
/* Samplers are one int; images and counters cannot be set. */
static const GLenum samplers[] = {
    GL_SAMPLER_2D,
    GL_SAMPLER_3D,
    GL_SAMPLER_CUBE,
    GL_SAMPLER_2D_SHADOW,
    GL_SAMPLER_2D_ARRAY,
    GL_SAMPLER_2D_ARRAY_SHADOW,
    GL_SAMPLER_CUBE_SHADOW,
    GL_INT_SAMPLER_2D,
    GL_INT_SAMPLER_3D,
    GL_INT_SAMPLER_CUBE,
    GL_INT_SAMPLER_2D_ARRAY,
    GL_UNSIGNED_INT_SAMPLER_2D,
    GL_UNSIGNED_INT_SAMPLER_3D,
    GL_UNSIGNED_INT_SAMPLER_CUBE,
    GL_UNSIGNED_INT_SAMPLER_2D_ARRAY,
    GL_SAMPLER_2D_MULTISAMPLE,
    GL_INT_SAMPLER_2D_MULTISAMPLE,
    GL_UNSIGNED_INT_SAMPLER_2D_MULTISAMPLE,
    GL_SAMPLER_2D_MULTISAMPLE_ARRAY,
    GL_INT_SAMPLER_2D_MULTISAMPLE_ARRAY,
    GL_UNSIGNED_INT_SAMPLER_2D_MULTISAMPLE_ARRAY,
    GL_SAMPLER_BUFFER,
    GL_INT_SAMPLER_BUFFER,
    GL_UNSIGNED_INT_SAMPLER_BUFFER,
    GL_SAMPLER_CUBE_MAP_ARRAY,
    GL_SAMPLER_CUBE_MAP_ARRAY_SHADOW,
    GL_INT_SAMPLER_CUBE_MAP_ARRAY,
    GL_UNSIGNED_INT_SAMPLER_CUBE_MAP_ARRAY,
    GL_SAMPLER_EXTERNAL_OES,
};

static const struct uniform_type *uniform_type_of(GLenum type)
{
    static const struct uniform_type sampler = {GL_SAMPLER_2D, GLES2_OP_glUniform1iv, 1, INTS,
                                                false};
    for (size_t i = 0; i < sizeof uniform_types / sizeof uniform_types[0]; i++) {
        if (uniform_types[i].type == type) {
            return &uniform_types[i];
        }
    }
    for (size_t i = 0; i < sizeof samplers / sizeof samplers[0]; i++) {
        if (samplers[i] == type) {
            return &sampler;
        }
    }
    return NULL;
}

static void save_uniform(struct hgl_save *s, uint32_t program, const struct uniform_type *t,
                         GLint location)
{
    uint8_t body[16 + 64]; /* location, count, transposed, bytes, values */
    uint32_t values[64] = {0}, size = t->components * 4u;
    if (t->value == FLOATS) {
        s->gl->GetUniformfv(program, location, (GLfloat *)(void *)values);
    } else if (t->value == INTS) {
        s->gl->GetUniformiv(program, location, (GLint *)values);
    } else {
        s->gl->GetUniformuiv(program, location, values);
    }
    uint8_t *p = body;
    sl_store_u32(p, (uint32_t)location);
    sl_store_u32(p + 4, 1);
    p += 8;
    if (t->matrix) {
        *p++ = GL_FALSE;
    }
    sl_store_u32(p, size);
    memcpy(p + 4, values, size);
    hgl_save_raw(s, t->opcode, body, (size_t)(p + 4 + size - body));
}

static void save_uniforms(struct hgl_save *s, uint32_t program)
{
    GLint count = program_get(s, program, GL_ACTIVE_UNIFORMS);
    char name[NAME_MAX_BYTES + 16];
    for (GLint i = 0; i < count; i++) {
        GLsizei length = 0;
        GLint size = 0;
        GLenum type = 0;
        s->gl->GetActiveUniform(program, (GLuint)i, NAME_MAX_BYTES, &length, &size, &type, name);
        const struct uniform_type *t = uniform_type_of(type);
        bool array = length > 3 && strcmp(name + length - 3, "[0]") == 0;
        for (GLint k = 0; t != NULL && k < (array ? size : 1); k++) {
            if (array) {
                snprintf(name + length - 3, 16, "[%d]", k);
            }
            GLint location = s->gl->GetUniformLocation(program, name);
            if (location >= 0) { /* not in a block */
                save_uniform(s, program, t, location);
            }
        }
    }
}

static void save_blocks(struct hgl_save *s, uint32_t program)
{
    GLint count = program_get(s, program, GL_ACTIVE_UNIFORM_BLOCKS);
    for (GLint i = 0; i < count; i++) {
        GLint binding = 0;
        s->gl->GetActiveUniformBlockiv(program, (GLuint)i, GL_UNIFORM_BLOCK_BINDING, &binding);
        gles2_pack_glUniformBlockBinding(hgl_out(s), program, (GLuint)i, (GLuint)binding);
    }
}

/* --- programs --- */

static void save_binary(struct hgl_save *s, uint32_t name)
{
    GLint size = program_get(s, name, GL_PROGRAM_BINARY_LENGTH);
    uint8_t *binary = size > 0 ? hgl_save_alloc(s, (size_t)size, 1) : NULL;
    GLsizei length = 0;
    GLenum format = 0;
    if (binary != NULL) {
        s->gl->GetProgramBinary(name, size, &length, &format, binary);
    }
    if (length > 0) {
        gles2_pack_glProgramBinary(hgl_out(s), name, format, binary, (uint32_t)length, length);
        hgl_save_flush(s);
    } else {
        hgl_save_refuse(s, "what program %u was linked from is not known", name);
    }
    sl_free(binary);
}

static void save_program(struct hgl_save *s, const struct programs *p, uint32_t name)
{
    const struct hgl_program *record = sl_map_find(&s->root->state->group->programs, name);
    uint32_t gles = s->gles;
    struct sl_pack *out = hgl_out(s);
    bool linked = program_get(s, name, GL_LINK_STATUS) != 0;
    hgl_save_about_program(s, HGL_ABOUT_NAMES, name);
    if (gles >= 31) {
        gles2_pack_glProgramParameteri(out, name, GL_PROGRAM_SEPARABLE,
                                       program_get(s, name, GL_PROGRAM_SEPARABLE));
    }
    if (record != NULL && record->linked && !record->forgotten) {
        link_program(s, p, name, record);
    } else if (linked) {
        save_binary(s, name);
    }
    for (uint32_t i = record != NULL ? record->wishes_linked : 0;
         record != NULL && i < record->wish_count; i++) {
        put_wish(s, name, &record->wishes[i]);
    }
    if (record != NULL && record->varyings != NULL) {
        gles2_pack_glTransformFeedbackVaryingsAEMU(out, name, (GLsizei)record->varying_count,
                                                   record->varyings, record->varyings_size,
                                                   record->varyings_size, record->varying_mode);
    }
    hgl_save_about(s, VGD_FILLS, HGL_ABOUT_HELD + HGL_PROGRAMS, name);
    if (linked) {
        gles2_pack_glUseProgram(out, name);
        save_uniforms(s, name);
        if (gles >= 30) {
            save_blocks(s, name);
        }
        gles2_pack_glUseProgram(out, 0);
    }
    hgl_save_flush(s);
}

static void attach_shaders(struct hgl_save *s, uint32_t program)
{
    GLuint shaders[HGL_STAGES];
    GLsizei count = 0;
    s->gl->GetAttachedShaders(program, HGL_STAGES, &count, shaders);
    for (GLsizei i = 0; i < count; i++) {
        gles2_pack_glAttachShader(hgl_out(s), program, shaders[i]);
    }
}

static bool find_programs(struct hgl_save *s, struct programs *p)
{
    *p = (struct programs){.top = hgl_top(s->root->state, HGL_PROGRAMS)};
    if (p->top > 1u << 16) {
        hgl_save_refuse(s, "%u shaders and programs were made", p->top);
        return false;
    }
    p->what = hgl_save_alloc(s, (size_t)p->top + 1, 1);
    for (uint32_t name = 1; p->what != NULL && name <= p->top; name++) {
        p->what[name] = s->gl->IsProgram(name) ? PROGRAM : s->gl->IsShader(name) ? SHADER : HOLE;
    }
    return p->what != NULL;
}

/* For who compares: one by one, since what a loop makes of them lies beside what there was. Whose
 * shaders are gone says so by numbers that are no shaders' names. */
static void compare_programs(struct hgl_save *s, struct programs *p)
{
    hgl_save_staying(s, HGL_PROGRAMS);
    for (uint32_t stage = 0; stage < HGL_STAGES; stage++) {
        p->lenders[stage] = UINT32_MAX - stage;
    }
    for (uint32_t name = 1; name <= p->top && !hgl_save_failed(s); name++) {
        if (p->what[name] != HOLE) {
            hgl_save_makes(s, HGL_PROGRAMS, name, p->what[name]);
        }
        if (p->what[name] == PROGRAM) {
            save_program(s, p, name);
            hgl_save_about_program(s, HGL_ABOUT_MADE_OF, name);
            attach_shaders(s, name);
        } else if (p->what[name] == SHADER) {
            hgl_save_about_program(s, HGL_ABOUT_NAMES, name);
            save_shader(s, name);
        }
    }
}

static void save_programs(struct hgl_save *s, struct programs *p)
{
    create_all(s, p);
    hgl_save_samples(s, &p->lent);
    for (uint32_t name = 1; name <= p->top && !hgl_save_failed(s); name++) {
        if (p->what[name] == PROGRAM) {
            save_program(s, p, name);
        }
    }
    for (uint32_t name = 1; name <= p->top && !hgl_save_failed(s); name++) {
        if (p->what[name] == PROGRAM) {
            attach_shaders(s, name);
        } else if (p->what[name] == SHADER) {
            save_shader(s, name);
        } else if (p->what[name] == LENT_PROGRAM) {
            gles2_pack_glDeleteProgram(hgl_out(s), name);
        } else {
            gles2_pack_glDeleteShader(hgl_out(s), name);
        }
    }
    for (uint32_t stage = 0; p->lender_is_above && stage < HGL_STAGES; stage++) {
        if (p->lenders[stage] > p->top) {
            gles2_pack_glDeleteShader(hgl_out(s), p->lenders[stage]);
        }
    }
}

void hgl_save_programs(struct hgl_save *s)
{
    struct programs p;
    if (!find_programs(s, &p)) {
        return;
    }
    (hgl_save_is_whole(s) ? compare_programs : save_programs)(s, &p);
    hgl_save_flush(s);
    sl_free(p.what);
}

void hgl_save_deleted_programs(struct hgl_save *s)
{
    struct programs p;
    if (!find_programs(s, &p)) {
        return;
    }
    for (uint32_t name = 1; name <= p.top; name++) {
        if (p.what[name] == PROGRAM && program_get(s, name, GL_DELETE_STATUS) != 0) {
            gles2_pack_glDeleteProgram(hgl_out(s), name);
        } else if (p.what[name] == SHADER && shader_get(s, name, GL_DELETE_STATUS) != 0) {
            gles2_pack_glDeleteShader(hgl_out(s), name);
        }
    }
    hgl_save_flush(s);
    sl_free(p.what);
}
