#!/usr/bin/env python3
"""Every function of OpenGL ES 1.1, or 2.0 to 3.2, and of their extensions, as a call with arguments
to choose: gl.xml -> C.

usage: robust_gen.py --registry gl.xml --api gles1|gles2 --out robust_calls.c

A function's parameters become choices of robust.h: enums and bits from the registry's group of the
parameter, names, sizes, memory. What may not be called with any argument stands in LEFT_OUT with
its reason. Beside the calls stands every enum of the API: any of them may be what a function is
asked for.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Dict, List, Set

RANGE = "drivers believe the range, and die of one that is wrong"
LISTS = "the lists differ, which another test compares"
LEFT_OUT = {
    "glDrawRangeElements": RANGE,
    "glDrawRangeElementsBaseVertex": RANGE,
    "glDrawRangeElementsBaseVertexEXT": RANGE,
    "glDrawRangeElementsBaseVertexOES": RANGE,
    "glFinish": "it has no argument and no answer",
    "glFlush": "it has no argument and no answer",
    "glGetStringi": LISTS,
    "glGetString": LISTS,
}
HEADERS = {"gles1": "#include <GLES/gl.h>\n", "gles2": ""}
# Parameters that say where memory is read from, which must be there.
NEAR = ("first", "basevertex", "baseVertex", "start", "length")
NUMBERS = {
    "GLint": "robust_int(r)",
    "GLsizei": "robust_size(r)",
    "GLintptr": "robust_int(r)",
    "GLsizeiptr": "robust_size(r)",
    "GLuint": "robust_name(r)",
    "GLboolean": "(GLboolean)robust_pick(r, 2)",
    "GLfloat": "robust_float(r)",
    "GLclampf": "robust_float(r)",
    "GLfixed": "robust_fixed(r)",
    "GLclampx": "robust_fixed(r)",
    "GLshort": "(GLshort)robust_near(r)",
    "GLubyte": "(GLubyte)robust_pick(r, 256)",
    "GLuint64": "robust_name(r)",
    "GLsync": "robust_sync(r)",
    "GLDEBUGPROC": "robust_told(r)",
    "GLDEBUGPROCKHR": "robust_told(r)",
    "GLeglImageOES": "robust_image(r)",
}


class Registry:
    def __init__(self, path: Path, api: str) -> None:
        root = ET.parse(path).getroot()
        self.commands = {c.findtext("proto/name", ""): c for c in root.iterfind("commands/command")}
        self.core: Set[str] = set()
        # By command: the extensions that have it.
        self.extensions: Dict[str, List[str]] = {}
        known: Set[str] = set()
        for feature in root.iterfind("feature"):
            if feature.get("api") == api:
                self.core |= {c.get("name", "") for c in feature.iterfind("require/command")}
                known |= {e.get("name", "") for e in feature.iterfind("require/enum")}
        for extension in root.iterfind("extensions/extension"):
            if api in (extension.get("supported") or "").split("|"):
                for required in extension.iterfind("require"):
                    if required.get("api") in (None, api):
                        self.require(extension.get("name", ""), required)
                        known |= {e.get("name", "") for e in required.iterfind("enum")}
        self.groups: Dict[str, List[str]] = {}
        self.values: Set[int] = set()
        for enum in root.iterfind("enums/enum"):
            name, value = enum.get("name", ""), int(enum.get("value", "0"), 0)
            if name not in known or value >= 1 << 32:
                continue
            self.values.add(value)
            for group in (enum.get("group") or "").split(","):
                self.groups.setdefault(group, []).append(f"0x{value:x}")

    def require(self, extension: str, required: ET.Element) -> None:
        for command in required.iterfind("command"):
            name = command.get("name", "")
            if name not in self.core:
                self.extensions.setdefault(name, []).append(extension)

    def enums(self, group: str) -> List[str]:
        return sorted(set(self.groups.get(group, [])), key=lambda value: int(value, 0))


def spelled(node: ET.Element) -> str:
    """A type, without the name behind it."""
    words = "".join(node.itertext()).strip()
    return words[: -len(node.findtext("name", ""))].strip()


def memory(c_type: str) -> str:
    if c_type.count("*") > 1 and "const" not in c_type:
        return "robust_address(r)"
    if c_type.count("*") > 1:
        return f"({c_type})robust_{'texts' if 'GLchar' in c_type else 'inputs'}(r)"
    if "const" not in c_type:
        return "robust_output(r)"
    return "robust_text(r)" if "GLchar" in c_type else "robust_input(r)"


def argument(registry: Registry, param: ET.Element, tables: Dict[str, List[str]]) -> str:
    """Empty: no choice for it."""
    c_type, name = spelled(param), param.findtext("name", "")
    if "*" in c_type:
        return memory(c_type)
    if c_type in ("GLenum", "GLbitfield"):
        group = param.get("group") or ""
        enums = registry.enums(group)
        choose = "robust_enum" if c_type == "GLenum" else "robust_bits"
        if not group or not enums:
            return f"{choose}(r, NULL, 0)"
        tables[group] = enums
        return f"{choose}(r, group_{group}, COUNT(group_{group}))"
    if c_type in ("GLint", "GLintptr") and name in NEAR:
        return "robust_near(r)"
    return NUMBERS.get(c_type, "")


def call(registry: Registry, name: str, tables: Dict[str, List[str]]) -> str:
    """Empty: it cannot be called from here."""
    command = registry.commands[name]
    proto = command.find("proto")
    assert proto is not None
    returns = spelled(proto)
    params = command.findall("param")
    types = [spelled(p) for p in params]
    chosen = [argument(registry, p, tables) for p in params]
    if not all(chosen):
        return ""
    text = f"static void call_{name}(struct robust *r)\n{{\n"
    for index, c_type in enumerate(types):
        text += f"    {c_type} a{index} = {chosen[index]};\n"
    text += "    if (!robust_may_go(r)) {\n        return;\n    }\n"
    called = name
    if name not in registry.core:
        text += f"    {returns} (GL_APIENTRYP call)({', '.join(types) or 'void'});\n"
        text += f'    call = (__typeof__(call))robust_proc("{name}");\n'
        called = "call"
    called += f"({', '.join(f'a{i}' for i in range(len(params)))})"
    if returns == "void":
        return text + f"    {called};\n}}\n"
    if returns == "GLsync" or "*" in returns:
        called += " != NULL"
    return text + f"    robust_returned(r, (uint64_t)({called}));\n}}\n"


def pointers(registry: Registry, name: str) -> int:
    return sum("*" in spelled(param) for param in registry.commands[name].findall("param"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--registry", type=Path, required=True)
    parser.add_argument("--api", choices=("gles1", "gles2"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    registry = Registry(args.registry, args.api)
    unknown = sorted(set(LEFT_OUT) - set(registry.commands))
    if unknown:
        print(f"robust_gen.py: {unknown[0]} is left out, but there is none", file=sys.stderr)
        return 1
    tables: Dict[str, List[str]] = {}
    names = sorted((registry.core | set(registry.extensions)) - set(LEFT_OUT))
    calls = {name: call(registry, name, tables) for name in names}
    groups = "".join(
        f"static const GLenum group_{group}[] = {{{', '.join(enums)}}};\n"
        for group, enums in sorted(tables.items())
    )
    rows = "".join(
        f'    {{"{name}", "{" ".join(sorted(registry.extensions.get(name, [])))}", '
        f'{f"call_{name}" if text else "NULL"}, {pointers(registry, name)}}},\n'
        for name, text in calls.items()
    )
    values = ", ".join(f"0x{value:x}" for value in sorted(registry.values))
    args.out.write_text(
        "/* Generated by robust_gen.py from gl.xml. */\n"
        '#include "tests/integration/robust/robust.h"\n\n'
        f"{HEADERS[args.api]}#include <GLES2/gl2ext.h>\n\n"
        f"{groups}\n{chr(10).join(text for text in calls.values() if text)}\n"
        f"const GLenum robust_values[] = {{{values}}};\n"
        "const int robust_value_count = COUNT(robust_values);\n\n"
        f"const struct robust_call robust_calls[] = {{\n{rows}}};\n"
        "const int robust_call_count = COUNT(robust_calls);\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
