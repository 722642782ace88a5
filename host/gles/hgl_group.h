/* What a snapshot needs of a share group and the driver cannot tell any more: how far names have
 * gone, and what programs were linked from.
 *
 * Every context's state holds its group; rings that have contexts of one group current change it at
 * the same time, under its lock. Nothing here is touched by a draw. */
#ifndef HOST_HGL_GROUP_H
#define HOST_HGL_GROUP_H

#include "host/gles/hgl.h"

#include <assert.h>
#include <pthread.h>

/* Kinds of names; those from HGL_SHARED_KINDS on belong to one context. */
enum hgl_kind {
    HGL_TEXTURES,
    HGL_BUFFERS,
    HGL_RENDERBUFFERS,
    HGL_SAMPLERS,
    HGL_PROGRAMS,     /* and shaders */
    HGL_FRAMEBUFFERS, /* by the rule a context's own, but drivers share them */
    HGL_SHARED_KINDS,
    HGL_VERTEX_ARRAYS = HGL_SHARED_KINDS,
    HGL_QUERIES,
    HGL_FEEDBACKS,
    HGL_PIPELINES,
    HGL_KINDS
};
static_assert(HGL_KINDS - HGL_SHARED_KINDS == HGL_OWN_KINDS, "a top for each");

#define HGL_STAGES 6u

struct hgl_stage {
    uint32_t type; /* GL_VERTEX_SHADER, ... */
    uint32_t size;
    char *text; /* owned */
};

/* A location that the guest asked for by name: of an attribute, of a fragment's colour. */
enum hgl_wish_kind { HGL_WISH_ATTRIBUTE, HGL_WISH_COLOR, HGL_WISH_COLOR_INDEX };
struct hgl_wish {
    enum hgl_wish_kind kind;
    uint32_t location, index;
    char *name; /* owned */
};

struct hgl_program {
    struct hgl_stage stages[HGL_STAGES]; /* when it was linked last */
    uint32_t stage_count;
    bool linked;    /* a link was asked for */
    bool forgotten; /* there was no room for its texts */
    struct hgl_wish *wishes;
    uint32_t wish_count, wishes_linked; /* the first of them were there when it was linked */
    char *varyings;                     /* for the next link, as they came; owned; nullable */
    uint32_t varyings_size, varying_count, varying_mode;
    uint64_t bytes;
    uint32_t name;
    bool is_deleted;          /* while it was in use: it lives on until then */
    struct hgl_program *next; /* of those; nullable */
};

struct hgl_group {
    uint32_t refs; /* atomic */
    pthread_mutex_t lock;
    uint32_t top[HGL_SHARED_KINDS]; /* highest name that was ever given out */
    struct sl_map programs;         /* name -> struct hgl_program, owned */
    struct hgl_program *deleted;    /* of them: is_deleted; nullable */
    struct sl_map storages;         /* kind, name -> enum hgl_storage << 32 | its handle */
    struct sl_map views;            /* name -> number << 1 | is_origin: struct hgl_view_of */
    uint64_t view_count;
    struct sl_map stored;  /* kind, name -> struct hs_buffer of HGL_STORAGE_BUFFER, or of an
                              exported one, a reference: the storage outlives its handle */
    struct sl_map images;  /* kind, name -> struct ho_object of HGL_STORAGE_IMAGE, a reference: it
                              is read where the guest has closed it */
    struct sl_map sources; /* kind, name -> number of what images were made of (hrc_image.source) */
    uint64_t bytes;        /* of all texts */
    /* hgl1_size.c: textures' sizes as they were asked for, height << 32 | width, and who asks. */
    struct sl_map sizes;
    const struct hs_native *asker_native; /* asker's */
    EGLContext asker;                     /* owned; EGL_NO_CONTEXT */
    bool asker_failed;
    uint32_t flushes; /* atomic: by the guest, of drivers that draw by the CPU; they wrap */
    GLsync behind;    /* the last fence among them; nullable */
    bool has_gles2;   /* a context of GLES 2 or later was current: sizes change unseen */
};

/* Which textures share storage (glTextureView): those of one number. The origin is what the storage
 * was made for. number 0: it shares none. */
struct hgl_view_of {
    uint64_t number;
    bool is_origin;
};
struct hgl_view_of hgl_view_of(struct hgl_group *group, uint32_t texture);

