#include "tools/sluice/info_needs.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NEEDS_MAX 4096u
#define TEXT_MAX  96u

struct need {
    const char *kind;
    char text[TEXT_MAX];
    uint64_t call, frame; /* that names it first */
};

struct needs {
    struct need *list;
    uint32_t count;
    uint64_t call, frame; /* where the walk is */
};

static void add(struct needs *n, const char *kind, const char *text, size_t size)
{
    char copy[TEXT_MAX];
    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->list[i].kind == kind && strcmp(n->list[i].text, copy) == 0) {
            return;
        }
    }
    if (n->count < NEEDS_MAX) {
        struct need *need = &n->list[n->count++];
        *need = (struct need){.kind = kind, .call = n->call, .frame = n->frame};
        memcpy(need->text, copy, sizeof copy);
    }
}

/* The largest so far of that name. */
static void add_limit(struct needs *n, const char *name, uint64_t value)
{
    char text[TEXT_MAX];
    struct need *need = NULL;
    size_t size = strlen(name);
    if (value == 0) {
        return;
    }
    for (uint32_t i = 0; i < n->count && need == NULL; i++) {
        bool is_it = strcmp(n->list[i].kind, "limit") == 0 &&
                     strncmp(n->list[i].text, name, size) == 0 && n->list[i].text[size] == ' ';
        need = is_it ? &n->list[i] : NULL;
    }
    snprintf(text, sizeof text, "%s %" PRIu64, name, value);
    if (need == NULL) {
        add(n, "limit", text, strlen(text));
    } else if (value > strtoull(need->text + size, NULL, 10)) {
        memcpy(need->text, text, sizeof text);
        need->call = n->call;
        need->frame = n->frame;
    }
}

static size_t word_size(const char *text)
{
    size_t size = 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '_') {
        size++;
    }
    return size;
}

