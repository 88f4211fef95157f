"""SEED section 2: the first report, its repeats, answers and the Done; timers and the flag (RFC 2710 4, 5, 7.10).

S15, which sets a state and carries on, cannot be seen on a link.
"""

import time

import pytest

from tests.mld.common import (
    DONE,
    GLOBAL,
    GROUP,
    OUR_LINK_LOCAL,
    QUERY,
    REPORT,
    Play,
    about,
    heard,
    ip,
    joined,
    kinds,
    membership,
    mld_message,
    no_timer,
    query,
    ready,
    record,
    state,
    without_address,
)

# Chi-square, 9 degrees of freedom: 27.9 is exceeded once in a thousand times.
CHI_SQUARE_9 = 27.9


def uniform_in_tenths(values: list[float], longest: float) -> bool:
    """Whether values fall evenly on the tenths of [0, longest]."""
    buckets = [0] * 10
    for value in values:
        buckets[min(9, int(value / longest * 10))] += 1
    expected = len(values) / 10
    return sum((count - expected) ** 2 / expected for count in buckets) < CHI_SQUARE_9


@pytest.mark.parametrize("delay", [0.0, 0.5])
@pytest.mark.parametrize("group", ["ff02::1", "ff01::1", "ff11::1", "ff00::1", "ff01::99", "ff10::5"])
def test_S14_never_reported(group: str, delay: float) -> None:
    play = ready()
    token = play.join(group, delay=delay)
    play.run(play.now + 20)
    for maximum in (0, 1000):
        query(play, delay=maximum)
        query(play, group, delay=maximum, destination="ff02::1")
        play.run(play.now + 20)
    assert state(play, group) == "silent"
    play.leave(token)
    play.run(play.now + 20)
    assert kinds(play.sent(), group) == []


def test_S14_scope_2_and_wider_are_reported() -> None:
    # RFC 2710 5: "MLD messages ARE sent for multicast addresses whose scope is 2".
    for group in ("ff02::2", "ff02::99", "ff12::1", "ff03::1", "ff05::1", "ff0e::1", "ff0f::1"):
        play = ready()
        play.join(group)
        assert kinds(play.sent(), group) == [REPORT], group


def test_S16_a_report_at_once_and_one_repeat() -> None:
    repeats = []
    for seed in range(1000):
        play = ready(seed)
        start = play.now
        play.join(GROUP)
        play.run(start + 120)
        times = [each for each, _, _ in about(play.sent())]
        assert len(times) == 2, f"seed {seed}"
        assert times[0] == start
        repeats.append(times[1] - start)
    assert all(0 <= each <= 10 for each in repeats)
    assert uniform_in_tenths(repeats, 10.0)


@pytest.mark.parametrize("interval", [0, 1, 250, 3000])
def test_S16_interval_is_a_setting(interval: int) -> None:
    play = ready(mldv1_unsolicited_report_interval=interval)
    start = play.now
    play.join(GROUP)
    play.run(start + 60)
    times = [each for each, _, _ in about(play.sent())]
    assert len(times) == 2
    assert times[0] == start
    assert times[1] - start <= interval / 1000


def test_S17_same_seed_same_delays() -> None:
    def times(seed: int) -> list[float]:
        play = ready(seed)
        play.join(GROUP)
        play.run(play.now + 10)
        query(play, delay=10_000)
        play.run(play.now + 10)
        return [each.time for each in play.sent()]

    assert times(5) == times(5)
    assert times(5) != times(6)


def test_S18_delays_are_not_ticks() -> None:
    delays = set()
    for seed in range(100):
        play = ready(seed)
        play.join(GROUP)
        timer = record(play).timer
        assert timer is not None
        delays.add(round((timer.deadline - play.now) * 1000) % 10)
    assert len(delays) > 5, "every delay is a multiple of 10 ms"


def test_S19_done_follows_a_report_that_was_sent() -> None:
    # The file sends a Done alone for a group that it never announced.
    play = without_address()
    play.add_address(GLOBAL, nodad=True)
    play.sent()
    token = play.join(GROUP)
    play.run(play.now + 20)
    assert about(play.sent())[0][1:] == (REPORT, "::")
    play.add_address("fe80::1", nodad=True)
    play.sent()
    play.leave(token)
    assert [each[1:] for each in about(play.sent())] == [(DONE, "fe80::1")]


def test_S20_delayed_join() -> None:
    for seed in range(50):
        play = ready(seed)
        start = play.now
        play.join(GROUP, delay=0.7)
        play.run(start + 60)
        first, repeat = (each - start for each, _, _ in about(play.sent()))
        assert first == pytest.approx(0.7)
        assert 0.7 <= repeat <= 10.7


def test_S20_state_while_delayed() -> None:
    play = ready()
    play.join(GROUP, delay=0.7)
    assert state(play) == "pending"
    play.run(play.now + 0.7)
    assert state(play) == "delaying"


def test_S21_answer_sets_flag() -> None:
    # RFC 2710 5, "timer expired": send report, set flag. The file forgets the flag.
    play = joined()
    query(play, delay=10_000)
    heard(play)
    assert not record(play).last_reporter
    query(play, delay=1000)
    play.run(play.now + 1)
    assert kinds(play.sent()) == [REPORT]
    assert record(play).last_reporter
    play.leave(membership(play))
    assert kinds(play.sent()) == [DONE]


def test_S21_repeat_sets_flag() -> None:
    play = ready()
    play.join(GROUP)
    record(play).last_reporter = False
    play.run(play.now + 10)
    assert record(play).last_reporter


