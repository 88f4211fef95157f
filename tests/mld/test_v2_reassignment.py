"""SEED section 5 in version 2: groups, filters and what is pending when an interface's addresses change."""

import pytest

from tests.mld.common import (
    GLOBAL,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    OUR_SOLICITED_NODE,
    SOLICITATION,
    V2_REPORT,
    Play,
    ip,
    is_mld,
    joined,
    membership,
    no_timer,
    ready,
    record,
    text,
)
from tests.mld.version2 import (
    A,
    B,
    C,
    ask,
    exclude,
    include,
    joined2,
    listen,
    many,
    of,
    quiet,
    ready2,
    said,
    stop_listening,
    told,
)
from tests.playbook import ALLOW, BLOCK, IS_EX, TO_EX, TO_IN, Sent, group_mac, records

SAME_SUFFIX = "2001:db8::6eff:fe00:1"
GROUPS = (GROUP, OTHER_GROUP, "ff05::7")


def mixed(**settings: int | str) -> Play:
    """In three groups, one of them with sources to include and one with sources to exclude; nothing pending."""
    play = ready2(**settings)
    play.join(GROUP)
    listen(play, include(A, B), OTHER_GROUP)
    listen(play, exclude(C), "ff05::7")
    quiet(play)
    return play


ANEW = [of(TO_EX), of(ALLOW, A, B, group=OTHER_GROUP), of(TO_EX, C, group="ff05::7")]
FILTERS = {GROUP: exclude(), OTHER_GROUP: include(A, B), "ff05::7": exclude(C)}


def hangs_on(play: Play, group: str = GROUP) -> str | None:
    address = record(play, group).interface_address
    return None if address is None else text(address)


def unchanged(play: Play) -> bool:
    """Whether filters and references are those of `mixed`."""
    return all(
        (record(play, group).filter, record(play, group).refcount) == (each, 1) for group, each in FILTERS.items()
    )


def parked(**settings: int | str) -> Play:
    """The same after the last address went, 20 s ago."""
    play = mixed(**settings)
    play.remove_address(OUR_LINK_LOCAL)
    quiet(play, 20.0)
    return play


@pytest.mark.parametrize("address", [OUR_LINK_LOCAL, GLOBAL])
def test_S67_memberships_and_filters_outlive_any_address(address: str) -> None:
    """Remove and add again any address: nothing is lost, and the sockets can still change and leave."""
    play = mixed()
    play.add_address(GLOBAL)
    play.remove_address(address)
    play.run(play.now + 5)
    play.add_address(address)
    quiet(play)
    assert unchanged(play)
    listen(play, include(A), OTHER_GROUP)
    assert said(play.sent(), OTHER_GROUP) == [of(BLOCK, B, group=OTHER_GROUP)]


def test_S68_its_own_group_is_left() -> None:
    """TO_IN of the solicited-node group, from an address that remains."""
    play = joined2()
    play.add_address(GLOBAL)
    quiet(play)
    play.remove_address(GLOBAL)
    (sent,) = play.sent()
    group = "ff02::1:ff05:6"
    assert (sent.source, records(sent)) == (OUR_LINK_LOCAL, [of(TO_IN, group=group)])
    play.run(play.now + 30)
    assert said(play.sent(), group) == [of(TO_IN, group=group)]


@pytest.mark.parametrize("first", [OUR_LINK_LOCAL, SAME_SUFFIX])
def test_S68_a_shared_solicited_node_group_stays(first: str) -> None:
    """Equal low 24 bits: nothing when one goes, one leave when the other does."""
    play = joined2()
    play.add_address(SAME_SUFFIX, nodad=True)
    quiet(play)
    play.remove_address(first)
    assert said(play.sent(), OUR_SOLICITED_NODE) == []
    play.remove_address(SAME_SUFFIX if first == OUR_LINK_LOCAL else OUR_LINK_LOCAL)
    assert said(play.sent(), OUR_SOLICITED_NODE) == [of(TO_IN, group=OUR_SOLICITED_NODE)]


def test_S69_moved_in_silence_with_what_is_pending() -> None:
    """0 frames, 0 filter operations; answers and retransmissions come in their time, from what is the source then."""
    play = mixed()
    play.add_address("fe80::6eff:ff00:1", nodad=True)
    quiet(play)
    start = play.now
    listen(play, include(A, C), OTHER_GROUP)
    ask(play, GROUP, code=10_000)
    play.sent()
    play.plans.clear()
    play.remove_address(OUR_LINK_LOCAL)
    assert (play.sent(), play.plans) == ([], [])
    assert {hangs_on(play, group) for group in GROUPS} == {"fe80::6eff:ff00:1"}
    play.run(start + 30)
    frames = play.sent()
    assert {each.source for each in frames} == {"fe80::6eff:ff00:1"}
    assert said(frames, OTHER_GROUP) == [of(ALLOW, C, group=OTHER_GROUP), of(BLOCK, B, group=OTHER_GROUP)]
    assert said(frames) == [of(IS_EX)]


