"""One interface: up, down, restart, another MAC, MTU, VLAN, disabled; the driver's filter before anything is said."""

from collections.abc import Callable

import pytest

from stack.discard import Discard, Verdict
from stack.errors import RefusedError, UsageError
from stack.multicast_filter import FilterPlan
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    frame,
    group_mac,
    icmp,
    ip,
    packet,
    solicitation,
)

REPORT, DONE, NS, NA = 131, 132, 135, 136
GLOBAL = "2001:db8::77"
GROUP = "ff05::1:3"
ALL_NODES_MAC = group_mac(ip("ff02::1"))
OUR_GROUP = "ff02::1:ff00:1"
NEW_MAC = bytes.fromhex("02006e000009")
NEW_LINK_LOCAL = "fe80::6eff:fe00:9"


def ready(**settings: int) -> Play:
    """A host long after its start, with an address and a group of the user's."""
    play = Play(**settings)
    play.add_address(GLOBAL)
    play.start()
    play.join(GROUP)
    play.run(play.now + 20.0)
    play.sent()
    play.plans.clear()
    play.log.clear()
    play.events.clear()
    return play


def refuse(play: Play, when: Callable[[FilterPlan], bool]) -> None:
    """From now on the driver refuses the plans of which `when` is true; the others reach it as before."""
    program = play.interface.program
    assert program is not None

    def choosy(plan: FilterPlan) -> None:
        if when(plan):
            raise OSError(22, "refused")
        program(plan)

    play.interface.program = choosy


def kinds(frames: list[Sent]) -> list[tuple[int, str]]:
    return [(each.kind, each.target) for each in frames]


# -- down


def test_down_says_nothing() -> None:
    """No leave, no Done, no advertisement: a cable pulled."""
    play = ready()
    discards = play.host.counters.out_discards
    play.interface.stop(play.now)
    play.settle()
    play.run(play.now + 3_600.0)
    assert play.sent() == []
    assert play.host.counters.out_discards == discards, "nothing was even tried"
    assert len(play.host.timers) == 0


def test_down_says_nothing_even_where_done_is_always_said() -> None:
    play = ready(mldv1_done_always=1)
    discards = play.host.counters.out_discards
    play.interface.stop(play.now)
    assert play.sent() == [] and play.host.counters.out_discards == discards


def test_nothing_comes_in_while_down() -> None:
    play = ready()
    play.interface.stop(play.now)
    for octets in (echo_request(), solicitation(OUR_LINK_LOCAL), advertisement(PEER_LINK_LOCAL), b""):
        assert play.receive(octets) is Discard.INTERFACE_DOWN
    assert play.sent() == [] and len(play.interface.resolver.cache) == 0


def test_nothing_goes_out_while_down() -> None:
    play = ready()
    play.interface.stop(play.now)
    discards = play.host.counters.out_discards
    assert play.interface.transmit(PEER_MAC, bytes(60)) is False
    assert play.interface.transmit_multicast(packet(GLOBAL, GROUP, b"")) is False
    assert play.sent() == [] and play.host.counters.out_discards == discards + 2
    with pytest.raises(RefusedError):
        play.ping()


def test_down_forgets_what_was_learnt_and_keeps_what_was_given() -> None:
    play = ready()
    play.interface.resolver.add_permanent(ip("fe80::5"), NEW_MAC, play.now)
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.interface.stop(play.now)
    assert play.neighbour(PEER_LINK_LOCAL) is None and play.neighbour("fe80::5") == "PERMANENT"
    assert play.address() is None and play.address(GLOBAL) == "tentative"
    assert play.interface.listener.groups.records[ip(GROUP)].interface_address == ip(GLOBAL)


def test_groups_are_saved_if_no_address_remains() -> None:
    """CLI: `link down`: groups are saved if no address remains."""
    play = Play().start()
    play.join(GROUP)
    play.interface.stop(play.now)
    (saved,) = play.interface.listener.groups.saved()
    assert saved.group == ip(GROUP)
    assert group_mac(ip(GROUP)) in play.interface.plan.exact, "SEED row S70: the filter stays"
    play.interface.start(play.now)
    play.settle()
    assert play.interface.listener.groups.saved() == []


