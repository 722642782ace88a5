/* The list of all context types: a library of its own, see device.h. */
#include "host/device/device.h"

#define HCT_TYPE(symbol) extern const struct hct_type symbol;
#include "host/types.def"
#undef HCT_TYPE

#define HCT_TYPE(symbol) &symbol,
const struct hct_type *const dev_all_types[] = {
#include "host/types.def"
    NULL,
};
