/* What a ring draws on, read for a replay that shows it: the attachments of its draw framebuffer,
 * or the buffers of its surface.
 *
 * The guest's context only says what is attached, by questions that cannot fail, so that its errors
 * and bindings stay its own. The desktop context of hgl_save.h reads: GLES takes no depth. */
#include "host/gles/hgl_save.h"
#include "host/surface/surface.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

#define ATTACHMENTS_MAX 10u /* 8 colours, depth, stencil */
#define PIXELS_MAX      (1u << 28)

/* An attachment of the guest's framebuffer. */
struct source {
    enum vgd_plane plane;
    uint32_t number;
    GLenum point; /* GL_COLOR_ATTACHMENT3, ... */
    bool is_texture;
    uint32_t name;
    GLint level, face, layer; /* face: of a cube; 0 else */
    bool is_layered;
};

struct drawn {
    struct hgl_save save;
    const struct vgd_viewer *viewer;
    GLuint framebuffer; /* the guest's */
    struct source sources[ATTACHMENTS_MAX];
    uint32_t count;
    EGLSurface resolved; /* what samples go to, once there are any */
};

/* What is read of the framebuffer that is bound. */
struct plane {
    GLenum format, type;
    uint32_t bytes; /* of a pixel */
    bool is_integer, is_signed;
};

/* --- what is attached --- */

static GLint attached(const struct hgl_save *s, GLenum target, GLenum point, GLenum name)
{
    GLint value = 0;
    s->gl->GetFramebufferAttachmentParameteriv(target, point, name, &value);
    return value;
}

static void look_at(struct drawn *d, GLenum target, GLenum point, enum vgd_plane plane,
                    uint32_t number)
{
    const struct hgl_save *s = &d->save;
    uint32_t gles = s->root->context->gles_version;
    GLint type = attached(s, target, point, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE);
    if (type != GL_TEXTURE && type != GL_RENDERBUFFER) {
        return;
    }
    struct source *a = &d->sources[d->count++];
    *a = (struct source){
        .plane = plane,
        .number = number,
        .point = point,
        .is_texture = type == GL_TEXTURE,
        .name = (uint32_t)attached(s, target, point, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME)};
    if (a->is_texture) {
        a->level = attached(s, target, point, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LEVEL);
        a->face = attached(s, target, point, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_CUBE_MAP_FACE);
        a->layer =
            gles >= 30 ? attached(s, target, point, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LAYER) : 0;
        a->is_layered =
            gles >= 32 && attached(s, target, point, GL_FRAMEBUFFER_ATTACHMENT_LAYERED) != 0;
    }
}

/* In the guest's context. False: it draws on its surface. */
static bool look(struct drawn *d)
{
    const struct hgl_save *s = &d->save;
    bool is_new = s->root->context->gles_version >= 30;
    GLenum target = is_new ? GL_DRAW_FRAMEBUFFER : GL_FRAMEBUFFER;
    bool has_any = !s->root->context->is_gles1 || hgl_has(s, "GL_OES_framebuffer_object");
    d->framebuffer = has_any ? (GLuint)hgl_get(s, GL_FRAMEBUFFER_BINDING) : 0; /* for drawing */
    if (d->framebuffer == 0) {
        return false;
    }
    GLint colors = is_new ? hgl_get(s, GL_MAX_COLOR_ATTACHMENTS) : 1;
    for (GLint i = 0; i < colors && i < (GLint)ATTACHMENTS_MAX - 2; i++) {
        look_at(d, target, GL_COLOR_ATTACHMENT0 + (GLenum)i, VGD_PLANE_COLOR, (uint32_t)i);
    }
    look_at(d, target, GL_DEPTH_ATTACHMENT, VGD_PLANE_DEPTH, 0);
    look_at(d, target, GL_STENCIL_ATTACHMENT, VGD_PLANE_STENCIL, 0);
    return true;
}

/* --- pixels; the desktop context is current --- */

