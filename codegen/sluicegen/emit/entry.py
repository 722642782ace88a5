"""guest/gles_entry.[ch], guest/gles_hand.h: what an application can call, by name.

A function is direct (generated here: pack, call when there is a reply, or ask when it is a query
whose refusal must not be seen in the application's memory) or hand-written (policy/guest.csv).
Internal and reserved commands have no entry of their own unless policy says that they are written
by hand.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence

from .. import ir, plan
from ..cwriter import GL_HEADERS, Output
from . import call, driver, lengths


# Its commands have numbers that hosts of ours alone know.
OWN = "glesx"


def _policy(model: ir.Model, command: ir.Command) -> Optional[ir.Policy]:
    for line in model.guest:
        if line.api == command.api and line.name == command.name:
            return line
    return None


def _size(param: ir.Param, command: ir.Command) -> str:
    assert param.length is not None

    def signed(name: str) -> bool:
        prim = command.param(name).type.prim
        return prim is not None and prim.signed

    rule = lengths.expression(
        param.length, lambda name: name, signed, lambda name: f"strlen({name})"
    )
    assert rule is not None, command.name
    return f"{param.name} != NULL ? byte_count({rule}) : 0"


def direct(command: ir.Command) -> bool:
    """Can the call be made from its arguments alone?"""
    if command.internal or command.reserved or "*" in command.returns:
        return False
    for p in command.params:
        if p.direction is ir.Direction.VALUE:
            continue
        if (
            p.length is None
            or p.gather
            or p.dma
            or lengths.expression(p.length, lambda n: n, lambda n: False, lambda n: n) is None
        ):
            return False
    return True


def _query(planned: plan.CommandPlan) -> str:
    """The reply goes to scratch memory first."""
    c = planned.command
    outputs = [s.param for s in planned.outputs]
    text = ""
    for p in outputs:
        text += f"    uint32_t {p.size_name} = {_size(p, c)};\n"
    total = " + ".join(p.size_name for p in outputs)
    text += f"    uint8_t *reply = ggl_scratch(c, (size_t)1 + {total});\n"
    text += "    if (reply == NULL) {\n        ggl_error(c, GL_OUT_OF_MEMORY);\n"
    text += "        return;\n    }\n"
    words, places, before = ["c"], {}, ""
    for p in outputs:
        places[p.name] = f"reply{before}"
        before += f" + {p.size_name}"
    for step in planned.request:
        p = step.param
        if p.name in places:
            words.append(f"{places[p.name]}, {p.size_name}")
        else:
            words.append(f"{p.name}, {_size(p, c)}" if isinstance(step, plan.Bytes) else p.name)
    text += f"    if ({c.api}_ask_{c.name}({', '.join(words)})) {{\n"
    for p in outputs:
        text += f"        give({p.name}, {places[p.name]}, {p.size_name});\n"
    return text + "    }\n}\n"


def _entry(planned: plan.CommandPlan) -> str:
    c = planned.command
    text = f"static {c.returns} entry_{c.name}({driver.signature(c)})\n{{\n"
    text += "    struct ggl_context *c = ggl_current();\n"
    text += "    if (SL_UNLIKELY(c == NULL)) {\n        return"
    text += ";\n    }\n" if planned.value is None else " 0;\n    }\n"
    if c.api == OWN:
        text += "    if (SL_UNLIKELY(!ggl_own(c))) {\n        return"
        text += ";\n    }\n" if planned.value is None else " 0;\n    }\n"
    if call.asks(planned):
        return text + _query(planned)
    words = ["c->stream" if c.has_reply else "gs_pack(c->stream)"]
    for step in planned.request:
        p = step.param
        if isinstance(step, plan.Scalar):
            words.append(
                f"(uint32_t)(uintptr_t){p.name}" if p.c_type == "GLeglImageOES" else p.name
            )
        elif isinstance(step, plan.Bytes):
            words.append(f"{p.name}, {_size(p, c)}")
        else:
            words.append(f"{p.name}, {_size(p, c)}")
    called = f"{c.api}_{'call' if c.has_reply else 'pack'}_{c.name}({', '.join(words)})"
    return text + (
        f"    {called};\n}}\n" if planned.value is None else f"    return {called};\n}}\n"
    )


def emit(out: Output, model: ir.Model, apis: Sequence[plan.ApiPlan]) -> Dict[str, bool]:
    """Returns every name that an application finds, and whether only a host of ours serves it."""
    found: Dict[str, str] = {}
    own: Dict[str, bool] = {}
    entries: List[str] = []
    hands: List[str] = []
    for planned in (c for api in apis for c in api.commands):
        c = planned.command
        policy = _policy(model, c)
        if policy is not None:
            if policy.how == "hand":
                found[c.name] = f"ggl_{c.name}"
                star = "" if c.returns.endswith("*") else " "
                hands.append(f"{c.returns}{star}ggl_{c.name}({driver.signature(c)});\n")
        elif direct(c):
            found[c.name] = f"entry_{c.name}"
            entries.append(_entry(planned))
        own[c.name] = c.api == OWN
    for alias in model.aliases:
        if alias.target in found:
            found.setdefault(alias.name, found[alias.target])
            own[alias.name] = own[alias.target]
    out.header(
        "guest/gles_hand.h",
        "GLES functions that are written by hand; why: policy/guest.csv.",
        GL_HEADERS,
        "".join(hands),
    )
    out.header(
        "guest/gles_entry.h",
        "GLES functions by name.",
        (),
        "struct ggl_proc {\n    const char *name;\n    void (*fn)(void);\n};\n\n"
        "/* The function that an application finds under this name, or NULL. Any thread. */\n"
        "const struct ggl_proc *ggl_proc_find(const char *name);\n",
    )
    sizes = lengths.functions(list(model.sizes))
    rows = "".join(f'    {{"{n}", (void (*)(void)){found[n]}}},\n' for n in sorted(found))
    body = "\n".join(sizes[k] for k in sorted(sizes)) + _HELPERS + "\n".join(entries)
    body += f"\nstatic const struct ggl_proc procs[] = {{\n{rows}}};\n" + _FIND
    out.source(
        "guest/gles_entry.c",
        "GLES functions by name.",
        (
            '"guest/gles_entry.h"',
            "",
            '"guest/gles/ggl_state.h"',
            *(f'"guest/{api.api.name}_{part}.h"' for api in apis for part in ("ask", "call")),
            '"guest/gles_hand.h"',
            *(f'"wire/{api.api.name}_pack.h"' for api in apis),
            "",
            "<stdlib.h>",
            "<string.h>",
        ),
        body,
    )
    return {name: own[name] for name in sorted(found)}


_HELPERS = """
/* A byte count as the wire has it; one past it can only come from a count that GL refuses: then
nothing is sent. */
static inline uint32_t byte_count(uint64_t bytes)
{
    return bytes <= UINT32_MAX / 2 ? (uint32_t)bytes : 0;
}

