/* A front whose client is a trace: it asks of a device what was asked while recording, and writes
 * into the rings what guests wrote.
 *
 * Who uses it: `sluice replay`, `sluice bench`. Waist B is called on the caller's thread, which is
 * the device thread; the ordinary ring threads decode. Order: rep_create; the device with rep_sink;
 * rep_run, once; the device's destroy; rep_destroy. Nothing of a trace is trusted: what makes no
 * sense to the device is refused by it as from any guest. */
#ifndef HOST_REP_H
#define HOST_REP_H

#include "host/capture/cap_merge.h"
#include "transport/virtgpu/vgd.h"

/* A frame whose mark was reached and whose picture, if there is one, is complete. */
struct rep_frame {
    uint64_t number;
    uint64_t begin_ns; /* sl_clock_ns() when the one before it was over, or the run or loop began */
    uint64_t end_ns;   /* when its last packet was over */
    uint32_t surface, width_px, height_px;
    bool has_hash; /* the ring gave a picture, and hashes were asked for */
    uint64_t hash[2];
    const uint8_t *pixels; /* R, G, B, A, top row first; NULL unless asked for; until return */
    const struct cap_frame *mark;
};

/* A call or verb that was answered otherwise than while recording. */
struct rep_answer {
    const struct cap_event *event; /* as recorded */
    uint64_t frame;
    const uint8_t *reply; /* now; NULL: none */
    size_t reply_size;
    bool is_refused, is_lost;
    enum sl_result result; /* of a verb */
};

/* What a call has drawn on, one attachment of it. */
struct rep_drawn {
    const struct cap_event *call;
    uint64_t frame;                        /* that it is of */
    const struct vgd_attachment *drawn_on; /* until return */
};

struct rep_options {
    bool one_thread; /* no two rings at a time; else they run as they did, and wait where the
                        recording shows that one had to */
    bool wants_hashes, wants_pixels;
    bool no_compare;      /* answers are not looked at */
    uint64_t first_frame; /* what is before it is not needed: starts at the snapshot before it */
    bool portable;        /* see rep_set_portable */
    bool wants_costs;     /* for rep_costs; each packet takes some 50 ns longer */
    uint64_t stop_frame;  /* the first frame that is not played; UINT64_MAX: all */
    uint64_t stop_call;   /* the same of calls, by stamp */
    bool ends_at_mark;    /* for who goes on from stop_frame in the trace: all before that mark is
                             fed, also what waits for calls behind it, and nothing else is; frames
                             are not waited for */
    uint64_t patience_ns; /* for one call; 0: 60 s */
    uint64_t *last_call;  /* atomic: the stamp of the call that was given last; nullable */
    void *user;
    /* Both on the caller's thread; false ends the replay. Nullable. */
    bool (*frame)(void *user, const struct rep_frame *frame);
    bool (*diverged)(void *user, const struct rep_answer *answer);
    /* A call that is left out: it is neither made nor compared; nullable: none. */
    bool (*skips_call)(void *user, const struct cap_event *event);
    /* After this call all that it has drawn on is wanted; nullable: after none. The device is made
     * with hct_options.is_watched then. */
    bool (*wants_drawn)(void *user, const struct cap_event *event, uint64_t frame);
    /* False ends the replay; also when nothing was told since wants_drawn, with drawn_on NULL and
     * a result that says why (OK: there is nothing). */
    bool (*drawn)(void *user, const struct rep_drawn *drawn, enum sl_result result);
    /* All frames that were asked for are over: true plays them once more, from the first of them
     * on, which what lives is led back to. NULL: once. */
    bool (*again)(void *user);
    /* All that leads to the first frame, a snapshot and frames before it, is over, and nothing is
     * under way but what waits for later calls; not with `again`. Nullable. */
    void (*begins)(void *user);
    /* A frame is about to be played whose pixels may be left out; nullable: pixels of all. */
    bool (*wants_frame)(void *user, uint64_t number);
};

enum rep_end {
    REP_END_COMPLETE, /* all that is there, or all that was asked for */
    REP_END_CUT,      /* all that is there; the recording was cut short, or frames are unplayed */
    REP_END_DAMAGED,  /* up to damage */
    REP_END_ASKED,    /* a callback said so */
    REP_END_STUCK,    /* a call did not end in time */
    REP_END_FAILED,   /* memory, or the file cannot be read */
};

