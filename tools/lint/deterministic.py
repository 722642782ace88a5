"""Runs a generator twice, in different folders and with different hash seeds, and compares every
byte.

usage: deterministic.py COMMAND...    where each {out} in COMMAND becomes the output folder
"""

import filecmp
import os
import pathlib
import subprocess
import sys
import tempfile


def listing(root: pathlib.Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def main() -> int:
    command = sys.argv[1:]
    if not any("{out}" in part for part in command):
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory(suffix="-second") as two:
        for seed, out in (("1", one), ("2", two)):
            environment = dict(
                os.environ, PYTHONHASHSEED=seed, LC_ALL="C" if seed == "1" else "C.UTF-8"
            )
            subprocess.run(
                [part.replace("{out}", out) for part in command],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        names = listing(pathlib.Path(one))
        bad = sorted(set(names) ^ set(listing(pathlib.Path(two))))
        bad += filecmp.cmpfiles(one, two, names, shallow=False)[1]
        print(
            "\n".join(f"{name}: differs between two runs" for name in bad)
            or f"{len(names)} files, the same twice"
        )
        return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
