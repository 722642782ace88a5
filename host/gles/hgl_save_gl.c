/* The native side of a snapshot: contexts, the reading one, and names. */
#include "host/gles/hgl_save.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"

#include <string.h>

/* More names of a kind than any snapshot goes through. */
#define NAMES_MAX (1u << 20)
/* Names that a guest of GLES makes up by itself are looked for up to here. */
#define NAMES_LOOKED_FOR 16384u

/* --- contexts --- */

static bool make_current(struct hgl_save *s, EGLContext context, EGLSurface draw, EGLSurface read)
{
    if (!s->n->egl.MakeCurrent(s->n->display, draw, read, context)) {
        hgl_save_refuse(s, "a native context cannot be made current: EGL error 0x%x",
                        (unsigned)s->n->egl.GetError());
        return false;
    }
    return true;
}

static EGLSurface surface_of(const struct ho_object *object)
{
    return object != NULL ? ((const struct hrc_surface *)object->value)->egl : EGL_NO_SURFACE;
}

bool hgl_save_current(struct hgl_save *s, const struct hgl_saved *c)
{
    if (!make_current(s, c->context->egl, surface_of(c->draw), surface_of(c->read))) {
        return false;
    }
    s->extensions = (const char *)s->gl->GetString(GL_EXTENSIONS);
    return true;
}

bool hgl_save_reading(struct hgl_save *s)
{
    return make_current(s, s->reading, s->pbuffer, s->pbuffer);
}

bool hgl_save_reading_at(struct hgl_save *s, const struct hrc_surface *surface)
{
    return make_current(s, s->reading, surface->egl, surface->egl);
}

static bool load_reader(struct hgl_save *s)
{
    static const struct {
        const char *name;
        size_t at;
    } functions[] = {
        {"glGetTexImage", offsetof(struct hgl_reader, GetTexImage)},
        {"glGetCompressedTexImage", offsetof(struct hgl_reader, GetCompressedTexImage)},
        {"glGetTextureParameteriv", offsetof(struct hgl_reader, GetTextureParameteriv)},
        {"glGetBufferSubData", offsetof(struct hgl_reader, GetBufferSubData)}};
    bool all = true;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *f = (void *)s->n->egl.GetProcAddress(functions[i].name);
        memcpy((char *)&s->reader + functions[i].at, &f, sizeof f);
        all = all && f != NULL;
    }
    return all;
}

/* Asked in a context that shares nothing, so that no guest's name is used up. */
static bool reuses_names(struct hgl_save *s)
{
    struct hs_thread thread;
    GLuint first = 0, again = 0;
    hs_thread_init(&thread, s->n);
    if (hs_helper_begin(&thread)) {
        s->gl->GenTextures(1, &first);
        s->gl->DeleteTextures(1, &first);
        s->gl->GenTextures(1, &again);
        s->gl->DeleteTextures(1, &again);
        hs_helper_end(&thread);
    }
    hs_thread_finish(&thread);
    s->n->egl.BindAPI(EGL_OPENGL_ES_API);
    return first == again;
}

bool hgl_save_reader_begin(struct hgl_save *s, uint32_t config_number, EGLContext share)
{
    const struct hs_native *n = s->n;
    s->reuses_names = reuses_names(s);
    /* Share groups take contexts of one kind of robustness. */
    const EGLint attribs[] = {EGL_CONTEXT_MAJOR_VERSION,
                              4,
                              EGL_CONTEXT_MINOR_VERSION,
                              5,
                              n->robust ? EGL_CONTEXT_OPENGL_ROBUST_ACCESS_EXT : EGL_NONE,
                              EGL_TRUE,
                              EGL_NONE};
    static const EGLint tiny[] = {EGL_WIDTH, 1, EGL_HEIGHT, 1, EGL_NONE};
    EGLConfig config = n->no_config_context || config_number >= n->config_count
                           ? EGL_NO_CONFIG_KHR
                           : n->configs[config_number].config;
    n->egl.BindAPI(EGL_OPENGL_API);
    s->reading = n->egl.CreateContext(n->display, config, share, attribs);
    n->egl.BindAPI(EGL_OPENGL_ES_API);
    s->pbuffer = EGL_NO_SURFACE;
    if (s->reading != EGL_NO_CONTEXT && !n->surfaceless_context) {
        s->pbuffer = n->egl.CreatePbufferSurface(
            n->display, config == EGL_NO_CONFIG_KHR ? n->helper_config : config, tiny);
    }
    if (s->reading == EGL_NO_CONTEXT || !load_reader(s)) {
        hgl_save_refuse(s, "the driver gives no desktop GL context to read with: EGL error 0x%x",
                        (unsigned)n->egl.GetError());
        return false;
    }
    return true;
}

