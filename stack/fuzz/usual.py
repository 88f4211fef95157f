"""Frames as the nodes around the host would send them: its router and peers, the queriers and the other listeners.

They are material beside the captures, which seldom hold what belongs to just the
groups, addresses and sockets of this host.
"""

from collections.abc import Iterator

from stack.address import ALL_NODES, UNSPECIFIED, IPv6Address, MacAddress, multicast_mac, solicited_node
from stack.fuzz.warm import GROUPS, LATER, PEERS, PORTS, ROUTER, ROUTER_MAC, frame
from stack.replay.subject import OUR_ADDRESS, OUR_LINK_LOCAL, OUR_MAC
from stack.wire import ethernet, icmpv6, ipv6, mld, mldv2, nd, router, udp
from stack.wire.checksum import with_checksum

# RFC 2711: the router alert of MLD, padded, in front of ICMPv6.
_ALERT = bytes.fromhex("3a00050200000100")
# Maximum response codes: at once, soon, late, and one that is a mantissa with its exponent.
_CODES = (0, 100, 10_000, 0x9000)
_ELSEWHERE: IPv6Address = bytes.fromhex("20010db8ffff00000000000000000001")


def frames() -> list[bytes]:
    """All of them, in a fixed order."""
    return [*_queries(), *_reports(), *_neighbours(), *_redirects(), *_datagrams()]


def _queries() -> Iterator[bytes]:
    for code in _CODES:
        yield _mld(ROUTER, ALL_NODES, mld.message(icmpv6.MLD_QUERY, ROUTER, ALL_NODES, UNSPECIFIED, code))
        yield _version2(ALL_NODES, UNSPECIFIED, code)
        for group in (*GROUPS[:2], *LATER[:2]):
            yield _mld(ROUTER, group, mld.message(icmpv6.MLD_QUERY, ROUTER, group, group, code))
            yield _version2(group, group, code)
    yield _version2(GROUPS[-1], GROUPS[-1], 1_000, PEERS[0][0])
    yield _version2(ALL_NODES, UNSPECIFIED, 1_000, PEERS[0][0])
    group = GROUPS[-1]
    yield _mld(ROUTER, group, mld.message(icmpv6.MLD_QUERY, ROUTER, group, group, 1_000))


def _version2(destination: IPv6Address, group: IPv6Address, code: int, *sources: IPv6Address) -> bytes:
    query = mldv2.query(group, sources, response_code=code, robustness=2, interval_code=125)
    return _mld(ROUTER, destination, with_checksum(ROUTER, destination, query))


def _reports() -> Iterator[bytes]:
    for group in (*GROUPS, *LATER[:2]):
        for peer, _ in (PEERS[0], (OUR_LINK_LOCAL, OUR_MAC)):
            yield _mld(peer, group, mld.message(icmpv6.MLD_REPORT, peer, group, group))
    for group in (solicited_node(OUR_ADDRESS), ALL_NODES):
        yield _mld(PEERS[0][0], group, mld.message(icmpv6.MLD_REPORT, PEERS[0][0], group, group))


def _mld(source: IPv6Address, destination: IPv6Address, message: bytes) -> bytes:
    packet = ipv6.packet(source, destination, ipv6.HOP_BY_HOP, 1, _ALERT + message)
    return ethernet.HEADER.pack(multicast_mac(destination), ROUTER_MAC, ethernet.ETHERTYPE_IPV6) + packet


