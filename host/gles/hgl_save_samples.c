/* What textures and renderbuffers of several samples hold, and renderbuffers of one sample where no
 * texture's name can be borrowed for it.
 *
 * Only shaders read samples, one by one; in the replay another one writes each of them where the
 * mask of samples lets it. Reading uses up names of shaders and programs, which drivers do not give
 * out again: that is done where nobody goes on with what was saved (vgd_saver.is_last), or where
 * the guest can be said to have done it (hgl_save_used). Writing borrows shaders and a program that
 * get their own texts behind it. */
#include "host/gles/hgl_save_samples.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

#include <stdio.h>
#include <string.h>

#define IMAGES_MAX  1024u
#define SAMPLES_MAX 32          /* bits of a word of their mask */
#define PIECE       (16u << 20) /* of a packet */
#define TEXT_MAX    1024u

static const struct hgl_sample_kind small = {GL_RGBA8, GL_RGBA,           GL_UNSIGNED_BYTE, 1,
                                             "",       "packUnorm4x8(v)", "c = v"};
static const struct hgl_sample_kind wide = {GL_RGBA32F,           GL_RGBA, GL_FLOAT, 4, "",
                                            "floatBitsToUint(v)", "c = v"};
static const struct hgl_sample_kind ints = {GL_RGBA32I, GL_RGBA_INTEGER, GL_INT, 4,
                                            "i",        "uvec4(v)",      "c = v"};
static const struct hgl_sample_kind uints = {GL_RGBA32UI, GL_RGBA_INTEGER, GL_UNSIGNED_INT, 4, "u",
                                             "v",         "c = v"};
const struct hgl_sample_kind hgl_depths = {
    GL_R32F, GL_RED, GL_FLOAT, 1, "", "floatBitsToUint(v.x)", "gl_FragDepth = v.x"};
const struct hgl_sample_kind hgl_stencils = {
    GL_R32UI, GL_RED_INTEGER, GL_UNSIGNED_INT, 1, "u", "v.x", "if ((v.x & bit) == 0u) discard"};

void hgl_save_has_samples(struct hgl_save *s, uint32_t name, GLenum target)
{
    if (hgl_save_is_whole(s)) {
        return; /* nothing leads back to them */
    }
    if (s->samples == NULL) {
        s->samples = hgl_save_alloc(s, IMAGES_MAX, sizeof *s->samples);
    }
    if (s->samples != NULL && s->samples_count < IMAGES_MAX) {
        s->samples[s->samples_count++] = (struct hgl_samples){name, target};
    }
}

void hgl_save_samples_finish(struct hgl_save *s)
{
    sl_free(s->samples);
    s->samples = NULL;
    s->samples_count = 0;
}

static void leave_out(const struct hgl_save *s, const struct hgl_samples *of, const char *why)
{
    sl_warn_limited("gles", "snapshot of context %u leaves out the samples of %s %u: %s",
                    s->client->ctx_id, of->target == GL_RENDERBUFFER ? "renderbuffer" : "texture",
                    of->name, why);
}

/* --- what they are --- */

static GLint renderbuffer_get(const struct hgl_save *s, GLenum name)
{
    GLint value = 0;
    s->gl->GetRenderbufferParameteriv(GL_RENDERBUFFER, name, &value);
    return value;
}

static GLint texture_get(const struct hgl_save *s, GLenum target, GLenum name)
{
    GLint value = 0;
    s->gl->GetTexLevelParameteriv(target, 0, name, &value);
    return value;
}

