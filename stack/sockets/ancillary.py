"""Ancillary data (RFC 3542 6): packet information, hop limit and traffic class, in and out, and errors (Linux)."""

import errno
import socket
from collections.abc import Iterable, Mapping

from stack.address import UNSPECIFIED
from stack.host import Host
from stack.sockets import constants
from stack.sockets.names import SocketAddress, errno_of, failure, needs_scope, written
from stack.udp.datagram import PLAIN, Datagram, DatagramError, Sending

Item = tuple[int, int, bytes]
_LEVEL = socket.IPPROTO_IPV6


def sending(host: Host, items: Iterable[tuple[int, int, bytes]]) -> Sending:
    """Read the ancillary data of `sendmsg`; OSError (EINVAL) for what is malformed, or unknown at our level."""
    found = PLAIN
    for level, kind, buffer in items:
        if level != _LEVEL:
            continue
        data = bytes(buffer)
        if kind == socket.IPV6_PKTINFO:
            found = _packet_information(host, data, found)
        elif kind == socket.IPV6_HOPLIMIT:
            found = found._replace(hop_limit=_octet(data))
        elif kind == socket.IPV6_TCLASS:
            found = found._replace(traffic_class=_octet(data))
        else:
            raise failure(errno.EINVAL)
    return found


def _packet_information(host: Host, data: bytes, found: Sending) -> Sending:
    if len(data) < constants.IN6_PKTINFO.size:
        raise failure(errno.EINVAL)
    address, index = constants.IN6_PKTINFO.unpack_from(data)
    interface = None
    if index:
        interface = host.interfaces.get(index)
        if interface is None:
            raise failure(errno.ENODEV)
    return found._replace(source=None if address == UNSPECIFIED else address, interface=interface)


def _octet(data: bytes) -> int | None:
    """A number from 0 to 255; -1 is the socket's own."""
    if len(data) != constants.INT.size:
        raise failure(errno.EINVAL)
    (value,) = constants.INT.unpack(data)
    if not -1 <= value <= 255:
        raise failure(errno.EINVAL)
    return None if value < 0 else int(value)


def received(wanted: Mapping[tuple[int, int], int], datagram: Datagram, room: int) -> tuple[list[Item], int]:
    """The ancillary data that a program has asked for by options, as far as there is room, and MSG_CTRUNC if not."""
    items: list[Item] = []
    if wanted.get((_LEVEL, socket.IPV6_RECVPKTINFO)):
        packed = constants.IN6_PKTINFO.pack(datagram.destination, datagram.interface.index)
        items.append((_LEVEL, socket.IPV6_PKTINFO, packed))
    if wanted.get((_LEVEL, socket.IPV6_RECVHOPLIMIT)):
        items.append((_LEVEL, socket.IPV6_HOPLIMIT, constants.INT.pack(datagram.hop_limit)))
    if wanted.get((_LEVEL, socket.IPV6_RECVTCLASS)):
        items.append((_LEVEL, socket.IPV6_TCLASS, constants.INT.pack(datagram.traffic_class)))
    return fitted(items, room)


def fitted(items: list[Item], room: int) -> tuple[list[Item], int]:
    """As many items as there is room for, the last cut short where it does not fit (RFC 3542 20.1)."""
    found: list[Item] = []
    for level, kind, data in items:
        if room < socket.CMSG_LEN(len(data)):
            if room > socket.CMSG_LEN(0):
                found.append((level, kind, data[: room - socket.CMSG_LEN(0)]))
            return found, int(socket.MSG_CTRUNC)
        found.append((level, kind, data))
        room = max(0, room - socket.CMSG_SPACE(len(data)))
    return found, 0


def of_error(error: DatagramError, size: int, room: int) -> tuple[bytes, list[Item], int, SocketAddress]:
    """What `recvmsg` with MSG_ERRQUEUE gives: the datagram that failed, whither it went, and why (ip(7))."""
    number, _ = errno_of(error.type, error.code)
    extended = constants.SOCK_EXTENDED_ERR.pack(
        number, constants.SO_EE_ORIGIN_ICMP6, error.type, error.code, 0, error.parameter, 0
    )
    scope = error.interface.index if needs_scope(error.source) else 0
    offender = constants.SOCKADDR_IN6.pack(socket.AF_INET6, bytes(2), 0, error.source, scope)
    items, flags = fitted([(_LEVEL, constants.IPV6_RECVERR, extended + offender)], room)
    flags |= socket.MSG_ERRQUEUE
    if len(error.data) > size:
        flags |= socket.MSG_TRUNC
    return error.data[:size], items, flags, written(error.destination, error.port, error.interface)
