/* JSON out: the one thing that needs care is text. And as much of JSON in as reading what we wrote
 * takes. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <stdbool.h>
#include <stdio.h>

/* "text" with everything escaped that must be; null for NULL. Bytes that are no UTF-8 become
 * U+FFFD. */
void json_text(FILE *out, const char *text);

/* The value of a member of an object, as it stands in `text` (which ends with a zero and need not
 * be right). False: there is none. */
bool json_member(const char *text, const char *name, const char **value, size_t *size);

#endif
