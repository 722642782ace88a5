/* Textures, texture environments, framebuffer objects and pixels of GLES 1.1. */
#include "tests/integration/features/gles1.h"

#include <string.h>

static void texture_formats(struct fx *fx, int frame)
{
    static const GLenum formats[][2] = {
        {GL_RGBA, GL_UNSIGNED_BYTE},          {GL_RGB, GL_UNSIGNED_BYTE},
        {GL_RGB, GL_UNSIGNED_SHORT_5_6_5},    {GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4},
        {GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1}, {GL_LUMINANCE, GL_UNSIGNED_BYTE},
        {GL_ALPHA, GL_UNSIGNED_BYTE},         {GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE},
        {GL_BGRA_EXT, GL_UNSIGNED_BYTE}};
    (void)fx;
    glEnable(GL_TEXTURE_2D);
    for (int i = 0; i < 9; i++) {
        GLuint name = fill_texture(formats[i][0], formats[i][1], frame);
        glViewport(i % 3 * 21, i / 3 * 21, 21, 21);
        fill_textured(-1, -1, 1, 1, 1);
        glDeleteTextures(1, &name);
    }
}

static void texture_wraps(struct fx *fx, int frame)
{
    static const GLenum wraps[] = {GL_REPEAT, GL_CLAMP_TO_EDGE, GL_MIRRORED_REPEAT_OES};
    GLint value = 0;
    GLfixed fixed_value = 0;
    GLuint name = fill_texture(GL_RGB, GL_UNSIGNED_BYTE, frame);
    glEnable(GL_TEXTURE_2D);
    for (int i = 0; i < 3; i++) {
        glTexParameterx(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, (GLfixed)wraps[i]);
        glTexParameterf(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, (GLfloat)wraps[(i + frame) % 3]);
        glViewport(i * 21, 0, 21, 64);
        fill_textured(-1, -1, 1, 1, 2.5f);
    }
    glGetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, &value);
    glGetTexParameterxv(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, &fixed_value);
    fx_note_int(fx, value);
    fx_note_int(fx, fixed_value);
    glDeleteTextures(1, &name);
}

static void mipmaps(struct fx *fx, int frame)
{
    static const GLenum filters[] = {GL_NEAREST_MIPMAP_NEAREST, GL_LINEAR_MIPMAP_NEAREST,
                                     GL_NEAREST_MIPMAP_LINEAR, GL_LINEAR_MIPMAP_LINEAR};
    GLfloat value = 0;
    glEnable(GL_TEXTURE_2D);
    for (int i = 0; i < 4; i++) {
        GLuint name;
        glGenTextures(1, &name);
        glBindTexture(GL_TEXTURE_2D, name);
        glTexParameteri(GL_TEXTURE_2D, GL_GENERATE_MIPMAP, GL_TRUE);
        glTexParameterf(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, (GLfloat)filters[i]);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
        GLubyte bytes[32 * 32 * 4];
        fx_bytes(bytes, sizeof bytes, (uint32_t)(i + frame * 4));
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 32, 32, 0, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
        glViewport(i % 2 * 32, i / 2 * 32, 32, 32);
        fill_textured(-1, -1, 1, 1, 3 + (float)frame);
        glGetTexParameterfv(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, &value);
        fx_note(fx, &value, sizeof value);
        glDeleteTextures(1, &name);
    }
}

static void texture_updates(struct fx *fx, int frame)
{
    GLubyte bytes[15 * 9 * 4];
    GLuint name = fill_texture(GL_RGB, GL_UNSIGNED_BYTE, frame);
    glEnable(GL_TEXTURE_2D);
    fx_bytes(bytes, sizeof bytes, 9);
    for (int i = 0; i < 4; i++) { /* rows of 45 bytes with each alignment */
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1 << i);
        glTexSubImage2D(GL_TEXTURE_2D, 0, i * 15, i * 10 + frame, 15, 9, GL_RGB, GL_UNSIGNED_BYTE,
                        bytes);
    }
    glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
    fill_textured(-1, -1, 1, 1, 1);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 60, 0, 15, 9, GL_RGB, GL_UNSIGNED_BYTE, bytes);
    fx_error(fx, GL_INVALID_VALUE);
    glDeleteTextures(1, &name);
}

