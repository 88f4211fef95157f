"""The switch in memory: it learns, floods what it does not know, and forgets (IEEE 802.1D 7.8, 7.9)."""

import pytest

from stack.link.switch import LEARNING_LIMIT, Port, Switch
from stack.multicast_filter import FilterPlan

A, B, C = (bytes.fromhex(f"0200000000{number:02x}") for number in (0xA, 0xB, 0xC))
BROADCAST = bytes.fromhex("ffffffffffff")
GROUP = bytes.fromhex("333300000001")


def frame(to: bytes, source: bytes, length: int = 60) -> bytes:
    """An Ethernet frame with nothing in it."""
    return (to + source + b"\x86\xdd").ljust(length, b"\0")


class Bench:
    """A switch with ports 0, 1, 2, ..."""

    def __init__(self, ports: int = 4) -> None:
        self.switch = Switch()
        self.ports = [self.switch.add_port(f"p{number}") for number in range(ports)]

    def forward(self, octets: bytes, port: int) -> list[int]:
        """The numbers of the ports that a frame leaves by."""
        return [each.number for each in self.switch.forward(octets, self.ports[port])]

    def learn(self, mac: bytes, port: int) -> None:
        """Have a station heard on a port."""
        self.forward(frame(BROADCAST, mac), port)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_ports_are_numbered_in_order() -> None:
    ports = Bench(3).ports
    assert [(port.number, port.name, port.up) for port in ports] == [(0, "p0", True), (1, "p1", True), (2, "p2", True)]


def test_unknown_station_is_flooded(bench: Bench) -> None:
    assert bench.forward(frame(B, A), 0) == [1, 2, 3]


@pytest.mark.parametrize("to", [BROADCAST, GROUP, bytes.fromhex("01005e000001")])
def test_groups_and_broadcast_are_flooded(bench: Bench, to: bytes) -> None:
    bench.learn(A, 0)
    bench.learn(B, 1)
    assert bench.forward(frame(to, A), 0) == [1, 2, 3]


def test_known_station_gets_its_frames_alone(bench: Bench) -> None:
    bench.learn(B, 2)
    assert bench.forward(frame(B, A), 0) == [2]
    assert bench.forward(frame(A, B), 2) == [0], "learnt from the frame before"


def test_a_frame_never_goes_back(bench: Bench) -> None:
    bench.learn(A, 1)
    bench.learn(B, 1)
    assert bench.forward(frame(B, A), 1) == [], "both are on one port"
    assert 3 not in bench.forward(frame(C, A), 3)


def test_a_station_that_moves_is_followed(bench: Bench) -> None:
    bench.learn(B, 1)
    assert bench.forward(frame(B, A), 0) == [1]
    bench.learn(B, 3)
    assert bench.forward(frame(B, A), 0) == [3]


@pytest.mark.parametrize("source", [BROADCAST, GROUP])
def test_a_group_is_no_station(bench: Bench, source: bytes) -> None:
    bench.forward(frame(A, source), 1)
    assert bench.forward(frame(source, A), 0) == [1, 2, 3]


def test_a_port_that_is_down_gets_nothing(bench: Bench) -> None:
    bench.ports[2].up = False
    assert bench.forward(frame(GROUP, A), 0) == [1, 3]
    assert bench.forward(frame(B, A), 0) == [1, 3]


def test_what_was_learnt_on_a_port_that_is_down_no_longer_counts(bench: Bench) -> None:
    bench.learn(B, 2)
    bench.ports[2].up = False
    assert bench.forward(frame(B, A), 0) == [1, 3]
    bench.ports[2].up = True
    assert bench.forward(frame(B, A), 0) == [2]


def test_a_port_that_is_down_gives_nothing_and_teaches_nothing(bench: Bench) -> None:
    bench.ports[1].up = False
    assert bench.forward(frame(GROUP, B), 1) == []
    bench.ports[1].up = True
    assert bench.forward(frame(B, A), 0) == [1, 2, 3]


@pytest.mark.parametrize("length", [0, 1, 6, 12, 13])
def test_runts_are_dropped(bench: Bench, length: int) -> None:
    assert bench.forward(frame(BROADCAST, A)[:length], 0) == []
    assert bench.forward(frame(A, B), 1) == [0, 2, 3], "nothing was learnt from it"


def test_a_bare_header_is_a_frame(bench: Bench) -> None:
    assert bench.forward(frame(BROADCAST, A)[:14], 0) == [1, 2, 3]


def station(number: int) -> bytes:
    return b"\x06" + number.to_bytes(5, "big")


def test_the_oldest_is_forgotten_at_the_limit(bench: Bench) -> None:
    for number in range(LEARNING_LIMIT):
        bench.learn(station(number), 1)
    assert bench.forward(frame(station(0), station(LEARNING_LIMIT - 1)), 1) == [], "all are known"
    bench.learn(A, 0)
    assert bench.forward(frame(station(0), A), 0) == [1, 2, 3], "the oldest was forgotten"
    assert bench.forward(frame(station(1), A), 0) == [1]