/* Its name says whose extension it is of. */
static bool is_of_extension(const char *name)
{
    static const char *const ends[] = {"KHR", "EXT",  "OES",     "NV",    "AMD",  "ARM",
                                       "IMG", "QCOM", "ANDROID", "INTEL", "APPLE"};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t end = strlen(ends[i]);
        if (size > end && strcmp(name + size - end, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A member's value behind "name = ". */
static const struct {
    const char *before, *kind;
} members[] = {{"memoryTypeIndex = ", "memory type"},
               {"queueFamilyIndex = ", "queue family"},
               {"internalformat = ", "format"},
               {"internalFormat = ", "format"}};

/* rcCreateContext's glVersion. */
static const char *const versions[] = {
    NULL, "OpenGL ES 1.1", "OpenGL ES 2.0", "OpenGL ES 3.0", "OpenGL ES 3.1", "OpenGL ES 3.2"};
#define VERSION_IS "glVersion = "

/* What a command's text has in it where a feature is used. */
static const struct {
    const char *command, *text, *feature;
} features[] = {
    {"vkCreateGraphicsPipelines", "polygonMode = VK_POLYGON_MODE_LINE", "fillModeNonSolid"},
    {"vkCreateGraphicsPipelines", "polygonMode = VK_POLYGON_MODE_POINT", "fillModeNonSolid"},
    {"vkCreateGraphicsPipelines", "depthClampEnable = 1", "depthClamp"},
    {"vkCreateGraphicsPipelines", "depthBoundsTestEnable = 1", "depthBounds"},
    {"vkCreateGraphicsPipelines", "logicOpEnable = 1", "logicOp"},
    {"vkCreateGraphicsPipelines", "alphaToOneEnable = 1", "alphaToOne"},
    {"vkCreateGraphicsPipelines", "sampleShadingEnable = 1", "sampleRateShading"},
    {"vkCreateGraphicsPipelines", "VK_BLEND_FACTOR_SRC1", "dualSrcBlend"},
    {"vkCreateGraphicsPipelines", "VK_BLEND_FACTOR_ONE_MINUS_SRC1", "dualSrcBlend"},
    {"vkCreateSampler", "anisotropyEnable = 1", "samplerAnisotropy"},
    {"vkCreateImageView", "VK_IMAGE_VIEW_TYPE_CUBE_ARRAY", "imageCubeArray"},
    {"vkCreateQueryPool", "VK_QUERY_TYPE_PIPELINE_STATISTICS", "pipelineStatisticsQuery"},
    {"vkCreateBuffer", "VK_BUFFER_CREATE_SPARSE_BINDING_BIT", "sparseBinding"},
    {"vkCreateImage", "VK_IMAGE_CREATE_SPARSE_BINDING_BIT", "sparseBinding"},
    {"vkCreateBuffer", "VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT", "bufferDeviceAddress"},
    {"vkCreateSemaphore", "VK_SEMAPHORE_TYPE_TIMELINE", "timelineSemaphore"},
    {"vkQueueFlushCommandsGOOGLE", "vkCmdBeginRendering", "dynamicRendering"},
    {"vkQueueFlushCommandsGOOGLE", "VK_QUERY_CONTROL_PRECISE_BIT", "occlusionQueryPrecise"},
    {"vkQueueFlushCommandsGOOGLE", "vkCmdSetLineWidth", "wideLines"}};

/* What SPIR-V says that a shader needs: OpCapability's operand. */
static const struct {
    uint32_t capability;
    const char *feature;
} capabilities[] = {{2, "geometryShader"},
                    {3, "tessellationShader"},
                    {9, "shaderFloat16"},
                    {10, "shaderFloat64"},
                    {11, "shaderInt64"},
                    {22, "shaderInt16"},
                    {25, "shaderImageGatherExtended"},
                    {27, "shaderStorageImageMultisample"},
                    {32, "shaderClipDistance"},
                    {33, "shaderCullDistance"},
                    {34, "imageCubeArray"},
                    {35, "sampleRateShading"},
                    {41, "shaderResourceMinLod"},
                    {55, "shaderStorageImageReadWithoutFormat"},
                    {56, "shaderStorageImageWriteWithoutFormat"},
                    {57, "multiViewport"},
                    {4427, "shaderDrawParameters"},
                    {4433, "storageBuffer16BitAccess"},
                    {4439, "multiview"},
                    {4448, "storageBuffer8BitAccess"},
                    {5302, "runtimeDescriptorArray"},
                    {5306, "shaderUniformBufferArrayNonUniformIndexing"},
                    {5307, "shaderSampledImageArrayNonUniformIndexing"},
                    {5308, "shaderStorageBufferArrayNonUniformIndexing"},
                    {5309, "shaderStorageImageArrayNonUniformIndexing"},
                    {5345, "vulkanMemoryModel"},
                    {5347, "bufferDeviceAddress"}};
#define OP_CAPABILITY "131089, " /* the opcode, and its size of two words */

/* Numbers of which the largest is needed. */
static const struct {
    const char *command, *before, *limit;
} limits[] = {
    {"vkCreateImage", "extent = {width = ", "maxImageDimension"},
    {"vkCreateImage", "arrayLayers = ", "maxImageArrayLayers"},
    {"vkCreateFramebuffer", "width = ", "maxFramebufferWidth"},
    {"vkCreateFramebuffer", "height = ", "maxFramebufferHeight"},
    {"vkCreateRenderPass", "colorAttachmentCount = ", "maxColorAttachments"},
    {"vkCreatePipelineLayout", "setLayoutCount = ", "maxBoundDescriptorSets"},
    {"vkCreateGraphicsPipelines", "vertexAttributeDescriptionCount = ", "maxVertexInputAttributes"},
    {"glTexImage", "width = ", "GL_MAX_TEXTURE_SIZE"},
    {"glTexStorage", "width = ", "GL_MAX_TEXTURE_SIZE"},
    {"glRenderbufferStorage", "width = ", "GL_MAX_RENDERBUFFER_SIZE"},
    {"glViewport", "width = ", "GL_MAX_VIEWPORT_DIMS"}};

/* What is only asked for is not needed. */
static bool is_question(const char *name)
{
    return strncmp(name, "vkGetPhysicalDevice", 19) == 0 || strncmp(name, "vkEnumerate", 11) == 0;
}

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static void look_for_features(struct needs *n, const char *name, const char *text)
{
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        if (begins(name, features[i].command) && strstr(text, features[i].text) != NULL) {
            add(n, "feature", features[i].feature, strlen(features[i].feature));
        }
    }
    const char *at = strcmp(name, "vkCreateShaderModule") == 0 ? strstr(text, "pCode = [") : NULL;
    for (; at != NULL && (at = strstr(at, OP_CAPABILITY)) != NULL; at += sizeof OP_CAPABILITY - 1) {
        unsigned long capability = strtoul(at + sizeof OP_CAPABILITY - 1, NULL, 10);
        for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
            if (capabilities[i].capability == capability) {
                add(n, "feature", capabilities[i].feature, strlen(capabilities[i].feature));
            }
        }
    }
}

static void look_for_limits(struct needs *n, const char *name, const char *text)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const char *at = begins(name, limits[i].command) ? strstr(text, limits[i].before) : NULL;
        for (; at != NULL; at = strstr(at, limits[i].before)) {
            at += strlen(limits[i].before);
            add_limit(n, limits[i].limit, strtoull(at, NULL, 10));
        }
    }
}

