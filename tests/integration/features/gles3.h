/* Shared by the files of the GLES 3 feature programs. */
#ifndef GLES3_FEATURES_H
#define GLES3_FEATURES_H

#include "tests/integration/features/fx.h"

#define ES3_VS                                                                                     \
    "#version 300 es\nin vec2 p; out vec2 t; void main() { t = p * 0.5 + 0.5; gl_Position = "      \
    "vec4(p, 0.0, 1.0); }"
#define ES3_FS "#version 300 es\nprecision highp float; precision highp int;\n"
#define ES3_TEXTURED                                                                               \
    "in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = texture(s, t); }"

#define COLORED "uniform vec4 c; out vec4 o; void main() { o = c; }"

/* The uniform c of a COLORED program. */
static inline void color(GLuint program, float r, float g, float b, float a)
{
    glUniform4f(glGetUniformLocation(program, "c"), r, g, b, a);
}

/* gles3_fill.c: a program of ES3_VS and this fragment shader (ES3_FS in front), in use. */
GLuint es3_fill(const char *fragment);
/* gles3_fill.c: the buffer's first bytes, into the frame's answers. */
void es3_note_buffer(struct fx *fx, GLuint buffer, size_t size);

/* gles3_textures.c */
extern const struct fx_feature gles3_texture_features[];
extern const size_t gles3_texture_feature_count;

/* gles3_programs.c */
extern const struct fx_feature gles3_program_features[];
extern const size_t gles3_program_feature_count;

/* gles3_queries.c */
extern const struct fx_feature gles3_query_features[];
extern const size_t gles3_query_feature_count;

/* gles3_targets.c */
extern const struct fx_feature gles3_target_features[];
extern const size_t gles3_target_feature_count;

/* gles3_bulk.c */
extern const struct fx_feature gles3_bulk_features[];
extern const size_t gles3_bulk_feature_count;

#endif
