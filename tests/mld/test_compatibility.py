"""Host Compatibility Mode (RFC 3810 8.1, 8.2, 9.12): which version is spoken, how long, what a switch cancels."""

from types import SimpleNamespace
from typing import cast

import pytest

from stack.control.arguments import Arguments
from stack.control.commands import HANDLERS
from stack.discard import Discard, Verdict
from stack.events import VersionChanged
from stack.runtime import Runtime
from tests.mld.common import (
    DONE,
    GROUP,
    OTHER_GROUP,
    REPORT,
    V2_REPORT,
    Play,
    TwoLinks,
    heard,
    kinds,
    membership,
    no_timer,
    query,
    state,
)
from tests.mld.version2 import (
    A,
    B,
    Chance,
    ask,
    exclude,
    include,
    joined2,
    listen,
    listening,
    of,
    quiet,
    ready2,
    said,
    stop_listening,
)
from tests.playbook import IS_EX, IS_IN, TO_EX, mld_message

DEFAULT_TIMEOUT = 2 * 125 + 10


def version(play: Play) -> int:
    return play.interface.listener.version


def set_to(play: Play, name: str, value: object) -> None:
    """A setting changed at run time, as the control socket does it."""
    play.host.settings.set_text(name, str(value))
    play.interface.listener.follow_version(play.now)
    play.settle()


# -- 8.1


@pytest.mark.parametrize(
    ("length", "spoken"),
    [(24, 1), (25, None), (26, None), (27, None), (28, 2), (29, 2), (200, 2)],
    ids=lambda value: f"8.1-{value}",
)
def test_8_1_version_of_a_query_is_told_by_its_length(length: int, spoken: int | None) -> None:
    """8.1: 24 octets, 28 or more; in between "MUST be silently ignored"."""
    play = joined2()
    outcome = query(play, delay=0, extra=bytes(length - 24))
    if spoken is None:
        assert outcome is Discard.MLD_LENGTH
        assert play.sent() == []
        assert version(play) == 2
        return
    assert outcome is Verdict.DELIVERED
    assert version(play) == spoken
    assert {each.kind for each in play.sent()} == {REPORT if spoken == 1 else V2_REPORT}


def test_8_2_1_code_of_a_version_1_query_is_linear() -> None:
    """8.2.1: "the full range of this field is linear": 0x9000 is 36,864 ms (S44)."""
    play = joined2()
    play.host.rng = Chance(0.5)
    start = play.now
    query(play, GROUP, delay=0x9000)
    play.run(start + 60)
    (sent,) = [each for each in play.sent() if each.target == GROUP]
    assert sent.time - start == pytest.approx(18.432)


# -- 8.2.1 and 9.12


@pytest.mark.parametrize("group", ["::", GROUP, OTHER_GROUP], ids=["general", "ours", "not ours"])
def test_8_2_1_any_version_1_query_switches(group: str) -> None:
    """8.2.1: "whenever an MLDv1 Multicast Address Listener Query is received on that interface"."""
    play = joined2()
    query(play, group, delay=1000, destination="ff02::1")
    assert version(play) == 1
    assert VersionChanged(1) in play.events


def test_8_2_1_only_version_1_is_spoken_then() -> None:
    """8.2.1: "using only the MLDv1 protocol": joins, leaves and answers, whatever version the query has."""
    play = joined2(GROUP)
    query(play, delay=0)
    ask(play, code=0)
    token = play.join(OTHER_GROUP)
    play.leave(token)
    listen(play, include(A))
    play.run(play.now + 20)
    frames = play.sent()
    assert {each.kind for each in frames} == {REPORT, DONE}
    assert kinds(frames, GROUP) == [REPORT, REPORT]
    assert kinds(frames, OTHER_GROUP) == [REPORT, DONE]


