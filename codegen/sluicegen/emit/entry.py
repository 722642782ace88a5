"""guest/gles_entry.[ch], guest/gles_hand.h: what an application can call, by name.

A function is direct (generated here: pack, call when there is a reply, or ask when it is a query
whose refusal must not be seen in the application's memory) or hand-written (policy/guest.csv).
Internal and reserved commands have no entry of their own unless policy says that they are written
by hand.

A name is one function to applications, whatever the version of the current context. Functions of
GLES 1 are ggl1_X (guest/gles1_entry.h). Where GLES 2 has the name, too, its function comes first,
which sees no context of its own while one of GLES 1 is current: there a generated one calls
ggl1_X. Around a hand-written one stands a function that does so, unless policy's detail says
`forwards` (it calls ggl1_X itself) or `both` (it serves contexts of any version).
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

from .. import ir, plan
from ..cwriter import GL_HEADERS, Output
from . import call, driver, lengths


# Its commands have numbers that hosts of ours alone know.
OWN = "glesx"
FIXED = "gles1"
# A function of GLES 1 that GLES 2 has without this: either name is found in a context of either.
TWIN = "OES"
# Drivers do nothing at all where a query of this has no place for the answer.
SILENT = "glGetPointerv"
# What policy's detail says of a function whose name GLES 1 has, too.
FORWARDS = "forwards"
BOTH = "both"


def _policy(model: ir.Model, command: ir.Command) -> Optional[ir.Policy]:
    for line in model.guest:
        if line.api == command.api and line.name == command.name:
            return line
    return None


def _size(param: ir.Param, command: ir.Command, always: bool = False) -> str:
    """always: for a missing place, too."""
    assert param.length is not None

    def signed(name: str) -> bool:
        prim = command.param(name).type.prim
        return prim is not None and prim.signed

    rule = lengths.expression(
        param.length, lambda name: name, signed, lambda name: f"strlen({name})"
    )
    assert rule is not None, command.name
    return f"byte_count({rule})" if always else f"{param.name} != NULL ? byte_count({rule}) : 0"


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
        text += f"    uint32_t {p.size_name} = {_size(p, c, True)};\n"
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
            words.append(f"{places[p.name]}, {p.size_name}")  # asked even if nobody wants it
        else:
            words.append(f"{p.name}, {_size(p, c)}" if isinstance(step, plan.Bytes) else p.name)
    text += f"    if ({c.api}_ask_{c.name}({', '.join(words)})) {{\n"
    for p in outputs:
        text += f"        give({p.name}, {places[p.name]}, {p.size_name});\n"
    return text + "    }\n}\n"


def _no_context(planned: plan.CommandPlan, other: str) -> str:
    """What a function does when no context of its own is current; other: who looks for one. One of
    another version refuses it."""
    c = planned.command
    if other:
        names = ", ".join(p.name for p in c.params)
        if planned.value is not None:
            return f"        return {other}({names});\n    }}\n"
        return f"        {other}({names});\n        return;\n    }}\n"
    return _ABSENT + ("" if planned.value is None else " 0") + ";\n    }\n"


_ABSENT = "        (void)ggl_absent();\n        return"


def _entry(planned: plan.CommandPlan, name: str, current: str, other: str) -> str:
    c = planned.command
    linkage = "" if c.api == FIXED else "static "
    text = f"{linkage}{c.returns} {name}({driver.signature(c)})\n{{\n"
    text += f"    struct ggl_context *c = {current};\n"
    text += "    if (SL_UNLIKELY(c == NULL)) {\n" + _no_context(planned, other)
    if c.api == OWN:
        text += "    if (SL_UNLIKELY(!ggl_own(c))) {\n" + _no_context(planned, "")
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


def _choice(c: ir.Command, fixed: str) -> str:
    """A hand-written function of GLES 2 or, without a context of that, GLES 1's."""
    names = ", ".join(p.name for p in c.params)
    text = f"static {c.returns} choose_{c.name}({driver.signature(c)})\n{{\n"
    text += "    if (SL_LIKELY(ggl_current_context != NULL)) {\n"
    ours, other = f"ggl_{c.name}({names});\n", f"{fixed}({names});\n"
    if c.returns != "void":
        return text + f"        return {ours}    }}\n    return {other}}}\n"
    return text + f"        {ours}        return;\n    }}\n    {other}}}\n"


def _refusal(c: ir.Command, version: str) -> str:
    """A hand-written function of one version or, in a context of the other one, the error."""
    names = ", ".join(p.name for p in c.params)
    give = "" if c.returns == "void" else "return "
    end = "\n        return;" if c.returns == "void" else ""
    text = f"static {c.returns} refuse_{c.name}({driver.signature(c)})\n{{\n"
    text += (
        f"    if (SL_LIKELY({version}_current_context != NULL) || ggl_lost_context != NULL) {{\n"
    )
    text += f"        {give}{version}_{c.name}({names});"
    text += f"{end}\n    }}\n    (void)ggl_absent();\n"
    return text + ("" if c.returns == "void" else "    return 0;\n") + "}\n"


