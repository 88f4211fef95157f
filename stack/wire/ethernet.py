"""Ethernet frames (IEEE 802.3, RFC 2464 3) and the 802.1Q tag."""

from construct import Bytes, Int16ub, Struct

from stack.wire.declare import derive

ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_VLAN = 0x8100
HEADER_LENGTH = 14
TAG_LENGTH = 4
VLAN_ID_MASK = 0x0FFF

ETHERNET = Struct("destination" / Bytes(6), "source" / Bytes(6), "ethertype" / Int16ub)

VLAN_TAG = Struct("control" / Int16ub, "ethertype" / Int16ub)

HEADER = derive(ETHERNET)
TAG = derive(VLAN_TAG)

IPV6_TYPE = ETHERTYPE_IPV6.to_bytes(2, "big")
VLAN_TYPE = ETHERTYPE_VLAN.to_bytes(2, "big")


def tag_bytes(vlan: int) -> bytes:
    """The octets between the source MAC and the ethertype for VLAN 1 to 4094, priority 0."""
    return TAG.pack(ETHERTYPE_VLAN, vlan)
