/* Recordings in a host: begun, ended, and what the starter is told of them. Device thread, unless
 * said. */
#ifndef SLUICE_HOST_RECORD_H
#define SLUICE_HOST_RECORD_H

#include "host/capture/cap_device.h"
#include "tools/sluice/range.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line about a recording, the file's path at its end. */
#define HOST_RECORD_LINE  (PATH_MAX + 512u)
#define HOST_RECORD_LINES 64u

/* What is to be recorded. */
struct host_record {
    const char *pattern; /* of the files' names, as record_name_begin gives it; NULL: nothing */
    char *const *argv;   /* the program, for META; nullable */
    int level;
    bool force, durable, hashes, no_contents, compares;
    bool needs_calls;  /* what has none is no file, and replaces none */
    uint64_t max_size; /* 0: none */
    enum cap_unit unit;
    struct range ranges; /* in this unit, one file each; count 0: one file of all */
    uint64_t frames;     /* of each file, at most; 0: all */
    uint64_t snapshot_every, snapshot_every_ns; /* frames, or time; 0: none */
    /* A flight recorder: the pattern names its store. ring_bytes 0: it is none. */
    uint64_t ring_bytes, ring_ns;
    bool at_trigger; /* a file begins at a trigger, and ends at the next one */
};

/* What the starter learns of one file. */
struct host_recorded {
    uint64_t frames, calls, streams, memory_bytes, shared_bytes, file_size, tap_ns, decode_ns;
    uint64_t stall_ns, verbs, snapshots, snapshot_ns;
    int reason;                /* enum cap_end_reason */
    int error;                 /* errno; 0: none */
    bool has_name, is_dropped; /* as in struct cap_writer_report */
    char path[PATH_MAX];
};

/* What a host records for its starter, or for tools. One at a time. */
struct host_recorder {
    struct cap_device *recorder;
    struct vgd *device;
    int status_fd; /* as host_tell's */
    struct host_record plan;
    char pattern[PATH_MAX];
    bool is_on;                     /* the plan holds */
    uint32_t part;                  /* of its ranges */
    uint64_t file;                  /* the next one's number */
    char path[PATH_MAX];            /* of the file that is being written */
    char *lines[HOST_RECORD_LINES]; /* the last ones that were told, by number */
    uint64_t line_count;
    uint32_t losses;       /* atomic: contexts */
    uint64_t triggers;     /* of a flight recorder */
    char why[64];          /* the last of them */
    uint64_t dumps;        /* that the starter wrote at triggers */
    char dumped[PATH_MAX]; /* the last of them */
};

/* The wishes of tools:
 * "record start\nNAME=VALUE\n.." with the fields of struct host_record, path last: "ok N", N:
 * number of the first line about it; "record stop": the line of what ended, "ok" or "none"; "record
 * status N": "line TEXT", line number N, where there is one; else "none", "armed", "waiting TRIES"
 * (for the first snapshot) or "recording FRAMES", and behind it " triggers T WHY"; "record trigger
 * WHY": "ok N", N: how many traces the flight recorder wrote before; "record flush": all that came
 * so far is in the file: "ok"; "record dumped PATH": the starter wrote one: "ok"; "record dumps N":
 * "dumped PATH" where there are more than N, else "waiting", or "none" where no flight recorder is.
 * Or "error CODE TEXT". user: struct host_recorder. */
void host_record_tool(void *user, const char *text, char *reply, size_t size);
/* The other end: the wish that starts it. False: it is too long. */
bool host_record_wish(const struct host_record *record, char *text, size_t size);

/* Takes the plan, whose pattern and ranges are copied, and begins. Returns an exit code; the reason
 * was said. */
int host_record_begin(struct host_recorder *host, const struct host_record *plan);
/* Ends what there is, and tells. */
void host_record_end(struct host_recorder *host, enum cap_end_reason reason);
/* The file that is being written goes again, and nothing is told of it. */
void host_record_abandon(struct host_recorder *host);
void host_record_finish(struct host_recorder *host);

/* Lines that the starter is told: "recording PATH", "over" (nothing more comes), "unrecorded CODE
 * TEXT" (a file could not be begun), "trigger WHY", and of each file "recorded ..". */
bool host_record_take_line(struct host_recorded *recorded, const char *line);
/* The line of a file, as it is told. */
void host_record_line(const struct cap_writer_report *report, const char *path, char *line,
                      size_t size);

#endif