def _is_place(p: ir.Param) -> bool:
    """Is it where a few values are, which must be there?"""
    if "*" not in p.c_type or p.nullable or p.c_type.startswith("const void"):
        return False
    return lengths.is_small(p.length) if p.length is not None else p.c_type == "void **"


def _instead(p: ir.Param) -> str:
    """What a function is given instead of a NULL; empty: NULL."""
    if isinstance(p.length, ir.Binary) and "strlen" in repr(p.length):
        return '""'
    if not _is_place(p):
        return ""
    return "(const void *)zeros" if "const" in p.c_type else "ggl_nowhere()"


def _given(c: ir.Command, found: str) -> str:
    """A hand-written function that never gets a NULL for a text or for few values: the driver's
    error comes before it would read or write there. Empty: it has no such parameter."""
    if c.name == SILENT or not any(_instead(p) for p in c.params):
        return ""
    names = ", ".join(
        f"{p.name} != NULL ? {p.name} : {_instead(p)}" if _instead(p) else p.name for p in c.params
    )
    give = "" if c.returns == "void" else "return "
    return (
        f"static {c.returns} given_{c.name}({driver.signature(c)})\n{{\n"
        f"    {give}{found}({names});\n}}\n"
    )


def _declaration(c: ir.Command, prefix: str) -> str:
    star = "" if c.returns.endswith("*") else " "
    return f"{c.returns}{star}{prefix}_{c.name}({driver.signature(c)});\n"


class _Entries:
    """What is gathered command by command."""

    def __init__(self, model: ir.Model) -> None:
        self.model = model
        self.found: Dict[str, str] = {}
        self.own: Dict[str, bool] = {}
        self.fixed: Dict[str, bool] = {}  # what contexts of GLES 1 have
        self.bodies: List[str] = []
        self.hands: List[str] = []
        self.fixed_declared: List[str] = []

    def add_fixed(self, api: plan.ApiPlan) -> None:
        for planned in api.commands:
            c = planned.command
            policy = _policy(self.model, c)
            how = policy.how if policy is not None else "direct"
            if how == "absent" or (how == "direct" and not direct(c)):
                continue
            self.fixed[c.name] = False
            if policy is not None and policy.detail == BOTH:
                continue
            self.found[c.name] = f"ggl1_{c.name}"
            self.fixed_declared.append(_declaration(c, "ggl1"))
            if how == "direct":
                self.bodies.append(_entry(planned, f"ggl1_{c.name}", "ggl1_current_context", ""))

    def refuse(self, api: plan.ApiPlan) -> None:
        """Behind all others: functions of one version, where they do not refuse by themselves."""
        for name in self.fixed:
            twin = name[: -len(TWIN)]
            if name.endswith(TWIN) and name not in self.own and twin in self.own:
                self.found[name] = self.found[twin]
        for c in (planned.command for planned in api.commands):
            version = "ggl1" if c.api == FIXED else "ggl"
            policy = _policy(self.model, c)
            by_hand = policy is not None and policy.how == "hand" and policy.detail == ""
            names = {c.name} | {a.name for a in self.model.aliases if a.target == c.name}
            both = version == "ggl" and bool(names & set(self.fixed))
            if by_hand and not both and self.found.get(c.name) == f"{version}_{c.name}":
                self.found[c.name] = f"refuse_{c.name}"
                self.bodies.append(_refusal(c, version))

    def give(self, api: plan.ApiPlan) -> None:
        """Around all others: what gets no NULL."""
        for c in (planned.command for planned in api.commands):
            found = self.found.get(c.name, "")
            policy = _policy(self.model, c)
            by_hand = policy is not None and policy.how == "hand"
            if by_hand and found and not found.startswith("given"):
                text = _given(c, found)
                if text:
                    self.found[c.name] = f"given_{c.name}"
                    self.bodies.append(text)

    def add(self, planned: plan.CommandPlan) -> None:
        c = planned.command
        policy = _policy(self.model, c)
        fixed = next((p for p in self.model.guest if p.api == FIXED and p.name == c.name), None)
        detail = fixed.detail if fixed is not None else ""
        other = self.found.get(c.name, "")
        if not other and c.name + TWIN in self.fixed:
            other = self.found.get(c.name + TWIN, "")
        if policy is not None and policy.detail == BOTH:
            self.fixed[c.name] = c.api == OWN
            detail = BOTH
        if policy is not None and policy.how == "hand":
            self.hands.append(_declaration(c, "ggl"))
            self.found[c.name] = f"ggl_{c.name}"
            if other and detail != FORWARDS:
                self.found[c.name] = f"choose_{c.name}"
                self.bodies.append(_choice(c, other))
        elif (policy is None or policy.how == "direct") and direct(c):
            self.found[c.name] = f"entry_{c.name}"
            current = "ggl_any()" if detail == BOTH else "ggl_current_context"
            self.bodies.append(_entry(planned, f"entry_{c.name}", current, other))
        self.own[c.name] = c.api == OWN


