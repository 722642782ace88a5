/* Vertex arrays, buffers and draws of GLES 1.1. */
#include "tests/integration/features/gles1.h"

#include <string.h>

enum { CORNERS = 24 };

/* Triangles in a fan's order around the middle, as floats, and the same in other types. */
struct fan {
    GLfloat floats[CORNERS][2];
    GLbyte bytes[CORNERS][2];
    GLshort shorts[CORNERS][4];
    GLfixed fixeds[CORNERS][3];
    GLubyte colors[CORNERS][4];
    GLfloat shades[CORNERS][4];
    GLushort indices[CORNERS];
};

static void fan_make(struct fan *fan, int frame)
{
    static const GLfloat turn[8][2] = {{1, 0},  {0.7f, 0.7f},   {0, 1},  {-0.7f, 0.7f},
                                       {-1, 0}, {-0.7f, -0.7f}, {0, -1}, {0.7f, -0.7f}};
    for (int i = 0; i < CORNERS; i++) {
        int corner = i % 3, step = i / 3;
        float r = corner == 0 ? 0 : 0.9f - 0.1f * (float)frame;
        const GLfloat *at = turn[(step + (corner == 2)) % 8];
        fan->floats[i][0] = r * at[0];
        fan->floats[i][1] = r * at[1];
        for (int k = 0; k < 2; k++) {
            fan->bytes[i][k] =
                (GLbyte)(fan->floats[i][k] > 0.5f) - (GLbyte)(fan->floats[i][k] < -0.5f);
            fan->shorts[i][k] = (GLshort)(fan->floats[i][k] * 10);
            fan->fixeds[i][k] = fixed(fan->floats[i][k]);
        }
        fan->shorts[i][2] = 0;
        fan->shorts[i][3] = 10;
        fan->fixeds[i][2] = 0;
        for (int k = 0; k < 4; k++) {
            fan->colors[i][k] = (GLubyte)(i * 37 + k * 91 + frame * 50);
            fan->shades[i][k] = (float)((i * 5 + k * 3) % 11) / 10;
        }
        fan->indices[i] = (GLushort)(CORNERS - 1 - i);
    }
}

static void arrays_on(void)
{
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_COLOR_ARRAY);
}

static void arrays_off(void)
{
    glDisableClientState(GL_COLOR_ARRAY);
    glDisableClientState(GL_VERTEX_ARRAY);
}

/* Places and colours of a fan in memory; NULL: of one at the front of the bound buffer. */
static void fan_arrays(const struct fan *fan)
{
    uintptr_t at = (uintptr_t)fan;
    arrays_on();
    glVertexPointer(2, GL_FLOAT, 0, (void *)(at + offsetof(struct fan, floats)));
    glColorPointer(4, GL_UNSIGNED_BYTE, 0, (void *)(at + offsetof(struct fan, colors)));
}

/* A buffer with a fan in it, bound. */
static GLuint fan_buffer(struct fan *fan, int frame)
{
    GLuint name;
    fan_make(fan, frame);
    glGenBuffers(1, &name);
    glBindBuffer(GL_ARRAY_BUFFER, name);
    glBufferData(GL_ARRAY_BUFFER, sizeof *fan, fan, GL_DYNAMIC_DRAW);
    return name;
}

/* Draws the fan in the bound buffer, which ends with it. */
static void fan_buffer_draw(GLuint name)
{
    fan_arrays(NULL);
    glDrawArrays(GL_TRIANGLES, 0, CORNERS);
    arrays_off();
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glDeleteBuffers(1, &name);
}

static void client_arrays(struct fx *fx, int frame)
{
    struct fan fan;
    void *pointer = NULL;
    fan_make(&fan, frame);
    fan_arrays(&fan);
    glDrawArrays(GL_TRIANGLES, 3 * frame, CORNERS - 6);
    glGetPointerv(GL_VERTEX_ARRAY_POINTER, &pointer);
    fx_note_int(fx, pointer == fan.floats);
    glGetPointerv(GL_COLOR_ARRAY_POINTER, &pointer);
    fx_note_int(fx, pointer == fan.colors);
    arrays_off();
}

