"""Reassembly of fragmented packets (RFC 8200 4.5, RFC 5722, RFC 7112): what of each has arrived, and for how long.

A packet comes whole out of fragments that agree, or not at all. Overlap, or ECN
codepoints that contradict each other (RFC 3168 5.3), discard all of it, and what is
still to come of it for the rest of its time. Atomic
fragments are whole packets and never get here (RFC 6946).

Two bounds hold the memory: a share for each source, so that one that floods makes
room with its own, and one for all. What has gone longest without growing goes first:
whoever wants a packet that is arriving to go has to fill the whole memory between
two of its fragments.
"""

from bisect import bisect_left
from collections import OrderedDict
from typing import TYPE_CHECKING

from stack.address import UNSPECIFIED, IPv6Address
from stack.discard import Discard, Outcome, Verdict
from stack.icmp6 import errors
from stack.timers import Timer
from stack.wire import extension, icmpv6, ipv6

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface
    from stack.ip6.received import Received

# What one packet in parts, and each part, costs beside its octets.
PACKET_COST = 512
PART_COST = 128

# In the fragment header.
_OFFSET_FIELD = 2

# RFC 3168 5: the codepoints of the last two bits of the traffic class, each a bit of the mask of those seen.
_ECN = 0x30  # as they stand in the second octet
_NOT_ECT_SEEN, _CE_SEEN = 1 << 0b00, 1 << 0b11

# Interface, source, destination, identification.
Key = tuple[int, IPv6Address, IPv6Address, int]


class Incomplete:
    """One packet of which fragments have arrived: its parts by their offset in octets, up to `end` once that is known.

    `first` is the fragment packet of offset 0 and `head` what that has before its
    fragment header. `abandoned` is why no packet can come of it any more; `ecn` is
    the mask of the ECN codepoints of its fragments.
    """

    __slots__ = (
        "_offsets",
        "abandoned",
        "cost",
        "ecn",
        "end",
        "first",
        "head",
        "interface",
        "key",
        "octets",
        "parts",
        "timer",
    )

    def __init__(self, interface: "Interface", key: Key, timer: Timer) -> None:
        self.interface = interface
        self.key = key
        self.timer = timer
        self.first: Received | None = None
        self.head = b""
        self.parts: dict[int, bytes] = {}
        self._offsets: list[int] = []
        self.octets = 0
        self.end: int | None = None
        self.abandoned: Discard | None = None
        self.ecn = 0
        self.cost = PACKET_COST

    @property
    def reach(self) -> int:
        """Where the part that reaches furthest ends."""
        return self._offsets[-1] + len(self.parts[self._offsets[-1]]) if self._offsets else 0

    @property
    def complete(self) -> bool:
        """Whether every octet is there; none is there twice."""
        return self.octets == self.end

    def is_duplicate(self, start: int, part: bytes, more: bool) -> bool:
        """Whether exactly this part is there already."""
        return self.parts.get(start) == part and more is (start + len(part) != self.end)

    def fits(self, start: int, part: bytes, more: bool) -> bool:
        """Whether a part overlaps none that is there, and agrees with them on where the packet ends."""
        stop = start + len(part)
        if self.end is not None and (stop > self.end or not more):
            return False
        if not more and stop < self.reach:
            return False
        at = bisect_left(self._offsets, start)
        if at and self._offsets[at - 1] + len(self.parts[self._offsets[at - 1]]) > start:
            return False
        return at == len(self._offsets) or self._offsets[at] >= stop

    def add(self, start: int, part: bytes, more: bool) -> None:
        """Take a part that fits."""
        self._offsets.insert(bisect_left(self._offsets, start), start)
        self.parts[start] = part
        self.octets += len(part)
        self.cost += PART_COST + len(part)
        if not more:
            self.end = start + len(part)

    def set_first(self, received: "Received", head: bytes) -> None:
        """The fragment of offset 0: its headers are those of the packet."""
        self.first, self.head = received, head
        self.cost += len(received.packet) + len(head)

    def refusal(self, start: int, part: bytes, more: bool, ecn: int) -> Discard | None:
        """Why a part, with this mask of its ECN codepoint, and all of the packet with it, cannot be taken."""
        if not self.fits(start, part, more):
            # RFC 5722 4: all of it goes, and in silence.
            return Discard.FRAGMENT_OVERLAP
        # RFC 3168 5.3: congestion must not be lost, nor told of a packet that is not ECN-capable.
        mixed = _NOT_ECT_SEEN | _CE_SEEN
        return Discard.FRAGMENT_ECN if (self.ecn | ecn) & mixed == mixed else None

    def abandon(self, reason: Discard) -> None:
        """Let all that has arrived go."""
        self.abandoned = reason
        self.first, self.end = None, None
        self.parts.clear()
        self._offsets.clear()
        self.octets = 0
        self.cost = PACKET_COST

    def whole(self) -> bytes:
        """The packet: the headers of the first fragment, then all parts in their order."""
        fragmentable = b"".join(self.parts[start] for start in self._offsets)
        length = len(self.head) - ipv6.HEADER_LENGTH + len(fragmentable)
        # RFC 3168 5.3: CE if any fragment has it. Of other codepoints it leaves the choice: that of the first.
        second = self.head[1] | _ECN if self.ecn & _CE_SEEN else self.head[1]
        start = self.head[:1] + bytes((second,)) + self.head[2 : ipv6.PAYLOAD_LENGTH_FIELD]
        return start + length.to_bytes(2, "big") + self.head[6:] + fragmentable


