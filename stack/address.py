"""IPv6 and MAC address values: text forms, scope, and the addresses derived from others.

An IPv6 address is 16 bytes and a MAC address 6 bytes everywhere in the stack:
both serve directly as dictionary keys and as slices of a frame. A zone is never
inside an address (RFC 4007); it is the interface that the call names.
Solicited-node addresses are RFC 4291 2.7.1, the 33:33 mapping is RFC 2464 7,
EUI-64 identifiers RFC 4291 appendix A, opaque identifiers RFC 7217 5.
"""

import hashlib
import re
import socket

from stack.errors import UsageError

IPv6Address = bytes
MacAddress = bytes

UNSPECIFIED: IPv6Address = bytes(16)
LOOPBACK: IPv6Address = bytes(15) + b"\x01"
ALL_NODES: IPv6Address = bytes.fromhex("ff020000000000000000000000000001")
ALL_ROUTERS: IPv6Address = bytes.fromhex("ff020000000000000000000000000002")
ALL_MLDV2_ROUTERS: IPv6Address = bytes.fromhex("ff020000000000000000000000000016")
LINK_LOCAL_PREFIX = bytes.fromhex("fe80000000000000")
SOLICITED_NODE_PREFIX = bytes.fromhex("ff0200000000000000000001ff")
V4_MAPPED_PREFIX = bytes(10) + b"\xff\xff"

BROADCAST_MAC: MacAddress = b"\xff" * 6

SCOPE_RESERVED = 0
SCOPE_INTERFACE_LOCAL = 1
SCOPE_LINK_LOCAL = 2
SCOPE_SITE_LOCAL = 5
SCOPE_GLOBAL = 14

_MAC_TEXT = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}|[0-9a-fA-F]{1,2}(-[0-9a-fA-F]{1,2}){5}")


def parse_address(text: str) -> IPv6Address:
    """The 16 bytes of an IPv6 address in any RFC 4291 2.2 text form, without a zone.

    Raises UsageError for anything else.
    """
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        raise UsageError(f"{text!r} is not an IPv6 address") from None


def format_address(address: IPv6Address) -> str:
    """The RFC 5952 text form of 16 bytes."""
    return socket.inet_ntop(socket.AF_INET6, address)


def parse_address_with_length(text: str) -> tuple[IPv6Address, int]:
    """`ADDRESS/PREFIXLEN` as (16 bytes, 0 to 128); without a length it is 64, as on any Ethernet link.

    Raises UsageError.
    """
    address_text, slash, length_text = text.partition("/")
    address = parse_address(address_text)
    if not slash:
        return address, 64
    digits = length_text.isascii() and length_text.isdigit()
    # Three digits at most are read: int() raises ValueError for thousands of them.
    if not digits or len(length_text) > 3 or int(length_text) > 128:
        raise UsageError(f"{text!r}: the prefix length is a number from 0 to 128")
    return address, int(length_text)


def parse_mac(text: str) -> MacAddress:
    """The 6 bytes of a MAC address written with colons or hyphens; raises UsageError."""
    if not _MAC_TEXT.fullmatch(text):
        raise UsageError(f"{text!r} is not a MAC address (six pairs of hexadecimal digits, as 02:00:5e:10:00:01)")
    return bytes(int(part, 16) for part in re.split("[:-]", text))


def format_mac(mac: MacAddress) -> str:
    """Six pairs of lower-case hexadecimal digits with colons."""
    return mac.hex(":")


def is_multicast(address: IPv6Address) -> bool:
    """RFC 4291 2.4: the first eight bits are ones."""
    return address[0] == 0xFF


def is_link_local(address: IPv6Address) -> bool:
    """RFC 4291 2.4: a unicast address in fe80::/10."""
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def is_v4_mapped(address: IPv6Address) -> bool:
    """RFC 4291 2.5.5.2: ::ffff:0:0/96, which must not appear on a link."""
    return address.startswith(V4_MAPPED_PREFIX)


def scope(address: IPv6Address) -> int:
    """The scope as the four-bit value of RFC 4291 2.7, unicast addresses by RFC 6724 3.1."""
    if address[0] == 0xFF:
        return address[1] & 0x0F
    if is_link_local(address) or address == LOOPBACK:
        return SCOPE_LINK_LOCAL
    if address[0] == 0xFE and address[1] & 0xC0 == 0xC0:
        return SCOPE_SITE_LOCAL
    return SCOPE_GLOBAL


def solicited_node(address: IPv6Address) -> IPv6Address:
    """RFC 4291 2.7.1: ff02::1:ff00:0/104 with the low 24 bits of the address."""
    return SOLICITED_NODE_PREFIX + address[13:]


def multicast_mac(group: IPv6Address) -> MacAddress:
    """RFC 2464 7: 33:33 followed by the low 32 bits of the group."""
    return b"\x33\x33" + group[12:]


def is_multicast_mac(mac: MacAddress) -> bool:
    """The group bit of IEEE 802; the broadcast address is one of them."""
    return bool(mac[0] & 1)


def eui64_identifier(mac: MacAddress) -> bytes:
    """RFC 4291 appendix A: the 8-byte modified EUI-64 identifier of a 48-bit MAC."""
    return bytes((mac[0] ^ 0x02,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def opaque_identifier(prefix: bytes, interface: str, dad_counter: int, secret: bytes) -> bytes:
    """RFC 7217 5: an 8-byte identifier, stable per prefix (8 bytes), interface name and secret.

    SHA-256 is the pseudo-random function F. An identifier that RFC 5453 reserves
    is passed over by counting on, as section 5 step 3 asks.
    """
    while True:
        material = prefix + interface.encode() + b"\0" + dad_counter.to_bytes(4, "big") + secret
        identifier = hashlib.sha256(material).digest()[:8]
        if not is_reserved_identifier(identifier):
            return identifier
        dad_counter += 1


def is_reserved_identifier(identifier: bytes) -> bool:
    """RFC 5453: the subnet-router anycast, the IANA EUI-64 block and the reserved anycast identifiers."""
    if identifier == bytes(8):
        return True
    if identifier.startswith(b"\x02\x00\x5e\xff\xfe"):
        return True
    return identifier.startswith(b"\xfd\xff\xff\xff\xff\xff\xff") and identifier[7] >= 0x80


def matches_prefix(address: IPv6Address, prefix: IPv6Address, length: int) -> bool:
    """Whether the first `length` bits of both (16 bytes each) are equal."""
    return common_prefix_length(address, prefix) >= length


def common_prefix_length(one: IPv6Address, other: IPv6Address) -> int:
    """RFC 6724 2.2: how many leading bits two addresses share, 0 to 128."""
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 128 - difference.bit_length()


def network(address: IPv6Address, length: int) -> IPv6Address:
    """The address with all bits after the first `length` set to zero."""
    mask = ((1 << length) - 1) << (128 - length)
    return (int.from_bytes(address, "big") & mask).to_bytes(16, "big")
