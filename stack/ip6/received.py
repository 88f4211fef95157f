"""A received IPv6 packet on its way up: what the layers above IPv6 want to know of it."""

from dataclasses import dataclass

from stack.address import IPv6Address, MacAddress


@dataclass(slots=True, eq=False)
class Received:
    """One packet (`packet` is all of it, trailer removed); `payload` is the upper-layer message.

    `next_header_pointer` is where the value stands that names the payload, in
    octets from the start of the IPv6 header; `link_multicast` says that the frame was sent to a group or broadcast MAC.
    """

    packet: bytes
    source: IPv6Address
    destination: IPv6Address
    hop_limit: int
    source_mac: MacAddress
    link_multicast: bool
    payload: bytes = b""
    next_header_pointer: int = 6
    router_alert: bool = False
    fragmented: bool = False

    @property
    def traffic_class(self) -> int:
        """The second field of the IPv6 header (RFC 8200 7)."""
        return int.from_bytes(self.packet[:2], "big") >> 4 & 0xFF
