/* The gfxstream GLES context type: per-ring and per-context state of the decoder, shared by the
 * files of host/gles.
 *
 * All of it belongs to one ring's thread at a time: a native context is current on one ring only.
 * The native driver is reached through struct gl_driver; nothing here knows which driver it is. The
 * guest is hostile: no pointer that GL keeps may reach past what was sent, and no offset may be
 * taken for an address. */
#ifndef HOST_HGL_H
#define HOST_HGL_H

#include "host/context.h"
#include "host/rc/rc.h"
#include "host/ring/hr_commands.h"

#include <stdbool.h>
#include <stdint.h>

#define HGL_ARRAYS 16u
/* The fixed arrays of GLES 1 among them: texture coordinates by unit behind the others. */
enum {
    HGL1_VERTEX,
    HGL1_NORMAL,
    HGL1_COLOR,
    HGL1_POINT_SIZE,
    HGL1_MATRIX_INDEX,
    HGL1_WEIGHT,
    HGL1_TEXCOORD
};

enum hgl_source { HGL_NONE, HGL_CLIENT, HGL_BUFFER };

/* Where the elements of an attribute come from (GLES 3.1: a vertex buffer binding point). */
struct hgl_binding {
    enum hgl_source source;
    uint32_t divisor;
    uint32_t buffer;   /* HGL_BUFFER: its name when it was set */
    uint8_t *data;     /* HGL_CLIENT: what GL points to; kept for reuse otherwise */
    size_t capacity;   /* of data */
    uint32_t elements; /* HGL_CLIENT: whole elements in data */
    /* HGL_CLIENT: the pointer call as the driver has it, to leave out repeated ones */
    uint32_t size, type, normalized, integer;
};

struct hgl_vao {
    uint32_t on;      /* in the driver: enabled and with a source */
    uint32_t client;  /* source is HGL_CLIENT */
    uint32_t fresh;   /* client data sent since the last draw */
    uint32_t enabled; /* by the guest */
    uint32_t name;
    uint8_t binding_of[HGL_ARRAYS];
    struct hgl_binding bindings[HGL_ARRAYS];
};

/* Pixel store as GL has it; read from GL when a glPixelStorei came between. */
struct hgl_pixels {
    bool known;
    uint32_t alignment, row_length, image_height, skip_pixels, skip_rows, skip_images;
};

struct hgl_group;
/* Kinds of names that are one context's own: hgl_group.h. */
#define HGL_OWN_KINDS 4u

enum hgl_runs { HGL_RUNS_UNKNOWN, HGL_RUNS_NONE, HGL_RUNS_OK };

/* One native context's decoder state. */
/* What a transform feedback has taken since it began. */
struct hgl_capture {
    uint32_t mode, program; /* 0: of a pipeline */
    uint64_t vertices;      /* of whole primitives that were drawn; those without room too */
    bool is_unknown;        /* nobody can tell how many */
};

struct hgl_state {
    struct hgl_vao *vao; /* bound; never NULL; every draw looks at its first words */
    /* Of the bound transform feedback, while it goes on and does not pause; else NULL. */
    struct hgl_capture *capture;
    struct hgl_vao zero;                  /* vertex array object 0 */
    uint32_t gles_version;                /* 10, 20, 30, 31, 32 */
    struct sl_map vaos;                   /* name -> struct hgl_vao, owned */
    int64_t array_buffer, element_buffer; /* -1: ask GL */
    struct hgl_pixels pack, unpack;
    uint32_t client_texture; /* GLES 1: glClientActiveTexture, from 0 */
    bool targets_known;      /* GLES 1: which textures a unit can have enabled besides 2D */
    bool cube_maps, externals;
    struct hgl_messages *messages; /* nullable: the guest was never told any; owned */
    enum hgl_runs runs;            /* can the driver take several draws in one call? */
    bool debuggable;               /* it has KHR_debug; known when `runs` is */
    struct hgl_group *group;       /* counted */
    uint32_t top[HGL_OWN_KINDS];   /* highest name that was ever given out */
    bool has_counted;              /* some query was begun */
    struct sl_map queries;         /* name -> what it counted last, as a number */
    struct sl_map results;         /* name -> struct hgl_result, owned: hgl_query.c */
    struct sl_map captures;        /* name + 1 -> struct hgl_capture, owned: hgl_capture.c */
    struct hgl_clock *clock;       /* nullable; owned: hgl_times.c */
    struct sl_map kept;            /* name -> struct hgl_kept, owned: hgl_kept.c */
    size_t kept_bytes;
};

struct hgl_ring;

/* call->user of the gles1, gles2 and glesx families. */
struct hgl_api {
    const struct gl_driver *gl; /* first: generated handlers look for it here */
    struct hgl_state *state;    /* of the current context, when it is of this API; else NULL */
    struct hgl_ring *ring;
};

struct hgl_context;

#define HGL_STORED 16u

