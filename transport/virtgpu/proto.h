/* virtio-gpu's numbers, as both waists use them. Spec: virtio 1.3, GPU device. */
#ifndef VIRTGPU_PROTO_H
#define VIRTGPU_PROTO_H

#include <stddef.h>
#include <stdint.h>

/* Capset ids (virtio 1.3, 5.7.6.10; the gfxstream ones as Linux and Mesa use them). */
enum virtgpu_capset {
    VIRTGPU_CAPSET_VIRGL = 1,
    VIRTGPU_CAPSET_VIRGL2 = 2,
    VIRTGPU_CAPSET_GFXSTREAM_VULKAN = 3,
    VIRTGPU_CAPSET_VENUS = 4,
    VIRTGPU_CAPSET_CROSS_DOMAIN = 5,
    VIRTGPU_CAPSET_DRM = 6,
    VIRTGPU_CAPSET_GFXSTREAM_MAGMA = 7,
    VIRTGPU_CAPSET_GFXSTREAM_GLES = 8,
    VIRTGPU_CAPSET_GFXSTREAM_COMPOSER = 9,
};

/* VIRTIO_GPU_BLOB_MEM_*, VIRTIO_GPU_BLOB_FLAG_*. */
enum { VIRTGPU_BLOB_GUEST = 1, VIRTGPU_BLOB_HOST3D = 2, VIRTGPU_BLOB_HOST3D_GUEST = 3 };
enum { VIRTGPU_BLOB_MAPPABLE = 1, VIRTGPU_BLOB_SHAREABLE = 2, VIRTGPU_BLOB_CROSS_DEVICE = 4 };

/* Pixel formats (virtio_gpu_formats). */
enum {
    VIRTGPU_FORMAT_B8G8R8A8 = 1,
    VIRTGPU_FORMAT_B8G8R8X8 = 2,
    VIRTGPU_FORMAT_A8R8G8B8 = 3,
    VIRTGPU_FORMAT_X8R8G8B8 = 4,
    VIRTGPU_FORMAT_B5G6R5 = 7, /* gallium number, used by 3D resources */
    VIRTGPU_FORMAT_R8 = 64,
    VIRTGPU_FORMAT_R8G8 = 65,
    VIRTGPU_FORMAT_R8G8B8A8 = 67,
    VIRTGPU_FORMAT_X8B8G8R8 = 68,
    VIRTGPU_FORMAT_A8B8G8R8 = 121,
    VIRTGPU_FORMAT_B10G10R10A2 = 131, /* gallium number: blue in the lowest 10 bits */
    VIRTGPU_FORMAT_R8G8B8X8 = 134,
};

/* Bytes of a pixel; 0: of no format above. */
static inline uint32_t virtgpu_format_bytes(uint32_t format)
{
    switch (format) {
    case VIRTGPU_FORMAT_R8:
        return 1;
    case VIRTGPU_FORMAT_B5G6R5:
    case VIRTGPU_FORMAT_R8G8:
        return 2;
    case VIRTGPU_FORMAT_B8G8R8A8:
    case VIRTGPU_FORMAT_B8G8R8X8:
    case VIRTGPU_FORMAT_A8R8G8B8:
    case VIRTGPU_FORMAT_X8R8G8B8:
    case VIRTGPU_FORMAT_R8G8B8A8:
    case VIRTGPU_FORMAT_X8B8G8R8:
    case VIRTGPU_FORMAT_A8B8G8R8:
    case VIRTGPU_FORMAT_B10G10R10A2:
    case VIRTGPU_FORMAT_R8G8B8X8:
        return 4;
    default:
        return 0;
    }
}

/* Classic 3D resources: gallium targets and bind bits, VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP. */
enum { VIRTGPU_TARGET_BUFFER = 0, VIRTGPU_TARGET_2D = 2 };
enum {
    VIRTGPU_BIND_RENDER_TARGET = 1 << 1,
    VIRTGPU_BIND_SAMPLER_VIEW = 1 << 3,
    VIRTGPU_BIND_SCANOUT = 1 << 18
};
enum { VIRTGPU_RESOURCE_Y_0_TOP = 1 };

/* map_info cache kinds. */
enum { VIRTGPU_MAP_CACHED = 1, VIRTGPU_MAP_UNCACHED = 2, VIRTGPU_MAP_WC = 3 };

/* "No ring": the fence belongs to the device-wide timeline. */
#define VIRTGPU_RING_GLOBAL 0xffffffffu
#define VIRTGPU_MAX_RINGS   64

/* gfxstream's context commands: first word of a SUBMIT_3D. */
enum {
    GFXSTREAM_CONTEXT_CREATE = 0x1001,
    GFXSTREAM_CONTEXT_PING = 0x1002,
    GFXSTREAM_CONTEXT_PING_WITH_RESPONSE = 0x1003,
    GFXSTREAM_CREATE_EXPORT_SYNC = 0x9000,
    GFXSTREAM_CREATE_IMPORT_SYNC = 0x9001,
    GFXSTREAM_CREATE_EXPORT_SYNC_VK = 0xa000,
    GFXSTREAM_CREATE_IMPORT_SYNC_VK = 0xa001,
    GFXSTREAM_CREATE_QSRI_EXPORT_VK = 0xa002,
    GFXSTREAM_RESOURCE_CREATE_3D = 0xa003,
    GFXSTREAM_ACQUIRE_SYNC = 0xa004,
    GFXSTREAM_PLACEHOLDER = 0xf002,
};

/* Ours, where SLUICE_FEATURE_STAGE is: {u32 command, u32 ring, u32 blob}: slStaged on that ring
 * means the memory of that blob. Both are attached; once for a ring. */