class _Source:
    """What one source has in parts here, that which has not grown for longest first."""

    __slots__ = ("cost", "packets")

    def __init__(self) -> None:
        self.cost = 0
        self.packets: OrderedDict[Key, Incomplete] = OrderedDict()


class Reassembler:
    """The incomplete packets of a host."""

    __slots__ = ("_host", "_sources", "cost", "packets")

    def __init__(self, host: "Host") -> None:
        self._host = host
        # That which has not grown for longest first.
        self.packets: OrderedDict[Key, Incomplete] = OrderedDict()
        self._sources: dict[IPv6Address, _Source] = {}
        self.cost = 0

    def __len__(self) -> int:
        return len(self.packets)

    def receive(
        self, interface: "Interface", received: "Received", pointer: int, offset: int, now: float
    ) -> bytes | Outcome:
        """One fragment that is not atomic, with its header at `offset`, which the octet at `pointer` names.

        The whole packet if this was the last that it waited for, else what became of the fragment.
        """
        self._host.counters.reassembly_requests += 1
        if received.source == UNSPECIFIED:
            return Discard.SOURCE_UNSPECIFIED
        if interface.addresses.claims(received.source):
            return Discard.SOURCE_OURS
        packet = received.packet
        _, _, offset_and_flags, identification = extension.FRAGMENT.unpack_from(packet, offset)
        start, more = offset_and_flags & extension.OFFSET_MASK, bool(offset_and_flags & extension.MORE_FRAGMENTS)
        part = packet[offset + extension.FRAGMENT.size :]
        key = (interface.index, received.source, received.destination, identification)
        incomplete = self.packets.get(key)
        if incomplete is not None and incomplete.abandoned is not None:
            # RFC 5722 4: what is still to come goes the same way.
            return incomplete.abandoned
        reason = _check(interface, received, incomplete, start, part, more, offset, now)
        if reason is not None:
            return reason
        if incomplete is None:
            incomplete = self._start(interface, key, now)
        elif incomplete.is_duplicate(start, part, more):
            return Discard.FRAGMENT_DUPLICATE
        before = incomplete.cost
        ecn = 1 << ((packet[1] & _ECN) >> 4)
        reason = incomplete.refusal(start, part, more, ecn)
        if reason is not None:
            incomplete.abandon(reason)
            self._account(incomplete, before)
            return reason
        incomplete.add(start, part, more)
        incomplete.ecn |= ecn
        if start == 0:
            head = packet[:pointer] + packet[offset : offset + 1] + packet[pointer + 1 : offset]
            incomplete.set_first(received, head)
        self._account(incomplete, before)
        if incomplete.complete and incomplete.first is not None:
            return self._finish(incomplete, received)
        return self._hold(incomplete, start, part, now)

    def _start(self, interface: "Interface", key: Key, now: float) -> Incomplete:
        # 4.5: the time runs from the fragment that arrives first.
        timer = self._host.timers.at(now + self._host.settings.ip6frag_time, self._expired, key)
        incomplete = self.packets[key] = Incomplete(interface, key, timer)
        self._sources.setdefault(key[1], _Source()).packets[key] = incomplete
        self._account(incomplete, 0)
        return incomplete

    def _account(self, incomplete: Incomplete, before: int) -> None:
        change = incomplete.cost - before
        self.cost += change
        self._sources[incomplete.key[1]].cost += change

    def _finish(self, incomplete: Incomplete, received: "Received") -> bytes:
        self.remove(incomplete)
        self._host.counters.reassembly_oks += 1
        if incomplete.first is not None:
            # 4.5: what varies between the fragments is that of the first.
            received.hop_limit = incomplete.first.hop_limit
        return incomplete.whole()

    def _hold(self, incomplete: Incomplete, start: int, part: bytes, now: float) -> Outcome:
        self.packets.move_to_end(incomplete.key)
        self._sources[incomplete.key[1]].packets.move_to_end(incomplete.key)
        self._make_room(self._sources[incomplete.key[1]])
        if incomplete.key not in self.packets:
            return Discard.FRAGMENT_NO_ROOM
        if self._host.journal.on:
            what = f"fragment held: {len(part)} octets from octet {start}, of packet {incomplete.key[3]:08x}"
            self._host.journal.note(now, "ip6", what, "RFC 8200 4.5")
        return Verdict.DELIVERED

    def _make_room(self, source: _Source) -> None:
        settings = self._host.settings
        # Half of the memory for one source: the largest packet fits, in the smallest fragments too.
        while source.cost > settings.ip6frag_high_thresh // 2 or len(source.packets) > settings.max_reassemblies_source:
            many = len(source.packets) > settings.max_reassemblies_source
            self._evict(source.packets, "max_reassemblies_source" if many else "ip6frag_high_thresh")
        while self.cost > settings.ip6frag_high_thresh or len(self.packets) > settings.max_reassemblies:
            many = len(self.packets) > settings.max_reassemblies
            self._evict(self.packets, "max_reassemblies" if many else "ip6frag_high_thresh")

    def _evict(self, packets: OrderedDict[Key, Incomplete], setting: str) -> None:
        self.remove(next(iter(packets.values())))
        self._host.counters.limit_hit(setting)
        self._host.counters.reassembly_fails += 1

    def remove(self, incomplete: Incomplete) -> None:
        """Forget one, without a word."""
        incomplete.timer.cancel()
        key = incomplete.key
        source = self._sources[key[1]]
        del self.packets[key], source.packets[key]
        source.cost -= incomplete.cost
        self.cost -= incomplete.cost
        if not source.packets:
            del self._sources[key[1]]

    def forget(self, interface: "Interface") -> None:
        """The interface goes down: what has arrived there is forgotten."""
        for incomplete in [each for each in self.packets.values() if each.interface is interface]:
            self.remove(incomplete)

    def _expired(self, key: Key, now: float) -> None:
        """4.5: abandoned after 60 seconds; its sender is told if the first fragment had arrived."""
        incomplete = self.packets[key]
        self.remove(incomplete)
        if incomplete.abandoned is not None:
            return
        counters = self._host.counters
        counters.reassembly_timeouts += 1
        counters.reassembly_fails += 1
        if incomplete.first is not None:
            code = icmpv6.REASSEMBLY_TIME_EXCEEDED
            errors.send(incomplete.interface, incomplete.first, icmpv6.TIME_EXCEEDED, code, 0, now)


