"""Router discovery and redirect (RFC 4861 4.2, 4.5) and the options that routers send (4.6.2, RFC 4191, RFC 8106)."""

import math

from construct import Bytes, Int8ub, Int16ub, Int32ub, Struct

from stack.wire.declare import derive

ROUTE_INFORMATION = 24
RECURSIVE_DNS_SERVER = 25
DNS_SEARCH_LIST = 31

INFINITE = 0xFFFFFFFF


# 4.2; RFC 4191 2.2 for the two bits of preference between H and the reserved ones.
FLAG_MANAGED = 0x80
FLAG_OTHER = 0x40
PREFERENCE_MASK = 0x18
PREFERENCES = {0x08: "high", 0x00: "medium", 0x18: "low", 0x10: "reserved"}
# RFC 4191 2.1: two's complement in two bits; 10 must not be sent.
PREFERENCE_VALUES = {0x08: 1, 0x00: 0, 0x18: -1, 0x10: None}

# 4.6.2
FLAG_ON_LINK = 0x80
FLAG_AUTONOMOUS = 0x40

# 4.2; the options follow.
ROUTER_ADVERTISEMENT_MESSAGE = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "current_hop_limit" / Int8ub,
    "flags" / Int8ub,
    "router_lifetime" / Int16ub,
    "reachable_time" / Int32ub,
    "retransmission_timer" / Int32ub,
)

# 4.5; the options follow.
REDIRECT_MESSAGE = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "reserved" / Int32ub,
    "target" / Bytes(16),
    "destination" / Bytes(16),
)

# What follows the type and length octets of each option.
PREFIX_INFORMATION_DATA = Struct(
    "prefix_length" / Int8ub,
    "flags" / Int8ub,
    "valid_lifetime" / Int32ub,
    "preferred_lifetime" / Int32ub,
    "reserved" / Int32ub,
    "prefix" / Bytes(16),
)

MTU_DATA = Struct("reserved" / Int16ub, "mtu" / Int32ub)

# RFC 4191 2.3: 0, 8 or 16 octets of prefix follow.
ROUTE_INFORMATION_DATA = Struct("prefix_length" / Int8ub, "flags" / Int8ub, "route_lifetime" / Int32ub)

# RFC 8106 5.1 and 5.2: addresses, or domain names, follow.
DNS_DATA = Struct("reserved" / Int16ub, "lifetime" / Int32ub)

ADVERTISEMENT = derive(ROUTER_ADVERTISEMENT_MESSAGE)
REDIRECT = derive(REDIRECT_MESSAGE)
PREFIX = derive(PREFIX_INFORMATION_DATA)
MTU = derive(MTU_DATA)
ROUTE = derive(ROUTE_INFORMATION_DATA)
DNS = derive(DNS_DATA)


def seconds(lifetime: int) -> float:
    """A lifetime field of 32 bits in seconds; all ones are infinity (4.6.2, RFC 4191 2.3, RFC 8106 5.1)."""
    return math.inf if lifetime == INFINITE else float(lifetime)
