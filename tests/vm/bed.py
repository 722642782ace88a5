"""A virtual machine of unmodified Debian packages: its root file system, its start, what it ran.

The root is a chroot of the release and its backports given below (QEMU, a kernel, Mesa's drivers),
made once below build/vm by mmdebstrap from the mirror that this machine's apt uses. QEMU runs out
of that chroot, by TCG: no KVM is asked for. The guest's file system is that chroot, read-only over
9p with a scratch layer above, so nothing needs to be unpacked into an image; /share in the guest is
the run's folder on this machine.
"""

from __future__ import annotations

import gzip
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import Dict, Iterable, List, Optional, Sequence, Set

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
    "weston",
    "xvfb",
    "kmscube",
    "python3-minimal",
)
MODULES = ("virtio_pci", "virtio-gpu", "9p", "9pnet_virtio", "overlay")
# What makes an older chroot out of date.
RECIPE = " ".join((*SUITES, *PACKAGES, "1"))

# The guest's first program. Words of its command line: vm.run=FOLDER below /share.
INIT = r"""#!/bin/busybox sh
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

START = r"""export HOME=/root XDG_RUNTIME_DIR=/run/user/0 PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8
chmod 700 $XDG_RUNTIME_DIR
cd /share
%(run)s
sync
busybox poweroff -f
"""


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


def make_root(folder: pathlib.Path, say: "Say") -> pathlib.Path:
    """The chroot, made when it is missing or of another recipe. About two minutes, 1.4 GB."""
    root, stamp = folder / "root", folder / "recipe"
    if stamp.is_file() and stamp.read_text() == RECIPE:
        return root
    if shutil.which("mmdebstrap") is None:
        raise BedError("mmdebstrap is missing: run tools/dev vm, which installs it")
    if os.geteuid() != 0:
        raise BedError("making and entering the chroot needs root: run it with sudo")
    remove(root)
    folder.mkdir(parents=True, exist_ok=True)
    address = mirror()
    say(f"making the Debian {RELEASE} root below {folder} (about two minutes, 1.4 GB)")
    command = ["mmdebstrap", "--variant=apt", "--aptopt=Acquire::Check-Valid-Until \"false\""]
    command += [f'--aptopt=APT::Default-Release "{SUITES[-1]}"']
    command += ['--aptopt=APT::Install-Recommends "false"', f"--include={','.join(PACKAGES)}"]
    command += [RELEASE, str(root), *(f"deb {address} {suite} main" for suite in SUITES)]
    with (folder / "root.log").open("wb") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise BedError(f"mmdebstrap failed; all of it is in {folder / 'root.log'}")
    stamp.write_text(RECIPE)
    return root


def remove(root: pathlib.Path) -> None:
    """Never through a mount."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if line.split()[4].startswith(f"{root}/"):
            raise BedError(f"{line.split()[4]} is mounted: unmount it first")
    if root.exists():
        shutil.rmtree(root)


def kernel_of(root: pathlib.Path) -> str:
    versions = sorted(p.name for p in (root / "usr/lib/modules").iterdir())
    if not versions:
        raise BedError(f"{root} has no kernel: remove it, it is made anew")
    return versions[-1]


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


class Say:
    def __call__(self, text: str) -> None:
        print(f"vm: {text}", file=sys.stderr, flush=True)


class Machine:
    """One virtual machine. share: a folder on this machine that the guest sees as /share; it lies
    inside the chroot, so that QEMU, which runs there, finds it too."""

    def __init__(self, folder: pathlib.Path, name: str, say: Optional[Say] = None) -> None:
        self.say = say or Say()
        self.root = make_root(folder, self.say)
        self.name = name
        self.share = self.root / "vm" / name
        if self.share.exists():
            shutil.rmtree(self.share)
        self.share.mkdir(parents=True)
        self.process: Optional["subprocess.Popen[bytes]"] = None

    def command(self, gpu_socket: Optional[str], memory: str, cpus: int) -> List[str]:
        """QEMU's, for inside the chroot."""
        inside = f"/vm/{self.name}"
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        words += ["-machine", "q35,memory-backend=mem", "-accel", "tcg,thread=multi"]
        words += ["-cpu", "max", "-smp", str(cpus), "-m", memory]
        words += ["-object", f"memory-backend-memfd,id=mem,size={memory},share=on"]
        words += ["-kernel", f"{inside}/.kernel", "-initrd", f"{inside}/.initrd"]
        words += ["-append", "console=ttyS0 quiet loglevel=4 panic=-1", "-no-reboot"]
        words += ["-chardev", "stdio,id=console", "-serial", "chardev:console"]
        words += ["-virtfs", "local,path=/,mount_tag=base,security_model=none,readonly=on"]
        words += ["-virtfs", f"local,path={inside},mount_tag=share,security_model=none"]
        if gpu_socket is not None:
            words += ["-chardev", f"socket,id=gpu,path={inside}/{gpu_socket}"]
            words += [
                "-device",
                "vhost-user-test-device-pci,chardev=gpu,virtio-id=16,num_vqs=2,vq_size=256,"
                "config_size=16",
            ]
        return words

    def start(
        self,
        run: str,
        gpu_socket: Optional[str] = None,
        memory: str = "3G",
        cpus: int = 2,
        console: Optional[int] = subprocess.DEVNULL,
    ) -> None:
        """run: lines of shell, executed as root in the guest with /share as working directory.
        gpu_socket: of a vhost-user device, in the share folder. The machine powers off after."""
        version = kernel_of(self.root)
        shutil.copy(self.root / "boot" / f"vmlinuz-{version}", self.share / ".kernel")
        (self.share / ".initrd").write_bytes(initramfs(self.root, version))
        (self.share / ".start").write_text(START % {"run": run})
        # QEMU's 9p asks /proc for the files it has open. The mount is this process's alone.
        enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        words = ["unshare", "--mount", "sh", "-c", enter, str(self.root)]
        words += self.command(gpu_socket, memory, cpus)
        log = (self.share / "console.log").open("wb")
        self.process = subprocess.Popen(
            words,
            stdin=console if console is None else subprocess.DEVNULL,
            stdout=None if console is None else log,
            stderr=None if console is None else log,
        )
        log.close()

    def wait(self, seconds: float) -> bool:
        """Until it powered off. False: it had to be ended."""
        assert self.process is not None
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.stop()
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def console(self) -> str:
        return (self.share / "console.log").read_text(errors="replace")

    def run(self, script: str, seconds: float = 600, gpu_socket: Optional[str] = None) -> int:
        """A script to its end: its exit code; what it printed is in output.txt. -1: it never
        ended."""
        (self.share / "script.sh").write_text(script)
        started = time.monotonic()
        self.start("sh script.sh > output.txt 2>&1; echo $? > code.txt", gpu_socket)
        ended = self.wait(seconds)
        self.say(f"{self.name}: {time.monotonic() - started:.0f} s")
        code = self.share / "code.txt"
        return int(code.read_text()) if ended and code.is_file() else -1

    def output(self) -> str:
        path = self.share / "output.txt"
        return path.read_text(errors="replace") if path.is_file() else ""