def test_down_twice_and_restart_while_down() -> None:
    play = ready()
    play.interface.stop(play.now)
    play.interface.stop(play.now)
    assert len(play.told("down")) == 1
    play.interface.restart(play.now)
    play.run(play.now + 5.0)
    assert play.address() == "preferred"


# -- up


def test_up_starts_over() -> None:
    """Every group is reported, every address tested, from :: until the link-local address is valid (RFC 3590 4)."""
    play = ready()
    play.interface.stop(play.now)
    play.run(play.now + 30.0)
    play.interface.start(play.now)
    begin = play.now
    play.run(begin + 1.0)
    first = play.sent()
    assert {(REPORT, GROUP), (REPORT, OUR_GROUP), (REPORT, "ff02::1:ff00:77")} <= set(kinds(first))
    assert {(NS, OUR_LINK_LOCAL), (NS, GLOBAL)} <= set(kinds(first))
    before_test = [each for each in first if each.kind == REPORT and each.time < begin + 1.0]
    assert {each.source for each in before_test} == {"::"}
    play.run(begin + 5.0)
    assert play.address() == play.address(GLOBAL) == "preferred"
    assert play.receive(echo_request()) is Verdict.ANSWERED


def test_up_while_up_starts_over_too() -> None:
    play = ready()
    records = play.interface.listener.groups.records
    counts = {group: record.refcount for group, record in records.items()}
    play.interface.start(play.now)
    assert {group: record.refcount for group, record in records.items()} == counts, "no reference twice"
    assert play.address() == "tentative"
    play.run(play.now + 5.0)
    assert play.address() == "preferred"


def test_restart_is_a_reboot() -> None:
    """CLI: nothing is sent first; what was learnt is dropped; what the user gave stays, settings too."""
    play = ready(dad_transmits=2)
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.sent()
    membership_ids = list(play.interface.listener.groups.records[ip(GROUP)].memberships)
    play.interface.restart(play.now)
    assert play.sent(DONE) == []
    assert play.neighbour(PEER_LINK_LOCAL) is None
    assert list(play.interface.listener.groups.records[ip(GROUP)].memberships) == membership_ids
    play.run(play.now + 10.0)
    probes = [each for each in play.sent() if each.kind == NS]
    assert [each.target for each in probes].count(OUR_LINK_LOCAL) == 2
    assert play.address() == play.address(GLOBAL) == "preferred"


def test_events_of_a_restart() -> None:
    play = ready()
    play.interface.restart(play.now)
    told = [event.kind for event in play.events if event.kind in ("up", "down", "address")]
    assert told == ["address", "down", "up", "address", "address"]
    assert [event.state for event in play.told("address")] == [  # type: ignore[union-attr]
        "deleted",
        "tentative",
        "tentative",
    ]


# -- the filter


def test_the_filter_is_programmed_before_anything_is_said() -> None:
    """SEED row S57, RFC 4861 7.2.1, RFC 4862 5.4.2: own MAC and all nodes, then the groups in order of joining."""
    play = Play()
    play.start(until=None)
    play.run(2.5)
    assert play.log[0] == ("filter", FilterPlan((OUR_MAC,), (ALL_NODES_MAC,)))
    programmed = [entry for entry in play.log if entry[0] == "filter"]
    assert play.log[: len(programmed)] == programmed, "all of it before the first frame"
    assert play.interface.plan == FilterPlan((OUR_MAC,), (ALL_NODES_MAC, group_mac(ip(OUR_GROUP))))


def test_a_join_programs_before_its_report_and_a_leave_after_its_done() -> None:
    """SEED rows S57 and S62."""
    play = ready()
    membership = play.join("ff02::99")
    play.run(play.now + 20.0)
    mac = group_mac(ip("ff02::99"))
    (kind, plan), (second, sent) = play.log[:2]
    assert (kind, second) == ("filter", "frame")
    assert isinstance(plan, FilterPlan) and mac in plan.exact
    assert isinstance(sent, Sent) and (sent.kind, sent.target) == (REPORT, "ff02::99")
    play.log.clear()
    play.leave(membership)
    assert [entry[0] for entry in play.log] == ["frame", "filter"]


