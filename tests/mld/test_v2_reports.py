"""Version 2 reports on the link (RFC 3810 5.2): source, destination, fields, what fits into one; scapy as witness."""

import struct

import pytest
from scapy.layers.inet6 import ICMPv6MLDMultAddrRec, ICMPv6MLReport2, IPv6, IPv6ExtHdrHopByHop, RouterAlert
from scapy.layers.l2 import Ether

from stack.mld.filters import SourceFilter
from tests.mld.common import GROUP, OUR_LINK_LOCAL, OUR_SOLICITED_NODE, SOLICITATION, V2_REPORT, Play, ip, is_mld
from tests.mld.version2 import (
    A,
    B,
    ask,
    exclude,
    include,
    joined2,
    listen,
    listening,
    many,
    of,
    quiet,
    ready2,
    said,
    sources_of,
    stop_listening,
    told,
)
from tests.playbook import ALLOW, BLOCK, IS_EX, IS_IN, OUR_MAC, TO_EX, TO_IN, Sent, checksum, records

# 5.2, 5.2.4, RFC 2711 2.1, RFC 2464 7, written down octet by octet: TO_EX (4) of one group without sources. The
# checksum by hand. Pseudo header: fe80 + 6e + feff.. as words: source fe80 0000 0000 0000 0000 6eff fe00 0001, sum
# 26b80; destination ff02 and 0016, sum ff18; length 28 = 1c and next header 3a, sum 56. Message: 8f00, one record
# 0001, 0400 0000, ff05 and 0099: sum 1929f. All together 26b80 + ff18 + 56 + 1929f = 4fd8d; folded fd91; its
# complement 026e.
GOLDEN = bytes.fromhex(
    "333300000016 02006e000001 86dd"
    "60000000 0024 00 01 fe8000000000000000006efffe000001 ff020000000000000000000000000016"
    "3a00 0100 05020000"
    "8f 00 026e 0000 0001"
    "04 00 0000 ff050000000000000000000000000099"
)

HEADERS = 40 + 8
FIXED = 8
RECORD_HEADER = 20


def test_5_2_golden_report_of_90_octets() -> None:
    """5.2: the whole frame of a join."""
    play = ready2()
    play.join(GROUP)
    (sent,) = play.sent()
    assert sent.frame == GOLDEN


def parsed(sent: Sent) -> tuple[IPv6, IPv6ExtHdrHopByHop, ICMPv6MLReport2]:
    """What scapy makes of a frame."""
    frame = Ether(sent.frame)
    return frame[IPv6], frame[IPv6ExtHdrHopByHop], frame[ICMPv6MLReport2]


def reports_of_every_kind() -> list[Sent]:
    """One report of each of the six types, from one host."""
    play = listening(include(A))
    listen(play, include(A, B))
    listen(play, include(A))
    ask(play, GROUP, code=0)
    listen(play, exclude(B))
    listen(play, exclude(A, B), "ff05::1")
    ask(play, code=0)
    stop_listening(play)
    return play.sent()


def test_5_2_scapy_reads_the_same() -> None:
    """5.2: every field as an independent parser sees it."""
    sent = reports_of_every_kind()
    kinds = set()
    for each in sent:
        packet, hop_by_hop, message = parsed(each)
        assert (packet.hlim, packet.tc, packet.fl) == (1, 0, 0), "5: hop limit 1"
        assert [option.value for option in hop_by_hop.options if isinstance(option, RouterAlert)] == [0], "RFC 2711"
        assert (message.type, message.res, message.reserved) == (143, 0, 0), "5.2.1"
        found = []
        # scapy hangs each further record on the one before.
        for number in range(message.records_number):
            record = message.records[0].getlayer(ICMPv6MLDMultAddrRec, number + 1)
            assert record is not None, "5.2.3"
            assert (record.auxdata_len, bytes(record.auxdata)) == (0, b""), "5.2.10"
            assert record.sources_number == len(record.sources), "5.2.7"
            found.append((record.rtype, record.dst, tuple(record.sources)))
            kinds.add(record.rtype)
        assert found == records(each)
    assert kinds == {IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK}, "5.2.12"


def test_5_2_14_destination_and_the_rest_of_the_frame() -> None:
    """5.2.14: FF02::16; 5: link-local source, hop limit 1, router alert; 5.2.2: the checksum."""
    for each in reports_of_every_kind():
        assert is_mld(each)
        assert (each.to, each.destination) == (bytes.fromhex("333300000016"), "ff02::16")
        assert each.frame[6:12] == OUR_MAC
        assert (each.source, each.hop_limit) == (OUR_LINK_LOCAL, 1)
        assert each.packet[40:48] == bytes.fromhex("3a00010005020000")
        assert each.checksum_is_right()
        assert struct.unpack_from("!H", each.packet, 4)[0] == len(each.packet) - 40


# -- 5.2.13


def validity(frames: list[Sent]) -> float:
    (probe,) = [each for each in frames if each.kind == SOLICITATION]
    return probe.time + 1.0


