/* A table from 64-bit names to pointers: object names, sync handles. The owner locks it. */
#ifndef GUEST_GLES_GGL_NAMES_H
#define GUEST_GLES_GGL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ggl_names {
    struct ggl_name_slot *slots; /* nullable */
    size_t capacity;             /* a power of two, or 0 */
    size_t used;                 /* slots that hold or held a name */
    size_t count;                /* names in it */
};

/* Frees the table; values are the owner's. */
void ggl_names_finish(struct ggl_names *names);
/* The value of `name`, or NULL. */
void *ggl_names_find(const struct ggl_names *names, uint64_t name);
/* Sets or replaces; value is not NULL, name is not 0. False without memory. */
bool ggl_names_set(struct ggl_names *names, uint64_t name, void *value);
/* Takes `name` out and returns its value, or NULL. */
void *ggl_names_remove(struct ggl_names *names, uint64_t name);
/* Walk: start with *cursor = 0; NULL at the end. */
void *ggl_names_next(const struct ggl_names *names, size_t *cursor, uint64_t *name);

#endif