static struct plane plane_of(const struct hgl_save *s, const struct source *a, GLenum point)
{
    GLint kind =
        a->plane == VGD_PLANE_COLOR && point != 0
            ? attached(s, GL_READ_FRAMEBUFFER, point, GL_FRAMEBUFFER_ATTACHMENT_COMPONENT_TYPE)
            : 0;
    switch (a->plane) {
    case VGD_PLANE_DEPTH:
        return (struct plane){GL_DEPTH_COMPONENT, GL_FLOAT, 4, false, false};
    case VGD_PLANE_STENCIL:
        return (struct plane){GL_STENCIL_INDEX_OES, GL_UNSIGNED_BYTE, 1, false, false};
    default:
        break;
    }
    return kind == GL_INT || kind == GL_UNSIGNED_INT
               ? (struct plane){GL_RGBA_INTEGER, (GLenum)kind, 16, true, kind == GL_INT}
               : (struct plane){GL_RGBA, GL_UNSIGNED_BYTE, 4, false, false};
}

/* Integers become bytes, in place: what does not fit is cut off. */
static void cut_off(uint8_t *pixels, size_t count, bool is_signed)
{
    for (size_t i = 0; i < count * 4; i++) {
        uint32_t v = sl_load_u32(pixels + i * 4);
        v = is_signed && v > INT32_MAX ? 0 : v;
        pixels[i] = (uint8_t)(v < 255 ? v : 255);
    }
}

/* False: nobody wants to see more. */
static bool show(const struct drawn *d, const struct source *a, uint32_t width, uint32_t height,
                 const void *pixels, const char *why)
{
    const struct vgd_attachment shown = {.plane = a->plane,
                                         .number = a->number,
                                         .width_px = width,
                                         .height_px = height,
                                         .pixels = pixels,
                                         .why = why};
    return d->viewer->attachment(d->viewer->user, &shown);
}

/* From what is bound for reading. point: 0 of a surface. */
static bool read_and_show(struct drawn *d, const struct source *a, GLenum point, GLint width,
                          GLint height)
{
    const struct gl_driver *gl = d->save.gl;
    const struct plane p = plane_of(&d->save, a, point);
    size_t count = (size_t)width * (size_t)height;
    if (width <= 0 || height <= 0 || count > PIXELS_MAX / p.bytes) {
        return show(d, a, 0, 0, NULL, "has no size that can be read");
    }
    uint8_t *pixels = sl_alloc(count * p.bytes);
    while (pixels != NULL && gl->GetError() != GL_NO_ERROR) {
    }
    if (pixels != NULL) {
        gl->PixelStorei(GL_PACK_ALIGNMENT, 1);
        gl->ReadPixels(0, 0, width, height, p.format, p.type, pixels);
    }
    bool is_read = pixels != NULL && gl->GetError() == GL_NO_ERROR;
    if (is_read && p.is_integer) {
        cut_off(pixels, count, p.is_signed);
    }
    if (is_read) {
        hs_turn_over(pixels, (size_t)width * (p.is_integer ? 4 : p.bytes), (uint32_t)height);
    }
    bool goes_on = show(d, a, (uint32_t)width, (uint32_t)height, is_read ? pixels : NULL,
                        pixels == NULL ? "no memory" : "the driver does not read it");
    sl_free(pixels);
    return goes_on;
}

/* --- framebuffers --- */

/* What lies in an attachment. */
struct extent {
    GLint width, height, samples;
};

static GLint renderbuffer_get(const struct hgl_save *s, GLenum name)
{
    GLint value = 0;
    s->gl->GetRenderbufferParameteriv(GL_RENDERBUFFER, name, &value);
    return value;
}

static GLint level_get(const struct hgl_save *s, GLenum face, GLint level, GLenum name)
{
    GLint value = 0;
    s->gl->GetTexLevelParameteriv(face, level, name, &value);
    return value;
}

static GLenum face_of(const struct source *a, GLenum target)
{
    return a->face != 0                    ? (GLenum)a->face
           : target == GL_TEXTURE_CUBE_MAP ? GL_TEXTURE_CUBE_MAP_POSITIVE_X
                                           : target;
}

static struct extent extent_of(struct hgl_save *s, const struct source *a)
{
    if (!a->is_texture) {
        s->gl->BindRenderbuffer(GL_RENDERBUFFER, a->name);
        return (struct extent){.width = renderbuffer_get(s, GL_RENDERBUFFER_WIDTH),
                               .height = renderbuffer_get(s, GL_RENDERBUFFER_HEIGHT),
                               .samples = renderbuffer_get(s, GL_RENDERBUFFER_SAMPLES)};
    }
    GLenum target = hgl_save_target(s, a->name), face = face_of(a, target);
    s->gl->BindTexture(target, a->name);
    return (struct extent){.width = level_get(s, face, a->level, GL_TEXTURE_WIDTH),
                           .height = level_get(s, face, a->level, GL_TEXTURE_HEIGHT),
                           .samples = level_get(s, face, a->level, GL_TEXTURE_SAMPLES)};
}

