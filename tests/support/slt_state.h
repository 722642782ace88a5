/* What slt_check.c asks of the running case (slt_case.c). */
#ifndef SLT_STATE_H
#define SLT_STATE_H

#include "tests/support/slt.h"

/* Reports a failed check with the scopes around it; leaves the case when site->fatal. Any thread
 * unless fatal. */
void slt_end_check(const struct slt_site *site, const char *text);

#endif
