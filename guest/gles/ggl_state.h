/* What a context and a share group remember, for the files of guest/gles only.
 *
 * Only state that packing needs is kept: bindings that decide which packet to send, pixel store,
 * client arrays, and what lies in guest memory (mapped buffers). Everything else is asked of the
 * host, which validates as a native driver does. */
#ifndef GUEST_GLES_GGL_STATE_H
#define GUEST_GLES_GGL_STATE_H

#include "guest/gles/ggl.h"
#include "guest/stream/gs_stage.h"
#include "transport/base/atomic.h"
#include "transport/base/map.h"

#include <GLES/gl.h>
#include <GLES3/gl32.h>
#include <GLES/glext.h>
#include <GLES2/gl2ext.h>
#include <pthread.h>

#define GGL_MAX_ATTRIBS 16  /* on the wire by fiat (protocol: trap T38) */
#define GGL_MAX_UNITS   192 /* texture units whose 2D and external bindings are remembered */
#define GGL_PARAMETERS  256 /* room for what ggl_parameters.def lists, a multiple of 32 */
#define GGL_SCRATCH_MAX (256u << 20)
#define GGL_ANSWER_MAX  256 /* values of a query: lists of formats */

/* Buffer targets with a binding of their own in the context; ELEMENT_ARRAY_BUFFER belongs to the
 * vertex array. */
enum ggl_buffer_slot {
    GGL_BUFFER_ARRAY,
    GGL_BUFFER_COPY_READ,
    GGL_BUFFER_COPY_WRITE,
    GGL_BUFFER_PIXEL_PACK,
    GGL_BUFFER_PIXEL_UNPACK,
    GGL_BUFFER_TRANSFORM_FEEDBACK,
    GGL_BUFFER_UNIFORM,
    GGL_BUFFER_ATOMIC_COUNTER,
    GGL_BUFFER_DISPATCH_INDIRECT,
    GGL_BUFFER_DRAW_INDIRECT,
    GGL_BUFFER_SHADER_STORAGE,
    GGL_BUFFER_TEXTURE,
    GGL_BUFFER_SLOTS,
    GGL_BUFFER_ELEMENT = GGL_BUFFER_SLOTS, /* looked up in the vertex array */
    GGL_BUFFER_NONE,
};

/* One attribute of a vertex array as glVertexAttribPointer and its kin left it. */
struct ggl_attrib {
    const uint8_t *pointer; /* client address, or offset into the buffer */
    uint32_t buffer;        /* 0: client memory */
    uint32_t stride;        /* as given */
    uint32_t pitch;         /* effective: bytes from element to element */
    uint32_t element;       /* bytes of one element */
    uint32_t type;
    int32_t size; /* components */
    uint32_t divisor;
    bool normalized;
    bool integer;
};

/* A vertex array object. Masks: bit i = attribute i. GLES 1 has the default one, whose attributes
 * are the fixed arrays (enum ggl1_array). */
struct ggl_vertex_array {
    uint32_t name;
    uint32_t enabled;
    uint32_t client;         /* attributes without a buffer; never in a named vertex array */
    uint32_t element_buffer; /* the application's ELEMENT_ARRAY_BUFFER */
    uint32_t element_serial; /* the share group's buffer_deletes when it was bound */
    uint32_t element_host;   /* what the host has bound: 0 after a draw with client indices, on a
                                stock host until it matters, on ours when the buffer was deleted */
    struct ggl_attrib attribs[GGL_MAX_ATTRIBS];
};

/* Pixel store of one direction, in elements. */
struct ggl_pixel_store {
    uint32_t alignment;
    uint32_t row_length;
    uint32_t image_height; /* unpack only, as skip_images */
    uint32_t skip_pixels;
    uint32_t skip_rows;
    uint32_t skip_images;
};

/* Driver limits, asked of the host when first needed. */
struct ggl_limits {
    bool known;
    int32_t texture_size;
    int32_t texture_size_3d;
    int32_t array_layers;
};

/* The 2D and external textures of one unit, and which of them the host has bound to GL_TEXTURE_2D.
 */
struct ggl_unit {
    uint32_t texture_2d;
    uint32_t texture_external;
    bool external; /* the external one has priority */
};

/* The fixed arrays of GLES 1, as attributes: texture coordinates by unit behind the others. */
enum ggl1_array {
    GGL1_VERTEX,
    GGL1_NORMAL,
    GGL1_COLOR,
    GGL1_POINT_SIZE,
    GGL1_TEXCOORD,
    GGL1_UNITS = GGL_MAX_ATTRIBS - GGL1_TEXCOORD,
};

