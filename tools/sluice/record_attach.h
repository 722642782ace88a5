/* Recordings in hosts that run, from outside: `sluice serve`, and `sluice device` with its machine.
 * Main thread. Return exit codes; the reason was said. */
#ifndef SLUICE_RECORD_ATTACH_H
#define SLUICE_RECORD_ATTACH_H

#include "tools/sluice/record_session.h"

/* Has it begin, and waits until it is over: what was asked for is there, somebody stopped it, the
 * host ended, or a signal came here, which stops it. Files that the host writes are the host's. */
int record_attach(const char *socket, struct record_session *session);
/* Ends what is recorded there. */
int record_stop(const char *socket, struct record_said *said);
/* Pulls the trigger that a recording there waits for. A flight recorder's trace is waited for; its
 * name goes to stdout, in a document where json says so. */
int record_pull(const char *socket, bool json);

#endif
