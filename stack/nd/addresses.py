"""The unicast addresses of an interface and their life (RFC 4862 5.3 to 5.5).

An address is added, tested, used, deprecated, and goes; each holds its
solicited-node group and ff02::1 while it is there (RFC 4291 2.8), joined before
it is tested. Which addresses a router would configure is not decided here.
"""

from typing import TYPE_CHECKING

from stack.address import (
    ALL_NODES,
    LINK_LOCAL_PREFIX,
    IPv6Address,
    eui64_identifier,
    format_address,
    is_link_local,
    matches_prefix,
    solicited_node,
)
from stack.calls import recorded
from stack.errors import RefusedError, UsageError
from stack.events import AddressChanged, InterfaceDisabled
from stack.nd.dad import Detection
from stack.nd.identifiers import IDGEN_DELAY, Identifiers
from stack.nd.interface_address import AddressState, InterfaceAddress, Origin, check_assignable, check_lifetimes
from stack.nd.notify import Notifier
from stack.nd.optimistic import Optimism

if TYPE_CHECKING:
    from stack.interface import Interface

LINK_LOCAL_LENGTH = 64
# `use_tempaddr`
PREFER_TEMPORARY = 2


# What makes an address what it is.
_CLAUSES = {
    AddressState.TENTATIVE: "RFC 4862 5.4",
    AddressState.OPTIMISTIC: "RFC 4429 3.3",
    AddressState.PREFERRED: "RFC 4862 5.4",
    AddressState.DEPRECATED: "RFC 4862 5.5.4",
    AddressState.DUPLICATED: "RFC 4862 5.4.5",
}


