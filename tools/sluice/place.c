#include "tools/sluice/place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VENDOR_FILE "share/glvnd/egl_vendor.d/50_sluice.json"
#define ICD_FILE    "share/vulkan/icd.d/sluice_icd.json"

/* The folder of a path, in place. */
static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
}

/* folder + "/" + name; false when it does not fit. */
static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return size > 0 && size < PATH_MAX;
}

/* A file of the prefix that this program lies in. */
static enum sl_result find_beside(const char *name, char text[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0) {
        return SL_ERR_IO;
    }
    self[size] = '\0';
    cut_name(self); /* PREFIX/bin */
    cut_name(self); /* PREFIX */
    if (!join(text, self, name)) {
        return SL_ERR_INVALID;
    }
    return access(text, R_OK) == 0 ? SL_OK : SL_ERR_NOTFOUND;
}

enum sl_result place_vendor_file(char text[PATH_MAX])
{
    return find_beside(VENDOR_FILE, text);
}

enum sl_result place_icd_file(char text[PATH_MAX])
{
    return find_beside(ICD_FILE, text);
}

/* The text between the quotes behind "library_path" and its colon. */
static bool find_library(char *json, const char **library)
{
    char *at = strstr(json, "\"library_path\"");
    at = at != NULL ? strchr(at + strlen("\"library_path\""), ':') : NULL;
    at = at != NULL ? strchr(at, '"') : NULL;
    char *end = at != NULL ? strchr(at + 1, '"') : NULL;
    if (end == NULL) {
        return false;
    }
    *end = '\0';
    *library = at + 1;
    return true;
}

enum sl_result place_library(const char *path, char text[PATH_MAX])
{
    char json[4096];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(text, PATH_MAX, "%s", path);
        return SL_ERR_NOTFOUND;
    }
    size_t size = fread(json, 1, sizeof json - 1, file);
    fclose(file);
    json[size] = '\0';
    const char *library;
    if (!find_library(json, &library)) {
        return SL_ERR_PROTOCOL;
    }
    char folder[PATH_MAX], joined[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    cut_name(folder);
    if (library[0] == '/') {
        snprintf(joined, sizeof joined, "%s", library);
    } else if (!join(joined, folder, library)) {
        return SL_ERR_INVALID;
    }
    if (realpath(joined, text) == NULL) {
        snprintf(text, PATH_MAX, "%s", joined);
        return SL_ERR_NOTFOUND;
    }
    return SL_OK;
}

void place_socket(char text[PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime != NULL && runtime[0] == '/') {
        snprintf(text, PATH_MAX, "%s/sluice.sock", runtime);
    } else {
        snprintf(text, PATH_MAX, "/tmp/sluice-%u.sock", (unsigned)getuid());
    }
}

enum sl_result place_private_dir(char text[PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *base =
        runtime != NULL && access(runtime, W_OK | X_OK) == 0 ? runtime : getenv("TMPDIR");
    base = base != NULL && strlen(base) < 60 ? base : "/tmp"; /* a socket's name has 107 bytes */
    snprintf(text, PATH_MAX, "%s/sluice-XXXXXX", base);
    return mkdtemp(text) != NULL ? SL_OK : sl_result_from_errno(errno);
}
