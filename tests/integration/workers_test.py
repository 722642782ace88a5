"""sluice serve --isolate from outside: a program's worker crashes, hangs or takes memory, and
nobody else notices (attack cases I01, I03); what is left of workers, who may look at them.

usage: SLUICE_PROGRAM=build/dev/bin/sluice KILL_CLIENT=... CRASH_PROGRAM=... ENDLESS_PROGRAM=... \\
       VULKAN_CRASH_PROGRAM=... FRAMES_PROGRAM=... VENDOR_FILE=... SLUICE_ICD=... \\
       python3 workers_test.py [Class]
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
from typing import Any, Optional

from cli_bed import PATIENCE_S, Case, state_of, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from xvfb import x_server  # noqa: E402

CLIENT = os.environ.get("KILL_CLIENT", "kill_client")
CRASH = os.environ.get("CRASH_PROGRAM", "crash_program")
VULKAN_CRASH = os.environ.get("VULKAN_CRASH_PROGRAM", "vulkan_crash")
ENDLESS = os.environ.get("ENDLESS_PROGRAM", "endless_program")
FRAMES = os.environ.get("FRAMES_PROGRAM", "frames_program")
VENDOR_FILE = os.environ.get("VENDOR_FILE", "")
ICD_FILE = os.environ.get("SLUICE_ICD", "")
PROGRAMS = int(os.environ.get("SLUICE_PROGRAMS", "12"))  # 1024 is the long form

LOST = 42  # kill_codes.h
NOTHING = 3  # crash_program.c
GAP_MAX_S = 1.0  # between two frames of who must not notice
PULSE_S = 0.01
TURNS = 10  # of the processors, that who draws a frame may have to wait for
FAIR = 0.8 / 2  # of what a program draws alone, beside one that takes all it can get

HELLO, MAGIC, VERSION, CLIENT_KIND, CONTROL_KIND = 1, 0x63696C73, 2, 1, 2
NOMEM, INVALID = -3, -1


def children(pid: int) -> "list[int]":
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def status_of(pid: int) -> "dict[str, str]":
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].strip() for line in lines}


class Connection:
    """One of this process's own: its pid is the test's."""

    def __init__(self, path: str, kind: int = CLIENT_KIND, process: int = 0) -> None:
        self.end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.end.connect(path)
        self.end.settimeout(PATIENCE_S)
        self.end.send(
            struct.pack("=6I64s", HELLO, 1, MAGIC, VERSION, kind, process, b"workers_test")
        )

    def answer(self) -> Optional[int]:
        """The hello's result; None: hung up on."""
        data, fds, _, _ = socket.recv_fds(self.end, 4096, 4)
        for fd in fds:
            os.close(fd)
        result: Optional[int] = struct.unpack_from("=i", data, 8)[0] if data else None
        return result

    def hung_up(self) -> bool:
        return self.end.recv(4096) == b""

    def close(self) -> None:
        self.end.close()


class Pulse:
    """A thread that wants a moment of a processor now and then: how late it got one at most."""

    def __init__(self) -> None:
        self.late_s = 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        last = time.monotonic()
        while not self.over.wait(PULSE_S):
            now = time.monotonic()
            self.late_s = max(self.late_s, now - last - PULSE_S)
            last = now

    def end(self) -> None:
        self.over.set()
        self.thread.join()