static void texture_copies(struct fx *fx, int frame)
{
    GLuint name;
    glColor4f(1, 0.2f, 0.1f * (float)frame, 1);
    fill_rect(-1, -1, 0, 0.5f);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glCopyTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 0, 0, 64, 64, 0);
    glCopyTexSubImage2D(GL_TEXTURE_2D, 0, 32, 32, 0, frame, 20, 20);
    fx_note_int(fx, glIsTexture(name));
    glEnable(GL_TEXTURE_2D);
    glColor4f(1, 1, 1, 1);
    fill_textured(-0.5f, -0.5f, 1, 1, 1.5f);
    glDeleteTextures(1, &name);
}

static void environments(struct fx *fx, int frame)
{
    static const GLfloat modes[] = {GL_MODULATE, GL_DECAL, GL_BLEND, GL_REPLACE, GL_ADD};
    static const GLfloat color[] = {0.9f, 0.1f, 0.4f, 0.7f};
    GLint mode = 0;
    GLfloat back[4];
    GLuint name = fill_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glEnable(GL_TEXTURE_2D);
    glTexEnvfv(GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, color);
    for (int i = 0; i < 5; i++) {
        glTexEnvf(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, modes[i]);
        glColor4f(0.3f, 0.6f, 0.9f, 0.5f);
        glViewport(i * 12, 0, 12, 64);
        fill_textured(-1, -1, 1, 1, 1);
    }
    glGetTexEnviv(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, &mode);
    glGetTexEnvfv(GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, back);
    fx_note_int(fx, mode);
    fx_note(fx, back, sizeof back);
    glDeleteTextures(1, &name);
}

static void combiners(struct fx *fx, int frame)
{
    static const GLenum functions[] = {GL_REPLACE,     GL_MODULATE, GL_ADD,      GL_ADD_SIGNED,
                                       GL_INTERPOLATE, GL_SUBTRACT, GL_DOT3_RGB, GL_DOT3_RGBA};
    GLfixed scale = 0;
    GLuint name = fill_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glEnable(GL_TEXTURE_2D);
    glTexEnvx(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, GL_COMBINE);
    glTexEnvi(GL_TEXTURE_ENV, GL_SRC0_RGB, GL_TEXTURE);
    glTexEnvi(GL_TEXTURE_ENV, GL_SRC1_RGB, GL_PRIMARY_COLOR);
    glTexEnvi(GL_TEXTURE_ENV, GL_SRC2_RGB, GL_CONSTANT);
    glTexEnvi(GL_TEXTURE_ENV, GL_OPERAND1_RGB, frame == 1 ? GL_ONE_MINUS_SRC_COLOR : GL_SRC_COLOR);
    glTexEnvx(GL_TEXTURE_ENV, GL_RGB_SCALE, frame == 2 ? 0x20000 : 0x10000);
    for (int i = 0; i < 8; i++) {
        glTexEnvi(GL_TEXTURE_ENV, GL_COMBINE_RGB, (GLint)functions[i]);
        glColor4f(0.6f, 0.3f, 0.8f, 1);
        glViewport(i * 8, 0, 8, 64);
        fill_textured(-1, -1, 1, 1, 1);
    }
    glGetTexEnvxv(GL_TEXTURE_ENV, GL_RGB_SCALE, &scale);
    fx_note_int(fx, scale);
    glDeleteTextures(1, &name);
}

