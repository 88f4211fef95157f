"""The little of rtnetlink (rtnetlink(7)) that a TAP needs: reading, setting and watching a network device.

It speaks to the network namespace that the calling thread is in, over a plain
AF_NETLINK socket. Addresses, routes and neighbours are not its business, and it
does not create devices.
"""

import errno
import os
import socket
import struct
from dataclasses import dataclass

from stack.link import netlink

_RTM_NEWLINK = 16
_RTM_DELLINK = 17
_RTM_GETLINK = 18
_RTMGRP_LINK = 0x01

_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_MTU = 4
_IFLA_MASTER = 10
_IFLA_LINKINFO = 18
_IFLA_EXT_MASK = 29
_IFLA_INFO_KIND = 1
_IFLA_INFO_DATA = 2
_IFLA_INFO_SLAVE_KIND = 4
_IFLA_INFO_SLAVE_DATA = 5
_IFLA_BRPORT_STATE = 1
_IFLA_TUN_OWNER = 1
_IFLA_TUN_TYPE = 3
_IFLA_TUN_PERSIST = 6
_RTEXT_FILTER_SKIP_STATS = 1 << 3

_IFF_UP = 1 << 0
_IFF_LOWER_UP = 1 << 16
_TUN_TYPES = {1: "tun", 2: "tap"}

PORT_FORWARDING = 3  # BR_STATE_FORWARDING of linux/if_bridge.h; 0 is disabled

_IFINFO = struct.Struct("=BxHiII")  # ifinfomsg: family, device type, index, flags, change mask
_U32 = struct.Struct("=I")

# IFNAMSIZ of linux/if.h, less the zero at the end.
NAME_MAX = 15


@dataclass(frozen=True, slots=True)
class LinkState:
    """A network device as the kernel describes it.

    `up` is the administrative state, `lower_up` whether it is up with a carrier,
    `mac` 6 bytes (empty for a device without one), `master` the index of the
    bridge or bond it belongs to, `kind` the driver's word (`tun`, `bridge`, ...).
    `tun_type`, `persistent` and `owner` are known of TUN and TAP devices only: `tap` or
    `tun`, whether the device outlives its descriptor, and the user id that may attach
    to it. `port_state` is the spanning tree's state of a bridge port, None of any other.
    """

    index: int
    name: str
    up: bool
    lower_up: bool
    mtu: int
    mac: bytes
    master: int | None
    kind: str | None
    tun_type: str | None = None
    persistent: bool | None = None
    owner: int | None = None
    port_state: int | None = None


@dataclass(frozen=True, slots=True)
class LinkDeleted:
    """A device is gone from this network namespace."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Resync:
    """Notifications were lost; whoever watches a device reads it again with `get_link`."""


LinkEvent = LinkState | LinkDeleted | Resync


def get_link(device: str | int) -> LinkState | None:
    """The device of that name or index, None when there is none; raises OSError otherwise."""
    body = read_link(device)
    return None if body is None else parse_link(body)


def read_link(device: str | int) -> bytes | None:
    """The body of the kernel's message about a device, None when there is none; raises OSError otherwise."""
    if isinstance(device, str):
        name = os.fsencode(device)
        if not 0 < len(name) <= NAME_MAX or b"\0" in name:
            return None
        index, attributes = 0, netlink.attribute(_IFLA_IFNAME, name + b"\0")
    else:
        if device <= 0:
            return None
        index, attributes = device, b""
    attributes += netlink.attribute(_IFLA_EXT_MASK, _U32.pack(_RTEXT_FILTER_SKIP_STATS))
    try:
        return netlink.request(_RTM_GETLINK, 0, _IFINFO.pack(0, 0, index, 0, 0) + attributes)
    except OSError as error:
        if error.errno == errno.ENODEV:
            return None
        raise


def link_data(body: bytes) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """What the driver of a device says of it, and what its bridge or bond says of the port: attributes by type."""
    if len(body) < _IFINFO.size:
        return {}, {}
    info = netlink.attributes(netlink.attributes(body[_IFINFO.size :]).get(_IFLA_LINKINFO, b""))
    data, slave = info.get(_IFLA_INFO_DATA, b""), info.get(_IFLA_INFO_SLAVE_DATA, b"")
    return netlink.attributes(data), netlink.attributes(slave)


