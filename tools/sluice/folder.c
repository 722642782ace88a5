#include "tools/sluice/folder.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* errno stays. */
static bool is_folder(const char *path)
{
    struct stat there;
    int error = errno;
    bool is_one = stat(path, &there) == 0 && S_ISDIR(there.st_mode);
    errno = error;
    return is_one;
}

int folder_path(char *path, const char *folder, const char *name, bool make)
{
    if (make && mkdir(folder, 0777) != 0 && !(errno == EEXIST && is_folder(folder))) {
        say_error("%s: this folder cannot be made: %s", folder, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) {
        say_error("%s/%s: this name is too long", folder, name);
        return SLUICE_EXIT_USAGE;
    }
    return SLUICE_EXIT_OK;
}

int folder_temporary(char *path)
{
    const char *base = getenv("TMPDIR"); /* XDG_RUNTIME_DIR has memory's size */
    base = base != NULL && base[0] != '\0' ? base : "/tmp";
    if (snprintf(path, PATH_MAX, "%s/sluice-XXXXXX", base) >= PATH_MAX || mkdtemp(path) == NULL) {
        say_error("%s: no folder can be made there: %s; set TMPDIR to a place that can be written",
                  base, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    return SLUICE_EXIT_OK;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

void folder_remove(const char *path)
{
    if (nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        say_note("%s: cannot be removed: %s", path, strerror(errno));
    }
}
