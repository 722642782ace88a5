/* Names as they are given out, and whose storage they have: what a snapshot cannot ask of the
 * driver. */
#include "host/gles/hgl_group.h"

#include "host/gles1_hand.h"
#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>
#include <string.h>

#define PROGRAMS_MAX 65536u
#define STORAGES_MAX 65536u
#define SIZES_MAX    65536u
#define VIEWS_MAX    65536u

/* --- the group --- */

struct hgl_group *hgl_group_new(void)
{
    struct hgl_group *g = sl_alloc(sizeof *g);
    if (g != NULL) {
        *g = (struct hgl_group){.refs = 1, .asker = EGL_NO_CONTEXT};
        pthread_mutex_init(&g->lock, NULL);
        sl_map_init(&g->programs, PROGRAMS_MAX);
        sl_map_init(&g->storages, STORAGES_MAX);
        sl_map_init(&g->stored, STORAGES_MAX);
        sl_map_init(&g->images, STORAGES_MAX);
        sl_map_init(&g->sources, STORAGES_MAX);
        sl_map_init(&g->sizes, SIZES_MAX);
        sl_map_init(&g->views, VIEWS_MAX);
    }
    return g;
}

struct hgl_group *hgl_group_ref(struct hgl_group *group)
{
    sl_atomic_add(&group->refs, 1); /* the caller has one already; orders nothing */
    return group;
}

static void stored_finish(struct hgl_group *g)
{
    uint32_t cursor = 0;
    struct hs_buffer *b;
    while ((b = sl_map_next(&g->stored, &cursor, NULL)) != NULL) {
        hs_put(b);
    }
    sl_map_finish(&g->stored);
    struct ho_object *image;
    for (cursor = 0; (image = sl_map_next(&g->images, &cursor, NULL)) != NULL;) {
        ho_put(image);
    }
    sl_map_finish(&g->images);
    sl_map_finish(&g->sources);
}

void hgl_group_put(struct hgl_group *group)
{
    /* The last one frees: the full barrier puts all others' uses before it. */
    if (group == NULL || sl_atomic_add(&group->refs, UINT32_MAX) != 1) {
        return;
    }
    hgl_programs_finish(group);
    sl_map_finish(&group->storages);
    stored_finish(group);
    sl_map_finish(&group->sizes);
    sl_map_finish(&group->views);
    if (group->asker != EGL_NO_CONTEXT) {
        hs_context_destroy(group->asker_native, group->asker);
    }
    pthread_mutex_destroy(&group->lock);
    sl_free(group);
}

/* --- names --- */

void hgl_named(struct hgl_state *state, enum hgl_kind kind, uint32_t name)
{
    if (kind >= HGL_SHARED_KINDS) {
        uint32_t *top = &state->top[kind - HGL_SHARED_KINDS];
        *top = name > *top ? name : *top;
        return;
    }
    struct hgl_group *g = state->group;
    pthread_mutex_lock(&g->lock);
    g->top[kind] = name > g->top[kind] ? name : g->top[kind];
    pthread_mutex_unlock(&g->lock);
}

uint32_t hgl_top(const struct hgl_state *state, enum hgl_kind kind)
{
    if (kind >= HGL_SHARED_KINDS) {
        return state->top[kind - HGL_SHARED_KINDS];
    }
    struct hgl_group *g = state->group;
    pthread_mutex_lock(&g->lock);
    uint32_t top = g->top[kind];
    pthread_mutex_unlock(&g->lock);
    return top;
}

void hgl_unnaming(struct hgl_state *state, enum hgl_kind kind, GLboolean (*is)(GLuint name),
                  const void *names, int32_t count)
{
    uint32_t top = hgl_top(state, kind);
    for (int32_t i = 0; i < count; i++) {
        uint32_t name = sl_load_u32((const uint8_t *)names + (size_t)i * 4);
        if (SL_UNLIKELY(name > top) && is(name)) {
            hgl_named(state, kind, name);
        }
    }
}