/* A framebuffer has the least size of all that is attached. */
static struct extent extent_of_all(struct drawn *d)
{
    struct extent all = {.width = INT32_MAX, .height = INT32_MAX};
    for (uint32_t i = 0; i < d->count; i++) {
        const struct extent e = extent_of(&d->save, &d->sources[i]);
        all.width = e.width < all.width ? e.width : all.width;
        all.height = e.height < all.height ? e.height : all.height;
        all.samples = e.samples;
    }
    return all;
}

static void attach(struct hgl_save *s, const struct source *a)
{
    if (!a->is_texture) {
        s->gl->FramebufferRenderbuffer(GL_READ_FRAMEBUFFER, a->point, GL_RENDERBUFFER, a->name);
        return;
    }
    GLenum target = hgl_save_target(s, a->name);
    bool has_layers = target == GL_TEXTURE_3D || target == GL_TEXTURE_2D_ARRAY ||
                      target == GL_TEXTURE_CUBE_MAP_ARRAY ||
                      target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
    if (has_layers) {
        s->gl->FramebufferTextureLayer(GL_READ_FRAMEBUFFER, a->point, a->name, a->level,
                                       a->is_layered ? 0 : a->layer);
    } else {
        s->gl->FramebufferTexture2D(GL_READ_FRAMEBUFFER, a->point, face_of(a, target), a->name,
                                    a->level);
    }
}

/* Binds the guest's framebuffer for reading, where the driver lets contexts of a group see each
 * other's; else one of our own with the same attachments, which then takes no name of the guest's.
 * Gives the latter, or 0. */
static GLuint bind(struct drawn *d)
{
    const struct gl_driver *gl = d->save.gl;
    GLuint own = 0;
    if (gl->IsFramebuffer(d->framebuffer)) {
        gl->BindFramebuffer(GL_READ_FRAMEBUFFER, d->framebuffer);
        return 0;
    }
    gl->GenFramebuffers(1, &own);
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, own);
    for (uint32_t i = 0; i < d->count; i++) {
        attach(&d->save, &d->sources[i]);
    }
    return own;
}

/* One texel for all samples: into a surface of ours, which takes no names. False: there is none. */
static bool resolve(struct drawn *d, const struct extent *e, GLbitfield mask)
{
    struct hgl_save *s = &d->save;
    const struct hs_native *n = s->n;
    uint32_t config = s->root->context->config;
    const EGLint size[] = {EGL_WIDTH, e->width, EGL_HEIGHT, e->height, EGL_NONE};
    if (d->resolved == EGL_NO_SURFACE && config < n->config_count) {
        d->resolved = n->egl.CreatePbufferSurface(n->display, n->configs[config].config, size);
    }
    if (d->resolved == EGL_NO_SURFACE ||
        !n->egl.MakeCurrent(n->display, d->resolved, d->resolved, s->reading)) {
        return false;
    }
    s->gl->BindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    s->gl->BlitFramebuffer(0, 0, e->width, e->height, 0, 0, e->width, e->height, mask, GL_NEAREST);
    return s->gl->GetError() == GL_NO_ERROR;
}

static bool show_source(struct drawn *d, const struct source *a, const struct extent *e)
{
    const struct gl_driver *gl = d->save.gl;
    bool is_color = a->plane == VGD_PLANE_COLOR, goes_on;
    const GLbitfield mask = a->plane == VGD_PLANE_DEPTH     ? GL_DEPTH_BUFFER_BIT
                            : a->plane == VGD_PLANE_STENCIL ? GL_STENCIL_BUFFER_BIT
                                                            : GL_COLOR_BUFFER_BIT;
    GLint from = 0;
    if (is_color) {
        gl->ReadBuffer(a->point);
    }
    if (gl->CheckFramebufferStatus(GL_READ_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
        return show(d, a, 0, 0, NULL, "is of a framebuffer that is not complete");
    }
    if (e->samples == 0) {
        return read_and_show(d, a, a->point, e->width, e->height);
    }
    if (!resolve(d, e, mask)) {
        return show(d, a, 0, 0, NULL, "has samples that the driver does not resolve");
    }
    from = hgl_get(&d->save, GL_READ_FRAMEBUFFER_BINDING);
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, 0);
    goes_on = read_and_show(d, a, 0, e->width, e->height);
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)from);
    return goes_on;
}