TIMEOUTS = [
    pytest.param({}, None, DEFAULT_TIMEOUT, id="9.12-defaults"),
    pytest.param({"mld_qrv": 5}, None, 5 * 125 + 10, id="9.12-robustness-of-the-setting"),
    pytest.param({"mld_query_interval": 60}, None, 2 * 60 + 10, id="9.12-interval-of-the-setting"),
    pytest.param({"mld_query_response_interval": 2500}, None, 2 * 125 + 2.5, id="9.12-response-interval"),
    pytest.param({}, {"qrv": 3, "qqic": 20}, 3 * 20 + 10, id="9.12-of-the-last-version-2-query"),
    pytest.param({}, {"qrv": 0, "qqic": 20}, 2 * 20 + 10, id="9.12-QRV-0-is-the-default"),
    pytest.param({}, {"qrv": 7, "qqic": 0}, 7 * 125 + 10, id="9.12-QQIC-0-is-the-default"),
    pytest.param({}, {"qrv": 1, "qqic": 0x80}, 128 + 10, id="9.12-QQIC-is-floating"),
]


@pytest.mark.parametrize(("settings", "last", "timeout"), TIMEOUTS)
def test_9_12_timeout(settings: dict[str, int], last: dict[str, int] | None, timeout: float) -> None:
    """9.12: [Robustness Variable] times the [Query Interval] in the last query, plus [Query Response Interval]."""
    play = joined2(**settings)
    if last is not None:
        ask(play, code=0, **last)
    start = play.now
    query(play, delay=0)
    play.run(start + timeout - 0.001)
    assert version(play) == 1
    play.events.clear()
    play.run(start + timeout)
    assert version(play) == 2
    assert play.told("mld") == [VersionChanged(2)]


def test_9_12_timer_is_set_anew_by_each_query() -> None:
    """8.2.1: "The timer is re-set whenever a new MLDv1 Query is received on that interface"; not by version 2."""
    play = joined2()
    start = play.now
    for at in (0, 100, 200):
        play.run(start + at)
        query(play, delay=0)
        ask(play, code=0)
    play.run(start + 200 + DEFAULT_TIMEOUT - 0.01)
    assert version(play) == 1
    play.run(start + 200 + DEFAULT_TIMEOUT)
    assert version(play) == 2
    assert no_timer(play)


def test_9_12_a_shorter_timeout_counts_too() -> None:
    """The timer is set to what the timeout is now, also if that is sooner than it was."""
    play = joined2()
    query(play, delay=0)
    ask(play, qrv=1, qqic=1, code=0)
    start = play.now
    query(play, delay=0)
    play.run(start + 11)
    assert version(play) == 2
    assert no_timer(play)


def test_9_12_a_longer_timeout_counts_too() -> None:
    """And if it is later."""
    play = joined2()
    ask(play, qrv=1, qqic=1, code=0)
    query(play, delay=0)
    ask(play, qrv=2, qqic=100, code=0)
    start = play.now
    query(play, delay=0)
    play.run(start + 209)
    assert version(play) == 1
    play.run(start + 210)
    assert version(play) == 2


def test_8_2_1_mode_is_an_interface_s_own() -> None:
    """8.2.1: "state per local interface"."""
    two = TwoLinks()
    two.receive(mld_message(130, "::", delay=1000), two.links[0])
    assert [each.listener.version for each in two.links] == [1, 2]


# -- a switch cancels everything pending


def test_8_2_1_retransmissions_are_cancelled() -> None:
    """8.2.1: "it cancels all its pending responses and retransmission timers": a change is not repeated."""
    play = ready2(mld_qrv=7)
    play.join(GROUP)
    listen(play, include(A), OTHER_GROUP)
    stop_listening(play, OTHER_GROUP)
    play.sent()
    query(play, "ff05::1", delay=0, destination="ff02::1")
    play.run(play.now + 100)
    assert play.sent() == []


def test_8_2_1_responses_are_cancelled() -> None:
    """8.2.1: neither the general answer nor those of single groups; the version 1 query's own answer comes."""
    play = joined2(GROUP, OTHER_GROUP)
    ask(play, code=20_000)
    ask(play, GROUP, A, code=10_000)
    ask(play, OTHER_GROUP, code=10_000)
    query(play, GROUP, delay=5000)
    play.run(play.now + 30)
    frames = play.sent()
    assert {each.kind for each in frames} == {REPORT}
    assert (kinds(frames, GROUP), kinds(frames, OTHER_GROUP)) == ([REPORT], [])