static void array_types(struct fx *fx, int frame)
{
    struct fan fan;
    GLint value = 0;
    fan_make(&fan, frame);
    arrays_on();
    glColorPointer(4, GL_FLOAT, 0, fan.shades);
    glViewport(0, 0, 32, 32);
    glVertexPointer(2, GL_BYTE, 0, fan.bytes);
    glDrawArrays(GL_TRIANGLES, 0, CORNERS);
    glViewport(32, 0, 32, 32);
    glVertexPointer(4, GL_SHORT, 0, fan.shorts);
    glDrawArrays(GL_TRIANGLES, 0, CORNERS);
    glViewport(0, 32, 32, 32);
    glVertexPointer(3, GL_FIXED, 0, fan.fixeds);
    glDrawArrays(GL_TRIANGLES, 0, CORNERS);
    glViewport(32, 32, 32, 32);
    glVertexPointer(2, GL_SHORT, sizeof fan.shorts[0], fan.shorts);
    glDrawArrays(GL_POINTS, 0, CORNERS);
    glGetIntegerv(GL_VERTEX_ARRAY_TYPE, &value);
    fx_note_int(fx, value);
    glGetIntegerv(GL_VERTEX_ARRAY_STRIDE, &value);
    fx_note_int(fx, value);
    glGetIntegerv(GL_COLOR_ARRAY_SIZE, &value);
    fx_note_int(fx, value);
    fx_note_int(fx, glIsEnabled(GL_COLOR_ARRAY) + 2 * glIsEnabled(GL_NORMAL_ARRAY));
    arrays_off();
}

static void client_indices(struct fx *fx, int frame)
{
    struct fan fan;
    GLubyte small[CORNERS];
    GLuint large[CORNERS];
    (void)fx;
    fan_make(&fan, frame);
    for (int i = 0; i < CORNERS; i++) {
        small[i] = (GLubyte)((i * 7 + frame) % CORNERS);
        large[i] = (GLuint)(CORNERS - 1 - i / 2);
    }
    fan_arrays(&fan);
    glViewport(0, 0, 32, 64);
    glDrawElements(GL_TRIANGLES, CORNERS - 9, GL_UNSIGNED_SHORT, fan.indices);
    glViewport(32, 0, 32, 32);
    glDrawElements(GL_TRIANGLES, CORNERS, GL_UNSIGNED_BYTE, small);
    glViewport(32, 32, 32, 32);
    glDrawElements(GL_TRIANGLE_STRIP, CORNERS - 4, GL_UNSIGNED_INT, large);
    arrays_off();
}

static void buffers(struct fx *fx, int frame)
{
    struct fan fan;
    GLuint names[2];
    GLint value = 0;
    fan_make(&fan, frame);
    glGenBuffers(2, names);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glBufferData(GL_ARRAY_BUFFER, sizeof fan, NULL, GL_STATIC_DRAW);
    glBufferSubData(GL_ARRAY_BUFFER, 0, sizeof fan, &fan);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, names[1]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof fan.indices, fan.indices, GL_DYNAMIC_DRAW);
    fan_arrays(NULL);
    glViewport(0, 0, 32, 64);
    glDrawArrays(GL_TRIANGLES, 3, CORNERS - 3);
    glViewport(32, 0, 32, 64);
    glDrawElements(GL_TRIANGLES, CORNERS - 6, GL_UNSIGNED_SHORT, (void *)6);
    glGetBufferParameteriv(GL_ARRAY_BUFFER, GL_BUFFER_SIZE, &value);
    fx_note_int(fx, value - (GLint)sizeof fan);
    glGetBufferParameteriv(GL_ELEMENT_ARRAY_BUFFER, GL_BUFFER_USAGE, &value);
    fx_note_int(fx, value);
    glGetIntegerv(GL_COLOR_ARRAY_BUFFER_BINDING, &value);
    fx_note_int(fx, value == (GLint)names[0]);
    glGetIntegerv(GL_ELEMENT_ARRAY_BUFFER_BINDING, &value);
    fx_note_int(fx, value == (GLint)names[1]);
    fx_note_int(fx, glIsBuffer(names[1]));
    arrays_off();
    glDeleteBuffers(2, names);
    fx_note_int(fx, glIsBuffer(names[1]));
}

