/* Calls as people read them: one packet with its reply by the tables of whatever API it is of. Main
 * thread. */
#ifndef SLUICE_CALLS_H
#define SLUICE_CALLS_H

#include "host/capture/cap_merge.h"
#include "tools/sluice/schema.h"

#include <stdbool.h>
#include <stdio.h>

/* "glDrawArrays", by this build; NULL: the opcode is nobody's. */
const char *call_name(uint32_t opcode);
/* name(arg = value, ...) -> result. */
void call_print_packet(uint32_t opcode, const void *packet, size_t size, const void *reply,
                       size_t reply_size, FILE *out);

enum calls_format { CALLS_TEXT, CALLS_JSONL, CALLS_CSV };

struct calls;

/* Prints a trace's calls with handles numbered by kind (buffer#12), or as they travelled when
 * `plain`. out: borrowed. NULL: no memory. */
struct calls *calls_create(enum calls_format format, bool plain, FILE *out);
/* What packets mean, where that is not what this build says; borrowed. */
void calls_set_schema(struct calls *calls, const struct schema *schema);
void calls_destroy(struct calls *calls);
/* Calls are given that others stand before, which are not: whether one of them has named an object
 * whose number those decide. */
void calls_set_seeking(struct calls *calls);
bool calls_is_unsure(const struct calls *calls);
/* The first line of CSV. */
void calls_begin(struct calls *calls);
/* Each call must be given in turn, since it may make or name objects; show: its line is printed.
 * Verbs, memory records and frame marks are printed as calls too. */
void calls_give(struct calls *calls, const struct cap_event *event, uint64_t frame, bool show);
/* The line of a call without its numbers, for those who compare or search; until the next call to
 * this or calls_give. */
const char *calls_text(struct calls *calls, const struct cap_event *event);

#endif
