"""Playbooks: this comes in, that must go out, nothing else (on one host, in virtual time).

`Play` is a host with one interface whose driver is a list. Packets from the
link are built here by hand from the RFCs' pictures, never with the code under
test; `Sent` takes our frames apart the same way.
"""

import struct
from collections.abc import Iterable
from random import Random
from socket import AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from stack.discard import Outcome
from stack.events import Event
from stack.host import Host
from stack.multicast_filter import FilterPlan
from stack.settings import Settings

OUR_MAC = bytes.fromhex("02006e000001")
OUR_LINK_LOCAL = "fe80::6eff:fe00:1"
PEER_MAC = bytes.fromhex("020070000002")
PEER_LINK_LOCAL = "fe80::70ff:fe00:2"

ROUTER_ALERT_HEADER = bytes.fromhex("3a00050200000100")  # next header 58; router alert, then PadN


def ip(text: str) -> bytes:
    """The 16 bytes of an address."""
    return inet_pton(AF_INET6, text)


def text(address: bytes) -> str:
    """The text of 16 bytes."""
    return inet_ntop(AF_INET6, address)


def group_mac(group: bytes) -> bytes:
    """RFC 2464 7."""
    return b"\x33\x33" + group[12:]


def checksum(source: bytes, destination: bytes, next_header: int, message: bytes) -> int:
    """RFC 1071, word by word, as slow and plain as can be."""
    data = source + destination + struct.pack("!IxxxB", len(message), next_header) + message
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def icmp(source: str, destination: str, kind: int, code: int, body: bytes) -> bytes:
    """An ICMPv6 message with its checksum; `body` is everything after the checksum field."""
    message = bytes((kind, code, 0, 0)) + body
    value = checksum(ip(source), ip(destination), 58, message)
    return message[:2] + struct.pack("!H", value) + message[4:]


def packet(
    source: str, destination: str, payload: bytes, *, next_header: int = 58, hop_limit: int = 255, length: int = -1
) -> bytes:
    """An IPv6 packet; `length` overrides the payload length field."""
    size = len(payload) if length < 0 else length
    return struct.pack("!IHBB", 6 << 28, size, next_header, hop_limit) + ip(source) + ip(destination) + payload


def frame(octets: bytes, *, to: bytes | None = None, mac: bytes = PEER_MAC, kind: int = 0x86DD) -> bytes:
    """An Ethernet frame around an IPv6 packet, to the MAC that its destination asks for if it is a group."""
    if to is None:
        destination = octets[24:40]
        to = group_mac(destination) if destination[:1] == b"\xff" else OUR_MAC
    return to + mac + struct.pack("!H", kind) + octets


def lladdr_option(kind: int, mac: bytes = PEER_MAC) -> bytes:
    """A link-layer address option (RFC 4861 4.6.1)."""
    return bytes((kind, 1)) + mac


def solicitation(
    target: str,
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str | None = None,
    options: bytes | None = None,
    hop_limit: int = 255,
    code: int = 0,
    mac: bytes = PEER_MAC,
    to: bytes | None = None,
) -> bytes:
    """A frame with a neighbour solicitation (4.3); to the solicited-node group unless told otherwise."""
    if destination is None:
        destination = text(ip("ff02::1:ff00:0")[:13] + ip(target)[13:])
    if options is None:
        options = b"" if source == "::" else lladdr_option(1, mac)
    message = icmp(source, destination, 135, code, bytes(4) + ip(target) + options)
    return frame(packet(source, destination, message, hop_limit=hop_limit), mac=mac, to=to)


def advertisement(
    target: str,
    *,
    source: str | None = None,
    destination: str = OUR_LINK_LOCAL,
    flags: str = "SO",
    options: bytes | None = None,
    hop_limit: int = 255,
    code: int = 0,
    mac: bytes = PEER_MAC,
) -> bytes:
    """A frame with a neighbour advertisement (4.4); `flags` are letters of R, S, O."""
    bits = sum({"R": 0x80, "S": 0x40, "O": 0x20}[letter] for letter in flags)
    if options is None:
        options = lladdr_option(2, mac)
    message = icmp(source or target, destination, 136, code, bytes((bits, 0, 0, 0)) + ip(target) + options)
    return frame(packet(source or target, destination, message, hop_limit=hop_limit), mac=mac)