/* The guest's framebuffer keeps its read buffer. */
static void show_framebuffer(struct drawn *d)
{
    const struct hgl_save *s = &d->save;
    const struct extent e = extent_of_all(d);
    GLuint own = bind(d);
    GLint read = hgl_get(s, GL_READ_BUFFER);
    bool goes_on = !hgl_save_failed(s);
    while (s->gl->GetError() != GL_NO_ERROR) {
    }
    for (uint32_t i = 0; goes_on && i < d->count; i++) {
        goes_on = show_source(d, &d->sources[i], &e);
    }
    s->gl->ReadBuffer((GLenum)read);
    s->gl->BindFramebuffer(GL_READ_FRAMEBUFFER, 0);
    if (own != 0) {
        s->gl->DeleteFramebuffers(1, &own);
    }
}

static void show_surface(struct drawn *d, const struct hrc_surface *surface)
{
    static const struct {
        struct source source;
        GLenum point, size;
    } planes[] = {
        {{.plane = VGD_PLANE_COLOR}, 0, 0},
        {{.plane = VGD_PLANE_DEPTH}, GL_DEPTH, GL_FRAMEBUFFER_ATTACHMENT_DEPTH_SIZE},
        {{.plane = VGD_PLANE_STENCIL}, GL_STENCIL, GL_FRAMEBUFFER_ATTACHMENT_STENCIL_SIZE}};
    const struct hgl_save *s = &d->save;
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < sizeof planes / sizeof planes[0]; i++) {
        GLenum point = planes[i].point;
        bool is_color = planes[i].source.plane == VGD_PLANE_COLOR;
        if (is_color || (attached(s, GL_READ_FRAMEBUFFER, point,
                                  GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE) != GL_NONE &&
                         attached(s, GL_READ_FRAMEBUFFER, point, planes[i].size) > 0)) {
            goes_on = read_and_show(d, &planes[i].source, 0, (GLint)surface->width,
                                    (GLint)surface->height);
        }
    }
}

/* The desktop context is made. */
static void show_all(struct drawn *d, bool is_surface, const struct hrc_surface *surface)
{
    struct hgl_save *s = &d->save;
    bool goes_on = is_surface ? hgl_save_reading_at(s, surface) : hgl_save_reading(s);
    if (goes_on && is_surface) {
        show_surface(d, surface);
    }
    if (goes_on && !is_surface) {
        show_framebuffer(d);
    }
}

enum sl_result hgl_drawn(struct hrc_client *client, const struct gl_driver *gl,
                         const struct hrc_thread *ring, const struct vgd_viewer *viewer)
{
    if (ring->context == NULL) {
        return SL_OK; /* nothing is drawn without a context */
    }
    struct hrc_context *context = ring->context->value;
    struct hgl_saved root = {.object = ring->context,
                             .context = context,
                             .state = context->state,
                             .draw = ring->draw,
                             .read = ring->read,
                             .handle = ring->context->id};
    struct drawn d = {.viewer = viewer,
                      .resolved = EGL_NO_SURFACE,
                      .save = {.client = client,
                               .n = client->native,
                               .gl = gl,
                               .root = &root,
                               .reading = EGL_NO_CONTEXT,
                               .pbuffer = EGL_NO_SURFACE}};
    d.save.n->egl.BindAPI(EGL_OPENGL_ES_API);
    bool is_current = hgl_save_current(&d.save, &root);
    bool is_surface = is_current && !look(&d);
    bool is_any = is_surface ? root.draw != NULL : d.count != 0;
    if (is_current && is_any &&
        hgl_save_reader_begin(&d.save, root.context->config, root.context->egl)) {
        show_all(&d, is_surface, is_surface ? root.draw->value : NULL);
    }
    hgl_save_reader_end(&d.save);
    if (d.resolved != EGL_NO_SURFACE) {
        d.save.n->egl.DestroySurface(d.save.n->display, d.resolved);
    }
    return d.save.result;
}
