/* The guest's side of the loop: each verb of waist A is a small job for the device thread. */
#include "transport/loop/loop_priv.h"

#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#define FENCES_MAX 4096u

/* What travels to the device thread and back. */
struct job {
    struct loop_vg *guest;
    struct loop_res *res;
    enum sl_result result;
    uint32_t id; /* capset, parameter, direction */
    void *data;
    size_t size;
    size_t used;
    uint64_t value;
    const char *name;
    const struct vg_blob_args *blob;
    const struct vg_tex_args *tex;
    const struct vg_submit_args *submit;
    const struct vg_box *box;
    int fd;
};

static struct loop_vg *vg_from(struct vg *vg)
{
    return (struct loop_vg *)(void *)vg;
}

static struct loop_res *res_from(struct vg_res *res)
{
    return (struct loop_res *)(void *)res;
}

static enum sl_result run(void (*fn)(struct vgd *device, void *user), struct job *job)
{
    loop_call(job->guest->loop, fn, job);
    return job->result;
}

/* ---- the device ---- */

static void do_caps(struct vgd *device, void *user)
{
    struct job *job = user;
    job->result = device->ops->capset_get(device, job->id, 1, job->data, job->size, &job->used);
}

static enum sl_result loop_caps(struct vg *vg, uint32_t capset, void *data, size_t size,
                                size_t *used)
{
    struct job job = {.guest = vg_from(vg), .id = capset, .data = data, .size = size};
    enum sl_result r = run(do_caps, &job);
    if (r == SL_OK) {
        *used = job.used;
    }
    return r;
}

static void do_capset_mask(struct vgd *device, void *user)
{
    struct job *job = user;
    for (uint32_t i = 0; i < device->ops->capset_count(device); i++) {
        struct vgd_capset_info info;
        if (device->ops->capset_info(device, i, &info) == SL_OK && info.id < 64) {
            job->value |= (uint64_t)1 << info.id;
        }
    }
}

static enum sl_result loop_param(struct vg *vg, enum vg_param which, uint64_t *value)
{
    struct job job = {.guest = vg_from(vg)};
    switch (which) {
    case VG_PARAM_SHARED_FUTEX:
    case VG_PARAM_COHERENT_TEX:
        *value = 1;
        return SL_OK;
    case VG_PARAM_CAPSET_MASK:
        (void)run(do_capset_mask, &job);
        *value = job.value;
        return SL_OK;
    }
    return SL_ERR_INVALID;
}

static void set_context(struct loop_vg *guest, uint32_t ctx_id)
{
    pthread_mutex_lock(&guest->loop->guests_lock);
    guest->ctx_id = ctx_id;
    pthread_mutex_unlock(&guest->loop->guests_lock);
}

static void do_context_init(struct vgd *device, void *user)
{
    struct job *job = user;
    struct loop_vg *guest = job->guest;
    uint32_t ctx_id = ++guest->loop->next_ctx;
    job->result = guest->ctx_id != 0 ? SL_ERR_INVALID
                                     : device->ops->ctx_create(device, ctx_id, job->id, job->name);
    if (job->result != SL_OK) {
        return;
    }
    SL_LIST_FOR(link, &guest->resources)
    {
        job->result = device->ops->ctx_attach(device, ctx_id,
                                              SL_CONTAINER(link, struct loop_res, link)->res.id);
        if (job->result != SL_OK) {
            (void)device->ops->ctx_destroy(device, ctx_id);
            return;
        }
    }
    set_context(guest, ctx_id);
}

static enum sl_result loop_context_init(struct vg *vg, uint32_t capset, uint32_t ring_count,
                                        const char *name)
{
    if (ring_count == 0 || ring_count > VIRTGPU_MAX_RINGS) {
        return SL_ERR_INVALID;
    }
    struct job job = {.guest = vg_from(vg), .id = capset, .name = name};
    enum sl_result r = run(do_context_init, &job);
    if (r == SL_OK) {
        vg_from(vg)->ring_count = ring_count;
    }
    return r;
}

static bool loop_alive(struct vg *vg)
{
    struct loop_vg *guest = vg_from(vg);
    pthread_mutex_lock(&guest->loop->guests_lock);
    bool lost = guest->is_lost;
    pthread_mutex_unlock(&guest->loop->guests_lock);
    return !lost;
}

static bool is_alive(void *user)
{
    return loop_alive(user);
}

static void do_destroy(struct vgd *device, void *user)
{
    struct job *job = user;
    if (job->guest->ctx_id != 0) {
        (void)device->ops->ctx_destroy(device, job->guest->ctx_id);
    }
}

static void loop_vg_destroy(struct vg *vg)
{
    if (vg == NULL) {
        return;
    }
    struct loop_vg *guest = vg_from(vg);
    struct job job = {.guest = guest};
    (void)run(do_destroy, &job);
    pthread_mutex_lock(&guest->loop->guests_lock);
    sl_list_remove(&guest->link);
    pthread_mutex_unlock(&guest->loop->guests_lock);
    sl_free(guest);
}

/* ---- resources ---- */

