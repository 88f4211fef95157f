"""What a Linux bridge says of the multicast of one of its ports: settings, the querier it sees, and its database.

Read over rtnetlink, which needs no privilege, in the network namespace that the
calling thread is in. Nothing is changed. A kernel that does not know an attribute
leaves it out: it is None then.
"""

import socket
import struct
from pathlib import Path
from typing import NamedTuple

from stack.address import IPv6Address
from stack.link import netlink, rtnetlink

_RTM_GETMDB = 86

# linux/if_link.h: IFLA_BR_*
_MCAST_ROUTER = 22
_MCAST_SNOOPING = 23
_MCAST_QUERIER = 25
_MCAST_HASH_MAX = 27
_MCAST_MEMBERSHIP_INTERVAL = 31
_MCAST_QUERIER_INTERVAL = 32
_MCAST_QUERY_INTERVAL = 33
_NF_CALL_IP6TABLES = 37
_MCAST_MLD_VERSION = 44
_MCAST_QUERIER_STATE = 47
# IFLA_BRPORT_*
_PORT_STATE = 1
_PORT_MULTICAST_ROUTER = 25
_PORT_MCAST_FLOOD = 27
# linux/if_bridge.h: BRIDGE_QUERIER_*, MDBA_*
_QUERIER_IPV6_ADDRESS = 5
_QUERIER_IPV6_PORT = 6
_QUERIER_IPV6_OTHER_TIMER = 7
_MDBA_MDB = 1
_MDBA_MDB_ENTRY_INFO = 1
_EATTR_TIMER = 1
_EATTR_SOURCE = 4

_NETFILTER = "net/bridge/bridge-nf-call-ip6tables"
_PORT_MESSAGE = struct.Struct("=B3xI")  # br_port_msg: family, index
_ENTRY = struct.Struct("=IBBH16s2s2x")  # br_mdb_entry: port, state, flags, VLAN, address, protocol
_IPV6 = bytes.fromhex("86dd")
_PERMANENT = 1
_TICKS = 100  # USER_HZ: the unit of the kernel's times
_U64 = struct.Struct("=Q")


class QuerierSeen(NamedTuple):
    """The querier that a bridge hears: address, the index of the port it is at (None: the bridge), seconds left."""

    address: IPv6Address
    port: int | None
    expires: float | None


class BridgeState(NamedTuple):
    """A bridge and one port of it; times in seconds. `router` and `port_router`: 0 never, 1 learnt, 2 always."""

    name: str
    number: int
    up: bool
    snooping: bool
    querier: bool
    router: int | None
    mld_version: int | None
    hash_max: int | None
    membership_interval: float | None
    querier_interval: float | None
    query_interval: float | None
    netfilter: bool
    ipv6: bool
    seen: QuerierSeen | None
    port_state: int | None
    port_router: int | None
    port_flood: bool


class MdbEntry(NamedTuple):
    """A group that a bridge has on a port, perhaps from one source only, and the seconds left; None for ever."""

    group: IPv6Address
    source: IPv6Address | None
    expires: float | None


def read(port: int) -> BridgeState | None:
    """The bridge that the device of index `port` belongs to; None where it is no port of one. Raises OSError."""
    body = rtnetlink.read_link(port)
    state = None if body is None else rtnetlink.parse_link(body)
    if body is None or state is None or state.master is None:
        return None
    above = rtnetlink.read_link(state.master)
    bridge = None if above is None else rtnetlink.parse_link(above)
    if above is None or bridge is None or bridge.kind != "bridge":
        return None
    settings, _ = rtnetlink.link_data(above)
    _, own = rtnetlink.link_data(body)
    return BridgeState(
        name=bridge.name,
        number=bridge.index,
        up=bridge.up,
        snooping=bool(_octet(settings.get(_MCAST_SNOOPING))),
        querier=bool(_octet(settings.get(_MCAST_QUERIER))),
        router=_octet(settings.get(_MCAST_ROUTER)),
        mld_version=_octet(settings.get(_MCAST_MLD_VERSION)),
        hash_max=netlink.number(settings.get(_MCAST_HASH_MAX)),
        membership_interval=_seconds(settings.get(_MCAST_MEMBERSHIP_INTERVAL)),
        querier_interval=_seconds(settings.get(_MCAST_QUERIER_INTERVAL)),
        query_interval=_seconds(settings.get(_MCAST_QUERY_INTERVAL)),
        netfilter=bool(_octet(settings.get(_NF_CALL_IP6TABLES))) or _sysctl(_NETFILTER) == "1",
        ipv6=_sysctl(f"net/ipv6/conf/{bridge.name}/disable_ipv6") == "0",
        seen=parse_querier(settings.get(_MCAST_QUERIER_STATE, b"")),
        port_state=_octet(own.get(_PORT_STATE)),
        port_router=_octet(own.get(_PORT_MULTICAST_ROUTER)),
        port_flood=_octet(own.get(_PORT_MCAST_FLOOD)) != 0,
    )


def read_database(bridge: int, port: int) -> tuple[list[MdbEntry], int]:
    """The groups that the bridge of index `bridge` has on `port`, and how many there are on all. Raises OSError."""
    bodies = netlink.dump(_RTM_GETMDB, _PORT_MESSAGE.pack(socket.AF_BRIDGE, 0))
    entries: list[MdbEntry] = []
    groups: set[bytes] = set()
    for body in bodies:
        if len(body) >= _PORT_MESSAGE.size and _PORT_MESSAGE.unpack_from(body)[1] == bridge:
            for number, entry in parse_database(body[_PORT_MESSAGE.size :]):
                groups.add(entry.group)
                if number == port:
                    entries.append(entry)
    return entries, len(groups)


def parse_database(octets: bytes) -> list[tuple[int, MdbEntry]]:
    """The entries for IPv6 in the attributes of one database message, each with its port; damaged ones are left out."""
    found: list[tuple[int, MdbEntry]] = []
    for kind, database in netlink.listed(octets):
        if kind != _MDBA_MDB:
            continue
        for _, group in netlink.listed(database):
            for what, info in netlink.listed(group):
                if what == _MDBA_MDB_ENTRY_INFO and len(info) >= _ENTRY.size:
                    found += _entry(info)
    return found


def _entry(info: bytes) -> list[tuple[int, MdbEntry]]:
    port, state, _, _, address, protocol = _ENTRY.unpack_from(info)
    if protocol != _IPV6:
        return []
    attributes = netlink.attributes(info[_ENTRY.size :])
    timer = netlink.number(attributes.get(_EATTR_TIMER))
    expires = None if state == _PERMANENT or timer is None else timer / _TICKS
    source = attributes.get(_EATTR_SOURCE)
    return [(port, MdbEntry(address, source if source is not None and len(source) == 16 else None, expires))]


def parse_querier(octets: bytes) -> QuerierSeen | None:
    """The querier for IPv6 in a bridge's querier state; None without one."""
    attributes = netlink.attributes(octets)
    address = attributes.get(_QUERIER_IPV6_ADDRESS)
    if address is None or len(address) != 16 or not any(address):
        return None
    port = netlink.number(attributes.get(_QUERIER_IPV6_PORT))
    return QuerierSeen(address, port or None, _seconds(attributes.get(_QUERIER_IPV6_OTHER_TIMER)))


def _octet(value: bytes | None) -> int | None:
    return value[0] if value else None


def _seconds(value: bytes | None) -> float | None:
    if value is None or len(value) != _U64.size:
        return None
    ticks: int = _U64.unpack(value)[0]
    return ticks / _TICKS


def _sysctl(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text(encoding="ascii").strip()
    except OSError:
        return None
