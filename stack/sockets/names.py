"""Socket addresses and errors as Python's `socket` has them, and as the host does.

An address is `(host, port, flow information, scope id)`; the scope id is the index
of an interface and stands with addresses of link-local scope alone (RFC 3493 3.3).
"""

import errno
import os
import socket
from typing import Any, NamedTuple

import trio

from stack.address import SCOPE_LINK_LOCAL, IPv6Address, is_link_local
from stack.errors import (
    AddressInUseError,
    LimitError,
    LinkError,
    NoRouteError,
    StackError,
    TooLongError,
    UnavailableError,
)
from stack.host import Host
from stack.interface import Interface
from stack.wire import icmpv6

SocketAddress = tuple[str, int, int, int]

_ERRNOS: tuple[tuple[type[StackError], int], ...] = (
    (AddressInUseError, errno.EADDRINUSE),
    (UnavailableError, errno.EADDRNOTAVAIL),
    (NoRouteError, errno.ENETUNREACH),
    (TooLongError, errno.EMSGSIZE),
    (LimitError, errno.ENOBUFS),
    (LinkError, errno.EIO),
)
# Destination unreachable by code: what Linux makes of it, and whether it ends a connected socket's next call.
_UNREACHABLE = {
    0: (errno.ENETUNREACH, False),
    1: (errno.EACCES, True),
    2: (errno.EHOSTUNREACH, False),
    3: (errno.EHOSTUNREACH, False),
    4: (errno.ECONNREFUSED, True),
    5: (errno.EACCES, True),
    6: (errno.EACCES, True),
}


class Peer(NamedTuple):
    """A socket address, read: 16 octets, port, and the interface that its scope id names, if it has one."""

    address: IPv6Address
    port: int
    interface: Interface | None


def failure(number: int) -> OSError:
    """An OSError as a system call raises it."""
    return OSError(number, os.strerror(number))


def as_os_error(error: StackError) -> OSError:
    """The errno for what the stack refuses; its own words are the text."""
    number = next((each for kind, each in _ERRNOS if isinstance(error, kind)), errno.EINVAL)
    return OSError(number, f"{os.strerror(number)}: {error}")


def errno_of(kind: int, code: int) -> tuple[int, bool]:
    """What an ICMPv6 error is to a program, and whether it is told without having asked for errors."""
    if kind == icmpv6.DESTINATION_UNREACHABLE:
        return _UNREACHABLE.get(code, (errno.EPROTO, True))
    if kind == icmpv6.PACKET_TOO_BIG:
        return errno.EMSGSIZE, True
    if kind == icmpv6.TIME_EXCEEDED:
        return errno.EHOSTUNREACH, False
    return errno.EPROTO, True


def needs_scope(address: IPv6Address) -> bool:
    """Whether an address means something on one link only (RFC 4007)."""
    return is_link_local(address) or (address[0] == 0xFF and address[1] & 0x0F <= SCOPE_LINK_LOCAL)


def written(address: IPv6Address, port: int, interface: Interface | None) -> SocketAddress:
    """An address as Python has it."""
    scope = interface.index if interface is not None and needs_scope(address) else 0
    return socket.inet_ntop(socket.AF_INET6, address), port, 0, scope


def read(host: Host, address: Any, *, local: bool) -> Peer | None:
    """A socket address whose host is a number, with or without a zone; None if it has to be looked up.

    Raises as `socket` does: ValueError or TypeError for what is no address, OSError for an unknown scope: ENODEV
    for an address of the host's own (`local`), ENETUNREACH for another's.
    """
    if not isinstance(address, tuple) or not 2 <= len(address) <= 4:
        raise ValueError("address should be a (host, port, [flowinfo, [scopeid]]) tuple")
    text, port = address[0], address[1]
    if not isinstance(text, str) or not isinstance(port, int):
        return None
    scope = address[3] if len(address) == 4 else 0
    if "%" in text:
        text, _, zone = text.partition("%")
        named = find_zone(host, zone)
        if named is None:
            return None
        scope = scope or named.index
    try:
        octets = socket.inet_pton(socket.AF_INET6, text)
    except OSError:
        return None
    if not 0 <= port <= 65_535:
        raise OverflowError("port must be 0-65535.")
    return Peer(octets, port, _scoped(host, octets, scope, local=local))


def _scoped(host: Host, octets: IPv6Address, scope: int, *, local: bool) -> Interface | None:
    # RFC 3493 3.3: elsewhere it says nothing.
    if not scope or not needs_scope(octets):
        return None
    interface = host.interfaces.get(scope)
    if interface is None:
        raise failure(errno.ENODEV if local else errno.ENETUNREACH)
    return interface


def find_zone(host: Host, zone: str) -> Interface | None:
    """The interface that a zone names, or numbers (RFC 4007 11)."""
    for interface in host.interfaces.values():
        if zone in (interface.name, str(interface.index)):
            return interface
    return None


async def resolve(host: Host, address: Any, kind: int, *, local: bool) -> Peer:
    """A socket address with a name, or none, in it."""
    found = read(host, address, local=local)
    if found is not None:
        return found
    text, port = address[0] or None, address[1]
    flags = socket.AI_PASSIVE if local else 0
    entries = await trio.socket.getaddrinfo(text, port, socket.AF_INET6, kind, 0, flags)
    name: Any = entries[0][4]
    scope = address[3] if len(address) == 4 and address[3] else name[3]
    again = read(host, (name[0], name[1], 0, scope), local=local)
    if again is None:
        raise failure(errno.EINVAL)
    return again
