#include "tools/sluice/replay_diverged.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Calls before an end that are shown. */
#define LAST_CALLS 16u

static const char *vk_result(uint32_t word, char *text, size_t size)
{
    static const struct {
        int32_t value;
        const char *name;
    } names[] = {{0, "VK_SUCCESS"},
                 {1, "VK_NOT_READY"},
                 {2, "VK_TIMEOUT"},
                 {5, "VK_INCOMPLETE"},
                 {-1, "VK_ERROR_OUT_OF_HOST_MEMORY"},
                 {-2, "VK_ERROR_OUT_OF_DEVICE_MEMORY"},
                 {-3, "VK_ERROR_INITIALIZATION_FAILED"},
                 {-4, "VK_ERROR_DEVICE_LOST"},
                 {-6, "VK_ERROR_LAYER_NOT_PRESENT"},
                 {-7, "VK_ERROR_EXTENSION_NOT_PRESENT"},
                 {-8, "VK_ERROR_FEATURE_NOT_PRESENT"},
                 {-9, "VK_ERROR_INCOMPATIBLE_DRIVER"},
                 {-10, "VK_ERROR_TOO_MANY_OBJECTS"},
                 {-11, "VK_ERROR_FORMAT_NOT_SUPPORTED"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].value == (int32_t)word) {
            return names[i].name;
        }
    }
    snprintf(text, size, "%d", (int32_t)word);
    return text;
}

/* What an answer comes to in a few words: a Vulkan result, or its size and first words. */
static void summarize(const struct cap_event_call *call, const uint8_t *reply, size_t size,
                      bool refused, bool lost, char *text, size_t room)
{
    char number[32];
    if (lost) {
        snprintf(text, room, "the end of its stream");
    } else if (refused) {
        snprintf(text, room, "a refusal");
    } else if (call->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN && size >= 4) {
        snprintf(text, room, "%s", vk_result(sl_load_u32(reply + size - 4), number, sizeof number));
    } else {
        int at = snprintf(text, room, "%zu bytes", size);
        for (size_t i = 0; i < size && i < 16; i++) {
            at += snprintf(text + at, room - (size_t)at, i == 0 ? " %02x" : "%02x", reply[i]);
        }
    }
}

void replay_say_last_calls(const char *path, uint64_t stamp)
{
    struct cap_reader *reader = NULL;
    struct cap_merge *merge = NULL;
    struct cap_event event;
    struct calls *calls = calls_create(CALLS_TEXT, false, stderr);
    if (calls == NULL || trace_open(path, &reader) != SLUICE_EXIT_OK ||
        cap_merge_create(reader, &merge) != SL_OK) {
        cap_reader_close(reader);
        calls_destroy(calls);
        return;
    }
    char *lines[LAST_CALLS] = {0};
    uint64_t count = 0;
    while (cap_merge_next(merge, &event, NULL) == SL_OK && event.stamp <= stamp) {
        if (event.kind == CAP_EVENT_CALL) {
            const char *text = calls_text(calls, &event);
            char line[256];
            snprintf(line, sizeof line, "%" PRIu64 " %s", event.stamp, text);
            free(lines[count % LAST_CALLS]);
            lines[count++ % LAST_CALLS] = strdup(line);
        }
    }
    for (uint64_t i = count < LAST_CALLS ? 0 : count - LAST_CALLS; i < count; i++) {
        say_note("  %s", lines[i % LAST_CALLS]);
    }
    for (uint32_t i = 0; i < LAST_CALLS; i++) {
        free(lines[i]);
    }
    cap_merge_destroy(merge);
    cap_reader_close(reader);
    calls_destroy(calls);
}

void replay_say_diverged(const char *path, const struct rep_answer *answer, bool goes_on)
{
    const struct cap_event *event = answer->event;
    char number[TRACE_NUMBER], was[160], is[160];
    const char *name = "a verb";
    if (event->kind == CAP_EVENT_CALL) {
        const struct cap_event_call *call = &event->call;
        name = call_name(sl_load_u32(call->packet));
        summarize(call, call->reply, call->reply_size, call->is_refused, call->is_lost, was,
                  sizeof was);
        summarize(call, answer->reply, answer->reply_size, answer->is_refused, answer->is_lost, is,
                  sizeof is);
    } else {
        enum sl_result result = event->verb.has_result ? (enum sl_result)event->verb.result : SL_OK;
        snprintf(was, sizeof was, "%s", sl_result_name(result));
        snprintf(is, sizeof is, "%s", sl_result_name(answer->result));
    }
    (goes_on ? say_note : say_error)("diverged at call %s (frame %" PRIu64
                                     ") %s: recorded %s, got %s",
                                     trace_number(event->stamp, number), answer->frame,
                                     name != NULL ? name : "unknown", was, is);
    if (!goes_on) {
        replay_say_last_calls(path, event->stamp);
    }
}
