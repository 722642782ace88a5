/* What a workgroup's shared variables begin with: drivers of the CPU leave there what another had,
 * of whatever guest, or what was in the host's memory.
 *
 * `main` becomes `sluice_main`, and behind the text stands a `main` that writes zeros to all shared
 * variables that the text uses, waits for the workgroup, and calls it. */
#ifndef HOST_HGL_ZEROS_H
#define HOST_HGL_ZEROS_H

#include "host/gles/hgl_declared.h"
#include "transport/base/result.h"

/* What `main` is called, and what no shared variable's name begins with. */
#define HGL_ZEROS_MAIN   "sluice_main"
#define HGL_ZEROS_PREFIX "sluice_"

struct hgl_zeros {
    char *text;   /* ends with a NUL; the caller's, sl_free; NULL: nothing is to be written */
    size_t count; /* tokens of the text: those of one that was written here before are not */
};

/* names: found, of a compute shader. tokens: borrowed. Any thread.
 * SL_OK; UNSUPPORTED: *why says in static text of what; NOMEM. */
enum sl_result hgl_zeros_write(const struct hgl_names *names, const struct hgl_tokens *tokens,
                               struct hgl_zeros *out, const char **why);

#endif
