"""State-change reports (RFC 3810 6.1, 6.3 rule 4): the table in full, retransmissions, and what is merged into them."""

from itertools import pairwise

import pytest

from stack.events import SourceFilterChanged
from stack.mld.filters import NOTHING, SourceFilter
from tests.mld.common import GROUP, OTHER_GROUP, Play, ip, no_timer, record, state
from tests.mld.version2 import (
    A,
    B,
    C,
    Chance,
    Record,
    ask,
    exclude,
    include,
    listen,
    listening,
    of,
    quiet,
    ready2,
    said,
    stop_listening,
    told,
)
from tests.playbook import ALLOW, BLOCK, TO_EX, TO_IN, records

# Old state, new state, records; NOTHING is the non-existent state, "INCLUDE filter mode and an empty source list".
TABLE = [
    pytest.param(NOTHING, include(A, B), [of(ALLOW, A, B)], id="6.1-none-to-IN(ab)"),
    pytest.param(NOTHING, exclude(), [of(TO_EX)], id="6.1-none-to-EX()"),
    pytest.param(NOTHING, exclude(A), [of(TO_EX, A)], id="6.1-none-to-EX(a)"),
    pytest.param(include(A, B), NOTHING, [of(BLOCK, A, B)], id="6.1-IN(ab)-to-none"),
    pytest.param(exclude(), NOTHING, [of(TO_IN)], id="6.1-EX()-to-none"),
    pytest.param(exclude(A), NOTHING, [of(TO_IN)], id="6.1-EX(a)-to-none"),
    pytest.param(include(A, B), include(B, C), [of(ALLOW, C), of(BLOCK, A)], id="6.1-IN(ab)-to-IN(bc)"),
    pytest.param(include(A), include(A, B), [of(ALLOW, B)], id="6.1-IN(a)-to-IN(ab)"),
    pytest.param(include(A, B), include(A), [of(BLOCK, B)], id="6.1-IN(ab)-to-IN(a)"),
    pytest.param(include(A), include(B), [of(ALLOW, B), of(BLOCK, A)], id="6.1-IN(a)-to-IN(b)"),
    pytest.param(exclude(A, B), exclude(B, C), [of(ALLOW, A), of(BLOCK, C)], id="6.1-EX(ab)-to-EX(bc)"),
    pytest.param(exclude(A), exclude(A, B), [of(BLOCK, B)], id="6.1-EX(a)-to-EX(ab)"),
    pytest.param(exclude(A, B), exclude(A), [of(ALLOW, B)], id="6.1-EX(ab)-to-EX(a)"),
    pytest.param(exclude(), exclude(A), [of(BLOCK, A)], id="6.1-EX()-to-EX(a)"),
    pytest.param(exclude(A), exclude(), [of(ALLOW, A)], id="6.1-EX(a)-to-EX()"),
    pytest.param(include(A, B), exclude(B, C), [of(TO_EX, B, C)], id="6.1-IN(ab)-to-EX(bc)"),
    pytest.param(include(A), exclude(), [of(TO_EX)], id="6.1-IN(a)-to-EX()"),
    pytest.param(include(A), exclude(A), [of(TO_EX, A)], id="6.1-IN(a)-to-EX(a)"),
    pytest.param(exclude(A, B), include(B, C), [of(TO_IN, B, C)], id="6.1-EX(ab)-to-IN(bc)"),
    pytest.param(exclude(), include(A), [of(TO_IN, A)], id="6.1-EX()-to-IN(a)"),
    pytest.param(include(A), include(A), [], id="6.1-IN(a)-unchanged"),
    pytest.param(exclude(A), exclude(A), [], id="6.1-EX(a)-unchanged"),
    pytest.param(NOTHING, NOTHING, [], id="6.1-none-unchanged"),
]


@pytest.mark.parametrize("robustness", [1, 2, 3])
@pytest.mark.parametrize(("before", "after", "expected"), TABLE)
def test_6_1_table(before: SourceFilter, after: SourceFilter, expected: list[Record], robustness: int) -> None:
    """6.1: the records of a change, at once, and again until sent [Robustness Variable] times; then silence."""
    play = listening(before, mld_qrv=robustness)
    listen(play, after)
    frames = play.sent()
    assert [records(each) for each in frames] == ([expected] if expected else []), "one report, nothing else in it"
    for _ in range(robustness - 1 if expected else 0):
        play.run(play.now + play_gap(play))
        (again,) = play.sent()
        assert records(again) == expected
    assert no_timer(play)


