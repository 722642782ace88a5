/* Pictures of what calls draw on: which calls, and their attachments as PNG files. For verbs that
 * replay. Main thread.
 *
 * frame-000012-draw-0003-color0.png: of the fourth draw of frame 12, its first colour attachment;
 * of a Vulkan submit -pass1 stands before that, for its second pass. Colours are R, G, B, A;
 * stencil is grey; depth is grey of 16 bits, from 0 for the least depth to 65535 for the greatest,
 * which the PNG's text "Depth-Range" names. Its text "Call" names the call that is shown. */
#ifndef SLUICE_DRAWN_H
#define SLUICE_DRAWN_H

#include "host/replay/rep.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/range.h"

#define DRAWN_KINDS       "frame|draw|clear|compute|submit"
#define DRAWN_ATTACHMENTS "all|color|depth|stencil"

/* What --shots, --kind and --attachments say together. */
struct drawn_set {
    struct range range;
    bool is_of_calls;        /* the range counts calls, else frames */
    const char *kind;        /* NULL: frames' ends */
    const char *attachments; /* a word of DRAWN_ATTACHMENTS */
};

/* shots: the option's text, RANGE or RANGE/KIND; kind: that option's, nullable. False: the reason
 * was said. */
bool drawn_set_read(const char *shots, const char *kind, const char *attachments,
                    struct drawn_set *out);
/* Frames whose ends are wanted. */
bool drawn_wants_frame(const struct drawn_set *set, uint64_t frame, const struct cap_frame *mark);

struct drawn_options {
    const struct drawn_set *set; /* with a kind; borrowed */
    const char *out;             /* a folder */
    struct picture_rules pictures;
    bool json;
    bool is_quiet; /* no line for each picture on stdout */
};

struct drawn;

/* Returns an exit code; the reason was said. */
int drawn_create(const struct drawn_options *options, struct drawn **out);
void drawn_destroy(struct drawn *drawn);
/* What a replay is to ask: rep_options' wants_drawn and drawn; user: the drawn. */
bool drawn_wants(void *user, const struct cap_event *event, uint64_t frame);
bool drawn_take(void *user, const struct rep_drawn *taken, enum sl_result result);
/* Begins again, where a trace is played more than once. */
void drawn_restart(struct drawn *drawn);
/* After the replay: OK; or the exit code of what could not be shown, which was said. */
int drawn_end(const struct drawn *drawn);

#endif