def mld_message(
    kind: int,
    group: str,
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str | None = None,
    delay: int = 0,
    code: int = 0,
    reserved: int = 0,
    hop_limit: int = 1,
    alert: bool = True,
    extra: bytes = b"",
    cut: int | None = None,
    mac: bytes = PEER_MAC,
    to: bytes | None = None,
) -> bytes:
    """A frame with a query (130), report (131) or Done (132) of version 1 (RFC 2710 3)."""
    if destination is None:
        general = kind == 130 and group == "::"
        destination = {132: "ff02::2"}.get(kind, "ff02::1" if general else group)
    body = struct.pack("!HH", delay, reserved) + ip(group) + extra
    if cut is not None:
        body = body[: cut - 4]
    message = icmp(source, destination, kind, code, body)
    if alert:
        octets = packet(source, destination, ROUTER_ALERT_HEADER + message, next_header=0, hop_limit=hop_limit)
    else:
        octets = packet(source, destination, message, hop_limit=hop_limit)
    return frame(octets, mac=mac, to=to)


def echo_request(
    destination: str = OUR_LINK_LOCAL,
    *,
    source: str = PEER_LINK_LOCAL,
    data: bytes = b"abcdefgh",
    identifier: int = 7,
    sequence: int = 1,
    code: int = 0,
    hop_limit: int = 64,
) -> bytes:
    """A frame with an echo request (RFC 4443 4.1)."""
    message = icmp(source, destination, 128, code, struct.pack("!HH", identifier, sequence) + data)
    return frame(packet(source, destination, message, hop_limit=hop_limit))


class Header(NamedTuple):
    """An extension header: the value that announces it, and its octets but for the first, next header."""

    number: int
    rest: bytes


