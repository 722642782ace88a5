/* The smallest program that renders: what sluice doctor sends through the whole path. */
#ifndef SLUICE_PROBE_H
#define SLUICE_PROBE_H

/* Loads glvnd's EGL and GLES, makes a surfaceless context and a picture, and reads a pixel back.
 * Writes to fd a line for each step: "ok NAME DETAIL" or "failed NAME REASON"; stops at the first
 * failure. Runs in a process of its own, with the program's environment: what crashes here crashes
 * alone. */
void probe_render(int fd);

#endif
