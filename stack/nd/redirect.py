"""Redirects from a router (RFC 4861 8): every check of 8.1, then what 8.3 says follows from a valid one.

It moves the packets to one destination, and says the link-layer address of the
node that they go to instead. It is no authority for anything else: no router
enters a list by it, and no neighbour is confirmed.
"""

from typing import TYPE_CHECKING

from stack.address import IPv6Address, MacAddress, is_link_local, is_multicast
from stack.discard import Discard, Outcome, Verdict
from stack.events import Redirected
from stack.ip6.routes import next_hop
from stack.nd.input import link_layer_address
from stack.wire import nd as wire
from stack.wire import router

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received

_LENGTH = router.REDIRECT.size


def redirect(interface: "Interface", received: "Received", now: float) -> Outcome:
    """A redirect from the link; it is valid, and acted on, or changes nothing at all."""
    if not interface.host.settings.accept_redirects:
        return Discard.REDIRECT_NOT_ACCEPTED
    reason = _check(received)
    if reason is not None:
        return reason
    options = wire.parse_options(received.payload[_LENGTH:])
    if options is None:
        return Discard.ND_OPTIONS
    target, destination = received.payload[8:24], received.payload[24:40]
    reason = _check_addresses(interface, target, destination)
    if reason is not None:
        return reason
    # 8.1: the first-hop router, and only it, may say so. A destination on this link has none.
    # While its source is optimistic a packet to a neighbour goes to a router to be redirected (RFC 4429 3.2).
    first_hop = interface.addresses.optimism.first_hop(destination) or next_hop(interface, destination, now)
    if first_hop != received.source or first_hop == destination:
        return Discard.REDIRECT_NOT_FIRST_HOP
    # 8.1: options that are not for redirects are ignored; the one that quotes our packet says nothing that is needed.
    mac, _ = link_layer_address(options, wire.TARGET_LINK_LAYER_ADDRESS)
    return _follow(interface, received.source, target, destination, mac, now)


def _check(received: "Received") -> Discard | None:
    """8.1, what the message alone shows; the checksum was verified before. RFC 6980 5: never in a fragment."""
    if received.hop_limit != wire.HOP_LIMIT:
        return Discard.ND_HOP_LIMIT
    if received.payload[1] != 0:
        return Discard.ND_CODE
    if len(received.payload) < _LENGTH:
        return Discard.ND_TRUNCATED
    if received.fragmented:
        return Discard.ND_FRAGMENTED
    if not is_link_local(received.source):
        return Discard.REDIRECT_SOURCE
    return None


def _check_addresses(interface: "Interface", target: IPv6Address, destination: IPv6Address) -> Discard | None:
    if is_multicast(destination):
        return Discard.REDIRECT_DESTINATION_MULTICAST
    if not (is_link_local(target) or target == destination):
        return Discard.REDIRECT_TARGET
    # 8.3 has the target be another node; a packet that is sent to ourselves for somebody else arrives nowhere.
    if interface.addresses.claims(target):
        return Discard.REDIRECT_TARGET_OURS
    return None


def _follow(
    interface: "Interface",
    source: IPv6Address,
    target: IPv6Address,
    destination: IPv6Address,
    mac: MacAddress | None,
    now: float,
) -> Outcome:
    """8.3: the destination cache, then the neighbour cache."""
    if not interface.routes.redirect(destination, target, source):
        return Discard.REDIRECT_NO_ROOM
    interface.resolver.redirected(target, mac, now, router=target != destination)
    host = interface.host
    event = Redirected(destination, target, source)
    if host.journal.on:
        host.journal.note(now, "nd", event.text(), "RFC 4861 8.3")
    if host.listeners:
        host.emit(event)
    return Verdict.DELIVERED
