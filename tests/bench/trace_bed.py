"""What benchmarks of traces share: the programs, a folder, how to run something, what it took."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
from typing import Any, NamedTuple

Json = dict[str, Any]


class Paid(NamedTuple):
    """What a program says it took, ns."""

    call: float  # a draw's issue; of Vulkan a frame
    frame: float


@dataclasses.dataclass
class Cost:
    seconds: float
    cpu_seconds: float
    peak_kib: int
    exit: int


class Bed:
    """The programs, the folder for traces, and how to run something."""

    def __init__(
        self,
        sluice: pathlib.Path,
        build: pathlib.Path,
        folder: pathlib.Path,
        gl: pathlib.Path,
        vk: pathlib.Path,
    ) -> None:
        self.sluice = str(sluice)
        self.build = build
        self.programs = {
            "gl": [str(gl), "--frames", "300", "frame", "issue_draw"],
            "vk": [str(vk), "--frames", "200", "frame"],
        }
        self.folder = folder

    def tool(self, name: str) -> str:
        """One that the build has beside its tests."""
        return str(self.build / "tests" / name)

    def run(self, *words: str, **variables: str) -> str:
        """Output of a command that must succeed."""
        done = subprocess.run(
            words,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise RuntimeError(f"{words[:2]} ended with {done.returncode}: {said}")
        return done.stdout

    def cost(self, *words: str, **variables: str) -> Cost:
        """What a command takes that must succeed."""
        cost = Cost(**json.loads(self.run(self.tool("bench/cost_of"), *words, **variables)))
        if cost.exit != 0:
            raise RuntimeError(f"{words[:3]} ended with {cost.exit}")
        return cost

    def program(self, api: str, before: "list[str]", **variables: str) -> Paid:
        """What the program of that API says, run behind those words."""
        out = self.run(*before, *self.programs[api], **variables)
        found = json.loads(out[out.index("{") :])
        return Paid(found["issue_draw" if api == "gl" else "frame"], found["frame"])

    def record(self, path: pathlib.Path, *words: str) -> None:
        """With options before a `--`, then the program."""
        self.run(self.sluice, "record", "--force", "-o", str(path), *words)


def gfxreconstruct(path: pathlib.Path) -> "dict[str, str]":
    """The variables that make it record."""
    return {
        "VK_INSTANCE_LAYERS": "VK_LAYER_LUNARG_gfxreconstruct",
        "GFXRECON_CAPTURE_FILE": str(path),
        "GFXRECON_CAPTURE_FILE_TIMESTAMP": "false",
        "GFXRECON_LOG_LEVEL": "fatal",
    }
