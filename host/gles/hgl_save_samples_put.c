/* Samples in the replay: a shader writes each of them where the mask of samples lets it. What looks
 * as if it was cleared, is. */
#include "host/gles/hgl_save_samples.h"

#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <GLES2/gl2ext.h>

#include <stdio.h>
#include <string.h>

#define TEXT_MAX   1024u
#define CLEARS_MAX 64u

static const char vertex_text[] = "#version 310 es\n"
                                  "void main() { gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0,"
                                  " gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0); }\n";
static const char write_text[] =
    "#version 310 es\n"
    "precision highp float; precision highp int;\n"
    "layout(location = 0) uniform highp %ssampler2D image;\n"
    "layout(location = 1) uniform int row;\n"
    "layout(location = 2) uniform uint bit;\n"
    "%s"
    "void main() {\n"
    "highp %svec4 v = texelFetch(image, ivec2(gl_FragCoord.xy) - ivec2(0, row), 0);\n"
    "%s; }\n";

static void put_text(struct hgl_save *s, uint32_t shader, const char *text)
{
    uint32_t size = (uint32_t)strlen(text) + 1;
    gles2_pack_glShaderString(hgl_out(s), shader, text, size, (GLsizei)size);
    gles2_pack_glCompileShader(hgl_out(s), shader);
}

