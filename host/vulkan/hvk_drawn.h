/* Copies of what passes draw on, for a replay that shows it (hct_options.is_watched).
 *
 * A pass's attachments are copied at its end, by commands behind it in the same command buffer,
 * where their layouts are known. The copies lie in memory of the host; what a submit ran last is
 * kept until the next one, and read when the device has done it. */
#ifndef HOST_HVK_DRAWN_H
#define HOST_HVK_DRAWN_H

#include "host/vulkan/hvk_family.h"

/* One attachment of a pass, or one aspect of it. */
struct hvk_target {
    struct hvk_view *view; /* NULL: none */
    enum vgd_plane plane;
    uint32_t number;      /* of the colour; HVK_TARGET_NEXT: counted among those that are shown */
    VkImageLayout layout; /* at the pass's end */
};
#define HVK_TARGETS_MAX 32u
#define HVK_TARGET_NEXT UINT32_MAX

/* Appends one where there is room. */
void hvk_target_add(struct hvk_target *targets, uint32_t *count, struct hvk_view *view,
                    enum vgd_plane plane, uint32_t number, VkImageLayout layout);
/* A pass has begun that draws on these; what is not shown of them is left out. With the pool's
 * lock. */
void hvk_drawn_begin(struct hvk_recording *r, const struct hvk_target *targets, uint32_t count);
/* The same of dynamic rendering that is about to begin. ids: its handles are ids; info: what the
 * driver gets, in the packet's memory: whatever is shown is stored. */
void hvk_drawn_begin_rendering(struct hvk_recording *r, const VkRenderingInfo *ids,
                               const VkRenderingInfo *info);
/* It has ended natively. */
void hvk_drawn_end(struct hvk_recording *r);
/* The primary command buffer executes it. */
void hvk_drawn_execute(struct hvk_recording *r, const struct hvk_command_buffer *secondary);
/* A queue is given a submit: nothing of it yet; then its command buffers. In turns. */
void hvk_drawn_submit(struct hvk_context *context, struct hvk_queue *queue);
void hvk_drawn_submitted(struct hvk_context *context, const struct hvk_command_buffer *b);
/* hct_ops.drawn. */
enum sl_result hvk_drawn(struct hvk_context *context, const struct vgd_viewer *viewer);

/* hvk_texel.c: pure. A colour format whose texels are known; of one that is not nothing is done.
 * texels: without gaps; of depth as they are copied from that aspect. */
bool hvk_texel_is_known(VkFormat format);
void hvk_texels_color(VkFormat format, const uint8_t *texels, size_t count, uint8_t *rgba);
void hvk_texels_depth(VkFormat format, const uint8_t *texels, size_t count, float *depth);

#endif
