/* The world of the calls of GLES 1. */
#include "tests/integration/robust/robust.h"

#include <GLES/gl.h>
#include <GLES/glext.h>

void *robust_world_image;

#define UNITS "Mesa has no state of these units, tells none and raises no error"

const struct robust_left_out robust_left_out[] = {
    {"glActiveTexture 84c[89a-f]*", UNITS},
    {"glActiveTexture 84d*", UNITS},
    {"glMaterial[fx]* 408 1[26]0[0-2]*", "Mesa takes four values where there is one"},
    {"gl*able 80[78]?", "Mesa takes it for a client array"},
    {"glNormalPointer * least *", "Mesa refuses it, and takes the pointer"},
    {NULL, NULL},
};

/* Draws read memory that is there. */
static void arrays_set(const float vertices[][4])
{
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexPointer(4, GL_FLOAT, 0, vertices);
    glColorPointer(4, GL_FLOAT, 0, vertices);
    glNormalPointer(GL_FLOAT, 16, vertices);
    glTexCoordPointer(2, GL_FLOAT, 16, vertices);
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_COLOR_ARRAY);
}

void robust_world(int version, const float vertices[][4], const void *zeros)
{
    GLuint names[ROBUST_DELETED];
    (void)version;
    glGenTextures(ROBUST_DELETED, names);
    glBindTexture(GL_TEXTURE_2D, names[0]);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, ROBUST_SIDE, ROBUST_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 zeros);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glDeleteTextures(1, &names[ROBUST_OBJECTS]);
    glGenBuffers(ROBUST_DELETED, names);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glBufferData(GL_ARRAY_BUFFER, 256, zeros, GL_STATIC_DRAW);
    glDeleteBuffers(1, &names[ROBUST_OBJECTS]);
    arrays_set(vertices);
    glClear(GL_COLOR_BUFFER_BIT); /* draws from before the first vertex are nobody's */
}

void robust_bind(int version, const float vertices[][4])
{
    (void)version;
    arrays_set(vertices);
    glBindTexture(GL_TEXTURE_2D, 1);
}

void robust_delete(int version)
{
    static const GLuint names[ROBUST_OBJECTS] = {1, 2, 3};
    (void)version;
    glDeleteTextures(ROBUST_OBJECTS, names);
    glDeleteBuffers(ROBUST_OBJECTS, names);
    glFlush();
}

/* A framebuffer without an image. */
static void incomplete(void)
{
    PFNGLBINDFRAMEBUFFEROESPROC bind =
        (PFNGLBINDFRAMEBUFFEROESPROC)robust_proc("glBindFramebufferOES");
    bind(GL_FRAMEBUFFER_OES, 1);
}

static void mapped(void)
{
    PFNGLMAPBUFFEROESPROC map = (PFNGLMAPBUFFEROESPROC)robust_proc("glMapBufferOES");
    glBindBuffer(GL_ARRAY_BUFFER, 1);
    glBufferData(GL_ARRAY_BUFFER, 256, robust_zeros(), GL_DYNAMIC_DRAW);
    map(GL_ARRAY_BUFFER, GL_WRITE_ONLY_OES);
    glColorPointer(4, GL_FLOAT, 0, NULL);
    glEnableClientState(GL_COLOR_ARRAY);
}

const struct robust_state robust_states[] = {
    {"incomplete", 1, incomplete},
    {"mapped", 1, mapped},
};
const int robust_state_count = COUNT(robust_states);

void robust_enter(const struct robust_state *state)
{
    state->enter();
}
