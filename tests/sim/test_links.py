"""The world's links: several of them, bad ones, cables that are pulled, and cards that filter."""

from random import Random

import pytest

from stack.discard import Outcome
from stack.link.impairment import Impairment
from stack.link.switch import Port, Switch
from stack.settings import Settings
from stack.sim.world import Station, World
from tests.sim.test_link import Ping, address_of, link_local


def hosts(world: World, count: int, switch: Switch | None = None, first: int = 1) -> list[Station]:
    own = Settings(router_solicitations=0)
    return [
        world.add_host(f"host{number}", bytes.fromhex(f"0200000000{number:02x}"), own, switch=switch)
        for number in range(first, first + count)
    ]


def up(world: World) -> None:
    for station in world.stations:
        world.start(station)
    world.run_until(world.now + 30)


def frames(world: World) -> list[tuple[float, str, bytes]]:
    """What enters a switch from now on."""
    seen: list[tuple[float, str, bytes]] = []

    def note(now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        if outcome is None:
            seen.append((now, port.name, frame))

    world.watchers.append(note)
    return seen


def test_two_links_have_nothing_to_do_with_each_other() -> None:
    world, other = World(), Switch()
    near, far = hosts(world, 1), hosts(world, 2, other, first=2)
    up(world)
    assert [address_of(station) for station in near + far] == [link_local(n) for n in (1, 2, 3)]
    lost = Ping(world, near[0], link_local(2)).send()
    found = Ping(world, far[0], link_local(3)).send()
    world.run_until(world.now + 5)
    assert (len(lost.answers), len(found.answers)) == (0, 1)
    assert world.seat(far[1].port) is far[1]


def test_who_filters_says_the_same() -> None:
    # A card spares its host what the host would drop anyway.
    told = []
    for filtering in (False, True):
        world = World(3, switch=Switch(snooping=True), filtering=filtering)
        hosts(world, 12)
        seen = frames(world)
        up(world)
        for station in world.stations:
            Ping(world, station, link_local(1 + station.port.number % 12)).send()
        world.run_until(world.now + 60)
        told.append(seen)
    assert told[0] == told[1]
    assert len(told[0]) >= 60


def test_who_filters_is_given_less() -> None:
    given = []
    for filtering in (False, True):
        world = World(filtering=filtering)
        hosts(world, 12)
        up(world)
        given.append(sum(station.host.counters.frames_in for station in world.stations))
    assert given[1] * 10 < given[0]


def test_a_bad_line_in_each_direction() -> None:
    world = World(1)
    first, second = hosts(world, 2)
    up(world)
    world.impair(second.port, inward=Impairment(delay=0.2), outward=Impairment(delay=0.1))
    Ping(world, first, link_local(2)).send()
    world.run_until(world.now + 2)
    ping, start = Ping(world, first, link_local(2)).send(), world.now
    world.run_until(world.now + 2)
    assert ping.answers[0].time == pytest.approx(start + 0.3 + 2 * 0.000_05)
    world.impair(second.port, outward=Impairment(loss=1.0))
    lost = Ping(world, first, link_local(2)).send()
    world.run_until(world.now + 2)
    assert lost.answers == []
    world.impair(second.port)
    Ping(world, first, link_local(2)).send()
    world.run_until(world.now + 2)
    assert second.port.outward is None


def test_a_host_lives_with_a_terrible_line() -> None:
    world = World(5)
    first, second = hosts(world, 2)
    terrible = Impairment(loss=0.2, delay=0.05, jitter=0.05, duplicate=0.2, reorder=0.2, corrupt=0.2, rate=1e6)
    up(world)
    world.impair(second.port, inward=terrible, outward=terrible)
    ping = Ping(world, first, link_local(2))
    for sequence in range(200):
        ping.send(sequence)
        world.run_until(world.now + 1)
    answered = {each.sequence for each in ping.answers}
    assert 40 < len(answered) < 160
    assert all(each.intact for each in ping.answers), "a checksum finds what is corrupted"


def test_lines_are_repeatable() -> None:
    def story(seed: int) -> list[tuple[float, str, bytes]]:
        world = World(seed)
        for station in hosts(world, 5):
            world.impair(station.port, inward=Impairment(loss=0.3, jitter=0.1), outward=Impairment(corrupt=0.1))
        seen = frames(world)
        up(world)
        return seen

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_cable_that_is_pulled() -> None:
    world = World()
    first, second = hosts(world, 2)
    up(world)
    world.link_down(second)
    assert not second.interface.up
    lost = Ping(world, first, link_local(2)).send()
    world.run_until(world.now + 5)
    assert lost.answers == []
    world.link_up(second)
    world.run_until(world.now + 5)
    assert address_of(second) == link_local(2)
    found = Ping(world, first, link_local(2)).send()
    world.run_until(world.now + 5)
    assert len(found.answers) == 1


def test_a_name_is_taken_on_every_link() -> None:
    world = World()
    hosts(world, 1)
    with pytest.raises(Exception, match="host1"):
        hosts(world, 1, Switch())


def test_the_next_time() -> None:
    world = World()
    assert world.next_time() is None
    world.at(5.0, Random(0).seed)
    assert world.next_time() == 5.0
