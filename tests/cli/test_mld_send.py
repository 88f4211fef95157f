"""`sixtap mld send`: the octets of each message as RFC 2710 3 and RFC 3810 5 draw it, each field set, wrong words."""

import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.inet6 import ICMPv6MLDone, ICMPv6MLQuery2, ICMPv6MLReport, ICMPv6MLReport2
from scapy.layers.l2 import Ether

from stack.address import parse_mac
from stack.cli import mld, mld_message
from stack.cli.main import Parser
from tests.playbook import Sent, ip

SIXTAP = str(Path(sys.executable).with_name("sixtap"))
MAC = parse_mac("02:00:5e:10:00:07")
LINK_LOCAL = "fe80::5eff:fe10:7"
GROUP = "ff05::1:3"
SOURCE = ip("2001:db8::1")


def sent(*words: str) -> Sent:
    """The frame that the words make, from a station with the MAC above."""
    parser = Parser()
    mld.configure(parser)
    arguments = parser.parse_args(["send", *words, "--tap", "t0"])
    return Sent(0.0, mld_message.order(arguments).frame(MAC))


class TestDefaults:
    """What is not written is what the RFC asks for."""

    @pytest.mark.parametrize(
        ("words", "destination", "message"),
        [
            (("query1",), "ff02::1", "82 00 2710 0000" + "00" * 16),
            (("query1", "--group", GROUP), GROUP, "82 00 03e8 0000 ff050000000000000000000000010003"),
            (("report1", "--group", GROUP), GROUP, "83 00 0000 0000 ff050000000000000000000000010003"),
            (("done", "--group", GROUP), "ff02::2", "84 00 0000 0000 ff050000000000000000000000010003"),
            (("query",), "ff02::1", "82 00 2710 0000" + "00" * 16 + "027d0000"),
            (("query", "--group", GROUP), GROUP, "82 00 03e8 0000 ff050000000000000000000000010003 027d0000"),
            (
                ("query", "--group", GROUP, "--sources", "2001:db8::1"),
                GROUP,
                "82 00 03e8 0000 ff050000000000000000000000010003 027d0001 20010db8000000000000000000000001",
            ),
            (("report",), "ff02::16", "8f 00 0000 0000"),
            (
                ("report", "--record", f"to_ex,{GROUP}"),
                "ff02::16",
                "8f 00 0000 0001 04000000 ff050000000000000000000000010003",
            ),
        ],
    )
    def test_messages(self, words: tuple[str, ...], destination: str, message: str) -> None:
        frame = sent(*words)
        assert (frame.source, frame.destination, frame.hop_limit) == (LINK_LOCAL, destination, 1)
        assert frame.frame[6:12] == MAC
        assert frame.to == b"\x33\x33" + ip(destination)[12:]
        assert frame.packet[6] == 0
        assert bytes.fromhex("05020000") in frame.packet[40:48]
        assert frame.message[:2] + frame.message[4:] == bytes.fromhex(message)
        assert frame.checksum_is_right()

    @pytest.mark.parametrize(
        ("word", "number"),
        [
            ("is_in", 1),
            ("is_ex", 2),
            ("to_in", 3),
            ("to_ex", 4),
            ("allow", 5),
            ("block", 6),
            ("BLOCK", 6),
            ("0x63", 99),
        ],
    )
    def test_records(self, word: str, number: int) -> None:
        # RFC 3810 5.2.12
        frame = sent("report", "--record", f"{word},{GROUP},2001:db8::1", "--record", "9,::")
        first = bytes((number, 0, 0, 1)) + ip(GROUP) + SOURCE
        assert frame.message[6:] == b"\0\2" + first + bytes((9, 0, 0, 0)) + bytes(16)


