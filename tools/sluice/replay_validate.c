#include "tools/sluice/replay_validate.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/say.h"
#include "host/capture/format.h"
#include "transport/virtgpu/proto.h"
#include "wire/vk_types.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYER    "VK_LAYER_KHRONOS_validation"
#define LIBRARY  "libvulkan.so.1"
#define SETTINGS "vk_layer_settings.txt"
#define SAID     "said.txt"

static bool is_installed(void)
{
    PFN_vkEnumerateInstanceLayerProperties list = NULL;
    VkLayerProperties layers[64];
    uint32_t count = sizeof layers / sizeof layers[0];
    bool is_there = false;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        *(void **)&list = dlsym(library, "vkEnumerateInstanceLayerProperties");
    }
    if (list != NULL && list(&count, layers) >= 0) {
        for (uint32_t i = 0; i < count; i++) {
            is_there = is_there || strcmp(layers[i].layerName, LAYER) == 0;
        }
    }
    if (library != NULL) {
        dlclose(library);
    }
    return is_there;
}

static bool has_vulkan(struct cap_reader *reader)
{
    struct cap_merge *merge;
    struct cap_event event;
    bool found = false;
    if (cap_merge_create(reader, &merge) != SL_OK) {
        return false;
    }
    while (!found && cap_merge_next(merge, &event, NULL) == SL_OK) {
        found =
            event.kind == CAP_EVENT_CALL && event.call.capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
    }
    cap_merge_destroy(merge);
    return found;
}

static int write_settings(const char *folder)
{
    char path[PATH_MAX], said[PATH_MAX];
    int code = folder_path(path, folder, SETTINGS, false);
    code = code == SLUICE_EXIT_OK ? folder_path(said, folder, SAID, false) : code;
    FILE *file = code == SLUICE_EXIT_OK ? fopen(path, "we") : NULL;
    if (file == NULL) {
        say_error("%s: cannot be written: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    fprintf(file,
            "khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG\n"
            "khronos_validation.report_flags = error\n"
            "khronos_validation.enable_message_limit = true\n"
            "khronos_validation.duplicate_message_limit = 3\n"
            "khronos_validation.log_filename = %s\n",
            said);
    return fclose(file) == 0 ? SLUICE_EXIT_OK : SLUICE_EXIT_FILE;
}

int validate_find(struct cap_reader *reader)
{
    if (!has_vulkan(reader)) {
        say_error("--validate: the trace holds no Vulkan, and nothing validates OpenGL ES");
        return SLUICE_EXIT_MISSING;
    }
    if (!is_installed()) {
        say_error("--validate: there is no layer " LAYER "; install it (Debian: "
                  "vulkan-validationlayers), or run without --validate");
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

int validate_begin(const char *folder)
{
    int code = write_settings(folder);
    if (code == SLUICE_EXIT_OK) {
        setenv("VK_INSTANCE_LAYERS", LAYER, 1);
        setenv("VK_LAYER_SETTINGS_PATH", folder, 1);
    }
    return code;
}

uint64_t validate_end(const char *folder)
{
    char path[PATH_MAX], line[4096];
    uint64_t count = 0;
    FILE *file =
        folder_path(path, folder, SAID, false) == SLUICE_EXIT_OK ? fopen(path, "re") : NULL;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "Error") != NULL) {
            say_error("validation: %s", line);
            count++;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}
