"""The unicast addresses of an interface and their life (RFC 4862 5.3 to 5.5).

An address is added, tested, used, deprecated, and goes; each holds its
solicited-node group and ff02::1 while it is there (RFC 4291 2.8), joined before
it is tested. Which addresses a router would configure is not decided here.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from stack.address import (
    ALL_NODES,
    LINK_LOCAL_PREFIX,
    IPv6Address,
    eui64_identifier,
    format_address,
    is_link_local,
    is_multicast,
    is_v4_mapped,
    matches_prefix,
    opaque_identifier,
    solicited_node,
)
from stack.errors import RefusedError, UsageError
from stack.events import AddressChanged, InterfaceDisabled
from stack.nd.dad import Detection
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.mld.groups import Membership

# RFC 4861 10
MAX_RTR_SOLICITATION_DELAY = 1.0
LINK_LOCAL_LENGTH = 64

ADDR_GEN_EUI64 = 0
ADDR_GEN_NONE = 1
ADDR_GEN_STABLE_SECRET = 2


class AddressState(Enum):
    """RFC 4862 2 and 5.4."""

    TENTATIVE = "tentative"
    PREFERRED = "preferred"
    DEPRECATED = "deprecated"
    DUPLICATED = "duplicated"

    __hash__ = object.__hash__


_ASSIGNED = (AddressState.PREFERRED, AddressState.DEPRECATED)


@dataclass(slots=True, eq=False)
class InterfaceAddress:
    """One address (16 bytes) of an interface; lifetimes end at times on the host's clock, None is never."""

    address: IPv6Address
    prefix_length: int
    by_user: bool
    nodad: bool = False
    anycast: bool = False
    preferred_until: float | None = None
    valid_until: float | None = None
    state: AddressState = AddressState.TENTATIVE
    detection: Detection | None = None
    memberships: "list[Membership]" = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)

    @property
    def assigned(self) -> bool:
        """Whether it may be used: neither tentative nor a duplicate."""
        return self.state in _ASSIGNED


