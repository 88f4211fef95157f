"""SEED section 1: how a report and a Done are made, and where they come from (RFC 2710 3, RFC 3590 4)."""

import struct

import pytest

from stack.discard import Verdict
from tests.mld.common import (
    DONE,
    GLOBAL,
    GROUP,
    OUR_LINK_LOCAL,
    OUR_SOLICITED_NODE,
    QUERY,
    REPORT,
    SOLICITATION,
    Play,
    Sent,
    TwoLinks,
    about,
    ip,
    is_mld,
    joined,
    kinds,
    membership,
    packet,
    query,
    ready,
    record,
    without_address,
)
from tests.playbook import OUR_MAC, advertisement, frame, icmp, solicitation

ALL_ROUTERS_MAC = bytes.fromhex("333300000002")

# RFC 2710 3, RFC 2711 2.1, RFC 2464 3 and 7, written down octet by octet. The checksum by hand: the words of
# the pseudo header add up to 36b70, with type and group to 4ee0e; folded ee12, its complement 11ed.
GOLDEN_REPORT = bytes.fromhex(
    "333300000099 02006e000001 86dd"
    "60000000 0020 00 01 fe8000000000000000006efffe000001 ff050000000000000000000000000099"
    "3a00 0100 05020000"
    "83 00 11ed 0000 0000 ff050000000000000000000000000099"
)


def report_of(play: Play, group: str = GROUP) -> Sent:
    """Join, and the report that this makes."""
    play.join(group)
    (sent,) = play.sent(REPORT)
    return sent


def both_messages() -> list[Sent]:
    """A report and the Done that withdraws it."""
    play = ready()
    play.leave(play.join(GROUP))
    return play.sent()


def test_S09_golden_report_of_86_octets() -> None:
    sent = report_of(ready())
    assert len(sent.frame) == 86
    assert sent.frame == GOLDEN_REPORT


@pytest.mark.parametrize("kind", [REPORT, DONE])
def test_S01_hop_by_hop_header_on_output(kind: int) -> None:
    (sent,) = [each for each in both_messages() if each.kind == kind]
    assert sent.packet[6] == 0, "next header of the IPv6 header"
    assert sent.packet[40:48] == bytes.fromhex("3a00010005020000")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("3a00 05020000 0100", id="alert-then-padn"),
        pytest.param("3a00 0100 05020000", id="padn-then-alert"),
        pytest.param("3a00 00 05020000 00", id="pad1-around-alert"),
        pytest.param("3a01 0104 00000000 05020000 0100 0000", id="longer-padding"),
    ],
)
def test_S01_alert_anywhere_on_input(header: str) -> None:
    play = joined()
    message = icmp("fe80::70ff:fe00:2", "ff02::1", QUERY, 0, bytes(4) + bytes(16))
    octets = packet("fe80::70ff:fe00:2", "ff02::1", bytes.fromhex(header) + message, next_header=0, hop_limit=1)
    assert play.receive(frame(octets)) is Verdict.DELIVERED
    assert kinds(play.sent()) == [REPORT]


def test_S02_hop_limit_is_1() -> None:
    sent = both_messages()
    assert [each.kind for each in sent] == [REPORT, DONE]
    assert [each.hop_limit for each in sent] == [1, 1]


def test_S03_global_address_is_no_source() -> None:
    play = joined()
    play.add_address(GLOBAL, nodad=True)
    play.leave(play.join("ff0e::1"))
    query(play)
    play.run(play.now + 10)
    frames = [each for each in play.sent() if is_mld(each)]
    assert len(frames) > 3
    assert {each.source for each in frames} == {OUR_LINK_LOCAL}


def test_S04_tentative_gives_unspecified() -> None:
    play = Play().start(until=None)
    assert report_of(play).source == "::"


def test_S04_valid_is_the_source() -> None:
    assert report_of(ready()).source == OUR_LINK_LOCAL


def test_S04_first_tentative_second_valid() -> None:
    # The file would use ::, the default takes the address that is valid.
    play = without_address()
    play.add_address("fe80::1")
    play.add_address("fe80::2", nodad=True)
    play.sent()
    assert report_of(play).source == "fe80::2"


