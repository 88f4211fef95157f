"""MLD version 2 messages against the pictures of RFC 3810 5, and against scapy, which knows nothing of this code."""

import struct

import pytest
from construct import Container
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    Ether,
    ICMPv6MLDMultAddrRec,
    ICMPv6MLQuery2,
    ICMPv6MLReport2,
    IPv6,
    IPv6ExtHdrHopByHop,
    RouterAlert,
)

from stack.wire import mldpacket, mldv2
from stack.wire.checksum import with_checksum
from stack.wire.mldv2 import Query, Record
from tests.playbook import ip

GROUP = ip("ff05::1:3")
OTHER = ip("ff15::cafe")
S1, S2 = ip("2001:db8::1"), ip("2001:db8::2")
ROUTER = ip("fe80::1")
ROUTER_MAC = bytes.fromhex("02000000000a")

# RFC 3810 5.1, picture by picture: type, code, checksum; code, reserved; address; flags, QQIC, number; sources.
QUERY = bytes.fromhex(
    "82 00 0000  2710 0000"
    "ff050000000000000000000000010003"
    "0a 7d 0002"
    "20010db8000000000000000000000001"
    "20010db8000000000000000000000002"
)
# 5.2: type, reserved, checksum; reserved, number of records; then records of 5.2.4.
REPORT = bytes.fromhex(
    "8f 00 0000  0000 0002"
    "04 00 0000  ff050000000000000000000000010003"
    "06 01 0001  ff15000000000000000000000000cafe  20010db8000000000000000000000001  01020304"
)
RECORDS = (Record(4, GROUP), Record(6, OTHER, (S1,), b"\x01\x02\x03\x04"))


def test_a_query_is_the_picture() -> None:
    built = mldv2.query(GROUP, (S1, S2), response_code=10_000, suppress=True, robustness=2, interval_code=125)
    assert built == QUERY
    assert mldv2.parse_query(QUERY) == Query(2, 10_000, GROUP, True, 2, 125, (S1, S2))


def test_a_query_of_24_octets_is_of_version_1_and_its_delay_is_linear() -> None:
    # RFC 3810 8.1 and 8.2.1
    assert mldv2.parse_query(bytes.fromhex("82 00 0000 ffff 0000") + GROUP) == Query(1, 0xFFFF, GROUP)


def test_a_report_is_the_picture() -> None:
    assert mldv2.report(RECORDS) == REPORT
    assert mldv2.parse_report(REPORT) == RECORDS


def test_a_robustness_above_seven_is_sent_as_zero() -> None:
    # 5.1.8
    for robustness, flags in ((7, 7), (8, 0), (255, 0)):
        assert mldv2.query(GROUP, response_code=0, robustness=robustness)[24] == flags


@pytest.mark.parametrize("length", [*range(24), 25, 26, 27])
def test_queries_of_no_version(length: int) -> None:
    # 8.1: neither 24 octets nor 28 and more
    assert mldv2.parse_query(QUERY[:length]) is None


@pytest.mark.parametrize("length", range(28, len(QUERY)))
def test_a_query_whose_sources_are_cut_is_none(length: int) -> None:
    assert mldv2.parse_query(QUERY[:length]) is None


@pytest.mark.parametrize("length", range(len(REPORT)))
def test_a_report_that_is_cut_is_none(length: int) -> None:
    assert mldv2.parse_report(REPORT[:length]) is None


def test_octets_behind_the_last_field_are_ignored() -> None:
    # 5.1.12, 5.2.11
    assert mldv2.parse_query(QUERY + b"more") == mldv2.parse_query(QUERY)
    assert mldv2.parse_report(REPORT + b"more") == RECORDS


def test_a_count_that_cannot_be_true_costs_nothing() -> None:
    head = struct.pack("!BBHHH", 143, 0, 0, 0, 65_535)
    assert mldv2.parse_report(head + bytes(20 * 100)) is None
    assert mldv2.parse_report(head[:6] + b"\0\1" + struct.pack("!BBH", 1, 0, 65_535) + GROUP) is None
    assert mldv2.parse_report(head[:6] + b"\0\1" + struct.pack("!BBH", 1, 255, 0) + GROUP) is None


