"""An IPv6 packet in plain words: its header chain, its upper layer, and what is odd about it.

Nothing here judges as a host would: a packet is read as far as its octets go, and
what cannot be right is named beside it (`flaws`).
"""

from typing import NamedTuple

from stack.address import UNSPECIFIED, IPv6Address
from stack.explain import icmpv6 as messages
from stack.explain.message import Message
from stack.explain.words import address_word, count
from stack.wire import extension, icmpv6, ipv6
from stack.wire.checksum import icmpv6_verifies

_PROTOCOLS = {
    4: "IPv4 inside",
    ipv6.TCP: "TCP",
    ipv6.UDP: "UDP",
    41: "IPv6 inside",
    47: "GRE",
    50: "encrypted (ESP)",
    51: "authenticated (AH)",
    ipv6.NO_NEXT_HEADER: "no next header",
    89: "OSPF",
    103: "PIM",
    132: "SCTP",
}
_MAXIMUM_HEADERS = 32
_PART = "fragment of packet"


class PacketAccount(NamedTuple):
    """What one packet is: addresses (None without a whole header), kind, words, extension headers, flaws."""

    source: IPv6Address | None
    destination: IPv6Address | None
    kind: str
    text: str
    headers: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()


def account(packet: bytes, *, quoted: bool = False) -> PacketAccount:
    """Describe a packet of any bytes; a quoted one (inside an error) may be cut short without being odd."""
    if not packet:
        return PacketAccount(None, None, "malformed", "nothing")
    if packet[0] >> 4 != 6:
        return PacketAccount(None, None, "malformed", f"IP of version {packet[0] >> 4} where IPv6 should be")
    if len(packet) < ipv6.HEADER_LENGTH:
        return PacketAccount(None, None, "malformed", f"IPv6, cut short in its header ({count(len(packet), 'octet')})")
    _, length, next_header, hop_limit, source, destination = ipv6.HEADER.unpack_from(packet)
    payload = packet[ipv6.HEADER_LENGTH :][:length]
    missing = length - len(payload)
    headers, next_header, upper = _walk(next_header, payload)
    flaws: list[str] = []
    if missing and not quoted:
        flaws.append(f"cut short by {count(missing, 'octet')}")
    if upper is None:
        kind, text = "fragment" if next_header == ipv6.FRAGMENT else "malformed", headers.pop()
    else:
        kind = messages.kind(upper) if next_header == ipv6.ICMPV6 else _protocol(next_header)
        text = _upper_layer(next_header, upper, source, destination, quoted=quoted)
        # The checksum is over the whole message, of which a first fragment has a part.
        whole = not missing and not quoted and not any(header.startswith(_PART) for header in headers)
        flaws += _icmpv6_flaws(next_header, upper, source, destination, hop_limit, whole=whole)
    return PacketAccount(source, destination, kind, text, tuple(headers), tuple(flaws))


def _quote(packet: bytes) -> str:
    quoted = account(packet, quoted=True)
    if quoted.destination is None:
        return quoted.text
    return f"the {quoted.text} to {address_word(quoted.destination)}"


def _no_quote(packet: bytes) -> str:
    return "a packet" if packet else "nothing"


# -- the header chain (RFC 8200 4)


def _walk(next_header: int, octets: bytes) -> tuple[list[str], int, bytes | None]:
    """The extension headers in words, then the upper layer; with None for it the last word is all there is."""
    headers: list[str] = []
    for _ in range(_MAXIMUM_HEADERS):
        if next_header not in _EXTENSIONS:
            return headers, next_header, octets
        name = _EXTENSIONS[next_header]
        length = 8 if next_header == ipv6.FRAGMENT or len(octets) < 2 else 8 + 8 * octets[1]
        if len(octets) < length:
            headers.append(f"{name}, cut short")
            return headers, next_header, None
        header, octets = octets[:length], octets[length:]
        if next_header == ipv6.FRAGMENT:
            text, first = _fragment(header)
            headers.append(text)
            if not first:
                headers.append(f"a later fragment with {count(len(octets), 'octet')}")
                return headers, next_header, None
        elif next_header == ipv6.ROUTING:
            headers.append(f"{name} of type {header[2]}, {count(header[3], 'segment')} left")
        else:
            headers.append(name + _options(header[2:]))
        next_header = header[0]
    headers.append(f"more than {_MAXIMUM_HEADERS} extension headers")
    return headers, next_header, None


