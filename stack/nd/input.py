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
    format_address,
    is_multicast,
    is_multicast_mac,
)
from stack.discard import Discard, Outcome, Verdict
from stack.events import AddressConflict
from stack.nd.states import NeighborEvent
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received
    from stack.nd.interface_address import InterfaceAddress

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


def link_layer_address(options: tuple[wire.Option, ...], option_type: int) -> tuple[MacAddress | None, bool]:
    """The address of the first such option, and whether every one of them can be believed (RFC 2464 6).

    One that no neighbour can have makes no message invalid (RFC 4861 7.1): it counts as if it were not there.
    """
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
    mac, _ = link_layer_address(options, wire.SOURCE_LINK_LAYER_ADDRESS)
    probe = received.source == UNSPECIFIED
    if probe and not received.destination.startswith(SOLICITED_NODE_PREFIX):
        return Discard.ND_UNSPECIFIED_DESTINATION
    if probe and any(option.type == wire.SOURCE_LINK_LAYER_ADDRESS for option in options):
        return Discard.ND_UNSPECIFIED_LLADDR
    entry = interface.addresses.get(received.payload[8:24])
    if entry is None:
        return Discard.ND_TARGET_NOT_OURS
    if entry.detection is not None and probe:
        nonce = next((option.data for option in options if option.type == wire.NONCE), None)
        foreign = entry.detection.solicitation(nonce, received.source_mac, now)
        return Verdict.DELIVERED if foreign else Discard.ND_OWN_PROBE
    if not entry.assigned:
        return Discard.ND_TARGET_NOT_OURS if entry.detection is None else Discard.ND_TARGET_TENTATIVE
    return _answer(interface, entry, received, mac, now)


def _answer(
    interface: "Interface", entry: "InterfaceAddress", received: "Received", mac: MacAddress | None, now: float
) -> Outcome:
    """7.2.3 and 7.2.4 for an address that is assigned here."""
    source = received.source
    if source == UNSPECIFIED:
        _advertise_in_time(interface, entry, ALL_NODES, 0, now, None)
        return Verdict.ANSWERED
    if interface.addresses.claims(source):
        # Somebody asks with an address of ours: never an entry, never an answer to ourselves.
        return _asked_by_ourselves(interface, received)
    if interface.routes.is_on_link(source):
        if interface.resolver.heard(source, mac, now):
            mac = None
    elif mac is None:
        return Discard.ND_SOURCE_OFF_LINK
    # A source that is not on-link gets its answer by the option's address and no entry: an entry would let
    # anybody on the link claim any address (CVE-2008-2476). So does one for which there was no room.
    _advertise_in_time(interface, entry, source, wire.FLAG_SOLICITED, now, mac)
    return Verdict.ANSWERED


def _asked_by_ourselves(interface: "Interface", received: "Received") -> Outcome:
    if received.source_mac == interface.mac:
        return Discard.OWN_FRAME
    _report_conflict(interface, received.source, received.source_mac)
    return Discard.SOURCE_OURS


def _advertise_in_time(
    interface: "Interface",
    entry: "InterfaceAddress",
    destination: IPv6Address,
    flags: int,
    now: float,
    mac: MacAddress | None,
) -> None:
    """7.2.7: others may answer for an anycast address too, so ours comes after a random delay.

    One answer is put off for each destination, and a limited number in all; beyond
    that they leave at once, so that nothing piles up.
    """
    address = entry.address
    if not entry.anycast:
        advertise(interface, address, destination, flags, now, mac)
    elif destination in entry.answers:
        return
    elif len(entry.answers) >= interface.host.settings.max_delayed_answers:
        interface.host.counters.limit_hit("max_delayed_answers")
        advertise(interface, address, destination, flags, now, mac)
    else:
        deadline = now + MAX_ANYCAST_DELAY_TIME * interface.host.rng.random()
        entry.answers[destination] = interface.host.timers.at(
            deadline, _delay_over, interface, entry, destination, flags, mac
        )


def _delay_over(
    interface: "Interface",
    entry: "InterfaceAddress",
    destination: IPv6Address,
    flags: int,
    mac: MacAddress | None,
    now: float,
) -> None:
    entry.answers.pop(destination, None)
    advertise(interface, entry.address, destination, flags, now, mac)


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
    elif not entry.optimistic:
        # RFC 4429 3.3: while it is optimistic nobody's entry may be overridden on its account.
        flags |= wire.FLAG_OVERRIDE
    lladdr = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, interface.mac)
    message = wire.neighbor_advertisement(source, destination, target, flags, lladdr)
    journal = interface.host.journal
    if journal.on:
        what = f"advertisement of {format_address(target)} to {format_address(destination)}"
        journal.note(now, "nd", what, "RFC 4861 7.2.4")
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
    mac, believable = link_layer_address(options, wire.TARGET_LINK_LAYER_ADDRESS)
    target = payload[8:24]
    ours = interface.addresses.get(target)
    if ours is not None and not ours.another_nodes:
        return _about_our_address(interface, ours, received, now)
    event = interface.resolver.advertisement(target, mac, flags, now)
    if event is None:
        return Discard.ND_NO_ENTRY
    if event in (NeighborEvent.SOLICITED_BARE, NeighborEvent.UNSOLICITED_BARE) and not interface.resolver.knows(target):
        return Discard.ND_NO_LLADDR if believable else Discard.ND_LLADDR
    return Verdict.DELIVERED


def _about_our_address(interface: "Interface", entry: "InterfaceAddress", received: "Received", now: float) -> Outcome:
    """RFC 4862 5.4.4: a tentative address is not unique; about an assigned one the user is told."""
    if entry.detection is not None:
        entry.detection.advertisement(now)
    elif received.source_mac == interface.mac:
        return Discard.OWN_FRAME
    elif not entry.anycast:
        _report_conflict(interface, entry.address, received.source_mac)
    return Verdict.DELIVERED


def _report_conflict(interface: "Interface", address: IPv6Address, mac: MacAddress) -> None:
    host = interface.host
    if not interface.is_assigned(address):
        return
    event = AddressConflict(address, mac)
    if host.journal.on:
        host.journal.note(host.journal.time, "address", event.text(), "RFC 4862 5.4.4")
    if host.listeners:
        host.emit(event)
