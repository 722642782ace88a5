/* Values that a reader gave, compared with those that were packed. */
#ifndef TESTS_WIRE_VALUES_H
#define TESTS_WIRE_VALUES_H

#include "tools/plan/plan.h"

/* Fails the case where a field differs; who: what read them. A reader gives no bytes as NULL where
 * the parameter may be NULL, else as a place. */
void wire_expect_values(const struct plan_command *command, const struct plan_value *want,
                        const struct plan_value *got, const char *who);

#endif
