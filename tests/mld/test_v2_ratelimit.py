"""The limit on answers in version 2: a flood is answered within mld_ratelimit; answers wait and merge, none is lost."""

from collections.abc import Iterable

import pytest

from tests.mld.common import OUR_SOLICITED_NODE, V2_REPORT, Play, membership, mld_message, no_timer
from tests.mld.version2 import (
    A,
    B,
    Chance,
    ask,
    exclude,
    include,
    joined2,
    listen,
    many,
    of,
    query_frame,
    quiet,
    ready2,
    said,
    sources_of,
)
from tests.playbook import ALLOW, IS_EX, IS_IN, TO_IN, Sent, records

SPREAD = pytest.mark.parametrize("spread", [0, 1], ids=["together", "spread"])


def flood(play: Play, frames: Iterable[bytes], per_second: int, seconds: float) -> list[Sent]:
    """These frames over and over, evenly spaced; what was sent meanwhile."""
    start, octets = play.now, list(frames)
    for number in range(int(per_second * seconds)):
        play.run(start + number / per_second)
        play.receive(octets[number % len(octets)])
    play.run(start + seconds)
    return play.sent(V2_REPORT)


def busiest(times: list[float], window: float) -> int:
    """The most of `times` that fall into any window."""
    return max((sum(1 for each in times if at <= each < at + window) for at in times), default=0)


def groups_in(frames: Iterable[Sent]) -> set[str]:
    return {group for each in frames for _, group, _ in records(each)}


@SPREAD
@pytest.mark.parametrize("code", [0, 20, 10_000])
def test_flood_of_general_queries(code: int, spread: int) -> None:
    """S51 in version 2: 200 queries a second, 300 groups (5 packets an answer), 10 packets a second allowed."""
    play = joined2(*many(300), mld_ratelimit=10, mld_spread_answers=spread)
    frames = flood(play, [query_frame(code=code)], 200, 20)
    times = [each.time for each in frames]
    # 6.2 rule 1: behind a long delay a flood is answered once in a delay, not once in a packet.
    assert len(times) <= 10 + 10 * 20 + 5
    assert busiest(times, 1.0) <= 10 + 10 + 5
    if code < 10_000:
        assert len(times) >= 10 * 19, "nor is there less than the limit allows"
        assert play.host.counters.mld_delayed > 0
    assert groups_in(frames) == {*many(300), OUR_SOLICITED_NODE}
    play.run(play.now + 12)
    assert no_timer(play)


@SPREAD
def test_one_full_answer_is_let_through(spread: int) -> None:
    """ "burst at least one full general answer": 1,001 groups are 14 packets, whatever the limit."""
    play = joined2(*many(1000), mld_ratelimit=1, mld_spread_answers=spread)
    start = play.now
    ask(play, code=4000)
    play.run(start + 4)
    assert groups_in(play.sent()) == {*many(1000), OUR_SOLICITED_NODE}
    assert no_timer(play)


def test_one_full_answer_behind_a_small_one() -> None:
    """A query for one group before the general one costs it no more than its own packet."""
    play = joined2(*many(1000), mld_ratelimit=1)
    start = play.now
    ask(play, many(1)[0], code=0)
    assert len(play.sent()) == 1
    ask(play, code=0)
    play.run(start + 1.0)
    assert len(play.sent()) == 14


@SPREAD
def test_no_answer_is_lost(spread: int) -> None:
    """The flood ends; who is asked then is answered, and whoever waited, each once."""
    play = joined2(*many(300), mld_ratelimit=5, mld_spread_answers=spread)
    flood(play, [query_frame(code=0)], 50, 5)
    ask(play, code=0)
    play.run(play.now + 5)
    frames = play.sent()
    assert groups_in(frames) == {*many(300), OUR_SOLICITED_NODE}
    assert len(frames) <= 10
    assert no_timer(play)


