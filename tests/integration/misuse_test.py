"""Wrong and awkward uses of the verbs of traces: words, places to write to, terminals, signals.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 misuse_test.py [-v] [CLASS]
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time
import unittest

from trace_bed import PATIENCE_S, SLUICE, TraceBed, environment, sluice


def below(pid: int) -> "list[int]":
    """A process's children, and theirs."""
    try:
        found = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [child for word in found for child in (int(word), *below(int(word)))]


def as_anybody() -> None:
    """Whoever runs the test: what files allow is all that there is."""
    drop, override, search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    libc = ctypes.CDLL(None)
    for capability in (override, search):
        libc.prctl(drop, capability, 0, 0, 0)


class Words(TraceBed):
    """What is said of words that mean nothing, or nothing together."""

    def test_options_behind_the_file(self) -> None:
        trace = str(self.any())
        before = self.ends(0, "dump", "--frames", "1", trace)
        self.assertEqual(before, self.ends(0, "dump", trace, "--frames", "1"))
        out = str(self.tmp / "behind.slc")
        self.ends(0, "trim", trace, "-o", out, "--frames", "1")

    def test_times_have_fractions(self) -> None:
        trace = str(self.any())
        whole = self.ends(0, "dump", "--no-names", trace).splitlines()
        parts = [
            self.ends(0, "dump", "--no-names", "--time", text, trace).splitlines()
            for text in ("0-0.009", "0.010-")
        ]
        self.assertEqual(whole, parts[0] + parts[1])
        self.assertTrue(parts[1])
        self.ends(2, "dump", "--time", "1..2", trace, says="it should be seconds like 7,1.5-2.25")
        self.ends(2, "dump", "--frames", "0.5", trace, says="it should be numbers like 7,10-20")

    def test_nothing_is_meant(self) -> None:
        trace = str(self.any())
        for words in (["--grep", "NothingLikeThis"], ["--time", "5000-"], ["--stream", "99"]):
            says = f"note: {trace}: no call is meant by all that was asked for\n"
            self.assertEqual("", self.ends(0, "dump", *words, trace, says=says))
            self.assertEqual("", sluice("dump", "-q", *words, trace).stderr)
        self.assertEqual("", sluice("dump", "--frames", "1", trace).stderr)

    def test_two_formats(self) -> None:
        trace = str(self.any())
        self.ends(2, "dump", "--json", "--format", "csv", trace, says="give one of them")
        for words in (["--json"], ["--json", "--format=jsonl"]):
            json.loads(self.ends(0, "dump", *words, "--count", "1", trace))

    def test_one_question_each(self) -> None:
        trace = str(self.any())
        self.ends(2, "info", "--check", "--requirements", trace, says="ask one")
        self.ends(2, "info", "--check", "--thumb", str(self.tmp / "t.png"), trace, says="ask one")

    def test_environments_are_pairs(self) -> None:
        trace = str(self.any())
        for wrong in ("FOO", "=1", "A=1,B", "A=" + "x" * 600):
            self.ends(2, "bench", "--env-b", wrong, trace, says="it should be NAME=VALUE")

    def test_expected_frames_without_pictures(self) -> None:
        trace = str(self.any())
        lines = self.ends(0, "replay", "--hash", trace).splitlines()
        number, size, _ = lines[3].split()
        expected = self.tmp / "none.txt"
        expected.write_text("\n".join([*lines[:3], f"{number} {size} none", *lines[4:]]) + "\n")
        self.ends(1, "replay", "--expect", str(expected), "--out", str(self.tmp), trace,
                  says=f"frame {number}: expected {size}")  # fmt: skip


class Places(TraceBed):
    """What is read and written where."""

    def test_what_is_no_file(self) -> None:
        pipe = str(self.tmp / "pipe")
        os.mkfifo(pipe)
        for path, says in (
            (pipe, "is a device or a pipe; give - and pipe a trace into sluice"),
            ("/dev/null", "is a device or a pipe; "),
            (str(self.tmp), "is a folder; "),
        ):
            for verb in ("info", "dump", "replay"):
                self.ends(3, verb, path, says=says)

    def test_a_pipe_is_read(self) -> None:
        data = self.any().read_bytes()
        for words in (["info"], ["dump"], ["replay", "--hash"]):
            whole = self.ends(0, *words, str(self.any()))
            done = subprocess.run([SLUICE, *words, "-"], input=data, capture_output=True)
            self.assertEqual(0, done.returncode, done.stderr)
            if words[0] != "replay":
                self.assertEqual(whole, done.stdout.decode())

    def test_temporary_files_are_where_TMPDIR_says(self) -> None:
        trace, no = self.any(), str(self.tmp / "there-is-none")
        for words in (["diff", "--shots", "0", str(trace)], ["trim", "-o", "-"], ["info"]):
            done = subprocess.run(
                [SLUICE, *words, "-" if words[0] == "info" else str(trace)],
                input=trace.read_bytes(),
                capture_output=True,
                env=environment(TMPDIR=no),
            )
            self.assertEqual(3, done.returncode, words)
            self.assertIn(b"No such file or directory", done.stderr)

    def test_a_full_disk_for_results(self) -> None:
        """Also where the answer is "different"."""
        trace, other = str(self.any()), str(self.tmp / "some.slc")
        self.ends(0, "trim", "--force", "--frames", "1-2", "-o", other, trace)
        for words in (
            ["info", trace],
            ["dump", trace],
            ["diff", trace, other],
            ["replay", trace],
            ["replay", "--hash", trace],
            ["bench", "--runs", "1", "--backend", "null", trace],
        ):
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    [SLUICE, *words], stdout=full, stderr=subprocess.PIPE, text=True
                )
            self.assertEqual(3, done.returncode, words)
            self.assertEqual(1, done.stderr.count("the result cannot be written: No space"), words)

    def test_files_that_may_not_grow(self) -> None:
        """The limit's signal ends nobody, and no half of anything is left."""
        trace, folder = str(self.any()), self.tmp / "small"
        folder.mkdir()

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

        for words in (
            ["trim", "--offline", "-o", f"{folder}/out.slc", trace],
            ["info", "--thumb", f"{folder}/out.png", trace],
            ["dump", trace],
        ):
            with (self.tmp / "said").open("w") as out:
                done = subprocess.run([SLUICE, *words], stdout=out, stderr=subprocess.PIPE,
                                      text=True, env=environment(), preexec_fn=limit)  # fmt: skip
            self.assertEqual(3, done.returncode, f"{words}: {done.stderr}")
            self.assertIn("File too large", done.stderr, words)
            self.assertEqual([], list(folder.iterdir()), words)
        done = sluice("run", "--allow-idle", "--", "sh", "-c", "kill -XFSZ $$")
        self.assertEqual(128 + signal.SIGXFSZ, done.returncode, "a program has it as ever")

    def test_a_folder_that_cannot_be(self) -> None:
        """It is said before anything is played."""
        trace, taken = str(self.any()), str(self.tmp / "taken")
        pathlib.Path(taken).touch()
        kind = ["--kind", "submit"] if self.any().stem == "vk" else ["--kind", "draw"]
        for out in (taken, str(self.tmp / "no" / "where")):
            for words in (list[str](), kind):
                text = self.ends(3, "replay", "--shots", "0", *words, "--out", out, trace,
                                 says=f"{out}: this folder cannot be made")  # fmt: skip
                self.assertEqual("", text)

    def test_a_folder_that_is_read_only(self) -> None:
        trace, folder = str(self.any()), self.tmp / "read-only"
        folder.mkdir(0o555)
        for code, words in (
            (3, ["trim", "--frames", "1", "-o", f"{folder}/out.slc", trace]),
            (3, ["info", "--thumb", f"{folder}/out.png", trace]),
            (3, ["replay", "--shots", "0", "--out", str(folder), trace]),
            (3, ["diff", "--shots", "0", "--out", str(folder), trace, trace]),
            (3, ["dump", "--blobs", str(folder), trace]),
            (125, ["record", "-o", f"{folder}/out.slc", "--", "true"]),
        ):
            done = subprocess.run(
                [SLUICE, *words],
                capture_output=True,
                text=True,
                env=environment(),
                preexec_fn=as_anybody,
            )
            self.assertEqual(code, done.returncode, f"{words}: {done.stderr}")
            self.assertIn(f"{folder}", done.stderr, words)
            self.assertIn("Permission denied", done.stderr, words)
        self.assertEqual([], list(folder.iterdir()))

    def test_pictures_take_no_name_that_is_taken(self) -> None:
        """Of a picture, of one that somebody else writes, or has left."""
        trace, out = str(self.any()), self.tmp / "taken-pictures"
        out.mkdir()
        picture, part = out / "frame-000000.png", out / "frame-000000.png.part"
        words = ["replay", "--shots", "0", "--out", str(out), trace]
        for path in (picture, part):
            path.write_text("precious")
            self.ends(2, *words, says=f"{path}: is there already; overwrite it with --force")
            self.assertEqual((["precious"], [path]), ([path.read_text()], list(out.iterdir())))
            self.ends(0, *words, "--force")
            self.assertEqual([picture], list(out.iterdir()))
            picture.unlink()
        with part.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            for force in ([], ["--force"]):
                self.ends(2, *words, *force, says="is being written by somebody else")
        self.assertEqual([part], list(out.iterdir()))

    def test_pictures_of_what_was_read_stay(self) -> None:
        trace, out = self.any(), self.tmp / "read-pictures"
        says = "refusing to write onto an input file"
        out.mkdir()
        named = out / "frame-000000.png"  # a trace with a picture's name
        shutil.copyfile(trace, named)
        self.ends(2, "replay", "--force", "--shots", "0", "--out", str(out), str(named), says=says)
        self.assertEqual(trace.read_bytes(), named.read_bytes())
        first, second = out / "first", out / "second"
        self.ends(0, "replay", "--shots", "0", "--out", str(first), str(trace))
        self.ends(0, "replay", "--shots", "9", "--out", str(second), str(trace))
        (second / "frame-000009.png").rename(second / "frame-000000.png")
        before = [(folder / "frame-000000.png").read_bytes() for folder in (first, second)]
        self.ends(2, "diff", "--images", "--force", "--out", str(out), str(first), str(second),
                  says=says)  # fmt: skip
        after = [(folder / "frame-000000.png").read_bytes() for folder in (first, second)]
        self.assertEqual(before, after)
        self.assertFalse((out / "index.html").exists() or (out / "index.html.part").exists())

    def test_what_a_killed_recorder_left_is_no_output(self) -> None:
        """OUT.part as the input: --force would make room for what is written."""
        out = self.tmp / "left.slc"
        part = self.tmp / "left.slc.part"
        shutil.copyfile(self.any(), part)
        self.ends(2, "trim", "--force", "-o", str(out), str(part),
                  says="refusing to write onto an input file")  # fmt: skip
        self.assertEqual(self.any().read_bytes(), part.read_bytes())

    def test_contents_are_whole(self) -> None:
        """What a killed dump left of one is not taken for it."""
        out = self.tmp / "contents"
        words = ["dump", "--blobs", str(out), str(self.any())]
        told = self.ends(0, *words)
        before = {path: path.read_bytes() for path in out.iterdir()}
        cut = next(iter(before))
        cut.unlink()
        pathlib.Path(f"{cut}.part").write_bytes(before[cut][:3])
        self.assertIn(cut.name, self.ends(0, *words))
        self.assertEqual(before, {path: path.read_bytes() for path in out.iterdir()})
        self.assertIn(cut.name, told)

    def test_a_log_of_its_own(self) -> None:
        trace, out = str(self.any()), str(self.tmp / "same.slc")
        before = self.any().read_bytes()
        hard = str(self.tmp / "hard.slc")
        os.link(trace, hard)
        one = "are one file; name another for the log"
        for log in (trace, hard):
            self.ends(2, "record", "--force", "-o", trace, "--log-file", log, "--", "true",
                      says=f"--log-file and --output {one}")  # fmt: skip
            self.ends(2, "replay", "--expect", trace, "--log-file", log, trace,
                      says=f"--log-file and --expect {one}")  # fmt: skip
        self.ends(2, "trim", "-o", out, "--log-file", out, trace, says=one)
        self.assertFalse(os.path.exists(out))
        self.assertEqual(before, self.any().read_bytes())

    def test_hard_links_are_one_file(self) -> None:
        trace, hard = str(self.any()), str(self.tmp / "link2.slc")
        os.link(trace, hard)
        self.ends(2, "trim", "--force", "-o", hard, trace, says="refusing to write onto an input")

    def test_trim_onto_what_is_no_file(self) -> None:
        trace, out = str(self.any()), self.tmp / "piped.slc"
        words = ["trim", "--frames", "3-5", "-o"]
        with open(out, "wb") as file:
            done = subprocess.run([SLUICE, *words, "-", trace], stdout=file, stderr=subprocess.PIPE)
        self.assertEqual(0, done.returncode, done.stderr)
        self.ends(0, "info", "--check", str(out))
        self.ends(0, *words, str(self.tmp / "named.slc"), trace)
        self.ends(0, "diff", str(out), str(self.tmp / "named.slc"))
        fifo, got = self.tmp / "fifo", self.tmp / "got.slc"
        os.mkfifo(fifo)
        with open(got, "wb") as file, subprocess.Popen(["cat", fifo], stdout=file) as cat:
            self.ends(0, *words, str(fifo), trace)
            self.assertEqual(0, cat.wait(PATIENCE_S))
        self.ends(0, "diff", str(got), str(out))
        self.ends(3, *words, "/dev/full", trace, says="/dev/full: cannot be written: No space")
        self.assertTrue(pathlib.Path("/dev/full").is_char_device())
        self.ends(2, *words, "-", "--json", trace, says="both write to standard output")
        self.ends(3, *words, str(self.tmp), trace, says="is a folder; name a file in it")
        self.assertFalse(os.path.exists("-"))

    def test_a_trim_that_fails_keeps_what_was_there(self) -> None:
        data = bytearray(self.any().read_bytes())
        data[self.chunk(b"CALL") + 70] ^= 4
        bad, folder = self.copy(bytes(data)), self.tmp / "kept"
        folder.mkdir()
        out = folder / "out.slc"
        for before in (None, b"of before"):
            if before is not None:
                out.write_bytes(before)
            for words in (list[str](), ["--frames", "3"], ["--offline", "--frames", "3"]):
                self.ends(5, "trim", "--force", *words, "-o", str(out), bad, says="damaged: ")
                self.assertEqual([] if before is None else [out], list(folder.iterdir()))
        self.assertEqual(b"of before", out.read_bytes())
        part = folder / "out.slc.part"
        part.touch()
        self.ends(2, "trim", "-o", str(folder / "out.slc"), str(self.any()), says="is there alr")
        out.unlink()
        self.ends(2, "trim", "-o", str(out), str(self.any()), says=f"{part} is there already")
        self.ends(0, "trim", "--force", "-o", str(out), str(self.any()))
        self.assertEqual([out], list(folder.iterdir()))

    def test_record_onto_standard_output(self) -> None:
        self.ends(2, "record", "-o", "-", "--", "true", says="the program's own; name a file or a")
        self.assertFalse(os.path.exists("-"))


