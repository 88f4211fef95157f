"""Where everything stands in a frame: fields, headers, options and checksums by their octets.

For those who change frames: the re-addresser and the mutators. The offsets come
from the declarations in `stack.wire`. A frame of any octets is read as far as it
makes sense, a packet quoted in an error included; nothing is judged.
"""

from typing import Any, NamedTuple

from stack.address import multicast_mac
from stack.wire import ethernet, extension, icmpv6, ipv6, mld, mldv2, nd, router, udp
from stack.wire.checksum import ones_sum

ADDRESS, MAC, NUMBER = "address", "mac", "number"
TCP = 6
_TAGS = (ethernet.ETHERTYPE_VLAN, 0x88A8, 0x9100)
_QUOTES = 2
_MAXIMUM_HEADERS = 40
_MAXIMUM_ITEMS = 512


class Field(NamedTuple):
    """A field of a header or message: `length` octets at `offset`, its `name` in the RFC, and what it is."""

    offset: int
    length: int
    name: str
    kind: str


class Header(NamedTuple):
    """An extension header of the outermost packet; `pointer` is where the octet stands that names it."""

    number: int
    start: int
    end: int
    pointer: int


class Option(NamedTuple):
    """One option, type and length octets included; `nd` says that its length counts 8 octets."""

    start: int
    end: int
    nd: bool


class Sum(NamedTuple):
    """A checksum: the octets that it covers, where it stands, where its source and destination stand, for what."""

    start: int
    end: int
    at: int
    addresses: int
    protocol: int


class Dissection:
    """What is where in `octets`; the offsets count from the start of the frame.

    `ip` is where the IPv6 header begins, -1 without one; `upper` where the last
    header is followed by something that is not an extension header, and `protocol` is that.
    Quoted packets add fields and sums, the inner before the outer.
    """

    __slots__ = ("_fields", "_placed", "headers", "ip", "octets", "options", "protocol", "sums", "upper")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        # Formats with where they begin and what they end before; most who look at a frame ask for no field.
        self._placed: list[tuple[Layout, int, int]] = []
        self._fields: list[Field] | None = None
        self.headers: list[Header] = []
        self.options: list[Option] = []
        self.sums: list[Sum] = []
        self.ip = -1
        self.upper = -1
        self.protocol = -1
        self._link()

    @property
    def fields(self) -> list[Field]:
        """All fields, those of a message's header before those of what it holds."""
        found = self._fields
        if found is None:
            found = self._fields = [
                Field(at + offset, length, name, kind)
                for layout, at, end in self._placed
                for name, offset, length, kind in layout
                if at + offset + length <= end
            ]
        return found

    def _put(self, layout: "Layout", at: int, end: int) -> bool:
        """Add the fields of a format that fit before `end`; whether all of them did."""
        self._placed.append((layout, at, end))
        return not layout or at + layout[-1][1] + layout[-1][2] <= end

    def _link(self) -> None:
        octets = self.octets
        if not self._put(_ETHERNET, 0, len(octets)):
            return
        at = ethernet.HEADER_LENGTH
        kind = int.from_bytes(octets[12:14], "big")
        while kind in _TAGS and self._put(_TAG, at, len(octets)):
            kind = int.from_bytes(octets[at + 2 : at + 4], "big")
            at += ethernet.TAG_LENGTH
        if kind == ethernet.ETHERTYPE_IPV6 and at + ipv6.HEADER_LENGTH <= len(octets) and octets[at] >> 4 == 6:
            self.ip = at
            self._packet(at, len(octets), 0)

    def _packet(self, at: int, limit: int, depth: int) -> None:
        octets = self.octets
        if not self._put(_IPV6, at, limit):
            return
        end = min(limit, at + ipv6.HEADER_LENGTH + int.from_bytes(octets[at + 4 : at + 6], "big"))
        next_header, pointer, here = octets[at + 6], at + 6, at + ipv6.HEADER_LENGTH
        for _ in range(_MAXIMUM_HEADERS):
            if next_header not in _EXTENSIONS or here + 8 > end:
                break
            length = 8 if next_header == ipv6.FRAGMENT else 8 + 8 * octets[here + 1]
            stop = min(here + length, end)
            self._extension(next_header, here, stop)
            if not depth:
                self.headers.append(Header(next_header, here, stop, pointer))
            later = next_header == ipv6.FRAGMENT and int.from_bytes(octets[here + 2 : here + 4], "big") & 0xFFF8
            next_header, pointer, here = octets[here], here, stop
            if later:
                return
        if not depth:
            self.upper, self.protocol = here, next_header
        self._upper(next_header, at, here, end, depth)

    def _extension(self, number: int, at: int, end: int) -> None:
        if number == ipv6.FRAGMENT:
            self._put(_FRAGMENT, at, end)
            return
        if number == ipv6.ROUTING:
            if self._put(_ROUTING, at, end):
                self._addresses("segment", at + 8, end)
            return
        self._put(_OPTIONS_HEADER, at, end)
        here = at + 2
        while here < end:
            size = 1 if self.octets[here] == extension.PAD1 or here + 1 >= end else 2 + self.octets[here + 1]
            self.options.append(Option(here, min(here + size, end), False))
            self._put(_OPTION, here, min(here + size, end))
            here += size

    def _addresses(self, name: str, at: int, end: int) -> None:
        for here in range(at, min(end, at + 16 * _MAXIMUM_ITEMS) - 15, 16):
            self._placed.append((((name, 0, 16, ADDRESS),), here, end))

    def _upper(self, protocol: int, ip: int, at: int, end: int, depth: int) -> None:
        if protocol == ipv6.ICMPV6 and self._put(_ICMPV6, at, end):
            self._message(self.octets[at], at, end, depth)
            self.sums.append(Sum(at, end, at + 2, ip + 8, protocol))
        elif protocol == ipv6.UDP and self._put(_UDP, at, end):
            stop = at + int.from_bytes(self.octets[at + 4 : at + 6], "big")
            # A wrong length is left to whoever reads it: the sum then covers what is there.
            self.sums.append(Sum(at, stop if at + 8 <= stop <= end else end, at + 6, ip + 8, protocol))
        elif protocol == TCP and self._put(_TCP, at, end):
            self.sums.append(Sum(at, end, at + 16, ip + 8, protocol))

    def _message(self, kind: int, at: int, end: int, depth: int) -> None:
        layout = _MESSAGES.get(kind)
        if layout is None:
            if kind < icmpv6.ECHO_REQUEST and depth < _QUOTES and self._put(_ERROR, at, end):
                self._packet(at + 8, end, depth + 1)
            return
        if not self._put(layout, at, end):
            return
        here = at + layout[-1][1] + layout[-1][2]
        if kind in _WITH_OPTIONS:
            self._nd_options(here, end, depth)
        elif kind == icmpv6.MLD_QUERY and self._put(_V2_QUERY, at, end):
            self._addresses("source", at + mld.V2_QUERY_LENGTH, end)
        elif kind == icmpv6.MLDV2_REPORT:
            self._records(here, end)

    def _nd_options(self, here: int, end: int, depth: int) -> None:
        octets = self.octets
        while here + 8 <= end:
            kind, size = octets[here], 8 * octets[here + 1]
            stop = min(here + (size or 8), end)
            self.options.append(Option(here, stop, True))
            self._put(_ND_OPTION, here, stop)
            self._put(_ND_OPTIONS.get(kind, ()), here + 2, stop)
            if kind == router.RECURSIVE_DNS_SERVER:
                self._addresses("server", here + 8, stop)
            elif kind == nd.REDIRECTED_HEADER and depth < _QUOTES:
                self._packet(here + 8, stop, depth + 1)
            if not size:
                return
            here = stop

    def _records(self, here: int, end: int) -> None:
        for _ in range(_MAXIMUM_ITEMS):
            if not self._put(_RECORD, here, end):
                return
            words, count = self.octets[here + 1], int.from_bytes(self.octets[here + 2 : here + 4], "big")
            stop = min(here + 20 + 16 * count, end)
            self._addresses("source", here + 20, stop)
            here = stop + 4 * words


