/* Rectangles of OES_draw_texture beside every state that may act on them. */
#include "tests/integration/features/gles1.h"

#include <string.h>

static PFNGLDRAWTEXFOESPROC draw_at;

/* A texture of any size, bound to the active unit, with this crop rectangle. */
static GLuint cropped(int width, int height, int frame, const GLint crop[4])
{
    static GLubyte bytes[100 * 100 * 4];
    GLuint name;
    draw_at = EXTENSION(PFNGLDRAWTEXFOESPROC, glDrawTexfOES);
    fx_bytes(bytes, sizeof bytes, (uint32_t)(width + frame));
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    glTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, crop);
    glEnable(GL_TEXTURE_2D);
    return name;
}

/* Mesa 22 draws rectangles in the colour that it was asked for last, or drew vertices in. */
static void color(GLfloat red, GLfloat green, GLfloat blue, GLfloat alpha)
{
    GLfloat now[4];
    glColor4f(red, green, blue, alpha);
    glGetFloatv(GL_CURRENT_COLOR, now);
}

static const GLint middle[4] = {5, 3, 30, 40};

/* Everywhere: over the borders, upside down, less than a pixel, nothing at all. */
static void places(struct fx *fx, int frame)
{
    static const GLint flipped[4] = {0, 37, 37, -37};
    GLuint name = cropped(37, 45, frame, middle);
    draw_at(-10.5f, -3.25f, 0, 40, 30);
    draw_at(50, 40.5f, 0, 100, 3.75f);
    draw_at(3.1f, 33.3f, 0, 10.7f, 20.9f);
    draw_at(30, 30, 0, 0.5f, 0.5f);
    draw_at(-3000, 60, 0, 9000, 2);
    glTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, flipped);
    draw_at(20, 10, 0, 20, 20);
    draw_at(0, 0, 0, 0, 5);
    fx_error(fx, GL_INVALID_VALUE);
    draw_at(0, 0, 0, 5, -1);
    fx_error(fx, GL_INVALID_VALUE);
    glDeleteTextures(1, &name);
}

/* Whatever there is of matrices, viewports and lights, and what is left of them. */
static void fixed_pipeline(struct fx *fx, int frame)
{
    static const GLenum modes[] = {GL_MODELVIEW, GL_PROJECTION};
    GLfloat matrix[16];
    GLint value, box[4];
    GLuint name = cropped(64, 32, frame, middle);
    for (int i = 0; i < 2; i++) {
        glMatrixMode(modes[i]);
        glRotatef(10 + (GLfloat)i, 0, 0, 1);
        glScalef(0.75f, 0.5f, 1);
    }
    glMatrixMode(frame < 2 ? modes[frame] : GL_TEXTURE);
    glViewport(5, 6, 40, 30);
    glEnable(GL_LIGHTING);
    glEnable(GL_LIGHT0);
    glShadeModel(GL_FLAT);
    color(0.5f, 0.75f, 1, 0.25f);
    draw_at(2, 3, 0.5f, 50, 20);
    glDisable(GL_LIGHTING);
    draw_at(20, 30, 0.5f, 30, 30);
    fill_textured(-1, -1, 0, 0, 1);
    for (int i = 0; i < 3; i++) {
        static const GLenum queries[] = {GL_MODELVIEW_MATRIX, GL_PROJECTION_MATRIX,
                                         GL_TEXTURE_MATRIX};
        static const GLenum depths[] = {GL_MODELVIEW_STACK_DEPTH, GL_PROJECTION_STACK_DEPTH,
                                        GL_TEXTURE_STACK_DEPTH};
        glGetFloatv(queries[i], matrix);
        glGetIntegerv(depths[i], &value);
        fx_note(fx, matrix, sizeof matrix);
        fx_note_int(fx, value);
    }
    glGetIntegerv(GL_VIEWPORT, box);
    glGetIntegerv(GL_MATRIX_MODE, &value);
    fx_note(fx, box, sizeof box);
    fx_note_int(fx, value);
    glGetFloatv(GL_CURRENT_COLOR, matrix);
    fx_note(fx, matrix, 4 * sizeof matrix[0]);
    glDeleteTextures(1, &name);
}

/* A texture's matrix does nothing to a rectangle, and goes on for others. */
static void texture_matrix(struct fx *fx, int frame)
{
    GLuint name = cropped(64, 32, frame, middle);
    (void)fx;
    glMatrixMode(GL_TEXTURE);
    draw_at(0, 40, 0, 20, 20);
    glRotatef(20, 0, 0, 1);
    draw_at(2, 3, 0, 50, 20);
    fill_textured(-1, -1, 1, 0, 1);
    draw_at(30, 40, 0, 20, 20);
    fill_textured(0.5f, 0, 1, 1, 1);
    glDeleteTextures(1, &name);
}

static void full_stacks(struct fx *fx, int frame)
{
    static const GLenum modes[] = {GL_MODELVIEW, GL_PROJECTION, GL_TEXTURE};
    static const GLenum most[] = {GL_MAX_MODELVIEW_STACK_DEPTH, GL_MAX_PROJECTION_STACK_DEPTH,
                                  GL_MAX_TEXTURE_STACK_DEPTH};
    GLint depth;
    GLuint name = cropped(64, 64, frame, middle);
    glMatrixMode(modes[frame]);
    glGetIntegerv(most[frame], &depth);
    for (GLint i = 1; i < depth; i++) {
        glPushMatrix();
    }
    glTranslatef(0.5f, 0, 0);
    draw_at(4, 5, 0, 33, 44);
    fill_textured(0, 0, 1, 1, 1);
    fx_error(fx, GL_NO_ERROR);
    glDeleteTextures(1, &name);
}

/* Arrays of buffers and of client memory stay what they were. */
static void between_arrays(struct fx *fx, int frame)
{
    static const GLfloat corners[] = {-0.9f, -0.9f, 0.9f, -0.9f, 0, 0.9f};
    static const GLubyte colors[] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255};
    static const GLshort coords[] = {0, 0, 1, 0, 1, 1};
    GLuint buffer, name = cropped(48, 20, frame, middle);
    GLint value;
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof corners, corners, GL_STATIC_DRAW);
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, NULL);
    if (frame != 1) {
        glBindBuffer(GL_ARRAY_BUFFER, 0);
    }
    glEnableClientState(GL_COLOR_ARRAY);
    glColorPointer(4, GL_UNSIGNED_BYTE, 0, frame == 1 ? NULL : colors);
    glClientActiveTexture(GL_TEXTURE1);
    glEnableClientState(GL_TEXTURE_COORD_ARRAY);
    glTexCoordPointer(2, GL_SHORT, 0, frame == 1 ? NULL : coords);
    glClientActiveTexture(frame == 2 ? GL_TEXTURE1 : GL_TEXTURE0);
    for (int i = 0; i < 2; i++) {
        color(1, 1, 0.5f, 1);
        draw_at((GLfloat)i * 20, 5, 0, 20, 30);
        glDrawArrays(GL_TRIANGLES, 0, 3);
    }
    glGetIntegerv(GL_ARRAY_BUFFER_BINDING, &value);
    fx_note_int(fx, value != 0);
    glGetIntegerv(GL_CLIENT_ACTIVE_TEXTURE, &value);
    fx_note_int(fx, value);
    fx_note_int(fx, glIsEnabled(GL_COLOR_ARRAY));
    fx_note_int(fx, glIsEnabled(GL_TEXTURE_COORD_ARRAY));
    glDisableClientState(GL_COLOR_ARRAY);
    glDisableClientState(GL_VERTEX_ARRAY);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glDeleteBuffers(1, &buffer);
    glDeleteTextures(1, &name);
}

static void units(struct fx *fx, int frame)
{
    static const GLint other[4] = {0, 0, 20, 16};
    GLuint first = cropped(64, 32, frame, middle);
    glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, GL_REPLACE);
    glActiveTexture(GL_TEXTURE2);
    GLuint second = cropped(20, 16, frame, other);
    glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, GL_MODULATE);
    (void)fx;
    if (frame == 1) {
        glActiveTexture(GL_TEXTURE0);
    }
    draw_at(3, 3, 0, 50, 50);
    glActiveTexture(GL_TEXTURE2);
    glDisable(GL_TEXTURE_2D);
    draw_at(30, 30, 0, 30, 30);
    glActiveTexture(GL_TEXTURE0);
    glDisable(GL_TEXTURE_2D);
    color(0.25f, 0.5f, 0.75f, 1);
    draw_at(0, 0, 0, 10, 10); /* of no texture */
    glDeleteTextures(1, &first);
    glDeleteTextures(1, &second);
}

/* Each pixel's tests, and depths of all kinds. */
static void fragments(struct fx *fx, int frame)
{
    static const GLfloat depths[] = {-1, 0, 0.1f, 0.3f, 0.7f, 1, 2};
    GLuint name = cropped(64, 64, frame, middle);
    (void)fx;
    glEnable(GL_DEPTH_TEST);
    glDepthFunc(GL_LEQUAL);
    glClear(GL_DEPTH_BUFFER_BIT);
    for (int i = 0; i < 7; i++) {
        draw_at((GLfloat)i * 6, (GLfloat)i * 5, depths[(i * 3 + frame) % 7], 25, 25);
    }
    glDepthFunc(GL_EQUAL);
    color(1, 0, 0, 1);
    draw_at(0, 0, 0.1f, 64, 64);
    glDisable(GL_DEPTH_TEST);
    glEnable(GL_ALPHA_TEST);
    glAlphaFunc(GL_GREATER, 0.5f);
    glEnable(GL_BLEND);
    glBlendFunc(GL_SRC_ALPHA, GL_ONE);
    glEnable(GL_SCISSOR_TEST);
    glScissor(10, 20, 30, 25);
    draw_at(0, 0, 0, 64, 64);
    glDisable(GL_SCISSOR_TEST);
    glEnable(GL_CULL_FACE);
    glCullFace(frame == 0 ? GL_FRONT : GL_BACK);
    glFrontFace(frame == 2 ? GL_CW : GL_CCW);
    draw_at(40, 2, 0, 20, 10);
    glDisable(GL_CULL_FACE);
    glEnable(GL_POLYGON_OFFSET_FILL);
    glPolygonOffset(1, 10000);
    glEnable(GL_DEPTH_TEST);
    glDepthFunc(GL_LEQUAL);
    draw_at(0, 40, 0.3f, 64, 20);
    glDeleteTextures(1, &name);
}

/* What vertices would meet and rectangles do not, or in their own way. */
static void exceptions(struct fx *fx, int frame)
{
    static const GLfloat plane[] = {1, 1, 0, 0};
    GLuint name = cropped(64, 64, frame, middle);
    (void)fx;
    glEnable(GL_DEPTH_TEST);
    glDepthRangef(0.5f, 0.25f);
    draw_at(0, 0, 0.3f, 40, 20);
    glDepthRangef(0, 1);
    draw_at(10, 5, 0.3f, 40, 20);
    glEnable(GL_CLIP_PLANE0);
    glClipPlanef(GL_CLIP_PLANE0, plane);
    draw_at(0, 20, 0, 64, 20);
    glDisable(GL_CLIP_PLANE0);
    glEnable(GL_FOG);
    glFogx(GL_FOG_MODE, frame == 1 ? GL_LINEAR : GL_EXP);
    draw_at(0, 40, 0, 64, 20);
    glDisable(GL_FOG);
    glDeleteTextures(1, &name);
}

/* Textures that get other sizes, in every way, and names that come back. */
static void other_sizes(struct fx *fx, int frame)
{
    GLubyte data[16 * 4 + 32 * 32 / 2];
    GLuint name = cropped(64, 64, frame, middle), again;
    draw_at(0, 0, 0, 20, 20);
    fx_bytes(data, sizeof data, (uint32_t)frame);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_LUMINANCE, 16, 24, 0, GL_LUMINANCE, GL_UNSIGNED_BYTE, data);
    draw_at(20, 0, 0, 20, 20);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_LUMINANCE, -1, 24, 0, GL_LUMINANCE, GL_UNSIGNED_BYTE, data);
    fx_error(fx, GL_INVALID_VALUE);
    draw_at(40, 0, 0, 20, 20);
    glCopyTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 3, 3, 40, 17, 0);
    draw_at(0, 20, 0, 20, 20);
    glCompressedTexImage2D(GL_TEXTURE_2D, 0, GL_PALETTE4_RGBA8_OES, 32, 32, 0, sizeof data, data);
    draw_at(20, 20, 0, 20, 20);
    glDeleteTextures(1, &name);
    draw_at(40, 20, 0, 20, 20);
    again = cropped(50, 13, frame, middle);
    fx_note_int(fx, again == name);
    draw_at(0, 40, 0, 20, 20);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_LINEAR); /* incomplete */
    draw_at(20, 40, 0, 20, 20);
    glTexParameteri(GL_TEXTURE_2D, GL_GENERATE_MIPMAP, GL_TRUE);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, data);
    draw_at(40, 40, 0, 5, 5);
    glDeleteTextures(1, &again);
}

