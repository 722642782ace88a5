#include "tools/sluice/names.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"

struct names {
    struct sl_map numbers; /* by context and kind, and id: the number plus 1 */
    uint32_t next[NAMES_KINDS];
};

struct names *names_create(void)
{
    struct names *names = sl_alloc(sizeof *names);
    if (names != NULL) {
        sl_map_init(&names->numbers, SL_MAP_MOST);
    }
    return names;
}

void names_destroy(struct names *names)
{
    if (names != NULL) {
        sl_map_finish(&names->numbers);
        sl_free(names);
    }
}

uint32_t names_number(struct names *names, uint32_t ctx, uint32_t kind, uint64_t id, bool is_new)
{
    uint64_t space = (uint64_t)ctx << 32 | kind;
    uintptr_t known = is_new ? 0 : (uintptr_t)sl_map_find_in(&names->numbers, space, id);
    if (known != 0) {
        return (uint32_t)(known - 1);
    }
    uintptr_t number = names->next[kind];
    if (sl_map_set_in(&names->numbers, space, id, (void *)(number + 1)) != SL_OK) {
        return 0;
    }
    names->next[kind]++;
    return (uint32_t)number;
}
