"""The `netbsd` personality: the rows of docs/seed.md marked C or F/C as mld6.c 1.61.2.7 does them, defects included.

The `standard` side of the same rows is in test_seed_1_packets.py to test_seed_5_reassignment.py.
"""

import pytest

from stack.discard import Discard, Verdict
from tests.mld.common import (
    DONE,
    GLOBAL,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    OUR_SOLICITED_NODE,
    REPORT,
    V2_TAIL,
    Play,
    about,
    heard,
    is_mld,
    kinds,
    membership,
    no_timer,
    query,
    record,
    state,
)
from tests.mld.netbsd import answers, joined_netbsd, netbsd
from tests.mld.version2 import A, ask, include, listen


@pytest.mark.parametrize("version", [0, 1, 2])
def test_always_version_1(version: int) -> None:
    """ "always MLDv1", whatever is set and whoever asks."""
    play = joined_netbsd(force_mld_version=version)
    ask(play, code=1000)
    assert answers(play) == [REPORT]
    listen(play, include(A), OTHER_GROUP)
    assert kinds(play.sent(), OTHER_GROUP) == [REPORT]


# -- section 1


def test_S04_netbsd_first_tentative_second_valid() -> None:
    """The first that is not duplicated counts: tentative, it is replaced by ::, whatever comes behind it."""
    play = netbsd(addr_gen_mode=1)
    play.add_address("fe80::1")
    play.add_address("fe80::2", nodad=True)
    play.sent()
    play.join(GROUP)
    assert about(play.sent()) == [(play.now, REPORT, "::")]
    play.run(play.now + 5)
    play.sent()
    play.join(OTHER_GROUP)
    assert about(play.sent(), OTHER_GROUP) == [(play.now, REPORT, "fe80::1")]


def test_S05_netbsd_no_link_local_address_no_report() -> None:
    """No usable link-local address: nothing is sent."""
    play = netbsd(addr_gen_mode=1)
    play.add_address(GLOBAL, nodad=True)
    play.join("ff05::99")
    query(play, delay=0)
    assert [each for each in play.sent() if is_mld(each)] == []
    assert answers(play) == []
    assert play.host.counters.out_discards == 0, "silently"


def test_S06_netbsd_nothing_is_reported_again_when_the_address_is_valid() -> None:
    """Only the repeat may happen to fall behind the detection: two reports in all, not three."""
    for seed in range(20):
        play = Play(seed, mld_personality="netbsd", force_mld_version=0).start(until=None)
        play.join(GROUP)
        play.run(30)
        messages = about(play.sent())
        assert len(messages) == 2
        assert messages[0] == (0.0, REPORT, "::")


# -- section 2


def test_S19_netbsd_done_alone_for_what_was_never_announced() -> None:
    """The state says reported although nothing was sent; the leave has an address again."""
    play = netbsd(addr_gen_mode=1)
    play.add_address(GLOBAL, nodad=True)
    token = play.join(GROUP)
    assert answers(play) == []
    assert record(play).last_reporter
    play.add_address("fe80::1", nodad=True)
    assert kinds(play.sent()) == [], "S72: nor when there is one"
    play.leave(token)
    assert about(play.sent()) == [(play.now, DONE, "fe80::1")]


def test_S21_netbsd_an_answer_does_not_set_the_flag() -> None:
    """Join; hear a peer's report; answer a query; leave: no Done."""
    play = joined_netbsd()
    heard(play)
    query(play, GROUP, delay=1000)
    assert answers(play) == [REPORT]
    assert not record(play).last_reporter
    play.leave(membership(play))
    assert kinds(play.sent()) == []


def test_S21_netbsd_nor_does_it_clear_it() -> None:
    """Who joined and was never contradicted still says Done."""
    play = joined_netbsd()
    query(play, GROUP, delay=1000)
    assert answers(play) == [REPORT]
    play.leave(membership(play))
    assert kinds(play.sent()) == [DONE]


@pytest.mark.parametrize("robustness", [1, 2, 7])
def test_S29_netbsd_one_repeat_and_no_more(robustness: int) -> None:
    """There is no robustness variable, and the Done comes once."""
    play = netbsd(mld_qrv=robustness)
    token = play.join(GROUP)
    assert answers(play, 60) == [REPORT, REPORT]
    play.leave(token)
    assert answers(play, 60) == [DONE]


def test_S29_netbsd_nor_is_it_the_querier_s() -> None:
    """What a version 2 query says of it is beyond the 24 octets."""
    play = netbsd()
    ask(play, qrv=7, code=0)
    play.sent()
    play.join(GROUP)
    assert answers(play, 60) == [REPORT, REPORT]


def test_S27_netbsd_done_always_is_no_setting_of_the_file() -> None:
    """The file has no switch: not the last reporter, no Done."""
    play = joined_netbsd(mldv1_done_always=1)
    heard(play)
    play.leave(membership(play))
    assert kinds(play.sent()) == []


