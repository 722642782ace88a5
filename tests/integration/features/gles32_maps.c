/* EXT_buffer_storage: storage that cannot be made anew, and maps that last over draws. */
#include "tests/integration/features/gles32.h"

#include <string.h>

/* Maps of some pages, and of so many that nobody looks at all of them for each draw. */
enum { SMALL = 8192, LARGE = 1 << 20 };

#define LASTS (GL_MAP_PERSISTENT_BIT_EXT | GL_MAP_COHERENT_BIT_EXT)

static void storage(GLenum target, GLsizeiptr size, const void *data, GLbitfield flags)
{
    PFNGLBUFFERSTORAGEEXTPROC make = (PFNGLBUFFERSTORAGEEXTPROC)es32_address("glBufferStorageEXT");
    make(target, size, data, flags);
}

/* A buffer of zeros, bound to `target` and mapped. */
static uint8_t *mapped(GLenum target, GLsizeiptr size, GLbitfield access, GLuint *buffer)
{
    static const uint8_t zeros[LARGE];
    const GLbitfield flags = access & ~(GLbitfield)GL_MAP_FLUSH_EXPLICIT_BIT;
    glGenBuffers(1, buffer);
    glBindBuffer(target, *buffer);
    storage(target, size, zeros, flags);
    return glMapBufferRange(target, 0, size, access);
}

static void wait_for_host(struct fx *fx)
{
    GLsync sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    GLenum answer = glClientWaitSync(sync, GL_SYNC_FLUSH_COMMANDS_BIT, GL_TIMEOUT_IGNORED);
    fx_note_int(fx, answer == GL_ALREADY_SIGNALED || answer == GL_CONDITION_SATISFIED);
    glDeleteSync(sync);
}

static void wait_by_egl(struct fx *fx)
{
    EGLSync sync = eglCreateSync(fx->egl.display, EGL_SYNC_FENCE, NULL);
    fx_note_int(fx, eglClientWaitSync(fx->egl.display, sync, EGL_SYNC_FLUSH_COMMANDS_BIT,
                                      EGL_FOREVER) == EGL_CONDITION_SATISFIED);
    eglDestroySync(fx->egl.display, sync);
}

/* Of a buffer that need not be readable. */
static void note_contents(struct fx *fx, GLuint buffer, GLsizeiptr size)
{
    GLuint copy;
    glGenBuffers(1, &copy);
    glBindBuffer(GL_COPY_READ_BUFFER, buffer);
    glBindBuffer(GL_COPY_WRITE_BUFFER, copy);
    glBufferData(GL_COPY_WRITE_BUFFER, size, NULL, GL_STREAM_READ);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 0, 0, size);
    es3_note_buffer(fx, copy, (size_t)size);
    glDeleteBuffers(1, &copy);
    fx_error(fx, GL_NO_ERROR);
}

/* A square of a grid of eight by eight. */
static void square(float *corners, int place)
{
    float x = (float)(place % 8) / 4 - 1, y = (float)(place / 8 % 8) / 4 - 1;
    const float all[8] = {x, y, x + 0.2f, y, x, y + 0.2f, x + 0.2f, y + 0.2f};
    memcpy(corners, all, sizeof all);
}

/* --- written while draws read --- */

static void draw_squares(struct fx *fx, uint8_t *map, size_t size, int frame)
{
    GLuint p = es3_fill(COLORED);
    glEnableVertexAttribArray(0);
    for (int i = 0; i < 12; i++) {
        size_t at = (size_t)(i * 37 + frame) % (size / 32) * 32;
        square((float *)(map + at), i * 5 + frame);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (void *)at);
        color(p, (float)i / 12, 1, 0.5f, 1);
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    }
    glFinish();
    square((float *)map, 62 - frame); /* the same bytes again */
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glDisableVertexAttribArray(0);
    fx_error(fx, GL_NO_ERROR);
}

static void lasting_vertices(struct fx *fx, int frame)
{
    GLuint buffers[2];
    draw_squares(fx, mapped(GL_ARRAY_BUFFER, SMALL, GL_MAP_WRITE_BIT | LASTS, &buffers[0]), SMALL,
                 frame);
    draw_squares(fx, mapped(GL_ARRAY_BUFFER, LARGE, GL_MAP_WRITE_BIT | LASTS, &buffers[1]), LARGE,
                 frame + 1);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glDeleteBuffers(2, buffers);
}

