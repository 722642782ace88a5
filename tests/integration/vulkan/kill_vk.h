/* A Vulkan program to be killed, or whose host or window system is: what kill_vk.c (pictures,
 * windows), kill_vk_calls.c (one call over and over) and kill_vk_client.c (modes, ends) share.
 *
 * Everything on the main thread, but for the threads that kill_vk_threads starts. What fails ends
 * the program through vx_on_failure. */
#ifndef KILL_VK_H
#define KILL_VK_H

#include "tests/integration/vulkan/vx.h"

#include <xcb/xcb.h>

enum { KV_IMAGES_MAX = 8 };
enum kv_windows { KV_OFFSCREEN, KV_X11, KV_WAYLAND };

struct kv {
    struct vx vx;
    enum kv_windows windows;
    VkPresentModeKHR mode;
    int16_t x; /* of the window */
    /* The picture; target.pass null: there is none. */
    struct vx_target target;
    struct vx_buffer pixels;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    /* The window. */
    xcb_connection_t *xcb;
    xcb_window_t window;
    struct wl_display *wayland;
    struct wl_surface *wl_surface;
    VkSurfaceKHR surface;
    VkSwapchainKHR swapchain;
    VkImage images[KV_IMAGES_MAX];
    VkSemaphore drawn[KV_IMAGES_MAX];
    VkFence fence;
};

/* An instance and a device, and the window where there is one to be. */
void kv_open(struct kv *kv);
/* The window of KV_WAYLAND; kill_vk_wayland.c. */
void kv_open_wayland(struct kv *kv);
void kv_open_picture(struct kv *kv);
void kv_open_swapchain(struct kv *kv);
void kv_close_swapchain(struct kv *kv);
/* What is there of it all, lost or not. */
void kv_close(struct kv *kv);

/* Draws picture `number` and compares all of it. */
void kv_draw(struct kv *kv, uint32_t number);
/* Shows the picture drawn last. */
void kv_show(struct kv *kv);
/* Until X shows picture `number`. */
void kv_look(struct kv *kv, uint32_t number);
/* Acquires and presents a picture that nobody drew. Acquired: VK_SUCCESS. */
VkResult kv_acquire(struct kv *kv, uint32_t *index);
VkResult kv_present(struct kv *kv, uint32_t index);

/* Whether the host is gone, by any call that says so. */
bool kv_is_lost(const struct kv *kv);

/* Calls `name` until it fails; begun: called once everything is there for it. What it failed with;
 * VK_INCOMPLETE: there is no such call. */
VkResult kv_call(struct kv *kv, const char *name, void (*begun)(void));

/* Threads that work with the device beside each other and are replaced when they end, until `stop`
 * or one's failure; VK_SUCCESS: none failed. */
struct kv_threads;
struct kv_threads *kv_threads_start(struct kv *kv);
/* Gives a thread that ended a successor. What one failed with. */
VkResult kv_threads_renew(struct kv_threads *threads);
void kv_threads_stop(struct kv_threads *threads);

#endif
