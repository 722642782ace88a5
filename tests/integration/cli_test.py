"""The sluice program from outside: exit codes, messages, signals, what stays behind.

usage: SLUICE_PROGRAM=build/dev/bin/sluice PROBE_PROGRAM=... python3 cli_test.py [-v] [Class[.test]]
"""

import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from typing import Any, Callable, Optional

SLUICE = os.environ.get("SLUICE_PROGRAM", "sluice")
PROBE = os.environ.get("PROBE_PROGRAM", "probe_program")
PATIENCE_S = 60


def state_of(pid: int) -> str:
    """R, S, T, Z ...; empty when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def blocks(pid: int, number: int) -> bool:
    """Has the process taken the signal's handling into its own hands?"""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    mask = next(int(l.split()[1], 16) for l in text.splitlines() if l.startswith("SigBlk:"))
    return bool(mask >> (number - 1) & 1)


def wait_for(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.01)
    return False


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.tmp = pathlib.Path(self.folder.name)
        self.env = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("SLUICE_") and k != "XDG_RUNTIME_DIR"
        }
        self.env["TMPDIR"] = str(self.tmp)

    def tearDown(self) -> None:
        left = sorted(path.name for path in self.tmp.glob("sluice-*"))
        self.folder.cleanup()
        self.assertEqual([], left, "a private directory was left behind")

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[str]":
        options: dict[str, Any] = {
            "env": self.env,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }
        options.update(more)
        return subprocess.Popen([SLUICE, *words], **options)

    def run_sluice(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        stdin = more.pop("input", None)
        process = self.start(
            *words, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL, **more
        )
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f"sluice {' '.join(words)} did not end")
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def refused(self, code: int, *words: str, says: str, **more: Any) -> None:
        """Ends with this code and one line that says this."""
        done = self.run_sluice(*words, **more)
        own = [line for line in done.stderr.splitlines() if line.startswith(f"sluice {words[0]}: ")]
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertTrue(own and says in " ".join(own), f"want {says!r} in: {done.stderr}")
        self.assertLessEqual(len(own), 2, done.stderr)


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


