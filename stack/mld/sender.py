"""From a listener onto the link: reports and Done of either version, their source address, and the limit on answers."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stack.address import ALL_MLDV2_ROUTERS, ALL_ROUTERS, UNSPECIFIED, IPv6Address
from stack.bucket import TokenBucket
from stack.mld import records
from stack.mld.filters import EVERYTHING
from stack.mld.groups import GroupRecord
from stack.wire import extension, icmpv6, ipv6, mld
from stack.wire.checksum import with_checksum
from stack.wire.mldv2 import Record

if TYPE_CHECKING:
    from stack.interface import Interface
    from stack.mld.listener import MulticastListener

HOP_LIMIT = 1
_HEADERS_LENGTH = ipv6.HEADER_LENGTH + len(extension.MLD_HOP_BY_HOP_BYTES)


class Sender:
    """What an interface's listener says leaves here."""

    __slots__ = ("_bucket", "_interface", "_listener")

    def __init__(self, interface: "Interface", listener: "MulticastListener") -> None:
        self._interface = interface
        self._listener = listener
        self._bucket = TokenBucket()

    def reserve(self, now: float, packets: int, burst: int) -> float:
        """A place for `packets` answers within `mld_ratelimit`: the time, `now` or later, at which they may leave."""
        rate = self._interface.host.settings.mld_ratelimit
        due = self._bucket.reserve(now, rate, max(rate, burst), packets)
        if due > now:
            self._interface.host.counters.mld_delayed += 1
        return due

    def give_back(self, packets: int = 1) -> None:
        """Reserved answers will not be sent after all."""
        self._bucket.give_back(packets)

    def source(self) -> IPv6Address | None:
        """Where messages come from: a valid link-local address, :: until there is one (RFC 3590 4).

        None while nothing may be said: the interface is down, disabled (RFC 4862 5.4.5), or has no address at
        all (SEED section 5).
        """
        addresses = self._interface.addresses
        if not self._listener.may_speak or not len(addresses):
            return None
        personality = self._listener.personality
        valid = addresses.link_local()
        if personality.finds_valid_source and personality.reports_from_unspecified:
            return valid or UNSPECIFIED
        first = addresses.first_link_local()
        if first is None:
            return None
        return first if self._interface.is_assigned(first) else UNSPECIFIED

    def send_report(self, record: GroupRecord, now: float) -> bool:
        """A version 1 report (RFC 2710 3, 4); false if it could not leave (SEED row S84)."""
        source = self.source()
        if source is None:
            return False
        if not self._send_version_1(icmpv6.MLD_REPORT, source, record.group, record.group):
            return False
        record.reported = True
        record.reported_at = now
        record.announced = source != UNSPECIFIED
        return True

    def send_done(self, record: GroupRecord) -> None:
        """A version 1 Done (RFC 2710 4)."""
        source = self.source()
        if source is not None:
            self._send_version_1(icmpv6.MLD_DONE, source, ALL_ROUTERS, record.group)

    def send_records(self, due: Iterable[Record], groups: Iterable[IPv6Address], now: float) -> None:
        """Version 2 records about `groups` in as few reports as the MTU allows."""
        known = self._listener.groups.records
        told = [known[group] for group in groups if group in known]
        self.send_reports(self.pack_records(due), told, now)

    def pack_records(self, due: Iterable[Record]) -> list[bytes]:
        """Records packed into reports that the MTU allows (5.2.15)."""
        capacity = self._capacity()
        return records.pack((part for record in due for part in records.encode(record, capacity)), capacity)

    def pack_current(self, answered: Iterable[GroupRecord]) -> list[bytes]:
        """The current-state records of groups (6.3 rule 1), packed into reports."""
        capacity = self._capacity()
        encoded: list[bytes] = []
        for record in answered:
            if record.filter == EVERYTHING:
                encoded.append(records.IS_EXCLUDE_NOTHING + record.group)
            else:
                encoded += records.encode(records.current_state(record.group, record.filter), capacity)
        return records.pack(encoded, capacity)

    def send_reports(self, reports: Iterable[bytes], told: Iterable[GroupRecord], now: float) -> None:
        """Version 2 reports without their checksums (RFC 3810 5.2.13, 5.2.14), which tell of the groups `told`."""
        source = self.source()
        if source is None:
            return
        sent = True
        for report in reports:
            message = with_checksum(source, ALL_MLDV2_ROUTERS, report)
            sent = self._transmit(source, ALL_MLDV2_ROUTERS, message) and sent
        if sent:
            for record in told:
                record.last_reporter = record.reported = True
                record.reported_at = now
                record.announced = source != UNSPECIFIED

    def _capacity(self) -> int:
        return records.capacity_of(self._interface.mtu - _HEADERS_LENGTH)

    def _send_version_1(self, kind: int, source: IPv6Address, destination: IPv6Address, group: IPv6Address) -> bool:
        return self._transmit(source, destination, mld.message(kind, source, destination, group))

    def _transmit(self, source: IPv6Address, destination: IPv6Address, message: bytes) -> bool:
        payload = extension.MLD_HOP_BY_HOP_BYTES + message
        packet = ipv6.packet(source, destination, ipv6.HOP_BY_HOP, HOP_LIMIT, payload)
        sent = self._interface.transmit_multicast(packet)
        if sent:
            self._interface.host.counters.icmp_out[message[0]] += 1
        return sent
