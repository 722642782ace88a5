/* Waist A over the local socket: one connection is one device with one context. Any thread; the
 * link's lock serialises requests. */
#include "transport/base/atomic.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/writes.h"
#include "transport/local/local_link.h"
#include "transport/virtgpu/vg.h"
#include "transport/virtgpu/vg_fences.h"

#include <string.h>
#include <unistd.h>

struct local_vg {
    struct vg vg; /* first */
    struct local_link link;
    struct local_page *page;
    uint64_t capset_mask;
    bool shared_futex;
    bool coherent_tex;
    uint32_t told_lost;   /* atomic: the reason was logged */
    pthread_mutex_t lock; /* guards the mappings of all resources; taken before the link's */
    bool showed_writes;   /* sl_writes_open was tried; under `lock` */
};

struct local_vg_res {
    struct vg_res res; /* first */
    bool is_memory;    /* of the context's, which programs write to */
    void *mapping;     /* NULL until res_map */
    struct vg_fences fences;
};

static struct local_vg *vg_from(struct vg *vg)
{
    return (struct local_vg *)(void *)vg;
}

static struct local_vg_res *res_from(struct vg_res *res)
{
    return (struct local_vg_res *)(void *)res;
}

/* One request whose reply is a fixed struct and brings a descriptor where out_fd says so. */
static enum sl_result call(struct local_vg *l, uint32_t verb, void *request, size_t request_size,
                           int in_fd, void *reply, size_t reply_size, int *out_fd)
{
    ((struct local_request *)request)->verb = verb;
    return local_link_call(&l->link, &(struct local_call){
                                         .request = request,
                                         .request_size = request_size,
                                         .in_fds = &in_fd,
                                         .in_fd_count = in_fd >= 0,
                                         .reply = reply,
                                         .reply_size = reply_size,
                                         .out_fd = out_fd,
                                     });
}

/* ---- the device ---- */

static enum sl_result local_caps(struct vg *vg, uint32_t capset, void *data, size_t size,
                                 size_t *used)
{
    struct local_caps request = {.head.verb = LOCAL_CAPS, .capset = capset};
    struct local_caps_reply reply;
    enum sl_result r = local_link_call(&vg_from(vg)->link,
                                       &(struct local_call){
                                           .request = &request,
                                           .request_size = sizeof request,
                                           .reply = &reply,
                                           .reply_size = sizeof reply,
                                           .reply_min = offsetof(struct local_caps_reply, data),
                                       });
    if (r != SL_OK) {
        return r;
    }
    if (reply.size > sizeof reply.data) {
        return SL_ERR_PROTOCOL;
    }
    size_t here = reply.size < size ? reply.size : size;
    if (here != 0) {
        memcpy(data, reply.data, here);
    }
    *used = reply.size;
    return SL_OK;
}

static enum sl_result local_param(struct vg *vg, enum vg_param which, uint64_t *value)
{
    const struct local_vg *l = vg_from(vg);
    switch (which) {
    case VG_PARAM_SHARED_FUTEX:
        *value = l->shared_futex;
        return SL_OK;
    case VG_PARAM_COHERENT_TEX:
        *value = l->coherent_tex;
        return SL_OK;
    case VG_PARAM_CAPSET_MASK:
        *value = l->capset_mask;
        return SL_OK;
    }
    return SL_ERR_INVALID;
}

static enum sl_result local_context_init(struct vg *vg, uint32_t capset, uint32_t ring_count,
                                         const char *name)
{
    struct local_ctx_init request = {.capset = capset, .ring_count = ring_count};
    size_t length = strlen(name);
    memcpy(request.name, name, length < sizeof request.name ? length : sizeof request.name);
    struct local_reply reply;
    return call(vg_from(vg), LOCAL_CTX_INIT, &request, sizeof request, -1, &reply, sizeof reply,
                NULL);
}

static bool local_alive(struct vg *vg)
{
    struct local_vg *l = vg_from(vg);
    /* Pairs with the server's release store behind the reason. */
    if (sl_atomic_load_acquire(&l->page->lost) == 0) {
        return local_link_alive(&l->link);
    }
    if (sl_atomic_exchange(&l->told_lost, 1) == 0) {
        sl_warn("local", "the host ended this context: %.*s", (int)sizeof l->page->reason,
                l->page->reason);
    }
    return false;
}

static void local_destroy(struct vg *vg)
{
    if (vg == NULL) {
        return;
    }
    struct local_vg *l = vg_from(vg);
    local_link_close(&l->link);
    sl_shm_unmap(l->page, sizeof *l->page);
    pthread_mutex_destroy(&l->lock);
    sl_free(l);
}

