/* Snapshots: textures that share storage (glTextureView).
 *
 * The driver tells which part of a storage a view shows, and the host kept which textures are of
 * one storage (hgl_view_of). The texture that the storage was made for is saved as any other; in
 * the replay views are made of it. Where it was deleted, one that has all that its views show takes
 * its place, gets its contents through them, and is deleted as well. */
#include "host/gles/hgl_save_texture.h"

#include "wire/glesx_pack.h"

#include <string.h>

/* What a view shows, in numbers of the storage. */
struct part {
    GLint min_level, levels, min_layer, layers;
};

static struct part part_of(const struct hgl_save *s, GLenum target)
{
    struct part p = {0};
    s->gl->GetTexParameteriv(target, GL_TEXTURE_VIEW_MIN_LEVEL_EXT, &p.min_level);
    s->gl->GetTexParameteriv(target, GL_TEXTURE_VIEW_NUM_LEVELS_EXT, &p.levels);
    s->gl->GetTexParameteriv(target, GL_TEXTURE_VIEW_MIN_LAYER_EXT, &p.min_layer);
    s->gl->GetTexParameteriv(target, GL_TEXTURE_VIEW_NUM_LAYERS_EXT, &p.layers);
    return p;
}

static struct hgl_texture bind(struct hgl_save *s, uint32_t name)
{
    struct hgl_texture t = {.name = name, .target = hgl_save_target(s, name), .is_view = true};
    t.layered = hgl_is_layered(t.target);
    s->gl->BindTexture(t.target, name);
    s->gl->GetTexParameteriv(t.target, GL_TEXTURE_IMMUTABLE_LEVELS, &t.immutable);
    return t;
}

static struct hgl_level base_of(struct hgl_save *s, const struct hgl_texture *t)
{
    bool cube = t->target == GL_TEXTURE_CUBE_MAP;
    return hgl_save_level(s, cube ? GL_TEXTURE_CUBE_MAP_POSITIVE_X : t->target, 0);
}

bool hgl_save_is_view(const struct hgl_save *s, uint32_t name)
{
    const struct hgl_view_of of = hgl_view_of(s->root->state->group, name);
    return of.number != 0 && !of.is_origin && !hgl_save_is_whole(s);
}

/* --- what they are made of --- */

struct views {
    struct hgl_save *s;
    uint32_t top;
    const uint8_t *alive;
    uint64_t number; /* of those that are looked at */
};

/* The next one of the storage behind `name`; 0: no more. */
static uint32_t next(const struct views *v, uint32_t name)
{
    while (++name <= v->top) {
        const struct hgl_view_of of = hgl_view_of(v->s->root->state->group, name);
        if (v->alive[name] != 0 && of.number == v->number) {
            return name;
        }
    }
    return 0;
}

/* 0: it was deleted. */
static uint32_t origin_of(const struct views *v)
{
    for (uint32_t name = 0; (name = next(v, name)) != 0;) {
        if (hgl_view_of(v->s->root->state->group, name).is_origin) {
            return name;
        }
    }
    return 0;
}

/* A name that nobody has; 0: there is none. */
static uint32_t free_name(const struct views *v)
{
    for (uint32_t name = 1; name <= v->top; name++) {
        if (v->alive[name] == 0 && hgl_save_orphan(v->s, GL_TEXTURE, name) == NULL) {
            return name;
        }
    }
    return 0;
}

/* With room for all that its views show; what they do not show of it nobody sees. */
static void make_origin(const struct views *v, uint32_t origin)
{
    struct hgl_save *s = v->s;
    struct hgl_texture t = {.name = origin, .layered = true};
    struct hgl_level all = {0};
    GLint min_level = 0;
    for (uint32_t name = 0; (name = next(v, name)) != 0;) {
        const struct hgl_texture view = bind(s, name);
        const struct part p = part_of(s, view.target);
        struct hgl_level l = base_of(s, &view);
        GLint layers = p.min_layer + p.layers, above = min_level;
        bool is_deep = view.target == GL_TEXTURE_3D, samples = l.samples > 0;
        t.target = is_deep   ? GL_TEXTURE_3D
                   : samples ? GL_TEXTURE_2D_MULTISAMPLE_ARRAY
                             : GL_TEXTURE_2D_ARRAY;
        t.immutable = view.immutable > 0 ? view.immutable : 1;
        if (all.width == 0 || p.min_level < above) { /* sizes of deeper levels are cut off */
            GLint depth = is_deep ? l.depth << p.min_level : all.depth;
            min_level = p.min_level;
            l.width <<= p.min_level;
            l.height <<= p.min_level;
            l.depth = depth;
            all = l;
        }
        all.depth = !is_deep && layers > all.depth ? layers : all.depth;
    }
    gles2_pack_glBindTexture(hgl_out(s), t.target, origin);
    hgl_save_storage(s, &t, &all);
    hgl_save_flush(s);
}

/* --- all of them --- */

static void save_view(struct hgl_save *s, uint32_t name, uint32_t origin, bool has_contents)
{
    const struct hgl_texture t = bind(s, name);
    const struct part p = part_of(s, t.target);
    const struct hgl_level l = base_of(s, &t);
    glesx_pack_glTextureViewEXT(hgl_out(s), name, t.target, origin, (GLenum)l.internal,
                                (GLuint)p.min_level, (GLuint)p.levels, (GLuint)p.min_layer,
                                (GLuint)p.layers);
    gles2_pack_glBindTexture(hgl_out(s), t.target, name);
    if (!has_contents) {
        hgl_save_texture_images(s, &t);
    }
    hgl_save_parameters(s, t.target, 0);
    hgl_save_flush(s);
}

/* All of one storage. */
static void save_storage(const struct views *v, uint32_t origin)
{
    struct hgl_save *s = v->s;
    bool was_deleted = origin == 0;
    origin = was_deleted ? free_name(v) : origin;
    if (origin == 0) {
        hgl_save_refuse(s, "texture %u is of a storage whose name is used anew", next(v, 0));
        return;
    }
    if (was_deleted) {
        make_origin(v, origin);
    }
    for (uint32_t name = 0; (name = next(v, name)) != 0 && !hgl_save_failed(s);) {
        if (name != origin) {
            save_view(s, name, origin, !was_deleted);
        }
    }
    if (was_deleted) {
        gles2_pack_glDeleteTextures(hgl_out(s), 1, &origin, 4);
        hgl_save_flush(s);
    }
}

void hgl_save_views(struct hgl_save *s, uint32_t top, const uint8_t *alive, bool of_images)
{
    struct hgl_group *group = s->root->state->group;
    struct views v = {.s = s, .top = top, .alive = alive};
    if (hgl_save_is_whole(s)) {
        return; /* they are there */
    }
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        v.number = alive[name] != 0 ? hgl_view_of(group, name).number : 0;
        if (v.number == 0 || next(&v, 0) != name) {
            continue; /* none, or done with another one */
        }
        uint32_t handle, origin = origin_of(&v);
        enum hgl_storage storage =
            origin != 0 ? hgl_storage_of(group, false, origin, &handle) : HGL_STORAGE_OWN;
        if ((storage == HGL_STORAGE_FIXED) == of_images) {
            save_storage(&v, origin);
        }
    }
}