/* The device made resource job->res: its size and stride are asked for, and it is attached. */
static enum sl_result settle(struct vgd *device, struct job *job)
{
    struct loop_res *res = job->res;
    enum sl_result r = SL_OK;
    if (res->is_tex) {
        struct vgd_map map;
        r = device->ops->res_map(device, res->res.id, &map);
        if (r == SL_OK) {
            sl_fd_close(&map.fd);
            (void)device->ops->res_unmap(device, res->res.id);
            res->res.size = map.size;
            res->res.stride = map.stride;
        }
    }
    if (r == SL_OK && job->guest->ctx_id != 0) {
        r = device->ops->ctx_attach(device, job->guest->ctx_id, res->res.id);
    }
    if (r != SL_OK) {
        (void)device->ops->res_destroy(device, res->res.id);
        return r;
    }
    sl_list_add(&job->guest->resources, &res->link);
    return SL_OK;
}

static void do_blob_create(struct vgd *device, void *user)
{
    struct job *job = user;
    job->res->res.id = ++job->guest->loop->next_resource;
    job->result =
        device->ops->res_create_blob(device, job->guest->ctx_id, job->res->res.id,
                                     &(struct vgd_blob_args){.mem = job->blob->mem,
                                                             .flags = job->blob->flags,
                                                             .size = job->blob->size,
                                                             .blob_id = job->blob->blob_id});
    if (job->result == SL_OK) {
        job->result = settle(device, job);
    }
}

static void do_tex_create(struct vgd *device, void *user)
{
    struct job *job = user;
    job->res->is_tex = true;
    job->res->res.id = ++job->guest->loop->next_resource;
    job->result = device->ops->res_create_tex(device, job->res->res.id, job->tex);
    if (job->result == SL_OK) {
        job->result = settle(device, job);
    }
}

static void do_import(struct vgd *device, void *user)
{
    struct job *job = user;
    job->res->res.id = ++job->guest->loop->next_resource;
    job->result = device->ops->res_import(device, job->res->res.id, job->fd, job->value);
    if (job->result == SL_OK) {
        job->result = settle(device, job);
    }
}

/* A resource whose memory has `size` bytes, as far as they are known; `fn` makes it. */
static enum sl_result make_res(void (*fn)(struct vgd *device, void *user), struct job *job,
                               uint64_t size, struct vg_res **out)
{
    struct loop_res *res = sl_alloc(sizeof *res);
    if (res == NULL) {
        sl_fd_close(&job->fd);
        return SL_ERR_NOMEM;
    }
    res->res = (struct vg_res){.vg = &job->guest->vg, .size = size};
    vg_fences_init(&res->fences);
    sl_list_init(&res->link);
    job->res = res;
    enum sl_result r = run(fn, job);
    if (r != SL_OK) {
        vg_fences_finish(&res->fences);
        sl_free(res);
        return r;
    }
    *out = &res->res;
    return SL_OK;
}

static enum sl_result loop_blob_create(struct vg *vg, const struct vg_blob_args *args,
                                       struct vg_res **out)
{
    if (args->mem != VIRTGPU_BLOB_HOST3D) {
        return SL_ERR_UNSUPPORTED; /* no guest pages here, as on the local socket */
    }
    struct job job = {.guest = vg_from(vg), .blob = args, .fd = -1};
    return make_res(do_blob_create, &job, args->size, out);
}

static enum sl_result loop_tex_create(struct vg *vg, const struct vg_tex_args *args,
                                      struct vg_res **out)
{
    struct job job = {.guest = vg_from(vg), .tex = args, .fd = -1};
    return make_res(do_tex_create, &job, 0, out);
}

static enum sl_result loop_res_import(struct vg *vg, int fd, uint64_t size, struct vg_res **out)
{
    struct job job = {.guest = vg_from(vg), .fd = fd, .value = size};
    return make_res(do_import, &job, size, out);
}

static void do_export(struct vgd *device, void *user)
{
    struct job *job = user;
    job->result = device->ops->res_export(device, job->res->res.id, &job->fd);
}

static enum sl_result loop_res_export(struct vg_res *res, int *fd)
{
    struct job job = {.guest = vg_from(res->vg), .res = res_from(res), .fd = -1};
    enum sl_result r = run(do_export, &job);
    if (r == SL_OK) {
        *fd = job.fd;
    }
    return r;
}

static void do_map(struct vgd *device, void *user)
{
    struct job *job = user;
    struct loop_res *res = job->res;
    struct vgd_map map;
    if (res->mapping != NULL) {
        return;
    }
    job->result = device->ops->res_map(device, res->res.id, &map);
    if (job->result != SL_OK) {
        return;
    }
    res->mapping = map.pointer;
    if (map.pointer == NULL) {
        job->result =
            map.offset == 0 ? sl_shm_map(map.fd, map.size, &res->mapping) : SL_ERR_UNSUPPORTED;
        res->mapping_is_ours = job->result == SL_OK;
    }
    sl_fd_close(&map.fd);
    if (job->result != SL_OK) {
        (void)device->ops->res_unmap(device, res->res.id);
    }
}

