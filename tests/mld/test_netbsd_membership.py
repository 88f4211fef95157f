"""The `netbsd` personality, sections 4 to 6a of docs/seed.md: membership, reassignment, and a change at run time."""

import pytest

from stack.discard import Discard
from stack.errors import RefusedError
from tests.mld.common import (
    GLOBAL,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    OUR_SOLICITED_NODE,
    REPORT,
    heard,
    ip,
    joined,
    kinds,
    membership,
    no_timer,
    query,
    ready,
    record,
    state,
)
from tests.mld.netbsd import answers, change, joined_netbsd, netbsd, of_groups
from tests.mld.version2 import A, ask, exclude, listen
from tests.playbook import group_mac

# -- section 4


def test_S55_netbsd_no_address_no_join() -> None:
    """EADDRNOTAVAIL."""
    play = netbsd(addr_gen_mode=1)
    before = dict(play.interface.macs.counts)
    with pytest.raises(RefusedError, match="no address"):
        play.join(GROUP)
    assert ip(GROUP) not in play.interface.listener.groups
    assert dict(play.interface.macs.counts) == before


def test_S55_netbsd_nor_of_a_group_that_is_saved() -> None:
    """ "even if the same group is parked in the kludge"; the reference that is there stays."""
    play = joined_netbsd()
    play.remove_address(OUR_LINK_LOCAL)
    with pytest.raises(RefusedError, match="no address"):
        play.join(GROUP)
    assert record(play).refcount == 1
    play.add_address(OUR_LINK_LOCAL)
    play.join(GROUP)
    assert record(play).refcount == 2


def test_S61_netbsd_leaving_one_of_two_stops_the_repeat() -> None:
    """The timer is stopped before the count is looked at."""
    play = netbsd()
    token = play.join(GROUP)
    play.join(GROUP)
    play.leave(token)
    assert answers(play, 60) == [REPORT]
    assert state(play) == "idle"


def test_S61_netbsd_leaving_one_of_two_stops_the_answer() -> None:
    """Query (delay 5 s), leave 1 of 2 references: no answer."""
    play = joined_netbsd()
    token = play.join(GROUP)
    query(play, delay=5000)
    play.leave(token)
    assert answers(play, 60) == []


def test_S61_netbsd_leaving_one_of_two_mutes_a_delayed_join() -> None:
    """In REPORTPENDING the group is mute, for queries as well (S39), until a peer reports it (S48)."""
    play = netbsd()
    token = play.join(GROUP, delay=1.0)
    play.join(GROUP)
    play.leave(token)
    query(play, GROUP, delay=0)
    assert answers(play, 60) == []
    assert state(play) == "pending"
    heard(play)
    assert state(play) == "idle"
    query(play, GROUP, delay=0)
    assert kinds(play.sent()) == [REPORT]


# -- section 5 and what is missing


def test_S72_netbsd_restored_in_silence() -> None:
    """Park for 300 s, add an address again: nothing is reported, and the group answers queries."""
    play = joined_netbsd(GROUP, OTHER_GROUP)
    play.remove_address(OUR_LINK_LOCAL)
    play.run(play.now + 300)
    play.sent()
    play.add_address(OUR_LINK_LOCAL)
    play.run(play.now + 60)
    frames = play.sent()
    assert of_groups(frames, GROUP, OTHER_GROUP) == []
    assert of_groups(frames, OUR_SOLICITED_NODE) != [], "the address's own group is joined anew"
    query(play, GROUP, delay=0)
    assert kinds(play.sent()) == [REPORT]


def test_S71_netbsd_silent_while_saved_and_reported_in_its_own_mind() -> None:
    """Timers keep running, their reports vanish; the driver's filter stays."""
    play = netbsd()
    play.join(GROUP, delay=5.0)
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    play.run(play.now + 60)
    assert play.sent() == []
    assert (state(play), record(play).last_reporter) == ("idle", True)
    assert group_mac(ip(GROUP)) in play.interface.plan.exact


def test_S82_netbsd_left_while_saved() -> None:
    """K: the Done vanishes, and nothing is there to restore."""
    play = joined_netbsd()
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    play.leave(membership(play))
    play.add_address("fe80::1", nodad=True)
    assert answers(play) == []
    assert ip(GROUP) not in play.interface.listener.groups


