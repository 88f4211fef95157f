"""Mutations that know the formats: fields, options and extension headers of one frame, and the header of its link."""

from collections.abc import Callable, Sequence

from stack.capture.dissect import ADDRESS, MAC, Dissection, Field, repair
from stack.fuzz.chance import Chance
from stack.replay.subject import OUR_ADDRESS, OUR_LINK_LOCAL, OUR_MAC
from stack.wire import ipv6

Mutation = Callable[[Dissection, Chance], bytes]

_SPECIAL = tuple(
    bytes.fromhex(text)
    for text in (
        "00000000000000000000000000000000",
        "00000000000000000000000000000001",
        "00000000000000000000ffffc0000201",
        "fe80000000000000000000000000000a",
        "20010db8006400000000000000000007",
        "ff020000000000000000000000000001",
        "ff020000000000000000000000000016",
        "ff010000000000000000000000000001",
        "ff0200000000000000000001ff000064",
        "ff0e0000000000000000000000000101",
        "ff000000000000000000000000000001",
    )
)
ADDRESSES = (*_SPECIAL, OUR_ADDRESS, OUR_LINK_LOCAL)
MACS = (OUR_MAC, b"\xff" * 6, bytes(6), bytes.fromhex("333300000001"), bytes.fromhex("02000000000a"))
HOP_LIMITS = (0, 1, 64, 254, 255)
_DISPATCHED = (0, 17, 43, 44, 50, 51, 58, 59, 60, 135, 253, 6)
_KINDS = (1, 2, 3, 4, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143, 255)


def field(found: Dissection, chance: Chance) -> bytes:
    """One field takes a value at an edge of what it may hold, or beyond."""
    if not found.fields:
        return found.octets
    each = chance.choice(found.fields)
    end = each.offset + each.length
    before = found.octets[each.offset : end]
    return found.octets[: each.offset] + _value(each, before, chance) + found.octets[end:]


def _value(each: Field, before: bytes, chance: Chance) -> bytes:
    if each.kind == ADDRESS:
        return chance.choice(ADDRESSES) if chance.happens(0.8) else chance.octets(16)
    if each.kind == MAC:
        return chance.choice(MACS)
    if each.length == 1 and each.name in _CHOICES:
        return bytes((chance.choice(_CHOICES[each.name]),))
    limit = 1 << 8 * each.length
    value = int.from_bytes(before, "big")
    edges = (0, 1, value - 1, value + 1, limit - 1, limit // 2, value * 2, value ^ limit >> 1, chance.below(limit))
    return (chance.choice(edges) % limit).to_bytes(each.length, "big")


_CHOICES: dict[str, Sequence[int]] = {"hop_limit": HOP_LIMITS, "next_header": _DISPATCHED, "type": _KINDS}


# -- options


def option(found: Dissection, chance: Chance) -> bytes:
    """An option is left out, doubled, moved to the end, given a length of 0 or too much, or an unknown type."""
    if not found.options:
        return field(found, chance)
    each = chance.choice(found.options)
    octets, start, end = found.octets, each.start, each.end
    way = chance.below(7)
    if way == 0:
        return octets[:start] + octets[end:]
    if way == 1:
        return octets[:end] + octets[start:end] + octets[end:]
    if way == 2:
        return octets[:start] + octets[end:] + octets[start:end]
    if end - start < 2:
        return octets[:start] + b"\x3e" + octets[end:]
    if way == 3:
        return octets[: start + 1] + b"\0" + octets[start + 2 :]
    if way == 4:
        return octets[: start + 1] + bytes((octets[start + 1] + chance.between(1, 200) & 0xFF,)) + octets[start + 2 :]
    if way == 5:
        return octets[:start] + bytes((chance.below(4) << 6 | 0x3E,)) + octets[start + 1 :]
    return octets[:start] + bytes((chance.choice((1, 2, 3, 4, 5, 14, 24, 25, 31, 255)),)) + octets[start + 1 :]


def more_options(found: Dissection, chance: Chance) -> bytes:
    """A neighbour discovery message gets one more option, of a known or unknown type, with any contents."""
    if found.upper < 0 or found.protocol != ipv6.ICMPV6:
        return headers(found, chance)
    kind = chance.choice((1, 2, 3, 4, 5, 14, 24, 25, 31, 38, 200))
    units = chance.choice((1, 1, 2, 3, 4, 5, 8))
    return found.octets + bytes((kind, units)) + chance.octets(units * 8 - 2)


# -- extension headers


def headers(found: Dissection, chance: Chance) -> bytes:
    """Extension headers are put before the upper layer, or one is taken out or doubled."""
    if found.ip < 0:
        return found.octets
    if found.headers and chance.happens(0.3):
        return _without_or_twice(found, chance)
    at = found.ip + ipv6.HEADER_LENGTH
    octets = found.octets
    next_header, rest = octets[found.ip + 6], octets[at:]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 9, 30))):
        kind, body = _header(chance)
        rest = bytes((next_header,)) + body + rest
        next_header = kind
    return octets[: found.ip + 6] + bytes((next_header,)) + octets[found.ip + 7 : at] + rest


