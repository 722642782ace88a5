"""What tools/dev does once the packages are there. See tools/dev for the verbs."""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree
import zlib

from xvfb import XvfbError, read_xwd, x_server

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE = "800x600"
# What tests/vm/vm_test.py ends with.
VM_SKIPPED = 77
VM_CLOSING = re.compile(r"vm: \d+ cases, (\d+) passed, (\d+) failed")


def say(text: str) -> None:
    print(f"tools/dev: {text}", file=sys.stderr, flush=True)


def run(*command: object, env: "dict[str, str] | None" = None) -> None:
    subprocess.run([str(word) for word in command], cwd=ROOT, env=env, check=True)


def build(preset: str) -> pathlib.Path:
    """Configures and builds; gives the build folder. Output only when it fails."""
    folder = ROOT / "build" / preset
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "dev-build.log"
    started = time.monotonic()
    with log.open("wb") as out:
        for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset]):
            done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                sys.stderr.write(log.read_text(errors="replace")[-6000:])
                raise SystemExit(
                    f"tools/dev: {' '.join(command)} failed; all of it is in "
                    f"{log.relative_to(ROOT)}"
                )
    say(f"built preset {preset} in {time.monotonic() - started:.0f} s")
    return folder


def write_png(path: pathlib.Path, width: int, height: int, rgb: bytes) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    stride = width * 3
    lines = b"".join(b"\0" + rgb[y * stride : (y + 1) * stride] for y in range(height))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )


def shoot(sluice: pathlib.Path, target: pathlib.Path) -> None:
    """A picture of glmark2's build scene while it runs through Sluice."""
    with x_server(SIZE) as (env, screen):
        words = [str(sluice), "run", "--", "glmark2-es2", "--size", SIZE, "-b", "build:duration=4"]
        program = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
        deadline, colours = time.monotonic() + 30, 0
        # Taken when the model is on the screen: many colours, twice in a row.
        while program.poll() is None and time.monotonic() < deadline:
            time.sleep(0.5)
            width, height, rgb = read_xwd(screen)
            seen = len({rgb[i : i + 3] for i in range(0, len(rgb), 3)})
            if colours > 32 and seen > 32:
                break
            colours = seen
        else:
            program.kill()
            raise SystemExit(f"tools/dev: no picture came; the program ended with {program.wait()}")
        write_png(target, width, height, rgb)
        if program.wait(timeout=60) != 0:
            raise SystemExit(f"tools/dev: sluice run ended with {program.returncode}")


def host_driver(sluice: pathlib.Path) -> str:
    done = subprocess.run(
        [str(sluice), "doctor", "--json"],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "DISPLAY"},
    )
    if done.returncode != 0:
        subprocess.run([str(sluice), "doctor"])
        raise SystemExit("tools/dev: sluice doctor found what is broken; see above")
    steps = json.loads(done.stdout)["steps"]
    return str(next(step["detail"] for step in steps if step["name"] == "driver"))


def demo() -> int:
    sluice = build("release") / "bin" / "sluice"
    driver = host_driver(sluice)
    picture, figures = ROOT / "build" / "demo.png", ROOT / "build" / "demo.json"
    shoot(sluice, picture)
    with x_server(SIZE) as (env, _):
        run(
            sys.executable,
            "tests/bench/glmark2_table.py",
            "--sluice",
            sluice,
            "--scenes",
            "build",
            "--rounds",
            3,
            "--duration",
            2,
            "--size",
            SIZE,
            "--json",
            figures,
            env=env,
        )
    scenes = json.loads(figures.read_text())["scenes"]
    print(f"picture: {picture.relative_to(ROOT)}")
    print(f"drawn by: {driver}")
    for scene in scenes:
        print(
            f"{scene['scene']}: {scene['sluice_fps']:.0f} fps through Sluice, "
            f"{scene['native_fps']:.0f} native, "
            f"ratio {scene['ratio']:.2f} ({scene['min']:.2f} to {scene['max']:.2f})"
        )
    return 0


