"""What is written is what pcapng says: block by block against its pictures, and read by tshark and scapy."""

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from stack.capture.host_trace import Trace
from stack.capture.writing import CaptureWriter
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, PEER_LINK_LOCAL, Play, echo_request, mld_message, solicitation


def test_the_blocks_are_those_of_the_draft() -> None:
    """Sections 4.1 to 4.3, drawn by hand: every length twice, options padded to 32 bits, an end of options."""
    file = io.BytesIO()
    writer = CaptureWriter(file, "app")
    number = writer.add_interface("t0", OUR_MAC)
    writer.write(b"abcde", 1.5, interface=number, inbound=False, comments=("why",))
    section = bytes.fromhex("4d3c2b1a 0100 0000 ffffffffffffffff 0400 0300") + b"app\0" + bytes(4)
    interface = bytes.fromhex("0100 0000 00000000 0200 0200") + b"t0\0\0"
    interface += bytes.fromhex("0600 0600") + OUR_MAC + b"\0\0" + bytes.fromhex("0900 0100 09000000 00000000")
    packet = struct.pack("<IIIII", 0, 0, 1_500_000_000, 5, 5) + b"abcde\0\0\0"
    packet += bytes.fromhex("0100 0300") + b"why\0" + bytes.fromhex("0200 0400 02000000 00000000")
    expected = b"".join(
        struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        for kind, body in ((0x0A0D0D0A, section), (1, interface), (6, packet))
    )
    assert file.getvalue() == expected


def test_a_comment_that_is_too_long_is_cut_between_characters() -> None:
    file = io.BytesIO()
    writer = CaptureWriter(file)
    writer.add_interface("t0", OUR_MAC)
    writer.write(b"abcd", 0.0, comments=("x" + "é" * 40_000,))
    at = file.getvalue().index(b"abcd") + 4
    code, length = struct.unpack_from("<HH", file.getvalue(), at)
    assert (code, length) == (1, 65_535)
    assert file.getvalue()[at + 4 : at + 4 + length].decode() == "x" + "é" * 32_767


@pytest.fixture
def traced(tmp_path: Path) -> Path:
    """What a simulated host sees and does from its start: all kinds of causes."""
    path = tmp_path / "trace.pcapng"
    with path.open("wb") as file:
        play = Play()
        trace = Trace(play.host, CaptureWriter(file), epoch=1_700_000_000.0)
        play.start()
        play.receive(solicitation(OUR_LINK_LOCAL))
        play.receive(echo_request())
        play.receive(solicitation(OUR_LINK_LOCAL, hop_limit=254))
        play.receive(b"\x33\x33short")
        play.join("ff05::77")
        play.receive(mld_message(130, "::", delay=1000))
        play.run(60.0)
        trace.close()
    return path


def fields(path: Path, *names: str) -> list[dict[str, list[str]]]:
    """The fields of each frame as tshark has them."""
    if shutil.which("tshark") is None:
        pytest.skip("needs tshark")
    options = [word for name in names for word in ("-e", name)]
    shown = subprocess.run(
        ["tshark", "-r", str(path), "-T", "json", *options], capture_output=True, check=True, text=True
    )
    return [each["_source"]["layers"] for each in json.loads(shown.stdout)]


def test_tshark_shows_a_cause_for_every_frame_in_and_out(traced: Path) -> None:
    frames = fields(traced, "frame.number", "frame.comment", "frame.time_epoch", "frame.packet_flags_direction")
    assert len(frames) > 10
    for each in frames:
        (comment,) = each["frame.comment"]
        number, inbound = each["frame.number"][0], each["frame.packet_flags_direction"][0] in ("1", "0x00000001")
        assert comment.startswith(f"frame {number} {'in' if inbound else 'out'}: ")
        assert inbound or "cause: " in comment
        assert not inbound or "host: " in comment
        assert 1_700_000_000 <= float(each["frame.time_epoch"][0]) <= 1_700_000_060


def comments(path: Path) -> list[str]:
    return [each["frame.comment"][0] for each in fields(path, "frame.comment")]


def test_a_discarded_frame_says_why_with_its_clause(traced: Path) -> None:
    (discarded,) = (each for each in comments(traced) if "hop limit" in each and "discarded" in each)
    assert "[RFC 4861 7.1]" in discarded


def test_an_answer_names_the_frame_that_it_answers(traced: Path) -> None:
    said = comments(traced)
    request = next(n for n, each in enumerate(said, 1) if "echo request" in each and " in: " in each)
    reply = next(each for each in said if "echo reply" in each and " out: " in each)
    assert f"cause: frame {request}\n" in reply


def test_a_frame_from_a_timer_says_what_armed_it(traced: Path) -> None:
    said = comments(traced)
    query = next(n for n, each in enumerate(said, 1) if "query" in each and " in: " in each)
    answers = [each for each in said[query:] if " out: " in each and "report" in each]
    assert any(f"by frame {query}" in each for each in answers)


def test_neighbours_that_fail_are_told_with_their_states(tmp_path: Path) -> None:
    with (tmp_path / "t.pcapng").open("wb") as file:
        play = Play().start()
        trace = Trace(play.host, CaptureWriter(file), epoch=0.0)
        play.host.journal.begin_call("call ping", play.now)
        play.ping(PEER_LINK_LOCAL)
        play.host.journal.end()
        play.run(play.now + 10)
        trace.close()
    said = comments(tmp_path / "t.pcapng")
    assert len(said) == 3
    assert all("cause: " in each and "call ping" in each for each in said)
    assert "INCOMPLETE" in said[0]
