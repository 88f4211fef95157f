"""Raw ICMPv6 sockets (RFC 3542 3): copies of the messages that arrive, and messages of one's own.

Every socket has a filter of types (3.2). What it is given has passed the checks of
RFC 4443, and goes on to this host's own handling as well. The checksum of what it
sends is made here (3.1).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.address import IPv6Address, format_address
from stack.calls import recorded
from stack.errors import LimitError, TooLongError, UsageError
from stack.udp.datagram import PLAIN, Datagram, DatagramError, Sending
from stack.udp.endpoint import Endpoint, check_destination
from stack.wire import icmpv6, ipv6
from stack.wire.checksum import with_checksum

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface
    from stack.ip6.received import Received

_TYPE_OFFSET = ipv6.HEADER_LENGTH


@recorded("_host.recorder", "bind", "connect", "close", "send")
class RawSocket(Endpoint):
    """A raw ICMPv6 socket of `host`; made by `RawSockets.open`.

    `blocked` has a bit for every type that it does not want, the lowest for type 0.
    As all that the host hears may concern it, groups joined by others are heard too.
    """

    __slots__ = ("blocked",)

    def __init__(
        self, host: "Host", number: int, interface: "Interface | None", heard: Callable[[], None] | None
    ) -> None:
        super().__init__(host, number, "raw", interface, heard)
        self.blocked = 0
        self.multicast_all = True

    def bind(self, address: IPv6Address | None) -> None:
        """Bind to an address of ours, a group, or None for any; raises UnavailableError."""
        self._check_open()
        if address is not None:
            self.check_local(address)
        self.local = address

    def connect(self, address: IPv6Address) -> None:
        """From now on this is the only peer, and where `send` goes; raises as `way` does, and UsageError."""
        self._check_open()
        check_destination(address)
        if self.local is None:
            _, self.local = self.way(address, None, None)
        self.remote = address

    def close(self, now: float) -> None:
        """End the memberships; what is queued is lost. A second time does nothing."""
        if not self.closed:
            self._host.raw.sockets.pop(self.number, None)
            self.end(now)

    def send(self, message: bytes, destination: IPv6Address | None, now: float, how: Sending = PLAIN) -> None:
        """Send one message, whose checksum field is filled in; raises as `UdpSocket.send` does."""
        self._check_open()
        if destination is None:
            if self.remote is None:
                raise UsageError("a socket without a peer needs a destination")
            destination = self.remote
        if len(message) < icmpv6.HEADER.size:
            raise UsageError(f"an ICMPv6 message has {icmpv6.HEADER.size} octets at least, not {len(message)}")
        if len(message) > ipv6.MAXIMUM_PAYLOAD:
            raise TooLongError(f"a message holds {ipv6.MAXIMUM_PAYLOAD} octets at most, not {len(message)}")
        asked_source, asked_interface, hop_limit, traffic_class, confirm = how
        outgoing, source = self.way(destination, asked_source, asked_interface)
        octets = with_checksum(source, destination, message[:2] + bytes(2) + message[4:])
        hops = self.hop_limit(destination, outgoing) if hop_limit is None else hop_limit
        octet = self.traffic_class if traffic_class is None else traffic_class
        packet = ipv6.packet(source, destination, ipv6.ICMPV6, hops, octets, octet)
        if self._host.journal.on:
            what = f"message of type {message[0]} from raw socket {self.number} to {format_address(destination)}"
            self._host.journal.note(now, "icmp6", what, "RFC 4443 2.1")
        self.transmit(outgoing, packet, now)
        if confirm:
            outgoing.confirm(destination, now)
        self._host.counters.icmp_out[message[0]] += 1

    def takes(self, interface: "Interface", local: IPv6Address, remote: IPv6Address, kind: int) -> bool:
        """Whether a message of a type from `remote` to `local` is for this socket."""
        if self.blocked >> kind & 1 or not self.fits(interface, local, remote):
            return False
        return local[0] != 0xFF or self.wants_group(interface, local, remote) is True

    def fits(self, interface: "Interface", local: IPv6Address, remote: IPv6Address) -> bool:
        """Whether its own addresses and interface allow these."""
        if self.interface is not None and self.interface is not interface:
            return False
        return (self.local is None or self.local == local) and (self.remote is None or self.remote == remote)


@recorded("_host.recorder", "open")
class RawSockets:
    """All raw sockets of `host`; they count with those of UDP for `max_sockets`."""

    __slots__ = ("_host", "_serial", "sockets")

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._serial = 0
        self.sockets: dict[int, RawSocket] = {}

    def open(self, interface: "Interface | None" = None, heard: Callable[[], None] | None = None) -> RawSocket:
        """A socket for one interface or for all; raises LimitError. `heard` as in `Ports.open`."""
        limit = self._host.settings.max_sockets
        if len(self.sockets) + len(self._host.udp.sockets) >= limit:
            self._host.counters.limit_hit("max_sockets")
            raise LimitError(f"there are {limit} sockets already (max_sockets)")
        self._serial += 1
        socket = RawSocket(self._host, self._serial, interface, heard)
        self.sockets[self._serial] = socket
        return socket

    def deliver(self, interface: "Interface", received: "Received", now: float) -> bool:
        """A copy to every socket that wants the message; whether there was one."""
        taken = False
        payload = received.payload
        for socket in tuple(self.sockets.values()):
            if socket.takes(interface, received.destination, received.source, payload[0]):
                taken |= socket.put(
                    Datagram(
                        payload,
                        received.source,
                        0,
                        received.destination,
                        received.hop_limit,
                        received.traffic_class,
                        interface,
                        now,
                    )
                )
        return taken

    def failed(
        self,
        interface: "Interface",
        invoking: bytes,
        source: IPv6Address,
        kind: int,
        code: int,
        parameter: int,
        now: float,
    ) -> bool:
        """Hand an error to every socket that may have sent the ICMPv6 message which it quotes; false if none may."""
        local, remote = invoking[8:24], invoking[24:40]
        taken = False
        for socket in tuple(self.sockets.values()):
            if socket.fits(interface, local, remote):
                data = invoking[_TYPE_OFFSET:]
                error = DatagramError(source, remote, 0, kind, code, parameter, data, interface, now)
                taken |= socket.put(error)
        return taken