def play_gap(play: Play) -> float:
    """The time to the next timer."""
    deadline = play.host.next_deadline()
    assert deadline is not None
    return deadline - play.now


def test_4_2_change_of_a_socket_that_changes_no_interface_state() -> None:
    """4.2, last sentence: "does not necessarily result in a change of the per-interface state": no report then."""
    play = listening(exclude())
    listen(play, include(A), owner="s2")
    listen(play, include(A, B), owner="s2")
    stop_listening(play, owner="s2")
    assert play.sent() == []
    assert no_timer(play)


def test_6_1_interface_state_decides_not_the_sockets() -> None:
    """Two sockets change places: what is reported is the difference of the merged states."""
    play = listening(include(A))
    listen(play, include(B), owner="s2")
    assert said(play.sent()) == [of(ALLOW, B)]
    quiet(play)
    listen(play, exclude(B), owner="s3")
    assert said(play.sent()) == [of(TO_EX)], "b is included by s2"
    quiet(play)
    stop_listening(play, owner="s2")
    assert said(play.sent()) == [of(BLOCK, B)]


# -- how often, and when


@pytest.mark.parametrize("robustness", [1, 2, 3, 7])
@pytest.mark.parametrize("from_query", [False, True], ids=["setting", "QRV"])
def test_6_1_transmitted_robustness_times(robustness: int, from_query: bool) -> None:
    """6.1, 9.1, 5.1.8: [Robustness Variable] transmissions; the variable is the querier's if it says one."""
    play = ready2(mld_qrv=2 if from_query else robustness)
    if from_query:
        ask(play, qrv=robustness, code=0)
    quiet(play)
    listen(play, include(A))
    stop = play.now + 60
    play.run(stop)
    assert said(play.sent()) == [of(ALLOW, A)] * robustness
    stop_listening(play)
    play.run(play.now + 60)
    assert said(play.sent()) == [of(BLOCK, A)] * robustness


@pytest.mark.parametrize(("setting", "interval"), [(None, 1.0), (100, 0.1), (60_000, 60.0)])
def test_9_11_intervals_are_drawn_anew_from_the_whole_range(setting: int | None, interval: float) -> None:
    """6.1: "at intervals chosen at random from the range (0, [Unsolicited Report Interval])", 1 second by default."""
    gaps = []
    for seed in range(120):
        options = {} if setting is None else {"mldv2_unsolicited_report_interval": setting}
        play = ready2(seed, mld_qrv=4, **options)
        play.run(play.now + 500)
        play.sent()
        play.join(GROUP)
        play.run(play.now + 500)
        times = [time for time, _ in told(play.sent())]
        assert len(times) == 4
        gaps += [after - before for before, after in pairwise(times)]
    assert 0 <= min(gaps) < interval / 20
    assert interval * 19 / 20 < max(gaps) <= interval
    assert abs(sum(gaps) / len(gaps) - interval / 2) < interval / 15, "uniform"
    assert len(set(gaps)) > 300


def test_9_11_an_interval_of_0_ends() -> None:
    """The lowest value of the setting: all transmissions at once, and no loop."""
    play = ready2(mld_qrv=7, mldv2_unsolicited_report_interval=0)
    play.join(GROUP)
    assert said(play.sent()) == [of(TO_EX)] * 7
    assert no_timer(play)


def test_6_1_robustness_of_the_moment_of_the_change() -> None:
    """A querier that says another QRV changes what comes later, not what is under way."""
    play = ready2(mld_qrv=3)
    play.join(GROUP)
    ask(play, "ff05::1234", qrv=1, destination="ff02::1")
    play.run(play.now + 30)
    assert said(play.sent()) == [of(TO_EX)] * 3
    play.join(OTHER_GROUP)
    play.run(play.now + 30)
    assert said(play.sent(), OTHER_GROUP) == [of(TO_EX, group=OTHER_GROUP)]


# -- merging: "tick" is the next retransmission; each step has its records

TICK = "tick"
Step = tuple[SourceFilter | str, list[Record]]

