"""Checks what a library needs at load time: guest libraries live in strangers' processes.

usage: needed.py --readelf READELF LIBRARY ALLOWED...     (ALLOWED: file names up to .so, as libxcb)
"""

import argparse
import re
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readelf", default="readelf")
    parser.add_argument("library")
    parser.add_argument("allowed", nargs="+")
    options = parser.parse_args()
    run = subprocess.run(
        [options.readelf, "-d", options.library], capture_output=True, text=True, check=True
    )
    needed = re.findall(r"\(NEEDED\).*\[(.*?)\]", run.stdout)
    bad = [name for name in needed if name.split(".so")[0] not in options.allowed]
    print(
        "\n".join(f"{options.library}: needs {name}, which is not allowed" for name in bad)
        or f"needs {' '.join(needed)}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
