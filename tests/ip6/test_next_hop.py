"""Next hops where routers advertise themselves, prefixes and routes: RFC 4861 5.2, 6.3.5, 6.3.6; RFC 4191 3."""

import itertools
import struct

import pytest

from stack.discard import Discard, Verdict
from stack.ip6 import output
from stack.ip6.routes import next_hop
from tests.playbook import OUR_LINK_LOCAL, Play, advertisement, frame, icmp, ip, lladdr_option, packet, text

ROUTERS = {name: f"fe80::{number}:1" for number, name in enumerate("WXYZ", 1)}
W, X, Y, Z = ROUTERS.values()
HIGH, MEDIUM, LOW = 0x08, 0x00, 0x18
FAR = "2001:db8::1"


def mac_of(router: str) -> bytes:
    return b"\x02\x00\x72\x00\x00" + ip(router)[13:14]


def option(kind: int, data: bytes) -> bytes:
    return bytes((kind, (len(data) + 2) // 8)) + data


def prefix(address: str, *, length: int = 64, lifetime: int = 3600, flags: int = 0x80) -> bytes:
    """A prefix information option (RFC 4861 4.6.2), on-link and nothing else unless told otherwise."""
    return option(3, struct.pack("!BBIII", length, flags, lifetime, lifetime, 0) + ip(address))


def route(address: str, length: int, preference: int = MEDIUM, lifetime: int = 1800) -> bytes:
    """A route information option with the prefix in full (RFC 4191 2.3)."""
    return option(24, struct.pack("!BBI", length, preference, lifetime) + ip(address))


def advertise(
    play: Play,
    router: str,
    *options: bytes,
    lifetime: int = 1800,
    preference: int = MEDIUM,
    known: bool = True,
) -> None:
    """A router advertisement (RFC 4861 4.2) arrives; `known` says that it names the router's MAC."""
    body = struct.pack("!BBHII", 64, preference, lifetime, 0, 0)
    body += b"".join(((lladdr_option(1, mac_of(router)),) if known else ()) + options)
    message = icmp(router, "ff02::1", 134, 0, body)
    play.receive(frame(packet(router, "ff02::1", message), mac=mac_of(router)))


@pytest.fixture
def play() -> Play:
    """A host with no router yet, and an address that is not on any prefix of the link."""
    play = Play(autoconf=0).start()
    play.add_address("2001:db8:ffff::1", 128)
    play.run(30.0)
    play.sent()
    return play


def add(play: Play, address: str, length: int, gateway: str, metric: int = 1024) -> None:
    play.interface.routes.add(ip(address), length, ip(gateway), metric)


def hop(play: Play, destination: str = FAR) -> str | None:
    found = next_hop(play.interface, ip(destination), play.now)
    return None if found is None else text(found)


def send(play: Play, destination: str = FAR) -> None:
    source = "2001:db8:ffff::1"
    octets = packet(source, destination, icmp(source, destination, 128, 0, bytes(4)), hop_limit=64)
    assert output.send(play.interface, octets, play.now)
    play.settle()


def through(play: Play) -> str | None:
    """The router whose MAC the last echo request went to."""
    macs = [each.to for each in play.sent() if each.kind == 128]
    return next((router for router in ROUTERS.values() if macs and mac_of(router) == macs[-1]), None)


def used(play: Play, destination: str) -> str:
    """The next hop that the packets sent to a destination had."""
    entry = play.interface.routes.destinations.get(ip(destination))
    assert entry is not None
    return text(entry.next_hop)


def fall_silent(play: Play, *routers: str) -> None:
    """They do not answer when they are probed (7.3.3), and are known to have failed."""
    for router in routers:
        play.ping(router)
    play.run(play.now + 10.0)
    for router in routers:
        assert play.neighbour(router) in (None, "UNREACHABLE")
    # Whatever was asked for it is more than a minute ago, and the routers that answer do.
    for router in set(ROUTERS.values()) - set(routers):
        if play.neighbour(router) is not None:
            play.receive(advertisement(router, mac=mac_of(router), flags="RSO"))
    play.run(play.now + 61.0)
    play.sent()


# -- which route

KINDS = {
    "a default router alone": ((), (), W),
    "a longer advertised route": ((route("2001:db8::", 32),), (), W),
    "a longer static route": ((route("2001:db8::", 32),), (("2001:db8::", 33, Z, 1024),), Z),
    "a shorter static route": ((route("2001:db8::", 32),), (("2001:db8::", 31, Z, 1024),), W),
    "the same prefix: what the user gave": ((route("2001:db8::", 32),), (("2001:db8::", 32, Z, 1024),), Z),
    "the same prefix, the greater metric": ((route("2001:db8::", 32),), (("2001:db8::", 32, Z, 1025),), W),
    "a static default route": ((), (("::", 0, Z, 1024),), Z),
    "a static default route of greater metric": ((), (("::", 0, Z, 1025),), W),
    "an advertised route before a static default": ((route("2001:db8::", 32),), (("::", 0, Z, 1),), W),
    "on-link before any advertised route": ((prefix("2001:db8::"), route(FAR, 128)), (), FAR),
    "on-link before a shorter static route": ((prefix("2001:db8::"),), (("2001:db8::", 63, Z, 1),), FAR),
    "on-link before a static route to the same prefix": ((prefix("2001:db8::"),), (("2001:db8::", 64, Z, 1),), FAR),
    "a static route into an on-link prefix": ((prefix("2001:db8::"),), (("2001:db8::", 65, Z, 1024),), Z),
    "a prefix that is not said to be on-link (RFC 5942 4)": ((prefix("2001:db8::", flags=0x40),), (), W),
}


@pytest.mark.parametrize(("options", "static", "expected"), KINDS.values(), ids=KINDS)
def test_which_route(
    play: Play, options: tuple[bytes, ...], static: tuple[tuple[str, int, str, int], ...], expected: str
):
    """RFC 4191 3.2: the longest prefix that matches; learnt routes are for off-link destinations."""
    advertise(play, W, *options)
    for each in static:
        add(play, *each)
    assert hop(play) == expected


def test_without_a_default_router(play: Play) -> None:
    """RFC 4861 6.3.4: a router lifetime of 0 says nothing of the routes and prefixes beside it."""
    advertise(play, W, route("2001:db8::", 32), prefix("2001:db8:5::"), lifetime=0)
    assert hop(play) == W
    assert hop(play, "2001:db8:5::9") == "2001:db8:5::9"
    assert hop(play, "fd00::1") is None


# -- RFC 4191 3.6

EXAMPLE = [
    ((), Y, ()),
    ((Y,), Z, (Y,)),
    ((Y, Z), W, (Y, Z)),
    ((Y, Z, W), Y, (W, Z)),
    ((W,), Y, ()),
    ((X, Z), Y, ()),
]


@pytest.mark.parametrize(
    ("silent", "expected", "probed"), EXAMPLE, ids=["all", "not Y", "not YZ", "none", "not W", "not XZ"]
)
def test_the_example_of_rfc_4191(play: Play, silent: tuple[str, ...], expected: str, probed: tuple[str, ...]) -> None:
    """RFC 4191 3.6, row by row: who is chosen, and whose reachability is probed (3.5)."""
    advertise(play, W)
    advertise(play, X, route("2002::", 16), lifetime=0)
    advertise(play, Y, route("2001:db8::", 32, HIGH), lifetime=0)
    advertise(play, Z, route("2001:db8::", 32, LOW), lifetime=0)
    fall_silent(play, *silent)
    send(play)
    sent = play.sent()
    asked = {each.target for each in sent if each.kind == 135 and each.destination.startswith("ff02::1:ff")}
    if expected in silent:
        assert asked == {expected, *probed}
    else:
        assert [each.to for each in sent if each.kind == 128] == [mac_of(expected)]
        assert asked == set(probed)


# -- default routers


@pytest.mark.parametrize(
    "order", list(itertools.permutations((W, X, Y))), ids=lambda order: "".join(each[6] for each in order)
)
def test_the_most_preferred(play: Play, order: tuple[str, ...]) -> None:
    """RFC 4191 3.2: reachability first, then preference."""
    preferences = {W: HIGH, X: MEDIUM, Y: LOW}
    for router in order:
        advertise(play, router, preference=preferences[router])
    chosen = []
    for router in (W, X, Y):
        send(play)
        chosen.append(through(play))
        fall_silent(play, router)
    assert chosen == [W, X, Y]


def test_traffic_stays_with_its_router(play: Play) -> None:
    """6.3.6: selected for the first packet, kept for those that follow, though an equal router appears."""
    advertise(play, X)
    send(play)
    advertise(play, W)
    send(play)
    assert {each.to for each in play.sent(128)} == {mac_of(X)}


def test_a_router_that_fails_under_traffic(play: Play) -> None:
    """7.3.3: packets go on while it is probed; then through the other router, and none is lost or reported."""
    advertise(play, W, preference=HIGH)
    advertise(play, X)
    socket = play.host.udp.open()
    began = play.now
    routers: list[bytes] = []
    while play.now < began + 12.0:
        socket.send(b"x", ip(FAR), 9, play.now)
        play.settle()
        routers += [each.to for each in play.sent() if each.packet[6] == 17]
        play.run(play.now + 1.0)
    assert routers == [mac_of(W)] * 8 + [mac_of(X)] * 4
    assert socket.take_error() is None


def test_it_is_used_again_when_it_is_heard_of(play: Play) -> None:
    """7.3.3: an advertisement with its address makes it STALE, probably reachable (6.3.6)."""
    advertise(play, W, preference=HIGH)
    advertise(play, X)
    fall_silent(play, W)
    send(play)
    assert through(play) == X
    advertise(play, W, preference=HIGH)
    send(play)
    assert through(play) == W


GONE = {
    "its lifetime is 0": lambda play: advertise(play, W, lifetime=0),
    "its lifetime is over": lambda play: play.run(play.now + 61.0),
    "it is a host now": lambda play: play.receive(advertisement(W, mac=mac_of(W), flags="O", destination="ff02::1")),
}


@pytest.mark.parametrize("goes", GONE.values(), ids=GONE)
@pytest.mark.parametrize("another", [True, False], ids=["another is there", "the only one"])
def test_a_router_goes(play: Play, goes, another: bool) -> None:  # type: ignore[no-untyped-def]
    """6.3.5: destinations that used it determine their next hop again."""
    advertise(play, W, lifetime=60, preference=HIGH)
    if another:
        advertise(play, X)
    send(play)
    assert through(play) == W
    goes(play)
    assert hop(play) == (X if another else None)


# -- prefixes


def test_a_prefix_comes_and_goes(play: Play) -> None:
    """5.2: on-link while the prefix is; the router's when it has ended."""
    advertise(play, W)
    send(play)
    assert through(play) == W
    play.receive(advertisement(W, mac=mac_of(W), flags="RSO"))
    advertise(play, W, prefix("2001:db8::", lifetime=60))
    assert hop(play) == FAR
    play.run(play.now + 59.0)
    assert hop(play) == FAR
    play.run(play.now + 2.0)
    assert hop(play) == W


# -- what asking must not do


def redirect(router: str, target: str, destination: str = FAR) -> bytes:
    message = icmp(router, OUR_LINK_LOCAL, 137, 0, bytes(4) + ip(target) + ip(destination))
    return frame(packet(router, OUR_LINK_LOCAL, message), mac=mac_of(router))


def test_a_redirect_causes_no_probe(play: Play) -> None:
    """RFC 4191 3.5: no probe without traffic that would go there."""
    advertise(play, W, preference=HIGH)
    advertise(play, X)
    fall_silent(play, W)
    assert play.receive(redirect(W, Z)) is Discard.REDIRECT_NOT_FIRST_HOP
    play.receive(redirect(X, Z))
    assert hop(play) == Z
    assert play.sent(135) == []


def test_a_redirect_takes_no_turn(play: Play) -> None:
    """6.3.6 2: the routers take turns by packets sent, whatever arrives in between."""
    for router in (W, X, Y):
        advertise(play, router)
    fall_silent(play, W, X, Y)
    turns = []
    for number in range(4):
        send(play, f"2001:db8::{number + 1}")
        turns.append(used(play, f"2001:db8::{number + 1}"))
        for router in (W, X, Y):
            play.receive(redirect(router, Z, "2001:db8::99"))
        play.run(play.now + 4.0)
        play.sent()
    assert turns[0] != turns[1] != turns[2]
    assert set(turns[:3]) == {W, X, Y}
    assert turns[3] == turns[0]


def test_a_router_that_does_not_answer_may_redirect_us(play: Play) -> None:
    """8.1: it is the first-hop router all the same, if there is no other or it is the one in use."""
    advertise(play, W)
    fall_silent(play, W)
    assert play.receive(redirect(W, Z, "2001:db8::2")) is Verdict.DELIVERED
    advertise(play, X)
    fall_silent(play, W, X)
    for destination in ("2001:db8::5", "2001:db8::6"):
        send(play, destination)
        router = used(play, destination)
        # Something changes, so that the cached next hop has to be looked at again.
        add(play, destination, 127, "fe80::99", 9999)
        play.interface.routes.delete(ip(destination), 127)
        assert play.receive(redirect(router, Z, destination)) is Verdict.DELIVERED
        play.run(play.now + 4.0)
        play.sent()


def test_a_redirect_ends_with_the_router_it_came_from(play: Play) -> None:
    """6.3.5, RFC 4191 3.3: what the router said of the way does not outlive its being one."""
    advertise(play, W, preference=HIGH)
    advertise(play, X)
    play.receive(redirect(W, Z))
    assert hop(play) == Z
    advertise(play, X, prefix("2001:db8:5::"), route("fd00::", 8))
    assert hop(play) == Z, "not by what does not concern it"
    advertise(play, W, lifetime=0)
    assert hop(play) == X


def test_a_redirect_stays_while_its_router_does_not_answer(play: Play) -> None:
    """7.3.3: the entries through a router that failed are determined again, and this one goes through another."""
    advertise(play, W, preference=HIGH)
    advertise(play, X)
    play.receive(redirect(W, Z))
    fall_silent(play, W)
    assert hop(play) == Z
    assert hop(play, "2001:db8::2") == X
