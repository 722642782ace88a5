/* Between the files that write and read PROT. */
#ifndef SLUICE_SCHEMA_PRIV_H
#define SLUICE_SCHEMA_PRIV_H

#include "tables/vk_plan.h"

#include <stdbool.h>
#include <stdint.h>

/* A hash of all that decides what a command's packets look like. False: no memory. */
bool schema_layout(const struct vk_plan_command *command, uint64_t *layout);

#endif
