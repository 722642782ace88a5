/* What our backend of libgbm and our EGL library know of each other: a surface's buffers.
 *
 * libgbm has loaded the backend for the program; the EGL library meets its objects behind the
 * program's gbm_device and gbm_surface. A program uses a surface on one thread at a time. */
#ifndef GUEST_GBM_SLUICE_GBM_H
#define GUEST_GBM_SLUICE_GBM_H

#include "guest/gbm/gbm_abi.h"

#include <stdbool.h>
#include <string.h>

#define SLUICE_GBM_NAME    "sluice"
#define SLUICE_GBM_BUFFERS 4

struct sluice_gbm_surface {
    struct gbm_surface base; /* first */
    struct gbm_bo
        *buffers[SLUICE_GBM_BUFFERS]; /* made by the EGL library, by the device's bo_create;
                                         its own as long as it has the surface */
    bool locked[SLUICE_GBM_BUFFERS];  /* the program has it: lock_front_buffer */
    int front;     /* what eglSwapBuffers finished last and nobody locked; -1: none */
    bool is_taken; /* an EGL surface is on it */
};

static inline struct sluice_gbm_surface *sluice_gbm_surface_of(struct gbm_surface *surface)
{
    return (struct sluice_gbm_surface *)(void *)surface;
}

/* Is it a device of our backend? */
static inline bool sluice_gbm_is_ours(const struct gbm_device *device)
{
    return device->v0.name != NULL && strcmp(device->v0.name, SLUICE_GBM_NAME) == 0;
}

/* As libgbm's gbm_bo_destroy. */
static inline void sluice_gbm_bo_end(struct gbm_bo *bo)
{
    if (bo->v0.destroy_user_data != NULL) {
        bo->v0.destroy_user_data(bo, bo->v0.user_data);
    }
    bo->gbm->v0.bo_destroy(bo);
}

#endif
