#include "tools/sluice/tuned.h"

#include <stdlib.h> /* says which C library this is */

#if defined(__x86_64__) && defined(__GLIBC__)

#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "GLIBC_TUNABLES"
/* From here on the string instruction: never. */
#define VALUE "glibc.cpu.x86_rep_movsb_threshold=0x10000000"

static bool is_second; /* start; main thread */

static bool copies_badly(void)
{
    unsigned major, minor;
    __builtin_cpu_init();
    return __builtin_cpu_is("amdfam19h") &&
           sscanf(gnu_get_libc_version(), "%u.%u", &major, &minor) == 2 && major == 2 && minor < 40;
}

void tuned_start(char **argv)
{
    const char *set = getenv(VARIABLE);
    if (set != NULL) {
        if (strcmp(set, VALUE) == 0) { /* the second start */
            unsetenv(VARIABLE);
            is_second = true;
        }
        return;
    }
    if (copies_badly() && setenv(VARIABLE, VALUE, 1) == 0) {
        execv("/proc/self/exe", argv);
        unsetenv(VARIABLE); /* there is no /proc: it is slower, no more */
    }
}

void tuned_pass_on(void)
{
    if (is_second) {
        (void)setenv(VARIABLE, VALUE, 1);
    }
}

#else

void tuned_start(char **argv)
{
    (void)argv;
}

void tuned_pass_on(void) {}

#endif