class Run(Case):
    def run_idle(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        return self.run_sluice("run", "--allow-idle", "--", *words, **more)

    def test_exit_code(self) -> None:
        for code in (0, 1, 42, 255):
            self.assertEqual(code, self.run_idle("sh", "-c", f"exit {code}").returncode)
        self.assertEqual(
            128 + signal.SIGKILL, self.run_idle("sh", "-c", "kill -KILL $$").returncode
        )

    def test_cannot_start(self) -> None:
        self.refused(127, "run", "--", "no-such-program", says="no such program")
        self.refused(126, "run", "--", str(self.tmp), says="cannot be executed")

    def test_idle_is_a_failure(self) -> None:
        self.refused(125, "run", "--", "true", says="made no context")
        self.assertEqual(7, self.run_sluice("run", "--", "sh", "-c", "exit 7").returncode)

    def test_input_and_output(self) -> None:
        done = self.run_idle("tr", "a-z", "A-Z", input="hello")
        self.assertEqual(("HELLO", "", 0), (done.stdout, done.stderr, done.returncode))

    def test_environment(self) -> None:
        done = self.run_idle("env")
        seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.assertTrue(seen["__EGL_VENDOR_LIBRARY_FILENAMES"].endswith("50_sluice.json"))
        self.assertEqual("sluice", seen["__GLX_VENDOR_LIBRARY_NAME"])
        self.assertTrue(seen["VK_DRIVER_FILES"].endswith("icd.d/sluice_icd.json"))
        self.assertEqual(seen["VK_DRIVER_FILES"], seen["VK_ICD_FILENAMES"])
        self.assertTrue(seen["SLUICE_SOCKET"].startswith(str(self.tmp)))

    def test_environment_of_zink(self) -> None:
        self.env["__EGL_VENDOR_LIBRARY_FILENAMES"] = "other.json"
        done = self.run_sluice("run", "--allow-idle", "--zink", "--", "env")
        seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.assertNotIn("__EGL_VENDOR_LIBRARY_FILENAMES", seen)
        self.assertEqual("mesa", seen["__GLX_VENDOR_LIBRARY_NAME"])
        self.assertEqual("zink", seen["MESA_LOADER_DRIVER_OVERRIDE"])
        self.assertTrue(seen["VK_DRIVER_FILES"].endswith("icd.d/sluice_icd.json"))
        self.refused(125, "run", "--zink", "--", "true", says="made no context")

    def test_zink_on_a_cpu(self) -> None:
        words = [
            "run",
            "--zink",
            "--gpu",
            "llvmpipe",
            "--allow-idle",
            "--",
            "sh",
            "-c",
            'echo "$LIBGL_ALWAYS_SOFTWARE"',
        ]
        self.env.pop("LIBGL_ALWAYS_SOFTWARE", None)
        self.assertEqual("1\n", self.run_sluice(*words).stdout)
        self.env["LIBGL_ALWAYS_SOFTWARE"] = "0"
        self.assertEqual("0\n", self.run_sluice(*words).stdout)

    def test_signals_pass_through(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            script = f"trap 'exit 33' {number.value}; echo up; while :; do sleep 0.05; done"
            process = self.start("run", "--", "sh", "-c", script)
            assert process.stdout is not None
            self.assertEqual("up\n", process.stdout.readline())
            process.send_signal(number)
            process.communicate(timeout=PATIENCE_S)
            self.assertEqual(33, process.returncode, number)

    def test_stop_and_continue(self) -> None:
        process = self.start(
            "run",
            "--allow-idle",
            "--",
            "sh",
            "-c",
            "echo $$; read line; exit 5",
            stdin=subprocess.PIPE,
        )
        assert process.stdout is not None
        program = int(process.stdout.readline())
        os.kill(program, signal.SIGSTOP)
        self.assertTrue(
            wait_for(lambda: state_of(process.pid) == "T"),
            "sluice run did not stop with its program",
        )
        process.send_signal(signal.SIGCONT)
        self.assertTrue(
            wait_for(lambda: state_of(program) not in ("T", "")), "the program did not go on"
        )
        process.communicate("line\n", timeout=PATIENCE_S)
        self.assertEqual(5, process.returncode)

    def test_other_driver_is_found(self) -> None:
        library = self.tmp / "swrast_dri.so"
        library.write_bytes(bytes(4096))
        program = f"import mmap,time; f=open('{library}','rb'); "
        program += "m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ); time.sleep(2)"
        self.refused(
            125,
            "run",
            "--allow-idle",
            "--",
            sys.executable,
            "-c",
            program,
            says="another driver: swrast_dri.so",
        )

    def test_other_vulkan_driver_is_found(self) -> None:
        library = self.tmp / "libvulkan_lvp.so"
        library.write_bytes(bytes(4096))
        program = f"import mmap,time; f=open('{library}','rb'); "
        program += "m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ); time.sleep(2)"
        for options in ([], ["--zink"]):
            self.refused(
                125,
                "run",
                "--allow-idle",
                *options,
                "--",
                sys.executable,
                "-c",
                program,
                says="another driver: libvulkan_lvp.so",
            )

    def test_other_driver_of_a_child_is_found(self) -> None:
        library = self.tmp / "libEGL_mesa.so.0"
        library.write_bytes(bytes(4096))
        program = f"import mmap,time; f=open('{library}','rb'); "
        program += "m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ); time.sleep(2)"
        self.refused(
            125,
            "run",
            "--allow-idle",
            "--",
            "sh",
            "-c",
            f'{sys.executable} -c "{program}"; true',
            says="another driver: libEGL_mesa.so.0",
        )

    def hosts(self) -> list[int]:
        """The private hosts of this case: by name, and by the environment they were started in."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes()
                if (
                    entry / "comm"
                ).read_text() == "sluice-host\n" and f"TMPDIR={self.tmp}\0".encode() in environment:
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def test_killed_run_takes_its_host_along(self) -> None:
        process = self.start(
            "run",
            "--",
            "sleep",
            "60",
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.assertTrue(wait_for(lambda: len(self.hosts()) == 1))
            process.kill()
            process.wait(PATIENCE_S)
            self.assertTrue(wait_for(lambda: not self.hosts()), "the host outlived its run")
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(
                    process.pid, signal.SIGKILL
                )  # the program itself lives on: it is the user's


class Serve(Case):
    def serve(self, *words: str) -> tuple["subprocess.Popen[str]", str, Any]:
        path = str(self.tmp / "s")
        reader, writer = os.pipe()
        process = self.start(
            "serve", "-q", "--socket", path, "--status-fd", str(writer), *words, pass_fds=[writer]
        )
        os.close(writer)
        return process, path, os.fdopen(reader)

    def finish(
        self, process: "subprocess.Popen[str]", number: signal.Signals
    ) -> tuple[Optional[int], str]:
        process.send_signal(number)
        err = process.communicate(timeout=PATIENCE_S)[1]
        return process.returncode, err

    def test_clean_end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            process, path, status = self.serve()
            with status:
                self.assertEqual("listening\n", status.readline())
                self.assertTrue(status.readline().startswith("ready "))
                self.assertEqual((0, ""), self.finish(process, number))
                self.assertEqual("ended 0\n", status.readline())
            self.assertFalse(os.path.exists(path))

    def test_serves_programs(self) -> None:
        process, path, status = self.serve()
        with status:
            self.assertEqual("listening\n", status.readline())
            done = self.run_sluice(
                "run", "--allow-idle", "--socket", path, "--", "printenv", "SLUICE_SOCKET"
            )
            self.assertEqual((0, path + "\n", ""), (done.returncode, done.stdout, done.stderr))
            self.refused(125, "run", "--socket", path, "--", "true", says="made no context")
            self.refused(3, "serve", "--socket", path, says="cannot listen")
            self.assertEqual((0, ""), self.finish(process, signal.SIGTERM))


class Device(Case):
    def start_device(self, *words: str) -> tuple["subprocess.Popen[str]", str, Any]:
        path = str(self.tmp / "gpu")
        reader, writer = os.pipe()
        process = self.start(
            "device", "-q", "--socket", path, "--status-fd", str(writer), *words, pass_fds=[writer]
        )
        os.close(writer)
        return process, path, os.fdopen(reader)

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
        process, path, status = self.start_device("--displays", "2", "--size", "800x600")
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
        self.assertEqual([], sorted(self.tmp.glob("gpu*")))

    def test_takes_over_what_a_killed_one_left(self) -> None:
        process, path, status = self.start_device("--types", "gles")
        with status:
            self.assertEqual("listening\n", status.readline())
            process.kill()
            process.communicate()
        self.assertTrue(os.path.exists(path))
        process, path, status = self.start_device("--types", "composer")
        with status:
            self.assertEqual("listening\n", status.readline())
            self.assertTrue(status.readline().startswith("ready "))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
        self.assertEqual(0, process.returncode)


class Dump(Case):
    def setUp(self) -> None:
        super().setUp()
        self.path = str(self.tmp / "s")
        self.server = self.start("serve", "-q", "--socket", self.path)
        self.assertTrue(wait_for(lambda: os.path.exists(self.path)))

    def tearDown(self) -> None:
        self.server.terminate()
        self.server.communicate(timeout=PATIENCE_S)
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
        self.assertIn("no EGL device is 'no-such-gpu'; there are 0: ", done.stderr)
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
