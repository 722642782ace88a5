/* The C library that the host's drivers copy with, on processors where it chooses badly.
 *
 * Natively a driver reads pixels that its own core wrote; a host reads those that a guest wrote on
 * another. On AMD's Zen 3 and 4 C libraries before 2.40 copy 2 KiB and more by the string
 * instruction, which asks for few lines of another core's caches at a time (transport/base/copy.h):
 * our own copies do without it, those of a driver are told to by a tunable, which the loader reads
 * when a program starts, and never again. */
#ifndef SLUICE_TUNED_H
#define SLUICE_TUNED_H

/* Starts this program again, once, with the tunable behind what GLIBC_TUNABLES has, where it helps
 * and nobody has set that tunable; otherwise, or when that fails, returns and has done nothing. The
 * variable is as it was before when the second start returns from here, so that no program of ours
 * inherits the tunable. Before anything is opened or started. Main thread. */
void tuned_start(char **argv);
/* Sets the variable again where this is such a second start: a program of ours that is started now
 * need not start itself again. In a child before its exec. */
void tuned_pass_on(void);

#endif