static void several_units(struct fx *fx, int frame)
{
    static const GLfloat places[] = {-1, -1, 1, -1, -1, 1, 1, 1};
    static const GLshort whole[] = {0, 0, 1, 0, 0, 1, 1, 1};
    GLuint names[2];
    GLint unit = 0;
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, places);
    for (GLenum i = 0; i < 2; i++) {
        glActiveTexture(GL_TEXTURE0 + i);
        glClientActiveTexture(GL_TEXTURE0 + i);
        names[i] = fill_texture(GL_RGB, GL_UNSIGNED_BYTE, frame + (int)i * 10);
        glEnable(GL_TEXTURE_2D);
        glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, i == 0 ? GL_REPLACE : GL_MODULATE);
        glEnableClientState(GL_TEXTURE_COORD_ARRAY);
        glTexCoordPointer(2, GL_SHORT, 0, whole);
        glMatrixMode(GL_TEXTURE);
        glLoadIdentity();
        glRotatef(30.0f * (float)i + 10.0f * (float)frame, 0, 0, 1);
    }
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glGetIntegerv(GL_CLIENT_ACTIVE_TEXTURE, &unit);
    fx_note_int(fx, unit);
    glGetIntegerv(GL_ACTIVE_TEXTURE, &unit);
    fx_note_int(fx, unit);
    glGetIntegerv(GL_TEXTURE_BINDING_2D, &unit);
    fx_note_int(fx, unit == (GLint)names[1]);
    for (GLenum i = 2; i-- > 0;) {
        glActiveTexture(GL_TEXTURE0 + i);
        glClientActiveTexture(GL_TEXTURE0 + i);
        glLoadIdentity();
        glDisable(GL_TEXTURE_2D);
        glDisableClientState(GL_TEXTURE_COORD_ARRAY);
    }
    glMatrixMode(GL_MODELVIEW);
    glDisableClientState(GL_VERTEX_ARRAY);
    glDeleteTextures(2, names);
}

static void point_sprites(struct fx *fx, int frame)
{
    static const GLfloat places[] = {-0.5f, -0.5f, 0.5f, 0, -0.2f, 0.6f};
    GLint replaced = 0;
    GLuint name = fill_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glEnable(GL_TEXTURE_2D);
    glEnable(GL_POINT_SPRITE_OES);
    glTexEnvi(GL_POINT_SPRITE_OES, GL_COORD_REPLACE_OES, GL_TRUE);
    glPointSize(18.0f + (float)frame);
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, places);
    glDrawArrays(GL_POINTS, 0, 3);
    glDisableClientState(GL_VERTEX_ARRAY);
    glGetTexEnviv(GL_POINT_SPRITE_OES, GL_COORD_REPLACE_OES, &replaced);
    fx_note_int(fx, replaced);
    glDeleteTextures(1, &name);
}

static void draw_texture(struct fx *fx, int frame)
{
    PFNGLDRAWTEXFOESPROC draw = EXTENSION(PFNGLDRAWTEXFOESPROC, glDrawTexfOES);
    PFNGLDRAWTEXIVOESPROC drawn = EXTENSION(PFNGLDRAWTEXIVOESPROC, glDrawTexivOES);
    PFNGLDRAWTEXXOESPROC fixed_draw = EXTENSION(PFNGLDRAWTEXXOESPROC, glDrawTexxOES);
    PFNGLDRAWTEXSOESPROC short_draw = EXTENSION(PFNGLDRAWTEXSOESPROC, glDrawTexsOES);
    const GLint crop[] = {3, 5, 40, 50 - frame}, place[] = {32, 0, 0, 30, 20};
    GLint back[4] = {0};
    GLuint name = fill_texture(GL_RGB, GL_UNSIGNED_BYTE, frame);
    glEnable(GL_TEXTURE_2D);
    glTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, crop);
    glColor4f(1, 1, 1, 1);
    draw(1, 2, 0, 25, 20);
    drawn(place);
    fixed_draw(0, 32 << 16, 0, 20 << 16, 30 << 16);
    short_draw(30, 30, 1, 33, (GLshort)(20 + frame));
    glGetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, back);
    fx_note(fx, back, sizeof back);
    glDeleteTextures(1, &name);
}

