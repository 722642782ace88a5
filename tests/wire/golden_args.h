/* One line of a golden file (JSON): members, and the packets' arguments as they were asked for. */
#ifndef TESTS_WIRE_GOLDEN_ARGS_H
#define TESTS_WIRE_GOLDEN_ARGS_H

#include "tools/plan/plan.h"

/* The text of a member of the line's object, without its escapes; false: it has none. */
bool golden_member(const char *line, const char *name, char *out);

/* The bytes of a text of hexadecimals. Fails the case at anything else. */
size_t golden_unhex(const char *text, size_t length, uint8_t *out);

/* Where the line's packets begin: `[["glClear", 16384], ...]`; NULL: the file does not say. */
const char *golden_packets(const char *line);

/* The next packet at *p: a row of its command's name and one argument per field, a number, null or
 * the bytes of an input as hexadecimals (to `bytes`, which the values point to). Moves *p behind
 * it. False: there is none. Fails the case when the name is not the command's. */
bool golden_next(const char **p, const struct plan_command *command, uint8_t *bytes,
                 struct plan_value *values);

#endif
