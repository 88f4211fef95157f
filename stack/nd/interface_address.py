"""One unicast address of an interface: where it comes from, its state and its lifetimes (RFC 4862 2, 5.4, 5.5).

The record only; `stack.nd.addresses` moves it from state to state, and
`stack.nd.autoconfiguration` says which addresses a router's prefixes ask for.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address, is_multicast, is_v4_mapped
from stack.errors import UsageError
from stack.nd.dad import Detection
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.mld.groups import Membership


class AddressState(Enum):
    """RFC 4862 2 and 5.4; an OPTIMISTIC address is tested and used at once (RFC 4429 2.1)."""

    TENTATIVE = "tentative"
    OPTIMISTIC = "optimistic"
    PREFERRED = "preferred"
    DEPRECATED = "deprecated"
    DUPLICATED = "duplicated"

    __hash__ = object.__hash__


class Origin(Enum):
    """Who wants the address: the user, the interface itself (5.3), a router's prefix (5.5), or RFC 8981."""

    USER = "user"
    LINK_LOCAL = "link-local"
    AUTOCONFIGURED = "autoconfigured"
    TEMPORARY = "temporary"

    __hash__ = object.__hash__


_UNIQUE = (AddressState.PREFERRED, AddressState.DEPRECATED)
_ASSIGNED = (*_UNIQUE, AddressState.OPTIMISTIC)
_LEARNT = (Origin.AUTOCONFIGURED, Origin.TEMPORARY)


@dataclass(slots=True, eq=False)
class InterfaceAddress:
    """One address (16 bytes) of an interface; lifetimes end at times on the host's clock, None is never."""

    address: IPv6Address
    prefix_length: int
    origin: Origin
    nodad: bool = False
    anycast: bool = False
    preferred_until: float | None = None
    valid_until: float | None = None
    state: AddressState = AddressState.TENTATIVE
    # RFC 7217 5: which of the possible identifiers it has.
    dad_counter: int = 0
    detection: Detection | None = None
    memberships: "list[Membership]" = field(default_factory=list)
    # What runs out with the lifetimes, also while the interface is down; and advertisements put off (7.2.7).
    lifetimes: list[Timer] = field(default_factory=list)
    answers: dict[IPv6Address, Timer] = field(default_factory=dict)
    # Packets that wait for the verdict on an optimistic address, each with its next hop (RFC 4429 3.2).
    held: deque[tuple[IPv6Address, bytes]] | None = None

    @property
    def assigned(self) -> bool:
        """Whether it may be used: neither tentative nor a duplicate."""
        return self.state in _ASSIGNED

    @property
    def unique(self) -> bool:
        """Whether it is used without reserve: no node objected, or none was asked."""
        return self.state in _UNIQUE

    @property
    def optimistic(self) -> bool:
        """Whether it is used while it is tested (RFC 4429)."""
        return self.state is AddressState.OPTIMISTIC

    @property
    def another_nodes(self) -> bool:
        """Whether it was found to be another node's: a neighbour's address as any other."""
        return self.state is AddressState.DUPLICATED

    @property
    def by_user(self) -> bool:
        """Whether the user gave it: it outlives the interface's going down."""
        return self.origin is Origin.USER

    @property
    def learnt(self) -> bool:
        """Whether a router advertisement is why it is there."""
        return self.origin in _LEARNT

    @property
    def temporary(self) -> bool:
        """RFC 8981."""
        return self.origin is Origin.TEMPORARY

    def valid_state(self, now: float) -> AddressState:
        """What a unique address is: preferred, or deprecated once its preferred lifetime is over (5.5.4)."""
        deprecated = self.preferred_until is not None and self.preferred_until <= now
        return AddressState.DEPRECATED if deprecated else AddressState.PREFERRED

    def stop_lifetimes(self) -> None:
        """Cancel what would happen at the end of the lifetimes."""
        for timer in self.lifetimes:
            timer.cancel()
        self.lifetimes.clear()


def is_assignable(address: IPv6Address) -> bool:
    """Whether `address` may be assigned to an interface."""
    return not (is_multicast(address) or not any(address[:15]) or is_v4_mapped(address))


def check_assignable(address: IPv6Address) -> None:
    """Raises UsageError unless `address` may be assigned to an interface."""
    if not is_assignable(address):
        raise UsageError(f"{format_address(address)} cannot be assigned to an interface")


def check_lifetimes(text: str, preferred: float | None, valid: float | None) -> None:
    """Raises UsageError unless the address could live so long, in seconds (RFC 4862 5.5.4)."""
    if valid is not None and not valid > 0:
        raise UsageError(f"{text}: the valid lifetime must be longer than {valid:g} s")
    if preferred is not None and not preferred >= 0:
        raise UsageError(f"{text}: the preferred lifetime cannot be {preferred:g} s")
    if valid is not None and preferred is not None and preferred > valid:
        raise UsageError(f"{text}: the preferred lifetime is longer than the valid one")
