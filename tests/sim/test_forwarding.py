"""A router between two links: packets pass, and whoever sent one that cannot is told why."""

import pytest

from stack.icmp6.echo import EchoAnswer, EchoError
from stack.link.switch import Switch
from stack.settings import Settings
from stack.sim.forwarding import WAITING_HOPS, ForwardingRouter, Leg
from stack.sim.router import NEIGHBOURS_LIMIT, REMEMBERED_LIMIT, remember
from stack.sim.world import Station, World
from tests.playbook import Sent, frame, icmp, ip, packet, text

NEAR, FAR = ip("2001:db8:1::"), ip("2001:db8:2::")
NEAR_MAC, FAR_MAC = bytes.fromhex("0200000000a1"), bytes.fromhex("0200000000a2")
ADA_MAC, BOB_MAC = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")
ADA, BOB = "2001:db8:1::ff:fe00:a", "2001:db8:2::ff:fe00:b"
ROUTER_NEAR, ROUTER_FAR = "2001:db8:1::ff:fe00:a1", "2001:db8:2::ff:fe00:a2"


class Route:
    """ada - near link - router - far link - bob."""

    def __init__(self, mtu: int = 1500) -> None:
        self.world = World(1)
        self.far_switch = Switch()
        self.router = ForwardingRouter(self.world, "router")
        self.near: Leg = self.router.attach(self.world.switch, NEAR_MAC, NEAR)
        self.far: Leg = self.router.attach(self.far_switch, FAR_MAC, FAR, mtu=mtu)
        self.ada = self.world.add_host("ada", ADA_MAC)
        self.bob = self.world.add_host("bob", BOB_MAC, switch=self.far_switch)
        self.on_near: list[Sent] = []
        self.on_far: list[Sent] = []
        self.world.watchers.append(self._note)
        self.router.start()
        for station in (self.ada, self.bob):
            self.world.start(station)
        self.world.run_until(20)
        self.on_near.clear()
        self.on_far.clear()

    def _note(self, now: float, port: object, octets: bytes, outcome: object) -> None:
        if outcome is None:
            seen = self.on_near if port.switch is self.world.switch else self.on_far  # type: ignore[attr-defined]
            seen.append(Sent(now, octets))

    def ping(self, to: str, size: int = 8, station: Station | None = None) -> list[EchoAnswer | EchoError]:
        station = station or self.ada
        heard: list[EchoAnswer | EchoError] = []
        session = station.host.echoes.open(station.interface, ip(to), heard.append, data=bytes(size))
        session.send(1, self.world.now)
        self.world.settle(station)
        self.world.run_until(self.world.now + 5)
        return heard

    def inject(self, octets: bytes) -> list[Sent]:
        """A packet from ada's place to the router; what the near link carries then."""
        self.on_near.clear()
        self.world.send(frame(octets, mac=ADA_MAC, to=NEAR_MAC), self.ada.port)
        self.world.run_until(self.world.now + 0.01)
        return self.on_near[1:]


def test_hosts_of_two_links_reach_each_other() -> None:
    route = Route()
    assert [type(each) for each in route.ping(BOB)] == [EchoAnswer]
    assert [type(each) for each in route.ping(ADA, station=route.bob)] == [EchoAnswer]
    requests = [each for each in route.on_far if each.kind == 128 and each.destination == BOB]
    assert requests[0].source == ADA
    # RFC 8200 3: one hop less
    assert requests[0].frame[21] == 63


def test_the_router_answers_for_its_own_addresses() -> None:
    route = Route()
    for address in (ROUTER_NEAR, ROUTER_FAR):
        (answer,) = route.ping(address)
        assert isinstance(answer, EchoAnswer)
        assert text(answer.source) == address


def echo_to(destination: str, *, hop_limit: int = 64, size: int = 8, source: str = ADA) -> bytes:
    return packet(source, destination, icmp(source, destination, 128, 0, bytes(4 + size)), hop_limit=hop_limit)


@pytest.mark.parametrize(
    ("octets", "kind", "code", "parameter"),
    [
        # RFC 4443 3.3
        (echo_to(BOB, hop_limit=1), 3, 0, 0),
        (echo_to(BOB, hop_limit=0), 3, 0, 0),
        # 3.2: the MTU of the next link
        (echo_to(BOB, size=1400), 2, 0, 1300),
        # 3.1: no route; beyond the scope of the source
        (echo_to("2001:db8:9::1"), 1, 0, 0),
        (echo_to(BOB, source="fe80::ff:fe00:a"), 1, 2, 0),
    ],
)
def test_errors(octets: bytes, kind: int, code: int, parameter: int) -> None:
    route = Route(mtu=1300)
    (error,) = route.inject(octets)
    assert (error.kind, error.message[1]) == (kind, code)
    assert int.from_bytes(error.message[4:8], "big") == parameter
    assert error.message[8:] == octets[: 1280 - 48]
    assert len(error.frame) - 14 <= 1280
    assert route.on_far == []