class Frames:
    """A kill_client, whose every picture is looked at by itself: a byte for each right one."""

    def __init__(self, path: str, env: "dict[str, str]", mode: str = "steady") -> None:
        env = dict(env, SLUICE_SOCKET=path, __EGL_VENDOR_LIBRARY_FILENAMES=VENDOR_FILE)
        self.process = subprocess.Popen(
            [CLIENT, mode], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.count = 0
        self.gap_s = 0.0
        self.thread = threading.Thread(target=self.follow)
        self.thread.start()

    def follow(self) -> None:
        """Counts frames until there are no more; the longest silence between two is noted."""
        assert self.process.stdout is not None
        last = time.monotonic()
        while got := len(os.read(self.process.stdout.fileno(), 1 << 20)):
            now = time.monotonic()
            self.gap_s = max(self.gap_s, now - last)
            self.count += got
            last = now

    def watch(self, seconds: float) -> int:
        """Frames of so many seconds; of more, if there was none."""
        before = self.count
        time.sleep(seconds)
        wait_for(lambda: self.count > before)
        return self.count - before

    def begin(self) -> "Frames":
        assert wait_for(lambda: self.count > 0), "no frame came"
        self.gap_s = 0.0
        return self

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Workers(Case):
    def setUp(self) -> None:
        super().setUp()
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def serve(self, *words: str) -> str:
        self.server, self.path, status = self.start_served("serve", *words)
        self.stack.callback(self.server.communicate)
        self.stack.callback(self.server.kill)
        self.status = self.stack.enter_context(status)
        self.assertEqual("listening\n", self.status.readline())
        self.assertTrue(self.status.readline().startswith("ready "))
        return self.path

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """What the server has said."""
        self.server.send_signal(number)
        err: str = self.server.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(0, self.server.returncode, err)
        return err

    def frames(self, mode: str = "steady") -> Frames:
        made = Frames(self.path, self.env, mode)
        self.stack.callback(made.end)
        return made.begin()

    def state(self) -> "dict[str, Any]":
        found: "dict[str, Any]" = json.loads(self.run_sluice("dump", "--json", self.path).stdout)
        return found

    def worker_of(self, pid: int) -> int:
        workers = [p["worker"] for p in self.state()["programs"] if p["pid"] == pid]
        self.assertEqual(1, len(workers), "a program has one worker")
        return int(workers[0])

    def only_spare(self) -> None:
        self.assertTrue(wait_for(lambda: len(children(self.server.pid)) == 1))
        self.assertEqual([], self.state()["programs"])

    def program(self, *words: str, **more: Any) -> "subprocess.Popen[str]":
        env = dict(self.env, SLUICE_SOCKET=self.path, __EGL_VENDOR_LIBRARY_FILENAMES=VENDOR_FILE)
        env.update(VK_DRIVER_FILES=ICD_FILE, VK_ICD_FILENAMES=ICD_FILE)
        made = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more
        )
        self.stack.callback(made.communicate)
        self.stack.callback(made.kill)
        return made


