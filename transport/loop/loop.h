/* Waist A by calling waist B in one process: guest and host under one debugger, one sanitizer,
 * without a socket.
 *
 * The device has a thread of its own, as every front gives it one; a guest's call hops there and
 * waits. */
#ifndef LOOP_H
#define LOOP_H

#include "transport/virtgpu/vg.h"
#include "transport/virtgpu/vgd.h"

struct loop;

/* Makes the device; called on the loop's thread. */
typedef enum sl_result (*loop_make_fn)(void *user, const struct vgd_sink *sink, struct vgd **out);

enum sl_result loop_create(loop_make_fn make, void *user, struct loop **out) SL_MUST_USE;
/* Every vg is destroyed by now. Destroys the device on its thread. */
void loop_destroy(struct loop *loop); /* takes NULL */
/* One more guest of the device: a context of its own. Its resources are its own too; they travel by
 * export and import. */
enum sl_result vg_loop_open(struct loop *loop, struct vg **out) SL_MUST_USE;
/* Runs fn on the device thread and waits for it. */
void loop_call(struct loop *loop, void (*fn)(struct vgd *device, void *user), void *user);

#endif