def test() -> int:
    folder = build("dev")
    report = folder / "tests.xml"
    started = time.monotonic()
    with x_server(SIZE) as (env, _):
        env["SLUICE_STRICT_SKIPS"] = "1"
        done = subprocess.run(
            [
                "ctest",
                "--preset",
                "dev",
                "-j",
                str(os.cpu_count() or 2),
                "--output-junit",
                str(report),
                "-Q",
                *sys.argv[2:],
            ],
            cwd=ROOT,
            env=env,
        )
    suite = xml.etree.ElementTree.parse(report).getroot()
    bad = [
        case
        for case in suite.iter("testcase")
        if case.get("status") not in ("run", "notrun", "disabled")
    ]
    skipped = [case for case in suite.iter("testcase") if case.get("status") == "notrun"]
    for case in bad:
        print(f"--- {case.get('name')}\n{(case.findtext('system-out') or '')[-3000:]}")
    for case in skipped:
        print(f"skipped, as expected: {case.get('name')}")
    count = len(list(suite.iter("testcase")))
    if count == 0:
        raise SystemExit("tools/dev: no tests were found")
    passed, failed, left_out = count - len(bad) - len(skipped), len(bad), len(skipped)
    ok = done.returncode == 0 and not bad
    if len(sys.argv) == 2:  # all tests, not some
        machines = vm_stage(folder)
        passed, failed = passed + machines[0], failed + machines[1]
        left_out, ok = left_out + machines[2], ok and machines[1] == 0
    count = passed + failed + left_out
    print(
        f"{'passed' if ok else 'FAILED'}: {count} tests, {passed} passed, {failed} failed, "
        f"{left_out} skipped as expected, in {time.monotonic() - started:.0f} s"
    )
    print(f"tests: {passed} passed, {failed} failed, {left_out} skipped")
    return 0 if ok else 1


def vm_command(folder: pathlib.Path, *arguments: str) -> list[str]:
    """The root of the virtual machines is made at first use and kept below build/vm."""
    words = [sys.executable, str(ROOT / "tests" / "vm" / "vm_test.py")]
    words += ["--sluice", str(folder / "bin" / "sluice"), "--bed", str(ROOT / "build" / "vm")]
    words += ["--programs", str(folder / "tests" / "integration" / "vulkan"), *arguments]
    return words


