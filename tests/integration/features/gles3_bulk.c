/* Bulky data: uploads, buffers, maps and reads from a few KiB to several MiB, the refused ones
 * among them. Sizes are such that they travel in one piece and in several. */
#include "tests/integration/features/gles3.h"

#include <stdlib.h>
#include <string.h>

enum { WIDE = 640, HIGH = 700, PIXELS = WIDE * HIGH * 4, LARGE = 3000000 };

/* Memory of the program's with a pattern, kept. */
static uint8_t *pattern(uint32_t seed)
{
    static uint8_t *bytes;
    bytes = bytes ? bytes : malloc(LARGE);
    fx_bytes(bytes, LARGE, seed);
    return bytes;
}

/* A texture of WIDE x HIGH, bound, and a framebuffer to read it by. */
static GLuint large_texture(void)
{
    GLuint texture, name;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, WIDE, HIGH);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    glClearColor(0.25f, 0.5f, 0.75f, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    return texture;
}

static void upload(int x, int y, int width, int height, const void *data)
{
    glTexSubImage2D(GL_TEXTURE_2D, 0, x, y, width, height, GL_RGBA, GL_UNSIGNED_BYTE, data);
}

static void show(struct fx *fx, GLuint texture)
{
    fx_note_pixels(fx, 0, 0, WIDE, HIGH);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    fx_show(fx, texture);
}

static void large_uploads(struct fx *fx, int frame)
{
    GLuint texture = large_texture();
    const uint8_t *data = pattern((uint32_t)frame);
    upload(0, 0, WIDE, HIGH, data);
    upload(3, 5, 50, 60, data + 7);             /* a few KiB */
    upload(1 + frame, 100, 321, 590, data + 3); /* lines that end anywhere */
    fx_error(fx, GL_NO_ERROR);
    show(fx, texture);
}

/* Rows and pixels skipped, rows padded, on the way in and out. */
static void layouts(struct fx *fx, int frame)
{
    GLuint texture = large_texture();
    const uint8_t *data = pattern(40 + (uint32_t)frame);
    static uint8_t back[LARGE];
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 650);
    upload(0, 0, WIDE, HIGH, data);
    glPixelStorei(GL_UNPACK_SKIP_ROWS, 3);
    glPixelStorei(GL_UNPACK_SKIP_PIXELS, 2);
    upload(5, 6, 600, 400, data);
    glPixelStorei(GL_PACK_ROW_LENGTH, 700);
    glPixelStorei(GL_PACK_ALIGNMENT, 8);
    for (int skip = 0; skip < 2; skip++) {
        memset(back, 0x77, sizeof back);
        glPixelStorei(GL_PACK_SKIP_ROWS, skip * 5);
        glReadPixels(3, 2, 555, 666, GL_RGBA, GL_UNSIGNED_BYTE, back);
        fx_note(fx, back, sizeof back);
    }
    glPixelStorei(GL_PACK_SKIP_ROWS, 0);
    glPixelStorei(GL_PACK_ROW_LENGTH, 0);
    fx_error(fx, GL_NO_ERROR);
    show(fx, texture);
}

/* What does not fit, or cannot be, leaves all as it is, and is said once. */
static void refused_uploads(struct fx *fx, int frame)
{
    GLuint texture = large_texture();
    const uint8_t *data = pattern(80 + (uint32_t)frame);
    upload(0, 1, WIDE, HIGH, data); /* the last row */
    fx_error(fx, GL_INVALID_VALUE);
    upload(1, 0, WIDE, HIGH, data);
    fx_error(fx, GL_INVALID_VALUE);
    upload(-1, 0, WIDE, HIGH, data);
    fx_error(fx, GL_INVALID_VALUE);
    upload(0, -300, WIDE, HIGH, data);
    fx_error(fx, GL_INVALID_VALUE);
    glTexSubImage2D(GL_TEXTURE_2D, 1, 0, 0, WIDE, HIGH, GL_RGBA, GL_UNSIGNED_BYTE, data);
    fx_note_int(fx, glGetError());
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, WIDE, HIGH, GL_RED_INTEGER, GL_INT, data);
    fx_error(fx, GL_INVALID_OPERATION);
    glBindTexture(GL_TEXTURE_2D, 0);
    upload(0, 0, WIDE, HIGH, data); /* it has no storage */
    fx_note_int(fx, glGetError());
    glBindTexture(GL_TEXTURE_2D, texture);
    show(fx, texture);
}

