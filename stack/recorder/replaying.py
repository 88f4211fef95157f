"""A stretch told again: a host made from its snapshot is given the same frames, times and calls.

A host is a function of these, so the frames that it sends are the same, at the
same times; whether they are is the result.
"""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple

from stack.address import format_address
from stack.calls import is_recorded
from stack.discard import Outcome
from stack.errors import RefusedError, StackError
from stack.host import Host
from stack.ip6.known import count_answers
from stack.mld.filters import SourceFilter
from stack.multicast_filter import FilterPlan
from stack.recorder.ring import Stretch
from stack.recorder.story import ADVANCE, ANSWERED, CALL, DRAINED, FRAME, PASSED, REFUSED, SENT, Entry, Name, thing_of


class SentFrame(NamedTuple):
    """A frame that a host sent: when (seconds on its clock), on which interface (index), and its octets."""

    time: float
    interface: int
    frame: bytes


class Replayed(NamedTuple):
    """What came of it. `sent` is what the host sent this time, `recorded` what it had sent before.

    `outcomes` are those of the frames that came in, in order. `error` is what ended
    the replay, and the recording too if it was made at an internal error.
    """

    host: Host
    frames: int
    calls: int
    sent: list[SentFrame]
    recorded: list[SentFrame]
    outcomes: list[Outcome]
    error: Exception | None

    @property
    def equal(self) -> bool:
        """Whether the same frames went out at the same times, byte for byte."""
        return self.sent == self.recorded

    def difference(self) -> str:
        """Where they part, in a line; empty if they do not."""
        for number, (ours, theirs) in enumerate(zip(self.sent, self.recorded, strict=False), 1):
            if ours != theirs:
                return f"frame {number} out differs: at {ours.time:.6f} s, and recorded at {theirs.time:.6f} s"
        if len(self.sent) != len(self.recorded):
            return f"{len(self.sent)} frames went out, and {len(self.recorded)} were recorded"
        return ""


class Replay:
    """One replay of a stretch, to be run step by step or at once. Raises RefusedError for what is no stretch.

    `prepare(host)` is given the host before anything happens, to listen to it.
    """

    def __init__(self, stretch: Stretch, prepare: Callable[[Host], None] | None = None) -> None:
        self.now = stretch.began
        self.sent: list[SentFrame] = []
        self.outcomes: list[Outcome] = []
        self.frames = self.calls = 0
        self.error: Exception | None = None
        self._entries = stretch.entries
        self._refused = {each[1]: each[2] for each in stretch.entries if each[0] == REFUSED}
        self.host = Host.restore(stretch.snapshot, self._program)
        self.host.recorder = _Witness(self)
        self.recorded = _recorded(stretch.entries, stretch.began)
        if prepare is not None:
            prepare(self.host)

    def run(self) -> Replayed:
        """All of it."""
        for entry in self._entries:
            if not self._tell(entry):
                break
        return self.result()

    def result(self) -> Replayed:
        """What has come of it so far."""
        return Replayed(self.host, self.frames, self.calls, self.sent, self.recorded, self.outcomes, self.error)

    def _tell(self, entry: Entry) -> bool:
        """One entry; false if it ends the replay."""
        kind = entry[0]
        if kind == FRAME:
            self.frames += 1
            self.now = entry[1]
            return self._do(self._receive, entry[2], entry[3])
        if kind == ANSWERED:
            self.frames += len(entry[3])
            self.now = entry[1]
            return all(self._do(self._receive, entry[2], frame) for frame in entry[3])
        if kind == PASSED:
            # They are told no more, but later frames keep their numbers.
            count_answers(self.host.counters, entry[1], entry[2])
            return True
        if kind == ADVANCE:
            self.now = entry[1]
            return self._do(self.host.advance, self.now)
        if kind == CALL:
            self.calls += 1
            self.now = entry[1]
            return self._do(self._call, *entry[2:])
        if kind == DRAINED:
            self.host.output()
        return True

    def _receive(self, index: int, frame: bytes) -> None:
        self.outcomes.append(self.host.receive(frame, self.now, self.host.interfaces.get(index)))

    def _call(self, name: Name, method: str, arguments: tuple[object, ...], named: dict[str, object]) -> None:
        holder = thing_of(name, self.host)
        if not is_recorded(getattr(type(holder), method, None)):
            raise RefusedError(f"the bundle asks for a call of {method!r}, which there is not")
        given = [thing_of(each, self.host) for each in arguments]
        journal = self.host.journal
        if journal.on:
            journal.begin_call(call_words(name, method, arguments), self.now)
        try:
            getattr(holder, method)(*given, **{key: thing_of(each, self.host) for key, each in named.items()})
        finally:
            if journal.on:
                journal.end()

    def _do(self, action: Callable[..., object], *arguments: object) -> bool:
        with _Catching() as caught:
            action(*arguments)
        self.error = caught.error
        return self.error is None

    def _program(self, plan: FilterPlan) -> None:
        """The driver, which refuses what it refused before."""
        counters = self.host.counters
        error = self._refused.get(counters.filter_programs + counters.filter_errors)
        if error is not None:
            raise OSError(error, "the driver refused it")


class _Witness:
    """Stands in the recorder's place, to see what the host sends."""

    def __init__(self, replay: Replay) -> None:
        self.busy = False
        self._replay = replay

    def receive(self, frame: bytes, now: float, interface: int) -> None:
        """Told by the replay itself."""

    def ready(self, now: float) -> None:
        """A replay has no batches."""

    def answered(self, frames: list[bytes], answers: list[bytes], now: float, interface: int) -> None:
        """A replay has no batches."""

    def advance(self, now: float) -> None:
        """Told by the replay itself."""

    def call(self, holder: Any, name: str, now: float | None, arguments: tuple[Any, ...], named: Any) -> None:
        """Told by the replay itself."""

    def sent(self, interface: int, frame: bytes) -> None:
        """The host sends a frame."""
        self._replay.sent.append(SentFrame(self._replay.now, interface, frame))

    def drained(self) -> None:
        """Done by the replay itself."""

    def refused(self, attempt: int, error: int) -> None:
        """Done by the replay itself."""


class _Catching:
    """Holds what ends a step of a replay; a defect of the host is a result here, whatever it raises."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> "_Catching":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        # A call that was refused was refused when it was recorded too.
        if not isinstance(error, StackError | OSError):
            self.error = error
        return True


def _recorded(entries: Iterable[Entry], began: float) -> list[SentFrame]:
    now = began
    found = []
    for entry in entries:
        if entry[0] == SENT:
            found.append(SentFrame(now, entry[1], entry[2]))
        elif entry[0] in (FRAME, ADVANCE, ANSWERED, CALL):
            now = entry[1]
        if entry[0] == ANSWERED:
            found += [SentFrame(now, entry[2], frame) for frame in entry[4]]
    return found


def call_words(name: Name, method: str, arguments: Iterable[object]) -> str:
    """A call in a line."""
    said = " ".join(word for each in arguments if (word := _argument(each)))
    return f"call {name.words()} {method} {said}".rstrip()


def _argument(thing: object) -> str:
    if isinstance(thing, Name):
        return thing.words()
    if isinstance(thing, bytes):
        return format_address(thing) if len(thing) == 16 else f"{len(thing)} octets"
    if isinstance(thing, SourceFilter):
        sources = ",".join(format_address(each) for each in sorted(thing.sources))
        return f"{thing.mode.value} {sources or 'none'}"
    return "" if thing is None or isinstance(thing, float) else str(thing)
