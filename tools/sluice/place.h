/* Where things lie: beside this program, in the build tree as in an installed one. Main thread. */
#ifndef SLUICE_PLACE_H
#define SLUICE_PLACE_H

#include "transport/base/result.h"

#include <limits.h>
#include <stddef.h>

/* The vendor file that glvnd is pointed to. NOTFOUND: text holds the place looked at. */
enum sl_result place_vendor_file(char text[PATH_MAX]) SL_MUST_USE;
/* The driver file (ICD) that Vulkan's loader is pointed to; the same. */
enum sl_result place_icd_file(char text[PATH_MAX]) SL_MUST_USE;
/* The library that one of these files names, as a full path. NOTFOUND: no such file, text holds it;
 * PROTOCOL: the file names none. */
enum sl_result place_library(const char *file, char text[PATH_MAX]) SL_MUST_USE;
/* Where `sluice serve` listens unless told: $XDG_RUNTIME_DIR/sluice.sock, else
 * /tmp/sluice-UID.sock. */
void place_socket(char text[PATH_MAX]);
/* A fresh directory that only this user enters. */
enum sl_result place_private_dir(char text[PATH_MAX]) SL_MUST_USE;

#endif
