"""The world's clock, its wires and its chance: order, latency, repetition (no protocol here but start-up)."""

import pytest

from stack.errors import RefusedError
from stack.settings import Settings
from stack.sim.world import LATENCY, Station, World
from tests.mld.common import QUERY
from tests.playbook import Sent, ip, mld_message

FIRST, SECOND = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def version_1() -> Settings:
    """MLD version 1, and no router to be asked for: fewer frames to be counted."""
    return Settings(force_mld_version=1, router_solicitations=0)


def frames_of(world: World) -> list[tuple[float, int, bytes]]:
    """What enters the switch from now on: time, port, frame."""
    seen: list[tuple[float, int, bytes]] = []
    world.watchers.append(
        lambda now, port, frame, outcome: seen.append((now, port.number, frame)) if outcome is None else None
    )
    return seen


def two(seed: int = 0) -> tuple[World, Station, Station]:
    world = World(seed)
    first, second = world.add_host("a", FIRST), world.add_host("b", SECOND)
    return world, first, second


def started(seed: int = 0) -> tuple[World, Station, Station]:
    world, first, second = two(seed)
    world.start(first)
    world.start(second)
    world.run_until(30.0)
    return world, first, second


def test_actions_run_in_the_order_of_their_times() -> None:
    world = World()
    ran: list[tuple[str, float]] = []
    for name, at in (("late", 3.0), ("early", 1.0), ("middle", 2.0)):
        world.at(at, lambda name=name: ran.append((name, world.now)))  # type: ignore[misc]
    world.run_until(10.0)
    assert ran == [("early", 1.0), ("middle", 2.0), ("late", 3.0)]
    assert world.now == 10.0


def test_equal_times_run_as_they_were_scheduled() -> None:
    world = World()
    ran: list[int] = []
    for number in range(20):
        world.at(1.0, lambda number=number: ran.append(number))  # type: ignore[misc]
    world.run_until(1.0)
    assert ran == list(range(20))


def test_the_past_is_now() -> None:
    world = World()
    world.run_until(5.0)
    ran: list[float] = []
    world.at(1.0, lambda: ran.append(world.now))
    world.run_until(5.0)
    assert ran == [5.0]


def test_an_action_may_schedule_another() -> None:
    world = World()
    ran: list[float] = []

    def again() -> None:
        ran.append(world.now)
        if len(ran) < 5:
            world.at(world.now + 0.5, again)

    world.at(0.0, again)
    world.run_until(10.0)
    assert ran == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_nothing_beyond_the_time_asked_for() -> None:
    world = World()
    ran: list[float] = []
    world.at(2.0, lambda: ran.append(world.now))
    world.run_until(1.999)
    assert (ran, world.now) == ([], 1.999)
    world.run_until(2.0)
    assert ran == [2.0]


def test_run_while_stops_when_it_has_what_it_waits_for() -> None:
    world, first, _ = two()
    world.start(first)
    world.run_while(lambda: first.interface.addresses.link_local() is None)
    assert first.interface.addresses.link_local() is not None
    assert 1.0 <= world.now <= 2.0, "the random delay of up to 1 s, and RetransTimer (RFC 4862 5.4)"


def test_run_while_gives_up() -> None:
    world, first, _ = two()
    with pytest.raises(RefusedError, match="60 s"):
        world.run_while(lambda: True, limit=60.0)
    world.start(first)

    def for_ever() -> None:
        world.at(world.now + 7.0, for_ever)

    for_ever()
    with pytest.raises(RefusedError, match="60 s"):
        world.run_while(lambda: True, limit=60.0)
    assert 53.0 < world.now <= 60.0


def test_frames_arrive_after_the_latency() -> None:
    world, first, second = started()
    arrivals: list[float] = []
    world.watchers.append(lambda now, port, frame, outcome: arrivals.append(now) if outcome is not None else None)
    start = world.now
    first.interface.listener.join(ip("ff05::99"), world.now)
    world.settle(first)
    world.run_until(start + 0.01)
    assert arrivals == [start + LATENCY]
    assert second.host.counters.frames_in > 0


def test_the_latency_is_a_choice() -> None:
    world = World(latency=0.25)
    station = world.add_host("a", FIRST)
    world.start(station)
    world.run_until(30.0)
    arrivals: list[float] = []
    world.watchers.append(lambda now, port, frame, outcome: arrivals.append(now) if outcome is not None else None)
    world.send(mld_message(QUERY, "::", delay=0), world.switch.add_port("peer"))
    world.run_until(40.0)
    assert arrivals == [30.25]


