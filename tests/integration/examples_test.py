"""Every example that is printed runs: of each verb's help, the first page and the tutorial.

usage: SLUICE_PROGRAM=build/dev/bin/sluice DISPLAY=:0 python3 examples_test.py [-v]

Each is run as it stands, by a shell, where the files lie that it names; only /tmp is another
folder. What does not end by itself is interrupted as one does it, when it has done something.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from typing import Callable

from cli_bed import blocks

SLUICE = pathlib.Path(os.environ.get("SLUICE_PROGRAM", "sluice")).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_S = 120
DRAWS_S = 1.5
INTERRUPTED = 128 + signal.SIGINT
FRAMES = 130  # t.slc and app.slc have more than the examples name

# How those end that do not with 0: by their first words. Behind --, programs that do not end.
ENDS = {
    "sluice run -- es2gears_x11": INTERRUPTED,
    "sluice run -- vkcube": INTERRUPTED,
    "sluice run --zink -- glxgears": INTERRUPTED,
    "sluice run --stats -- glmark2-es2": INTERRUPTED,
    "sluice record -o t.slc -- vkcube": INTERRUPTED,
    "sluice record --ring 30s --trigger signal -- vkcube": INTERRUPTED,
    "sluice serve": 0,
    "sluice device": 0,
    "sluice stats --json --every 1": -signal.SIGINT,
    "sluice dump --print": 0,
    "sluice screenshot": 7,  # no machine is connected: what it shows is machine_test.c's
    "sluice diff --images --out page one two": 1,  # the tutorial's two drivers
}
ENDLESS = [words for words, code in ENDS.items() if code not in (1, 7)]


def of_help() -> "list[str]":
    tables = json.loads(subprocess.check_output([SLUICE, "help", "--json"]))
    lines = []
    for verb in tables["verbs"]:
        text = subprocess.check_output([SLUICE, "help", verb["name"]], text=True)
        lines += text.split("\nexample:\n", 1)[1].splitlines()
    text = subprocess.check_output([SLUICE, "help"], text=True)
    return [line.strip() for line in [*lines, *text.split("\nexample:\n", 1)[1].splitlines()]]


def of_first_page() -> "list[str]":
    text = (ROOT / "README.md").read_text().split("## Using it", 1)[1]
    return [line for line in text.split("```")[1].splitlines() if line.startswith("sluice ")]


def of_tutorial() -> "list[str]":
    text = (ROOT / "tools/sluice/README.md").read_text().split("**Tutorial:", 1)[1]
    return re.findall(r"`(sluice [^`]+)`", text.split("**Invariants.**", 1)[0])


class Examples(unittest.TestCase):
    def setUp(self) -> None:
        for program in ("glmark2-es2", "vkcube", "es2gears_x11", "glxgears"):
            if shutil.which(program) is None:
                raise unittest.SkipTest(f"{program} is not installed")
        folder = tempfile.TemporaryDirectory(prefix="sluice-examples-")
        self.addCleanup(folder.cleanup)
        self.at = pathlib.Path(folder.name)

    def env(self) -> "dict[str, str]":
        env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        env["PATH"] = f"{SLUICE.parent}:{env['PATH']}"
        return env | {"XDG_RUNTIME_DIR": str(self.at)}

    def begin(self, line: str, **more: str) -> "subprocess.Popen[bytes]":
        self.said = open(self.at / "said", "w+b")
        return subprocess.Popen(
            ["bash", "-c", f"exec {line.replace('/tmp/', f'{self.at}/')}"],
            cwd=self.at,
            env=self.env() | more,
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=self.said,
        )

    def told(self) -> str:
        return (self.at / "said").read_text(errors="replace")[-1500:]

    def ends(self, line: str, **more: str) -> str:
        """Ends as it should; gives what it said."""
        words = next((w for w in ENDS if line.startswith(w)), "")
        process = self.begin(line, **more)
        try:
            if words in ENDLESS:
                self.wait(line, process)
                process.send_signal(signal.SIGINT)
            code = process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()
            self.said.close()
        self.assertEqual(ENDS.get(words, 0), code, f"{line}: {self.told()}")
        return self.told()

    def wait(self, line: str, process: "subprocess.Popen[bytes]") -> None:
        """Until it has done what it is for: drawn, or recorded as much as other examples name."""
        enough: "Callable[[], bool]" = lambda: True
        if "-o t.slc" in line:
            enough = lambda: self.frames("t.slc.part") >= FRAMES
        time.sleep(DRAWS_S)
        end = time.monotonic() + PATIENCE_S
        heeds = line.startswith("sluice stats ") or blocks(process.pid, signal.SIGINT)
        while not (heeds and enough()) and time.monotonic() < end:
            heeds = heeds or blocks(process.pid, signal.SIGINT)
            time.sleep(0.2)
        self.assertIsNone(process.poll(), f"{line}: {self.told()}")
        self.assertTrue(enough(), line)

    def frames(self, name: str) -> int:
        words = [str(SLUICE), "info", "--json", "-q", name]
        done = subprocess.run(words, cwd=self.at, capture_output=True, text=True)
        return int(json.loads(done.stdout)["frames"]) if done.returncode == 0 else 0

    def listening(self, *words: str, name: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen([SLUICE, *words, str(self.at / name), "--status-fd", "1"],
                                   env=self.env(), stdout=subprocess.PIPE, text=True)  # fmt: skip
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        assert process.stdout is not None
        self.assertEqual("listening\n", process.stdout.readline())
        return process

    def record(self, name: str, frames: int) -> None:
        words = ["glmark2-es2", "-b", f"build:nframes={frames}", "--size", "200x150"]
        path = str(self.at / name)
        subprocess.run([str(SLUICE), "record", "-q", "-o", path, "--", *words], check=True,
                       env=self.env(), stdout=subprocess.DEVNULL)  # fmt: skip

    def each(self, lines: "list[str]", least: int) -> None:
        self.assertGreaterEqual(len(lines), least)
        for line in lines:
            with self.subTest(line):
                self.ends(line)

    def test_of_help(self) -> None:
        self.record("app.slc", FRAMES)
        for name in ("before.slc", "after.slc"):
            shutil.copy(self.at / "app.slc", self.at / name)
        lines = of_help()
        asked = [line for line in lines if line.endswith("/tmp/gpu.sock")]
        self.assertEqual(3, len(asked), lines)
        self.each([line for line in lines if line not in asked], 10)
        self.listening("device", "-q", "--socket", name="gpu.sock")
        self.each(asked, 3)

    def test_of_the_first_page(self) -> None:
        lines = of_first_page()
        asked = [line for line in lines if line.startswith("sluice dump --print ")]
        self.assertEqual(1, len(asked), lines)
        self.each([line for line in lines if line not in asked], 10)
        self.listening("serve", "-q", "--socket", name="s.sock")
        self.each(asked, 1)

    def test_of_the_tutorial(self) -> None:
        lines = of_tutorial()
        self.assertGreaterEqual(len(lines), 9, lines)
        for line in lines:
            with self.subTest(line):
                if line.startswith("sluice diff --images"):
                    shots = "sluice replay --shots 12 --out"
                    self.ends(f"{shots} one app.slc")
                    self.ends(f"{shots} two app.slc", GALLIUM_DRIVER="softpipe")
                if "/draw" in line:  # its call's number is one recording's
                    calls = self.ends("sluice dump --frames 12 --grep glDraw app.slc")
                    line = re.sub(r"\d+/draw", f"{calls.split()[0]}/draw", line)
                self.ends(line)


if __name__ == "__main__":
    unittest.main()