static void images(struct fx *fx, int frame)
{
    GLuint texture;
    const uint8_t *data = pattern(120 + (uint32_t)frame);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_3D, texture);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 100, 90, 60, 0, GL_RGBA, GL_UNSIGNED_BYTE, data);
    glPixelStorei(GL_UNPACK_IMAGE_HEIGHT, 95);
    glTexSubImage3D(GL_TEXTURE_3D, 0, 1, 2, 3, 99, 80, 40, GL_RGBA, GL_UNSIGNED_BYTE, data + 11);
    fx_error(fx, GL_NO_ERROR);
    GLuint p = es3_fill("in vec2 t; uniform mediump sampler3D s; uniform float z; out vec4 o; "
                        "void main() { o = texture(s, vec3(t, z)); }");
    glUniform1f(glGetUniformLocation(p, "z"), 0.2f * (float)(frame + 1));
    fx_quad();
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, WIDE, HIGH, 0, GL_RGBA, GL_UNSIGNED_BYTE, data);
    glGenerateMipmap(GL_TEXTURE_2D);
    fx_error(fx, GL_NO_ERROR);
    es3_fill(ES3_TEXTURED);
    fx_rect(-0.5f, -0.5f, 0.5f, 0.5f);
}

static void buffers(struct fx *fx, int frame)
{
    GLuint name;
    const uint8_t *data = pattern(160 + (uint32_t)frame);
    glGenBuffers(1, &name);
    glBindBuffer(GL_COPY_WRITE_BUFFER, name);
    glBufferData(GL_COPY_WRITE_BUFFER, 2000000, data, GL_STATIC_DRAW);
    es3_note_buffer(fx, name, 2000000);
    glBufferSubData(GL_COPY_WRITE_BUFFER, 11, 1900003, data + 1000);
    glBufferSubData(GL_COPY_WRITE_BUFFER, 1999000, 1000, data);
    fx_error(fx, GL_NO_ERROR);
    es3_note_buffer(fx, name, 2000000);
    glBufferSubData(GL_COPY_WRITE_BUFFER, 1000001, 1000000, data); /* a byte too many */
    fx_error(fx, GL_INVALID_VALUE);
    es3_note_buffer(fx, name, 2000000);
}

/* Maps whose old contents do not matter, and others between them. */
static void maps(struct fx *fx, int frame)
{
    static const GLbitfield ways[] = {GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT,
                                      GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_RANGE_BIT,
                                      GL_MAP_WRITE_BIT, GL_MAP_READ_BIT | GL_MAP_WRITE_BIT};
    GLuint names[2];
    uint8_t *to;
    glGenBuffers(2, names);
    for (int i = 0; i < 2; i++) {
        glBindBuffer(i == 0 ? GL_COPY_WRITE_BUFFER : GL_COPY_READ_BUFFER, names[i]);
        glBufferData(i == 0 ? GL_COPY_WRITE_BUFFER : GL_COPY_READ_BUFFER, 1000000, pattern(7),
                     GL_STREAM_DRAW);
    }
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        size_t offset = i * 1001, size = 900000 + 1001 * i;
        to = glMapBufferRange(GL_COPY_WRITE_BUFFER, (GLintptr)offset, (GLsizeiptr)size, ways[i]);
        uint8_t *other = glMapBufferRange(GL_COPY_READ_BUFFER, 0, 300000, ways[0]);
        if (to && other) {
            fx_bytes(to, size, (uint32_t)(frame + 10 * (int)i));
            memcpy(other, to, 300000);
            glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 256, 256, 0, GL_RGBA, GL_UNSIGNED_BYTE, to);
        }
        fx_note_int(fx, glUnmapBuffer(GL_COPY_READ_BUFFER));
        fx_note_int(fx, glUnmapBuffer(GL_COPY_WRITE_BUFFER));
        es3_note_buffer(fx, names[0], 1000000);
        es3_note_buffer(fx, names[1], 1000000);
    }
    to = glMapBufferRange(GL_COPY_WRITE_BUFFER, 0, 1000000, ways[0]);
    fx_note_int(fx, to != NULL);
    glDeleteBuffers(1, names); /* while it is mapped */
    fx_error(fx, GL_NO_ERROR);
}

