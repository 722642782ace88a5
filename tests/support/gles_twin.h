/* A GLES context of the host on the native driver, fed with packets on the caller's thread, which
 * can be saved into a list and played into another one. For tests of snapshots. */
#ifndef TESTS_GLES_TWIN_H
#define TESTS_GLES_TWIN_H

#include "host/gles/hgl_provider.h"
#include "host/gles/hgl_save.h"
#include "transport/base/pack.h"

enum { TWIN_RINGS = 12 };

struct twin_packet {
    uint8_t *bytes, *reply;
    size_t size, reply_size;
    uint32_t ring;
};

/* A snapshot. */
struct twin_list {
    struct twin_packet *packets;
    size_t count, capacity;
};

struct twin {
    struct hct_env env;
    struct hct_options options;
    struct hct_provider *provider;
    struct hct_context *context;
    struct hr_config configs[TWIN_RINGS];
    void *states[TWIN_RINGS];
    struct hr_ring *rings[TWIN_RINGS];
    uint32_t at;            /* the ring that packets go to, from 0 */
    struct sl_pack_mem out; /* packed with generated packers, then twin_send */
    uint8_t reply[1 << 20]; /* of the last packet that had one */
    size_t reply_size;
    bool lost;
    bool goes_on; /* with what it was, behind twin_save */
    /* What twin_save did then (vgd_saver.did), to be played behind the snapshot; NULL: nothing may
     * be done. */
    struct twin_list *did;
};

/* Skips the case where there is no native EGL. */
void twin_init(struct twin *t);
void twin_finish(struct twin *t);
static inline struct sl_pack *twin_out(struct twin *t)
{
    return &t->out.pack;
}
/* Runs what was packed. */
void twin_send(struct twin *t);
/* The same; the first four bytes of the answer. */
uint32_t twin_ask(struct twin *t);
/* A compiled shader of a text that ends with a zero. */
uint32_t twin_shader(struct twin *t, uint32_t type, const char *text);
/* A context of the wire's glVersion with a window surface of 64x48, current. Returns its handle. */
uint32_t twin_start(struct twin *t, uint32_t version);

void twin_list_add(struct twin_list *list, uint32_t ring, const void *packet, size_t size,
                   const void *reply, size_t reply_size);
/* Runs one packet. */
void twin_feed(struct twin *t, const struct twin_packet *packet);
enum sl_result twin_save(struct twin *t, struct twin_list *list);
/* Plays the list; every answer must be the recorded one. */
void twin_play(struct twin *t, const struct twin_list *list);
/* Says where they differ. */
void twin_expect_equal(const struct twin_list *a, const struct twin_list *b);
void twin_list_finish(struct twin_list *list);

#endif
