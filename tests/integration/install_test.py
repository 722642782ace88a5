"""Installs to a temporary prefix, moves it, builds a ten-line user with pkg-config against it, and
runs
the installed program.

usage: install_test.py BUILD_FOLDER CC
"""

import os
import pathlib
import subprocess
import sys
import tempfile

USER = r"""
#include "transport/local/local_control.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    struct local_control *control;
    enum sl_result result = local_control_open(argc > 1 ? argv[1] : "none", &control);
    printf("%s\n", sl_result_name(result));
    return result == SL_OK ? (local_control_close(control), 0) : 1;
}
"""


def run(*words: object, **more: object) -> str:
    # type: ignore[call-overload]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return str(done.stdout)


def check(condition: bool, what: str) -> None:
    if not condition:
        raise SystemExit(f"install: {what}")


def build_a_monitor(prefix: pathlib.Path, build: str, cc: str, env: dict[str, str]) -> None:
    """As crosvm's and QEMU's builds look for the renderer; it draws the native triangle."""
    name = "gfxstream_backend"
    check(run("pkg-config", "--modversion", name, env=env) == "0.1.2\n", "another version")
    flags = run("pkg-config", "--cflags", "--libs", name, "sluice-asg-writer", env=env).split()
    check("-DGFXSTREAM_UNSTABLE=1" in flags, f"no unstable functions in {flags}")
    source = pathlib.Path(__file__).parent.parent / "abi" / "abi_program.c"
    run(cc, "-std=gnu11", "-Wall", "-Werror", source, "-o", prefix / "monitor", *flags)
    library = next(prefix.rglob(f"lib{name}.so.0"))
    monitor = run(prefix / "monitor", env=dict(env, LD_LIBRARY_PATH=str(library.parent)))
    native = run(pathlib.Path(build) / "tests" / "abi" / "abi_native")
    check(monitor == native * 2, f"the monitor drew {monitor}, natively {native}")


def main() -> int:
    build, cc = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        first, prefix = pathlib.Path(folder) / "first", pathlib.Path(folder) / "second" / "usr"
        run("cmake", "--install", build, "--prefix", first)
        prefix.parent.mkdir()
        first.rename(prefix)  # everything must be found from where it is now
        pkgconfig = next(prefix.rglob("pkgconfig"))
        env = dict(os.environ, PKG_CONFIG_PATH=str(pkgconfig))
        for pc in sorted(pkgconfig.glob("*.pc")):
            run("pkg-config", "--exists", "--print-errors", pc.stem, env=env)
        source, program = prefix / "user.c", prefix / "user"
        source.write_text(USER)
        flags = run("pkg-config", "--cflags", "--libs", "sluice-local-control", env=env).split()
        run(cc, "-Wall", "-Wextra", "-Werror", source, "-o", program, *flags)
        done = subprocess.run([program, str(prefix / "none")], capture_output=True, text=True)
        check(
            (done.returncode, done.stdout) == (1, "not found\n"),
            f"the user said {done.stdout!r} {done.stderr!r}",
        )

        build_a_monitor(prefix, build, cc, env)

        sluice = prefix / "bin" / "sluice"
        run(sluice, "--version")
        env = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
        report = run(sluice, "doctor", env=env)
        for place in ("glvnd/egl_vendor.d/50_sluice.json", "vulkan/icd.d/sluice_icd.json"):
            used = str(prefix / "share" / place) in report
            check(used, f"the installed {place} was not used:\n{report}")
        check(str(prefix) in report, f"the installed program used another vendor file:\n{report}")
        for page in ("sluice.1", "sluice-run.1", "sluice-serve.1"):
            check(any(prefix.rglob(page)), f"no {page}")
        check(any(prefix.rglob("bash-completion/completions/sluice")), "no completion")
        for unit in ("sluice.service", "sluice-device@.service"):
            check((prefix / "lib/systemd/user" / unit).is_file(), f"no {unit}")
        left = [
            str(path)
            for path in prefix.rglob("*")
            if path.is_file()
            and path.suffix in (".pc", ".json", ".1")
            and build in path.read_text(errors="replace")
        ]
        check(not left, f"these name the build folder: {left}")
    print("installed, moved, built against and run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
