/* Shared objects of the process. */
#ifndef SL_MODULE_H
#define SL_MODULE_H

/* Whatever is loaded by now stays loaded. Drivers leave threads and thread-local destructors
 * behind, which unloading would pull away, and a driver's own loader does unload it. Any thread. */
void sl_modules_pin(void);

#endif