# -- section 3


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"hop_limit": 2}, id="hop-limit-2"),
        pytest.param({"hop_limit": 64}, id="hop-limit-64"),
        pytest.param({"hop_limit": 255}, id="hop-limit-255"),
        pytest.param({"alert": False}, id="no-router-alert"),
        pytest.param({"code": 1}, id="code"),
        pytest.param({"reserved": 0xFFFF}, id="reserved"),
        pytest.param({"destination": OUR_LINK_LOCAL}, id="to-our-address"),
        pytest.param({"destination": OTHER_GROUP}, id="to-another-group-of-ours"),
    ],
)
def test_S32_netbsd_answers(fields: dict[str, object]) -> None:
    """Neither hop limit nor router alert are looked at."""
    play = joined_netbsd(GROUP, OTHER_GROUP)
    assert query(play, GROUP, delay=0, **fields) is Verdict.DELIVERED
    assert kinds(play.sent()) == [REPORT]


@pytest.mark.parametrize("source", ["::", "2001:db8::1"])
def test_S31_netbsd_still_wants_a_link_local_source(source: str) -> None:
    """The one check that there is."""
    play = joined_netbsd()
    assert query(play, GROUP, delay=0, source=source) is Discard.MLD_SOURCE
    assert answers(play) == []


@pytest.mark.parametrize("length", [25, 26, 27, 28, 44, 500])
def test_S33_netbsd_extra_octets_are_ignored(length: int) -> None:
    """Any query of 24 octets or more is one of version 1, those of no version included."""
    play = joined_netbsd()
    assert query(play, delay=0, extra=bytes(length - 24)) is Verdict.DELIVERED
    assert kinds(play.sent()) == [REPORT]


def test_S33_netbsd_sources_that_do_not_fit() -> None:
    """Number of sources 65535 and none there: nobody looks."""
    play = joined_netbsd()
    assert query(play, GROUP, delay=0, extra=V2_TAIL[:2] + b"\xff\xff") is Verdict.DELIVERED
    assert kinds(play.sent()) == [REPORT]


def test_S41_netbsd_newest_first() -> None:
    """Delay 0: now, for each group in list order, which is that of the last joined first."""
    groups = [f"ff05::{number:x}" for number in range(1, 21)]
    play = joined_netbsd(*groups)
    query(play, delay=0)
    assert [(each.time, each.target) for each in play.sent()] == [
        (play.now, group) for group in (*reversed(groups), OUR_SOLICITED_NODE)
    ]
    assert no_timer(play)


def test_S41_netbsd_cancels_the_repeat_and_sets_the_flag() -> None:
    """S50: with delay 0 it sends and sets it."""
    play = netbsd()
    play.join(GROUP)
    heard(play)
    assert not record(play).last_reporter
    query(play, delay=0)
    assert record(play).last_reporter
    assert answers(play) == [REPORT, REPORT]


def test_S51_netbsd_floods_are_bounded_here_too() -> None:
    """F: the bucket is for safety."""
    play = joined_netbsd(*(f"ff05::{number:x}" for number in range(1, 51)), mld_ratelimit=10)
    start = play.now
    for _ in range(100):
        query(play, delay=0)
    play.run(start + 5)
    assert 51 <= len(play.sent(REPORT)) <= 51 + 10 * 5 + 1


@pytest.mark.parametrize("code", [0x8000, 0x9000, 0xFFFF])
def test_S44_netbsd_codes_of_version_2_are_linear(code: int) -> None:
    """A floating point code read as plain milliseconds: between 32.8 and 65.5 s where 8,388 s may be meant."""
    latest = 0.0
    for seed in range(30):
        play = joined_netbsd(seed=seed)
        start = play.now
        query(play, GROUP, delay=code, extra=V2_TAIL)
        play.run(start + 70)
        ((time, _, _),) = about(play.sent())
        assert time - start <= code / 1000
        latest = max(latest, time - start)
    assert latest > code / 1000 * 0.8


def test_S45_netbsd_own_report_reflected() -> None:
    """Taken for another's: the timer stops, the flag goes, and so does the Done."""
    play = netbsd()
    play.join(GROUP)
    (sent,) = play.sent()
    assert play.receive(sent.frame) is Verdict.DELIVERED
    assert (state(play), record(play).last_reporter) == ("idle", False)
    assert answers(play) == []
    play.leave(membership(play))
    assert kinds(play.sent()) == []


def test_S47_netbsd_heard_when_idle() -> None:
    """The flag is cleared in any state: no Done."""
    play = joined_netbsd()
    assert (state(play), record(play).last_reporter) == ("idle", True)
    heard(play)
    play.leave(membership(play))
    assert kinds(play.sent()) == []


def test_S48_netbsd_delayed_first_report_is_suppressed_for_good() -> None:
    """Join with delay 1 s, a peer's report at 0.5 s: mute until a query asks."""
    play = netbsd()
    play.join(GROUP, delay=1.0)
    play.run(play.now + 0.5)
    heard(play)
    assert answers(play, 120) == []
    assert not record(play).last_reporter
    query(play, GROUP, delay=1000)
    assert answers(play) == [REPORT]


def test_S85_netbsd_query_from_our_own_address() -> None:
    """Nobody tests for it."""
    play = joined_netbsd()
    assert query(play, GROUP, delay=0, source=OUR_LINK_LOCAL) is Verdict.DELIVERED
    assert kinds(play.sent()) == [REPORT]