/* What a context of GLES 1 has beside. */
struct ggl1_state {
    uint32_t client_unit;        /* glClientActiveTexture, from 0 */
    uint32_t texgen[GGL1_UNITS]; /* GL_TEXTURE_GEN_MODE_OES of each unit */
    int32_t texture_size, units; /* driver limits; 0: not asked yet */
};

/* A buffer object. `lock` of the share group guards it. */
struct ggl_buffer {
    uint64_t size;
    uint32_t usage;
    bool gpu_written;     /* was bound where shaders write: contents here are never trusted */
    uint64_t valid_begin; /* bytes [valid_begin, valid_end) of shadow are what the host has */
    uint64_t valid_end;
    uint8_t *shadow; /* nullable (then as if zeroed): guest copy of the contents, `size` bytes */
    uint8_t *map;   /* nullable: what the application got from glMapBuffer*, inside `shadow`, or: */
    bool map_apart; /* inside `piece` or `own`, as its old contents did not matter */
    struct gs_piece piece; /* what the host reads */
    uint8_t *own;          /* nullable: copied to such memory at the end; kept for the next map */
    uint64_t own_size;
    uint64_t map_offset;
    uint64_t map_size;
    uint32_t map_access;
    bool deleted;                /* a ghost: other contexts or vertex arrays may hold it on */
    bool immutable;              /* glBufferStorageEXT */
    uint32_t storage_flags;      /* what its storage allows */
    struct ggl_lasting *lasting; /* nullable: `map` lasts over draws (ggl_lasting.c) */
};

/* A sampler uniform declared samplerExternalOES. */
struct ggl_external_name {
    struct ggl_external_name *next;
    char name[];
};

struct ggl_shader {
    char *source;       /* the application's text; nullable */
    size_t source_size; /* without NUL */
    bool deleted;
    uint32_t attached; /* programs that hold it */
    struct ggl_external_name *externals;
};

/* One active uniform: locations [location, location + count). */
struct ggl_uniform {
    int32_t location;
    uint32_t count;
    uint32_t element; /* bytes of one element */
    bool sampler;     /* of 2D textures, external ones among them */
    bool external;
    int32_t *units; /* samplers: `count` texture units */
};

/* A program, as its last link left it. */
struct ggl_program {
    uint32_t *shaders; /* attached */
    uint32_t shader_count;
    struct ggl_external_name *externals;
    bool attribs_valid; /* attrib_mask is of the last link */
    bool is_made;       /* the host gave its name */
    bool linked;        /* as far as is known here: it can be used */
    bool uniforms_valid;
    bool units_valid; /* the samplers' units are what the host has */
    bool deleted;
    bool locations_known; /* `locations` is of the last link, NULL for one that failed */
    uint32_t attrib_mask; /* locations of active attributes */
    uint8_t *locations;   /* as the host packs them; nullable */
    uint32_t locations_size;
    struct ggl_uniform *uniforms;
    uint32_t uniform_count;
};

/* Names that our own host has set aside for this group or context and no application has yet. */
#define GGL_SPARES 64
enum ggl_spare_kind {
    GGL_SPARE_TEXTURE,
    GGL_SPARE_BUFFER,
    GGL_SPARE_RENDERBUFFER,
    GGL_SPARE_SHARED, /* the group's are those before; the context's own: */
    GGL_SPARE_FRAMEBUFFER = GGL_SPARE_SHARED,
    GGL_SPARE_VERTEX_ARRAY,
    GGL_SPARE_KINDS
};
struct ggl_spare {
    uint32_t least, span; /* atomic: they lie in [least, least + span) */
    uint32_t begin, end;  /* they are names[begin .. end); the lock guards them */
    uint32_t batch;       /* so many were asked for last */
    uint32_t names[GGL_SPARES];
};

/* What glGetFramebufferAttachmentParameteriv said of framebuffer 0. */
#define GGL_SURFACE_ANSWERS 8
struct ggl_surface_answer {
    GLenum attachment, pname;
    GLint value;
};

/* How far a stream of the group was when it last told of what it wrote (ggl_order.c). */
#define GGL_TOLD 16
struct ggl_told {
    struct asg_page *page; /* the stream's; borrowed while its context is current; NULL: none */
    uint32_t value;        /* what its host_signal reaches then */
    uint32_t turn;         /* the group's `order` at that time */
};

/* Objects several contexts share. `lock` guards the tables and everything in them; it is taken by
 * no draw without client arrays. */
