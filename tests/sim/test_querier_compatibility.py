"""Hosts of version 1 beside a version 2 router (RFC 3810 8.3.2); the timeout is 9.13's 2 * 125 + 10 = 260 s."""

import pytest

from stack.discard import Discard
from tests.sim.querying import (
    ALLOW,
    BLOCK,
    EXCLUDE,
    GROUP,
    INCLUDE,
    IS_EX,
    IS_IN,
    TO_EX,
    TO_IN,
    Asked,
    Bench,
    record,
    report,
    sources,
    version_1,
)

REPORT, DONE = 131, 132


def with_an_old_host() -> Bench:
    """A router that has heard a version 1 report at 0; 10 s have passed."""
    bench = Bench()
    bench.hear(version_1(REPORT))
    bench.run(10).sent()
    bench.told()
    return bench


def mode(bench: Bench) -> bool | None:
    """Whether the group is in version 1 mode."""
    found = bench.listening()
    return None if found is None else found.version_1


def test_a_report_is_is_ex_of_nothing() -> None:
    bench = Bench()
    bench.hear(report(record(IS_IN, GROUP, 1)))
    bench.run(5).hear(version_1(REPORT))
    assert bench.state() == (EXCLUDE, set(), set())
    found = bench.listening()
    assert found is not None
    assert (found.filter_timer, found.version_1) == (265, True)


def test_done_is_to_in_of_nothing_and_the_query_is_of_version_2() -> None:
    # "the Querier continues to send MLDv2 queries, regardless of its Multicast Address Compatibility Mode"
    bench = with_an_old_host()
    bench.hear(version_1(DONE))
    found = bench.listening()
    assert found is not None
    assert found.filter_timer == 12
    sent = bench.run(60).sent()
    assert [(each.time, each.target, len(each.message)) for each in sent if each.target != "::"] == [
        (10, GROUP, 28),
        (11, GROUP, 28),
    ]
    assert bench.told() == [(12, GROUP, "gone")]


def test_a_report_in_answer_keeps_the_group() -> None:
    bench = with_an_old_host()
    bench.hear(version_1(DONE))
    bench.run(10.7).hear(version_1(REPORT))
    bench.run(60)
    assert bench.state() == (EXCLUDE, set(), set())
    assert bench.told() == []


@pytest.mark.parametrize("kind", [BLOCK, TO_EX])
def test_blocks_and_exclude_lists_are_ignored(kind: int) -> None:
    bench = with_an_old_host()
    bench.hear(report(record(kind, GROUP, 1)))
    assert bench.state() == (EXCLUDE, set(), set())
    assert bench.asked() == []
    found = bench.listening()
    assert found is not None
    # TO_EX() as TO_EX({}) restarts the filter timer.
    assert found.filter_timer == (270 if kind == TO_EX else 260)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (ALLOW, (EXCLUDE, {1}, set())),
        (IS_IN, (EXCLUDE, {1}, set())),
        (TO_IN, (EXCLUDE, {1}, set())),
        (IS_EX, (EXCLUDE, {1}, set())),
    ],
)
def test_everything_else_is_taken_as_it_is(kind: int, state: tuple[object, set[int], set[int]]) -> None:
    bench = with_an_old_host()
    bench.hear(report(record(kind, GROUP, 1)))
    assert bench.state() == (state[0], set(sources(*state[1])), set(sources(*state[2])))


def test_the_mode_ends_with_its_timeout() -> None:
    bench = with_an_old_host()
    bench.run(200).hear(report(record(IS_EX)))
    bench.run(259.9)
    assert mode(bench) is True
    bench.run(260)
    assert mode(bench) is False
    bench.hear(report(record(BLOCK, GROUP, 1)))
    assert bench.asked() == [Asked(260, GROUP, sources(1))]


def test_every_report_restarts_the_timeout() -> None:
    bench = with_an_old_host()
    bench.run(200).hear(version_1(REPORT))
    bench.run(459.9)
    assert mode(bench) is True


def test_the_mode_is_of_one_group_alone() -> None:
    bench = with_an_old_host()
    bench.hear(report(record(IS_IN, "ff05::9", 1, 2), record(BLOCK, "ff05::9", 1)))
    assert bench.asked() == [Asked(10, "ff05::9", sources(1))]


def test_done_without_a_host_of_version_1_is_nothing() -> None:
    # The translation is for groups in version 1 mode.
    bench = Bench()
    bench.hear(report(record(IS_EX)))
    bench.sent()
    bench.hear(version_1(DONE))
    assert bench.asked() == []
    found = bench.listening()
    assert found is not None
    assert found.filter_timer == 260


def test_a_group_that_is_gone_takes_its_mode_along() -> None:
    bench = with_an_old_host()
    bench.hear(version_1(DONE))
    bench.run(20).hear(report(record(IS_IN, GROUP, 1)))
    assert mode(bench) is False
    assert bench.state() == (INCLUDE, set(sources(1)), set())


def test_messages_that_are_too_short() -> None:
    bench = Bench()
    frame = version_1(REPORT)
    # The IPv6 payload length ends four octets early, so that the checksum is of something else: build it anew.
    assert bench.hear(frame[:-4]) is Discard.GROUP_NOT_JOINED
    assert bench.querier.listeners() == {}
