/* How much there is to a shader's text: compilers walk through expressions by their own stack and
 * keep all that macros become, and end the process where either does not suffice. */
#ifndef HOST_HGL_SOURCE_H
#define HOST_HGL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

/* Most operators in a row of one expression, parentheses and macros included: Mesa's compiler
 * takes some 500 bytes of stack for each, and a ring's thread has 8 MiB. */
#define HGL_SOURCE_CHAIN 4096u
/* Most words and signs once macros have become what they stand for. The nth comma of one
 * expression is n. */
#define HGL_SOURCE_WORDS (1u << 20)

/* text: without comments and joined lines (hgl_text_clean). Never less than there is; where it is
 * too much, *why says of what. Bounded by the size of the text and the limits. Any thread. False:
 * too much, or no memory to tell. */
bool hgl_source_fits(const char *text, size_t size, const char **why);

#endif
