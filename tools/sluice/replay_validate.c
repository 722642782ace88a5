#include "tools/sluice/replay_validate.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/say.h"
#include "host/capture/format.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/proto.h"
#include "wire/vk_types.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYER    "VK_LAYER_KHRONOS_validation"
#define LIBRARY  "libvulkan.so.1"
#define SETTINGS "vk_layer_settings.txt"
/* Most messages of a kind; of a late start's some are left out. */
#define OF_A_KIND      3u
#define OF_A_KIND_LATE 1000u
#define SAID           "said.txt"
/* Where memory is imported the host does it, never the program; and an image that keeps what its
 * memory holds has no way to say at its creation that this will be imported. */
#define OURS "VUID-vkBindImageMemory-memory-02729,VUID-VkBindImageMemoryInfo-memory-02729"

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

bool validate_is_late(struct cap_reader *reader, uint64_t first_frame)
{
    struct cap_merge_snapshot *snapshots = NULL;
    uint32_t count = 0;
    bool is_late = cap_merge_snapshots(reader, &snapshots, &count) == SL_OK && count != 0 &&
                   snapshots[0].mark.frame <= first_frame;
    sl_free(snapshots);
    return is_late;
}

static int write_settings(const char *folder, bool is_late)
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
            "khronos_validation.duplicate_message_limit = %u\n"
            "khronos_validation.message_id_filter = " OURS "\n"
            "khronos_validation.log_filename = %s\n",
            is_late ? OF_A_KIND_LATE : OF_A_KIND, said);
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

int validate_begin(const char *folder, bool is_late)
{
    int code = write_settings(folder, is_late);
    if (code == SLUICE_EXIT_OK) {
        setenv("VK_INSTANCE_LAYERS", LAYER, 1);
        setenv("VK_LAYER_SETTINGS_PATH", folder, 1);
    }
    return code;
}

/* The image is in another layout than it should be: in the one in which it was made. */
static bool is_of_first_layout(const char *line)
{
    return strstr(line, "current layout is VK_IMAGE_LAYOUT_UNDEFINED") != NULL ||
           strstr(line, "current layout is VK_IMAGE_LAYOUT_PREINITIALIZED") != NULL;
}

uint64_t validate_end(const char *folder, bool is_late)
{
    char path[PATH_MAX], line[4096];
    uint64_t count = 0, left_out = 0;
    FILE *file =
        folder_path(path, folder, SAID, false) == SLUICE_EXIT_OK ? fopen(path, "re") : NULL;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (is_late && is_of_first_layout(line)) {
            left_out++;
        } else if (strstr(line, "Error") != NULL) {
            say_error("validation: %s", line);
            count++;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    if (left_out != 0) {
        say_note("validation: %" PRIu64
                 " errors of images' layouts are left out: behind a snapshot "
                 "the layer does not know them",
                 left_out);
    }
    return count;
}