def test_8_2_1_version_1_timers_are_cancelled_on_the_way_back() -> None:
    """8.2.1 the other way: answers and repeats of version 1."""
    play = joined2()
    start = play.now
    query(play, delay=0)
    play.run(start + DEFAULT_TIMEOUT - 0.5)
    play.sent()
    play.host.rng = Chance(0.9)
    play.join(OTHER_GROUP)
    ask(play, GROUP, code=30_000)
    assert state(play) == state(play, OTHER_GROUP) == "delaying"
    play.sent()
    play.run(start + DEFAULT_TIMEOUT)
    assert version(play) == 2
    assert state(play) == state(play, OTHER_GROUP) == "idle"
    play.run(play.now + 60)
    assert play.sent() == []


def test_8_2_1_a_delayed_join_goes_on() -> None:
    """A first report that waits (RFC 4862 5.4.2) is no response and no retransmission: it comes all the same."""
    play = ready2()
    start = play.now
    play.join(GROUP, delay=5.0)
    query(play, delay=0)
    assert state(play) == "pending"
    play.run(start + 4.99)
    assert kinds(play.sent()) == []
    play.run(start + 5.01)
    assert kinds(play.sent()) == [REPORT]


@pytest.mark.parametrize("left", ["before", "after"])
def test_8_2_1_a_delayed_join_over_the_switch_back(left: str) -> None:
    """And from version 1 to 2."""
    play = ready2()
    query(play, delay=0)
    play.run(play.now + DEFAULT_TIMEOUT - 1)
    token = play.join(GROUP, delay=2.0)
    if left == "before":
        play.leave(token)
    play.sent()
    play.run(play.now + 5)
    assert version(play) == 2
    assert said(play.sent()) == ([] if left == "before" else [of(TO_EX)] * 2)


def test_8_2_1_filters_survive_version_1() -> None:
    """What is listened to is not changed by the way of speaking: after the switch back sources are answered for."""
    play = listening(include(A))
    start = play.now
    query(play, delay=0)
    listen(play, include(A, B))
    listen(play, exclude(B), OTHER_GROUP)
    quiet(play)
    play.run(start + DEFAULT_TIMEOUT)
    assert play.sent() == [], "nothing is said at the switch itself"
    ask(play, code=0)
    frames = play.sent()
    assert said(frames) == [of(IS_IN, A, B)]
    assert said(frames, OTHER_GROUP) == [of(IS_EX, B, group=OTHER_GROUP)]


def test_8_2_1_left_in_version_1_is_gone_in_version_2() -> None:
    """And a group that was left meanwhile is not."""
    play = joined2(GROUP, OTHER_GROUP)
    start = play.now
    query(play, delay=0)
    play.leave(membership(play))
    quiet(play)
    play.run(start + DEFAULT_TIMEOUT)
    assert version(play) == 2
    ask(play, code=0)
    ask(play, GROUP, code=0, destination="ff02::1")
    frames = play.sent()
    assert said(frames) == []
    assert said(frames, OTHER_GROUP) == [of(IS_EX, group=OTHER_GROUP)]


@pytest.mark.parametrize("robustness", [2, 7])
def test_8_2_1_done_in_version_1_for_what_version_2_reported(robustness: int) -> None:
    """RFC 2710 4: whoever reported last says Done; a version 2 report was one."""
    play = joined2(mld_qrv=robustness)
    query(play, OTHER_GROUP, delay=0, destination="ff02::1")
    play.leave(membership(play))
    assert kinds(play.sent()) == [DONE]


# -- 8.2.2


def test_8_2_2_version_1_reports_suppress_in_version_1_mode_only() -> None:
    """8.2.2: a host MAY let a version 1 report suppress its own of version 2; ours does not."""
    play = joined2()
    ask(play, code=5000)
    heard(play)
    play.run(play.now + 10)
    assert said(play.sent()) == [of(IS_EX)]
    query(play, GROUP, delay=5000)
    heard(play)
    play.run(play.now + 10)
    assert kinds(play.sent()) == []


# -- settings


def test_force_1_speaks_version_1_whatever_comes() -> None:
    """force_mld_version=1, version 2 queries or not."""
    play = joined2(force_mld_version=1)
    ask(play, code=0)
    assert kinds(play.sent()) == [REPORT]
    play.run(play.now + 1000)
    play.join(OTHER_GROUP)
    assert kinds(play.sent(), OTHER_GROUP) == [REPORT]


