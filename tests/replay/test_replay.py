"""`sixtap replay` and `sixtap explain`: modes, documents, exit statuses, and what the oracles see."""

import json
import os
import re
from pathlib import Path

import pytest
from scapy.all import Ether, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6

from stack.cli.main import main
from stack.cli.replay_play import Pacer
from stack.discard import Discard, Verdict
from stack.icmp6 import echo
from stack.icmp6.dispatch import HANDLERS
from stack.replay import tables
from stack.replay.play import Mode, Player
from stack.replay.subject import OUR_ADDRESS, OUR_MAC, digest, new_subject, nobody
from tests.playbook import text
from tests.replay.captures import write

PEER_MAC, NODE_MAC = "02:00:00:00:00:07", "02:00:00:00:00:05"
PEER, NODE = "fe80::7", "fe80::5"


def request(number: int = 1) -> Ether:
    return (
        Ether(src=PEER_MAC, dst=NODE_MAC)
        / IPv6(src=PEER, dst=NODE)
        / ICMPv6EchoRequest(id=7, seq=number, data=b"hello")
    )


def solicited() -> Ether:
    return (
        Ether(src=PEER_MAC, dst="33:33:ff:00:00:05")
        / IPv6(src=PEER, dst="ff02::1:ff00:5", hlim=255)
        / ICMPv6ND_NS(tgt=NODE)
        / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC)
    )


def answer(number: int = 1) -> Ether:
    return (
        Ether(src=NODE_MAC, dst=PEER_MAC) / IPv6(src=NODE, dst=PEER) / ICMPv6EchoReply(id=7, seq=number, data=b"hello")
    )


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write(tmp_path / "ping.pcap", [solicited(), request(1), answer(1), request(2)])


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main([*map(str, words)]))
    said = capsys.readouterr()
    return int(str(ended.value.code)), said.out, said.err


def test_a_capture_is_re_addressed_and_answered(capsys: pytest.CaptureFixture[str], capture: Path) -> None:
    status, out, err = run(capsys, "replay", "--json", capture)
    document = json.loads(out)
    assert status == 0
    assert document["frames"] == 4
    # Our own answer in the capture comes back to us: a frame that the network reflected.
    assert document["outcomes"] == {"answered": 3, "NotForUs": 1}
    assert document["violations"] == document["exceptions"] == []
    assert document["tables"]["neighbours"]["limit"] == 1024
    assert set(document) == {*("frames", "outcomes", "sent", "violations", "exceptions", "tables", "seed", "digest")}
    assert err.splitlines()[-1] == f"sixtap replay {capture} --mode auto --seed 0"


def test_verbatim_nothing_of_a_foreign_capture_is_for_us(capsys: pytest.CaptureFixture[str], capture: Path) -> None:
    _, out, _ = run(capsys, "replay", "--json", "--mode", "verbatim", capture)
    assert json.loads(out)["outcomes"] == {"NotForUs": 4}


def test_auto_leaves_a_capture_that_is_for_us_as_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ours = Ether(src=PEER_MAC, dst=OUR_MAC.hex(":")) / IPv6(src=PEER, dst=text(OUR_ADDRESS)) / ICMPv6EchoRequest()
    path = write(tmp_path / "ours.pcap", [ours, request(1), request(2)])
    _, out, _ = run(capsys, "replay", "--json", path)
    assert json.loads(out)["outcomes"] == {"NotForUs": 2, "answered": 1}


def test_stimulus_shows_both_sides(capsys: pytest.CaptureFixture[str], capture: Path) -> None:
    status, out, _ = run(capsys, "replay", "--mode", "stimulus", capture)
    lines = out.splitlines()
    assert status == 0
    assert [line for line in lines if " = " in line and "echo reply" in line]
    assert [line for line in lines if " > " in line and "neighbour advert" in line]
    assert "3 frames fed" in out
    assert lines[-1] == f"sixtap replay {capture} --mode stimulus --seed 0"


def test_equal_runs_are_equal_and_seeds_differ(capsys: pytest.CaptureFixture[str], capture: Path) -> None:
    first, again, other = (
        json.loads(run(capsys, "replay", "--json", "--seed", seed, capture)[1]) for seed in (5, 5, 6)
    )
    assert first == again
    assert first["digest"] != other["digest"]


def test_a_damaged_tail_is_a_warning(capsys: pytest.CaptureFixture[str], capture: Path) -> None:
    capture.write_bytes(capture.read_bytes() + b"tail")
    status, out, err = run(capsys, "replay", "--json", capture)
    assert status == 0
    assert json.loads(out)["frames"] == 4
    assert "is damaged after 4 frames" in err


def test_what_is_no_capture_is_one_line_and_exit_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no capture")
    for name in ("text", "nothing"):
        status, _, err = run(capsys, "replay", tmp_path / name)
        assert status == 2
        assert len(err.splitlines()) == 1


def test_verbose_tells_each_frame(capsys: pytest.CaptureFixture[str], capture: Path) -> None:
    _, out, _ = run(capsys, "replay", "-v", capture)
    assert out.count("\n                     answered") == 3


