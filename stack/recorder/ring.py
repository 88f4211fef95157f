"""The flight recorder of a host: what came in and went out lately, behind a snapshot to begin from.

It is kept in two stretches, each of which begins with a snapshot. When the younger
is full the older is dropped and a new one begun, so that there is always at least
one whole stretch, and never more than two. A frame or a call costs an append.

A snapshot costs more than thousands of frames. What is answered at once
(`stack.ip6.known`) changes nothing that later frames depend on, so where a stretch is
full of that, the older part of it is passed over instead, and only counted.
"""

from typing import Any, NamedTuple

from stack.host import Host
from stack.recorder.story import (
    ADVANCE,
    ANSWERED,
    CALL,
    DRAINED,
    FRAME,
    PASSED,
    REFUSED,
    SENT,
    Entry,
    NoNameError,
    named,
)
from stack.snapshot import Snapshot
from stack.wire import ethernet

# What an entry takes beside its octets, roughly (bytes).
_OVERHEAD = 160
# A snapshot of a host with large tables takes time: stretches are then so much longer than it.
_SNAPSHOTS_WORTH = 4


class Stretch(NamedTuple):
    """A snapshot, and what happened after it; `began` is the time of the first entry (seconds on the host's clock)."""

    snapshot: Snapshot
    entries: list[Entry]
    began: float


class Recorder:
    """Records `host` from now on, until `stop`; at most `record_limit` bytes in two stretches."""

    def __init__(self, host: Host) -> None:
        self.busy = False
        self._host = host
        self._older: Stretch | None = None
        self._current: Stretch | None = None
        self._entries: list[Entry] = []
        self._room = 0
        # Octets that the younger stretch may hold, and those of them that could be passed over.
        self._size = 0
        self._quick = 0
        # The host's clock, as far as it is known.
        self._now = 0.0
        host.recorder = self

    def stop(self) -> None:
        """Record no more."""
        self._host.recorder = None

    def stretch(self) -> Stretch:
        """All that is kept, as one stretch; without anything recorded yet, of the state now."""
        if self._current is None:
            return Stretch(self._host.snapshot(), [], self._now)
        if self._older is None:
            return Stretch(self._current.snapshot, list(self._entries), self._current.began)
        return Stretch(self._older.snapshot, self._older.entries + self._entries, self._older.began)

    # -- for the host

    def receive(self, frame: bytes, now: float, interface: int) -> None:
        """A frame is about to be received."""
        if self._room <= 0:
            self._make_room(now)
        self._now = now
        self._room -= len(frame) + _OVERHEAD
        self._entries.append((FRAME, now, interface, frame))
        self.busy = True

    def ready(self, now: float) -> None:
        """Frames are about to be received of which `answered` may tell."""
        if self._room <= 0:
            self._make_room(now)

    def answered(self, frames: list[bytes], answers: list[bytes], now: float, interface: int) -> None:
        """Frames were received and answered at once, one for one; the lists are the recorder's from now on."""
        self._now = now
        entry = (ANSWERED, now, interface, frames, answers)
        size = _size_of(entry)
        self._room -= size
        self._quick += size
        self._entries.append(entry)

    def advance(self, now: float) -> None:
        """Timers are about to run."""
        if self._room <= 0:
            self._make_room(now)
        self._now = now
        self._room -= _OVERHEAD
        self._entries.append((ADVANCE, now))
        self.busy = True

    def call(self, holder: Any, name: str, now: float | None, arguments: tuple[Any, ...], named_ones: Any) -> None:
        """A method is about to be called from outside."""
        if now is not None:
            self._now = now
        if self._room <= 0:
            self._make_room(self._now)
        host = self._host
        try:
            given = named(arguments, host), {key: named(each, host) for key, each in named_ones.items()}
            entry = (CALL, self._now, named(holder, host), name, *given)
        except NoNameError:
            # It cannot be told again: what is kept ends here, and begins anew behind it.
            self._forget()
        else:
            self._room -= _OVERHEAD + len(repr(given))
            self._entries.append(entry)
        self.busy = True

    def sent(self, interface: int, frame: bytes) -> None:
        """The host sends a frame."""
        self._room -= len(frame) + _OVERHEAD
        self._entries.append((SENT, interface, frame))

    def drained(self) -> None:
        """What waited to be sent was taken."""
        self._entries.append(_DRAINED)

    def refused(self, attempt: int, error: int) -> None:
        """The driver refused a filter."""
        self._entries.append((REFUSED, attempt, error))

    # -- stretches

    def _make_room(self, now: float) -> None:
        if self._size and 2 * self._quick >= self._size:
            self._pass_over(self._quick // 2)
        else:
            self._begin(now)

    def _pass_over(self, wanted: int) -> None:
        """Drop the oldest that was answered at once, `wanted` octets of it or a little more; how many is kept."""
        kept: list[Entry] = []
        freed = looked_at = 0
        for entry in self._entries:
            if freed >= wanted:
                break
            if entry[0] == ANSWERED:
                freed += _size_of(entry)
                entry = _passed(entry)
            _append(kept, entry)
            looked_at += 1
        # The younger ones stay as they are: each is looked at once, when its turn has come.
        self._entries[:looked_at] = kept
        self._room += freed
        self._quick -= freed

    def _begin(self, now: float) -> None:
        """The younger stretch becomes the older, and a new one begins with the state of now."""
        self._older = self._current
        self._entries = []
        self._current = Stretch(self._host.snapshot(), self._entries, now)
        size = len(self._current.snapshot.octets)
        self._room = self._size = max(self._host.settings.record_limit // 2, _SNAPSHOTS_WORTH * size) - size
        self._quick = 0

    def _forget(self) -> None:
        self._older = self._current = None
        self._entries = []
        self._room = self._size = self._quick = 0


def _append(kept: list[Entry], entry: Entry) -> None:
    """Neighbours that say the same become one: numbers passed over, and that nothing waits to be sent."""
    kind = entry[0]
    last = kept[-1][0] if kept else ""
    before = kept[-2][0] if len(kept) > 1 else ""
    if kind == DRAINED and (last == DRAINED or (before, last) == (DRAINED, PASSED)):
        return
    if kind == PASSED and last == PASSED:
        kept[-1] = _together(kept[-1], entry)
    elif kind == PASSED and (before, last) == (PASSED, DRAINED):
        kept[-2] = _together(kept[-2], entry)
    else:
        kept.append(entry)


def _passed(answered: Entry) -> Entry:
    frames = answered[3]
    return PASSED, len(frames), sum(map(len, frames)) - ethernet.HEADER_LENGTH * len(frames)


def _together(one: Entry, other: Entry) -> Entry:
    return PASSED, one[1] + other[1], one[2] + other[2]


def _size_of(answered: Entry) -> int:
    _, _, _, frames, answers = answered
    return sum(map(len, frames)) + sum(map(len, answers)) + _OVERHEAD * len(frames)


_DRAINED = (DRAINED,)
