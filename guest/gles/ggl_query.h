/* The table behind glGet*, for ggl_query.c and its test. */
#ifndef GUEST_GLES_GGL_QUERY_H
#define GUEST_GLES_GGL_QUERY_H

#include "guest/gles/ggl_objects.h"

/* Values that glGet writes for a parameter. */
uint32_t ggl_parameter_count(GLenum pname);
/* The table can be searched. */
bool ggl_parameters_sorted(void);

#endif
