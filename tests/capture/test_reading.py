"""pcap and pcapng: every form, and what becomes of damaged files. They are laid out by hand from the formats."""

import io
import struct
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.capture.files import frames
from stack.capture.linktypes import ethernet_frame, made_mac, untagged
from stack.capture.reading import MAXIMUM_RECORD, Record, records
from stack.errors import UsageError

PACKET = bytes.fromhex("6000000000043a40") + bytes(15) + b"\1" + bytes(15) + b"\2" + b"abcd"
FRAME = b"\2" + bytes(5) + b"\4" + bytes(5) + b"\x86\xdd" + PACKET


def pcap(order: str, magic: int, link: int, *entries: tuple[int, int, bytes]) -> bytes:
    header = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return header + b"".join(struct.pack(order + "IIII", s, f, len(d), len(d)) + d for s, f, d in entries)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)


def enhanced(order: str, number: int, ticks: int, data: bytes) -> bytes:
    return block(order, 6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), 99) + data)


def read(octets: bytes) -> tuple[list[Record], list[str]]:
    said: list[str] = []
    return list(records(io.BytesIO(octets), "it", said.append)), said


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_in_both_octet_orders_with_micro_and_nanoseconds(order: str, magic: int, unit: int) -> None:
    found, said = read(pcap(order, magic, 1, (7, 5, FRAME), (8, 999_999, b"x")))
    assert found == [
        Record(7_000_000_000 + 5 * unit, 1, FRAME, len(FRAME)),
        Record(8_000_000_000 + 999_999 * unit, 1, b"x", 1),
    ]
    assert said == []


def test_pcap_reads_as_dpkt_reads_it() -> None:
    octets = pcap("<", 0xA1B2C3D4, 1, (7, 5, FRAME), (8, 6, FRAME[:30]))
    found, _ = read(octets)
    assert [(round(r.time / 1e9, 6), r.octets) for r in found] == [
        (round(float(time), 6), data) for time, data in dpkt.pcap.Reader(io.BytesIO(octets))
    ]


@pytest.mark.parametrize("order", "<>")
def test_pcapng_in_both_octet_orders_with_all_its_packet_blocks(order: str) -> None:
    resolution = struct.pack(order + "HHB3xHHqHH", 9, 1, 9, 14, 8, 100, 0, 0)
    octets = b"".join(
        (
            section(order),
            interface(order, 1),
            interface(order, 101, resolution),
            enhanced(order, 0, 3_000_001, FRAME),
            block(order, 0x0BAD, b"whatever"),
            enhanced(order, 1, 5, PACKET),
            block(order, 3, struct.pack(order + "I", len(FRAME)) + FRAME),
            block(order, 2, struct.pack(order + "HHIIII", 0, 0, 0, 7, 3, 3) + b"abc"),
        )
    )
    found, said = read(octets)
    assert found == [
        Record(3_000_001_000, 1, FRAME, 99),
        Record(100_000_000_005, 101, PACKET, 99),
        Record(0, 1, FRAME, len(FRAME)),
        Record(7_000, 1, b"abc", 3),
    ]
    assert said == []


def test_a_section_may_turn_the_octet_order_and_forgets_the_interfaces() -> None:
    octets = section("<") + interface("<", 1) + section(">") + interface(">", 228) + enhanced(">", 0, 0, PACKET)
    found, _ = read(octets)
    assert [record.link for record in found] == [228]


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"\0" * 7, "header is cut off"),
        (struct.pack("<IIII", 0, 0, 40, 40) + b"short", "a record is cut off"),
        (struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 1), "claims 4294967295 octets"),
        (struct.pack("<IIII", 0, 0, MAXIMUM_RECORD + 1, 1), "claims"),
    ],
)
def test_a_damaged_pcap_is_read_as_far_as_it_goes(tail: bytes, words: str) -> None:
    found, said = read(pcap("<", 0xA1B2C3D4, 1, (0, 0, FRAME)) + tail)
    assert [record.octets for record in found] == [FRAME]
    assert len(said) == 1
    assert "damaged after 1 frames" in said[0]
    assert words in said[0]


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"\6\0", "a block is cut off"),
        (struct.pack("<II", 6, 8), "claims 8 octets"),
        (struct.pack("<II", 6, 33), "claims 33 octets"),
        (struct.pack("<II", 6, 0xFFFFFFFC), "claims 4294967292 octets"),
        (struct.pack("<II", 0x77, 0xFFFFFFFC) + b"much", "a block is cut off"),
        (enhanced("<", 9, 0, FRAME), "not described"),
        (block("<", 6, b"short"), "too short"),
        (block("<", 6, struct.pack("<IIIII", 0, 0, 0, 500, 500)), "longer than its block"),
        (block("<", 0x0A0D0D0A, b"neither order"), "no octet order"),
    ],
)
def test_a_damaged_pcapng_is_read_as_far_as_it_goes(tail: bytes, words: str) -> None:
    found, said = read(section("<") + interface("<", 1) + enhanced("<", 0, 0, FRAME) + tail)
    assert [record.octets for record in found] == [FRAME]
    assert len(said) == 1
    assert words in said[0]


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a pcap nor a pcapng"):
        read(b"#!/bin/sh")
    with pytest.raises(UsageError, match="cannot be read"):
        list(frames(tmp_path / "nothing", print))


