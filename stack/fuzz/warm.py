"""The host that each case begins with: in the middle of its life, with every table holding something.

Its addresses are valid, a router has advertised itself, neighbours are known in
several states, groups are joined, sockets are bound, a ping waits for its answer and
a datagram for its second half.
"""

from stack.address import ALL_NODES, LINK_LOCAL_PREFIX, IPv6Address, MacAddress, multicast_mac, solicited_node
from stack.mld.filters import EVERYTHING, FilterMode, SourceFilter
from stack.replay.subject import OUR_ADDRESS, OUR_LINK_LOCAL, OUR_MAC, SETTLED, Subject, new_subject, nobody
from stack.wire import ethernet, icmpv6, ipv6, nd, router
from stack.wire.checksum import with_checksum

ROUTER: IPv6Address = LINK_LOCAL_PREFIX + bytes.fromhex("00000000000000fe")
ROUTER_MAC: MacAddress = bytes.fromhex("0200000000fe")
PEERS = tuple(
    (LINK_LOCAL_PREFIX + bytes(7) + bytes((n,)), bytes.fromhex("0200000000") + bytes((n,))) for n in range(1, 5)
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
_PORTS = (53, 5353, 546)
_ADVERTISED = bytes.fromhex("20010db8006500000000000000000000")


def warm_subject(seed: int, *, cold: bool) -> Subject:
    """A new host in the middle of its life, or, `cold`, one that comes up at this moment; a function of the seed."""
    subject = new_subject(f"{seed}/host", nobody)
    if not cold:
        subject.advance(SETTLED)
        _join(subject)
        _meet(subject)
        subject.advance(SETTLED + 4)
        _begin(subject)
    return subject


def _join(subject: Subject) -> None:
    interface, now = subject.interface, subject.now
    for group in GROUPS[:-1]:
        interface.listener.join(group, now, owner="warm")
    sources = frozenset(peer for peer, _ in PEERS[:2])
    wanted = SourceFilter(FilterMode.INCLUDE, sources)
    interface.listener.join(GROUPS[-1], now, owner="warm", source_filter=wanted)
    for port in _PORTS:
        socket = subject.host.udp.open()
        socket.bind(None, port)
        socket.listen(GROUPS[0], EVERYTHING, now, interface)
    subject.collect()


def _meet(subject: Subject) -> None:
    """A router, and neighbours that ask for us; one of them is found reachable."""
    subject.receive(_advertisement())
    for peer, mac in PEERS[:3]:
        subject.receive(_solicitation(peer, mac))
    peer, mac = PEERS[0]
    told = nd.neighbor_advertisement(peer, OUR_LINK_LOCAL, peer, nd.FLAG_SOLICITED, b"")
    subject.receive(_frame(OUR_MAC, mac, peer, OUR_LINK_LOCAL, told))


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
    return _frame(multicast_mac(ALL_NODES), ROUTER_MAC, ROUTER, ALL_NODES, message)


def _solicitation(peer: IPv6Address, mac: MacAddress) -> bytes:
    group = solicited_node(OUR_ADDRESS)
    link_layer = nd.LINK_LAYER.pack(nd.SOURCE_LINK_LAYER_ADDRESS, 1, mac)
    message = nd.neighbor_solicitation(peer, group, OUR_ADDRESS, link_layer)
    return _frame(multicast_mac(group), mac, peer, group, message)


def _frame(to: MacAddress, mac: MacAddress, source: IPv6Address, destination: IPv6Address, message: bytes) -> bytes:
    packet = ipv6.packet(source, destination, ipv6.ICMPV6, nd.HOP_LIMIT, message)
    return ethernet.HEADER.pack(to, mac, ethernet.ETHERTYPE_IPV6) + packet
