"""Neighbour discovery (RFC 4861 4): messages and options, the nonce option (RFC 3971 5.3.2, RFC 7527).

Options are parsed strictly: a length of 0 or one that runs past the message
voids all of it (4.6), before any option is acted on. Unknown ones keep their bytes.
"""

from typing import NamedTuple

from construct import (
    Bytes,
    Check,
    Const,
    GreedyBytes,
    GreedyRange,
    Int8ub,
    Int16ub,
    Int32ub,
    Struct,
    Terminated,
    this,
)

from stack.wire.checksum import with_checksum
from stack.wire.declare import derive
from stack.wire.icmpv6 import NEIGHBOR_ADVERTISEMENT, NEIGHBOR_SOLICITATION, ROUTER_SOLICITATION

HOP_LIMIT = 255

SOURCE_LINK_LAYER_ADDRESS = 1
TARGET_LINK_LAYER_ADDRESS = 2
PREFIX_INFORMATION = 3
REDIRECTED_HEADER = 4
MTU = 5
NONCE = 14

NONCE_LENGTH = 6

FLAG_ROUTER = 0x80000000
FLAG_SOLICITED = 0x40000000
FLAG_OVERRIDE = 0x20000000

# 4.6: the length counts units of 8 octets, the type and length fields included.
OPTION = Struct(
    "type" / Int8ub,
    "length" / Int8ub,
    Check(this.length > 0),
    "data" / Bytes(this.length * 8 - 2),
)

OPTIONS = Struct("options" / GreedyRange(OPTION), Terminated)

LINK_LAYER_OPTION = Struct("type" / Int8ub, "length" / Const(1, Int8ub), "address" / Bytes(6))

# 4.3; `target` is the address asked for.
NEIGHBOR_SOLICITATION_MESSAGE = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "reserved" / Int32ub,
    "target" / Bytes(16),
    "options" / GreedyBytes,
)

# 4.4; `flags` holds R, S, O in its three highest bits.
NEIGHBOR_ADVERTISEMENT_MESSAGE = Struct(
    "type" / Int8ub,
    "code" / Int8ub,
    "checksum" / Int16ub,
    "flags" / Int32ub,
    "target" / Bytes(16),
    "options" / GreedyBytes,
)

# 4.1
ROUTER_SOLICITATION_MESSAGE = Struct(
    "type" / Int8ub, "code" / Int8ub, "checksum" / Int16ub, "reserved" / Int32ub, "options" / GreedyBytes
)

FIXED = derive(Struct(*NEIGHBOR_SOLICITATION_MESSAGE.subcons[:-1]))
FIXED_LENGTH = FIXED.size
SOLICITING_ROUTERS = derive(Struct(*ROUTER_SOLICITATION_MESSAGE.subcons[:-1]))
LINK_LAYER = derive(LINK_LAYER_OPTION)


class Option(NamedTuple):
    """One option: its type and everything after the length octet."""

    type: int
    data: bytes


def parse_options(octets: bytes) -> tuple[Option, ...] | None:
    """The options of a message in order, or None if they are malformed (RFC 4861 4.6).

    The same as `OPTIONS` says, by hand: a flood of advertisements brings them in bulk.
    """
    found: list[Option] = []
    at = 0
    while at < len(octets):
        length = octets[at + 1] * 8 if at + 1 < len(octets) else 0
        if not length or at + length > len(octets):
            return None
        found.append(Option(octets[at], octets[at + 2 : at + length]))
        at += length
    return tuple(found)


def option_bytes(option_type: int, data: bytes) -> bytes:
    """An option whose data, with the two octets before it, fills whole units of 8."""
    return bytes((option_type, (len(data) + 2) // 8)) + data


def neighbor_solicitation(source: bytes, destination: bytes, target: bytes, options: bytes) -> bytes:
    """A neighbour solicitation (4.3) with its checksum; `options` are encoded already."""
    message = FIXED.pack(NEIGHBOR_SOLICITATION, 0, 0, 0, target) + options
    return with_checksum(source, destination, message)


def neighbor_advertisement(source: bytes, destination: bytes, target: bytes, flags: int, options: bytes) -> bytes:
    """A neighbour advertisement (4.4) with its checksum; `flags` are FLAG_* values together."""
    message = FIXED.pack(NEIGHBOR_ADVERTISEMENT, 0, 0, flags, target) + options
    return with_checksum(source, destination, message)


def router_solicitation(source: bytes, destination: bytes, options: bytes) -> bytes:
    """A router solicitation (4.1) with its checksum; `options` are encoded already."""
    return with_checksum(source, destination, SOLICITING_ROUTERS.pack(ROUTER_SOLICITATION, 0, 0, 0) + options)
