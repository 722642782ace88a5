"""A server with a worker for each program, for tests of programs that are to run below one."""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
from typing import Iterator


@contextlib.contextmanager
def isolated(sluice: str, *options: str) -> Iterator[str]:
    """The socket of `sluice serve --isolate`, which must end well and without a word."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s"
        reader, writer = os.pipe()
        words = [sluice, "serve", "-q", "--isolate", "--socket", path, "--status-fd", str(writer)]
        said = pathlib.Path(folder, "said")
        with open(said, "w", encoding="utf-8") as log:
            server = subprocess.Popen([*words, *options], pass_fds=[writer], stderr=log)
        os.close(writer)
        try:
            with os.fdopen(reader) as status:
                lines = [status.readline() for _ in range(2)]
            if not lines[1].startswith("ready "):
                raise AssertionError(f"the server did not start: {lines} {said.read_text()}")
            yield path
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
        if code != 0 or said.read_text():
            raise AssertionError(f"the server ended with {code}: {said.read_text()}")
