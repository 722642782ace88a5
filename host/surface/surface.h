/* Colour buffers, and the plain buffers that cross contexts: what guests of one device share by
 * handle.
 *
 * Who uses it: the provider (resources come and go, device thread), renderControl and the context
 * types (ring threads). A colour buffer has up to two copies: `mem`, the shared backing of a 3D
 * resource, and `image`, an EGLImage over a GL texture whose name was given up at once, so that it
 * belongs to no context; it is made when somebody needs it. Row n of one is row n of the other.
 * Flags say which is newest. A buffer that was never written reads as zeros. Handles: a 3D resource
 * has its resource id (below HS_HANDLE_BASE); buffers that renderControl makes are numbered from
 * HS_HANDLE_BASE; among them views, whose memory is a part of resources' memory, in a format and
 * rows of their own (images of dma-bufs). */
#ifndef HOST_SURFACE_H
#define HOST_SURFACE_H

#include "host/surface/native.h"
#include "transport/base/handles.h"
#include "transport/base/map.h"
#include "transport/base/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_HANDLE_BASE 0x40000000u
/* Limits of what renderControl may make. */
#define HS_SIDE_MAX  16384u
#define HS_BYTES_MAX (4ull << 30) /* of all textures and buffers of one device */

/* How pixels lie in memory. */
struct hs_layout {
    uint32_t format, type; /* GL names; 0: no layout that we copy */
    uint32_t bytes;        /* of a pixel */
    bool opaque;           /* its alpha is filler */
};

struct hs_table;
struct hs_view;

enum hs_kind { HS_COLOR = 1, HS_PLAIN = 2 };

struct hs_buffer {
    uint32_t handle;
    enum hs_kind kind;
    uint32_t width, height;   /* colour */
    uint32_t internal_format; /* GL; colour */
    uint64_t size;            /* bytes accounted for */
    /* private to host/surface from here */
    struct hs_table *table;
    uint32_t refs;        /* atomic */
    uint32_t opens;       /* under the table's lock */
    pthread_mutex_t lock; /* guards the copies and their flags */
    uint8_t *mem;         /* NULL: not backed */
    uint64_t mem_size;    /* of a resource's */
    uint32_t stride;
    struct hs_view *view; /* of whose memory it is a view; NULL: of none */
    struct hs_layout layout;
    bool y0_top;
    void *hold; /* keeps mem; given to hs_table.release */
    EGLImageKHR image;
    bool image_newer; /* image holds what mem does not have */
    /* Of one whose image is a guest's own texture: what mem held when the two were equal last;
     * owned; NULL: it is none. */
    uint8_t *exported;
};

struct hs_table {
    /* Of struct hs_buffer made by renderControl; its lock guards resources and bytes, too. */
    struct sl_handles handles;
    struct sl_map resources; /* struct hs_buffer of a 3D resource */
    uint64_t bytes;
    void (*release)(void *hold);    /* any thread; nullable */
    const struct hs_native *native; /* nullable */
};

void hs_table_init(struct hs_table *table, const struct hs_native *native,
                   void (*release)(void *hold));
/* Every buffer is unreferenced by now, or leaks with a warning. */
void hs_table_finish(struct hs_table *table);

/* --- resources, device thread --- */
struct hs_resource_args {
    uint32_t resource_id; /* below HS_HANDLE_BASE, else INVALID */
    uint32_t virtgpu_format;
    uint32_t width, height;
    void *mem; /* nullable */
    uint64_t mem_size;
    uint32_t stride;
    bool y0_top;
    void *hold; /* takes on success; nullable: then hs_resource_remove waits for whoever uses mem */
};
enum sl_result hs_resource_add(struct hs_table *table,
                               const struct hs_resource_args *args) SL_MUST_USE;
void hs_resource_remove(struct hs_table *table, uint32_t resource_id);

/* --- any thread --- */
/* INVALID: size or format out of what is offered; NOMEM: limits. The caller gets a reference. */
enum sl_result hs_color_create(struct hs_table *table, uint32_t width, uint32_t height,
                               uint32_t internal_format, struct hs_buffer **out) SL_MUST_USE;
enum sl_result hs_plain_create(struct hs_table *table, uint64_t size,
                               struct hs_buffer **out) SL_MUST_USE;

/* --- exported images, ring threads --- */
/* What memory of an image's own format is like. */
struct hs_export {
    uint32_t fourcc; /* DRM's name of it */
    uint32_t width, height;
};
/* False: its format has no such name, or the driver does not tell. */
bool hs_export_ask(struct hs_thread *thread, EGLImageKHR image, struct hs_export *out);
/* The image's pixels are the buffer's from now on, a resource's of its size and format: hs_store
 * brings them to mem, and whoever takes all of mem for a picture of that format gets the image
 * itself. Takes the image on success, until the buffer goes. INVALID: the buffer is no such
 * resource, or has an image already; IO: it cannot be read; NOMEM. */
enum sl_result hs_export(struct hs_buffer *buffer, struct hs_thread *thread,
                         EGLImageKHR image) SL_MUST_USE;

/* The exported resource whose picture it is; 0: it is none's. */
uint32_t hs_export_resource(struct hs_buffer *buffer);

