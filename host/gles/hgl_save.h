/* A snapshot of a GLES context of the device: between the files that write it.
 *
 * Everything is asked of the live driver, on the device thread, while the rings stand between two
 * packets and have nothing current (hgl_context.c sees to that). What the GLES of a guest cannot
 * be asked (contents of textures above all) is read by a desktop GL context that shares the objects
 * of the group, for the time of the snapshot: it has its own bindings, so the guest's stay as they
 * are, and no name is made that a guest would miss later. Packets are packed as a guest packs them
 * and go out in order. */
#ifndef HOST_HGL_SAVE_H
#define HOST_HGL_SAVE_H

#include "host/gles/hgl_group.h"
#include "host/gles/hgl_provider.h"

#include "wire/gles2_opcodes.h"
#include "wire/gles2_pack.h"
#include "wire/glesx_opcodes.h"
#include "wire/glesx_pack.h"

/* Desktop GL beyond what the GLES table has; all or none. */
struct hgl_reader {
    void (*GetTexImage)(GLenum target, GLint level, GLenum format, GLenum type, void *pixels);
    void (*GetCompressedTexImage)(GLenum target, GLint level, void *pixels);
    void (*GetTextureParameteriv)(GLuint texture, GLenum name, GLint *value);
    void (*GetBufferSubData)(GLenum target, GLintptr offset, GLsizeiptr size, void *data);
};

/* One native context, and where it is current in the snapshot. */
struct hgl_saved {
    const struct ho_object *object; /* borrowed, as the surfaces */
    struct hrc_context *context;
    struct hgl_state *state;
    const struct ho_object *draw, *read; /* both NULL: without a surface */
    uint32_t handle;
    uint32_t ring; /* where it is current; 0: nowhere */
    bool is_done;
    bool is_filled; /* the objects of its group are there */
};

struct hgl_objects {
    struct ho_object **list; /* counted */
    uint32_t count;
};

/* What was deleted while a framebuffer has it (hgl_save_orphan.c). */
struct hgl_orphan {
    GLenum type; /* GL_TEXTURE, GL_RENDERBUFFER */
    uint32_t name, framebuffer;
    GLenum attachment; /* of that framebuffer */
    GLenum face;       /* of a cube; 0: of a 2D texture */
    GLint level, width, height;
    const struct hgl_format *format;
    uint8_t *pixels; /* of a texture, owned */
};

/* A texture or renderbuffer of several samples. */
struct hgl_samples {
    uint32_t name;
    GLenum target; /* GL_RENDERBUFFER, GL_TEXTURE_2D_MULTISAMPLE, ..._ARRAY */
};

/* Names that exist in the replay and may be anything for a while; 0: none. */
struct hgl_lent {
    uint32_t vertex, fragment, program;
};

/* An image that the guest has closed, and textures have (hgl_save_image.c). */
struct hgl_closed {
    struct ho_object *object; /* a reference */
    uint32_t handle;          /* in the replay; 0: it is made where it is needed */
};

struct hgl_save {
    const struct vgd_saver *to; /* NULL: nothing is saved, hgl_drawn.c reads */
    struct hgl_objects all;     /* of the client */
    uint8_t *images_done;       /* [all.count] */
    struct hrc_client *client;
    const struct hs_native *n;
    const struct gl_driver *gl;
    struct hgl_reader reader;
    struct sl_pack_mem out;    /* packets that have not gone yet */
    struct sl_pack_mem ending; /* those that end what comes next (hgl_save_makes) */
    uint32_t ring;             /* where they go */
    enum sl_result result;     /* the first failure */
    struct hgl_saved *contexts;
    uint32_t context_count;
    struct hgl_closed *closed; /* owned; nullable */
    uint32_t closed_count;
    /* Of the group that is being saved. */
    struct hgl_saved *root;
    uint32_t gles;      /* of what is shared: the root's, or of a context that is made for it */
    uint32_t spare;     /* a handle that no object has */
    uint32_t doer;      /* the ring that names are used up on; 0: none may be */
    EGLContext reading; /* its desktop context */
    EGLSurface pbuffer; /* where that cannot do without */
    struct hgl_orphan *orphans; /* owned; nullable */
    uint32_t orphan_count;
    struct hgl_samples *samples; /* owned; nullable */
    uint32_t samples_count;
    bool shares_framebuffers;
    bool reuses_names;      /* the driver gives names out again that were given back */
    const char *extensions; /* of the current GLES context */
};