static void lasting_indices(struct fx *fx, int frame)
{
    GLuint vertices, indices, p = es3_fill(COLORED);
    float *corners = (float *)mapped(GL_ARRAY_BUFFER, SMALL, GL_MAP_WRITE_BIT | LASTS, &vertices);
    uint16_t *index =
        (uint16_t *)mapped(GL_ELEMENT_ARRAY_BUFFER, SMALL, GL_MAP_WRITE_BIT | LASTS, &indices);
    for (int i = 0; i < 64; i++) {
        square(corners + i * 8, i);
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    color(p, 0.25f, 0.5f, 1, 1);
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 4; k++) {
            index[i * 4 + k] = (uint16_t)((i * 9 + frame) * 4 + k);
        }
        glDrawElements(GL_TRIANGLE_STRIP, 4, GL_UNSIGNED_SHORT, (void *)(size_t)(i * 8));
    }
    glDisableVertexAttribArray(0);
    fx_error(fx, GL_NO_ERROR);
    glUnmapBuffer(GL_ELEMENT_ARRAY_BUFFER);
    glUnmapBuffer(GL_ARRAY_BUFFER);
    note_contents(fx, vertices, 64 * 32);
    note_contents(fx, indices, 64);
}

static void lasting_uniforms(struct fx *fx, int frame)
{
    GLuint buffer, p = es3_fill("layout(std140) uniform B { vec4 c; }; out vec4 o; "
                                "void main() { o = c; }");
    uint8_t *map = mapped(GL_UNIFORM_BUFFER, LARGE, GL_MAP_WRITE_BIT | LASTS, &buffer);
    glUniformBlockBinding(p, glGetUniformBlockIndex(p, "B"), 1);
    for (int i = 0; i < 4; i++) {
        const float wanted[4] = {(float)i / 4, (float)frame / 3, 0.5f, 1};
        memcpy(map + i * 4096, wanted, sizeof wanted);
        glBindBufferRange(GL_UNIFORM_BUFFER, 1, buffer, i * 4096, 256);
        fx_rect(-1 + (float)i * 0.5f, -1, -0.6f + (float)i * 0.5f, 1);
    }
    fx_error(fx, GL_NO_ERROR);
}

static void lasting_flushes(struct fx *fx, int frame)
{
    GLuint buffer, p = es3_fill(COLORED);
    uint8_t *map =
        mapped(GL_ARRAY_BUFFER, SMALL,
               GL_MAP_WRITE_BIT | GL_MAP_PERSISTENT_BIT_EXT | GL_MAP_FLUSH_EXPLICIT_BIT, &buffer);
    glEnableVertexAttribArray(0);
    color(p, 1, 0.5f, 0, 1);
    for (int i = 0; i < 4; i++) {
        square((float *)(map + i * 32), i * 11 + frame);
        glFlushMappedBufferRange(GL_ARRAY_BUFFER, i * 32, 32);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (void *)(size_t)(i * 32));
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    }
    glFlushMappedBufferRange(GL_ARRAY_BUFFER, SMALL - 16, 32);
    fx_error(fx, GL_INVALID_VALUE);
    glDisableVertexAttribArray(0);
    glUnmapBuffer(GL_ARRAY_BUFFER);
    note_contents(fx, buffer, 128);
}

/* --- read while the driver writes --- */

static void copied_in(struct fx *fx, size_t size, int frame)
{
    GLuint buffer, source;
    uint8_t some[512];
    const GLbitfield access = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS;
    uint8_t *map = mapped(GL_COPY_WRITE_BUFFER, (GLsizeiptr)size, access, &buffer);
    fx_bytes(some, sizeof some, (uint32_t)frame);
    glGenBuffers(1, &source);
    glBindBuffer(GL_COPY_READ_BUFFER, source);
    glBufferData(GL_COPY_READ_BUFFER, sizeof some, some, GL_STATIC_DRAW);
    memset(map, 7, 64);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 0, 32, 256);
    memset(map + 288, 9, 64); /* behind what is copied */
    wait_for_host(fx);
    fx_note(fx, map, 512);
    map[40] = 1;
    glCopyBufferSubData(GL_COPY_WRITE_BUFFER, GL_COPY_READ_BUFFER, 0, 0, 512);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 0, (GLintptr)size - 512, 512);
    glFinish();
    fx_note(fx, map, size);
    glUnmapBuffer(GL_COPY_WRITE_BUFFER);
    es3_note_buffer(fx, source, sizeof some);
    es3_note_buffer(fx, buffer, size);
}

