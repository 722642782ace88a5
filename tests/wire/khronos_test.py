"""The spec tables against Khronos' registry (Debian's khronos-api): signatures, lengths, values of
enums.

usage: khronos_test.py --codegen FOLDER --registry gl.xml [unittest's own]

What differs on purpose is listed here, each with its reason; a line that no longer differs fails
too.
"""

from __future__ import annotations

import argparse
import re
import sys
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Tuple

if TYPE_CHECKING:
    from sluicegen import ir

CODEGEN = Path()
REGISTRY = Path()


# Commands that the registry does not know.
UNKNOWN = {
    "glMultiDrawArraysSUN": "a vendor's name of glMultiDrawArraysEXT",
    "glMultiDrawElementsSUN": "as glMultiDrawArraysSUN",
    "glDrawArraysNullAEMU": "an emulator's extension: a draw that is not drawn",
    "glDrawElementsNullAEMU": "as glDrawArraysNullAEMU",
}

# Lengths that are not the registry's.
OTHER_LENGTHS = {
    (
        "glGetVertexAttribfv",
        "params",
    ): "the registry says 4 whatever the name; the wire carries what the name has",
    ("glGetVertexAttribiv", "params"): "as glGetVertexAttribfv",
    ("glGetVertexAttribIiv", "params"): "the registry says 1, though CURRENT_VERTEX_ATTRIB has 4",
    ("glGetVertexAttribIuiv", "params"): "as glGetVertexAttribIiv",
    (
        "glGetDriverControlStringQCOM",
        "driverControlString",
    ): "upstream's packer sends 1; never called",
}

# Parameters that are spelled otherwise: ours:theirs, by the reason. Names are no part of the wire.
SPELLINGS = {
    "gl.xml shortens them": "zNear:n zFar:f left:l right:r bottom:b top:t depth:d red:r green:g "
    "blue:b alpha:a plane:p equation:eqn",
    "gl.xml numbers components where the headers of OpenGL ES name them, or the other way round": (
        "x:v0 y:v1 z:v2 w:v3 v:value values:v v0:x v1:y v2:z v3:w indx:index"
    ),
    "gl.xml has the names of OpenGL, ours are those of OpenGL ES' first headers": (
        "params:param params:data env:target target:texture fail:sfail zfail:dpfail zpass:dppass "
        "srcRGB:sfactorRGB dstRGB:dfactorRGB srcAlpha:sfactorAlpha dstAlpha:dfactorAlpha "
        "ptr:pointer internalFormat:internalformat drawBuffer:drawbuffer data:pixels n:count "
        "primcount:instancecount"
    ),
    "upstream's handlers, which ours are compared with, have these": (
        "bufSize:count query:id queries:ids cap:target index:buf wait_on:sync to_delete:sync "
        "sfactor:src dfactor:dst"
    ),
}

# Extensions that Mesa names and the registry's file does not, with what they are: none brings a
# command.
UNLISTED_EXTENSIONS = {
    "GL_EXT_compressed_ETC1_RGB8_sub_texture": "parts of an ETC1 texture may be replaced",
    "GL_EXT_frag_depth": "a shader may write the depth",
    "GL_NV_pack_subimage": "names of OpenGL ES 3 for rows of packed pixels",
    "GL_OES_EGL_sync": "EGL's fences may be put between GL's commands",
    "GL_OES_depth_texture_cube_map": "a cube map may hold depth",
}


def plain(c_type: str) -> str:
    """A type with one spelling: `const GLuint *` -> `constGLuint*`."""
    return "".join(c_type.split())


class Function:
    """A command as the registry has it."""

    def __init__(self, node: ET.Element) -> None:
        proto = node.find("proto")
        assert proto is not None
        self.returns = self._type(proto)
        self.params: List[Tuple[str, str, Optional[str]]] = []
        for param in node.findall("param"):
            self.params.append((param.findtext("name", ""), self._type(param), param.get("len")))

    @staticmethod
    def _type(node: ET.Element) -> str:
        words = "".join(node.itertext()).strip()
        return plain(words[: -len(node.findtext("name", ""))])


def spelled(rule: str, theirs: List[str], ours: List[str]) -> Tuple["ir.Length", int]:
    """A rule of the registry with our names of the parameters; it counts elements, or a divisor's
    parts of them."""
    from sluicegen.read import length

    for their, our in zip(theirs, ours):
        rule = re.sub(rf"\b{their}\b", our, rule)
    rule, _, divisor = rule.partition(" / ")
    return length.parse(rule), int(divisor or 1)