static void cube_maps(struct fx *fx, int frame)
{
    PFNGLTEXGENIOESPROC generate = EXTENSION(PFNGLTEXGENIOESPROC, glTexGeniOES);
    PFNGLGETTEXGENIVOESPROC generated = EXTENSION(PFNGLGETTEXGENIVOESPROC, glGetTexGenivOES);
    GLubyte bytes[8 * 8 * 3];
    GLint mode = 0;
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_CUBE_MAP_OES, name);
    glTexParameteri(GL_TEXTURE_CUBE_MAP_OES, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    for (GLenum face = 0; face < 6; face++) {
        fx_bytes(bytes, sizeof bytes, face + 7);
        glTexImage2D(GL_TEXTURE_CUBE_MAP_POSITIVE_X_OES + face, 0, GL_RGB, 8, 8, 0, GL_RGB,
                     GL_UNSIGNED_BYTE, bytes);
    }
    generated(GL_TEXTURE_GEN_STR_OES, GL_TEXTURE_GEN_MODE_OES, &mode);
    fx_note_int(fx, mode);
    glEnable(GL_TEXTURE_CUBE_MAP_OES);
    glEnable(GL_TEXTURE_GEN_STR_OES);
    generate(GL_TEXTURE_GEN_STR_OES, GL_TEXTURE_GEN_MODE_OES,
             frame == 1 ? GL_NORMAL_MAP_OES : GL_REFLECTION_MAP_OES);
    generated(GL_TEXTURE_GEN_STR_OES, GL_TEXTURE_GEN_MODE_OES, &mode);
    fx_note_int(fx, mode);
    fill_sheet(frame);
    glDisable(GL_TEXTURE_GEN_STR_OES);
    glDisable(GL_TEXTURE_CUBE_MAP_OES);
    glDeleteTextures(1, &name);
}

static void paletted(struct fx *fx, int frame)
{
    GLubyte data[16 * 4 + 64 * 64 / 2];
    GLuint name;
    fx_bytes(data, sizeof data, (uint32_t)frame + 40);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glCompressedTexImage2D(GL_TEXTURE_2D, 0, GL_PALETTE4_RGBA8_OES, 64, 64, 0, sizeof data, data);
    glEnable(GL_TEXTURE_2D);
    fill_textured(-1, -1, 1, 1, 1);
    glCompressedTexImage2D(GL_TEXTURE_2D, 0, GL_PALETTE4_RGBA8_OES, 64, 64, 0, 5, data);
    fx_error(fx, GL_INVALID_VALUE);
    glDeleteTextures(1, &name);
}

static void etc_compressed(struct fx *fx, int frame)
{
    GLubyte data[16 * 16 / 2];
    GLuint name;
    (void)fx;
    fx_bytes(data, sizeof data, (uint32_t)frame + 60);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glCompressedTexImage2D(GL_TEXTURE_2D, 0, GL_ETC1_RGB8_OES, 16, 16, 0, sizeof data, data);
    glEnable(GL_TEXTURE_2D);
    fill_textured(-1, -1, 1, 1, 1);
    glDeleteTextures(1, &name);
}

