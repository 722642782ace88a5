/* The large contents of a trace as files: shaders, textures, buffers, each once, named by what is
 * in it. Main thread. */
#ifndef SLUICE_BLOBS_H
#define SLUICE_BLOBS_H

#include "host/capture/cap_merge.h"

struct blobs_out;

/* dir: made when it is not there; borrowed. json: lines are objects. NULL: no memory. */
struct blobs_out *blobs_out_create(const char *dir, bool json);
void blobs_out_destroy(struct blobs_out *out);
/* Writes what the event carries and prints a line for each new file: call, name, bytes. False: it
 * cannot be written, which was said. */
bool blobs_out_take(struct blobs_out *out, struct cap_merge *merge, struct cap_event *event);

#endif
