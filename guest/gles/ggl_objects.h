/* What the files of guest/gles ask of each other: one block a file. All functions run on the
 * context's thread. */
#ifndef GUEST_GLES_GGL_OBJECTS_H
#define GUEST_GLES_GGL_OBJECTS_H

#include "guest/gles/ggl_state.h"

#include "guest/gles1_ask.h"
#include "guest/gles1_call.h"
#include "guest/gles1_entry.h"
#include "guest/gles2_ask.h"
#include "guest/gles2_call.h"
#include "guest/gles_hand.h"
#include "guest/glesx_ask.h"
#include "guest/glesx_call.h"
#include "wire/gles1_pack.h"
#include "wire/gles2_pack.h"
#include "wire/glesx_pack.h"

/* ggl_context.c */
void ggl_vertex_array_init(struct ggl_vertex_array *array, uint32_t name);

/* May a call travel with this size? Below zero only to a host of ours, without the data: its driver
 * finds which of the call's errors is the first. Elsewhere false, with the error recorded. */
bool ggl_size_travels(struct ggl_context *c, int64_t size);

/* The wire carries sizes and offsets as signed 32-bit numbers (protocol: trap T2). */
#define GGL_WIRE_SIZE_MAX INT32_MAX

/* ggl_binding.c */
enum ggl_buffer_slot ggl_buffer_slot(GLenum target);
/* The name bound to a slot; 0 for GGL_BUFFER_NONE. */
uint32_t ggl_buffer_bound(const struct ggl_context *c, enum ggl_buffer_slot slot);
/* The slot of a call's target, which is bound on the host afterwards as the application has it. */
enum ggl_buffer_slot ggl_buffer_use(struct ggl_context *c, GLenum target);
/* The bound ELEMENT_ARRAY_BUFFER died on our own host, where a draw from client memory unbound it
 * when its name was dead already: its copy here is all there is. */
static inline bool ggl_element_is_lost(const struct ggl_context *c)
{
    return c->vertex_array->element_host != c->vertex_array->element_buffer && !ggl_stock(c);
}
/* Binds the application's ELEMENT_ARRAY_BUFFER on a stock host, where a draw with client indices
 * may have unbound it. */
void ggl_element_sync(struct ggl_context *c);

/* ggl_buffer.c. The share group's lock is held where the name ends in _locked. */
/* The object of a name, made when it is new; NULL for name 0 and without memory. */
struct ggl_buffer *ggl_buffer_get_locked(struct ggl_context *c, uint32_t name);
struct ggl_buffer *ggl_buffer_bound_locked(struct ggl_context *c, enum ggl_buffer_slot slot);
/* The host changed the contents of the buffer bound to a slot: the guest's copy is stale. */
void ggl_buffer_written(struct ggl_context *c, enum ggl_buffer_slot slot);
void ggl_buffer_free(void *buffer);
/* Names are given out that may have died: they mean other objects now. */
void ggl_buffers_born(struct ggl_context *c, GLsizei n, const GLuint *names);
/* What contexts noted of buffers is void. */
static inline void ggl_buffers_changed_locked(struct ggl_context *c)
{
    /* Pairs with the load in ggl_glBufferSubData. */
    sl_atomic_add(&c->share->buffer_changes, 1);
}
/* ggl_map.c: bytes [begin, end) of the shadow are what the host has. */
void ggl_buffer_known_locked(struct ggl_buffer *b, uint64_t begin, uint64_t end);
/* ggl_map.c: `size` bytes from `offset` of a buffer bound to ELEMENT_ARRAY_BUFFER, valid while the
 * lock is held; fetched when the guest has no copy. *size is cut to what the buffer holds. NULL:
 * nothing there. */
const uint8_t *ggl_buffer_read_locked(struct ggl_context *c, uint32_t name, uint64_t offset,
                                      uint64_t *size);
/* The host binds a buffer. */
static inline void ggl_pack_bind_buffer(struct ggl_context *c, GLenum target, GLuint buffer)
{
    if (ggl_fixed(c)) {
        gles1_pack_glBindBuffer(ggl_pack(c), target, buffer);
    } else {
        gles2_pack_glBindBuffer(ggl_pack(c), target, buffer);
    }
}

/* ggl_lasting.c: maps that last over draws. The map of [offset, offset + size), whose contents are
 * in the shadow, moves to memory of its own; false without memory. */
bool ggl_lasting_begin_locked(struct ggl_context *c, struct ggl_buffer *b, uint32_t name,
                              uint64_t offset, uint64_t size);
/* The map is gone; what was not sent is lost. A buffer without such a map is left alone. */
void ggl_lasting_end_locked(struct ggl_buffer *b);
/* What the application wrote between these bytes of the buffer becomes the host's. */
void ggl_lasting_flush_locked(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin,
                              uint64_t end);
/* The application writes these bytes by glBufferSubData: into the map as well. */
void ggl_lasting_write_locked(struct ggl_context *c, struct ggl_buffer *b, uint64_t offset,
                              const void *data, uint64_t size);