def value(length: "ir.Length", numbers: Dict[str, int]) -> Optional[int]:
    """None: it calls a function, which the registry has no rule for."""
    from sluicegen import ir

    if isinstance(length, ir.Const):
        return length.value
    if isinstance(length, ir.Ref):
        return numbers[length.param]
    if isinstance(length, ir.Call):
        return None
    left, right = value(length.left, numbers), value(length.right, numbers)
    if left is None or right is None:
        return None
    return {"+": left + right, "*": left * right, ">>": left >> (right & 63)}[length.op]


def same(command: "ir.Command", param: "ir.Param", elements: "ir.Length", divisor: int) -> bool:
    """Our bytes are their elements, whatever the arguments are."""
    element = param.type.element
    size = element.prim.size if element is not None and element.prim is not None else 1
    for start in (0, 1, 7, 1000):
        numbers = {p.name: start * (index + 1) * divisor for index, p in enumerate(command.params)}
        theirs = value(elements, numbers)
        assert param.length is not None and theirs is not None
        if value(param.length, numbers) != theirs * size // divisor:
            return False
    return True


def registry() -> Tuple[Dict[str, Function], Dict[str, int]]:
    root = ET.parse(REGISTRY).getroot()
    functions = {
        n.findtext("proto/name", ""): Function(n) for n in root.iterfind("commands/command")
    }
    enums = {
        n.get("name", ""): int(n.get("value", "0"), 0)
        for n in root.iterfind("enums/enum")
        if n.get("api") != "gl"
    }
    return functions, enums


class Khronos(unittest.TestCase):
    maxDiff = None
    model: "ir.Model"
    functions: Dict[str, Function]
    enums: Dict[str, int]

    @classmethod
    def setUpClass(cls) -> None:
        sys.path.insert(0, str(CODEGEN))
        from sluicegen.read.policy import read_model

        cls.model = read_model(CODEGEN)
        cls.functions, cls.enums = registry()

    def commands(self) -> Iterator["ir.Command"]:
        for api in ("gles1", "gles2", "glesx"):
            yield from (c for c in self.model.api(api).commands if not c.internal)

    def test_signatures(self) -> None:
        missing = set()
        for c in self.commands():
            f = self.functions.get(c.name)
            if f is None:
                missing.add(c.name)
                continue
            with self.subTest(c.name):
                self.assertEqual([t for _, t, _ in f.params], [plain(p.c_type) for p in c.params])
                self.assertEqual(f.returns, plain(c.returns))
        self.assertEqual(set(UNKNOWN), missing)

    def test_spellings(self) -> None:
        different = {}
        for c in self.commands():
            f = self.functions.get(c.name)
            for ours, (theirs, _, _) in zip(c.params, f.params if f is not None else ()):
                if ours.name != theirs:
                    different[f"{ours.name}:{theirs}"] = c.name
        listed = {pair for pairs in SPELLINGS.values() for pair in pairs.split()}
        unlisted = {pair: where for pair, where in different.items() if pair not in listed}
        self.assertEqual({}, unlisted)
        self.assertEqual(set(), listed - set(different))

    def test_extensions(self) -> None:
        registered = {
            n.get("name") for n in ET.parse(REGISTRY).getroot().iterfind("extensions/extension")
        }
        ours = {e.name for e in self.model.extensions}
        self.assertGreater(len(ours), 200)
        self.assertEqual(set(UNLISTED_EXTENSIONS), ours - registered)

    def test_lengths(self) -> None:
        compared, different = 0, set()
        for c in self.commands():
            f = self.functions.get(c.name)
            if f is None or c.reserved:
                continue
            for ours, (name, _, rule) in zip(c.params, f.params):
                if ours.length is None or rule is None or "COMPSIZE" in rule:
                    continue
                theirs, divisor = spelled(
                    rule, [n for n, _, _ in f.params], [p.name for p in c.params]
                )
                compared += 1
                if not same(c, ours, theirs, divisor):
                    different.add((c.name, ours.name))
        self.assertEqual(set(OTHER_LENGTHS), different)
        self.assertGreater(compared, 150)

    def test_enums(self) -> None:
        named = [e for e in self.model.enums if not e.name.startswith("EGL_")]
        self.assertGreater(len(named), 1500)
        for e in named:
            self.assertEqual((e.name, self.enums.get(e.name)), (e.name, e.value))
        for size in self.model.sizes:
            self.assertIn(size.enum, self.enums)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--codegen", type=Path, required=True)
    parser.add_argument("--registry", type=Path, required=True)
    args, rest = parser.parse_known_args()
    if not args.registry.is_file():
        sys.exit("khronos_test.py: there is no gl.xml; install Debian's package khronos-api")
    CODEGEN, REGISTRY = args.codegen, args.registry
    unittest.main(argv=[sys.argv[0], *rest])