class Crash(Workers):
    def setUp(self) -> None:
        super().setUp()
        self.pulse = Pulse()
        self.stack.callback(self.pulse.end)

    def is_short(self, seconds: float) -> None:
        """A silence in which nobody notices anything, but that the machine has much to do."""
        self.assertLess(seconds, GAP_MAX_S + TURNS * self.pulse.late_s)

    def test_a_worker_dies_alone(self) -> None:
        self.serve("--isolate")
        steady = self.frames()
        for number in (signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT):
            victim = self.frames()
            os.kill(self.worker_of(victim.process.pid), number)
            begin = time.monotonic()
            self.assertEqual(LOST, victim.process.wait(PATIENCE_S))
            self.is_short(time.monotonic() - begin)
            self.assertGreater(steady.watch(1), 0)
        self.is_short(steady.gap_s)
        self.assertIsNone(steady.process.poll())
        state = self.state()
        self.assertEqual(
            (1, 1, 3), tuple(state[k] for k in ("clients", "contexts", "contexts_lost"))
        )
        steady.end()
        said = self.end()
        for number in (signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT):
            self.assertRegex(said, rf"died of signal {int(number)} .*kill_client \(process \d+, ")

    def test_a_program_goes_on_with_a_new_context(self) -> None:
        self.goes_on("recovers")

    def test_a_program_goes_on_in_its_window(self) -> None:
        self.goes_on("window_recovers")

    def test_a_program_goes_on_on_its_display(self) -> None:
        self.goes_on("keeps")

    def test_a_program_goes_on_in_its_window_on_its_display(self) -> None:
        self.goes_on("window_keeps")

    def test_a_program_goes_on_on_its_surface(self) -> None:
        self.goes_on("stays")

    def test_a_program_goes_on_on_its_windows_surface(self) -> None:
        self.goes_on("window_stays")

    def goes_on(self, mode: str) -> None:
        """It is told of the reset, ends what was lost, and draws right pictures again."""
        if mode.startswith("window_"):  # it looks at the screen
            self.env.update(self.stack.enter_context(x_server())[0])
        self.serve("--isolate")
        program = self.frames(mode)
        for number in (signal.SIGKILL, signal.SIGSEGV):
            before = self.worker_of(program.process.pid)
            os.kill(before, number)
            self.assertTrue(wait_for(lambda: self.has_other_worker(program, before)))
            count = program.count
            self.assertTrue(wait_for(lambda: program.count > count))
            self.assertIsNone(program.process.poll())
        program.end()
        self.assertEqual(2, self.end().count("died of signal"))

    def has_other_worker(self, program: Frames, before: int) -> bool:
        pid = program.process.pid
        workers = [int(p["worker"]) for p in self.state()["programs"] if p["pid"] == pid]
        return len(workers) == 1 and workers[0] not in (0, before)

    def test_a_driver_crashes_alone(self) -> None:
        self.serve("--isolate", "--trust", "--worker-memory", "512M")
        steady = self.frames()
        for way in ("shared", "compiler"):
            program = self.program(CRASH, way)
            self.assertEqual("crashing\n", program.communicate(timeout=PATIENCE_S)[0])
            self.assertEqual(LOST, program.returncode, way)
        steady.watch(1)
        self.is_short(steady.gap_s)
        self.assertIsNone(steady.process.poll())
        steady.end()
        self.assertEqual(2, self.end().count("died of signal"))

    def test_indices_crash_no_driver(self) -> None:
        self.serve("--isolate")
        program = self.program(CRASH, "shared")
        self.assertEqual("crashing\n", program.communicate(timeout=PATIENCE_S)[0])
        self.assertEqual(NOTHING, program.returncode)
        self.assertEqual(0, self.end().count("died of signal"))

    def vulkan_crashes(self, way: str) -> None:
        """Its device is lost, a program beside it draws on, and the log names it."""
        steady = self.frames()
        program = self.program(VULKAN_CRASH, way)
        self.assertEqual("crashing\n", program.communicate(timeout=PATIENCE_S)[0])
        self.assertEqual(LOST, program.returncode)
        steady.watch(1)
        self.is_short(steady.gap_s)
        self.assertIsNone(steady.process.poll())
        steady.end()
        whose = rf"it was that of \S+ \(process {program.pid}, "
        self.assertRegex(self.end(), rf"died of signal \d+ .*{whose}")

    def test_a_vulkan_driver_crashes_alone(self) -> None:
        self.serve("--isolate", "--trust")  # without, the index is cut to what is there
        self.vulkan_crashes("shared")

    def test_a_vulkan_compiler_crashes_alone(self) -> None:
        self.serve("--isolate", "--worker-memory", "512M")
        self.vulkan_crashes("compiler")

    def test_who_crashes_always_waits(self) -> None:
        self.serve("--isolate")
        steady = self.frames()
        waits = []
        crash = time.monotonic()
        for _ in range(7):
            connection = Connection(self.path)
            self.assertEqual(0, connection.answer())
            waits.append(time.monotonic() - crash)
            crash = time.monotonic()
            os.kill(self.worker_of(os.getpid()), signal.SIGSEGV)
            self.assertTrue(connection.hung_up())
            connection.close()
        self.assertGreaterEqual(waits[4], 0.25, waits)  # three crashes are free
        self.assertGreaterEqual(waits[6], 1, waits)
        begin = time.monotonic()
        other = self.frames()  # another process of the same user
        self.is_short(time.monotonic() - begin - 1)  # it is started first
        self.assertGreater(other.watch(1), 0)
        self.assertGreater(steady.watch(1), 0)
        self.is_short(steady.gap_s)
        steady.end()
        other.end()
        self.assertRegex(self.end(), r"workers_test \(process \d+, user \d+\) waits \d+ ms")

    def test_an_endless_draw_leaves_others_their_share(self) -> None:
        self.serve("--isolate")
        steady = self.frames()
        shares: "list[tuple[int, int]]" = []  # frames alone, and beside it
        while not shares or (len(shares) < 4 and shares[-1][1] <= FAIR * shares[-1][0]):
            alone = steady.watch(3)  # others may have the processors, now or then
            endless = self.program(ENDLESS)
            assert endless.stdout is not None
            self.assertEqual("drawing\n", endless.stdout.readline())
            worker = self.worker_of(endless.pid)
            time.sleep(0.5)
            steady.gap_s = 0.0
            shares.append((alone, steady.watch(3)))
            self.is_short(steady.gap_s)
            endless.kill()
            self.assertTrue(wait_for(lambda: state_of(worker) == ""), "its draw goes on")
        self.assertGreater(shares[-1][1], FAIR * shares[-1][0], shares)
        steady.end()
        self.end()


