/* Generated packers and readers behind one signature (check/<api>_adapters.h): for tests and
 * fuzzers, which drive them with data. */
#ifndef PLAN_ADAPTER_H
#define PLAN_ADAPTER_H

#include "tools/plan/plan.h"
#include "transport/base/pack.h"

/* Who answers a command on the host: codegen/policy/host.csv. */
enum plan_policy { PLAN_NATIVE, PLAN_HAND, PLAN_REFUSE };

struct plan_adapter {
    /* One value per field; bytes NULL: the pointer is NULL. */
    void (*pack)(struct sl_pack *pack, const struct plan_value *values);
    /* body: behind the header. False: refused; then nothing was stored. */
    bool (*unpack)(struct sl_unpack *body, struct plan_value *values);
    enum plan_policy policy;
};

#endif