def test_every_start_programs_the_filter() -> None:
    """It does not follow what happens to a device, so nothing is taken for granted."""
    play = ready()
    play.interface.stop(play.now)
    play.plans.clear()
    play.interface.start(play.now)
    assert play.plans
    assert play.plans[-1] == play.interface.plan
    assert set(play.plans[-1].exact) == {ALL_NODES_MAC, group_mac(ip(OUR_GROUP)), group_mac(ip(GROUP))} | {
        group_mac(ip("ff02::1:ff00:77"))
    }


def test_a_refusal_undoes_a_join() -> None:
    """SEED row S57: join raises, no frame, list unchanged."""
    play = ready()
    groups = list(play.interface.listener.groups.records)
    plan = play.interface.plan
    refuse(play, lambda plan: True)
    with pytest.raises(OSError, match="refused"):
        play.join("ff02::99")
    assert list(play.interface.listener.groups.records) == groups
    assert group_mac(ip("ff02::99")) not in play.interface.macs
    assert play.interface.plan == plan and play.sent() == [] and play.told("group") == []
    assert play.host.counters.filter_errors == 1
    assert play.receive(frame(packet(PEER_LINK_LOCAL, "ff02::99", b"", next_header=59))) is Discard.NOT_FOR_US


def test_a_refusal_does_not_stop_a_leave() -> None:
    """SEED row S64: the driver's error is counted, the leave still succeeds."""
    play = ready()
    (membership,) = play.interface.listener.groups.records[ip(GROUP)].memberships.values()
    refuse(play, lambda plan: True)
    play.leave(membership)
    assert kinds(play.sent()) == [(DONE, "ff05::1:3")]
    assert ip(GROUP) not in play.interface.listener.groups
    assert play.host.counters.filter_errors == 1


def test_a_refusal_at_the_start_leaves_the_interface_down() -> None:
    play = Play()
    play.add_address(GLOBAL)
    play.refuse_filter = True
    with pytest.raises(OSError, match="refused"):
        play.start(until=None)
    assert not play.interface.up
    assert play.address(GLOBAL) == "tentative" and len(play.host.timers) == 0
    assert play.told("up") == []
    play.refuse_filter = False
    play.start()
    assert play.address(GLOBAL) == play.address() == "preferred"


@pytest.mark.parametrize("groups", [1, 2, 3], ids=["ff02::1", "first solicited-node group", "second one"])
def test_a_refusal_in_the_middle_of_a_start_undoes_all_of_it(groups: int) -> None:
    """What the user gave is all still there, down; nothing was sent and nothing runs."""
    play = Play()
    play.add_address(GLOBAL, valid_lifetime=500.0)
    play.add_address("2001:db8::a", anycast=True)
    lifetimes = len(play.host.timers)
    refusing = [True]
    refuse(play, lambda plan: refusing[0] and len(plan.exact) == groups)
    with pytest.raises(OSError, match="refused"):
        play.start(until=None)
    assert not play.interface.up
    assert set(play.interface.addresses.table) == {ip(GLOBAL), ip("2001:db8::a")}
    assert len(play.interface.listener.groups) == 0
    assert len(play.host.timers) == lifetimes, "nothing else runs"
    play.run(60.0)
    assert play.sent() == []
    refusing[0] = False
    play.start(until=70.0)
    assert play.address(GLOBAL) == play.address("2001:db8::a") == "preferred"
    play.run(500.0)
    assert play.address(GLOBAL) is None


def test_a_restart_that_is_refused_leaves_the_interface_down() -> None:
    play = ready()
    play.refuse_filter = True
    with pytest.raises(OSError, match="refused"):
        play.interface.restart(play.now)
    assert not play.interface.up and play.address(GLOBAL) == "tentative"
    play.run(play.now + 60.0)
    assert play.sent() == []


def test_no_room_for_an_addresss_groups_leaves_the_interface_down() -> None:
    """The user took the last place while it was down; the limit is named."""
    play = Play(mld_max_groups=2)
    play.join("ff02::99")
    with pytest.raises(RefusedError, match="mld_max_groups"):
        play.start(until=None)
    assert not play.interface.up
    play.run(60.0)
    assert play.sent() == []


# -- another MAC