/* What the host has between these bytes comes into shadow and map. False without memory. */
bool ggl_lasting_fetch_locked(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin,
                              uint64_t end);
void ggl_lasting_send(struct ggl_context *c);
void ggl_lasting_update(struct ggl_context *c);

/* ggl_order.c. What the context sent so far is there for the group's others that are told of it by
 * the program: after a flush. */
void ggl_order_note(struct ggl_context *c);
static inline void ggl_order_tell(struct ggl_context *c)
{
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->refs) > 1)) { /* a hint */
        ggl_order_note(c);
    }
}
/* After writing to textures and buffers, which drivers do at once: where there are other threads,
 * as each such call goes out by itself then. */
static inline void ggl_order_written(struct ggl_context *c)
{
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->is_threaded))) { /* a hint */
        ggl_order_tell(c);
    }
}
/* The context is current on its stream. */
void ggl_order_enter(struct ggl_context *c);
/* Before what is in shared objects is used: what others told of is there. */
void ggl_order_await(struct ggl_context *c);
static inline void ggl_order_use(struct ggl_context *c)
{
    /* Whoever was told of it comes behind the store, by the program's own order. */
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->order) != c->order_seen)) {
        ggl_order_await(c);
    }
}

/* Before a command that may read or write buffers: what the application wrote becomes the host's,
 * and what other threads told of is there. */
static inline void ggl_lasting_use(struct ggl_context *c)
{
    ggl_order_use(c);
    /* The map came by way of the application, with its own order. */
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->has_lasting))) {
        ggl_lasting_send(c);
    }
}
/* After a wait for the host: what that wrote becomes the application's. */
static inline void ggl_lasting_waited(struct ggl_context *c)
{
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->has_lasting))) { /* as above */
        ggl_lasting_update(c);
    }
}

/* ggl_share.c: other contexts of the group may use, right after this call and without a fence, what
 * it made: the host has to have read it before. Without other contexts nothing happens. */
void ggl_settle(struct ggl_context *c);

/* ggl_spare.c: an application may bind and delete names that it was not given: those are no spare
 * ones from then on. */
void ggl_spare_drop(struct ggl_context *c, struct ggl_spare *spare, uint32_t name);
static inline struct ggl_spare *ggl_spare_of(struct ggl_context *c, enum ggl_spare_kind kind)
{
    return kind < GGL_SPARE_SHARED ? &c->share->spares[kind] : &c->spares[kind - GGL_SPARE_SHARED];
}
static inline void ggl_spare_use(struct ggl_context *c, enum ggl_spare_kind kind, uint32_t name)
{
    struct ggl_spare *s = ggl_spare_of(c, kind);
    uint32_t above = name - sl_atomic_load_relaxed(&s->least);   /* hints, see */
    if (SL_UNLIKELY(above < sl_atomic_load_relaxed(&s->span))) { /* ggl_spare.c */
        ggl_spare_drop(c, s, name);
    }
}

/* glGenVertexArrays without what the guest keeps of each. */
void ggl_spare_gen_vertex_arrays(struct ggl_context *c, GLsizei n, GLuint *arrays);

/* ggl_location.c: the link's locations are not those known; forgets them. The lock is held. */
void ggl_locations_forget(struct ggl_program *program);
/* They will be asked for. */
void ggl_locations_prepare(struct ggl_context *c, uint32_t name);

/* ggl_draw.c: draws of any kind, from buffers or client memory. */
struct ggl_draw {
    GLenum mode;
    GLsizei count;
    GLenum type;       /* of indices */
    GLsizei instances; /* < 0: not instanced */
    GLint base_vertex;
    GLuint base_instance; /* not 0: instanced */
};
/* Bytes of an index; 0 for a type that none has. */
uint32_t ggl_index_size(GLenum type);
/* Takes the lowest bit out of a mask that has one: its number. */
static inline uint32_t ggl_first_bit(uint32_t *mask)
{
    uint32_t i = (uint32_t)__builtin_ctz(*mask);
    *mask &= *mask - 1;
    return i;
}
void ggl_draw_arrays(struct ggl_context *c, const struct ggl_draw *d, GLint first);
void ggl_draw_elements(struct ggl_context *c, const struct ggl_draw *d, const void *indices);

/* ggl1_array.c: how the host of a context of GLES 1 hears of an array's elements, in `data` or in
 * the bound buffer from `offset`. */
void ggl1_array_data(struct ggl_context *c, uint32_t index, const struct sl_gather *data);
void ggl1_array_offset(struct ggl_context *c, uint32_t index, uint32_t offset);
/* ggl1_texture.c: the bound texture gets an image's storage. */
void ggl1_image_target(struct ggl_context *c, GLenum target, const struct ggl_image *image);
/* The texture unit that an enumerant of GL_TEXTURE0 and later names; GGL1_UNITS for none that the
 * driver has. */
uint32_t ggl1_unit(struct ggl_context *c, GLenum texture);

/* ggl_text.c: the label of a live sync object. */
void ggl_text_sync_label(struct ggl_context *c, uint64_t sync, GLsizei room, GLsizei *length,
                         GLchar *out);

