"""Snooping source by source, the elected querier's times, and links that go down (RFC 4541 2.1 and 3, RFC 3810 7)."""

import pytest

from stack.link.snooping import SOURCES_PER_GROUP, Member
from tests.link.test_snooping import OTHER, Rig, data
from tests.playbook import echo_request, frame, icmp, ip, packet
from tests.sim.querying import (
    ALLOW,
    BLOCK,
    GROUP,
    IS_EX,
    IS_IN,
    LOWER,
    ROUTER,
    TO_EX,
    TO_IN,
    query,
    record,
    report,
    source,
    sources,
    version_1,
)


def sent_by(number: int, group: str = GROUP) -> bytes:
    """A packet of one of the senders to a group."""
    octets = icmp(source(number), group, 128, 0, bytes(8))
    return frame(packet(source(number), group, octets, hop_limit=64))


def wanted(rig: Rig, now: float = 0.0, of: range = range(1, 6)) -> set[int]:
    """The senders whose packets reach port 1."""
    return {number for number in of if 1 in rig.send(sent_by(number), 3, now)}


def rig_with(*records: bytes) -> Rig:
    rig = Rig(flood_unknown=False)
    for each in records:
        rig.send(report(each), 1)
    return rig


# RFC 3810 7.4.1 and 7.4.2, row by row: what is forwarded to the port after these reports.
ALL = {1, 2, 3, 4, 5}
ROWS = [
    ((record(IS_IN, GROUP, 1),), {1}),
    ((record(ALLOW, GROUP, 1), record(ALLOW, GROUP, 2)), {1, 2}),
    ((record(IS_EX, GROUP),), ALL),
    ((record(TO_EX, GROUP, 1, 2),), ALL - {1, 2}),
    # INCLUDE (A), IS_EX (B): EXCLUDE (A*B, B-A)
    ((record(IS_IN, GROUP, 1), record(IS_EX, GROUP, 1, 2)), ALL - {2}),
    # EXCLUDE (X,Y), IS_IN (A): EXCLUDE (X+A, Y-A)
    ((record(IS_EX, GROUP, 1, 2), record(IS_IN, GROUP, 1)), ALL - {2}),
    ((record(IS_EX, GROUP, 1, 2), record(TO_IN, GROUP, 1)), ALL - {2}),
    # EXCLUDE (X,Y), IS_EX (A): EXCLUDE (A-Y, Y*A)
    ((record(IS_EX, GROUP, 1, 2), record(IS_EX, GROUP, 2, 3)), ALL - {2}),
    ((record(IS_EX, GROUP, 1, 2), record(TO_EX, GROUP)), ALL),
    # BLOCK is believed after a query only.
    ((record(IS_IN, GROUP, 1), record(BLOCK, GROUP, 1)), {1}),
    ((record(IS_EX, GROUP, 1), record(BLOCK, GROUP, 2)), ALL - {1}),
    # A version 1 report is EXCLUDE ({}) (8.3.2).
    ((record(IS_IN, GROUP, 1), version_1(131)), ALL),
]


@pytest.mark.parametrize(("said", "forwarded"), ROWS)
def test_the_tables_of_rfc_3810(said: tuple[bytes, ...], forwarded: set[int]) -> None:
    rig = Rig(flood_unknown=False)
    for each in said:
        rig.send(each if len(each) > 60 else report(each), 1)
    assert wanted(rig) == forwarded


def test_what_is_held_can_be_read() -> None:
    rig = rig_with(record(IS_EX, GROUP, 1), record(IS_IN, OTHER, 2))
    assert rig.table.members(0.0) == [
        Member(ip(GROUP), 1, 260.0, True, sources(1)),
        Member(ip(OTHER), 1, 260.0, False, sources(2)),
    ]


def test_a_source_that_nobody_answers_for_is_no_longer_forwarded() -> None:
    # RFC 3810 7.6.3.2: the router asks for the sources that were blocked.
    rig = rig_with(record(IS_IN, GROUP, 1, 2))
    rig.send(report(record(BLOCK, GROUP, 1)), 1, 10.0)
    rig.send(query(GROUP, 1, sender=ROUTER, delay=1000), 0, 10.0)
    assert wanted(rig, 11.9) == {1, 2}
    assert wanted(rig, 12.0) == {2}


def test_in_exclude_mode_a_source_that_was_blocked_is_asked_for_first() -> None:
    rig = rig_with(record(IS_EX, GROUP, 1))
    rig.send(report(record(BLOCK, GROUP, 2)), 1, 10.0)
    rig.send(query(GROUP, 2, sender=ROUTER, delay=1000), 0, 10.0)
    assert wanted(rig, 11.9) == ALL - {1}
    assert wanted(rig, 12.0) == ALL - {1, 2}


