/* The chunks of a complete trace, or those around some stamps, by its index: what seeking is made
 * of.
 *
 * Who uses it: dump (a call, a frame), replay and trim (frames behind a snapshot). One thread. No
 * chunk header is read but those of the index itself; the others are compared with what the index
 * tells of them when they are loaded. */
#ifndef HOST_CAP_SEEK_H
#define HOST_CAP_SEEK_H

#include "host/capture/cap_reader.h"

/* Instead of cap_reader_scan: all chunks but the index's and the end. NOTFOUND: the trace has no
 * end, or no whole index, and nothing was taken in: scan it. UNSUPPORTED as a scan; NOMEM, IO. */
enum sl_result cap_seek_all(struct cap_reader *reader) SL_MUST_USE;

/* The same, the head and those chunks alone that records with stamps from `first` to `last` lie in,
 * with what became of them: a merge of them gives these records among others of the same chunks.
 * *frame: how many frames end before `first`. NOTFOUND also when one of them cannot be told from
 * the index. */
enum sl_result cap_seek_stamps(struct cap_reader *reader, uint64_t first, uint64_t last,
                               uint64_t *frame) SL_MUST_USE;

/* The stamps of a frame's records. NOTFOUND: there is no such frame, or no whole index. */
enum sl_result cap_seek_frame(struct cap_reader *reader, uint64_t frame, uint64_t *first,
                              uint64_t *last) SL_MUST_USE;

#endif
