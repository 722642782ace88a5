/* JSON out: the one thing that needs care is text. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <stdio.h>

/* "text" with everything escaped that must be; null for NULL. Bytes that are no UTF-8 become
 * U+FFFD. */
void json_text(FILE *out, const char *text);

#endif
