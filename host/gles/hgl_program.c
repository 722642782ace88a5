/* Shaders, programs, and the small round trips. */
#include "host/gles/hgl.h"
#include "host/gles/hgl_clamp.h"
#include "host/gles/hgl_lengths.h"
#include "host/gles/hgl_source.h"
#include "host/gles/hgl_tokens.h"

#include "host/gles2_hand.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

/* More source than any compiler is asked to read. */
#define SOURCE_MAX (8u << 20)
#define REFUSAL    128 /* bytes of what stands for a source that is refused */

/* What a compiler is given for a text. */
struct source {
    const char *text;
    size_t size;
    struct hgl_clamped clamped;
    char refusal[REFUSAL];
};

/* A text that does not compile, and says why. */
static void refuse_source(struct source *s, const char *what, const char *why)
{
    (void)snprintf(s->refusal, sizeof s->refusal, "#error the host refuses it: %s %s\n", what, why);
    s->text = s->refusal;
    s->size = strlen(s->refusal);
}

/* The text, or where indices could leave their arrays what keeps them there. stage: 0 where the
 * name is no shader's. */
static void clamp_source(struct hr_call *call, uint32_t stage, struct source *s)
{
    const struct hgl_api *api = hgl_api_of(call);
    const char *why = NULL;
    if (!api->ring->clamps || stage == 0) {
        return;
    }
    const char *extensions = (const char *)api->gl->GetString(GL_EXTENSIONS);
    enum sl_result result = hgl_clamp(stage, s->text, s->size, extensions, &s->clamped, &why);
    if (result != SL_OK) {
        refuse_source(s, "it does not understand",
                      result == SL_ERR_NOMEM ? "it without memory" : why);
    } else if (s->clamped.text != NULL) {
        s->text = s->clamped.text;
        s->size = s->clamped.size;
        if (!hgl_source_fits(s->text, s->size, &why)) {
            refuse_source(s, "with its indices bounded too many", why);
        }
    }
}

/* s->text and s->size: as they came. Or, where it is too much for a compiler, what does not
 * compile. source_finish behind it. */
static void compilable(struct hr_call *call, uint32_t stage, struct source *s)
{
    const char *why;
    size_t size;
    char *clean = hgl_text_clean(s->text, s->size, &size, &why);
    if (clean != NULL && hgl_source_fits(clean, size, &why) && hgl_lengths_fit(clean, size, &why)) {
        clamp_source(call, stage, s);
    } else {
        refuse_source(s, "too many", why);
    }
    sl_free(clean);
}

static void source_finish(struct source *s)
{
    sl_free(s->clamped.text);
}

/* 0: the name is no shader's. */
static uint32_t stage_of(const struct hr_call *call, uint32_t shader)
{
    const struct hgl_api *api = hgl_api_of(call);
    GLint stage = 0;
    if (api->ring->clamps && api->gl->IsShader(shader)) {
        api->gl->GetShaderiv(shader, GL_SHADER_TYPE, &stage);
    }
    return (uint32_t)stage;
}

void hgl_glShaderString(struct hr_call *call, const struct gles2_args_glShaderString *a)
{
    size_t length = a->string != NULL ? strnlen(a->string, a->string_size)
                                      : 0; /* the text ends at its first NUL */
    if (hgl_state_of(call) == NULL || a->string == NULL || length > SOURCE_MAX) {
        hr_call_refuse(call, "%zu bytes of source, at most %u", length, SOURCE_MAX);
        return;
    }
    struct source source = {.text = a->string, .size = length};
    compilable(call, stage_of(call, a->shader), &source);
    GLint size = (GLint)source.size;
    hgl_api_of(call)->gl->ShaderSource(a->shader, 1, &source.text, &size);
    source_finish(&source);
}

