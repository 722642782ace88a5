/* Objects of a trace by kind and number, "buffer#12": numbered as they are made, so the same
 * program gives the same names in every run. One thread. */
#ifndef SLUICE_NAMES_H
#define SLUICE_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct names;

struct names *names_create(void); /* NULL: no memory */
void names_destroy(struct names *names);

/* The number of an object; it gets the kind's next one when it is not known, or `is_new`. ctx: of
 * which context; kind: any number below NAMES_KINDS. Without memory: 0. */
#define NAMES_KINDS 256u
uint32_t names_number(struct names *names, uint32_t ctx, uint32_t kind, uint64_t id, bool is_new);

#endif