MERGING = [
    pytest.param(
        2, NOTHING, [(exclude(), [of(TO_EX)]), (NOTHING, [of(TO_IN)]), (TICK, [of(TO_IN)])], id="6.1-joined-and-left"
    ),
    pytest.param(
        2,
        exclude(),
        [(NOTHING, [of(TO_IN)]), (exclude(), [of(TO_EX)]), (TICK, [of(TO_EX)])],
        id="6.1-rejoined-while-the-leave-is-repeated",
    ),
    pytest.param(
        2,
        exclude(),
        # The counter of the mode is 1 when a comes: one more TO_IN, which has a in it, then a's second report.
        [(NOTHING, [of(TO_IN)]), (include(A), [of(TO_IN, A)]), (TICK, [of(ALLOW, A)])],
        id="6.1-rejoined-with-a-source-while-the-leave-is-repeated",
    ),
    pytest.param(
        2,
        include(A),
        [
            (include(A, B), [of(ALLOW, B)]),
            (include(B), [of(ALLOW, B), of(BLOCK, A)]),
            (TICK, [of(BLOCK, A)]),
        ],
        id="6.1-each-source-has-its-own-counter",
    ),
    pytest.param(
        3,
        include(A),
        [
            (include(A, B), [of(ALLOW, B)]),
            (include(A, B, C), [of(ALLOW, B, C)]),
            (TICK, [of(ALLOW, B, C)]),
            (TICK, [of(ALLOW, C)]),
        ],
        id="6.1-one-after-the-other",
    ),
    pytest.param(
        2,
        include(A),
        [(include(A, B), [of(ALLOW, B)]), (include(A), [of(BLOCK, B)]), (TICK, [of(BLOCK, B)])],
        id="6.1-source-changed-its-mind",
    ),
    pytest.param(
        2,
        exclude(),
        [(exclude(A), [of(BLOCK, A)]), (exclude(), [of(ALLOW, A)]), (TICK, [of(ALLOW, A)])],
        id="6.1-excluded-and-not",
    ),
    pytest.param(
        3,
        NOTHING,
        # "the next [Robustness Variable] reports will include a Filter Mode Change Record. This applies even if any
        # number of source list changes occur in that period"; then the source's third report is a source list change.
        [
            (exclude(), [of(TO_EX)]),
            (exclude(A), [of(TO_EX, A)]),
            (TICK, [of(TO_EX, A)]),
            (TICK, [of(BLOCK, A)]),
        ],
        id="6.1-source-change-after-mode-change",
    ),
    pytest.param(
        3,
        include(A),
        [
            (include(A, B), [of(ALLOW, B)]),
            (exclude(C), [of(TO_EX, C)]),
            (TICK, [of(TO_EX, C)]),
            (TICK, [of(TO_EX, C)]),
        ],
        id="6.1-mode-change-after-source-change",
    ),
    pytest.param(
        2,
        exclude(),
        [(include(A), [of(TO_IN, A)]), (exclude(), [of(TO_EX)]), (TICK, [of(TO_EX)])],
        id="6.1-mode-there-and-back",
    ),
    pytest.param(
        2,
        include(A),
        [(include(A, B), [of(ALLOW, B)]), (NOTHING, [of(BLOCK, A, B)]), (TICK, [of(BLOCK, A, B)])],
        id="6.1-left-while-a-source-is-repeated",
    ),
    pytest.param(
        2,
        include(A, B),
        [
            (NOTHING, [of(BLOCK, A, B)]),
            (include(B), [of(ALLOW, B), of(BLOCK, A)]),
            (TICK, [of(ALLOW, B)]),
        ],
        id="6.1-came-back-with-one-of-two",
    ),
    pytest.param(
        1,
        include(A),
        [(include(A, B), [of(ALLOW, B)]), (include(B), [of(BLOCK, A)]), (exclude(), [of(TO_EX)])],
        id="6.1-nothing-to-merge-with-at-robustness-1",
    ),
    pytest.param(
        7,
        NOTHING,
        [
            (exclude(), [of(TO_EX)]),
            *((TICK, [of(TO_EX)]) for _ in range(5)),
            (exclude(A), [of(TO_EX, A)]),
            *((TICK, [of(BLOCK, A)]) for _ in range(6)),
        ],
        id="6.1-seven-times",
    ),
]


@pytest.mark.parametrize(("robustness", "start", "steps"), MERGING)
def test_6_1_merged(robustness: int, start: SourceFilter, steps: list[Step]) -> None:
    """6.1: a change while an earlier one is repeated makes a new, merged report, the first of its own transmissions."""
    play = listening(start, mld_qrv=robustness)
    for step, expected in steps:
        if isinstance(step, str):
            play.run(play.now + play_gap(play))
        else:
            play.run(play.now + play_gap(play) / 2 if not no_timer(play) else play.now)
            listen(play, step)
        frames = play.sent()
        assert [records(each) for each in frames] == [expected]
    assert no_timer(play), "nothing is replayed beside it"


