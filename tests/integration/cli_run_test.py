"""sluice run from outside: exit codes, signals, other drivers, what stays behind.

usage: SLUICE_PROGRAM=build/dev/bin/sluice PROBE_PROGRAM=... python3 cli_run_test.py [Class]
"""

import contextlib
import itertools
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import unittest
from typing import Any

from cli_bed import PATIENCE_S, PROBE, Case, state_of, wait_for


def libc_copies_badly() -> bool:
    """On this processor: AMD's family 25, and a libc before 2.40 (tools/sluice/tuned.h)."""
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    lines = [line.split(":") for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()]
    cpu = {line[0].strip(): line[1].strip() for line in lines if len(line) == 2}
    old = name == "glibc" and [int(part) for part in version.split(".")[:2]] < [2, 40]
    amd = cpu.get("vendor_id") == "AuthenticAMD" and cpu.get("cpu family") == "25"
    return platform.machine() == "x86_64" and old and amd


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

    def test_tunables_of_its_own_stay_with_the_host(self) -> None:
        self.assertNotIn("GLIBC_TUNABLES", self.run_idle("env").stdout)
        self.env["GLIBC_TUNABLES"] = "glibc.malloc.check=0"
        lines = self.run_idle("env").stdout.splitlines()
        self.assertIn("GLIBC_TUNABLES=glibc.malloc.check=0", lines)

    def tunables_of_host(self) -> "list[str]":
        """Of what the program was started by, whose fork its host is. Some libcs end each tunable
        where the kernel shows the variable."""
        done = self.run_idle("sh", "-c", "tr '\\0' '\\n' < /proc/$PPID/environ")
        _, _, found = done.stdout.partition("GLIBC_TUNABLES=")
        words = found.replace(":", "\n").splitlines()
        return list(itertools.takewhile(lambda word: word.startswith("glibc."), words))

    def test_a_host_copies_without_the_string_instruction_where_that_is_slow(self) -> None:
        threshold = "glibc.cpu.x86_rep_movsb_threshold="
        ours = [threshold + "0x10000001"] if libc_copies_badly() else []
        self.assertEqual(ours, self.tunables_of_host())
        self.env["GLIBC_TUNABLES"] = own = "glibc.malloc.check=0"
        self.assertEqual([own] + ours, self.tunables_of_host())
        self.env["GLIBC_TUNABLES"] = own = threshold + "0x2000"  # somebody knows better
        self.assertEqual([own], self.tunables_of_host())

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

    def test_a_parent_that_waits_for_nobody(self) -> None:
        """An ignored SIGCHLD is inherited, and a kernel then keeps no endings to wait for."""
        done = self.run_sluice(
            "run",
            "--allow-idle",
            "--",
            "sh",
            "-c",
            "exit 5",
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
        )
        self.assertEqual(5, done.returncode, done.stderr)

    def start_reader(self, **more: Any) -> "tuple[subprocess.Popen[str], int]":
        """A program that waits for a line and ends with 5; its process."""
        process = self.start(
            "run",
            "--allow-idle",
            "--",
            "sh",
            "-c",
            "echo $$; read line; exit 5",
            stdin=subprocess.PIPE,
            **more,
        )
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    def test_stop_and_continue(self) -> None:
        # A group of its own below one that is in the session: job control stops no others.
        process, program = self.start_reader(preexec_fn=os.setpgrp)
        for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU) * 30:
            os.kill(program, number)
            self.assertTrue(
                wait_for(lambda: state_of(process.pid) == "T"),
                f"sluice run did not stop with its program, by {number}",
            )
            process.send_signal(signal.SIGCONT)
            self.assertTrue(
                wait_for(lambda: state_of(program) not in ("T", "")), "the program did not go on"
            )
        process.communicate("line\n", timeout=PATIENCE_S)
        self.assertEqual(5, process.returncode)

    def test_stop_of_both(self) -> None:
        """As the terminal stops them; one SIGCONT for sluice run alone is enough."""
        process, program = self.start_reader(preexec_fn=os.setpgrp)
        os.killpg(process.pid, signal.SIGTSTP)
        for pid in (process.pid, program):
            self.assertTrue(wait_for(lambda: state_of(pid) == "T"), "it did not stop")
        process.send_signal(signal.SIGCONT)
        process.communicate("line\n", timeout=PATIENCE_S)
        self.assertEqual(5, process.returncode)

    def test_stop_of_the_program_alone(self) -> None:
        process, program = self.start_reader()
        os.kill(program, signal.SIGSTOP)
        self.assertTrue(wait_for(lambda: state_of(program) == "T"), "it did not stop")
        os.kill(program, signal.SIGCONT)
        process.communicate("line\n", timeout=PATIENCE_S)
        self.assertEqual(5, process.returncode)

    def maps(self, name: str) -> str:
        """A program in Python that has a driver of this name mapped for a while."""
        library = self.tmp / name
        library.write_bytes(bytes(4096))
        program = f"import mmap,time; f=open('{library}','rb'); "
        return program + "m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ); time.sleep(2)"

    def other_driver(self, name: str, *words: str, options: tuple[str, ...] = ()) -> None:
        says = f"another driver: {name}"
        self.refused(125, "run", "--allow-idle", *options, "--", *words, says=says)

    def test_other_driver_is_found(self) -> None:
        name = "swrast_dri.so"
        self.other_driver(name, sys.executable, "-c", self.maps(name))

    def test_other_vulkan_driver_is_found(self) -> None:
        name = "libvulkan_lvp.so"
        for options in ((), ("--zink",)):
            self.other_driver(name, sys.executable, "-c", self.maps(name), options=options)

    def test_other_driver_of_a_child_is_found(self) -> None:
        name = "libEGL_mesa.so.0"
        self.other_driver(name, "sh", "-c", f'{sys.executable} -c "{self.maps(name)}"; true')

    def test_other_driver_beside_ours_is_a_warning(self) -> None:
        name = "swrast_dri.so"
        program = f'"{PROBE}" && {sys.executable} -c "{self.maps(name)}"; exit 3'
        done = self.run_sluice("run", "--", "sh", "-c", program)
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn(f"another driver as well: {name}", done.stderr)

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

    def test_host_that_does_not_end_says_nothing_of_its_program(self) -> None:
        script = f'"{PROBE}" && echo up && read line'
        process = self.start("run", "--", "sh", "-c", script, stdin=subprocess.PIPE)
        assert process.stdout is not None
        while (line := process.stdout.readline()) != "up\n":
            self.assertNotEqual("", line, "the program ended early")
        (host,) = self.hosts()
        os.kill(host, signal.SIGSTOP)
        _, said = process.communicate("line\n", timeout=PATIENCE_S)
        self.assertIn("it is killed", said)
        self.assertNotIn("no context", said)
        self.assertEqual(0, process.returncode, said)

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


if __name__ == "__main__":
    unittest.main()