def emit(
    out: Output, model: ir.Model, fixed: plan.ApiPlan, apis: Sequence[plan.ApiPlan]
) -> Tuple[Dict[str, bool], Dict[str, bool]]:
    """Returns every name that an application finds, and whether only a host of ours serves it; and
    the same of a context of GLES 1."""
    e = _Entries(model)
    e.add_fixed(fixed)
    for planned in (c for api in apis for c in api.commands):
        e.add(planned)
    for api in (fixed, *apis):
        e.refuse(api)
    for api in (fixed, *apis):
        e.give(api)
    for alias in model.aliases:
        if alias.target in e.found:
            e.found.setdefault(alias.name, e.found[alias.target])
            e.own[alias.name] = e.own.get(alias.target, False)
            if alias.target in e.fixed:
                e.fixed[alias.name] = e.fixed[alias.target]
    out.header(
        "guest/gles_hand.h",
        "GLES functions that are written by hand; why: policy/guest.csv.",
        GL_HEADERS,
        "".join(e.hands),
    )
    out.header(
        "guest/gles1_entry.h",
        "The functions of GLES 1, of which policy/guest.csv says which are written by hand.",
        GL_HEADERS,
        "".join(e.fixed_declared),
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
    names = {d.name: e.found[d.target] if d.target else "ggl_absent" for d in model.desktop}
    names.update(e.found)
    rows = "".join(f'    {{"{n}", (void (*)(void)){names[n]}}},\n' for n in sorted(names))
    body = "\n".join(sizes[k] for k in sorted(sizes)) + _HELPERS + "\n".join(e.bodies)
    body += f"\nstatic const struct ggl_proc procs[] = {{\n{rows}}};\n" + _FIND
    families = [api.api.name for api in (fixed, *apis)]
    out.source(
        "guest/gles_entry.c",
        "GLES functions by name.",
        (
            '"guest/gles_entry.h"',
            "",
            '"guest/gles/ggl_state.h"',
            '"guest/gles1_entry.h"',
            *(f'"guest/{name}_{part}.h"' for name in families for part in ("ask", "call")),
            '"guest/gles_hand.h"',
            *(f'"wire/{name}_pack.h"' for name in families),
            "",
            "<stdlib.h>",
            "<string.h>",
        ),
        body,
    )
    found = {name: e.own.get(name, False) for name in sorted(e.found)}
    return found, e.fixed


_HELPERS = """
/* A byte count as the wire has it; one past it can only come from a count that GL refuses: then
nothing is sent. */
static inline uint32_t byte_count(uint64_t bytes)
{
    return bytes <= UINT32_MAX / 2 ? (uint32_t)bytes : 0;
}

/* For values that are not there. */
static const uint64_t zeros[16];

static inline void give(void *out, const void *reply, uint32_t size)
{
    if (out != NULL && size != 0) {
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


def _known(extensions: Sequence[ir.Extension], entries: Dict[str, bool]) -> List[Tuple[str, bool]]:
    return sorted(
        (e.name, any(entries[c] for c in e.commands))
        for e in extensions
        if not e.reason and all(c in entries for c in e.commands)
    )


def emit_extensions(
    out: Output, model: ir.Model, entries: Dict[str, bool], fixed: Dict[str, bool]
) -> None:
    tables = ""
    lists = (("known", model.extensions, entries), ("known1", model.extensions1, fixed))
    for name, extensions, functions in lists:
        rows = "".join(
            f'    {{"{n}", {"true" if own else "false"}}},\n'
            for n, own in _known(extensions, functions)
        )
        tables += f"static const struct extension {name}[] = {{\n{rows}}};\n\n"
    out.header(
        "guest/gl_extensions.h",
        "Extensions that are passed on.",
        ("<stdbool.h>", "<stddef.h>"),
        "/* Is this extension marshalled completely? own: to a host of ours. name need not end "
        "with a NUL. */\n"
        "bool ggl_extension_known(const char *name, size_t length, bool own);\n"
        "/* The same of a context of GLES 1. */\n"
        "bool ggl1_extension_known(const char *name, size_t length, bool own);\n",
    )
    out.source(
        "guest/gl_extensions.c",
        "Extensions that are passed on.",
        ('"guest/gl_extensions.h"', "", "<string.h>"),
        "struct extension {\n    const char *name;\n    bool own; /* hosts of ours alone know "
        f"its commands */\n}};\n\n{tables}" + _KNOWN,
    )


_KNOWN = """static bool find(const struct extension *list, size_t count, const char *name,
                 size_t length, bool own)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(name, list[middle].name, length);
        if (order == 0 && list[middle].name[length] == 0) {
            return own || !list[middle].own;
        }
        if (order > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

bool ggl_extension_known(const char *name, size_t length, bool own)
{
    return find(known, sizeof known / sizeof known[0], name, length, own);
}

bool ggl1_extension_known(const char *name, size_t length, bool own)
{
    return find(known1, sizeof known1 / sizeof known1[0], name, length, own);
}
"""
