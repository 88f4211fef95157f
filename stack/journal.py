"""The journal: each decision as a small record with its cause and its RFC clause.

It is off unless somebody listens: callers test `journal.on` before they build a
record, so that it costs one test of a flag. The cause is what the host is
working on; the host sets it when the journal is on: a frame while it is received,
a timer while it runs, and otherwise a call.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Record(NamedTuple):
    """One decision. `frame` is the number of the received frame that caused it, or None.

    `time` is in seconds on the host's clock; `before` and `after` are states in
    the RFC's words, or empty.
    """

    time: float
    frame: int | None
    cause: str
    layer: str
    what: str
    clause: str
    before: str
    after: str


class Journal:
    """Hands records to its listeners; `on` is true while there are any."""

    __slots__ = ("_listeners", "cause", "frame", "on")

    def __init__(self) -> None:
        self.on = False
        self.cause = "call"
        self.frame: int | None = None
        self._listeners: list[Callable[[Record], None]] = []

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        # Who listens belongs to the edge (stack.edge).
        return None, {"on": False, "cause": "call", "frame": None, "_listeners": []}

    def listen(self, listener: Callable[[Record], None]) -> None:
        """Call `listener(record)` for every decision from now on."""
        self._listeners.append(listener)
        self.on = True

    def unlisten(self, listener: Callable[[Record], None]) -> None:
        """Stop calling `listener`; unknown ones are ignored."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        self.on = bool(self._listeners)

    def begin(self, cause: str, frame: int | None = None) -> None:
        """What follows is caused by this frame, timer or call."""
        self.cause = cause
        self.frame = frame

    def note(self, now: float, layer: str, what: str, clause: str = "", before: str = "", after: str = "") -> None:
        """Write one record; call it only when `on`."""
        record = Record(now, self.frame, self.cause, layer, what, clause, before, after)
        for listener in self._listeners:
            listener(record)