def test_S04_first_duplicated_second_valid() -> None:
    play = without_address()
    play.add_address("fe80::1")
    play.receive(solicitation("fe80::1", source="::"))
    play.add_address("fe80::2", nodad=True)
    play.sent()
    assert report_of(play).source == "fe80::2"


def test_S04_anycast_is_never_the_source() -> None:
    play = without_address()
    play.add_address("fe80::1", anycast=True)
    play.sent()
    assert report_of(play).source == "::"
    play.add_address("fe80::2", nodad=True)
    play.sent()
    assert report_of(play, "ff05::98").source == "fe80::2"


def test_S04_first_of_two_valid() -> None:
    play = ready()
    play.add_address("fe80::2", nodad=True)
    play.sent()
    assert report_of(play).source == OUR_LINK_LOCAL


def test_S05_no_link_local_reports_from_unspecified() -> None:
    play = without_address()
    play.add_address(GLOBAL, nodad=True)
    play.sent()
    assert report_of(play).source == "::"


def test_S05_only_a_duplicated_link_local() -> None:
    play = without_address()
    play.add_address("fe80::1")
    play.receive(advertisement("fe80::1", destination="ff02::1", flags="O"))
    play.sent()
    assert report_of(play).source == "::"


def validity(frames: list[Sent]) -> float:
    """When the address is valid: RetransTimer, 1 s, after the one probe (RFC 4862 5.4)."""
    (probe,) = [each for each in frames if each.kind == SOLICITATION]
    return probe.time + 1.0


def test_S06_reported_again_once_valid() -> None:
    play = Play().start(until=None)
    play.join(GROUP)
    play.run(30)
    frames = play.sent()
    valid = validity(frames)
    for group in (GROUP, OUR_SOLICITED_NODE):
        at_once = [(kind, source) for time, kind, source in about(frames, group) if time == valid]
        assert at_once == [(REPORT, OUR_LINK_LOCAL)], group
        for time, _, source in about(frames, group):
            assert source == ("::" if time < valid else OUR_LINK_LOCAL), group


def test_S06_repeats_go_on_beside_it() -> None:
    # "The counts of S16 are for a join after DAD; a join during DAD has S06's report in addition."
    play = Play().start(until=None)
    play.join(GROUP)
    play.run(30)
    assert kinds(play.sent()) == [REPORT, REPORT, REPORT]


def test_S06_delayed_join_is_not_hastened() -> None:
    play = Play().start(until=None)
    play.join(GROUP, delay=5.0)
    play.run(30)
    times = [time for time, _, _ in about(play.sent())]
    assert times[0] == 5.0
    assert len(times) == 2


def test_S06_report_precedes_the_probe_for_its_address() -> None:
    # RFC 3590 3: a switch that snoops must know the port before the probe's answer is to come through it.
    for seed in range(50):
        play = Play(seed).start(until=None)
        play.run(30)
        frames = play.sent()
        assert [each.kind for each in frames[:2]] == [REPORT, SOLICITATION]
        assert frames[0].target == OUR_SOLICITED_NODE
        assert frames[0].source == "::"
        assert frames[0].time == frames[1].time


@pytest.mark.parametrize("interval", [0, 500])
def test_S06_repeats_during_detection_are_from_unspecified(interval: int) -> None:
    play = Play(mldv1_unsolicited_report_interval=interval, mld_qrv=4).start(until=None)
    play.run(30)
    frames = play.sent()
    valid = validity(frames)
    early = [source for time, _, source in about(frames, OUR_SOLICITED_NODE) if time < valid]
    assert len(early) >= 3
    assert set(early) == {"::"}


def test_S06_address_that_is_not_tested_is_the_source_at_once() -> None:
    play = without_address()
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 20)
    assert [source for _, _, source in about(play.sent(), OUR_SOLICITED_NODE)] == ["fe80::1", "fe80::1"]


def test_S06_no_detection_at_all() -> None:
    play = Play(dad_transmits=0)
    play.join(GROUP)
    play.start(until=None)
    play.run(20)
    frames = play.sent()
    for group in (GROUP, OUR_SOLICITED_NODE):
        assert [source for _, _, source in about(frames, group)] == [OUR_LINK_LOCAL, OUR_LINK_LOCAL], group


