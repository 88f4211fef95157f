"""Counters: Linux's names with the meaning of RFC 4293, one outcome per frame, every discard under its own reason."""

import struct
from pathlib import Path

import pytest

from stack.counters import ICMP_NAMES, Counters
from stack.discard import Discard, Verdict
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    Play,
    advertisement,
    echo_request,
    frame,
    icmp,
    ip,
    mld_message,
    packet,
    solicitation,
)


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.sent()
    return play


def message(payload: bytes, **options: int) -> bytes:
    """A frame from our peer to us."""
    return frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, payload, **options))


def changed(play: Play, octets: bytes) -> dict[str, int]:
    """Which counters a frame changes, and by how much."""
    before = play.host.counters.as_dict()
    play.receive(octets)
    after = play.host.counters.as_dict()
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}


def with_wrong_checksum() -> bytes:
    octets = bytearray(echo_request())
    octets[56] ^= 0x55
    return bytes(octets)


BAD_VERSION = bytearray(echo_request())
BAD_VERSION[14] = 0x40

LINUX_NAMES = {
    "version (RFC 4293 ipSystemStatsInHdrErrors)": (bytes(BAD_VERSION), "Ip6InHdrErrors"),
    "truncated (ipSystemStatsInTruncatedPkts)": (message(bytes(8), length=9), "Ip6InTruncatedPkts"),
    "not our address (ipSystemStatsInAddrErrors)": (echo_request("fe80::dead"), "Ip6InAddrErrors"),
    "unknown next header (ipSystemStatsInUnknownProtos)": (message(b"", next_header=253), "Ip6InUnknownProtos"),
    "wrong checksum": (with_wrong_checksum(), "Icmp6InCsumErrors"),
    "wrong checksum (icmpStatsInErrors)": (with_wrong_checksum(), "Icmp6InErrors"),
    "wrong checksum (icmpStatsInMsgs includes those in error)": (with_wrong_checksum(), "Icmp6InMsgs"),
    "short message (icmpStatsInErrors)": (message(b"\x80\x00"), "Icmp6InErrors"),
    "short message (icmpStatsInMsgs includes those in error)": (message(b"\x80\x00"), "Icmp6InMsgs"),
    "any packet": (echo_request(), "Ip6InReceives"),
    "delivered": (echo_request(), "Ip6InDelivers"),
    "octets are those of the packet": (echo_request(), "Ip6InOctets"),
    "echo request": (echo_request(), "Icmp6InEchos"),
    "by number too": (echo_request(), "Icmp6InType128"),
    "reply": (echo_request(), "Icmp6OutEchoReplies"),
    "reply by number": (echo_request(), "Icmp6OutType129"),
    "packets out": (echo_request(), "Ip6OutRequests"),
    "solicitation": (solicitation(OUR_LINK_LOCAL), "Icmp6InNeighborSolicits"),
    "advertisement out": (solicitation(OUR_LINK_LOCAL), "Icmp6OutNeighborAdvertisements"),
    "to a group": (solicitation(OUR_LINK_LOCAL), "Ip6InMcastPkts"),
    "query": (mld_message(130, "::"), "Icmp6InGroupMembQueries"),
    "report": (mld_message(131, "ff02::1:ff00:1"), "Icmp6InGroupMembResponses"),
    "parameter problem out": (message(b"", next_header=253), "Icmp6OutParmProblems"),
}


@pytest.mark.parametrize(("octets", "name"), LINUX_NAMES.values(), ids=LINUX_NAMES)
def test_linux_names(play: Play, octets: bytes, name: str) -> None:
    """RFC 4293 and /proc/net/snmp6: the counter of that name counts this packet."""
    expected = len(octets) - 14 if name == "Ip6InOctets" else 1
    assert changed(play, octets).get(name) == expected


def test_unknown_informational_is_no_error(play: Play) -> None:
    """RFC 4443 2.4 (b) discards it in silence; Linux has it in InMsgs and its type, not in InErrors."""
    octets = message(icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 200, 0, bytes(4)))
    found = changed(play, octets)
    assert found["Icmp6InType200"] == 1
    assert found["Icmp6InMsgs"] == 1
    assert "Icmp6InErrors" not in found


@pytest.mark.skipif(not Path("/proc/net/snmp6").exists(), reason="no Linux to compare with")
def test_names_are_those_of_this_kernel() -> None:
    """What is called Ip6..., Icmp6... or Udp6... here is a name of /proc/net/snmp6."""
    lines = Path("/proc/net/snmp6").read_text().split("\n")
    kernel = {line.split()[0] for line in lines if line}
    ours = {name for name in Counters().as_dict() if name.startswith(("Ip6", "Icmp6", "Udp6"))}
    assert ours - kernel == set()


def test_every_icmp_type_is_counted_by_number() -> None:
    """RFC 4293 icmpMsgStatsTable: one row for each type seen."""
    counters = Counters()
    for number in range(256):
        counters.icmp_in[number] = number + 1
    table = counters.as_dict()
    assert all(table[f"Icmp6InType{number}"] == number + 1 for number in range(256))
    assert table["Icmp6InMsgs"] == sum(range(257))
    assert all(table[f"Icmp6In{name}"] == number + 1 for number, name in ICMP_NAMES.items())