def test_S69_only_a_global_address_remains() -> None:
    """5.2.13: then "::" is the source of what is said."""
    play = mixed()
    play.add_address(SAME_SUFFIX, nodad=True)
    quiet(play)
    play.remove_address(OUR_LINK_LOCAL)
    assert play.sent() == []
    ask(play, code=0)
    assert {each.source for each in play.sent()} == {"::"}
    play.add_address("fe80::5", nodad=True)
    frames = play.sent()
    assert said(frames, *GROUPS) == ANEW, "and anew from the next link-local address that is valid"
    assert {each.source for each in frames} == {"fe80::5"}


def test_S70_last_address_saves_in_silence() -> None:
    """No report; counts, filters and handles intact; the driver's filter stays."""
    play = mixed()
    play.plans.clear()
    play.remove_address(OUR_LINK_LOCAL)
    assert said(play.sent(), *GROUPS) == []
    assert [text(each.group) for each in play.interface.listener.groups.saved()] == list(GROUPS)
    assert unchanged(play)
    for group in GROUPS:
        assert group_mac(ip(group)) in play.interface.plan.exact
    # The solicited-node group is the address's own; the MAC of ff02::1 stays with the interface (RFC 4861 7.2.1).
    assert len(play.plans) == 1


def test_S71_silent_while_saved() -> None:
    """Queries unanswered, changes unsaid, and nothing waits for a time that is over."""
    play = mixed()
    listen(play, include(A), OTHER_GROUP)
    ask(play, code=10_000)
    ask(play, GROUP, A, code=10_000)
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    for _ in range(3):
        ask(play, GROUP, code=0)
        listen(play, exclude(A), "ff05::7")
        listen(play, exclude(C), "ff05::7")
        play.run(play.now + 20)
    assert play.sent() == []
    assert no_timer(play)


def test_S72_reported_anew_once_the_link_local_address_is_valid() -> None:
    """RFC 3590 4, 5.2.13: restored in silence, then each group as a change from no state, all in one report."""
    play = parked()
    play.add_address(OUR_LINK_LOCAL)
    play.run(play.now + 60)
    frames = play.sent()
    (probe,) = [each for each in frames if each.kind == SOLICITATION]
    reports = [each for each in frames if each.kind == V2_REPORT and said([each], *GROUPS)]
    assert reports[0].time == probe.time + 1.0
    assert len(reports) == 2
    for each in reports:
        assert (each.source, said([each], *GROUPS)) == (OUR_LINK_LOCAL, ANEW)
    assert unchanged(play)


def test_S72_another_kind_of_address() -> None:
    """No link-local address is on its way: from "::" at once, and anew from the next that is valid."""
    play = parked(mld_qrv=1)
    play.add_address(GLOBAL, nodad=True)
    frames = [each for each in play.sent() if said([each], *GROUPS)]
    assert [(each.source, said([each], *GROUPS)) for each in frames] == [("::", ANEW)]
    quiet(play)
    play.add_address("fe80::5", nodad=True)
    frames = [each for each in play.sent() if said([each], *GROUPS)]
    assert [(each.source, said([each], *GROUPS)) for each in frames] == [("fe80::5", ANEW)]


def test_S72_what_changed_while_saved_is_told_as_it_is_then() -> None:
    """No history: the state at the return."""
    play = parked(mld_qrv=1)
    listen(play, exclude(B), OTHER_GROUP)
    stop_listening(play, "ff05::7")
    play.join("ff05::8")
    assert play.sent() == []
    play.add_address("fe80::5", nodad=True)
    play.run(play.now + 10)
    found = said(play.sent(), *GROUPS, "ff05::8")
    assert sorted(found) == sorted([of(TO_EX), of(TO_EX, B, group=OTHER_GROUP), of(TO_EX, group="ff05::8")])


def test_S72_a_repeat_that_fell_into_the_silence() -> None:
    """6.1: a change whose retransmission had no address is reported anew, [Robustness Variable] times."""
    play = ready2(mld_qrv=3)
    play.join(GROUP)
    assert len(said(play.sent())) == 1
    play.remove_address(OUR_LINK_LOCAL)
    quiet(play)
    play.add_address("fe80::5", nodad=True)
    play.run(play.now + 30)
    assert said(play.sent()) == [of(TO_EX)] * 3


def test_S73_each_group_is_there_once() -> None:
    """The address finds its groups among those that were saved, and adds a reference."""
    play = joined2(GROUP, OUR_SOLICITED_NODE)
    play.remove_address(OUR_LINK_LOCAL)
    quiet(play, 20)
    play.add_address(OUR_LINK_LOCAL, nodad=True)
    assert record(play, OUR_SOLICITED_NODE).refcount == 2
    play.run(play.now + 30)
    frames = play.sent()
    assert said(frames, OUR_SOLICITED_NODE) == [of(TO_EX, group=OUR_SOLICITED_NODE)] * 2
    assert said(frames) == [of(TO_EX)] * 2


