"""Traces of other hosts and other builds: what they need, and what becomes of them here.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 trace_elsewhere_test.py [-v] [CLASS]
"""

import json
import os
import subprocess
import unittest

from trace_bed import PROGRAMS, TraceBed, sluice

MUTATE = os.environ.get("TRACE_MUTATE", "trace_mutate")


class Portable(TraceBed):
    """A trace of llvmpipe on softpipe: other EGL configurations, OpenGL ES 3.1 instead of 3.2."""

    def other(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return sluice("replay", *words, str(self.traces["gl"]), GALLIUM_DRIVER="softpipe")

    def setUp(self) -> None:
        if "gl" not in self.traces:
            self.skipTest("glmark2-es2 is not installed")
        self.plan = self.other("--plan", "--json")
        self.assertEqual(0, self.plan.returncode, self.plan.stderr)
        if "softpipe" not in json.loads(self.plan.stdout)["here"]:
            self.skipTest("Mesa has no softpipe here")

    def test_the_plan(self) -> None:
        plan = json.loads(self.plan.stdout)
        self.assertIn("llvmpipe", plan["recorded"])
        (config,) = plan["egl_configs"]
        self.assertIsInstance(config["here"], int)
        text = self.other("--plan").stdout
        self.assertIn(f"EGL config {config['recorded']} becomes {config['here']}\n", text)
        same = json.loads(self.ends(0, "replay", "--plan", "--json", str(self.traces["gl"])))
        for config in same["egl_configs"]:
            self.assertEqual(config["recorded"], config["here"])

    def test_another_driver_by_itself(self) -> None:
        (config,) = json.loads(self.plan.stdout)["egl_configs"]
        out = self.tmp / "softpipe"
        done = self.other("--shots", "3", "--out", str(out))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"recorded on .*llvmpipe.*, replaying on .*softpipe")
        if config["recorded"] != config["here"]:
            remap = f"; EGL configs remapped {config['recorded']}→{config['here']}"
            self.assertIn(remap, done.stderr)
        ours = self.tmp / "llvmpipe"
        self.ends(0, "replay", "--shots", "3", "--out", str(ours), str(self.traces["gl"]))
        # Two rasterizers agree but for edges and rounding.
        done = sluice("diff", "--images", "--json", str(ours), str(out))
        last = json.loads(done.stdout.splitlines()[0])
        if done.returncode == 1:
            self.assertIsNone(last["missing"])
            self.assertLess(last["pixels"], 320 * 240 // 10)

    def test_refused(self) -> None:
        done = self.other("--no-portable")
        self.assertEqual(8, done.returncode, done.stderr)
        self.assertIn("diverged at call", done.stderr)


class Platform(TraceBed):
    """Platforms of one driver, which differ by configurations of float channels, that come last."""

    def test_more_configurations_and_fewer(self) -> None:
        if "gl" not in self.traces:
            self.skipTest("glmark2-es2 is not installed")
        device = self.tmp / "device.slc"
        self.ends(0, "record", "--gpu", "0", "-o", str(device), "--", *PROGRAMS["gl"])
        self.ends(0, "replay", "--no-portable", str(device))
        self.ends(0, "replay", "--no-portable", "--gpu", "0", str(self.traces["gl"]))


class Protocol(TraceBed):
    """Traces that another build made, whose protocol is described in the file."""

    def other(self, name: str, other: str) -> str:
        path = self.tmp / "other.slc"
        trace = str(self.traces["gl" if name.startswith("gl") else "vk"])
        subprocess.run([MUTATE, trace, str(path), name, other], check=True)
        return str(path)

    def test_a_command_that_this_build_does_not_know(self) -> None:
        if "gl" not in self.traces:
            self.skipTest("glmark2-es2 is not installed")
        path = self.other("glEnableVertexAttribArray", "glEnableVertexAttribBrray")
        says = "is not this build's; using the schema in the file"
        out = self.ends(0, "dump", "--frames", "2", path, says=says)
        self.assertIn("glEnableVertexAttribBrray(index = 0)", out)
        self.assertIn("glDrawArrays(mode = GL_TRIANGLES, ", out)
        stats = self.ends(0, "dump", "--stats", "name", path)
        self.assertIn("  glEnableVertexAttribBrray\n", stats)
        trace = str(self.traces["gl"])
        out = self.ends(1, "diff", "--frames", "2", trace, path, says=says)
        self.assertIn("+ 1 glEnableVertexAttribBrray(index = 0)", out)
        self.ends(
            4,
            "replay",
            path,
            says="is glEnableVertexAttribBrray, which this build's protocol has not",
        )

    def test_another_layout_of_vulkan(self) -> None:
        if "vk" not in self.traces:
            self.skipTest("vkcube is not installed")
        path = self.other("vkCreateFence", "vkCreateFents")
        out = self.ends(0, "dump", path)
        self.assertRegex(out, r"vkCreateFents: \d+ bytes")
        self.assertIn("vkCreateSemaphore(", out)
        self.ends(4, "replay", path, says="is vkCreateFents, which")

    def test_this_build(self) -> None:
        for trace in map(str, self.traces.values()):
            done = sluice("dump", trace)
            self.assertNotIn("schema", done.stderr)
            protocol = json.loads(self.ends(0, "info", "--json", trace))["protocol"]
            self.assertRegex(protocol, "^[0-9a-f]{32}$")
            version = sluice("--version").stdout
            self.assertIn(f"\nprotocol {protocol}\n", version)
            self.assertRegex(version, r"\ntraces 1\.0 to 1\.\d+\n")
            self.assertRegex(version, r"\nVulkan header 1\.\d+\.\d+\nzstd \d")


class Requirements(TraceBed):
    def needs(self, api: str) -> "dict[str, set[str]]":
        if api not in self.traces:
            self.skipTest(f"no trace of {api}")
        out = json.loads(self.ends(0, "info", "--requirements", "--json", str(self.traces[api])))
        found: "dict[str, set[str]]" = {}
        for need in out["needs"]:
            found.setdefault(need["kind"], set()).add(need["name"])
        return found

    def test_vulkan(self) -> None:
        needs = self.needs("vk")
        self.assertTrue(any(name.startswith("VK_FORMAT_") for name in needs["format"]))
        self.assertFalse(any("FEATURE" in name for name in needs["format"]))
        self.assertTrue(needs["memory type"])
        self.assertEqual({"0"}, needs["queue family"])
        self.assertIn("maxFramebufferWidth 500", needs["limit"])

    def test_features_that_are_used(self) -> None:
        """Those that shaders and pipelines need, not all that are enabled."""
        programs = os.environ.get("VULKAN_PROGRAMS", "").split()
        if not programs:
            self.skipTest("VULKAN_PROGRAMS is not set")
        for program in programs:
            path = str(self.tmp / "features.slc")
            self.ends(0, "record", "--force", "-o", path, "--", program)
            out = json.loads(self.ends(0, "info", "--requirements", "--json", path))
            used = {need["name"] for need in out["needs"] if need["kind"] == "feature"}
            name = "timelineSemaphore" if program.endswith("timeline") else "dynamicRendering"
            self.assertIn(name, used)
            self.assertNotIn("geometryShader", used)

    def test_gles(self) -> None:
        needs = self.needs("gl")
        self.assertTrue(needs["context version"])
        text = self.ends(0, "info", "--requirements", str(self.traces["gl"]))
        self.assertRegex(text, r"(?m)^context version +OpenGL ES [123]\.[012] +call \d+, frame 0$")


if __name__ == "__main__":
    unittest.main()
