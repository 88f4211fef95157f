"""The destination cache (RFC 4861 5.1): what is known of single destinations beyond the routes to them.

An entry remembers the next hop, so that it is not determined for every packet
(5.2), and holds what the link has told of the destination: a redirect (8.3), and
the path MTU when that is discovered.

The cache is bounded, and what others bring goes first: redirects for destinations
that no packet of our own goes to, then entries that only remember a next hop,
which costs nothing but determining it again. Entries with a redirect that packets
of ours follow make room for each other alone, the one least recently used first.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator

from stack.address import IPv6Address
from stack.eviction import move
from stack.timers import Timer

# Of an entry whose next hop has yet to be determined; no generation of the routes is it.
NEVER = -1


class Destination:
    """One entry: `next_hop` holds for the `generation` of the routes in which it was determined, up to `until`.

    `turn` is the order of eviction that it stands in.

    `redirect` is the target of a redirect and `first_hop` the router that it was
    believed from; `mtu` is a path MTU in octets, until `mtu_timer` ends it; `longest` is the
    longest packet above the minimum MTU that was sent there, 0 if there was none.
    `wanted` says that packets of our own go there, not only answers to what came
    from there.
    """

    __slots__ = (
        "address",
        "first_hop",
        "generation",
        "longest",
        "mtu",
        "mtu_timer",
        "next_hop",
        "redirect",
        "turn",
        "until",
        "used_at",
        "wanted",
    )

    def __init__(self, address: IPv6Address) -> None:
        self.address = address
        self.next_hop: IPv6Address = address
        self.generation = NEVER
        self.until = math.inf
        self.redirect: IPv6Address | None = None
        self.first_hop: IPv6Address | None = None
        self.mtu: int | None = None
        self.mtu_timer: Timer | None = None
        self.longest = 0
        self.wanted = False
        self.turn: Turn | None = None
        self.used_at = -math.inf

    @property
    def learnt(self) -> bool:
        """Whether it holds what the link has told, and not only a next hop."""
        return self.redirect is not None or self.mtu is not None


Turn = OrderedDict[IPv6Address, Destination]


class DestinationCache:
    """The entries of one interface by destination (16 bytes); `changed` is called when what they say changes."""

    __slots__ = ("_changed", "_claims", "_kept", "_plain", "_through", "entries")

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.entries: dict[IPv6Address, Destination] = {}
        # The orders of eviction, least recently used first.
        self._claims: Turn = OrderedDict()
        self._plain: Turn = OrderedDict()
        self._kept: Turn = OrderedDict()
        # The redirected entries by their target.
        self._through: dict[IPv6Address, Turn] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, address: IPv6Address) -> Destination | None:
        """The entry for a destination, or None."""
        return self.entries.get(address)

    def learnt(self) -> Iterator[Destination]:
        """The entries that hold more than a next hop."""
        return (entry for entry in self.entries.values() if entry.learnt)

    def make(self, address: IPv6Address, limit: int, *, wanted: bool) -> Destination | None:
        """A new entry, or None if all others are of more worth than it.

        Whoever makes it calls `place` when it holds what it was made for.
        """
        while len(self.entries) >= limit:
            victim = self._victim(wanted)
            if victim is None:
                return None
            self.remove(victim)
        entry = Destination(address)
        entry.wanted = wanted
        self.entries[address] = entry
        self.place(entry)
        return entry

    def _victim(self, wanted: bool) -> Destination | None:
        for turn in (self._claims, self._plain, self._kept) if wanted else (self._claims, self._plain):
            for entry in turn.values():
                return entry
        return None

    def remove(self, entry: Destination) -> None:
        """Take an entry out with all it holds."""
        self.set_redirect(entry, None, None)
        self.set_mtu(entry, None, None)
        del self.entries[entry.address]
        move(entry, None)

    def used(self, entry: Destination, now: float) -> None:
        """A packet goes there. Among those used at one moment the order is that of their first packets."""
        if entry.used_at == now:
            return
        entry.used_at = now
        if entry.turn is not None:
            entry.turn.move_to_end(entry.address)

    def clear(self) -> None:
        """Forget everything."""
        self._changed()
        for entry in self.learnt():
            self.set_mtu(entry, None, None)
        self.entries.clear()
        for turn in (self._claims, self._plain, self._kept):
            turn.clear()
        self._through.clear()

    def set_redirect(self, entry: Destination, target: IPv6Address | None, first_hop: IPv6Address | None) -> None:
        """Its packets go to `target` from now on, or None: where the routes say."""
        if entry.redirect is not None:
            through = self._through[entry.redirect]
            del through[entry.address]
            if not through:
                del self._through[entry.redirect]
        self._changed()
        entry.redirect, entry.first_hop = target, first_hop
        entry.generation = NEVER
        if target is not None:
            self._through.setdefault(target, OrderedDict())[entry.address] = entry
        self.place(entry)

    def set_mtu(self, entry: Destination, mtu: int | None, timer: Timer | None) -> None:
        """The path there carries packets of `mtu` octets until the timer fires, or None: what the link does."""
        if entry.mtu_timer is not None:
            entry.mtu_timer.cancel()
        if mtu != entry.mtu:
            self._changed()
        entry.mtu, entry.mtu_timer = mtu, timer
        self.place(entry)

    def is_router(self, address: IPv6Address) -> bool:
        """Whether packets to somebody else were redirected to this address: it is a router's then (RFC 4861 8.3)."""
        return any(destination != address for destination in self._through.get(address, ()))

    def drop_redirects(self, target: IPv6Address, *, to_routers: bool = False) -> None:
        """End every redirect to `target`, or those to it as a router; what else the entries hold stays (5.2)."""
        for entry in list(self._through.get(target, {}).values()):
            if not (to_routers and entry.address == target):
                self.set_redirect(entry, None, None)

    def place(self, entry: Destination) -> None:
        """Set the entry's turn in the order of eviction after something about it has changed."""
        if not entry.learnt:
            move(entry, self._plain)
        else:
            move(entry, self._kept if entry.wanted else self._claims)