static struct hgl_image image_of(const struct hgl_save *s, const struct hgl_samples *of)
{
    if (of->target == GL_RENDERBUFFER) {
        s->gl->BindRenderbuffer(GL_RENDERBUFFER, of->name);
        GLint samples = renderbuffer_get(s, GL_RENDERBUFFER_SAMPLES);
        return (struct hgl_image){.of = of,
                                  .width = renderbuffer_get(s, GL_RENDERBUFFER_WIDTH),
                                  .height = renderbuffer_get(s, GL_RENDERBUFFER_HEIGHT),
                                  .layers = 1,
                                  .samples = samples > 0 ? samples : 1,
                                  .is_flat = samples <= 0,
                                  .fixed = GL_TRUE,
                                  .internal =
                                      (GLenum)renderbuffer_get(s, GL_RENDERBUFFER_INTERNAL_FORMAT)};
    }
    s->gl->BindTexture(of->target, of->name);
    bool is_array = of->target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
    return (struct hgl_image){
        .of = of,
        .width = texture_get(s, of->target, GL_TEXTURE_WIDTH),
        .height = texture_get(s, of->target, GL_TEXTURE_HEIGHT),
        .layers = is_array ? texture_get(s, of->target, GL_TEXTURE_DEPTH) : 1,
        .samples = texture_get(s, of->target, GL_TEXTURE_SAMPLES),
        .fixed = texture_get(s, of->target, GL_TEXTURE_FIXED_SAMPLE_LOCATIONS),
        .internal = (GLenum)texture_get(s, of->target, GL_TEXTURE_INTERNAL_FORMAT),
        .is_array = is_array};
}

/* At most two; NULL: none of ours. */
static bool kinds_of(const struct hgl_format *f, const struct hgl_sample_kind *out[2])
{
    out[0] = out[1] = NULL;
    if (f == NULL || f->legacy != 0) {
        return false;
    }
    switch (f->format) {
    case GL_DEPTH_COMPONENT:
        out[0] = &hgl_depths;
        return true;
    case GL_DEPTH_STENCIL:
        out[0] = &hgl_depths;
        out[1] = &hgl_stencils;
        return true;
    case GL_STENCIL_INDEX:
        out[0] = &hgl_stencils;
        return true;
    case GL_RED_INTEGER:
    case GL_RG_INTEGER:
    case GL_RGBA_INTEGER:
        out[0] = f->type == GL_BYTE || f->type == GL_SHORT || f->type == GL_INT ? &ints : &uints;
        return true;
    default:
        out[0] = f->type == GL_UNSIGNED_BYTE || f->type == GL_UNSIGNED_SHORT_5_6_5 ||
                         f->type == GL_UNSIGNED_SHORT_4_4_4_4 ||
                         f->type == GL_UNSIGNED_SHORT_5_5_5_1
                     ? &small
                     : &wide;
        return true;
    }
}

static GLenum attachment_of(const struct hgl_sample_kind *const kinds[2])
{
    return kinds[1] != NULL            ? GL_DEPTH_STENCIL_ATTACHMENT
           : kinds[0] == &hgl_depths   ? GL_DEPTH_ATTACHMENT
           : kinds[0] == &hgl_stencils ? GL_STENCIL_ATTACHMENT
                                       : GL_COLOR_ATTACHMENT0;
}

/* --- reading, here --- */

static const char read_text[] =
    "#version 430\n"
    "layout(local_size_x = 8, local_size_y = 8) in;\n"
    "layout(std430, binding = 0) writeonly buffer Words { %s words[]; };\n"
    "layout(location = 0) uniform %ssampler2D%s image;\n"
    "layout(location = 1) uniform ivec4 at;\n" /* width, rows, first row, layer */
    "layout(location = 2) uniform int number;\n"
    "void main() {\n"
    "ivec2 p = ivec2(gl_GlobalInvocationID.xy);\n"
    "if (p.x >= at.x || p.y >= at.y) return;\n"
    "%svec4 v = texelFetch(image, %s, number);\n"
    "words[p.y * at.x + p.x] = %s; }\n";

static GLenum target_of(const struct hgl_image *i)
{
    return i->is_flat    ? GL_TEXTURE_2D
           : i->is_array ? GL_TEXTURE_2D_MULTISAMPLE_ARRAY
                         : GL_TEXTURE_2D_MULTISAMPLE;
}

