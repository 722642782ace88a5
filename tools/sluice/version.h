/* sluice --version: what this build speaks and was built with. */
#ifndef SLUICE_VERSION_H
#define SLUICE_VERSION_H

/* Prints it; an exit code. */
int version_print(void);

#endif
