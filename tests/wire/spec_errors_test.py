"""One bad table per diagnostic of the generator: each is refused with its place, its entity and
what is wrong.

usage: spec_errors_test.py --codegen FOLDER [unittest's own]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Tuple

CODEGEN = Path()

CLEAR = "2063,glClear,state,void,GLbitfield mask,"
DELETE = "glDeleteTextures,texture,void,GLsizei n; in const GLuint *textures[n*4],"

# file, what stands there, what comes in its place, the diagnostic behind file and line
CASES: Tuple[Tuple[str, str, str, str], ...] = (
    (
        "spec/gles2.csv",
        "opcode,name",
        "opcode,nam",
        "title: columns should be opcode,name,family,returns,params,flags",
    ),
    ("spec/gles2.csv", CLEAR, CLEAR + ",x", "2063: 7 columns, should be 6"),
    (
        "spec/gles2.csv",
        CLEAR,
        CLEAR.replace("2063", "one"),
        "glClear: opcode 'one' is not a number",
    ),
    ("spec/gles2.csv", CLEAR, CLEAR.replace("2063", "2064"), "glClear: opcode 2064 should be 2063"),
    (
        "spec/gles2.csv",
        CLEAR,
        CLEAR.replace("glClear", "glActiveTexture"),
        "glActiveTexture: stands twice",
    ),
    ("spec/gles2.csv", CLEAR, CLEAR + "quick", "glClear: unknown flag 'quick'"),
    (
        "spec/gles2.csv",
        CLEAR,
        CLEAR.replace("GLbitfield", "GLbits"),
        "glClear: mask: unknown type 'GLbits'",
    ),
    (
        "spec/gles2.csv",
        CLEAR,
        CLEAR.replace("GLbitfield mask", "mask"),
        "glClear: 'mask' is not a parameter",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("4],", "4] nul,"),
        "glDeleteTextures: textures: unknown flag 'nul'",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "m*4"),
        "glDeleteTextures: length names unknown parameter 'm'",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "paramSize(m)"),
        "glDeleteTextures: length names unknown parameter 'm'",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "bytes(n)"),
        "glDeleteTextures: length calls unknown function 'bytes'",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "n-4"),
        "glDeleteTextures: textures: 'n-4' is not a length: unexpected '-'",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "n*"),
        "glDeleteTextures: textures: 'n*' is not a length: 'a value' is missing",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "(n"),
        "glDeleteTextures: textures: '(n' is not a length: ')' is missing",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "n*)"),
        "glDeleteTextures: textures: 'n*)' is not a length: unexpected ')'",
    ),
    (
        "spec/gles2.csv",
        DELETE,
        DELETE.replace("n*4", "n 4"),
        "glDeleteTextures: textures: 'n 4' is not a length: unexpected '4'",
    ),
    (
        "spec/sizes.csv",
        "GL_DEPTH_RANGE,2",
        "GL_DEPTH_RANGE,two",
        "GL_DEPTH_RANGE: 'two' is not a number of base 10",
    ),
    (
        "spec/enums.csv",
        "GL_LINES,0x0001",
        "GL_LINES,one",
        "GL_LINES: 'one' is not a number of base 16",
    ),
    (
        "spec/enums.csv",
        "GL_LINES,0x0001",
        "GL_LINES,0x0000",
        "GL_LINES: 0x0000 has a name in this group already",
    ),
    (
        "spec/groups.csv",
        "glGetError,return,ErrorCode",
        "glGetError,return,Errors",
        "glGetError: no enum is of group 'Errors'",
    ),
    (
        "spec/groups.csv",
        "glGetError,return",
        "glGetErr,return",
        "glGetErr: no command has a parameter 'return'",
    ),
    (
        "spec/aliases.csv",
        "glBlendFunciOES,glBlendFunciEXT",
        "glBlendFunciOES,glBlendFunci",
        "glBlendFunciOES: target 'glBlendFunci' is no command",
    ),
    (
        "policy/host.csv",
        "gles1,glBindBuffer,hand",
        "gles1,glBindBuffers,hand",
        "glBindBuffers: no such command in gles1",
    ),
    (
        "policy/host.csv",
        "gles1,glBindBuffer,hand",
        "gles1,glBindBuffer,foot",
        "glBindBuffer: 'foot' is not a policy; hand, refuse, absent, direct or guard",
    ),
    (
        "policy/host.csv",
        "glDepthRangeArrayfvOES,guard,first=hgl_first(first count)",
        "glDepthRangeArrayfvOES,guard,first",
        "glDepthRangeArrayfvOES: 'first' is no 'param=function(params)'",
    ),
    (
        "policy/host.csv",
        "glDepthRangeArrayfvOES,guard,first=hgl_first(first count)",
        "glDepthRangeArrayfvOES,guard,first=hgl_first(first v)",
        "glDepthRangeArrayfvOES: a guard names 'v', which is no scalar",
    ),
    (
        "policy/guest.csv",
        "glBindBuffer,hand,,bindings decide between pointer and offset",
        "glBindBuffer,hand,,",
        "glBindBuffer: a policy needs its reason",
    ),
    (
        "policy/guest.csv",
        "glBindBuffer,hand,forwards,",
        "glBindBuffer,hand,forward,",
        "glBindBuffer: 'forward' is no detail; forwards, both or nothing",
    ),
)


class Diagnostics(unittest.TestCase):
    maxDiff = None

    def test_each_bad_table_is_refused(self) -> None:
        sys.path.insert(0, str(CODEGEN))
        from sluicegen import check
        from sluicegen.errors import SpecError
        from sluicegen.read.policy import read_model

        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / "codegen"
            for folder in ("spec", "policy"):
                shutil.copytree(CODEGEN / folder, root / folder)
            check.check(read_model(root))
            for name, old, new, want in CASES:
                with self.subTest(want):
                    good = (root / name).read_text(encoding="utf-8")
                    self.assertEqual(1, good.count(old), f"{name} has no single '{old}'")
                    (root / name).write_text(good.replace(old, new), encoding="utf-8")
                    line = good[: good.index(old)].count("\n") + 1
                    with self.assertRaises(SpecError) as caught:
                        check.check(read_model(root))
                    self.assertEqual(f"{Path(name).name}:{line}: {want}", str(caught.exception))
                    (root / name).write_text(good, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--codegen", type=Path, required=True)
    args, rest = parser.parse_known_args()
    CODEGEN = args.codegen
    unittest.main(argv=[sys.argv[0], *rest])
