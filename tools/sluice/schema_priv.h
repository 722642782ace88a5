/* Between the files that write and read PROT. */
#ifndef SLUICE_SCHEMA_PRIV_H
#define SLUICE_SCHEMA_PRIV_H

#include "tables/vk_plan.h"

#include <stdint.h>

/* A hash of all that decides what a command's packets look like. */
uint64_t schema_layout(const struct vk_plan_command *command);

#endif
