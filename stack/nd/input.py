"""Neighbour solicitations and advertisements from the link: every check of RFC 4861 7.1, then what they mean.

A message is validated entirely, its options included, before any of it is acted
on. Each check stands alone and has a discard reason of its own.
"""

from typing import TYPE_CHECKING

from stack.address import (
    ALL_NODES,
    SOLICITED_NODE_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    is_multicast,
    is_multicast_mac,
)
from stack.discard import Discard, Outcome, Verdict
from stack.events import AddressConflict
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received

# RFC 4861 10
MAX_ANYCAST_DELAY_TIME = 1.0


def _common_checks(received: "Received") -> Discard | None:
    """7.1.1 and 7.1.2, what both messages share; checksum was verified before (RFC 4443 2.3)."""
    if received.hop_limit != wire.HOP_LIMIT:
        return Discard.ND_HOP_LIMIT
    if received.payload[1] != 0:
        return Discard.ND_CODE
    if len(received.payload) < wire.FIXED_LENGTH:
        return Discard.ND_TRUNCATED
    if received.fragmented:
        return Discard.ND_FRAGMENTED
    if is_multicast(received.payload[8:24]):
        return Discard.ND_TARGET_MULTICAST
    return None


def _link_layer_address(options: tuple[wire.Option, ...], option_type: int) -> tuple[MacAddress | None, bool]:
    """The address of the first such option, and whether every one of them can be believed (RFC 2464 6)."""
    found: MacAddress | None = None
    for option in options:
        if option.type != option_type:
            continue
        if len(option.data) != 6 or is_multicast_mac(option.data) or not any(option.data):
            return None, False
        if found is None:
            found = option.data
    return found, True


def neighbor_solicitation(interface: "Interface", received: "Received", now: float) -> Outcome:
    """RFC 4861 7.1.1 and 7.2.3; RFC 4862 5.4.3 for a tentative target."""
    reason = _common_checks(received)
    if reason is not None:
        return reason
    options = wire.parse_options(received.payload[wire.FIXED_LENGTH :])
    if options is None:
        return Discard.ND_OPTIONS
    mac, believable = _link_layer_address(options, wire.SOURCE_LINK_LAYER_ADDRESS)
    probe = received.source == UNSPECIFIED
    if probe and not received.destination.startswith(SOLICITED_NODE_PREFIX):
        return Discard.ND_UNSPECIFIED_DESTINATION
    if probe and any(option.type == wire.SOURCE_LINK_LAYER_ADDRESS for option in options):
        return Discard.ND_UNSPECIFIED_LLADDR
    if not believable:
        return Discard.ND_LLADDR
    entry = interface.addresses.get(received.payload[8:24])
    if entry is None:
        return Discard.ND_TARGET_NOT_OURS
    if entry.detection is not None:
        if not probe:
            return Discard.ND_TARGET_TENTATIVE
        nonce = next((option.data for option in options if option.type == wire.NONCE), None)
        foreign = entry.detection.solicitation(nonce, received.source_mac, now)
        return Verdict.DELIVERED if foreign else Discard.ND_OWN_PROBE
    if not entry.assigned:
        return Discard.ND_TARGET_NOT_OURS
    return _answer(interface, received, mac, now)


def _answer(interface: "Interface", received: "Received", mac: MacAddress | None, now: float) -> Outcome:
    """7.2.3 and 7.2.4 for an address that is assigned here."""
    target = received.payload[8:24]
    if received.source == UNSPECIFIED:
        advertise(interface, target, ALL_NODES, 0, now)
        return Verdict.ANSWERED
    if interface.addresses.get(received.source) is not None:
        # Somebody asks with an address of ours: never an entry, never an answer to ourselves.
        return Discard.SOURCE_OURS
    if interface.addresses.on_link(received.source):
        interface.resolver.heard(received.source, mac, now)
        mac = None
    elif mac is None:
        return Discard.ND_SOURCE_OFF_LINK
    # A source that is not on-link gets its answer by the option's address and no entry:
    # an entry would let anybody on the link claim any address (CVE-2008-2476).
    entry = interface.addresses.get(target)
    if entry is not None and entry.anycast:
        # 7.2.7: several nodes may answer for an anycast address.
        deadline = now + MAX_ANYCAST_DELAY_TIME * interface.host.rng.random()
        interface.host.timers.at(deadline, _advertise_anycast, interface, target, received.source, mac)
    else:
        advertise(interface, target, received.source, wire.FLAG_SOLICITED, now, mac)
    return Verdict.ANSWERED


def _advertise_anycast(
    interface: "Interface", target: IPv6Address, destination: IPv6Address, mac: MacAddress | None, now: float
) -> None:
    if interface.is_assigned(target):
        advertise(interface, target, destination, wire.FLAG_SOLICITED, now, mac)


def advertise(
    interface: "Interface",
    target: IPv6Address,
    destination: IPv6Address,
    flags: int,
    now: float,
    mac: MacAddress | None = None,
) -> None:
    """Send a neighbour advertisement for an assigned address (7.2.4), always with our link-layer address.

    It goes to `mac` if one is given, else to the neighbour that the destination is.
    """
    entry = interface.addresses.get(target)
    if entry is None:
        return
    source = target
    if entry.anycast:
        chosen = interface.source_for(destination)
        if chosen is None:
            return
        source = chosen
    else:
        flags |= wire.FLAG_OVERRIDE
    lladdr = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, interface.mac)
    message = wire.neighbor_advertisement(source, destination, target, flags, lladdr)
    interface.send_nd(source, destination, message, mac, now)


def neighbor_advertisement(interface: "Interface", received: "Received", now: float) -> Outcome:
    """RFC 4861 7.1.2 and 7.2.5; RFC 4862 5.4.4 for an address of ours."""
    reason = _common_checks(received)
    if reason is not None:
        return reason
    payload = received.payload
    flags = int.from_bytes(payload[4:8], "big")
    if is_multicast(received.destination) and flags & wire.FLAG_SOLICITED:
        return Discard.ND_SOLICITED_MULTICAST
    options = wire.parse_options(payload[wire.FIXED_LENGTH :])
    if options is None:
        return Discard.ND_OPTIONS
    mac, believable = _link_layer_address(options, wire.TARGET_LINK_LAYER_ADDRESS)
    if not believable:
        return Discard.ND_LLADDR
    target = payload[8:24]
    ours = interface.addresses.get(target)
    if ours is not None:
        return _about_our_address(interface, received, now)
    event = interface.resolver.advertisement(target, mac, flags, now)
    if event is None:
        return Discard.ND_NO_ENTRY
    return Verdict.DELIVERED


def _about_our_address(interface: "Interface", received: "Received", now: float) -> Outcome:
    target = received.payload[8:24]
    entry = interface.addresses.get(target)
    if entry is not None and entry.detection is not None:
        entry.detection.advertisement(now)
    elif received.source_mac == interface.mac:
        return Discard.OWN_FRAME
    elif entry is not None and entry.assigned and not entry.anycast and interface.host.listeners:
        interface.host.emit(AddressConflict(target, received.source_mac))
    return Verdict.DELIVERED