def test_6_1_groups_do_not_disturb_each_other() -> None:
    """6.1: retransmission state is kept per multicast address."""
    play = ready2(mld_qrv=3)
    play.join(GROUP)
    play.join(OTHER_GROUP)
    listen(play, include(A), "ff05::77")
    play.run(play.now + 30)
    frames = play.sent()
    assert said(frames, GROUP) == [of(TO_EX)] * 3
    assert said(frames, OTHER_GROUP) == [of(TO_EX, group=OTHER_GROUP)] * 3
    assert said(frames, "ff05::77") == [of(ALLOW, A, group="ff05::77")] * 3


def test_6_1_replaced_in_one_step_is_one_report() -> None:
    """3: mode and list change together; no report of a state in between (INCLUDE of nothing, say)."""
    play = listening(include(A, B))
    listen(play, exclude(C))
    (sent,) = play.sent()
    assert records(sent) == [of(TO_EX, C)]
    (event,) = play.told("sources")
    assert event == SourceFilterChanged(ip(GROUP), "exclude", (ip(C),)), "and the user is told once"


def test_6_a_group_that_is_never_reported() -> None:
    """6: "No MLD messages are ever sent regarding" ff02::1 or groups of scope 0 or 1, with sources or without."""
    play = ready2()
    never = ("ff02::1", "ff01::1", "ff00::5", "ff11::1", "ff10::1")
    for group in never:
        listen(play, include(A), group)
        listen(play, exclude(B), group)
        ask(play, code=0)
        ask(play, group, code=0, destination="ff02::1")
        stop_listening(play, group)
    play.run(play.now + 30)
    frames = play.sent()
    assert said(frames, "ff02::1:ff00:1") != [], "the general queries were answered"
    assert said(frames, *never) == []


# -- joins that are delayed (RFC 4862 5.4.2)


def test_delayed_join_reports_the_state_that_is_then() -> None:
    """RFC 4862 5.4.2: the first report waits; a filter that changes meanwhile has nothing to be compared with."""
    play = ready2()
    start = play.now
    play.interface.listener.join(ip(GROUP), play.now, delay=5.0, owner="s1", source_filter=include(A))
    listen(play, include(A, B))
    assert (play.sent(), state(play)) == ([], "pending")
    play.run(start + 30)
    assert told(play.sent())[0] == (start + 5.0, of(ALLOW, A, B))


@pytest.mark.parametrize("code", [0, 1000])
def test_delayed_join_answers_no_query(code: int) -> None:
    """S39 in version 2: the report of the join says it, at its time."""
    play = ready2()
    start = play.now
    play.join(GROUP, delay=5.0)
    ask(play, code=code)
    ask(play, GROUP, code=code)
    ask(play, GROUP, A, code=code)
    play.run(start + 4.9)
    assert said(play.sent()) == []
    play.run(start + 30)
    assert said(play.sent()) == [of(TO_EX)] * 2


def test_delayed_join_leaves_in_silence() -> None:
    """S28 in version 2: what was never announced is not withdrawn."""
    play = ready2()
    play.join(GROUP, delay=5.0)
    listen(play, include(A), OTHER_GROUP)
    quiet(play, 4.0)
    play.leave(next(iter(record(play).memberships.values())))
    play.run(play.now + 30)
    assert said(play.sent()) == []


def test_6_3_retransmission_after_the_group_was_left_tells_that_it_is() -> None:
    """6.3 rule 4: the current state, of a group that is in no list any more, is INCLUDE of nothing."""
    play = listening(exclude(), mldv2_unsolicited_report_interval=1000)
    play.host.rng = Chance(0.5)
    start = play.now
    stop_listening(play)
    assert ip(GROUP) not in play.interface.listener.groups
    play.run(start + 10)
    assert told(play.sent()) == [(start, of(TO_IN)), (start + 0.5, of(TO_IN))]


def test_host_that_goes_away_says_it_once() -> None:
    """`leave_all`: one report of all groups together, and nothing left behind."""
    play = listening(exclude())
    listen(play, include(A, B), OTHER_GROUP)
    quiet(play)
    play.interface.listener.leave_all(play.now)
    play.settle()
    (sent,) = play.sent()
    assert set(records(sent)) == {
        of(TO_IN),
        of(BLOCK, A, B, group=OTHER_GROUP),
        of(TO_IN, group="ff02::1:ff00:1"),
    }
    assert no_timer(play)
