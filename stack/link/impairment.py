"""What a bad line does to frames: loss, delay, jitter, duplication, reordering, corruption and a rate, from a seed.

A `Line` is one direction of a port's link. It says when the copies of a frame come
out at its far end and what is in them; who carries them there is the caller.
"""

from collections import Counter
from dataclasses import dataclass
from random import Random

from stack.errors import UsageError

# How much later a frame that is reordered comes when no delay says how long frames take.
REORDERING_GAP = 0.01


@dataclass(frozen=True, slots=True)
class Impairment:
    """Probabilities from 0 to 1, times in seconds, `rate` in bits per second (0: no limit).

    `jitter` is the most by which a frame's delay differs from `delay`, to both sides;
    frames stay in order but for those that `reorder` picks, which come behind what
    follows them. `queue` is how many octets may wait for the rate; what comes then is lost.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    rate: float = 0.0
    queue: int = 256 * 1024

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder", "corrupt"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UsageError(f"{name} is a probability from 0 to 1, not {getattr(self, name)}")
        for name in ("delay", "jitter", "rate", "queue"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} cannot be less than 0, as {getattr(self, name)} is")


class Line:
    """One direction of a link with an impairment; everything random comes from `rng`. `counts` says what it did."""

    __slots__ = ("_busy_until", "_last_arrival", "_rng", "counts", "impairment")

    def __init__(self, impairment: Impairment, rng: Random) -> None:
        self.impairment = impairment
        self.counts: Counter[str] = Counter()
        self._rng = rng
        self._busy_until = 0.0
        self._last_arrival = 0.0

    def carry(self, frame: bytes, now: float) -> list[tuple[float, bytes]]:
        """When each copy of a frame arrives, and its octets; none if it is lost. Times never precede `now`."""
        own, draw = self.impairment, self._rng.random
        if own.loss and draw() < own.loss:
            self.counts["lost"] += 1
            return []
        leaves = self._through_the_rate(frame, now)
        if leaves is None:
            self.counts["queue_full"] += 1
            return []
        copies = [(self._arrival(leaves), self._octets(frame))]
        if own.duplicate and draw() < own.duplicate:
            self.counts["duplicated"] += 1
            copies.append((self._arrival(leaves), self._octets(frame)))
        return copies

    def _through_the_rate(self, frame: bytes, now: float) -> float | None:
        rate = self.impairment.rate
        if not rate:
            return now
        waiting = max(0.0, self._busy_until - now) * rate / 8
        if waiting > self.impairment.queue:
            return None
        self._busy_until = max(now, self._busy_until) + len(frame) * 8 / rate
        return self._busy_until

    def _arrival(self, leaves: float) -> float:
        own, draw = self.impairment, self._rng.random
        delay = own.delay
        if own.jitter:
            delay = max(0.0, delay + own.jitter * (2.0 * draw() - 1.0))
        arrival = leaves + delay
        if own.reorder and draw() < own.reorder:
            self.counts["reordered"] += 1
            # What follows overtakes it: it does not count as the last of the line.
            return arrival + own.delay + own.jitter + REORDERING_GAP
        self._last_arrival = max(arrival, self._last_arrival)
        return self._last_arrival

    def _octets(self, frame: bytes) -> bytes:
        """One bit is wrong in a frame that is corrupted: a checksum has to find it."""
        own, rng = self.impairment, self._rng
        if not frame or not own.corrupt or rng.random() >= own.corrupt:
            return frame
        self.counts["corrupted"] += 1
        bit = int(rng.random() * len(frame) * 8)
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << (bit % 8)
        return bytes(changed)