void hgl_gen(struct hr_call *call, void (*generate)(GLsizei n, GLuint *names), int32_t n, void *out,
             uint32_t size, enum hgl_kind kind)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || generate == NULL || (n > 0 && (uint64_t)(uint32_t)n * 4 > size)) {
        hr_call_refuse(call, "%d names in %u bytes", n, size);
        return;
    }
    size_t bytes = n > 0 ? (size_t)(uint32_t)n * 4 : 0;
    GLuint *names = sl_arena_get(call->in.arena, bytes + 4);
    if (names == NULL) {
        hr_call_refuse(call, "no memory for %d names", n);
        return;
    }
    memset(names, 0, bytes + 4);
    generate(n, names);
    uint32_t top = 0;
    for (int32_t i = 0; i < n; i++) {
        top = names[i] > top ? names[i] : top;
    }
    hgl_named(s, kind, top);
    memcpy(out, names, bytes);
}

#define GEN(hand, api, function, field, kind)                                                      \
    void hand##_gl##function(struct hr_call *call, const struct api##_args_gl##function *a)        \
    {                                                                                              \
        hgl_gen(call, hgl_api_of(call)->gl->function, a->n, a->field, a->field##_size, kind);      \
    }
GEN(hgl, gles2, GenTextures, textures, HGL_TEXTURES)
GEN(hgl, gles2, GenBuffers, buffers, HGL_BUFFERS)
GEN(hgl, gles2, GenRenderbuffers, renderbuffers, HGL_RENDERBUFFERS)
GEN(hgl, gles2, GenFramebuffers, framebuffers, HGL_FRAMEBUFFERS)
GEN(hgl, gles2, GenSamplers, samplers, HGL_SAMPLERS)
GEN(hgl, gles2, GenVertexArrays, arrays, HGL_VERTEX_ARRAYS)
GEN(hgl, gles2, GenVertexArraysOES, arrays, HGL_VERTEX_ARRAYS)
GEN(hgl, gles2, GenTransformFeedbacks, ids, HGL_FEEDBACKS)
GEN(hgl, gles2, GenProgramPipelines, pipelines, HGL_PIPELINES)
GEN(hgl1, gles1, GenTextures, textures, HGL_TEXTURES)
GEN(hgl1, gles1, GenBuffers, buffers, HGL_BUFFERS)
GEN(hgl1, gles1, GenRenderbuffersOES, renderbuffers, HGL_RENDERBUFFERS)
GEN(hgl1, gles1, GenFramebuffersOES, framebuffers, HGL_FRAMEBUFFERS)
#undef GEN

/* Who has a storage: references, nullable. */
struct owners {
    struct hs_buffer *buffer;
    struct ho_object *image;
};

/* Forgets whose storage it has; the references are the caller's. */
static struct owners storage_take_locked(struct hgl_group *g, enum hgl_kind kind, uint32_t name)
{
    (void)sl_map_remove_in(&g->storages, kind, name);
    return (struct owners){.buffer = sl_map_remove_in(&g->stored, kind, name),
                           .image = sl_map_remove_in(&g->images, kind, name)};
}

/* Not under the lock: the last one's image goes by EGL. */
static void put_owners(const struct owners *owners)
{
    hs_put(owners->buffer);
    ho_put(owners->image);
}

static void give_back(struct hr_call *call, void (*delete)(GLsizei n, const GLuint *names),
                      GLboolean (*is)(GLuint name), int32_t n, const void *names, uint32_t size,
                      enum hgl_kind kind)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || (n > 0 && (uint64_t)(uint32_t)n * 4 > size)) {
        hr_call_refuse(call, "%d names in %u bytes", n, size);
        return;
    }
    hgl_unnaming(s, kind, is, names, n);
    delete (n, names);
    struct hgl_group *g = s->group;
    pthread_mutex_lock(&g->lock);
    for (int32_t i = 0; i < n && kind != HGL_FRAMEBUFFERS; i++) {
        uint32_t name = sl_load_u32((const uint8_t *)names + (size_t)i * 4);
        if (g->storages.live != 0 || g->stored.live != 0) {
            const struct owners owners = storage_take_locked(g, kind, name);
            pthread_mutex_unlock(&g->lock);
            put_owners(&owners);
            pthread_mutex_lock(&g->lock);
        }
        if (g->sources.live != 0) {
            (void)sl_map_remove_in(&g->sources, kind, name);
        }
        if (g->sizes.live != 0 && kind == HGL_TEXTURES) {
            (void)sl_map_remove(&g->sizes, name);
        }
        if (g->views.live != 0 && kind == HGL_TEXTURES) {
            (void)sl_map_remove(&g->views, name);
        }
    }
    pthread_mutex_unlock(&g->lock);
}