@pytest.mark.parametrize("reason", list(Discard), ids=lambda reason: reason.name)
def test_every_reason_has_a_clause_a_text_and_a_counter_of_its_own(reason: Discard) -> None:
    """DESIGN rule 5: a reason is named, has its clause, and is counted under its own name and Linux's."""
    counters = Counters()
    before = counters.as_dict()
    counters.outcomes[reason] += 1
    after = counters.as_dict()
    named = {f"Discard{reason.label}"} | ({reason.counter} if reason.counter else set())
    assert reason.clause and reason.text
    assert {name for name in after if after[name] != before[name]} >= named
    assert [name for name in after if name.startswith("Discard") and after[name]] == [f"Discard{reason.label}"]


def test_reasons_are_distinct() -> None:
    """Enum members with equal values would be one: each has its own text."""
    assert len({reason.text for reason in Discard}) == len(Discard)
    assert len({reason.label for reason in Discard}) == len(Discard)


FRAMES = {
    "empty": b"",
    "runt": bytes(13),
    "not for us": echo_request()[6:12] + echo_request()[6:],
    "not IPv6": OUR_MAC + bytes.fromhex("020070000002 0800") + bytes(46),
    "IPv6 of no length": OUR_MAC + bytes.fromhex("020070000002 86dd"),
    "version": bytes(BAD_VERSION),
    "checksum": with_wrong_checksum(),
    "martian": echo_request(source="::1"),
    "answered": echo_request(),
    "delivered": advertisement(PEER_LINK_LOCAL),
    "query": mld_message(130, "::"),
    "unknown option": message(struct.pack("!BB", 58, 0) + bytes.fromhex("9e0400000000"), next_header=60),
}


@pytest.mark.parametrize("octets", FRAMES.values(), ids=FRAMES)
def test_one_outcome_per_frame(play: Play, octets: bytes) -> None:
    """DESIGN rule 5: every frame ends in exactly one outcome and is counted there once."""
    counters = play.host.counters
    before, frames = dict(counters.outcomes), counters.frames_in
    outcome = play.receive(octets)
    rise = {each: count - before[each] for each, count in counters.outcomes.items() if count != before[each]}
    assert rise == {outcome: 1}
    assert counters.frames_in == frames + 1
    assert isinstance(outcome, Verdict | Discard)


def test_limits_are_counted_under_the_name_of_their_setting() -> None:
    """DESIGN rule 6: a counter for what a bound cost."""
    play = Play(gc_thresh3=2).start()
    for number in range(1, 6):
        play.receive(solicitation(OUR_LINK_LOCAL, source=f"fe80::{number:x}"))
    assert len(play.interface.resolver.cache) == 2
    assert play.host.counters.as_dict()["Limit_gc_thresh3"] == 3


def test_multicast_out() -> None:
    """Reports and probes of the start go to groups."""
    play = Play().start(until=None)
    play.run(20.0)
    sent = play.sent()
    table = play.host.counters.as_dict()
    assert table["Ip6OutMcastPkts"] == table["Ip6OutRequests"] == table["FramesOut"] == len(sent) > 0
    assert table["Ip6OutOctets"] == sum(len(each.packet) for each in sent)
    assert table["Icmp6OutNeighborSolicits"] == sum(each.kind == 135 for each in sent)
    assert table["Icmp6OutGroupMembResponses"] == sum(each.kind == 131 for each in sent)
    assert all(ip(each.destination)[0] == 0xFF for each in sent)


@pytest.mark.parametrize(
    ("bits", "name"),
    [(0, "Ip6InNoECTPkts"), (1, "Ip6InECT1Pkts"), (2, "Ip6InECT0Pkts"), (3, "Ip6InCEPkts")],
)
def test_congestion_bits(play: Play, bits: int, name: str) -> None:
    """RFC 3168 5: the last two bits of the traffic class; the same packets again and again are counted alike."""
    octets = bytearray(echo_request())
    octets[15] = bits << 4
    for _ in range(3):
        difference = changed(play, bytes(octets))
        assert {each for each in difference if each.startswith("Ip6In") and each.endswith("Pkts")} == {name}
        assert difference[name] == 1


def test_multicast_octets(play: Play) -> None:
    """RFC 4293: octets of IPv6, headers included."""
    octets = solicitation(OUR_LINK_LOCAL)
    assert changed(play, octets)["Ip6InMcastOctets"] == len(octets) - 14
    before = play.host.counters.as_dict()["Ip6OutMcastOctets"]
    play.sent()
    play.join("ff05::77")
    (report,) = play.sent(131)
    assert play.host.counters.as_dict()["Ip6OutMcastOctets"] == before + len(report.packet)


def test_a_reply_without_a_way(play: Play) -> None:
    octets = frame(packet("2001:db8:9::9", OUR_LINK_LOCAL, icmp("2001:db8:9::9", OUR_LINK_LOCAL, 128, 0, bytes(8))))
    assert changed(play, octets)["Icmp6OutErrors"] == 1
