"""A token bucket on the caller's clock: how often something may be sent."""


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate` of them per second; time is in seconds.

    Both numbers come with each call, so that settings act at once.
    """

    __slots__ = ("_tokens", "_updated")

    def __init__(self) -> None:
        self._tokens: float | None = None
        self._updated = 0.0

    def _refill(self, now: float, rate: float, burst: float) -> float:
        if self._tokens is None:
            tokens = burst
        else:
            tokens = min(burst, self._tokens + (now - self._updated) * rate)
        self._updated = now
        return tokens

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Take one token if there is one."""
        tokens = self._refill(now, rate, burst)
        taken = tokens >= 1
        self._tokens = tokens - 1 if taken else tokens
        return taken

    def reserve(self, now: float, rate: float, burst: float, count: int = 1) -> float:
        """Take `count` tokens in advance and give the time, `now` or later, from which they may be spent."""
        tokens = self._refill(now, rate, burst) - count
        self._tokens = tokens
        return now if tokens >= 0 else now - tokens / rate

    def give_back(self) -> None:
        """A reserved token will not be spent after all."""
        if self._tokens is not None:
            self._tokens += 1
