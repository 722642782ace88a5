/* Copies of what another processor wrote last, or reads next.
 *
 * libc's memcpy takes the processor's string instruction for some 2 KiB and more. Of lines that
 * another core has in its caches AMD's (seen on Zen 4) asks for few at a time: 64 KiB took up to
 * three times as long as by plain loads and stores. Newer libcs avoid it there (glibc bug 30994).
 * Any thread. */
#ifndef SL_COPY_H
#define SL_COPY_H

#include <stddef.h>

/* memcpy by loads and stores. */
void sl_copy_shared(void *to, const void *from, size_t size);
/* Brings the lines of `size` bytes here, for who copies them by memcpy at once. What is in them
 * decides nothing. */
void sl_touch_shared(const void *p, size_t size);

#endif
