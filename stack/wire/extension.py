"""Extension headers (RFC 8200 4): options headers, routing header, fragment header; router alert (RFC 2711)."""

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
MLD_HOP_BY_HOP_BYTES = MLD_HOP_BY_HOP.build({"next_header": 58})