static void mixed_arrays(struct fx *fx, int frame)
{
    struct fan fan;
    GLuint names[2];
    (void)fx;
    fan_make(&fan, frame);
    glGenBuffers(2, names);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glBufferData(GL_ARRAY_BUFFER, sizeof fan.colors, fan.colors, GL_STATIC_DRAW);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, names[1]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof fan.indices, fan.indices, GL_STATIC_DRAW);
    arrays_on();
    glColorPointer(4, GL_UNSIGNED_BYTE, 0, NULL);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexPointer(2, GL_FLOAT, 0, fan.floats);
    glViewport(0, 0, 32, 32);
    glDrawArrays(GL_TRIANGLES, 6, 12); /* one in a buffer, one in memory */
    glViewport(32, 0, 32, 32);
    glDrawElements(GL_TRIANGLES, 9, GL_UNSIGNED_SHORT, (void *)6);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
    glViewport(0, 32, 32, 32);
    glDrawElements(GL_TRIANGLES, 9, GL_UNSIGNED_SHORT, fan.indices + 3);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glVertexPointer(2, GL_BYTE, 4, NULL); /* colours as places */
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glColorPointer(4, GL_FLOAT, 0, fan.shades);
    glViewport(32, 32, 32, 32);
    glScalef(0.01f, 0.01f, 1);
    glDrawArrays(GL_TRIANGLES, 3, 9);
    glLoadIdentity();
    arrays_off();
    glDeleteBuffers(2, names);
}

static void mapped_buffers(struct fx *fx, int frame)
{
    PFNGLMAPBUFFEROESPROC map = EXTENSION(PFNGLMAPBUFFEROESPROC, glMapBufferOES);
    PFNGLUNMAPBUFFEROESPROC unmap = EXTENSION(PFNGLUNMAPBUFFEROESPROC, glUnmapBufferOES);
    PFNGLGETBUFFERPOINTERVOESPROC pointer_of =
        EXTENSION(PFNGLGETBUFFERPOINTERVOESPROC, glGetBufferPointervOES);
    struct fan fan;
    GLint mapped = 0;
    void *pointer = NULL;
    GLuint name = fan_buffer(&fan, frame);
    struct fan *there = map(GL_ARRAY_BUFFER, GL_WRITE_ONLY_OES);
    if (there == NULL) {
        fx->unsupported = "no map";
        return;
    }
    memset(there->colors[3], 255, sizeof there->colors / 2);
    glGetBufferParameteriv(GL_ARRAY_BUFFER, GL_BUFFER_MAPPED_OES, &mapped);
    pointer_of(GL_ARRAY_BUFFER, GL_BUFFER_MAP_POINTER_OES, &pointer);
    fx_note_int(fx, mapped + 2 * (pointer == there));
    fx_note_int(fx, unmap(GL_ARRAY_BUFFER));
    fan_buffer_draw(name);
}

static void mapped_ranges(struct fx *fx, int frame)
{
    PFNGLMAPBUFFERRANGEEXTPROC map = EXTENSION(PFNGLMAPBUFFERRANGEEXTPROC, glMapBufferRangeEXT);
    PFNGLFLUSHMAPPEDBUFFERRANGEEXTPROC flush =
        EXTENSION(PFNGLFLUSHMAPPEDBUFFERRANGEEXTPROC, glFlushMappedBufferRangeEXT);
    PFNGLUNMAPBUFFEROESPROC unmap = EXTENSION(PFNGLUNMAPBUFFEROESPROC, glUnmapBufferOES);
    struct fan fan;
    GLuint name = fan_buffer(&fan, frame);
    GLubyte *there = map(GL_ARRAY_BUFFER, offsetof(struct fan, colors), sizeof fan.colors,
                         GL_MAP_WRITE_BIT_EXT | (frame == 0 ? GL_MAP_FLUSH_EXPLICIT_BIT_EXT : 0));
    if (there == NULL) {
        fx->unsupported = "no map";
        return;
    }
    memset(there + 16, 0x77, 16);
    if (frame == 0) {
        flush(GL_ARRAY_BUFFER, 16, 16);
    }
    fx_note_int(fx, unmap(GL_ARRAY_BUFFER));
    const GLubyte *read =
        map(GL_ARRAY_BUFFER, offsetof(struct fan, colors), 48, GL_MAP_READ_BIT_EXT);
    fx_note(fx, read, read != NULL ? 48 : 0);
    fx_note_int(fx, unmap(GL_ARRAY_BUFFER));
    fan_buffer_draw(name);
}