def test_S06_not_again_for_a_second_link_local() -> None:
    play = joined()
    play.add_address("fe80::2")
    play.run(play.now + 20)
    assert kinds(play.sent()) == []


def test_S07_report_goes_to_the_group_and_done_to_all_routers() -> None:
    report, done = both_messages()
    assert (report.destination, report.target) == (GROUP, GROUP)
    assert report.to == bytes.fromhex("333300000099")
    assert (done.destination, done.target) == ("ff02::2", GROUP)
    assert done.to == ALL_ROUTERS_MAC


@pytest.mark.parametrize("group", ["ff02::99", "ff02::1:ff00:77"])
def test_S08_no_zone_inside_the_address(group: str) -> None:
    play = ready()
    assert play.interface.index > 1
    sent = report_of(play, group)
    assert sent.message[8:24] == ip(group)
    assert sent.message[10:12] == b"\0\0"
    assert sent.packet[26:28] == b"\0\0"
    assert sent.checksum_is_right()


def test_S09_fields_that_are_zero() -> None:
    for sent in both_messages():
        assert struct.unpack("!IHBB", sent.packet[:8]) == (6 << 28, 32, 0, 1)
        assert len(sent.packet) == 72
        assert sent.message[1] == 0, "code"
        assert sent.message[4:8] == bytes(4), "maximum response delay and reserved"


@pytest.mark.parametrize("tentative", [True, False])
def test_S10_checksum_with_the_source_that_is_sent(tentative: bool) -> None:
    play = Play().start(until=None) if tentative else ready()
    sent = report_of(play)
    assert sent.source == ("::" if tentative else OUR_LINK_LOCAL)
    assert sent.checksum_is_right()


def test_S11_own_reports_do_not_come_back() -> None:
    play = ready()
    before = dict(play.host.counters.outcomes), list(play.host.counters.icmp_in)
    play.join(GROUP)
    play.run(play.now + 20)
    assert kinds(play.sent()) == [REPORT, REPORT]
    assert (play.host.counters.outcomes, play.host.counters.icmp_in) == before
    assert record(play).last_reporter


def test_S12_each_message_is_counted_once() -> None:
    play = ready()
    reports, dones = play.host.counters.icmp_out[REPORT], play.host.counters.icmp_out[DONE]
    play.join(GROUP)
    assert play.host.counters.icmp_out[REPORT] == reports + 1
    play.leave(membership(play))
    assert play.host.counters.icmp_out[DONE] == dones + 1


def test_S12_a_link_that_takes_nothing_counts_a_drop() -> None:
    play = ready(tx_queue_len=1)
    # The same MAC, so that no filter is programmed between the two reports.
    play.interface.listener.join(ip("ff02::99"), play.now)
    before = play.host.counters.icmp_out[REPORT], play.host.counters.out_discards
    full = play.host.counters.limits.get("tx_queue_len", 0)
    play.interface.listener.join(ip(GROUP), play.now)
    assert play.host.counters.icmp_out[REPORT] == before[0]
    assert play.host.counters.out_discards == before[1] + 1
    assert play.host.counters.limits["tx_queue_len"] == full + 1


def test_S13_only_on_the_interface_of_the_join() -> None:
    two = TwoLinks()
    first, second = two.links
    first.listener.join(ip(GROUP), two.now)
    frames = two.run(two.now + 20)
    assert [interface.name for interface, _ in frames] == [first.name] * 2
    second.listener.join(ip(GROUP), two.now)
    frames = two.run(two.now + 20)
    assert [interface.name for interface, _ in frames] == [second.name] * 2


def test_S13_source_is_of_the_interface() -> None:
    two = TwoLinks()
    for interface in two.links:
        interface.listener.join(ip(GROUP), two.now)
    for interface, sent in two.run(two.now + 20):
        assert sent.source == ("fe80::6eff:fe00:1" if interface is two.links[0] else "fe80::6eff:fe00:2")
        assert sent.frame[6:12] == interface.mac


def test_S09_every_frame_is_from_our_mac() -> None:
    assert {each.frame[6:12] for each in both_messages()} == {OUR_MAC}