_EXTENSIONS = {
    ipv6.HOP_BY_HOP: "hop-by-hop options",
    ipv6.DESTINATION_OPTIONS: "destination options",
    ipv6.ROUTING: "routing header",
    ipv6.FRAGMENT: "fragment header",
}


def _fragment(header: bytes) -> tuple[str, bool]:
    _, _, offset_and_flags, identification = extension.FRAGMENT.unpack_from(header)
    offset, more = offset_and_flags & 0xFFF8, offset_and_flags & 1
    if not offset and not more:
        return "fragment header around a whole packet", True
    rest = "more follow" if more else "the last"
    return f"{_PART} {identification:08x} from octet {offset}, {rest}", not offset


def _options(octets: bytes) -> str:
    """The options of a header in words; padding goes without saying."""
    words: list[str] = []
    at = 0
    while at < len(octets):
        kind = octets[at]
        if kind == extension.PAD1:
            at += 1
            continue
        data = octets[at + 2 : at + 2 + octets[at + 1]] if at + 1 < len(octets) else b""
        if at + 2 > len(octets) or len(data) < octets[at + 1]:
            words.append("malformed")
            break
        if kind == extension.ROUTER_ALERT and len(data) == 2:
            value = int.from_bytes(data, "big")
            words.append("router alert" if value == extension.ROUTER_ALERT_MLD else f"router alert {value}")
        elif kind == extension.JUMBO_PAYLOAD:
            words.append("jumbo payload")
        elif kind != extension.PADN:
            words.append(f"option {kind}")
        at += 2 + len(data)
    return f" ({', '.join(words)})" if words else ""


# -- the upper layer


def _upper_layer(
    next_header: int, octets: bytes, source: IPv6Address, destination: IPv6Address, *, quoted: bool
) -> str:
    if next_header == ipv6.ICMPV6:
        # An error about an error is forbidden (RFC 4443 2.4 e); one that exists all the same is not followed further.
        quote = _no_quote if quoted else _quote
        return messages.describe(Message(source, destination, octets, quote))
    if next_header == ipv6.NO_NEXT_HEADER:
        return _protocol(next_header)
    if next_header in (ipv6.UDP, ipv6.TCP):
        return _ports(_protocol(next_header), next_header, octets)
    return f"{_protocol(next_header)}, {count(len(octets), 'octet')}"


def _protocol(next_header: int) -> str:
    return _PROTOCOLS.get(next_header, f"next header {next_header}")


def _ports(name: str, next_header: int, octets: bytes) -> str:
    if len(octets) < 4:
        return f"{name}, cut short"
    source, destination = int.from_bytes(octets[:2], "big"), int.from_bytes(octets[2:4], "big")
    text = f"{name} from port {source} to port {destination}"
    return (
        f"{text}, {count(len(octets) - 8, 'octet')} of data" if next_header == ipv6.UDP and len(octets) >= 8 else text
    )


def _icmpv6_flaws(
    next_header: int, octets: bytes, source: IPv6Address, destination: IPv6Address, hop_limit: int, *, whole: bool
) -> list[str]:
    if next_header != ipv6.ICMPV6 or not octets or not whole:
        return []
    flaws: list[str] = []
    expected = messages.EXPECTED_HOP_LIMITS.get(octets[0])
    if expected is not None and hop_limit != expected:
        flaws.append(f"hop limit {hop_limit} instead of {expected}")
    if octets[0] == icmpv6.ECHO_REQUEST and source == UNSPECIFIED:
        flaws.append("no source to answer to")
    if not icmpv6_verifies(source, destination, octets):
        flaws.append("wrong checksum")
    return flaws
