#!/usr/bin/env python3
"""Every function of OpenGL ES 1.1, or 2.0 to 3.2, as a call with arguments to choose: gl.xml -> C.

usage: robust_gen.py --registry gl.xml --api gles1|gles2 --out robust_calls.c

A function's parameters become choices of robust.h: enums from the registry's group of the
parameter, names, sizes, memory. What may not be called with any argument stands in LEFT_OUT with
its reason.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Dict, List, Set

LEFT_OUT = {
    "glDebugMessageCallback": "its callback would be an address that is none",
    "glGetPointerv": "it gives an address",
    "glGetBufferPointerv": "it gives an address",
    "glMapBufferRange": "it gives an address",
    "glGetVertexAttribPointerv": "it gives an address",
    "glFenceSync": "it gives an address",
    "glDrawRangeElements": "drivers believe the range, and die of one that is wrong",
    "glDrawRangeElementsBaseVertex": "as glDrawRangeElements",
    "glFinish": "it has no argument and no answer",
    "glFlush": "it has no argument and no answer",
    "glClientWaitSync": "how long it takes decides what it answers",
    "glGetStringi": "the lists differ, which another test compares",
    "glGetString": "the lists differ, which another test compares",
}
HEADERS = {"gles1": "#include <GLES/gl.h>\n", "gles2": ""}
# The most enums of a group that are tried.
ENUMS_MAX = 48
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
    "GLubyte": "(GLubyte)robust_pick(r, 256)",
    "GLbitfield": "robust_bits(r)",
    "GLuint64": "robust_name(r)",
    "GLsync": "robust_sync(r)",
}


class Registry:
    def __init__(self, path: Path, api: str) -> None:
        root = ET.parse(path).getroot()
        self.commands = {c.findtext("proto/name", ""): c for c in root.iterfind("commands/command")}
        self.core: Set[str] = set()
        known: Set[str] = set()
        for feature in root.iterfind("feature"):
            if feature.get("api") == api:
                self.core |= {c.get("name", "") for c in feature.iterfind("require/command")}
                known |= {e.get("name", "") for e in feature.iterfind("require/enum")}
        self.groups: Dict[str, List[str]] = {}
        for enum in root.iterfind("enums/enum"):
            name = enum.get("name", "")
            if name in known:
                for group in (enum.get("group") or "").split(","):
                    self.groups.setdefault(group, []).append(name)

    def enums(self, group: str) -> List[str]:
        return sorted(set(self.groups.get(group, [])))[:ENUMS_MAX]


def spelled(node: ET.Element) -> str:
    """A type, without the name behind it."""
    words = "".join(node.itertext()).strip()
    return words[: -len(node.findtext("name", ""))].strip()


def argument(registry: Registry, param: ET.Element, tables: Dict[str, List[str]]) -> str:
    c_type = spelled(param)
    if "*" in c_type:
        if c_type.count("*") > 1:
            return "robust_texts(r)"
        if "const" not in c_type:
            return "robust_output(r)"
        return "robust_text(r)" if "GLchar" in c_type else "robust_input(r)"
    if c_type == "GLenum":
        group = param.get("group") or ""
        enums = registry.enums(group)
        if not enums:
            return "robust_enum(r, NULL, 0)"
        tables[group] = enums
        return f"robust_enum(r, group_{group}, COUNT(group_{group}))"
    return NUMBERS[c_type]


def call(registry: Registry, name: str, tables: Dict[str, List[str]]) -> str:
    command = registry.commands[name]
    proto = command.find("proto")
    assert proto is not None
    returns = spelled(proto)
    params = command.findall("param")
    types = [spelled(p) for p in params]
    text = f"static void call_{name}(struct robust *r)\n{{\n"
    names = []
    for index, param in enumerate(params):
        text += f"    {types[index]} a{index} = {argument(registry, param, tables)};\n"
        names.append(f"a{index}")
    if not params:
        text += "    (void)r;\n"
    called = f"{name}({', '.join(names)})"
    if returns == "void":
        return text + f"    {called};\n}}\n"
    return text + f"    robust_returned(r, (uint64_t){called});\n}}\n"


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
    names = sorted(registry.core - set(LEFT_OUT))
    calls = "\n".join(call(registry, name, tables) for name in names)
    groups = "".join(
        f"static const GLenum group_{group}[] = {{{', '.join(enums)}}};\n"
        for group, enums in sorted(tables.items())
    )
    rows = "".join(f'    {{"{name}", call_{name}}},\n' for name in names)
    args.out.write_text(
        "/* Generated by robust_gen.py from gl.xml. */\n"
        '#include "tests/integration/robust/robust.h"\n\n'
        f"{HEADERS[args.api]}\n"
        f"{groups}\n{calls}\nconst struct robust_call robust_calls[] = {{\n{rows}}};\n"
        "const int robust_call_count = COUNT(robust_calls);\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
