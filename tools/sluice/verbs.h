/* The verbs, one file each. */
#ifndef SLUICE_VERBS_H
#define SLUICE_VERBS_H

#include "tools/sluice/opt.h"

extern const struct verb verb_run, verb_record, verb_serve, verb_device, verb_screenshot,
    verb_display, verb_stats, verb_doctor, verb_dump, verb_info, verb_replay, verb_diff, verb_bench,
    verb_trim, verb_help;
extern const struct verb *const verbs[]; /* NULL at the end */

const struct verb *verb_find(const char *name); /* nullable */
/* That there is none of this name, and which one may be meant. */
void verb_say_unknown(const char *name);

/* --size of device and display: "1280x800". False: the reason is said. */
bool device_size(const char *text, uint32_t *width_px, uint32_t *height_px);

#endif
