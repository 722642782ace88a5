/* Descriptor update templates.
 *
 * The guest has sorted the application's data by kind, so the template's offsets mean nothing here:
 * updates become plain writes by the entries' numbers, and no native template is made. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

struct template
{
    struct hvk_object object;
    uint32_t count;
    VkDescriptorUpdateTemplateEntry entries[];
};

/* What an update carries; both sized forms become it. */
struct update {
    const struct template *template;
    VkDescriptorSet set;
    uint32_t image_count, buffer_count, view_count, inline_size;
    const uint32_t *image_entries, *buffer_entries, *view_entries;
    const VkDescriptorImageInfo *images;
    const VkDescriptorBufferInfo *buffers;
    const VkBufferView *views;
    const uint8_t *inline_data;
    VkWriteDescriptorSet *writes;
    uint32_t write_count;
};

static void template_release(struct hvk_object *object)
{
    sl_free(object);
}

VkResult hvk_vkCreateDescriptorUpdateTemplate(struct hvk_call *call,
                                              struct vk_args_vkCreateDescriptorUpdateTemplate *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkDescriptorUpdateTemplateCreateInfo *info = a->pCreateInfo;
    uint64_t id = HVK_U64(*a->pDescriptorUpdateTemplate);
    size_t size = info->descriptorUpdateEntryCount * sizeof info->pDescriptorUpdateEntries[0];
    *a->pDescriptorUpdateTemplate = VK_NULL_HANDLE;
    struct template *t = sl_alloc(sizeof *t + size);
    if (t == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    hvk_object_init(&t->object, VK_KIND_VkDescriptorUpdateTemplate, HVK_U64(t),
                    device->object.instance, device, template_release);
    t->count = info->descriptorUpdateEntryCount;
    if (size != 0) {
        memcpy(t->entries, info->pDescriptorUpdateEntries, size);
    }
    enum sl_result added = hvk_add_object(call, &t->object, &id);
    hvk_unref(&t->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pDescriptorUpdateTemplate = HVK_HANDLE(VkDescriptorUpdateTemplate, id);
    return hvk_device_result(device, VK_SUCCESS);
}

/* The entry that element i belongs to, and how many of its neighbours do too; NULL: there is no
 * such entry, or it has not so many. */
static const VkDescriptorUpdateTemplateEntry *run_at(const struct update *u,
                                                     const uint32_t *entries, uint32_t count,
                                                     uint32_t i, uint32_t *length)
{
    uint32_t number = entries[i];
    if (number >= u->template->count) {
        return NULL;
    }
    const VkDescriptorUpdateTemplateEntry *entry = &u->template->entries[number];
    uint32_t n = 1;
    while (i + n < count && entries[i + n] == number) {
        n++;
    }
    *length = n;
    return n <= entry->descriptorCount ? entry : NULL;
}

static VkWriteDescriptorSet *write_of(struct update *u,
                                      const VkDescriptorUpdateTemplateEntry *entry, uint32_t count)
{
    VkWriteDescriptorSet *w = &u->writes[u->write_count++];
    *w = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                .dstSet = u->set,
                                .dstBinding = entry->dstBinding,
                                .dstArrayElement = entry->dstArrayElement,
                                .descriptorCount = count,
                                .descriptorType = entry->descriptorType};
    return w;
}

/* The runs of one sort of elements; exactly one of the three arrays is given. */
static bool add_runs(struct update *u, const uint32_t *entries, uint32_t count,
                     const VkDescriptorImageInfo *images, const VkDescriptorBufferInfo *buffers,
                     const VkBufferView *views)
{
    bool ok = true;
    for (uint32_t i = 0, length = 0; ok && i < count; i += length) {
        const VkDescriptorUpdateTemplateEntry *entry = run_at(u, entries, count, i, &length);
        if (entry == NULL) {
            return false;
        }
        VkWriteDescriptorSet *w = write_of(u, entry, length);
        w->pImageInfo = images != NULL ? images + i : NULL;
        w->pBufferInfo = buffers != NULL ? buffers + i : NULL;
        w->pTexelBufferView = views != NULL ? views + i : NULL;
        ok = hvk_write_resolve(w);
    }
    return ok;
}

/* Inline data: the entries that take bytes, one after the other, until there are no more. */
static bool add_inline(struct update *u, struct vk_unpack *in)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < u->template->count && used < u->inline_size; i++) {
        const VkDescriptorUpdateTemplateEntry *entry = &u->template->entries[i];
        if (entry->descriptorType != VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
            continue;
        }
        VkWriteDescriptorSetInlineUniformBlock *block = vk_unpack_alloc(in, 1, sizeof *block);
        if (block == NULL || entry->descriptorCount > u->inline_size - used) {
            return false;
        }
        *block = (VkWriteDescriptorSetInlineUniformBlock){
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
            .dataSize = entry->descriptorCount,
            .pData = u->inline_data + used};
        VkWriteDescriptorSet *w = write_of(u, entry, entry->descriptorCount);
        w->pNext = block;
        if (!hvk_write_resolve(w)) {
            return false;
        }
        used += entry->descriptorCount;
    }
    return used == u->inline_size;
}