/* Textures and renderbuffers whose storage is somebody else's. */
enum hgl_storage {
    HGL_STORAGE_OWN,
    HGL_STORAGE_IMAGE, /* of an image that gave one level (glEGLImageTargetTexture2DOES) */
    HGL_STORAGE_FIXED, /* of one that gave all there is (glEGLImageTargetTexStorageEXT) */
    HGL_STORAGE_BUFFER
};
/* What is bound at target in the current context has its own storage from now on. */
void hgl_storage_set_own(const struct gl_driver *gl, struct hgl_state *state, uint32_t target);
/* A texture's level gets another image, by a call that may fail, and that drivers carry out in the
 * old storage where that is of the same kind: asked about before and behind it. */
struct hgl_image_look {
    uint32_t name; /* 0: nobody shares storage, or it cannot be asked */
    int32_t is[8];
};
struct hgl_image_look hgl_image_look(const struct gl_driver *gl, struct hgl_state *state,
                                     uint32_t target, int32_t level);
/* Where it is another one, the texture has its own storage, and what images were made of it is
 * theirs alone. */
void hgl_image_replaced(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                        const struct hgl_image_look *before);
/* It has that of this client image (HGL_STORAGE_IMAGE or _FIXED). image: borrows. */
void hgl_storage_set_image(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                           enum hgl_storage storage, struct ho_object *image);
/* It has that of this colour buffer. buffer: borrows. */
void hgl_storage_set_buffer(const struct gl_driver *gl, struct hgl_state *state, uint32_t target,
                            struct hs_buffer *buffer);
/* The storage of a texture (or renderbuffer) stays its own, and is a buffer's picture as well. */
void hgl_storage_export(struct hgl_group *group, bool renderbuffer, uint32_t name,
                        struct hs_buffer *buffer);
/* A texture (or renderbuffer) of this name has its own storage from now on, or is gone. */
void hgl_storage_drop(struct hgl_group *group, bool renderbuffer, uint32_t name);
/* The colour buffer that has its storage, a reference; NULL: none has. */
struct hs_buffer *hgl_storage_buffer(struct hgl_group *group, bool renderbuffer, uint32_t name);
/* The image that has, a reference (ho_put); NULL: none. */
struct ho_object *hgl_storage_image(struct hgl_group *group, bool renderbuffer, uint32_t name);
/* What an image is made of keeps the number that comes with it (hrc_image.source), and gives it to
 * later images of it, until it is deleted. */
void hgl_source_number(struct hgl_group *group, struct hrc_image *image);
/* A walk over the images that textures and renderbuffers of the group have storage of: as
 * sl_map_next says, a reference (ho_put). Nothing of the group changes meanwhile. */
struct ho_object *hgl_next_image(struct hgl_group *group, uint32_t *cursor);
/* Does it still bear its name, in this group? */
bool hgl_has_source(struct hgl_group *group, const struct hrc_image *image);
/* Whose storage a texture (or renderbuffer) of the group has; *handle of a buffer. */
enum hgl_storage hgl_storage_of(struct hgl_group *group, bool renderbuffer, uint32_t name,
                                uint32_t *handle);

struct hgl_group *hgl_group_new(void);
struct hgl_group *hgl_group_ref(struct hgl_group *group);
void hgl_group_put(struct hgl_group *group); /* NULL allowed */
/* hgl_linked.c: with its group. */
void hgl_programs_finish(struct hgl_group *group);
/* A program was made: what is known of an earlier one of that name is not its own. */
void hgl_program_born(struct hgl_state *state, uint32_t name);

/* GLES 1: the size of the base level of a texture that is bound to GL_TEXTURE_2D in the current
 * context. GLES 1 cannot be asked: a context of GLES 3.1 in its share group is, and the answer kept
 * while only GLES 1 uses the group. False: it cannot be told, or there is none. Ring thread. */
bool hgl1_size_of(struct hgl_api *api, uint32_t texture, int32_t *width, int32_t *height);
/* What is bound to the target in the current context has other images from now on. */
void hgl1_size_forget(struct hgl_api *api, uint32_t target);

/* `n` names of the driver's, for a packet whose answer has `size` bytes at `out`. */
void hgl_gen(struct hr_call *call, void (*generate)(GLsizei n, GLuint *names), int32_t n, void *out,
             uint32_t size, enum hgl_kind kind);
/* A name of this kind was given out in the context. */
void hgl_named(struct hgl_state *state, enum hgl_kind kind, uint32_t name);
/* Names that guests made up and give back are the highest, too. Before they are deleted. */
void hgl_unnaming(struct hgl_state *state, enum hgl_kind kind, GLboolean (*is)(GLuint name),
                  const void *names, int32_t count);
/* The highest name so far. */
uint32_t hgl_top(const struct hgl_state *state, enum hgl_kind kind);

#endif
