"""One case run: frames fed to a host from a snapshot, everything held against it, and what came of it."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

from stack.discard import Outcome
from stack.fuzz.on_sequence import Planned
from stack.fuzz.watchdog import SECONDS, ExpiredError, LineCounter, limited
from stack.host import Host
from stack.replay.guard import Fault, Guard
from stack.replay.oracles import Oracles, Violation
from stack.replay.subject import Subject, nobody
from stack.replay.tables import Size
from stack.snapshot import Snapshot

# After the last frame: what is due soon has to go well too, and the longest of it is a reassembly.
AFTERMATH = 61.0


class Trial(NamedTuple):
    """What came of a case: frames fed and sent, a digest of everything sent, how often each outcome occurred.

    A `fault` ended it at the last frame fed, or after it.
    """

    fed: int
    sent: int
    digest: str
    outcomes: dict[Outcome, int]
    tables: dict[str, Size]
    violations: tuple[Violation, ...]
    fault: Fault | None

    @property
    def signatures(self) -> tuple[str, ...]:
        """What went wrong, in words that are the same for the same defect."""
        if self.fault is not None:
            return (f"{self.fault.type} in {self.fault.where}",)
        return tuple(f"{each.oracle}: {each.key or each.what}" for each in self.violations)


class Start(NamedTuple):
    """What cases begin with: the snapshot of a host, taken at the time `now` (seconds)."""

    snapshot: Snapshot
    now: float


class Laboratory:
    """Runs cases from `starts`, each with its name; `every` n-th frame is looked at closely."""

    def __init__(self, starts: Mapping[str, Start], every: int) -> None:
        self._starts = dict(starts)
        self._every = every
        self.names = tuple(starts)
        # What was found legal once is legal in every case: only the source depends on the host.
        self._legal: set[bytes] = set()

    def run(
        self, frames: Sequence[Planned], start: str = "", *, every: int | None = None, counted: bool = False
    ) -> Trial:
        """Feed the frames to a new copy of the host named, or of the first.

        Lines are counted at once if `counted`, else if it takes long.
        """
        begin = self._starts[start or self.names[0]]
        every = self._every if every is None else every
        if not counted:
            try:
                with limited(SECONDS):
                    return self._run(begin, frames, every, None)
            except ExpiredError:
                # Slow, or without an end: the lines tell.
                pass
        return self._run(begin, frames, every, LineCounter())

    def _run(self, start: Start, frames: Sequence[Planned], every: int, lines: LineCounter | None) -> Trial:
        subject = Subject(Host.restore(start.snapshot), start.now, nobody)
        oracles = Oracles(subject, every, self._legal)
        sent = hashlib.sha256()
        host = subject.host
        fed_before, sent_before = host.counters.frames_in, host.counters.frames_out

        def note(time: float, frame: bytes) -> None:
            sent.update(b"%.9f %d " % (time, len(frame)) + frame)
            oracles.sent(time, frame)

        subject.sent = note
        before = dict(host.counters.outcomes)
        with Guard() as guard, lines or nullcontext():
            for each in frames:
                if lines is not None:
                    lines.restart()
                subject.advance(subject.now + each.gap)
                oracles.receive(each.octets)
            oracles.must_live()
            subject.advance(subject.now + AFTERMATH)
        fault = guard.fault
        if fault is not None and lines is not None and lines.where:
            fault = fault._replace(where=lines.where)
        outcomes = {key: count - before[key] for key, count in host.counters.outcomes.items() if count != before[key]}
        return Trial(
            min(host.counters.frames_in - fed_before, len(frames)),
            host.counters.frames_out - sent_before,
            sent.hexdigest(),
            outcomes,
            oracles.sizes(),
            tuple(oracles.violations),
            fault,
        )
