"""The Internet checksum (RFC 1071) with the IPv6 pseudo-header (RFC 8200 8.1).

The ones' complement sum of 16-bit words is the number that the bytes spell,
modulo 65535; a remainder of 0 stands for a sum of 0xffff, since the pseudo-header
is never all zeros.
"""


def ones_sum(data: bytes) -> int:
    """The ones' complement sum of `data` (any length; odd lengths are padded with a zero octet)."""
    if len(data) & 1:
        data += b"\0"
    return int.from_bytes(data, "big") % 0xFFFF


def icmpv6_checksum(source: bytes, destination: bytes, payload: bytes, next_header: int = 58) -> int:
    """The value for the checksum field of `payload`, in which that field is zero."""
    pseudo = source + destination + len(payload).to_bytes(4, "big") + next_header.to_bytes(4, "big")
    # The complement of a sum of 0xffff, remainder 0, is 0x0000 (RFC 1071 2).
    return -ones_sum(pseudo + payload) % 0xFFFF


def icmpv6_verifies(source: bytes, destination: bytes, payload: bytes, next_header: int = 58) -> bool:
    """Whether `payload`, checksum field included, sums to all ones."""
    pseudo = source + destination + len(payload).to_bytes(4, "big") + next_header.to_bytes(4, "big")
    return ones_sum(pseudo + payload) == 0


def with_checksum(source: bytes, destination: bytes, payload: bytes) -> bytes:
    """An ICMPv6 message whose checksum field (octets 2 and 3) is filled in."""
    checksum = icmpv6_checksum(source, destination, payload)
    return payload[:2] + checksum.to_bytes(2, "big") + payload[4:]
