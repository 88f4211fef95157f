"""Duplicate address detection as it is seen on the link: RFC 4862 5.4, RFC 7527, the delays of 5.4.2."""

import pytest

from stack.discard import Discard, Verdict
from stack.errors import UsageError
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    group_mac,
    ip,
    lladdr_option,
    solicitation,
)

REPORT, NS, NA = 131, 135, 136
OUR_GROUP = "ff02::1:ff00:1"
GLOBAL = "2001:db8::77"
GLOBAL_GROUP = "ff02::1:ff00:77"
NONCE = 14


def of(frames: list[Sent], *kinds: int) -> list[Sent]:
    return [each for each in frames if each.kind in kinds]


def probes(frames: list[Sent], target: str = OUR_LINK_LOCAL) -> list[Sent]:
    """Solicitations from :: for an address."""
    return [each for each in frames if each.kind == NS and each.source == "::" and each.target == target]


def nonce_of(probe: Sent) -> bytes:
    options = probe.message[24:]
    assert options[:2] == bytes((NONCE, 1)), "RFC 7527 4.1: a nonce option, one unit long"
    return options[2:]


def nonce_option(nonce: bytes) -> bytes:
    return bytes((NONCE, (len(nonce) + 2) // 8)) + nonce


def started(seed: int = 1, **settings: int | str) -> Play:
    """A host at the very moment its interface comes up."""
    return Play(seed, **settings).start(until=None)


def probing(**settings: int | str) -> Play:
    """A host whose first probe for its link-local address has just left; nothing of that is in `sent` any more."""
    play = started(**settings)
    play.run(1.0)
    assert probes(play.sent()), "how this test prepares the host"
    play.events.clear()
    return play


def running(**settings: int | str) -> Play:
    """A host long after its start."""
    return Play(**settings).start()


# -- what is sent, and when


def test_the_probe() -> None:
    """5.4.2: target the address, source ::, destination its solicited-node group; RFC 4861 4.3: hop limit 255."""
    play = started(enhanced_dad=0)
    play.run(5.0)
    (probe,) = of(play.sent(), NS)
    assert (probe.source, probe.destination, probe.target) == ("::", OUR_GROUP, OUR_LINK_LOCAL)
    assert probe.hop_limit == 255
    assert probe.to == group_mac(ip(OUR_GROUP))
    assert probe.message[1] == 0 and probe.message[4:8] == bytes(4)
    assert len(probe.message) == 24, "RFC 4861 7.2.2: from :: no link-layer address; enhanced_dad=0: no nonce"
    assert probe.checksum_is_right()


def test_a_probe_with_a_nonce() -> None:
    """RFC 7527 4.1: a nonce option of six random octets (RFC 3971 5.3.2), another one in every probe."""
    play = started(dad_transmits=5)
    play.run(10.0)
    nonces = [nonce_of(probe) for probe in probes(play.sent())]
    assert [len(nonce) for nonce in nonces] == [6] * 5
    assert len(set(nonces)) == 5, "a single-use nonce"


def test_the_first_message_is_delayed_and_the_report_comes_before_the_probe() -> None:
    """5.4.2: joining is delayed by a random time between 0 and MAX_RTR_SOLICITATION_DELAY (1 s), once for both."""
    times = set()
    for seed in range(40):
        play = started(seed)
        assert play.sent() == [], "nothing is sent at once"
        play.run(1.0)
        frames = play.sent()
        assert [(each.kind, each.source, each.target) for each in frames[:2]] == [
            (REPORT, "::", OUR_GROUP),
            (NS, "::", OUR_LINK_LOCAL),
        ], "the group is reported before the probe; RFC 3590 4: from ::"
        assert frames[0].time == frames[1].time, "one delay, not one for each"
        times.add(frames[0].time)
    assert len(times) == 40
    assert min(times) < 0.2 and max(times) > 0.8, "spread over the whole second"


def test_the_group_is_listened_to_during_the_delay() -> None:
    """5.4.2: the interface must receive what is sent to ff02::1 and the solicited-node group during the delay."""
    play = started()
    assert play.interface.plan.exact == (group_mac(ip("ff02::1")), group_mac(ip(OUR_GROUP)))
    assert play.sent() == []
    assert play.receive(solicitation(OUR_LINK_LOCAL, source="::")) is Verdict.DELIVERED


def test_an_address_of_a_running_interface_is_probed_at_once() -> None:
    """5.4.2: the delay is for the first message of an interface, or for what a router advertisement configures."""
    play = running()
    play.add_address(GLOBAL)
    frames = play.sent()
    assert [(each.kind, each.target, each.time) for each in frames] == [
        (REPORT, GLOBAL_GROUP, play.now),
        (NS, GLOBAL, play.now),
    ]
    assert frames[0].source == OUR_LINK_LOCAL, "RFC 3590 4: from the link-local address, since there is a valid one"


def test_the_first_message_is_delayed_however_late_it_comes() -> None:
    """5.4.2: an interface that came up without any address has sent nothing yet when it gets its first."""
    times = set()
    for seed in range(20):
        play = Play(seed, addr_gen_mode=1).start(until=60.0)
        play.add_address(GLOBAL)
        assert play.sent() == []
        play.run(61.0)
        frames = play.sent()
        assert [each.kind for each in frames[:2]] == [REPORT, NS]
        assert 60.0 <= frames[1].time < 61.0 and frames[0].time == frames[1].time
        times.add(frames[1].time)
    assert len(times) == 20
    play.add_address("2001:db8::78")
    assert [each.kind for each in play.sent()] == [REPORT, NS], "the second is not the first message any more"


def test_addresses_added_before_the_first_message_wait_with_it() -> None:
    play = started(3)
    play.add_address(GLOBAL)
    assert play.sent() == []
    play.run(1.0)
    frames = play.sent()
    assert [(each.kind, each.target) for each in frames] == [
        (REPORT, OUR_GROUP),
        (NS, OUR_LINK_LOCAL),
        (REPORT, GLOBAL_GROUP),
        (NS, GLOBAL),
    ]
    assert frames[0].time == pytest.approx(frames[-1].time), "5.4.2: one delay for the interface"


@pytest.mark.parametrize(("transmits", "retrans"), [(1, 1000), (3, 1000), (2, 250), (10, 100)])
def test_probes_are_retrans_timer_apart_and_the_verdict_is_another_later(transmits: int, retrans: int) -> None:
    """5.4: DupAddrDetectTransmits probes RetransTimer apart; unique if nothing came within RetransTimer of the last."""
    play = running()
    play.host.settings.dad_transmits = transmits
    play.host.settings.retrans_time_ms = retrans
    begin, step = play.now, retrans / 1000
    play.add_address(GLOBAL)
    end = begin + transmits * step
    play.run(end - 0.000_1)
    assert [each.time for each in probes(play.sent(), GLOBAL)] == pytest.approx(
        [begin + number * step for number in range(transmits)]
    )
    assert play.address(GLOBAL) == "tentative"
    play.run(end + 0.000_1)
    assert play.address(GLOBAL) == "preferred"
    assert probes(play.sent(), GLOBAL) == []


@pytest.mark.parametrize(
    ("settings", "options"),
    [({"dad_transmits": 0}, {}), ({}, {"nodad": True}), ({}, {"anycast": True})],
    ids=["DupAddrDetectTransmits 0", "nodad", "anycast"],
)
def test_what_is_not_tested_is_valid_at_once(settings: dict[str, int], options: dict[str, bool]) -> None:
    """5.4: not with DupAddrDetectTransmits 0; anycast addresses MUST NOT be tested. The group is reported all the same.

    RFC 4291 2.8: the solicited-node group is joined for each unicast and anycast address.
    """
    play = running(**settings)
    play.add_address(GLOBAL, **options)
    assert play.address(GLOBAL) == "preferred"
    play.run(play.now + 5.0)
    frames = play.sent()
    assert of(frames, NS) == []
    assert (REPORT, GLOBAL_GROUP) in [(each.kind, each.target) for each in frames]


def test_an_interface_has_a_number_of_probes_of_its_own() -> None:
    """RFC 4862 5.1: DupAddrDetectTransmits is a variable of each interface; the setting is what the others follow."""
    play = running(dad_transmits=1)
    other = play.host.attach("t1", bytes.fromhex("02006e000009"), index=9)
    other.variables.set_dad_transmits(3)
    other.start(play.now)
    play.run(play.now + 10.0)
    assert len(probes(play.sent(), "fe80::6eff:fe00:9")) == 3
    play.add_address(GLOBAL)
    play.run(play.now + 10.0)
    assert len(probes(play.sent(), GLOBAL)) == 1
    other.variables.set_dad_transmits(0)
    other.addresses.add(ip("2001:db8::9"), 64, play.now)
    assert other.is_assigned(ip("2001:db8::9")), "5.1: 0 is no detection"
    other.variables.set_dad_transmits(None)
    assert other.variables.dad_transmits == 1


@pytest.mark.parametrize("count", [-1, 256])
def test_no_such_number_of_probes(count: int) -> None:
    with pytest.raises(UsageError, match="dad_transmits"):
        running().interface.variables.set_dad_transmits(count)


def test_every_address_is_tested_whatever_its_identifier() -> None:
    """5.4: an address with the identifier of the link-local address is tested too (MUST NOT optimise)."""
    play = running()
    same = "2001:db8::6eff:fe00:1"
    play.add_address(same)
    assert [each.target for each in of(play.sent(), NS)] == [same]
    assert play.address(same) == "tentative"


def test_a_probe_that_the_link_does_not_take_is_none() -> None:
    """5.4.2: DupAddrDetectTransmits solicitations are to be sent before an address counts as unique."""
    play = running(dad_transmits=2)
    play.host.settings.tx_queue_len = 1
    play.interface.transmit(PEER_MAC, bytes(40))  # the queue is full from now on
    play.interface.addresses.add(ip(GLOBAL), 64, play.now)
    play.host.advance(play.now)
    for _ in range(5):
        play.now += 1.0
        play.host.advance(play.now)
    assert play.address(GLOBAL) == "tentative"
    play.sent()
    play.host.settings.tx_queue_len = 100
    play.run(play.now + 1.0)
    play.run(play.now + 1.0)
    assert len(probes(play.sent(), GLOBAL)) == 2
    assert play.address(GLOBAL) == "tentative"
    play.run(play.now + 1.0)
    assert play.address(GLOBAL) == "preferred"


# -- what shows a duplicate


def foreign_probe(**options: object) -> bytes:
    return solicitation(OUR_LINK_LOCAL, source="::", **options)  # type: ignore[arg-type]


# Frame, outcome, and whether it shows a duplicate; in both states of the test.
EVIDENCE = {
    "another node's probe": (foreign_probe(), Verdict.DELIVERED, True),
    "another node's probe with a nonce": (foreign_probe(options=nonce_option(b"123456")), Verdict.DELIVERED, True),
    "another node's probe with a long nonce": (foreign_probe(options=nonce_option(bytes(14))), Verdict.DELIVERED, True),
    "a probe from our own MAC, without our nonce": (foreign_probe(mac=OUR_MAC), Verdict.DELIVERED, True),
    "a probe from our own MAC with another nonce": (
        foreign_probe(mac=OUR_MAC, options=nonce_option(b"123456")),
        Verdict.DELIVERED,
        True,
    ),
    "a probe with an unknown option": (foreign_probe(options=bytes((253, 1)) + bytes(6)), Verdict.DELIVERED, True),
    "an advertisement to all nodes": (
        advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"),
        Verdict.DELIVERED,
        True,
    ),
    "an advertisement without flags or option": (
        advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="", options=b""),
        Verdict.DELIVERED,
        True,
    ),
    "a router's advertisement": (
        advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="R"),
        Verdict.DELIVERED,
        True,
    ),
    "an advertisement from another address": (
        advertisement(OUR_LINK_LOCAL, source=PEER_LINK_LOCAL, destination="ff02::1", flags="O"),
        Verdict.DELIVERED,
        True,
    ),
    "an advertisement with our own MAC": (
        advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O", mac=OUR_MAC),
        Verdict.DELIVERED,
        True,
    ),
    "5.4.3, source unicast: address resolution": (solicitation(OUR_LINK_LOCAL), Discard.ND_TARGET_TENTATIVE, False),
    "5.4, to the tentative address itself: NS": (
        solicitation(OUR_LINK_LOCAL, destination=OUR_LINK_LOCAL),
        Discard.ADDRESS_TENTATIVE,
        False,
    ),
    "5.4, to the tentative address itself: NA": (advertisement(OUR_LINK_LOCAL), Discard.ADDRESS_TENTATIVE, False),
    "5.4, any other packet to it": (echo_request(), Discard.ADDRESS_TENTATIVE, False),
    "a probe for another address": (
        solicitation("fe80::1:2:3:4", source="::", destination=OUR_GROUP),
        Discard.ND_TARGET_NOT_OURS,
        False,
    ),
    "an advertisement of another address": (
        advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O"),
        Discard.ND_NO_ENTRY,
        False,
    ),
    # What the checks of RFC 4861 7.1 refuse (5.4.1); tests/nd/test_validation.py has them all.
    "a probe with hop limit 254": (foreign_probe(hop_limit=254), Discard.ND_HOP_LIMIT, False),
    "a probe to all nodes": (foreign_probe(destination="ff02::1"), Discard.ND_UNSPECIFIED_DESTINATION, False),
    "a probe with a link-layer address": (
        foreign_probe(options=lladdr_option(1)),
        Discard.ND_UNSPECIFIED_LLADDR,
        False,
    ),
    "an advertisement to a group with S=1": (
        advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="SO"),
        Discard.ND_SOLICITED_MULTICAST,
        False,
    ),
}


