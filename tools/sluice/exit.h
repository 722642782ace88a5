/* The exit codes, the same for every verb. Stable: scripts stand on them. */
#ifndef SLUICE_EXIT_H
#define SLUICE_EXIT_H

enum sluice_exit {
    SLUICE_EXIT_OK = 0,
    SLUICE_EXIT_DIFFERENT = 1,
    SLUICE_EXIT_USAGE = 2,
    SLUICE_EXIT_FILE = 3,
    SLUICE_EXIT_VERSION = 4,
    SLUICE_EXIT_DAMAGED = 5,
    SLUICE_EXIT_INCOMPLETE = 6,
    SLUICE_EXIT_MISSING = 7,
    SLUICE_EXIT_DIVERGED = 8,
    SLUICE_EXIT_LOST = 9,
    SLUICE_EXIT_INTERNAL = 10,
    /* A launcher's own, beside the program's codes. */
    SLUICE_EXIT_NOT_THROUGH_US = 125,
    SLUICE_EXIT_CANNOT_EXECUTE = 126,
    SLUICE_EXIT_NOT_FOUND = 127,
};

#endif