def _header(chance: Chance) -> tuple[int, bytes]:
    """Number and octets, but for the first, of an extension header."""
    way = chance.below(8)
    if way == 0:
        return ipv6.HOP_BY_HOP, bytes.fromhex("00050200000100")
    if way == 1:
        return ipv6.DESTINATION_OPTIONS, bytes.fromhex("00010400000000")
    if way == 2:
        return ipv6.DESTINATION_OPTIONS, bytes((0, chance.below(4) << 6 | 0x1E, 4)) + chance.octets(4)
    if way == 3:
        return ipv6.ROUTING, bytes((2, chance.below(5), chance.below(3))) + bytes(4) + chance.choice(ADDRESSES)
    if way == 4:
        return ipv6.FRAGMENT, b"\0\0\0" + chance.octets(4)
    if way == 5:
        return ipv6.HOP_BY_HOP, b"\0\xc2\x04" + chance.octets(4)
    if way == 6:
        return ipv6.AUTHENTICATION, b"\x01\0\0" + chance.octets(8)
    return ipv6.DESTINATION_OPTIONS, bytes((chance.below(256),)) + chance.octets(6)


def _without_or_twice(found: Dissection, chance: Chance) -> bytes:
    each = chance.choice(found.headers)
    octets = found.octets
    if each.end - each.start < 8:
        return octets
    if chance.happens(0.5):
        return octets[: each.end] + bytes((each.number,)) + octets[each.start + 1 : each.end] + octets[each.end :]
    name = octets[each.start : each.start + 1]
    return octets[: each.pointer] + name + octets[each.pointer + 1 : each.start] + octets[each.end :]


# -- the link


def link(found: Dissection, chance: Chance) -> bytes:
    """A tag, a runt, a wrong or multicast MAC, octets behind the packet."""
    octets = found.octets
    way = chance.below(6)
    if way == 0:
        return octets[:12] + b"\x81\0" + chance.choice((b"\0\0", b"\x20\0", b"\0\x07")) + octets[12:]
    if way == 1:
        return octets[: chance.choice((0, 1, 13, 14, 15, 40, 53, 54))]
    if way == 2:
        return chance.choice(MACS) + octets[6:]
    if way == 3:
        return octets[:6] + chance.choice(MACS) + octets[12:]
    if way == 4:
        return octets + chance.octets(chance.between(1, 46))
    return octets[:12] + chance.choice((b"\x08\0", b"\x86\xdc", b"\x88\xa8", b"\x05\xdc")) + octets[14:]


ALL: tuple[Mutation, ...] = (field, field, field, option, more_options, headers, link)


def repaired(octets: bytes) -> bytes:
    """The frame with a payload length and checksums that are right for what it holds now."""
    found = Dissection(octets)
    if found.ip < 0:
        return octets
    after = bytearray(octets)
    at = found.ip + 4
    after[at : at + 2] = min(len(octets) - found.ip - ipv6.HEADER_LENGTH, 0xFFFF).to_bytes(2, "big")
    if bytes(after) != octets:
        found = Dissection(bytes(after))
    for each in found.sums:
        repair(after, each)
    return bytes(after)