@pytest.mark.parametrize("what", ["report", "leave"])
def test_S22_stopped_at_the_exact_deadline(what: str) -> None:
    play = joined()
    query(play, delay=5000)
    timer = record(play).timer
    assert timer is not None
    play.now = timer.deadline
    if what == "report":
        heard(play)
    else:
        play.leave(membership(play))
    play.run(play.now + 20)
    assert kinds(play.sent()) == ([] if what == "report" else [DONE])


def test_S23_the_wall_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    def traffic(step: float) -> list[object]:
        play = ready()
        play.join(GROUP)
        real = time.time()
        for name in ("time", "monotonic", "perf_counter"):
            monkeypatch.setattr(time, name, lambda: real + step)
        play.run(play.now + 5)
        query(play, delay=10_000)
        play.run(play.now + 20)
        monkeypatch.undo()
        return list(play.sent())

    assert traffic(3600.0) == traffic(0.0) == traffic(-3600.0)


def test_S24_two_queries_one_report() -> None:
    for seed in range(20):
        play = joined(seed=seed)
        start = play.now
        query(play, delay=8000)
        query(play, GROUP, delay=4000)
        play.run(start + 60)
        times = [each for each, _, _ in about(play.sent())]
        assert len(times) == 1
        assert times[0] <= start + 4


def test_S25_states_are_explicit_and_stopping_is_idempotent() -> None:
    play = ready()
    play.join(GROUP)
    assert state(play) == "delaying"
    heard(play)
    assert (state(play), record(play).timer) == ("idle", None)
    heard(play)
    assert (state(play), record(play).timer) == ("idle", None)
    query(play, delay=1000)
    assert state(play) == "delaying"
    play.run(play.now + 1)
    assert (state(play), record(play).timer) == ("idle", None)


def test_S26_what_counts_is_the_time_that_remains() -> None:
    play = joined(seed=3)
    query(play, delay=10_000)
    timer = record(play).timer
    assert timer is not None
    due = timer.deadline
    assert due - play.now > 2
    play.run(due - 0.4)
    query(play, delay=500)
    timer = record(play).timer
    assert timer is not None
    assert timer.deadline == due, "0.4 s remain, so a maximum of 0.5 s changes nothing"
    query(play, delay=300)
    timer = record(play).timer
    assert timer is not None
    assert timer.deadline <= play.now + 0.3


def test_S27_last_reporter_says_done() -> None:
    play = joined()
    play.leave(membership(play))
    (sent,) = play.sent()
    assert (sent.kind, sent.destination, sent.target, sent.source) == (DONE, "ff02::2", GROUP, OUR_LINK_LOCAL)
    play.run(play.now + 60)
    assert play.sent() == [], "one Done, not repeated"


def peer_reported_last(**settings: int) -> Play:
    play = joined(**settings)
    query(play, GROUP, delay=10_000)
    heard(play)
    return play


def test_S27_not_the_last_reporter_says_nothing() -> None:
    play = peer_reported_last()
    play.leave(membership(play))
    play.run(play.now + 60)
    assert play.sent() == []


def test_S27_unless_the_optimisation_is_off() -> None:
    # RFC 2710 4: "it MUST be able to be turned off but SHOULD default to on".
    play = peer_reported_last(mldv1_done_always=1)
    play.leave(membership(play))
    assert kinds(play.sent()) == [DONE]


@pytest.mark.parametrize("group", ["ff02::1", "ff01::5"])
def test_S27_never_for_what_is_never_reported(group: str) -> None:
    play = ready(mldv1_done_always=1)
    play.leave(play.join(group))
    assert play.sent() == []


def test_S27_done_always_is_for_reported_groups() -> None:
    play = ready(mldv1_done_always=1, tx_queue_len=1)
    play.interface.listener.join(ip("ff02::99"), play.now)
    token = play.interface.listener.join(ip(GROUP), play.now)  # the queue is full: not reported
    play.settle()
    assert kinds(play.sent()) == []
    play.leave(token)
    assert kinds(play.sent()) == []


@pytest.mark.parametrize("done_always", [0, 1])
def test_S28_pending_group_leaves_silently(done_always: int) -> None:
    play = ready(mldv1_done_always=done_always)
    token = play.join(GROUP, delay=5.0)
    play.run(play.now + 1)
    play.leave(token)
    assert no_timer(play)
    play.run(play.now + 60)
    assert play.sent() == []


@pytest.mark.parametrize("robustness", [1, 2, 3, 7])
def test_S29_robustness_is_configurable(robustness: int) -> None:
    play = ready(mld_qrv=robustness)
    play.join(GROUP)
    play.run(play.now + 200)
    assert kinds(play.sent()) == [REPORT] * robustness
    play.leave(membership(play))
    play.run(play.now + 200)
    assert kinds(play.sent()) == [DONE]


def test_S29_default_is_two() -> None:
    assert ready().host.settings.mld_qrv == 2


def test_S29_done_without_repeat_while_repeats_are_due() -> None:
    play = ready(mld_qrv=7)
    play.run(100)
    play.sent()
    play.leave(play.join(GROUP))
    assert kinds(play.sent()) == [REPORT, DONE]
    assert no_timer(play)


def test_S42_a_query_during_the_repeats_brings_one_forward() -> None:
    # The answer counts as a repeat; those that are left stay due.
    play = ready(mld_qrv=3)
    start = play.now
    play.join(GROUP)
    play.receive(mld_message(QUERY, GROUP, delay=1))
    play.run(start + 0.001)
    assert len(about(play.sent())) == 2
    play.run(start + 60)
    assert len(about(play.sent())) == 1
