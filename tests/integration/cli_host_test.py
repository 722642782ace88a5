"""sluice serve, device and dump from outside: hosts that others speak to.

usage: SLUICE_PROGRAM=build/dev/bin/sluice PROBE_PROGRAM=... python3 cli_host_test.py [Class]
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import unittest
from errno import ECONNREFUSED, ENOENT
from typing import Optional

from cli_bed import PATIENCE_S, PROBE, SLUICE, Case, blocks, state_of, wait_for


class Serve(Case):
    def finish(
        self, process: "subprocess.Popen[str]", number: signal.Signals
    ) -> tuple[Optional[int], str]:
        process.send_signal(number)
        err = process.communicate(timeout=PATIENCE_S)[1]
        return process.returncode, err

    def test_clean_end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            process, path, status = self.start_served("serve")
            with status:
                self.assertEqual("listening\n", status.readline())
                self.assertTrue(status.readline().startswith("ready "))
                self.assertEqual((0, ""), self.finish(process, number))
                self.assertEqual("ended 0\n", status.readline())
            self.assertFalse(os.path.exists(path))

    def test_says_where_once_it_listens(self) -> None:
        """Scripts wait for that line."""
        path = str(self.tmp / "s")
        for words in ((), ("--isolate",)):
            process = self.start("serve", "--socket", path, "--status-fd", "2", *words)
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(2)]
            self.assertEqual("listening\n", said[0])
            self.assertIn(f"serving at {path};", said[1])
            if words:  # what it says goes where its server's talk goes
                self.assertTrue(process.stderr.readline().startswith("ready "))
                children = f"/proc/{process.pid}/task/{process.pid}/children"
                worker = pathlib.Path(children).read_text().split()[0]
                self.assertRegex(os.readlink(f"/proc/{worker}/fd/2"), "^pipe:")
            code, rest = self.finish(process, signal.SIGTERM)
            self.assertEqual((0, 0), (code, rest.count("serving")), rest)
            done = self.run_sluice("serve", "--socket", str(self.tmp / "no" / "s"), *words)
            self.assertEqual(3, done.returncode)
            self.assertNotIn("serving at", done.stderr)

    def test_tells_its_service_manager(self) -> None:
        """Without one that listens nothing is different."""
        name = f"{self.tmp}/notify"
        for verb, words in (("serve", ()), ("serve", ("--isolate",)), ("device", ())):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(name)
                manager.settimeout(PATIENCE_S)
                self.env["NOTIFY_SOCKET"] = name
                process, path, status = self.start_served(verb, *words)
                with status:
                    self.assertEqual(b"READY=1", manager.recv(4096))
                    with socket.socket(socket.AF_UNIX) as unfit:  # somebody listens there
                        self.assertNotIn(unfit.connect_ex(path), (ENOENT, ECONNREFUSED))
                    self.assertRegex(manager.recv(4096), b"^STATUS=draws on .")
                    process.terminate()
                    self.assertEqual(b"STOPPING=1", manager.recv(4096))
                    self.assertEqual((0, ""), self.finish(process, signal.SIGTERM))
                    manager.setblocking(False)
                    self.assertRaises(BlockingIOError, manager.recv, 4096)
            process, path, status = self.start_served(verb, *words)
            with status:
                self.assertEqual("listening\n", status.readline())
                self.assertEqual((0, ""), self.finish(process, signal.SIGTERM))
            os.unlink(name)

    def test_a_driver_that_is_missing_is_told_of_once(self) -> None:
        done = self.run_sluice("run", "--gpu", "nobody's", "--", "true")
        self.assertEqual(1, done.stderr.count("no EGL device is"), done.stderr)

    def test_serves_programs(self) -> None:
        process, path, status = self.start_served("serve")
        with status:
            self.assertEqual("listening\n", status.readline())
            done = self.run_sluice(
                "run", "--allow-idle", "--socket", path, "--", "printenv", "SLUICE_SOCKET"
            )
            self.assertEqual((0, path + "\n", ""), (done.returncode, done.stdout, done.stderr))
            self.refused(125, "run", "--socket", path, "--", "true", says="made no context")
            self.refused(3, "serve", "--socket", path, says="cannot listen")
            self.assertEqual((0, ""), self.finish(process, signal.SIGTERM))


class Addresses(Case):
    """By vulkaninfo, which is a stranger's program."""

    def addresses(self, *options: str) -> set[str]:
        """What vulkaninfo says of bufferDeviceAddress, of all devices and versions."""
        process, path, status = self.start_served("serve", *options)
        with status:
            self.assertEqual("listening\n", status.readline())
            done = self.run_sluice("run", "--socket", path, "--", "vulkaninfo")
            self.assertEqual(0, done.returncode, done.stderr)
            process.terminate()
            process.communicate(timeout=PATIENCE_S)
        return set(re.findall(r"bufferDeviceAddress +(= \w+)", done.stdout))

    def test_strangers_get_no_addresses_of_the_host(self) -> None:
        mine = self.addresses()
        if mine != {"= true"}:
            self.skipTest("the native driver has no device addresses")
        self.assertEqual({"= true"}, self.addresses("--any-user", "--trust"))
        self.assertEqual({"= false"}, self.addresses("--any-user"))