def test_5_2_13_unspecified_until_valid_then_anew() -> None:
    """5.2.13: "::" before there is a valid link-local address; then "new Report messages for all" groups."""
    play = Play(force_mld_version=0).start(until=None)
    play.join(GROUP)
    listen(play, include(A), "ff05::1")
    play.run(30)
    frames = play.sent()
    valid = validity(frames)
    for group, record in ((GROUP, of(TO_EX)), ("ff05::1", of(ALLOW, A, group="ff05::1"))):
        mine = [each for each in frames if each.kind == V2_REPORT and group in {name for _, name, _ in records(each)}]
        assert all(each.source == ("::" if each.time < valid else OUR_LINK_LOCAL) for each in mine)
        assert next(each.time for each in mine if each.source == "::") == 0.0
        anew = [each for each in mine if each.source == OUR_LINK_LOCAL]
        assert anew[0].time == valid
        assert {each for frame in anew for each in records(frame) if each[1] == group} == {record}
        assert len(anew) == 2, "[Robustness Variable] times, as the change from no state to this one (6.1)"
        assert all(each.checksum_is_right() for each in mine)


def test_5_2_13_anew_in_one_report() -> None:
    """5.2.13: all groups together, those of the address included."""
    play = Play(force_mld_version=0, mld_qrv=1).start(until=None)
    for group in many(20):
        play.join(group)
    play.run(30)
    frames = play.sent()
    (anew,) = [each for each in frames if each.kind == V2_REPORT and each.time == validity(frames)]
    assert {name for _, name, _ in records(anew)} == {*many(20), OUR_SOLICITED_NODE}


def test_5_2_13_not_again_for_another_address() -> None:
    """A second link-local address, and a global one, have nothing told anew."""
    play = joined2()
    play.add_address("fe80::2", nodad=True)
    play.add_address("2001:db8::77", nodad=True)
    play.run(play.now + 30)
    assert said(play.sent()) == []


def test_5_2_13_left_before_the_address_was_valid() -> None:
    """What is left is not told anew; its leave is repeated from what is the source then."""
    play = Play(force_mld_version=0).start(until=None)
    play.leave(play.join(GROUP))
    play.run(30)
    frames = play.sent()
    kinds = [kind for time, (kind, _, _) in told(frames)]
    assert kinds == [TO_EX, TO_IN, TO_IN]


def test_5_2_13_report_of_the_solicited_node_group_precedes_the_probe() -> None:
    """RFC 4862 5.4.2, S58 in version 2: after one delay for both, the report first."""
    play = Play(3, force_mld_version=0).start(until=None)
    play.run(3)
    report, probe = play.sent()[:2]
    assert (report.kind, probe.kind) == (V2_REPORT, SOLICITATION)
    assert report.time == probe.time
    assert (report.source, records(report)) == ("::", [of(TO_EX, group=OUR_SOLICITED_NODE)])


# -- 5.2.15

MTUS = (1280, 1500, 9000)


def room(mtu: int) -> int:
    """Octets for records in one report."""
    return mtu - HEADERS - FIXED


def with_mtu(play: Play, mtu: int) -> Play:
    play.interface.set_mtu(mtu)
    return play


