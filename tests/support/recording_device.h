/* Waist B as a script: writes down what a guest asks for, answers as it was told. For tests of
 * guest rooms over transport/loop, where the test plays the host. Everything may be called on any
 * thread. */
#ifndef TESTS_RECORDING_DEVICE_H
#define TESTS_RECORDING_DEVICE_H

#include "transport/virtgpu/vgd.h"

#include <stdbool.h>

#define RECORDING_RESOURCES 64u
#define RECORDING_TEXT      65536u

struct recording;

struct recording_config {
    uint32_t capset; /* the one on offer */
    const void *capset_data;
    size_t capset_size;
    /* Nullable: plays the context. On the device thread; may call the functions below. */
    enum sl_result (*on_submit)(void *user, struct recording *recording, uint32_t ctx_id,
                                const void *commands, size_t size);
    void *user;
};

enum sl_result recording_create(const struct recording_config *config,
                                struct recording **out) SL_MUST_USE;
void recording_destroy(struct recording *recording); /* takes NULL; after the loop's end */
/* A loop_make_fn, with the recording as its user. Once. */
enum sl_result recording_make(void *recording, const struct vgd_sink *sink, struct vgd **out);

/* What was asked since the last call, a line each: "ctx_create 1 capset 8 name", "blob 1 ctx 1 mem
 * 2 flags 1 size 4096 id 0", "tex 2 target 2 format 67 size 4x4", "attach 1 1", "submit 1 00001001
 * 00000001", "fence 1 ring 0", "map 1", "unmap 1", "export 1", "import 3 size 4096", "transfer 2 x
 * 0 y 0 4x4 from", "detach 1 1", "destroy 1", "ctx_destroy 1". Valid until the next call. */
const char *recording_text(struct recording *recording);
/* The next `count` verbs of this name (first word of its line) answer `result` and do nothing. One
 * rule at a time; count 0: none. */
void recording_fail(struct recording *recording, const char *verb, enum sl_result result,
                    uint32_t count);
/* The memory of a resource, as the host sees it; NULL when there is no such resource. */
void *recording_memory(struct recording *recording, uint32_t resource_id, uint64_t *size);
/* Fences wait from now on (true), or are done at once; false also lets go of those that wait. */
void recording_hold_fences(struct recording *recording, bool hold);
void recording_lose(struct recording *recording, uint32_t ctx_id, const char *reason);

#endif