struct hgl_ring {
    struct hgl_api es1, es2;
    struct hrc_thread rc;
    struct hgl_context *context;
    /* Exported resources whose memory got something since glStoredSLUICE; more than there is room
     * for: HGL_STORED + 1. */
    uint32_t stored[HGL_STORED], stored_count;
    bool clamps; /* shaders' indices: hgl_clamp.h */
    bool keeps;  /* buffers that vertex arrays have: hgl_kept.h */
};

struct hgl_provider;

static inline struct hgl_api *hgl_api_of(const struct hr_call *call)
{
    return call->user;
}

/* hgl_arrays.c: state of a new context, and its end (the native context is gone). */
struct hgl_state *hgl_state_new(const struct hgl_state *share); /* nullable: a group of its own */
void hgl_state_free(struct hgl_state *state);
/* The state of the current context; NULL (refused) when none of this API is current. */
struct hgl_state *hgl_state_of(struct hr_call *call);
/* The state of the current context, of whatever API; NULL (refused) when there is none. */
struct hgl_state *hgl_state_of_any(struct hr_call *call);
/* Is something bound? Asked of GL when it may have changed. */
uint32_t hgl_array_buffer(const struct gl_driver *gl, struct hgl_state *s);
uint32_t hgl_element_buffer(const struct gl_driver *gl, struct hgl_state *s);
/* Bytes of one component of a vertex attribute type, and of one element; 0: no such type. */
uint32_t hgl_element_bytes(uint32_t type, uint32_t size);
/* Copy the elements of a client array and count them. False: no memory. *moved: GL must be given
 * the new address. *old: to be freed once GL has let it go. */
bool hgl_binding_fill(struct hgl_binding *b, const void *data, size_t size, uint32_t element,
                      uint8_t **old);

#define HGL_ANY_VERTEX UINT64_MAX /* what a draw reads: indices that we do not see */
/* Bytes of an index; 0: no such type. */
uint32_t hgl_index_bytes(uint32_t type);
/* One more than the highest index, the restart index left out when it is one. */
uint64_t hgl_index_end(const struct gl_driver *gl, const struct hgl_state *s, const void *indices,
                       uint32_t count, uint32_t type);

/* hgl_draw.c: is the word in a list with spaces between? NULL has none. */
bool hgl_has_word(const char *words, const char *word);

/* hgl1.c: a fixed array's pointer call, as the driver is to have it. */
struct hgl1_pointer {
    uint32_t place;
    int32_t size; /* components; 1 or 3 where the call has none */
    uint32_t type;
    int32_t stride;
};
/* Returns the pointer that the driver has now. */
const void *hgl1_point(const struct gl_driver *gl, const struct hgl_state *s,
                       const struct hgl1_pointer *p, const void *at);
/* Of the driver alone: s->zero stays. */
void hgl1_switch_array(const struct gl_driver *gl, const struct hgl_state *s, uint32_t place,
                       bool on);

/* hgl_pixels.c: bytes of a pixel; 0 for a pair that is not known here. */
uint32_t hgl_pixel_bytes(uint32_t format, uint32_t type);
/* Bytes of client memory that GL touches; UINT64_MAX when it cannot be told. */
uint64_t hgl_pixel_span(const struct hgl_pixels *p, uint32_t format, uint32_t type, int32_t width,
                        int32_t height, int32_t depth, bool has_images);
const struct hgl_pixels *hgl_pack(const struct gl_driver *gl, struct hgl_state *s);
const struct hgl_pixels *hgl_unpack(const struct gl_driver *gl, struct hgl_state *s);
/* Is a buffer bound there? Asked of GL. */
bool hgl_bound(const struct gl_driver *gl, uint32_t binding_query);
/* Is the pixel buffer there that an offset refers to? Refused otherwise. */
bool hgl_pixel_buffer_needed(struct hr_call *call, uint32_t binding_query);

/* hgl_group.c: a program that was made of one text at once. */
void hgl_keep_shader_program(struct hgl_state *s, uint32_t name, uint32_t type, const char *text);
/* Varyings for a program's next link, as they came. */
void hgl_keep_varyings(struct hgl_state *s, uint32_t name, const void *text, uint32_t size,
                       uint32_t count, uint32_t mode);

/* hgl_capture.c: a draw while s->capture is there. count < 0: of vertices that nobody sees. */
void hgl_capture_draw(const struct gl_driver *gl, struct hgl_state *s, uint32_t mode, int64_t count,
                      uint64_t instances);
void hgl_captures_finish(struct hgl_state *s);

/* hgl_sync.c */
void hgl_sync_free(void *user, void *sync);
/* The native sync of a guest's handle, counted (ho_put); NULL, refused, when there is none. */
struct ho_object *hgl_sync_get(struct hr_call *call, uint64_t handle);

/* hgl_debug.c: no driver calls back any more. Takes NULL. */
void hgl_messages_free(struct hgl_messages *messages);

/* hgl_sync.c: attach the client image `id` by the driver's function; NULL does nothing, an unknown
 * id is refused. */
void hgl_image_target(struct hr_call *call, void (*attach)(GLenum target, GLeglImageOES image),
                      uint32_t target, uint64_t id);

#endif