def options(number: int, octets: str) -> Header:
    """A hop-by-hop (0) or destination options (60) header (RFC 8200 4.3, 4.6) of options in hex.

    Pad1 options fill it up to a multiple of 8 octets.
    """
    body = bytes.fromhex(octets)
    body += bytes(-(len(body) + 2) % 8)
    return Header(number, bytes(((len(body) + 2) // 8 - 1,)) + body)


def routing(kind: int, segments_left: int, data: bytes = bytes(4)) -> Header:
    """A routing header (RFC 8200 4.4); `data` has 4 octets, or 8 more for each unit."""
    return Header(43, bytes(((len(data) - 4) // 8, kind, segments_left)) + data)


def fragment(offset: int = 0, more: bool = False, *, reserved: int = 0, identification: int = 0x01020304) -> Header:
    """A fragment header (RFC 8200 4.5); `offset` in units of 8 octets, `reserved` the two bits before the flag."""
    return Header(44, struct.pack("!BHI", 0, offset << 3 | reserved << 1 | more, identification))


def chain(headers: Iterable[Header], last: int, payload: bytes) -> tuple[int, bytes]:
    """The next header value of the IPv6 header, and everything behind it; `last` names the payload."""
    for header in reversed(tuple(headers)):
        payload = bytes((last,)) + header.rest + payload
        last = header.number
    return last, payload


class Sent(NamedTuple):
    """A frame of ours and when it left."""

    time: float
    frame: bytes

    @property
    def to(self) -> bytes:
        """Destination MAC."""
        return self.frame[:6]

    @property
    def packet(self) -> bytes:
        """The IPv6 packet."""
        return self.frame[14:]

    @property
    def source(self) -> str:
        """IPv6 source."""
        return text(self.packet[8:24])

    @property
    def destination(self) -> str:
        """IPv6 destination."""
        return text(self.packet[24:40])

    @property
    def hop_limit(self) -> int:
        """IPv6 hop limit."""
        return self.packet[7]

    @property
    def message(self) -> bytes:
        """The ICMPv6 message, behind a hop-by-hop header of 8 octets if there is one."""
        return self.packet[48:] if self.packet[6] == 0 else self.packet[40:]

    @property
    def kind(self) -> int:
        """ICMPv6 type."""
        return self.message[0]

    @property
    def target(self) -> str:
        """The address in octets 8 to 24 of the message: ND target or MLD group."""
        return text(self.message[8:24])

    def checksum_is_right(self) -> bool:
        """Judged by the plain routine above."""
        return checksum(self.packet[8:24], self.packet[24:40], 58, self.message) == 0


# RFC 3810 5.2.12
IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)


def records(report: Sent) -> list[tuple[int, str, tuple[str, ...]]]:
    """The records of a version 2 report (RFC 3810 5.2): type, group, sources; taken apart by the picture."""
    message = report.message
    (count,) = struct.unpack_from("!H", message, 6)
    found = []
    at = 8
    for _ in range(count):
        kind, words, sources = struct.unpack_from("!BBH", message, at)
        group = text(message[at + 4 : at + 20])
        at += 20
        found.append((kind, group, tuple(text(message[at + 16 * n : at + 16 * n + 16]) for n in range(sources))))
        at += 16 * sources + 4 * words
    if at != len(message):
        raise AssertionError(f"{len(message) - at} octets behind the last record")
    return found


def record_types(reports: list[Sent], group: str) -> list[int]:
    """The types of all records of a group, in order."""
    return [kind for report in reports for kind, each, _ in records(report) if each == group]


class Play:
    """One host in virtual time; its frames are collected with their times, its events and filter plans too."""

    def __init__(self, seed: int = 1, **settings: int | str) -> None:
        self.now = 0.0
        self.plans: list[FilterPlan] = []
        self.log: list[tuple[str, object]] = []
        self.refuse_filter = False
        # MLD version 1 and no router solicitations unless a test asks for them: what it is not about it sees in
        # the simpler form, or not at all.
        self.host = Host(Random(seed), Settings(force_mld_version=1, router_solicitations=0))
        for name, value in settings.items():
            self.host.settings.set_text(name, str(value))
        self.interface = self.host.attach("t0", OUR_MAC, index=3, program=self._program)
        self.events: list[Event] = []
        self.host.listeners.append(self.events.append)
        self._sent: list[Sent] = []

    def _program(self, plan: FilterPlan) -> None:
        if self.refuse_filter:
            raise OSError(22, "refused")
        self._collect()
        self.plans.append(plan)
        self.log.append(("filter", plan))

    def _collect(self) -> None:
        for _, octets in self.host.output():
            sent = Sent(self.now, octets)
            self._sent.append(sent)
            self.log.append(("frame", sent))

    def start(self, until: float | None = 20.0) -> "Play":
        """Bring the interface up and, unless `until` is None, let its start-up pass in silence."""
        self.interface.start(self.now)
        self.settle()
        if until is not None:
            self.run(until)
            self.sent()
            self.events.clear()
            self.plans.clear()
            self.log.clear()
        return self

    def meet(self, address: str = PEER_LINK_LOCAL) -> "Play":
        """Make our peer a neighbour that was just found reachable, so that no probe is due for a while."""
        self.receive(solicitation(OUR_LINK_LOCAL, source=address))
        self.receive(advertisement(address))
        self.sent()
        return self

    def settle(self) -> None:
        """After a call on the host: run what is due and collect what it sent."""
        self.host.advance(self.now)
        self._collect()

    def run(self, until: float) -> None:
        """Let time pass up to `until`, timer by timer."""
        while (deadline := self.host.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.settle()
        self.now = max(self.now, until)

    def receive(self, octets: bytes) -> Outcome:
        """One frame from the link, now."""
        outcome = self.host.receive(octets, self.now)
        self.settle()
        return outcome

    def sent(self, kind: int | None = None) -> list[Sent]:
        """The frames sent since the last such call (of one ICMPv6 type if named; the others are dropped)."""
        self._collect()
        frames, self._sent = self._sent, []
        return frames if kind is None else [each for each in frames if each.kind == kind]

    def join(self, group: str, delay: float = 0.0, owner: str = "user"):  # type: ignore[no-untyped-def]
        """Join a group; the membership."""
        membership = self.interface.listener.join(ip(group), self.now, delay=delay, owner=owner)
        self.settle()
        return membership

    def leave(self, membership) -> None:  # type: ignore[no-untyped-def]
        """Give a membership back."""
        self.interface.listener.leave(membership, self.now)
        self.settle()

    def add_address(self, address: str, length: int = 64, **options: object) -> None:
        """Add an address as a user does."""
        self.interface.addresses.add(ip(address), length, self.now, **options)  # type: ignore[arg-type]
        self.settle()

    def remove_address(self, address: str) -> None:
        """Remove an address as a user does."""
        self.interface.addresses.remove(ip(address), self.now)
        self.settle()

    def ping(self, address: str = PEER_LINK_LOCAL) -> list[object]:
        """Send one echo request of our own; the list that answers and errors will be put in."""
        heard: list[object] = []
        self.host.echoes.open(self.interface, ip(address), heard.append).send(1, self.now)
        self.settle()
        return heard

    def address(self, address: str = OUR_LINK_LOCAL) -> str | None:
        """The state of an address of ours, or None."""
        entry = self.interface.addresses.get(ip(address))
        return entry.state.value if entry is not None else None

    def told(self, kind: str) -> list[Event]:
        """The events of one kind so far."""
        return [event for event in self.events if event.kind == kind]

    def neighbour(self, address: str) -> str | None:
        """The state of a neighbour entry, or None."""
        entry = self.interface.resolver.cache.get(ip(address))
        return entry.state.value if entry is not None else None