#define GIVE_BACK(hand, api, function, test, field, kind)                                          \
    void hand##_gl##function(struct hr_call *call, const struct api##_args_gl##function *a)        \
    {                                                                                              \
        const struct gl_driver *gl = hgl_api_of(call)->gl;                                         \
        give_back(call, gl->function, gl->test, a->n, a->field, a->field##_size, kind);            \
    }
GIVE_BACK(hgl, gles2, DeleteTextures, IsTexture, textures, HGL_TEXTURES)
GIVE_BACK(hgl, gles2, DeleteRenderbuffers, IsRenderbuffer, renderbuffers, HGL_RENDERBUFFERS)
GIVE_BACK(hgl, gles2, DeleteFramebuffers, IsFramebuffer, framebuffers, HGL_FRAMEBUFFERS)
GIVE_BACK(hgl1, gles1, DeleteTextures, IsTexture, textures, HGL_TEXTURES)
GIVE_BACK(hgl1, gles1, DeleteRenderbuffersOES, IsRenderbufferOES, renderbuffers, HGL_RENDERBUFFERS)
GIVE_BACK(hgl1, gles1, DeleteFramebuffersOES, IsFramebufferOES, framebuffers, HGL_FRAMEBUFFERS)
#undef GIVE_BACK

/* --- storages of others --- */

/* What is bound at the target in the current context. */
static uint32_t bound_name(const struct gl_driver *gl, uint32_t target)
{
    GLenum binding = target == GL_RENDERBUFFER             ? GL_RENDERBUFFER_BINDING
                     : target == GL_TEXTURE_EXTERNAL_OES   ? GL_TEXTURE_BINDING_EXTERNAL_OES
                     : target == GL_TEXTURE_CUBE_MAP       ? GL_TEXTURE_BINDING_CUBE_MAP
                     : target == GL_TEXTURE_3D             ? GL_TEXTURE_BINDING_3D
                     : target == GL_TEXTURE_2D_ARRAY       ? GL_TEXTURE_BINDING_2D_ARRAY
                     : target == GL_TEXTURE_CUBE_MAP_ARRAY ? GL_TEXTURE_BINDING_CUBE_MAP_ARRAY
                                                           : GL_TEXTURE_BINDING_2D;
    GLint name = 0;
    gl->GetIntegerv(binding, &name);
    return (uint32_t)name;
}

/* owners: borrows; NULL for what does not have the storage. */
static void storage_change(struct hgl_group *g, enum hgl_kind kind, uint32_t name,
                           enum hgl_storage storage, const struct owners *owners)
{
    if (name == 0) {
        return;
    }
    pthread_mutex_lock(&g->lock);
    const struct owners before = storage_take_locked(g, kind, name);
    if (kind == HGL_TEXTURES) {
        (void)sl_map_remove(&g->sizes, name);
    }
    if (owners->buffer != NULL && sl_map_add_in(&g->stored, kind, name, owners->buffer) == SL_OK) {
        hs_ref(owners->buffer);
    }
    if (owners->image != NULL && sl_map_add_in(&g->images, kind, name, owners->image) == SL_OK) {
        ho_ref(owners->image);
    }
    if (storage != HGL_STORAGE_OWN) {
        uint32_t handle = owners->buffer != NULL ? owners->buffer->handle : 0;
        uint64_t value = (uint64_t)storage << 32 | handle;
        (void)!sl_map_add_in(&g->storages, kind, name, (void *)(uintptr_t)value);
    }
    pthread_mutex_unlock(&g->lock);
    put_owners(&before);
}

static void storage_set(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                        enum hgl_storage storage, const struct owners *owners)
{
    storage_change(state->group, target == GL_RENDERBUFFER ? HGL_RENDERBUFFERS : HGL_TEXTURES,
                   bound_name(gl, target), storage, owners);
}

void hgl_storage_set_own(const struct gl_driver *gl, struct hgl_state *state, uint32_t target)
{
    storage_set(gl, state, target, HGL_STORAGE_OWN, &(struct owners){0});
}

struct hgl_image_look hgl_image_look(const struct gl_driver *gl, struct hgl_state *state,
                                     uint32_t target, int32_t level)
{
    static const GLenum what[] = {
        GL_TEXTURE_WIDTH,     GL_TEXTURE_HEIGHT,     GL_TEXTURE_RED_SIZE,   GL_TEXTURE_GREEN_SIZE,
        GL_TEXTURE_BLUE_SIZE, GL_TEXTURE_ALPHA_SIZE, GL_TEXTURE_DEPTH_SIZE, GL_TEXTURE_COMPRESSED};
    struct hgl_image_look look = {0};
    const struct hgl_group *g = state->group;
    if (SL_LIKELY(g->storages.live == 0 && g->sources.live == 0) || target != GL_TEXTURE_2D ||
        level != 0 || state->gles_version < 31) {
        return look;
    }
    look.name = bound_name(gl, target);
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
        gl->GetTexLevelParameteriv(target, level, what[i], &look.is[i]);
    }
    return look;
}