Layout = tuple[tuple[str, int, int, str], ...]


def _layout(declaration: Any) -> Layout:
    """Name, offset, length and kind of each field of a flat declaration; a list at its end is left out."""
    found = []
    offset = 0
    for field in declaration.subcons:
        size = _size(field)
        if size is None:
            break
        kind = ADDRESS if size == 16 else MAC if size == 6 else NUMBER
        found.append((str(field.name), offset, size, kind))
        offset += size
    return tuple(found)


def _size(field: Any) -> int | None:
    """Octets of a field, None where that depends on others."""
    return field.sizeof() if "Greedy" not in repr(field) else None


_ETHERNET = _layout(ethernet.ETHERNET)
_TAG = _layout(ethernet.VLAN_TAG)
_IPV6 = _layout(ipv6.IPV6)
_FRAGMENT = _layout(extension.FRAGMENT_HEADER)
_ROUTING = _layout(extension.ROUTING_FIXED)
_OPTIONS_HEADER: Layout = (("next_header", 0, 1, NUMBER), ("header_extension_length", 1, 1, NUMBER))
_OPTION: Layout = (("type", 0, 1, NUMBER), ("length", 1, 1, NUMBER))
_ND_OPTION = _OPTION
_ICMPV6 = _layout(icmpv6.ICMPV6)
_ERROR = _layout(icmpv6.ERROR_FIXED)[3:]
_UDP = _layout(udp.UDP_HEADER)
_TCP: Layout = (
    *(("source_port", 0, 2, NUMBER), ("destination_port", 2, 2, NUMBER), ("sequence", 4, 4, NUMBER)),
    *(("acknowledgment", 8, 4, NUMBER), ("offset_and_flags", 12, 2, NUMBER), ("window", 14, 2, NUMBER)),
    *(("checksum", 16, 2, NUMBER), ("urgent", 18, 2, NUMBER)),
)
_V2_QUERY = _layout(mld.V2_QUERY)[6:]
_RECORD = _layout(mldv2.RECORD)
# Behind type, code and checksum, which all messages share.
_MESSAGES: dict[int, Layout] = {
    icmpv6.ECHO_REQUEST: _layout(icmpv6.ECHO)[3:],
    icmpv6.ECHO_REPLY: _layout(icmpv6.ECHO)[3:],
    icmpv6.MLD_QUERY: _layout(mld.MLD)[3:],
    icmpv6.MLD_REPORT: _layout(mld.MLD)[3:],
    icmpv6.MLD_DONE: _layout(mld.MLD)[3:],
    icmpv6.MLDV2_REPORT: _layout(mldv2.REPORT)[3:],
    icmpv6.ROUTER_SOLICITATION: _layout(nd.ROUTER_SOLICITATION_MESSAGE)[3:],
    icmpv6.ROUTER_ADVERTISEMENT: _layout(router.ROUTER_ADVERTISEMENT_MESSAGE)[3:],
    icmpv6.NEIGHBOR_SOLICITATION: _layout(nd.NEIGHBOR_SOLICITATION_MESSAGE)[3:],
    icmpv6.NEIGHBOR_ADVERTISEMENT: _layout(nd.NEIGHBOR_ADVERTISEMENT_MESSAGE)[3:],
    icmpv6.REDIRECT: _layout(router.REDIRECT_MESSAGE)[3:],
}
_WITH_OPTIONS = frozenset(range(icmpv6.ROUTER_SOLICITATION, icmpv6.REDIRECT + 1))
_LINK_LAYER = _layout(nd.LINK_LAYER_OPTION)[2:]
# What follows type and length.
_ND_OPTIONS: dict[int, Layout] = {
    nd.SOURCE_LINK_LAYER_ADDRESS: tuple((name, 0, length, kind) for name, _, length, kind in _LINK_LAYER),
    nd.TARGET_LINK_LAYER_ADDRESS: tuple((name, 0, length, kind) for name, _, length, kind in _LINK_LAYER),
    nd.PREFIX_INFORMATION: _layout(router.PREFIX_INFORMATION_DATA),
    nd.MTU: _layout(router.MTU_DATA),
    router.ROUTE_INFORMATION: _layout(router.ROUTE_INFORMATION_DATA),
    router.RECURSIVE_DNS_SERVER: _layout(router.DNS_DATA),
    router.DNS_SEARCH_LIST: _layout(router.DNS_DATA),
}
_EXTENSIONS = frozenset((ipv6.HOP_BY_HOP, ipv6.DESTINATION_OPTIONS, ipv6.ROUTING, ipv6.FRAGMENT))


