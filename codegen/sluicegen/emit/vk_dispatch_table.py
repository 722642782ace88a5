"""host/vk_dispatch.c: handlers by opcode, and the loop over recorded commands."""

from __future__ import annotations

from typing import List, Optional

from ..cwriter import Output
from ..vk import ir


def _rows(lock: ir.Lock) -> List[ir.Command]:
    """Every number that a name has, in order."""
    return sorted((c for c in lock.commands if c.opcode != 0), key=lambda c: c.opcode)


def _target(lock: ir.Lock, command: ir.Command) -> Optional[ir.Command]:
    """Whose handler serves it; None: nobody."""
    target = lock.layout_of(command)
    return target if command.on_wire and target.on_wire else None


_FIND = """
uint32_t vk_dispatch_find(uint32_t opcode)
{
    if (SL_LIKELY(opcode - DENSE_FIRST < DENSE_COUNT)) {
        return dense[opcode - DENSE_FIRST] - 1u;
    }
    uint32_t low = HASHED_FIRST, high = COUNT;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (opcodes[middle] == opcode) {
            return middle;
        }
        if (opcodes[middle] < opcode) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return UINT32_MAX;
}

static void on_refused(struct hr_call *hr)
{
    hr_call_violate(hr, "%s", reasons[vk_dispatch_find(hr->opcode)]);
}

static void on_recorded(struct hr_call *hr)
{
    hr_call_violate(hr, "it belongs into a command buffer");
}

const char *vk_sub_decode(struct hvk_recording *r, const void *data, size_t size)
{
    const uint8_t *p = data;
    r->end = p + size;
    r->in.owner_at = offsetof(struct hvk_object, device);
    r->in.owner = r->device;
    while (p != r->end) {
        size_t left = (size_t)(r->end - p);
        uint32_t length = left >= 8 ? sl_load_u32(p + 4) : 0;
        if (SL_UNLIKELY(length < 8 || length > left)) {
            return "a recorded command is longer than what was sent";
        }
        uint32_t index = vk_dispatch_find(sl_load_u32(p));
        if (SL_UNLIKELY(index >= COUNT || recorders[index] == NULL)) {
            return "a recorded command is of a kind that is not recorded";
        }
        r->opcode = opcodes[index];
        r->in.cur = r->body = p + 8;
        r->in.end = p + length;
        recorders[index](r);
        if (SL_UNLIKELY(r->in.failed)) {
            return r->in.reason;
        }
        if (r->in.arena->total != 0) {
            sl_arena_reset(r->in.arena);
        }
        p = r->in.end;
    }
    return NULL;
}
"""


def _table(lock: ir.Lock) -> str:
    rows = _rows(lock)
    first, last = rows[0].opcode, max(c.opcode for c in rows if c.opcode < 100000000)
    hashed = next(i for i, c in enumerate(rows) if c.opcode > last)
    place = {c.opcode: i + 1 for i, c in enumerate(rows)}
    text = f"#define DENSE_FIRST {first}u\n#define DENSE_COUNT {last - first + 1}u\n"
    text += f"#define HASHED_FIRST {hashed}u\n#define COUNT {len(rows)}u\n\n"
    text += "static const uint32_t opcodes[COUNT] = {\n"
    text += "".join(f"    {c.opcode}, /* {c.name} */\n" for c in rows) + "};\n\n"
    text += "/* Place in the tables + 1; 0: no such command. */\n"
    text += "static const uint16_t dense[DENSE_COUNT] = {\n"
    text += "".join(f"    {place.get(n, 0)},\n" for n in range(first, last + 1)) + "};\n\n"
    handlers = recorders = reasons = replies = ""
    for command in rows:
        target = _target(lock, command)
        if target is None:
            handlers += "    on_refused,\n"
            why = command.refused or lock.layout_of(command).refused
            reasons += f'    "{why}",\n'
        else:
            handlers += f"    {'on_recorded' if target.staged else f'vk_on_{target.name}'},\n"
            reasons += "    NULL,\n"
        staged = target is not None and target.staged
        recorders += f"    vk_record_{target.name},\n" if staged and target else "    NULL,\n"
        replies += f"    {1 if target is not None and target.has_reply else 0},\n"
    text += f"static const char *const reasons[COUNT] = {{\n{reasons}}};\n\n"
    text += "typedef void (*recorder)(struct hvk_recording *r);\n"
    text += f"static const recorder recorders[COUNT] = {{\n{recorders}}};\n"
    text += _FIND
    text += f"\nstatic const hr_handler handlers[COUNT] = {{\n{handlers}}};\n\n"
    text += f"static const uint8_t has_reply[COUNT] = {{\n{replies}}};\n\n"
    return text + (
        'const struct hr_family vk_family = {\n    .name = "vk",\n    .count = COUNT,\n'
        "    .handlers = handlers,\n    .opcode_name = vk_op_name,\n"
        "    .has_reply = has_reply,\n    .find = vk_dispatch_find,\n};\n"
    )


def emit(out: Output, lock: ir.Lock) -> None:
    includes = ('"host/vk_dispatch.h"', "", '"host/vk_handlers.h"', '"wire/vk_names.h"')
    out.source("host/vk_dispatch.c", "Dispatch of Vulkan.", includes, _table(lock))