def _neighbours() -> Iterator[bytes]:
    """Others test our addresses, or have them; peers tell of themselves in every way, ask and ping."""
    for target in (OUR_ADDRESS, OUR_LINK_LOCAL):
        group = solicited_node(target)
        probe = nd.neighbor_solicitation(UNSPECIFIED, group, target, b"")
        yield frame(multicast_mac(group), PEERS[2][1], UNSPECIFIED, group, probe)
        option = nd.LINK_LAYER.pack(nd.TARGET_LINK_LAYER_ADDRESS, 1, PEERS[2][1])
        told = nd.neighbor_advertisement(target, ALL_NODES, target, nd.FLAG_OVERRIDE, option)
        yield frame(multicast_mac(ALL_NODES), PEERS[2][1], target, ALL_NODES, told)
    for peer, mac in PEERS:
        for flags in (0, nd.FLAG_SOLICITED, nd.FLAG_OVERRIDE, nd.FLAG_SOLICITED | nd.FLAG_OVERRIDE):
            yield _advertised(peer, mac, flags)
            yield _advertised(peer, mac[:-1] + b"\x77", flags)
            bare = nd.neighbor_advertisement(peer, OUR_LINK_LOCAL, peer, flags, b"")
            yield frame(OUR_MAC, mac, peer, OUR_LINK_LOCAL, bare)
        asked = nd.neighbor_solicitation(peer, OUR_LINK_LOCAL, OUR_LINK_LOCAL, b"")
        yield frame(OUR_MAC, mac, peer, OUR_LINK_LOCAL, asked)
        echo = icmpv6.echo(icmpv6.ECHO_REQUEST, peer, OUR_LINK_LOCAL, 1, 1, bytes(16))
        yield frame(OUR_MAC, mac, peer, OUR_LINK_LOCAL, echo)
    yield _advertised(ROUTER, ROUTER_MAC, nd.FLAG_SOLICITED | nd.FLAG_OVERRIDE)


def _advertised(peer: IPv6Address, mac: MacAddress, flags: int) -> bytes:
    option = nd.LINK_LAYER.pack(nd.TARGET_LINK_LAYER_ADDRESS, 1, mac)
    message = nd.neighbor_advertisement(peer, OUR_LINK_LOCAL, peer, flags, option)
    return frame(OUR_MAC, mac, peer, OUR_LINK_LOCAL, message)


def _redirects() -> Iterator[bytes]:
    for target, destination in (
        (PEERS[0][0], _ELSEWHERE),
        (OUR_LINK_LOCAL, _ELSEWHERE),
        (PEERS[1][0], GROUPS[0]),
        (_ELSEWHERE, _ELSEWHERE),
    ):
        fixed = router.REDIRECT.pack(icmpv6.REDIRECT, 0, 0, 0, target, destination)
        message = with_checksum(ROUTER, OUR_LINK_LOCAL, fixed)
        yield frame(OUR_MAC, ROUTER_MAC, ROUTER, OUR_LINK_LOCAL, message)


def _datagrams() -> Iterator[bytes]:
    for (peer, mac), destination in ((PEERS[0], GROUPS[-1]), (PEERS[3], GROUPS[-1]), (PEERS[0], OUR_LINK_LOCAL)):
        to = OUR_MAC if destination == OUR_LINK_LOCAL else multicast_mac(destination)
        packet = ipv6.packet(
            peer, destination, ipv6.UDP, 64, udp.datagram(peer, destination, 5353, PORTS[1], b"usual words")
        )
        yield ethernet.HEADER.pack(to, mac, ethernet.ETHERTYPE_IPV6) + packet
    peer, mac = PEERS[1]
    echo = icmpv6.echo(icmpv6.ECHO_REQUEST, peer, OUR_ADDRESS, 1, 1, bytes(64))
    packet = ipv6.packet(peer, OUR_ADDRESS, ipv6.ICMPV6, 64, echo)
    yield ethernet.HEADER.pack(OUR_MAC, mac, ethernet.ETHERTYPE_IPV6) + packet
    # The half that the host waits for.
    data = (icmpv6.echo(icmpv6.ECHO_REQUEST, peer, OUR_LINK_LOCAL, 1, 1, bytes(64)))[32:]
    fragment = bytes((ipv6.ICMPV6, 0)) + (32).to_bytes(2, "big") + b"half" + data
    packet = ipv6.packet(peer, OUR_LINK_LOCAL, ipv6.FRAGMENT, 64, fragment)
    yield ethernet.HEADER.pack(OUR_MAC, mac, ethernet.ETHERTYPE_IPV6) + packet
