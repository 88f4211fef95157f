"""What lets programs written for trio run over a host unchanged: a socket factory and a name resolver.

They go to `trio.socket.set_custom_socket_factory` and `set_custom_hostname_resolver`;
`RunningHost.installed` does both.
"""

import errno
import socket
from typing import Any

import trio

from stack.errors import StackError
from stack.host import Host
from stack.runtime import Runtime
from stack.sockets.datagram_socket import DatagramSocket, Icmp6Socket
from stack.sockets.host_socket import HostSocket
from stack.sockets.names import as_os_error, failure, find_zone

_TYPE = ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


class HostSocketFactory(trio.abc.SocketFactory):
    """Sockets of one host: UDP, and raw ICMPv6. Those that stay on the machine (AF_UNIX) are the system's own."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: set[HostSocket] = set()

    def socket(
        self,
        family: int = socket.AF_INET6,
        type: int = socket.SOCK_DGRAM,
        proto: int = 0,
    ) -> trio.socket.SocketType:
        """As socket(2): EAFNOSUPPORT for IPv4, EPROTONOSUPPORT for TCP, which this host has not."""
        if family == socket.AF_UNIX:
            return trio.socket.from_stdlib_socket(socket.socket(family, type, proto))
        return self.host_socket(family, type, proto)

    def host_socket(self, family: int, type: int, proto: int) -> HostSocket:
        """The same, for IPv6 alone."""
        if family != socket.AF_INET6:
            raise failure(errno.EAFNOSUPPORT)
        kind = type & _TYPE
        made: HostSocket
        try:
            if kind == socket.SOCK_DGRAM and proto in (0, socket.IPPROTO_UDP):
                made = DatagramSocket(self._runtime, proto, self._open.discard)
            elif kind == socket.SOCK_RAW and proto == socket.IPPROTO_ICMPV6:
                made = Icmp6Socket(self._runtime, proto, self._open.discard)
            elif kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
                raise failure(errno.EPROTONOSUPPORT)
            else:
                # linux: ESOCKTNOSUPPORT, for which Python has a name on Linux alone.
                raise failure(errno.ESOCKTNOSUPPORT)
        except StackError as error:
            raise as_os_error(error) from error
        self._open.add(made)
        return made

    def close(self) -> None:
        """Close every socket: the host goes away."""
        for each in tuple(self._open):
            each.close()


class HostResolver(trio.abc.HostnameResolver):
    """Zones are the host's interfaces, by name or index; every other name is the system's to look up."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def getaddrinfo(
        self,
        host: bytes | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """As `socket.getaddrinfo`, IPv6 alone. Raises socket.gaierror."""
        if family == socket.AF_INET:
            raise socket.gaierror(socket.EAI_ADDRFAMILY, "this host has no IPv4")
        text = None if host is None else host.decode("ascii")
        scope = 0
        if text is not None and "%" in text:
            text, _, zone = text.partition("%")
            interface = find_zone(self._host, zone)
            if interface is None:
                raise socket.gaierror(socket.EAI_NONAME, f"this host has no interface {zone!r}")
            scope, flags = interface.index, flags | socket.AI_NUMERICHOST
        # A name of the system's files or servers: it may take its time, and says nothing to this host's links.
        entries = await trio.to_thread.run_sync(
            _look_up, text, port, type, proto, flags & ~socket.AI_ADDRCONFIG, abandon_on_cancel=True
        )
        return [(*entry[:4], (*entry[4][:3], scope or entry[4][3])) for entry in entries]

    async def getnameinfo(self, sockaddr: tuple[str, int] | tuple[str, int, int, int], flags: int) -> tuple[str, str]:
        """The address as text, with the interface's name as its zone, and the port as a number, or a service."""
        await trio.lowlevel.checkpoint()
        text = sockaddr[0].partition("%")[0]
        if len(sockaddr) == 4 and sockaddr[3]:
            interface = self._host.interfaces.get(sockaddr[3])
            text += f"%{sockaddr[3] if interface is None else interface.name}"
        _, service = socket.getnameinfo(("::1", sockaddr[1], 0, 0), flags | socket.NI_NUMERICHOST)
        return text, service


def _look_up(text: str | None, port: Any, type: int, proto: int, flags: int) -> list[Any]:
    found: list[Any] = socket.getaddrinfo(text, port, socket.AF_INET6, type, proto, flags)
    return found
