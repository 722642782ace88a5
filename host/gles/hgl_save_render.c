/* What was drawn into renderbuffers and window surfaces. GLES takes no pixels for them: they go
 * into a texture, and by a blit from there. */
#include "host/gles/hgl_save_image.h"

#include "transport/base/mem.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <GLES2/gl2ext.h>

/* Names that are borrowed in the replay before what bears them is made. */
enum { BORROWED_TEXTURE = 1, BORROWED_READ = 1, BORROWED_DRAW = 2 };
/* Who is led back has objects of these names: then they begin here, where the search for names that
 * guests make up still finds them. */
#define BORROWED_ABOVE 16000u

static uint32_t borrowed_name(const struct hgl_save *s, uint32_t name)
{
    return hgl_save_is_whole(s) ? BORROWED_ABOVE + name : name;
}

struct plane {
    const struct hgl_format *format;
    GLenum attachment;
    GLbitfield mask;
};

static struct plane plane_of(const struct hgl_format *f)
{
    struct plane p = {f, GL_COLOR_ATTACHMENT0, GL_COLOR_BUFFER_BIT};
    if (f->format == GL_DEPTH_COMPONENT) {
        p.attachment = GL_DEPTH_ATTACHMENT;
        p.mask = GL_DEPTH_BUFFER_BIT;
    } else if (f->format == GL_DEPTH_STENCIL) {
        p.attachment = GL_DEPTH_STENCIL_ATTACHMENT;
        p.mask = GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT;
    } else if (f->format == GL_STENCIL_INDEX) {
        p.attachment = GL_STENCIL_ATTACHMENT;
        p.mask = GL_STENCIL_BUFFER_BIT;
    }
    return p;
}

/* What is bound for reading; NULL: failed, or it cannot be read. */
static uint8_t *read_plane(struct hgl_save *s, const struct plane *p, GLint width, GLint height)
{
    size_t count = (size_t)width * (size_t)height;
    if (count * p->format->bytes > HR_PACKET_MAX / 2) {
        hgl_save_refuse(s, "%dx%d pixels", width, height);
        return NULL;
    }
    uint8_t *pixels = hgl_save_alloc(s, count, p->format->bytes);
    if (pixels != NULL) {
        memset(pixels, 0, count * p->format->bytes);
        s->gl->PixelStorei(GL_PACK_ALIGNMENT, 1);
        s->gl->ReadPixels(0, 0, width, height, p->format->format, p->format->type, pixels);
        hgl_format_round(p->format, pixels, count);
    }
    return pixels;
}

/* The borrowed texture holds the pixels. */
static void put_texture(struct hgl_save *s, const struct plane *p, GLint width, GLint height,
                        const uint8_t *pixels)
{
    struct sl_pack *out = hgl_out(s);
    const struct hgl_format *f = p->format;
    const struct sl_gather all = sl_gather_flat(pixels, (size_t)width * (size_t)height * f->bytes);
    gles2_pack_glBindTexture(out, GL_TEXTURE_2D, borrowed_name(s, BORROWED_TEXTURE));
    gles2_pack_glPixelStorei(out, GL_UNPACK_ALIGNMENT, 1);
    gles2_pack_glTexImage2D(out, GL_TEXTURE_2D, 0, (GLint)f->internal, width, height, 0, f->format,
                            f->type, &all);
    gles2_pack_glTexParameteri(out, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER,
                               GL_NEAREST); /* complete */
    hgl_save_flush(s);
}