static bool has(uint32_t count, const void *entries, const void *elements)
{
    return count == 0 || (entries != NULL && elements != NULL);
}

static void apply(struct hvk_call *call, const struct hvk_device *device, struct update *u,
                  uint64_t template_id)
{
    u->template = (const struct template *)(const void *)hvk_find(
        call->context, VK_KIND_VkDescriptorUpdateTemplate, template_id, NULL);
    bool ok = u->template != NULL && u->set != VK_NULL_HANDLE &&
              has(u->image_count, u->image_entries, u->images) &&
              has(u->buffer_count, u->buffer_entries, u->buffers) &&
              has(u->view_count, u->view_entries, u->views) &&
              has(u->inline_size, u->inline_data, u->inline_data);
    if (ok) {
        uint64_t most = (uint64_t)u->image_count + u->buffer_count + u->view_count +
                        (u->inline_size != 0 ? u->template->count : 0);
        u->writes = vk_unpack_alloc(&call->in, most, sizeof *u->writes);
        ok = u->writes != NULL &&
             add_runs(u, u->image_entries, u->image_count, u->images, NULL, NULL) &&
             add_runs(u, u->buffer_entries, u->buffer_count, NULL, u->buffers, NULL) &&
             add_runs(u, u->view_entries, u->view_count, NULL, NULL, u->views) &&
             add_inline(u, &call->in);
    }
    if (!ok) {
        sl_warn_limited("vulkan", "context %u: an update does not fit its template",
                        call->context->ctx_id);
        return;
    }
    device->driver.UpdateDescriptorSets(hvk_native(device), u->write_count, u->writes, 0, NULL);
}

void hvk_vkUpdateDescriptorSetWithTemplateSizedGOOGLE(
    struct hvk_call *call, struct vk_args_vkUpdateDescriptorSetWithTemplateSizedGOOGLE *a)
{
    struct update u = {.set = a->descriptorSet,
                       .image_count = a->imageInfoCount,
                       .buffer_count = a->bufferInfoCount,
                       .view_count = a->bufferViewCount,
                       .image_entries = a->pImageInfoEntryIndices,
                       .buffer_entries = a->pBufferInfoEntryIndices,
                       .view_entries = a->pBufferViewEntryIndices,
                       .images = a->pImageInfos,
                       .buffers = a->pBufferInfos,
                       .views = a->pBufferViews};
    apply(call, hvk_device_of(a->record), &u, a->descriptorUpdateTemplate_id);
}

void hvk_vkUpdateDescriptorSetWithTemplateSized2GOOGLE(
    struct hvk_call *call, struct vk_args_vkUpdateDescriptorSetWithTemplateSized2GOOGLE *a)
{
    struct update u = {.set = a->descriptorSet,
                       .image_count = a->imageInfoCount,
                       .buffer_count = a->bufferInfoCount,
                       .view_count = a->bufferViewCount,
                       .inline_size = a->inlineUniformBlockCount,
                       .image_entries = a->pImageInfoEntryIndices,
                       .buffer_entries = a->pBufferInfoEntryIndices,
                       .view_entries = a->pBufferViewEntryIndices,
                       .images = a->pImageInfos,
                       .buffers = a->pBufferInfos,
                       .views = a->pBufferViews,
                       .inline_data = a->pInlineUniformBlockData};
    apply(call, hvk_device_of(a->record), &u, a->descriptorUpdateTemplate_id);
}