class TestCodes:
    """RFC 3810 5.1.3 and 5.1.9, both ways; 9.8: the exact value, or the next lower."""

    @pytest.mark.parametrize(
        ("delay", "code"),
        [
            *((-1, 0), (0, 0), (1, 1), (32_767, 0x7FFF), (32_768, 0x8000), (32_775, 0x8000), (32_776, 0x8001)),
            # (0xfff | 0x1000) << 3 = 65,528, and the next is (0 | 0x1000) << 4 = 65,536
            *((65_528, 0x8FFF), (65_535, 0x8FFF), (65_536, 0x9000), (65_551, 0x9000), (65_552, 0x9001)),
            *((8_387_583, 0xFFFE), (8_387_584, 0xFFFF), (10**9, 0xFFFF)),
        ],
    )
    def test_maximum_response_code(self, delay: int, code: int) -> None:
        assert mldv2.maximum_response_code(delay) == code

    @pytest.mark.parametrize(
        ("interval", "code"),
        [
            *((-1, 0), (0, 0), (125, 125), (127, 127), (128, 0x80), (135, 0x80), (136, 0x81)),
            # (0xf | 0x10) << 3 = 248, and the next is 0x10 << 4 = 256
            *((248, 0x8F), (255, 0x8F), (256, 0x90), (31_743, 0xFE), (31_744, 0xFF), (10**9, 0xFF)),
        ],
    )
    def test_query_interval_code(self, interval: int, code: int) -> None:
        assert mldv2.query_interval_code(interval) == code

    def test_every_code_comes_back(self) -> None:
        for code in range(1 << 16):
            assert mldv2.maximum_response_code(mldv2.maximum_response_delay(code)) == code
        for code in range(1 << 8):
            assert mldv2.query_interval_code(mldv2.query_interval(code)) == code


ADDRESSES = st.binary(min_size=16, max_size=16)
SOURCES = st.lists(ADDRESSES, max_size=4).map(tuple)
AUXILIARY = st.integers(0, 3).flatmap(lambda words: st.binary(min_size=4 * words, max_size=4 * words))
RECORD = st.builds(Record, st.integers(0, 255), ADDRESSES, SOURCES, AUXILIARY)


class TestWitnesses:
    """The construct declarations judge the fast paths, and scapy judges both."""

    @given(st.lists(RECORD, max_size=5), st.integers(0, 255))
    def test_reports(self, records: list[Record], code: int) -> None:
        built = mldv2.report(records, code=code)
        assert mldv2.parse_report(built) == tuple(records)
        parsed = mldv2.REPORT_MESSAGE.parse(built)
        assert parsed.number_of_records == len(records)
        assert parsed.code == code
        for one, other in zip(parsed.records, records, strict=True):
            assert (one.record_type, one.multicast_address) == (other.type, other.group)
            assert (tuple(one.sources), one.auxiliary_data) == (other.sources, other.auxiliary)

    @given(ADDRESSES, SOURCES, st.integers(0, 0xFFFF), st.booleans(), st.integers(0, 7), st.integers(0, 255))
    def test_queries(
        self, group: bytes, sources: tuple[bytes, ...], code: int, suppress: bool, robustness: int, interval: int
    ) -> None:
        built = mldv2.query(
            group, sources, response_code=code, suppress=suppress, robustness=robustness, interval_code=interval
        )
        fields = Container(
            type=130,
            code=0,
            checksum=0,
            maximum_response_delay=code,
            reserved=0,
            multicast_address=group,
            flags_and_qrv=suppress << 3 | robustness,
            qqic=interval,
            number_of_sources=len(sources),
            sources=sources,
        )
        assert mldv2.QUERY_MESSAGE.build(fields) == built
        parsed = mldv2.parse_query(built)
        assert parsed is not None
        assert parsed.delay == mldv2.maximum_response_delay(code)
        assert parsed.interval == mldv2.query_interval(interval)
        assert parsed[2:5] == (group, suppress, robustness)
        assert parsed.sources == sources

    def test_scapy_builds_the_same_query(self) -> None:
        message = mldv2.query(GROUP, (S1, S2), response_code=10_000, suppress=True, robustness=2, interval_code=125)
        ours = mldpacket.frame(with_checksum(ROUTER, GROUP, message), ROUTER, GROUP, ROUTER_MAC)
        theirs = (
            Ether(dst="33:33:00:01:00:03", src="02:00:00:00:00:0a")
            / IPv6(src="fe80::1", dst="ff05::1:3", hlim=1)
            / IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])
            / ICMPv6MLQuery2(
                mladdr="ff05::1:3", mrd=10_000, S=1, QRV=2, QQIC=125, sources=["2001:db8::1", "2001:db8::2"]
            )
        )
        # Padding stands before the alert here and behind it there, and both are legal.
        assert ours[:54] == bytes(theirs)[:54]
        assert ours[62:] == bytes(theirs)[62:]

    def test_scapy_reads_our_report(self) -> None:
        all_routers = ip("ff02::16")
        message = mldv2.report((Record(6, OTHER, (S1, S2)),))
        ours = mldpacket.frame(with_checksum(ROUTER, all_routers, message), ROUTER, all_routers, ROUTER_MAC)
        packet = Ether(ours)
        assert packet.dst == "33:33:00:00:00:16"
        # Of a report with more than one record scapy reads the first alone.
        (record,) = packet[ICMPv6MLReport2].records
        assert (record.rtype, record.dst, record.sources) == (6, "ff15::cafe", ["2001:db8::1", "2001:db8::2"])

    def test_scapy_builds_the_same_report(self) -> None:
        message = mldv2.report((Record(4, GROUP), Record(6, OTHER, (S1, S2))))
        theirs = ICMPv6MLReport2(
            records=[
                ICMPv6MLDMultAddrRec(rtype=4, dst="ff05::1:3"),
                ICMPv6MLDMultAddrRec(rtype=6, dst="ff15::cafe", sources=["2001:db8::1", "2001:db8::2"]),
            ]
        )
        assert bytes(theirs)[4:] == message[4:]


