"""sluice record from outside: what is in the file, also when somebody is killed or a disk is full.

usage: SLUICE_PROGRAM=build/dev/bin/sluice FRAMES_PROGRAM=... UPLOAD_PROGRAM=... \\
       python3 record_test.py [-v] [Class[.test]]
"""

import contextlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any, Optional

from trace_bed import SLUICE, environment

FRAMES = os.environ.get("FRAMES_PROGRAM", "frames_program")
UPLOAD = os.environ.get("UPLOAD_PROGRAM", "upload_program")
PATIENCE_S = 90


def host_of(process: "subprocess.Popen[str]") -> int:
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    for child in children.split():
        if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "sluice-host":
            return int(child)
    raise AssertionError("there is no host")


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.tmp = pathlib.Path(self.folder.name)
        self.trace = self.tmp / "t.slc"
        self.part = self.tmp / "t.slc.part"
        self.count = self.tmp / "count"
        self.env = environment()
        self.env["TMPDIR"] = str(self.tmp)

    def tearDown(self) -> None:
        self.folder.cleanup()

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [SLUICE, *words],
            env=self.env,
            cwd=self.tmp,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def ended(self, process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail("sluice did not end")
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def sluice(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        return self.ended(self.start(*words, **more))

    def record(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        return self.sluice("record", "-o", str(self.trace), *words, **more)

    def frames(self, count: int, pause_ms: int = 0) -> list[str]:
        return ["--", FRAMES, str(count), str(self.count), str(pause_ms)]

    def info(self, path: Optional[pathlib.Path] = None) -> dict[str, Any]:
        done = self.sluice("info", "--json", str(path or self.trace))
        self.assertEqual(0, done.returncode, done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def whole(self, path: Optional[pathlib.Path] = None) -> None:
        done = self.sluice("info", "--check", str(path or self.trace))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn(" 0 damaged", done.stdout)

    def counted(self) -> int:
        try:
            return int(struct.unpack("<Q", self.count.read_bytes()[:8])[0])
        except (FileNotFoundError, struct.error):
            return 0

    def wait_for_frames(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.counted() < count:
            self.assertLess(time.monotonic(), deadline, "the program draws nothing")
            time.sleep(0.01)


class Record(Case):
    def test_all_frames_and_calls(self) -> None:
        done = self.record(*self.frames(20))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("recorded frames 0-19  calls ", done.stderr)
        self.assertFalse(self.part.exists())
        self.whole()
        info = self.info()
        self.assertEqual((20, True), (info["frames"], info["complete"]))
        dump = self.sluice("dump", str(self.trace)).stdout.splitlines()
        self.assertEqual(info["calls"], len(dump))
        self.assertEqual(20, sum("glClear(" in line for line in dump))

    def test_what_was_recorded_as_json(self) -> None:
        """The last line, behind all that the program says."""
        words = ["sh", "-c", f"echo drawn; exec {FRAMES} 20 {self.count} 0"]
        done = self.record("--json", "--", *words)
        self.assertEqual(0, done.returncode, done.stderr)
        said = done.stdout.splitlines()
        self.assertEqual("drawn", said[0])
        document = json.loads(said[-1])
        (file,) = document["files"]
        self.assertEqual((1, str(self.trace), self.trace.stat().st_size),
                         (document["schema"], file["path"], file["bytes"]))  # fmt: skip
        info = self.info()
        for key in ("complete", "frames", "calls"):
            self.assertEqual(info[key], file[key], key)

    def test_the_programs_own_exit_code(self) -> None:
        done = self.record("--allow-idle", "--", "sh", "-c", "exit 37")
        self.assertEqual(37, done.returncode, done.stderr)
        self.trace.write_text("precious")
        self.assertEqual(127, self.record("-f", "--", "no-such-program").returncode)
        self.assertEqual("precious", self.trace.read_text())

    def test_a_program_that_cannot_be_executed(self) -> None:
        """Neither a trace of nothing is left, nor an old one lost; also of a flight recorder."""
        wrong = self.tmp / "wrong"
        wrong.write_text("#!/nowhere/interpreter\n")
        wrong.chmod(0o755)
        for code, program in ((126, "/"), (127, str(wrong))):
            for more in ([], ["--json"], ["--ring", "4M"], ["--trigger", "signal"]):
                with self.subTest(program=program, more=more):
                    done = self.record(*more, "--", program)
                    self.assertEqual(code, done.returncode, done.stderr)
                    self.assertNotIn("recorded frames", done.stderr)
                    self.assertEqual([], list(self.tmp.glob("*.slc*")))
        self.trace.write_text("precious")
        done = self.record("-f", "--", "/")
        self.assertEqual(126, done.returncode, done.stderr)
        self.assertEqual("precious", self.trace.read_text())
        self.assertEqual([self.trace], list(self.tmp.glob("*.slc*")))

    def test_a_name_that_is_taken(self) -> None:
        self.trace.write_text("precious")
        done = self.record(*self.frames(1))
        self.assertEqual(2, done.returncode)
        self.assertIn("is there already", done.stderr)
        self.assertEqual("precious", self.trace.read_text())
        self.assertEqual(0, self.record("--force", *self.frames(1)).returncode)
        self.whole()

    def test_two_recorders_with_one_name(self) -> None:
        first = self.start("record", "-o", str(self.trace), *self.frames(0, 5))
        self.wait_for_frames(1)
        for force in ([], ["--force"]):
            done = self.record(*force, *self.frames(1))
            self.assertEqual(125, done.returncode, done.stderr)
            self.assertIn("is being written by another recorder", done.stderr)
        first.send_signal(signal.SIGTERM)
        done = self.ended(first)
        self.assertEqual(128 + signal.SIGTERM, done.returncode, done.stderr)
        self.whole()

    def test_the_default_name(self) -> None:
        done = self.sluice("record", *self.frames(1))
        self.assertEqual(0, done.returncode, done.stderr)
        names = [path.name for path in self.tmp.glob("*.slc")]
        self.assertEqual(1, len(names))
        self.assertRegex(names[0], r"^frames_program-\d{8}T\d{6}\.\d{3}Z-\d+\.slc$")

    def test_line_breaks_in_names(self) -> None:
        """What is told of a file is a line of its own."""
        done = self.sluice("record", "-o", str(self.tmp / "a\nrecorded 9.slc"), *self.frames(1))
        self.assertEqual(2, done.returncode)
        self.assertIn("has a line break in its name", done.stderr)
        program = self.tmp / "draws\nrecorded"
        program.symlink_to(FRAMES)
        done = self.sluice("record", "-o", "%n.slc", *("--", str(program), *self.frames(1)[2:]))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue((self.tmp / "draws_recorded.slc").is_file())

    def test_frames_from_0(self) -> None:
        done = self.record("--frames", "0-9", "--quit-when-done", *self.frames(0, 2))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(10, self.info()["frames"])

    def test_what_makes_no_sense(self) -> None:
        for words, why in (
            (["--frames", "9-5", *self.frames(1)], "must be ranges like"),
            (["--attach", "a.sock", *self.frames(1)], "records no program of its own"),
            (["--attach", "a.sock", "--stop", "a.sock"], "give one of them"),
            ([], "there is nothing to record"),
        ):
            done = self.record(*words)
            self.assertEqual(2, done.returncode, words)
            self.assertIn(why, done.stderr)
        done = self.record("--attach", "a.sock")
        self.assertEqual(3, done.returncode)
        self.assertIn("there is no such socket", done.stderr)

    def test_hashes_of_pictures(self) -> None:
        done = self.record("--hash", "--durable", *self.frames(3))
        self.assertEqual(0, done.returncode, done.stderr)
        self.whole()

    def test_a_picture_is_kept(self) -> None:
        self.assertEqual(0, self.record(*self.frames(5)).returncode)
        kept, shots = self.tmp / "kept.png", self.tmp / "shots"
        for words, code in (([], 0), ([], 2), (["--force"], 0)):
            done = self.sluice("info", *words, "--thumb", str(kept), str(self.trace))
            self.assertEqual(code, done.returncode, done.stderr)
        self.assertEqual(
            0,
            self.sluice(
                *["replay", "--shots", "0", "--out", str(shots), str(self.trace)]
            ).returncode,
        )
        # A window of 64 x 48 is small enough to be kept as it is.
        self.assertEqual((shots / "frame-000000.png").read_bytes(), kept.read_bytes())
        self.assertEqual(
            0, self.record("-f", "--allow-idle", "--", "sh", "-c", "exit 0").returncode
        )
        done = self.sluice("info", "--thumb", str(kept), str(self.trace))
        self.assertEqual(7, done.returncode)
        self.assertIn("keeps no picture", done.stderr)

    def test_through_a_pipe(self) -> None:
        os.mkfifo(self.trace)
        copy = self.tmp / "copy.slc"
        with copy.open("wb") as out:
            reader = subprocess.Popen(["cat", str(self.trace)], stdout=out)
            done = self.record(*self.frames(5))
            reader.wait(PATIENCE_S)
        self.assertEqual(0, done.returncode, done.stderr)
        self.whole(copy)


class Nothing(Case):
    """A recording of nothing is no file, and what it would have replaced is not lost."""

    OLD = "precious"

    def setUp(self) -> None:
        super().setUp()
        self.trace.write_text(self.OLD)

    def stays(self, done: "subprocess.CompletedProcess[str]", code: int) -> None:
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertEqual(self.OLD, self.trace.read_text(), done.stderr)
        self.assertEqual([], list(self.tmp.glob("*.slc.part")), done.stderr)

    def test_programs_that_draw_nothing(self) -> None:
        for code, script in ((125, "exit 0"), (37, "exit 37"), (137, "kill -KILL $$")):
            with self.subTest(script):
                done = self.record("--force", "--", "sh", "-c", script)
                self.stays(done, code)
                self.assertIn("-> no file; t.slc stays as it was", done.stderr)

    def test_a_new_name_is_not_taken(self) -> None:
        self.trace.unlink()
        done = self.record("--json", "--", "true")
        self.assertEqual(125, done.returncode, done.stderr)
        self.assertEqual({"schema": 1, "files": []}, json.loads(done.stdout))
        self.assertEqual([], list(self.tmp.glob("*.slc*")))

    def test_ranges_that_never_come(self) -> None:
        self.stays(self.record("--force", "--frames", "50-", *self.frames(3)), 125)
        done = self.record("--force", "--frames", "0-1,50-", *self.frames(3))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual([self.trace], list(self.tmp.glob("*.slc*")))
        self.assertEqual(2, self.info()["frames"])

    def test_recorders_that_are_killed(self) -> None:
        """Of one that had no time for its last word the part may be left."""
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number.name):
                self.part.unlink(missing_ok=True)
                process = self.start("record", "-f", "-o", str(self.trace), "--", "sleep", "99")
                deadline = time.monotonic() + PATIENCE_S
                while not self.part.exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                os.kill(host_of(process), number)
                time.sleep(0.1)
                process.send_signal(signal.SIGTERM)
                done = self.ended(process)
                self.assertNotEqual(0, done.returncode)
                self.assertEqual(self.OLD, self.trace.read_text(), done.stderr)

    def test_a_host_of_which_nothing_comes(self) -> None:
        socket = str(self.tmp / "s")
        host = self.start("serve", "-q", "--status-fd", "1", "--socket", socket)
        self.addCleanup(host.kill)
        assert host.stdout is not None
        self.assertEqual("listening\n", host.stdout.readline())
        recorder = self.start("record", "-f", "--attach", socket, "-o", str(self.trace))
        while recorder.poll() is None and not self.part.exists():
            time.sleep(0.01)
        recorder.send_signal(signal.SIGTERM)
        self.stays(self.ended(recorder), 125)
        host.terminate()
        self.ended(host)

    def test_what_is_asked_for(self) -> None:
        done = self.record("--force", "--allow-idle", "--", "true")
        self.assertEqual(0, done.returncode, done.stderr)
        self.whole()


class Follow(Case):
    """dump --follow of a file that grows."""

    def begin(
        self, frames: int, *words: str
    ) -> "tuple[subprocess.Popen[str], subprocess.Popen[str]]":
        self.count.unlink(missing_ok=True)
        recorder = self.start("record", "-o", str(self.trace), *self.frames(frames, 2))
        while recorder.poll() is None and not self.part.exists():
            time.sleep(0.01)
        return recorder, self.start("dump", "--follow", *words, str(self.part))

    def shows(self, trace: pathlib.Path, followed: str) -> None:
        """As the trace is shown, but for what a call gave that was waited for in vain: its packet
        and its result are written in turn."""
        whole = self.sluice("dump", str(trace)).stdout.splitlines()
        self.assertEqual(len(whole), len(followed.splitlines()))
        pairs = [pair for pair in zip(whole, followed.splitlines()) if pair[0] != pair[1]]
        self.assertLess(len(pairs), len(whole) // 20, pairs)  # one a look at most
        for wanted, line in pairs:
            self.assertEqual(wanted.partition("-> ")[0], line.partition("-> ")[0])

    def test_all_that_comes(self) -> None:
        """To the end, which has another name, and as the whole trace has it."""
        recorder, follower = self.begin(400)
        followed = self.ended(follower)
        self.assertEqual(0, self.ended(recorder).returncode)
        self.assertEqual((0, ""), (followed.returncode, followed.stderr))
        self.shows(self.trace, followed.stdout)

    def test_a_recorder_that_is_killed(self) -> None:
        for code, more in ((0, []), (6, ["--strict"])):
            recorder, follower = self.begin(0, *more)
            self.wait_for_frames(50)
            os.kill(host_of(recorder), signal.SIGKILL)
            self.assertEqual(125, self.ended(recorder).returncode)
            followed = self.ended(follower)
            self.assertEqual(code, followed.returncode, followed.stderr)
            self.assertIn("recording ended without an end mark", followed.stderr)
            self.shows(self.part, followed.stdout)
            self.part.unlink()

    def test_a_file_that_was_made_just_now(self) -> None:
        self.assertEqual(0, self.record(*self.frames(3)).returncode)
        new = self.tmp / "new.slc"
        new.touch()
        process = self.start("dump", "--follow", str(new))
        time.sleep(0.2)
        new.write_bytes(self.trace.read_bytes())
        done = self.ended(process)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(self.sluice("dump", str(self.trace)).stdout, done.stdout)

    def test_nobody_writes_it(self) -> None:
        self.assertEqual(0, self.record(*self.frames(3)).returncode)
        whole = self.trace.read_bytes()
        self.trace.write_bytes(whole[: len(whole) // 64 * 32])
        process = self.start("dump", "--follow", str(self.trace))
        assert process.stderr is not None
        self.assertIn("no recorder here writes it", process.stderr.readline())
        with self.trace.open("ab") as copied:
            copied.write(whole[self.trace.stat().st_size :])
        self.assertEqual(0, self.ended(process).returncode)


class Full(Case):
    """Uploads of 1 MiB each into a file that may not grow."""

    def upload(self, *words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        return self.record("--level", "0", *words, "--", UPLOAD, "buffer", "24", **more)

    def test_the_process_may_write_no_more(self) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (12 << 20, 12 << 20))

        done = self.upload(preexec_fn=limit)
        self.assertEqual(125, done.returncode, done.stderr)
        self.assertIn("warning: recording stopped at frame 0", done.stderr)
        self.assertIn("uploaded", done.stdout)  # the program runs on
        self.assertLessEqual(self.trace.stat().st_size, 12 << 20)
        self.whole()
        self.assertTrue(self.info()["complete"])

    def test_the_size_that_is_asked_for(self) -> None:
        done = self.upload("--max-size", "8M")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("the file has the size it may have", done.stderr)
        self.assertLessEqual(self.trace.stat().st_size, 8 << 20)
        self.assertGreater(self.trace.stat().st_size, 1 << 20)
        self.whole()

    def test_a_device_that_is_full(self) -> None:
        done = self.sluice("record", "-o", "/dev/full", *self.frames(1))
        self.assertEqual(125, done.returncode, done.stderr)
        self.assertIn("No space left", done.stderr)


class Behind(Case):
    def test_a_disk_that_is_too_slow(self) -> None:
        """The level falls, then the program waits, which is said; nothing is dropped."""
        os.mkfifo(self.trace)
        copy = self.tmp / "copy.slc"
        self.env["SLUICE_LOG"] = "info"
        log = self.tmp / "log"
        uploads = 300  # of 1 MiB each: some are in the pipe, packed, and 64 MiB on their way
        with log.open("w") as err:
            process = subprocess.Popen(
                [SLUICE, "record", "-o", str(self.trace), "--", UPLOAD, "buffer", str(uploads)],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        self.addCleanup(process.kill)
        with self.trace.open("rb") as slow, copy.open("wb") as out:
            deadline = time.monotonic() + PATIENCE_S
            while "what is recorded waits for it" not in log.read_text():
                self.assertLess(time.monotonic(), deadline, log.read_text())
                time.sleep(0.05)
            time.sleep(0.2)
            shutil.copyfileobj(slow, out)
        said, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(0, process.returncode, log.read_text())
        self.assertIn("uploaded", said)
        self.assertIn("it packs less for a while", log.read_text())
        self.assertIn("the program waited ", log.read_text())
        self.whole(copy)
        info = self.info(copy)
        self.assertTrue(info["complete"])
        self.assertGreaterEqual(info["call_bytes"], uploads << 20)
        rows = self.sluice("info", "--calls", str(copy)).stdout.splitlines()
        counts = [int(row.split()[0]) for row in rows if "glBufferSubData" in row]
        self.assertEqual((1, 0), (len(counts), counts[0] % uploads))  # one in two packets


class Killed(Case):
    """Deaths at random moments; SLUICE_KILLS=N makes N of each instead of a few.

    Then the recorder is held to its word, 50 ms: not beside other work.
    """

    STRICT = "SLUICE_KILLS" in os.environ
    SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM)
    HOLD_S = 0.05 if STRICT else 2
    AHEAD = 4  # frames that a program may be done with before the host has taken them

    def setUp(self) -> None:
        super().setUp()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):  # a death by a signal is one there, too
            self.env[name] = f"{self.env.get(name, '')}:handle_segv=0"

    def moments(self, usual: int) -> list[int]:
        """Frames after which somebody dies."""
        count = int(os.environ.get("SLUICE_KILLS", usual))
        return [random.randrange(1, 300) for _ in range(count)]

    def program_of(self, process: "subprocess.Popen[str]") -> int:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        host = str(host_of(process))
        return next(int(child) for child in children.split() if child != host)

    def begin(self, moment: int) -> "subprocess.Popen[str]":
        self.count.unlink(missing_ok=True)
        self.trace.unlink(missing_ok=True)
        process = self.start("record", "-f", "-o", str(self.trace), *self.frames(0, 1))
        self.wait_for_frames(moment)
        return process

    def test_the_program(self) -> None:
        """Nothing is lost that was handed over."""
        for number in self.SIGNALS:
            for moment in self.moments(2):
                with self.subTest(signal=number.name, moment=moment):
                    process = self.begin(moment)
                    os.kill(self.program_of(process), number)
                    done = self.ended(process)
                    self.assertEqual(128 + number, done.returncode, done.stderr)
                    self.whole()
                    info = self.info()
                    self.assertTrue(info["complete"])
                    self.assertGreaterEqual(info["frames"], self.counted())

    def test_the_recorder(self) -> None:
        """All is there but the last moment, 50 ms; what is asked to end has all that it took."""
        for number in self.SIGNALS:
            for moment in self.moments(1):
                with self.subTest(signal=number.name, moment=moment):
                    process = self.begin(moment)
                    before = self.counted()
                    if number == signal.SIGTERM:
                        os.kill(host_of(process), number)
                        self.asked_to_end(process, before)
                    else:
                        time.sleep(self.HOLD_S)
                        os.kill(host_of(process), number)
                        self.cut_short(process, before)

    def asked_to_end(self, process: "subprocess.Popen[str]", before: int) -> None:
        done = self.ended(process)
        self.assertNotEqual(0, done.returncode, done.stderr)
        self.assertIn("recorded frames 0-", done.stderr)
        self.whole()
        info = self.info()
        self.assertTrue(info["complete"])
        self.assertGreaterEqual(info["frames"], before - self.AHEAD)

    def cut_short(self, process: "subprocess.Popen[str]", before: int) -> None:
        done = self.ended(process)
        self.assertIn("what was written is in", done.stderr)
        self.assertEqual(125, done.returncode, done.stderr)
        self.assertFalse(self.trace.exists())
        info = self.info(self.part)
        self.assertFalse(info["complete"])
        self.assertGreaterEqual(info["frames"], before)
        done = self.record(*self.frames(1))
        self.assertEqual(125, done.returncode)
        self.assertIn("--force", done.stderr)

    def test_the_starter(self) -> None:
        """The host ends with it, and completes the file."""
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT):
            for moment in self.moments(1):
                with self.subTest(signal=number.name, moment=moment):
                    process = self.begin(moment)
                    program = self.program_of(process)
                    os.kill(process.pid, number)
                    self.assertEqual(-number, self.ended(process).returncode)
                    deadline = time.monotonic() + PATIENCE_S
                    while not self.trace.exists():
                        self.assertLess(time.monotonic(), deadline, "the host does not end")
                        time.sleep(0.01)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(program, signal.SIGKILL)
                    self.whole()
                    self.assertGreaterEqual(self.info()["frames"], moment)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