@pytest.mark.parametrize("phase", ["waiting", "probing"])
@pytest.mark.parametrize(("frame", "outcome", "duplicate"), EVIDENCE.values(), ids=EVIDENCE)
def test_evidence(frame: bytes, outcome: object, duplicate: bool, phase: str) -> None:
    """5.4.3 and 5.4.4; nothing for a tentative address is ever answered."""
    play = started(seed=2) if phase == "waiting" else probing()
    assert play.sent() == []
    assert play.receive(frame) is outcome
    assert play.address() == ("duplicated" if duplicate else "tentative")
    assert of(play.sent(), NA) == [], "5.4.3: MUST NOT respond"
    play.run(play.now + 10.0)
    assert play.address() == ("duplicated" if duplicate else "preferred")


def test_no_evidence_counts_after_the_verdict() -> None:
    """5.4.4: about an assigned address an advertisement is a conflict that DAD did not find; the address is kept."""
    play = running()
    play.receive(advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"))
    assert play.address() == "preferred"
    (conflict,) = play.told("conflict")
    assert (conflict.address, conflict.mac) == (ip(OUR_LINK_LOCAL), PEER_MAC)  # type: ignore[union-attr]
    assert play.sent() == []


def test_our_address_as_source_of_a_solicitation_is_a_conflict() -> None:
    play = running()
    play.add_address(GLOBAL, nodad=True)
    play.sent()
    frame = solicitation(OUR_LINK_LOCAL, source=GLOBAL)
    assert play.receive(frame) is Discard.SOURCE_OURS
    (conflict,) = play.told("conflict")
    assert (conflict.address, conflict.mac) == (ip(GLOBAL), PEER_MAC)  # type: ignore[union-attr]
    assert play.sent() == [] and play.neighbour(GLOBAL) is None


@pytest.mark.parametrize(
    "frame",
    [
        advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O", mac=OUR_MAC),
        solicitation(OUR_LINK_LOCAL, source=OUR_LINK_LOCAL, mac=OUR_MAC),
    ],
    ids=["NA", "NS"],
)
def test_our_own_frame_reflected_is_no_conflict(frame: bytes) -> None:
    play = running()
    assert play.receive(frame) is Discard.OWN_FRAME
    assert play.told("conflict") == [] and play.sent() == []


def test_anycast_addresses_have_no_conflicts() -> None:
    """RFC 4861 7.2.7: others advertise it rightly."""
    play = running()
    play.add_address(GLOBAL, anycast=True)
    play.receive(advertisement(GLOBAL, destination="ff02::1", flags=""))
    assert play.told("conflict") == []


# -- own probes looped back


def looped(probe: Sent) -> bytes:
    """The very frame again, as a hub or a switch in trouble gives it back."""
    return probe.frame


def test_own_probe_is_no_duplicate_and_three_more_follow() -> None:
    """RFC 7527 4.1: MAX_MULTICAST_SOLICIT (3) more, RetransTimer apart; unique if none of those comes back."""
    play = running()
    begin = play.now
    play.add_address(GLOBAL)
    (probe,) = probes(play.sent(), GLOBAL)
    assert play.receive(looped(probe)) is Discard.ND_OWN_PROBE
    play.run(begin + 3.999)
    assert [each.time - begin for each in probes(play.sent(), GLOBAL)] == [1.0, 2.0, 3.0]
    assert play.address(GLOBAL) == "tentative"
    play.run(begin + 4.0)
    assert play.address(GLOBAL) == "preferred"


def test_probing_goes_on_while_the_link_loops() -> None:
    """RFC 7527 4.1: it stops when no probe is looped back; memory stays bounded however long that takes."""
    play = running()
    begin = play.now
    play.add_address(GLOBAL)
    for second in range(600):
        for probe in probes(play.sent(), GLOBAL):
            assert play.receive(looped(probe)) is Discard.ND_OWN_PROBE
        assert play.address(GLOBAL) == "tentative"
        play.run(begin + second + 1)
    play.sent()
    play.run(play.now + 4.0)
    assert play.address(GLOBAL) == "preferred", "the loop is gone"


def test_a_late_echo_of_an_earlier_probe_is_recognised() -> None:
    """RFC 7527 4.2: compared with any nonce stored for the address."""
    play = running(dad_transmits=4)
    play.add_address(GLOBAL)
    play.run(play.now + 2.5)
    sent = probes(play.sent(), GLOBAL)
    assert len(sent) == 3
    assert [play.receive(looped(probe)) for probe in sent] == [Discard.ND_OWN_PROBE] * 3


def test_another_addresses_nonce_is_not_ours() -> None:
    """RFC 7527 4.2: the nonce belongs to the address it was sent for."""
    play = running()
    play.add_address(GLOBAL)
    play.add_address("2001:db8::1:77")
    sent = of(play.sent(), NS)
    stolen = nonce_option(nonce_of(next(each for each in sent if each.target == GLOBAL)))
    play.receive(solicitation("2001:db8::1:77", source="::", options=stolen))
    assert (play.address(GLOBAL), play.address("2001:db8::1:77")) == ("tentative", "duplicated")


@pytest.mark.parametrize(("mac", "duplicate"), [(OUR_MAC, False), (PEER_MAC, True)], ids=["ours", "another"])
def test_without_nonces_the_source_mac_tells(mac: bytes, duplicate: bool) -> None:
    """5.4.3: a solicitation from the node itself does not indicate a duplicate."""
    play = probing(enhanced_dad=0)
    play.receive(foreign_probe(mac=mac))
    assert play.address() == ("duplicated" if duplicate else "tentative")


@pytest.mark.parametrize("enhanced", [0, 1])
def test_before_ours_is_sent_every_probe_is_another_nodes(enhanced: int) -> None:
    """5.4.3: a solicitation received before one is sent shows a duplicate, whatever MAC it came from."""
    play = started(enhanced_dad=enhanced)
    play.receive(foreign_probe(mac=OUR_MAC))
    assert play.address() == "duplicated"


def test_a_nonce_from_our_mac_is_not_ours_if_we_send_none() -> None:
    play = probing(enhanced_dad=0)
    play.receive(foreign_probe(mac=OUR_MAC, options=nonce_option(b"123456")))
    assert play.address() == "duplicated"


# -- what a duplicate leads to


def test_a_duplicate_is_not_assigned_and_leaves_its_group() -> None:
    """5.4.5: MUST NOT be assigned. Listed, without its groups, and the rest of the interface works on."""
    play = running()
    play.add_address(GLOBAL)
    play.events.clear()
    play.receive(solicitation(GLOBAL, source="::"))
    assert play.address(GLOBAL) == "duplicated"
    assert [event.state for event in play.told("address")] == ["duplicated"]  # type: ignore[union-attr]
    assert not play.interface.is_assigned(ip(GLOBAL))
    assert ip(GLOBAL_GROUP) not in play.interface.listener.groups
    assert group_mac(ip(GLOBAL_GROUP)) not in play.interface.plan.exact
    play.sent()
    play.run(play.now + 3_600.0)
    assert play.sent(NS) == [] and play.address(GLOBAL) == "duplicated"
    assert not play.interface.disabled
    assert play.receive(solicitation(OUR_LINK_LOCAL)) is Verdict.ANSWERED


def test_the_owner_of_a_duplicate_is_a_neighbour_like_any_other() -> None:
    """5.4.5: the address is not ours, so packets from it, advertisements of it and packets to it are as usual."""
    play = running()
    play.add_address("2001:db8::1", nodad=True)
    play.add_address(GLOBAL)
    play.receive(solicitation(GLOBAL, source="::"))
    play.sent()
    play.ping(GLOBAL)
    (asked,) = play.sent(NS)
    assert asked.target == GLOBAL
    assert play.receive(advertisement(GLOBAL, destination=asked.source)) is Verdict.DELIVERED
    assert play.neighbour(GLOBAL) == "REACHABLE"
    assert play.receive(solicitation("2001:db8::1", source=GLOBAL)) is Verdict.ANSWERED
    assert play.receive(echo_request("2001:db8::1", source=GLOBAL)) is Verdict.ANSWERED
    assert play.told("conflict") == []


def test_a_duplicate_of_the_hardware_derived_address_disables_ipv6() -> None:
    """5.4.5: no IP packet out, those that come in are dropped; everything under way ends."""
    play = Play()
    play.add_address(GLOBAL)
    play.add_address("2001:db8::1", nodad=True)
    play.join("ff05::99")
    play.start(until=None)
    play.run(1.0)
    play.ping("2001:db8::2")
    play.sent()
    play.events.clear()
    play.receive(foreign_probe())
    assert [event.kind for event in play.events if event.kind in ("address", "disabled")] == ["address", "disabled"]
    assert play.interface.disabled
    assert play.address() == "duplicated"
    assert play.address(GLOBAL) == play.address("2001:db8::1") == "tentative"
    for frame in (echo_request("2001:db8::1"), solicitation("2001:db8::1"), foreign_probe()):
        assert play.receive(frame) in (Discard.INTERFACE_DISABLED, Discard.NOT_FOR_US)
    play.run(play.now + 3_600.0)
    assert play.sent() == [], "not send any IP packets"
    assert play.address(GLOBAL) == "tentative", "what was not tested is not unique"
    assert len(play.interface.resolver.cache) == 0


def test_an_address_added_while_disabled_waits() -> None:
    play = probing()
    play.receive(foreign_probe())
    play.add_address(GLOBAL)
    play.add_address("2001:db8::1", nodad=True)
    play.run(play.now + 60.0)
    assert play.address(GLOBAL) == play.address("2001:db8::1") == "tentative"
    assert play.sent() == []


@pytest.mark.parametrize("how", ["restart", "down and up", "another MAC"])
def test_a_disabled_interface_works_again_once_it_starts_over(how: str) -> None:
    play = probing()
    play.receive(foreign_probe())
    assert play.interface.disabled
    if how == "restart":
        play.interface.restart(play.now)
    elif how == "another MAC":
        play.interface.set_mac(bytes.fromhex("02006e000009"), play.now)
    else:
        play.interface.stop(play.now)
        play.interface.start(play.now)
    play.run(play.now + 5.0)
    assert not play.interface.disabled
    address = "fe80::6eff:fe00:9" if how == "another MAC" else OUR_LINK_LOCAL
    assert play.address(address) == "preferred"


def test_an_address_of_the_user_that_is_made_from_the_mac_counts_as_such() -> None:
    """5.4.5: what matters is that the identifier is based on the hardware address."""
    play = Play()
    play.add_address(OUR_LINK_LOCAL)
    play.start(until=None)
    play.receive(foreign_probe())
    assert play.interface.disabled


@pytest.mark.parametrize("mode", [2, 3])
def test_a_duplicate_opaque_address_disables_nothing(mode: int) -> None:
    """5.4.5: not formed from the hardware address: IP operation goes on."""
    play = Play(addr_gen_mode=mode, stable_secret="secret", idgen_retries=0)
    play.add_address(GLOBAL)
    play.start(until=None)
    play.run(1.0)
    (own,) = [each.target for each in play.sent(NS) if each.target != GLOBAL]
    play.receive(solicitation(own, source="::"))
    play.run(play.now + 5.0)
    assert play.address(own) == "duplicated"
    assert not play.interface.disabled
    assert play.address(GLOBAL) == "preferred"


# -- the test ends before its verdict


@pytest.mark.parametrize("phase", ["waiting", "probing"])
def test_removing_the_address_ends_its_test(phase: str) -> None:
    play = started() if phase == "waiting" else probing()
    play.events.clear()
    play.remove_address(OUR_LINK_LOCAL)
    assert [event.state for event in play.told("address")] == ["deleted"]  # type: ignore[union-attr]
    play.sent()
    play.run(play.now + 60.0)
    assert play.sent() == [], "no probe for an address that is gone"
    assert play.address() is None
    assert len(play.host.timers) == 0, "no timer is left"


def test_an_address_removed_and_added_again_is_tested_anew() -> None:
    play = running()
    play.add_address(GLOBAL)
    play.run(play.now + 0.5)
    play.remove_address(GLOBAL)
    play.sent()
    begin = play.now
    play.add_address(GLOBAL)
    play.run(begin + 0.9)
    assert play.address(GLOBAL) == "tentative"
    assert len(probes(play.sent(), GLOBAL)) == 1
    play.run(begin + 1.0)
    assert play.address(GLOBAL) == "preferred"


@pytest.mark.parametrize("phase", ["waiting", "probing"])
def test_down_in_the_middle_of_the_test(phase: str) -> None:
    """Nothing goes on while the interface is down; at `up` the test starts over, with its delay."""
    play = started() if phase == "waiting" else probing()
    play.interface.stop(play.now)
    play.run(play.now + 60.0)
    assert play.sent() == []
    assert len(play.host.timers) == 0
    play.interface.start(play.now)
    play.run(play.now + 1.0)
    frames = play.sent()
    assert [each.kind for each in frames[:2]] == [REPORT, NS]
    play.run(play.now + 1.0)
    assert play.address() == "preferred"


@pytest.mark.parametrize("phase", ["waiting", "probing"])
def test_restart_in_the_middle_of_the_test(phase: str) -> None:
    play = started(dad_transmits=2) if phase == "waiting" else probing(dad_transmits=2)
    play.run(play.now + 0.25)
    play.sent()
    begin = play.now
    play.interface.restart(begin)
    play.settle()
    assert play.sent() == [], "nothing is sent first"
    play.run(begin + 1.0)
    (first,) = probes(play.sent())
    play.run(first.time + 1.999)
    assert [each.time for each in probes(play.sent())] == pytest.approx([first.time + 1.0])
    assert play.address() == "tentative"
    play.run(first.time + 2.0)
    assert play.address() == "preferred"


def test_ready_comes_with_the_report_from_the_valid_address() -> None:
    """RFC 3590 4: once the link-local address is valid the groups are reported from it."""
    play = started()
    play.run(1.0)
    (probe,) = probes(play.sent())
    play.run(probe.time + 1.0)
    frames = play.sent(REPORT)
    assert (frames[-1].time, frames[-1].source, frames[-1].target) == (play.now, OUR_LINK_LOCAL, OUR_GROUP)
