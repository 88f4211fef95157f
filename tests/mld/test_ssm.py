"""Source-specific multicast (RFC 4604, RFC 4607): FF3x::/32 is joined with sources to include, outside version 1.

Neither text was at hand: their clauses are cited from memory.
"""

import pytest

from stack.discard import Discard
from stack.errors import UsageError
from stack.mld.filters import SourceFilter
from stack.mld.groups import is_source_specific
from tests.mld.common import GROUP, REPORT, Play, heard, ip, is_mld, kinds, no_timer, query, record, state
from tests.mld.version2 import (
    SSM,
    A,
    B,
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
)
from tests.playbook import ALLOW, BLOCK, IS_IN


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("ff32::1", True),
        ("ff35::8000:1", True),
        ("ff3e::4000:0", True),
        ("ff3e:0:ffff::1", True),
        ("ff3e:1::1", False),
        ("ff3e:20:2001:db8::1", False),
        ("ff2e::1", False),
        ("ff7e::1", False),
        ("ff0e::1", False),
    ],
)
def test_rfc4607_1_prefix(group: str, expected: bool) -> None:
    """RFC 4607 1: FF3x::/32, any scope x; a prefix-based group (RFC 3306) is FF3x too, and is none."""
    assert is_source_specific(ip(group)) == expected


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("wanted", [exclude(), exclude(A)], ids=["any-source", "all-but-one"])
def test_rfc4604_exclude_is_refused(wanted: SourceFilter, version: int) -> None:
    """RFC 4604 2: such a group is asked for with INCLUDE; the error says so, and nothing has changed."""
    play = ready2(force_mld_version=version)
    play.plans.clear()
    for join in (
        lambda: listen(play, wanted, SSM),
        lambda: play.interface.listener.join(ip(SSM), play.now, source_filter=wanted),
    ):
        with pytest.raises(UsageError, match="source-specific"):
            join()
    assert ip(SSM) not in play.interface.listener.groups
    assert (play.sent(), play.plans) == ([], [])


def test_rfc4604_from_include_to_exclude_is_refused() -> None:
    """The filter that is there stays."""
    play = listening(include(A), SSM)
    with pytest.raises(UsageError, match="source-specific"):
        listen(play, exclude(), SSM)
    assert record(play, SSM).filter == include(A)
    assert play.sent() == []


def test_rfc4604_version_2_speaks_of_sources() -> None:
    """ALLOW, BLOCK and IS_IN, as of any group (RFC 3810 6)."""
    play = listening(include(A), SSM)
    listen(play, include(A, B), SSM)
    ask(play, code=0)
    ask(play, SSM, code=0)
    ask(play, SSM, B, code=0)
    frames = play.sent()
    assert said(frames, SSM) == [
        of(ALLOW, B, group=SSM),
        of(IS_IN, A, B, group=SSM),
        of(IS_IN, A, B, group=SSM),
        of(IS_IN, B, group=SSM),
    ]
    quiet(play)
    stop_listening(play, SSM)
    assert said(play.sent(), SSM) == [of(BLOCK, A, B, group=SSM)]


def test_rfc4604_version_1_says_nothing() -> None:
    """RFC 4604: version 1 has no way to speak of it: no report, no Done, no answer; listening goes on all the same."""
    play = ready2(force_mld_version=1)
    play.join(GROUP)
    listen(play, include(A), SSM)
    assert state(play, SSM) == "silent"
    play.run(play.now + 20)
    query(play, delay=0)
    query(play, SSM, delay=0)
    ask(play, SSM, code=0)
    play.add_address("fe80::5", nodad=True)
    play.remove_address("fe80::6eff:fe00:1")
    stop_listening(play, SSM)
    play.run(play.now + 20)
    frames = play.sent()
    assert kinds(frames) != []
    assert kinds(frames, SSM) == []


def test_rfc4604_version_1_messages_are_ignored() -> None:
    """RFC 4604: neither does a version 1 query for such a group switch the mode, nor a report suppress."""
    play = listening(include(A), SSM)
    assert query(play, SSM, delay=0) is Discard.MLD_SOURCE_SPECIFIC
    assert play.interface.listener.version == 2
    ask(play, SSM, code=4000)
    assert heard(play, SSM) is Discard.MLD_SOURCE_SPECIFIC
    play.run(play.now + 10)
    assert said(play.sent(), SSM) == [of(IS_IN, A, group=SSM)]