def set_link(index: int, *, up: bool | None = None, mtu: int | None = None, master: int | None = None) -> None:
    """Change what is given of the device `index`; `mtu` in bytes, `master` an index or 0 to release it.

    Raises OSError with the kernel's errno (EPERM, ENODEV, EINVAL, ...).
    """
    attributes = b""
    if mtu is not None:
        attributes += netlink.attribute(_IFLA_MTU, _U32.pack(mtu))
    if master is not None:
        attributes += netlink.attribute(_IFLA_MASTER, _U32.pack(master))
    change = 0 if up is None else _IFF_UP
    netlink.request(
        _RTM_NEWLINK, netlink.NLM_F_ACK, _IFINFO.pack(0, 0, index, _IFF_UP if up else 0, change) + attributes
    )


class LinkMonitor:
    """The changes of all devices of the network namespace it was made in, as they happen.

    The descriptor is non-blocking and becomes readable with the next change.
    Raises OSError when no netlink socket can be had.
    """

    __slots__ = ("_socket",)

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _RTMGRP_LINK))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor to wait on; -1 once closed."""
        return self._socket.fileno()

    def read(self) -> list[LinkEvent]:
        """All that has happened since the last call, oldest first; empty when nothing has."""
        events: list[LinkEvent] = []
        while True:
            try:
                data, _, flags, sender = self._socket.recvmsg(netlink.RECEIVE_SIZE)
            except BlockingIOError:
                return events
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                events.append(Resync())
                continue
            if flags & socket.MSG_TRUNC:
                events.append(Resync())
            elif sender[0] == 0:  # from the kernel: any process may send to a netlink socket
                events.extend(parse_events(data))

    def close(self) -> None:
        """Give the descriptor back; may be called again."""
        self._socket.close()


def parse_events(data: bytes) -> list[LinkEvent]:
    """The device changes in one datagram; whatever is damaged or about something else is passed over."""
    events: list[LinkEvent] = []
    for kind, _, body in netlink.messages(data):
        if kind not in (_RTM_NEWLINK, _RTM_DELLINK):
            continue
        # A bridge announces its ports under the family AF_BRIDGE, and a port that
        # leaves as RTM_DELLINK though the device lives on: only AF_UNSPEC is the device.
        link = parse_link(body)
        if link is None or body[0] != socket.AF_UNSPEC:
            continue
        events.append(link if kind == _RTM_NEWLINK else LinkDeleted(link.index, link.name))
    return events


def parse_link(body: bytes) -> LinkState | None:
    """The device in the body of an RTM_NEWLINK or RTM_DELLINK message; None when it is cut short."""
    if len(body) < _IFINFO.size:
        return None
    _, _, index, flags, _ = _IFINFO.unpack_from(body)
    attributes = netlink.attributes(body[_IFINFO.size :])
    info = netlink.attributes(attributes.get(_IFLA_LINKINFO, b""))
    kind = netlink.text(info.get(_IFLA_INFO_KIND))
    tun = netlink.attributes(info.get(_IFLA_INFO_DATA, b"")) if kind == "tun" else {}
    persist = tun.get(_IFLA_TUN_PERSIST)
    bridged = netlink.text(info.get(_IFLA_INFO_SLAVE_KIND)) == "bridge"
    port_state = netlink.attributes(info.get(_IFLA_INFO_SLAVE_DATA, b"")).get(_IFLA_BRPORT_STATE) if bridged else None
    return LinkState(
        index=index,
        name=netlink.text(attributes.get(_IFLA_IFNAME)) or "",
        up=bool(flags & _IFF_UP),
        lower_up=bool(flags & _IFF_LOWER_UP),
        mtu=netlink.number(attributes.get(_IFLA_MTU)) or 0,
        mac=attributes.get(_IFLA_ADDRESS, b""),
        master=netlink.number(attributes.get(_IFLA_MASTER)),
        kind=kind,
        tun_type=_TUN_TYPES.get(tun.get(_IFLA_TUN_TYPE, b"\0")[0]) if tun.get(_IFLA_TUN_TYPE) else None,
        persistent=persist != b"\0" if persist else None,
        owner=netlink.number(tun.get(_IFLA_TUN_OWNER)),
        port_state=port_state[0] if port_state else None,
    )
