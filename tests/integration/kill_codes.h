/* Exit codes of kill_client, which knows nothing else of the test that starts it. */
#ifndef KILL_CODES_H
#define KILL_CODES_H

#define KILL_EXIT_XLIB   1 /* Xlib's own handler ended it */
#define KILL_EXIT_WRONG  3 /* a wrong picture */
#define KILL_EXIT_OTHER  4
#define KILL_EXIT_LOST   42 /* EGL or GL said that the context is lost */
#define KILL_EXIT_WINDOW 43 /* EGL said that the window is gone */

#endif