struct ggl_share {
    pthread_mutex_t lock;
    uint32_t refs;                   /* atomic */
    struct sl_map buffers;           /* of struct ggl_buffer, by name */
    struct sl_map shaders;           /* of struct ggl_shader, by name */
    struct sl_map programs;          /* of struct ggl_program, by name */
    struct sl_map syncs;             /* handles that live */
    struct sl_map external_textures; /* textures that were external once */
    struct sl_map targets;   /* textures and renderbuffers of colour buffers (ggl_store.c) */
    uint32_t locations_room; /* bytes of the largest table of places so far (ggl_location.c) */
    struct ggl_spare spares[GGL_SPARE_SHARED];
    struct ggl_told told[GGL_TOLD];
    const struct gs_stream *stream; /* where one of its contexts was current first; a name only */
    /* Atomic, and read outside the lock, all but the pointers: */
    uint32_t buffer_deletes;     /* grows when a buffer name dies: remembered bindings may mean
                                    another object */
    uint32_t buffer_changes;     /* grows when a buffer dies, gets storage, a map or a copy here:
                                    what contexts noted of it (ggl_plain) is void */
    uint32_t ghosts;             /* how many of `buffers` are deleted */
    uint32_t links;              /* grows with every link */
    uint32_t order;              /* grows when a context tells of what it wrote */
    uint32_t is_threaded;        /* contexts of it were current on several streams */
    uint32_t has_lasting;        /* there is a map that lasts over draws */
    struct ggl_lasting *lasting; /* these maps; nullable */
    struct sl_writes *writes;    /* tells which pages of theirs were written to; nullable */
    uint32_t externals; /* a shader declared samplerExternalOES, or an external texture was bound */
    uint32_t has_targets;   /* a colour buffer became what can be drawn on */
    uint32_t has_exports;   /* textures of ours are exported among those */
    uint32_t vertex_id;     /* a shader reads gl_VertexID: draws must not move their first vertex */
    uint32_t client_arrays; /* a context drew from client memory: index buffers keep a copy here */
};

/* A buffer that is written without a look at its object, and so without the lock: it is not mapped,
 * and nothing of it is known or kept here. */
#define GGL_PLAIN 4 /* so many are noted, by name */
struct ggl_plain {
    uint32_t name;   /* 0: none */
    uint32_t serial; /* the share group's buffer_changes then */
    uint64_t size;
};

#define GGL_WRITTEN 4 /* more are sent at once */

struct ggl_context {
    struct gs_stream *stream; /* first: ggl_context_stream */
    struct ggl_vertex_array *vertex_array;
    uint32_t error; /* the first local one since glGetError */
    uint32_t version;
    uint32_t features;
    bool lost; /* for ever */
    bool reset_reported;
    bool lose_on_reset;
    bool robust;   /* robust access was asked for */
    bool no_error; /* it tells of no errors but GL_OUT_OF_MEMORY */
    bool no_flush; /* the program wants no flush where it is current no more */
    bool debug;    /* a debug context was asked for */
    bool debug_begun;
    struct ggl_share *share;
    uint32_t buffers[GGL_BUFFER_SLOTS];
    uint32_t
        buffer_serials[GGL_BUFFER_SLOTS]; /* the share group's buffer_deletes when each was bound */
    struct ggl_plain plain[GGL_PLAIN];
    uint32_t program;
    bool program_deleted; /* the current program goes when another is used */
    uint32_t pipeline;
    uint32_t active_unit;
    struct ggl_pixel_store pack;
    struct ggl_pixel_store unpack;
    bool restart; /* PRIMITIVE_RESTART_FIXED_INDEX */
    /* attributes the program reads, as far as known */
    uint32_t attrib_program;
    uint32_t attrib_links;
    uint32_t attrib_mask;
    uint64_t alive_checked_ns; /* when the host was last looked for */
    /* quiet: no packet since the host was asked for errors while the next two are what the stream
     * has */
    bool quiet;
    uint64_t quiet_published;
    const uint8_t *quiet_cur;
    struct ggl_vertex_array default_array;
    struct sl_map vertex_arrays; /* of struct ggl_vertex_array, by name */
    struct ggl_spare spares[GGL_SPARE_KINDS - GGL_SPARE_SHARED];
    struct ggl_unit units[GGL_MAX_UNITS];
    struct ggl_limits limits;
    int32_t constants[GGL_PARAMETERS]; /* of the driver, by place in the parameter table */
    uint32_t constants_known[GGL_PARAMETERS / 32];
    struct ggl1_state fixed; /* GLES 1 */
    uint8_t *scratch;
    size_t scratch_size;
    uint32_t surface_width_px; /* of framebuffer 0; 0: there is no surface */
    uint32_t surface_height_px;
    struct ggl_surface_answer surface_answers[GGL_SURFACE_ANSWERS]; /* while it is current */
    uint32_t surface_answer_count;
    uint32_t order_seen; /* share.order when others were waited for last */
    uint32_t draw_framebuffer;
    uint32_t read_framebuffer;
    /* what was drawn on colour buffers went to their memory while the next two are what the stream
     * has; nobody waited for it yet */
    uint64_t stored_published;
    const uint8_t *stored_cur;
    bool store_is_awaited;
    struct ggl_written {
        uint32_t target, name; /* of a colour buffer, and written to otherwise */
    } written[GGL_WRITTEN];
    uint32_t written_count;
    uint32_t renderbuffer; /* that is bound */
    /* strings, made when first asked for */
    char *strings[5];
    char *extensions;
    size_t extensions_size;
    const char **extension_list;
    uint32_t extension_count;
    const struct ggl_egl_ops *ops;
    void *user;
    /* KHR_debug: the application's function, nullable, and what it gets */
    GLDEBUGPROC debug_callback;
    const void *debug_user;
    bool debug_telling;               /* it is being called: what it does is not told */
    uint64_t nowhere[GGL_ANSWER_MAX]; /* ggl_nowhere */
};