/* ggl_debug.c: the application's debug function hears what the driver said. */
void ggl_messages_tell(struct ggl_context *c);
/* glGetPointerv of what KHR_debug keeps; an error for anything else. */
void ggl_debug_pointer(struct ggl_context *c, GLenum pname, void **params);

/* ggl_array.c: forget a deleted buffer in the current vertex array. */
void ggl_array_buffer_deleted(struct ggl_context *c, uint32_t name);

/* ggl_pixel.c */
/* Where pixels lie in client memory and how many bytes travel. All in bytes unless said. */
struct ggl_pixels {
    size_t start;  /* skipped at the front */
    size_t row;    /* of one row's pixels */
    size_t pitch;  /* from row to row */
    size_t image;  /* from image to image */
    uint32_t rows; /* in an image */
    uint32_t images;
    size_t size; /* on the wire: start + images * image; 0: nothing */
};
/* Bytes of one pixel; 0 for a pair GL does not know. */
uint32_t ggl_pixel_size(GLenum format, GLenum type);
/* dims: 2 ignores image height and skipped images, as GL does. False when the size does not fit a
 * packet. */
bool ggl_pixels_measure(const struct ggl_pixel_store *store, uint32_t dims, GLsizei width,
                        GLsizei height, GLsizei depth, GLenum format, GLenum type,
                        struct ggl_pixels *out);
/* The gather for an upload from `data`; reads only the pixels themselves. */
struct sl_gather ggl_pixels_gather(const struct ggl_pixels *pixels, const void *data);

/* ggl_texture.c */
/* For a call that names a texture target: the target to send, after making the addressed texture
 * the bound one. end() undoes it. */
struct ggl_target_scope {
    GLenum target;
    bool rebound;
};
struct ggl_target_scope ggl_target_begin(struct ggl_context *c, GLenum target);
void ggl_target_end(struct ggl_context *c, const struct ggl_target_scope *scope);
/* Gives a unit's 2D or external texture priority. */
void ggl_unit_prefer(struct ggl_context *c, uint32_t unit, bool external);

/* ggl_shader.c */
void ggl_shader_free(void *shader);
struct ggl_shader *ggl_shader_get_locked(struct ggl_context *c, uint32_t name);
void ggl_external_names_free(struct ggl_external_name *names);
/* The list with one name more; without memory the list as it is. */
struct ggl_external_name *ggl_external_name_add(struct ggl_external_name *list, const char *text,
                                                size_t length);
/* Finds what the guest must know about shader text, and hides external samplers from the host: text
 * keeps its length. Returns the names of external samplers, nullable. */
struct ggl_external_name *ggl_shader_scan(struct ggl_context *c, char *text);
/* `count` strings as one, NUL terminated, to be freed; NULL past 2 GiB or without memory. lengths:
 * nullable, negative = NUL terminated. */
char *ggl_shader_join(GLsizei count, const GLchar *const *strings, const GLint *lengths,
                      size_t *size);

/* ggl_program.c */
void ggl_program_free(void *program);
struct ggl_program *ggl_program_get_locked(struct ggl_context *c, uint32_t name);
/* What was known of the program is void: it was linked, or loaded. Takes the external samplers. */
void ggl_program_linked(struct ggl_context *c, uint32_t name, struct ggl_external_name *externals);
/* Attributes that the current program reads; all when that cannot be known. */
uint32_t ggl_program_attribs(struct ggl_context *c);

/* ggl_uniform.c: what the last link of a program left active, asked of the host. */
void ggl_attribs_fetch_locked(struct ggl_context *c, uint32_t name, struct ggl_program *program);
/* Attributes and uniforms, as upstream guests ask at link time. */
void ggl_table_fetch_locked(struct ggl_context *c, uint32_t name, struct ggl_program *program);
void ggl_uniforms_forget(struct ggl_program *program);
/* Points every unit of the program's samplers at its 2D or external texture. */
void ggl_samplers_apply(struct ggl_context *c, uint32_t program);

/* ggl_text.c */
void ggl_text_shader_source(struct ggl_context *c, GLuint shader, GLsizei room, GLsizei *length,
                            GLchar *source);

/* ggl_string.c: extensions that an application sees. */
uint32_t ggl_extension_count(struct ggl_context *c);

/* ggl_error.c, for errors that nobody waits for; nothing otherwise. The host leaves its error in
 * the ring page; what lies there becomes the context's. */
void ggl_errors_report(struct ggl_context *c);
void ggl_errors_take(struct ggl_context *c);

/* ggl_error.c: is there anything in the list of a glGen* or glDelete*? A count that no packet holds
 * is an error. */
bool ggl_names_given(struct ggl_context *c, GLsizei n, const GLuint *names);

/* ggl_query.c: a stock host is asked for this driver constant once, before the first call that it
 * bounds. */
void ggl_stock_limit(struct ggl_context *c, GLenum pname);

/* ggl_query.c: limits, asked once. */
const struct ggl_limits *ggl_limits_get(struct ggl_context *c);

#endif
