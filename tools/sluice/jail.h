/* What a worker gives up before a program's first byte reaches its driver, so that one that a
 * program took over cannot reach other processes.
 *
 * Gone: new programs and processes, sockets of its own, signals to others, looking into others,
 * other name spaces, capabilities. Left: threads, memory, devices, and files as the server's user
 * has them, which drivers and recordings need. */
#ifndef SLUICE_JAIL_H
#define SLUICE_JAIL_H

#include "transport/base/result.h"

/* For good. Before the process has threads. UNSUPPORTED: this kernel or machine cannot; errno says
 * why. */
enum sl_result jail_enter(void) SL_MUST_USE;

#endif
