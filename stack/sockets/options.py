"""Socket options: what is kept, what acts on the core, and the errno that Linux gives for each wrong use.

Numbers and meanings are Linux's; those about groups are in `stack.sockets.groups`.
"""

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.address import UNSPECIFIED
from stack.interface import Interface
from stack.sockets import constants, groups
from stack.sockets.names import failure
from stack.udp.udp_socket import UdpSocket

if TYPE_CHECKING:
    from stack.sockets.base import BaseSocket

Key = tuple[int, int]
Getter = Callable[["BaseSocket"], int | bytes]
Setter = Callable[["BaseSocket", bytes], None]

_SOL = socket.SOL_SOCKET
_IP6 = socket.IPPROTO_IPV6
V6ONLY = (_IP6, socket.IPV6_V6ONLY)
_MTU_DISCOVER = (_IP6, constants.IPV6_MTU_DISCOVER)
_DONTFRAG = (_IP6, socket.IPV6_DONTFRAG)
RECVERR = (_IP6, constants.IPV6_RECVERR)
_REUSE = (_SOL, socket.SO_REUSEADDR)
_MINIMUM_BUFFER = 2304
_MAXIMUM_DISCOVERY = 5
# Linux: IPV6_PMTUDISC_DO, _PROBE and _INTERFACE, under which nothing is fragmented here.
_STRICT_DISCOVERY = (2, 3, 4)

# What is only kept: its default, and the values that are allowed; None allows any and keeps whether it is 0.
_KEPT: dict[Key, tuple[int, range | None]] = {
    V6ONLY: (0, None),
    RECVERR: (0, None),
    (_IP6, socket.IPV6_RECVPKTINFO): (0, None),
    (_IP6, socket.IPV6_RECVHOPLIMIT): (0, None),
    (_IP6, socket.IPV6_RECVTCLASS): (0, None),
    _DONTFRAG: (0, None),
    _MTU_DISCOVER: (1, range(_MAXIMUM_DISCOVERY + 1)),
    (_SOL, socket.SO_BROADCAST): (0, None),
    (_SOL, socket.SO_KEEPALIVE): (0, None),
    (_SOL, socket.SO_DONTROUTE): (0, None),
    (_SOL, socket.SO_PRIORITY): (0, range(7)),
    (_SOL, socket.SO_SNDBUF): (212_992, range(-(1 << 31), 1 << 31)),
}


def get(sock: "BaseSocket", level: int, name: int, size: int | None) -> int | bytes:
    """getsockopt: a number, or with `size` that many bytes at most."""
    value: int | bytes
    key = (level, name)
    if key in _KEPT:
        value = sock.values.get(key, _KEPT[key][0])
    elif key in _GET:
        value = _GET[key](sock)
    else:
        raise failure(errno.ENOPROTOOPT)
    if size is None:
        return value if isinstance(value, int) else constants.INT.unpack_from(value.ljust(4, b"\0"))[0]
    if not 0 < size <= 1024:
        raise failure(errno.EINVAL)
    return (constants.INT.pack(value) if isinstance(value, int) else value)[:size]


def put(sock: "BaseSocket", level: int, name: int, value: Any, size: int | None) -> None:
    """setsockopt; raises OSError: ENOPROTOOPT for an option that there is not, and what each option says."""
    if value is None:
        if size is None:
            raise TypeError("setsockopt() needs a length where there is no value")
        data = bytes(size)
    elif isinstance(value, int):
        data = constants.INT.pack(value)
    else:
        data = bytes(value)
    key = (level, name)
    if key in _KEPT:
        # Linux: one option takes less than a number, for 0.
        short = key == _DONTFRAG and len(data) < constants.INT.size
        _keep(sock, key, 0 if short else integer(data))
    elif key in _SET:
        _SET[key](sock, data)
    else:
        raise failure(errno.ENOPROTOOPT)


def integer(data: bytes) -> int:
    """The number that an option is set to; EINVAL for less than four bytes."""
    if len(data) < constants.INT.size:
        raise failure(errno.EINVAL)
    value: int = constants.INT.unpack_from(data)[0]
    return value


def _keep(sock: "BaseSocket", key: Key, value: int) -> None:
    allowed = _KEPT[key][1]
    if allowed is not None and value not in allowed:
        raise failure(errno.EINVAL)
    # RFC 3493 5.3: before binding alone, and a raw socket counts as bound to its protocol.
    if key == V6ONLY and (not isinstance(sock.core, UdpSocket) or sock.core.port):
        raise failure(errno.EINVAL)
    if key == (_SOL, socket.SO_SNDBUF):
        # Linux doubles what it is given, for its own needs.
        value = max(2 * min(value, _KEPT[key][0]), 2 * _MINIMUM_BUFFER)
    sock.values[key] = value if allowed is not None else int(value != 0)
    if key in (_DONTFRAG, _MTU_DISCOVER):
        discovery = sock.values.get(_MTU_DISCOVER, 1)
        sock.core.dont_fragment = bool(sock.values.get(_DONTFRAG)) or discovery in _STRICT_DISCOVERY


