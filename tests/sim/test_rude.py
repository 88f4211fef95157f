"""The rude neighbour does to a host what it says, and a capture on a port is played as it was captured."""

from random import Random

import pytest

from stack.settings import Settings
from stack.sim.player import CapturePlayer
from stack.sim.rude import RudeNeighbour
from stack.sim.world import Seat, Station, World
from tests.playbook import ip, text
from tests.sim.test_link import Ping, address_of, link_local
from tests.sim.test_links import frames, hosts

RUDE_MAC = bytes.fromhex("0200000000ee")


class Lab(World):
    """Two hosts and somebody rude."""

    def __init__(self, *, denies: bool = False, solicit: bool = False) -> None:
        super().__init__(1)
        self.rude = RudeNeighbour(RUDE_MAC, Random(1), denies=denies)
        self.rude_seat: Seat = self.add_node("rude", self.rude)
        self.ada: Station
        self.bob: Station
        self.ada, self.bob = hosts(self, 2)

    def up(self) -> "Lab":
        for station in self.stations:
            self.start(station)
        self.run_until(self.now + 10)
        return self

    def go(self, seconds: float = 1.0) -> None:
        self.settle(self.rude_seat)
        self.run_until(self.now + seconds)


def test_who_denies_leaves_nobody_an_address() -> None:
    lab = Lab(denies=True).up()
    assert [address_of(station) for station in lab.stations] == [None, None]
    assert sorted(map(text, lab.rude.denied)) == [link_local(1), link_local(2)]
    assert all(station.interface.disabled for station in lab.stations)


def test_one_address_alone_is_denied() -> None:
    lab = Lab()
    lab.rude.claims.add(ip(link_local(2)))
    lab.up()
    assert [address_of(station) for station in lab.stations] == [link_local(1), None]


def test_a_false_advertisement_takes_traffic_away() -> None:
    # RFC 4861 7.2.5: override is believed, which is what makes this an attack.
    lab = Lab().up()
    Ping(lab, lab.ada, link_local(2)).send()
    lab.run_until(lab.now + 1)
    lab.rude.advertise_falsely(ip(link_local(2)), ip(link_local(1)), lab.ada.interface.mac)
    lab.go()
    lost = Ping(lab, lab.ada, link_local(2)).send()
    lab.run_until(lab.now + 1)
    assert lost.answers == []
    entry = lab.ada.interface.resolver.cache.get(ip(link_local(2)))
    assert entry is not None and entry.mac == RUDE_MAC


def test_who_claims_answers_who_asks() -> None:
    lab = Lab().up()
    lab.rude.claims.add(ip("fe80::77"))
    Ping(lab, lab.ada, "fe80::77").send()
    lab.run_until(lab.now + 1)
    entry = lab.ada.interface.resolver.cache.get(ip("fe80::77"))
    assert entry is not None and entry.mac == RUDE_MAC


def test_a_flood_of_advertisements_ends_at_the_limits() -> None:
    lab = Lab().up()
    lab.rude.flood_advertisements(300, 100.0, lab.now)
    lab.go(10)
    limits = Settings()
    assert 1 <= len(lab.ada.interface.addresses.table) <= limits.max_addresses + 1
    assert lab.ada.host.counters.icmp_in[134] == 300
    assert address_of(lab.ada) == link_local(1)


def test_a_flood_of_queries_is_not_one_of_answers() -> None:
    lab = Lab().up()
    lab.ada.interface.listener.join(ip("ff05::99"), lab.now)
    lab.settle(lab.ada)
    lab.run_until(lab.now + 5)
    seen = frames(lab)
    lab.rude.flood_queries(500, 500.0, 0.0, lab.now)
    lab.go(1.2)
    asked = [octets for _, name, octets in seen if name == "rude"]
    assert len(asked) == 500
    answers = [octets for _, name, octets in seen if name == "host1"]
    assert 1 <= len(answers) <= 1.2 * Settings().mld_ratelimit + Settings().mld_ratelimit


def test_neighbours_that_nobody_asked_for_are_not_remembered() -> None:
    # RFC 4861 7.2.5: no entry is made for an advertisement.
    lab = Lab().up()
    lab.rude.flood_false_neighbours(100, 1000.0, lab.now)
    lab.go()
    assert lab.ada.host.counters.icmp_in[136] == 100
    assert len(lab.ada.interface.resolver.cache) == 0


@pytest.mark.parametrize("octets", [b"", bytes(13), bytes(60), RUDE_MAC * 20])
def test_it_is_not_upset_by_anything(octets: bytes) -> None:
    rude = RudeNeighbour(RUDE_MAC, Random(0), denies=True)
    rude.receive(octets, 0.0)
    assert rude.output() == []


# -- captures


def test_a_capture_is_played_with_its_pauses() -> None:
    world = World()
    seen = frames(world)
    player = CapturePlayer([(1000.0, b"a" * 20), (1000.5, b"b" * 20), (1000.25, b"c" * 20), (1003.0, b"d" * 20)])
    seat = world.add_node("capture", player)
    world.run_until(7.0)
    player.start(world.now)
    world.settle(seat)
    world.run_until(20.0)
    assert [(time, octets[:1]) for time, _, octets in seen] == [(7.0, b"a"), (7.5, b"b"), (7.5, b"c"), (10.0, b"d")]
    assert player.played == 4
    assert player.next_deadline() is None


def test_an_empty_capture() -> None:
    player = CapturePlayer([])
    player.start(1.0)
    player.advance(2.0)
    assert (player.next_deadline(), player.output()) == (None, [])


def test_hosts_take_what_a_capture_says() -> None:
    world = World()
    (ada,) = hosts(world, 1)
    world.start(ada)
    world.run_until(10)
    rude = RudeNeighbour(RUDE_MAC, Random(0))
    rude.advertise_router(ip("2001:db8:5::"))
    player = CapturePlayer([(0.0, frame) for _, frame in rude.output()])
    seat = world.add_node("capture", player)
    player.start(world.now)
    world.settle(seat)
    world.run_until(20)
    assert "2001:db8:5::ff:fe00:1" in {text(each) for each in ada.interface.addresses.table}
    player.receive(b"", world.now)
