"""One frame as a scenario speaks of it: who sent it, when, and its plain fields.

The fields are those that a reader of a capture looks at: kind of message, source,
destination, hop limit, and what the message is about.
"""

from typing import NamedTuple

from stack.address import format_address
from stack.explain import frame as explain
from stack.wire import ethernet, icmpv6, ipv6, mldv2, nd

_ABOUT_AN_ADDRESS = (
    icmpv6.NEIGHBOR_SOLICITATION,
    icmpv6.NEIGHBOR_ADVERTISEMENT,
    icmpv6.MLD_QUERY,
    icmpv6.MLD_REPORT,
    icmpv6.MLD_DONE,
)
_FLAGS = (("R", nd.FLAG_ROUTER), ("S", nd.FLAG_SOLICITED), ("O", nd.FLAG_OVERRIDE))


class Record(NamedTuple):
    """A record of a version 2 report; `kind` by its name in RFC 3810 5.2.12, addresses as text."""

    kind: str
    group: str
    sources: frozenset[str]


class Sighting(NamedTuple):
    """A frame on the link; addresses are text, "" where there is none.

    `time` is in seconds on the clock of whoever saw it, `kind` that of
    `stack.explain`. `target` is the address asked for, or the group of a message of
    MLD version 1 or of a query; `flags` those of an advertisement, of R, S and O.
    """

    time: float
    who: str
    octets: bytes
    kind: str
    source: str = ""
    destination: str = ""
    hop_limit: int = 0
    target: str = ""
    flags: str = ""
    code: int = 0
    records: tuple[Record, ...] = ()


def sight(time: float, who: str, octets: bytes) -> Sighting:
    """Take a frame of any bytes apart."""
    account = explain.account(octets)
    if account.source is None or account.destination is None:
        return Sighting(time, who, octets, account.kind)
    packet = octets[ethernet.HEADER_LENGTH :]
    message = _message(packet)
    number = message[0] if message else -1
    return Sighting(
        time,
        who,
        octets,
        account.kind,
        format_address(account.source),
        format_address(account.destination),
        packet[7],
        format_address(message[8:24]) if number in _ABOUT_AN_ADDRESS and len(message) >= nd.FIXED_LENGTH else "",
        _flags(message) if number == icmpv6.NEIGHBOR_ADVERTISEMENT and len(message) >= nd.FIXED_LENGTH else "",
        message[1] if len(message) > 1 else 0,
        _records(message) if number == icmpv6.MLDV2_REPORT else (),
    )


def _message(packet: bytes) -> bytes:
    """The ICMPv6 message of a packet, behind a hop-by-hop header or none; empty for anything else."""
    start, following = ipv6.HEADER_LENGTH, packet[6]
    if following == ipv6.HOP_BY_HOP and len(packet) > start + 1:
        following, start = packet[start], start + 8 + 8 * packet[start + 1]
    return packet[start:] if following == ipv6.ICMPV6 else b""


def _flags(message: bytes) -> str:
    bits = int.from_bytes(message[4:8], "big")
    return "".join(letter for letter, bit in _FLAGS if bits & bit)


def _records(message: bytes) -> tuple[Record, ...]:
    return tuple(
        Record(
            mldv2.RECORD_NAMES.get(each.type, str(each.type)),
            format_address(each.group),
            frozenset(format_address(source) for source in each.sources),
        )
        for each in mldv2.parse_report(message) or ()
    )
