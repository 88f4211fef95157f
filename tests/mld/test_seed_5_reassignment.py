"""SEED section 5: records hang on an interface address; what happens when that changes, or the link does.

The default's side. S74, the slot that is made at attach, is an artefact: there is none.
"""

import pytest

from stack.events import GroupChanged
from tests.mld.common import (
    DONE,
    GLOBAL,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    OUR_SOLICITED_NODE,
    REPORT,
    SOLICITATION,
    Play,
    about,
    heard,
    ip,
    is_mld,
    joined,
    kinds,
    membership,
    no_timer,
    query,
    ready,
    record,
    state,
    text,
    without_address,
)
from tests.playbook import advertisement, group_mac

GROUPS = ("ff05::1", "ff05::2", "ff05::3")
# The last 24 bits of our link-local address.
SAME_SUFFIX = "2001:db8::6eff:fe00:1"
GLOBAL_SOLICITED_NODE = "ff02::1:ff05:6"


def hangs_on(play: Play, group: str = GROUP) -> str | None:
    address = record(play, group).interface_address
    return text(address) if address is not None else None


def saved(play: Play) -> list[str]:
    return [text(each.group) for each in play.interface.listener.groups.saved()]


def of_groups(play: Play, *groups: str) -> list[int]:
    """The types of what was sent about these groups."""
    return [each.kind for each in play.sent() if is_mld(each) and each.target in groups]


def test_a_record_hangs_on_the_first_address() -> None:
    # "A new record hangs on the interface's first address in order of configuration (a tentative one counts),
    # also when another address caused the join."
    play = Play().start(until=None)
    play.join(GROUP)
    assert hangs_on(play) == OUR_LINK_LOCAL
    play.run(20)
    play.add_address(GLOBAL)
    assert hangs_on(play, GLOBAL_SOLICITED_NODE) == OUR_LINK_LOCAL


def test_each_address_holds_two_references() -> None:
    play = ready()
    play.add_address(GLOBAL)
    play.add_address(SAME_SUFFIX)
    assert record(play, "ff02::1").refcount == 3
    assert record(play, OUR_SOLICITED_NODE).refcount == 2
    assert record(play, GLOBAL_SOLICITED_NODE).refcount == 1


@pytest.mark.parametrize("address", [OUR_LINK_LOCAL, GLOBAL])
def test_S67_memberships_outlive_any_address(address: str) -> None:
    play = ready()
    play.add_address(GLOBAL)
    tokens = [play.join(GROUP, owner=owner) for owner in ("user", "socket 1")]
    play.remove_address(address)
    play.run(play.now + 5)
    play.add_address(address)
    play.run(play.now + 30)
    assert all(token.active for token in tokens)
    assert record(play).refcount == 2
    for token in tokens:
        play.leave(token)
    assert ip(GROUP) not in play.interface.listener.groups


def test_S68_done_for_the_solicited_node_group() -> None:
    play = joined()
    play.add_address(GLOBAL)
    play.run(play.now + 20)
    play.sent()
    play.remove_address(GLOBAL)
    (sent,) = play.sent()
    assert (sent.kind, sent.target, sent.source) == (DONE, GLOBAL_SOLICITED_NODE, OUR_LINK_LOCAL)
    assert ip(GLOBAL_SOLICITED_NODE) not in play.interface.listener.groups


@pytest.mark.parametrize("first", [OUR_LINK_LOCAL, SAME_SUFFIX])
def test_S68_a_shared_solicited_node_group_stays(first: str) -> None:
    play = joined()
    play.add_address(SAME_SUFFIX, nodad=True)
    play.run(play.now + 20)
    play.sent()
    play.remove_address(first)
    assert kinds(play.sent(), OUR_SOLICITED_NODE) == []
    play.remove_address(SAME_SUFFIX if first == OUR_LINK_LOCAL else OUR_LINK_LOCAL)
    assert kinds(play.sent(), OUR_SOLICITED_NODE) == [DONE]


