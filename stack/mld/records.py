"""Multicast address records of version 2 reports (RFC 3810 5.2): which ones a change or a query calls for; packing.

The two tables of section 6 that say what is sent are here: of a change of the
interface's filter (6.1), and of a current state (6.3). Records are packed into
as few reports as the MTU allows; one that is too long alone is split or cut as
5.2.15 has it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from stack.address import IPv6Address, format_address
from stack.mld.filters import FilterMode, SourceFilter
from stack.wire import icmpv6, mldv2
from stack.wire.mldv2 import Record

_SOURCE_LENGTH = 16
_RECORD_HEADER_LENGTH = mldv2.RECORD_HEADER.size
_REPORT_HEADER_LENGTH = mldv2.REPORT_HEADER.size
# 5.2.15: what these records leave out is not reported at all, since a second one would take back the first.
_ONE_RECORD_ONLY = (mldv2.MODE_IS_EXCLUDE, mldv2.CHANGE_TO_EXCLUDE_MODE)

# The beginning of the record of a group with all its sources in a current state; the group follows.
IS_EXCLUDE_NOTHING = mldv2.RECORD_HEADER.pack(mldv2.MODE_IS_EXCLUDE, 0, 0, bytes(16))[:4]


class Difference(NamedTuple):
    """What a change of the interface's filter calls for (6.1): a mode change, or sources gained and lost."""

    mode_changed: bool
    sources: frozenset[IPv6Address]


def difference(before: SourceFilter, after: SourceFilter) -> Difference:
    """The four rows of the table in 6.1; the sources are those of ALLOW and BLOCK together."""
    if before.mode is not after.mode:
        return Difference(True, frozenset())
    return Difference(False, before.sources ^ after.sources)


def mode_change(group: IPv6Address, current: SourceFilter) -> Record:
    """TO_IN or TO_EX with all sources of the current state (6.1)."""
    include = current.mode is FilterMode.INCLUDE
    kind = mldv2.CHANGE_TO_INCLUDE_MODE if include else mldv2.CHANGE_TO_EXCLUDE_MODE
    return _record(kind, group, current.sources)


def source_changes(group: IPv6Address, current: SourceFilter, sources: Iterable[IPv6Address]) -> list[Record]:
    """ALLOW for those of `sources` that are to be forwarded now, BLOCK for the others; an empty one is left out."""
    allowed = frozenset(source for source in sources if current.passes(source))
    blocked = frozenset(sources) - allowed
    records = (
        _record(mldv2.ALLOW_NEW_SOURCES, group, allowed),
        _record(mldv2.BLOCK_OLD_SOURCES, group, blocked),
    )
    return [record for record in records if record.sources]


def current_state(group: IPv6Address, current: SourceFilter) -> Record:
    """IS_IN or IS_EX, in answer to a general or an address specific query (6.3 rules 1 and 2)."""
    kind = mldv2.MODE_IS_INCLUDE if current.mode is FilterMode.INCLUDE else mldv2.MODE_IS_EXCLUDE
    return _record(kind, group, current.sources)


def current_sources(group: IPv6Address, current: SourceFilter, asked: Iterable[IPv6Address]) -> Record | None:
    """IS_IN of those sources asked for that are wanted (6.3 rule 3: A*B, or B-A); None if none is."""
    wanted = frozenset(source for source in asked if current.passes(source))
    return _record(mldv2.MODE_IS_INCLUDE, group, wanted) if wanted else None


def _record(kind: int, group: IPv6Address, sources: Iterable[IPv6Address]) -> Record:
    # In an order of their own, so that what 5.2.15 cuts off is the same each time.
    return Record(kind, group, tuple(sorted(sources)))


def notation(record: Record) -> str:
    """A record as section 6 writes it, without its group: `TO_EX ({})`, `ALLOW ({2001:db8::1})`."""
    return f"{mldv2.RECORD_NAMES[record.type]} ({{{', '.join(map(format_address, record.sources))}}})"


def encode(record: Record, capacity: int) -> list[bytes]:
    """A record as octets, in several records if it is longer than `capacity` octets (5.2.15)."""
    most = max(1, (capacity - _RECORD_HEADER_LENGTH) // _SOURCE_LENGTH)
    sources = record.sources
    if len(sources) <= most:
        return [mldv2.record(record)]
    if record.type in _ONE_RECORD_ONLY:
        sources = sources[:most]
    parts = (sources[start : start + most] for start in range(0, len(sources), most))
    return [mldv2.record(record._replace(sources=part)) for part in parts]


def capacity_of(room: int) -> int:
    """How many octets of records go into a report for which there are `room` octets."""
    return room - _REPORT_HEADER_LENGTH


def pack(records: Iterable[bytes], capacity: int) -> list[bytes]:
    """Encoded records in their order in as few reports as it takes; each without its checksum."""
    reports: list[bytes] = []
    part: list[bytes] = []
    size = 0
    for record in records:
        if size + len(record) > capacity and part:
            reports.append(_report(part))
            part, size = [], 0
        part.append(record)
        size += len(record)
    if part:
        reports.append(_report(part))
    return reports


def _report(records: list[bytes]) -> bytes:
    return mldv2.REPORT_HEADER.pack(icmpv6.MLDV2_REPORT, 0, 0, 0, len(records)) + b"".join(records)
