"""The root file system of the virtual machines, of unmodified Debian packages, and its initramfs.

It is a chroot of the release and its backports given below (QEMU, a kernel, Mesa's drivers,
programs) with the kernel of an older release beside, made once below build/vm by mmdebstrap from
the mirror that this machine's apt uses.
"""

from __future__ import annotations

import gzip
import lzma
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
from typing import BinaryIO, Dict, Iterable, List, Sequence, Set

RELEASE = "trixie"
SUITES = (RELEASE, f"{RELEASE}-backports")
PACKAGES = (
    "qemu-system-x86",
    "linux-image-amd64",
    "busybox-static",
    "kmod",
    "mesa-vulkan-drivers",
    "libgl1-mesa-dri",
    "mesa-utils",
    "vulkan-tools",
    "vkmark",
    "glmark2-data",
    "glmark2-es2-drm",
    "glmark2-es2-wayland",
    "glmark2-es2-x11",
    "weston",
    "udev",
    "xvfb",
    "kmscube",
    "cage",
    "python3-minimal",
)
# Whose kernel is there besides; it is unpacked only.
OLDER = "bookworm"
OLDER_KERNEL = r"linux-image-6\.1\.0-[0-9]*-amd64"
# OpenGL of the release itself, beside the backports' newer one: the last Zink that takes a Vulkan
# driver without null descriptors, which the stock gfxstream driver is. Unpacked only, into
# RELEASE_GL of the root.
GL_PACKAGES = ("mesa-libgallium", "libegl-mesa0", "libgbm1")
RELEASE_GL = "/opt/release-gl"
MODULES = ("virtio_pci", "virtio-gpu", "9p", "9pnet_virtio", "overlay")
# What makes an older chroot out of date.
RECIPE = " ".join((*SUITES, *PACKAGES, OLDER, OLDER_KERNEL, *GL_PACKAGES, "1"))
PATIENCE_S = 900

# mmdebstrap calls it with the root when that is complete.
HOOK = r"""#!/bin/sh
set -eu
echo 'deb %(mirror)s %(suite)s main' > "$1/etc/apt/sources.list.d/older.list"
chroot "$1" apt-get update -qq
name=$(chroot "$1" apt-cache pkgnames | grep -x '%(package)s' | sort -V | tail -n 1)
chroot "$1" sh -c "cd /tmp && apt-get download -qq $name && dpkg-deb -x $name*.deb older"
cp -a "$1"/tmp/older/boot/vmlinuz-* "$1/boot"
cp -a "$1"/tmp/older/lib/modules/* "$1/usr/lib/modules"
chroot "$1" depmod "${name#linux-image-}"
rm -r "$1"/tmp/older "$1"/tmp/*.deb "$1/etc/apt/sources.list.d/older.list"
chroot "$1" sh -c 'cd /tmp && apt-get download -qq %(gl)s &&
    for package in *.deb; do dpkg-deb -x "$package" %(gl_folder)s; done'
rm "$1"/tmp/*.deb
"""

UP = "vm: the kernel is up"  # the first line on the console
# The guest's first program.
INIT = rf"""#!/bin/busybox sh
/bin/busybox echo {UP}
/bin/busybox mkdir -p /proc /sys /dev /base /scratch /root /share
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
for module in $(/bin/busybox cat /modules.list); do /bin/busybox insmod /$module; done
options=trans=virtio,version=9p2000.L,msize=262144
/bin/busybox mount -t 9p -o ro,cache=loose,$options base /base || /bin/busybox sh
/bin/busybox mount -t tmpfs none /scratch
/bin/busybox mkdir /scratch/upper /scratch/work
/bin/busybox mount -t overlay -o lowerdir=/base,upperdir=/scratch/upper,workdir=/scratch/work \
    none /root || /bin/busybox sh
/bin/busybox mount -t proc none /root/proc
/bin/busybox mount -t sysfs none /root/sys
/bin/busybox mount --bind /dev /root/dev
/bin/busybox mkdir -p /root/dev/shm /root/dev/pts /root/share /root/run/user/0
/bin/busybox mount -t tmpfs none /root/dev/shm
/bin/busybox mount -t devpts none /root/dev/pts
/bin/busybox mount -t tmpfs none /root/tmp
/bin/busybox mount -t 9p -o $options share /root/share
exec /bin/busybox chroot /root /bin/sh /share/.start
"""


def say(text: str) -> None:
    print(f"vm: {text}", file=sys.stderr, flush=True)


class BedError(Exception):
    """What stands in the way, and what to do."""


def mirror() -> str:
    """The address that this machine's apt takes the release's packages from."""
    folder = pathlib.Path("/etc/apt")
    texts = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for path in texts:
        if path.suffix not in ("", ".list", ".sources") or not path.is_file():
            continue
        text = re.sub(r"#.*", "", path.read_text(errors="replace"))
        for address in re.findall(r"(?:^URIs:|^deb(?:\s+\[[^\]]*\])?)\s*(\S+)", text, re.M):
            if "debian" in address and "security" not in address and "://" in address:
                return str(address).rstrip("/")
    raise BedError("apt's configuration names no Debian mirror: add one below /etc/apt")


def make_root(folder: pathlib.Path) -> pathlib.Path:
    """The chroot, made when it is missing or of another recipe. About two minutes, 1.7 GB."""
    root, stamp = folder / "root", folder / "recipe"
    if os.geteuid() != 0:
        raise BedError("making and entering the chroot needs root: run it with sudo")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        raise BedError("this root may not mount: a container without the right to")
    if not (stamp.is_file() and stamp.read_text() == RECIPE):
        stamp.unlink(missing_ok=True)
        bootstrap(folder, root)
        check_qemu(root)
        stamp.write_text(RECIPE)
    return root