/* hgl_save_out.c: packets. */
static inline struct sl_pack *hgl_out(struct hgl_save *s)
{
    return &s->out.pack;
}
/* Hands over what was packed. */
void hgl_save_flush(struct hgl_save *s);
/* The same; the last packet has this reply. */
void hgl_save_reply(struct hgl_save *s, const void *reply, size_t size);
/* May reading make names in the group? */
static inline bool hgl_save_may_use(const struct hgl_save *s)
{
    return s->to->is_last || s->reuses_names || s->doer != 0;
}
/* It has made this one, and gives it back: it counts as the guest's, on the ring `doer`. */
void hgl_save_used(struct hgl_save *s, enum hgl_kind kind, uint32_t name);
/* A packet of these bytes. */
void hgl_save_raw(struct hgl_save *s, uint32_t opcode, const void *body, size_t size);
/* What packets are about, for who compares (vgd_saver.about). */
enum hgl_about {
    HGL_ABOUT_NAMES,           /* + hgl_kind: one object; programs and shaders are one kind */
    HGL_ABOUT_HELD = 0x100,    /* + hgl_kind: what it holds */
    HGL_ABOUT_MADE_OF = 0x200, /* + hgl_kind */
    HGL_ABOUT_STATE = 0x300,
    HGL_ABOUT_ERROR,
    HGL_ABOUT_DEBUG,
    HGL_ABOUT_HANDLE, /* renderControl's: buffers, contexts, surfaces, images, fences */
    HGL_ABOUT_TARGET,
    HGL_ABOUT_PIXELS,
    HGL_ABOUT_SYNC,
    HGL_ABOUT_SHAPE,
    HGL_ABOUT_BOUND,
    HGL_ABOUT_OTHERS,
    HGL_ABOUT_COUNTED, /* of one context's queries, as its own names */
};
/* Packets from here on; id: of the group's. FILLS with HGL_ABOUT_HELD fill that object. */
void hgl_save_about(struct hgl_save *s, enum vgd_rule rule, uint32_t about, uint32_t id);
/* What cannot change of this program or shader; about: HGL_ABOUT_NAMES or HGL_ABOUT_MADE_OF. */
void hgl_save_about_program(struct hgl_save *s, uint32_t about, uint32_t name);
/* Of a kind whose names are given out once (vgd_about.stays), unless the driver reuses names. */
void hgl_save_staying(struct hgl_save *s, enum hgl_kind kind);
/* The object comes into being. state: another one where it cannot become that again. */
void hgl_save_makes(struct hgl_save *s, enum hgl_kind kind, uint32_t name, uint64_t state);
/* For who compares, all is told, also what new objects are like. */
static inline bool hgl_save_is_whole(const struct hgl_save *s)
{
    return s->to->about != NULL;
}
/* The state cannot be written down: UNSUPPORTED, and why. */
void hgl_save_refuse(struct hgl_save *s, const char *format, ...) SL_PRINTF(2, 3);
bool hgl_save_failed(const struct hgl_save *s);
/* Memory; NULL fails the snapshot. */
void *hgl_save_alloc(struct hgl_save *s, size_t count, size_t size);

/* hgl_save_gl.c: the native side, and names. */
bool hgl_save_current(struct hgl_save *s, const struct hgl_saved *context);
bool hgl_save_reading(struct hgl_save *s); /* the desktop context is current */
/* The same, with a surface of the guest's to be read. */
bool hgl_save_reading_at(struct hgl_save *s, const struct hrc_surface *surface);
/* config: the guest's number of one; share: whose objects it sees, or EGL_NO_CONTEXT. */
bool hgl_save_reader_begin(struct hgl_save *s, uint32_t config, EGLContext share);
void hgl_save_reader_end(struct hgl_save *s);
GLint hgl_get(const struct hgl_save *s, GLenum name);
bool hgl_has(const struct hgl_save *s, const char *extension);
/* Names 1 to the result that are alive are marked in *alive (owned by the caller, result + 1
 * bytes). */