/* What is bound for drawing gets what is in it. */
static void blit_texture(struct hgl_save *s, const struct plane *p, GLint width, GLint height)
{
    struct sl_pack *out = hgl_out(s);
    gles2_pack_glBindFramebuffer(out, GL_READ_FRAMEBUFFER, borrowed_name(s, BORROWED_READ));
    gles2_pack_glFramebufferTexture2D(out, GL_READ_FRAMEBUFFER, p->attachment, GL_TEXTURE_2D,
                                      borrowed_name(s, BORROWED_TEXTURE), 0);
    gles2_pack_glBlitFramebuffer(out, 0, 0, width, height, 0, 0, width, height, p->mask,
                                 GL_NEAREST);
    gles2_pack_glFramebufferTexture2D(out, GL_READ_FRAMEBUFFER, p->attachment, GL_TEXTURE_2D, 0, 0);
    gles2_pack_glBindFramebuffer(out, GL_READ_FRAMEBUFFER, 0);
}

/* --- renderbuffers --- */

static GLint renderbuffer_get(const struct hgl_save *s, GLenum name)
{
    GLint value = 0;
    s->gl->GetRenderbufferParameteriv(GL_RENDERBUFFER, name, &value);
    return value;
}

/* Where a renderbuffer is read. */
struct place {
    uint32_t framebuffer; /* 0: its contents are not to be had */
    GLenum attachment;    /* where it is there; 0: nothing is, it is attached for the time */
};

static uint8_t *read_at(struct hgl_save *s, const struct place *at, const struct plane *p,
                        uint32_t name, GLint width, GLint height)
{
    const struct gl_driver *gl = s->gl;
    bool color = p->attachment == GL_COLOR_ATTACHMENT0;
    uint8_t *pixels = NULL;
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, at->framebuffer);
    GLint read = hgl_get(s, GL_READ_BUFFER);
    if (at->attachment == 0) {
        gl->FramebufferRenderbuffer(GL_READ_FRAMEBUFFER, p->attachment, GL_RENDERBUFFER, name);
    } else if (color) {
        gl->ReadBuffer(at->attachment);
    }
    if (gl->CheckFramebufferStatus(GL_READ_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE) {
        pixels = read_plane(s, p, width, height);
    }
    if (at->attachment == 0) {
        gl->FramebufferRenderbuffer(GL_READ_FRAMEBUFFER, p->attachment, GL_RENDERBUFFER, 0);
    } else if (color) {
        gl->ReadBuffer((GLenum)read);
    }
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, 0);
    return pixels;
}

/* It is bound. */
static void save_contents(struct hgl_save *s, uint32_t name, const struct plane *p,
                          const struct place *at, GLint width, GLint height)
{
    uint8_t *pixels = read_at(s, at, p, name, width, height);
    if (pixels == NULL) {
        return;
    }
    struct sl_pack *out = hgl_out(s);
    put_texture(s, p, width, height, pixels);
    if (s->gles >= 32) {
        glesx_pack_glCopyImageSubData(out, borrowed_name(s, BORROWED_TEXTURE), GL_TEXTURE_2D, 0, 0,
                                      0, 0, name, GL_RENDERBUFFER, 0, 0, 0, 0, width, height, 1);
    } else { /* by framebuffers, whose names are borrowed too */
        gles2_pack_glBindFramebuffer(out, GL_DRAW_FRAMEBUFFER, borrowed_name(s, BORROWED_DRAW));
        gles2_pack_glFramebufferRenderbuffer(out, GL_DRAW_FRAMEBUFFER, p->attachment,
                                             GL_RENDERBUFFER, name);
        blit_texture(s, p, width, height);
        gles2_pack_glFramebufferRenderbuffer(out, GL_DRAW_FRAMEBUFFER, p->attachment,
                                             GL_RENDERBUFFER, 0);
    }
    gles2_pack_glDeleteTextures(out, 1, &(uint32_t){borrowed_name(s, BORROWED_TEXTURE)}, 4);
    hgl_save_flush(s);
    sl_free(pixels);
}