static void lasting_copies(struct fx *fx, int frame)
{
    copied_in(fx, SMALL, frame);
    copied_in(fx, LARGE, frame);
}

/* A shader counts up every second number; the application writes those between. */
static void lasting_shader_writes(struct fx *fx, int frame)
{
    static const char text[] = "#version 310 es\nlayout(local_size_x = 16) in; "
                               "layout(std430, binding = 2) buffer B { uint n[]; }; void main() { "
                               "n[gl_GlobalInvocationID.x * 2u] += gl_GlobalInvocationID.x; }";
    const char *const texts[] = {text};
    const GLbitfield access = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS;
    GLuint buffer, program = glCreateShaderProgramv(GL_COMPUTE_SHADER, 1, texts);
    uint32_t *map = (uint32_t *)mapped(GL_SHADER_STORAGE_BUFFER, LARGE, access, &buffer);
    glUseProgram(program);
    glBindBufferBase(GL_SHADER_STORAGE_BUFFER, 2, buffer);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 64; i++) {
            map[i * 2 + 1] = i + round * 100 + (uint32_t)frame;
        }
        map[0] = round;
        glDispatchCompute(4, 1, 1);
        glMemoryBarrier(GL_CLIENT_MAPPED_BUFFER_BARRIER_BIT_EXT);
        if (round == 1) {
            wait_by_egl(fx);
        } else {
            wait_for_host(fx);
        }
        fx_note(fx, map, 130 * sizeof *map);
    }
    glUnmapBuffer(GL_SHADER_STORAGE_BUFFER);
    es3_note_buffer(fx, buffer, 130 * sizeof *map);
    glUseProgram(0);
    glDeleteProgram(program);
}

/* --- pixels --- */

static void lasting_pixels(struct fx *fx, int frame)
{
    GLuint from, to, texture;
    const GLbitfield access = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS;
    uint8_t *out = mapped(GL_PIXEL_UNPACK_BUFFER, LARGE, GL_MAP_WRITE_BIT | LASTS, &from);
    uint8_t *in = mapped(GL_PIXEL_PACK_BUFFER, LARGE, access, &to);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    fx_bytes(out, 64 * 64 * 4, (uint32_t)frame);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 64, 64, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    fx_bytes(out + 65536, 32 * 32 * 4, (uint32_t)frame + 9);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 4, 4, 32, 32, GL_RGBA, GL_UNSIGNED_BYTE, (void *)65536);
    glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
    es3_fill(ES3_TEXTURED);
    fx_quad();
    in[100000] = 3;
    glReadPixels(0, 0, 64, 64, GL_RGBA, GL_UNSIGNED_BYTE, (void *)4096);
    in[5] = 8;
    glFinish();
    fx_note(fx, in, 120000);
    glUnmapBuffer(GL_PIXEL_PACK_BUFFER);
    glBindBuffer(GL_PIXEL_PACK_BUFFER, 0);
    glDeleteBuffers(1, &from);
    glDeleteBuffers(1, &to);
    fx_error(fx, GL_NO_ERROR);
}

/* --- two contexts --- */

struct other {
    uint8_t *map;
    GLuint from, to;
};

static void use_there(void *user)
{
    const struct other *o = user;
    memset(o->map + 16, 5, 16);
    glBindBuffer(GL_COPY_READ_BUFFER, o->from);
    glBindBuffer(GL_COPY_WRITE_BUFFER, o->to);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 0, 0, 64);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 0, 4096, 64);
    memset(o->map + 32, 6, 16);
    glFinish();
}

