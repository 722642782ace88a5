/* Between the files that bring samples to the replay: hgl_save_samples.c reads them here,
 * hgl_save_samples_put.c has them written there. */
#ifndef HOST_HGL_SAVE_SAMPLES_H
#define HOST_HGL_SAVE_SAMPLES_H

#include "host/gles/hgl_save.h"

/* How samples are read and written. */
struct hgl_sample_kind {
    GLenum internal, format, type; /* of the texture that they travel in */
    uint8_t words;                 /* of a sample there */
    const char *prefix;            /* of samplers, vectors */
    const char *words_of;          /* of what was fetched, v */
    const char *writes;            /* what was fetched there, v */
};
extern const struct hgl_sample_kind hgl_depths, hgl_stencils;

/* One image of several samples. */
struct hgl_image {
    const struct hgl_samples *of;
    GLint width, height, layers, samples, fixed;
    GLenum internal, attachment;
    bool is_array;
    bool is_flat; /* of one sample */
};

/* Both sides of the way. */
struct hgl_copier {
    struct hgl_save *s;
    const struct hgl_lent *lent;
    GLuint shader, program, words, texture;       /* of the reader's */
    const struct hgl_sample_kind *read, *written; /* what the programs are for */
    GLenum reads;                                 /* the target that is read */
    bool has_begun;                               /* the replay is in a context for it */
    bool looked_at_depths;                        /* it is known how they are read: */
    bool rounds_factor;
};

struct hgl_part {
    GLint layer, sample, row, rows;
};

/* Borrowed in the replay: framebuffers get what is theirs later. */
#define HGL_BORROWED_FRAMEBUFFER 1u

/* hgl_save_samples_put.c. A context for it, before the first one and behind the last one. */
void hgl_samples_begin(struct hgl_copier *c);
void hgl_samples_end(struct hgl_copier *c);
/* What is attached is drawn on with this kind alone. */
void hgl_samples_aim(struct hgl_copier *c, const struct hgl_image *i,
                     const struct hgl_sample_kind *k, GLint layer);
void hgl_samples_put(struct hgl_copier *c, const struct hgl_image *i,
                     const struct hgl_sample_kind *k, const struct hgl_part *p, const void *words);
/* The same for all samples. False: they are of too many values. */
bool hgl_samples_clear(struct hgl_copier *c, const struct hgl_image *i,
                       const struct hgl_sample_kind *k, const struct hgl_part *p,
                       const void *words);

#endif