static bool is_attached(const struct hgl_save *s, GLenum attachment, uint32_t name)
{
    GLint type = 0, object = 0;
    s->gl->GetFramebufferAttachmentParameteriv(GL_READ_FRAMEBUFFER, attachment,
                                               GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE, &type);
    if (type == GL_RENDERBUFFER) {
        s->gl->GetFramebufferAttachmentParameteriv(GL_READ_FRAMEBUFFER, attachment,
                                                   GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME, &object);
    }
    return (uint32_t)object == name;
}

/* The guest's framebuffer that has it. */
static struct place find_place(struct hgl_save *s, const struct plane *p, uint32_t name)
{
    uint8_t *alive;
    struct place at = {0};
    uint32_t top = hgl_save_names(s, s->root->state, HGL_FRAMEBUFFERS, &alive);
    GLenum first =
        p->attachment == GL_DEPTH_STENCIL_ATTACHMENT ? GL_DEPTH_ATTACHMENT : p->attachment;
    GLenum last = first == GL_COLOR_ATTACHMENT0 ? GL_COLOR_ATTACHMENT7 : first;
    for (uint32_t i = 1; i <= top && at.framebuffer == 0; i++) {
        if (alive[i] == 0) {
            continue;
        }
        s->gl->BindFramebuffer(GL_READ_FRAMEBUFFER, i);
        for (GLenum a = first; a <= last && at.framebuffer == 0; a++) {
            if (is_attached(s, a, name)) {
                at = (struct place){.framebuffer = i, .attachment = a};
            }
        }
    }
    sl_free(alive);
    return at;
}

/* Pixels come by a texture whose name the guest will make, or has made: one that is made up would
 * be used up. Where the guest has no textures, they are written as samples are, if they can be. */
static bool borrows_texture(struct hgl_save *s)
{
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, s->root->state, HGL_TEXTURES, &alive);
    sl_free(alive);
    return top >= BORROWED_TEXTURE || !hgl_save_may_use(s) || hgl_save_is_whole(s) ||
           s->root->context->is_gles1 || s->reuses_names;
}

static void save_renderbuffer(struct hgl_save *s, uint32_t name, uint32_t framebuffer)
{
    static const GLenum bits[6] = {GL_RENDERBUFFER_RED_SIZE,   GL_RENDERBUFFER_GREEN_SIZE,
                                   GL_RENDERBUFFER_BLUE_SIZE,  GL_RENDERBUFFER_ALPHA_SIZE,
                                   GL_RENDERBUFFER_DEPTH_SIZE, GL_RENDERBUFFER_STENCIL_SIZE};
    s->gl->BindRenderbuffer(GL_RENDERBUFFER, name);
    GLint width = renderbuffer_get(s, GL_RENDERBUFFER_WIDTH),
          height = renderbuffer_get(s, GL_RENDERBUFFER_HEIGHT),
          samples = renderbuffer_get(s, GL_RENDERBUFFER_SAMPLES), sizes[6];
    GLenum internal = (GLenum)renderbuffer_get(s, GL_RENDERBUFFER_INTERNAL_FORMAT);
    uint32_t handle;
    enum hgl_storage storage = hgl_storage_of(s->root->state->group, true, name, &handle);
    hgl_save_makes(s, HGL_RENDERBUFFERS, name,
                   ((uint64_t)internal << 40) ^ ((uint64_t)samples << 32) ^
                       ((uint64_t)width << 16) ^ (uint64_t)height);
    gles2_pack_glBindRenderbuffer(hgl_out(s), GL_RENDERBUFFER, name);
    if (storage == HGL_STORAGE_BUFFER && !hgl_save_has_buffer(s, true, name, handle)) {
        hgl_save_refuse(s, "renderbuffer %u is of a colour buffer that is closed", name);
        return;
    }
    if (storage == HGL_STORAGE_BUFFER) {
        rc_pack_rcBindRenderbuffer(hgl_out(s), handle);
        return;
    }
    if (storage != HGL_STORAGE_OWN) {
        hgl_save_image_storage(s, GL_RENDERBUFFER, name, storage);
        return;
    }
    if (width <= 0 || height <= 0) {
        return;
    }
    for (uint32_t i = 0; i < 6; i++) {
        sizes[i] = renderbuffer_get(s, bits[i]);
    }
    if (samples > 0) {
        gles2_pack_glRenderbufferStorageMultisample(hgl_out(s), GL_RENDERBUFFER, samples, internal,
                                                    width, height);
        hgl_save_has_samples(s, name, GL_RENDERBUFFER);
        return;
    }
    gles2_pack_glRenderbufferStorage(hgl_out(s), GL_RENDERBUFFER, internal, width, height);
    if (!borrows_texture(s)) {
        hgl_save_has_samples(s, name, GL_RENDERBUFFER);
        return;
    }
    hgl_save_about(s, VGD_FILLS, HGL_ABOUT_HELD + HGL_RENDERBUFFERS, name);
    const struct hgl_format *f = hgl_format_of(internal, sizes);
    if (f == NULL) {
        hgl_save_refuse(s, "renderbuffer %u has the format 0x%x", name, (unsigned)internal);
    } else {
        const struct plane p = plane_of(f);
        const struct place at =
            framebuffer != 0 ? (struct place){.framebuffer = framebuffer} : find_place(s, &p, name);
        if (at.framebuffer != 0) {
            save_contents(s, name, &p, &at, width, height);
        }
    }
}

