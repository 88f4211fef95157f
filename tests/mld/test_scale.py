"""Ten thousand groups on one interface: joined, asked for, left, moved. Work is counted, not timed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.mld.common import OUR_SOLICITED_NODE, V2_REPORT, Play, ip, no_timer
from tests.mld.version2 import ask, many, ready2
from tests.playbook import IS_EX, TO_EX, TO_IN, records

MANY = 10_000
# RFC 3810 5.2: (1500 - 56) / 20 records without sources in a packet.
PER_REPORT = 72


def packets(groups: int) -> int:
    return -(-groups // PER_REPORT)


def grown(count: int, **settings: int | str) -> Play:
    """A host in so many groups, nothing pending; the driver passes all multicast from the start."""
    play = ready2(filter_allmulti_bits=0, **settings)
    for group in many(count):
        play.interface.listener.join(ip(group), play.now)
    play.run(play.now + 20)
    play.sent()
    return play


class Work:
    """How many functions of stack/ were called."""

    calls = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Counts the calls of functions inside."""
    work = Work()

    def note(frame: object, event: str, argument: object) -> None:
        if event == "call":
            work.calls += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield work
    finally:
        sys.setprofile(before)


def test_joining_answering_and_leaving() -> None:
    """6.1: each join and leave at once, [Robustness Variable] times; 6.3 rule 1: all of them in 139 packets."""
    play = ready2(filter_allmulti_bits=0)
    tokens = [play.interface.listener.join(ip(group), play.now) for group in many(MANY)]
    play.run(play.now + 5)
    frames = play.sent()
    assert [len(records(each)) for each in frames] == [1] * (2 * MANY), "one change each, and its repeat"
    assert {records(each)[0][0] for each in frames} == {TO_EX}
    ask(play, code=10_000)
    assert len(play.host.timers) == 1, "one timer, however many groups"
    play.run(play.now + 10)
    frames = play.sent()
    assert len(frames) == packets(MANY + 1) == 139
    assert len({each.time for each in frames}) == 1
    told = [record for each in frames for record in records(each)]
    assert [group for _, group, _ in told] == [OUR_SOLICITED_NODE, *many(MANY)]
    assert {kind for kind, _, _ in told} == {IS_EX}
    for token in tokens:
        play.interface.listener.leave(token, play.now)
    play.run(play.now + 5)
    frames = play.sent()
    assert len(frames) == 2 * MANY
    assert {records(each)[0][0] for each in frames} == {TO_IN}
    listener = play.interface.listener
    assert (len(listener.groups), len(listener.answerable), len(listener.version2.changes)) == (2, 1, 0)
    assert no_timer(play)


def join_all(play: Play, count: int) -> None:
    for group in many(count):
        play.interface.listener.join(ip(group), play.now)


def leave_all_one_by_one(play: Play, count: int) -> None:
    for each in play.interface.listener.snapshot():
        for member in list(each.memberships.values()):
            if member.owner == "user":
                play.interface.listener.leave(member, play.now)


def answer(play: Play, count: int) -> None:
    ask(play, code=0)


def answer_each(play: Play, count: int) -> None:
    for group in many(count):
        ask(play, group, code=0, destination="ff02::1")


def down_and_up(play: Play, count: int) -> None:
    play.interface.stop(play.now)
    play.start(until=None)


def move(play: Play, count: int) -> None:
    play.add_address("fe80::7", nodad=True)
    play.remove_address("fe80::6eff:fe00:1")


def save_and_restore(play: Play, count: int) -> None:
    play.remove_address("fe80::6eff:fe00:1")
    play.add_address("fe80::7", nodad=True)


def switch_versions(play: Play, count: int) -> None:
    for version in ("1", "2"):
        play.host.settings.set_text("force_mld_version", version)
        play.interface.listener.follow_version(play.now)


def detach(play: Play, count: int) -> None:
    play.host.detach(play.interface, play.now)


DEEDS: dict[str, tuple[Callable[[Play, int], None], bool]] = {
    "joining": (join_all, False),
    "leaving": (leave_all_one_by_one, True),
    "general answer": (answer, True),
    "specific answers": (answer_each, True),
    "down and up": (down_and_up, True),
    "moving": (move, True),
    "saving and restoring": (save_and_restore, True),
    "switching versions": (switch_versions, True),
    "detaching": (detach, True),
}


def cost(deed: str, count: int) -> int:
    """The calls that it takes for so many groups, up to its last timer but one minute at most."""
    act, joined = DEEDS[deed]
    play = grown(count if joined else 0, mld_ratelimit=1_000_000)
    with counted() as work:
        act(play, count)
        play.settle()
        play.run(play.now + 60)
    return work.calls


@pytest.mark.parametrize("deed", DEEDS)
def test_work_is_linear(deed: str) -> None:
    """Four times the groups, four times the work, with room for the logarithm of a heap."""
    small, large = cost(deed, 250), cost(deed, 1000)
    assert large < 6 * small


@pytest.mark.parametrize("code", [0, 10_000])
def test_work_of_a_query_that_adds_nothing(code: int) -> None:
    """6.2 rule 1: with an answer pending, a flood costs the same for 100 groups as for 2,000."""

    def of(count: int) -> int:
        play = grown(count, mld_ratelimit=1)
        for _ in range(3):
            ask(play, code=0)
        with counted() as work:
            for _ in range(50):
                ask(play, code=code)
        return work.calls

    assert of(2000) < 1.5 * of(100)


@pytest.mark.parametrize("version", [1, 2])
def test_references_of_one_group_are_linear_too(version: int) -> None:
    """Thousands of sockets in the same group: each joins and leaves without a look at all others."""

    def of(count: int) -> int:
        play = ready2(force_mld_version=version)
        with counted() as work:
            tokens = [play.interface.listener.join(ip("ff05::1"), play.now, owner=f"s{n}") for n in range(count)]
            for token in tokens:
                play.interface.listener.leave(token, play.now)
            play.run(play.now + 30)
        return work.calls

    assert of(2000) < 6 * of(500)


def test_nothing_is_left_of_what_was_answered() -> None:
    """Floods of every kind leave no state behind: timers, pending answers, changes."""
    play = grown(200)
    for _ in range(20):
        ask(play, code=3000)
        for group in many(200)[::7]:
            ask(play, group, "2001:db8::1", code=2000)
        play.run(play.now + 0.1)
    play.run(play.now + 60)
    assert {each.kind for each in play.sent()} == {V2_REPORT}
    assert no_timer(play)
    assert play.interface.listener.version2.changes == {}


def test_groups_that_come_and_go_at_once_are_not_remembered_without_end() -> None:
    """6.1: what is left is repeated too, which a program that joins and leaves must not make grow without end."""
    play = ready2(mld_max_groups=10, mldv2_unsolicited_report_interval=3_600_000)
    for group in many(200):
        play.leave(play.join(group))
    assert len(play.interface.listener.version2.changes) <= 20
    assert play.host.counters.limits["mld_max_groups"] > 0
    # Each is told once all the same, both ways.
    told = [kind for report in play.sent(V2_REPORT) for kind, _, _ in records(report)]
    assert (told.count(TO_EX), told.count(TO_IN)) == (200, 200)
    play.run(play.now + 20_000)
    assert no_timer(play)
