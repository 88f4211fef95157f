"""Fragments of our own packets (RFC 8200 4.5): into how many a packet is divided, and under which identification.

What we send has no extension headers before its fragmentable part but those of
MLD, which fits any link; so the IPv6 header is all that each fragment repeats.
"""

from hashlib import blake2s
from typing import TYPE_CHECKING

from stack.wire import extension, ipv6

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface

_HEADERS = ipv6.HEADER_LENGTH + extension.FRAGMENT.size
_ROUNDS = 4
_KEY_LENGTH = 16
_VALUES = 1 << 32


def pieces(interface: "Interface", packet: bytes) -> list[bytes]:
    """The fragment packets of a packet that is longer than the path carries; none if that carries it."""
    mtu = interface.routes.path_mtu(packet[24:40])
    if len(packet) <= mtu:
        interface.routes.sent_long(packet[24:40], len(packet))
        return []
    # 4.5: every one but the last is a multiple of 8 octets long, and none overlaps another.
    room = (mtu - _HEADERS) // 8 * 8
    identification = interface.host.identifications.next()
    found: list[bytes] = []
    for start in range(ipv6.HEADER_LENGTH, len(packet), room):
        part = packet[start : start + room]
        offset_and_flags = start - ipv6.HEADER_LENGTH | (start + room < len(packet))
        header = extension.FRAGMENT.pack(packet[6], 0, offset_and_flags, identification)
        length = (len(header) + len(part)).to_bytes(2, "big")
        found.append(packet[:4] + length + bytes((ipv6.FRAGMENT,)) + packet[7:40] + header + part)
    interface.routes.sent_long(packet[24:40], len(found[0]))
    return found


class Identifications:
    """The identifications of a host's fragmented packets: none twice before all have been, and none foreseeable.

    A counter goes through a keyed permutation of 32-bit numbers (a Feistel network),
    so that one that is seen says nothing of the next, nor how many there were (RFC 7739).
    """

    __slots__ = ("_host", "_key", "issued")

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._key = b""
        self.issued = 0

    def next(self) -> int:
        """A new one, of 32 bits."""
        if not self._key:
            self._key = self._host.random_bytes(_KEY_LENGTH)
        left, right = divmod(self.issued % _VALUES, 1 << 16)
        for number in range(_ROUNDS):
            left, right = right, left ^ self._mix(number, right)
        self.issued += 1
        return left << 16 | right

    def is_ours(self, identification: int) -> bool:
        """Whether this one was given out."""
        if not self._key:
            return False
        left, right = divmod(identification, 1 << 16)
        for number in reversed(range(_ROUNDS)):
            left, right = right ^ self._mix(number, left), left
        return (left << 16 | right) < self.issued

    def _mix(self, number: int, half: int) -> int:
        digest = blake2s(half.to_bytes(2, "big"), key=self._key, salt=bytes((number,)), digest_size=2).digest()
        return int.from_bytes(digest, "big")
