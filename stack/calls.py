"""The calls by which the outside changes a host, beside frames and time: where they are marked, and so recorded.

A host is a function of what comes in by `receive`, `advance` and these calls.
`recorded` marks a method as one of them: if the host has a recorder, and the call
does not come from the host's own work, the recorder is told before it runs.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


class CallRecorder(Protocol):
    """What a host tells what comes in and what goes out; `stack.recorder.ring.Recorder` is one.

    `busy` is true while the host works on something that was recorded: the calls
    that it makes then follow from that.
    """

    busy: bool

    def receive(self, frame: bytes, now: float, interface: int) -> None: ...
    def advance(self, now: float) -> None: ...
    def call(self, holder: Any, name: str, now: float | None, arguments: tuple[Any, ...], named: Any) -> None: ...
    def sent(self, interface: int, frame: bytes) -> None: ...
    def drained(self) -> None: ...
    def refused(self, attempt: int, error: int) -> None: ...


_marked: set[Callable[..., Any]] = set()


def is_recorded(method: Any) -> bool:
    """Whether a method is one of those calls."""
    return method in _marked


def recorded(where: str) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """Mark a method as a call of the outside's; `where` is the way from its object to the host's recorder.

    The time of the call is its argument `now`, if it has one.
    """
    recorder_of = attrgetter(where)

    def mark(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        names = list(signature(method).parameters)
        place = names.index("now") - 1 if "now" in names else None

        @wraps(method)
        def call(self: S, *arguments: P.args, **named: P.kwargs) -> R:
            recorder: CallRecorder | None = recorder_of(self)
            if recorder is None or recorder.busy:
                return method(self, *arguments, **named)
            now: Any = named.get("now")
            if now is None and place is not None and place < len(arguments):
                now = arguments[place]
            recorder.call(self, method.__name__, now, arguments, named)
            try:
                return method(self, *arguments, **named)
            finally:
                recorder.busy = False

        _marked.add(call)
        return call

    return mark