class TestPacket:
    """The frame around a message, and what is no frame with one."""

    MESSAGE = with_checksum(ROUTER, GROUP, QUERY)

    def test_what_is_built_is_found(self) -> None:
        octets = mldpacket.frame(self.MESSAGE, ROUTER, GROUP, ROUTER_MAC)
        packet = mldpacket.parse(octets + bytes(6))
        assert packet is not None
        assert packet == (ROUTER_MAC, bytes.fromhex("333300010003"), ROUTER, GROUP, 1, True, True, self.MESSAGE)

    def test_every_field_is_settable(self) -> None:
        octets = mldpacket.frame(QUERY, bytes(16), S1, ROUTER_MAC, hop_limit=255, router_alert=False)
        packet = mldpacket.parse(octets)
        assert packet is not None
        assert (packet.hop_limit, packet.router_alert, packet.intact) == (255, False, False)
        assert packet.destination_mac == b"\xff" * 6

    @pytest.mark.parametrize(
        ("header", "alert"),
        [
            ("3a00 0502 0000 0100", True),
            ("3a00 0100 0502 0000", True),
            ("3a00 0502 0001 0000", True),
            ("3a00 0104 0000 0000", False),
            ("3a00 0503 0000 0000", None),  # RFC 2711 2.1: two octets
            ("3a00 0105 0000 0000", None),  # runs past the header
            ("3a00 c200 0502 0000", None),  # unknown, and asks for a discard (RFC 8200 4.2)
            ("3a00 1e00 0502 0000", True),  # unknown, and asks to be skipped
            ("3a01 0502 0000 0100", None),  # a header longer than the packet has
            ("0600 0502 0000 0100", None),  # TCP follows
        ],
    )
    def test_options(self, header: str, alert: bool | None) -> None:
        octets = mldpacket.frame(self.MESSAGE, ROUTER, GROUP, ROUTER_MAC)
        changed = octets[:54] + bytes.fromhex(header) + octets[62:]
        if header.startswith("3a01"):
            changed = changed[:18] + b"\x00\x08" + changed[20:62]
        packet = mldpacket.parse(changed)
        assert (packet.router_alert if packet else None) == alert

    @given(st.binary(max_size=200))
    @example(b"")
    def test_any_octets(self, octets: bytes) -> None:
        mldpacket.parse(octets)
        head = mldpacket.frame(b"", ROUTER, GROUP, ROUTER_MAC)
        mldpacket.parse(head[:18] + struct.pack("!H", len(octets)) + head[20:54] + octets)
        mldv2.parse_query(octets)
        mldv2.parse_report(octets)

    @given(st.data())
    def test_any_damage(self, data: st.DataObject) -> None:
        octets = bytearray(mldpacket.frame(self.MESSAGE, ROUTER, GROUP, ROUTER_MAC))
        for _ in range(data.draw(st.integers(1, 4))):
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
        packet = mldpacket.parse(cut)
        if packet is not None:
            assert len(packet.message) <= len(cut)
            mldv2.parse_query(packet.message)
            mldv2.parse_report(packet.message)
