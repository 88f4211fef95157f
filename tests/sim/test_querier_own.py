"""A router's own listening: it reports ff02::16 and ff02::2, so that snooping switches go on sending it reports."""

import pytest

from stack.link.switch import Switch
from stack.sim.querier import Querier, Role, Variables
from stack.sim.world import World
from tests.playbook import Sent, ip, records
from tests.sim.querying import LOWER, ROUTER_MAC, query, version_1

TO_IN, TO_EX, IS_EX = 3, 4, 2
ROUTERS, MLDV2_ROUTERS = "ff02::2", "ff02::16"


class Bench:
    """A router that listens, in virtual time."""

    def __init__(self, version: int = 2, *, listens: bool = True) -> None:
        self.now = 0.0
        self.router = Querier(ROUTER_MAC, variables=Variables(version=version), listens=listens)
        self.router.start(0.0)

    def run(self, seconds: float) -> list[Sent]:
        """What it has said but queries, with the times."""
        end, said = self.now + seconds, []
        while True:
            said += [Sent(self.now, frame) for _, frame in self.router.output()]
            due = self.router.next_deadline()
            if due is None or due > end:
                self.now = end
                return [each for each in said if each.kind != 130]
            self.now = max(due, self.now)
            self.router.advance(self.now)

    def hear(self, octets: bytes) -> None:
        self.router.receive(octets, self.now)


def told(sent: Sent) -> set[tuple[int, str]]:
    """The records of a report."""
    return {(kind, group) for kind, group, _ in records(sent)}


def test_it_reports_at_the_start_and_once_more() -> None:
    said = Bench().run(30.0)
    assert [each.kind for each in said] == [143, 143]
    assert [told(each) for each in said] == [{(TO_EX, ROUTERS), (TO_EX, MLDV2_ROUTERS)}] * 2
    assert said[0].time == 0.0
    assert 0.0 < said[1].time <= 1.0, "RFC 3810 6.1, 9.11"
    for each in said:
        assert (each.destination, each.frame[21]) == (MLDV2_ROUTERS, 1)


@pytest.mark.parametrize("asked", ["::", MLDV2_ROUTERS, ROUTERS])
def test_it_answers_another_routers_query(asked: str) -> None:
    bench = Bench()
    bench.run(30.0)
    bench.hear(query(asked, sender=LOWER, delay=4000))
    said = bench.run(20.0)
    assert bench.router.role is Role.NON_QUERIER
    (answer,) = said
    assert told(answer) == {(IS_EX, ROUTERS), (IS_EX, MLDV2_ROUTERS)}
    assert 30.0 <= answer.time <= 34.0


def test_two_queries_have_one_answer_within_the_shorter_delay() -> None:
    bench = Bench()
    bench.run(30.0)
    bench.hear(query(sender=LOWER, delay=10_000))
    bench.hear(query(sender=LOWER, delay=100))
    (answer,) = bench.run(20.0)
    assert answer.time <= 30.1


def test_queries_for_others_are_none_of_its_business() -> None:
    bench = Bench()
    bench.run(30.0)
    bench.hear(query("ff05::1:3", sender=LOWER, delay=1000))
    assert bench.run(20.0) == []


def test_version_1() -> None:
    bench = Bench(1)
    said = bench.run(60.0)
    assert [(each.kind, each.target, each.destination) for each in said] == [(131, ROUTERS, ROUTERS)] * 2
    bench.hear(version_1(130, "::", delay=1000, sender=LOWER))
    assert [each.kind for each in bench.run(5.0)] == [131]
    bench.router.stop()
    assert [(each.kind, each.target) for each in bench.run(1.0)] == [(132, ROUTERS)]


def test_it_says_that_it_goes() -> None:
    bench = Bench()
    bench.run(5.0)
    bench.router.stop()
    (last,) = bench.run(5.0)
    assert told(last) == {(TO_IN, ROUTERS), (TO_IN, MLDV2_ROUTERS)}


def test_one_that_does_not_listen_says_nothing() -> None:
    bench = Bench(listens=False)
    bench.hear(query(sender=LOWER))
    assert bench.run(300.0) == []
    bench.router.stop()
    assert bench.run(1.0) == []


def test_a_router_that_was_not_elected_goes_on_hearing_reports() -> None:
    # Behind a snooping switch its port is no router's port any more, once its own queries have aged.
    world = World(1, switch=Switch(snooping=True, flood_unknown=False))
    elected = Querier(bytes.fromhex("020000000001"), listens=True)
    other = Querier(bytes.fromhex("0200000000ff"), listens=True)
    seats = [world.add_node("elected", elected), world.add_node("other", other)]
    for seat, router in zip(seats, (elected, other), strict=True):
        router.start(0.0)
        world.settle(seat)
    world.run_until(1000.0)
    snooping = world.switch.snooping
    assert snooping is not None
    assert snooping.routers(world.now) == {seats[0].port.number}
    listeners = {(each.group, each.port) for each in snooping.members(world.now)}
    assert {(ip(MLDV2_ROUTERS), 1), (ip(ROUTERS), 1)} <= listeners
    assert ip(MLDV2_ROUTERS) in elected.listeners()
