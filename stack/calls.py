"""The calls by which the outside changes a host, beside frames and time: where they are marked, and so recorded.

A host is a function of what comes in by `receive`, `advance` and these calls.
`recorded` marks methods as such: if the host has a recorder, and the call
does not come from the host's own work, the recorder is told before it runs.
"""

import math
from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from typing import Any, Protocol, TypeVar

C = TypeVar("C")


class CallRecorder(Protocol):
    """What a host tells what comes in and what goes out; `stack.recorder.ring.Recorder` is one.

    `busy` is true while the host works on something that was recorded: the calls
    that it makes then follow from that.
    """

    busy: bool

    def receive(self, frame: bytes, now: float, interface: int) -> None: ...
    def ready(self, now: float) -> None: ...
    def answered(self, frames: list[bytes], answers: list[bytes], now: float, interface: int) -> None: ...
    def advance(self, now: float) -> None: ...
    def call(self, holder: Any, name: str, now: float | None, arguments: tuple[Any, ...], named: Any) -> None: ...
    def sent(self, interface: int, frame: bytes) -> None: ...
    def drained(self) -> None: ...
    def refused(self, attempt: int, error: int) -> None: ...


_marked: set[Any] = set()


def is_recorded(method: Any) -> bool:
    """Whether a method is one of those calls."""
    return method in _marked


def recorded(where: str, *names: str) -> Callable[[type[C]], type[C]]:
    """Mark these methods of a class as calls of the outside's; `where` is the way from an object to the recorder.

    The time of a call is its argument `now`, if it has one.
    """

    def mark(kind: type[C]) -> type[C]:
        for name in names:
            method = _recording(getattr(kind, name), attrgetter(where))
            _marked.add(method)
            setattr(kind, name, method)
        return kind

    return mark


def _recording(method: Any, recorder_of: Any) -> Any:
    code = method.__code__
    parameters = list(code.co_varnames[: code.co_argcount])
    place = parameters.index("now") - 1 if "now" in parameters else math.inf

    @wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        recorder: CallRecorder | None = recorder_of(self)
        if recorder is None or recorder.busy:
            return method(self, *arguments, **named)
        now = arguments[int(place)] if place < len(arguments) else named.get("now")
        recorder.call(self, method.__name__, now, arguments, named)
        try:
            return method(self, *arguments, **named)
        finally:
            recorder.busy = False

    return call