class Terminals(TraceBed):
    def test_results_have_a_line_of_their_own(self) -> None:
        said = self.said_to_terminal("replay", "--loop-time", "0.5", str(self.any()), TERM="xterm")
        self.assertIn(b" % ", said)
        self.assertRegex(said, rb"(\r\x1b\[K|\n)frames \d+  time ")

    def test_terminals_that_take_nothing_away(self) -> None:
        for terminal in ("dumb", ""):
            said = self.said_to_terminal(
                "replay", "--loop-time", "0.5", str(self.any()), TERM=terminal
            )
            self.assertTrue(said.startswith(b"frames "), said[:200])


class Signals(TraceBed):
    """What a signal leaves behind."""

    def full_pipe(self) -> "tuple[int, int]":
        """Whoever says a word there waits."""
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        try:
            while True:
                os.write(theirs, b"." * 4096)
        except BlockingIOError:
            os.set_blocking(theirs, True)
        return ours, theirs

    def test_a_trim_is_interrupted(self) -> None:
        """While it waits to say, with its file open, that the trace has fewer frames."""
        trace, folder, temporary = str(self.any()), self.tmp / "cut", self.tmp / "temporary"
        folder.mkdir()
        temporary.mkdir()
        out = folder / "out.slc"
        for name in (str(out), "-"):
            for first in (0, 3):
                out.write_bytes(b"of before")
                ours, theirs = self.full_pipe()
                words = ["--force", "--frames", f"{first}-99999", "--offline", "-o", name, trace]
                with subprocess.Popen(
                    [SLUICE, "trim", *words],
                    stdout=subprocess.DEVNULL,
                    stderr=theirs,
                    env=environment(TMPDIR=str(temporary)),
                ) as process:
                    while len([*folder.iterdir(), *temporary.rglob("*.part")]) < 2:
                        self.assertIsNone(process.poll())
                        time.sleep(0.01)
                    time.sleep(0.3)
                    self.assertIsNone(process.poll())
                    process.send_signal(signal.SIGTERM)
                    self.assertEqual(-signal.SIGTERM, process.wait(PATIENCE_S))
                os.close(ours)
                os.close(theirs)
                self.assertEqual([out], list(folder.iterdir()))
                self.assertEqual([], list(temporary.iterdir()))
                self.assertEqual(b"of before", out.read_bytes())

    def stopped_worker(self, *words: str, **variables: str) -> "tuple[subprocess.Popen[str], int]":
        """The verb, and its process that plays, which is stopped amid that."""
        for _ in range(20):
            process = subprocess.Popen([SLUICE, *words], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True,
                                       env=environment(**variables))  # fmt: skip
            while process.poll() is None:
                for pid in below(process.pid):
                    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                        if pathlib.Path(f"/proc/{pid}/comm").read_text() == "sluice-replay\n":
                            os.kill(pid, signal.SIGSTOP)
                            return process, pid
            process.communicate()
        self.fail("it plays too fast")

    def test_shots_are_interrupted(self) -> None:
        """What both traces show lies in a folder of its own, which goes."""
        trace, temporary = str(self.any()), self.tmp / "shots-temporary"
        temporary.mkdir()
        words = ["diff", "--shots", "0-19", trace, trace]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process, worker = self.stopped_worker(*words, TMPDIR=str(temporary))
            self.assertEqual(1, len(list(temporary.iterdir())))
            process.send_signal(number)
            process.communicate(timeout=PATIENCE_S)
            self.assertEqual(-number, process.returncode)
            self.assertEqual([], list(temporary.iterdir()))
            self.assertFalse(pathlib.Path(f"/proc/{worker}").exists())

    def test_a_driver_dies_below_shots(self) -> None:
        trace, temporary = str(self.any()), self.tmp / "dies-temporary"
        temporary.mkdir()
        words = ["diff", "--shots", "0-19", trace, trace]
        process, worker = self.stopped_worker(*words, TMPDIR=str(temporary))
        os.kill(worker, signal.SIGSEGV)
        os.kill(worker, signal.SIGCONT)
        _, said = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(10, process.returncode, said)
        self.assertIn("the replay died of signal 11", said)
        self.assertEqual([], list(temporary.iterdir()))

    def test_interrupted(self) -> None:
        """No half file, and the signal is what ended it."""
        trace, folder = str(self.any()), self.tmp / "interrupted"
        folder.mkdir()
        for words in (
            ["replay", "--loop-time", "60", trace],
            ["bench", "--runs", "900", trace],
            ["dump", "--follow", self.copy(self.any().read_bytes()[:-64])],
        ):
            for number in (signal.SIGINT, signal.SIGTERM):
                with subprocess.Popen(
                    [SLUICE, *words], cwd=folder, stdout=subprocess.DEVNULL, env=environment()
                ) as process:
                    time.sleep(0.5)
                    process.send_signal(number)
                    self.assertEqual(-number, process.wait(PATIENCE_S), words)
                self.assertEqual([], os.listdir(folder), words)

    def test_nobody_reads_on(self) -> None:
        trace = str(self.any())
        for words in (f'dump "{trace}"', f'replay --hash "{trace}"', f'info --calls "{trace}"'):
            pipe = f'"{SLUICE}" {words} | head -1; exit "${{PIPESTATUS[0]}}"'
            done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True)
            self.assertIn(done.returncode, (0, 128 + signal.SIGPIPE))
            self.assertEqual("", done.stderr, words)


if __name__ == "__main__":
    unittest.main()