def test_another_mac_starts_over_with_it() -> None:
    play = ready()
    play.interface.set_mac(NEW_MAC, play.now)
    play.run(play.now + 10.0)
    frames = play.sent()
    assert {each.frame[6:12] for each in frames} == {NEW_MAC}, "no farewell from the old one"
    assert [each for each in frames if each.kind == DONE] == []
    assert (NS, NEW_LINK_LOCAL) in kinds(frames) and (NS, GLOBAL) in kinds(frames)
    assert play.address(NEW_LINK_LOCAL) == play.address(GLOBAL) == "preferred"
    assert play.address(OUR_LINK_LOCAL) is None
    assert play.interface.plan.unicast == (NEW_MAC,)
    assert play.receive(echo_request()) is Discard.NOT_FOR_US
    assert group_mac(ip(OUR_GROUP)) not in play.interface.plan.exact


def test_another_mac_while_down() -> None:
    play = Play()
    play.interface.set_mac(NEW_MAC, 0.0)
    assert play.interface.plan.unicast == (NEW_MAC,) and not play.interface.up
    play.start()
    assert play.address(NEW_LINK_LOCAL) == "preferred"


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_a_mac_that_the_driver_refuses_changes_nothing(up: bool) -> None:
    play = ready()
    if not up:
        play.interface.stop(play.now)
    plan = play.interface.plan
    refuse(play, lambda plan: NEW_MAC in plan.unicast)
    with pytest.raises(OSError, match="refused"):
        play.interface.set_mac(NEW_MAC, play.now)
    assert play.interface.mac == OUR_MAC and play.interface.plan == plan
    assert play.interface.up is up
    assert play.address(GLOBAL) == ("preferred" if up else "tentative")
    if up:
        assert play.receive(echo_request()) is Verdict.ANSWERED
        assert {each.frame[6:12] for each in play.sent()} == {OUR_MAC}


@pytest.mark.parametrize("mac", [bytes(6), b"\xff" * 6, bytes.fromhex("333300000001")])
def test_what_cannot_be_the_mac_of_a_host(mac: bytes) -> None:
    play = ready()
    with pytest.raises(UsageError):
        play.interface.set_mac(mac, play.now)
    assert play.interface.mac == OUR_MAC and play.address() == "preferred"
    with pytest.raises(UsageError):
        play.host.attach("t1", mac)


# -- MTU


@pytest.mark.parametrize("mtu", [1280, 1500, 9000, 65_521])
def test_mtu(mtu: int) -> None:
    play = ready()
    play.interface.set_mtu(mtu)
    assert play.interface.mtu == play.host.settings.mtu == mtu
    assert play.host.attach("t1", NEW_MAC, mtu=mtu).mtu == mtu


@pytest.mark.parametrize("mtu", [0, 1279, 65_522, -1])
def test_no_such_mtu(mtu: int) -> None:
    """RFC 8200 5: every link has at least 1280 octets."""
    play = ready()
    with pytest.raises(UsageError):
        play.interface.set_mtu(mtu)
    assert play.interface.mtu == 1500
    with pytest.raises(UsageError):
        play.host.attach("t1", NEW_MAC, mtu=mtu)


# -- frames


def tagged(octets: bytes, vlan: int, priority: int = 0) -> bytes:
    """The frame with an 802.1Q tag behind its MACs."""
    return octets[:12] + b"\x81\x00" + (priority << 13 | vlan).to_bytes(2, "big") + octets[12:]


def on_vlan(vlan: int | None) -> Play:
    play = Play()
    play.interface.vlan = vlan
    play.interface._make_header()
    return play.start()


@pytest.mark.parametrize(
    ("ours", "theirs", "taken"),
    [
        (None, None, True),
        (None, 0, True),
        (None, 5, False),
        (5, 5, True),
        (5, 6, False),
        (5, 0, False),
        (5, None, False),
        (4094, 4094, True),
    ],
)
def test_vlan(ours: int | None, theirs: int | None, taken: bool) -> None:
    """IEEE 802.1Q: only our VLAN; identifier 0 is a priority tag, as good as none."""
    play = on_vlan(ours)
    octets = echo_request() if theirs is None else tagged(echo_request(), theirs, priority=7)
    play.receive(tagged(solicitation(OUR_LINK_LOCAL), ours) if ours is not None else solicitation(OUR_LINK_LOCAL))
    play.host.output()
    play.sent()
    assert play.receive(octets) is (Verdict.ANSWERED if taken else Discard.WRONG_VLAN)
    frames = [each.frame for each in play.sent()]
    assert len(frames) == taken
    for sent in frames:
        expected = b"\x86\xdd" if ours is None else b"\x81\x00" + ours.to_bytes(2, "big") + b"\x86\xdd"
        assert sent[12 : 12 + len(expected)] == expected


