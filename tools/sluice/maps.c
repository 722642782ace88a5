#include "tools/sluice/maps.h"

#include <stdio.h>
#include <string.h>

#define PROCESSES_MAX 256

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* NULL at the end of the list. */
static bool starts_with_one(const char *file, const char *const *list)
{
    while (*list != NULL && !starts(file, *list)) {
        list++;
    }
    return *list != NULL;
}

bool maps_is_driver(const char *file, unsigned kinds)
{
    static const char *const ours[] = {"libEGL_sluice", "libGLX_sluice", "libvulkan_sluice", NULL};
    static const char *const gl[] = {
        "libEGL_",           "libGLX_",          "libgallium", "libnvidia-glcore",
        "libnvidia-eglcore", "libGLESv2_adreno", "libmali",    NULL};
    static const char *const vulkan[] = {"libvulkan_", "amdvlk", "libvk_swiftshader", NULL};
    if (starts_with_one(file, ours)) {
        return false;
    }
    if ((kinds & MAPS_VULKAN) != 0 && starts_with_one(file, vulkan)) {
        return true;
    }
    if ((kinds & MAPS_GL) == 0) {
        return false;
    }
    if (starts_with_one(file, gl)) {
        return true;
    }
    const char *dri = strstr(file, "_dri.so");
    return dri != NULL && (dri[7] == '\0' || dri[7] == '.');
}

static bool find_in(pid_t pid, unsigned kinds, char *name, size_t size)
{
    char path[64], line[4352];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *slash = strrchr(line, '/');
        if (slash == NULL) {
            continue;
        }
        slash[strcspn(slash, " \n")] = '\0';
        if (maps_is_driver(slash + 1, kinds)) {
            snprintf(name, size, "%s", slash + 1);
            found = true;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/* Adds the processes that `pid` started to list. */
static size_t add_children(pid_t pid, pid_t list[PROCESSES_MAX], size_t count)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    int child;
    while (file != NULL && count < PROCESSES_MAX && fscanf(file, "%d", &child) == 1) {
        list[count++] = child;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

bool maps_other_driver(pid_t pid, unsigned kinds, char *name, size_t size)
{
    pid_t list[PROCESSES_MAX] = {pid};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        if (find_in(list[i], kinds, name, size)) {
            return true;
        }
        count = add_children(list[i], list, count);
    }
    return false;
}