void hgl_image_replaced(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                        const struct hgl_image_look *before)
{
    struct hgl_group *g = state->group;
    if (SL_LIKELY(before->name == 0)) {
        return;
    }
    const struct hgl_image_look now = hgl_image_look(gl, state, target, 0);
    if (memcmp(before->is, now.is, sizeof now.is) == 0) {
        return;
    }
    hgl_storage_drop(g, false, before->name);
    pthread_mutex_lock(&g->lock);
    (void)sl_map_remove_in(&g->sources, HGL_TEXTURES, before->name);
    pthread_mutex_unlock(&g->lock);
}

void hgl_storage_set_image(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                           enum hgl_storage storage, struct ho_object *image)
{
    storage_set(gl, state, target, storage, &(struct owners){.image = image});
}

void hgl_storage_set_buffer(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                            struct hs_buffer *buffer)
{
    storage_set(gl, state, target, HGL_STORAGE_BUFFER, &(struct owners){.buffer = buffer});
}

void hgl_storage_export(struct hgl_group *group, bool renderbuffer, uint32_t name,
                        struct hs_buffer *buffer)
{
    storage_change(group, renderbuffer ? HGL_RENDERBUFFERS : HGL_TEXTURES, name, HGL_STORAGE_OWN,
                   &(struct owners){.buffer = buffer});
}

void hgl_storage_drop(struct hgl_group *group, bool renderbuffer, uint32_t name)
{
    storage_change(group, renderbuffer ? HGL_RENDERBUFFERS : HGL_TEXTURES, name, HGL_STORAGE_OWN,
                   &(struct owners){0});
}

struct ho_object *hgl_storage_image(struct hgl_group *group, bool renderbuffer, uint32_t name)
{
    pthread_mutex_lock(&group->lock);
    struct ho_object *image =
        sl_map_find_in(&group->images, renderbuffer ? HGL_RENDERBUFFERS : HGL_TEXTURES, name);
    if (image != NULL) {
        ho_ref(image);
    }
    pthread_mutex_unlock(&group->lock);
    return image;
}

struct hs_buffer *hgl_storage_buffer(struct hgl_group *group, bool renderbuffer, uint32_t name)
{
    pthread_mutex_lock(&group->lock);
    struct hs_buffer *b =
        sl_map_find_in(&group->stored, renderbuffer ? HGL_RENDERBUFFERS : HGL_TEXTURES, name);
    if (b != NULL) {
        hs_ref(b);
    }
    pthread_mutex_unlock(&group->lock);
    return b;
}

enum hgl_storage hgl_storage_of(struct hgl_group *group, bool renderbuffer, uint32_t name,
                                uint32_t *handle)
{
    pthread_mutex_lock(&group->lock);
    enum hgl_kind kind = renderbuffer ? HGL_RENDERBUFFERS : HGL_TEXTURES;
    uint64_t found = (uintptr_t)sl_map_find_in(&group->storages, kind, name);
    pthread_mutex_unlock(&group->lock);
    *handle = (uint32_t)found;
    return (enum hgl_storage)(found >> 32);
}

