"""The one timer mechanism: a heap of deadlines, cancellable by handle.

Time is a float in seconds on whatever clock the caller of the host keeps; this
module never reads one. Equal deadlines fire in the order in which they were
armed, so that a run is a function of its inputs. A callback is a bound method or
a plain function with its arguments beside it, never a closure: the state of a
host can then be copied.
"""

import heapq
from collections.abc import Callable
from typing import Any

from stack.journal import Cause, Journal

_COMPACT_AT = 64


class Timer:
    """A handle to one armed deadline (seconds); `cancel` is idempotent."""

    __slots__ = ("_arguments", "_callback", "_owner", "cause", "deadline")

    def __init__(
        self, owner: "Timers", deadline: float, callback: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        self.deadline = deadline
        self._owner = owner
        self._callback: Callable[..., None] | None = callback
        self._arguments = arguments
        # What it was armed for, if the journal was on.
        self.cause: Cause | None = None

    @property
    def active(self) -> bool:
        """True until the timer has fired or was cancelled."""
        return self._callback is not None

    def cancel(self) -> None:
        """Take the timer back; at the exact deadline too (SEED row S22)."""
        if self._callback is not None:
            self._callback = None
            self._arguments = ()
            self._owner._forget()

    def fire(self, now: float, journal: Journal) -> None:
        """Run the callback as `callback(*arguments, now)`, once."""
        callback, arguments = self._callback, self._arguments
        self._callback = None
        self._arguments = ()
        if callback is None:
            return
        if journal.on:
            journal.begin_timer(callback, arguments, self.cause, now)
        callback(*arguments, now)
        if journal.on:
            journal.end()


class Timers:
    """All deadlines of one host; O(log n) to arm, O(1) to cancel. `journal` is the host's."""

    __slots__ = ("_cancelled", "_heap", "_journal", "_sequence")

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = Journal() if journal is None else journal
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def at(self, deadline: float, callback: Callable[..., None], *arguments: Any) -> Timer:
        """Arm a timer: `callback(*arguments, now)` runs once `advance` reaches `deadline`."""
        timer = Timer(self, deadline, callback, arguments)
        if self._journal.on:
            timer.cause = self._journal.because
        self._sequence += 1
        heapq.heappush(self._heap, (deadline, self._sequence, timer))
        return timer

    def next_deadline(self) -> float | None:
        """The earliest deadline still armed, or None."""
        heap = self._heap
        while heap and heap[0][2]._callback is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else None

    def advance(self, now: float) -> None:
        """Fire, in order, everything due at `now`, what is armed on the way included."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            timer = heapq.heappop(self._heap)[2]
            timer.fire(now, self._journal)

    def _forget(self) -> None:
        self._cancelled += 1
        if self._cancelled > _COMPACT_AT and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].active]
            heapq.heapify(self._heap)
            self._cancelled = 0
