"""Stateless address autoconfiguration: from an advertised prefix to addresses (RFC 4862 5.5, RFC 7217, RFC 8981).

Each prefix with the A flag has one stable address, and temporary ones beside it if
`use_tempaddr` asks for them (`stack.nd.temporary`). What an address goes through
once it is there is in `stack.nd.addresses`.
"""

import math
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address, is_link_local
from stack.nd import identifiers
from stack.nd.interface_address import InterfaceAddress, Origin, is_assignable
from stack.nd.standing import victim
from stack.nd.temporary import TemporaryAddress, TemporaryAddresses
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.interface import Interface

# 5.5.3 e
TWO_HOURS = 2 * 3600.0
# RFC 2464 4: an interface identifier on Ethernet has 64 bits.
PREFIX_LENGTH = 128 - 8 * identifiers.LENGTH


class AutonomousPrefix:
    """A prefix (16 bytes, 64 bits of it) that addresses are made from; times on the host's clock, infinity is never.

    `router` advertised it last, `routers` ever, the latest last. `public` is the stable address, a duplicate too;
    None if the identifier's mode or the user wants none.
    """

    __slots__ = (
        "conflicts",
        "preferred_until",
        "prefix",
        "public",
        "regeneration",
        "repeated",
        "router",
        "routers",
        "temporaries",
        "temporary_off",
        "timer",
        "valid_until",
    )

    def __init__(self, prefix: IPv6Address, router: IPv6Address) -> None:
        self.prefix = prefix
        self.router = router
        self.routers = {router: None}
        self.repeated = False
        self.preferred_until = 0.0
        self.valid_until = 0.0
        self.timer: Timer | None = None
        self.public: InterfaceAddress | None = None
        # RFC 8981 3.4: in order of creation; consecutive conflicts, and what follows from too many.
        self.temporaries: list[TemporaryAddress] = []
        self.conflicts = 0
        self.temporary_off = False
        self.regeneration: Timer | None = None

    def advertised_by(self, router: IPv6Address, limit: int) -> bool:
        """A router advertises it; whether it is a new one. Beyond `limit` the one goes that did so longest ago."""
        self.router = router
        new = router not in self.routers
        self.routers.pop(router, None)
        while len(self.routers) >= limit:
            del self.routers[next(iter(self.routers))]
        self.routers[router] = None
        return new

    @property
    def size(self) -> int:
        """How many addresses it takes the place of."""
        return max(1, len(self.temporaries) + (self.public is not None))

    @property
    def entries(self) -> list[InterfaceAddress]:
        """All its addresses."""
        public = [] if self.public is None else [self.public]
        return public + [each.entry for each in self.temporaries]