def test_an_exception_is_a_finding_and_the_run_goes_on(
    capsys: pytest.CaptureFixture[str], capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise IndexError("planted")

    monkeypatch.setitem(HANDLERS, 128, broken)
    status, out, _ = run(capsys, "replay", "--json", capture)
    document = json.loads(out)
    assert status == 1
    assert document["frames"] == 4
    assert document["outcomes"]["exception"] == 2
    assert document["exceptions"][0]["type"] == "IndexError"


def test_an_illegal_answer_is_a_violation(
    capsys: pytest.CaptureFixture[str], capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echo.icmpv6, "ECHO_REPLY", 129 - 2)  # an error type that quotes nothing
    status, out, _ = run(capsys, "replay", "--json", capture)
    assert status == 1
    assert any(each["oracle"] == "legality" for each in json.loads(out)["violations"])


def test_a_table_past_its_limit_is_a_violation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "limits", lambda settings: (0,) * len(tables.NAMES))
    player = Player(Mode.READDRESS, 0, print)
    player.play(write(tmp_path / "one.pcap", [solicited()]))
    assert any(each.oracle == "bounds" and "neighbours" in each.what for each in player.report.violations)


def test_a_discard_that_changes_the_state_is_a_violation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def believes(interface, received, now):  # type: ignore[no-untyped-def]
        interface.resolver.heard(received.source, received.source_mac, now)
        return Discard.ND_CODE

    monkeypatch.setitem(HANDLERS, 135, believes)
    player = Player(Mode.READDRESS, 0, print)
    player.play(write(tmp_path / "one.pcap", [solicited()]))
    assert [each.oracle for each in player.report.violations][:1] == ["discard"]


def test_a_host_that_does_not_answer_is_a_violation(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, 128, lambda *_: Verdict.DELIVERED)
    player = Player(Mode.READDRESS, 0, print)
    player.play(capture)
    assert [each.oracle for each in player.report.violations] == ["alive"]


def test_work_that_is_not_bounded_is_a_violation(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = echo.request

    def slow(*arguments: object) -> object:
        for _ in range(50_000):
            len("")
        return plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setitem(HANDLERS, 128, slow)
    monkeypatch.setattr("stack.replay.play._CLOSELY", 1)
    player = Player(Mode.READDRESS, 0, print)
    player.play(capture)
    assert [each.oracle for each in player.report.violations] == ["work"]


def test_the_digest_of_a_host_tells_states_apart() -> None:
    one, other = (new_subject("same", nobody) for _ in range(2))
    assert digest(one.host) == digest(other.host)
    one.interface.resolver.heard(b"\xfe\x80" + bytes(13) + b"\1", b"\2" + bytes(5), 0.0)
    assert digest(one.host) != digest(other.host)
    other.host.counters.frames_in += 1
    assert digest(other.host) == digest(new_subject("same", nobody).host)


# -- explain


def test_explain_says_layer_by_layer_what_was_decided_and_why(
    capsys: pytest.CaptureFixture[str], capture: Path
) -> None:
    status, out, _ = run(capsys, "explain", capture)
    assert status == 0
    first, second, third, _ = re.split(r"^[234] at ", out, flags=re.MULTILINE)
    assert "ethernet" in first
    assert "RFC 4861 7.2.3" in first
    assert "=> answered" in first
    assert "sent: fe80::6eff:fe00:64" in first
    assert "echo request" in second
    assert "not fed" in third


def test_explain_writes_one_page_that_needs_nothing_else(
    capsys: pytest.CaptureFixture[str], capture: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    assert run(capsys, "explain", capture, "--html", page)[0] == 0
    html = page.read_text()
    assert html.count("<details") == html.count("</details>") == 4
    assert "RFC 4861 7.2.3" in html
    assert not [word for word in ("http", "src=", "href=", "<script") if word in html]
    assert run(capsys, "explain", capture, "--html", tmp_path)[0] == 2
    assert run(capsys, "explain", tmp_path / "nothing")[0] == 2


# -- the whole set


@pytest.mark.parametrize("mode", list(Mode))
def test_every_capture_leaves_the_host_whole(mode: Mode) -> None:
    """The captures of tests/corpus, and with SIXTAP_CAPTURES those of the folder that it names."""
    folders = [Path(__file__).parents[1] / "corpus"]
    if "SIXTAP_CAPTURES" in os.environ:
        folders.append(Path(os.environ["SIXTAP_CAPTURES"]))
    paths = [path for folder in folders for path in sorted(folder.glob("*.pcap*"))]
    complaints: list[str] = []
    player = Player(mode, 1, complaints.append)
    for path in paths:
        player.play(path)
    report = player.report
    assert report.frames > 100
    assert not report.exceptions
    assert not report.violations
    assert all(size.peak <= size.limit for size in report.tables.values())
    assert sum(report.outcomes.values()) == report.frames


def test_pace_waits_for_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr("stack.cli.replay_play.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("stack.cli.replay_play.time.sleep", sleep)
    pacer = Pacer()
    # The second capture begins at the host's 5 seconds again, and waits for nothing that has passed.
    for virtual, wall in [(5.0, 100.0), (5.5, 100.5), (8.0, 103.0), (5.0, 103.0), (5.25, 103.25)]:
        pacer.wait(virtual)
        assert clock[0] == pytest.approx(wall)