class Ends(Workers):
    def test_a_worker_ends_with_its_program(self) -> None:
        self.serve("--isolate")
        for _ in range(3):
            program = self.frames()
            program.end()
            self.only_spare()
        self.assertEqual("", self.end())
        self.assertEqual("ended 3\n", self.status.readline())

    def test_nothing_is_left(self) -> None:
        def shared() -> "list[str]":  # others put their own there meanwhile
            return sorted(name for name in os.listdir("/dev/shm") if "sluice" in name)

        before = shared()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            self.serve("--isolate")
            steady = self.frames()
            workers = children(self.server.pid)
            self.assertGreater(len(workers), 0)
            if number == signal.SIGKILL:
                self.server.kill()
                self.server.communicate(timeout=PATIENCE_S)
                os.unlink(self.path)
            else:
                self.assertEqual("", self.end(number))
            self.assertEqual(LOST, steady.process.wait(PATIENCE_S))
            self.assertTrue(wait_for(lambda: not any(map(state_of, workers))))
            self.assertFalse(os.path.exists(self.path))
        self.assertEqual(before, shared())

    def test_without_a_driver(self) -> None:
        for words in (("--isolate",), ()):
            self.refused(
                7,
                "serve",
                "--socket",
                str(self.tmp / "s"),
                "--egl-library",
                "/nowhere",
                *words,
                says="could not be loaded",
            )
        self.refused(2, "serve", "--worker-fd", "77", says="which is no server's")

    def test_many_programs(self) -> None:
        self.serve("--isolate")
        programs = [Frames(self.path, self.env, "slow") for _ in range(PROGRAMS)]
        for program in programs:
            self.stack.callback(program.end)
        for program in programs:
            program.begin()
        found = self.state()
        self.assertEqual(PROGRAMS, len({p["worker"] for p in found["programs"]}))
        self.assertEqual(PROGRAMS, found["contexts"])
        for program in programs:
            self.assertIsNone(program.process.poll())
            program.end()
        self.only_spare()
        self.assertEqual("", self.end())


