/* The bytes of the Address Space Graphics ring page: what guest and host share. Nothing here is
 * private state.
 *
 * Three 4096-byte pages (to_host, to_host_large, from_host_large), then the auxiliary buffer. The
 * struct describes page 0; of the two others only the positions are used. Facts: asg, sections 1.1
 * to 1.3. Words from 2560 on are ours, in bytes that stock peers leave alone: they are used only
 * where the peer announced them (capset, struct virtgpu_gles_capset). */
#ifndef ASG_LAYOUT_H
#define ASG_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define ASG_PAGE         4096u
#define ASG_RING_BYTES   12288u
#define ASG_BUFFER_BYTES 1048576u
#define ASG_STEP_BYTES   262144u
#define ASG_BLOB_BYTES   (ASG_RING_BYTES + ASG_BUFFER_BYTES)
#define ASG_DESC_RING    2048u

enum asg_host_state {
    ASG_STATE_NEED_NOTIFY = 0,
    ASG_STATE_CAN_CONSUME = 1,
    ASG_STATE_EXIT = 2,
    ASG_STATE_ERROR = 3,
    ASG_STATE_RENDERING = 4,
};

/* transfer_mode. Spec: asg 4. */
enum asg_mode {
    ASG_MODE_SPANS = 1, /* descriptors */
    ASG_MODE_LARGE = 3, /* bytes of the large ring */
};

/* What the guest sleeps for on host_reply. */
enum asg_sleep {
    ASG_SLEEP_NONE = 0,
    ASG_SLEEP_ANY = 1,     /* replies, or a host_staged of any value */
    ASG_SLEEP_STAGED = 2,  /* host_staged as it is in guest_staged; hosts before it kick as for 1 */
    ASG_SLEEP_REPLIES = 3, /* the replies up to guest_replies, or being told that they are near; the
                              same of hosts before it */
};

struct asg_page {
    uint32_t host_version;
    uint32_t guest_version;
    uint32_t write_pos; /* producer of this page's ring */
    uint8_t pad0[52];
    uint32_t read_pos; /* consumer of this page's ring */
    uint32_t read_live_count;
    uint32_t read_yield_count;
    uint32_t read_sleep_us_count;
    uint8_t pad1[48];
    uint8_t descriptors[ASG_DESC_RING];
    uint32_t host_state; /* host */
    /* config words: host at creation */
    uint32_t buffer_size;
    uint32_t flush_interval;
    uint32_t host_consumed_pos; /* host */
    uint32_t guest_write_pos;
    uint32_t transfer_mode; /* guest */
    uint32_t transfer_size; /* guest */
    uint32_t in_error;      /* host */
    uint32_t config_rest[25];
    uint8_t pad2[252];
    /* --- ours, offset 2560 --- */
    uint32_t
        guest_kick; /* guest adds 1 and futex-wakes it to wake a sleeping host (one kernel only) */
    uint32_t guest_cpu; /* guest: where it runs, asg_cpu(); 0: not this kernel, or not known */
    uint8_t pad3[56];
    uint32_t guest_sleeping; /* guest: an enum asg_sleep */
    uint32_t guest_staged;   /* guest: what host_staged reaches before a sleep for that shall end */
    uint32_t guest_eager;    /* guest: not 0 while who waits for host_signal wants to be woken when
                                it is near */
    uint32_t guest_replies;  /* guest: what the replies' write_pos reaches before a sleep for those
                                shall end */
    uint8_t pad4[48];
    uint32_t host_signal; /* host: value of the last slSignal; the present thread's futex */
    uint32_t host_reply;  /* host adds 1 after publishing a reply when guest_sleeping: the replies'
                             futex */
    uint32_t host_cpu;    /* host: where the ring's thread runs, as guest_cpu */
    uint32_t host_staged; /* host: how many slStaged it has done with */
    uint32_t host_error;  /* host: a GL error, where it is 0; guest: 0 when it has taken it */
    uint8_t pad5[1400 - 20];
};
_Static_assert(offsetof(struct asg_page, write_pos) == 8, "asg layout");
_Static_assert(offsetof(struct asg_page, read_pos) == 64, "asg layout");
_Static_assert(offsetof(struct asg_page, descriptors) == 128, "asg layout");
_Static_assert(offsetof(struct asg_page, host_state) == 2176, "asg layout");
_Static_assert(offsetof(struct asg_page, buffer_size) == 2180, "asg layout");
_Static_assert(offsetof(struct asg_page, in_error) == 2204, "asg layout");
_Static_assert(offsetof(struct asg_page, guest_kick) == 2560, "asg layout");
_Static_assert(offsetof(struct asg_page, guest_sleeping) == 2624, "asg layout");
_Static_assert(offsetof(struct asg_page, host_signal) == 2688, "asg layout");
_Static_assert(sizeof(struct asg_page) <= ASG_PAGE, "asg layout");

struct asg_descriptor {
    uint32_t offset; /* from the start of the auxiliary buffer */
    uint32_t size;
};
_Static_assert(sizeof(struct asg_descriptor) == 8, "asg layout");

#endif
