/* Programs: what is attached, what a link changed, which one is current. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

void ggl_program_free(void *object)
{
    struct ggl_program *program = object;
    ggl_uniforms_forget(program);
    ggl_locations_forget(program);
    ggl_external_names_free(program->externals);
    sl_free(program->shaders);
    sl_free(program);
}

struct ggl_program *ggl_program_get_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_program *program = sl_map_find(&c->share->programs, name);
    if (program || name == 0) {
        return program;
    }
    program = sl_alloc(sizeof *program);
    if (program && sl_map_set(&c->share->programs, name, program) != SL_OK) {
        sl_free(program);
        return NULL;
    }
    return program;
}

static void release_shader_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_shader *shader = sl_map_find(&c->share->shaders, name);
    if (shader && shader->attached > 0 && --shader->attached == 0 && shader->deleted) {
        (void)sl_map_remove(&c->share->shaders, name);
        ggl_shader_free(shader);
    }
}

static void remove_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_program *program = sl_map_remove(&c->share->programs, name);
    if (program) {
        for (uint32_t i = 0; i < program->shader_count; i++) {
            release_shader_locked(c, program->shaders[i]);
        }
        ggl_program_free(program);
    }
}

/* The host has made a program. */
static void create(struct ggl_context *c, uint32_t name)
{
    pthread_mutex_lock(&c->share->lock);
    remove_locked(c, name);
    struct ggl_program *program = ggl_program_get_locked(c, name);
    if (program) {
        program->is_made = true;
    }
    pthread_mutex_unlock(&c->share->lock);
}

GLuint ggl_glCreateProgram(void)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return 0;
    }
    GLuint name = gles2_call_glCreateProgram(c->stream);
    create(c, name);
    return name;
}

/* The current program lives until another one is used. */
void ggl_glDeleteProgram(GLuint name)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    gles2_pack_glDeleteProgram(ggl_pack(c), name);
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = sl_map_find(&c->share->programs, name);
    if (program && name == c->program) {
        program->deleted = true;
        c->program_deleted = true;
    } else {
        remove_locked(c, name);
    }
    pthread_mutex_unlock(&c->share->lock);
}

static uint32_t *find_shader(struct ggl_program *program, uint32_t shader)
{
    for (uint32_t i = 0; i < program->shader_count; i++) {
        if (program->shaders[i] == shader) {
            return &program->shaders[i];
        }
    }
    return NULL;
}

void ggl_glAttachShader(GLuint name, GLuint shader)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    gles2_pack_glAttachShader(ggl_pack(c), name, shader);
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = ggl_program_get_locked(c, name);
    struct ggl_shader *attached = ggl_shader_get_locked(c, shader);
    if (program && attached && !find_shader(program, shader)) {
        uint32_t *grown = sl_realloc(program->shaders, (program->shader_count + 1) * sizeof *grown);
        if (grown) {
            program->shaders = grown;
            grown[program->shader_count++] = shader;
            attached->attached++;
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}

void ggl_glDetachShader(GLuint name, GLuint shader)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    gles2_pack_glDetachShader(ggl_pack(c), name, shader);
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = sl_map_find(&c->share->programs, name);
    uint32_t *slot = program ? find_shader(program, shader) : NULL;
    if (slot) {
        *slot = program->shaders[--program->shader_count];
        release_shader_locked(c, shader);
    }
    pthread_mutex_unlock(&c->share->lock);
}

static struct ggl_external_name *copy_names(struct ggl_external_name *list,
                                            const struct ggl_external_name *from)
{
    for (; from; from = from->next) {
        list = ggl_external_name_add(list, from->name, strlen(from->name));
    }
    return list;
}

/* A stock host is asked at once, as upstream guests do. */
void ggl_program_linked(struct ggl_context *c, uint32_t name, struct ggl_external_name *externals)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = ggl_program_get_locked(c, name);
    if (!program) {
        ggl_external_names_free(externals);
    } else {
        ggl_external_names_free(program->externals);
        program->externals = externals;
        program->attribs_valid = false;
        program->linked = program->is_made;
        ggl_uniforms_forget(program);
        ggl_locations_forget(program);
        if (ggl_stock(c)) {
            ggl_table_fetch_locked(c, name, program);
        }
    }
    sl_atomic_add(&c->share->links, 1); /* contexts look after their own hand-over */
    pthread_mutex_unlock(&c->share->lock);
    if (name == c->program &&
        sl_atomic_load_relaxed(&c->share->externals)) { /* as written by the source */
        ggl_samplers_apply(c, name);
    }
}