def test_S68_its_own_groups_are_left_before_the_rest_is_moved() -> None:
    play = joined()
    play.add_address(GLOBAL, nodad=True)
    play.run(play.now + 20)
    play.sent()
    seen: list[tuple[str, str | None]] = []

    def note(event: object) -> None:
        if isinstance(event, GroupChanged):
            seen.append((text(event.group), hangs_on(play)))

    play.host.listeners.append(note)
    play.remove_address(OUR_LINK_LOCAL)
    assert seen == [(OUR_SOLICITED_NODE, OUR_LINK_LOCAL)]
    assert hangs_on(play) == GLOBAL
    assert [each.source for each in play.sent()] == [OUR_LINK_LOCAL], "said while the address was still there"


@pytest.mark.parametrize("timers", [False, True])
def test_S69_moved_in_silence(timers: bool) -> None:
    # The addresses share their solicited-node group, so that nothing else is said or filtered either.
    play = joined(*GROUPS)
    play.add_address(SAME_SUFFIX, nodad=True)
    play.run(play.now + 20)
    play.sent()
    if timers:
        query(play, delay=10_000)
    play.plans.clear()
    before = {group: (each.timer, each.refcount) for group, each in play.interface.listener.groups.records.items()}
    play.remove_address(OUR_LINK_LOCAL)
    assert (play.sent(), play.plans) == ([], [])
    for group in GROUPS:
        each = record(play, group)
        assert hangs_on(play, group) == SAME_SUFFIX
        assert (each.timer, each.refcount) == before[ip(group)]
        assert each.last_reporter
    play.run(play.now + 30)
    assert of_groups(play, *GROUPS) == ([REPORT] * 3 if timers else [])


def test_S69_nothing_moves_when_another_address_goes() -> None:
    play = joined(*GROUPS)
    play.add_address(GLOBAL, nodad=True)
    play.run(play.now + 20)
    play.sent()
    play.remove_address(GLOBAL)
    assert of_groups(play, *GROUPS) == []
    assert {hangs_on(play, group) for group in GROUPS} == {OUR_LINK_LOCAL}


def test_S69_moved_to_the_first_that_remains() -> None:
    play = joined()
    for address in ("2001:db8::1", "2001:db8::2", "fe80::2"):
        play.add_address(address, nodad=True)
    play.remove_address(OUR_LINK_LOCAL)
    assert hangs_on(play) == "2001:db8::1"
    play.remove_address("2001:db8::1")
    assert hangs_on(play) == "2001:db8::2"


def parked(*groups: str) -> Play:
    """A host that was in groups when its last address went; that is 20 s ago."""
    play = joined(*(groups or (GROUP,)))
    play.remove_address(OUR_LINK_LOCAL)
    play.run(play.now + 20)
    play.sent()
    play.plans.clear()
    return play


def test_S70_last_address_saves_in_silence() -> None:
    play = joined(*GROUPS)
    play.remove_address(OUR_LINK_LOCAL)
    assert of_groups(play, *GROUPS) == []
    assert saved(play) == list(GROUPS)
    assert [hangs_on(play, group) for group in GROUPS] == [None] * 3
    assert [record(play, group).refcount for group in GROUPS] == [1] * 3


def test_S71_silent_while_saved() -> None:
    play = joined(*GROUPS)
    query(play, delay=10_000)
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    for group in GROUPS:
        assert group_mac(ip(group)) in play.interface.plan.exact, "the filter stays programmed"
    for _ in range(3):
        query(play, GROUPS[0], delay=0)
        query(play, delay=1000, destination=GROUPS[0])
        play.run(play.now + 100)
    assert play.sent() == []
    assert no_timer(play)


@pytest.mark.parametrize("why", ["repeat", "answer", "delayed join"])
def test_S71_timers_run_out_unheard(why: str) -> None:
    play = ready()
    play.join(GROUP, delay=5.0 if why == "delayed join" else 0.0)
    if why == "answer":
        query(play, delay=8000)
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    assert record(play).timer is not None, "untouched"
    dropped = play.host.counters.out_discards
    play.run(play.now + 60)
    assert play.sent() == []
    assert play.host.counters.out_discards == dropped, "silence is no loss"
    assert (state(play), record(play).timer) == ("idle", None)


