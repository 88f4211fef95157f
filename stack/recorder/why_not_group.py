"""Why nothing comes in for a group: who listens, what was reported, what became of queries, what came in."""

from stack.address import UNSPECIFIED, IPv6Address, format_address, multicast_mac
from stack.explain.frame import account
from stack.interface import Interface
from stack.journal import FrameSeen
from stack.mld.filters import FilterMode, SourceFilter
from stack.mld.groups import GroupRecord, is_reportable, is_source_specific
from stack.recorder.findings import Finding, about_filter, came_in
from stack.recorder.history import History, ago, message_of, packet_of
from stack.wire import icmpv6, mld, mldv2

_GONE = ((mldv2.CHANGE_TO_INCLUDE_MODE, ()), (mldv2.MODE_IS_INCLUDE, ()))


def about_group(history: History, interface: Interface, group: IPv6Address) -> list[Finding]:
    """All that is known of it."""
    record = interface.listener.groups.records.get(group)
    if record is None:
        findings = [Finding("nobody on this host has joined it", "RFC 3810 4.1", True)]
    else:
        findings = _joined(history, interface, record)
        findings.append(about_filter(interface, multicast_mac(group)))
        findings += _queries(history, interface, record)
    return findings + _data(history, group)


# -- who listens


def _joined(history: History, interface: Interface, record: GroupRecord) -> list[Finding]:
    owners = sorted({each.owner for each in record.memberships.values()})
    findings = [Finding(f"joined by {', '.join(owners)}{_sources(record.filter)}")]
    if record.interface_address is None:
        findings.append(Finding("it is saved: the interface has no address to join with", "RFC 2710 4", True))
    findings.append(_reported(history, interface, record))
    return findings


def _sources(wanted: SourceFilter) -> str:
    listed = ", ".join(format_address(each) for each in sorted(wanted.sources)[:8])
    more = f" and {len(wanted.sources) - 8} more" if len(wanted.sources) > 8 else ""
    if wanted.mode is FilterMode.INCLUDE:
        return f", only from {listed}{more}" if listed else ", from nobody"
    return f", but not from {listed}{more}" if listed else ""


def _reported(history: History, interface: Interface, record: GroupRecord) -> Finding:
    group = record.group
    if not is_reportable(group):
        return Finding("never reported: a group of its scope stays on the link", "RFC 2710 5")
    if is_source_specific(group) and interface.listener.version == 1:
        what = "not reported: it is source-specific, and the querier speaks version 1"
        return Finding(what, "RFC 4604 2", True)
    last = next((each for each in reversed(history.frames.values()) if _reports(each, group)), None)
    if last is not None:
        return Finding(f"reported {ago(history.now, last.time)}", "", False, last.number)
    if record.reported:
        return Finding(f"reported more than {history.reaches_back:.0f} s ago, before what is recorded")
    return Finding("not reported yet: a switch that snoops does not know of it", "RFC 4541 2.1.1", True)


def _reports(seen: FrameSeen, group: IPv6Address) -> bool:
    """Whether a frame of ours says that we listen to a group."""
    packet = b"" if seen.inbound else packet_of(seen.frame)
    message = message_of(packet) if packet else b""
    if message[:1] == bytes((icmpv6.MLD_REPORT,)):
        return message[8:24] == group
    if message[:1] == bytes((icmpv6.MLDV2_REPORT,)):
        records = mldv2.parse_report(message) or ()
        return any(each.group == group and (each.type, each.sources) not in _GONE for each in records)
    return False


# -- queries


def _queries(history: History, interface: Interface, record: GroupRecord) -> list[Finding]:
    """The last query that it had to answer, and whether it did; and the last that was not taken."""
    if not is_reportable(record.group) or not history.frames:
        return []
    asked = [each for each in history.frames.values() if _asks(each, record.group)]
    if not asked:
        what = f"no query came in the last {history.reaches_back:.0f} s: without one a switch that snoops forgets"
        return [Finding(what, "RFC 4541 2.1.1", history.reaches_back > interface.listener.settings.mld_query_interval)]
    findings = [_query(history, each, record.group) for each in asked]
    refused = [each for each in findings if each.against]
    return refused[-1:] if findings[-1].against else [*refused[-1:], findings[-1]]


def _asks(seen: FrameSeen, group: IPv6Address) -> bool:
    packet = packet_of(seen.frame) if seen.inbound else b""
    message = message_of(packet) if packet else b""
    if message[:1] != bytes((icmpv6.MLD_QUERY,)) or len(message) < mld.MESSAGE_LENGTH:
        return False
    return message[8:24] in (UNSPECIFIED, group)


def _query(history: History, seen: FrameSeen, group: IPv6Address) -> Finding:
    when = f"query {ago(history.now, seen.time)}"
    outcome = history.outcome(seen)
    if outcome is not None and outcome.clause:
        flaws = ", ".join(account(seen.frame).flaws)
        why = flaws or outcome.what.removeprefix("discarded: ")
        return Finding(f"{when} unanswered: discarded, {why}", outcome.clause, True, seen.number)
    later = [each for each in history.frames.values() if each.number > seen.number and _reports(each, group)]
    if later:
        return Finding(f"{when}, answered {later[0].time - seen.time:.3f} s later", "", False, seen.number)
    return Finding(f"{when}, its answer is still due or was given by another listener", "", False, seen.number)


# -- what came in


def _data(history: History, group: IPv6Address) -> list[Finding]:
    frames = [each for each in history.frames.values() if each.inbound and _carries(each, group)]
    return came_in(history, frames, format_address(group))


def _carries(seen: FrameSeen, group: IPv6Address) -> bool:
    """Whether a frame is data for the group, not a word about it."""
    packet = packet_of(seen.frame)
    return packet[24:40] == group and message_of(packet)[:1] not in _TALK


_TALK = tuple(bytes((each,)) for each in (icmpv6.MLD_QUERY, icmpv6.MLD_REPORT, icmpv6.MLD_DONE))
