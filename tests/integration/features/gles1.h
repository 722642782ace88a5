/* Shared by the files of the GLES 1 feature program. */
#ifndef GLES1_FEATURES_H
#define GLES1_FEATURES_H

#include "tests/integration/features/fx.h"

#include <GLES/gl.h>
#include <GLES/glext.h>

/* 16.16 numbers. */
static inline GLfixed fixed(float value)
{
    return (GLfixed)(value * 65536.0f);
}

/* A function of an extension, by its name. */
#define EXTENSION(type, name) ((type)eglGetProcAddress(#name))

/* gles1_fill.c: rectangles of client memory, in the coordinates of the matrices that are set. */
void fill_rect(float x0, float y0, float x1, float y1);
/* The same, with texture coordinates on unit 0 from 0 to `repeat`. */
void fill_textured(float x0, float y0, float x1, float y1, float repeat);
/* A texture of FX_SIZE^2 with a pattern, bound, nearest filter. */
GLuint fill_texture(GLenum format, GLenum type, int frame);
/* A bumpy sheet with normals, for lights: 8 x 8 quads. */
void fill_sheet(int frame);

/* gles1_arrays.c */
extern const struct fx_feature gles1_array_features[];
extern const size_t gles1_array_feature_count;

/* gles1_textures.c */
extern const struct fx_feature gles1_texture_features[];
extern const size_t gles1_texture_feature_count;

/* gles1_draw_tex.c */
extern const struct fx_feature gles1_draw_tex_features[];
extern const size_t gles1_draw_tex_feature_count;

/* gles1_lights.c */
extern const struct fx_feature gles1_light_features[];
extern const size_t gles1_light_feature_count;

#endif