def version_1_heard(play: Play) -> None:
    query(play, "ff05::1234", delay=0, destination="ff02::1")
    assert play.interface.listener.version == 1


def test_joined_in_version_1_reported_in_version_2() -> None:
    """The switch back (8.2.1) is the first time that it can be told: together with the others, as a change (6.1)."""
    play = ready2(mld_qrv=2)
    version_1_heard(play)
    start = play.now
    listen(play, include(A), SSM)
    listen(play, include(B), "ff3e::98")
    play.run(start + 259)
    assert play.sent() == []
    play.run(start + 270)
    first, second = [each for each in play.sent() if is_mld(each)]
    for sent in (first, second):
        assert said([sent], SSM, "ff3e::98") == [of(ALLOW, A, group=SSM), of(ALLOW, B, group="ff3e::98")]
    assert first.time == start + 260
    assert no_timer(play)


def test_joined_in_version_2_silent_in_version_1() -> None:
    """A version 1 querier comes: it falls silent, through everything that has the others reported."""
    play = listening(include(A), SSM)
    play.join(GROUP)
    quiet(play)
    version_1_heard(play)
    assert (state(play, SSM), state(play)) == ("silent", "idle")
    query(play, delay=0)
    play.remove_address("fe80::6eff:fe00:1")
    play.run(play.now + 5)
    play.add_address("fe80::5", nodad=True)
    play.run(play.now + 20)
    frames = play.sent()
    assert kinds(frames) == [REPORT, REPORT], "the answer, and RFC 3590 4"
    assert kinds(frames, SSM) == []
    play.run(play.now + 300)
    assert said(play.sent(), SSM) == [of(ALLOW, A, group=SSM)] * 2


@pytest.mark.parametrize("left_in", [1, 2])
def test_left_after_a_switch(left_in: int) -> None:
    """BLOCK in version 2, nothing in version 1."""
    play = listening(include(A), SSM)
    version_1_heard(play)
    if left_in == 2:
        play.run(play.now + 300)
        play.sent()
    stop_listening(play, SSM)
    play.run(play.now + 30)
    frames = play.sent()
    assert said(frames, SSM) == ([of(BLOCK, A, group=SSM)] * 2 if left_in == 2 else [])
    assert kinds(frames, SSM) == []


def test_forced_to_version_1_then_down_and_up() -> None:
    """A setting, then a restart: silent in both lives, and no harm done."""
    play = listening(include(A), SSM)
    play.host.settings.set_text("force_mld_version", "1")
    play.interface.listener.follow_version(play.now)
    play.interface.stop(play.now)
    play.run(play.now + 5)
    play.start(until=None)
    play.run(play.now + 30)
    assert state(play, SSM) == "silent"
    assert kinds(play.sent(), SSM) == []


def test_no_address_while_the_version_changes() -> None:
    """Owed in version 2, silent in version 1, told in version 2 once there is an address."""
    play = ready2(addr_gen_mode=1)
    listen(play, include(A), SSM)
    for version in (1, 2):
        play.host.settings.set_text("force_mld_version", str(version))
        play.interface.listener.follow_version(play.now)
        play.settle()
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 30)
    assert said(play.sent(), SSM) == [of(ALLOW, A, group=SSM)] * 2


@pytest.mark.parametrize("delay", [2.0, 400.0])
def test_delayed_join_over_a_switch(delay: float) -> None:
    """Pending, then version 1: nothing to wait for; told when version 2 is back."""
    play = ready2()
    play.interface.listener.join(ip(SSM), play.now, delay=delay, source_filter=include(A))
    version_1_heard(play)
    assert state(play, SSM) == "silent"
    play.run(play.now + 500)
    assert said(play.sent(), SSM) == [of(ALLOW, A, group=SSM)] * 2


def test_owed_in_version_2_and_an_address_in_version_1() -> None:
    """What was owed is not owed any more once nothing may be said of it; version 2 tells it when it is back."""
    play = ready2(addr_gen_mode=1)
    listen(play, include(A), SSM)
    play.host.settings.set_text("force_mld_version", "1")
    play.interface.listener.follow_version(play.now)
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 30)
    frames = play.sent()
    assert (kinds(frames, SSM), said(frames, SSM), state(play, SSM)) == ([], [], "silent")
    play.host.settings.set_text("force_mld_version", "2")
    play.interface.listener.follow_version(play.now)
    play.settle()
    assert said(play.sent(), SSM) == [of(ALLOW, A, group=SSM)]