@pytest.mark.parametrize(
    "octets",
    [
        packet(ADA, BOB, icmp(ADA, BOB, 3, 0, bytes(48)), hop_limit=1),
        packet(ADA, "2001:db8:9::1", icmp(ADA, "2001:db8:9::1", 1, 0, bytes(48)), hop_limit=9),
        echo_to("ff0e::1", hop_limit=1),
        echo_to(BOB, source="::"),
    ],
    ids=["an error that expires", "an error without a route", "to a group", "from nobody"],
)
def test_no_error_about_these(octets: bytes) -> None:
    # RFC 4443 2.4 (e)
    route = Route()
    assert route.inject(octets) == []


def test_exactly_the_mtu_fits() -> None:
    route = Route(mtu=1300)
    assert [each.kind for each in route.inject(echo_to(BOB, size=1300 - 48))] == [129]
    route.world.run_until(route.world.now + 1)
    assert any(each.kind == 128 for each in route.on_far)


def test_nobody_there() -> None:
    # RFC 4861 7.2.2: three solicitations, then address unreachable
    route = Route()
    (error,) = route.ping("2001:db8:2::77")
    assert isinstance(error, EchoError)
    assert (error.type, error.code, text(error.source)) == (1, 3, ROUTER_NEAR)
    assert len([each for each in route.on_far if each.kind == 135 and each.target == "2001:db8:2::77"]) == 3


def test_a_host_is_redirected_to_its_neighbour() -> None:
    # RFC 4861 8.2: ada is told that eve, whom it sends to by the router, is on its link
    route = Route()
    eve = route.world.add_host("eve", bytes.fromhex("02000000000e"), Settings())
    route.world.start(eve)
    route.world.run_until(route.world.now + 10)
    sent = route.inject(echo_to("2001:db8:1::ff:fe00:e"))
    route.world.run_until(route.world.now + 1)
    (redirect,) = [each for each in sent if each.kind == 137]
    assert (redirect.source, redirect.destination) == ("fe80::ff:fe00:a1", ADA)
    assert redirect.frame[21] == 255
    assert text(redirect.message[8:24]) == text(redirect.message[24:40]) == "2001:db8:1::ff:fe00:e"
    assert 137 in route.router.sent
    assert eve.host.counters.icmp_in[128] == 1


def test_a_route_to_another_router() -> None:
    route = Route()
    route.router.add_route(ip("2001:db8:9::"), 48, route.far, ip(BOB))
    assert route.inject(echo_to("2001:db8:9::5")) == []
    route.world.run_until(route.world.now + 1)
    passed = [each for each in route.on_far if each.kind == 128]
    assert passed[-1].frame[:6] == BOB_MAC


def test_a_scan_of_the_far_link_fills_no_table() -> None:
    # One solicitation for each of so many; whoever is there is reached all the same.
    route = Route()
    for number in range(WAITING_HOPS + 100):
        octets = echo_to(f"2001:db8:2::1:{number:x}")
        route.world.send(frame(octets, mac=ADA_MAC, to=NEAR_MAC), route.ada.port)
    route.world.run_until(route.world.now + 0.5)
    asked = {each.target for each in route.on_far if each.kind == 135 and each.target.startswith("2001:db8:2::1:")}
    assert len(asked) == WAITING_HOPS
    route.world.run_until(route.world.now + 5)
    assert [type(each) for each in route.ping(BOB)] == [EchoAnswer]


def test_neighbours_are_bounded() -> None:
    leg = Route().near
    for number in range(NEIGHBOURS_LIMIT + 10):
        leg._learn(ip(f"fe80::1:{number:x}"), ADA_MAC, 0.0)
    assert len(leg._neighbours) == NEIGHBOURS_LIMIT
    assert leg.mac_of(ip(f"fe80::1:{NEIGHBOURS_LIMIT + 9:x}")) == ADA_MAC


def test_what_was_seen_is_remembered_within_bounds() -> None:
    seen: list[bytes] = []
    for number in range(3 * REMEMBERED_LIMIT):
        remember(seen, number.to_bytes(16, "big"))
    assert REMEMBERED_LIMIT <= len(seen) <= 2 * REMEMBERED_LIMIT
    assert seen[-1] == (3 * REMEMBERED_LIMIT - 1).to_bytes(16, "big")
