"""The journal: each decision as a small record with its cause and its RFC clause.

It is off unless somebody listens: callers test `journal.on` before they build a
record, so that it costs one test of a flag. The cause is what the host is working
on: a frame while it is received, a timer while it runs, and otherwise a call. A
timer remembers what it was armed for, so that causes can be followed back.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from stack.explain.timers import timer_words

# A chain of causes is no longer than this; what lies further back is left out.
CHAIN_MAX = 16


class Cause(NamedTuple):
    """A frame, a timer or a call, and when it came (seconds on the host's clock).

    `frame` is the number of a received frame, else None. `before` is for a timer
    what armed it, None if nobody listened then.
    """

    text: str
    time: float
    frame: int | None = None
    before: "Cause | None" = None
    length: int = 1

    def chain(self) -> "list[Cause]":
        """This cause, what was behind it, and so on back."""
        found: list[Cause] = []
        cause: Cause | None = self
        while cause is not None:
            found.append(cause)
            cause = cause.before
        return found


NO_CAUSE = Cause("call", 0.0)


class Record(NamedTuple):
    """One decision. `time` is in seconds on the host's clock; `before` and `after` are states in the RFC's words."""

    time: float
    because: Cause
    layer: str
    what: str
    clause: str
    before: str
    after: str

    @property
    def cause(self) -> str:
        """What the host was working on, in words."""
        return self.because.text

    @property
    def frame(self) -> int | None:
        """The number of the received frame that was the cause, or None."""
        return self.because.frame


class FrameSeen(NamedTuple):
    """A frame that came in, or one that the host sends; both are numbered together, in their order.

    `interface` is the index of its interface; `time` is in seconds on the host's clock.
    """

    time: float
    number: int
    interface: int
    inbound: bool
    frame: bytes
    because: Cause


class Watcher(Protocol):
    """Who watches the journal with the frames: records and frames in their order, and where a cause ends."""

    def record(self, record: Record) -> None: ...
    def frame(self, seen: FrameSeen) -> None: ...
    def end(self) -> None: ...


class Journal:
    """Hands records to its listeners; `on` is true while there are any. `because` is what the host is working on."""

    __slots__ = ("_listeners", "_watchers", "because", "on", "time")

    def __init__(self) -> None:
        self.on = False
        self.because = NO_CAUSE
        # When the host was last seen at work.
        self.time = 0.0
        self._listeners: list[tuple[Callable[[Record], None], frozenset[str]]] = []
        self._watchers: list[Watcher] = []

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        # Who listens belongs to the edge (stack.edge).
        return None, {"on": False, "because": NO_CAUSE, "time": 0.0, "_listeners": [], "_watchers": []}

    # -- who listens

    def listen(self, listener: Callable[[Record], None], *layers: str) -> None:
        """Call `listener(record)` for every decision from now on, or for those of some layers alone."""
        self._listeners.append((listener, frozenset(layers)))
        self.on = True

    def unlisten(self, listener: Callable[[Record], None]) -> None:
        """Stop calling `listener`; unknown ones are ignored."""
        self._listeners = [each for each in self._listeners if each[0] != listener]
        self.on = bool(self._listeners or self._watchers)

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every decision and every frame from now on."""
        self._watchers.append(watcher)
        self.on = True

    def unwatch(self, watcher: Watcher) -> None:
        """Stop telling `watcher`; unknown ones are ignored."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)
        self.on = bool(self._listeners or self._watchers)

    # -- causes; called only when `on`

    @property
    def frame(self) -> int | None:
        """The number of the frame that is being received, or None."""
        return self.because.frame

    def begin_frame(self, number: int, interface: int, frame: bytes, now: float) -> None:
        """What follows is caused by this frame from the link."""
        self.time = now
        self.because = Cause(f"frame {number}", now, number)
        self._seen(FrameSeen(now, number, interface, True, frame, self.because))

    def begin_timer(
        self, callback: Callable[..., None], arguments: tuple[Any, ...], armed_by: Cause | None, now: float
    ) -> None:
        """What follows is caused by a timer."""
        self.time = now
        text = f"timer: {timer_words(callback, arguments)}"
        # A timer that arms itself again and again has one cause: what armed it first.
        if armed_by is not None and armed_by.text == text:
            armed_by = armed_by.before
        if armed_by is not None and armed_by.length >= CHAIN_MAX:
            armed_by = armed_by._replace(before=None, length=1)
        length = 1 if armed_by is None else armed_by.length + 1
        self.because = Cause(text, now, None, armed_by, length)

    def begin_call(self, text: str, now: float) -> None:
        """What follows is caused by a call."""
        self.time = now
        self.because = Cause(text, now)

    def end(self) -> None:
        """The frame, timer or call is done with; what follows is caused by calls again."""
        self.because = NO_CAUSE
        for watcher in self._watchers:
            watcher.end()

    # -- what is told; called only when `on`

    def note(self, now: float, layer: str, what: str, clause: str = "", before: str = "", after: str = "") -> None:
        """Write one record."""
        record = Record(now, self.because, layer, what, clause, before, after)
        self.time = now
        for listener, layers in self._listeners:
            if not layers or layer in layers:
                listener(record)
        for watcher in self._watchers:
            watcher.record(record)

    def sent(self, number: int, interface: int, frame: bytes) -> None:
        """A frame of ours goes to the link."""
        if self._watchers:
            self._seen(FrameSeen(self.time, number, interface, False, frame, self.because))

    def _seen(self, seen: FrameSeen) -> None:
        for watcher in self._watchers:
            watcher.frame(seen)