/* How brightness and colours of a view become red, green and blue. */
enum hs_yuv { HS_YUV_BT601, HS_YUV_BT709, HS_YUV_BT2020, HS_YUV_STANDARD = 3, HS_YUV_FULL = 4 };
#define HS_PLANES_MAX 3u
struct hs_plane {
    struct hs_buffer *of; /* borrows; a resource */
    uint32_t offset, pitch;
};
struct hs_view_args {
    uint32_t fourcc; /* DRM's name of the format */
    uint32_t width, height;
    uint32_t yuv; /* enum hs_yuv: a standard, or'ed with HS_YUV_FULL; only for YUV formats */
    uint32_t plane_count;
    struct hs_plane planes[HS_PLANES_MAX];
};
/* A colour buffer on the memory of resources, which stays there while it lives. One of a YUV format
 * is only to look at: hs_image's picture is made of it each time. The caller gets a reference.
 * INVALID: the format, a size, or a plane that does not lie in its resource's memory; NOMEM. */
enum sl_result hs_view_create(struct hs_table *table, const struct hs_view_args *args,
                              struct hs_buffer **out) SL_MUST_USE;
/* What it was made of; the planes' buffers are borrowed from it. False: it is no view. */
bool hs_view_describe(const struct hs_buffer *buffer, struct hs_view_args *args);
/* A reference, or NULL. */
struct hs_buffer *hs_get(struct hs_table *table, uint32_t handle);
struct hs_buffer *hs_ref(struct hs_buffer *buffer);
void hs_put(struct hs_buffer *buffer); /* NULL allowed */
/* renderControl's buffers are counted by opens, from 0. False: unknown handle. */
bool hs_open(struct hs_table *table, uint32_t handle);
/* Takes `opens` opens back; when none is left the handle is no longer valid. */
void hs_close(struct hs_table *table, uint32_t handle, uint32_t opens);

/* For a snapshot. Are there more opens than these? Is there an image with contents that no guest
 * memory has? */
bool hs_is_shared(struct hs_buffer *buffer, uint32_t opens);
bool hs_holds_image(struct hs_buffer *buffer);

/* --- ring threads --- */
/* What glReadPixels needs to know about the current context. */
struct hs_reader {
    const struct gl_driver *gl;
    uint32_t gles_version; /* 10, 20, 30 ... of the current context */
    bool is_float;         /* the surface's channels: they go to an image of GL_RGBA16F alone */
    /* hs_flush into mem: told once, when the picture is drawn and little of it is left to copy;
     * nullable. */
    void (*on_nearly)(void *user);
    void *user;
};
/* Copy the current read surface (the default framebuffer, lower left corner) into the buffer:
 * straight into mem where there is one, else into the image. The application's state is as before.
 * False: not possible; nothing changed. */
bool hs_flush(struct hs_buffer *buffer, struct hs_thread *thread, const struct hs_reader *reader,
              uint32_t width, uint32_t height);
/* What was drawn into the image comes to mem, where both are. The current context keeps what is
 * bound. False: it cannot be read; mem is as before. */
bool hs_store(struct hs_buffer *buffer, struct hs_thread *thread);
/* The image, brought up to date, or EGL_NO_IMAGE_KHR. written: the caller may render into it. */
EGLImageKHR hs_image(struct hs_buffer *buffer, struct hs_thread *thread, bool written);
/* A rectangle as rows without gaps, first row first in memory. False: out of bounds, or a format
 * that is not supported. out has room for width * height * bytes of (format, type). */
bool hs_read(struct hs_buffer *buffer, struct hs_thread *thread, int32_t x, int32_t y,
             int32_t width, int32_t height, uint32_t format, uint32_t type, void *out,
             size_t out_size);
/* All of it as rows of R, G, B, A without gaps, the picture's top row first; out has room for
 * width * height * 4 bytes. False: a format that is not supported. */
bool hs_picture(struct hs_buffer *buffer, struct hs_thread *thread, uint8_t *out);
bool hs_write(struct hs_buffer *buffer, struct hs_thread *thread, int32_t x, int32_t y,
              int32_t width, int32_t height, uint32_t format, uint32_t type, const void *data,
              size_t size);

/* --- pixels --- */
/* Bytes of a pixel in client memory, 0 for pairs that are not copied. */
uint32_t hs_pixel_bytes(uint32_t format, uint32_t type);
struct hs_layout hs_layout_of(uint32_t virtgpu_format);
/* Has each channel but alpha 10 bits? */
static inline bool hs_is_ten(const struct hs_layout *layout)
{
    return layout->type == GL_UNSIGNED_INT_2_10_10_10_REV;
}
/* Its image is of half floats: what surfaces of float channels are flushed to. */
static inline bool hs_holds_floats(const struct hs_buffer *buffer)
{
    return buffer->internal_format == GL_RGBA16F;
}
/* What GL keeps pixels of it in. */
uint32_t hs_internal_format(const struct hs_layout *layout);
/* One row, `count` pixels, from one layout to another, or in place where both have as many bytes a
 * pixel; both of RGBA, BGRA, RGB, RG, RED with UNSIGNED_BYTE, RGB 5_6_5, RGBA, BGRA with
 * UNSIGNED_INT_2_10_10_10_REV. */
bool hs_convert_row(void *to, const struct hs_layout *to_layout, const void *from,
                    const struct hs_layout *from_layout, uint32_t count);

/* One row of brightness and colours, of 0 to 255 * 16 each, as RGBA of 8 bits. */
struct hs_yuv_row {
    uint16_t *y, *u, *v;
    uint32_t count;
};
void hs_yuv_convert(uint8_t *rgba, const struct hs_yuv_row *row, uint32_t yuv);

/* The rows of `pitch` bytes in the other order: the last one first. */
void hs_turn_over(uint8_t *rows, size_t pitch, uint32_t count);

#endif
