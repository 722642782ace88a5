"""One virtual machine: its QEMU, the script it runs, what that said.

QEMU runs out of the chroot (bed.py), by TCG: no KVM is asked for. The guest's file system is that
chroot, read-only over 9p with a scratch layer above; /share in the guest is the run's folder on
this machine.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import socket
import subprocess
import time
from typing import Any, List, Optional, Sequence

import bed

START = r"""export HOME=/root XDG_RUNTIME_DIR=/run/user/0 PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8
chmod 700 $XDG_RUNTIME_DIR
cd /share
%(run)s
sync
busybox poweroff -f
"""


# Every feature of ours is forwarded by it; vhost-user-gpu-pci knows no blobs.
GPU = "vhost-user-test-device-pci,virtio-id=16,num_vqs=2,vq_size=256,config_size=16"
# A guest without KVM on a busy machine loses time that its kernel would count.
STARVED = "rcupdate.rcu_cpu_stall_suppress=1"
BOOTS, BOOT_S = 3, 120


class Machine:
    """share: a folder on this machine that the guest sees as /share; it lies inside the chroot, so
    that QEMU, which runs there, finds it too. kernel: how its version begins; empty: the newest.
    devices: of QEMU's, more than the GPU."""

    def __init__(
        self, root: pathlib.Path, name: str, kernel: str = "", devices: Sequence[str] = ()
    ) -> None:
        self.root = root
        self.name = name
        self.kernel = bed.kernel_of(root, kernel)
        self.devices = devices
        self.gpu = GPU
        self.share = root / "vm" / name
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
        words += ["-append", f"console=ttyS0 quiet loglevel=4 panic=-1 {STARVED}", "-no-reboot"]
        words += ["-chardev", "stdio,id=console", "-serial", "chardev:console"]
        words += ["-qmp", f"unix:{inside}/qmp,server=on,wait=off"]
        words += ["-virtfs", "local,path=/,mount_tag=base,security_model=none,readonly=on"]
        words += ["-virtfs", f"local,path={inside},mount_tag=share,security_model=none"]
        for device in self.devices:
            words += ["-device", device]
        if gpu_socket is not None:
            words += ["-chardev", f"socket,id=gpu,path={inside}/{gpu_socket}"]
            words += ["-device", f"{self.gpu},chardev=gpu"]
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
        shutil.copy(self.root / "boot" / f"vmlinuz-{self.kernel}", self.share / ".kernel")
        (self.share / ".initrd").write_bytes(bed.initramfs(self.root, self.kernel))
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

    def begin(self, script: str, gpu_socket: Optional[str] = None) -> None:
        """A script in the guest; what it prints comes into output.txt. A kernel that does not come
        to its first program is started again: no module is loaded by then."""
        (self.share / "script.sh").write_text(script)
        for _ in range(BOOTS):
            self.start("sh script.sh > output.txt 2>&1; echo $? > code.txt", gpu_socket)
            if self.is_up(BOOT_S):
                return
            self.stop()
            bed.say(f"{self.name}: the kernel did not start: {self.console()[-200:]}")

    def is_up(self, seconds: float) -> bool:
        """Its kernel came to its first program, in that time."""
        started = time.monotonic()
        while bed.UP not in self.console():
            if not self.is_on() or time.monotonic() - started > seconds:
                return False
            time.sleep(0.05)
        return True

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

    def is_on(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def code(self) -> Optional[int]:
        """With which the script ended; None: it did not."""
        path = self.share / "code.txt"
        text = path.read_text().strip() if path.is_file() else ""
        return int(text) if text else None

    def console(self) -> str:
        return (self.share / "console.log").read_text(errors="replace")

    def output(self) -> str:
        path = self.share / "output.txt"
        return path.read_text(errors="replace") if path.is_file() else ""

    def monitor(self, command: str, **arguments: Any) -> Any:
        """A command of QEMU's machine protocol: what it returns."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(60)
            line.connect(str(self.share / "qmp"))
            lines = line.makefile("rw")
            lines.readline()  # its greeting
            answer = {}
            for name, values in (("qmp_capabilities", {}), (command, arguments)):
                lines.write(json.dumps({"execute": name, "arguments": values}) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
                while "event" in answer:
                    answer = json.loads(lines.readline())
        if "return" not in answer:
            raise bed.BedError(f"QEMU refuses {command}: {answer.get('error')}")
        return answer["return"]


def wait_for(what: pathlib.Path, machine: Machine, seconds: float) -> bool:
    """Until the file is there. False: the machine or the time ended before."""
    started = time.monotonic()
    while not what.exists():
        if not machine.is_on() or time.monotonic() - started > seconds:
            return False
        time.sleep(0.05)
    return True
