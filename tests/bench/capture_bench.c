/* What recording costs the thread that decodes: its CPU time for each packet in ns, as one JSON
 * object; see tools/sluice/bench_record.h. Writes below TMPDIR, else /tmp. */
#include "tools/sluice/bench_record.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    const char *folder = getenv("TMPDIR");
    struct bench_record cost;
    bench_record(folder != NULL ? folder : "/tmp", &cost);
    printf(
        "{\"plain_ns\": %.2f, \"armed_ns\": %.2f, \"recorded_ns\": %.2f, \"recorded_4_ns\": %.2f, "
        "\"pack\": %.3f, \"full\": %.0f, \"full_4\": %.0f, \"stalls\": %llu}\n",
        cost.plain.median, cost.armed.median, cost.recorded.median, cost.recorded_4.median,
        cost.file_bytes, cost.full, cost.full_4, cost.stalls);
    return 0;
}
