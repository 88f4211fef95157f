"""Path MTU discovery (RFC 8201): which packet too big is believed, and what follows from it.

It has to quote a packet of ours that was too big for what it names: to a
destination that we have sent one of that length to, from a socket, a ping or a
fragmented packet of ours. Nothing raises a path MTU but the time: it is forgotten
ten minutes after the last message (`mtu_expires`), not before five (4).
"""

from typing import TYPE_CHECKING

from stack.address import format_address
from stack.wire import extension, icmpv6, ipv6, udp

if TYPE_CHECKING:
    from stack.interface import Interface

_UPPER_END = ipv6.HEADER_LENGTH + udp.HEADER_LENGTH


def too_big(interface: "Interface", quote: bytes, mtu: int, now: float) -> bool:
    """A router says of this packet that the path carries `mtu` octets, the minimum or more; whether it is believed."""
    routes = interface.routes
    entry = routes.destinations.get(quote[24:40])
    if entry is None or len(quote) < _UPPER_END:
        return False
    length = ipv6.HEADER_LENGTH + int.from_bytes(quote[4:6], "big")
    if not mtu < length <= entry.longest or not _is_ours(interface, quote):
        return False
    known = entry.mtu
    if known is not None and known < mtu:
        # 4: a packet too big never raises it; this one speaks of a packet sent before the last.
        return True
    if interface.host.journal.on:
        what = f"path MTU to {format_address(entry.address)}"
        interface.host.journal.note(now, "ip6", what, "RFC 8201 4", str(known or interface.mtu), str(mtu))
    timer = interface.host.timers.at(now + interface.host.settings.mtu_expires, routes.path_mtu_expired, entry.address)
    routes.destinations.set_mtu(entry, mtu, timer)
    return True


def _is_ours(interface: "Interface", quote: bytes) -> bool:
    """Whether something here sends such packets: what is behind the IPv6 header says so."""
    host = interface.host
    next_header = quote[6]
    if next_header == ipv6.FRAGMENT:
        identification = int.from_bytes(quote[extension.FRAGMENT_END - 4 : extension.FRAGMENT_END], "big")
        return host.identifications.is_ours(identification)
    if next_header == ipv6.UDP:
        port, remote_port, _, _ = udp.HEADER.unpack_from(quote, ipv6.HEADER_LENGTH)
        return host.udp.find(interface, quote[8:24], port, quote[24:40], remote_port) is not None
    if next_header != ipv6.ICMPV6:
        return False
    kind, _, _, identifier, _ = icmpv6.ECHO_HEADER.unpack_from(quote, ipv6.HEADER_LENGTH)
    if kind == icmpv6.ECHO_REQUEST and identifier in host.echoes.sessions:
        return host.echoes.sessions[identifier].destination == quote[24:40]
    # Of an answer nothing is kept but its length and whom it went to.
    return kind == icmpv6.ECHO_REPLY or bool(host.raw.sockets)