def bootstrap(folder: pathlib.Path, root: pathlib.Path) -> None:
    if shutil.which("mmdebstrap") is None:
        raise BedError("mmdebstrap is missing: tools/dev vm installs it")
    remove(root)
    folder.mkdir(parents=True, exist_ok=True)
    address = mirror()
    hook = folder / "hook"
    values = {"mirror": address, "suite": OLDER, "package": OLDER_KERNEL, "gl_folder": RELEASE_GL}
    values["gl"] = " ".join(f"{package}/{RELEASE}" for package in GL_PACKAGES)
    hook.write_text(HOOK % values)
    hook.chmod(0o755)
    say(f"making the Debian {RELEASE} root below {folder} (about two minutes, 1.7 GB)")
    command = ["mmdebstrap", "--variant=apt", "--aptopt=Acquire::Check-Valid-Until \"false\""]
    command += [f'--aptopt=APT::Default-Release "{SUITES[-1]}"']
    command += ['--aptopt=APT::Install-Recommends "false"', f"--include={','.join(PACKAGES)}"]
    command += ['--aptopt=Acquire::http::Timeout "60"', '--aptopt=Acquire::Retries "2"']
    command += [f"--customize-hook={hook}"]
    command += [RELEASE, str(root), *(f"deb {address} {suite} main" for suite in SUITES)]
    log = folder / "root.log"
    with log.open("wb") as out:
        ended = run_bounded(command, out)
    if ended != "":
        raise BedError(f"mmdebstrap {ended}: {reason_in(log)}; all of it is in {log}")


def check_qemu(root: pathlib.Path) -> None:
    """Blobs of the host came to vhost-user devices with 11.1."""
    command = ["chroot", str(root), "qemu-system-x86_64", "--version"]
    said = subprocess.run(command, capture_output=True, text=True).stdout.partition("\n")[0]
    number = re.search(r"version (\d+)\.(\d+)", said)
    if number is None or (int(number.group(1)), int(number.group(2))) < (11, 1):
        raise BedError(f"QEMU 11.1 is needed, {SUITES[-1]} has: {said or 'none'}")


def run_bounded(command: List[str], out: BinaryIO) -> str:
    """Empty: it went well."""
    process = subprocess.Popen(
        command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        code = process.wait(PATIENCE_S)
        return "" if code == 0 else f"ended with {code}"
    except subprocess.TimeoutExpired:
        return f"was not done in {PATIENCE_S} s"
    finally:
        if process.poll() is None:  # late, or this program is interrupted
            os.killpg(process.pid, signal.SIGTERM)  # it takes its mounts away
            process.wait()


def reason_in(log: pathlib.Path) -> str:
    """The first line that says what went wrong, else the last."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if re.match(r"(E:|Err:|Could not|W: Failed)", line)]
    return (wrong or lines[-1:] or ["it said nothing"])[0]


def remove(root: pathlib.Path) -> None:
    """Never through a mount."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if line.split()[4].startswith(f"{root}/"):
            raise BedError(f"{line.split()[4]} is mounted: unmount it first")
    if root.exists():
        shutil.rmtree(root)


def kernel_of(root: pathlib.Path, begins: str = "") -> str:
    """The newest kernel of those whose version begins so."""

    def number(version: str) -> List[int]:
        return [int(n) for n in re.findall(r"\d+", version)]

    versions = [p.name for p in (root / "usr/lib/modules").iterdir()]
    found = sorted((v for v in versions if v.startswith(begins)), key=number)
    if not found:
        raise BedError(f"no kernel {begins}; there are {' '.join(sorted(versions)) or 'none'}")
    return found[-1]


def _closure(root: pathlib.Path, version: str, names: Sequence[str]) -> List[str]:
    """Module files in the order they are to be loaded, below the modules folder."""
    needs: Dict[str, List[str]] = {}
    base = root / "usr/lib/modules" / version
    for line in (base / "modules.dep").read_text().splitlines():
        name, _, rest = line.partition(":")
        needs[name] = rest.split()
    by_name = {re.sub(r"\.ko.*$", "", n.rsplit("/", 1)[-1]).replace("-", "_"): n for n in needs}
    done: List[str] = []
    seen: Set[str] = set()

    def load(path: str) -> None:
        if path not in seen:
            seen.add(path)
            for other in needs[path]:
                load(other)
            done.append(path)

    for name in names:
        path = by_name.get(name.replace("-", "_"))
        if path is not None:  # else it is built in
            load(path)
    return done


def _newc(entries: Iterable["tuple[str, int, bytes]"]) -> bytes:
    """A cpio archive of the kernel's format: name, mode, content."""
    out = bytearray()
    for index, (name, mode, data) in enumerate((*entries, ("TRAILER!!!", 0, b""))):
        words = (index + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % word for word in words) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(root: pathlib.Path, version: str) -> bytes:
    base = root / "usr/lib/modules" / version
    entries = [("bin", 0o040755, b"")]
    entries.append(("bin/busybox", 0o100755, (root / "usr/bin/busybox").read_bytes()))
    entries.append(("init", 0o100755, INIT.encode()))
    names = []
    for path in _closure(root, version, MODULES):
        data = (base / path).read_bytes()
        data = lzma.decompress(data) if path.endswith(".xz") else data
        data = gzip.decompress(data) if path.endswith(".gz") else data
        name = re.sub(r"(\.ko).*$", r"\1", path.rsplit("/", 1)[-1])
        names.append(name)
        entries.append((name, 0o100644, data))
    entries.append(("modules.list", 0o100644, " ".join(names).encode()))
    return _newc(entries)