def test_flood_of_specific_queries() -> None:
    """Each group in turn: at most so many packets, merged by group, and all are answered in the end."""
    play = joined2(*many(100), mld_ratelimit=10)
    frames = flood(play, [query_frame(group, code=0, destination="ff02::1") for group in many(100)], 500, 10)
    assert 10 * 9 <= len(frames) <= 10 + 10 * 10
    play.run(play.now + 12)
    frames += play.sent()
    assert groups_in(frames) >= set(many(100))
    assert no_timer(play)


def test_each_packet_of_an_answer_counts() -> None:
    """5.2.15 splits an answer of 900 sources into eleven packets: a query for it is no way around the limit."""
    play = ready2(mld_ratelimit=10)
    listen(play, include(*sources_of(900)))
    quiet(play)
    for frame in (query_frame("ff05::99", code=0), query_frame("ff05::99", *sources_of(89), code=0)):
        times = [each.time for each in flood(play, [frame], 100, 20)]
        assert 10 * 18 <= len(times) <= 11 + 10 * 20
        quiet(play)


def test_a_waiting_answer_is_of_the_state_when_it_leaves() -> None:
    """6.3: what waits for the limit is no older than what does not; sources asked meanwhile are in it (rule 5)."""
    play = joined2(mld_ratelimit=1)
    listen(play, include(A), "ff05::7")
    quiet(play)
    ask(play, "ff05::7", A, code=0)
    ask(play, "ff05::7", A, code=0)
    ask(play, "ff05::7", B, code=0)
    assert said(play.sent(), "ff05::7") == [of(IS_IN, A, group="ff05::7")]
    play.host.settings.set_text("mld_qrv", "1")
    listen(play, include(A, B), "ff05::7")
    play.sent()
    play.run(play.now + 1.01)
    assert said(play.sent(), "ff05::7") == [of(IS_IN, A, B, group="ff05::7")]
    assert no_timer(play)


def test_left_while_it_waits() -> None:
    """6.3: no answer for what is left; and its place goes to whoever is asked for next."""
    play = joined2(*many(50), mld_ratelimit=1)
    first, *others, last = many(50)
    for group in (first, *others):
        ask(play, group, code=0)
    for group in others:
        play.leave(membership(play, group))
    quiet(play, 2.0)
    start = play.now
    ask(play, last, code=0)
    play.run(start + 1)
    frames = play.sent()
    assert said(frames, last) == [of(IS_EX, group=last)]
    play.run(start + 100)
    assert {kind for kind, _, _ in said(frames + play.sent(), *others)} <= {TO_IN}


def test_changes_are_not_limited() -> None:
    """What the user does is said at once (6.1); the limit is on what others make us say."""
    play = joined2(mld_ratelimit=1)
    flood(play, [query_frame(code=0)], 50, 2)
    for group in many(100):
        listen(play, include(A), group)
    assert said(play.sent(), *many(100)) == [of(ALLOW, A, group=group) for group in many(100)]


def test_flood_of_everything() -> None:
    """Both versions, every kind, valid or not: bounded answers, bounded timers, and the lists as they were."""
    play = joined2(*many(20), mld_ratelimit=10)
    listen(play, exclude(B), "ff05::7")
    quiet(play)
    frames = [
        query_frame(code=0),
        query_frame(code=0xFFFF),
        query_frame(many(1)[0], code=0),
        query_frame("ff05::7", *sources_of(50), code=100),
        query_frame("ff05::7", A, B, code=0, suppress=True, qrv=7, qqic=255),
        query_frame("ff05::dead", code=0, destination="ff02::1"),
        query_frame(code=0, hop_limit=64),
        query_frame(code=0, source="::"),
        query_frame("::", A, code=0),
        query_frame("ff05::7", A, code=0, count=500),
        mld_message(131, many(1)[0]),
        mld_message(132, many(1)[0], destination="ff02::1"),
        mld_message(143, many(1)[0], destination="ff02::1"),
    ]
    before = list(play.interface.listener.groups.records)
    sent = flood(play, frames, 300, 10)
    assert len(sent) <= 10 + 10 * 10 + 1
    assert len(play.host.timers) <= 1 + 22
    assert list(play.interface.listener.groups.records) == before
    play.run(play.now + 10)
    assert no_timer(play) or play.interface.listener.compatibility.older_querier_until is None