def _in_range(data: bytes, low: int, high: int) -> int:
    value = integer(data)
    if not low <= value <= high:
        raise failure(errno.EINVAL)
    return value


# -- hop limits and the traffic class (RFC 3493 5.1, 5.2; RFC 3542 6.5): -1 is the default


def _get_unicast_hops(sock: "BaseSocket") -> int:
    hops = sock.core.unicast_hops
    return sock.runtime.interface.variables.hop_limit if hops is None else hops


def _set_unicast_hops(sock: "BaseSocket", data: bytes) -> None:
    value = _in_range(data, -1, 255)
    sock.core.unicast_hops = None if value < 0 else value


def _set_multicast_hops(sock: "BaseSocket", data: bytes) -> None:
    value = _in_range(data, -1, 255)
    sock.core.multicast_hops = 1 if value < 0 else value


def _set_traffic_class(sock: "BaseSocket", data: bytes) -> None:
    sock.core.traffic_class = max(0, _in_range(data, -1, 255))


# -- interfaces


def _named(sock: "BaseSocket", index: int) -> Interface | None:
    """The interface with an index, None for 0; ENODEV for one that there is not, EINVAL if the socket has another."""
    if index == 0:
        return None
    interface = sock.runtime.host.interfaces.get(index)
    if interface is None:
        raise failure(errno.ENODEV)
    if sock.core.interface not in (None, interface):
        raise failure(errno.EINVAL)
    return interface


def _get_multicast_interface(sock: "BaseSocket") -> int:
    interface = sock.core.multicast_interface
    return 0 if interface is None else interface.index


def _set_multicast_interface(sock: "BaseSocket", data: bytes) -> None:
    sock.core.multicast_interface = _named(sock, integer(data))


def _get_device(sock: "BaseSocket") -> bytes:
    interface = sock.core.interface
    return b"" if interface is None else interface.name.encode() + b"\0"


def _set_device(sock: "BaseSocket", data: bytes) -> None:
    name = data.partition(b"\0")[0].decode(errors="surrogateescape")
    if not name:
        sock.core.interface = None
        return
    found = next((each for each in sock.runtime.host.interfaces.values() if each.name == name), None)
    if found is None:
        raise failure(errno.ENODEV)
    sock.core.interface = found


def _get_packet_information(sock: "BaseSocket") -> bytes:
    index = 0 if sock.sticky_interface is None else sock.sticky_interface.index
    return constants.IN6_PKTINFO.pack(sock.sticky_source or UNSPECIFIED, index)


def _set_packet_information(sock: "BaseSocket", data: bytes) -> None:
    """RFC 3542 6: sticky, for every datagram that says nothing itself."""
    if not data:
        sock.sticky_source = sock.sticky_interface = None
        return
    if len(data) < constants.IN6_PKTINFO.size:
        raise failure(errno.EINVAL)
    address, index = constants.IN6_PKTINFO.unpack_from(data)
    sock.sticky_interface = _named(sock, index)
    sock.sticky_source = None if address == UNSPECIFIED else address


def _get_mtu(sock: "BaseSocket") -> int:
    """The path MTU to the connected peer (Linux; RFC 3542 11.4 has IPV6_PATHMTU for it)."""
    remote = sock.core.remote
    if remote is None:
        raise failure(errno.ENOTCONN)
    interface = sock.core.interface or sock.runtime.interface
    return interface.routes.path_mtu(remote)


# -- the socket's own


def _get_receive_buffer(sock: "BaseSocket") -> int:
    limit = sock.core.receive_limit
    return sock.runtime.host.settings.rmem_default if limit is None else limit


def _set_receive_buffer(sock: "BaseSocket", data: bytes) -> None:
    """Linux: twice what is asked for, of which no more than rmem_max can be."""
    asked = min(max(integer(data), 0), sock.runtime.host.settings.rmem_max)
    sock.core.receive_limit = max(2 * asked, _MINIMUM_BUFFER)


def _udp(sock: "BaseSocket") -> UdpSocket | None:
    return sock.core if isinstance(sock.core, UdpSocket) else None


def _get_reuse(sock: "BaseSocket") -> int:
    core = _udp(sock)
    # Raw sockets share in any case; Linux keeps what is set for them.
    return sock.values.get(_REUSE, 1) if core is None else int(core.reuse)


def _set_reuse(sock: "BaseSocket", data: bytes) -> None:
    value, core = integer(data) != 0, _udp(sock)
    if core is None:
        sock.values[_REUSE] = int(value)
    else:
        core.reuse = value


def _get_reuse_port(sock: "BaseSocket") -> int:
    core = _udp(sock)
    return int(core is not None and core.reuse_port)


def _set_reuse_port(sock: "BaseSocket", data: bytes) -> None:
    value, core = integer(data) != 0, _udp(sock)
    if core is not None:
        core.reuse_port = value


# -- raw sockets (RFC 3542 3)


def _raw(sock: "BaseSocket") -> Any:
    if _udp(sock) is not None:
        raise failure(errno.ENOPROTOOPT)
    return sock.core


