/* The trace's file while it is written: its name, its room on the disk, its bytes. One thread.
 *
 * A regular file is made as NAME.part, which must not be there, and gets its name when it is
 * complete: a reader never takes half a trace for a whole one, and two recorders with one name do
 * not meet. Anything else that has the name already (a FIFO, a terminal) is written to as it is.
 *
 * Some room behind the last byte is always allocated, so that a disk that fills up still takes the
 * trace's end. */
#ifndef HOST_CAP_FILE_H
#define HOST_CAP_FILE_H

#include "transport/base/result.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* What CAP_FILE_ROOM bytes are for: the last index segment and the end. */
#define CAP_FILE_ROOM (2u << 20)

struct cap_file {
    int fd;
    bool is_regular;
    bool has_room;   /* the file system allocates ahead */
    bool replaces;   /* an older file of this name */
    bool is_store;   /* it stays NAME.part, and its old bytes are given back */
    uint64_t size;   /* written so far */
    uint64_t freed;  /* given back, of these */
    uint64_t limit;  /* of what is there, asked for; UINT64_MAX: none */
    uint64_t most;   /* the process's own */
    bool is_limited; /* `limit` ended it */
    uint64_t extent; /* allocated up to here */
    int error;       /* errno of the first failure; 0: none */
    char name[PATH_MAX];
    char part[PATH_MAX];
};

/* limit 0: none. AGAIN: NAME.part is another recorder's; INVALID: NAME is there, or NAME.part from
 * a recorder that was killed, and `force` is not given; IO: errno. */
enum sl_result cap_file_open(struct cap_file *file, const char *name, uint64_t limit,
                             bool force) SL_MUST_USE;
/* All of the pieces or none of them. `end`: may take the room that is kept. IO: file->error says
 * why; EFBIG: the limit. */
enum sl_result cap_file_append(struct cap_file *file, const struct iovec *pieces, int count,
                               bool end) SL_MUST_USE;
/* For a store, before anything is written. UNSUPPORTED: this file system cannot give bytes back. */
enum sl_result cap_file_make_store(struct cap_file *file) SL_MUST_USE;
/* A store's bytes [from, to) go back to the disk. AGAIN: somebody reads the file, with an open file
 * description's read lock on its first byte; IO. */
enum sl_result cap_file_free(struct cap_file *file, uint64_t from, uint64_t to) SL_MUST_USE;
/* Gives what was written its name. */
enum sl_result cap_file_close(struct cap_file *file) SL_MUST_USE;

/* Removes it: nothing worth keeping is in it. */
void cap_file_abandon(struct cap_file *file);

#endif
