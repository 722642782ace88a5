/* Texture bindings, and external textures, which the host knows as 2D textures (protocol:
 * section 14.6).
 *
 * Each unit has a 2D and an external binding here; the host's GL_TEXTURE_2D holds the one that has
 * priority: the kind of the sampler that the current program points at the unit. While no external
 * texture or sampler exists nothing of this is looked at. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

#include "wire/rc_pack.h"

static struct ggl_unit *active(struct ggl_context *c)
{
    return &c->units[c->active_unit];
}

static uint32_t preferred(const struct ggl_unit *u)
{
    return u->external ? u->texture_external : u->texture_2d;
}

void ggl_glActiveTexture(GLenum texture)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        ggl1_glActiveTexture(texture);
        return;
    }
    uint32_t unit = texture - GL_TEXTURE0;
    ggl_stock_limit(c, GL_MAX_COMBINED_TEXTURE_IMAGE_UNITS);
    if (unit < GGL_MAX_UNITS) {
        c->active_unit = unit;
    }
    gles2_pack_glActiveTexture(ggl_pack(c), texture);
}

/* A texture's first use as an external one gives it the parameters such textures start with. */
static void first_external_use(struct ggl_context *c, GLuint texture)
{
    static char present;
    pthread_mutex_lock(&c->share->lock);
    bool known = sl_map_find(&c->share->external_textures, texture) != NULL;
    bool added = !known && sl_map_set(&c->share->external_textures, texture, &present) == SL_OK;
    pthread_mutex_unlock(&c->share->lock);
    if (added) {
        gles2_pack_glTexParameteri(ggl_pack(c), GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
        gles2_pack_glTexParameteri(ggl_pack(c), GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
        gles2_pack_glTexParameteri(ggl_pack(c), GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    }
}

static bool externally_used(struct ggl_context *c, GLuint texture)
{
    pthread_mutex_lock(&c->share->lock);
    bool known = texture == 0 || sl_map_find(&c->share->external_textures, texture) != NULL;
    pthread_mutex_unlock(&c->share->lock);
    return known;
}

static void bind_external(struct ggl_context *c, GLuint texture)
{
    struct ggl_unit *u = active(c);
    bool known = externally_used(c, texture);
    if (!known && !ggl_stock(c) && gles2_call_glIsTexture(c->stream, texture)) {
        ggl_error(c, GL_INVALID_OPERATION); /* it is one of another target */
        return;
    }
    sl_atomic_store_relaxed(&c->share->externals, 1); /* read by this thread, or handed over */
    u->texture_external = texture;
    if (known && !u->external) {
        return;
    }
    gles2_pack_glBindTexture(ggl_pack(c), GL_TEXTURE_2D, texture);
    if (!known) {
        first_external_use(c, texture);
        gles2_pack_glBindTexture(ggl_pack(c), GL_TEXTURE_2D, preferred(u));
    }
}

void ggl_glBindTexture(GLenum target, GLuint texture)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        ggl1_glBindTexture(target, texture);
        return;
    }
    ggl_spare_use(c, GGL_SPARE_TEXTURE, texture);
    if (target == GL_TEXTURE_2D) {
        struct ggl_unit *u = active(c);
        u->texture_2d = texture;
        if (SL_UNLIKELY(u->external)) {
            return;
        }
    } else if (SL_UNLIKELY(target == GL_TEXTURE_EXTERNAL_OES)) {
        bind_external(c, texture);
        return;
    }
    gles2_pack_glBindTexture(ggl_pack(c), target, texture);
}

void ggl_glDeleteTextures(GLsizei n, const GLuint *textures)
{
    struct ggl_context *c = ggl_current();
    if (!c || !ggl_names_given(c, n, textures)) {
        return;
    }
    for (GLsizei i = 0; ggl_stores(c) && i < n; i++) {
        ggl_store_ends(c, GL_TEXTURE_2D, textures[i]);
    }
    gles2_pack_glDeleteTextures(ggl_pack(c), n, textures, (uint32_t)n * 4);
    for (GLsizei i = 0; i < n; i++) {
        ggl_spare_use(c, GGL_SPARE_TEXTURE, textures[i]);
        for (uint32_t unit = 0; textures[i] && unit < GGL_MAX_UNITS; unit++) {
            struct ggl_unit *u = &c->units[unit];
            u->texture_2d = u->texture_2d == textures[i] ? 0 : u->texture_2d;
            u->texture_external = u->texture_external == textures[i] ? 0 : u->texture_external;
        }
    }
    if (sl_atomic_load_relaxed(&c->share->externals)) { /* set before these names were external */
        pthread_mutex_lock(&c->share->lock);
        for (GLsizei i = 0; i < n; i++) {
            (void)sl_map_remove(&c->share->external_textures, textures[i]);
        }
        pthread_mutex_unlock(&c->share->lock);
    }
}

void ggl_unit_prefer(struct ggl_context *c, uint32_t unit, bool external)
{
    if (unit >= GGL_MAX_UNITS || c->units[unit].external == external) {
        return;
    }
    struct ggl_unit *u = &c->units[unit];
    u->external = external;
    gles2_pack_glActiveTexture(ggl_pack(c), GL_TEXTURE0 + unit);
    gles2_pack_glBindTexture(ggl_pack(c), GL_TEXTURE_2D, preferred(u));
    if (unit != c->active_unit) {
        gles2_pack_glActiveTexture(ggl_pack(c), GL_TEXTURE0 + c->active_unit);
    }
}

struct ggl_target_scope ggl_target_begin(struct ggl_context *c, GLenum target)
{
    struct ggl_unit *u = active(c);
    bool external = target == GL_TEXTURE_EXTERNAL_OES;
    if (SL_LIKELY(!external && (target != GL_TEXTURE_2D || !u->external))) {
        return (struct ggl_target_scope){.target = target};
    }
    struct ggl_target_scope scope = {.target = GL_TEXTURE_2D, .rebound = external != u->external};
    if (scope.rebound) {
        gles2_pack_glBindTexture(ggl_pack(c), GL_TEXTURE_2D,
                                 external ? u->texture_external : u->texture_2d);
    }
    return scope;
}

void ggl_target_end(struct ggl_context *c, const struct ggl_target_scope *scope)
{
    if (SL_UNLIKELY(scope->rebound)) {
        gles2_pack_glBindTexture(ggl_pack(c), GL_TEXTURE_2D, preferred(active(c)));
    }
}

/* External textures have no mipmaps and do not repeat. */
static bool parameter_allowed(struct ggl_context *c, GLenum target, GLenum pname, GLint value)
{
    bool allowed = true;
    if (target == GL_TEXTURE_EXTERNAL_OES) {
        if (pname == GL_TEXTURE_MIN_FILTER || pname == GL_TEXTURE_MAG_FILTER) {
            allowed = value == GL_NEAREST || value == GL_LINEAR;
        } else if (pname == GL_TEXTURE_WRAP_S || pname == GL_TEXTURE_WRAP_T) {
            allowed = value == GL_CLAMP_TO_EDGE;
        }
    }
    if (!allowed) {
        ggl_error(c, GL_INVALID_ENUM);
    }
    return allowed;
}

void ggl_glTexParameteri(GLenum target, GLenum pname, GLint param)
{
    struct ggl_context *c = ggl_current();
    if (c && parameter_allowed(c, target, pname, param)) {
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        gles2_pack_glTexParameteri(ggl_pack(c), scope.target, pname, param);
        ggl_target_end(c, &scope);
    }
}

void ggl_glTexParameterf(GLenum target, GLenum pname, GLfloat param)
{
    struct ggl_context *c = ggl_current();
    if (c && parameter_allowed(c, target, pname, (GLint)param)) {
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        gles2_pack_glTexParameterf(ggl_pack(c), scope.target, pname, param);
        ggl_target_end(c, &scope);
    }
}

/* Values of a parameter that is given by its address. */
static uint32_t parameter_values(GLenum pname)
{
    return pname == GL_TEXTURE_BORDER_COLOR ? 4 : 1;
}

#define PARAMETERS(suffix, type)                                                                   \
    void ggl_glTexParameter##suffix(GLenum target, GLenum pname, const type *params)               \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (c && params && parameter_allowed(c, target, pname, (GLint)*params)) {                  \
            struct ggl_target_scope scope = ggl_target_begin(c, target);                           \
            gles2_pack_glTexParameter##suffix(ggl_pack(c), scope.target, pname, params,            \
                                              parameter_values(pname) * 4);                        \
            ggl_target_end(c, &scope);                                                             \
        }                                                                                          \
    }                                                                                              \
    void ggl_glGetTexParameter##suffix(GLenum target, GLenum pname, type *params)                  \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (c && params) {                                                                         \
            type values[4];                                                                        \
            uint32_t size = parameter_values(pname) * 4;                                           \
            struct ggl_target_scope scope = ggl_target_begin(c, target);                           \
            if (gles2_ask_glGetTexParameter##suffix(c, scope.target, pname, values, size)) {       \
                memcpy(params, values, size);                                                      \
            }                                                                                      \
            ggl_target_end(c, &scope);                                                             \
        }                                                                                          \
    }
