"""Multicast listener messages from the link: the checks of RFC 2710 4 and RFC 3810 6.2, then the listener.

Routers' business (Done, version 2 reports) changes nothing in a host.
"""

from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, is_link_local, is_multicast
from stack.discard import Discard, Outcome, Verdict
from stack.events import QuerierChanged
from stack.mld.groups import is_source_specific
from stack.mld.observed import HeardQuery
from stack.wire import mld as wire
from stack.wire import mldv2

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.ip6.received import Received

_GROUP = slice(8, 24)


def query(interface: "Interface", received: "Received", now: float) -> Outcome:
    """A query of either version, answered in the version that is spoken (RFC 3810 6.2, 8.1)."""
    outcome = _query(interface, received, now)
    observed = interface.listener.observed
    before = observed.last
    observed.query(outcome, received.payload, received.source, now)
    if observed.last is not None and observed.last is not before:
        _tell_querier(interface, before, observed.last, now)
    return outcome


def _tell_querier(interface: "Interface", before: HeardQuery | None, query: HeardQuery, now: float) -> None:
    """Whoever listens hears of the querier when it is another, or speaks another version."""
    if before is not None and (before.source, before.version) == (query.source, query.version):
        return
    host = interface.host
    event = QuerierChanged(query.source, query.version)
    if host.journal.on:
        host.journal.note(now, "querier", event.text(), "RFC 3810 7.6.2")
    if host.listeners:
        host.emit(event)


def _query(interface: "Interface", received: "Received", now: float) -> Outcome:
    listener = interface.listener
    reason = _check_query(interface, received)
    if reason is not None:
        return reason
    parsed = mldv2.parse_query(received.payload)
    group = received.payload[_GROUP]
    if listener.version == 2 and group == UNSPECIFIED and parsed is not None and parsed.sources:
        # Before anything that it says of its sender is believed.
        return Discard.MLD_GENERAL_WITH_SOURCES
    if listener.personality.checks_input:
        reason = _note_querier(interface, received, parsed, now)
        if reason is not None:
            return reason
    if listener.version == 1:
        # RFC 2710 3.7: what follows the first 24 octets is ignored (SEED rows S33, S44).
        delay = int.from_bytes(received.payload[4:6], "big")
        return _concerns(listener.version1.query(group, delay / 1000, now))
    if parsed is None:
        return Discard.MLD_TRUNCATED
    sources = frozenset(parsed.sources)
    return _concerns(listener.version2.responses.query(group, sources, parsed.delay / 1000, now))


def _note_querier(
    interface: "Interface", received: "Received", parsed: mldv2.Query | None, now: float
) -> Discard | None:
    """The version of a query, which its length tells, decides the one that is spoken (RFC 3810 8.1, 8.2.1)."""
    listener = interface.listener
    if parsed is None:
        return Discard.MLD_LENGTH if len(received.payload) < wire.V2_QUERY_LENGTH else None
    if parsed.version > 1:
        listener.compatibility.version_2_query_heard(parsed.robustness, parsed.interval)
        return None
    if listener.settings.force_mld_version == 2:
        return Discard.MLD_VERSION
    if is_source_specific(parsed.group):
        return Discard.MLD_SOURCE_SPECIFIC
    listener.compatibility.version_1_query_heard(now)
    return None


def _check_query(interface: "Interface", received: "Received") -> Discard | None:
    """What RFC 3810 6.2 asks of a query, whoever sent it and whatever its version; `netbsd` asks less (S32, S85)."""
    if len(received.payload) < wire.MESSAGE_LENGTH:
        return Discard.MLD_TRUNCATED
    if not is_link_local(received.source):
        return Discard.MLD_SOURCE
    if interface.listener.personality.checks_input:
        if received.hop_limit != 1:
            return Discard.MLD_HOP_LIMIT
        if not received.router_alert:
            return Discard.MLD_ROUTER_ALERT
        if interface.addresses.claims(received.source):
            return Discard.MLD_OWN_MESSAGE
    group = received.payload[_GROUP]
    if group != UNSPECIFIED and not is_multicast(group):
        return Discard.MLD_NOT_MULTICAST
    if not len(interface.addresses):
        return Discard.MLD_NO_ADDRESS
    return None


def _concerns(groups: int) -> Outcome:
    return Verdict.DELIVERED if groups else Discard.MLD_UNKNOWN_GROUP


def report(interface: "Interface", received: "Received", now: float) -> Outcome:
    """Another listener's version 1 report: it suppresses ours (RFC 2710 4).

    Its IPv6 destination need not be the group (RFC 3810 5.2.14).
    """
    if len(received.payload) < wire.MESSAGE_LENGTH:
        return Discard.MLD_TRUNCATED
    if not is_link_local(received.source):
        return Discard.MLD_SOURCE
    own = interface.addresses.claims(received.source) or received.source_mac == interface.mac
    if own and interface.listener.personality.checks_input:
        return Discard.MLD_OWN_MESSAGE
    group = received.payload[_GROUP]
    if not is_multicast(group):
        return Discard.MLD_NOT_MULTICAST
    if is_source_specific(group):
        return Discard.MLD_SOURCE_SPECIFIC
    if not interface.listener.report_heard(group, now):
        return Discard.MLD_UNKNOWN_GROUP
    return Verdict.DELIVERED


def ignored(interface: "Interface", received: "Received", now: float) -> Outcome:
    """Done (RFC 2710 4) and version 2 reports (RFC 3810 8.2.2)."""
    return Discard.MLD_NOT_FOR_HOSTS