class TestFields:
    def test_every_field_of_a_query(self) -> None:
        words = "--group 2001:db8::5 --code-field 0xffff --code 255 --qrv 0 --qqic 255 --s-flag"
        frame = sent("query", *words.split())
        assert frame.message[:2] == bytes.fromhex("82ff")
        assert frame.message[4:] == bytes.fromhex("ffff0000") + ip("2001:db8::5") + bytes.fromhex("08ff0000")
        assert frame.checksum_is_right()

    def test_the_delay_is_coded_in_version_2_alone(self) -> None:
        # RFC 3810 5.1.3, 8.3.1
        assert sent("query", "--max-response", "40000").message[4:6] == bytes.fromhex("8388")
        assert sent("query1", "--max-response", "40000").message[4:6] == bytes.fromhex("9c40")

    def test_the_packet(self) -> None:
        words = f"--group {GROUP} --src :: --dst ff02::7 --hop-limit 255 --no-alert"
        frame = sent("report1", *words.split())
        assert (frame.source, frame.destination, frame.hop_limit, frame.packet[6]) == ("::", "ff02::7", 255, 58)
        assert frame.checksum_is_right()
        assert sent("query", "--dst", "fe80::1").to == b"\xff" * 6

    @pytest.mark.parametrize("length", [0, 1, 3, 4, 23, 24, 25, 26, 27, 28, 100])
    def test_the_length(self, length: int) -> None:
        # RFC 3810 8.1: 26 octets are of no version
        frame = sent("query", "--group", GROUP, "--length", str(length))
        assert len(frame.message) == length
        assert int.from_bytes(frame.packet[4:6], "big") == 8 + length
        if length >= 4:
            assert frame.checksum_is_right()

    def test_a_checksum_that_is_wrong(self) -> None:
        for words in (("query",), ("done", "--group", GROUP), ("report",)):
            assert not sent(*words, "--bad-checksum").checksum_is_right()

    def test_fields_of_version_1_messages(self) -> None:
        assert sent("done", "--group", "::", "--code-field", "9", "--code", "3").message[:2] == bytes.fromhex("8403")
        assert sent("report1", "--group", "::", "--max-response", "9").message[4:6] == bytes.fromhex("0009")


def test_scapy_reads_them() -> None:
    assert Ether(sent("done", "--group", GROUP).frame)[ICMPv6MLDone].mladdr == GROUP
    assert Ether(sent("report1", "--group", GROUP).frame)[ICMPv6MLReport].mladdr == GROUP
    query = Ether(sent("query", "--group", GROUP, "--sources", "2001:db8::1").frame)[ICMPv6MLQuery2]
    assert (query.mladdr, query.sources, query.QRV, query.QQIC) == (GROUP, ["2001:db8::1"], 2, 125)
    (record,) = Ether(sent("report", "--record", f"allow,{GROUP},2001:db8::1").frame)[ICMPv6MLReport2].records
    assert (record.rtype, record.dst, record.sources) == (5, GROUP, ["2001:db8::1"])


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("send",),
        ("send", "query"),
        ("send", "leave", "--tap", "t0"),
        ("send", "done", "--tap", "t0"),
        ("send", "report1", "--tap", "t0"),
        ("send", "report1", "--tap", "t0", "--group", "x"),
        ("send", "report1", "--tap", "t0", "--group", GROUP, "--sources", "fe80::1"),
        ("send", "query1", "--tap", "t0", "--qqic", "1"),
        ("send", "query1", "--tap", "t0", "--max-response", "65536"),
        ("send", "query", "--tap", "t0", "--max-response", "1", "--code-field", "1"),
        ("send", "query", "--tap", "t0", "--record", f"is_in,{GROUP}"),
        ("send", "report", "--tap", "t0", "--group", GROUP),
        ("send", "report", "--tap", "t0", "--max-response", "1"),
        ("send", "report", "--tap", "t0", "--record", "is_in"),
        ("send", "report", "--tap", "t0", "--record", f"leave,{GROUP}"),
        ("send", "report", "--tap", "t0", "--record", f"256,{GROUP}"),
        ("send", "report", "--tap", "t0", "--record", f"is_in,{GROUP},"),
        ("send", "report", "--tap", "t0", "--record", "is_in,x"),
        ("send", "query", "--tap", "t0", "--length", "60001"),
        ("send", "query", "--tap", "t0", "--mac", "x"),
        ("send", "query", "--tap", "t0", "--dst", "x"),
        ("send", "query", "--tap", "a/b"),
        ("send", "query", "--tap", "t0", "-c", "0"),
        ("send", "query", "--tap", "t0", "-i", "-1"),
    ],
)
def test_wrong_words(words: tuple[str, ...]) -> None:
    done = subprocess.run([SIXTAP, "mld", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("sixtap")


def test_help_names_types_and_kinds() -> None:
    done = subprocess.run([SIXTAP, "mld", "send", "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    for word in ("query1", "report1", "done", "is_ex", "example: sixtap mld send"):
        assert word in done.stdout