PARAMETERS(iv, GLint)
PARAMETERS(fv, GLfloat)

void ggl_glGenerateMipmap(GLenum target)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (target == GL_TEXTURE_EXTERNAL_OES) {
        ggl_error(c, GL_INVALID_ENUM);
        return;
    }
    ggl_order_use(c);
    struct ggl_target_scope scope = ggl_target_begin(c, target);
    gles2_pack_glGenerateMipmap(ggl_pack(c), scope.target);
    ggl_target_end(c, &scope);
}

void ggl_glTexStorage2D(GLenum target, GLsizei levels, GLenum internalformat, GLsizei width,
                        GLsizei height)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        ggl_store_respecify(c, target, 0);
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        gles2_pack_glTexStorage2D(ggl_pack(c), scope.target, levels, internalformat, width, height);
        ggl_target_end(c, &scope);
        ggl_settle(c);
    }
}

void ggl_glTexStorage3D(GLenum target, GLsizei levels, GLenum internalformat, GLsizei width,
                        GLsizei height, GLsizei depth)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        gles2_pack_glTexStorage3D(ggl_pack(c), target, levels, internalformat, width, height,
                                  depth);
        ggl_settle(c);
    }
}

/* Nothing is copied to external textures. */
static bool copy_begin(struct ggl_context *c, GLenum target)
{
    if (c && target == GL_TEXTURE_EXTERNAL_OES) {
        ggl_error(c, GL_INVALID_ENUM);
        return false;
    }
    return c != NULL;
}