def _get_filter(sock: "BaseSocket") -> bytes:
    blocked: int = _raw(sock).blocked
    return blocked.to_bytes(constants.ICMP6_FILTER_SIZE, "little")


def _set_filter(sock: "BaseSocket", data: bytes) -> None:
    """A bit of the 256 blocks its type; in less than 32 bytes the rest stays as it is."""
    core = _raw(sock)
    before = core.blocked.to_bytes(constants.ICMP6_FILTER_SIZE, "little")
    given = data[: constants.ICMP6_FILTER_SIZE]
    core.blocked = int.from_bytes(given + before[len(given) :], "little")


def _get_checksum(sock: "BaseSocket") -> int:
    """3.1: of ICMPv6 it is made always, at octet 2."""
    _raw(sock)
    return 2


def _set_checksum(sock: "BaseSocket", data: bytes) -> None:
    """3.1: an attempt to set it on an ICMPv6 socket fails."""
    _raw(sock)
    raise failure(errno.EINVAL)


_GET: dict[Key, Getter] = {
    (_SOL, socket.SO_ERROR): lambda sock: sock.take_error(),
    (_SOL, socket.SO_TYPE): lambda sock: int(sock.type),
    (_SOL, socket.SO_DOMAIN): lambda sock: int(socket.AF_INET6),
    (_SOL, socket.SO_PROTOCOL): lambda sock: socket.IPPROTO_ICMPV6 if _udp(sock) is None else socket.IPPROTO_UDP,
    (_SOL, socket.SO_ACCEPTCONN): lambda sock: 0,
    (_SOL, socket.SO_RCVBUF): _get_receive_buffer,
    _REUSE: _get_reuse,
    (_SOL, socket.SO_REUSEPORT): _get_reuse_port,
    (_SOL, socket.SO_BINDTODEVICE): _get_device,
    (_IP6, socket.IPV6_UNICAST_HOPS): _get_unicast_hops,
    (_IP6, socket.IPV6_MULTICAST_HOPS): lambda sock: sock.core.multicast_hops,
    (_IP6, socket.IPV6_MULTICAST_LOOP): lambda sock: int(sock.core.multicast_loop),
    (_IP6, socket.IPV6_MULTICAST_IF): _get_multicast_interface,
    (_IP6, constants.IPV6_MULTICAST_ALL): lambda sock: int(sock.core.multicast_all),
    (_IP6, socket.IPV6_TCLASS): lambda sock: sock.core.traffic_class,
    (_IP6, socket.IPV6_PKTINFO): _get_packet_information,
    (_IP6, constants.IPV6_MTU): _get_mtu,
    (_IP6, socket.IPV6_CHECKSUM): _get_checksum,
    (socket.IPPROTO_ICMPV6, constants.ICMP6_FILTER): _get_filter,
}


def _set_multicast_loop(sock: "BaseSocket", data: bytes) -> None:
    sock.core.multicast_loop = bool(_in_range(data, 0, 1))


def _set_multicast_all(sock: "BaseSocket", data: bytes) -> None:
    sock.core.multicast_all = integer(data) != 0


_SET: dict[Key, Setter] = {
    (_SOL, socket.SO_RCVBUF): _set_receive_buffer,
    _REUSE: _set_reuse,
    (_SOL, socket.SO_REUSEPORT): _set_reuse_port,
    (_SOL, socket.SO_BINDTODEVICE): _set_device,
    (_IP6, socket.IPV6_UNICAST_HOPS): _set_unicast_hops,
    (_IP6, socket.IPV6_MULTICAST_HOPS): _set_multicast_hops,
    (_IP6, socket.IPV6_MULTICAST_LOOP): _set_multicast_loop,
    (_IP6, socket.IPV6_MULTICAST_IF): _set_multicast_interface,
    (_IP6, constants.IPV6_MULTICAST_ALL): _set_multicast_all,
    (_IP6, socket.IPV6_TCLASS): _set_traffic_class,
    (_IP6, socket.IPV6_PKTINFO): _set_packet_information,
    (_IP6, socket.IPV6_CHECKSUM): _set_checksum,
    (_IP6, socket.IPV6_JOIN_GROUP): groups.join,
    (_IP6, socket.IPV6_LEAVE_GROUP): groups.leave,
    (_IP6, constants.MCAST_JOIN_GROUP): groups.join_storage,
    (_IP6, constants.MCAST_LEAVE_GROUP): groups.leave_storage,
    (_IP6, constants.MCAST_JOIN_SOURCE_GROUP): groups.join_source,
    (_IP6, constants.MCAST_LEAVE_SOURCE_GROUP): groups.leave_source,
    (_IP6, constants.MCAST_BLOCK_SOURCE): groups.block_source,
    (_IP6, constants.MCAST_UNBLOCK_SOURCE): groups.unblock_source,
    (_IP6, constants.MCAST_MSFILTER): groups.set_filter,
    (socket.IPPROTO_ICMPV6, constants.ICMP6_FILTER): _set_filter,
}
