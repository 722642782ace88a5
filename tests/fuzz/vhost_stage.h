/* A vhost-user server with an echo device, without its event loop, and the front end's ends of its
 * sockets: what the fuzzers of transport/vhost stand on. One thread; made once, since what an input
 * leaves behind is a finding. */
#ifndef FUZZ_VHOST_STAGE_H
#define FUZZ_VHOST_STAGE_H

#include "transport/vhost/vhost_priv.h"

#define STAGE_RAM    ((uint64_t)256 << 10)
#define STAGE_GPA    0x40000000ull
#define STAGE_USER   0x7f0000000000ull
#define STAGE_WINDOW ((uint64_t)1 << 20)

struct vhost_stage {
    struct vhost_server *server;
    struct vgd *device;
    int ram_fd;
    uint8_t *ram;
    int front, back; /* the front end's; -1: not connected */
};

/* The one stage. */
struct vhost_stage *vhost_stage_get(void);
/* RAM zeroed, a connection that said nothing yet. */
void vhost_stage_enter(struct vhost_stage *stage);
/* Hangs up. Aborts when something of it outlives it. */
void vhost_stage_leave(struct vhost_stage *stage);
/* Whatever the server has to do now. False: it hung up. */
bool vhost_stage_turn(struct vhost_stage *stage);
/* A message of the front end; fds borrowed. Read by the next turn. */
void vhost_stage_send(const struct vhost_stage *stage, uint32_t request, uint32_t flags,
                      const void *payload, uint32_t size, const int *fds, uint32_t fd_count);
/* Takes the server's next request; its descriptor is closed. False: there is none. */
bool vhost_stage_asked(const struct vhost_stage *stage, struct vhost_head *head,
                       struct vhost_shmem_map *map);
void vhost_stage_answer(const struct vhost_stage *stage, uint32_t request, uint64_t value);

#endif
