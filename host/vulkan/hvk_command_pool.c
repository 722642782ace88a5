/* Command pools. Natively one is used with its lock held: what is recorded in it is, past its turn.
 */
#include "host/vulkan/hvk_family.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/mem.h"

static struct hvk_command_pool *pool_of(struct hvk_object *object)
{
    return (struct hvk_command_pool *)(void *)object;
}

struct hvk_command_pool *hvk_command_pool_find(const struct hvk_context *context, uint64_t id)
{
    return pool_of(hvk_find(context, VK_KIND_VkCommandPool, id, NULL));
}

static void pool_release(struct hvk_object *object)
{
    struct hvk_command_pool *pool = pool_of(object);
    struct hvk_device *device = object->device;
    if (object->native != 0) {
        device->driver.DestroyCommandPool(hvk_native(device),
                                          HVK_HANDLE(VkCommandPool, object->native), NULL);
    }
    pthread_mutex_destroy(&pool->lock);
    sl_free(pool);
    hvk_unref(&device->object);
}

VkResult hvk_vkCreateCommandPool(struct hvk_call *call, struct vk_args_vkCreateCommandPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pCommandPool);
    VkCommandPool native = VK_NULL_HANDLE;
    *a->pCommandPool = VK_NULL_HANDLE;
    if (a->pCreateInfo->queueFamilyIndex >= device->physical->family_count) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    struct hvk_command_pool *pool = sl_alloc(sizeof *pool);
    if (pool == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkCommandPoolCreateInfo info = *a->pCreateInfo;
    if (call->context->provider->restores) { /* hvk_command_again */
        info.flags |= VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    }
    VkResult result = device->driver.CreateCommandPool(hvk_native(device), &info, NULL, &native);
    if (result != VK_SUCCESS) {
        sl_free(pool);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&pool->object, VK_KIND_VkCommandPool, HVK_U64(native), device->object.instance,
                    device, pool_release);
    (void)hvk_ref(&device->object);
    pthread_mutex_init(&pool->lock, NULL);
    sl_list_init(&pool->buffers);
    enum sl_result added = hvk_add_object(call, &pool->object, &id);
    hvk_unref(&pool->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pCommandPool = HVK_HANDLE(VkCommandPool, id);
    return hvk_device_result(device, VK_SUCCESS);
}

/* The guest names the pool alone. */
void hvk_vkDestroyCommandPool(struct hvk_call *call, struct vk_args_vkDestroyCommandPool *a)
{
    struct hvk_command_pool *pool = hvk_command_pool_find(call->context, a->commandPool_id);
    if (pool == NULL) {
        return;
    }
    while (!sl_list_empty(&pool->buffers)) {
        hvk_command_buffer_end(call->context,
                               SL_CONTAINER(pool->buffers.next, struct hvk_command_buffer, link));
    }
    hvk_destroy(call->context, VK_KIND_VkCommandPool, a->commandPool_id);
}

/* A native reset is one of all that lies in the pool natively, named by somebody or not. */
static bool all_idle(const struct hvk_command_pool *pool)
{
    bool idle = hvk_work_is_done(pool->object.device, &pool->work);
    SL_LIST_FOR(item, &pool->buffers)
    {
        const struct hvk_command_buffer *b = SL_CONTAINER(item, struct hvk_command_buffer, link);
        idle = idle && hvk_work_is_done(b->object.device, &b->work);
    }
    return idle;
}

VkResult hvk_vkResetCommandPool(struct hvk_call *call, struct vk_args_vkResetCommandPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_command_pool *pool = hvk_command_pool_find(call->context, a->commandPool_id);
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    if (pool != NULL && !all_idle(pool)) {
        result = VK_SUCCESS;
        SL_LIST_FOR(item, &pool->buffers)
        {
            VkResult one =
                hvk_command_buffer_renew(SL_CONTAINER(item, struct hvk_command_buffer, link));
            result = result == VK_SUCCESS ? one : result;
        }
    } else if (pool != NULL) {
        pthread_mutex_lock(&pool->lock);
        result = device->driver.ResetCommandPool(hvk_native(device), a->commandPool, a->flags);
        SL_LIST_FOR(item, &pool->buffers)
        {
            hvk_command_buffer_forget(SL_CONTAINER(item, struct hvk_command_buffer, link));
        }
        pthread_mutex_unlock(&pool->lock);
    }
    return hvk_device_result(device, result);
}

void hvk_vkTrimCommandPool(struct hvk_call *call, struct vk_args_vkTrimCommandPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_command_pool *pool = hvk_command_pool_find(call->context, a->commandPool_id);
    if (pool != NULL && device->driver.TrimCommandPool != NULL) {
        pthread_mutex_lock(&pool->lock);
        device->driver.TrimCommandPool(hvk_native(device), a->commandPool, a->flags);
        pthread_mutex_unlock(&pool->lock);
    }
}