static void save_orphan(struct hgl_save *s, const struct hgl_orphan *o)
{
    const struct plane p = plane_of(o->format);
    const struct place at = {.framebuffer = o->framebuffer, .attachment = o->attachment};
    gles2_pack_glBindRenderbuffer(hgl_out(s), GL_RENDERBUFFER, o->name);
    gles2_pack_glRenderbufferStorage(hgl_out(s), GL_RENDERBUFFER, o->format->internal, o->width,
                                     o->height);
    save_contents(s, o->name, &p, &at, o->width, o->height);
}

/* A framebuffer for the reader, without a name that the guest would miss: one below the highest
 * that is not in use, made by the guest's own context, as names are not made up in desktop GL.
 * 0: all are in use. */
static uint32_t borrow_framebuffer(struct hgl_save *s)
{
    const struct gl_driver *gl = s->gl;
    uint8_t *alive = NULL;
    uint32_t name = 0;
    if (!s->shares_framebuffers) {
        gl->GenFramebuffers(1, &name);
        return name;
    }
    if (hgl_save_current(s, s->root)) {
        uint32_t top = hgl_top(s->root->state, HGL_FRAMEBUFFERS);
        (void)hgl_save_names(s, s->root->state, HGL_FRAMEBUFFERS, &alive);
        for (uint32_t i = 1; i <= top && name == 0; i++) {
            name = alive[i] == 0 ? i : 0;
        }
        GLint bound = hgl_get(s, GL_FRAMEBUFFER_BINDING);
        GLenum target = s->root->context->is_gles1 ? GL_FRAMEBUFFER : GL_DRAW_FRAMEBUFFER;
        if (name != 0) {
            gl->BindFramebuffer(target, name);
            gl->BindFramebuffer(target, (GLuint)bound);
        }
    }
    sl_free(alive);
    (void)hgl_save_reading(s);
    return name;
}

void hgl_save_renderbuffers(struct hgl_save *s)
{
    const uint32_t borrowed[] = {borrowed_name(s, BORROWED_READ), borrowed_name(s, BORROWED_DRAW)};
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, s->root->state, HGL_RENDERBUFFERS, &alive);
    uint32_t framebuffer = top != 0 ? borrow_framebuffer(s) : 0;
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        if (alive[name] != 0 && hgl_save_image_depth(s, true, name) == 0) {
            save_renderbuffer(s, name, framebuffer);
        }
    }
    for (uint32_t i = 0; i < s->orphan_count && !hgl_save_failed(s); i++) {
        if (s->orphans[i].type == GL_RENDERBUFFER) {
            save_orphan(s, &s->orphans[i]);
        }
    }
    if (framebuffer != 0) {
        s->gl->DeleteFramebuffers(1, &framebuffer);
    }
    hgl_save_exports(s, true, top, alive);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_MADE_OF + HGL_RENDERBUFFERS, 1);
    if (s->gles < 32) {
        gles2_pack_glDeleteFramebuffers(hgl_out(s), 2, borrowed, sizeof borrowed);
    }
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + HGL_RENDERBUFFERS, 2);
    hgl_save_delete_holes(s, HGL_RENDERBUFFERS, top, alive);
    sl_free(alive);
}