/* ---- resources ---- */

/* Sends a creating request; the reply becomes a resource. */
static enum sl_result create_res(struct local_vg *l, uint32_t verb, void *request,
                                 size_t request_size, int in_fd, struct vg_res **out)
{
    struct local_vg_res *res = sl_alloc(sizeof *res);
    if (res == NULL) {
        return SL_ERR_NOMEM;
    }
    struct local_res_reply reply;
    enum sl_result r = call(l, verb, request, request_size, in_fd, &reply, sizeof reply, NULL);
    if (r == SL_OK && reply.resource_id == 0) {
        r = SL_ERR_PROTOCOL;
    }
    if (r != SL_OK) {
        sl_free(res);
        return r;
    }
    vg_fences_init(&res->fences);
    res->res = (struct vg_res){
        .vg = &l->vg, .id = reply.resource_id, .size = reply.size, .stride = reply.stride};
    *out = &res->res;
    return SL_OK;
}

static enum sl_result local_blob_create(struct vg *vg, const struct vg_blob_args *args,
                                        struct vg_res **out)
{
    struct local_blob_create request = {
        .mem = args->mem, .flags = args->flags, .size = args->size, .blob_id = args->blob_id};
    enum sl_result r =
        create_res(vg_from(vg), LOCAL_BLOB_CREATE, &request, sizeof request, -1, out);
    if (r == SL_OK) {
        res_from(*out)->is_memory = args->blob_id != 0;
    }
    return r;
}

static enum sl_result local_tex_create(struct vg *vg, const struct vg_tex_args *args,
                                       struct vg_res **out)
{
    struct local_tex_create request = {.args = *args};
    return create_res(vg_from(vg), LOCAL_TEX_CREATE, &request, sizeof request, -1, out);
}

static enum sl_result local_res_import(struct vg *vg, int fd, uint64_t size, struct vg_res **out)
{
    struct local_res_import request = {.size = size};
    enum sl_result r = create_res(vg_from(vg), LOCAL_RES_IMPORT, &request, sizeof request, fd, out);
    sl_fd_close(&fd);
    return r;
}

static enum sl_result local_res_export(struct vg_res *res, int *fd)
{
    struct local_res request = {.resource_id = res->id};
    struct local_reply reply;
    return call(vg_from(res->vg), LOCAL_RES_EXPORT, &request, sizeof request, -1, &reply,
                sizeof reply, fd);
}

/* What shows a recorder the program's writes, once, and to nobody but a host of the same user, or
 * root's. Gives *fds; returns how many. */
static uint32_t show_writes(struct local_vg *l, int fds[2])
{
    if (l->showed_writes || (l->link.server != geteuid() && l->link.server != 0)) {
        return 0;
    }
    l->showed_writes = true;
    return sl_writes_open(fds) == SL_OK ? 2 : 0;
}

static enum sl_result ask_map(struct local_vg *l, struct local_vg_res *res, const void *place,
                              int *fd)
{
    struct local_res_map request = {
        .head.verb = LOCAL_RES_MAP, .resource_id = res->res.id, .address = (uintptr_t)place};
    struct local_map_reply reply;
    int shown[2] = {-1, -1};
    enum sl_result r = local_link_call(
        &l->link, &(struct local_call){.request = &request,
                                       .request_size = sizeof request,
                                       .in_fds = shown,
                                       .in_fd_count = res->is_memory ? show_writes(l, shown) : 0,
                                       .reply = &reply,
                                       .reply_size = sizeof reply,
                                       .out_fd = fd});
    sl_fd_close(&shown[0]);
    sl_fd_close(&shown[1]);
    /* The socket's resources are memfds of their own; memory inside a larger one comes with the
     * context types that need it. */
    return r == SL_OK && (reply.offset != 0 || reply.size != res->res.size) ? SL_ERR_UNSUPPORTED
                                                                            : r;
}

static enum sl_result map_locked(struct local_vg *l, struct local_vg_res *res)
{
    void *place;
    int fd = -1;
    enum sl_result r = sl_shm_reserve(res->res.size, &place);
    if (r != SL_OK) {
        return r;
    }
    r = ask_map(l, res, place, &fd);
    if (r == SL_OK) {
        r = sl_shm_map_at(fd, res->res.size, place);
    }
    sl_fd_close(&fd);
    if (r != SL_OK) {
        sl_shm_unmap(place, res->res.size);
        return r;
    }
    res->mapping = place;
    return SL_OK;
}

