/* The doctor's probe as a program of its own: the smallest thing that renders, for the tests of
 * `sluice run`. */
#include "tools/sluice/probe.h"

#include <unistd.h>

int main(void)
{
    probe_render(STDOUT_FILENO);
    return 0;
}