struct rep_report {
    enum rep_end end;
    enum sl_result result; /* REP_END_FAILED */
    struct cap_damage damage;
    uint64_t first_frame;                 /* of those that were played */
    uint64_t frames, calls, calls_behind; /* frames: up to the last one that was played */
    uint64_t compared;                    /* answers that were looked at */
    uint64_t stuck_call;                  /* REP_END_STUCK: its stamp */
    /* What waits for turns that are not in the trace: such calls end a recording that was switched
     * off. Frames among them were recorded by somebody who did not switch it off at once. */
    struct {
        uint64_t calls, frames;
        uint64_t first_call; /* its stamp */
    } unplayed;
    uint64_t time_ns;
    /* With rep_options.again. */
    struct {
        uint64_t rounds;  /* that were played to their ends; 0: it cannot be told where they end */
        uint64_t frames;  /* of rounds before the last one */
        uint64_t time_ns; /* of all rounds, without the ways back */
        uint64_t back_ns; /* of the ways back, without finding out which they are */
        uint64_t find_ns; /* of that, and of looking whether they lead there */
        uint64_t bytes;   /* of packets and memory, each time */
        uint32_t ended, made, filled, pieces; /* things and runs of memory, each time */
        bool is_from_nothing; /* it begins where nothing lives: there is no way back to that */
        bool is_refused;      /* another round was asked for, and nothing leads back */
        char reason[160];
    } loop;
};

struct rep;

/* reader: borrowed, scanned. NOMEM. */
enum sl_result rep_create(struct cap_reader *reader, const struct rep_options *options,
                          struct rep **out) SL_MUST_USE;
/* For the device's constructor. */
struct vgd_sink rep_sink(struct rep *rep);
/* A ring's packet that has begun and is not over; bytes are there while all rings are at rest. */
struct rep_waiting {
    uint32_t ring_id;
    const void *packet;
    size_t size;
    bool has_sum;
};
/* After rep_run: waits, bounded, until every packet that was fed is over, or has begun and waits.
 */
void rep_settle(struct rep *rep);
/* The next one from *cursor (0 at first) on; false: no more. While all rings are at rest. */
bool rep_waiting_next(struct rep *rep, uint32_t *cursor, struct rep_waiting *out);
void rep_run(struct rep *rep, struct vgd *device, struct rep_report *report);
void rep_destroy(struct rep *rep);

/* Before rep_run: the driver is another one than while recording. EGL configurations are re-chosen,
 * contexts are of the newest version of OpenGL ES that is not refused, and of that API only
 * refusals are compared. */
void rep_set_portable(struct rep *rep);
/* Vulkan's side of it, which its caller knows packets for. On the replay's thread. */
struct rep_port {
    void *user;
    /* A Vulkan packet is about to be fed: what this driver numbers otherwise is changed in place.
     * packet: a copy, with room for `room` bytes; gives its size without a checksum. frame: its
     * own. */
    uint32_t (*patch)(void *user, const struct cap_event *event, uint64_t frame, uint8_t *packet,
                      size_t room);
    /* It was answered so here, and as the event says while recording. False: that is a divergence.
     */
    bool (*answered)(void *user, const struct cap_event *event, uint64_t frame,
                     const uint8_t *reply, size_t size);
};
/* Before rep_run; port: borrowed. Without rep_set_portable answers are told, but packets are fed as
 * they were and all answers compared. */
void rep_set_port(struct rep *rep, const struct rep_port *port);
/* A configuration of the recording, by its number there, and the one in its place; REP_NO_CONFIG:
 * none here will do. */
struct rep_remap {
    uint32_t recorded, here;
};
#define REP_NO_CONFIG UINT32_MAX
#define REP_CONFIGS   1024u /* most that a recording may list */
/* After a portable rep_run: those that were used, or all; gives how many are in `out` (REP_CONFIGS
 * of them). */
uint32_t rep_remaps(const struct rep *rep, bool all, struct rep_remap *out);

/* What packets of an opcode took on their rings' threads, from before they were decoded until their
 * replies were written. */
struct rep_cost {
    uint32_t opcode;
    uint64_t count, ns;
};
#define REP_COSTS 8192u /* most opcodes of a trace */
/* After rep_run: gives how many of `out` (REP_COSTS of them) are filled. */
uint32_t rep_costs(const struct rep *rep, struct rep_cost *out);

#endif
