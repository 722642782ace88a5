"""sluice record's control: ranges, counts, triggers and the flight recorder, with stock programs;
what is written is replayed and shows what the program drew.

usage: SLUICE_PROGRAM=build/dev/bin/sluice FRAMES_PROGRAM=... DISPLAY=:0 python3 flight_test.py [-v]
"""

import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from typing import Any, Callable, Optional, TextIO

from trace_bed import SLUICE, environment

FRAMES = os.environ.get("FRAMES_PROGRAM", "frames_program")
PATIENCE_S = 120
# They draw until they are ended.
ENDLESS = {
    "gl": ["glmark2-es2", "-b", "texture:duration=300", "--size", "160x120"],
    "vk": ["vkcube", "--c", "1000000"],
}
# By what they are counted.
COUNTED = {
    "gl": ["glmark2-es2", "-b", "build:nframes=30", "--size", "160x120"],
    "vk": ["vkcube", "--c", "30"],
}


class Case(unittest.TestCase):
    err_file: "Optional[TextIO]" = None

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.tmp = pathlib.Path(self.folder.name)
        self.trace = self.tmp / "t.slc"
        self.store = self.tmp / "t.slc.ring.part"
        self.env = environment()
        self.env["TMPDIR"] = str(self.tmp)

    def programs(self, of: "dict[str, list[str]]") -> "dict[str, list[str]]":
        found = {name: words for name, words in of.items() if shutil.which(words[0])}
        if not found:
            self.skipTest("neither glmark2-es2 nor vkcube is installed")
        return found

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [SLUICE, *words],
            env=self.env,
            cwd=self.tmp,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.fresh_err(),
            text=True,
            **more,
        )
        self.addCleanup(self.end, process)
        return process

    def serve(self) -> None:
        """A host that listens at "s"."""
        process = self.start("serve", "--status-fd", "1", "--socket", "s")
        assert process.stdout is not None
        self.assertEqual("listening\n", process.stdout.readline(), self.err())

    def end(self, process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> int:
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return process.returncode

    def fresh_err(self) -> "TextIO":
        if self.err_file is not None:
            self.err_file.close()
        self.err_file = (self.tmp / "err").open("w")
        self.addCleanup(self.err_file.close)
        return self.err_file

    def err(self) -> str:
        return (self.tmp / "err").read_text()

    def ends(self, code: int, *words: str, says: str = "") -> str:
        done = subprocess.run(
            [SLUICE, *words],
            env=self.env,
            cwd=self.tmp,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        self.assertEqual(code, done.returncode, f"{words}: {done.stderr[-2000:]}")
        self.assertIn(says, done.stderr, words)
        return done.stdout

    def until(self, what: "Callable[[], bool]", why: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            self.assertLess(time.monotonic(), deadline, f"{why}: {self.err()}")
            time.sleep(0.02)

    def draws(self, store: Optional[pathlib.Path] = None) -> None:
        """The program is past its beginning: so many frames, or so much in the store."""
        count = self.tmp / "count"
        if store is None:
            self.until(lambda: count.exists() and count.stat().st_size == 8, "no counter")
            self.until(lambda: int.from_bytes(count.read_bytes(), "little") > 50, "no frames")
        else:
            self.until(store.exists, "no store")
            self.until(lambda: store.stat().st_size > 400_000, "no frames")

    def facts(self, trace: Optional[pathlib.Path] = None) -> "dict[str, Any]":
        found: "dict[str, Any]" = json.loads(
            self.ends(0, "info", "--json", str(trace or self.trace))
        )
        return found

    def frames(self, trace: pathlib.Path) -> int:
        """Of a trace that may not be there yet, or grow."""
        words = [SLUICE, "info", "--json", "-q", str(trace)]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True)
        return int(json.loads(done.stdout)["frames"]) if done.returncode == 0 else 0

    def replayed(self, trace: Optional[pathlib.Path] = None) -> int:
        """Draws what the program drew; gives the number of frames."""
        trace = trace or self.trace
        self.ends(0, "info", "--check", str(trace))
        out = self.ends(0, "replay", "--hash", "--expect", "live", str(trace))
        frames = sum(line.split()[0].isdigit() for line in out.splitlines())
        self.assertEqual(self.facts(trace)["frames"], frames)
        return frames

    def children(self, process: "subprocess.Popen[str]") -> "dict[str, int]":
        """The host and the program, by name."""
        path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        found = {}
        for child in path.read_text().split():
            name = pathlib.Path(f"/proc/{child}/comm").read_text().strip()
            found["host" if name == "sluice-host" else "program"] = int(child)
        return found


class Spans(Case):
    """Parts of a run, one file each."""

    def test_frames(self) -> None:
        for name, words in self.programs(COUNTED).items():
            with self.subTest(name=name):
                whole = self.tmp / f"{name}-whole.slc"
                self.ends(0, "record", "--hash", "-o", str(whole), "--", *words)
                out = self.ends(0, "replay", "--hash", str(whole)).splitlines()
                live = [line.split()[2] for line in out if line.split()[0].isdigit()]
                ranges = ["record", "--hash", "--frames", "0-1,5-9,20+3"]
                self.ends(0, *ranges, "-o", f"{name}-%i.slc", "--", *words)
                for i, (first, count) in enumerate(((0, 2), (5, 5), (20, 3))):
                    part = self.tmp / f"{name}-{i}.slc"
                    self.assertEqual(count, self.replayed(part))
                    out = self.ends(0, "replay", "--hash", str(part)).splitlines()
                    shown = [line.split()[2] for line in out if line.split()[0].isdigit()]
                    if name == "vk":  # the other one turns by the clock
                        self.assertEqual(live[first : first + count], shown, i)

    def test_names_of_several_files(self) -> None:
        words = ["record", "--frames", "1,3,5", "--", FRAMES, "8", "count", "0"]
        self.ends(0, *words[:1], "-o", "t.slc", *words[1:], says="-> t-2.slc")
        self.assertEqual(
            ["t-1.slc", "t-2.slc", "t.slc"], sorted(p.name for p in self.tmp.glob("*.slc"))
        )
        self.ends(2, *words[:1], "-o", "t.slc", *words[1:], says="t.slc is there already")
        self.ends(2, "record", "-o", "%x", *words[1:], says="%x means nothing")
        (self.tmp / "u-1.slc").write_text("precious")
        self.ends(125, *words[:1], "-o", "u.slc", *words[1:], says="is there already")
        self.assertEqual("precious", (self.tmp / "u-1.slc").read_text())
        self.ends(0, "info", "--check", "u.slc")

    def test_submits(self) -> None:
        words = self.programs({"vk": COUNTED["vk"]})["vk"]
        for submits, count in (("6", 1), ("0-3", 4), ("6-9", 4)):
            self.ends(0, "record", "-f", "--submits", submits, "-o", "t.slc", "--", *words)
            rows = self.ends(0, "info", "--calls", "t.slc").splitlines()
            found = [int(row.split()[0]) for row in rows if "vkQueueSubmit" in row]
            self.assertEqual([count], found, submits)
            self.ends(0, "replay", "t.slc")

    def test_time(self) -> None:
        words = ["--quit-when-done", "--", FRAMES, "0", "count", "5"]
        self.ends(0, "record", "--hash", "--time", "0,2", "-o", "t.slc", *words)
        for path in ("t.slc", "t-1.slc"):
            self.replayed(self.tmp / path)
            dump = self.ends(0, "dump", path)
            self.assertIn("glClear", dump)

    def test_count_and_quit(self) -> None:
        name, words = next(iter(self.programs(ENDLESS).items()))
        self.ends(
            0, "record", "--hash", "--count", "7", "--quit-when-done", "-o", "t.slc", "--", *words
        )
        self.assertEqual(7, self.replayed(), name)

    def test_structure_only(self) -> None:
        for name, words in self.programs(COUNTED).items():
            with self.subTest(name=name):
                whole, bare = f"{name}-whole.slc", f"{name}-bare.slc"
                self.ends(0, "record", "-o", whole, "--", *words)
                self.ends(0, "record", "--no-resources", "-o", bare, "--", *words)
                calls = [self.facts(self.tmp / path)["calls"] for path in (whole, bare)]
                self.assertAlmostEqual(calls[0], calls[1], delta=calls[0] // 5)
                self.assertEqual(0, self.facts(self.tmp / bare)["write_bytes"])
                self.ends(0, "info", "--check", bare)
                self.ends(7, "replay", bare, says="contents")

    def test_what_makes_no_sense(self) -> None:
        for words, says in (
            (["--frames", "3,2"], "one behind the other"),
            (["--frames", "0-9/2"], "must be ranges"),
            (["--submits", "x"], "--submits is 'x'"),
            (["--time", "1-"] + ["--frames", "1"], "give one of"),
            (["--frames", "1", "--count", "2"], "with --count leave them out"),
            (["--frames", "1", "--trigger", "signal"], "with --trigger leave them out"),
            (["--quit-when-done"], "needs --count N"),
            (["--quit-when-done", "--frames", "3-"], "needs --count N"),
            (["--count", "0"], "--count"),
            (["--trigger", "smoke"], "--trigger"),
            (["--ring", "30"], "must be seconds like 30s"),
            (["--ring", "0s"], "must be seconds like 30s"),
            (["--ring", "1M"], "4M or more"),
            (["--ring", "30s", "--frames", "1-2"], "keeps the last"),
            (["--ring", "30s", "--count", "2"], "keeps the last"),
            (["--ring", "30s", "--quit-when-done"], "keeps the last"),
        ):
            self.ends(2, "record", *words, "--", FRAMES, "1", "count", "0", says=says)
        self.ends(2, "record", "--dump", "a", "--stop", "b", says="give one of them")
        self.ends(3, "record", "--dump", "a", says="there is no such socket")
        self.assertEqual([], list(self.tmp.glob("*.slc*")))


class Triggers(Case):
    def test_a_signal_begins_and_ends(self) -> None:
        name, words = next(iter(self.programs(ENDLESS).items()))
        process = self.start("record", "--hash", "--trigger", "signal", "-o", "t.slc", "--", *words)
        self.until(lambda: "kill -USR1" in self.err(), "no word how")
        for path in (self.trace, self.tmp / "t-1.slc"):
            part = pathlib.Path(f"{path}.part")
            process.send_signal(signal.SIGUSR1)
            self.until(lambda: self.frames(part) > 5, "no recording")
            process.send_signal(signal.SIGUSR1)
            self.until(path.exists, "no end")
        self.assertEqual(143, self.end(process), self.err())
        for path in (self.trace, self.tmp / "t-1.slc"):
            self.assertGreater(self.replayed(path), 0, name)

    def test_a_count_at_each(self) -> None:
        process = self.start(
            *["record", "--hash", "--trigger", "socket", "--count", "5", "-o", "%i.slc"],
            *["--", FRAMES, "0", "count", "1"],
        )
        self.until(lambda: "--dump " in self.err(), "no word how")
        socket = self.err().split("--dump ")[1].split()[0]
        self.until((self.tmp / "count").exists, "the program draws nothing")
        for i in range(2):
            self.ends(0, "record", "--dump", socket)
            self.until((self.tmp / f"{i}.slc").exists, "no file")
            self.assertEqual(5, self.replayed(self.tmp / f"{i}.slc"))
        self.assertEqual(143, self.end(process), self.err())

    def test_a_key(self) -> None:
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        words = ["record", "--trigger", "key", "--count", "3", "--quit-when-done"]
        process = subprocess.Popen(
            [SLUICE, *words, "-o", "t.slc", "--", FRAMES, "0", "count", "1"],
            env=self.env,
            cwd=self.tmp,
            stdin=follower,
            stdout=subprocess.DEVNULL,
            stderr=self.fresh_err(),
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        )
        self.addCleanup(process.kill)
        os.close(follower)
        self.until((self.tmp / "count").exists, "the program draws nothing")
        os.write(leader, b"x\n")
        self.assertEqual(0, process.wait(PATIENCE_S), self.err())
        self.assertEqual(3, self.facts()["frames"])
        process = self.start(
            *["record", "--trigger", "key", "--", FRAMES, "1", "count", "0"], start_new_session=True
        )
        process.communicate(timeout=PATIENCE_S)
        self.assertEqual(2, process.returncode)
        self.assertIn("there is no terminal", self.err())

    def test_nothing_waits(self) -> None:
        self.serve()
        self.ends(2, "record", "--dump", "s", says="nothing waits for a trigger")


class Flight(Case):
    def fly(self, words: "list[str]", *more: str) -> "subprocess.Popen[str]":
        process = self.start("record", "--hash", *more, "-o", "t.slc", "--", *words)
        self.until(self.store.exists, "no store")
        return process

    def test_several_triggers(self) -> None:
        for name, words in self.programs(ENDLESS).items():
            with self.subTest(name=name):
                process = self.fly(words, "--force", "--ring", "1s", "--trigger", "signal")
                self.draws(self.store)
                for i, path in enumerate((self.trace, self.tmp / "t-1.slc")):
                    path.unlink(missing_ok=True)
                    time.sleep(2 - i)  # more than is kept
                    process.send_signal(signal.SIGUSR1)
                    self.until(path.exists, "no trace")
                self.assertEqual(143, self.end(process), self.err())
                self.assertFalse(self.store.exists())
                self.assertNotIn("t-2.slc", self.err())
                for path in (self.trace, self.tmp / "t-1.slc"):
                    self.assertGreater(self.replayed(path), 1)
                    self.assertGreater(self.facts(path)["snapshots"], 0)
                    self.ends(0, "info", "-f", "--thumb", "thumb.png", str(path))
                    part = self.tmp / "part.slc"
                    self.ends(0, "trim", "-f", "--frames", "1-1", "-o", str(part), str(path))
                    self.assertEqual(1, self.replayed(part))

    def test_a_size_bounds_it(self) -> None:
        words = self.programs({"vk": ENDLESS["vk"]})["vk"]
        most = 4 << 20
        process = self.fly(words, "--ring", "4M", "--snapshot-every", "60")
        written = 0
        deadline = time.monotonic() + PATIENCE_S
        while written < 4 * most:
            self.assertLess(time.monotonic(), deadline, self.err())
            found = self.store.stat()
            written = found.st_size
            # What is there: twice what is asked for at most, and what is allocated ahead.
            self.assertLess(found.st_blocks * 512, 2 * most + (20 << 20))
            time.sleep(0.05)
        os.kill(self.children(process)["program"], signal.SIGSEGV)
        self.assertEqual(139, process.wait(PATIENCE_S), self.err())
        self.assertIn("the program crashed (signal 11)", self.err())
        self.assertGreater(self.replayed(), 0)
        self.assertLess(self.trace.stat().st_size, 3 * most)

    def test_nothing_asked(self) -> None:
        self.ends(
            *(0, "record", "--ring", "30s", "-o", "t.slc", "--", FRAMES, "5", "count", "0"),
            says="nothing asked for what it held",
        )
        self.assertEqual([], list(self.tmp.glob("t.slc*")))

    def test_a_killed_host_leaves_it(self) -> None:
        """All but the last moment is there, though nobody asked for it."""
        process = self.fly([FRAMES, "0", "count", "1"], "--ring", "1s")
        self.draws()
        time.sleep(2)
        os.kill(self.children(process)["host"], signal.SIGKILL)
        self.assertEqual(125, process.wait(PATIENCE_S), self.err())
        self.assertIn("flight recorder: the host ended", self.err())
        self.assertGreater(self.replayed(), 1)
        self.assertFalse(self.store.exists())

    def test_a_killed_recorder_leaves_a_trace(self) -> None:
        process = self.fly([FRAMES, "0", "count", "1"], "--ring", "1s")
        self.draws()
        time.sleep(2)
        children = self.children(process)
        os.kill(children["host"], signal.SIGSTOP)
        process.kill()
        process.wait(PATIENCE_S)
        os.kill(children["host"], signal.SIGKILL)
        os.kill(children["program"], signal.SIGKILL)
        self.ends(0, "trim", "-o", "t.slc", str(self.store))
        self.assertGreater(self.replayed(), 1)

    def test_a_running_host(self) -> None:
        name, words = next(iter(self.programs(ENDLESS).items()))
        self.serve()
        self.start("run", "--socket", "s", "--", *words)
        process = self.start(
            *["record", "--hash", "--attach", "s", "--ring", "1s"],
            *["--trigger", "socket", "-o", "t-%i.slc"],
        )
        self.until(lambda: "--dump " in self.err(), "no word how")
        self.draws(self.tmp / "t-0.slc.ring.part")
        time.sleep(1)
        for i in range(2):
            named = self.ends(0, "record", "--dump", "s").strip()
            self.assertEqual(str(self.tmp / f"t-{i}.slc"), named)
            self.assertGreater(self.replayed(self.tmp / f"t-{i}.slc"), 0, name)
        self.ends(0, "record", "--stop", "s")
        self.assertEqual(0, process.wait(PATIENCE_S), self.err())
        self.assertEqual([], list(self.tmp.glob("*.part")))


if __name__ == "__main__":
    unittest.main()