def _check(
    interface: "Interface",
    received: "Received",
    incomplete: Incomplete | None,
    start: int,
    part: bytes,
    more: bool,
    offset: int,
    now: float,
) -> Discard | None:
    """4.5: what is wrong with a fragment by itself; whoever sent it is told where the section says so."""
    if more and len(part) % 8:
        errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, ipv6.PAYLOAD_LENGTH_FIELD, now)
        return Discard.FRAGMENT_UNALIGNED
    headers, reach = offset, start + len(part)
    if incomplete is not None and incomplete.first is not None:
        headers = len(incomplete.head)
    elif incomplete is not None and start == 0:
        reach = max(reach, incomplete.reach)
    if headers - ipv6.HEADER_LENGTH + reach > ipv6.MAXIMUM_PAYLOAD:
        errors.parameter_problem(interface, received, icmpv6.ERRONEOUS_HEADER_FIELD, offset + _OFFSET_FIELD, now)
        return Discard.FRAGMENT_TOO_LONG
    if start == 0:
        return _check_first(interface, received, offset, now)
    return None if part else Discard.FRAGMENT_EMPTY


# Octets of the headers of upper layers (RFC 768, RFC 9293 3.1; RFC 7112 3 for ICMPv6); of others one must be there.
_UPPER_HEADERS = {ipv6.ICMPV6: 4, ipv6.UDP: 8, ipv6.TCP: 20}


def _check_first(interface: "Interface", received: "Received", offset: int, now: float) -> Discard | None:
    """Whether the chain, from the fragment header on, ends within a first fragment, and what it ends with."""
    packet = received.packet
    if packet[offset] == ipv6.HOP_BY_HOP:
        # RFC 8200 4: named by any header but the IPv6 header, it is unrecognised.
        errors.parameter_problem(interface, received, icmpv6.UNRECOGNIZED_NEXT_HEADER, offset, now)
        return Discard.HOP_BY_HOP_NOT_FIRST
    *_, (last, at) = extension.headers(packet, ipv6.FRAGMENT, offset)
    if last == ipv6.NO_NEXT_HEADER:
        return None
    if extension.is_extension(last) or at + _UPPER_HEADERS.get(last, 1) > len(packet):
        # RFC 7112 5, and the pointer as 4.5 wants it.
        errors.parameter_problem(interface, received, icmpv6.INCOMPLETE_HEADER_CHAIN, 0, now)
        return Discard.FRAGMENT_HEADERS
    if last == ipv6.ICMPV6 and icmpv6.ROUTER_SOLICITATION <= packet[at] <= icmpv6.REDIRECT:
        # RFC 6980 5: ignored in silence, so that it is not even waited for.
        return Discard.ND_FRAGMENTED
    return None