static enum sl_result loop_res_map(struct vg_res *res, void **mapping)
{
    struct job job = {.guest = vg_from(res->vg), .res = res_from(res)};
    enum sl_result r = run(do_map, &job);
    if (r == SL_OK) {
        *mapping = job.res->mapping;
    }
    return r;
}

static void do_res_destroy(struct vgd *device, void *user)
{
    struct job *job = user;
    struct loop_res *res = job->res;
    if (res->mapping != NULL) {
        (void)device->ops->res_unmap(device, res->res.id);
    }
    (void)device->ops->res_destroy(device, res->res.id);
    sl_list_remove(&res->link);
}

static void loop_res_destroy(struct vg_res *base)
{
    struct loop_res *res = res_from(base);
    struct job job = {.guest = vg_from(base->vg), .res = res};
    (void)run(do_res_destroy, &job);
    if (res->mapping_is_ours) {
        sl_shm_unmap(res->mapping, base->size);
    }
    vg_fences_finish(&res->fences);
    sl_free(res);
}

static void do_transfer(struct vgd *device, void *user)
{
    struct job *job = user;
    job->result = device->ops->transfer(device, job->guest->ctx_id, job->res->res.id, job->box, 0,
                                        0, 0, 0, (enum vg_direction)job->id);
}

static enum sl_result loop_res_transfer(struct vg_res *res, const struct vg_box *box,
                                        enum vg_direction direction)
{
    struct job job = {.guest = vg_from(res->vg), .res = res_from(res), .box = box, .id = direction};
    return run(do_transfer, &job);
}

/* ---- submits and waits ---- */

static void do_submit(struct vgd *device, void *user)
{
    struct job *job = user;
    struct loop_vg *guest = job->guest;
    struct loop *loop = guest->loop;
    const struct vg_submit_args *s = job->submit;
    bool want_fence = job->value != 0;
    bool is_global = s->ring == VIRTGPU_RING_GLOBAL;
    uint64_t fence = ++loop->next_fence;
    job->result =
        guest->ctx_id == 0 || (!is_global && s->ring >= guest->ring_count) ? SL_ERR_INVALID : SL_OK;
    if (job->result == SL_OK && want_fence) {
        job->result =
            vgd_fences_add(&loop->fences, fence, &guest->fence_count, FENCES_MAX, &job->fd);
    }
    if (job->result != SL_OK) {
        return;
    }
    job->result = device->ops->submit(device, guest->ctx_id, s->commands, s->size);
    if (job->result == SL_OK && want_fence) {
        job->result = device->ops->fence(device, is_global ? 0 : guest->ctx_id, s->ring, fence);
    }
    if (job->result != SL_OK && want_fence) {
        vgd_fences_leave(&loop->fences, fence, false);
        sl_fd_close(&job->fd);
    }
}

static enum sl_result loop_submit(struct vg *vg, const struct vg_submit_args *args)
{
    bool want_fence = args->out_fence != NULL || args->resource_count != 0;
    if (args->in_fence >= 0) {
        enum sl_result r = vg_fence_fd_wait(args->in_fence, -1, is_alive, vg);
        if (r != SL_OK) {
            return r;
        }
    }
    struct job job = {.guest = vg_from(vg), .submit = args, .value = want_fence, .fd = -1};
    enum sl_result r = run(do_submit, &job);
    for (uint32_t i = 0; i < args->resource_count && r == SL_OK; i++) {
        r = vg_fences_add(&res_from(args->resources[i])->fences, args->ring, job.fd);
    }
    if (r == SL_OK && args->out_fence != NULL) {
        *args->out_fence = job.fd;
        return SL_OK;
    }
    sl_fd_close(&job.fd);
    return r;
}

static enum sl_result loop_res_wait(struct vg_res *res, int64_t timeout_ns)
{
    return vg_fences_wait(&res_from(res)->fences, timeout_ns, is_alive, res->vg);
}

static const struct vg_ops loop_ops = {
    .caps = loop_caps,
    .param = loop_param,
    .context_init = loop_context_init,
    .blob_create = loop_blob_create,
    .tex_create = loop_tex_create,
    .res_import = loop_res_import,
    .res_export = loop_res_export,
    .res_map = loop_res_map,
    .res_wait = loop_res_wait,
    .res_transfer = loop_res_transfer,
    .res_destroy = loop_res_destroy,
    .submit = loop_submit,
    .alive = loop_alive,
    .destroy = loop_vg_destroy,
};

enum sl_result vg_loop_open(struct loop *loop, struct vg **out)
{
    struct loop_vg *guest = sl_alloc(sizeof *guest);
    if (guest == NULL) {
        return SL_ERR_NOMEM;
    }
    guest->vg.ops = &loop_ops;
    guest->loop = loop;
    sl_list_init(&guest->resources);
    pthread_mutex_lock(&loop->guests_lock);
    sl_list_add(&loop->guests, &guest->link);
    pthread_mutex_unlock(&loop->guests_lock);
    *out = &guest->vg;
    return SL_OK;
}
