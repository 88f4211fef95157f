"""The options about groups: RFC 3493 5.2, and the protocol-independent ones of RFC 3678 5.

An interface index of 0 stands for the interface that the host would send to the
group by. Each call replaces the socket's filter for the group in one step.
"""

import errno
import socket
from typing import TYPE_CHECKING

from stack.address import IPv6Address, is_multicast
from stack.errors import RefusedError, StackError
from stack.interface import Interface
from stack.mld.filters import EVERYTHING, NOTHING, FilterMode, SourceCall, SourceFilter
from stack.sockets import constants
from stack.sockets.names import as_os_error, failure

if TYPE_CHECKING:
    from stack.sockets.base import BaseSocket


# -- IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP: a group of 16 bytes and an index


def join(sock: "BaseSocket", data: bytes) -> None:
    """EADDRINUSE for a member, ENODEV without an interface, EINVAL for what is no group."""
    _join(sock, *_request(data))


def leave(sock: "BaseSocket", data: bytes) -> None:
    """EADDRNOTAVAIL for who is no member."""
    _leave(sock, *_request(data))


def _request(data: bytes) -> tuple[IPv6Address, int]:
    if len(data) < constants.IPV6_MREQ.size:
        raise failure(errno.EINVAL)
    group, index = constants.IPV6_MREQ.unpack_from(data)
    return group, index


# -- MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP: an index and a socket address


def join_storage(sock: "BaseSocket", data: bytes) -> None:
    """As `join`."""
    _join(sock, *_storage_request(data))


def leave_storage(sock: "BaseSocket", data: bytes) -> None:
    """As `leave`."""
    _leave(sock, *_storage_request(data))


def _storage_request(data: bytes) -> tuple[IPv6Address, int]:
    if len(data) < constants.GROUP_REQ:
        raise failure(errno.EINVAL)
    return _address(data, constants.GROUP_OFFSET), int.from_bytes(data[:4], "little")


def _address(data: bytes, offset: int) -> IPv6Address:
    """The address in a sockaddr_storage; EADDRNOTAVAIL for another family than ours."""
    family, _, _, address, _ = constants.SOCKADDR_IN6.unpack_from(data, offset)
    if family != socket.AF_INET6:
        raise failure(errno.EADDRNOTAVAIL)
    octets: IPv6Address = address
    return octets


def _join(sock: "BaseSocket", group: IPv6Address, index: int) -> None:
    interface = _interface(sock, group, index)
    if sock.core.memberships.get(interface, group) is not None:
        raise failure(errno.EADDRINUSE)
    _listen(sock, interface, group, EVERYTHING)


def _leave(sock: "BaseSocket", group: IPv6Address, index: int) -> None:
    if not is_multicast(group):
        raise failure(errno.EINVAL)
    member = _member(sock, group, index)
    if member is None:
        raise failure(errno.EADDRNOTAVAIL)
    _listen(sock, member, group, NOTHING)


def _member(sock: "BaseSocket", group: IPv6Address, index: int) -> Interface | None:
    """The interface on which the socket is a member, any for an index of 0."""
    for each in sock.runtime.host.interfaces.values():
        if index in (0, each.index) and sock.core.memberships.get(each, group) is not None:
            return each
    return None


def _interface(sock: "BaseSocket", group: IPv6Address, index: int) -> Interface:
    if not is_multicast(group):
        raise failure(errno.EINVAL)
    if index == 0:
        try:
            return sock.core.outgoing(group, None)
        except RefusedError:
            raise failure(errno.ENODEV) from None
    interface = sock.runtime.host.interfaces.get(index)
    if interface is None:
        raise failure(errno.ENODEV)
    return interface


def _listen(sock: "BaseSocket", interface: Interface, group: IPv6Address, wanted: SourceFilter) -> None:
    """One step to another filter; the driver's own errno if it refuses."""
    now = sock.runtime.begin("socket group")
    try:
        sock.core.listen(group, wanted, now, interface)
    except StackError as error:
        raise as_os_error(error) from error
    finally:
        sock.runtime.end(now)


# -- one source at a time


def join_source(sock: "BaseSocket", data: bytes) -> None:
    """MCAST_JOIN_SOURCE_GROUP; EINVAL for a member in mode exclude, EADDRNOTAVAIL for a source that is there."""
    _source_call(sock, data, SourceCall.JOIN)


def leave_source(sock: "BaseSocket", data: bytes) -> None:
    """MCAST_LEAVE_SOURCE_GROUP; with the last source the group is left. EADDRNOTAVAIL for one that is not there."""
    _source_call(sock, data, SourceCall.LEAVE)


def block_source(sock: "BaseSocket", data: bytes) -> None:
    """MCAST_BLOCK_SOURCE; EINVAL for who has not joined for any source."""
    _source_call(sock, data, SourceCall.BLOCK)


def unblock_source(sock: "BaseSocket", data: bytes) -> None:
    """MCAST_UNBLOCK_SOURCE; likewise."""
    _source_call(sock, data, SourceCall.UNBLOCK)


def _source_call(sock: "BaseSocket", data: bytes, call: SourceCall) -> None:
    if len(data) < constants.GROUP_SOURCE_REQ:
        raise failure(errno.EINVAL)
    index = int.from_bytes(data[:4], "little")
    group = _address(data, constants.GROUP_OFFSET)
    source = _address(data, constants.GROUP_REQ)
    interface = _interface(sock, group, index)
    if call is not SourceCall.JOIN and sock.core.memberships.get(interface, group) is None:
        # Linux: there must be a join before.
        raise failure(errno.EINVAL)
    now = sock.runtime.begin("socket group")
    try:
        sock.core.change_source(group, call, source, now, interface)
    except StackError as error:
        raise as_os_error(error) from error
    finally:
        sock.runtime.end(now)


def set_filter(sock: "BaseSocket", data: bytes) -> None:
    """MCAST_MSFILTER (RFC 3678 5.2.2): mode and list in one step; include of nothing leaves.

    EINVAL for who is no member, or what is malformed; ENOBUFS for more sources than `mld_max_msf`.
    """
    if len(data) < constants.GROUP_FILTER:
        raise failure(errno.EINVAL)
    index = int.from_bytes(data[:4], "little")
    group = _address(data, constants.GROUP_OFFSET)
    mode, count = constants.FILTER_COUNTS.unpack_from(data, constants.GROUP_REQ)
    if count > sock.runtime.host.settings.mld_max_msf:
        raise failure(errno.ENOBUFS)
    if len(data) < constants.GROUP_FILTER + count * constants.SOCKADDR_STORAGE:
        raise failure(errno.EINVAL)
    if mode not in (constants.MCAST_INCLUDE, constants.MCAST_EXCLUDE):
        raise failure(errno.EINVAL)
    interface = _interface(sock, group, index)
    if sock.core.memberships.get(interface, group) is None:
        raise failure(errno.EINVAL)
    offsets = range(constants.GROUP_FILTER, len(data), constants.SOCKADDR_STORAGE)
    sources = frozenset(_address(data, offset) for offset in offsets[:count])
    wanted = FilterMode.INCLUDE if mode == constants.MCAST_INCLUDE else FilterMode.EXCLUDE
    _listen(sock, interface, group, SourceFilter(wanted, sources))