static void lasting_elsewhere(struct fx *fx, int frame)
{
    struct other o;
    GLuint third;
    const GLbitfield access = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS;
    o.map = mapped(GL_ARRAY_BUFFER, LARGE, access, &o.from);
    const uint8_t *seen = mapped(GL_UNIFORM_BUFFER, SMALL, access, &o.to);
    memset(o.map, frame + 1, 48);
    fx_on_thread(fx, use_there, &o);
    fx_note(fx, seen, SMALL);
    glGenBuffers(1, &third);
    glBindBuffer(GL_COPY_WRITE_BUFFER, third);
    glBufferData(GL_COPY_WRITE_BUFFER, 64, NULL, GL_STREAM_DRAW);
    glCopyBufferSubData(GL_ARRAY_BUFFER, GL_COPY_WRITE_BUFFER, 0, 0, 64);
    es3_note_buffer(fx, third, 64);
}

/* A context of GLES 1 draws vertices, and in their order, that are written while it has them. */
static void lasting_in_gles1(struct fx *fx, int frame)
{
    typedef void (*pointer_call)(GLint size, GLenum type, GLsizei stride, const void *pointer);
    typedef void (*enable_call)(GLenum array);
    typedef void (*color_call)(GLfloat red, GLfloat green, GLfloat blue, GLfloat alpha);
    pointer_call point = (pointer_call)es32_address("glVertexPointer");
    enable_call enable = (enable_call)es32_address("glEnableClientState");
    color_call tint = (color_call)es32_address("glColor4f");
    const GLenum vertices = 0x8074; /* GL_VERTEX_ARRAY, of GLES 1's header */
    const GLbitfield access = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS;
    GLuint corners, order, third;
    float *at =
        (float *)(void *)mapped(GL_ARRAY_BUFFER, frame == 2 ? LARGE : SMALL, access, &corners);
    uint16_t *indices = (uint16_t *)(void *)mapped(GL_COPY_READ_BUFFER, SMALL, access, &order);
    EGLContext fixed = plain_egl_context(&fx->egl, 1, fx->context);
    plain_egl_current(&fx->egl, fx->surface, fixed);
    glGenBuffers(1, &third);
    glBindBuffer(GL_ARRAY_BUFFER, corners);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, order);
    enable(vertices);
    point(2, GL_FLOAT, 0, NULL);
    glBindBuffer(GL_ARRAY_BUFFER, frame == 1 ? third : corners);
    glClear(GL_COLOR_BUFFER_BIT);
    for (int i = 0; i < 4; i++) {
        float low = -1 + 0.25f * (float)(i + frame), high = low + 0.75f;
        const float all[] = {low, low, high, low, low, high, high, high};
        const uint16_t turn[] = {(uint16_t)(i % 2), 1, 2, 3};
        memcpy(at, all, sizeof all);
        memcpy(indices, turn, sizeof turn);
        tint(0.25f * (float)i, 1 - 0.25f * (float)i, 0.5f, 1);
        if (i < 2) {
            glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
        } else {
            glDrawElements(GL_TRIANGLE_STRIP, 4, GL_UNSIGNED_SHORT, NULL);
        }
        glFinish();
        at[0] = 9; /* after it was drawn */
    }
    fx_note_int(fx, glGetError());
    fx_note_pixels(fx, 0, 0, FX_SIZE, FX_SIZE);
    plain_egl_current(&fx->egl, fx->surface, fx->context);
    eglDestroyContext(fx->egl.display, fixed);
}

/* --- what is allowed --- */

static void note_storage(struct fx *fx)
{
    static const GLenum names[] = {GL_BUFFER_IMMUTABLE_STORAGE_EXT,
                                   GL_BUFFER_STORAGE_FLAGS_EXT,
                                   GL_BUFFER_SIZE,
                                   GL_BUFFER_USAGE,
                                   GL_BUFFER_MAPPED,
                                   GL_BUFFER_ACCESS_FLAGS};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        GLint value = -1;
        glGetBufferParameteriv(GL_ARRAY_BUFFER, names[i], &value);
        fx_note_int(fx, value);
    }
}

static void storage_made(struct fx *fx, GLsizeiptr size, GLbitfield flags, GLenum want)
{
    storage(GL_ARRAY_BUFFER, size, NULL, flags);
    fx_error(fx, want);
}

static void map_refused(struct fx *fx, GLbitfield access, GLenum want)
{
    fx_note_int(fx, glMapBufferRange(GL_ARRAY_BUFFER, 0, 64, access) != NULL);
    fx_error(fx, want);
}