void ggl_glCopyTexImage2D(GLenum target, GLint level, GLenum internalformat, GLint x, GLint y,
                          GLsizei width, GLsizei height, GLint border)
{
    struct ggl_context *c = ggl_current();
    if (copy_begin(c, target)) {
        ggl_store_respecify(c, target, level);
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        gles2_pack_glCopyTexImage2D(ggl_pack(c), scope.target, level, internalformat, x, y, width,
                                    height, border);
        ggl_target_end(c, &scope);
        ggl_settle(c);
    }
}

void ggl_glCopyTexSubImage2D(GLenum target, GLint level, GLint xoffset, GLint yoffset, GLint x,
                             GLint y, GLsizei width, GLsizei height)
{
    struct ggl_context *c = ggl_current();
    if (copy_begin(c, target)) {
        ggl_order_use(c);
        ggl_store_upload(c, target);
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        gles2_pack_glCopyTexSubImage2D(ggl_pack(c), scope.target, level, xoffset, yoffset, x, y,
                                       width, height);
        ggl_target_end(c, &scope);
    }
}

/* missing: the error where there is none, what is wrong with the call else being told first. */
static bool find_image(struct ggl_context *c, void *image, GLenum missing, struct ggl_image *out)
{
    if (c->ops && c->ops->image_find && c->ops->image_find(c->user, image, out)) {
        return true;
    }
    ggl_error(c, missing);
    return false;
}

