#include "tools/sluice/replay_plan.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "host/capture/cap_index.h"
#include "transport/base/bytes.h"
#include "wire/rc_opcodes.h"
#include "wire/vk_opcodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 8u
/* Drivers in the line of all of them. */
#define BETWEEN "; "

static void read_drivers(struct cap_reader *reader, struct replay_plan *plan)
{
    struct cap_summary summary = {0};
    struct cap_damage damage;
    const char *value;
    size_t size;
    enum sl_result result = cap_summary_read(reader, &summary, &damage);
    if ((result == SL_OK || result == SL_ERR_PROTOCOL) && summary.meta != NULL &&
        json_member(summary.meta, "drivers", &value, &size) && size >= 2) {
        snprintf(plan->recorded, sizeof plan->recorded, "%.*s", (int)size - 2, value + 1);
    }
    cap_summary_finish(&summary);
}

/* Which configuration the call names. False: none. */
static bool config_of(const struct cap_event_call *call, uint32_t *config)
{
    uint32_t opcode = sl_load_u32(call->packet);
    if ((opcode != RC_OP_rcCreateContext && opcode != RC_OP_rcCreateWindowSurface) ||
        call->size < HEADER + 4) {
        return false;
    }
    *config = sl_load_u32(call->packet + HEADER);
    return true;
}

/* What makes something of its arguments: what comes before it only asks. */
static bool is_first_made(const struct cap_event_call *call, uint32_t *config)
{
    return sl_load_u32(call->packet) == VK_OP_vkCreateDevice || config_of(call, config);
}

/* A packet of another build must mean the same in this one: nothing converts them. */
static int check_call(const char *path, const struct schema *schema, const struct cap_event *event)
{
    uint32_t opcode = sl_load_u32(event->call.packet);
    char number[TRACE_NUMBER];
    if (schema_is_same(schema, opcode)) {
        return SLUICE_EXIT_OK;
    }
    const char *name = schema_find(schema, opcode).name;
    say_error(
        "%s: call %s is %s, which this build's protocol has not, or not so; replay it with the "
        "build that made it",
        path, trace_number(event->stamp, number), name != NULL ? name : "unknown");
    return SLUICE_EXIT_VERSION;
}

/* All its calls. Returns an exit code. */
static int read_calls(const char *path, struct cap_reader *reader, const struct schema *schema,
                      struct replay_plan *plan)
{
    struct cap_merge *merge;
    struct cap_event event;
    uint32_t config;
    enum sl_result result = cap_merge_create(reader, &merge);
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    int code = SLUICE_EXIT_OK;
    while (code == SLUICE_EXIT_OK && cap_merge_next(merge, &event, NULL) == SL_OK) {
        code = event.kind == CAP_EVENT_CALL ? check_call(path, schema, &event) : code;
        config = REP_CONFIGS;
        if (event.kind != CAP_EVENT_CALL || !is_first_made(&event.call, &config)) {
            continue;
        }
        plan->stop_call = event.stamp < plan->stop_call ? event.stamp : plan->stop_call;
        if (config < REP_CONFIGS) {
            plan->is_used[config] = true;
        }
    }
    cap_merge_destroy(merge);
    return code;
}

int replay_plan_read(const char *path, struct cap_reader *reader, bool whole,
                     struct replay_plan *plan)
{
    struct schema *schema = NULL;
    *plan = (struct replay_plan){.stop_call = UINT64_MAX};
    int code = trace_schema(path, reader, &schema);
    if (code == SLUICE_EXIT_OK && (whole || schema != NULL)) {
        code = read_calls(path, reader, schema, plan);
    }
    schema_destroy(schema);
    read_drivers(reader, plan);
    return code;
}

static size_t driver_size(const char *list)
{
    const char *end = strstr(list, BETWEEN);
    return end != NULL ? (size_t)(end - list) : strlen(list);
}

static const char *next_driver(const char *list)
{
    const char *end = strstr(list, BETWEEN);
    return end != NULL ? end + strlen(BETWEEN) : NULL;
}

static bool is_among(const char *list, const char *driver)
{
    size_t size = driver_size(driver);
    for (; list != NULL; list = next_driver(list)) {
        if (driver_size(list) == size && memcmp(list, driver, size) == 0) {
            return true;
        }
    }
    return false;
}

