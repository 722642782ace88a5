"""python3 -m sluicegen --root codegen --out DIR: reads the tables, checks them, writes what
changed.

--list prints the files that it would write, for the build; `lock ...` keeps lock/vulkan.lock;
exit 1 and one line on stderr when a table is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import check, plan
from .cwriter import Output
from .emit import adapters, call, dispatch, driver, entry, enums, fake, names, pack, tables, unpack
from .emit import vk_adapters
from .emit import vk_args
from .emit import vk_call
from .emit import vk_destroy
from .emit import vk_dispatch
from .emit import vk_driver
from .emit import vk_entry
from .emit import vk_extensions
from .emit import vk_fake
from .emit import vk_fields
from .emit import vk_names
from .emit import vk_pack
from .emit import vk_reply
from .emit import vk_tables
from .emit import vk_types
from .emit import vk_unpack
from .errors import SpecError
from .read import policy
from .vk import guest, host, locker, lockfile, quiet


def generate(root: Path, out: Output) -> None:
    model = policy.read_model(root)
    check.check(model)
    served = []  # what guests' programs call by name
    for api in model.apis:
        planned = plan.plan_api(api)
        names.emit(out, api)
        pack.emit(out, planned)
        unpack.emit(out, planned)
        call.emit(out, planned)
        dispatch.emit(out, model, planned)
        tables.emit(out, model, planned)
        adapters.emit(out, model, planned)
        if api.name in ("gles1", "gles2", "glesx"):
            call.emit_asks(out, planned)
            served.append(planned)
    entries, fixed = entry.emit(out, model, served[0], served[1:])
    entry.emit_extensions(out, model, entries, fixed)
    enums.emit(out, model)
    tables.emit_all(out, model)
    driver.emit(out, model)
    fake.emit(out, model)
    generate_vulkan(root, out)


def generate_vulkan(root: Path, out: Output) -> None:
    lock = lockfile.read_lock(root / locker.LOCK)
    vk_types.emit(out, lock)
    vk_names.emit(out, lock)
    vk_args.emit(out, lock)
    facts = vk_fields.Facts(lock)
    vk_pack.emit(out, lock, facts)
    vk_unpack.emit(out, lock, facts)
    vk_reply.emit(out, lock, facts)
    vk_tables.emit(out, lock, facts)
    vk_adapters.emit(out, lock)
    vk_fake.emit(out, lock, facts)
    vk_extensions.emit(out, lock)
    vk_driver.emit(out, lock)
    vk_destroy.emit(out, lock)
    silent = quiet.read(root / "policy" / "vulkan_quiet.csv", lock)
    vk_dispatch.emit(out, lock, host.read(root / "policy" / "vulkan_host.csv", lock), silent)
    decided = guest.read(root / "policy" / "vulkan_guest.csv", lock)
    vk_call.emit(out, lock, decided, silent)
    vk_entry.emit(out, lock, decided)


def main() -> int:
    if sys.argv[1:2] == ["lock"]:
        return locker.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="sluicegen", description=__doc__)
    parser.add_argument(
        "--root", type=Path, required=True, help="the folder with spec/ and policy/"
    )
    parser.add_argument("--out", type=Path, help="where generated files go")
    parser.add_argument(
        "--list", action="store_true", help="print the names of the generated .c files instead"
    )
    args = parser.parse_args()
    if not args.list and args.out is None:
        parser.error("--out or --list is needed")
    try:
        if args.list:
            with tempfile.TemporaryDirectory() as scratch:
                out = Output(Path(scratch))
                generate(args.root, out)
            print(";".join(out.written), end="")
        else:
            generate(args.root, Output(args.out))
    except SpecError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
