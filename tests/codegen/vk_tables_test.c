/* The generated tables about Vulkan: names, extensions, chained structs and the driver's table. */
#include "host/vk_driver.h"
#include "tests/support/slt.h"
#include "wire/vk_extensions.h"
#include "wire/vk_names.h"
#include "wire/vk_opcodes.h"

#include <string.h>

SLT_TEST(vk_names, number_and_name_fit)
{
    SLT_EXPECT_STREQ("vkCreateInstance", vk_op_name(20000));
    SLT_EXPECT_STREQ("vkQueueSubmitAsync2GOOGLE", vk_op_name(VK_OP_vkQueueSubmitAsync2GOOGLE));
    SLT_EXPECT_NULL(vk_op_name(20318));
    SLT_EXPECT_NULL(vk_op_name(UINT32_MAX));
    SLT_EXPECT_STREQ("VK_ERROR_DEVICE_LOST", vk_result_name(VK_ERROR_DEVICE_LOST));
    SLT_EXPECT_STREQ("VK_STRUCTURE_TYPE_CREATE_BLOB_GOOGLE", vk_stype_name(1000385002));
    SLT_EXPECT_STREQ("VK_FORMAT_B8G8R8A8_UNORM", vk_format_name(44));
    SLT_EXPECT_NULL(vk_format_name(-1));
}

static const struct vk_extension *find(const char *name)
{
    return vk_extension_find(name, strlen(name));
}

SLT_TEST(vk_extensions, every_name_is_found_and_no_other)
{
    for (size_t i = 0; i < VK_EXTENSION_COUNT; i++)
        SLT_EXPECT_TRUE(find(vk_extensions[i].name) == &vk_extensions[i]);
    SLT_EXPECT_NULL(find(""));
    SLT_EXPECT_NULL(find("VK_KHR_swapchai"));
    SLT_EXPECT_NULL(find("VK_KHR_swapchain_"));
    SLT_EXPECT_NULL(vk_extension_find("VK_KHR_swapchain\0more", 21));
}

SLT_TEST(vk_extensions, say_what_is_offered)
{
    SLT_EXPECT_TRUE(find("VK_KHR_surface")->instance);
    SLT_EXPECT_TRUE(!find("VK_KHR_swapchain")->instance);
    SLT_EXPECT_NULL(find("VK_KHR_swapchain")->refused);
    SLT_EXPECT_TRUE(find("VK_EXT_external_memory_host")->refused != NULL);
    SLT_EXPECT_EQ(VK_API_VERSION_1_2, find("VK_KHR_timeline_semaphore")->promoted);
    /* by way of VK_KHR_vertex_attribute_divisor */
    SLT_EXPECT_EQ(VK_API_VERSION_1_4, find("VK_EXT_vertex_attribute_divisor")->promoted);
    SLT_EXPECT_EQ(0u, find("VK_EXT_transform_feedback")->promoted);
}

SLT_TEST(vk_chain_structs, every_type_is_found_once)
{
    for (size_t i = 0; i < VK_CHAIN_STRUCT_COUNT; i++) {
        const struct vk_chain_struct *one = &vk_chain_structs[i];
        SLT_EXPECT_TRUE(vk_chain_struct_find(one->type) == one);
        SLT_EXPECT_LE(one->bools + sizeof(VkBool32) * one->bool_count, (size_t)one->size);
        SLT_EXPECT_TRUE(one->version != 0 || one->extension_count > 0 || one->known != 0);
    }
    SLT_EXPECT_NULL(vk_chain_struct_find(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO));
}

SLT_TEST(vk_chain_structs, features_say_where_they_lie)
{
    const struct vk_chain_struct *one =
        vk_chain_struct_find(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
    SLT_ASSERT_TRUE(one != NULL);
    SLT_EXPECT_EQ(offsetof(VkPhysicalDeviceTimelineSemaphoreFeatures, timelineSemaphore),
        (size_t)one->bools);
    SLT_EXPECT_EQ(1u, one->bool_count);
    SLT_EXPECT_EQ(VK_API_VERSION_1_2, one->version);
    SLT_EXPECT_EQ((uint32_t)(VK_KNOWN_MESA_25 | VK_KNOWN_MESA_26 | VK_KNOWN_HOST_2025), one->known);
    SLT_ASSERT_TRUE(one->extension_count == 1);
    SLT_EXPECT_STREQ("VK_KHR_timeline_semaphore", vk_extensions[one->extensions[0]].name);
}

static void VKAPI_CALL by_name(void)
{
}

static void VKAPI_CALL by_alias(void)
{
}

/* A driver of the time before Vulkan 1.2. */
static PFN_vkVoidFunction old_driver(VkDevice device, const char *name)
{
    (void)device;
    if (strcmp(name, "vkWaitSemaphoresKHR") == 0)
        return by_alias;
    return strcmp(name, "vkQueueSubmit") == 0 ? by_name : NULL;
}

SLT_TEST(vk_driver, alias_stands_in_for_an_absent_name)
{
    static struct vk_driver_device driver;
    vk_driver_device_load(&driver, NULL, old_driver);
    SLT_EXPECT_TRUE((PFN_vkVoidFunction)driver.QueueSubmit == by_name);
    SLT_EXPECT_TRUE((PFN_vkVoidFunction)driver.WaitSemaphores == by_alias);
    SLT_EXPECT_TRUE(driver.CmdDraw == NULL);
}