/* Into a texture and a renderbuffer, of other sizes than the window's. */
static void targets(struct fx *fx, int frame)
{
    PFNGLGENFRAMEBUFFERSOESPROC gen = EXTENSION(PFNGLGENFRAMEBUFFERSOESPROC, glGenFramebuffersOES);
    PFNGLBINDFRAMEBUFFEROESPROC bind = EXTENSION(PFNGLBINDFRAMEBUFFEROESPROC, glBindFramebufferOES);
    PFNGLDELETEFRAMEBUFFERSOESPROC end =
        EXTENSION(PFNGLDELETEFRAMEBUFFERSOESPROC, glDeleteFramebuffersOES);
    PFNGLFRAMEBUFFERTEXTURE2DOESPROC attach =
        EXTENSION(PFNGLFRAMEBUFFERTEXTURE2DOESPROC, glFramebufferTexture2DOES);
    PFNGLGENRENDERBUFFERSOESPROC gen_buffers =
        EXTENSION(PFNGLGENRENDERBUFFERSOESPROC, glGenRenderbuffersOES);
    PFNGLBINDRENDERBUFFEROESPROC bind_buffer =
        EXTENSION(PFNGLBINDRENDERBUFFEROESPROC, glBindRenderbufferOES);
    PFNGLRENDERBUFFERSTORAGEOESPROC store =
        EXTENSION(PFNGLRENDERBUFFERSTORAGEOESPROC, glRenderbufferStorageOES);
    PFNGLFRAMEBUFFERRENDERBUFFEROESPROC attach_buffer =
        EXTENSION(PFNGLFRAMEBUFFERRENDERBUFFEROESPROC, glFramebufferRenderbufferOES);
    PFNGLDELETERENDERBUFFERSOESPROC end_buffers =
        EXTENSION(PFNGLDELETERENDERBUFFERSOESPROC, glDeleteRenderbuffersOES);
    static const GLint all[4] = {0, 0, 40, 28};
    GLuint framebuffer, renderbuffer, target = cropped(40, 28, frame, all),
                                      name = cropped(30, 50, frame, middle);
    gen(1, &framebuffer);
    bind(GL_FRAMEBUFFER_OES, framebuffer);
    draw_at(0, 0, 0, 10, 10); /* incomplete */
    fx_note_int(fx, glGetError());
    attach(GL_FRAMEBUFFER_OES, GL_COLOR_ATTACHMENT0_OES, GL_TEXTURE_2D, target, 0);
    glClear(GL_COLOR_BUFFER_BIT);
    draw_at(5, 5, 0, 30, 30);
    gen_buffers(1, &renderbuffer);
    bind_buffer(GL_RENDERBUFFER_OES, renderbuffer);
    store(GL_RENDERBUFFER_OES, GL_RGB565_OES, 25, 35);
    attach_buffer(GL_FRAMEBUFFER_OES, GL_COLOR_ATTACHMENT0_OES, GL_RENDERBUFFER_OES, renderbuffer);
    if (frame == 1) {
        bind_buffer(GL_RENDERBUFFER_OES, 0);
    }
    glClear(GL_COLOR_BUFFER_BIT);
    draw_at(2, 2, 0, 20, 50);
    fx_note_pixels(fx, 0, 0, 25, 35);
    bind(GL_FRAMEBUFFER_OES, 0);
    glBindTexture(GL_TEXTURE_2D, target);
    draw_at(0, 0, 0, 64, 64);
    end_buffers(1, &renderbuffer);
    end(1, &framebuffer);
    glDeleteTextures(1, &name);
    glDeleteTextures(1, &target);
}

const struct fx_feature gles1_draw_tex_features[] = {
    {"draw_tex_places", places, "GL_OES_draw_texture"},
    {"draw_tex_fixed_pipeline", fixed_pipeline, "GL_OES_draw_texture"},
    {"draw_tex_texture_matrix", texture_matrix, "GL_OES_draw_texture"},
    {"draw_tex_full_stacks", full_stacks, "GL_OES_draw_texture"},
    {"draw_tex_between_arrays", between_arrays, "GL_OES_draw_texture"},
    {"draw_tex_units", units, "GL_OES_draw_texture"},
    {"draw_tex_fragments", fragments, "GL_OES_draw_texture"},
    {"draw_tex_exceptions", exceptions, "GL_OES_draw_texture"},
    {"draw_tex_other_sizes", other_sizes, "GL_OES_draw_texture"},
    {"draw_tex_targets", targets, "GL_OES_draw_texture"},
};
const size_t gles1_draw_tex_feature_count =
    sizeof gles1_draw_tex_features / sizeof *gles1_draw_tex_features;