class Apart(Workers):
    """Who is served by whom, and who may look."""

    def test_a_process_has_one_worker(self) -> None:
        self.serve("--isolate")
        mine = [Connection(self.path) for _ in range(3)]
        self.assertEqual([0, 0, 0], [c.answer() for c in mine])
        program = self.frames()
        workers = {self.worker_of(os.getpid()), self.worker_of(program.process.pid)}
        self.assertEqual(2, len(workers))
        mine += [Connection(self.path) for _ in range(254)]
        self.assertEqual([0] * 253 + [NOMEM], [c.answer() for c in mine[3:]])
        for connection in mine:
            connection.close()
        self.assertTrue(wait_for(lambda: bool(self.state()["clients"] == 1)))
        again = Connection(self.path)
        self.assertEqual(0, again.answer())
        self.assertIn(
            self.worker_of(os.getpid()), workers, "a program that comes again has its own"
        )
        again.close()

    def test_the_default(self) -> None:
        for words, isolates in (
            ((), False),
            (("--any-user",), True),
            (("--any-user", "--no-isolate"), False),
        ):
            self.serve(*words)
            self.assertEqual(isolates, bool(children(self.server.pid)), words)
            self.assertEqual(isolates, "programs" in self.state(), words)
            self.end()

    def test_a_worker_has_little(self) -> None:
        self.serve("--any-user")
        worker = children(self.server.pid)[0]
        links = [os.readlink(f"/proc/{worker}/fd/{fd}") for fd in os.listdir(f"/proc/{worker}/fd")]
        servers = [
            os.readlink(f"/proc/{self.server.pid}/fd/{fd}")
            for fd in os.listdir(f"/proc/{self.server.pid}/fd")
        ]
        sockets = [link for link in links if link.startswith("socket:")]
        self.assertEqual(1, len(sockets), "its feed is its only socket")
        self.assertNotIn(sockets[0], servers, "the feed's other end is the server's")
        found = status_of(worker)
        self.assertEqual(("1", "2"), (found["NoNewPrivs"], found["Seccomp"]))
        self.assertEqual(0, int(found["CapEff"], 16))
        self.end()
        self.serve("--any-user", "--trust")
        self.assertEqual("0", status_of(children(self.server.pid)[0])["Seccomp"])

    def test_a_worker_loads_what_it_is_asked_for(self) -> None:
        """The first one loads Vulkan's drivers to say what draws; nobody asks the next ones."""
        self.serve("--isolate")
        first = children(self.server.pid)[0]
        mine = Connection(self.path)
        self.assertEqual(0, mine.answer())
        self.assertEqual(first, self.worker_of(os.getpid()))
        self.assertTrue(wait_for(lambda: len(children(self.server.pid)) == 2))
        other = self.frames()
        driver = re.compile(r"/libvulkan_\w+\.so")
        found = [
            driver.search(pathlib.Path(f"/proc/{pid}/maps").read_text())
            for pid in (first, self.worker_of(other.process.pid))
        ]
        if found[0] is None:
            self.skipTest("there is no driver of Vulkan")
        self.assertIsNone(found[1])
        self.assertIn("Vulkan", self.state()["driver"])
        other.end()
        mine.close()
        self.end()

    def test_threads_have_room_below_their_stacks(self) -> None:
        """A driver's, too: what it made of a shader may have larger variables than a stack."""
        self.serve("--isolate")
        program = self.frames()
        worker = self.worker_of(program.process.pid)
        below = re.findall(
            r"^(\w+)-(\w+) ---p", pathlib.Path(f"/proc/{worker}/maps").read_text(), re.M
        )
        wide = [area for area in below if int(area[1], 16) - int(area[0], 16) >= 256 << 20]
        threads = os.listdir(f"/proc/{worker}/task")
        self.assertGreater(len(threads), 2, "a ring's and the driver's")
        self.assertGreaterEqual(len(wide), len(threads) - 1, "all but the first one")
        program.end()
        self.end()

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_another_user_sees_its_own_alone(self) -> None:
        self.serve("--any-user")
        os.chmod(self.tmp, 0o755)
        mine = Connection(self.path)
        self.assertEqual(0, mine.answer())
        child = os.fork()
        if child == 0:
            os.setgid(65534)
            os.setuid(65534)
            tool = Connection(self.path, CONTROL_KIND, os.getppid())
            own = Connection(self.path)
            ok = tool.answer() == INVALID and own.answer() == 0
            mine_too = Connection(self.path, CONTROL_KIND, os.getpid())
            ok = ok and mine_too.answer() == 0
            os._exit(0 if ok else 1)
        self.assertEqual(0, os.waitpid(child, 0)[1])
        tool = Connection(self.path, CONTROL_KIND, os.getpid())
        self.assertEqual(0, tool.answer())
        tool.close()
        mine.close()

    def nobodys(self, connections: int) -> "list[Optional[int]]":
        """What a process of another user is answered, which stays until the test's end."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.setgid(65534)
            os.setuid(65534)
            mine = [Connection(self.path) for _ in range(connections)]
            os.write(writer, json.dumps([c.answer() for c in mine]).encode())
            time.sleep(PATIENCE_S)
            os._exit(0)
        self.stack.callback(os.waitpid, child, 0)
        self.stack.callback(os.kill, child, signal.SIGKILL)
        os.close(writer)
        with os.fdopen(reader) as answers:
            found: "list[Optional[int]]" = json.loads(os.read(answers.fileno(), 4096))
        return found

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_another_user_has_its_share(self) -> None:
        self.serve("--any-user", "--user-programs", "2", "--user-clients", "5")
        os.chmod(self.tmp, 0o755)
        self.assertEqual([0, 0], self.nobodys(2))
        self.assertEqual([0], self.nobodys(1))
        self.assertEqual([NOMEM], self.nobodys(1), "a third program")
        self.assertEqual(3, self.state()["clients"])
        self.assertIn("user 65534 has 2 programs of 2", self.end())
        self.serve("--any-user", "--user-clients", "3")
        self.assertEqual([0, 0, 0, NOMEM], self.nobodys(4))
        self.assertIn("another user 3", self.end())

    def test_tools_name_a_program(self) -> None:
        self.serve("--isolate")
        program = self.frames()
        one = f"{self.path}@{program.process.pid}"
        rings = json.loads(self.run_sluice("dump", "--json", one).stdout)["rings"]
        self.assertEqual([program.process.pid], [ring["pid"] for ring in rings])
        calls = self.run_sluice("dump", "--print", "--count", "3", one).stdout
        self.assertRegex(calls, r"\A(\.\.\. .*\n)?\d+\.\d+ gl\w+\(")
        self.assertGreater(program.watch(1), 0)
        self.refused(3, "dump", f"{self.path}@1", says="no worker there is process 1's")
        for words in (("dump", "--print"), ("run", "--print", "--socket")):
            code = 10 if words[0] == "dump" else 125
            tail = ("--", "true") if words[0] == "run" else ()
            self.refused(code, *words, self.path, *tail, says="a worker of its own")
        self.refused(2, "record", "--attach", self.path, says="a worker of its own")
        trace = str(self.tmp / "t.slc")
        windows = self.program(FRAMES, "1000000", str(self.tmp / "count"), "5")
        self.assertTrue(wait_for(lambda: any(p["pid"] == windows.pid for p in self.programs())))
        done = self.run_sluice(
            "record", "-o", trace, "--count", "5", "--attach", f"{self.path}@{windows.pid}"
        )
        self.assertEqual(0, done.returncode, done.stderr)
        info = json.loads(self.run_sluice("info", "--json", trace).stdout)
        self.assertEqual(5, info["frames"])
        self.assertEqual(0, self.run_sluice("info", "--check", trace).returncode)

    def programs(self) -> "list[dict[str, Any]]":
        found: "list[dict[str, Any]]" = self.state()["programs"]
        return found


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main()
