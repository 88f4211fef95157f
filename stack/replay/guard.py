"""Where an exception that leaves the host ends: it is the finding that is looked for, and the run goes on."""

import traceback
from types import TracebackType
from typing import NamedTuple


class Fault(NamedTuple):
    """An exception: its type, its text, and the function of the stack that it came from, `file:function`."""

    type: str
    text: str
    where: str


class Guard:
    """A `with` block that an exception leaves quietly; `fault` is then what it was, else None.

    A wish of the user to stop passes through.
    """

    __slots__ = ("fault",)

    def __init__(self) -> None:
        self.fault: Fault | None = None

    def __enter__(self) -> "Guard":
        self.fault = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None or error is None or not issubclass(kind, Exception):
            return False
        self.fault = Fault(kind.__name__, str(error)[:200], _innermost(trace))
        return True


def _innermost(trace: TracebackType | None) -> str:
    """The last function of the package on the way to the exception."""
    where = ""
    for frame in traceback.extract_tb(trace):
        _, found, name = frame.filename.rpartition("/stack/")
        if found:
            where = f"stack/{name}:{frame.name}"
    return where