uint32_t hgl_save_names(struct hgl_save *s, const struct hgl_state *state, enum hgl_kind kind,
                        uint8_t **alive);
/* As hgl_save_names says: all names are made, those that are not alive given back. */
void hgl_save_generate(struct hgl_save *s, enum hgl_kind kind, uint32_t top);
void hgl_save_delete_holes(struct hgl_save *s, enum hgl_kind kind, uint32_t top,
                           const uint8_t *alive);
/* In the replay: this context is current where it is said to be. */
void hgl_save_play_current(struct hgl_save *s, const struct hgl_saved *context);

/* Groups: objects that contexts share; the desktop context is current. */
void hgl_save_buffers(struct hgl_save *s); /* hgl_save_object.c */
/* hgl_save_object.c: one that was deleted, of what was kept of it (hgl_kept.h). */
struct hgl_kept;
void hgl_save_kept_buffer(struct hgl_save *s, uint32_t name, const struct hgl_kept *kept);
/* hgl_save_object.c: a buffer that is there gets its contents. */
void hgl_save_refill(struct hgl_save *s, uint32_t name);
void hgl_save_samplers(struct hgl_save *s);      /* hgl_save_object.c */
void hgl_save_renderbuffers(struct hgl_save *s); /* hgl_save_render.c */
/* hgl_save_render.c: those whose storage is an image's; all images are there. */
void hgl_save_image_renderbuffers(struct hgl_save *s);
void hgl_save_textures(struct hgl_save *s); /* hgl_save_texture.c */
void hgl_save_unnamed(struct hgl_save *s);  /* hgl_save_texture.c: those without names */
void hgl_save_programs(struct hgl_save *s); /* hgl_save_program.c */
void hgl_save_deleted_programs(struct hgl_save *s);

/* One context's: it is current. */
void hgl_save_framebuffers(struct hgl_save *s, const struct hgl_saved *c); /* hgl_save_object.c */
void hgl_save_arrays(struct hgl_save *s, const struct hgl_saved *c);       /* hgl_save_arrays.c */
void hgl_save_own_objects(struct hgl_save *s, const struct hgl_saved *c);
/* hgl_save_feedback.c: before all else of a new context. True: the one that is bound is to be
 * resumed behind it. */
bool hgl_save_feedbacks(struct hgl_save *s, const struct hgl_saved *c);
/* Of a kind that contexts do not share. */
void hgl_save_own_names(struct hgl_save *s, const struct hgl_saved *c, enum hgl_kind kind,
                        uint32_t top, const uint8_t *alive);
void hgl_save_state(struct hgl_save *s, const struct hgl_saved *c); /* hgl_save_state.c */
void hgl_save_gles1(struct hgl_save *s, const struct hgl_saved *c); /* all of one of GLES 1 */
/* A command whose arguments can be asked for. values: one letter an argument, i, f or b as
 * glGetIntegerv, glGetFloatv, glGetBooleanv tell it. One name tells them all, or each its own. */
struct hgl_row {
    uint32_t opcode;
    uint8_t gles;
    const char *extension; /* nullable */
    const char *values;
    GLenum prefix; /* an argument that goes before them; 0 none */
    GLenum names[4];
};
/* hgl_save_state.c: the command, where a context of this GLES has it. */
void hgl_save_row(struct hgl_save *s, const struct hgl_row *row, uint32_t gles);

/* hgl_save_orphan.c: those of the group, asked of the desktop context, which is current. What
 * cannot be told of is none of them. */
void hgl_save_find_orphans(struct hgl_save *s);
void hgl_save_orphans_finish(struct hgl_save *s);
/* What it is, and its pixels, unless its format stays NULL; its framebuffer is bound for reading,
 * and complete. */
