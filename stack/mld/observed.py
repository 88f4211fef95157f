"""What a listener has seen of those who ask: the last query, and why others were discarded.

For whoever wants to know why a switch forgets a port (`sixtap doctor`); no decision
rests on it. What it keeps is bounded: one query, and one line for each discard reason.
"""

from dataclasses import dataclass, field

from stack.address import IPv6Address
from stack.discard import Discard, Outcome, Verdict
from stack.wire import mldv2


@dataclass(slots=True)
class HeardQuery:
    """A query that was believed: when, from whom (16 bytes), and what it said of itself; times in seconds."""

    time: float
    source: IPv6Address
    version: int
    delay: float
    robustness: int
    interval: int


@dataclass(slots=True)
class Discarded:
    """The queries that were discarded for one reason: how many, the last one's time and source."""

    count: int
    time: float
    source: IPv6Address


@dataclass(slots=True)
class Observed:
    """`since` is when the interface came up last, None before; `last` the last general query."""

    since: float | None = None
    heard: int = 0
    last: HeardQuery | None = None
    discarded: dict[Discard, Discarded] = field(default_factory=dict)

    def start(self, now: float) -> None:
        """The interface is up: nothing was seen yet."""
        self.since = now
        self.heard = 0
        self.last = None
        self.discarded.clear()

    def query(self, outcome: Outcome, message: bytes, source: IPv6Address, now: float) -> None:
        """A query came, and this became of it."""
        # One that asks for a group of somebody else's was believed all the same.
        if not isinstance(outcome, Verdict) and outcome is not Discard.MLD_UNKNOWN_GROUP:
            known = self.discarded.get(outcome)
            count = 1 if known is None else known.count + 1
            self.discarded[outcome] = Discarded(count, now, source)
            return
        self.heard += 1
        if any(message[8:24]):
            return
        query = mldv2.parse_query(message)
        if query is not None:
            self.last = HeardQuery(now, source, query.version, query.delay / 1000, query.robustness, query.interval)
