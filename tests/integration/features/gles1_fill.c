#include "tests/integration/features/gles1.h"

#include <math.h>

void fill_rect(float x0, float y0, float x1, float y1)
{
    const GLfloat corners[] = {x0, y0, x1, y0, x0, y1, x1, y1};
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, corners);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glDisableClientState(GL_VERTEX_ARRAY);
}

void fill_textured(float x0, float y0, float x1, float y1, float repeat)
{
    const GLfloat places[] = {0, 0, repeat, 0, 0, repeat, repeat, repeat};
    glEnableClientState(GL_TEXTURE_COORD_ARRAY);
    glTexCoordPointer(2, GL_FLOAT, 0, places);
    fill_rect(x0, y0, x1, y1);
    glDisableClientState(GL_TEXTURE_COORD_ARRAY);
}

GLuint fill_texture(GLenum format, GLenum type, int frame)
{
    static GLubyte bytes[FX_SIZE * FX_SIZE * 4];
    GLuint name;
    fx_bytes(bytes, sizeof bytes, 100 + (uint32_t)frame);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameterx(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glTexImage2D(GL_TEXTURE_2D, 0, (GLint)format, FX_SIZE, FX_SIZE, 0, format, type, bytes);
    return name;
}

void fill_sheet(int frame)
{
    enum { SIDE = 9 };
    GLfloat points[SIDE * SIDE][6];
    GLushort indices[(SIDE - 1) * (SIDE - 1) * 6];
    int n = 0;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float u = (float)x / 4 - 1, v = (float)y / 4 - 1;
            GLfloat *p = points[y * SIDE + x];
            p[0] = u * 0.9f;
            p[1] = v * 0.9f;
            p[2] = 0.2f * u * v + 0.05f * (float)frame;
            p[3] = -0.2f * v;
            p[4] = -0.2f * u;
            p[5] = 1;
        }
    }
    for (int y = 0; y < SIDE - 1; y++) {
        for (int x = 0; x < SIDE - 1; x++) {
            GLushort a = (GLushort)(y * SIDE + x);
            const GLushort quad[] = {a,
                                     (GLushort)(a + 1),
                                     (GLushort)(a + SIDE),
                                     (GLushort)(a + 1),
                                     (GLushort)(a + SIDE + 1),
                                     (GLushort)(a + SIDE)};
            for (int i = 0; i < 6; i++) {
                indices[n++] = quad[i];
            }
        }
    }
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_NORMAL_ARRAY);
    glVertexPointer(3, GL_FLOAT, sizeof points[0], points[0]);
    glNormalPointer(GL_FLOAT, sizeof points[0], points[0] + 3);
    glDrawElements(GL_TRIANGLES, n, GL_UNSIGNED_SHORT, indices);
    glDisableClientState(GL_NORMAL_ARRAY);
    glDisableClientState(GL_VERTEX_ARRAY);
}