# -- mld_spread_answers


def test_6_3_1_spread_over_the_delay() -> None:
    """6.3 rule 1: "recommended to spread transmission of such Report messages over the interval", none at once."""
    firsts, lasts = [], []
    for seed in range(15):
        play = joined2(*many(1000), seed=seed, mld_spread_answers=1)
        start = play.now
        ask(play, code=10_000)
        assert play.sent() == [], "MUST NOT send a Report immediately upon reception of a General Query"
        play.run(start + 10)
        frames = play.sent()
        assert len(frames) == 14
        assert sorted(group for each in frames for _, group, _ in records(each)) == sorted(
            [*many(1000), OUR_SOLICITED_NODE]
        ), "each once"
        times = [each.time - start for each in frames]
        assert len(set(times)) == 14, "not together"
        firsts.append(times[0])
        lasts.append(times[-1])
    assert max(firsts) <= 10 / 14
    assert max(lasts) <= 10
    assert sum(lasts) / 15 > 4, "over the interval, not bunched at its beginning"


def test_spread_answers_tell_of_what_is_there_then() -> None:
    """Joined and left while parts are to come: the first speaks for itself, the second is not told of any more."""
    play = joined2(*many(300), mld_spread_answers=1, mld_qrv=1)
    ask(play, code=10_000)
    last = many(300)[-1]
    play.leave(membership(play, last))
    play.join("ff05::77")
    play.sent()
    play.run(play.now + 10)
    assert groups_in(play.sent()) == {*many(299), OUR_SOLICITED_NODE}


def test_spread_answer_and_another_query() -> None:
    """What has left already is asked for anew, what is to come answers both."""
    play = joined2(*many(300), mld_spread_answers=1)
    start = play.now
    ask(play, code=10_000)
    while not (first := play.sent()):
        play.run(play.now + 0.1)
    ask(play, code=10_000)
    play.run(start + 30)
    frames = play.sent()
    times: dict[str, int] = {}
    for each in frames:
        for _, group, _ in records(each):
            times[group] = times.get(group, 0) + 1
    assert times == dict.fromkeys([*many(300), OUR_SOLICITED_NODE], 1)
    assert groups_in(first) < groups_in(frames)
    assert no_timer(play)


def test_spread_turned_on_and_off_with_answers_under_way() -> None:
    """The setting counts for the next query; nothing is lost between."""
    for before, after in ((0, 1), (1, 0)):
        play = joined2(*many(300), mld_spread_answers=before)
        ask(play, code=10_000)
        play.host.settings.set_text("mld_spread_answers", str(after))
        ask(play, code=1000)
        play.run(play.now + 20)
        assert groups_in(play.sent()) == {*many(300), OUR_SOLICITED_NODE}
        assert no_timer(play)


def test_spread_and_a_specific_query() -> None:
    """Its own answer comes in its own time (6.2 rule 3): the part with the group in it may be the last."""
    play = joined2(*many(1000), mld_spread_answers=1)
    start = play.now
    last = many(1000)[-1]
    ask(play, code=60_000)
    ask(play, last, code=100)
    play.run(start + 0.1)
    assert said(play.sent(), last) == [of(IS_EX, group=last)]


def test_a_spread_answer_clears_the_lists_of_what_it_has_told() -> None:
    """6.3: "the source lists associated with any reported multicast addresses are cleared", of each part's groups."""
    play = joined2(*many(100), mld_spread_answers=1)
    play.host.rng = Chance(0.5)
    start = play.now
    first = many(1)[0]
    ask(play, first, A, code=20_000)
    ask(play, code=10_000)
    play.run(start + 30)
    told_of = [(kind, sources) for kind, _, sources in said(play.sent(), first)]
    # The first of two parts after a quarter of the delay, the answer to the specific query after half of its own.
    assert told_of == [(IS_EX, ()), (IS_EX, ())]