void ggl_glEGLImageTargetTexture2DOES(GLenum target, GLeglImageOES handle)
{
    struct ggl_context *c = ggl_any();
    struct ggl_image image;
    bool is_known = target == GL_TEXTURE_2D || target == GL_TEXTURE_EXTERNAL_OES;
    if (!c || !find_image(c, handle, is_known ? GL_INVALID_VALUE : GL_INVALID_ENUM, &image)) {
        return;
    }
    if (ggl_fixed(c)) {
        ggl1_image_target(c, target, &image);
        return;
    }
    bool is_target = image.kind == GGL_IMAGE_COLOR_BUFFER && target != GL_TEXTURE_EXTERNAL_OES;
    if (is_target && (image.is_external || !ggl_has(c, GGL_FEATURE_STORE))) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    if (is_target && target != GL_TEXTURE_2D) {
        ggl_error(c, GL_INVALID_ENUM);
        return;
    }
    ggl_store_respecify(c, target, 0);
    struct ggl_target_scope scope = ggl_target_begin(c, target);
    if (image.kind == GGL_IMAGE_TEXTURE) {
        gles2_pack_glEGLImageTargetTexture2DOES(ggl_pack(c), scope.target, image.id);
    } else {
        rc_pack_rcBindTexture(ggl_pack(c), image.id);
        if (is_target) {
            ggl_store_begins(c, GL_TEXTURE_2D, active(c)->texture_2d);
        }
    }
    ggl_target_end(c, &scope);
}

void ggl_glEGLImageTargetRenderbufferStorageOES(GLenum target, GLeglImageOES handle)
{
    struct ggl_context *c = ggl_any();
    struct ggl_image image;
    if (!c) {
        return;
    }
    GLenum missing = target != GL_RENDERBUFFER ? GL_INVALID_ENUM
                     : c->renderbuffer == 0    ? GL_INVALID_OPERATION
                                               : GL_INVALID_VALUE;
    if (!find_image(c, handle, missing, &image)) {
        return;
    }
    if (ggl_stores(c) && target == GL_RENDERBUFFER) {
        ggl_store_ends(c, GL_RENDERBUFFER, c->renderbuffer);
    }
    if (ggl_fixed(c) && image.kind == GGL_IMAGE_TEXTURE) {
        gles1_pack_glEGLImageTargetRenderbufferStorageOES(ggl_pack(c), target, image.id);
    } else if (image.kind == GGL_IMAGE_TEXTURE) {
        gles2_pack_glEGLImageTargetRenderbufferStorageOES(ggl_pack(c), target, image.id);
    } else if (target == GL_RENDERBUFFER && !image.is_external && !ggl_fixed(c) &&
               ggl_has(c, GGL_FEATURE_STORE)) {
        rc_pack_rcBindRenderbuffer(ggl_pack(c), image.id);
        ggl_store_begins(c, GL_RENDERBUFFER, c->renderbuffer);
    } else {
        ggl_error(c, target == GL_RENDERBUFFER ? GL_INVALID_OPERATION : GL_INVALID_ENUM);
    }
}

static bool takes_storage(GLenum target)
{
    switch (target) {
    case GL_TEXTURE_2D:
    case GL_TEXTURE_3D:
    case GL_TEXTURE_2D_ARRAY:
    case GL_TEXTURE_CUBE_MAP:
    case GL_TEXTURE_CUBE_MAP_ARRAY:
    case GL_TEXTURE_EXTERNAL_OES:
        return true;
    default:
        return false;
    }
}

/* Attributes are for extensions that are not offered: a list of any is refused, as drivers do. */
void ggl_glEGLImageTargetTexStorageEXT(GLenum target, GLeglImageOES handle, const GLint *attribs)
{
    struct ggl_context *c = ggl_current();
    struct ggl_image image;
    if (!c || !ggl_own(c)) {
        return;
    }
    if (attribs && attribs[0] != GL_NONE) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    GLenum missing = takes_storage(target) ? GL_INVALID_VALUE : GL_INVALID_OPERATION;
    if (!find_image(c, handle, missing, &image)) {
        return;
    }
    if (image.kind != GGL_IMAGE_TEXTURE) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    struct ggl_target_scope scope = ggl_target_begin(c, target);
    glesx_pack_glEGLImageTargetTexStorageSLUICE(ggl_pack(c), scope.target, image.id);
    ggl_target_end(c, &scope);
}