void hgl_save_reader_end(struct hgl_save *s)
{
    const struct hs_native *n = s->n;
    (void)n->egl.MakeCurrent(n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    if (s->reading != EGL_NO_CONTEXT) {
        hs_context_destroy(n, s->reading);
    }
    if (s->pbuffer != EGL_NO_SURFACE) {
        n->egl.DestroySurface(n->display, s->pbuffer);
    }
    s->reading = EGL_NO_CONTEXT;
    s->pbuffer = EGL_NO_SURFACE;
}

void hgl_save_play_current(struct hgl_save *s, const struct hgl_saved *c)
{
    rc_pack_rcMakeCurrentAsync(hgl_out(s), c->handle, c->draw != NULL ? c->draw->id : 0,
                               c->read != NULL ? c->read->id : 0);
    hgl_save_flush(s);
}

GLint hgl_get(const struct hgl_save *s, GLenum name)
{
    GLint value[16] = {0}; /* more than any of one value writes */
    s->gl->GetIntegerv(name, value);
    return value[0];
}

bool hgl_has(const struct hgl_save *s, const char *extension)
{
    size_t size = strlen(extension);
    for (const char *p = s->extensions; p != NULL && (p = strstr(p, extension)) != NULL;
         p += size) {
        if (p[size] == ' ' || p[size] == '\0') {
            return true;
        }
    }
    return false;
}

/* --- names --- */

struct kind {
    GLboolean (*is)(GLuint name);
    void (*generate)(struct sl_pack *, GLsizei n, uint32_t size);
    void (*give_back)(struct sl_pack *, GLsizei n, const void *names, uint32_t size);
    bool made_up; /* guests may use names that were not generated */
};

static struct kind kind_of(const struct hgl_save *s, enum hgl_kind kind)
{
    const struct gl_driver *gl = s->gl;
    switch (kind) {
    case HGL_TEXTURES:
        return (struct kind){gl->IsTexture, gles2_pack_glGenTextures, gles2_pack_glDeleteTextures,
                             true};
    case HGL_BUFFERS:
        return (struct kind){gl->IsBuffer, gles2_pack_glGenBuffers, gles2_pack_glDeleteBuffers,
                             true};
    case HGL_RENDERBUFFERS:
        return (struct kind){gl->IsRenderbuffer, gles2_pack_glGenRenderbuffers,
                             gles2_pack_glDeleteRenderbuffers, true};
    case HGL_FRAMEBUFFERS:
        return (struct kind){gl->IsFramebuffer, gles2_pack_glGenFramebuffers,
                             gles2_pack_glDeleteFramebuffers, true};
    case HGL_SAMPLERS:
        return (struct kind){gl->IsSampler, gles2_pack_glGenSamplers, gles2_pack_glDeleteSamplers,
                             false};
    case HGL_VERTEX_ARRAYS:
        return (struct kind){gl->IsVertexArray, gles2_pack_glGenVertexArrays, NULL, false};
    case HGL_QUERIES:
        return (struct kind){gl->IsQuery, gles2_pack_glGenQueries, NULL, false};
    case HGL_FEEDBACKS:
        return (struct kind){gl->IsTransformFeedback, gles2_pack_glGenTransformFeedbacks, NULL,
                             false};
    case HGL_PIPELINES:
        return (struct kind){gl->IsProgramPipeline, gles2_pack_glGenProgramPipelines, NULL, false};
    default:
        return (struct kind){0};
    }
}

uint32_t hgl_save_names(struct hgl_save *s, const struct hgl_state *state, enum hgl_kind kind,
                        uint8_t **alive)
{
    const struct kind k = kind_of(s, kind);
    uint32_t top = hgl_top(state, kind);
    uint32_t end = k.made_up && top < NAMES_LOOKED_FOR ? NAMES_LOOKED_FOR : top;
    *alive = NULL;
    if (k.is == NULL) {
        return 0;
    }
    if (end > NAMES_MAX) {
        hgl_save_refuse(s, "names up to %u", end);
        return 0;
    }
    uint8_t *marks = hgl_save_alloc(s, (size_t)end + 1, 1);
    if (marks == NULL) {
        return 0;
    }
    memset(marks, 0, (size_t)end + 1);
    for (uint32_t name = 1; name <= end; name++) {
        marks[name] = k.is(name) ? 1 : 0;
        top = marks[name] != 0 && name > top ? name : top;
    }
    *alive = marks;
    return top;
}

void hgl_save_generate(struct hgl_save *s, enum hgl_kind kind, uint32_t top)
{
    const struct kind k = kind_of(s, kind);
    uint32_t names[1024];
    for (uint32_t done = 0; done < top && !hgl_save_failed(s);) {
        uint32_t count = top - done < 1024 ? top - done : 1024;
        for (uint32_t i = 0; i < count; i++) {
            names[i] = done + i + 1;
        }
        k.generate(hgl_out(s), (GLsizei)count, count * 4);
        hgl_save_reply(s, names, (size_t)count * 4);
        done += count;
    }
}

/* One that is given back later. */
static bool is_orphan(const struct hgl_save *s, enum hgl_kind kind, uint32_t name)
{
    return (kind == HGL_TEXTURES && hgl_save_orphan(s, GL_TEXTURE, name) != NULL) ||
           (kind == HGL_RENDERBUFFERS && hgl_save_orphan(s, GL_RENDERBUFFER, name) != NULL);
}

void hgl_save_delete_holes(struct hgl_save *s, enum hgl_kind kind, uint32_t top,
                           const uint8_t *alive)
{
    const struct kind k = kind_of(s, kind);
    uint32_t names[1024], count = 0;
    /* A name that is not alive may have been made and never used; where no name is given out twice
     * that and a free one cannot be told apart, and need not. */
    if (k.made_up && !s->reuses_names) {
        return;
    }
    for (uint32_t name = 1; name <= top; name++) {
        if (alive[name] == 0 && !is_orphan(s, kind, name)) {
            names[count++] = name;
        }
        if (count == 1024 || (name == top && count > 0)) {
            k.give_back(hgl_out(s), (GLsizei)count, names, count * 4);
            count = 0;
        }
    }
    hgl_save_flush(s);
}
