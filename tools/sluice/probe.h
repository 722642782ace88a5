/* The smallest programs that draw: what sluice doctor sends through the whole path. All write to fd
 * a line for each step, "ok NAME DETAIL", "failed NAME REASON" or "skipped NAME REASON", and stop
 * at the first that is not ok. Each runs in a process of its own, with the program's environment:
 * what crashes here crashes alone. */
#ifndef SLUICE_PROBE_H
#define SLUICE_PROBE_H

#include <stdbool.h>

/* Loads glvnd's EGL and GLES, makes a surfaceless context and a picture, and reads a pixel back. */
void probe_render(int fd);
/* Loads Vulkan's loader, makes a device, lets it fill a buffer, and reads that through the map. */
void probe_vulkan(int fd);
/* One step, the devices that the loader finds: "0: NAME, Vulkan 1.3.0, UUID ...; 1: ..." */
void probe_vulkan_devices(int fd);
/* Whether the loader finds devices, and all of them are CPUs. Writes nothing. */
bool probe_vulkan_is_cpu(void);

#endif