/* So many that both kinds of memory for them are used, and go over into each other. */
static void many_maps(struct fx *fx, int frame)
{
    enum { MAPS = 48, SIZE = 200000, BYTES = 1000000 };
    GLuint name;
    glGenBuffers(1, &name);
    glBindBuffer(GL_COPY_WRITE_BUFFER, name);
    glBufferData(GL_COPY_WRITE_BUFFER, BYTES, pattern(9), GL_STREAM_DRAW);
    for (int i = 0; i < MAPS; i++) {
        size_t offset = (size_t)i * 50001 % (BYTES - SIZE), size = SIZE - 1000 * (size_t)(i % 7);
        uint8_t *to = glMapBufferRange(GL_COPY_WRITE_BUFFER, (GLintptr)offset, (GLsizeiptr)size,
                                       GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_RANGE_BIT);
        if (to) {
            fx_bytes(to, size, (uint32_t)(frame + i));
        }
        fx_note_int(fx, glUnmapBuffer(GL_COPY_WRITE_BUFFER));
        if (i % 12 == 11) {
            es3_note_buffer(fx, name, BYTES);
            glBufferSubData(GL_COPY_WRITE_BUFFER, 70000, 90001, pattern(20 + (uint32_t)i));
        }
    }
    es3_note_buffer(fx, name, BYTES);
    fx_error(fx, GL_NO_ERROR);
}

/* A read that is refused leaves the program's memory alone. */
static void refused_reads(struct fx *fx, int frame)
{
    static uint8_t back[4 * PIXELS]; /* as large as floats would be */
    GLuint texture = large_texture();
    upload(0, 0, WIDE, HIGH, pattern(200 + (uint32_t)frame));
    memset(back, 0x55, sizeof back);
    glReadPixels(0, 0, WIDE, HIGH, GL_RGBA, GL_FLOAT, back);
    fx_error(fx, GL_INVALID_OPERATION);
    glReadPixels(0, 0, WIDE, HIGH, GL_RGBA, GL_TEXTURE_2D, back);
    fx_note_int(fx, glGetError());
    fx_note(fx, back, sizeof back);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 0, 0);
    glReadPixels(0, 0, WIDE, HIGH, GL_RGBA, GL_UNSIGNED_BYTE, back);
    fx_error(fx, GL_INVALID_FRAMEBUFFER_OPERATION);
    fx_note(fx, back, sizeof back);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    glReadPixels(0, 0, WIDE, HIGH, GL_RGBA, GL_UNSIGNED_BYTE, back);
    fx_note(fx, back, sizeof back);
    show(fx, texture);
}

/* Answers and packets share a ring's memory. Small reads lead the answers all the way round it,
 * past whatever is being packed while bands of a large one are on their way. */
static void many_reads(struct fx *fx, int frame)
{
    enum { SIDE = 1280, BYTES = SIDE * SIDE * 4 };
    static uint8_t back[BYTES];
    GLuint framebuffer, colour;
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glGenRenderbuffers(1, &colour);
    glBindRenderbuffer(GL_RENDERBUFFER, colour);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, SIDE, SIDE);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, colour);
    glClearColor(0.2f, 0.1f * (float)frame, 0.7f, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    for (int i = 0; i < 60; i++) {
        for (int n = 0; n < 6; n++) {
            glReadPixels(i, n, 32, 31, GL_RGBA, GL_UNSIGNED_BYTE, back);
        }
        glReadPixels(0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, back);
    }
    fx_note(fx, back, sizeof back);
    fx_error(fx, GL_NO_ERROR);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteRenderbuffers(1, &colour);
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles3_bulk_features[] = {
    FEATURE(large_uploads), FEATURE(layouts),       FEATURE(refused_uploads),
    FEATURE(images),        FEATURE(buffers),       FEATURE(maps),
    FEATURE(many_maps),     FEATURE(refused_reads), FEATURE(many_reads),
};
const size_t gles3_bulk_feature_count = sizeof gles3_bulk_features / sizeof gles3_bulk_features[0];