void hgl_save_image_renderbuffers(struct hgl_save *s)
{
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, s->root->state, HGL_RENDERBUFFERS, &alive);
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        if (alive[name] != 0 && hgl_save_image_depth(s, true, name) != 0) {
            save_renderbuffer(s, name, 0);
            hgl_save_flush(s);
        }
    }
    sl_free(alive);
}

/* --- window surfaces --- */

static GLint config_get(const struct hgl_save *s, uint32_t config, int32_t attribute)
{
    for (uint32_t i = 0; i < HS_CONFIG_ATTRIBUTES; i++) {
        if (hs_config_attributes[i] == attribute) {
            return s->n->configs[config].values[i];
        }
    }
    return 0;
}

static bool color_plane(const struct hgl_save *s, uint32_t config, struct plane *out)
{
    static const GLint none[6] = {0};
    GLint red = config_get(s, config, EGL_RED_SIZE);
    const struct hgl_format *f = hgl_format_of(red == 5    ? GL_RGB565
                                               : red == 10 ? GL_RGB10_A2
                                               : red == 16 ? GL_RGBA16F
                                                           : GL_RGBA8,
                                               none);
    *out = plane_of(f);
    return red == 5 || red == 8 || red == 10 || red == 16;
}

static bool depth_plane(const struct hgl_save *s, uint32_t config, struct plane *out)
{
    static const GLint none[6] = {0};
    GLint depth = config_get(s, config, EGL_DEPTH_SIZE),
          stencil = config_get(s, config, EGL_STENCIL_SIZE);
    GLenum internal = depth == 24 && stencil == 8 ? GL_DEPTH24_STENCIL8
                      : depth == 24               ? GL_DEPTH_COMPONENT24
                      : depth == 16               ? GL_DEPTH_COMPONENT16
                      : depth == 32               ? GL_DEPTH_COMPONENT32_OES
                      : stencil == 8              ? GL_STENCIL_INDEX8
                                                  : 0;
    const struct hgl_format *f = internal != 0 ? hgl_format_of(internal, none) : NULL;
    if (f != NULL) {
        *out = plane_of(f);
    }
    return f != NULL;
}

/* Desktop GL, too, clamps what is read of a surface, floats or not, unless it is told. */
static void read_unclamped(struct hgl_save *s)
{
    enum { CLAMP_READ_COLOR = 0x891c };
    void (*clamp)(GLenum target, GLenum clamp) =
        (void (*)(GLenum, GLenum))s->n->egl.GetProcAddress("glClampColor");
    if (clamp == NULL) {
        hgl_save_refuse(s, "the driver has no glClampColor: a surface's floats cannot be read");
        return;
    }
    clamp(CLAMP_READ_COLOR, GL_FALSE);
}

