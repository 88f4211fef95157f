"""Extension headers (RFC 8200 4): options headers, routing header, fragment header; router alert (RFC 2711)."""

from collections.abc import Iterator

from construct import (
    Bytes,
    Const,
    GreedyBytes,
    GreedyRange,
    IfThenElse,
    Int8ub,
    Int16ub,
    Int32ub,
    Pass,
    Prefixed,
    Struct,
    Terminated,
    this,
)

from stack.wire import ipv6
from stack.wire.declare import derive

PAD1 = 0
PADN = 1
ROUTER_ALERT = 5
JUMBO_PAYLOAD = 0xC2

# RFC 2711 2.1: value 0 says that the datagram carries a multicast listener message.
ROUTER_ALERT_MLD = 0

OPTION = Struct("type" / Int8ub, "data" / IfThenElse(this.type == PAD1, Pass, Prefixed(Int8ub, GreedyBytes)))

OPTIONS = Struct("options" / GreedyRange(OPTION), Terminated)

# Both options headers share one form; `options` is OPTIONS over the rest of the header.
OPTIONS_HEADER = Struct(
    "next_header" / Int8ub,
    "header_extension_length" / Int8ub,
    "options" / Bytes(this.header_extension_length * 8 + 6),
)

ROUTING_FIXED = Struct(
    "next_header" / Int8ub,
    "header_extension_length" / Int8ub,
    "routing_type" / Int8ub,
    "segments_left" / Int8ub,
)

FRAGMENT_HEADER = Struct(
    "next_header" / Int8ub,
    "reserved" / Int8ub,
    "offset_and_flags" / Int16ub,
    "identification" / Int32ub,
)

# In `offset_and_flags`: the offset, of which the lowest three bits are none, is in octets then.
OFFSET_MASK = 0xFFF8
MORE_FRAGMENTS = 1

# RFC 2710 3 and SEED row S01: PadN of length 0 first, then the router alert.
MLD_HOP_BY_HOP = Struct(
    "next_header" / Int8ub,
    "header_extension_length" / Const(0, Int8ub),
    "padn_type" / Const(PADN, Int8ub),
    "padn_length" / Const(0, Int8ub),
    "router_alert_type" / Const(ROUTER_ALERT, Int8ub),
    "router_alert_length" / Const(2, Int8ub),
    "router_alert_value" / Const(ROUTER_ALERT_MLD, Int16ub),
)

ROUTING = derive(ROUTING_FIXED)
FRAGMENT = derive(FRAGMENT_HEADER)
# The end of a fragment header that stands right behind the IPv6 header, as it does in fragments of ours.
FRAGMENT_END = ipv6.HEADER_LENGTH + FRAGMENT.size
MLD_HOP_BY_HOP_BYTES = MLD_HOP_BY_HOP.build({"next_header": 58})

# Octets that one in the length field of each header stands for, beyond the first 8 (RFC 8200 4, RFC 4302 2.2).
_UNITS = {ipv6.HOP_BY_HOP: 8, ipv6.DESTINATION_OPTIONS: 8, ipv6.ROUTING: 8, ipv6.FRAGMENT: 0, ipv6.AUTHENTICATION: 4}


def is_extension(next_header: int) -> bool:
    """Whether another header may follow that which this value names."""
    return next_header in _UNITS


def is_later_fragment(packet: bytes, offset: int) -> bool:
    """Whether the fragment header at `offset` is that of a fragment behind the first; one cut short is of none."""
    return bool(int.from_bytes(packet[offset + 2 : offset + 4], "big") & OFFSET_MASK) and offset + 8 <= len(packet)


def headers(packet: bytes, next_header: int, offset: int) -> Iterator[tuple[int, int]]:
    """Each header from `offset` on, by the value that names it and its offset; the upper layer's comes last.

    The last is an extension header if that, or its length, does not end within the
    packet. Every header has 8 octets at least, so the walk ends; behind the header
    of a fragment that is not the first there is none.
    """
    while True:
        yield next_header, offset
        unit = _UNITS.get(next_header)
        if unit is None or offset + 8 > len(packet):
            return
        if next_header == ipv6.FRAGMENT and is_later_fragment(packet, offset):
            return
        next_header, offset = packet[offset], offset + 8 + unit * packet[offset + 1]
        if offset > len(packet):
            return
