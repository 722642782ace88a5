"""Each lint must be able to fail: one bad input per complaint."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import attack_cases
import commits
import includes

HERE = pathlib.Path(__file__).resolve().parent


class AttackCases(unittest.TestCase):
    def check(self, table: str) -> "list[str]":
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.c").write_text("SLT_TEST_FP(suite, name, t, struct c, cases, c)\n")
            (root / "b_test.py").write_text("class One(X):\n    def test_it(self) -> None:\n")
            (root / "table.md").write_text(table)
            return attack_cases.check(root / "table.md", root)

    def test_whole(self) -> None:
        rows = (
            "| A01 | x | `suite.name`, `b_test.One.test_it` |\n| B02 | y | none: there is no y |\n"
        )
        self.assertEqual([], self.check(rows))

    def test_complaints(self) -> None:
        for rows, want in (
            ("", "table.md: no row"),
            ("| A01 | x | |\n| A02 | y | none: z |\n", "table.md:1: no row of three columns"),
            ("| A01 | x | somewhere |\n", "table.md:1: A01 has no test, and no reason for that"),
            ("| A01 | x | `suite.other` |\n", "table.md:1: there is no test suite.other"),
            ("| A02 | x | none: z |\n| A01 | y | none: z |\n", "table.md:2: A01 stands behind A02"),
        ):
            self.assertEqual([want], self.check(rows))


class Includes(unittest.TestCase):
    def check(self, files: dict[str, str], table: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            (root / "table.txt").write_text(table)
            return includes.check(root, root / "gen", root / "table.txt")[1]

    def test_allowed(self) -> None:
        files = {
            "asg/a.c": '#include "asg/a.h"\n#include "host/x.h"\n#include <stdio.h>\n',
            "asg/a.h": "",
            "host/x.h": "",
        }
        self.assertEqual([], self.check(files, "asg | host/*\nhost |\n"))

    def test_forbidden(self) -> None:
        files = {"asg/a.c": '\n#  include "host/x.h"\n', "host/x.h": ""}
        self.assertEqual(
            ["asg/a.c:2: asg may not include host/x.h"], self.check(files, "asg |\nhost |\n")
        )

    def test_generated_is_another_room(self) -> None:
        files = {
            "asg/a.c": '#include "wire/x.h"\n',
            "gen/wire/x.h": '#include "asg/a.h"\n',
            "asg/a.h": "",
        }
        self.assertEqual(
            [
                "asg/a.c:1: asg may not include gen:wire/x.h",
                "gen:wire/x.h:1: gen:wire may not include asg/a.h",
            ],
            self.check(files, "asg |\ngen:wire |\n"),
        )

    def test_deeper_room_decides(self) -> None:
        files = {"host/gles/a.c": '#include "host/vulkan/x.h"\n', "host/vulkan/x.h": ""}
        self.assertEqual(
            ["host/gles/a.c:1: host/gles may not include host/vulkan/x.h"],
            self.check(files, "host |\nhost/gles |\nhost/vulkan |\n"),
        )

    def test_no_room(self) -> None:
        self.assertEqual(
            ["asg/a.c: no room of table.txt holds it"], self.check({"asg/a.c": ""}, "host |\n")
        )


class Commits(unittest.TestCase):
    def test_good(self) -> None:
        self.assertEqual(
            [], commits.complaints_about("asg: Add the ring\n\nWithout it nothing moves.\n")
        )

    def test_bad(self) -> None:
        for message in (
            "Add the ring\n\nwhy",
            "asg: add the ring\n\nwhy",
            "asg: Add the ring.\n\nwhy",
            "asg: Add\nwhy\n\nwhy",
            "asg: Add the ring\n",
            "asg: " + "A" * 70 + "\n\nwhy",
            "asg: Add\n\n" + "long " * 20,
        ):
            with self.subTest(message=message):
                self.assertNotEqual([], commits.complaints_about(message))


class Programs(unittest.TestCase):
    def run_lint(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, str(HERE / arguments[0]), *arguments[1:]],
            capture_output=True,
            text=True,
        )

    def test_deterministic(self) -> None:
        write = "import sys,os; open(sys.argv[1]+'/f','w').write({})"
        same = self.run_lint("deterministic.py", sys.executable, "-c", write.format("'x'"), "{out}")
        different = self.run_lint(
            "deterministic.py", sys.executable, "-c", write.format("str(hash('x'))"), "{out}"
        )
        self.assertEqual(0, same.returncode, same.stdout)
        self.assertEqual(1, different.returncode)
        self.assertIn("f: differs", different.stdout)

    def test_exports(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, library, listed = (
                pathlib.Path(folder) / name for name in ("a.c", "a.so", "a.txt")
            )
            source.write_text("int one(void) { return 1; }\nint two(void) { return 2; }\n")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
            for text, code, said in (
                ("one\ntwo\n", 0, "2 exported"),
                ("one\n", 1, "exports two"),
                ("one\nthree\ntwo\n", 1, "does not export three"),
                ("two\none\n", 1, "not sorted"),
            ):
                with self.subTest(text=text):
                    listed.write_text(text)
                    run = self.run_lint("exports.py", str(library), str(listed))
                    self.assertEqual(code, run.returncode)
                    self.assertIn(said, run.stdout)

    def test_needed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder) / "a.so"
            subprocess.run(
                [
                    "cc",
                    "-shared",
                    "-fPIC",
                    "-x",
                    "c",
                    "-",
                    "-o",
                    library,
                    "-Wl,--no-as-needed",
                    "-lm",
                ],
                input="int one;",
                text=True,
                check=True,
            )
            self.assertEqual(1, self.run_lint("needed.py", str(library), "libc").returncode)
            self.assertEqual(0, self.run_lint("needed.py", str(library), "libc", "libm").returncode)


if __name__ == "__main__":
    unittest.main()
