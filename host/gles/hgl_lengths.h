/* How long a shader's arrays are: compilers keep something for each element, whatever a program
 * does with it (Mesa: 24 bytes, and 0.2 us), and nobody counts that. */
#ifndef HOST_HGL_LENGTHS_H
#define HOST_HGL_LENGTHS_H

#include <stdbool.h>
#include <stddef.h>

/* Most elements of one array; in arrays of arrays, all of them. */
#define HGL_LENGTH_MAX ((int64_t)1 << 20)
/* The same in storage blocks, which are memory of the program's. */
#define HGL_LENGTH_STORED ((int64_t)1 << 27)
/* Most of all long ones of a text together, and of one whose elements are structures with arrays.
 */
#define HGL_LENGTHS_MAX ((int64_t)1 << 22)

/* text: without comments and joined lines (hgl_text_clean). Looks at all that stands in brackets
 * and is a constant of numbers, macros and `const int`s: a length, or an index, which is less than
 * one in any valid program. Others pass. Bounded by the size of the text. Any thread. False: *why
 * says of what there is too much. */
bool hgl_lengths_fit(const char *text, size_t size, const char **why);

#endif