void hgl_save_look_at_orphan(struct hgl_save *s, struct hgl_orphan *orphan);
/* NULL: there is no such one. */
const struct hgl_orphan *hgl_save_orphan(const struct hgl_save *s, GLenum type, uint32_t name);
/* In the replay: it is made; unpacking is plain. */
void hgl_save_orphan_texture(struct hgl_save *s, const struct hgl_orphan *orphan);
/* In the replay: all are deleted; no framebuffer is bound. */
void hgl_save_delete_orphans(struct hgl_save *s);

/* hgl_save_samples.c: this one of the group's has storage, and samples that are to be brought. */
void hgl_save_has_samples(struct hgl_save *s, uint32_t name, GLenum target);
/* They are; the desktop context is current, in the replay the root's. Unnamed 2D textures are
 * whatever behind it. */
void hgl_save_samples(struct hgl_save *s, const struct hgl_lent *lent);
void hgl_save_samples_finish(struct hgl_save *s);

/* hgl_save_image.c: the next object of the table gets this handle. */
void hgl_save_next_handle(struct hgl_save *s, enum hrc_table table, uint32_t handle);
/* A view of resources, which the replay has already. */
/* Which of the group's textures (or renderbuffers) are a resource's picture, too: names up to top
 * that are alive. */
void hgl_save_exports(struct hgl_save *s, bool renderbuffers, uint32_t top, const uint8_t *alive);
void hgl_save_view(struct hgl_save *s, const struct hs_view_args *view);
/* Is the colour buffer that is a texture's (or renderbuffer's) storage the one of this handle
 * still?
 */
bool hgl_save_has_buffer(struct hgl_save *s, bool renderbuffer, uint32_t name, uint32_t handle);
/* hgl_save_render.c: what a surface shows. spare: a handle that no object has. */
void hgl_save_surface(struct hgl_save *s, uint32_t handle, const struct hrc_surface *surface,
                      uint32_t spare);
/* hgl_save_texture.c: in the replay pixels come from packets, rows without gaps. GLES 3. */
void hgl_save_unpack_plain(struct hgl_save *s);
/* hgl_save_texture.c: what a texture is; the desktop context is current. */
GLenum hgl_save_target(struct hgl_save *s, uint32_t texture);
/* hgl_save_label.c: names that people gave, of the group's objects or one context's own. */
void hgl_save_labels(struct hgl_save *s, const struct hgl_state *state, bool own);
/* hgl_save_texture.c: parameters of a texture (sampler 0) or of a sampler object. */
void hgl_save_parameters(struct hgl_save *s, GLenum target, uint32_t sampler);

/* How pixels of an internal format are read and sent, without loss. */
struct hgl_format {
    GLenum internal, format, type;
    uint8_t bytes;  /* of a pixel */
    uint8_t legacy; /* luminance and alpha: read as RGBA, these components kept (bits) */
};
/* hgl_save_format.c. sizes: bits of red, green, blue, alpha, depth, stencil, for unsized formats.
 * NULL: none. */
const struct hgl_format *hgl_format_of(GLenum internal, const GLint sizes[6]);
/* What a framebuffer tells of an attachment: bits as above; type: GL_UNSIGNED_NORMALIZED, GL_FLOAT,
 * ...; 0 whatever. */
struct hgl_likeness {
    GLint sizes[6];
    GLenum type;
    bool is_srgb;
};
/* The first format whose textures (or renderbuffers) would be told of so; the desktop context is
 * current. NULL: none. */
const struct hgl_format *hgl_format_like(const struct hgl_save *s, GLenum target,
                                         const struct hgl_likeness *like);
/* What was read becomes what is to be sent. */
void hgl_format_round(const struct hgl_format *format, void *pixels, size_t count);

struct hgl_ring_ref {
    uint32_t id;
    struct hrc_thread *thread;
};
/* hgl_save.c: nothing of the context is current on any thread. */
enum sl_result hgl_save_client(struct hrc_client *client, const struct gl_driver *gl,
                               const struct hgl_ring_ref *rings, uint32_t ring_count,
                               const struct vgd_saver *to);

/* hgl_drawn.c: shows what is attached to the draw framebuffer that was current on the ring; nothing
 * is current on any thread. */
enum sl_result hgl_drawn(struct hrc_client *client, const struct gl_driver *gl,
                         const struct hrc_thread *ring, const struct vgd_viewer *viewer);

#endif