/* The reader's program reads this kind from now on. Of one sample, its number is the level's. */
static bool reads(struct hgl_copier *c, const struct hgl_sample_kind *k, GLenum target)
{
    const struct gl_driver *gl = c->s->gl;
    const bool is_array = target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
    char text[TEXT_MAX];
    const char *texts[] = {text};
    GLint linked = 0;
    if (c->read == k && c->reads == target) {
        return true;
    }
    snprintf(text, sizeof text, read_text, k->words == 4 ? "uvec4" : "uint", k->prefix,
             is_array                  ? "MSArray"
             : target == GL_TEXTURE_2D ? ""
                                       : "MS",
             k->prefix, is_array ? "ivec3(p + ivec2(0, at.z), at.w)" : "p + ivec2(0, at.z)",
             k->words_of);
    gl->ShaderSource(c->shader, 1, texts, NULL);
    gl->CompileShader(c->shader);
    gl->LinkProgram(c->program);
    gl->GetProgramiv(c->program, GL_LINK_STATUS, &linked);
    gl->UseProgram(c->program);
    c->read = linked ? k : NULL;
    c->reads = target;
    return linked != 0;
}

static void reader_begin(struct hgl_copier *c)
{
    const struct gl_driver *gl = c->s->gl;
    c->shader = gl->CreateShader(GL_COMPUTE_SHADER);
    c->program = gl->CreateProgram();
    gl->AttachShader(c->program, c->shader);
    gl->GenBuffers(1, &c->words);
    hgl_save_used(c->s, HGL_PROGRAMS, c->shader);
    hgl_save_used(c->s, HGL_PROGRAMS, c->program);
    hgl_save_used(c->s, HGL_BUFFERS, c->words);
    gl->BindBuffer(GL_SHADER_STORAGE_BUFFER, c->words);
    gl->ActiveTexture(GL_TEXTURE0);
}

static void reader_end(struct hgl_copier *c)
{
    const struct gl_driver *gl = c->s->gl;
    gl->UseProgram(0);
    gl->DeleteProgram(c->program);
    gl->DeleteShader(c->shader);
    gl->DeleteBuffers(1, &c->words);
}

