/* Shared by the files of the GLES 3.2 feature program. */
#ifndef GLES32_FEATURES_H
#define GLES32_FEATURES_H

#include "tests/integration/features/gles3.h"

#include <GLES3/gl32.h>

struct es32_stage {
    GLenum type;
    const char *text;
};
/* An extension's function; the feature's `needs` says that it is there. */
void *es32_address(const char *name);

/* gles32_textures.c */
extern const struct fx_feature gles32_texture_features[];
extern const size_t gles32_texture_feature_count;

/* gles32_debug.c */
extern const struct fx_feature gles32_debug_features[];
extern const size_t gles32_debug_feature_count;

/* gles32_maps.c */
extern const struct fx_feature gles32_map_features[];
extern const size_t gles32_map_feature_count;

#endif