static void framebuffer_objects(struct fx *fx, int frame)
{
    PFNGLGENFRAMEBUFFERSOESPROC generate =
        EXTENSION(PFNGLGENFRAMEBUFFERSOESPROC, glGenFramebuffersOES);
    PFNGLBINDFRAMEBUFFEROESPROC bind = EXTENSION(PFNGLBINDFRAMEBUFFEROESPROC, glBindFramebufferOES);
    PFNGLDELETEFRAMEBUFFERSOESPROC delete =
        EXTENSION(PFNGLDELETEFRAMEBUFFERSOESPROC, glDeleteFramebuffersOES);
    PFNGLGENRENDERBUFFERSOESPROC generate_buffers =
        EXTENSION(PFNGLGENRENDERBUFFERSOESPROC, glGenRenderbuffersOES);
    PFNGLBINDRENDERBUFFEROESPROC bind_buffer =
        EXTENSION(PFNGLBINDRENDERBUFFEROESPROC, glBindRenderbufferOES);
    PFNGLDELETERENDERBUFFERSOESPROC delete_buffers =
        EXTENSION(PFNGLDELETERENDERBUFFERSOESPROC, glDeleteRenderbuffersOES);
    PFNGLRENDERBUFFERSTORAGEOESPROC storage =
        EXTENSION(PFNGLRENDERBUFFERSTORAGEOESPROC, glRenderbufferStorageOES);
    PFNGLFRAMEBUFFERRENDERBUFFEROESPROC attach_buffer =
        EXTENSION(PFNGLFRAMEBUFFERRENDERBUFFEROESPROC, glFramebufferRenderbufferOES);
    PFNGLFRAMEBUFFERTEXTURE2DOESPROC attach =
        EXTENSION(PFNGLFRAMEBUFFERTEXTURE2DOESPROC, glFramebufferTexture2DOES);
    PFNGLCHECKFRAMEBUFFERSTATUSOESPROC status =
        EXTENSION(PFNGLCHECKFRAMEBUFFERSTATUSOESPROC, glCheckFramebufferStatusOES);
    PFNGLGENERATEMIPMAPOESPROC mipmap = EXTENSION(PFNGLGENERATEMIPMAPOESPROC, glGenerateMipmapOES);
    PFNGLGETFRAMEBUFFERATTACHMENTPARAMETERIVOESPROC attached = EXTENSION(
        PFNGLGETFRAMEBUFFERATTACHMENTPARAMETERIVOESPROC, glGetFramebufferAttachmentParameterivOES);
    GLuint framebuffer, depth, color = fill_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    GLint value = 0;
    generate(1, &framebuffer);
    bind(GL_FRAMEBUFFER_OES, framebuffer);
    generate_buffers(1, &depth);
    bind_buffer(GL_RENDERBUFFER_OES, depth);
    storage(GL_RENDERBUFFER_OES, GL_DEPTH_COMPONENT16_OES, FX_SIZE, FX_SIZE);
    fx_note_int(fx, status(GL_FRAMEBUFFER_OES));
    attach(GL_FRAMEBUFFER_OES, GL_COLOR_ATTACHMENT0_OES, GL_TEXTURE_2D, color, 0);
    attach_buffer(GL_FRAMEBUFFER_OES, GL_DEPTH_ATTACHMENT_OES, GL_RENDERBUFFER_OES, depth);
    fx_note_int(fx, status(GL_FRAMEBUFFER_OES));
    attached(GL_FRAMEBUFFER_OES, GL_DEPTH_ATTACHMENT_OES, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE_OES,
             &value);
    fx_note_int(fx, value);
    glGetIntegerv(GL_FRAMEBUFFER_BINDING_OES, &value);
    fx_note_int(fx, value == (GLint)framebuffer);
    glClear(GL_DEPTH_BUFFER_BIT);
    glEnable(GL_DEPTH_TEST);
    glColor4f(1, 0.5f, 0.2f * (float)frame, 1);
    fill_rect(-0.8f, -0.8f, 0.3f, 0.3f);
    glDisable(GL_DEPTH_TEST);
    bind(GL_FRAMEBUFFER_OES, 0);
    mipmap(GL_TEXTURE_2D);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_NEAREST);
    glColor4f(1, 1, 1, 1);
    glEnable(GL_TEXTURE_2D);
    fill_textured(-1, -1, 1, 1, 2);
    glDisable(GL_TEXTURE_2D);
    delete (1, &framebuffer);
    delete_buffers(1, &depth);
    glDeleteTextures(1, &color);
}