static enum sl_result local_res_map(struct vg_res *base, void **mapping)
{
    struct local_vg *l = vg_from(base->vg);
    struct local_vg_res *res = res_from(base);
    pthread_mutex_lock(&l->lock);
    enum sl_result r = res->mapping != NULL ? SL_OK : map_locked(l, res);
    if (r == SL_OK) {
        *mapping = res->mapping;
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

static void local_res_destroy(struct vg_res *base)
{
    struct local_vg *l = vg_from(base->vg);
    struct local_vg_res *res = res_from(base);
    struct local_res request = {.resource_id = base->id};
    struct local_reply reply;
    enum sl_result r =
        call(l, LOCAL_RES_DESTROY, &request, sizeof request, -1, &reply, sizeof reply, NULL);
    if (r != SL_OK && r != SL_ERR_CLOSED) {
        sl_debug("local", "resource %u: destroyed here, the server says %s", base->id,
                 sl_result_name(r));
    }
    if (res->mapping != NULL) {
        sl_shm_unmap(res->mapping, base->size);
    }
    vg_fences_finish(&res->fences);
    sl_free(res);
}

static enum sl_result local_res_transfer(struct vg_res *res, const struct vg_box *box,
                                         enum vg_direction direction)
{
    struct local_res_transfer request = {
        .resource_id = res->id, .direction = direction, .box = *box};
    struct local_reply reply;
    return call(vg_from(res->vg), LOCAL_RES_TRANSFER, &request, sizeof request, -1, &reply,
                sizeof reply, NULL);
}

/* ---- submits and waits ---- */

static bool is_alive(void *user)
{
    return local_alive(user);
}

static enum sl_result local_submit(struct vg *vg, const struct vg_submit_args *args)
{
    struct local_vg *l = vg_from(vg);
    bool want_fence = args->out_fence != NULL || args->resource_count != 0;
    if (args->in_fence >= 0) {
        enum sl_result r = vg_fence_fd_wait(args->in_fence, -1, is_alive, vg);
        if (r != SL_OK) {
            return r;
        }
    }
    struct local_submit request = {
        .head.verb = LOCAL_SUBMIT, .ring = args->ring, .want_fence = want_fence};
    struct local_reply reply;
    int fd = -1;
    enum sl_result r = local_link_call(&l->link, &(struct local_call){
                                                     .request = &request,
                                                     .request_size = sizeof request,
                                                     .tail = args->commands,
                                                     .tail_size = args->size,
                                                     .reply = &reply,
                                                     .reply_size = sizeof reply,
                                                     .out_fd = want_fence ? &fd : NULL,
                                                 });
    if (r != SL_OK) {
        return r;
    }
    for (uint32_t i = 0; i < args->resource_count && r == SL_OK; i++) {
        r = vg_fences_add(&res_from(args->resources[i])->fences, args->ring, fd);
    }
    if (r == SL_OK && args->out_fence != NULL) {
        *args->out_fence = fd;
        return SL_OK;
    }
    sl_fd_close(&fd);
    return r;
}

static enum sl_result local_res_wait(struct vg_res *res, int64_t timeout_ns)
{
    return vg_fences_wait(&res_from(res)->fences, timeout_ns, is_alive, res->vg);
}

static const struct vg_ops local_ops = {
    .caps = local_caps,
    .param = local_param,
    .context_init = local_context_init,
    .blob_create = local_blob_create,
    .tex_create = local_tex_create,
    .res_import = local_res_import,
    .res_export = local_res_export,
    .res_map = local_res_map,
    .res_wait = local_res_wait,
    .res_transfer = local_res_transfer,
    .res_destroy = local_res_destroy,
    .submit = local_submit,
    .alive = local_alive,
    .destroy = local_destroy,
};

enum sl_result vg_local_open(const char *socket_path, struct vg **out)
{
    struct local_vg *l = sl_alloc(sizeof *l);
    if (l == NULL) {
        return SL_ERR_NOMEM;
    }
    struct local_hello_reply hello;
    int page_fd = -1;
    enum sl_result r =
        local_link_open(&l->link, socket_path, LOCAL_KIND_CLIENT, 0, &hello, &page_fd);
    if (r != SL_OK) {
        sl_free(l);
        return r;
    }
    void *page = NULL;
    r = sl_shm_map(page_fd, sizeof *l->page, &page);
    sl_fd_close(&page_fd);
    if (r != SL_OK) {
        local_link_close(&l->link);
        sl_free(l);
        return r;
    }
    l->vg.ops = &local_ops;
    l->page = page;
    l->capset_mask = hello.capset_mask;
    l->shared_futex = hello.shared_futex != 0;
    l->coherent_tex = hello.coherent_tex != 0;
    pthread_mutex_init(&l->lock, NULL);
    *out = &l->vg;
    return SL_OK;
}
