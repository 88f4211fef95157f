"""The neighbour cache: entries, their bound, and who makes room when it is full.

RFC 4861 5.1 and 7.3; RFC 6583 on what an attacker does to such a cache. Entries
whose neighbour never proved that it is there go first, oldest first; then idle
(STALE) ones, least recently used first. Entries in use are never evicted. What
an entry does next is in `stack.nd.states`; who drives it, in `stack.nd.resolution`.
"""

from collections import OrderedDict, deque

from stack.address import IPv6Address, MacAddress
from stack.nd.states import NeighborState
from stack.timers import Timer


class Neighbor:
    """One entry: `mac` is None while INCOMPLETE, `queue` holds packets waiting for it (bytes)."""

    __slots__ = (
        "address",
        "confirmed_at",
        "is_router",
        "mac",
        "probes",
        "proven",
        "queue",
        "state",
        "timer",
        "updated_at",
        "used_at",
    )

    def __init__(self, address: IPv6Address, now: float) -> None:
        self.address = address
        self.mac: MacAddress | None = None
        self.state = NeighborState.ABSENT
        self.is_router = False
        # Whether the neighbour ever answered us: only then does it count as more than a claim.
        self.proven = False
        self.probes = 0
        self.timer: Timer | None = None
        self.queue: deque[bytes] | None = None
        self.confirmed_at = now
        self.updated_at = now
        self.used_at = now


class NeighborCache:
    """The entries of one interface, keyed by address (16 bytes)."""

    __slots__ = ("_claims", "_idle", "entries", "permanent")

    def __init__(self) -> None:
        self.entries: dict[IPv6Address, Neighbor] = {}
        self.permanent = 0
        # Unproven entries by age, and proven STALE ones by last use: the order of eviction.
        self._claims: OrderedDict[IPv6Address, None] = OrderedDict()
        self._idle: OrderedDict[IPv6Address, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, address: IPv6Address) -> Neighbor | None:
        """The entry for an address, or None."""
        return self.entries.get(address)

    def victim(self) -> Neighbor | None:
        """The entry that makes room for another one, or None when all are in use."""
        for order in (self._claims, self._idle):
            for address in order:
                return self.entries[address]
        return None

    def insert(self, entry: Neighbor) -> None:
        """Put an entry in; the caller has made room."""
        self.entries[entry.address] = entry
        self.place(entry)

    def remove(self, entry: Neighbor) -> None:
        """Take an entry out; its timer is the caller's to stop."""
        if self.entries.pop(entry.address, None) is not None:
            self._claims.pop(entry.address, None)
            self._idle.pop(entry.address, None)

    def place(self, entry: Neighbor) -> None:
        """Set the entry's turn in the order of eviction after its state has changed."""
        address = entry.address
        if entry.state is NeighborState.PERMANENT:
            self._claims.pop(address, None)
            self._idle.pop(address, None)
        elif not entry.proven:
            self._claims.setdefault(address)
        elif entry.state is NeighborState.STALE:
            self._claims.pop(address, None)
            self._idle[address] = None
            self._idle.move_to_end(address)
        else:
            self._claims.pop(address, None)
            self._idle.pop(address, None)