def vm_stage(folder: pathlib.Path) -> tuple[int, int, int]:
    """The short list in virtual machines: how many passed, failed, were skipped. A machine that
    cannot run them (no root's rights, no mirror) is one skip, with its reason."""
    started = time.monotonic()
    done = subprocess.run(vm_command(folder), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.splitlines()
    say(f"virtual machines: {time.monotonic() - started:.0f} s")
    reason = next((line for line in lines if line.startswith("vm: skipped: ")), None)
    if done.returncode == VM_SKIPPED and reason is not None:
        print(f"skipped, as expected: {reason}")
        return 0, 0, 1
    print(done.stdout, end="")
    closing = VM_CLOSING.fullmatch(lines[-1]) if lines else None
    if closing is None:
        print(f"tools/dev: the virtual machines' tests ended with {done.returncode}")
        return 0, 1, 0
    return int(closing.group(1)), int(closing.group(2)), 0


def built(folder: pathlib.Path, ending: str) -> list[pathlib.Path]:
    return sorted(
        path for path in folder.iterdir() if path.name.endswith(ending) and os.access(path, os.X_OK)
    )


def bench() -> int:
    folder = build("release")
    with x_server(SIZE) as (env, _):
        return subprocess.run(
            [
                sys.executable,
                "tests/bench/bench_table.py",
                "--build",
                str(folder),
                "--results",
                "build/bench",
                *sys.argv[2:],
            ],
            cwd=ROOT,
            env=env,
        ).returncode


def fuzz_progress(line: str, seen: "dict[str, str]") -> None:
    """What a line of libFuzzer says: '#8192 pulse cov: 310 ft: 1021 corp: 92/4Kb exec/s: 4096'."""
    words = line.split()
    if words and words[0].startswith("#") and words[0][1:].isdigit():
        seen["runs"] = words[0][1:]
        for name, value in zip(words, words[1:]):
            if name in ("cov:", "corp:"):
                seen[name[:-1]] = value.partition("/")[0]


def fuzz_one(program: pathlib.Path, folder: pathlib.Path, seconds: int, place: str) -> bool:
    """One fuzzer: a line of progress now and then, and at the end whether it found nothing."""
    name = program.name
    corpus, findings = folder / "corpus" / name, folder / "findings" / name
    seeds, log = folder / "seeds" / name[: -len("_fuzz")], folder / "findings" / f"{name}.log"
    for path in (corpus, findings):
        path.mkdir(parents=True, exist_ok=True)
    command = [
        program,
        f"-max_total_time={seconds}",
        "-timeout=10",
        f"-artifact_prefix={findings}/",
        corpus,
    ]
    seen: dict[str, str] = {"runs": "0"}
    saved: list[str] = []
    started = said = time.monotonic()
    with log.open("w") as out, subprocess.Popen(
        [str(word) for word in command + ([seeds] if seeds.is_dir() else [])],
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            out.write(line)
            fuzz_progress(line, seen)
            if "Test unit written to " in line:
                saved.append(line.split("Test unit written to ", 1)[1].strip())
            if time.monotonic() - said >= 10:
                said = time.monotonic()
                say(
                    f"{place} {name}: {said - started:.0f} of {seconds} s, {seen['runs']} runs, "
                    f"{seen.get('cov', '?')} edges, {seen.get('corp', '?')} inputs kept"
                )
    found = process.returncode != 0
    print(
        f"{name}: {'FINDING' if found else 'no finding'}, {seen['runs']} runs, "
        f"{seen.get('cov', '?')} edges",
        flush=True,
    )
    if found:
        print(log.read_text(errors="replace")[-4000:])
        for unit in saved:
            print(f"{name}: saved: {os.path.relpath(unit, ROOT)}")
        print(f"{name}: all it said: {log.relative_to(ROOT)}", flush=True)
    return not found


def fuzz() -> int:
    """tools/dev looked at the arguments: none, or --seconds N."""
    seconds = int(sys.argv[-1]) if len(sys.argv) > 2 else 60
    folder = build("fuzz")
    programs = built(folder / "tests" / "fuzz", "_fuzz")
    if not programs:
        raise SystemExit("tools/dev: no fuzzers were built")
    say(f"{len(programs)} fuzzers, {seconds} s each")
    failed = [
        program.name
        for number, program in enumerate(programs, 1)
        if not fuzz_one(program, folder, seconds, f"{number} of {len(programs)}")
    ]
    print(f"{len(programs)} fuzzers, {len(failed)} with findings: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def lint() -> int:
    build("dev")
    return subprocess.run(["tools/lint/all.sh"], cwd=ROOT).returncode


def vm() -> int:
    return subprocess.run(vm_command(build("dev"), *sys.argv[2:]), cwd=ROOT).returncode


def aarch64() -> int:
    here, there = build("dev"), build("aarch64")
    words = [sys.executable, "tests/integration/aarch64_test.py", "--here", here, "--there", there]
    return subprocess.run([str(word) for word in words], cwd=ROOT).returncode


def piglit() -> int:
    folder = build("dev")
    words = [sys.executable, "tests/integration/piglit_test.py", "--jobs", str(os.cpu_count() or 2)]
    words += ["--sluice", str(folder / "bin" / "sluice"), "--results", "build/piglit"]
    with x_server(SIZE) as (env, _):
        return subprocess.run([*words, *sys.argv[2:]], cwd=ROOT, env=env).returncode


def main() -> int:
    verbs = {
        "demo": demo,
        "test": test,
        "bench": bench,
        "fuzz": fuzz,
        "vm": vm,
        "piglit": piglit,
        "aarch64": aarch64,
        "lint": lint,
    }
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        raise SystemExit(f"usage: tools/dev {'|'.join(verbs)}")
    if shutil.which("cmake") is None:
        raise SystemExit(
            "tools/dev: cmake is missing; start this through tools/dev, which installs it"
        )
    try:
        return verbs[sys.argv[1]]()
    except subprocess.CalledProcessError as failure:
        raise SystemExit(f"tools/dev: {' '.join(failure.cmd)} ended with {failure.returncode}")


if __name__ == "__main__":
    sys.exit(main())
