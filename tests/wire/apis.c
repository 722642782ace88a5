#include "tests/wire/apis.h"

#include "check/gles1_adapters.h"
#include "check/gles2_adapters.h"
#include "check/glesx_adapters.h"
#include "check/rc_adapters.h"
#include "check/sl_adapters.h"
#include "tables/gles1_plan.h"
#include "tables/gles2_plan.h"
#include "tables/glesx_plan.h"
#include "tables/rc_plan.h"
#include "tables/sl_plan.h"

const struct wire_api wire_apis[WIRE_APIS] = {
    [WIRE_GLES1] = {&gles1_plan, gles1_adapters}, [WIRE_GLES2] = {&gles2_plan, gles2_adapters},
    [WIRE_GLESX] = {&glesx_plan, glesx_adapters}, [WIRE_RC] = {&rc_plan, rc_adapters},
    [WIRE_SL] = {&sl_plan, sl_adapters},
};

const struct wire_api *wire_api_of(uint32_t opcode)
{
    for (int i = 0; i < WIRE_APIS; i++) {
        if (plan_find(wire_apis[i].plan, opcode) != NULL) {
            return &wire_apis[i];
        }
    }
    return NULL;
}
