/* Talk: what the program says to people, on stderr or in --log-file. Results go to stdout by their
 * verb. Main thread. */
#ifndef SLUICE_SAY_H
#define SLUICE_SAY_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stdio.h>

/* verb: in front of every line. */
void say_begin(const char *verb);
/* verbose: also what a recording says of its ways; SLUICE_LOG, when set, decides that alone. */
void say_set_level(bool quiet, bool verbose);
/* Notes, details and the log go to this file from now on, appended; errors go there too. IO: errno
 * says why. */
enum sl_result say_to_file(const char *path) SL_MUST_USE;

/* All that went to the file has arrived. IO: it has not. Before the program ends. */
enum sl_result say_end(void) SL_MUST_USE;

/* Where notes go: stderr, or --log-file. Borrowed. */
FILE *say_stream(void);

/* One line each: what, why, and the mend. */
void say_error(const char *format, ...) SL_PRINTF(1, 2);
void say_note(const char *format, ...) SL_PRINTF(1, 2);   /* not with -q */
void say_detail(const char *format, ...) SL_PRINTF(1, 2); /* with -v */

/* A line on the terminal that stderr is, written over the one before; whatever else is said takes
 * it away. NULL: it goes. */
void say_line(const char *format, ...) SL_PRINTF(1, 2);
/* Takes it away until it is said again: before something is printed on the same terminal. */
void say_clear_line(void);

/* What was printed on stdout has arrived. False: the reason was said. */
bool say_output_is_written(void);

#endif
