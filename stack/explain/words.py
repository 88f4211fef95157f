"""The small words of a description: how addresses, names, lifetimes and octets are written.

`Names` gives addresses (16 bytes) and MACs (6 bytes) names of the reader's
choice; what it does not know is written as the address itself.
"""

from collections.abc import Mapping

from stack.address import (
    ALL_MLDV2_ROUTERS,
    ALL_NODES,
    ALL_ROUTERS,
    BROADCAST_MAC,
    IPv6Address,
    MacAddress,
    format_address,
    format_mac,
)
from stack.wire.router import INFINITE

Names = Mapping[bytes, str]
NO_NAMES: Names = {}

# RFC 4291 2.7.1, RFC 3810 11 and the IANA registry of IPv6 multicast addresses
_GROUPS = {
    ALL_NODES: "all nodes",
    ALL_ROUTERS: "all routers",
    ALL_MLDV2_ROUTERS: "all MLDv2 routers",
    bytes.fromhex("ff020000000000000000000000000005"): "OSPF routers",
    bytes.fromhex("ff02000000000000000000000000000d"): "PIM routers",
    bytes.fromhex("ff02000000000000000000000000006a"): "all snoopers",
    bytes.fromhex("ff0200000000000000000000000000fb"): "mDNS",
    bytes.fromhex("ff020000000000000000000000010002"): "DHCP servers and relays",
    bytes.fromhex("ff020000000000000000000000010003"): "LLMNR",
}


def address_word(address: IPv6Address, names: Names = NO_NAMES) -> str:
    """A name of the reader's, else a well-known group with its address, else the address."""
    name = names.get(address)
    if name is not None:
        return name
    group = _GROUPS.get(address)
    text = format_address(address)
    return text if group is None else f"{group} ({text})"


def mac_word(mac: MacAddress, names: Names = NO_NAMES) -> str:
    """A name of the reader's, else the MAC."""
    name = names.get(mac)
    if name is not None:
        return name
    return "everybody (ff:ff:ff:ff:ff:ff)" if mac == BROADCAST_MAC else format_mac(mac)


def count(number: int, unit: str) -> str:
    """`1 octet`, `2 octets`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def seconds(milliseconds: int) -> str:
    """`10 s`, `0.25 s`."""
    return f"{milliseconds / 1000:.10g} s"


def lifetime(value: int) -> str:
    """A lifetime of an option, in seconds."""
    return "for ever" if value == INFINITE else f"{value} s"


def readable(octets: bytes) -> str:
    """Octets as text for one line: printable ASCII as it is, everything else as `?`."""
    return "".join(chr(octet) if 0x20 < octet < 0x7F else "?" for octet in octets)


def addresses(octets: bytes) -> str:
    """A run of addresses, 16 octets each; what is left over at the end is passed over."""
    whole = len(octets) // 16
    return ", ".join(format_address(octets[16 * at : 16 * at + 16]) for at in range(whole))
