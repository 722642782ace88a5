/* Every API's plan beside its generated packers and readers: what tests, fuzzers and benches walk.
 */
#ifndef TESTS_WIRE_APIS_H
#define TESTS_WIRE_APIS_H

#include "tools/plan/adapter.h"

struct wire_api {
    const struct plan_api *plan;
    const struct plan_adapter *adapters; /* by opcode, as plan->commands */
};

enum { WIRE_GLES1, WIRE_GLES2, WIRE_GLESX, WIRE_RC, WIRE_SL, WIRE_APIS };
extern const struct wire_api wire_apis[WIRE_APIS];

/* The API that an opcode belongs to; NULL: none. */
const struct wire_api *wire_api_of(uint32_t opcode);

#endif
