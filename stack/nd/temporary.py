"""Temporary addresses (RFC 8981): random identifiers that are replaced before their preferred lifetime ends.

Each lives at most `temp_valid_lft` from its creation and is preferred at most
`temp_prefered_lft` less a random time of its own, and never for longer than its
prefix. They are made for prefixes that routers advertise, never for the link-local one.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address
from stack.nd.interface_address import AddressState, InterfaceAddress, Origin, is_assignable

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.nd.autoconfiguration import AutonomousPrefix

# RFC 8981 3.8
TEMP_IDGEN_RETRIES = 3
_DESYNC_SHARE = 0.4
_ADVANCE_BASE = 2.0
_PREFIX_LENGTH = 64


class TemporaryAddress:
    """One of them, with the latest ends that any advertisement may give it (3.4 step 1), on the host's clock."""

    __slots__ = ("entry", "preferred_limit", "valid_limit")

    def __init__(self, entry: InterfaceAddress, preferred_limit: float, valid_limit: float) -> None:
        self.entry = entry
        self.preferred_limit = preferred_limit
        self.valid_limit = valid_limit


class TemporaryAddresses:
    """Makes, renews and replaces the temporary addresses of one interface; `has_room` is asked before each new one."""

    __slots__ = ("_has_room", "_interface")

    def __init__(self, interface: "Interface", has_room: "Callable[[AutonomousPrefix], bool]") -> None:
        self._interface = interface
        self._has_room = has_room

    @property
    def regen_advance(self) -> float:
        """REGEN_ADVANCE in seconds: time enough to find an address that nobody has (3.8)."""
        variables = self._interface.variables
        return _ADVANCE_BASE + TEMP_IDGEN_RETRIES * variables.dad_transmits * variables.retrans_time_ms / 1000

    def renew(self, record: "AutonomousPrefix", now: float) -> None:
        """The prefix has new lifetimes: they hold for its temporary addresses within their limits (3.4 step 1)."""
        for each in list(record.temporaries):
            preferred = min(record.preferred_until, each.preferred_limit)
            valid = min(record.valid_until, each.valid_limit)
            self._interface.addresses.set_lifetimes(each.entry, _finite(min(preferred, valid)), _finite(valid), now)

    def ensure(self, record: "AutonomousPrefix", now: float, delay: float) -> None:
        """See that the prefix has an address that stays preferred for long enough, and when it is to be replaced."""
        if record.regeneration is not None:
            record.regeneration.cancel()
            record.regeneration = None
        if self._interface.host.settings.use_tempaddr <= 0 or record.temporary_off:
            return
        newest = record.temporaries[-1].entry if record.temporaries else None
        if newest is None or not self._lasts(newest, now):
            record.conflicts = 0
            newest = self._create(record, now, delay)
        if newest is not None and newest.preferred_until is not None:
            at = newest.preferred_until - self.regen_advance
            record.regeneration = self._interface.host.timers.at(at, self._regenerate, record)

    def duplicate(self, record: "AutonomousPrefix", entry: InterfaceAddress, now: float) -> None:
        """3.4 step 6: another identifier, up to TEMP_IDGEN_RETRIES times; after that none for this prefix any more."""
        record.temporaries = [each for each in record.temporaries if each.entry is not entry]
        self._interface.addresses.withdraw(entry, now)
        if record.conflicts < TEMP_IDGEN_RETRIES:
            record.conflicts += 1
            if self._create(record, now, 0.0) is not None:
                self._rearm(record)
            return
        record.temporary_off = True
        if record.regeneration is not None:
            record.regeneration.cancel()
            record.regeneration = None
        journal = self._interface.host.journal
        if journal.on:
            what = f"no more temporary addresses in {format_address(record.prefix)}/{_PREFIX_LENGTH}: all were taken"
            journal.note(now, "nd", what, "RFC 8981 3.4")

    def _rearm(self, record: "AutonomousPrefix") -> None:
        if record.regeneration is not None:
            record.regeneration.cancel()
        until = record.temporaries[-1].entry.preferred_until
        record.regeneration = None
        if until is not None:
            at = until - self.regen_advance
            record.regeneration = self._interface.host.timers.at(at, self._regenerate, record)

    def _regenerate(self, record: "AutonomousPrefix", now: float) -> None:
        record.regeneration = None
        # One that cannot be replaced any more just runs out; the next advertisement looks again.
        self.ensure(record, now, 0.0)

    def _lasts(self, entry: InterfaceAddress, now: float) -> bool:
        if entry.state is AddressState.DUPLICATED:
            return False
        return entry.preferred_until is None or entry.preferred_until - self.regen_advance > now

    def _create(self, record: "AutonomousPrefix", now: float, delay: float) -> InterfaceAddress | None:
        """3.4 steps 3 to 6; None if its preferred lifetime would be over before the next one could be there."""
        host = self._interface.host
        lifetime = float(host.settings.temp_prefered_lft)
        # 3.8: less than MAX_DESYNC_FACTOR, and what remains must be more than REGEN_ADVANCE.
        longest = max(0.0, min(_DESYNC_SHARE * lifetime, lifetime - self.regen_advance))
        preferred_limit = now + lifetime - longest * host.rng.random()
        valid_limit = now + host.settings.temp_valid_lft
        valid = min(record.valid_until, valid_limit)
        preferred = min(record.preferred_until, preferred_limit, valid)
        if not preferred - self.regen_advance > now:
            return None
        if not self._has_room(record):
            host.counters.limit_hit("max_addresses")
            return None
        address = self._address(record)
        if address is None:
            return None
        entry = InterfaceAddress(address, _PREFIX_LENGTH, Origin.TEMPORARY)
        entry.preferred_until, entry.valid_until = _finite(preferred), _finite(valid)
        record.temporaries.append(TemporaryAddress(entry, preferred_limit, valid_limit))
        if not self._interface.addresses.configure(entry, now, delay):
            record.temporaries.pop()
            return None
        return entry

    def _address(self, record: "AutonomousPrefix") -> IPv6Address | None:
        addresses = self._interface.addresses
        address = record.prefix[:8] + addresses.identifiers.random()
        while address in addresses.table:
            address = record.prefix[:8] + addresses.identifiers.random()
        return address if is_assignable(address) else None


def _finite(until: float) -> float | None:
    return None if until == math.inf else until
