"""ICMPv6 input: length and checksum, then by type to whoever handles it (RFC 4443 2).

Handlers are a registry; an unknown informational type is silently discarded
(2.4 b), an unknown error type goes to whoever sent the packet in error (2.4 a).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED
from stack.discard import Discard, Outcome, Verdict
from stack.icmp6 import echo, errors
from stack.ip6.received import Received
from stack.mld import input as mld
from stack.nd import input as nd
from stack.nd.redirect import redirect
from stack.nd.router_discovery import router_advertisement
from stack.wire import icmpv6
from stack.wire.checksum import icmpv6_verifies

if TYPE_CHECKING:
    from stack.interface import Interface


Handler = Callable[["Interface", Received, float], Outcome]


def _routers_only(interface: "Interface", received: Received, now: float) -> Outcome:
    """A host does nothing with a router solicitation (RFC 4861 6.2.6)."""
    return Discard.ICMP_ROUTERS_ONLY


HANDLERS: dict[int, Handler] = {
    icmpv6.ECHO_REQUEST: echo.request,
    icmpv6.ECHO_REPLY: echo.reply,
    icmpv6.MLD_QUERY: mld.query,
    icmpv6.MLD_REPORT: mld.report,
    icmpv6.MLD_DONE: mld.ignored,
    icmpv6.MLDV2_REPORT: mld.ignored,
    icmpv6.ROUTER_SOLICITATION: _routers_only,
    icmpv6.ROUTER_ADVERTISEMENT: router_advertisement,
    icmpv6.REDIRECT: redirect,
    icmpv6.NEIGHBOR_SOLICITATION: nd.neighbor_solicitation,
    icmpv6.NEIGHBOR_ADVERTISEMENT: nd.neighbor_advertisement,
}

# Messages that a node may send before it has an address (RFC 4861 4.1, 4.3; RFC 3590 4).
_FROM_UNSPECIFIED = frozenset(
    (
        icmpv6.NEIGHBOR_SOLICITATION,
        icmpv6.ROUTER_SOLICITATION,
        icmpv6.MLD_QUERY,
        icmpv6.MLD_REPORT,
        icmpv6.MLD_DONE,
        icmpv6.MLDV2_REPORT,
    )
)

# Messages whose handlers judge a source address of ours themselves (RFC 4862 5.4.3, SEED rows S45, S85).
_FROM_OURSELVES = frozenset(
    (
        icmpv6.NEIGHBOR_SOLICITATION,
        icmpv6.NEIGHBOR_ADVERTISEMENT,
        icmpv6.MLD_QUERY,
        icmpv6.MLD_REPORT,
        icmpv6.MLD_DONE,
        icmpv6.MLDV2_REPORT,
    )
)

# What this host itself has no use for, so that a raw socket which takes it decides.
_NOBODYS = frozenset(
    (
        Discard.ICMP_UNKNOWN_TYPE,
        Discard.ICMP_ROUTERS_ONLY,
        Discard.ICMP_ERROR_UNCLAIMED,
        Discard.ECHO_REPLY_UNCLAIMED,
    )
)


def receive(interface: "Interface", received: Received, now: float, looped: bool) -> Outcome:
    """One ICMPv6 message; `looped` is one of our own to ourselves."""
    payload = received.payload
    counters = interface.host.counters
    if len(payload) < icmpv6.HEADER.size:
        counters.icmp_unread_in += 1
        return Discard.ICMP_TRUNCATED
    if not icmpv6_verifies(received.source, received.destination, payload):
        counters.icmp_unread_in += 1
        return Discard.ICMP_CHECKSUM
    kind = payload[0]
    counters.icmp_in[kind] += 1
    if received.source == UNSPECIFIED and kind not in _FROM_UNSPECIFIED:
        return Discard.SOURCE_UNSPECIFIED
    if not looped and kind not in _FROM_OURSELVES and interface.addresses.claims(received.source):
        return Discard.SOURCE_OURS
    copied = bool(interface.host.raw.sockets) and interface.host.raw.deliver(interface, received, now)
    outcome = _handle(interface, received, kind, now)
    return Verdict.DELIVERED if copied and outcome in _NOBODYS else outcome


def _handle(interface: "Interface", received: Received, kind: int, now: float) -> Outcome:
    handler = HANDLERS.get(kind)
    if handler is not None:
        return handler(interface, received, now)
    if kind < icmpv6.FIRST_INFORMATIONAL:
        return errors.received(interface, received, now)
    return Discard.ICMP_UNKNOWN_TYPE
