/* What the inputs of vhost_user_fuzz and vhost_guest_fuzz are made of; the seeds are written by
 * vhost_seeds.c. */
#ifndef FUZZ_VHOST_INPUT_H
#define FUZZ_VHOST_INPUT_H

/* A step of vhost_user_fuzz begins with one of these, modulo USER_OPS, or a number below them: a
 * request, with a payload of its size. */
enum {
    USER_ANSWER = 60, /* u8: the answer to the server's oldest request; odd: no */
    USER_RAW,         /* a request of any size and number, u32 each, behind what follows here */
    USER_OPS
};
/* Behind the step's first byte: u8 flags (VHOST_FLAG_*), u8 which descriptors come along, and in
 * its high half how many more than one. */
enum { USER_NONE, USER_RAM, USER_EVENT, USER_SOCKET, USER_DEVICE };

/* A step of vhost_guest_fuzz begins with one of these, modulo GUEST_OPS. */
enum {
    /* u8 type (place in guest_types), u8 how (GUEST_*), u8 room (place in guest_rooms), u8 context,
     * u16 size, bytes: what stands behind the header */
    GUEST_COMMAND,
    /* u8 queue, u8 head, u8 count, count x {u32 offset in RAM, u32 length, u16 flags, u16 next}: a
     * row of descriptors as it is, offered */
    GUEST_CHAIN,
    GUEST_POKE,   /* u32 offset in RAM, u8 count, bytes */
    GUEST_ANSWER, /* u8: the answer to the oldest map request; odd: no */
    GUEST_JUMP,   /* u8 queue, u16: the available index moves by so much */
    GUEST_RESET,  /* RESET_DEVICE, and both queues anew */
    GUEST_PAUSE,  /* both queues are stopped, and go on where they were */
    GUEST_OPS
};

/* How a command is sent. */
enum {
    GUEST_FENCE = 1,
    GUEST_RING = 2,      /* the fence is on the context's ring 1 */
    GUEST_CURSOR = 4,    /* on the other queue */
    GUEST_INDIRECT = 8,  /* an indirect table */
    GUEST_PIECES = 16,   /* with a piece for each 8 bytes, where the table is indirect */
    GUEST_OLD_FENCE = 32 /* the id of the fence does not grow */
};

#endif
