#!/usr/bin/env python3
"""A guest of libgfxstream_backend has device addresses of the CPU's driver only when it is trusted.

usage: abi_addresses_test.py ABI_VMM SHARE PROGRAM
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile


def answers(program: str, more: dict[str, str]) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "VK_"))}
    # A driver that unloads itself hides its leaks' origin from the suppressions.
    environment.update(more or {"ASAN_OPTIONS": "detect_leaks=0"})
    done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{program} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout.split()


def below(vmm: str, share: str, program: str, features: list[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        socket, icd = f"{folder}/vmm", f"{share}/vulkan/icd.d/sluice_icd.json"
        with subprocess.Popen(
            [vmm, socket, "0x79", *features], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as monitor:
            assert monitor.stdin is not None and monitor.stdout is not None
            try:
                if monitor.stdout.readline() != b"up\n":
                    raise SystemExit("abi_vmm is not up")
                guest = {"SLUICE_SOCKET": socket, "VK_DRIVER_FILES": icd, "VK_ICD_FILENAMES": icd}
                return answers(program, guest)
            finally:
                monitor.stdin.close()
                monitor.wait(60)


def main() -> int:
    vmm, share, program = sys.argv[1:]
    native = answers(program, {})
    if "addresses" not in native:
        print(f"natively {native}: nothing to hide")
        return 0
    untold = below(vmm, share, program, [])
    told = below(vmm, share, program, ["SluiceTrust:enabled"])
    print(f"natively {native}, a stranger {untold}, a trusted guest {told}")
    return 0 if untold == ["none"] * len(native) and told == native else 1


if __name__ == "__main__":
    sys.exit(main())
