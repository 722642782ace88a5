#include "tools/sluice/maps.h"

#include <stdio.h>
#include <string.h>

#define PROCESSES_MAX 256

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool maps_is_driver(const char *file)
{
    static const char *const ours[] = {"libEGL_sluice", "libGLX_sluice"};
    static const char *const starts_with[] = {
        "libEGL_",           "libGLX_",          "libgallium", "libnvidia-glcore",
        "libnvidia-eglcore", "libGLESv2_adreno", "libmali"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (starts(file, ours[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof starts_with / sizeof starts_with[0]; i++) {
        if (starts(file, starts_with[i])) {
            return true;
        }
    }
    const char *dri = strstr(file, "_dri.so");
    return dri != NULL && (dri[7] == '\0' || dri[7] == '.');
}

static bool find_in(pid_t pid, char *name, size_t size)
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
        if (maps_is_driver(slash + 1)) {
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

bool maps_other_driver(pid_t pid, char *name, size_t size)
{
    pid_t list[PROCESSES_MAX] = {pid};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        if (find_in(list[i], name, size)) {
            return true;
        }
        count = add_children(list[i], list, count);
    }
    return false;
}