static inline void give(void *out, const void *reply, uint32_t size)
{
    if (size != 0) {
        memcpy(out, reply, size);
    }
}

"""

_FIND = """
static int compare(const void *name, const void *proc)
{
    return strcmp(name, ((const struct ggl_proc *)proc)->name);
}

const struct ggl_proc *ggl_proc_find(const char *name)
{
    return bsearch(name, procs, sizeof procs / sizeof procs[0], sizeof procs[0], compare);
}
"""


def emit_extensions(out: Output, model: ir.Model, entries: Dict[str, bool]) -> None:
    allowed = sorted(
        (e.name, any(entries[c] for c in e.commands))
        for e in model.extensions
        if not e.reason and all(c in entries for c in e.commands)
    )
    rows = "".join(f'    {{"{name}", {"true" if own else "false"}}},\n' for name, own in allowed)
    out.header(
        "guest/gl_extensions.h",
        "Extensions that are passed on.",
        ("<stdbool.h>", "<stddef.h>"),
        "/* Is this extension marshalled completely? own: to a host of ours. name need not end "
        "with a NUL. */\n"
        "bool ggl_extension_known(const char *name, size_t length, bool own);\n",
    )
    out.source(
        "guest/gl_extensions.c",
        "Extensions that are passed on.",
        ('"guest/gl_extensions.h"', "", "<string.h>"),
        "static const struct {\n    const char *name;\n    bool own; /* hosts of ours alone know "
        f"its commands */\n}} known[] = {{\n{rows}}};\n\n"
        "bool ggl_extension_known(const char *name, size_t length, bool own)\n{\n"
        "    size_t low = 0;\n    size_t high = sizeof known / sizeof known[0];\n"
        "    while (low < high) {\n        size_t middle = (low + high) / 2;\n"
        "        int order = strncmp(name, known[middle].name, length);\n"
        "        if (order == 0 && known[middle].name[length] == 0) {\n"
        "            return own || !known[middle].own;\n        }\n"
        "        if (order > 0) {\n            low = middle + 1;\n"
        "        } else {\n            high = middle;\n        }\n"
        "    }\n    return false;\n}\n",
    )
