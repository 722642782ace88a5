"""No machine: host and guest of ours run in the root, on the native driver that it has."""

from __future__ import annotations

import re
import subprocess
from typing import List, Tuple

from cases import X_SERVER, Case, Setup, need, parts

PATIENCE_S = 600
# $0: the root; $1: the build tree, /mnt inside. A network of its own, so that the X server's
# abstract socket is no other's.
ENTER = r"""set -e
mount -t proc proc "$0/proc"
mount --bind /dev "$0/dev"
for folder in tmp run dev/shm; do mount -t tmpfs none "$0/$folder"; done
mount --bind "$1" "$0/mnt"
exec chroot "$0" env -i HOME=/tmp PATH=/usr/bin:/bin XDG_RUNTIME_DIR=/run LC_ALL=C.UTF-8 sh -s
"""
SCRIPT = r"""
cd /tmp
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json
one() { echo "== $1"; shift; timeout 100 "$@" 2> errors; echo "code $?"; }
both() {
    name=$1; shift
    one "$name native" "$@"
    one "$name ours" /mnt/bin/sluice run -- "$@"
    echo "== $name errors"; cat errors
}
"""


def inside(setup: Setup, script: str) -> str:
    """What the script printed in the root."""
    build = setup.programs.resolve().parents[2]
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    command += ["sh", "-c", ENTER, str(setup.root), str(build)]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=PATIENCE_S)
    need(done.returncode == 0, f"{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout


def programs(setup: Setup) -> List[str]:
    """Without those that judge for themselves, crash or never end, and `windows`, which shows what
    a surface may be used for: this Mesa says one bit more, a feedback loop's."""
    others = ("vulkan_windows", "vulkan_headless", "vulkan_endless", "vulkan_crash")
    found = [p.name for p in setup.programs.glob("vulkan_*") if p.is_file()]
    return sorted(name for name in found if name not in others)


def newer(setup: Setup) -> None:
    """Vulkan 1.4 on the root's lavapipe: programs print the same lines natively and by ours."""
    names = programs(setup)
    need(len(names) >= 20, f"only {len(names)} programs were built: {' '.join(names)}")
    script = SCRIPT + X_SERVER + "both summary vulkaninfo --summary\n"
    script += "both vkcube vkcube --wsi xcb --c 60\n"
    for name in names:
        script += f"both {name} /mnt/tests/integration/vulkan/{name}\n"
    found = parts(inside(setup, script + "exit 0\n"))
    for name in ("vkcube", *names):
        native, ours = found[f"{name} native"], found[f"{name} ours"]
        need("code 0" in native, f"{name} natively: {native[-1000:]}")
        need("core14 unsupported" not in native, native)
        need(native == ours, f"{name}: {ours[-1000:]}\n{found[f'{name} errors'][-2000:]}")
    for side in ("native", "ours"):
        said = found[f"summary {side}"]
        need(re.search(r"apiVersion += 1\.4\.", said) is not None, f"{side}: {said[-1000:]}")


ALL: Tuple[Case, ...] = (newer,)
