"""The sluice program from outside: options, bad input, the whole path.

usage: SLUICE_PROGRAM=build/dev/bin/sluice PROBE_PROGRAM=... python3 cli_test.py [Class]
"""

import json
import os
import pathlib
import resource
import socket
import struct
import subprocess
import threading
import unittest
from typing import Callable

from cli_bed import PATIENCE_S, PROBE, SLUICE, Case


class Usage(Case):
    def test_no_verb(self) -> None:
        done = self.run_sluice()
        self.assertEqual(2, done.returncode)
        self.assertIn("usage: sluice VERB", done.stderr)

    def test_help_is_data(self) -> None:
        for words in (
            ("--help",),
            ("help",),
            ("run", "--help"),
            ("help", "run"),
            ("help", "--man", "serve"),
            ("--version",),
        ):
            done = self.run_sluice(*words)
            self.assertEqual((0, ""), (done.returncode, done.stderr), words)
            self.assertNotEqual("", done.stdout)

    def test_wrong_options(self) -> None:
        self.refused(2, "run", "--nope", "--", "true", says="unknown option '--nope'")
        self.refused(2, "run", says="something is missing")
        self.refused(2, "serve", "--clients", "none", says="should be a number from 1 to")
        self.refused(2, "serve", "--status-fd", "77", says="is not open")
        self.refused(2, "help", "nothing", says="no verb is named 'nothing'")
        self.refused(2, "help", "dmp", says="no verb is named 'dmp'; did you mean dump?")
        self.refused(2, "dump", "--farmes", "1", "a", says="'--farmes'; did you mean --frames?")
        self.refused(2, "serve", "--memory", "0", says="should be a number from 1M to 1024G")
        self.refused(2, "diff", "--limit", "0", "a", "b", says="should be a number from 1 on")
        done = self.run_sluice("--versoin")
        self.assertEqual(2, done.returncode)
        self.assertIn("unknown option '--versoin'; did you mean --version?", done.stderr)

    def test_wrong_options_of_each_verb(self) -> None:
        for verb in ("run", "serve", "dump", "doctor"):
            self.refused(2, verb, "--nope", says="unknown option '--nope'")
        for verb in ("serve", "doctor"):
            self.refused(2, verb, "extra", says="unexpected argument 'extra'")
        self.refused(2, "serve", "--socket", says="--socket needs a value")
        self.refused(2, "run", "--socket", "", "--", "true", says="--socket is empty")
        self.refused(2, "run", "--memory", "lots", "--", "true", says="--memory is 'lots'")
        self.refused(2, "dump", "a", "b", says="unexpected argument 'b'")
        self.refused(2, "dump", "--count", "x", "s", says="--count is 'x'")
        self.refused(2, "dump", "--print", "--json", "s", says="--print has no JSON")

    def test_wrong_variable(self) -> None:
        self.env["SLUICE_SERVE_CLIENTS"] = "many"
        self.refused(2, "serve", says="SLUICE_SERVE_CLIENTS is 'many'")

    def test_settings_are_told(self) -> None:
        self.env["SLUICE_RUN_ALLOW_IDLE"] = "1"
        done = self.run_sluice("run", "-v", "--no-stock", "--", "true")
        self.assertIn("setting allow-idle = 1 (environment)", done.stderr)
        self.assertIn("setting stock = 0 (command line)", done.stderr)
        self.assertIn("setting memory = 2G (default)", done.stderr)

    def test_tables_as_json(self) -> None:
        tables = json.loads(self.run_sluice("help", "--json").stdout)
        self.assertEqual(1, tables["schema"])
        self.assertIn("run", [verb["name"] for verb in tables["verbs"]])

    def test_man_pages_are_well_formed(self) -> None:
        for verb in json.loads(self.run_sluice("help", "--json").stdout)["verbs"]:
            page = self.run_sluice("help", "--man", verb["name"]).stdout
            done = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-l", "-"],
                input=page,
                capture_output=True,
                text=True,
            )
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn(f"sluice-{verb['name']}", done.stdout)

    def test_completion_completes(self) -> None:
        script = self.run_sluice("help", "--completion", "bash").stdout
        for words, want in (
            (["sluice", "se"], "serve"),
            (["sluice", "serve", "--sock"], "--socket"),
            (["sluice", "replay", "--backend", "n"], "null"),
            (["sluice", "replay", "--backend", "=", "de"], "decode"),
            (["sluice", "dump", "--format", "''"], "text jsonl csv"),
        ):
            line = f"COMP_WORDS=({' '.join(words)}) COMP_CWORD={len(words) - 1}\n"
            line += '_sluice\necho "${COMPREPLY[@]}"\n'
            done = subprocess.run(["bash", "-c", script + line], capture_output=True, text=True)
            self.assertEqual((want, ""), (done.stdout.strip(), done.stderr))