static void look_at(struct needs *n, const char *name, const char *text)
{
    if (is_question(name)) {
        return;
    }
    if ((strncmp(name, "gl", 2) == 0 || strncmp(name, "vk", 2) == 0) && is_of_extension(name)) {
        add(n, "command", name, strlen(name));
    }
    for (const char *at = text; (at = strstr(at, "VK_FORMAT_")) != NULL; at += word_size(at)) {
        if (strncmp(at, "VK_FORMAT_FEATURE_", 18) != 0) {
            add(n, "format", at, word_size(at));
        }
    }
    look_for_features(n, name, text);
    look_for_limits(n, name, text);
    bool creates = strcmp(name, "vkCreateInstance") == 0 || strcmp(name, "vkCreateDevice") == 0;
    for (const char *at = text; creates && (at = strstr(at, "\"VK_")) != NULL; at += 4) {
        add(n, "extension enabled", at + 1, word_size(at + 1));
    }
    const char *version = strcmp(name, "rcCreateContext") == 0 ? strstr(text, VERSION_IS) : NULL;
    unsigned long number = version != NULL ? strtoul(version + strlen(VERSION_IS), NULL, 10) : 0;
    if (number != 0 && number < sizeof versions / sizeof versions[0]) {
        add(n, "context version", versions[number], strlen(versions[number]));
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *at = strstr(text, members[i].before);
        for (; at != NULL; at = strstr(at, members[i].before)) {
            at += strlen(members[i].before);
            add(n, members[i].kind, at, word_size(at));
        }
    }
}

static int walk(const char *path, struct cap_reader *reader, struct needs *n, struct calls *calls,
                const struct schema *schema)
{
    struct cap_merge *merge;
    struct cap_event event;
    struct cap_damage damage;
    enum sl_result result = cap_merge_create(reader, &merge);
    calls_set_schema(calls, schema);
    while (result == SL_OK && (result = cap_merge_next(merge, &event, &damage)) == SL_OK) {
        if (event.kind == CAP_EVENT_FRAME) {
            n->frame++;
        } else if (event.kind == CAP_EVENT_CALL) {
            const char *name = schema_find(schema, sl_load_u32(event.call.packet)).name;
            n->call = event.stamp;
            look_at(n, name != NULL ? name : "", calls_text(calls, &event));
        }
    }
    cap_merge_destroy(merge);
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(&damage, n->frame);
        return SLUICE_EXIT_DAMAGED;
    }
    return result == SL_ERR_NOTFOUND ? SLUICE_EXIT_OK : trace_failed(path, reader, result);
}

static int by_kind(const void *left, const void *right)
{
    const struct need *a = left, *b = right;
    int order = strcmp(a->kind, b->kind);
    return order != 0 ? order : strcmp(a->text, b->text);
}

static void print(struct needs *n, bool json)
{
    if (n->count != 0) {
        qsort(n->list, n->count, sizeof *n->list, by_kind);
    }
    fputs(json ? "{\"schema\": 1, \"needs\": [" : "", stdout);
    for (uint32_t i = 0; i < n->count; i++) {
        const struct need *need = &n->list[i];
        if (!json) {
            printf("%-18s %-48s call %" PRIu64 ", frame %" PRIu64 "\n", need->kind, need->text,
                   need->call, need->frame);
            continue;
        }
        printf("%s\n  {\"kind\": \"%s\", \"name\": ", i != 0 ? "," : "", need->kind);
        json_text(stdout, need->text);
        printf(", \"call\": %" PRIu64 ", \"frame\": %" PRIu64 "}", need->call, need->frame);
    }
    fputs(json ? "]}\n" : "", stdout);
}

int info_needs(const char *path, struct cap_reader *reader, bool strict, bool json)
{
    struct needs n = {.list = sl_alloc_array(NEEDS_MAX, sizeof *n.list)};
    struct calls *calls = calls_create(CALLS_TEXT, true, stdout);
    struct schema *schema = NULL;
    enum sl_result result =
        n.list != NULL && calls != NULL ? cap_reader_scan(reader) : SL_ERR_NOMEM;
    int code =
        result == SL_OK ? trace_schema(path, reader, &schema) : trace_failed(path, reader, result);
    if (code == SLUICE_EXIT_OK) {
        trace_warn_cut(path, reader);
        code = walk(path, reader, &n, calls, schema);
        print(&n, json);
        code = code == SLUICE_EXIT_OK && strict && !reader->is_complete ? SLUICE_EXIT_INCOMPLETE
                                                                        : code;
    }
    schema_destroy(schema);
    calls_destroy(calls);
    sl_free(n.list);
    return code;
}