FRAMES = {
    "nothing at all": (b"", Discard.RUNT_FRAME),
    "13 octets": (OUR_MAC + PEER_MAC + b"\x86", Discard.RUNT_FRAME),
    "a header and nothing": (OUR_MAC + PEER_MAC + b"\x86\xdd", Discard.TRUNCATED),
    "a tag cut short": (OUR_MAC + PEER_MAC + b"\x81\x00\x00", Discard.RUNT_FRAME),
    "another host's MAC": (PEER_MAC + OUR_MAC + echo_request()[12:], Discard.NOT_FOR_US),
    "broadcast": (b"\xff" * 6 + echo_request()[6:], Discard.NOT_FOR_US),
    "a group's MAC that is not joined": (bytes.fromhex("333300009999") + echo_request()[6:], Discard.NOT_FOR_US),
    "from a group's MAC": (OUR_MAC + bytes.fromhex("333300000001") + echo_request()[12:], Discard.BAD_SOURCE_MAC),
    "from broadcast": (OUR_MAC + b"\xff" * 6 + echo_request()[12:], Discard.BAD_SOURCE_MAC),
    "IPv4": (OUR_MAC + PEER_MAC + b"\x08\x00" + bytes(46), Discard.NOT_IPV6),
    "ARP": (OUR_MAC + PEER_MAC + b"\x08\x06" + bytes(46), Discard.NOT_IPV6),
    "a second tag": (tagged(tagged(echo_request(), 0), 0), Discard.NOT_IPV6),
}


@pytest.mark.parametrize(("octets", "reason"), FRAMES.values(), ids=FRAMES)
def test_frames_that_are_not_taken(octets: bytes, reason: Discard) -> None:
    play = ready()
    assert play.receive(octets) is reason
    assert play.sent() == []


def test_groups_that_share_a_mac_are_told_apart() -> None:
    """RFC 2464 7: the MAC passes, the IP layer still checks the group."""
    play = ready()
    other = "ff02::1:3"
    assert group_mac(ip(other)) == group_mac(ip(GROUP))
    octets = frame(packet(PEER_LINK_LOCAL, other, icmp(PEER_LINK_LOCAL, other, 128, 0, bytes(4)), hop_limit=1))
    assert play.receive(octets) is Discard.GROUP_NOT_JOINED


def test_disabled_keeps_everything_in_and_out() -> None:
    """RFC 4862 5.4.5: not send any IP packets, silently drop any received; what is no IPv6 is none all the same."""
    play = ready()
    play.interface.disable(play.now)
    assert play.receive(echo_request()) is Discard.INTERFACE_DISABLED
    assert play.receive(FRAMES["ARP"][0]) is Discard.NOT_IPV6
    assert play.interface.transmit(PEER_MAC, bytes(60)) is False
    play.join("ff02::99")
    play.run(play.now + 100.0)
    assert play.sent() == []
    play.interface.restart(play.now)
    play.run(play.now + 10.0)
    assert (REPORT, "ff02::99") in kinds(play.sent()), "what was joined meanwhile is reported at last"


def test_the_counters_of_what_goes_in_and_out() -> None:
    play = ready()
    counters = play.host.counters
    before = (counters.packets_in, counters.octets_in, counters.mcast_in, counters.packets_out, counters.mcast_out)
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.receive(echo_request())
    after = (counters.packets_in, counters.octets_in, counters.mcast_in, counters.packets_out, counters.mcast_out)
    assert [new - old for new, old in zip(after, before, strict=True)] == [2, 72 + 56, 1, 2, 0]
    assert counters.icmp_out[NA] >= 1
