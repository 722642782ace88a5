/* The two halves of the writer: writer.c packs and publishes, writer_wait.c waits. Its thread. */
#ifndef ASG_WRITER_PRIV_H
#define ASG_WRITER_PRIV_H

#include "asg/writer.h"

#include "transport/base/clock.h"

/* asg_writer_config.sleep_ns by itself. */
#define ASG_WRITER_SLEEP_NS (100 * SL_NS_PER_MS)

static inline struct asg_page *asg_writer_page(struct asg_writer *w, uint32_t index)
{
    return (struct asg_page *)((uint8_t *)w->page + (size_t)index * ASG_PAGE);
}

/* --- writer.c --- */

/* The stream is over. why: for the log; nullable. */
void asg_writer_die(struct asg_writer *w, const char *why);
/* Wake a host that sleeps. */
void asg_writer_rouse(struct asg_writer *w);
/* Bytes of descriptors that the host has not taken; dies and gives 0 when its position is
 * impossible. */
uint32_t asg_writer_unread(struct asg_writer *w);
/* Are at most `allowed` bytes of descriptors unread? By what was seen last, if that will do: the
 * position's cache line is the host's, and costs both sides each time that we look. */
bool asg_writer_within(struct asg_writer *w, uint32_t allowed);

/* --- writer_wait.c --- */

/* Wait until at most `allowed` bytes of descriptors are unread. timeout_ns < 0: as long as the host
 * lives. TIMEOUT, CLOSED when the stream is or becomes dead. */
enum sl_result asg_writer_wait_taken(struct asg_writer *w, uint32_t allowed,
                                     int64_t timeout_ns) SL_MUST_USE;

#endif
