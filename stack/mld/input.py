"""Multicast listener messages from the link: the checks of RFC 2710 4 and RFC 3810 6.2, then the listener.

Routers' business (Done, version 2 reports) changes nothing in a host.
"""

from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, is_link_local, is_multicast
from stack.discard import Discard, Outcome, Verdict
from stack.wire import mld as wire

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received


def query(interface: "Interface", received: "Received", now: float) -> Outcome:
    """A query of either version, answered in version 1.

    RFC 2710 3.7: what follows the first 24 octets is ignored, so a query of
    version 2 is read as one of version 1, its delay in plain milliseconds
    (SEED rows S33, S44). That is never more than the exponential code of
    RFC 3810 5.1.3 would allow.
    """
    length = len(received.payload)
    if length < wire.MESSAGE_LENGTH:
        return Discard.MLD_TRUNCATED
    if wire.MESSAGE_LENGTH < length < wire.V2_QUERY_LENGTH:
        return Discard.MLD_LENGTH
    if not is_link_local(received.source):
        return Discard.MLD_SOURCE
    if received.hop_limit != 1:
        return Discard.MLD_HOP_LIMIT
    if not received.router_alert:
        return Discard.MLD_ROUTER_ALERT
    if interface.addresses.claims(received.source):
        return Discard.MLD_OWN_MESSAGE
    fields = wire.HEADER.unpack_from(received.payload)
    delay, group = fields[3], fields[5]
    if group != UNSPECIFIED and not is_multicast(group):
        return Discard.MLD_NOT_MULTICAST
    if not len(interface.addresses):
        return Discard.MLD_NO_ADDRESS
    if not interface.listener.query(group, delay / 1000, now):
        return Discard.MLD_UNKNOWN_GROUP
    return Verdict.DELIVERED


def report(interface: "Interface", received: "Received", now: float) -> Outcome:
    """Another listener's version 1 report: it suppresses ours (RFC 2710 4).

    Its IPv6 destination need not be the group (RFC 3810 5.2.14).
    """
    if len(received.payload) < wire.MESSAGE_LENGTH:
        return Discard.MLD_TRUNCATED
    if not is_link_local(received.source):
        return Discard.MLD_SOURCE
    own = interface.addresses.claims(received.source)
    if own or received.source_mac == interface.mac:
        return Discard.MLD_OWN_MESSAGE
    group = received.payload[8:24]
    if not is_multicast(group):
        return Discard.MLD_NOT_MULTICAST
    if not interface.listener.report_heard(group, now):
        return Discard.MLD_UNKNOWN_GROUP
    return Verdict.DELIVERED


def ignored(interface: "Interface", received: "Received", now: float) -> Outcome:
    """Done (RFC 2710 4) and version 2 reports (RFC 3810 8.2.2)."""
    return Discard.MLD_NOT_FOR_HOSTS
