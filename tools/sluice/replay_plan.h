/* What a replay on another driver changes, and what is said of it. Main thread. */
#ifndef SLUICE_REPLAY_PLAN_H
#define SLUICE_REPLAY_PLAN_H

#include "tools/sluice/replay_remap.h"

struct replay_plan {
    char recorded[1024]; /* the drivers, one line; empty: not known */
    uint64_t stop_call;  /* for a replay that only asks: the first call that makes something; only
                            when the whole trace was read, as is what follows */
    bool is_used[REP_CONFIGS];
};

/* Reads the trace's META, and all of it where another build made it, whose packets must mean the
 * same in this one, or where `whole` asks for it: which EGL configurations it uses. Returns an exit
 * code; the reason was said. */
int replay_plan_read(const char *path, struct cap_reader *reader, bool whole,
                     struct replay_plan *plan);
/* A known driver that is not this one. */
bool replay_plan_differs(const struct replay_plan *plan, const char *here);
/* One line, as a note: "recorded on ..., replaying on ...; EGL configs remapped 30→12". */
void replay_plan_say(const struct replay_plan *plan, const char *here, const struct rep *rep,
                     const struct remap *remap);
/* Every Vulkan call of the trace, which nobody plays, is looked at. */
enum sl_result replay_plan_look(struct cap_reader *reader, struct remap *remap) SL_MUST_USE;
/* What --plan prints. MISSING: something that the trace uses has nothing here in its place. */
int replay_plan_print(const struct replay_plan *plan, const char *here, const struct rep *rep,
                      const struct remap *remap, bool json);

#endif