class AddressTable:
    """The addresses of one interface in order of configuration, keyed by address."""

    __slots__ = ("_dad_counter", "_first_message_at", "_interface", "_link_local_valid", "_secret", "table")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.table: dict[IPv6Address, InterfaceAddress] = {}
        self._first_message_at = 0.0
        self._dad_counter = 0
        self._link_local_valid = False
        self._secret: bytes | None = None

    def __len__(self) -> int:
        return len(self.table)

    # -- looking up

    def get(self, address: IPv6Address) -> InterfaceAddress | None:
        """The record of an address, or None."""
        return self.table.get(address)

    def first(self) -> IPv6Address | None:
        """The first address in order of configuration; a tentative one counts (SEED row S56)."""
        return next(iter(self.table), None)

    def link_local(self) -> IPv6Address | None:
        """The first valid link-local unicast address, or None (SEED row S04)."""
        for entry in self.table.values():
            if entry.assigned and not entry.anycast and is_link_local(entry.address):
                return entry.address
        return None

    def on_link(self, address: IPv6Address) -> bool:
        """Whether an address is on this link: link-local, or in the prefix of an assigned address (RFC 5942 4)."""
        if is_link_local(address):
            return True
        return any(
            entry.assigned and matches_prefix(address, entry.address, entry.prefix_length)
            for entry in self.table.values()
        )

    # -- adding and removing

    def start(self, now: float) -> None:
        """The interface starts: the link-local address, then what the user gave, all tentative again.

        RFC 4862 5.4.2: as long as no message was sent, joining and probing wait
        for one random delay.
        """
        self._first_message_at = now + MAX_RTR_SOLICITATION_DELAY * self._interface.host.rng.random()
        self._dad_counter = 0
        self._link_local_valid = False
        kept = list(self.table.values())
        self.table.clear()
        self.generate_link_local(now)
        for entry in kept:
            if entry.address in self.table:
                self.table[entry.address].by_user = True
            else:
                entry.state = AddressState.TENTATIVE
                self._attach(entry, now)

    def stop(self, now: float) -> None:
        """The interface stops: forget what was generated; what the user gave stays, with nothing running."""
        self._link_local_valid = False
        for entry in list(self.table.values()):
            self._quiet(entry, now)
            entry.state = AddressState.TENTATIVE
            if not entry.by_user:
                del self.table[entry.address]
                self._interface.listener.address_removed(entry.address, now)

    def add(
        self,
        address: IPv6Address,
        prefix_length: int,
        now: float,
        *,
        nodad: bool = False,
        anycast: bool = False,
        preferred_lifetime: float | None = None,
        valid_lifetime: float | None = None,
    ) -> InterfaceAddress:
        """Add an address that the user gives; lifetimes in seconds, None is for ever.

        Raises UsageError if it cannot be an interface's address, RefusedError if
        it is there already or the limit is reached.
        """
        check_assignable(address)
        text = format_address(address)
        if valid_lifetime is not None and preferred_lifetime is None:
            preferred_lifetime = valid_lifetime
        if valid_lifetime is not None and preferred_lifetime is not None and preferred_lifetime > valid_lifetime:
            raise UsageError(f"{text}: the preferred lifetime is longer than the valid one")
        if address in self.table:
            raise RefusedError(f"{text} is an address of this interface already")
        limit = self._interface.host.settings.max_static_addresses
        if sum(1 for entry in self.table.values() if entry.by_user) >= limit:
            raise RefusedError(f"there are {limit} addresses given by the user already (max_static_addresses)")
        entry = InterfaceAddress(address, prefix_length, True, nodad, anycast)
        entry.preferred_until = None if preferred_lifetime is None else now + preferred_lifetime
        entry.valid_until = None if valid_lifetime is None else now + valid_lifetime
        if self._interface.up:
            self._attach(entry, now)
        else:
            self.table[address] = entry
        return entry

    def remove(self, address: IPv6Address, now: float) -> None:
        """Remove an address at the user's word. Raises RefusedError if it is not there."""
        entry = self.table.get(address)
        if entry is None:
            raise RefusedError(f"{format_address(address)} is no address of this interface")
        self._detach(entry, now)

    def generate_link_local(self, now: float) -> None:
        """Make the link-local address that `addr_gen_mode` asks for (RFC 4862 5.3, RFC 7217)."""
        identifier = self._identifier()
        if identifier is None:
            return
        address = LINK_LOCAL_PREFIX + identifier
        if address not in self.table:
            self._attach(InterfaceAddress(address, LINK_LOCAL_LENGTH, False), now)

    def _identifier(self) -> bytes | None:
        host = self._interface.host
        mode = host.settings.addr_gen_mode
        if mode == ADDR_GEN_NONE:
            return None
        if mode == ADDR_GEN_EUI64:
            return eui64_identifier(self._interface.mac)
        if mode == ADDR_GEN_STABLE_SECRET:
            secret = host.settings.stable_secret.encode()
        else:
            if self._secret is None:
                self._secret = host.random_bytes(16)
            secret = self._secret
        return opaque_identifier(LINK_LOCAL_PREFIX, self._interface.name, self._dad_counter, secret)

    def _attach(self, entry: InterfaceAddress, now: float) -> None:
        interface = self._interface
        listener = interface.listener
        if not self._set_lifetimes(entry, now):
            return
        self.table[entry.address] = entry
        tested = interface.host.settings.dad_transmits > 0 and not (entry.nodad or entry.anycast)
        delay = max(0.0, self._first_message_at - now) if tested else 0.0
        # SEED row S73: what was saved comes back before the address makes its own joins.
        listener.address_added(entry.address, now)
        try:
            entry.memberships.append(listener.join(ALL_NODES, now, owner="address"))
            entry.memberships.append(listener.join(solicited_node(entry.address), now, delay=delay, owner="address"))
        except (RefusedError, OSError):
            # The driver's filter or a limit says no: the address is not there at all.
            self._detach(entry, now)
            raise
        if tested:
            entry.detection = Detection(interface, entry.address, self._concluded)
            entry.detection.start(delay, now)
            self._announce(entry)
        else:
            self._assign(entry, now)

    def _detach(self, entry: InterfaceAddress, now: float) -> None:
        self._quiet(entry, now)
        del self.table[entry.address]
        self._link_local_valid = self.link_local() is not None
        self._interface.listener.address_removed(entry.address, now)
        if self._interface.host.listeners:
            self._interface.host.emit(AddressChanged(entry.address, "deleted"))

    def _quiet(self, entry: InterfaceAddress, now: float) -> None:
        # SEED row S68: the address's own groups are left before anything is moved.
        if entry.detection is not None:
            entry.detection.stop()
            entry.detection = None
        for timer in entry.timers:
            timer.cancel()
        entry.timers.clear()
        for membership in reversed(entry.memberships):
            self._interface.listener.leave(membership, now)
        entry.memberships.clear()

    # -- what becomes of it

    def _concluded(self, address: IPv6Address, unique: bool, now: float) -> None:
        entry = self.table.get(address)
        if entry is None:
            return
        entry.detection = None
        if unique:
            self._assign(entry, now)
        else:
            self._duplicate(entry, now)

    def _assign(self, entry: InterfaceAddress, now: float) -> None:
        deprecated = entry.preferred_until is not None and entry.preferred_until <= now
        entry.state = AddressState.DEPRECATED if deprecated else AddressState.PREFERRED
        self._announce(entry)
        if not self._link_local_valid and self.link_local() is not None:
            self._link_local_valid = True
            # RFC 3590 4: groups reported from :: are reported again from the valid address.
            self._interface.listener.link_local_valid(now)

    def _duplicate(self, entry: InterfaceAddress, now: float) -> None:
        entry.state = AddressState.DUPLICATED
        # 5.4.5: not assigned; it stays listed so that the user sees why, without its groups.
        self._quiet(entry, now)
        self._announce(entry)
        if entry.by_user or not is_link_local(entry.address):
            return
        host = self._interface.host
        if host.settings.addr_gen_mode == ADDR_GEN_EUI64:
            # 5.4.5: a duplicate made from the hardware address means duplicate hardware.
            self._interface.disable(now)
            if host.listeners:
                host.emit(InterfaceDisabled(entry.address))
        elif self._dad_counter < host.settings.idgen_retries:
            # RFC 7217 6: try the next identifier.
            self._dad_counter += 1
            self.generate_link_local(now)

    def _set_lifetimes(self, entry: InterfaceAddress, now: float) -> bool:
        timers = self._interface.host.timers
        if entry.valid_until is not None:
            if entry.valid_until <= now:
                return False
            entry.timers.append(timers.at(entry.valid_until, self._expired, entry))
        if entry.preferred_until is not None and entry.preferred_until > now:
            entry.timers.append(timers.at(entry.preferred_until, self._no_longer_preferred, entry))
        return True

    def _expired(self, entry: InterfaceAddress, now: float) -> None:
        if self.table.get(entry.address) is entry:
            self._detach(entry, now)

    def _no_longer_preferred(self, entry: InterfaceAddress, now: float) -> None:
        if entry.state is AddressState.PREFERRED:
            entry.state = AddressState.DEPRECATED
            self._announce(entry)

    def _announce(self, entry: InterfaceAddress) -> None:
        host = self._interface.host
        if host.listeners:
            host.emit(AddressChanged(entry.address, entry.state.value))


def check_assignable(address: IPv6Address) -> None:
    """Raises UsageError unless `address` may be assigned to an interface."""
    if is_multicast(address) or not any(address[:15]) or is_v4_mapped(address):
        raise UsageError(f"{format_address(address)} cannot be assigned to an interface")
