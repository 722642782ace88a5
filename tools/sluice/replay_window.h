/* `sluice replay --window`: frames as they are played, in a window of their size. Main thread. */
#ifndef SLUICE_REPLAY_WINDOW_H
#define SLUICE_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct replay_window;

/* title: copied. Returns an exit code; the reason was said. */
int replay_window_open(const char *title, struct replay_window **out);
/* pixels: R, G, B, A, top row first; NULL: there is no picture, the one before stays. False: the
 * window was closed, the replay is to end. */
bool replay_window_show(struct replay_window *window, const uint8_t *pixels, uint32_t width_px,
                        uint32_t height_px);
/* Takes NULL. */
void replay_window_close(struct replay_window *window);

#endif
