"""One Ethernet frame in plain words: who sends to whom, and what it says, for any bytes at all.

`describe` makes a line of it; `account` gives the parts to those who lay them out
themselves. Neither raises, and neither knows of a host: what a host makes of the
frame is told elsewhere.
"""

from typing import NamedTuple

from stack.address import UNSPECIFIED, IPv6Address, MacAddress
from stack.explain import packet
from stack.explain.words import NO_NAMES, Names, address_word, count, mac_word
from stack.wire import ethernet

# IEEE 802.3 3.2.6: below this the field is a length.
_FIRST_ETHERTYPE = 0x0600
_ETHERTYPES = {
    0x0800: "IPv4",
    0x0806: "ARP",
    0x88CC: "LLDP",
    0x888E: "802.1X",
    0x88A8: "service tag (802.1ad)",
    0x8847: "MPLS",
}


class FrameAccount(NamedTuple):
    """What one frame is.

    MACs are empty in a runt; `source` and `destination` are None if there is no
    IPv6 header. `kind` is for counting and sorting; `text` says what the frame
    says; `headers` are its extension headers, `flaws` what is odd about it.
    """

    destination_mac: MacAddress
    source_mac: MacAddress
    vlan: int | None
    source: IPv6Address | None
    destination: IPv6Address | None
    kind: str
    text: str
    headers: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()

    def sender(self, names: Names = NO_NAMES) -> str:
        """Who sends: by address, or by MAC where there is none (with `(::)` if the packet says so)."""
        if self.source is None:
            return mac_word(self.source_mac, names)
        if self.source == UNSPECIFIED:
            return f"{mac_word(self.source_mac, names)} (::)"
        return address_word(self.source, names)

    def receiver(self, names: Names = NO_NAMES) -> str:
        """Whom it is for."""
        if self.destination is None:
            return mac_word(self.destination_mac, names)
        return address_word(self.destination, names)

    def remarks(self) -> str:
        """VLAN and flaws in brackets, or nothing."""
        tag = () if self.vlan is None else (f"VLAN {self.vlan}",)
        remarks = (*tag, *self.flaws)
        return f" [{', '.join(remarks)}]" if remarks else ""


def account(frame: bytes) -> FrameAccount:
    """Take a frame of any bytes apart."""
    if len(frame) < ethernet.HEADER_LENGTH:
        return FrameAccount(b"", b"", None, None, None, "runt frame", f"runt frame of {count(len(frame), 'octet')}")
    destination_mac, source_mac, ethertype = ethernet.HEADER.unpack_from(frame)
    offset = ethernet.HEADER_LENGTH
    vlan: int | None = None
    if ethertype == ethernet.ETHERTYPE_VLAN and len(frame) >= offset + ethernet.TAG_LENGTH:
        control, ethertype = ethernet.TAG.unpack_from(frame, offset)
        vlan = control & ethernet.VLAN_ID_MASK
        offset += ethernet.TAG_LENGTH
    payload = frame[offset:]
    if ethertype == ethernet.ETHERTYPE_IPV6:
        inner = packet.account(payload)
        return FrameAccount(destination_mac, source_mac, vlan, *inner)
    kind = _kind(ethertype)
    text = f"{kind}, {count(len(payload), 'octet')}"
    return FrameAccount(destination_mac, source_mac, vlan, None, None, kind, text)


def _kind(ethertype: int) -> str:
    if ethertype < _FIRST_ETHERTYPE:
        return "802.3 frame"
    return _ETHERTYPES.get(ethertype, f"ethertype {ethertype:04x}")


def describe(frame: bytes, names: Names = NO_NAMES) -> str:
    """One line for a frame of any bytes: `SENDER -> RECEIVER: what it says; extension headers [what is odd]`.

    `names` maps addresses (16 bytes) and MACs (6 bytes) to names for sender and receiver.
    """
    parts = account(frame)
    if not parts.source_mac:
        return parts.text
    headers = "".join(f"; {header}" for header in parts.headers)
    return f"{parts.sender(names)} -> {parts.receiver(names)}: {parts.text}{headers}{parts.remarks()}"
