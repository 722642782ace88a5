/* sluice stats: what a virtual machine's device has counted. */
#include "tools/sluice/machine.h"
#include "tools/sluice/opt.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STATS_EVERY, STATS_COUNT };

static const struct opt options[] = {
    [STATS_EVERY] = {.name = "every",
                     .kind = OPT_NUMBER,
                     .value = "SECONDS",
                     .min = 1,
                     .max = 86400,
                     .help = "again and again, with so much between"},
    [STATS_COUNT] = {.name = "count",
                     .kind = OPT_NUMBER,
                     .value = "N",
                     .min = 1,
                     .max = UINT32_MAX,
                     .help = "with --every: so often, then end; default until the device goes"},
};

#define FIELD(name, member)                                                                        \
    {                                                                                              \
        name, offsetof(struct vhost_control_stats, member)                                         \
    }
static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    FIELD("control_kicks", control.kicks),
    FIELD("control_chains", control.chains),
    FIELD("control_interrupts", control.interrupts),
    FIELD("cursor_kicks", cursor.kicks),
    FIELD("cursor_chains", cursor.chains),
    FIELD("cursor_interrupts", cursor.interrupts),
    FIELD("submits", submits),
    FIELD("fences", fences),
    FIELD("maps", maps),
    FIELD("flushes", flushes),
    FIELD("transfers", transfers),
    FIELD("transfer_bytes", transfer_bytes),
    FIELD("contexts", contexts),
    FIELD("resources", resources),
    FIELD("resource_bytes", resource_bytes),
    FIELD("rings", rings),
    FIELD("ring_packets", packets),
    FIELD("ring_bytes", bytes),
    FIELD("ring_replies", replies),
    FIELD("ring_sleeps", sleeps),
    FIELD("ring_wakeups", wakeups),
    FIELD("pings", pings),
    FIELD("pings_awake", pings_awake),
};
#define FIELDS (sizeof fields / sizeof fields[0])

static void print(const struct vhost_control_stats *stats, bool json)
{
    if (json) {
        printf("{\"schema\": 1, \"time_s\": %.6f, \"connected\": %s", (double)stats->time_ns / 1e9,
               stats->reply.connected ? "true" : "false");
    }
    for (size_t i = 0; i < FIELDS; i++) {
        uint64_t value;
        memcpy(&value, (const uint8_t *)stats + fields[i].offset, sizeof value);
        printf(json ? ", \"%s\": %" PRIu64 : "%-18s %" PRIu64 "\n", fields[i].name, value);
    }
    fputs(json ? "}\n" : "", stdout);
    (void)fflush(stdout); /* who reads a pipe wants each line when it is there */
}

static int run(const struct opt_set *set)
{
    const char *path = set->args[0];
    bool again = opt_text(set, STATS_EVERY) != NULL;
    bool counted = opt_text(set, STATS_COUNT) != NULL;
    bool json = opt_common_on(set, COMMON_JSON);
    int socket = -1;
    if (counted && !again) {
        say_error("--count says how often --every is to ask; give both");
        return SLUICE_EXIT_USAGE;
    }
    int code = machine_connect(path, &socket);
    uint64_t left = counted ? opt_number(set, STATS_COUNT) : again ? UINT64_MAX : 1;
    while (code == SLUICE_EXIT_OK && left != 0 && !ferror(stdout)) {
        struct vhost_control_stats stats;
        code = machine_ask_stats(socket, path, &stats);
        if (code == SLUICE_EXIT_OK) {
            print(&stats, json);
            left--;
        }
        if (code == SLUICE_EXIT_OK && left != 0) {
            fputs(json ? "" : "\n", stdout);
            sl_clock_sleep_ns(opt_number(set, STATS_EVERY) * SL_NS_PER_S);
        }
    }
    sl_fd_close(&socket);
    return code;
}

const struct verb verb_stats = {
    .name = "stats",
    .summary = "counters of a virtual machine's device",
    .usage = "SOCKET",
    .about = "Prints what sluice device has counted since it began, a line each; with --json in "
             "one line.\n"
             "kicks: calls of the guest, chains: its commands, interrupts: calls back. pings: "
             "times it woke a ring by a command;\n"
             "pings_awake: of them those that nobody needed. ring_bytes, transfer_bytes: "
             "what the host copied.\n"
             "SOCKET: as given to sluice device.",
    .example = "sluice stats --json --every 1 /tmp/gpu.sock",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION,
    .run = run,
};