@given(st.binary(max_size=300), st.sampled_from(["pcap", "pcapng"]))
def test_no_file_raises_anything_else(rest: bytes, form: str) -> None:
    start = pcap("<", 0xA1B2C3D4, 1) if form == "pcap" else section("<") + interface("<", 1)
    read(start + rest)


# -- link types


def octets_of(link: int, octets: bytes) -> bytes:
    frame = ethernet_frame(Record(0, link, octets, len(octets)))
    assert frame is not None
    return frame.octets


def made_header(source_mac: bytes | None = None) -> bytes:
    return made_mac(PACKET[24:40]) + (source_mac or made_mac(PACKET[8:24])) + b"\x86\xdd"


@pytest.mark.parametrize(
    ("link", "octets", "mac"),
    [
        (101, PACKET, None),
        (12, PACKET, None),
        (229, PACKET, None),
        (0, struct.pack("<I", 30) + PACKET, None),
        (0, struct.pack(">I", 24) + PACKET, None),
        (108, struct.pack(">I", 28) + PACKET, None),
        (113, struct.pack("!HHH8sH", 0, 1, 6, b"\2abcde", 0x86DD) + PACKET, b"\2abcde"),
        (276, struct.pack("!HHIHBB8s", 0x86DD, 0, 1, 1, 0, 6, b"\2abcde") + PACKET, b"\2abcde"),
    ],
)
def test_packets_of_other_link_types_get_an_ethernet_header(link: int, octets: bytes, mac: bytes | None) -> None:
    assert octets_of(link, octets) == made_header(mac) + PACKET


def test_a_packet_to_a_group_gets_the_mac_of_the_group() -> None:
    to_group = PACKET[:24] + bytes.fromhex("ff020000000000000000000000010002") + PACKET[40:]
    assert octets_of(101, to_group)[:6] == bytes.fromhex("333300010002")


def test_ethernet_stays_as_it_is_and_cut_frames_are_marked() -> None:
    frame = ethernet_frame(Record(5, 1, FRAME, len(FRAME) + 1))
    assert frame == (5, FRAME, True)


@pytest.mark.parametrize("record", [Record(0, 113, b"short", 5), Record(0, 276, b"short", 5), Record(0, 105, b"", 0)])
def test_what_holds_no_frame_is_none(record: Record) -> None:
    assert ethernet_frame(record) is None


def test_records_that_hold_no_frame_are_counted(tmp_path: Path) -> None:
    (tmp_path / "wifi.pcap").write_bytes(pcap("<", 0xA1B2C3D4, 105, (0, 0, b"a"), (0, 0, b"b")))
    said: list[str] = []
    assert list(frames(tmp_path / "wifi.pcap", said.append)) == []
    assert said == ["wifi.pcap: 2 records of link type 105 hold no Ethernet frame and no IP packet"]


def test_tags_are_taken_off() -> None:
    tagged = FRAME[:12] + bytes.fromhex("88a80001") + bytes.fromhex("81000064") + FRAME[12:]
    assert untagged(tagged) == FRAME
    assert untagged(FRAME) == FRAME
    assert untagged(FRAME[:12] + b"\x81\0\0") == FRAME[:12] + b"\x81\0\0"
