/* Shared by the files of the GLES 3 feature program. */
#ifndef GLES3_FEATURES_H
#define GLES3_FEATURES_H

#include "tests/integration/features/fx.h"

#define ES3_VS                                                                                     \
    "#version 300 es\nin vec2 p; out vec2 t; void main() { t = p * 0.5 + 0.5; gl_Position = "      \
    "vec4(p, 0.0, 1.0); }"
#define ES3_FS "#version 300 es\nprecision highp float; precision highp int;\n"
#define ES3_TEXTURED                                                                               \
    "in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = texture(s, t); }"

/* A program of ES3_VS and this fragment shader (ES3_FS in front), in use. */
GLuint es3_fill(const char *fragment);

/* gles3_textures.c */
extern const struct fx_feature gles3_texture_features[];
extern const size_t gles3_texture_feature_count;

#endif
