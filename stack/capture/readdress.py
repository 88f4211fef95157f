"""A capture re-addressed: the traffic of one of its nodes becomes that of a host of ours.

Each address is mapped the same way wherever it stands: in the headers, as the
target of neighbour discovery, in options, in solicited-node groups and reports,
inside the packets that errors quote. Prefixes that the node is on are mapped to
ours with everybody in them. Checksums that were right stay right.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from stack.address import (
    LINK_LOCAL_PREFIX,
    SOLICITED_NODE_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    is_link_local,
    is_multicast,
    is_multicast_mac,
    solicited_node,
)
from stack.capture.dissect import ADDRESS, MAC, Dissection, adjusted, follow_group
from stack.capture.linktypes import made_mac, untagged
from stack.wire import icmpv6

_PREFIX = 8
_MAXIMUM_GROUPS = 64
# Addresses that are kept of a capture; a flood of made-up ones says nothing about who plays what.
_MAXIMUM_SEEN = 65_536


@dataclass(slots=True)
class Cast:
    """Who plays what in a capture; `main` is the node that our host plays, None if nobody is addressed.

    `mac` is its MAC, `own` all its addresses, `groups` those that others send to or that it reported, `router`
    the MAC that packets from elsewhere come from, `reported` says that a router advertises itself.
    """

    main: IPv6Address | None = None
    mac: MacAddress = b""
    own: list[IPv6Address] = field(default_factory=list)
    groups: list[IPv6Address] = field(default_factory=list)
    router: MacAddress | None = None


def cast(frames: Iterable[bytes]) -> Cast:
    """Choose the node with the most unicast packets in (without any, the one most asked for), and what goes with it."""
    inbound: Counter[tuple[IPv6Address, MacAddress]] = Counter()
    asked: Counter[IPv6Address] = Counter()
    seen: dict[tuple[IPv6Address, MacAddress], None] = {}
    groups: dict[IPv6Address, None] = {}
    for octets in map(untagged, frames):
        if len(octets) < 54 or octets[12:14] != b"\x86\xdd":
            continue
        source, destination = octets[22:38], octets[38:54]
        if len(seen) + len(groups) + len(inbound) + len(asked) > _MAXIMUM_SEEN:
            break
        seen[source, octets[6:12]] = None
        if is_multicast(destination):
            groups[destination] = None
            if len(octets) >= 78 and octets[20] == 58 and octets[54] == icmpv6.NEIGHBOR_SOLICITATION:
                asked[octets[62:78]] += 1
        elif destination != UNSPECIFIED:
            inbound[destination, octets[:6]] += 1
            seen[destination, octets[:6]] = None
    chosen = Cast(groups=[g for g in groups if not g.startswith(SOLICITED_NODE_PREFIX)][:_MAXIMUM_GROUPS])
    _choose(chosen, inbound, asked, seen)
    return chosen


def _choose(
    chosen: Cast,
    inbound: Counter[tuple[IPv6Address, MacAddress]],
    asked: Counter[IPv6Address],
    seen: dict[tuple[IPv6Address, MacAddress], None],
) -> None:
    if inbound:
        to_mac: Counter[MacAddress] = Counter()
        for (_, mac), count in inbound.items():
            to_mac[mac] += count
        # Of equals the one whose MAC hears more, then the first one seen.
        chosen.main, chosen.mac = max(inbound, key=lambda pair: (inbound[pair], to_mac[pair[1]]))
    elif asked:
        chosen.main = asked.most_common(1)[0][0]
        chosen.mac = next((mac for address, mac in seen if address == chosen.main), b"")
    if chosen.main is None:
        return
    prefix = chosen.main[:_PREFIX]
    for address, mac in seen:
        near = is_link_local(address) or address[:_PREFIX] == prefix
        # In a loopback capture all MACs are zero, which says nothing.
        if any(mac) and mac == chosen.mac and near and not is_multicast(address) and address != UNSPECIFIED:
            chosen.own.append(address)
    if chosen.main not in chosen.own:
        chosen.own.append(chosen.main)
    elsewhere = [mac for address, mac in seen if not is_link_local(address) and address[:_PREFIX] != prefix]
    macs = Counter(mac for mac in elsewhere if mac != chosen.mac and not is_multicast_mac(mac) and any(mac))
    if macs:
        chosen.router = macs.most_common(1)[0][0]


class Readdresser:
    """Maps frames of a capture to what they would be with our host in it.

    `our_mac` and `link_local` are the host's, `prefix` (8 octets) the network that it and its
    neighbours are in. `addresses` are the addresses that the host has to have: with `only` that
    one beside the link-local one, else one for each address of the node in the capture.
    """

    def __init__(
        self,
        cast: Cast,
        our_mac: MacAddress,
        link_local: IPv6Address,
        prefix: bytes,
        only: IPv6Address | None = None,
    ) -> None:
        self._mac = our_mac
        self._their_mac = cast.mac
        self.cast = cast
        self._addresses: dict[IPv6Address, IPv6Address] = {}
        self._prefixes: dict[bytes, bytes] = {}
        self._solicited: dict[IPv6Address, IPv6Address] = {}
        for address in cast.own:
            self._own(address, link_local, prefix, only)
        self.addresses = tuple(dict.fromkeys(self._addresses.values()))

    def _own(self, address: IPv6Address, link_local: IPv6Address, prefix: bytes, only: IPv6Address | None) -> None:
        if is_link_local(address):
            mapped = link_local
        else:
            self._prefixes[address[:_PREFIX]] = prefix
            mapped = only or prefix + address[_PREFIX:]
        self._addresses[address] = mapped
        self._solicited[solicited_node(address)] = solicited_node(mapped)

    def address(self, address: IPv6Address) -> IPv6Address:
        """What an address of the capture becomes."""
        mapped = self._addresses.get(address) or self._solicited.get(address)
        if mapped is not None:
            return mapped
        prefix = self._prefixes.get(address[:_PREFIX])
        return address if prefix is None or address[:_PREFIX] == LINK_LOCAL_PREFIX else prefix + address[_PREFIX:]

    def is_own(self, octets: bytes) -> bool:
        """Whether the node that our host plays has sent this frame of the capture."""
        octets = untagged(octets)
        if not self._addresses or len(octets) < 14:
            return False
        source = octets[22:38] if octets[12:14] == b"\x86\xdd" else b""
        from_it = octets[6:12] == self._their_mac and octets[:6] != self._their_mac
        return source in self._addresses or (from_it and source in (b"", UNSPECIFIED))

    def frame(self, octets: bytes) -> bytes:
        """One frame re-addressed, its VLAN tags taken off."""
        before = untagged(octets)
        found = Dissection(before)
        after = bytearray(before)
        for each in found.fields:
            end = each.offset + each.length
            if each.kind == ADDRESS:
                after[each.offset : end] = self.address(before[each.offset : end])
            elif each.kind == MAC and each.offset >= 14 and before[each.offset : end] == self._their_mac:
                after[each.offset : end] = self._mac
        adjusted(after, before, found.sums)
        if found.ip >= 0:
            self._header(after, before, found.ip)
        return bytes(after)

    def _header(self, after: bytearray, before: bytes, ip: int) -> None:
        source, destination = before[ip + 8 : ip + 24], before[ip + 24 : ip + 40]
        if destination in self._addresses:
            after[:6] = self._mac
        elif not any(before[:6]):
            after[:6] = made_mac(destination)
        elif before[:6] == self._their_mac and not is_multicast_mac(before[:6]):
            # Passed on by the node as a router, or misdirected: to our MAC as it was to its.
            after[:6] = self._mac
        else:
            follow_group(after, ip, before)
        if source in self._addresses:
            after[6:12] = self._mac
        elif before[6:12] == self._their_mac or not any(before[6:12]):
            # A loopback capture, or one taken behind the node: everybody has one MAC there.
            after[6:12] = made_mac(source)