static void storage_errors(struct fx *fx, int frame)
{
    GLuint buffer;
    uint8_t some[64];
    fx_bytes(some, sizeof some, (uint32_t)frame);
    storage_made(fx, 64, GL_MAP_READ_BIT, GL_INVALID_OPERATION);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    note_storage(fx);
    glBufferData(GL_ARRAY_BUFFER, 64, some, GL_STATIC_DRAW);
    map_refused(fx, GL_MAP_WRITE_BIT | LASTS, GL_INVALID_OPERATION);
    storage_made(fx, 0, GL_MAP_READ_BIT, GL_INVALID_VALUE);
    storage_made(fx, -1, GL_MAP_READ_BIT, GL_INVALID_VALUE);
    storage_made(fx, 64, GL_MAP_READ_BIT | 0x800000, GL_INVALID_VALUE);
    storage_made(fx, 64, GL_MAP_PERSISTENT_BIT_EXT, GL_INVALID_VALUE);
    storage_made(fx, 64, GL_MAP_READ_BIT | GL_MAP_COHERENT_BIT_EXT, GL_INVALID_VALUE);
    note_storage(fx);
    storage(GL_ARRAY_BUFFER, 64, some, GL_MAP_READ_BIT | GL_MAP_PERSISTENT_BIT_EXT);
    note_storage(fx);
    storage_made(fx, 64, GL_MAP_READ_BIT, GL_INVALID_OPERATION);
    glBufferData(GL_ARRAY_BUFFER, 32, some, GL_STATIC_DRAW);
    fx_error(fx, GL_INVALID_OPERATION);
    for (int i = 0; i < 2; i++) {
        glBufferSubData(GL_ARRAY_BUFFER, 0, 8, "01234567");
        fx_error(fx, GL_INVALID_OPERATION);
    }
    glBufferSubData(GL_ARRAY_BUFFER, 60, 8, "01234567");
    fx_error(fx, GL_INVALID_VALUE);
    map_refused(fx, GL_MAP_WRITE_BIT, GL_INVALID_OPERATION);
    map_refused(fx, GL_MAP_READ_BIT | LASTS, GL_INVALID_OPERATION);
    map_refused(fx, GL_MAP_READ_BIT | 0x800000, GL_INVALID_VALUE);
    map_refused(fx, GL_MAP_READ_BIT | GL_MAP_PERSISTENT_BIT_EXT, GL_NO_ERROR);
    map_refused(fx, GL_MAP_READ_BIT, GL_INVALID_OPERATION);
    note_storage(fx);
    fx_note_int(fx, glUnmapBuffer(GL_ARRAY_BUFFER));
    es3_note_buffer(fx, buffer, 64);
}

static void lasting_sub_data(struct fx *fx, int frame)
{
    GLuint buffer;
    uint8_t some[64];
    uint8_t *map =
        mapped(GL_ARRAY_BUFFER, SMALL,
               GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS | GL_DYNAMIC_STORAGE_BIT_EXT, &buffer);
    fx_error(fx, GL_INVALID_VALUE); /* no bit of a map */
    fx_note_int(fx, map != NULL);
    map = glMapBufferRange(GL_ARRAY_BUFFER, 128, 1024, GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | LASTS);
    fx_bytes(some, sizeof some, (uint32_t)frame);
    memset(map, 3, 32);
    glBufferSubData(GL_ARRAY_BUFFER, 112, 32, some);
    map[20] = 4;
    glFinish();
    fx_note(fx, map, 1024);
    glUnmapBuffer(GL_ARRAY_BUFFER);
    es3_note_buffer(fx, buffer, SMALL);
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, "GL_EXT_buffer_storage"                                                       \
    }
const struct fx_feature gles32_map_features[] = {
    FEATURE(lasting_vertices), FEATURE(lasting_indices),   FEATURE(lasting_uniforms),
    FEATURE(lasting_flushes),  FEATURE(lasting_copies),    FEATURE(lasting_shader_writes),
    FEATURE(lasting_pixels),   FEATURE(lasting_elsewhere), FEATURE(lasting_in_gles1),
    FEATURE(storage_errors),   FEATURE(lasting_sub_data),
};
const size_t gles32_map_feature_count = sizeof gles32_map_features / sizeof gles32_map_features[0];