void ggl_glLinkProgram(GLuint name)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    gles2_pack_glLinkProgram(ggl_pack(c), name);
    struct ggl_external_name *externals = NULL;
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_program *program = sl_map_find(&c->share->programs, name);
    for (uint32_t i = 0; program && i < program->shader_count; i++) {
        const struct ggl_shader *shader = sl_map_find(&c->share->shaders, program->shaders[i]);
        externals = copy_names(externals, shader ? shader->externals : NULL);
    }
    pthread_mutex_unlock(&c->share->lock);
    ggl_program_linked(c, name, externals);
}

GLuint ggl_glCreateShaderProgramv(GLenum type, GLsizei count, const GLchar *const *strings)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return 0;
    }
    if (count < 0 && !ggl_stock(c)) { /* the driver finds which error is the first */
        return gles2_call_glCreateShaderProgramvAEMU(c->stream, type, count, "", 1, 1);
    }
    GLenum error = count >= 0 && strings ? GL_NO_ERROR : GL_INVALID_VALUE;
    for (GLsizei i = 0; !error && i < count; i++) {
        error = strings[i] ? GL_NO_ERROR : ggl_stock(c) ? GL_INVALID_VALUE : GL_INVALID_OPERATION;
    }
    size_t size;
    char *text = NULL;
    if (!error || !ggl_stock(c)) { /* drivers make a program all the same */
        text = ggl_shader_join(error ? 0 : count, strings, NULL, &size);
    }
    if (!text) {
        ggl_error(c, error ? error : GL_OUT_OF_MEMORY);
        return 0;
    }
    struct ggl_external_name *externals = ggl_shader_scan(c, text);
    GLuint name = gles2_call_glCreateShaderProgramvAEMU(c->stream, type, count, text,
                                                        (uint32_t)size + 1, (GLuint)size + 1);
    sl_free(text);
    if (name == 0) {
        ggl_external_names_free(externals);
        return 0;
    }
    create(c, name);
    ggl_program_linked(c, name, externals);
    if (error) {
        ggl_error(c, error);
    }
    return name;
}

void ggl_glUseProgram(GLuint name)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        return;
    }
    uint32_t old = c->program;
    c->program = name;
    gles2_pack_glUseProgram(ggl_pack(c), name);
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->externals)) &&
        name) { /* as written by the source */
        ggl_samplers_apply(c, name);
    }
    if (SL_UNLIKELY(c->program_deleted)) {
        c->program_deleted = false;
        pthread_mutex_lock(&c->share->lock);
        const struct ggl_program *program =
            old != name ? sl_map_find(&c->share->programs, old) : NULL;
        if (program && program->deleted) {
            remove_locked(c, old);
        }
        pthread_mutex_unlock(&c->share->lock);
    }
}

void ggl_glBindProgramPipeline(GLuint pipeline)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        c->pipeline = pipeline;
        gles2_pack_glBindProgramPipeline(ggl_pack(c), pipeline);
    }
}

/* The program of a stage may bring external samplers. */
void ggl_glUseProgramStages(GLuint pipeline, GLbitfield stages, GLuint program)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    gles2_pack_glUseProgramStages(ggl_pack(c), pipeline, stages, program);
    if (program && sl_atomic_load_relaxed(&c->share->externals)) { /* as written by the source */
        ggl_samplers_apply(c, program);
    }
}

/* A glUseProgram that the host refused left the old program in use: asked before the first draw
 * that looks at a program, not by glUseProgram. */
static void ensure_used(struct ggl_context *c)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = sl_map_find(&c->share->programs, c->program);
    if (program && program->linked && !program->attribs_valid) {
        ggl_attribs_fetch_locked(c, c->program, program);
    }
    bool is_used = ggl_stock(c) || (program && program->linked);
    pthread_mutex_unlock(&c->share->lock);
    if (!is_used) {
        GLint used = (GLint)c->program;
        gles2_call_glGetIntegerv(c->stream, GL_CURRENT_PROGRAM, &used, sizeof used);
        c->program = (uint32_t)used;
    }
}

uint32_t ggl_program_attribs(struct ggl_context *c)
{
    const uint32_t all = (1u << GGL_MAX_ATTRIBS) - 1;
    uint32_t links =
        sl_atomic_load_relaxed(&c->share->links); /* another context's link is handed over */
    if (c->program != 0 && c->attrib_program == c->program && c->attrib_links == links) {
        return c->attrib_mask;
    }
    if (c->program != 0) {
        ensure_used(c);
    }
    if (c->program == 0) {
        return c->pipeline ? all : 0;
    }
    uint32_t mask = all;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_program *program = ggl_program_get_locked(c, c->program);
    if (program) {
        if (!program->attribs_valid) {
            ggl_attribs_fetch_locked(c, c->program, program);
        }
        mask = program->attrib_mask;
    }
    pthread_mutex_unlock(&c->share->lock);
    c->attrib_program = c->program;
    c->attrib_links = links;
    c->attrib_mask = mask;
    return mask;
}
