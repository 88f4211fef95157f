"""What is left of a host that met an internal error: a bundle of its flight recorder, and one line that says where."""

import tempfile
import time
import traceback
from pathlib import Path
from types import TracebackType

from stack.cli.private_file import write_privately
from stack.control.recording import bundle_of
from stack.errors import InternalError, StackError
from stack.recorder.ring import Recorder
from stack.runtime import Runtime


class CrashGuard:
    """Turns an internal error of a running host into a bundle and an InternalError with the line for the user."""

    def __init__(self, runtime: Runtime) -> None:
        self.crashed = False
        self._runtime = runtime

    def __enter__(self) -> "CrashGuard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        defect = None if error is None else _defect(error)
        if defect is None:
            return
        self.crashed = True
        raise InternalError(f"internal error: {_words(defect)}; {self._keep()}") from error

    def _keep(self) -> str:
        recorder = self._runtime.host.recorder
        if not isinstance(recorder, Recorder):
            return "nothing was recorded (--no-record)"
        octets = bundle_of(self._runtime)
        recorder.stop()
        name = f"sixtap-{self._runtime.interface.name}-{time.strftime('%Y%m%d-%H%M%S')}.bundle"
        for folder in (Path.cwd(), Path(tempfile.gettempdir())):
            try:
                write_privately(folder / name, octets)
            except OSError:
                continue
            return f"sixtap replay {folder / name} repeats it"
        return "its bundle could not be written, neither here nor in the folder for temporary files"


def _defect(error: BaseException) -> Exception | None:
    """The first error in a group, or alone, that is not meant for the user."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := _defect(each)) is not None), None)
    return error if isinstance(error, Exception) and not isinstance(error, StackError) else None


def _words(error: Exception) -> str:
    """What was raised, and where, in a line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{place}{f': {text}' if text else ''}"