def test_S72_reported_again_once_the_link_local_address_is_valid() -> None:
    play = parked(*GROUPS)
    play.run(play.now + 300)
    play.add_address(OUR_LINK_LOCAL)
    play.run(play.now + 60)
    frames = play.sent()
    (probe,) = [each for each in frames if each.kind == SOLICITATION]
    for group in GROUPS:
        assert about(frames, group) == [(probe.time + 1.0, REPORT, OUR_LINK_LOCAL)], "restored in silence"
    assert play.plans == [] or all(group_mac(ip(group)) in plan.exact for plan in play.plans for group in GROUPS)


def test_S72_reported_again_at_once_if_it_is_valid_at_once() -> None:
    play = parked(*GROUPS)
    play.add_address("fe80::1", nodad=True)
    assert [each.target for each in play.sent() if each.target in GROUPS] == list(GROUPS)


def test_S72_another_kind_of_address() -> None:
    # No link-local address is on its way, so it is :: at once (RFC 3590 4, as in S05), and again when one is valid.
    play = parked(*GROUPS)
    play.add_address(GLOBAL)
    assert [(each.target, each.source) for each in play.sent() if each.target in GROUPS] == [
        (group, "::") for group in GROUPS
    ]
    play.run(play.now + 60)
    assert of_groups(play, *GROUPS) == []
    play.add_address("fe80::1", nodad=True)
    assert of_groups(play, *GROUPS) == [REPORT] * 3


def test_S72_first_report_that_fell_into_the_silence() -> None:
    play = ready()
    play.join(GROUP, delay=5.0)
    play.remove_address(OUR_LINK_LOCAL)
    play.run(play.now + 60)
    play.sent()
    play.add_address("fe80::1", nodad=True)
    start = play.now
    play.run(start + 60)
    times = [each for each, _, _ in about(play.sent())]
    assert len(times) == 2, "the start sequence, not one report alone"
    assert times[0] == start


def test_S72_never_reported_groups_stay_so() -> None:
    play = parked("ff02::1", "ff01::5")
    play.add_address(GLOBAL)
    play.run(play.now + 60)
    assert of_groups(play, "ff02::1", "ff01::5") == []


def test_S73_each_group_is_there_once() -> None:
    play = joined(GROUP, OUR_SOLICITED_NODE)
    play.remove_address(OUR_LINK_LOCAL)
    play.run(play.now + 20)
    play.sent()
    play.plans.clear()
    # The user's own reference on the solicited-node group is there already when the address makes its own.
    play.add_address(OUR_LINK_LOCAL, nodad=True)
    assert record(play, OUR_SOLICITED_NODE).refcount == 2
    groups = [text(group) for group in play.interface.listener.groups.records]
    assert groups.count(OUR_SOLICITED_NODE) == 1
    assert {hangs_on(play, group) for group in groups} == {OUR_LINK_LOCAL}
    assert play.interface.macs.counts[group_mac(ip(OUR_SOLICITED_NODE))] == 1
    play.run(play.now + 60)
    assert of_groups(play, OUR_SOLICITED_NODE, GROUP) == [REPORT, REPORT]


def test_S73_restored_also_while_the_interface_is_down() -> None:
    play = parked()
    play.interface.stop(play.now)
    play.add_address(GLOBAL)
    assert hangs_on(play) == GLOBAL
    assert play.sent() == []


def test_S75_purge_ends_every_membership() -> None:
    play = joined()
    tokens = [membership(play), play.join(GROUP, owner="socket 1")]
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    play.interface.listener.leave_all(play.now)
    assert len(play.interface.listener.groups) == 0
    assert dict(play.interface.macs.counts) == {group_mac(ip("ff02::1")): 1}, "RFC 4861 7.2.1: the interface's own"
    assert play.sent() == [], "no address, no Done"
    for token in tokens:
        play.leave(token)
        assert not token.active
    assert no_timer(play)


