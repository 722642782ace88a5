/* Files in folders that a verb was told to write into. Main thread. */
#ifndef SLUICE_FOLDER_H
#define SLUICE_FOLDER_H

#include <limits.h>
#include <stdbool.h>

/* "folder/name" into path (PATH_MAX bytes); make: the folder is made, should it not be there (the
 * one that it is in must be). Returns an exit code; the reason was said. */
int folder_path(char *path, const char *folder, const char *name, bool make);
/* A fresh folder for things that go again; path: PATH_MAX bytes. The same. */
int folder_temporary(char *path);
/* With all that is in it. */
void folder_remove(const char *path);
/* Calls work(user, a fresh temporary folder) in a process of its own and returns its exit code. The
 * folder is gone afterwards, however the work or a signal to us ends it. The process has one thread
 * and no children. */
int folder_with(int (*work)(void *user, const char *folder), void *user);

#endif