def test_watchers_see_each_frame_leave_and_arrive() -> None:
    world, first, _ = two()
    seen: list[tuple[str, bool]] = []
    world.watchers.append(lambda now, port, frame, outcome: seen.append((port.name, outcome is None)))
    world.start(first)
    world.run_until(1.0)
    assert seen[0] == ("a", True), "it leaves the first host"
    assert ("b", False) in seen, "and arrives at the second, which is down"
    assert ("a", False) not in seen


def test_a_port_that_is_down_takes_nothing() -> None:
    world, first, second = started()
    second.port.up = False
    before = second.host.counters.frames_in
    first.interface.listener.join(ip("ff05::99"), world.now)
    world.settle(first)
    world.run_until(world.now + 1)
    assert second.host.counters.frames_in == before


def test_what_is_under_way_to_a_port_that_goes_down_is_lost() -> None:
    world, first, second = started()
    before = second.host.counters.frames_in
    first.interface.listener.join(ip("ff05::99"), world.now)
    world.settle(first)
    second.port.up = False
    world.run_until(world.now + LATENCY)
    assert second.host.counters.frames_in == before


def test_a_frame_for_a_port_without_a_host_does_no_harm() -> None:
    world, first, _ = started()
    world.switch.add_port("empty")
    first.interface.listener.join(ip("ff05::99"), world.now)
    world.settle(first)
    world.run_until(world.now + 20)


def test_names_are_unique() -> None:
    # Hosts of one name would draw the same delays and nonces.
    world, _, _ = two()
    with pytest.raises(RefusedError, match="'a'"):
        world.add_host("a", bytes.fromhex("020000000003"))


def traffic(seed: int, names: tuple[str, ...] = ("a", "b")) -> list[tuple[float, int, bytes]]:
    world = World(seed)
    seen = frames_of(world)
    stations = [world.add_host(name, mac, version_1()) for name, mac in zip(names, (FIRST, SECOND), strict=True)]
    for station in stations:
        world.start(station)
    world.run_until(60.0)
    return seen


def test_equal_seeds_give_equal_traffic() -> None:
    assert traffic(7) == traffic(7)
    # Each: two reports and one more when the address is valid (RFC 3590 4), and one probe.
    assert len(traffic(7)) == 2 * 4


def test_other_seeds_give_other_traffic() -> None:
    assert len({tuple(traffic(seed)) for seed in range(10)}) == 10


def test_chance_depends_on_the_name_alone() -> None:
    # A third host changes nothing in what the first two draw.
    world = World(7)
    seen = frames_of(world)
    third = world.add_host("z", bytes.fromhex("020000000009"))
    stations = [world.add_host(name, mac, version_1()) for name, mac in (("a", FIRST), ("b", SECOND))]
    for station in stations:
        world.start(station)
    world.run_until(60.0)
    assert [(at, octets) for at, _, octets in seen] == [(at, octets) for at, _, octets in traffic(7)]
    assert third.host.counters.frames_out == 0


def test_settings_and_driver_of_a_host_are_its_own() -> None:
    world = World()
    plans: list[object] = []
    first = world.add_host("a", FIRST, Settings(dad_transmits=0), plans.append)
    second = world.add_host("b", SECOND)
    world.start(first)
    world.start(second)
    assert first.interface.addresses.link_local() is not None
    assert second.interface.addresses.link_local() is None
    assert plans


def test_needless_wake_ups_do_not_pile_up() -> None:
    world, first, _ = started()
    # A deadline in a month stays behind every other; it must be held once, not once for each thing that happens.
    first.interface.addresses.add(ip("2001:db8::1"), 64, world.now, nodad=True, valid_lifetime=30 * 86_400.0)
    world.settle(first)
    peer = world.switch.add_port("peer")
    for _ in range(2_000):
        world.send(mld_message(QUERY, "::", delay=100), peer)
        world.run_until(world.now + 1.0)
    assert len(world._heap) < 10
    assert len(first.wakes) < 10


def test_a_timer_that_was_put_off_fires_when_it_should() -> None:
    world, first, _ = started()
    seen = frames_of(world)
    peer = world.switch.add_port("peer")
    start = world.now
    world.send(mld_message(QUERY, "::", delay=60_000), peer)
    world.run_until(start + 0.001)
    deadline = first.host.next_deadline()
    assert deadline is not None
    # The group is left: what the world holds for its timer is needless, and the repeat of another comes in time.
    world.run_until(start + 61)
    reports = [at for at, _, octets in seen if Sent(at, octets).kind == 131]
    assert deadline in reports


def test_a_day_without_events_passes() -> None:
    world, _, _ = started()
    world.run_until(86_400.0)
    assert world.now == 86_400.0