@recorded("_interface.host.recorder", "add", "remove")
class AddressTable:
    """The addresses of one interface in order of configuration, keyed by address."""

    __slots__ = (
        "_dad_counter",
        "_first_message_at",
        "_interface",
        "_link_local_valid",
        "_notifier",
        "identifiers",
        "optimism",
        "table",
    )

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self.table: dict[IPv6Address, InterfaceAddress] = {}
        self._first_message_at = 0.0
        self._dad_counter = 0
        self._link_local_valid = False
        self._notifier = Notifier(interface)
        self.identifiers = Identifiers(interface)
        self.optimism = Optimism(interface)

    def __len__(self) -> int:
        return len(self.table)

    # -- looking up

    def get(self, address: IPv6Address) -> InterfaceAddress | None:
        """The record of an address, or None."""
        return self.table.get(address)

    def claims(self, address: IPv6Address) -> bool:
        """Whether an address is ours or may become so: tentative or assigned, not found to be another node's."""
        entry = self.table.get(address)
        return entry is not None and not entry.another_nodes

    def first(self) -> IPv6Address | None:
        """The first address in order of configuration; a tentative one counts (SEED row S56)."""
        return next(iter(self.table), None)

    def link_local(self) -> IPv6Address | None:
        """The first valid link-local unicast address, or None (SEED row S04)."""
        for entry in self.table.values():
            if entry.unique and not entry.anycast and is_link_local(entry.address):
                return entry.address
        return None

    def first_link_local(self) -> IPv6Address | None:
        """The first link-local unicast address that is no duplicate, tentative or not (SEED row S04, `netbsd`)."""
        for entry in self.table.values():
            usable = entry.state is not AddressState.DUPLICATED and not entry.anycast
            if usable and is_link_local(entry.address):
                return entry.address
        return None

    def link_local_awaited(self) -> bool:
        """Whether a link-local address is being tested, and none is valid yet."""
        if self.link_local() is not None:
            return False
        return any(entry.detection is not None and is_link_local(entry.address) for entry in self.table.values())

    @property
    def prefer_temporary(self) -> bool:
        """RFC 6724 5, rule 7: whether a temporary address is the better source."""
        return self._interface.host.settings.use_tempaddr >= PREFER_TEMPORARY

    def router_towards(self, destination: IPv6Address) -> IPv6Address | None:
        """RFC 6724 5, rule 5.5: the next hop to a destination, if it matters which prefixes it advertises."""
        interface = self._interface
        if len(self.table) < 2 or not interface.autoconfiguration.table or destination[0] == 0xFF:
            return None
        hop = interface.routes.first_hop(destination)
        return None if hop == destination else hop

    def is_of(self, address: IPv6Address, router: IPv6Address) -> bool:
        """Whether `router` advertises the prefix of an address."""
        return self._interface.autoconfiguration.is_of(address, router)

    def on_link(self, address: IPv6Address) -> bool:
        """Whether an address is on this link (RFC 5942 4).

        It is if it is link-local, in a prefix that a router says is on-link, or in
        the prefix that the user gave an assigned address. That we have an address
        in a prefix says nothing.
        """
        if self._interface.prefixes.is_on_link(address):
            return True
        return any(
            entry.by_user and entry.assigned and matches_prefix(address, entry.address, entry.prefix_length)
            for entry in self.table.values()
        )

    # -- adding and removing

    def start(self, now: float) -> None:
        """The interface starts: the link-local address, then what the user gave, all tentative again.

        RFC 4862 5.4.2: as long as no message was sent, joining and probing wait
        for one random delay. Raises OSError or RefusedError if a group cannot be
        joined; what the user gave is still there then.
        """
        self._draw_delay(now)
        self._dad_counter = 0
        self._link_local_valid = False
        kept = dict(self.table)
        self.table.clear()
        try:
            identifier = self._link_local_identifier()
            if identifier is not None:
                generated = LINK_LOCAL_PREFIX + identifier
                # What the user gave keeps its prefix length and flags; it only comes first.
                own = kept.get(generated) or InterfaceAddress(generated, LINK_LOCAL_LENGTH, Origin.LINK_LOCAL)
                self._attach(own, now)
            for entry in kept.values():
                if entry.address not in self.table:
                    self._attach(entry, now)
        except (RefusedError, OSError):
            for entry in kept.values():
                self.table.setdefault(entry.address, entry)
            raise

    def stop(self, now: float) -> None:
        """The interface stops: forget what was generated; what the user gave stays, with only its lifetimes running."""
        self._link_local_valid = False
        for entry in list(self.table.values()):
            self._quiet(entry, now)
            entry.state = AddressState.TENTATIVE
            if not entry.by_user:
                entry.stop_lifetimes()
                self._forget(entry, now)

    def suspend(self, now: float) -> None:
        """IPv6 is disabled here (RFC 4862 5.4.5): no address is used or tested, a duplicate stays to be seen."""
        self._link_local_valid = False
        for entry in self.table.values():
            self._quiet(entry, now)
            if not entry.another_nodes:
                entry.state = AddressState.TENTATIVE

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
        it is there already or the limit is reached, OSError if the driver refuses
        its groups: it is not there at all then.
        """
        check_assignable(address)
        text = format_address(address)
        if not 0 <= prefix_length <= 128:
            raise UsageError(f"{text}: a prefix length is a number from 0 to 128, not {prefix_length}")
        if valid_lifetime is not None and preferred_lifetime is None:
            preferred_lifetime = valid_lifetime
        check_lifetimes(text, preferred_lifetime, valid_lifetime)
        if address in self.table:
            raise RefusedError(f"{text} is an address of this interface already")
        limit = self._interface.host.settings.max_static_addresses
        if sum(1 for entry in self.table.values() if entry.by_user) >= limit:
            raise RefusedError(f"there are {limit} addresses given by the user already (max_static_addresses)")
        entry = InterfaceAddress(address, prefix_length, Origin.USER, nodad, anycast)
        entry.preferred_until = None if preferred_lifetime is None else now + preferred_lifetime
        entry.valid_until = None if valid_lifetime is None else now + valid_lifetime
        if self._interface.up and not self._interface.disabled:
            self._attach(entry, now)
        else:
            self.table[address] = entry
            self._interface.listener.address_added(address, now)
        self._run_lifetimes(entry, now)
        return entry

    def remove(self, address: IPv6Address, now: float) -> None:
        """Remove an address at the user's word. Raises RefusedError if it is not there."""
        entry = self.table.get(address)
        if entry is None:
            raise RefusedError(f"{format_address(address)} is no address of this interface")
        self._detach(entry, now)

    def configure(self, entry: InterfaceAddress, now: float, delay: float) -> bool:
        """Add an address that the interface has formed, joined and tested after `delay` seconds (RFC 4862 5.4.2).

        False, and it is not there, if a limit or the driver refuses its groups:
        nobody called who could be told.
        """
        try:
            self._attach(entry, now, delay)
        except (RefusedError, OSError) as error:
            journal = self._interface.host.journal
            if journal.on:
                journal.note(now, "nd", f"no address {format_address(entry.address)}: {error}", "RFC 4862 5.4.2")
            return False
        self._run_lifetimes(entry, now)
        return True

    def withdraw(self, entry: InterfaceAddress, now: float) -> None:
        """Remove an address that the interface has formed."""
        if self.table.get(entry.address) is entry:
            self._detach(entry, now)

    def set_lifetimes(
        self, entry: InterfaceAddress, preferred_until: float | None, valid_until: float | None, now: float
    ) -> None:
        """Other ends of an address's lifetimes; it may be preferred again, or not any more (RFC 4862 5.5.3 e)."""
        entry.stop_lifetimes()
        entry.preferred_until, entry.valid_until = preferred_until, valid_until
        self._run_lifetimes(entry, now)
        if entry.unique and entry.state is not entry.valid_state(now):
            entry.state = entry.valid_state(now)
            self._announce(entry)

    def _link_local_identifier(self) -> bytes | None:
        return self.identifiers.stable(LINK_LOCAL_PREFIX, self._dad_counter)

    def _draw_delay(self, now: float) -> None:
        host = self._interface.host
        # Between 0 and MAX_RTR_SOLICITATION_DELAY
        self._first_message_at = now + host.settings.router_solicitation_delay * host.rng.random()

    def _attach(self, entry: InterfaceAddress, now: float, delay: float = 0.0) -> None:
        """Put an address into the table, join its groups and test it, `delay` seconds from now at the earliest."""
        interface = self._interface
        listener = interface.listener
        self.table[entry.address] = entry
        tested = interface.variables.dad_transmits > 0 and not (entry.nodad or entry.anycast)
        # An untested one is valid at once: what is reported on its account leaves from it, not from :: (RFC 3590 4).
        entry.state = AddressState.TENTATIVE if tested else entry.valid_state(now)
        optimistic = tested and self.optimism.suits(entry)
        if optimistic:
            # RFC 4429 3.3: SHOULD NOT delay.
            delay = 0.0
        elif tested:
            if interface.silent and self._first_message_at <= now:
                self._draw_delay(now)
            delay = max(delay, self._first_message_at - now)
        try:
            entry.memberships.append(listener.join(ALL_NODES, now, owner="address"))
            entry.memberships.append(listener.join(solicited_node(entry.address), now, delay=delay, owner="address"))
        except (RefusedError, OSError):
            # The driver's filter or a limit says no: the address is not there at all.
            self._quiet(entry, now)
            self._forget(entry, now, told=False)
            raise
        # Not before the driver has agreed: what was saved comes back and is reported. Records are keyed by group,
        # so that none is there twice (SEED row S73), whichever comes first.
        listener.address_added(entry.address, now)
        if tested:
            entry.detection = Detection(interface, entry.address, self._concluded)
            if optimistic:
                entry.detection.begin(now)
                entry.state = AddressState.OPTIMISTIC
            else:
                entry.detection.start(delay, now)
            self._announce(entry)
        else:
            self._assign(entry, now)
        if optimistic:
            # RFC 9131 6.1: a router learns of it when it is used first.
            self._notifier.address_assigned(entry.address, now)

    def _detach(self, entry: InterfaceAddress, now: float) -> None:
        entry.stop_lifetimes()
        self._quiet(entry, now)
        self._forget(entry, now)
        self._link_local_valid = self.link_local() is not None
        if entry.learnt:
            self._interface.autoconfiguration.removed(entry, now)
        elif is_link_local(entry.address):
            self._interface.discovery.solicitor.link_local_settled(now)

    def _forget(self, entry: InterfaceAddress, now: float, *, told: bool = True) -> None:
        del self.table[entry.address]
        self._interface.listener.address_removed(entry.address, now)
        self._interface.routes.changed()
        host = self._interface.host
        if host.journal.on:
            host.journal.note(now, "address", f"address {format_address(entry.address)} deleted", "RFC 4862 5.5.4")
        if told and host.listeners:
            host.emit(AddressChanged(entry.address, "deleted"))

    def _quiet(self, entry: InterfaceAddress, now: float) -> None:
        # SEED row S68: the address's own groups are left before anything is moved.
        if entry.detection is not None:
            entry.detection.stop()
            entry.detection = None
        for timer in entry.answers.values():
            timer.cancel()
        entry.answers.clear()
        self._notifier.address_removed(entry.address)
        self.optimism.given_up(entry)
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
        used_before = entry.optimistic
        entry.state = entry.valid_state(now)
        self._announce(entry)
        if used_before:
            self.optimism.settled(entry, now)
        elif not entry.anycast:
            self._notifier.address_assigned(entry.address, now)
        if not self._link_local_valid and self.link_local() is not None:
            self._link_local_valid = True
            # RFC 3590 4: groups reported from :: are reported again from the valid address.
            self._interface.listener.link_local_valid(now)
            self._interface.discovery.solicitor.link_local_settled(now)

    def _duplicate(self, entry: InterfaceAddress, now: float) -> None:
        """5.4.5: not assigned; it stays listed so that the user sees why, without its groups."""
        interface = self._interface
        entry.state = AddressState.DUPLICATED
        self._announce(entry)
        if entry.address == LINK_LOCAL_PREFIX + eui64_identifier(interface.mac):
            # A duplicate made from the hardware address means duplicate hardware: not a word more, no Done either.
            interface.disable(now)
            if interface.host.listeners:
                interface.host.emit(InterfaceDisabled(entry.address))
            return
        self._quiet(entry, now)
        if entry.learnt:
            interface.autoconfiguration.duplicate(entry, now)
        elif is_link_local(entry.address):
            if not entry.by_user:
                self._next_identifier(now)
            interface.discovery.solicitor.link_local_settled(now)

    def _next_identifier(self, now: float) -> None:
        """RFC 7217 6: try the next identifier, after a random delay, so that two hosts do not go in step."""
        host = self._interface.host
        if self._dad_counter >= host.settings.idgen_retries:
            return
        self._dad_counter += 1
        identifier = self._link_local_identifier()
        if identifier is None or LINK_LOCAL_PREFIX + identifier in self.table:
            return
        entry = InterfaceAddress(LINK_LOCAL_PREFIX + identifier, LINK_LOCAL_LENGTH, Origin.LINK_LOCAL)
        entry.dad_counter = self._dad_counter
        self.configure(entry, now, IDGEN_DELAY * host.rng.random())

    def _run_lifetimes(self, entry: InterfaceAddress, now: float) -> None:
        timers = self._interface.host.timers
        if entry.valid_until is not None:
            entry.lifetimes.append(timers.at(entry.valid_until, self._expired, entry))
        if entry.preferred_until is not None and entry.preferred_until > now:
            entry.lifetimes.append(timers.at(entry.preferred_until, self._no_longer_preferred, entry))

    def _expired(self, entry: InterfaceAddress, now: float) -> None:
        if self.table.get(entry.address) is entry:
            self._detach(entry, now)

    def _no_longer_preferred(self, entry: InterfaceAddress, now: float) -> None:
        if entry.state is AddressState.PREFERRED:
            entry.state = AddressState.DEPRECATED
            self._announce(entry)

    def _announce(self, entry: InterfaceAddress) -> None:
        self._interface.routes.changed()
        host = self._interface.host
        if host.journal.on:
            what, clause = f"address {format_address(entry.address)} {entry.state.value}", _CLAUSES[entry.state]
            host.journal.note(host.journal.time, "address", what, clause)
        if host.listeners:
            host.emit(AddressChanged(entry.address, entry.state.value))
