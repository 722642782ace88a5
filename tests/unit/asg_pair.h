/* Both ends of a ring on one thread: what the tests of asg stand on. */
#ifndef TESTS_ASG_PAIR_H
#define TESTS_ASG_PAIR_H

#include "asg/reader.h"
#include "asg/writer.h"
#include "transport/base/clock.h"

enum { ASG_PAIR_VIEW = ASG_BUFFER_BYTES };
#define ASG_PAIR_NEVER_NS (86400 * SL_NS_PER_S)

struct asg_pair {
    uint8_t *memory;
    struct asg_page *to_host, *large, *from_host;
    uint8_t *buffer;
    struct asg_reader reader;
    struct asg_writer writer;
    bool writer_made;
    uint32_t stop, pings;
    uint8_t *data, *got;
};

/* A fixture: memory that is not zeroed, data of 3 views, and the host's end, which sleeps for ever.
 */
void asg_pair_init(struct asg_pair *p);
void asg_pair_finish(struct asg_pair *p);
/* The host's end anew, with another time after which it looks by itself. */
void asg_pair_read(struct asg_pair *p, uint64_t sleep_ns);
/* The guest's end. */
void asg_pair_write(struct asg_pair *p, bool shared_futex);
/* Everything that is there, at most `size` bytes, to p->got. */
size_t asg_pair_take(struct asg_pair *p, size_t size);
/* A stock guest's type-1 write: descriptor, position, and whether it would ping. */
bool asg_pair_stock(struct asg_pair *p, uint32_t offset, uint32_t size);

#endif
