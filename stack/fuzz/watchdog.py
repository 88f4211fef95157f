"""Loops without an end: noticed by the time that a case takes, and judged by lines of code, which are the same always.

A case that uses up its CPU seconds is stopped and run once more while the lines of
Python are counted. Only what passes the limit of lines is a finding, so that a slow
machine changes nothing but how long it takes.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# A case takes some hundredths of a second.
SECONDS = 2.0
# Lines for one frame with the time before it; a whole case of 500 frames takes about as many.
LINES = 500_000
# Lines that are watched for the function that the loop is in: it is the outermost that is not left.
_WATCHED = 20_000


class ExpiredError(BaseException):
    """The seconds are used up. No `except Exception` holds it up."""


class NoEndError(Exception):
    """A frame took more lines than any may."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ExpiredError in what uses more CPU seconds than these; only the main thread can be stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _expire)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _expire(number: int, frame: FrameType | None) -> None:
    raise ExpiredError


class LineCounter:
    """Counts lines while it is entered, from 0 at each `restart`; beyond LINES it raises NoEndError.

    `where` is then the function of the loop, `file:function` if it is one of the package, and else empty.
    """

    def __init__(self) -> None:
        self.where = ""
        self.most = 0
        self._lines = 0
        self._lowest: FrameType | None = None
        self._depth = 0
        self._before: Any = None

    def __enter__(self) -> "LineCounter":
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        self._lowest = None

    def restart(self) -> None:
        """Another frame begins."""
        self.most = max(self.most, self._lines)
        self._lines = 0

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._lines += 1
        if self._lines > LINES:
            self._watch(frame)
        return self._line

    def _watch(self, frame: FrameType) -> None:
        if frame is not self._lowest:
            depth = _depth(frame)
            if self._lowest is None or depth < self._depth:
                self._lowest, self._depth = frame, depth
        if self._lines > LINES + _WATCHED:
            code = self._lowest.f_code if self._lowest is not None else frame.f_code
            _, package, name = code.co_filename.rpartition("/stack/")
            self.where = f"stack/{name}:{code.co_name}" if package else code.co_name
            raise NoEndError(f"more than {LINES} lines of code for one frame")


def _depth(frame: FrameType | None) -> int:
    depth = 0
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth
