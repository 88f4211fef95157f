"""SEED section 4: references, the driver's filter, and the order of things (RFC 2710 4, RFC 3493 5.2, RFC 2464 7).

S56, the file's insertion at the head of the list, is an artefact; which address a
record hangs on is tested in section 5.
"""

import pytest

from stack.discard import Discard, Verdict
from stack.errors import RefusedError, UsageError
from stack.events import FilterChanged, GroupChanged
from stack.journal import Record
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
    TwoLinks,
    about,
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
    without_address,
)
from tests.playbook import echo_request, group_mac

ALL_NODES_MAC = bytes.fromhex("333300000001")

# Both are carried by 33:33:ff:00:00:77.
SHARED = ("ff02::1:ff00:77", "ff05::1:ff00:77")


def macs(play: Play) -> dict[bytes, int]:
    return dict(play.interface.macs.counts)


def members(play: Play) -> dict[bytes, int]:
    """Groups and their reference counts."""
    return {group: each.refcount for group, each in play.interface.listener.groups.records.items()}


def test_S52_second_join_adds_a_reference_and_nothing_else() -> None:
    play = ready()
    start = play.now
    play.join(GROUP)
    play.plans.clear()
    play.join(GROUP)
    assert record(play).refcount == 2
    assert play.plans == []
    play.run(start + 60)
    assert kinds(play.sent()) == [REPORT, REPORT]


def test_S52_second_join_does_not_hasten_a_pending_report() -> None:
    play = ready()
    start = play.now
    play.join(GROUP, delay=5.0)
    play.join(GROUP)
    play.run(start + 60)
    times = [each - start for each, _, _ in about(play.sent())]
    assert times[0] == pytest.approx(5.0)
    assert len(times) == 2


def test_S52_second_join_does_not_delay() -> None:
    play = ready()
    play.join(GROUP)
    play.join(GROUP, delay=5.0)
    assert kinds(play.sent()) == [REPORT]
    assert state(play) == "delaying"


@pytest.mark.parametrize("address", ["fe80::1", "2001:db8::1", "::", "::1"])
def test_S53_only_groups_can_be_joined(address: str) -> None:
    play = ready()
    before = members(play), macs(play)
    with pytest.raises(UsageError, match="multicast"):
        play.join(address)
    assert (members(play), macs(play), play.sent()) == (*before, [])


def test_S54_limit_of_groups_has_no_side_effect() -> None:
    play = ready(mld_max_groups=4)  # ff02::1 and the solicited-node group are two
    play.join("ff05::1")
    play.join("ff05::2")
    play.sent()
    before = members(play), macs(play)
    with pytest.raises(RefusedError, match="mld_max_groups"):
        play.join("ff05::3")
    assert (members(play), macs(play), play.sent()) == (*before, [])
    assert play.host.counters.limits["mld_max_groups"] == 1
    play.join("ff05::2")
    assert record(play, "ff05::2").refcount == 2, "a group that is there can be joined again"
    play.leave(membership(play, "ff05::1"))
    play.join("ff05::3")


def test_S54_limit_of_memberships_has_no_side_effect() -> None:
    play = ready(mld_max_memberships=4)
    play.join(GROUP)
    token = play.join(GROUP)
    play.sent()
    before = members(play), macs(play)
    for group in (GROUP, OTHER_GROUP):
        with pytest.raises(RefusedError, match="mld_max_memberships"):
            play.join(group)
    assert (members(play), macs(play), play.sent()) == (*before, [])
    assert play.host.counters.limits["mld_max_memberships"] == 2
    play.leave(token)
    play.join(GROUP)


@pytest.mark.parametrize("delay", [0.0, 0.7])
def test_S55_join_without_address_is_accepted(delay: float) -> None:
    play = without_address()
    play.join(GROUP, delay=delay)
    assert group_mac(ip(GROUP)) in macs(play), "listened to at once"
    play.run(play.now + 30)
    assert play.sent() == []
    start = play.now
    play.add_address("fe80::1")
    play.run(start + 60)
    frames = play.sent()
    (probe,) = [each for each in frames if each.kind == SOLICITATION]
    messages = about(frames)
    assert messages[0] == (start, REPORT, "::"), "reported when an address is there"
    valid = [each for each in messages if each[2] == "fe80::1"]
    assert valid[0][0] == probe.time + 1.0, "and again once the link-local address is valid"
    assert len(messages) == 3


def test_S55_delay_that_outlasts_the_lack_of_an_address() -> None:
    play = without_address()
    start = play.now
    play.join(GROUP, delay=5.0)
    play.add_address("fe80::1", nodad=True)
    play.run(start + 60)
    times = [each - start for each, _, _ in about(play.sent())]
    assert times[0] == pytest.approx(5.0)
    assert len(times) == 2


def test_S55_reported_once_and_not_for_every_further_address() -> None:
    play = without_address()
    play.join(GROUP)
    play.add_address(GLOBAL, nodad=True)
    assert about(play.sent()) == [(play.now, REPORT, "::")]
    play.run(play.now + 20)
    assert kinds(play.sent()) == [REPORT]
    play.add_address("2001:db8::7:8", nodad=True)
    play.run(play.now + 20)
    assert kinds(play.sent()) == []


def test_S55_a_group_that_is_saved_can_be_joined_again() -> None:
    play = joined()
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    play.join(GROUP)
    assert record(play).refcount == 2
    assert play.sent() == []


def test_S55_left_before_there_was_an_address() -> None:
    play = without_address()
    play.leave(play.join(GROUP))
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 30)
    assert kinds(play.sent()) == []


def test_S57_filter_before_report() -> None:
    play = ready()
    play.join(GROUP)
    (first, plan), (second, sent) = play.log
    assert (first, second) == ("filter", "frame")
    assert group_mac(ip(GROUP)) in plan.exact  # type: ignore[attr-defined]
    assert sent.kind == REPORT  # type: ignore[attr-defined]


@pytest.mark.parametrize("delay", [0.0, 0.7])
def test_S57_driver_that_refuses_undoes_the_join(delay: float) -> None:
    play = ready()
    before = members(play), macs(play), play.interface.plan
    play.refuse_filter = True
    with pytest.raises(OSError, match="refused"):
        play.join(GROUP, delay=delay)
    assert (members(play), macs(play), play.interface.plan) == before
    assert no_timer(play)
    play.run(play.now + 60)
    assert (play.sent(), play.events) == ([], [])
    assert play.host.counters.filter_errors == 1
    play.refuse_filter = False
    play.join(GROUP, delay=delay)
    play.run(play.now + 60)
    assert kinds(play.sent()) == [REPORT, REPORT]


def test_S57_a_known_group_needs_no_filter() -> None:
    play = joined()
    play.refuse_filter = True
    play.join(GROUP)
    assert record(play).refcount == 2


def test_S57_a_shared_mac_needs_no_filter() -> None:
    play = joined(SHARED[0])
    play.refuse_filter = True
    play.join(SHARED[1])
    assert kinds(play.sent(), SHARED[1]) == [REPORT]


def test_S58_report_and_probe_share_the_delay() -> None:
    delays = []
    for seed in range(300):
        play = Play(seed).start(until=None)
        play.run(3)
        frames = play.sent()
        report, probe = frames[:2]
        assert (report.kind, probe.kind) == (REPORT, SOLICITATION)
        assert report.time == probe.time
        assert report.destination == probe.destination == OUR_SOLICITED_NODE
        delays.append(report.time)
    assert 0 <= min(delays) < 0.1
    assert 0.9 < max(delays) <= 1.0


def test_S58_pending_until_then() -> None:
    play = Play(2).start(until=None)
    assert state(play, OUR_SOLICITED_NODE) == "pending"
    assert group_mac(ip(OUR_SOLICITED_NODE)) in macs(play), "listened to before it is probed"


def test_S59_no_delay_starts_at_once() -> None:
    play = ready()
    play.join(GROUP)
    assert about(play.sent()) == [(play.now, REPORT, OUR_LINK_LOCAL)]
    assert state(play) == "delaying"


@pytest.mark.parametrize("left", [0, 1])
def test_S60_a_mac_stays_while_a_group_needs_it(left: int) -> None:
    play = joined(*SHARED)
    mac = group_mac(ip(SHARED[0]))
    assert mac == group_mac(ip(SHARED[1]))
    play.plans.clear()
    play.leave(membership(play, SHARED[left]))
    assert play.plans == [], "no change for the driver"
    assert mac in play.interface.plan.exact
    outcomes = [play.receive(echo_request(group, hop_limit=1)) for group in SHARED]
    assert outcomes[left] is Discard.GROUP_NOT_JOINED, "the groups are told apart above the MAC"
    assert outcomes[1 - left] is Verdict.ANSWERED
    play.leave(membership(play, SHARED[1 - left]))
    assert mac not in play.interface.plan.exact
    assert play.receive(echo_request(SHARED[1 - left], hop_limit=1)) is Discard.NOT_FOR_US


def test_S61_leaving_one_of_two_keeps_the_repeat() -> None:
    play = ready()
    start = play.now
    play.join(GROUP)
    play.leave(play.join(GROUP))
    play.run(start + 60)
    assert kinds(play.sent()) == [REPORT, REPORT]


def test_S61_leaving_one_of_two_keeps_the_delayed_first_report() -> None:
    play = ready()
    start = play.now
    token = play.join(GROUP, delay=5.0)
    play.join(GROUP)
    play.leave(token)
    assert state(play) == "pending"
    play.run(start + 60)
    times = [each - start for each, _, _ in about(play.sent())]
    assert times[0] == pytest.approx(5.0)
    assert len(times) == 2


def test_S61_leaving_one_of_two_keeps_the_answer() -> None:
    for seed in range(50):
        play = joined(seed=seed)
        token = play.join(GROUP)
        start = play.now
        query(play, GROUP, delay=5000)
        timer = record(play).timer
        assert timer is not None
        due = timer.deadline
        if due <= start + 1:
            continue
        play.run(start + 1)
        play.leave(token)
        play.run(start + 60)
        assert about(play.sent()) == [(due, REPORT, OUR_LINK_LOCAL)]


def test_S61_leaving_one_of_two_says_nothing() -> None:
    play = joined()
    play.leave(play.join(GROUP))
    assert (play.sent(), play.events, play.plans) == ([], [], [])
    assert record(play).refcount == 1


def test_S62_done_then_list_then_filter() -> None:
    play = joined()
    order: list[str] = []
    listener = play.interface.listener

    def note(event: object) -> None:
        waiting = [octets for _, octets in play.host._output]
        done = any(octets[14 + 48] == DONE for octets in waiting)
        order.append(f"{type(event).__name__}, Done {'sent' if done else 'not sent'}")
        if isinstance(event, GroupChanged):
            assert ip(GROUP) not in listener.groups
            assert group_mac(ip(GROUP)) in macs(play)

    play.host.listeners.append(note)
    play.leave(membership(play))
    assert order[0] == "GroupChanged, Done sent"
    assert order[1].startswith("FilterChanged")
    assert [type(each) for each in play.events] == [GroupChanged, FilterChanged]
    assert [what for what, _ in play.log] == ["frame", "filter"]


def test_S62_record_is_listed_while_the_done_is_made() -> None:
    play = joined()
    listed: list[bool] = []

    def note(entry: Record) -> None:
        if entry.layer == "mld":
            listed.append(ip(GROUP) in play.interface.listener.groups)

    play.host.journal.listen(note)
    play.leave(membership(play))
    assert listed == [True]


def test_S63_a_token_outlives_its_group() -> None:
    play = joined()
    tokens = [membership(play), play.join(GROUP)]
    play.interface.listener.leave_all(play.now)
    play.sent()
    for token in tokens:
        assert not token.active
        play.leave(token)
    assert play.sent() == []
    assert len(play.interface.listener.groups) == 0
    assert macs(play) == {ALL_NODES_MAC: 1}, "RFC 4861 7.2.1: the interface's own"
    play.remove_address(OUR_LINK_LOCAL)


def test_S64_driver_that_refuses_does_not_stop_a_leave() -> None:
    play = joined()
    play.refuse_filter = True
    play.leave(membership(play))
    assert kinds(play.sent()) == [DONE]
    assert ip(GROUP) not in members(play)
    assert group_mac(ip(GROUP)) not in macs(play)
    assert play.host.counters.filter_errors == 1
    play.refuse_filter = False
    play.join(OTHER_GROUP)
    assert group_mac(ip(GROUP)) not in play.interface.plan.exact, "the next plan is right again"


@pytest.mark.parametrize("who", ["itself", "another"])
def test_S65_leaving_inside_the_timer(who: str) -> None:
    play = joined(GROUP, OTHER_GROUP)
    query(play, GROUP, delay=1000)
    query(play, OTHER_GROUP, delay=1000)
    victim = membership(play, GROUP if who == "itself" else OTHER_GROUP)

    def leave(entry: Record) -> None:
        if "timer expired" in entry.what and GROUP in entry.what and victim.active:
            play.interface.listener.leave(victim, play.now)

    play.host.journal.listen(leave)
    play.run(play.now + 60)
    assert not victim.active
    assert no_timer(play)
    frames = play.sent()
    assert kinds(frames, GROUP)[:1] == [REPORT]
    assert [each.kind for each in frames].count(DONE) == 1


def test_S65_leaving_while_the_list_is_walked() -> None:
    groups = [f"ff05::{number:x}" for number in range(1, 6)]
    play = joined(*groups)
    tokens = [membership(play, group) for group in groups]

    def leave(entry: Record) -> None:
        if entry.layer == "mld":
            for token in tokens:
                play.interface.listener.leave(token, play.now)

    play.host.journal.listen(leave)
    query(play, delay=0)
    play.interface.listener.link_local_valid(play.now)
    assert all(not token.active for token in tokens)
    play.run(play.now + 30)
    assert no_timer(play)


def test_S65_leaving_while_owed_reports_are_walked() -> None:
    play = without_address()
    tokens = [play.join(group) for group in (GROUP, OTHER_GROUP)]

    def leave(entry: Record) -> None:
        if "start listening, to be repeated" in entry.what and GROUP in entry.what:
            for token in tokens:
                play.interface.listener.leave(token, play.now)

    play.host.journal.listen(leave)
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 30)
    frames = play.sent()
    assert kinds(frames, GROUP) == [REPORT, DONE]
    assert kinds(frames, OTHER_GROUP) == []
    assert no_timer(play)


def test_S66_second_leave_does_nothing() -> None:
    play = joined()
    token = membership(play)
    keeper = play.join(GROUP)
    play.leave(token)
    play.leave(token)
    assert record(play).refcount == 1
    assert keeper.active
    play.leave(keeper)
    assert kinds(play.sent()) == [DONE]
    play.leave(keeper)
    assert play.sent() == []


def test_S66_a_token_of_an_earlier_life_does_nothing() -> None:
    play = joined()
    old = membership(play)
    play.leave(old)
    new = play.join(GROUP)
    assert new.id != old.id
    play.sent()
    play.leave(old)
    assert record(play).refcount == 1
    assert play.sent() == []


def test_S66_a_token_of_another_interface_does_nothing() -> None:
    two = TwoLinks()
    first, second = (interface.listener for interface in two.links)
    token = first.join(ip(GROUP), two.now)
    assert second.join(ip(GROUP), two.now).id == token.id, "numbered for each interface"
    second.leave(token, two.now)
    assert ip(GROUP) in second.groups
    assert token.active
    first.leave(token, two.now)
    assert ip(GROUP) not in first.groups


def test_S84_output_refused_sets_no_flag() -> None:
    play = ready(tx_queue_len=1)
    play.interface.listener.join(ip("ff02::99"), play.now)
    before = play.host.counters.out_discards
    play.interface.listener.join(ip(GROUP), play.now)  # the same MAC; the queue is full
    assert not record(play).last_reporter
    assert play.host.counters.out_discards == before + 1
    play.leave(membership(play))
    assert kinds(play.sent()) == [], "nothing was announced, so there is nothing to withdraw"


def test_S84_repeat_that_leaves_sets_the_flag() -> None:
    play = ready(tx_queue_len=1)
    play.interface.listener.join(ip("ff02::99"), play.now)
    play.interface.listener.join(ip(GROUP), play.now)
    play.settle()
    play.run(play.now + 20)
    assert record(play).last_reporter
    play.sent()
    play.leave(membership(play))
    assert kinds(play.sent()) == [DONE]


def test_leaving_everything_leaves_nothing() -> None:
    play = ready()
    play.add_address(GLOBAL)
    for number in range(100):
        play.join(f"ff05::{number:x}")
        heard(play, f"ff05::{number:x}")
    query(play, delay=5000)
    play.interface.listener.leave_all(play.now)
    assert len(play.interface.listener.groups) == 0
    assert play.interface.listener.groups.membership_count == 0
    play.interface.stop(play.now)
    assert macs(play) == {}
    assert no_timer(play)


def test_newest_membership_of_an_owner() -> None:
    play = ready()
    groups = play.interface.listener.groups
    first, other, last = (play.join(GROUP, owner=owner) for owner in ("user", "run", "user"))
    assert groups.newest(ip(GROUP), ("user",)) is last
    play.leave(last)
    assert groups.newest(ip(GROUP), ("user",)) is first
    assert groups.newest(ip(GROUP), ("user", "run")) is other
    assert groups.newest(ip(GROUP), ("socket",)) is None
    assert groups.newest(ip(OTHER_GROUP), ("user",)) is None