def test_who_is_heard_again_is_not_the_oldest(bench: Bench) -> None:
    for number in range(LEARNING_LIMIT):
        bench.learn(station(number), 1)
    bench.learn(station(0), 1)
    bench.learn(A, 2)
    assert bench.forward(frame(station(0), A), 2) == [1]
    assert bench.forward(frame(station(1), A), 2) == [0, 1, 3]


def test_a_group_as_source_takes_no_room(bench: Bench) -> None:
    for number in range(LEARNING_LIMIT):
        bench.learn(station(number), 1)
    bench.learn(GROUP, 2)
    assert bench.forward(frame(station(0), station(1)), 1) == []


def test_a_flood_of_stations_takes_no_more_than_the_limit(bench: Bench) -> None:
    for number in range(3 * LEARNING_LIMIT):
        bench.learn(station(number), 1)
    assert len(bench.switch._seen) == LEARNING_LIMIT


def test_a_switch_with_one_port_or_none() -> None:
    assert Bench(1).forward(frame(B, A), 0) == []
    assert Switch().forward(frame(B, A), Port(Switch(), 0, "stray")) == []


# -- forgetting


def test_a_station_that_is_silent_is_forgotten() -> None:
    # IEEE 802.1D 7.9.2: 300 s by default
    switch = Switch()
    ports = [switch.add_port(str(number)) for number in range(3)]
    switch.forward(frame(BROADCAST, B), ports[1], 10.0)
    assert switch.forward(frame(B, A), ports[0], 309.9) == [ports[1]]
    assert switch.where(B, 309.9) is ports[1]
    assert switch.forward(frame(B, A), ports[0], 310.0) == ports[1:]
    assert switch.where(B, 310.0) is None
    switch.forward(frame(BROADCAST, B), ports[1], 311.0)
    assert switch.forward(frame(B, A), ports[0], 600.0) == [ports[1]]


def test_a_link_that_goes_down_is_forgotten(bench: Bench) -> None:
    bench.learn(B, 1)
    bench.switch.set_up(bench.ports[1], False)
    assert bench.forward(frame(B, A), 0) == [2, 3]
    bench.switch.set_up(bench.ports[1], True)
    assert bench.forward(frame(B, A), 0) == [1, 2, 3], "it has to be learnt anew"


# -- stations' filters


def test_no_copy_for_whom_the_card_would_drop_it(bench: Bench) -> None:
    bench.switch.set_filter(bench.ports[1], FilterPlan(unicast=(B,), exact=(GROUP,)))
    bench.switch.set_filter(bench.ports[2], FilterPlan(unicast=(C,), allmulti=True))
    assert bench.forward(frame(GROUP, A), 0) == [1, 2, 3]
    assert bench.forward(frame(BROADCAST, A), 0) == [2, 3]
    assert bench.forward(frame(B, A), 0) == [1, 3], "unknown, but who else would take it"
    bench.switch.set_filter(bench.ports[1], FilterPlan(unicast=(B,)))
    assert bench.forward(frame(GROUP, A), 0) == [2, 3]
    bench.switch.set_filter(bench.ports[1], FilterPlan(unicast=(B,), off=True))
    assert bench.forward(frame(BROADCAST, A), 0) == [1, 2, 3]
    bench.switch.set_filter(bench.ports[2], None)
    assert bench.forward(frame(B, A), 0) == [1, 2, 3]


def test_a_filter_holds_for_frames_that_were_on_their_way(bench: Bench) -> None:
    route = bench.switch.route(frame(GROUP, A), bench.ports[0], 0.0)
    assert route is not None
    bench.switch.set_filter(bench.ports[1], FilterPlan(unicast=(B,)))
    assert [port.number for port in bench.switch.receivers(frame(GROUP, A), route)] == [2, 3]


# -- mirrors


def test_a_mirror_gets_what_enters_and_leaves_and_nothing_else(bench: Bench) -> None:
    bench.switch.mirror(bench.ports[1], bench.ports[3])
    assert bench.forward(frame(BROADCAST, B), 1) == [0, 2, 3]
    assert bench.forward(frame(B, A), 0) == [1, 3]
    assert bench.forward(frame(A, C), 2) == [0], "between others"
    assert bench.forward(frame(BROADCAST, A), 0) == [1, 2, 3]
    bench.switch.set_filter(bench.ports[1], FilterPlan(unicast=(B,)))
    assert bench.forward(frame(BROADCAST, A), 0) == [1, 2, 3], "the card does not hide it"
    bench.ports[3].up = False
    assert bench.forward(frame(B, A), 0) == [1]
