"""`--trace`: the file that the host's trace goes to, and what happens when it takes no more."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import trio

from stack.capture.host_trace import Trace
from stack.capture.writing import CaptureWriter
from stack.errors import UsageError
from stack.host import Host


class TraceFile:
    """An open trace file. A disk that is full ends the trace, with a line to the user, and not the host."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        """Raises UsageError if the file cannot be written."""
        try:
            self._file: IO[bytes] | None = path.open("wb")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; choose another file with --trace") from error
        self._path = path
        self._tell = tell
        self._trace: Trace | None = None

    def start(self, host: Host) -> None:
        """Trace `host` from now on; to be called within trio, whose clock is the host's."""
        self._trace = Trace(host, CaptureWriter(self), time.time() - trio.current_time())

    def close(self) -> None:
        """Write what is held, and close the file."""
        if self._trace is not None:
            self._trace.close()
        self._do(lambda file: file.close())
        self._file = None

    # -- for the writer

    def write(self, octets: bytes) -> None:
        """Octets of the capture."""
        self._do(lambda file: file.write(octets))

    def flush(self) -> None:
        """Whoever reads along sees all of it."""
        self._do(lambda file: file.flush())

    def _do(self, action: Callable[[IO[bytes]], object]) -> None:
        if self._file is None:
            return
        try:
            action(self._file)
        except OSError as error:
            self._file = None
            self._tell(f"the trace in {self._path} ends here: {error.strerror}")