def test_exclude_falls_back_to_the_sources_that_are_asked_for() -> None:
    # 7.2.3: when the filter timer runs out, INCLUDE of those whose timers run.
    rig = rig_with(record(IS_EX, GROUP, 1))
    rig.send(report(record(ALLOW, GROUP, 3)), 1, 100.0)
    rig.send(query(sender=ROUTER), 0, 200.0)
    assert wanted(rig, 259.9) == ALL - {1}
    assert wanted(rig, 260.0) == {3}
    assert rig.table.members(260.0) == [Member(ip(GROUP), 1, 360.0, False, sources(3))]
    assert rig.table.members(360.0) == []


def test_sources_without_room_are_passed_whole() -> None:
    rig = Rig(flood_unknown=False)
    for first in range(0, SOURCES_PER_GROUP + 60, 60):
        rig.send(report(record(ALLOW, GROUP, *range(first + 100, first + 160))), 1)
    assert rig.table.limits["sources_per_group"] >= 1
    assert wanted(rig) == ALL


class TestQuerier:
    def test_times_follow_its_queries(self) -> None:
        # RFC 3810 9.4 and 9.5 with a robustness of 3, an interval of 20 s and a delay of 4 s
        rig = Rig(router=False, flood_unknown=False)
        rig.send(query(sender=ROUTER, qrv=3, qqic=20, delay=4000), 0)
        assert rig.table.querier(0.0) == (ip(ROUTER), 0, 62.0)
        rig.send(report(record(IS_EX)), 1)
        assert [each.until for each in rig.table.members(0.0)] == [64.0]
        assert rig.table.routers(61.9) == {0}
        assert rig.table.routers(62.0) == set()
        assert rig.table.querier(62.0) is None

    def test_the_lowest_address_is_believed(self) -> None:
        # 7.6.2
        rig = Rig(router=False)
        rig.send(query(sender=ROUTER, qqic=100), 0)
        rig.send(query(sender=LOWER, qqic=30), 3)
        rig.send(query(sender=ROUTER, qqic=100), 0)
        heard = rig.table.querier(0.0)
        assert heard is not None and (heard.address, heard.port) == (ip(LOWER), 3)
        assert rig.table.query_interval == 30
        assert rig.table.routers(0.0) == {0, 3}, "both are routers"

    def test_a_version_1_querier_leaves_the_defaults(self) -> None:
        rig = Rig(router=False)
        rig.send(version_1(130, "::", delay=10_000, sender=ROUTER), 0)
        assert (rig.table.listening_interval, rig.table.router_timeout) == (260.0, 255.0)

    def test_zeros_stand_for_the_defaults(self) -> None:
        # 5.1.8, 5.1.9
        rig = Rig(router=False)
        rig.send(query(sender=ROUTER, qrv=0, qqic=0), 0)
        assert (rig.table.robustness, rig.table.query_interval) == (2, 125.0)


def test_a_router_that_is_said_to_be_there() -> None:
    rig = Rig(router=False, flood_unknown=False)
    rig.table.static_routers.add(2)
    assert rig.send(report(record(IS_EX)), 1) == [2]
    assert rig.send(data(), 3) == [1, 2]


def test_messages_that_no_node_may_believe_are_counted() -> None:
    # RFC 4541 2.1.1 (5)
    rig = Rig()
    for octets in (
        report(record(IS_EX), hop_limit=2),
        report(record(IS_EX))[:-1] + b"\xff",
        report(record(IS_EX), sender="2001:db8::1"),
        query(sender="::"),
        query(sender=ROUTER, alert=False),
    ):
        rig.send(octets, 1)
    assert rig.table.invalid == 5
    rig.send(frame(echo_request()[14:]), 1)
    assert rig.table.invalid == 5


def test_a_link_that_goes_down_takes_its_groups_with_it() -> None:
    rig = Rig(flood_unknown=False)
    rig.send(report(record(IS_EX)), 1)
    rig.send(report(record(IS_EX)), 2)
    rig.switch.set_up(rig.ports[1], False)
    rig.switch.set_up(rig.ports[1], True)
    assert rig.send(data(), 3) == [0, 2]
    rig.switch.set_up(rig.ports[0], False)
    assert rig.table.routers(0.0) == set()
    assert rig.table.querier(0.0) is None