#define SLUICE_CONTEXT_STAGE 0x534c0001u

/* Behind upstream's capset, at a distance: upstream's grow (Mesa 26.1 reads a word more of Vulkan's
 * than 25.0). A stock guest never looks there, a stock host leaves it zero. */
struct virtgpu_sluice_capset {
    uint32_t magic;    /* VIRTGPU_SLUICE_MAGIC; anything else: a stock host */
    uint32_t version;  /* 1: features is meaningful */
    uint32_t features; /* SLUICE_FEATURE_* */
};
#define VIRTGPU_SLUICE_MAGIC 0x43554c53u /* "SLUC" */

/* Capset of the gfxstream GLES, composer and magma types, 16 bytes, and ours. */
struct virtgpu_gles_capset {
    uint32_t protocol_version; /* 1 */
    uint32_t ring_size;        /* 12288 */
    uint32_t buffer_size;      /* 1048576 */
    uint32_t blob_alignment;   /* 4096 */
    uint32_t upstream[44];     /* 0 */
    struct virtgpu_sluice_capset sluice;
};
_Static_assert(offsetof(struct virtgpu_gles_capset, sluice) == 192, "capset layout");

/* Capset of the gfxstream Vulkan type, 108 bytes, and ours. */
struct virtgpu_vulkan_capset {
    uint32_t protocol_version;          /* 1: numbered packets, recorded command buffers */
    uint32_t ring_size;                 /* 12288 */
    uint32_t buffer_size;               /* 1048576 */
    uint32_t color_buffer_memory_index; /* memory type of what is shared; UINT32_MAX: ask */
    uint32_t deferred_mapping;          /* 1: a blob for each allocation, at its first map */
    uint32_t blob_alignment;
    uint32_t no_render_control; /* 1: 0 makes stock guests crash */
    uint32_t always_blob;
    uint32_t external_sync;
    uint32_t virgl_supported_formats[16];
    uint32_t batched_descriptor_set_update;
    uint32_t set_metadata; /* 1: vkSetDebugMetadataAsyncGOOGLE; Mesa 26.1 and later look */
    uint32_t upstream[21]; /* 0 */
    struct virtgpu_sluice_capset sluice;
};
_Static_assert(offsetof(struct virtgpu_vulkan_capset, set_metadata) == 104, "capset layout");
_Static_assert(offsetof(struct virtgpu_vulkan_capset, sluice) == 192, "capset layout");

enum {
    SLUICE_FEATURE_SIGNAL = 1 << 0, /* private command slSignal: the ring page's signal word */
    SLUICE_FEATURE_REPLY_FUTEX =
        1 << 1, /* the host wakes a guest that announced sleep in the ring page */
    SLUICE_FEATURE_COHERENT_TEX =
        1 << 2, /* a flushed surface lands in the backing of its 3D resource without a transfer */
    /* Vulkan: a non-zero id where a command returns a new handle binds the object to that id, and
     * nothing is replied. A stream that does so says so with this bit in its first word, where
     * stock guests write 0. Ids: generation << 32 | index + 1, index in [SL_IDS_PEER_FIRST,
     * SL_IDS_MAX). */
    SLUICE_FEATURE_VK_IDS = 1 << 3,
    /* Vulkan: vkShareStatusSLUICE, vkWatchFenceSLUICE, vkWatchSemaphoreSLUICE. */
    SLUICE_FEATURE_VK_STATUS = 1 << 4,
    /* Vulkan: commands of codegen/policy/vulkan_quiet.csv are not replied to; what fails loses the
     * device. On streams whose first word has this bit. */
    SLUICE_FEATURE_VK_QUIET = 1 << 5,
    /* Vulkan: vkQueueFrameSLUICE behind the submit of a picture that is presented. */
    SLUICE_FEATURE_VK_FRAME = 1 << 6,
    /* Vulkan: vkTellFenceSLUICE behind a submit. */
    SLUICE_FEATURE_VK_TELL = 1 << 7,
    /* The GLES commands that have no upstream number (codegen/spec/glesx.csv). */
    SLUICE_FEATURE_GLESX = 1 << 6,
    SLUICE_FEATURE_GLES_32 = 1 << 7,  /* contexts of GLES 3.2 exist */
    SLUICE_FEATURE_SOFTWARE = 1 << 8, /* GLES: the host's EGL device is a CPU */
    /* GLES: SLUICE_CONTEXT_STAGE and slStaged: bulky data in memory that both ends share. */
    SLUICE_FEATURE_STAGE = 1 << 9,
    SLUICE_FEATURE_LOCATIONS = 1 << 10, /* GLES: glGetLocationsSLUICE */
    SLUICE_FEATURE_EGL = 1 << 11,       /* GLES: slCreateSurface, slCreateImage */
    SLUICE_FEATURE_ERRORS = 1 << 12,    /* GLES: glReportErrorSLUICE: the ring page's error word */
    SLUICE_FEATURE_STORE = 1 << 13,     /* GLES: glStoreDrawnSLUICE */
    SLUICE_FEATURE_VIEW = 1 << 14,      /* GLES: slCreateView, glStoreTargetSLUICE */
    SLUICE_FEATURE_EXPORT = 1 << 15,    /* GLES: slAskImage, slExportImage */
    /* GLES: surfaces of 10 bits a channel are flushed into resources of B10G10R10A2 as they are. */
    SLUICE_FEATURE_TEN_BITS = 1 << 16,
    SLUICE_FEATURE_FLOATS = 1 << 17, /* GLES: slGetConfigs: also those of float channels */
};

#endif