def test_S82_left_while_saved() -> None:
    """Forgotten in silence: no leave from "::", the MAC is out of the filter, nothing comes back."""
    play = parked()
    stop_listening(play, OTHER_GROUP)
    assert play.sent() == []
    assert group_mac(ip(OTHER_GROUP)) not in play.interface.plan.exact
    play.add_address("fe80::5", nodad=True)
    play.run(play.now + 30)
    assert said(play.sent(), OTHER_GROUP) == []


def test_S83_down_and_up_reports_every_group() -> None:
    """Down 30 s, up: from "::" at once, from the address when it is valid; [Robustness Variable] times each."""
    play = mixed(mld_qrv=1)
    listen(play, include(B), OTHER_GROUP)
    listen(play, include(A, B), OTHER_GROUP)
    play.sent()
    play.interface.stop(play.now)
    assert no_timer(play)
    play.run(play.now + 30)
    assert play.sent() == []
    start = play.now
    play.start(until=None)
    play.run(start + 60)
    frames = [each for each in play.sent() if is_mld(each) and said([each], *GROUPS)]
    assert [(each.source, said([each], *GROUPS)) for each in frames] == [("::", ANEW), (OUR_LINK_LOCAL, ANEW)]
    assert frames[0].time == start


def test_S83_joined_left_and_changed_while_down() -> None:
    """The state at the return, once."""
    play = mixed(mld_qrv=1)
    play.interface.stop(play.now)
    play.join("ff05::8")
    stop_listening(play, OTHER_GROUP)
    listen(play, include(B), "ff05::7")
    play.run(play.now + 5)
    assert play.sent() == []
    start = play.now
    play.start(until=None)
    found = [each for time, each in told(play.sent(), *GROUPS, "ff05::8") if time == start]
    assert found == [of(TO_EX), of(ALLOW, B, group="ff05::7"), of(TO_EX, group="ff05::8")]


def test_S83_duplicate_address_stops_everything() -> None:
    """RFC 4862 5.4.5: disabled, nothing more is said, whatever was pending; after a restart it is told."""
    play = Play(force_mld_version=0).start(until=None)
    play.join(GROUP)
    ask(play, code=5000)
    play.sent()
    play.interface.disable(play.now)
    listen(play, include(A), OTHER_GROUP)
    assert no_timer(play)
    assert play.sent() == []
    play.start(until=None)
    assert said(play.sent(), GROUP, OTHER_GROUP) == [of(TO_EX), of(ALLOW, A, group=OTHER_GROUP)]


@pytest.mark.parametrize("version", [1, 2])
def test_the_driver_hears_of_no_reassignment(version: int) -> None:
    """The plan changes exactly once for each MAC that comes or goes, never on a reassignment or a filter's change."""
    play = ready(force_mld_version=version, addr_gen_mode=1)
    play.add_address("fe80::6eff:fe00:1", nodad=True)
    play.add_address(SAME_SUFFIX, nodad=True)
    quiet(play)
    listen(play, include(A))
    listen(play, exclude(A))
    assert len(play.plans) == 1
    play.plans.clear()
    play.remove_address("fe80::6eff:fe00:1")
    play.add_address("fe80::6eff:fe00:1", nodad=True)
    play.remove_address(SAME_SUFFIX)
    ask(play, code=0)
    assert play.plans == []
    stop_listening(play)
    assert len(play.plans) == 1


def test_many_groups_come_back_in_few_reports() -> None:
    """2,000 saved groups: 28 packets of 72, and as many repeats, not 4,000."""
    play = joined2(*many(2000))
    play.remove_address(OUR_LINK_LOCAL)
    quiet(play)
    play.add_address("fe80::5", nodad=True)
    play.run(play.now + 30)
    frames: list[Sent] = [each for each in play.sent() if each.kind == V2_REPORT and said([each], *many(2000))]
    assert len(frames) == 2 * 28
    assert all(len(said(frames, group)) == 2 for group in many(2000)[::500])


def test_queue_full_while_reported_anew() -> None:
    """What the link refused is counted and not taken for announced; the repeats and the next query say it."""
    play = joined2(*many(500), tx_queue_len=3)
    before = play.host.counters.out_discards
    play.interface.stop(play.now)
    play.interface.start(play.now)
    assert play.host.counters.out_discards > before
    assert not all(record(play, group).announced for group in many(500))
    play.settle()
    play.run(play.now + 60)
    play.sent()
    play.host.settings.set_text("tx_queue_len", "100")
    ask(play, code=0)
    assert {group for each in play.sent() for _, group, _ in records(each)} >= set(many(500))


def test_S37_an_answer_whose_interface_has_lost_its_address() -> None:
    """Asked while there was one, due when there is none: silence."""
    play = joined(force_mld_version=2)
    ask(play, code=2000)
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    play.run(play.now + 30)
    assert play.sent() == []
    assert play.host.counters.out_discards == 0, "and no loss either"
    play.leave(membership(play))
    assert no_timer(play)