@pytest.mark.parametrize("mtu", MTUS)
def test_5_2_15_packed_to_the_mtu(mtu: int) -> None:
    """5.2.15, 6.3 rule 1: as many records as fit: (MTU - 56) / 20 without sources, 72 at 1500."""
    play = with_mtu(joined2(*many(1000)), mtu)
    ask(play, code=0)
    frames = play.sent()
    per_report = room(mtu) // RECORD_HEADER
    assert [len(records(each)) for each in frames] == [per_report] * (1001 // per_report) + [1001 % per_report]
    assert all(len(each.packet) <= mtu for each in frames)
    assert [group for each in frames for _, group, _ in records(each)][1:] == many(1000)


def fitting(mtu: int) -> int:
    """Sources in the longest record that fits: (1500 - 56 - 20) / 16 = 89."""
    return (room(mtu) - RECORD_HEADER) // 16


SPLIT = [
    pytest.param(None, "include", ALLOW, id="5.2.15-ALLOW"),
    pytest.param("include", None, BLOCK, id="5.2.15-BLOCK"),
    pytest.param("exclude", "include", TO_IN, id="5.2.15-TO_IN"),
    pytest.param("include", "include", IS_IN, id="5.2.15-IS_IN"),
]
CUT = [
    pytest.param(None, "exclude", TO_EX, id="5.2.15-TO_EX"),
    pytest.param("exclude", "exclude", IS_EX, id="5.2.15-IS_EX"),
]


def filter_of(mode: str | None, sources: list[str]) -> SourceFilter:
    return include() if mode is None else (include if mode == "include" else exclude)(*sources)


def reported(before: str | None, after: str | None, mtu: int, count: int) -> list[Sent]:
    """The reports of a change, or of a query's answer if there is none, with so many sources."""
    sources = sources_of(count)
    # A change from EXCLUDE of nothing has just the new sources in it.
    play = listening(filter_of(before, [] if before == "exclude" and after == "include" else sources), mtu=mtu)
    with_mtu(play, mtu)
    if before == after:
        ask(play, GROUP, code=0)
    else:
        listen(play, filter_of(after, sources))
    return play.sent()


@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize(("before", "after", "kind"), SPLIT)
def test_5_2_15_split(before: str | None, after: str | None, kind: int, mtu: int) -> None:
    """5.2.15: "split into multiple records; each contains a different subset, and is sent in a separate Report"."""
    most = fitting(mtu)
    for count in (most, most + 1, 1000):
        frames = reported(before, after, mtu, count)
        assert all(len(each.packet) <= mtu for each in frames)
        parts = [records(each) for each in frames]
        assert all(len(part) == 1 for part in parts), "one record in each report"
        assert {part[0][:2] for part in parts} == {(kind, GROUP)}
        assert [len(part[0][2]) for part in parts] == [most] * (count // most) + [count % most] * (count % most > 0)
        assert [source for part in parts for source in part[0][2]] == sources_of(count), "each once"


@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize(("before", "after", "kind"), CUT)
def test_5_2_15_cut(before: str | None, after: str | None, kind: int, mtu: int) -> None:
    """5.2.15: "a single record is sent, with as many source addresses as can fit"."""
    most = fitting(mtu)
    for count in (most, most + 1, 1000):
        (sent,) = reported(before, after, mtu, count)
        ((found, group, sources),) = records(sent)
        assert (found, group, len(sources)) == (kind, GROUP, min(most, count))
        assert len(sent.packet) <= mtu
        assert set(sources) <= set(sources_of(count))


def test_5_2_15_the_same_set_in_each_subsequent_report() -> None:
    """5.2.15: "preferable to report the same set of sources in each subsequent report"."""
    play = ready2(mld_qrv=3)
    listen(play, exclude(*sources_of(500)))
    play.run(play.now + 10)
    ask(play, code=0)
    ask(play, GROUP, code=0)
    play.run(play.now + 10)
    found = said(play.sent())
    assert [kind for kind, _, _ in found] == [TO_EX] * 3 + [IS_EX] * 2
    assert len({sources for _, _, sources in found}) == 1


def test_5_2_15_long_records_among_short_ones() -> None:
    """Every record of the answer is there, in order, none lost at a boundary between reports."""
    play = ready2()
    for number, group in enumerate(many(60)):
        listen(play, include(*sources_of(1 + 7 * number % 200)), group)
    quiet(play)
    ask(play, code=0)
    frames = play.sent()
    assert all(len(each.packet) <= 1500 for each in frames)
    for number, group in enumerate(many(60)):
        found = [source for kind, _, sources in said(frames, group) for source in sources]
        assert found == sources_of(1 + 7 * number % 200)
        assert {kind for kind, _, _ in said(frames, group)} == {IS_IN}
    needed = sum(RECORD_HEADER + 16 * (1 + 7 * number % 200) for number in range(60))
    assert len(frames) <= 2 * needed / room(1500)


@pytest.mark.parametrize(("before", "after"), [(1500, 1280), (1280, 9000)])
def test_mtu_that_changes_between_repeats_and_before_answers(before: int, after: int) -> None:
    """The MTU of the moment counts, for what is repeated and for what is due."""
    play = with_mtu(ready2(mld_qrv=2), before)
    listen(play, include(*sources_of(300)))
    ask(play, code=5000)
    assert max(len(each.packet) for each in play.sent()) <= before
    with_mtu(play, after)
    play.run(play.now + 10)
    frames = play.sent()
    assert fitting(after) == max(len(sources) for _, _, sources in said(frames)) or after == 9000
    assert max(len(each.packet) for each in frames) <= after
    for kind in (ALLOW, IS_IN):
        assert [source for each, _, sources in said(frames) if each == kind for source in sources] == sources_of(300)
    if after == 9000:
        assert len(said(frames)) == 2, "each whole"


def test_changes_of_many_groups_at_once_are_packed() -> None:
    """6.1 with 5.2.15: what changes in one step is told in as few reports as possible, its repeats too."""
    play = ready2(addr_gen_mode=1, mld_qrv=2)
    for group in many(200):
        play.join(group)
    assert play.sent() == []
    start = play.now
    play.add_address("fe80::1", nodad=True)
    play.run(start + 10)
    frames = [each for each in play.sent() if each.kind == V2_REPORT]
    first = [each for each in frames if each.time == start and set(many(200)) & {name for _, name, _ in records(each)}]
    assert len(first) == 3, "72 + 72 + 56"
    for group in many(200):
        assert said(frames, group) == [of(TO_EX, group=group)] * 2


def test_witness_of_the_checksum_is_not_ours() -> None:
    """The plain routine of the playbook agrees with scapy about a report that scapy builds itself."""
    play = ready2()
    play.join(GROUP)
    (sent,) = play.sent()
    frame = Ether(sent.frame)
    del frame[ICMPv6MLReport2].cksum
    assert bytes(frame) == sent.frame, "scapy puts the same checksum in"
    assert checksum(ip(frame[IPv6].src), ip(frame[IPv6].dst), 58, sent.message) == 0
