/* A file that is written as NAME.part and gets its name when it is complete: nobody takes half of
 * it for the whole, and two writers of one name do not meet. Any thread. */
#ifndef HOST_CAP_PART_H
#define HOST_CAP_PART_H

#include "transport/base/result.h"

#include <stdbool.h>

/* Makes `part`, which must not be there, and locks it for as long as *fd is open: that says that
 * its writer lives. force: what a writer that is no more has left goes. Gives *fd. AGAIN: another
 * writer has it; INVALID: it is there, from a writer that is no more, and `force` is not given; IO:
 * errno. */
enum sl_result cap_part_open(const char *part, bool force, int *fd) SL_MUST_USE;
/* `part` becomes `name`. replaces: also where that is there. IO: errno, EEXIST among it. */
enum sl_result cap_part_name(const char *part, const char *name, bool replaces) SL_MUST_USE;

#endif