static enum hgl_kind source_kind(const struct hrc_image *image)
{
    return image->target == EGL_GL_RENDERBUFFER_KHR ? HGL_RENDERBUFFERS : HGL_TEXTURES;
}

void hgl_source_number(struct hgl_group *group, struct hrc_image *image)
{
    enum hgl_kind kind = source_kind(image);
    pthread_mutex_lock(&group->lock);
    uint64_t number = (uintptr_t)sl_map_find_in(&group->sources, kind, image->name);
    if (number != 0) {
        image->source = number;
    } else { /* past STORAGES_MAX it is saved as one whose texture is gone */
        (void)!sl_map_add_in(&group->sources, kind, image->name, (void *)(uintptr_t)image->source);
    }
    pthread_mutex_unlock(&group->lock);
}

struct ho_object *hgl_next_image(struct hgl_group *group, uint32_t *cursor)
{
    pthread_mutex_lock(&group->lock);
    struct ho_object *image = sl_map_next(&group->images, cursor, NULL);
    if (image != NULL) {
        ho_ref(image);
    }
    pthread_mutex_unlock(&group->lock);
    return image;
}

bool hgl_has_source(struct hgl_group *group, const struct hrc_image *image)
{
    pthread_mutex_lock(&group->lock);
    uint64_t number = (uintptr_t)sl_map_find_in(&group->sources, source_kind(image), image->name);
    pthread_mutex_unlock(&group->lock);
    return number == image->source;
}

GLuint hgl_glCreateShader(struct hr_call *call, const struct gles2_args_glCreateShader *a)
{
    struct hgl_state *s = hgl_state_of(call);
    GLuint name = s != NULL ? hgl_api_of(call)->gl->CreateShader(a->type) : 0;
    if (name != 0) {
        hgl_named(s, HGL_PROGRAMS, name);
    }
    return name;
}

GLuint hgl_glCreateProgram(struct hr_call *call, const struct gles2_args_glCreateProgram *a)
{
    (void)a;
    struct hgl_state *s = hgl_state_of(call);
    GLuint name = s != NULL ? hgl_api_of(call)->gl->CreateProgram() : 0;
    if (name != 0) {
        hgl_named(s, HGL_PROGRAMS, name);
        hgl_program_born(s, name);
    }
    return name;
}

/* --- views of textures --- */

static struct hgl_view_of view_of_locked(struct hgl_group *g, uint32_t texture)
{
    uint64_t found = texture != 0 ? (uintptr_t)sl_map_find(&g->views, texture) : 0;
    return (struct hgl_view_of){.number = found >> 1, .is_origin = (found & 1) != 0};
}

struct hgl_view_of hgl_view_of(struct hgl_group *group, uint32_t texture)
{
    pthread_mutex_lock(&group->lock);
    struct hgl_view_of of = view_of_locked(group, texture);
    pthread_mutex_unlock(&group->lock);
    return of;
}

static void add_view(struct hgl_group *g, uint32_t texture, uint64_t number, bool is_origin)
{
    /* Past VIEWS_MAX it is saved as one that shares nothing. */
    (void)!sl_map_add(&g->views, texture, (void *)(uintptr_t)(number << 1 | is_origin));
}

void hgl_glTextureViewEXT(struct hr_call *call, const struct glesx_args_glTextureViewEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || gl->TextureViewEXT == NULL) {
        return;
    }
    bool was_there = gl->IsTexture(a->texture);
    gl->TextureViewEXT(a->texture, a->target, a->origtexture, a->internalformat, a->minlevel,
                       a->numlevels, a->minlayer, a->numlayers);
    if (was_there || !gl->IsTexture(a->texture)) {
        return; /* the driver refused it */
    }
    struct hgl_group *g = s->group;
    pthread_mutex_lock(&g->lock);
    struct hgl_view_of of = view_of_locked(g, a->origtexture);
    if (of.number == 0) {
        of.number = ++g->view_count;
        add_view(g, a->origtexture, of.number, true);
    }
    add_view(g, a->texture, of.number, false);
    pthread_mutex_unlock(&g->lock);
}
