/* Labels of objects in a snapshot (KHR_debug). */
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"

#define LABEL_MAX 4096

static const struct {
    enum hgl_kind kind;
    GLenum identifier;
} labelled[] = {{HGL_TEXTURES, GL_TEXTURE},
                {HGL_BUFFERS, GL_BUFFER},
                {HGL_RENDERBUFFERS, GL_RENDERBUFFER},
                {HGL_SAMPLERS, GL_SAMPLER},
                {HGL_FRAMEBUFFERS, GL_FRAMEBUFFER},
                {HGL_VERTEX_ARRAYS, GL_VERTEX_ARRAY},
                {HGL_QUERIES, GL_QUERY},
                {HGL_FEEDBACKS, GL_TRANSFORM_FEEDBACK},
                {HGL_PIPELINES, GL_PROGRAM_PIPELINE}};

static void save_label(struct hgl_save *s, GLenum identifier, uint32_t name)
{
    char text[LABEL_MAX];
    GLsizei length = 0;
    s->gl->GetObjectLabel(identifier, name, LABEL_MAX, &length, text);
    if (length > 0) {
        glesx_pack_glObjectLabel(hgl_out(s), identifier, name, length, text, (uint32_t)length);
        hgl_save_flush(s);
    }
}

static void save_program_labels(struct hgl_save *s, const struct hgl_state *state)
{
    uint32_t top = hgl_top(state, HGL_PROGRAMS);
    for (uint32_t name = 1; name <= top; name++) {
        if (s->gl->IsProgram(name)) {
            save_label(s, GL_PROGRAM, name);
        } else if (s->gl->IsShader(name)) {
            save_label(s, GL_SHADER, name);
        }
    }
}

void hgl_save_labels(struct hgl_save *s, const struct hgl_state *state, bool own)
{
    if (s->gles < 32) {
        return;
    }
    for (size_t i = 0; i < sizeof labelled / sizeof labelled[0]; i++) {
        uint8_t *alive;
        if (own != (labelled[i].kind >= HGL_FRAMEBUFFERS)) {
            continue;
        }
        uint32_t top = hgl_save_names(s, state, labelled[i].kind, &alive);
        for (uint32_t name = 1; name <= top; name++) {
            if (alive[name] != 0) {
                save_label(s, labelled[i].identifier, name);
            }
        }
        sl_free(alive);
    }
    if (!own) {
        save_program_labels(s, state);
    }
}
