/* The world of the calls of GLES 1. */
#include "tests/integration/robust/robust.h"

#include <GLES/gl.h>

void robust_world(int version, const float vertices[][4], const void *zeros)
{
    GLuint names[ROBUST_OBJECTS];
    (void)version;
    glGenTextures(ROBUST_OBJECTS, names);
    glBindTexture(GL_TEXTURE_2D, names[0]);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, ROBUST_SIDE, ROBUST_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 zeros);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glGenBuffers(ROBUST_OBJECTS, names);
    glBindBuffer(GL_ARRAY_BUFFER, names[0]);
    glBufferData(GL_ARRAY_BUFFER, 256, zeros, GL_STATIC_DRAW);
    /* Draws read memory that is there. */
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexPointer(4, GL_FLOAT, 0, vertices);
    glColorPointer(4, GL_FLOAT, 0, vertices);
    glNormalPointer(GL_FLOAT, 16, vertices);
    glTexCoordPointer(2, GL_FLOAT, 16, vertices);
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_COLOR_ARRAY);
    glClear(GL_COLOR_BUFFER_BIT); /* draws from before the first vertex are nobody's */
}
