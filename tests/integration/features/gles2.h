/* Shared by the files of the GLES 2 feature program. */
#ifndef GLES2_FEATURES_H
#define GLES2_FEATURES_H

#include "tests/integration/features/fx.h"

#define TEXTURED                                                                                   \
    "varying vec2 t; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t); }"
#define COLORED "uniform vec4 c; void main() { gl_FragColor = c; }"

/* The uniform c of a COLORED program. */
static inline void color(GLuint program, float r, float g, float b, float a)
{
    glUniform4f(glGetUniformLocation(program, "c"), r, g, b, a);
}

/* gles2_arrays.c */
extern const struct fx_feature gles2_array_features[];
extern const size_t gles2_array_feature_count;

/* gles2_textures.c */
extern const struct fx_feature gles2_texture_features[];
extern const size_t gles2_texture_feature_count;

/* gles2_programs.c */
extern const struct fx_feature gles2_program_features[];
extern const size_t gles2_program_feature_count;

#endif