class Resources(Case):
    def test_full_disk(self) -> None:
        with open("/dev/full", "w") as full:
            self.refused(3, "help", stdout=full, says="No space left on device")

    def test_full_disk_of_doctor(self) -> None:
        with open("/dev/full", "w") as full:
            for words in (("doctor",), ("doctor", "--json")):
                self.refused(3, *words, stdout=full, says="No space left on device; make room")

    def test_full_disk_of_the_log(self) -> None:
        self.refused(
            125,
            "run",
            "--print",
            "--log-file",
            "/dev/full",
            "--",
            PROBE,
            says="--log-file cannot be written; make room",
        )

    def test_closed_output(self) -> None:
        done = subprocess.run(
            ["sh", "-c", f"exec '{SLUICE}' help >&-"], capture_output=True, text=True, env=self.env
        )
        self.assertEqual(0, done.returncode)  # nobody wanted it

    def test_log_file(self) -> None:
        self.refused(
            3, "serve", "--log-file", str(self.tmp / "no" / "file"), says="which cannot be written"
        )

    def test_no_private_directory(self) -> None:
        self.env["TMPDIR"] = str(self.tmp / "no")
        self.refused(125, "run", "--", "true", says="no private directory")

    def limited(self, files: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    def test_no_descriptors(self) -> None:
        mend = "raise the limit of open files"
        self.refused(125, "run", "--", "true", preexec_fn=self.limited(4), says=mend)
        self.refused(
            7, "serve", "-q", "--socket", str(self.tmp / "s"), preexec_fn=self.limited(4), says=mend
        )
        self.refused(7, "doctor", preexec_fn=self.limited(4), says=mend)

    def test_few_descriptors(self) -> None:
        """Wherever they run out: an end of its own within time, and a word about it."""
        self.env.pop("DISPLAY", None)
        for files in range(4, 16):
            with self.subTest(files=files):
                done = self.run_sluice("run", "--", PROBE, preexec_fn=self.limited(files))
                self.assertIn(done.returncode, (0, 125))
                self.assertTrue(done.returncode == 0 or "sluice run: " in done.stderr, done.stderr)
                done = self.run_sluice("doctor", preexec_fn=self.limited(files))
                self.assertIn(done.returncode, (0, 7))
                told = "sluice doctor: step " in done.stderr
                self.assertTrue(done.returncode == 0 or told, done.stderr)

    def test_socket_in_use(self) -> None:
        path = str(self.tmp / "file")
        pathlib.Path(path).touch()
        self.refused(3, "serve", "--socket", path, says="cannot listen")
        self.assertTrue(os.path.exists(path))
        self.refused(3, "serve", "--socket", "/" + "x" * 200, says="cannot listen")
        self.refused(3, "serve", "--socket", str(self.tmp / "no" / "s"), says="cannot listen")


class Sockets(Case):
    def test_no_socket(self) -> None:
        self.refused(
            125,
            "run",
            "--socket",
            str(self.tmp / "s"),
            "--",
            "true",
            says="there is no such socket",
        )

    def test_nobody_serves(self) -> None:
        path = str(self.tmp / "s")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as gone:
            gone.bind(path)
        self.refused(3, "dump", path, says="nobody serves it")
        self.refused(2, "dump", "--count", "5", path, says="--count counts the calls of --print")
        self.refused(2, "dump", "--frames", "5", path, says="--frames is for a trace")
        self.refused(125, "run", "--socket", path, "--", "true", says="nobody serves it")

    def test_no_socket_of_ours(self) -> None:
        path = str(self.tmp / "s")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.bind(path)
            other.listen(1)
            for name, words in (
                (path, "another program's socket"),
                (str(self.tmp), "is no socket"),
                ("x" * 150, "1 to 107 bytes"),
                ("/no/folder/s", "no such socket"),
            ):
                self.refused(3, "dump", "--print", name, says=words)
                self.refused(125, "run", "--socket", name, "--", "true", says=words)
            self.refused(3, "serve", "--socket", path, says="it is taken")

    def test_program_is_told(self) -> None:
        """A program with SLUICE_SOCKET alone hears from the library why it has no display."""
        gone, vendor = str(self.tmp / "gone"), self.vendor_file()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as bound:
            bound.bind(gone)
        for path, words in (
            (gone, "nobody serves this socket; start 'sluice serve"),
            (str(self.tmp / "no"), "there is no such socket; start 'sluice serve"),
            ("x" * 150, "no socket of a Sluice server; set SLUICE_SOCKET"),
            (self.serve_hello(99), "the server speaks version 99"),
        ):
            env = dict(self.env, SLUICE_SOCKET=path, __EGL_VENDOR_LIBRARY_FILENAMES=vendor)
            done = subprocess.run(
                [PROBE], env=env, capture_output=True, text=True, timeout=PATIENCE_S
            )
            self.assertIn("failed display", done.stdout)
            self.assertEqual(1, done.stderr.count("sluice: error: "), done.stderr)
            self.assertIn(words, done.stderr)

    def vendor_file(self) -> str:
        words = ("run", "--allow-idle", "--", "printenv", "__EGL_VENDOR_LIBRARY_FILENAMES")
        return self.run_sluice(*words).stdout.strip()

    def serve_hello(self, version: int) -> str:
        """Answers one hello as a server of another version would: the frozen part of the reply."""
        path = str(self.tmp / "s")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen(1)

        def answer() -> None:
            with listener, listener.accept()[0] as client:
                verb, serial, magic = struct.unpack_from("=III", client.recv(4096))
                client.send(struct.pack("=IIiIII", verb, serial, -5, 0, magic, version) + bytes(16))
                client.recv(4096)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        self.addCleanup(thread.join, PATIENCE_S)
        return path

    def test_dump_of_nothing(self) -> None:
        self.refused(3, "dump", str(self.tmp / "s"), says="there is no such socket")
        self.refused(2, "dump", says="something is missing")
        self.refused(4, "dump", self.serve_hello(99), says="speaks another version")

    def test_other_version(self) -> None:
        self.refused(
            125, "run", "--socket", self.serve_hello(99), "--", "true", says="another version"
        )


class Driver(Case):
    """A native driver that is not there."""

    def test_run(self) -> None:
        self.refused(
            125,
            "run",
            "--egl-library",
            "no-such-egl.so",
            "--",
            "sleep",
            "0.5",
            says="driver could not be loaded",
        )
        done = self.run_sluice("run", "--egl-library", "no-such-egl.so", "--", "sleep", "0.5")
        self.assertEqual(1, done.stderr.count("sluice run: "), done.stderr)
        self.assertIn("no native EGL: no-such-egl.so", done.stderr)

    def test_serve(self) -> None:
        self.refused(
            7,
            "serve",
            "--egl-library",
            "no-such-egl.so",
            "--socket",
            str(self.tmp / "s"),
            says="driver could not be loaded",
        )

    def test_gpu_that_is_not_there(self) -> None:
        socket = str(self.tmp / "s")
        self.refused(7, "serve", "--gpu", "77", "--socket", socket, says="--gpu is '77'")
        done = self.run_sluice("run", "--gpu", "no-such-gpu", "--", "sleep", "0.5")
        self.assertEqual(125, done.returncode)
        self.assertIn("no EGL device is 'no-such-gpu'; choose from 0: ", done.stderr)
        self.assertIn("--gpu is 'no-such-gpu', and no device is that", done.stderr)

    def test_gpu_by_index_and_name(self) -> None:
        for gpu in ("0", "e"):
            done = self.run_sluice("run", "--gpu", gpu, "--", PROBE)
            self.assertEqual(0, done.returncode, done.stderr)

    def test_doctor(self) -> None:
        done = self.run_sluice("doctor", "--json", "--egl-library", "no-such-egl.so")
        steps = {step["name"]: step for step in json.loads(done.stdout)["steps"]}
        self.assertEqual(7, done.returncode)
        self.assertEqual(("ok", "failed"), (steps["library"]["state"], steps["driver"]["state"]))
        self.assertIn("install a native EGL driver", steps["driver"]["mend"])


class Whole(Case):
    """The whole path, with the native driver."""

    def test_doctor(self) -> None:
        self.env.pop("DISPLAY", None)
        done = self.run_sluice("doctor", "--json")
        report = json.loads(done.stdout)
        self.assertEqual((0, True), (done.returncode, report["ok"]), done.stdout)
        self.assertEqual({"ok", "skipped"}, {step["state"] for step in report["steps"]})
        states = {step["name"]: step["state"] for step in report["steps"]}
        self.assertEqual("ok", states["pixel"])
        if states["vk-native"] == "ok":  # a machine with Vulkan: all the way
            self.assertEqual("ok", states["vk-memory"])

    def test_doctor_without_x(self) -> None:
        self.env["DISPLAY"] = ":987"
        done = self.run_sluice("doctor")
        self.assertEqual(7, done.returncode)
        self.assertIn(":987: no X server answers there", done.stdout)
        self.assertRegex(
            done.stderr,
            r"\Asluice doctor: step x11 failed: :987: no X server answers "
            r"there; unset DISPLAY.*\n\Z",
        )

    def test_program_renders(self) -> None:
        done = self.run_sluice("run", "--", PROBE)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("ok pixel", done.stdout)

    def test_program_without_x(self) -> None:
        self.env.pop("DISPLAY", None)
        done = self.run_sluice("run", "--", "es2_info")
        self.assertNotIn(done.returncode, (0, 125, 126, 127))
        self.assertIn(
            "made no context through Sluice, and it has no X display: " "DISPLAY is not set; start",
            done.stderr,
        )
        self.env["DISPLAY"] = ":987"
        done = self.run_sluice("run", "--", "es2_info")
        self.assertIn("it has no X display: :987: no X server answers there; start", done.stderr)


if __name__ == "__main__":
    unittest.main()
