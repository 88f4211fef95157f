"""The multicast address list of an interface: records, memberships, and where each record hangs.

A record is one group; memberships are the references that users, sockets and
addresses hold on it (SEED section 4). Each record names the interface address it
hangs on; when that address goes the record moves in silence to the first that
remains, and with the last it is saved until one returns (SEED section 5). The
record's filter is merged from those of its memberships (RFC 3810 4.2). What is
said on the link about a group is `stack.mld.listener`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from stack.address import ALL_NODES, SCOPE_INTERFACE_LOCAL, IPv6Address, MacAddress, multicast_mac, scope
from stack.mld.filters import EVERYTHING, NOTHING, SourceFilter, merge
from stack.mld.states import ListenerState
from stack.timers import Timer


@dataclass(slots=True, eq=False)
class Membership:
    """One reference to a group, with the sources that it wants; false `active` says that it has ended.

    `owner` says whose it is: "user", "run", "address" or a socket's name.
    """

    id: int
    group: IPv6Address
    owner: str
    filter: SourceFilter = EVERYTHING
    active: bool = True


@dataclass(slots=True, eq=False)
class GroupRecord:
    """One group (16 bytes) of an interface with its listener state.

    `filter` is the interface's for this group, NOTHING before the first membership and
    after the last. `interface_address` is the address it hangs on, None while saved. `last_reporter`
    is the flag of RFC 2710 5. `reported` says that a report has left since the
    join or since the interface came up, `reported_at` when the last one of all did,
    `announced` that one has left from the link-local address (RFC 3590 4). `unreported` marks a group whose start
    sequence waits for an address and for the interface.
    """

    group: IPv6Address
    mac: MacAddress
    interface_address: IPv6Address | None
    filter: SourceFilter = NOTHING
    state: ListenerState = ListenerState.NON_LISTENER
    last_reporter: bool = False
    reported: bool = False
    reported_at: float | None = None
    announced: bool = False
    unreported: bool = False
    timer: Timer | None = None
    repeats_left: int = 0
    # The timer runs for the answer to a query.
    answering: bool = False
    # The answer has its place in the rate limit: it is due when the timer says so.
    reserved: bool = False
    # One membership as itself, several by number: most groups have one, and a dict is larger than all the rest.
    _held: Membership | dict[int, Membership] | None = field(default=None, init=False)

    @property
    def memberships(self) -> dict[int, Membership]:
        """The references by number, in order of joining; for reading only."""
        if isinstance(self._held, dict):
            return self._held
        return {} if self._held is None else {self._held.id: self._held}

    def add(self, membership: Membership) -> None:
        """One more reference."""
        if self._held is None:
            self._held = membership
        elif isinstance(self._held, dict):
            self._held[membership.id] = membership
        else:
            self._held = {self._held.id: self._held, membership.id: membership}

    def remove(self, membership: Membership) -> None:
        """One reference less, which must be there."""
        if not isinstance(self._held, dict):
            self._held = None
            return
        del self._held[membership.id]
        if len(self._held) == 1:
            (self._held,) = self._held.values()

    @property
    def refcount(self) -> int:
        """How many references there are."""
        return len(self.memberships)

    def merged(self, without: Membership | None = None, extra: Iterable[SourceFilter] = ()) -> SourceFilter:
        """What the filter would be with one membership less, or some filters more (4.2)."""
        # One at a time: the first that excludes nothing ends it, however many there are.
        kept = (each.filter for each in self.memberships.values() if each is not without)
        return merge(chain(extra, kept))


def is_reportable(group: IPv6Address) -> bool:
    """RFC 2710 5, RFC 3810 6: ff02::1 and the scopes 0 and 1 are never reported."""
    return group != ALL_NODES and scope(group) > SCOPE_INTERFACE_LOCAL


def is_source_specific(group: IPv6Address) -> bool:
    """RFC 4607 1: FF3x::/32 is for source-specific multicast, which INCLUDE alone can ask for (RFC 4604)."""
    return group[0] == 0xFF and group[1] >> 4 == 3 and group[2:4] == b"\0\0"


class GroupList:
    """The records of one interface in order of joining, keyed by group."""

    __slots__ = ("_next_id", "membership_count", "records")

    def __init__(self) -> None:
        self.records: dict[IPv6Address, GroupRecord] = {}
        self.membership_count = 0
        self._next_id = 1

    def __len__(self) -> int:
        return len(self.records)

    def __contains__(self, group: IPv6Address) -> bool:
        return group in self.records

    def create(self, group: IPv6Address, interface_address: IPv6Address | None) -> GroupRecord:
        """A new record at the end of the list, without any reference yet."""
        record = GroupRecord(group, multicast_mac(group), interface_address)
        self.records[group] = record
        return record

    def refer(self, record: GroupRecord, owner: str, source_filter: SourceFilter = EVERYTHING) -> Membership:
        """Add one reference; identifiers are never used twice."""
        membership = Membership(self._next_id, record.group, owner, source_filter)
        self._next_id += 1
        record.add(membership)
        self.membership_count += 1
        return membership

    def release(self, membership: Membership) -> GroupRecord | None:
        """Take one reference away; its record, None if it was no reference any more. Twice is harmless (S66)."""
        record = self.records.get(membership.group)
        # Another interface's membership may bear the same number.
        if record is None or record.memberships.get(membership.id) is not membership:
            return None
        membership.active = False
        record.remove(membership)
        self.membership_count -= 1
        return record

    def purge(self) -> list[GroupRecord]:
        """Take every record and membership away at once: the interface is detached (S75)."""
        purged = list(self.records.values())
        for record in purged:
            for membership in list(record.memberships.values()):
                membership.active = False
                record.remove(membership)
        self.records.clear()
        self.membership_count = 0
        return purged

    def of(self, owner: str, group: IPv6Address) -> Membership | None:
        """The membership of `group` that a socket has (RFC 3810 4.1: at most one)."""
        return self.newest(group, (owner,))

    def newest(self, group: IPv6Address, owners: tuple[str, ...]) -> Membership | None:
        """The membership of `group` that came last from one of `owners`."""
        record = self.records.get(group)
        if record is None:
            return None
        return next((each for each in reversed(record.memberships.values()) if each.owner in owners), None)

    def move(self, gone: IPv6Address, remaining: IPv6Address | None) -> list[GroupRecord]:
        """Records that hang on `gone` hang on `remaining` from now on, None saves them (S69, S70): those that did."""
        moved = [record for record in self.records.values() if record.interface_address == gone]
        for record in moved:
            record.interface_address = remaining
        return moved

    def restore(self, address: IPv6Address) -> list[GroupRecord]:
        """Saved records hang on `address` from now on (S72): those that did so."""
        restored = self.saved()
        for record in restored:
            record.interface_address = address
        return restored

    def saved(self) -> list[GroupRecord]:
        """The records that no address carries."""
        return [record for record in self.records.values() if record.interface_address is None]
