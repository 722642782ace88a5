/* renderControl: contexts, surfaces, colour buffers, images, fences and composition, as commands on
 * a ring.
 *
 * Who uses it: the context types. A struct hrc_client is one guest process (one virtio-gpu
 * context): its objects, and the shared buffers it may name. A struct hrc_thread is one ring of it;
 * handlers get it as call->user of the rc and sl families. GLES and Vulkan rings both carry
 * renderControl: without a native GLES the GL commands fail and the others work. Lock order: object
 * table, client, buffer table, buffer; see README. */
#ifndef HOST_RC_H
#define HOST_RC_H

#include "host/object/object.h"
#include "host/ring/ring.h"
#include "host/surface/surface.h"
#include "transport/base/map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Handles of contexts, surfaces, images and fences: above the colour buffers' (HS_HANDLE_BASE). */
#define HRC_HANDLE_BASE 0x80000000u
#define HRC_OBJECTS_MAX 65536u
/* Surfaces are limited by bytes too: pbuffers of one client, 4 bytes a pixel. */
#define HRC_SURFACE_BYTES_MAX (2ull << 30)

enum hrc_kind { HRC_CONTEXT = 1, HRC_SURFACE, HRC_IMAGE, HRC_EGL_SYNC, HRC_GL_SYNC };

struct hrc_context {
    EGLContext egl;
    uint32_t config, version; /* as the guest asked; the wire's glVersion */
    uint32_t gles_version;    /* 10, or what the native context is: 20, 30, 31, 32; 0 until it was
                                 current once */
    bool is_gles1;
    bool is_gles32; /* asked for as such: guests with upstream's encoder know nothing above 3.1 */
    void *state;    /* the context type's: client arrays, pixel store; hrc_hooks */
    struct ho_object *share; /* keeps the share group's first; nullable */
};

struct hrc_surface {
    EGLSurface egl;
    uint32_t config;
    uint32_t colorspace; /* EGL_GL_COLORSPACE_*; 0: the driver's choice */
    uint32_t width, height;
    struct hs_buffer *target; /* nullable; holds a reference */
    struct hrc_thread *bound; /* the ring where it is current; nullable */
    struct ho_object
        *last; /* the context it was last current with: flushes from elsewhere use it; nullable */
};

struct hrc_image {
    EGLImageKHR egl;
    uint32_t context, target, name; /* what it was made of, as the guest said */
    uint32_t level, layer;
    uint64_t
        source; /* number of what it is of: the same of all images of that (hrc_hooks.imaged) */
    struct hs_buffer *exported; /* whose image it is; nullable, a reference; client.exporting */
};

struct hrc_client;
struct hrc_thread;

/* What the context type adds. All nullable. */
struct hrc_hooks {
    /* A native context was made; *state is what context_free gets. False: out of memory. */
    bool (*context_new)(void *user, struct hrc_context *context);
    /* Its native context is about to end; then it has. False: not yet, and it is the hook's now. */
    bool (*context_ends)(void *user, struct hrc_context *context);
    void (*context_free)(void *user, struct hrc_context *context);
    /* What was done in the ring's current context so far is handed over, for a packet of that
     * opcode: its surface is about to be shown, or (is_left) it is about to be current no more,
     * or with other surfaces. */
    void (*hands_over)(struct hrc_thread *thread, uint32_t opcode, bool is_left);
    /* What is to be shown was read. */
    void (*goes_on)(struct hrc_thread *thread);
    /* Another context (or none: NULL) is current on this ring now. */
    void (*current)(struct hrc_thread *thread, struct hrc_context *context);
    /* What is bound on this ring (a renderbuffer, or a texture) has a colour buffer's storage. */
    void (*bound)(struct hrc_thread *thread, struct hs_buffer *buffer, bool renderbuffer);
    /* An image was made, and has no handle yet. Its `source` is a new number: that of an earlier
     * image of the same texture or renderbuffer takes its place. */
    void (*imaged)(struct hrc_context *context, struct hrc_image *image);
    /* The texture or renderbuffer that an image is of has a colour buffer's storage. */
    void (*exported)(struct hrc_context *context, const struct hrc_image *image,
                     struct hs_buffer *buffer);
    /* A GL sync object whose last reference is gone. */
    void (*sync_free)(void *user, void *sync);
};

struct hrc_client {
    const struct hs_native *native; /* nullable */
    struct hs_table *buffers;
    const struct hrc_hooks *hooks;
    void *user; /* the hooks' */
    uint32_t ctx_id;
    char *words; /* feature words, each with a space behind it */
    struct ho_table objects;
    pthread_mutex_t lock; /* guards what follows, and the fields of surfaces */
    /* Which buffers this client may name: handle -> opens + 1. Attached resources, what it created,
     * what it opened. */
    struct sl_map named;
    uint64_t surface_bytes;
    uint64_t puid;
    uint64_t source_count; /* hrc_image.source */
    bool restores;         /* a replay, which may say which handles come */
    pthread_mutex_t
        exporting; /* one image at a time becomes a buffer's; guards hrc_image.exported */
};

struct hrc_config {
    const struct hs_native *native; /* nullable */
    struct hs_table *buffers;
    const struct hrc_hooks *hooks;
    void *user;
    uint32_t ctx_id;
    bool stock; /* advertise nothing that upstream does not */
    bool restores;
};

enum sl_result hrc_client_init(struct hrc_client *client,
                               const struct hrc_config *config) SL_MUST_USE;
/* All rings of the client are gone. */
void hrc_client_finish(struct hrc_client *client);
/* A 3D resource may be named by this client from now on; ids that are no colour buffers are
 * ignored. Device thread. */
void hrc_client_attach(struct hrc_client *client, uint32_t resource_id);
void hrc_client_detach(struct hrc_client *client, uint32_t resource_id);
/* A colour or plain buffer that the client may name, counted (hs_put); NULL: unknown, or not its
 * own. */
struct hs_buffer *hrc_buffer(struct hrc_client *client, uint32_t handle);

#define HRC_AUTO_SYNCS 64u

struct hrc_thread {
    struct hrc_client *client;
    void *user; /* the context type's */
    struct hs_thread gl;
    struct ho_object *context, *draw, *read; /* current; counted; NULL when none */
    uint64_t auto_syncs[HRC_AUTO_SYNCS]; /* handles of fences that go by themselves, oldest first
                                            from auto_first */
    uint32_t auto_first, auto_count;
};

/* Ring thread. */
void hrc_thread_init(struct hrc_thread *thread, struct hrc_client *client, void *user);
void hrc_thread_finish(struct hrc_thread *thread);
static inline struct hrc_context *hrc_current(const struct hrc_thread *thread)
{
    return thread->context != NULL ? thread->context->value : NULL;
}
/* Wait for an EGL fence on any thread, at most timeout_ns, in slices; `stopping` is asked between
 * them (nullable). True: signalled. */
bool hrc_sync_wait(const struct hs_native *native, EGLSyncKHR sync, uint64_t timeout_ns,
                   bool (*stopping)(void *user), void *user);

/* The tables whose handles a replay brings back: slNextHandle, slHandles. */
enum hrc_table { HRC_TABLE_OBJECTS, HRC_TABLE_BUFFERS };
struct sl_handles *hrc_handles(struct hrc_client *client, uint32_t table); /* NULL: no such one */

/* sl: our own commands. The handlers themselves are declared in generated host/rc_hand.h and
 * host/sl_hand.h. */

#endif
