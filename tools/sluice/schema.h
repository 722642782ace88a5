/* What packets mean: this build's tables, or those that a trace of another build carries (PROT).
 *
 * A trace's table says of every command of OpenGL ES and renderControl its arguments, and of every
 * one of Vulkan its name and a hash of its layout: where this build's layout has that hash, too,
 * its arguments are known. Immutable once made; any thread. */
#ifndef SLUICE_SCHEMA_H
#define SLUICE_SCHEMA_H

#include "host/capture/cap_reader.h"
#include "tables/vk_plan.h"
#include "tools/plan/plan.h"

struct schema;

/* A command of an opcode. name NULL: nobody's. One of the other two is there where its arguments
 * are known. */
struct schema_command {
    const char *name;
    const struct plan_command *plan;
    const struct vk_plan *vk;
};

/* schema NULL: this build's. */
struct schema_command schema_find(const struct schema *schema, uint32_t opcode);

/* Packets of it mean the same in this build. */
bool schema_is_same(const struct schema *schema, uint32_t opcode);

/* PROT's JSON of this build; NULL: no memory. sl_free it. */
char *schema_text(size_t *size);

/* XXH3-128 of it. False: no memory. */
bool schema_own_hash(uint8_t hash[16]) SL_MUST_USE;

/* Of an opened trace. *out NULL: this build's, or the trace has none. PROTOCOL: what it carries
 * makes no sense; NOMEM, IO. */
enum sl_result schema_read(struct cap_reader *reader, struct schema **out) SL_MUST_USE;
/* From JSON as schema_text makes it; not trusted. */
enum sl_result schema_parse(const char *text, size_t size, struct schema **out) SL_MUST_USE;
void schema_destroy(struct schema *schema);
/* XXH3-128 of its JSON. */
const uint8_t *schema_hash(const struct schema *schema);

#endif