class Autoconfiguration:
    """The autonomous prefixes of one interface, in order of arrival, and the addresses made from them."""

    __slots__ = ("_interface", "_temporary", "table")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self._temporary = TemporaryAddresses(interface, self.has_room)
        self.table: dict[IPv6Address, AutonomousPrefix] = {}

    def __len__(self) -> int:
        """How many addresses there are; a prefix that has come to be without one counts as one."""
        return sum(each.size for each in self.table.values())

    def has_room(self, record: AutonomousPrefix | None = None) -> bool:
        """Whether one more address, in the prefix `record` if one is named, is within `max_addresses`."""
        placeholder = int(record is not None and not record.entries)
        return len(self) - placeholder < self._interface.host.settings.max_addresses

    # -- what advertisements say

    def advertised(
        self,
        prefix: IPv6Address,
        length: int,
        valid: float,
        preferred: float,
        router: IPv6Address,
        now: float,
        *,
        to_group: bool,
    ) -> None:
        """A prefix information option with the A flag; `prefix` has zeros behind its length, lifetimes are seconds.

        `to_group` says that the advertisement was sent to a group: others heard it at the same moment (5.4.2).
        """
        reason = _ignored(prefix, length, valid, preferred)
        if reason is not None:
            host = self._interface.host
            if host.journal.on:
                what, clause = reason
                host.journal.note(now, "nd", f"prefix {format_address(prefix)}/{length} ignored: {what}", clause)
            return
        record = self.table.get(prefix)
        if record is None:
            if valid > 0:
                self._create(prefix, valid, preferred, router, now, to_group)
            return
        record.repeated = True
        if record.advertised_by(router, self._interface.host.settings.max_routers):
            # RFC 6724 5, rule 5.5: another source may be the better one.
            self._interface.routes.changed()
        record.preferred_until = now + preferred
        record.valid_until = _two_hour_rule(record.valid_until, valid, now)
        self._arm(record)
        if record.public is not None:
            self._set_lifetimes(record.public, record.preferred_until, record.valid_until, now)
        elif valid > 0:
            self._form_public(record, now, self._delay(to_group))
        self._temporary.renew(record, now)
        self._temporary.ensure(record, now, 0.0)

    def is_of(self, address: IPv6Address, router: IPv6Address) -> bool:
        """Whether `router` advertises the prefix that an address is in (RFC 6724 5, rule 5.5)."""
        record = self._prefix_of(address)
        return record is not None and router in record.routers

    def forget(self, now: float) -> None:
        """The interface goes down: its addresses go with it."""
        for record in list(self.table.values()):
            self._remove(record, now)

    # -- what becomes of the addresses

    def duplicate(self, entry: InterfaceAddress, now: float) -> None:
        """Detection found another node with an address of ours (5.4.5, RFC 7217 6, RFC 8981 3.4)."""
        record = self._record_of(entry)
        if record is None:
            return
        if entry.temporary:
            self._temporary.duplicate(record, entry, now)
            return
        addresses = self._interface.addresses
        counter = entry.dad_counter + 1
        if not addresses.identifiers.opaque or counter > self._interface.host.settings.idgen_retries:
            # It stays listed as a duplicate, so that the prefix is not tried again with every advertisement.
            return
        record.public = None
        addresses.withdraw(entry, now)
        # RFC 7217 6: after a random delay, so that two hosts do not go in step.
        self._form_public(record, now, identifiers.IDGEN_DELAY * self._interface.host.rng.random(), counter)

    def removed(self, entry: InterfaceAddress, now: float) -> None:
        """An address is gone, by the user's word or since it was not valid any more."""
        record = self._record_of(entry)
        if record is None:
            return
        if record.public is entry:
            record.public = None
        record.temporaries = [each for each in record.temporaries if each.entry is not entry]
        if not record.entries:
            self._remove(record, now)

    def _prefix_of(self, address: IPv6Address) -> AutonomousPrefix | None:
        return self.table.get(address[: -identifiers.LENGTH] + bytes(identifiers.LENGTH))

    def _record_of(self, entry: InterfaceAddress) -> AutonomousPrefix | None:
        record = self._prefix_of(entry.address)
        return record if record is not None and entry in record.entries else None

    # -- making and ending

    def _create(
        self, prefix: IPv6Address, valid: float, preferred: float, router: IPv6Address, now: float, to_group: bool
    ) -> None:
        if not self._make_room(router, now):
            return
        record = self.table[prefix] = AutonomousPrefix(prefix, router)
        record.preferred_until = now + preferred
        record.valid_until = now + valid
        delay = self._delay(to_group)
        self._form_public(record, now, delay)
        self._temporary.ensure(record, now, delay)
        if record.entries:
            self._arm(record)
        else:
            del self.table[prefix]

    def _form_public(self, record: AutonomousPrefix, now: float, delay: float, counter: int = 0) -> None:
        """5.5.3 d: the prefix and an identifier; not if the user gave that very address already."""
        addresses = self._interface.addresses
        prefix = record.prefix[: -identifiers.LENGTH]
        identifier = addresses.identifiers.stable(prefix, counter)
        if identifier is None or prefix + identifier in addresses.table or not is_assignable(prefix + identifier):
            return
        entry = InterfaceAddress(prefix + identifier, PREFIX_LENGTH, Origin.AUTOCONFIGURED, dad_counter=counter)
        entry.preferred_until = finite(record.preferred_until)
        entry.valid_until = finite(record.valid_until)
        record.public = entry
        if not addresses.configure(entry, now, delay):
            record.public = None

    def _delay(self, to_group: bool) -> float:
        """5.4.2: all that heard the same advertisement would join and probe at the same moment."""
        host = self._interface.host
        return host.settings.router_solicitation_delay * host.rng.random() if to_group else 0.0

    def _make_room(self, router: IPv6Address, now: float) -> bool:
        while not self.has_room():
            self._interface.host.counters.limit_hit("max_addresses")
            record = victim(self._interface, self.table.values(), router)
            if record is None:
                return False
            self._remove(record, now)
        return True

    def _set_lifetimes(self, entry: InterfaceAddress, preferred: float, valid: float, now: float) -> None:
        self._interface.addresses.set_lifetimes(entry, finite(preferred), finite(valid), now)

    def _arm(self, record: AutonomousPrefix) -> None:
        if record.timer is not None:
            record.timer.cancel()
        until = record.valid_until
        record.timer = None if until == math.inf else self._interface.host.timers.at(until, self._expired, record)

    def _expired(self, record: AutonomousPrefix, now: float) -> None:
        record.timer = None
        self._remove(record, now)

    def _remove(self, record: AutonomousPrefix, now: float) -> None:
        if self.table.get(record.prefix) is record:
            del self.table[record.prefix]
        for timer in (record.timer, record.regeneration):
            if timer is not None:
                timer.cancel()
        record.timer = record.regeneration = None
        for entry in record.entries:
            self._interface.addresses.withdraw(entry, now)
        record.public = None
        record.temporaries = []


def finite(until: float) -> float | None:
    """A time as the address table has it: None is never."""
    return None if until == math.inf else until


def _ignored(prefix: IPv6Address, length: int, valid: float, preferred: float) -> tuple[str, str] | None:
    """Why an option configures nothing, with the clause, or None (5.5.3 b to d)."""
    if is_link_local(prefix):
        return "the link-local prefix", "RFC 4862 5.5.3 (b)"
    if preferred > valid:
        return "preferred for longer than valid", "RFC 4862 5.5.3 (c)"
    if length != PREFIX_LENGTH:
        return f"an identifier of {8 * identifiers.LENGTH} bits does not fit", "RFC 4862 5.5.3 (d)"
    return None


def _two_hour_rule(until: float, valid: float, now: float) -> float:
    """5.5.3 e: when the address ends now, if it would have ended at `until` and `valid` seconds are advertised."""
    remaining = until - now
    if valid > TWO_HOURS or valid > remaining:
        return now + valid
    if remaining <= TWO_HOURS:
        return until
    return now + TWO_HOURS
