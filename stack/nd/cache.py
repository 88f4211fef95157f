"""The neighbour cache: entries, their bound, and who makes room when it is full.

RFC 4861 5.1 and 7.3; RFC 6583 on what an attacker does to such a cache. What an
entry does next is in `stack.nd.states`; who drives it, in `stack.nd.resolution`.

Room is made by what others brought before anything of ours: first the oldest claim
(an entry that only answers others, whose neighbour never proved that it is there),
then the neighbour that has been STALE or UNREACHABLE longest. Only packets of our own take more:
the oldest resolution they started, and in the last resort the entry used least
recently. What others send never ends a resolution of ours, nor an entry in use.
"""

import math
from collections import OrderedDict, deque

from stack.address import IPv6Address, MacAddress
from stack.eviction import move
from stack.nd.states import NeighborState
from stack.timers import Timer

_IDLE = (NeighborState.STALE, NeighborState.UNREACHABLE)


class Neighbor:
    """One entry: `mac` is None while INCOMPLETE, `queue` holds packets waiting for it (bytes)."""

    __slots__ = (
        "address",
        "asked_at",
        "is_router",
        "mac",
        "probes",
        "proven",
        "queue",
        "state",
        "timer",
        "turn",
        "used_at",
        "wanted",
    )

    def __init__(self, address: IPv6Address, now: float) -> None:
        self.address = address
        self.mac: MacAddress | None = None
        self.state = NeighborState.ABSENT
        self.is_router = False
        # Whether the neighbour ever answered us: only then does it count as more than a claim.
        self.proven = False
        # Whether we had a packet for it that was not just an answer.
        self.wanted = False
        self.probes = 0
        # When the last solicitation was sent to it.
        self.asked_at = -math.inf
        self.timer: Timer | None = None
        self.queue: deque[bytes] | None = None
        # Which of the cache's orders of eviction it stands in.
        self.turn: OrderedDict[IPv6Address, Neighbor] | None = None
        self.used_at = now


Turn = OrderedDict[IPv6Address, Neighbor]


class NeighborCache:
    """The entries of one interface, keyed by address (16 bytes)."""

    __slots__ = ("_claims", "_idle", "_in_use", "_wanted", "entries", "permanent")

    def __init__(self) -> None:
        self.entries: dict[IPv6Address, Neighbor] = {}
        self.permanent = 0
        # The orders of eviction, each with its next victim first: claims and resolutions of our own by age,
        # STALE and UNREACHABLE neighbours by the time since when they are, the others by their last use.
        self._claims: Turn = OrderedDict()
        self._idle: Turn = OrderedDict()
        self._wanted: Turn = OrderedDict()
        self._in_use: Turn = OrderedDict()

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, address: IPv6Address) -> Neighbor | None:
        """The entry for an address, or None."""
        return self.entries.get(address)

    def victim(self, wanted: bool, unused_since: float) -> Neighbor | None:
        """The entry that makes room for another one, or None when all are in use.

        `wanted` is whether the new one is for a packet of our own. Without that, a
        neighbour that is not STALE goes only if it was not used since `unused_since`.
        """
        for turn in (self._claims, self._idle, self._wanted, self._in_use) if wanted else (self._claims, self._idle):
            for entry in turn.values():
                return entry
        for entry in self._in_use.values():
            return entry if entry.used_at < unused_since else None
        return None

    def insert(self, entry: Neighbor) -> None:
        """Put an entry in; the caller has made room."""
        self.entries[entry.address] = entry
        self.place(entry)

    def remove(self, entry: Neighbor) -> None:
        """Take an entry out; its timer is the caller's to stop."""
        if self.entries.get(entry.address) is entry:
            del self.entries[entry.address]
            move(entry, None)

    def used(self, entry: Neighbor, now: float) -> None:
        """A packet goes to the neighbour. Among those used at one moment the order is that of their first packets."""
        if entry.used_at == now:
            return
        entry.used_at = now
        if entry.turn is self._in_use:
            self._in_use.move_to_end(entry.address)

    def place(self, entry: Neighbor) -> None:
        """Set the entry's turn in the order of eviction after something about it has changed."""
        if entry.state is NeighborState.PERMANENT:
            move(entry, None)
        elif entry.proven:
            move(entry, self._idle if entry.state in _IDLE else self._in_use)
        elif entry.wanted and entry.state is not NeighborState.STALE:
            move(entry, self._wanted)
        else:
            move(entry, self._claims)