class Device(Case):
    def test_bad_input(self) -> None:
        path = str(self.tmp / "gpu")
        self.refused(2, "device", says="--socket is missing")
        self.refused(2, "device", "-s", path, "--size", "big", says="--size is 'big'")
        self.refused(2, "device", "-s", path, "--size", "63x63", says="each side from 64 to 4095")
        self.refused(2, "device", "-s", path, "--displays", "17", says="from 0 to 16")
        self.refused(2, "device", "-s", path, "--types", "gles,x", says="there is no type 'x'")
        self.refused(2, "device", "-s", path, "--types", "", says="--types is empty")
        self.refused(2, "device", "-s", path, "--host-visible", "3G", says="no power of two")
        self.refused(2, "device", "-s", path, "--status-fd", "77", says="is not open")
        sighted = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
        blind = {k: v for k, v in self.env.items() if k not in sighted}
        self.refused(
            7, "device", "-s", path, "-w", says="no X11 or Wayland display; run", env=blind
        )
        nobody = dict(blind, DISPLAY=":nobody")
        self.refused(7, "device", "-s", path, "-w", says="run without --window", env=nobody)
        self.refused(2, "device", "-s", path, "-w", "--displays", "0", says="needs a display")
        self.refused(3, "device", "-s", "x" * 200, says="cannot listen")
        self.refused(3, "device", "-s", str(self.tmp), says="cannot listen")
        self.refused(3, "device", "-s", "/nowhere/gpu", says="cannot listen")
        self.refused(3, "display", path, says="no device listens there")
        self.refused(3, "stats", path, says="no device listens there")
        self.refused(3, "screenshot", str(self.tmp), says="is no socket")
        self.refused(2, "screenshot", says="something is missing")

    def test_lives(self) -> None:
        process, path, status = self.start_served("device", "--displays", "2", "--size", "800x600")
        with status:
            self.assertEqual("listening\n", status.readline())
            self.assertTrue(status.readline().startswith("ready "))
            self.refused(3, "device", "--socket", path, says="cannot listen")
            listed = json.loads(self.run_sluice("display", "--json", path).stdout)
            self.assertEqual(False, listed["connected"])
            self.assertEqual([800, 800], [d["width"] for d in listed["displays"]])
            done = self.run_sluice("display", "--display", "1", "--size", "1024x768", path)
            self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))
            done = self.run_sluice("display", path)
            self.assertEqual("0  800x600  plugged in\n1  1024x768  plugged in\n", done.stdout)
            self.refused(7, "screenshot", path, says="no virtual machine is connected")
            lines = self.run_sluice("stats", path).stdout.splitlines()
            self.assertIn(["pings", "0"], [line.split() for line in lines])
            words = ("--every", "1", "--count", "2", "--json")
            first, second = self.run_sluice("stats", *words, path).stdout.splitlines()
            self.assertEqual((False, 0), tuple(json.loads(first)[k] for k in ("connected", "maps")))
            self.assertLess(json.loads(first)["time_s"], json.loads(second)["time_s"])
            self.refused(2, "stats", "--count", "2", path, says="give both")
            process.send_signal(signal.SIGTERM)
            self.assertEqual("", process.communicate(timeout=PATIENCE_S)[1])
            self.assertEqual("ended\n", status.readline())
        self.assertEqual(0, process.returncode)
        self.assertEqual([], sorted(self.tmp.glob("s*")))

    def test_takes_over_what_a_killed_one_left(self) -> None:
        process, path, status = self.start_served("device", "--types", "gles")
        with status:
            self.assertEqual("listening\n", status.readline())
            process.kill()
            process.communicate()
        self.assertTrue(os.path.exists(path))
        process, path, status = self.start_served("device", "--types", "composer")
        with status:
            self.assertEqual("listening\n", status.readline())
            self.assertTrue(status.readline().startswith("ready "))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
        self.assertEqual(0, process.returncode)