/* A context of GLES 3.2 that shares with the guest's, whose state is new; nothing is drawn on. */
void hgl_samples_begin(struct hgl_copier *c)
{
    struct hgl_save *s = c->s;
    struct sl_pack *out = hgl_out(s);
    hgl_save_flush(s);
    sl_pack_slNextHandle(out, HRC_TABLE_OBJECTS, s->spare);
    hgl_save_flush(s);
    rc_pack_rcCreateContext(out, s->root->context->config, s->root->handle, 5);
    hgl_save_reply(s, &s->spare, 4);
    rc_pack_rcMakeCurrentAsync(out, s->spare, 0, 0);
    gles2_pack_glPixelStorei(out, GL_UNPACK_ALIGNMENT, 1);
    gles2_pack_glDisable(out, GL_DITHER);
    gles2_pack_glEnable(out, GL_SCISSOR_TEST);
    gles2_pack_glEnable(out, GL_SAMPLE_MASK);
    gles2_pack_glDepthFunc(out, GL_ALWAYS);
    gles2_pack_glStencilFunc(out, GL_ALWAYS, 0xff, 0xff);
    gles2_pack_glStencilOp(out, GL_KEEP, GL_KEEP, GL_REPLACE);
    gles2_pack_glTexParameteri(out, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    gles2_pack_glTexParameteri(out, GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    gles2_pack_glBindFramebuffer(out, GL_FRAMEBUFFER, HGL_BORROWED_FRAMEBUFFER);
    c->has_begun = true;
}

void hgl_samples_end(struct hgl_copier *c)
{
    struct hgl_save *s = c->s;
    struct sl_pack *out = hgl_out(s);
    const struct sl_gather none = sl_gather_flat("", 0);
    if (!c->has_begun) {
        return;
    }
    gles2_pack_glTexImage2D(out, GL_TEXTURE_2D, 0, GL_RGBA8, 0, 0, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                            &none);
    gles2_pack_glDeleteFramebuffers(out, 1, &(uint32_t){HGL_BORROWED_FRAMEBUFFER}, 4);
    if (c->written != NULL) {
        gles2_pack_glUseProgram(out, 0);
        gles2_pack_glDetachShader(out, c->lent->program, c->lent->vertex);
        gles2_pack_glDetachShader(out, c->lent->program, c->lent->fragment);
    }
    rc_pack_rcMakeCurrentAsync(out, 0, 0, 0);
    rc_pack_rcDestroyContext(out, s->spare);
    hgl_save_play_current(s, s->root);
}

/* The programs there write this kind from now on. */
static void writes(struct hgl_copier *c, const struct hgl_sample_kind *k)
{
    struct sl_pack *out = hgl_out(c->s);
    char text[TEXT_MAX], declared[64] = "";
    if (c->written == k) {
        return;
    }
    if (c->written == NULL) {
        put_text(c->s, c->lent->vertex, vertex_text);
        gles2_pack_glAttachShader(out, c->lent->program, c->lent->vertex);
        gles2_pack_glAttachShader(out, c->lent->program, c->lent->fragment);
    }
    if (k != &hgl_depths && k != &hgl_stencils) {
        snprintf(declared, sizeof declared, "layout(location = 0) out highp %svec4 c;\n",
                 k->prefix);
    }
    snprintf(text, sizeof text, write_text, k->prefix, declared, k->prefix, k->writes);
    put_text(c->s, c->lent->fragment, text);
    gles2_pack_glLinkProgram(out, c->lent->program);
    gles2_pack_glUseProgram(out, c->lent->program);
    c->written = k;
}

static void attach(struct hgl_copier *c, const struct hgl_image *i, GLint layer)
{
    struct sl_pack *out = hgl_out(c->s);
    if (i->of->target == GL_RENDERBUFFER) {
        gles2_pack_glFramebufferRenderbuffer(out, GL_FRAMEBUFFER, i->attachment, GL_RENDERBUFFER,
                                             i->of->name);
    } else if (i->is_array) {
        gles2_pack_glFramebufferTextureLayer(out, GL_FRAMEBUFFER, i->attachment, i->of->name, 0,
                                             layer);
    } else {
        gles2_pack_glFramebufferTexture2D(out, GL_FRAMEBUFFER, i->attachment, i->of->target,
                                          i->of->name, 0);
    }
}

void hgl_samples_put(struct hgl_copier *c, const struct hgl_image *i,
                     const struct hgl_sample_kind *k, const struct hgl_part *p, const void *words)
{
    struct sl_pack *out = hgl_out(c->s);
    const struct sl_gather all =
        sl_gather_flat(words, (size_t)i->width * (size_t)p->rows * k->words * 4u);
    writes(c, k);
    gles2_pack_glTexImage2D(out, GL_TEXTURE_2D, 0, (GLint)k->internal, i->width, p->rows, 0,
                            k->format, k->type, &all);
    gles2_pack_glScissor(out, 0, p->row, i->width, p->rows);
    gles2_pack_glSampleMaski(out, 0, 1u << p->sample);
    gles2_pack_glUniform1i(out, 1, p->row);
    if (k != &hgl_stencils) {
        gles2_pack_glDrawArrays(out, GL_TRIANGLES, 0, 3);
    }
    for (uint32_t bit = 0; k == &hgl_stencils && bit < 8; bit++) { /* no shader writes a stencil */
        gles2_pack_glStencilMask(out, 1u << bit);
        gles2_pack_glUniform1ui(out, 2, 1u << bit);
        gles2_pack_glDrawArrays(out, GL_TRIANGLES, 0, 3);
    }
    hgl_save_flush(c->s);
}

void hgl_samples_aim(struct hgl_copier *c, const struct hgl_image *i,
                     const struct hgl_sample_kind *k, GLint layer)
{
    struct sl_pack *out = hgl_out(c->s);
    attach(c, i, layer);
    gles2_pack_glViewport(out, 0, 0, i->width, i->height);
    (k == &hgl_depths ? gles2_pack_glEnable : gles2_pack_glDisable)(out, GL_DEPTH_TEST);
    (k == &hgl_stencils ? gles2_pack_glEnable : gles2_pack_glDisable)(out, GL_STENCIL_TEST);
    if (hgl_has(c->s, "GL_EXT_sRGB_write_control")) {
        gles2_pack_glDisable(out, GL_FRAMEBUFFER_SRGB_EXT);
    }
    if (k == &hgl_stencils) {
        gles2_pack_glStencilMask(out, 0xff);
        gles2_pack_glScissor(out, 0, 0, i->width, i->height);
        gles2_pack_glClear(out, GL_STENCIL_BUFFER_BIT);
    }
}

/* --- what was cleared --- */

struct box {
    GLint x, y, width, height;
};

/* How many boxes of one value each make up the rows: at most CLEARS_MAX, else 0. */
static uint32_t find_boxes(const struct hgl_image *i, const struct hgl_sample_kind *k, GLint rows,
                           const uint8_t *words, struct box boxes[CLEARS_MAX])
{
    const size_t size = k->words * 4u, row = (size_t)i->width * size;
    uint32_t count = 0, first = 0; /* of the row above */
    for (GLint y = 0; y < rows; y++, words += row) {
        if (y != 0 && memcmp(words, words - row, row) == 0) {
            for (uint32_t b = first; b < count; b++) {
                boxes[b].height++;
            }
            continue;
        }
        first = count;
        for (GLint x = 0; x < i->width; x++) {
            const uint8_t *at = words + (size_t)x * size;
            if (x != 0 && memcmp(at, at - size, size) == 0) {
                boxes[count - 1].width++;
            } else if (count == CLEARS_MAX) {
                return 0;
            } else {
                boxes[count++] = (struct box){x, y, 1, 1};
            }
        }
    }
    return count;
}

static void clear(struct sl_pack *out, const struct hgl_sample_kind *k, const uint8_t *value)
{
    GLfloat color[4] = {0};
    if (k == &hgl_depths) {
        gles2_pack_glClearBufferfv(out, GL_DEPTH, 0, value, 4);
    } else if (k == &hgl_stencils) {
        gles2_pack_glClearBufferiv(out, GL_STENCIL, 0, value, 4);
    } else if (k->words == 1) {
        for (uint32_t n = 0; n < 4; n++) {
            color[n] = (GLfloat)value[n] / 255;
        }
        gles2_pack_glClearBufferfv(out, GL_COLOR, 0, color, sizeof color);
    } else {
        (k->type == GL_FLOAT ? gles2_pack_glClearBufferfv
         : k->type == GL_INT ? gles2_pack_glClearBufferiv
                             : gles2_pack_glClearBufferuiv)(out, GL_COLOR, 0, value, 16);
    }
}

bool hgl_samples_clear(struct hgl_copier *c, const struct hgl_image *i,
                       const struct hgl_sample_kind *k, const struct hgl_part *p, const void *words)
{
    struct sl_pack *out = hgl_out(c->s);
    struct box boxes[CLEARS_MAX];
    const uint8_t *values = words;
    uint32_t count = find_boxes(i, k, p->rows, words, boxes);
    for (uint32_t b = 0; b < count; b++) {
        size_t at = (size_t)boxes[b].y * (size_t)i->width + (size_t)boxes[b].x;
        gles2_pack_glScissor(out, boxes[b].x, p->row + boxes[b].y, boxes[b].width, boxes[b].height);
        clear(out, k, values + at * k->words * 4u);
    }
    return count != 0;
}
