"""The hosts that cases begin with: in the middle of their lives, with every table holding something.

Addresses are valid, a router has advertised itself and a static route is there,
neighbours are known in several states, groups are joined, sockets are bound, one
with a source filter, a ping waits for its answer and a datagram for its second half.
The kinds differ in how the listener speaks and in how far an address is. What the
user does later, to groups and to the interface, is in the host's timers.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from stack.address import ALL_NODES, LINK_LOCAL_PREFIX, IPv6Address, MacAddress, multicast_mac, solicited_node
from stack.mld.filters import EVERYTHING, FilterMode, SourceFilter
from stack.replay.subject import OUR_ADDRESS, OUR_LINK_LOCAL, OUR_MAC, SETTLED, Subject, new_subject, nobody
from stack.settings import Settings
from stack.wire import ethernet, icmpv6, ipv6, nd, router
from stack.wire.checksum import with_checksum

ROUTER: IPv6Address = LINK_LOCAL_PREFIX + bytes.fromhex("00000000000000fe")
ROUTER_MAC: MacAddress = bytes.fromhex("0200000000fe")
PEERS = tuple(
    (LINK_LOCAL_PREFIX + bytes(7) + bytes((n,)), bytes.fromhex("0200000000") + bytes((n,))) for n in range(1, 6)
)
GROUPS = tuple(
    bytes.fromhex(group)
    for group in (
        "ff0200000000000000000000000000fb",
        "ff020000000000000000000000010003",
        "ff02000000000000000000000000000c",
        "ff0e0000000000000000000000000101",
        "ff3e0000000000000000000080000001",
    )
)
PORTS = (53, 5353, 546)
# Groups that are left soon, the last of them one that is never reported; with the delays of their first reports.
LATER = tuple(
    bytes.fromhex(group)
    for group in (
        "ff0e0000000000000000000000000201",
        "ff0e0000000000000000000000000202",
        "ff010000000000000000000000000203",
    )
)
_DELAYS = (0.0, 20.0, 0.0)
_JOINED = tuple(bytes.fromhex("ff0e00000000000000000000000003" + octet) for octet in ("01", "02", "03", "04"))
_ADVERTISED = bytes.fromhex("20010db8006500000000000000000000")


class Kind(NamedTuple):
    """A kind of host: `settings` other than by default; whether its global address is `tested` as a case begins."""

    name: str
    settings: tuple[tuple[str, str], ...] = ()
    tested: bool = False
    cold: bool = False


COLD = Kind("cold", cold=True)
WARM = (
    Kind("version 2"),
    Kind("version 1", (("force_mld_version", "1"), ("mld_qrv", "3"))),
    Kind("netbsd", (("mld_personality", "netbsd"),)),
    Kind("version 1 once", (("force_mld_version", "1"), ("mld_qrv", "1"))),
    Kind(
        "only version 2",
        (("force_mld_version", "2"), ("mld_spread_answers", "1"), ("accept_ra", "0"), ("accept_redirects", "0")),
    ),
    Kind("tested", (("dad_transmits", "3"),), tested=True),
    Kind("optimistic", (("dad_transmits", "3"), ("optimistic_dad", "1")), tested=True),
)
# When the user does something, in seconds from the beginning of a case.
_JOINS, _LEAVES, _STOPS, _STARTS = 0.3, 1.5, 30.0, 32.0


def warm_subject(seed: int, kind: Kind = WARM[0]) -> Subject:
    """A new host in the middle of its life, or, if that is its kind, one that comes up now; a function of the seed."""
    settings = Settings()
    for name, text in kind.settings:
        settings.set_text(name, text)
    subject = new_subject(f"{seed}/host", nobody, settings=settings)
    if not kind.cold:
        subject.advance(SETTLED)
        _join(subject)
        _meet(subject)
        subject.advance(SETTLED + 4)
        _begin(subject)
        _plan(subject)
        if kind.tested:
            subject.interface.addresses.remove(OUR_ADDRESS, subject.now)
            subject.interface.addresses.add(OUR_ADDRESS, 64, subject.now)
            subject.collect()
    return subject


def _plan(subject: Subject) -> None:
    """Joins and leaves in every state of a group, the interface down and up, and a join before there is an address."""
    host, interface, now = subject.host, subject.interface, subject.now
    listener = interface.listener
    join: Callable[..., Any] = partial(listener.join, owner="later")
    slowly: Callable[..., Any] = partial(listener.join, owner="later", delay=40.0)
    kept = [listener.join(group, now, owner="warm", delay=delay) for group, delay in zip(LATER, _DELAYS, strict=True)]
    for place, membership in enumerate(kept):
        host.timers.at(now + _LEAVES + place, listener.leave, membership)
    for place, group in enumerate(GROUPS[1:3]):
        host.timers.at(
            now + _LEAVES + 10 + place, listener.leave, next(iter(listener.groups.records[group].memberships.values()))
        )
    host.timers.at(now + _JOINS, join, _JOINED[0])
    host.timers.at(now + _STOPS - 1, slowly, _JOINED[1])
    host.timers.at(now + _STOPS - 0.01, join, _JOINED[2])
    host.timers.at(now + _STOPS, interface.stop)
    host.timers.at(now + _STARTS, interface.start)
    host.timers.at(now + _STARTS + 0.01, slowly, _JOINED[3])
    subject.collect()


def _join(subject: Subject) -> None:
    interface, now = subject.interface, subject.now
    for group in GROUPS[:-1]:
        interface.listener.join(group, now, owner="warm")
    sources = frozenset(peer for peer, _ in PEERS[:2])
    wanted = SourceFilter(FilterMode.INCLUDE, sources)
    interface.listener.join(GROUPS[-1], now, owner="warm", source_filter=wanted)
    for port in PORTS:
        socket = subject.host.udp.open()
        socket.bind(None, port)
        socket.listen(GROUPS[0], EVERYTHING, now, interface)
        socket.listen(GROUPS[-1], wanted, now, interface)
    interface.routes.add(bytes(16), 0, PEERS[0][0])
    subject.collect()


def _meet(subject: Subject) -> None:
    """A router, and neighbours that ask for us; one of them is found reachable."""
    subject.receive(_advertisement())
    subject.interface.resolver.add_permanent(*PEERS[4], subject.now)
    for peer, mac in PEERS[:3]:
        subject.receive(_solicitation(peer, mac))
    peer, mac = PEERS[0]
    told = nd.neighbor_advertisement(peer, OUR_LINK_LOCAL, peer, nd.FLAG_SOLICITED, b"")
    subject.receive(frame(OUR_MAC, mac, peer, OUR_LINK_LOCAL, told))


def _begin(subject: Subject) -> None:
    """What is under way when the case begins."""
    host, interface, now = subject.host, subject.interface, subject.now
    for destination in (PEERS[0][0], PEERS[3][0]):
        host.echoes.open(interface, destination, None, data=b"warm").send(1, now)
    subject.collect()
    peer, mac = PEERS[1]
    echo = icmpv6.echo(icmpv6.ECHO_REQUEST, peer, OUR_LINK_LOCAL, 1, 1, bytes(64))
    fragment = bytes((ipv6.ICMPV6, 0)) + b"\0\1" + b"half" + echo[:32]
    packet = ipv6.packet(peer, OUR_LINK_LOCAL, ipv6.FRAGMENT, 64, fragment)
    subject.receive(ethernet.HEADER.pack(OUR_MAC, mac, ethernet.ETHERTYPE_IPV6) + packet)


def _advertisement() -> bytes:
    fixed = router.ADVERTISEMENT.pack(icmpv6.ROUTER_ADVERTISEMENT, 0, 0, 64, 0, 1800, 30_000, 1_000)
    flags = router.FLAG_ON_LINK | router.FLAG_AUTONOMOUS
    prefix = router.PREFIX.pack(64, flags, 86_400, 14_400, 0, _ADVERTISED)
    link_layer = nd.LINK_LAYER.pack(nd.SOURCE_LINK_LAYER_ADDRESS, 1, ROUTER_MAC)
    options = nd.option_bytes(nd.PREFIX_INFORMATION, prefix) + link_layer
    message = with_checksum(ROUTER, ALL_NODES, fixed + options)
    return frame(multicast_mac(ALL_NODES), ROUTER_MAC, ROUTER, ALL_NODES, message)


def _solicitation(peer: IPv6Address, mac: MacAddress) -> bytes:
    group = solicited_node(OUR_ADDRESS)
    link_layer = nd.LINK_LAYER.pack(nd.SOURCE_LINK_LAYER_ADDRESS, 1, mac)
    message = nd.neighbor_solicitation(peer, group, OUR_ADDRESS, link_layer)
    return frame(multicast_mac(group), mac, peer, group, message)


def frame(to: MacAddress, mac: MacAddress, source: IPv6Address, destination: IPv6Address, message: bytes) -> bytes:
    """A message of neighbour discovery from node to node."""
    packet = ipv6.packet(source, destination, ipv6.ICMPV6, nd.HOP_LIMIT, message)
    return ethernet.HEADER.pack(to, mac, ethernet.ETHERTYPE_IPV6) + packet