def test_force_2_speaks_version_2_whatever_comes() -> None:
    """force_mld_version=2: a version 1 query is ignored, and is told apart in the counters."""
    play = joined2(force_mld_version=2)
    for group in ("::", GROUP):
        assert query(play, group, delay=0) is Discard.MLD_VERSION
    assert (play.sent(), version(play)) == ([], 2)
    assert no_timer(play)
    ask(play, code=0)
    assert said(play.sent()) == [of(IS_EX)]


@pytest.mark.parametrize("forced", [0, 2])
def test_forced_at_run_time_and_back(forced: int) -> None:
    """A changed setting acts at once: what is pending is cancelled as at any switch."""
    play = joined2(mld_qrv=7)
    play.join(OTHER_GROUP)
    ask(play, code=5000)
    play.sent()
    set_to(play, "force_mld_version", 1)
    assert version(play) == 1
    play.run(play.now + 30)
    assert play.sent() == []
    query(play, delay=0)
    assert kinds(play.sent()) == [REPORT]
    set_to(play, "force_mld_version", forced)
    assert version(play) == 2, "a query under force says nothing of the querier's version"
    ask(play, code=0)
    assert said(play.sent()) == [of(IS_EX)]


def test_forced_2_while_a_version_1_querier_is_there() -> None:
    """The setting overrides what was heard; given up, what was heard counts again until its time is over."""
    play = joined2()
    start = play.now
    query(play, delay=0)
    set_to(play, "force_mld_version", 2)
    assert version(play) == 2
    set_to(play, "force_mld_version", 0)
    assert version(play) == 1
    play.run(start + DEFAULT_TIMEOUT)
    assert version(play) == 2


def test_down_and_up_forgets_the_querier() -> None:
    """The link may be another one: mode, robustness and interval are as at the start."""
    play = joined2()
    ask(play, qrv=7, qqic=200, code=0)
    query(play, delay=0)
    play.interface.stop(play.now)
    assert no_timer(play)
    play.sent()
    play.start(until=None)
    play.run(play.now + 10)
    frames = play.sent()
    assert version(play) == 2
    assert {each.kind for each in frames} == {V2_REPORT, 135}
    assert play.interface.listener.robustness == 2


@pytest.mark.parametrize("mode", [1, 2])
def test_switch_while_nothing_may_be_said(mode: int) -> None:
    """No address, then another version: the first report that is owed comes in the version of that time."""
    play = ready2(addr_gen_mode=1)
    play.join(GROUP)
    set_to(play, "force_mld_version", 3 - mode)
    set_to(play, "force_mld_version", mode)
    assert play.sent() == []
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 30)
    frames = play.sent()
    if mode == 1:
        assert kinds(frames) == [REPORT] * 2
    else:
        assert said(frames) == [of(TO_EX)] * 2


def test_switch_during_the_rate_limit_gives_everything_back() -> None:
    """What waited for its place and is cancelled does not put off what comes after."""
    play = joined2(*(f"ff05::1:{number:x}" for number in range(500)), mld_ratelimit=1)
    ask(play, code=0)
    play.sent()
    ask(play, code=0)
    for number in range(500):
        ask(play, f"ff05::1:{number:x}", code=0)
    set_to(play, "force_mld_version", 1)
    set_to(play, "force_mld_version", 2)
    play.run(play.now + 8)
    play.sent()
    start = play.now
    ask(play, "ff05::1:7", code=0)
    play.run(start + 1.01)
    assert said(play.sent(), "ff05::1:7") == [of(IS_EX, group="ff05::1:7")]


@pytest.mark.parametrize(
    ("assignment", "back"),
    [("force_mld_version=1", "force_mld_version=0"), ("mld_personality=netbsd", "mld_personality=standard")],
)
def test_the_control_socket_s_settings_act_at_once(assignment: str, back: str) -> None:
    """`sixtap set`: the version changes with the setting, not with whatever comes next on the link."""
    play = joined2()
    runtime = cast(Runtime, SimpleNamespace(host=play.host, interface=play.interface))
    ask(play, code=5000)
    HANDLERS["set"](runtime, Arguments({"assignment": assignment}), play.now)
    assert play.events[-1:] == [VersionChanged(1)]
    assert no_timer(play), "8.2.1: what was pending is cancelled"
    HANDLERS["set"](runtime, Arguments({"assignment": back}), play.now)
    assert play.events[-1:] == [VersionChanged(2)]
    assert play.sent() == []