def verifies(dissection: Dissection, each: Sum) -> bool:
    """Whether a checksum is right for what the frame holds of its message."""
    octets = dissection.octets
    return ones_sum(_covered(octets, each)) == 0


def adjusted(octets: bytearray, before: bytes, sums: list[Sum]) -> None:
    """Change each checksum by what its octets have changed by: right ones stay right, wrong ones wrong (RFC 1624)."""
    for each in sums:
        delta = (ones_sum(_covered(octets, each)) - ones_sum(_covered(before, each))) % 0xFFFF
        value = int.from_bytes(octets[each.at : each.at + 2], "big")
        if delta and not (value == 0 and each.protocol == ipv6.UDP):
            _write(octets, each, (value - delta) % 0xFFFF)


def repair(octets: bytearray, each: Sum) -> None:
    """Make a checksum right."""
    octets[each.at : each.at + 2] = b"\0\0"
    _write(octets, each, -ones_sum(_covered(octets, each)) % 0xFFFF)


def _write(octets: bytearray, each: Sum, value: int) -> None:
    # RFC 8200 8.1: UDP's zero would say that there is none.
    value = value or (0xFFFF if each.protocol == ipv6.UDP else 0)
    octets[each.at : each.at + 2] = value.to_bytes(2, "big")


def _covered(octets: bytes | bytearray, each: Sum) -> bytes:
    message = bytes(octets[each.start : each.end])
    pseudo = len(message).to_bytes(4, "big") + each.protocol.to_bytes(4, "big")
    return bytes(octets[each.addresses : each.addresses + 32]) + pseudo + message


def follow_group(octets: bytearray, ip: int, before: bytes) -> None:
    """Give the frame the MAC of its group where it had that of the group before (RFC 2464 7)."""
    if before[ip + 24] == 0xFF and before[:6] == multicast_mac(before[ip + 24 : ip + 40]):
        octets[:6] = multicast_mac(bytes(octets[ip + 24 : ip + 40]))
