"""The Internet checksum (RFC 1071) with the IPv6 pseudo-header (RFC 8200 8.1).

The ones' complement sum of 16-bit words is the number that the bytes spell,
modulo 65535; a remainder of 0 stands for a sum of 0xffff, since the pseudo-header
is never all zeros.
"""

_number = int.from_bytes
# From this many octets on it is quicker to sum four parts: the division takes longer than their addition.
_LONG = 512


def ones_sum(data: bytes) -> int:
    """The ones' complement sum of `data` (any length; odd lengths are padded with a zero octet)."""
    length = len(data)
    if length & 1:
        data += b"\0"
    if length < _LONG:
        return _number(data, "big") % 0xFFFF
    part = length >> 3 << 1
    first, second = _number(data[:part], "big"), _number(data[part : 2 * part], "big")
    third, fourth = _number(data[2 * part : 3 * part], "big"), _number(data[3 * part :], "big")
    return (first + second + third + fourth) % 0xFFFF


def pseudo_header_sum(source: bytes, destination: bytes, length: int, next_header: int) -> int:
    """What the pseudo-header (RFC 8200 8.1) adds to the sum of a message of `length` octets."""
    return (_number(source + destination, "big") + length + next_header) % 0xFFFF


def icmpv6_checksum(source: bytes, destination: bytes, payload: bytes, next_header: int = 58) -> int:
    """The value for the checksum field of `payload`, in which that field is zero."""
    # The complement of a sum of 0xffff, remainder 0, is 0x0000 (RFC 1071 2).
    return -(pseudo_header_sum(source, destination, len(payload), next_header) + ones_sum(payload)) % 0xFFFF


def icmpv6_verifies(source: bytes, destination: bytes, payload: bytes, next_header: int = 58) -> bool:
    """Whether `payload`, checksum field included, sums to all ones."""
    return (pseudo_header_sum(source, destination, len(payload), next_header) + ones_sum(payload)) % 0xFFFF == 0


def with_checksum(source: bytes, destination: bytes, payload: bytes) -> bytes:
    """An ICMPv6 message whose checksum field (octets 2 and 3) is filled in."""
    checksum = icmpv6_checksum(source, destination, payload)
    return payload[:2] + checksum.to_bytes(2, "big") + payload[4:]
