"""Fragments of packets from our peer (RFC 8200 4.5), built by hand."""

import struct
from collections.abc import Iterable

from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Header, chain, fragment, frame, icmp, packet

OTHER = "fe80::2"
IDENTIFICATION = 0x0A0B0C0D


def echo(data: bytes, *, source: str = PEER_LINK_LOCAL) -> bytes:
    """An echo request (RFC 4443 4.1)."""
    return icmp(source, OUR_LINK_LOCAL, 128, 0, struct.pack("!HH", 7, 1) + data)


ECHO = echo(b"abcdefgh")


def part(
    octets: bytes,
    start: int,
    more: bool,
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str = OUR_LINK_LOCAL,
    identification: int = IDENTIFICATION,
    before: Iterable[Header] = (),
    last: int = 58,
    hop_limit: int = 64,
    traffic_class: int = 0,
) -> bytes:
    """A frame with these octets of a packet, from octet `start` on; `last` names what the whole of them begins with."""
    header = fragment(start // 8, more, identification=identification)
    first, payload = chain((*before, header), last, octets)
    whole = packet(source, destination, payload, next_header=first, hop_limit=hop_limit)
    # RFC 8200 3: eight bits behind the four of the version.
    return frame((6 << 12 | traffic_class << 4).to_bytes(2, "big") + whole[2:])


def cut(octets: bytes, size: int) -> list[bytes]:
    """All of a packet's octets in fragments with `size` of them, a multiple of 8."""
    return [part(octets[at : at + size], at, at + size < len(octets)) for at in range(0, len(octets), size)]
