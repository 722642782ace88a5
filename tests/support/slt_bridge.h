/* Between the shim's C side (slt_case.c) and its one C++ file (slt_gtest.cpp). */
#ifndef SLT_BRIDGE_H
#define SLT_BRIDGE_H

#include "tests/support/slt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* C++ side: reports to googletest. Any thread. */
void slt_report_failure(const char *file, int line, const char *text);
void slt_report_skip(const char *file, int line, const char *text);
/* The running case failed or was skipped already. */
bool slt_is_over(void);

/* C side: the lists the constructors built, and one case from set-up to leak check. */
struct slt_case *slt_cases(void);
struct slt_suite *slt_find_suite(const char *name);
/* full_name: suite.name or suite.name/label, for messages and the expected-skips list. */
void slt_run_case(const struct slt_case *c, const void *param, const char *full_name);
/* What slt_seconds answers from now on. */
void slt_set_seconds(unsigned seconds);
/* Runs fn so that an SLT_ASSERT in it ends only fn. */
void slt_run_guarded(void (*fn)(void));

#ifdef __cplusplus
}
#endif
#endif
