"""A token bucket on the caller's clock: how often something may be sent."""


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate` of them per second; time is in seconds.

    Both numbers come with each call, so that settings act at once. What is kept is
    how many tokens are gone, not how many are there: callers with different bursts
    can then share a bucket, and a small one takes nothing from a large one.
    """

    __slots__ = ("_gone", "_updated")

    def __init__(self) -> None:
        self._gone = 0.0
        self._updated = 0.0

    def _refill(self, now: float, rate: float) -> None:
        self._gone = max(0.0, self._gone - (now - self._updated) * rate)
        self._updated = now

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Take one token if there is one."""
        self._refill(now, rate)
        taken = self._gone + 1 <= burst
        if taken:
            self._gone += 1
        return taken

    def reserve(self, now: float, rate: float, burst: float, count: int = 1) -> float:
        """Take `count` tokens in advance and give the time, `now` or later, from which they may be spent."""
        self._refill(now, rate)
        self._gone += count
        return now + max(0.0, self._gone - burst) / rate

    def give_back(self, count: int = 1) -> None:
        """Reserved tokens will not be spent after all."""
        self._gone = max(0.0, self._gone - count)