static void read_pixels(struct fx *fx, int frame)
{
    GLubyte bytes[64 * 64 * 4];
    GLint format = 0, type = 0;
    fill_rect(-0.3f, -0.7f, 0.1f * (float)frame, 0.8f);
    for (int i = 0; i < 4; i++) {
        glPixelStorei(GL_PACK_ALIGNMENT, 1 << i);
        memset(bytes, 0xaa, sizeof bytes);
        glReadPixels(i * 3, 5, 21, 17, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
        fx_note(fx, bytes, sizeof bytes);
    }
    glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_FORMAT_OES, &format);
    glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_TYPE_OES, &type);
    fx_note_int(fx, format);
    fx_note_int(fx, type);
    glReadPixels(0, 0, 4, 4, (GLenum)format, (GLenum)type, bytes);
    fx_note(fx, bytes, 32);
    glReadPixels(0, 0, 4, 4, GL_RGBA, GL_FLOAT, bytes);
    fx_error(fx, GL_INVALID_OPERATION);
    glReadPixels(0, 0, -4, 4, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    fx_error(fx, GL_INVALID_VALUE);
}

static void debug_notes(struct fx *fx, int frame)
{
    PFNGLPUSHDEBUGGROUPKHRPROC push = EXTENSION(PFNGLPUSHDEBUGGROUPKHRPROC, glPushDebugGroupKHR);
    PFNGLPOPDEBUGGROUPKHRPROC pop = EXTENSION(PFNGLPOPDEBUGGROUPKHRPROC, glPopDebugGroupKHR);
    PFNGLOBJECTLABELKHRPROC label = EXTENSION(PFNGLOBJECTLABELKHRPROC, glObjectLabelKHR);
    PFNGLGETOBJECTLABELKHRPROC labelled =
        EXTENSION(PFNGLGETOBJECTLABELKHRPROC, glGetObjectLabelKHR);
    GLchar text[32] = {0};
    GLint depth = 0;
    GLsizei length = 0;
    GLuint name;
    push(GL_DEBUG_SOURCE_APPLICATION_KHR, (GLuint)frame, -1, "a group");
    glGetIntegerv(GL_DEBUG_GROUP_STACK_DEPTH_KHR, &depth);
    fx_note_int(fx, depth);
    glGenBuffers(1, &name);
    glBindBuffer(GL_ARRAY_BUFFER, name);
    label(GL_BUFFER_KHR, name, -1, "vertices");
    labelled(GL_BUFFER_KHR, name, sizeof text, &length, text);
    fx_note_int(fx, length);
    fx_note_text(fx, text);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glDeleteBuffers(1, &name);
    pop();
}

/* A stock host has no way to say these things: the picture is the same. */
static void debug_groups(struct fx *fx, int frame)
{
    if (fx_has("GL_KHR_debug")) {
        debug_notes(fx, frame);
    }
    fill_rect(-0.5f, -0.5f, 0.5f, 0.5f);
}

const struct fx_feature gles1_texture_features[] = {
    {"texture_formats", texture_formats, "GL_EXT_texture_format_BGRA8888"},
    {"texture_wraps", texture_wraps, "GL_OES_texture_mirrored_repeat"},
    {"mipmaps", mipmaps, NULL},
    {"texture_updates", texture_updates, NULL},
    {"texture_copies", texture_copies, NULL},
    {"environments", environments, NULL},
    {"combiners", combiners, NULL},
    {"several_units", several_units, NULL},
    {"point_sprites", point_sprites, "GL_OES_point_sprite"},
    {"draw_texture", draw_texture, "GL_OES_draw_texture"},
    {"cube_maps", cube_maps, "GL_OES_texture_cube_map"},
    {"paletted", paletted, "GL_OES_compressed_paletted_texture"},
    {"etc_compressed", etc_compressed, "GL_OES_compressed_ETC1_RGB8_texture"},
    {"framebuffer_objects", framebuffer_objects, "GL_OES_framebuffer_object"},
    {"read_pixels", read_pixels, NULL},
    {"debug_groups", debug_groups, NULL},
};
const size_t gles1_texture_feature_count =
    sizeof gles1_texture_features / sizeof *gles1_texture_features;