/* The recorder had all drivers of its machine, the replay has those that the trace needs. */
bool replay_plan_differs(const struct replay_plan *plan, const char *here)
{
    if (plan->recorded[0] == '\0') {
        return false;
    }
    for (; here != NULL; here = next_driver(here)) {
        if (!is_among(plan->recorded, here)) {
            return true;
        }
    }
    return false;
}

enum sl_result replay_plan_look(struct cap_reader *reader, struct remap *remap)
{
    struct cap_merge *merge;
    struct cap_event event;
    uint64_t frame = 0;
    enum sl_result result = cap_merge_create(reader, &merge);
    if (result != SL_OK) {
        return result;
    }
    while (cap_merge_next(merge, &event, NULL) == SL_OK) {
        if (event.kind == CAP_EVENT_CALL) {
            remap_look(remap, &event, frame);
        }
        frame += event.kind == CAP_EVENT_FRAME;
    }
    cap_merge_destroy(merge);
    return SL_OK;
}

void replay_plan_say(const struct replay_plan *plan, const char *here, const struct rep *rep,
                     const struct remap *remap)
{
    static const char head[] = "; EGL configs remapped";
    struct rep_remap remaps[REP_CONFIGS];
    char text[512] = "";
    size_t used = 0;
    uint32_t count = rep_remaps(rep, false, remaps);
    for (uint32_t i = 0; i < count && used + 64 < sizeof text; i++) {
        const struct rep_remap *m = &remaps[i];
        const char *before = used == 0 ? head : ",";
        int n = 0;
        if (m->here == REP_NO_CONFIG) {
            n = snprintf(text + used, sizeof text - used, "%s %" PRIu32 "→none", before,
                         m->recorded);
        } else if (m->here != m->recorded) {
            n = snprintf(text + used, sizeof text - used, "%s %" PRIu32 "→%" PRIu32, before,
                         m->recorded, m->here);
        }
        used += (size_t)n;
    }
    char *vulkan = NULL;
    size_t size;
    FILE *out = open_memstream(&vulkan, &size);
    if (out != NULL) {
        uses_write_line(remap_uses(remap), out);
        (void)fclose(out);
    }
    say_note("recorded on %s, replaying on %s%s%s",
             plan->recorded[0] != '\0' ? plan->recorded : "an unknown driver", here, text,
             vulkan != NULL ? vulkan : "");
    free(vulkan);
}

static void print_config(const struct rep_remap *m, bool json, bool is_first)
{
    bool is_there = m->here != REP_NO_CONFIG;
    if (json) {
        printf(is_there ? "%s{\"recorded\": %" PRIu32 ", \"here\": %" PRIu32 "}"
                        : "%s{\"recorded\": %" PRIu32 ", \"here\": null}",
               is_first ? "" : ", ", m->recorded, m->here);
    } else if (is_there) {
        printf("EGL config %" PRIu32 " becomes %" PRIu32 "\n", m->recorded, m->here);
    } else {
        printf("EGL config %" PRIu32
               " is missing: nothing here has its colours, samples, depth and "
               "stencil\n",
               m->recorded);
    }
}

int replay_plan_print(const struct replay_plan *plan, const char *here, const struct rep *rep,
                      const struct remap *remap, bool json)
{
    struct rep_remap remaps[REP_CONFIGS];
    uint32_t count = rep_remaps(rep, true, remaps), printed = 0, missing = 0;
    if (json) {
        fputs("{\"schema\": 1, \"recorded\": ", stdout);
        json_text(stdout, plan->recorded);
        fputs(", \"here\": ", stdout);
        json_text(stdout, here);
        fputs(", \"egl_configs\": [", stdout);
    } else {
        printf("recorded on %s\nreplaying on %s\n",
               plan->recorded[0] != '\0' ? plan->recorded : "an unknown driver", here);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (plan->is_used[remaps[i].recorded]) {
            print_config(&remaps[i], json, printed++ == 0);
            missing += remaps[i].here == REP_NO_CONFIG;
        }
    }
    fputs(json ? "]" : "", stdout);
    uses_print_plan(remap_uses(remap), json);
    fputs(json ? "}\n" : "", stdout);
    missing += uses_are_missing(remap_uses(remap), true);
    return missing != 0 ? SLUICE_EXIT_MISSING : SLUICE_EXIT_OK;
}