class Dump(Case):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.path, self.status = self.start_served("serve")
        self.assertEqual("listening\n", self.status.readline())  # its name alone says not so yet

    def tearDown(self) -> None:
        self.server.terminate()
        self.server.communicate(timeout=PATIENCE_S)
        self.status.close()
        super().tearDown()

    def test_state(self) -> None:
        state = json.loads(self.run_sluice("dump", "--json", self.path).stdout)
        self.assertEqual((1, 0, []), (state["schema"], state["clients"], state["rings"]))
        self.assertNotEqual("", state["driver"])
        self.assertIn(state["driver"], self.run_sluice("dump", self.path).stdout)

    def test_rings(self) -> None:
        script = f"{PROBE}; exec {SLUICE} dump --json {self.path}"
        state = json.loads(
            self.run_sluice("run", "--socket", self.path, "--", "sh", "-c", script).stdout.split(
                "\n", 4
            )[4]
        )
        self.assertEqual(1, state["contexts_created"])

    def test_calls(self) -> None:
        dump = self.start("dump", "--print", "--count", "5", self.path)
        self.assertTrue(
            wait_for(lambda: self.programs() > 0 and dump.poll() is not None), "no call arrived"
        )
        out, err = dump.communicate(timeout=PATIENCE_S)
        calls = [line for line in out.splitlines() if not line.startswith("... ")]  # or left out
        self.assertEqual((0, "", 5), (dump.returncode, err, len(calls)))
        self.assertRegex(out, r"\A\d+\.\d+ rc\w+\(")

    def programs(self) -> int:
        """Runs one more program against the server: the tap may come on at any moment."""
        self.assertEqual(0, self.run_sluice("run", "--socket", self.path, "--", PROBE).returncode)
        return 1

    def test_end_by_signal(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            dump = self.start("dump", "--print", self.path)
            self.assertTrue(wait_for(lambda: blocks(dump.pid, number)))
            self.assertTrue(wait_for(lambda: state_of(dump.pid) == "S"))
            time.sleep(0.2)  # past the connection: what is tested is the end of waiting for calls
            dump.send_signal(number)
            self.assertEqual(("", ""), dump.communicate(timeout=PATIENCE_S))
            self.assertEqual(0, dump.returncode)

    def test_run_prints(self) -> None:
        done = self.run_sluice("run", "--print", "--", PROBE)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stderr, r"\d+\.\d+ glClear\(mask = GL_COLOR_BUFFER_BIT\)\n")
        self.assertRegex(done.stderr, r"pixels = -> \[64 bytes\]\)")


if __name__ == "__main__":
    unittest.main()
