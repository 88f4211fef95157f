"""A querier beside real hosts on an in-memory switch: its table is what they listen to, whatever they speak."""

import pytest

from stack.address import format_address, parse_mac
from stack.discard import Outcome
from stack.link.switch import Port, Switch
from stack.sim.querier import GroupChange, Querier, Role, Variables
from stack.sim.world import Seat, Station, World
from tests.playbook import ip

GROUP = "ff05::1:3"
SOLICITED = ("ff02::1:ff00:a", "ff02::1:ff00:b")


class Link:
    """ada and bob, and a router of each named version."""

    def __init__(self, version: int = 2, *, routers: int = 1, seed: int = 1, switch: Switch | None = None) -> None:
        self.world = World(seed, switch=switch)
        self.ada = self.world.add_host("ada", parse_mac("02:00:00:00:00:0a"))
        self.bob = self.world.add_host("bob", parse_mac("02:00:00:00:00:0b"))
        self.routers = [
            Querier(parse_mac(f"02:00:00:00:01:{number:02x}"), variables=Variables(version=version))
            for number in range(routers)
        ]
        self.seats: list[Seat] = []
        for number, router in enumerate(self.routers):
            self.seats.append(self.world.add_node(f"router{number}", router))
            router.start(0.0)
            self.world.settle(self.seats[-1])
        for station in (self.ada, self.bob):
            self.world.start(station)

    @property
    def router(self) -> Querier:
        return self.routers[0]

    def join(self, station: Station, group: str = GROUP) -> object:
        membership = station.interface.listener.join(ip(group), self.world.now)
        self.world.settle(station)
        return membership

    def leave(self, station: Station, membership: object) -> None:
        station.interface.listener.leave(membership, self.world.now)  # type: ignore[arg-type]
        self.world.settle(station)

    def table(self, router: int = 0) -> set[str]:
        return {format_address(group) for group in self.routers[router].listeners()}


@pytest.mark.parametrize("version", [1, 2])
def test_the_table_is_what_is_listened_to(version: int) -> None:
    link = Link(version)
    link.world.run_until(20)
    one, other = link.join(link.ada), link.join(link.bob)
    link.world.run_until(300)
    assert {GROUP, *SOLICITED} <= link.table()
    link.leave(link.ada, one)
    link.world.run_until(310)
    assert GROUP in link.table(), "bob still listens"
    link.leave(link.bob, other)
    link.world.run_until(313)
    assert GROUP not in link.table()
    assert set(SOLICITED) <= link.table()


@pytest.mark.parametrize("version", [1, 2])
def test_whoever_was_there_before_is_found_by_asking(version: int) -> None:
    link = Link(version, routers=0)
    link.world.run_until(60)
    link.join(link.ada)
    link.world.run_until(120)
    late = Querier(parse_mac("02:00:00:00:01:09"), variables=Variables(version=version))
    seat = link.world.add_node("late", late)
    late.start(link.world.now)
    link.world.settle(seat)
    # 9.3: everybody has answered within ten seconds
    link.world.run_until(131)
    assert {format_address(group) for group in late.listeners()} >= {GROUP, *SOLICITED}


@pytest.mark.parametrize("version", [1, 2])
def test_one_router_asks_and_all_know(version: int) -> None:
    link = Link(version, routers=3)
    asked: list[str] = []

    # At 31.25 s all three repeat their first query, not having heard of each other at the start.
    def watch(now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        if outcome is None and frame[62:63] == b"\x82" and now > 32:
            asked.append(port.name)

    link.world.watchers.append(watch)
    link.world.run_until(20)
    membership = link.join(link.ada)
    link.world.run_until(600)
    assert [router.role for router in link.routers] == [Role.QUERIER, Role.NON_QUERIER, Role.NON_QUERIER]
    assert set(asked) == {"router0"}
    assert link.table(0) == link.table(1) == link.table(2)
    link.leave(link.ada, membership)
    link.world.run_until(610)
    assert all(GROUP not in link.table(number) for number in range(3))
    # The querier falls silent; the next one takes over and knows the same.
    link.seats[0].port.up = False
    link.world.run_until(1200)
    assert link.routers[1].role is Role.QUERIER
    assert link.routers[2].role is Role.NON_QUERIER
    assert set(SOLICITED) <= link.table(1)


def test_a_world_with_a_querier_repeats() -> None:
    def play() -> list[object]:
        link = Link(seed=7)
        changes: list[object] = []
        link.router.watchers.append(changes.append)
        link.world.run_until(50)
        link.leave(link.ada, link.join(link.ada))
        link.world.run_until(300)
        return changes

    first = play()
    assert first == play()
    assert any(isinstance(each, GroupChange) for each in first)


@pytest.mark.parametrize("version", [1, 2])
def test_a_snooping_switch_lets_all_of_it_work(version: int) -> None:
    switch = Switch(snooping=True, flood_unknown=False)
    link = Link(version, switch=switch)
    link.world.run_until(60)
    membership = link.join(link.ada)
    link.world.run_until(61)
    assert switch.snooping is not None
    on_ports = {(format_address(each.group), each.port) for each in switch.snooping.members(link.world.now)}
    assert (GROUP, link.ada.port.number) in on_ports
    assert switch.snooping.routers(link.world.now) == {link.seats[0].port.number}
    assert GROUP in link.table()
    link.leave(link.ada, membership)
    link.world.run_until(64)
    assert GROUP not in link.table()
    assert GROUP not in {format_address(each.group) for each in switch.snooping.members(link.world.now)}
    # Neighbours find each other through their solicited-node groups.
    heard: list[object] = []
    bob = ip("fe80::ff:fe00:b")
    link.ada.host.echoes.open(link.ada.interface, bob, heard.append).send(1, link.world.now)
    link.world.settle(link.ada)
    link.world.run_until(65)
    assert len(heard) == 1
