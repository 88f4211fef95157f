"""The multicast address list of an interface: records, memberships, and where each record hangs.

A record is one group; memberships are the references that users, sockets and
addresses hold on it (SEED section 4). Each record names the interface address it
hangs on; when that address goes the record moves in silence to the first that
remains, and with the last it is saved until one returns (SEED section 5). What is
said on the link about a group is `stack.mld.listener`'s.
"""

from dataclasses import dataclass, field

from stack.address import ALL_NODES, IPv6Address, MacAddress, multicast_mac, scope
from stack.address import SCOPE_INTERFACE_LOCAL as _INTERFACE_LOCAL
from stack.mld.states import ListenerState
from stack.timers import Timer


@dataclass(slots=True, eq=False)
class Membership:
    """One reference to a group; `owner` says whose: "user", "run", "address" or a socket's name."""

    id: int
    group: IPv6Address
    owner: str
    active: bool = True


@dataclass(slots=True, eq=False)
class GroupRecord:
    """One group (16 bytes) of an interface with its listener state.

    `interface_address` is the address it hangs on, None while saved. `last_reporter`
    is the flag of RFC 2710 5. `reported` says that a report has left since the
    join or since the interface came up, `announced` that one has left from the
    link-local address (RFC 3590 4). `unreported` marks a group whose start
    sequence waits for an address and for the interface.
    """

    group: IPv6Address
    mac: MacAddress
    interface_address: IPv6Address | None
    state: ListenerState = ListenerState.NON_LISTENER
    last_reporter: bool = False
    reported: bool = False
    announced: bool = False
    unreported: bool = False
    timer: Timer | None = None
    repeats_left: int = 0
    # The timer runs for the answer to a query.
    answering: bool = False
    # The answer has its place in the rate limit: it is due when the timer says so.
    reserved: bool = False
    memberships: dict[int, Membership] = field(default_factory=dict)

    @property
    def refcount(self) -> int:
        """How many references there are."""
        return len(self.memberships)


def is_reportable(group: IPv6Address) -> bool:
    """RFC 2710 5: ff02::1 and the scopes 0 and 1 are never reported."""
    return group != ALL_NODES and scope(group) > _INTERFACE_LOCAL


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

    def refer(self, record: GroupRecord, owner: str) -> Membership:
        """Add one reference; identifiers are never used twice."""
        membership = Membership(self._next_id, record.group, owner)
        self._next_id += 1
        record.memberships[membership.id] = membership
        self.membership_count += 1
        return membership

    def release(self, membership: Membership) -> GroupRecord | None:
        """Take one reference away; the record if that was the last, else None. Twice is harmless (S66)."""
        record = self.records.get(membership.group)
        # Another interface's membership may bear the same number.
        if record is None or record.memberships.get(membership.id) is not membership:
            return None
        membership.active = False
        del record.memberships[membership.id]
        self.membership_count -= 1
        return None if record.memberships else record

    def newest(self, group: IPv6Address, owners: tuple[str, ...]) -> Membership | None:
        """The membership of `group` that came last from one of `owners`."""
        record = self.records.get(group)
        if record is None:
            return None
        return next((each for each in reversed(record.memberships.values()) if each.owner in owners), None)

    def move(self, gone: IPv6Address, remaining: IPv6Address | None) -> None:
        """Records that hang on `gone` hang on `remaining` from now on, None saves them (S69, S70)."""
        for record in self.records.values():
            if record.interface_address == gone:
                record.interface_address = remaining

    def restore(self, address: IPv6Address) -> list[GroupRecord]:
        """Saved records hang on `address` from now on (S72): those that did so."""
        restored = self.saved()
        for record in restored:
            record.interface_address = address
        return restored

    def saved(self) -> list[GroupRecord]:
        """The records that no address carries."""
        return [record for record in self.records.values() if record.interface_address is None]
