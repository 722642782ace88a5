/* A trace given to a verb: opened, with the reason said when it cannot be; what every reading verb
 * says of damage and of recordings that were cut short. Main thread. */
#ifndef SLUICE_TRACE_H
#define SLUICE_TRACE_H

#include "host/capture/cap_merge.h"
#include "tools/sluice/range.h"
#include "tools/sluice/schema.h"

/* Opens and scans; "-": standard input, copied into a file without a name. *out: NULL on failure.
 * Returns an exit code; the reason was said. */
int trace_open(const char *path, struct cap_reader **out);
/* Opens, and scans nothing. */
int trace_begin(const char *path, struct cap_reader **out);
/* Opens, and takes the chunks from the index where there is one: for those who do not read all. */
int trace_open_to_seek(const char *path, struct cap_reader **out);
/* Reads all of it once, so that the system has it in memory. Returns an exit code. */
int trace_preload(const char *path, const struct cap_reader *reader);
/* What its packets mean; *out NULL: what this build says. A table of another build is said as a
 * note. Returns an exit code. */
int trace_schema(const char *path, struct cap_reader *reader, struct schema **out);
/* "note: x.slc: protocol 12345678… is not this build's ..." */
void trace_say_schema(const char *path, const struct schema *schema);
/* A failed read, scan or merge of it. Returns the exit code. */
int trace_failed(const char *path, const struct cap_reader *reader, enum sl_result result);
/* "damaged: chunk 91 at byte 10,485,760: checksum; lost calls ...". frame: where it was met;
 * UINT64_MAX: not known. */
void trace_say_damage(const struct cap_damage *damage, uint64_t frame);
/* "warning: recording ended without an end mark ..." */
void trace_say_cut(uint64_t frames, uint64_t calls);
/* Calls that are not played, the first one's number, and frames; of calls alone, which end every
 * other recording that is switched off, only with --verbose. */
void trace_say_unplayed(uint64_t first, uint64_t calls, uint64_t frames);
/* "note: skipped 12 chunks of optional kind ..." when there were any. */
void trace_say_skipped(const struct cap_reader *reader);

/* "10,485,760"; text: TRACE_NUMBER bytes; returns it. */
#define TRACE_NUMBER 32u
const char *trace_number(uint64_t number, char *text);

/* Every part of an option's frames begins with one that the trace has, where its end says how many
 * these are. has_rest: what comes behind the last mark is a frame, too. Returns an exit code. */
int trace_has_frames(const char *path, struct cap_reader *reader, const char *option,
                     const struct range *frames, bool has_rest);
/* "warning: x.slc: recording ended without an end mark": of who counts nothing. True: it did. */
bool trace_warn_cut(const char *path, const struct cap_reader *reader);

/* Two names of one file, or socket, which is there and no device. */
bool trace_is_same_file(const char *path, const char *other);
/* The output, or OUT.part, which it is while it is written, is one of the input files, by whatever
 * name; it was said. */
bool trace_is_input(const char *out, char *const *inputs, size_t count);

#endif
