"""Captures played to a host: as they are, re-addressed to it, or only what others sent in them.

Each capture has a fresh host. What comes of it all is one `Report`, whose digest
covers every frame sent with its time.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from stack.capture import files
from stack.capture.linktypes import Frame
from stack.capture.readdress import Cast, Readdresser, cast
from stack.capture.reading import Complain
from stack.discard import Discard, Outcome, Verdict
from stack.replay.guard import Fault, Guard
from stack.replay.oracles import Oracles, Violation
from stack.replay.subject import (
    OUR_ADDRESS,
    OUR_LINK_LOCAL,
    OUR_MAC,
    OUR_PREFIX,
    SETTLED,
    Subject,
    new_subject,
    nobody,
)
from stack.replay.tables import Size

_NANOSECONDS = 1_000_000_000
# A close look (digest of the state, steps counted) at every so many frames of a replay.
_CLOSELY = 16
# After the last frame the host goes on for so long: repeats, answers put off, probes.
_AFTERMATH = 15.0


class Mode(Enum):
    """How a capture is fed."""

    AUTO = "auto"
    VERBATIM = "verbatim"
    READDRESS = "readdress"
    STIMULUS = "stimulus"


class Fed(NamedTuple):
    """One frame fed: its number in the run from 1, its time in seconds, its octets, its outcome (None: it raised)."""

    number: int
    time: float
    frame: bytes
    outcome: Outcome | None


class Sent(NamedTuple):
    """One frame that the host sent, and when."""

    time: float
    frame: bytes


class Report:
    """What came of a run.

    `exceptions` are (frame number, fault); `owed` are captures with what their own
    node sent and what the host sent in its place (stimulus).
    """

    __slots__ = ("_hash", "exceptions", "frames", "outcomes", "owed", "sent", "tables", "violations")

    def __init__(self) -> None:
        self.frames = 0
        self.sent = 0
        self.outcomes: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.exceptions: list[tuple[int, Fault]] = []
        self.tables: dict[str, Size] = {}
        self.owed: list[tuple[Path, list[Sent], list[Sent]]] = []
        self._hash = hashlib.sha256()

    def count_sent(self, time: float, frame: bytes) -> None:
        """A frame was sent."""
        self.sent += 1
        self._hash.update(f"{time:.9f} {len(frame)} ".encode() + frame)

    @property
    def digest(self) -> str:
        """SHA-256 of every frame sent with its time, in hexadecimal."""
        return self._hash.hexdigest()

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.violations or self.exceptions)

    def merge_tables(self, found: dict[str, Size]) -> None:
        """Keep the highest peaks."""
        for name, size in found.items():
            before = self.tables.get(name)
            peak = size.peak if before is None else max(size.peak, before.peak)
            self.tables[name] = size._replace(peak=peak)


Watch = Callable[[Fed, list[Sent]], None]
Pace = Callable[[float], None]


class Player:
    """Plays captures in one mode; `seed` is that of the hosts' choices.

    `complain` is told about damaged files, `watch` each frame with what was sent since the one
    before, `pace` the time of each frame before it is fed.
    """

    def __init__(
        self,
        mode: Mode,
        seed: int,
        complain: Complain,
        watch: Watch | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.report = Report()
        self._mode = mode
        self._seed = seed
        self._complain = complain
        self._watch = watch
        self._pace = pace
        self._recent: list[Sent] = []
        self._legal: set[bytes] = set()

    def play(self, path: Path) -> None:
        """Feed one capture file to a new host. Raises UsageError if it cannot be read."""
        found = cast(frame.octets for frame in files.frames(path, nobody_hears))
        mode = self._mode
        if mode is Mode.AUTO:
            mode = Mode.VERBATIM if is_for_us(path) else Mode.READDRESS
        readdresser = None if mode is Mode.VERBATIM else new_readdresser(found)
        subject = new_subject(f"{self._seed}/host", nobody, readdresser)
        oracles = Oracles(subject, _CLOSELY, self._legal)
        produced: list[Sent] = []
        subject.sent = lambda time, frame: self._sent(oracles, produced, mode, time, frame)
        subject.advance(SETTLED)
        owed: list[Sent] = []
        first = self.report.frames
        for time, frame in timed(files.frames(path, self._complain)):
            octets = frame.octets if readdresser is None else readdresser.frame(frame.octets)
            if mode is Mode.STIMULUS and readdresser is not None and readdresser.is_own(frame.octets):
                owed.append(Sent(time, octets))
            else:
                self._feed(subject, oracles, time, octets)
        self._aftermath(subject)
        if mode is Mode.STIMULUS:
            # What came before the capture, and what is asked of the host after it, has nothing beside it there.
            ours = [each for each in produced if each.time >= SETTLED]
            self.report.owed.append((path, owed, ours))
        self._end(subject, oracles, first)

    def _sent(self, oracles: Oracles, produced: list[Sent], mode: Mode, time: float, frame: bytes) -> None:
        oracles.sent(time, frame)
        self.report.count_sent(time, frame)
        if mode is Mode.STIMULUS:
            produced.append(Sent(time, frame))
        if self._watch is not None:
            self._recent.append(Sent(time, frame))

    def _feed(self, subject: Subject, oracles: Oracles, time: float, octets: bytes) -> None:
        if self._pace is not None:
            self._pace(time)
        report = self.report
        report.frames += 1
        outcome: Outcome | None = None
        with Guard() as guard:
            subject.advance(time)
            outcome = oracles.receive(octets)
        self._raised(guard)
        report.outcomes[label(outcome)] += 1
        if self._watch is not None:
            self._watch(Fed(report.frames, time, octets, outcome), self._recent)
            self._recent = []

    def _aftermath(self, subject: Subject) -> None:
        with Guard() as guard:
            subject.advance(subject.now + _AFTERMATH)
        self._raised(guard)

    def _raised(self, guard: Guard) -> None:
        if guard.fault is not None:
            self.report.exceptions.append((self.report.frames, guard.fault))

    def _end(self, subject: Subject, oracles: Oracles, first: int) -> None:
        with Guard() as guard:
            oracles.must_live()
        self._raised(guard)
        self.report.merge_tables(oracles.sizes())
        self.report.violations += [each._replace(frame=first + each.frame) for each in oracles.violations]


def label(outcome: Outcome | None) -> str:
    """The name of an outcome in reports; a frame that raised is `exception`."""
    if outcome is None:
        return "exception"
    return outcome.value if isinstance(outcome, Verdict) else outcome.label


def text(outcome: Outcome | None) -> str:
    """An outcome in words, with its clause."""
    if isinstance(outcome, Discard):
        return f"discarded: {outcome.text} ({outcome.clause})"
    return label(outcome)


def nobody_hears(line: str) -> None:
    """For a first look at a file: what is wrong with it is told when it is fed."""


def new_readdresser(found: Cast) -> Readdresser:
    """A map from the capture's node to the host that is played to."""
    return Readdresser(found, OUR_MAC, OUR_LINK_LOCAL, OUR_PREFIX)


def timed(frames: Iterable[Frame]) -> Iterator[tuple[float, Frame]]:
    """The frames with their time on the host's clock: the first when it has settled, none before the one before it."""
    start: int | None = None
    latest = 0
    for frame in frames:
        start = frame.time if start is None else start
        latest = max(latest, frame.time - start)
        yield SETTLED + latest / _NANOSECONDS, frame


def is_for_us(path: Path) -> bool:
    """Whether anything in a capture is addressed to the host that it is played to."""
    ours = (OUR_ADDRESS, OUR_LINK_LOCAL)
    return any(frame.octets[:6] == OUR_MAC or frame.octets[38:54] in ours for frame in files.frames(path, nobody_hears))
