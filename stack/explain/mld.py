"""Multicast listener discovery in plain words: version 1 (RFC 2710 3) and version 2 (RFC 3810 5)."""

from stack.address import UNSPECIFIED, format_address
from stack.explain.message import Message
from stack.explain.words import addresses, count, seconds
from stack.wire import mld, mldv2

# RFC 3810 5.2.12; what each record says, with its sources and without.
_RECORDS = {
    mldv2.MODE_IS_INCLUDE: ("listens to {group}, only from {sources}", "listens to {group} from nobody"),
    mldv2.MODE_IS_EXCLUDE: ("listens to {group}, but not from {sources}", "listens to {group}"),
    mldv2.CHANGE_TO_INCLUDE_MODE: (
        "from now on listens to {group} only from {sources}",
        "leaves {group}",
    ),
    mldv2.CHANGE_TO_EXCLUDE_MODE: (
        "from now on listens to {group}, but not from {sources}",
        "joins {group}",
    ),
    mldv2.ALLOW_NEW_SOURCES: ("listens to {group} also from {sources}", "allows no new source for {group}"),
    mldv2.BLOCK_OLD_SOURCES: (
        "listens to {group} no longer from {sources}",
        "blocks no source of {group}",
    ),
}


def query(message: Message) -> str:
    """A query of either version: RFC 3810 8.1 tells them apart by their length."""
    octets = message.octets
    if len(octets) < mld.MESSAGE_LENGTH:
        return f"MLD query, cut short ({count(len(octets), 'octet')})"
    if len(octets) == mld.MESSAGE_LENGTH:
        _, _, _, delay, _, group = mld.HEADER.unpack_from(octets)
        return f"MLD version 1 query: {_question(group)} Answer within {seconds(delay)}"
    if len(octets) < mld.V2_QUERY_LENGTH:
        return f"MLD query of no version ({count(len(octets), 'octet')})"
    _, _, _, code, _, group, flags, qqic, number = mld.V2_QUERY_HEADER.unpack_from(octets)
    sources = octets[mld.V2_QUERY_LENGTH :][: 16 * number]
    delay = mldv2.maximum_response_delay(code)
    text = f"MLD version 2 query: {_question(group, addresses(sources))} Answer within {seconds(delay)}"
    text += f" (robustness {flags & mldv2.QRV_MASK}, a query every {mldv2.query_interval(qqic)} s"
    if flags & mldv2.FLAG_SUPPRESS:
        text += ", routers keep their timers"
    return text + _missing(number - len(sources) // 16, "source") + ")"


def _question(group: bytes, sources: str = "") -> str:
    if group == UNSPECIFIED:
        return "which groups have listeners here?"
    name = format_address(group)
    return f"who listens to {name} from {sources}?" if sources else f"who listens to {name}?"


def _missing(number: int, unit: str) -> str:
    return f", {count(number, unit)} announced but missing" if number > 0 else ""


def report(message: Message) -> str:
    """RFC 2710 3.1: a version 1 report."""
    group = message.octets[8:24]
    if len(group) < 16:
        return "MLD version 1 report, cut short"
    return f"MLD version 1 report: listens to {format_address(group)}"


def done(message: Message) -> str:
    """RFC 2710 3.1: Done."""
    group = message.octets[8:24]
    if len(group) < 16:
        return "MLD version 1 Done, cut short"
    return f"MLD version 1 Done: no longer listens to {format_address(group)}"


def report_v2(message: Message) -> str:
    """RFC 3810 5.2: a version 2 report, record by record."""
    octets = message.octets
    if len(octets) < mldv2.REPORT_HEADER.size:
        return "MLD version 2 report, cut short"
    number = mldv2.REPORT_HEADER.unpack_from(octets)[4]
    at = mldv2.REPORT_HEADER.size
    records: list[str] = []
    while len(records) < number and at + mldv2.RECORD_HEADER.size <= len(octets):
        kind, auxiliary, sources, group = mldv2.RECORD_HEADER.unpack_from(octets, at)
        at += mldv2.RECORD_HEADER.size
        records.append(_record(kind, group, octets[at : at + 16 * sources], sources))
        at += 16 * sources + 4 * auxiliary
    text = "; ".join(records) if records else "nothing"
    return f"MLD version 2 report: {text}{_missing(number - len(records), 'record')}"


def _record(kind: int, group: bytes, sources: bytes, announced: int) -> str:
    name = format_address(group)
    missing = _missing(announced - len(sources) // 16, "source")
    forms = _RECORDS.get(kind)
    if forms is None:
        return f"record of unknown type {kind} for {name}{missing}"
    listed = addresses(sources)
    return forms[0 if listed else 1].format(group=name, sources=listed) + missing