def test_S82_left_while_saved() -> None:
    play = parked(GROUP, OTHER_GROUP)
    play.leave(membership(play))
    assert play.sent() == []
    assert group_mac(ip(GROUP)) not in play.interface.plan.exact
    play.add_address("fe80::1")
    play.run(play.now + 60)
    frames = play.sent()
    assert kinds(frames, GROUP) == []
    assert kinds(frames, OTHER_GROUP) == [REPORT]


def test_S83_down_and_up_reports_every_group() -> None:
    play = joined(*GROUPS)
    play.interface.stop(play.now)
    play.run(play.now + 30)
    assert play.sent() == []
    start = play.now
    play.start(until=None)
    play.run(start + 60)
    frames = play.sent()
    (probe,) = [each for each in frames if each.kind == SOLICITATION]
    for group in GROUPS:
        messages = about(frames, group)
        assert len(messages) == 3, "the start sequence, and once more when the address is valid"
        assert messages[0] == (start, REPORT, "::")
        assert (probe.time + 1.0, REPORT, OUR_LINK_LOCAL) in messages


def test_S83_no_leaves_and_no_flag_over_a_downed_link() -> None:
    play = joined(mldv1_done_always=1)
    dropped = play.host.counters.out_discards
    play.interface.stop(play.now)
    each = record(play)
    assert not (each.last_reporter or each.reported or each.announced)
    play.leave(membership(play))
    assert play.sent() == []
    assert play.host.counters.out_discards == dropped


def test_S83_address_of_the_user_is_to_be_announced_anew() -> None:
    play = without_address()
    play.add_address("fe80::1", nodad=True)
    play.join(GROUP)
    assert record(play).announced
    play.interface.stop(play.now)
    assert not record(play).announced


def test_S83_pending_and_heard_groups_too() -> None:
    play = joined()
    query(play, GROUP, delay=10_000)
    heard(play)
    play.join(OTHER_GROUP, delay=100.0)
    play.interface.restart(play.now)
    play.settle()
    frames = play.sent()
    assert kinds(frames, GROUP) == [REPORT]
    assert kinds(frames, OTHER_GROUP) == [REPORT]


def test_S83_joined_while_down() -> None:
    play = ready()
    play.interface.stop(play.now)
    play.join(GROUP)
    play.run(play.now + 30)
    assert play.sent() == []
    play.start(until=None)
    assert kinds(play.sent()) == [REPORT]


def test_S83_another_mac() -> None:
    play = joined()
    play.interface.set_mac(bytes.fromhex("02006e0000aa"), play.now)
    play.settle()
    (sent,) = [each for each in play.sent() if each.target == GROUP]
    assert sent.kind == REPORT
    assert sent.frame[6:12] == bytes.fromhex("02006e0000aa")


def test_S83_started_twice_is_started_over() -> None:
    play = joined()
    references = {group: each.refcount for group, each in play.interface.listener.groups.records.items()}
    play.start(until=None)
    play.run(play.now + 30)
    assert {group: each.refcount for group, each in play.interface.listener.groups.records.items()} == references
    assert len(kinds(play.sent())) == 3


def test_disabled_interface_is_silent() -> None:
    # RFC 4862 5.4.5: the address made from the MAC is a duplicate.
    play = Play().start(until=None)
    play.join(GROUP)
    play.sent()
    play.receive(advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"))
    assert play.interface.disabled
    play.join(OTHER_GROUP)
    dropped = play.host.counters.out_discards
    assert no_timer(play)
    play.run(play.now + 60)
    assert play.sent() == []
    assert play.host.counters.out_discards == dropped
    play.start(until=None)
    frames = play.sent()
    assert kinds(frames, GROUP) == kinds(frames, OTHER_GROUP) == [REPORT]


def test_expired_while_down_hangs_elsewhere() -> None:
    play = without_address()
    play.add_address(GLOBAL, valid_lifetime=10.0)
    play.add_address("2001:db8::7", nodad=True)
    play.join(GROUP)
    assert hangs_on(play) == GLOBAL
    play.interface.stop(play.now)
    play.run(play.now + 60)
    play.start(until=None)
    assert hangs_on(play) == "2001:db8::7"