def test_S83_netbsd_down_and_up_in_silence() -> None:
    """Down 30 s, up: nothing is reported again."""
    play = joined_netbsd(GROUP, OTHER_GROUP)
    play.interface.stop(play.now)
    play.run(play.now + 30)
    play.start(until=None)
    play.run(play.now + 60)
    assert of_groups(play.sent(), GROUP, OTHER_GROUP) == []
    query(play, GROUP, delay=0)
    assert kinds(play.sent()) == [REPORT]


def test_S83_netbsd_timers_run_on() -> None:
    """A repeat that falls behind the return is sent."""
    late = 0
    for seed in range(30):
        play = netbsd(seed)
        play.join(GROUP)
        play.interface.stop(play.now)
        play.sent()
        play.run(play.now + 1)
        play.start(until=None)
        late += len(answers(play, 60))
        assert no_timer(play)
    assert 15 < late <= 30


def test_S83_netbsd_another_mac() -> None:
    """Nor for another MAC or MTU."""
    play = joined_netbsd()
    play.interface.set_mtu(1280)
    play.interface.set_mac(bytes.fromhex("02006e0000aa"), play.now)
    assert answers(play, 60) == []


def test_S84_netbsd_what_the_link_refused_sets_no_flag() -> None:
    """F: counted, and no Done for it; unlike S05 and S19, where there is no address to say it from."""
    play = netbsd(tx_queue_len=1)
    play.interface.listener.join(ip("ff02::99"), play.now)
    before = play.host.counters.out_discards
    play.interface.listener.join(ip(GROUP), play.now)
    assert play.host.counters.out_discards == before + 1
    assert not record(play).last_reporter
    play.leave(membership(play))
    assert kinds(play.sent()) == []


# -- what the control socket brings about


def test_joined_while_down_and_an_address_that_comes_meanwhile() -> None:
    """Joining while the interface is down is possible before there is any address; it is reported once it is up."""
    play = netbsd(addr_gen_mode=1)
    play.interface.stop(play.now)
    play.join(GROUP)
    play.add_address("fe80::1", nodad=True)
    play.add_address(GLOBAL, nodad=True)
    play.run(play.now + 20)
    assert play.sent() == []
    play.start(until=None)
    assert answers(play, 60) == [REPORT, REPORT]


def test_S80_netbsd_is_told_apart_by_name_only() -> None:
    """The two sysctls list what the list is, whichever personality it has (tests/control)."""
    play = joined_netbsd()
    assert {each.interface_address for each in play.interface.listener.groups.records.values()} == {ip(OUR_LINK_LOCAL)}
    assert play.interface.listener.groups.saved() == []
    play.remove_address(OUR_LINK_LOCAL)
    assert [each.group for each in play.interface.listener.groups.saved()] == [ip(GROUP)]


def test_personality_changed_at_run_time_acts_at_once() -> None:
    """From `standard` in version 2: everything pending is cancelled, as at any switch of versions."""
    play = joined(force_mld_version=0)
    play.join(OTHER_GROUP)
    ask(play, code=4000)
    play.sent()
    change(play, "netbsd", version=0)
    play.run(play.now + 30)
    assert play.sent() == []
    query(play, GROUP, delay=0, hop_limit=64)
    assert kinds(play.sent()) == [REPORT]
    change(play, "standard", version=0)
    assert query(play, GROUP, delay=0, hop_limit=64) is Discard.MLD_HOP_LIMIT


@pytest.mark.parametrize("version", [0, 1])
def test_a_group_that_was_muted_speaks_when_the_personality_is_changed(version: int) -> None:
    """S61's mute group is reported by `standard`, which would otherwise wait for a timer that is not there."""
    play = netbsd()
    token = play.join(GROUP, delay=1.0)
    play.join(GROUP)
    play.leave(token)
    play.run(play.now + 30)
    play.sent()
    change(play, "standard", version)
    play.run(play.now + 30)
    frames = play.sent()
    if version == 1:
        assert kinds(frames) == [REPORT, REPORT]
    else:
        assert len([each for each in frames if each.kind == 143]) == 2
    assert state(play) == "idle"


def test_personality_changed_while_reports_are_owed() -> None:
    """No address: what `standard` owes is reported by `netbsd` once there is one."""
    play = ready(addr_gen_mode=1)
    play.join(GROUP)
    listen(play, exclude(A), OTHER_GROUP)
    change(play, "netbsd")
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 60)
    frames = play.sent()
    assert kinds(frames) == kinds(frames, OTHER_GROUP) == [REPORT, REPORT]