/* A NUL-terminated copy in the arena; the wire's bytes need not have one. */
static char *text_of(struct hr_call *call, const void *data, uint32_t size)
{
    char *copy = size <= SOURCE_MAX ? sl_arena_get(call->in.arena, (size_t)size + 1) : NULL;
    if (copy == NULL) {
        hr_call_refuse(call, "%u bytes of text, at most %u", size, SOURCE_MAX);
        return NULL;
    }
    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

GLuint hgl_glCreateShaderProgramvAEMU(struct hr_call *call,
                                      const struct gles2_args_glCreateShaderProgramvAEMU *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (hgl_state_of(call) == NULL || gl->CreateShaderProgramv == NULL) {
        return 0;
    }
    struct source source = {.text = text_of(call, a->packedStrings, a->packedStrings_size)};
    if (source.text == NULL) {
        return 0;
    }
    source.size = strlen(source.text);
    compilable(call, a->type, &source);
    GLuint name = gl->CreateShaderProgramv(a->type, a->count < 0 ? -1 : 1, &source.text);
    if (name != 0) {
        hgl_keep_shader_program(hgl_state_of(call), name, a->type, source.text);
    }
    source_finish(&source);
    return name;
}

/* Names joined by ';' behind each: as many as `count`, or NULL (refused). */
static const char **split(struct hr_call *call, const void *data, uint32_t size, int32_t count)
{
    char *text = text_of(call, data, size);
    if (text == NULL || count < 0 || (uint32_t)count > size) {
        hr_call_refuse(call, "%d names in %u bytes", count, size);
        return NULL;
    }
    const char **names = sl_arena_get(call->in.arena, ((size_t)count + 1) * sizeof *names);
    for (int32_t i = 0; names != NULL && i < count; i++) {
        char *end = strchr(text, ';');
        if (end == NULL) {
            hr_call_refuse(call, "%d names, name %d has no end", count, i);
            return NULL;
        }
        *end = '\0';
        names[i] = text;
        text = end + 1;
    }
    return names;
}

void hgl_glGetUniformIndicesAEMU(struct hr_call *call,
                                 const struct gles2_args_glGetUniformIndicesAEMU *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (hgl_state_of(call) == NULL || gl->GetUniformIndices == NULL) {
        return;
    }
    if (a->uniformCount <= 0) {
        gl->GetUniformIndices(a->program, a->uniformCount, NULL, NULL);
        return;
    }
    const char **names =
        split(call, a->packedUniformNames, a->packedUniformNames_size, a->uniformCount);
    if (names != NULL && (uint64_t)(uint32_t)a->uniformCount * 4 <= a->uniformIndices_size) {
        GLuint *indices = sl_arena_get(call->in.arena, ((size_t)a->uniformCount + 1) * 4);
        if (indices != NULL) {
            memset(indices, 0, (size_t)a->uniformCount * 4);
            gl->GetUniformIndices(a->program, a->uniformCount, names, indices);
            memcpy(a->uniformIndices, indices, (size_t)a->uniformCount * 4);
        }
    }
}

void hgl_glTransformFeedbackVaryingsAEMU(struct hr_call *call,
                                         const struct gles2_args_glTransformFeedbackVaryingsAEMU *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (hgl_state_of(call) == NULL || gl->TransformFeedbackVaryings == NULL) {
        return;
    }
    if (a->count < 0) { /* no name is read, and the driver says what is wrong */
        gl->TransformFeedbackVaryings(a->program, a->count, &(const char *){""}, a->bufferMode);
        return;
    }
    const char **names = split(call, a->packedVaryings, a->packedVaryings_size, a->count);
    if (names != NULL) {
        gl->TransformFeedbackVaryings(a->program, a->count, names, a->bufferMode);
        if (gl->IsProgram(a->program)) {
            hgl_keep_varyings(hgl_state_of(call), a->program, a->packedVaryings,
                              a->packedVaryings_size, (uint32_t)a->count, a->bufferMode);
        }
    }
}

void hgl_glGetCompressedTextureFormats(struct hr_call *call,
                                       const struct gles2_args_glGetCompressedTextureFormats *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLint count = 0;
    if (hgl_state_of(call) == NULL) {
        return;
    }
    gl->GetIntegerv(GL_NUM_COMPRESSED_TEXTURE_FORMATS, &count);
    if (count <= 0 || count > a->count || (uint64_t)(uint32_t)count * 4 > a->formats_size) {
        return; /* the guest asked for another number than there is */
    }
    GLint *formats = sl_arena_get(call->in.arena, (size_t)count * 4);
    if (formats != NULL) {
        memset(formats, 0, (size_t)count * 4);
        gl->GetIntegerv(GL_COMPRESSED_TEXTURE_FORMATS, formats);
        memcpy(a->formats, formats, (size_t)count * 4);
    }
}

int32_t hgl_glFinishRoundTrip(struct hr_call *call, const struct gles2_args_glFinishRoundTrip *a)
{
    (void)a;
    if (hgl_state_of(call) != NULL) {
        hgl_api_of(call)->gl->Finish();
    }
    return 0;
}