_Static_assert(offsetof(struct ggl_context, stream) == 0,
               "ggl_context_stream reads the first member");

/* Is it a context of GLES 1? */
static inline bool ggl_fixed(const struct ggl_context *c)
{
    return c->version < 20;
}

/* ggl_context.c: `size` bytes of the context's scratch memory, uninitialised; NULL without memory.
 */
void *ggl_scratch(struct ggl_context *c, size_t size);

/* ggl_share.c */
struct ggl_share *ggl_share_create(void);
struct ggl_share *ggl_share_ref(struct ggl_share *share);
void ggl_share_unref(struct ggl_share *share);

static inline struct sl_pack *ggl_pack(struct ggl_context *c)
{
    return gs_pack(c->stream);
}

static inline bool ggl_has(const struct ggl_context *c, uint32_t feature)
{
    return (c->features & feature) != 0;
}

/* Does the host know the commands without an upstream number? False, with the error recorded. */
static inline bool ggl_own(struct ggl_context *c)
{
    bool own = ggl_has(c, GGL_FEATURE_GLESX);
    if (!own) {
        ggl_error(c, GL_INVALID_OPERATION);
    }
    return own;
}

/* Does bulky data go by memory shared with the host? */
static inline bool ggl_stages(const struct ggl_context *c)
{
    return ggl_has(c, GGL_FEATURE_STAGE) && !ggl_fixed(c) && gs_stages(c->stream);
}

/* May what is drawn on be a colour buffer? */
static inline bool ggl_stores(const struct ggl_context *c)
{
    /* What another context made came by way of the application, with its own order. */
    return SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->has_targets) != 0);
}

/* ggl_store.c: what is drawn on changes now. */
void ggl_store_send(struct ggl_context *c);
static inline void ggl_store_leave(struct ggl_context *c)
{
    if (ggl_stores(c)) {
        ggl_store_send(c);
    }
}

/* A texture or renderbuffer (target) is of a colour buffer now, one that can be drawn on. */
void ggl_store_begins(struct ggl_context *c, GLenum target, uint32_t name);
/* Something is written to it otherwise than by drawing; or it gets its own storage, or none. Names
 * that are of no colour buffer are no matter. */
void ggl_store_writes(struct ggl_context *c, GLenum target, uint32_t name);
void ggl_store_ends(struct ggl_context *c, GLenum target, uint32_t name);
void ggl_targets_finish(struct ggl_share *share); /* nobody uses the group any more */
/* The texture that is bound at a target, likewise. */
static inline void ggl_store_upload(struct ggl_context *c, GLenum target)
{
    if (ggl_stores(c) && target == GL_TEXTURE_2D) {
        ggl_store_writes(c, GL_TEXTURE_2D, c->units[c->active_unit].texture_2d);
    }
}
static inline void ggl_store_respecify(struct ggl_context *c, GLenum target, GLint level)
{
    if (ggl_stores(c) && target == GL_TEXTURE_2D && level == 0) {
        ggl_store_ends(c, GL_TEXTURE_2D, c->units[c->active_unit].texture_2d);
    }
}

/* A host that is not ours: it gets what upstream's encoder sends, needed or not, byte for byte
 * (golden file gles2-wrappers.jsonl), its own bugs aside. To ours only what is needed goes. */
static inline bool ggl_stock(const struct ggl_context *c)
{
    return !ggl_has(c, GGL_FEATURE_SLUICE);
}

#endif
