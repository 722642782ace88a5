/* What tests of the local socket share: a server, clients with the library and without. */
#ifndef TESTS_LOCAL_BED_H
#define TESTS_LOCAL_BED_H

#include "tests/support/vg_world.h"
#include "transport/local/local_control.h"

#include <sys/types.h>

#define LOCAL_BED_RAW 128u

struct local_bed {
    struct world world;
    struct vg *vg;          /* a well-behaved client */
    struct vg *bad;         /* another one */
    int raw[LOCAL_BED_RAW]; /* sockets without a library, + 1; 0: none */
    struct local_control *control;
    pid_t child;
};

/* Nothing runs yet. */
static inline void local_bed_init(struct local_bed *t)
{
    (void)t;
}
/* Ends whatever runs. */
void local_bed_finish(struct local_bed *t);
void local_bed_end_child(struct local_bed *t);

/* The server, with the echo types. The case fails where it cannot be had, as below. */
void local_bed_start(struct local_bed *t, struct local_server_options options);
void local_bed_open(struct local_bed *t, struct vg **vg);
enum sl_result local_bed_blob(struct vg *vg, uint64_t size, struct vg_res **out);
/* ECHO_FILL and its like (tests/support/echo_type.h). */
enum sl_result local_bed_echo(struct vg *vg, uint32_t opcode, uint32_t a, uint32_t b, uint32_t c,
                              uint32_t d);
/* One round of everything: the client is as well as ever. */
void local_bed_expect_healthy(struct vg *vg);

/* A socket of the server's, closed by finish. */
int local_bed_connect(struct local_bed *t, uint32_t index);
/* Waits for one message, or for the end. The size; 0 for the end. */
size_t local_bed_recv(int fd, void *data, size_t capacity);
void local_bed_hello(int fd);
uint32_t local_bed_descriptors(void); /* open in this process */

#endif