/* Reads the surface in a desktop context of its own, which shares nothing. */
static void read_surface(struct hgl_save *s, const struct hrc_surface *surface,
                         const struct plane *planes, uint32_t count, uint8_t **pixels)
{
    static const EGLint attribs[] = {EGL_CONTEXT_MAJOR_VERSION, 4, EGL_CONTEXT_MINOR_VERSION, 5,
                                     EGL_NONE};
    const struct hs_native *n = s->n;
    n->egl.BindAPI(EGL_OPENGL_API);
    EGLContext context = n->egl.CreateContext(n->display, n->configs[surface->config].config,
                                              EGL_NO_CONTEXT, attribs);
    n->egl.BindAPI(EGL_OPENGL_ES_API);
    if (context == EGL_NO_CONTEXT ||
        !n->egl.MakeCurrent(n->display, surface->egl, surface->egl, context)) {
        hgl_save_refuse(s, "a surface cannot be read: EGL error 0x%x", (unsigned)n->egl.GetError());
    }
    if (n->configs[surface->config].is_float && !hgl_save_failed(s)) {
        read_unclamped(s);
    }
    for (uint32_t i = 0; i < count && !hgl_save_failed(s); i++) {
        pixels[i] = read_plane(s, &planes[i], (GLint)surface->width, (GLint)surface->height);
    }
    (void)n->egl.MakeCurrent(n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    if (context != EGL_NO_CONTEXT) {
        hs_context_destroy(n, context);
    }
}

/* Who is led back has the guest's context, where drivers keep what a blit takes to compile, and its
 * state follows. 0: it has none that could. */
static uint32_t guest_that_blits(const struct hgl_save *s, const struct hrc_surface *surface)
{
    for (uint32_t i = 0; hgl_save_is_whole(s) && i < s->context_count; i++) {
        const struct hgl_saved *c = &s->contexts[i];
        if (c->object == surface->last && c->context->gles_version >= 30 && !c->context->is_gles1) {
            return c->handle;
        }
    }
    return 0;
}

static void begin_blits(struct hgl_save *s)
{
    struct sl_pack *out = hgl_out(s);
    gles2_pack_glDisable(out, GL_SCISSOR_TEST);
    gles2_pack_glBindFramebuffer(out, GL_FRAMEBUFFER, 0);
    hgl_save_unpack_plain(s);
}

void hgl_save_surface(struct hgl_save *s, uint32_t handle, const struct hrc_surface *surface,
                      uint32_t spare)
{
    struct plane planes[2];
    uint8_t *pixels[2] = {NULL, NULL};
    uint32_t count = 0;
    if (config_get(s, surface->config, EGL_SAMPLES) > 0) {
        return; /* its samples cannot be told: left undefined */
    }
    count += color_plane(s, surface->config, &planes[count]) ? 1 : 0;
    if (!hgl_save_is_whole(s)) { /* behind a frame, EGL says, depths are anybody's guess */
        count += depth_plane(s, surface->config, &planes[count]) ? 1 : 0;
    }
    read_surface(s, surface, planes, count, pixels);
    struct sl_pack *out = hgl_out(s);
    uint32_t guest = guest_that_blits(s, surface);
    if (guest != 0) {
        rc_pack_rcMakeCurrentAsync(out, guest, handle, handle);
        begin_blits(s);
    } else {
        sl_pack_slNextHandle(out, HRC_TABLE_OBJECTS, spare);
        hgl_save_flush(s);
        rc_pack_rcCreateContext(out, surface->config, 0, 3);
        hgl_save_reply(s, &spare, 4);
        rc_pack_rcMakeCurrentAsync(out, spare, handle, handle);
    }
    for (uint32_t i = 0; i < count && !hgl_save_failed(s); i++) {
        put_texture(s, &planes[i], (GLint)surface->width, (GLint)surface->height, pixels[i]);
        blit_texture(s, &planes[i], (GLint)surface->width, (GLint)surface->height);
        gles2_pack_glDeleteTextures(out, 1, &(uint32_t){borrowed_name(s, BORROWED_TEXTURE)}, 4);
    }
    rc_pack_rcMakeCurrentAsync(out, 0, 0, 0);
    if (guest == 0) {
        rc_pack_rcDestroyContext(out, spare);
    }
    hgl_save_flush(s);
    sl_free(pixels[0]);
    sl_free(pixels[1]);
}
