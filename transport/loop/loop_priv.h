/* The loop inside: what its two files share. */
#ifndef LOOP_PRIV_H
#define LOOP_PRIV_H

#include "transport/base/list.h"
#include "transport/loop/loop.h"
#include "transport/virtgpu/vg_fences.h"
#include "transport/virtgpu/vgd_fences.h"

#include <pthread.h>

struct loop_call {
    void (*fn)(struct vgd *device, void *user);
    void *user;
    bool done;
};

struct loop {
    loop_make_fn make;
    void *make_user;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the block below */
    pthread_cond_t changed;
    struct loop_call *call; /* in hand; nullable */
    bool is_up;
    bool stop;
    enum sl_result made;
    struct vgd *device; /* the device thread's */
    uint32_t next_ctx;  /* these three too */
    uint32_t next_resource;
    uint64_t next_fence;
    pthread_mutex_t guests_lock; /* guards the list, and ctx_id and is_lost of its members; taken
                                    under the device's locks */
    struct sl_list guests;       /* struct loop_vg.link */
    struct vgd_fences fences;
};

struct loop_vg {
    struct vg vg; /* first */
    struct loop *loop;
    struct sl_list link; /* loop.guests */
    uint32_t ctx_id;     /* 0: none yet */
    uint32_t ring_count;
    bool is_lost;
    uint32_t fence_count;     /* that wait; under loop.fences' lock */
    struct sl_list resources; /* struct loop_res.link; the device thread's */
};

struct loop_res {
    struct vg_res res;   /* first */
    struct sl_list link; /* loop_vg.resources */
    void *mapping;       /* nullable */
    bool mapping_is_ours;
    bool is_tex;
    struct vg_fences fences;
};

#endif