/* A copy that has parameters of its own, and no other way of keeping colours. */
static bool copy_image(struct hgl_copier *c, const struct hgl_image *i)
{
    const struct gl_driver *gl = c->s->gl;
    GLenum target = target_of(i);
    GLenum internal = i->internal == GL_SRGB8_ALPHA8 ? GL_RGBA8 : i->internal;
    (void)gl->GetError();
    gl->GenTextures(1, &c->texture);
    hgl_save_used(c->s, HGL_TEXTURES, c->texture);
    gl->BindTexture(target, c->texture);
    if (i->is_flat) {
        gl->TexStorage2D(target, 1, internal, i->width, i->height);
        gl->TexParameteri(target, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
        gl->TexParameteri(target, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    } else if (i->is_array) {
        gl->TexStorage3DMultisample(target, i->samples, internal, i->width, i->height, i->layers,
                                    (GLboolean)i->fixed);
    } else {
        gl->TexStorage2DMultisample(target, i->samples, internal, i->width, i->height,
                                    (GLboolean)i->fixed);
    }
    gl->CopyImageSubData(i->of->name, i->of->target, 0, 0, 0, 0, c->texture, target, 0, 0, 0, 0,
                         i->width, i->height, i->layers);
    return gl->GetError() == GL_NO_ERROR;
}

/* --- depths --- */

/* Steps of a depth that is no float; 0: it is one. */
static double steps_of(GLenum internal)
{
    return internal == GL_DEPTH_COMPONENT16                                      ? 0xffff
           : internal == GL_DEPTH_COMPONENT24 || internal == GL_DEPTH24_STENCIL8 ? 0xffffff
                                                                                 : 0;
}

/* What was read is a step's number; what is told is a little above it, so that both who rounds and
 * who cuts off gets there. */
static void settle_depths(const struct hgl_copier *c, uint8_t *words, size_t count, double steps)
{
    double step = c->rounds_factor ? (double)(float)(1.0 / steps) : 1.0 / steps;
    for (size_t i = 0; i < count; i++, words += 4) {
        float depth;
        memcpy(&depth, words, sizeof depth);
        if (depth < 1.0f) {
            double number = (double)(uint64_t)((double)depth / step + 0.5);
            depth = (float)((number + 0.25) / steps);
        }
        memcpy(words, &depth, sizeof depth);
    }
}

/* NULL: failed. */
static void *read_part(struct hgl_copier *c, const struct hgl_image *i,
                       const struct hgl_sample_kind *k, const struct hgl_part *p)
{
    const struct gl_driver *gl = c->s->gl;
    const size_t size = (size_t)i->width * (size_t)p->rows * k->words * 4u;
    uint8_t *words = hgl_save_alloc(c->s, size, 1);
    if (words == NULL) {
        return NULL;
    }
    gl->BufferData(GL_SHADER_STORAGE_BUFFER, (GLsizeiptr)size, NULL, GL_STREAM_READ);
    gl->BindBufferBase(GL_SHADER_STORAGE_BUFFER, 0, c->words);
    gl->Uniform4i(1, i->width, p->rows, p->row, p->layer);
    gl->Uniform1i(2, p->sample);
    gl->DispatchCompute(((GLuint)i->width + 7) / 8, ((GLuint)p->rows + 7) / 8, 1);
    gl->MemoryBarrier(GL_BUFFER_UPDATE_BARRIER_BIT);
    c->s->reader.GetBufferSubData(GL_SHADER_STORAGE_BUFFER, 0, (GLsizeiptr)size, words);
    if (k == &hgl_depths && steps_of(i->internal) > 0) {
        settle_depths(c, words, size / 4, steps_of(i->internal));
    }
    return words;
}

/* Is a depth of 24 bits read as a product with a rounded factor (llvmpipe), and up to two steps too
 * high? One that is known is read in the same way. */
static void look_at_depths(struct hgl_copier *c, GLint samples)
{
    enum { STEPS = 0xffffff, KNOWN = 0x7fff00 };
    const struct gl_driver *gl = c->s->gl;
    const struct hgl_image one = {.width = 1, .height = 1, .layers = 1, .samples = samples};
    const struct hgl_part first = {.rows = 1};
    GLuint texture = 0, framebuffer = 0;
    float depth = 0;
    gl->GenTextures(1, &texture);
    hgl_save_used(c->s, HGL_TEXTURES, texture);
    gl->BindTexture(GL_TEXTURE_2D_MULTISAMPLE, texture);
    gl->TexStorage2DMultisample(GL_TEXTURE_2D_MULTISAMPLE, samples, GL_DEPTH_COMPONENT24, 1, 1,
                                GL_TRUE);
    gl->GenFramebuffers(1, &framebuffer);
    if (c->s->shares_framebuffers) {
        hgl_save_used(c->s, HGL_FRAMEBUFFERS, framebuffer);
    }
    gl->BindFramebuffer(GL_DRAW_FRAMEBUFFER, framebuffer);
    gl->FramebufferTexture2D(GL_DRAW_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D_MULTISAMPLE,
                             texture, 0);
    gl->ClearDepthf((float)((KNOWN + 0.25) / STEPS));
    gl->Clear(GL_DEPTH_BUFFER_BIT);
    void *words = reads(c, &hgl_depths, GL_TEXTURE_2D_MULTISAMPLE)
                      ? read_part(c, &one, &hgl_depths, &first)
                      : NULL;
    if (words != NULL) {
        memcpy(&depth, words, sizeof depth);
        c->rounds_factor = depth == (float)KNOWN * (float)(1.0 / STEPS);
    }
    sl_free(words);
    gl->BindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    gl->DeleteFramebuffers(1, &framebuffer);
    gl->DeleteTextures(1, &texture);
    c->looked_at_depths = true;
}

/* --- all of them --- */

/* All samples of some rows. False: they are not to be written. */
static bool copy_rows(struct hgl_copier *c, const struct hgl_image *i,
                      const struct hgl_sample_kind *k, struct hgl_part p)
{
    const size_t size = (size_t)i->width * (size_t)p.rows * k->words * 4u;
    void *words[SAMPLES_MAX] = {NULL};
    bool same = true, done = true, has_all = true;
    for (p.sample = 0; p.sample < i->samples; p.sample++) {
        words[p.sample] = read_part(c, i, k, &p);
        has_all = has_all && words[p.sample] != NULL;
        same = same && has_all && memcmp(words[0], words[p.sample], size) == 0;
    }
    if (has_all && !(same && hgl_samples_clear(c, i, k, &p, words[0]))) {
        const struct hgl_lent *lent = c->lent;
        done = lent->program != 0 && lent->vertex != 0 && lent->fragment != 0;
        for (p.sample = 0; done && p.sample < i->samples; p.sample++) {
            hgl_samples_put(c, i, k, &p, words[p.sample]);
        }
    }
    for (p.sample = 0; p.sample < i->samples; p.sample++) {
        sl_free(words[p.sample]);
    }
    return done;
}

static void copy_kind(struct hgl_copier *c, const struct hgl_image *i,
                      const struct hgl_sample_kind *k)
{
    const struct gl_driver *gl = c->s->gl;
    const size_t row = (size_t)i->width * k->words * 4u;
    const GLint rows = row < PIECE ? (GLint)(PIECE / row) : 1;
    if (i->attachment == GL_DEPTH_STENCIL_ATTACHMENT) {
        gl->TexParameteri(target_of(i), GL_DEPTH_STENCIL_TEXTURE_MODE,
                          k == &hgl_stencils ? GL_STENCIL_INDEX : GL_DEPTH_COMPONENT);
    }
    if (!reads(c, k, target_of(i))) {
        leave_out(c->s, i->of, "the driver does not link what reads them");
        return;
    }
    for (struct hgl_part p = {0}; p.layer < i->layers; p.layer++) {
        hgl_samples_aim(c, i, k, p.layer);
        for (p.row = 0; p.row < i->height && !hgl_save_failed(c->s); p.row += p.rows) {
            p.rows = i->height - p.row < rows ? i->height - p.row : rows;
            if (!copy_rows(c, i, k, p)) {
                leave_out(c->s, i->of, "there are no shaders to lend their names");
                return;
            }
        }
    }
    gles2_pack_glFramebufferRenderbuffer(hgl_out(c->s), GL_FRAMEBUFFER, i->attachment,
                                         GL_RENDERBUFFER, 0);
}

static void copy_one(struct hgl_copier *c, const struct hgl_samples *of)
{
    struct hgl_save *s = c->s;
    static const GLint none[6] = {0};
    const struct hgl_sample_kind *kinds[2];
    struct hgl_image i = image_of(s, of);
    if (!kinds_of(hgl_format_of(i.internal, none), kinds) || i.samples > SAMPLES_MAX) {
        leave_out(s, of, "of a format that is not known");
        return;
    }
    i.attachment = attachment_of(kinds);
    if (i.internal == GL_SRGB8_ALPHA8 && !hgl_has(s, "GL_EXT_sRGB_write_control")) {
        leave_out(s, of, "they are sRGB, and cannot be written as they are");
        return;
    }
    if (steps_of(i.internal) == 0xffffff && !c->looked_at_depths) {
        look_at_depths(c, i.samples);
    }
    if (!copy_image(c, &i)) {
        leave_out(s, of, "the driver does not copy them");
    } else {
        if (!c->has_begun) {
            hgl_samples_begin(c);
        }
        for (uint32_t k = 0; k < 2 && kinds[k] != NULL; k++) {
            copy_kind(c, &i, kinds[k]);
        }
    }
    s->gl->DeleteTextures(1, &c->texture);
}

void hgl_save_samples(struct hgl_save *s, const struct hgl_lent *lent)
{
    struct hgl_copier c = {.s = s, .lent = lent};
    const char *why = !hgl_save_may_use(s) ? "its guest goes on, and would miss names"
                      : hgl_top(s->root->state, HGL_FRAMEBUFFERS) < HGL_BORROWED_FRAMEBUFFER
                          ? "there never was a framebuffer"
                          : NULL;
    for (uint32_t i = 0; why != NULL && i < s->samples_count; i++) {
        leave_out(s, &s->samples[i], why);
    }
    if (why != NULL || s->samples_count == 0) {
        return;
    }
    reader_begin(&c);
    for (uint32_t i = 0; i < s->samples_count && !hgl_save_failed(s); i++) {
        copy_one(&c, &s->samples[i]);
    }
    reader_end(&c);
    hgl_samples_end(&c);
}
