#include "tools/sluice/tuned.h"

#include <stdlib.h> /* says which C library this is */

#if defined(__x86_64__) && defined(__GLIBC__)

#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define VARIABLE "GLIBC_TUNABLES"
#define TUNABLE  "glibc.cpu.x86_rep_movsb_threshold="
/* From here on the string instruction: never. A number that nobody else would take, so that it is
 * ours where it stands last. */
#define OURS TUNABLE "0x10000001"

static char *passed_on; /* the variable of the second start; main thread */

static bool copies_badly(void)
{
    unsigned major, minor;
    __builtin_cpu_init();
    return __builtin_cpu_is("amdfam19h") &&
           sscanf(gnu_get_libc_version(), "%u.%u", &major, &minor) == 2 && major == 2 && minor < 40;
}

/* Where our word begins, behind what is somebody's own; NULL: it is not there. */
static const char *find_ours(const char *set)
{
    size_t length = strlen(set), ours = strlen(OURS);
    const char *at = length >= ours ? set + length - ours : NULL;
    return at != NULL && strcmp(at, OURS) == 0 && (at == set || at[-1] == ':') ? at : NULL;
}

/* What somebody had set, without our word at `at`. */
static void restore(const char *at)
{
    size_t own = (size_t)(at - passed_on);
    char *set = own > 1 ? strndup(passed_on, own - 1) : NULL;
    if (set == NULL || setenv(VARIABLE, set, 1) != 0) {
        unsetenv(VARIABLE);
    }
    free(set);
}

static void start_again(char **argv, const char *own)
{
    char *with = NULL;
    bool any = own != NULL && own[0] != '\0';
    if (asprintf(&with, "%s%s%s", any ? own : "", any ? ":" : "", OURS) < 0) {
        return;
    }
    char *before = own != NULL ? strdup(own) : NULL; /* setenv may take it away */
    if ((own == NULL || before != NULL) && setenv(VARIABLE, with, 1) == 0) {
        execv("/proc/self/exe", argv); /* there may be no /proc: it is slower, no more */
        if (before == NULL || setenv(VARIABLE, before, 1) != 0) {
            unsetenv(VARIABLE);
        }
    }
    free(before);
    free(with);
}

void tuned_start(char **argv)
{
    const char *set = getenv(VARIABLE);
    const char *ours = set != NULL ? find_ours(set) : NULL;
    if (ours != NULL) { /* the second start */
        passed_on = strdup(set);
        if (passed_on != NULL) {
            restore(passed_on + (ours - set));
        }
        return;
    }
    /* A loader that trusts its starter less than the program takes the variable away, and the
     * second start would not know itself. */
    if (getauxval(AT_SECURE) == 0 && copies_badly() &&
        (set == NULL || strstr(set, TUNABLE) == NULL)) {
        start_again(argv, set);
    }
}

void tuned_pass_on(void)
{
    if (passed_on != NULL) {
        (void)setenv(VARIABLE, passed_on, 1);
    }
}

#else

void tuned_start(char **argv)
{
    (void)argv;
}

void tuned_pass_on(void) {}

#endif
