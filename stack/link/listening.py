"""What the listeners behind one port of a snooping switch want of one group, source by source.

It keeps the state that a router keeps of a link (RFC 3810 7.2 and 7.4), for a
port: in EXCLUDE mode everything but what all of them exclude, in INCLUDE mode
what one of them asks for. RFC 4541 2.1.2 leaves forwarding by source to the
switch. It asks nobody: the routers' queries, which it sees, lower its timers.
"""

from collections.abc import Iterable

from stack.address import IPv6Address

_NEVER = float("-inf")


class PortListening:
    """One group on one port; times are seconds on the caller's clock, sources 16 bytes each.

    `until` is the filter timer: EXCLUDE mode while it runs. A source whose timer has
    run out is blocked in EXCLUDE mode, and is not there in INCLUDE mode.
    """

    __slots__ = ("sources", "until")

    def __init__(self) -> None:
        self.until = _NEVER
        self.sources: dict[IPv6Address, float] = {}

    def wants(self, source: IPv6Address, now: float) -> bool:
        """Whether a packet of this source goes out of the port."""
        timer = self.sources.get(source)
        if self.until > now:
            return timer is None or timer > now
        return timer is not None and timer > now

    @property
    def deadline(self) -> float:
        """When nothing of it is left."""
        return max(self.until, max(self.sources.values(), default=_NEVER))

    def exclude(self, sources: Iterable[IPv6Address], now: float, until: float, *, change: bool) -> None:
        """IS_EX or, with `change`, TO_EX (7.4): from now on all but these, of those the ones asked for by others."""
        if self.until > now:
            fresh = self.until if change else until
            self.sources = {each: self.sources.get(each, fresh) for each in sources}
        else:
            # What somebody behind the port asks for is not blocked.
            self.sources = {each: self.sources.get(each, _NEVER) for each in sources}
        self.until = until

    def include(self, sources: Iterable[IPv6Address], until: float) -> None:
        """IS_IN, ALLOW or TO_IN: these are asked for."""
        for each in sources:
            self.sources[each] = until

    def block(self, sources: Iterable[IPv6Address], now: float) -> None:
        """BLOCK: a router will ask for these before it believes it; until then they are asked for."""
        if self.until > now:
            for each in sources:
                self.sources.setdefault(each, self.until)

    def asked(self, sources: Iterable[IPv6Address], limit: float) -> None:
        """A router's query for the group, or for sources of it (7.6.1): no timer of these runs longer than `limit`."""
        asked = tuple(sources)
        if not asked:
            self.until = min(self.until, limit)
        for each in asked:
            timer = self.sources.get(each)
            if timer is not None:
                self.sources[each] = min(timer, limit)

    def tidy(self, now: float) -> None:
        """Forget the sources that are none any more once the mode is INCLUDE."""
        if self.until <= now:
            self.sources = {each: timer for each, timer in self.sources.items() if timer > now}
