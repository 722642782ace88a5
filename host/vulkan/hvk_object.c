/* The object table of one guest process. */
#include "host/vulkan/hvk.h"
#include "host/vulkan/hvk_birth.h"

#include "host/vk_destroy.h"
#include "transport/base/atomic.h"
#include "wire/vk_names.h"

void hvk_object_init(struct hvk_object *object, uint32_t kind, uint64_t native,
                     struct hvk_instance *instance, struct hvk_device *device,
                     void (*release)(struct hvk_object *))
{
    *object = (struct hvk_object){.kind = kind,
                                  .refs = 1,
                                  .native = native,
                                  .instance = instance,
                                  .device = device,
                                  .release = release};
}

struct hvk_object *hvk_ref(struct hvk_object *object)
{
    sl_atomic_add(&object->refs, 1); /* the caller has one already; orders nothing */
    return object;
}

void hvk_unref(struct hvk_object *object)
{
    /* Nobody else has one when there is one left: it needs no locked operation to give it back.
     * Acquire, and the full barrier, put all others' uses before the release. */
    if (object != NULL && (sl_atomic_load_acquire(&object->refs) == 1 ||
                           sl_atomic_add(&object->refs, UINT32_MAX) == 1)) {
        object->release(object);
    }
}

static enum sl_result add(struct hvk_call *call, uint32_t kind, uint64_t native, void *record,
                          uint64_t *id)
{
    struct sl_ids *ids = &call->context->ids;
    enum sl_result result = *id != 0 ? sl_ids_add_at(ids, kind, native, record, *id)
                                     : sl_ids_add(ids, kind, native, record, id);
    if (result == SL_OK) {
        hvk_birth_note(call, kind, *id);
    } else if (result == SL_ERR_PROTOCOL) {
        hr_call_violate(call->hr, "it chooses the id 0x%llx, which it may not",
                        (unsigned long long)*id);
    }
    return result;
}

enum sl_result hvk_add(struct hvk_call *call, uint32_t kind, uint64_t native,
                       struct hvk_device *device, uint64_t *id)
{
    return add(call, kind, native, &device->object, id);
}

enum sl_result hvk_add_object(struct hvk_call *call, struct hvk_object *object, uint64_t *id)
{
    /* Nobody but its creator has it yet: no locked operation. */
    sl_atomic_store_relaxed(&object->refs, object->refs + 1);
    enum sl_result result = add(call, object->kind, object->native, object, id);
    if (result == SL_OK) {
        object->id = *id;
    } else {
        sl_atomic_store_relaxed(&object->refs, object->refs - 1);
    }
    return result;
}

VkResult hvk_enter(struct hvk_call *call, struct hvk_object *object, void *slot)
{
    struct hvk_device *device = object->device;
    uint64_t id = sl_load_u64(slot);
    enum sl_result added = hvk_add_object(call, object, &id);
    hvk_unref(object);
    sl_store_u64(slot, added == SL_OK ? id : 0);
    return hvk_device_result(device, added == SL_OK ? VK_SUCCESS : VK_ERROR_TOO_MANY_OBJECTS);
}

struct hvk_object *hvk_find(const struct hvk_context *context, uint32_t kind, uint64_t id,
                            uint64_t *native)
{
    uint64_t found;
    void *record;
    if (!sl_ids_find(&context->ids, kind, id, &found, &record)) {
        return NULL;
    }
    if (native != NULL) {
        *native = found;
    }
    return record;
}

/* End what was taken out of the table. */
static void end(uint32_t kind, uint64_t native, struct hvk_object *record)
{
    struct hvk_device *device = record->device;
    if (record->kind == kind) {
        record->id = 0;
    }
    if (device != NULL && device->abandoned) {
        return; /* left as it is, with the references that it has */
    }
    hvk_bury(kind, native, record);
}

void hvk_destroy(struct hvk_context *context, uint32_t kind, uint64_t id)
{
    uint64_t native = 0;
    void *record = NULL;
    /* Recorded commands that are being run have found their handles, or will not find this one. */
    bool recording = sl_atomic_load_acquire(&context->flushes) != 0; /* none begins in our turn */
    if (recording) {
        pthread_rwlock_wrlock(&context->natives);
    }
    if (kind == VK_KIND_VkFence) {
        pthread_mutex_lock(&context->lock);
    }
    bool found = sl_ids_find(&context->ids, kind, id, &native, &record);
    if (found) {
        context->ended++;
        hvk_birth_drop(context, kind, id);
        found = sl_ids_remove(&context->ids, kind, id);
    }
    if (kind == VK_KIND_VkFence) {
        pthread_mutex_unlock(&context->lock);
    }
    if (recording) {
        pthread_rwlock_unlock(&context->natives);
    }
    if (found && kind == VK_KIND_VkDevice && !((struct hvk_object *)record)->device->abandoned) {
        hvk_stale_end(((struct hvk_object *)record)->device);
    }
    if (found) {
        end(kind, native, record);
    }
}

static bool belongs(const struct hvk_object *record, uint32_t kind, const struct hvk_object *of)
{
    if (of == NULL) {
        return true;
    }
    if (record == of && record->kind == kind) {
        return false; /* it does not end itself */
    }
    return of->kind == VK_KIND_VkDevice ? record->device == of->device
                                        : record->instance == of->instance;
}

/* End the objects of one kind; *cursor walks the table. */
static void destroy_kind(struct hvk_context *context, uint32_t kind, const struct hvk_object *of)
{
    uint32_t cursor = 0, this_kind;
    uint64_t id, native;
    void *record;
    while (sl_ids_next(&context->ids, &cursor, &this_kind, &id, &native, &record)) {
        if (this_kind == kind && belongs(record, kind, of)) {
            hvk_destroy(context, kind, id);
        }
    }
}

void hvk_destroy_children(struct hvk_context *context, const struct hvk_object *of)
{
    uint32_t counts[VK_KIND_END] = {0}, cursor = 0, kind;
    uint64_t id, native;
    void *record;
    while (sl_ids_next(&context->ids, &cursor, &kind, &id, &native, &record)) {
        counts[kind] += belongs(record, kind, of);
    }
    context->is_ending = true;
    hvk_shots_forget(&context->shots);
    for (uint32_t i = 0; i < VK_KIND_END - 1; i++) {
        if (counts[vk_destroy_order[i]] != 0) {
            destroy_kind(context, vk_destroy_order[i], of);
        }
    }
    context->is_ending = false;
}