static void point_sizes(struct fx *fx, int frame)
{
    static const GLfloat places[] = {-0.6f, -0.6f, 0.5f, -0.5f, 0, 0.1f, 0.6f, 0.7f};
    const GLfloat sizes[] = {3, 9.0f + (float)frame, 14, 6};
    const GLfixed fixed_sizes[] = {fixed(12), fixed(4), fixed(2), fixed(8)};
    GLint type = 0;
    void *pointer = NULL;
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_POINT_SIZE_ARRAY_OES);
    glVertexPointer(2, GL_FLOAT, 0, places);
    if (frame == 1) {
        glPointSizePointerOES(GL_FIXED, 0, fixed_sizes);
    } else {
        glPointSizePointerOES(GL_FLOAT, 0, sizes);
    }
    glDrawArrays(GL_POINTS, 0, 4);
    glGetIntegerv(GL_POINT_SIZE_ARRAY_TYPE_OES, &type);
    glGetPointerv(GL_POINT_SIZE_ARRAY_POINTER_OES, &pointer);
    fx_note_int(fx, type);
    fx_note_int(fx, pointer == (frame == 1 ? (const void *)fixed_sizes : sizes));
    glDisableClientState(GL_POINT_SIZE_ARRAY_OES);
    glDisableClientState(GL_VERTEX_ARRAY);
}

static void several_draws(struct fx *fx, int frame)
{
    PFNGLMULTIDRAWARRAYSEXTPROC arrays =
        EXTENSION(PFNGLMULTIDRAWARRAYSEXTPROC, glMultiDrawArraysEXT);
    PFNGLMULTIDRAWELEMENTSEXTPROC elements =
        EXTENSION(PFNGLMULTIDRAWELEMENTSEXTPROC, glMultiDrawElementsEXT);
    struct fan fan;
    fan_make(&fan, frame);
    const GLint first[] = {0, 6, 15};
    const GLsizei counts[] = {3, 6, 9};
    const void *lists[] = {fan.indices, fan.indices + 6, fan.indices + 9};
    (void)fx;
    fan_arrays(&fan);
    glViewport(0, 0, 32, 64);
    arrays(GL_TRIANGLES, first, counts, 3);
    glViewport(32, 0, 32, 64);
    elements(GL_TRIANGLES, counts, GL_UNSIGNED_SHORT, (const void *const *)lists, 3);
    arrays_off();
}

struct shared_work {
    GLuint buffer;
    struct fan fan;
};

static void fill_buffer(void *user)
{
    struct shared_work *work = user;
    glBindBuffer(GL_ARRAY_BUFFER, work->buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof work->fan, &work->fan, GL_STATIC_DRAW);
    glFinish();
}

static void shared_objects(struct fx *fx, int frame)
{
    struct shared_work work;
    fan_make(&work.fan, frame);
    glGenBuffers(1, &work.buffer);
    glFinish();
    fx_on_thread(fx, fill_buffer, &work);
    glBindBuffer(GL_ARRAY_BUFFER, work.buffer);
    fan_buffer_draw(work.buffer);
}

const struct fx_feature gles1_array_features[] = {
    {"client_arrays", client_arrays, NULL},
    {"array_types", array_types, NULL},
    {"client_indices", client_indices, "GL_OES_element_index_uint"},
    {"buffers", buffers, NULL},
    {"mixed_arrays", mixed_arrays, NULL},
    {"mapped_buffers", mapped_buffers, "GL_OES_mapbuffer"},
    {"mapped_ranges", mapped_ranges, "GL_EXT_map_buffer_range"},
    {"point_sizes", point_sizes, "GL_OES_point_size_array"},
    {"several_draws", several_draws, "GL_EXT_multi_draw_arrays"},
    {"shared_objects", shared_objects, NULL},
};
const size_t gles1_array_feature_count = sizeof gles1_array_features / sizeof *gles1_array_features;
