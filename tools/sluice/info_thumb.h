/* info --thumb: the small picture that a trace keeps, as a PNG. Main thread. */
#ifndef SLUICE_INFO_THUMB_H
#define SLUICE_INFO_THUMB_H

#include "tools/sluice/picture.h"
#include "host/capture/cap_reader.h"

/* reader: not scanned yet. Returns an exit code; the reason was said. */
int info_thumb(const char *path, struct cap_reader *reader, const char *out,
               const struct picture_rules *rules);

#endif
