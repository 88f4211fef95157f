"""`sixtap replay --mutate`: cases are functions of seed and number, and what breaks the host is found and shrunk."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.all import Ether, ICMPv6MLQuery, IPv6, IPv6ExtHdrHopByHop, RouterAlert, in6_chksum

from stack.cli.main import main
from stack.discard import Discard, Verdict
from stack.fuzz import coverage
from stack.fuzz.campaign import Campaign, new_laboratory
from stack.fuzz.cases import LONGEST, Corpus, child
from stack.fuzz.chance import Chance
from stack.fuzz.saving import failures
from stack.fuzz.warm import WARM, warm_subject
from stack.fuzz.watchdog import ExpiredError
from stack.icmp6 import echo, errors
from stack.icmp6.dispatch import HANDLERS
from stack.nd import input as nd
from stack.nd import states
from stack.replay import tables
from stack.replay.oracles import Oracles
from stack.replay.subject import OUR_MAC

pytestmark = pytest.mark.long

CORPUS = Path(__file__).parents[1] / "corpus"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    found = Corpus()
    for path in sorted(CORPUS.glob("*.pcap*")):
        found.add(path, print)
    return found


def test_a_case_is_a_function_of_seed_and_number_alone(corpus: Corpus) -> None:
    other = Corpus()
    for path in sorted(CORPUS.glob("*.pcap*")):
        other.add(path, print)
    other.build(3, 9)
    assert other.build(3, 5) == corpus.build(3, 5)
    assert other.build(3, 5) != corpus.build(3, 6)
    assert other.build(4, 5) != corpus.build(3, 5)
    assert other.build(3, child(5, 7)) == corpus.build(3, child(5, 7)) != corpus.build(3, 5)


def test_cases_are_bounded(corpus: Corpus) -> None:
    sizes = [len(corpus.build(0, number)) for number in range(20)]
    assert max(sizes) <= LONGEST
    assert min(sizes) >= 60
    assert len(set(sizes)) > 10


def test_the_choices_are_those_of_random_alone() -> None:
    """Random("0/1").random() begins with these numbers in every version of Python since 3.2."""
    from random import Random

    numbers, chance = Random("0/1"), Chance("0/1")
    assert [chance.below(1000) for _ in range(5)] == [int(numbers.random() * 1000) for _ in range(5)]


def test_an_honest_run_finds_nothing_and_repeats(corpus: Corpus) -> None:
    """Some thousand mutated frames; the seed is fixed, so that this is the same run each time."""
    runs = [Campaign(corpus, 1) for _ in range(2)]
    for campaign in runs:
        campaign.run(30)
    one, other = (campaign.summary for campaign in runs)
    assert not one.findings
    assert one.frames > 5_000
    assert one.digest == other.digest
    assert one.outcomes == other.outcomes
    assert len(one.outcomes) > 40
    assert all(size.peak <= size.limit for size in one.tables.values())


def test_a_run_follows_what_reached_something_new(corpus: Corpus) -> None:
    campaign = Campaign(corpus, 1)
    assert list(campaign._numbers(8)) == list(range(8))
    campaign._followed.append(2)
    assert list(campaign._numbers(8)) == [0, 1, 2, child(2, 3), 4, 5, 6, child(2, 7)]


def test_a_cold_host_withstands_as_well(corpus: Corpus) -> None:
    campaign = Campaign(corpus, 2, cold=True)
    campaign.run(8)
    assert not campaign.summary.findings


def test_pairs_of_state_and_event_are_noted_and_the_tables_left_as_they_were() -> None:
    before = {state: dict(rows) for state, rows in states.TRANSITIONS.items()}
    kinds = {type(rows) for rows in states.TRANSITIONS.values()}
    with coverage.watching() as pairs:
        states.TRANSITIONS[states.NeighborState.STALE][states.NeighborEvent.PACKET_TO_SEND]
    assert pairs == {("neighbour", "STALE", "PACKET_TO_SEND")}
    assert before == states.TRANSITIONS
    assert {type(rows) for rows in states.TRANSITIONS.values()} == kinds
    missed = coverage.uncovered(pairs, {Verdict.ANSWERED})
    assert "neighbour: STALE with PACKET_TO_SEND" not in missed
    assert "neighbour: STALE with HEARD_SAME" in missed
    assert "outcome: NOT_FOR_US" in missed
    assert "outcome: ANSWERED" not in missed


# -- planted defects


def plant_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length of an echo request is not checked before its data is looked at."""
    plain = echo.request

    def careless(interface, received, now):  # type: ignore[no-untyped-def]
        received.payload[8]
        return plain(interface, received, now)

    monkeypatch.setitem(HANDLERS, 128, careless)


def plant_an_illegal_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are sent about whatever is wrong, errors and packets to groups included."""
    monkeypatch.setattr(errors, "_forbidden", lambda *_: None)


def plant_a_forgotten_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is not kept: prefixes without end."""
    limits = tuple(1 if name == "prefixes" else 10**9 for name in tables.NAMES)
    monkeypatch.setattr(tables, "limits", lambda settings: limits)


def plant_belief(monkeypatch: pytest.MonkeyPatch) -> None:
    """An advertisement that nobody asked for makes an entry all the same (RFC 4861 7.2.5)."""
    plain = nd.neighbor_advertisement

    def believes(interface, received, now):  # type: ignore[no-untyped-def]
        outcome = plain(interface, received, now)
        if outcome is Discard.ND_NO_ENTRY:
            interface.resolver.heard(received.payload[8:24], received.source_mac, now)
        return outcome

    monkeypatch.setitem(HANDLERS, 136, believes)


@pytest.mark.parametrize(
    ("plant", "signature"),
    [
        (plant_an_exception, "IndexError"),
        (plant_an_illegal_answer, "legality"),
        (plant_a_forgotten_bound, "bounds: prefixes"),
        (plant_belief, "discard"),
    ],
)
def test_a_planted_defect_is_found_shrunk_and_reproduced(
    plant: Callable[[pytest.MonkeyPatch], None],
    signature: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    captures = [str(path) for path in sorted(CORPUS.glob("*.pcap*"))]
    with monkeypatch.context() as planted:
        plant(planted)
        words = ["replay", "--mutate", *captures, "--iterations", "40", "--save", str(tmp_path), "--json"]
        assert main(words) == 1
        document = json.loads(capsys.readouterr().out)
        found = [each for each in document["violations"] + document["exceptions"] if signature in each["what"]]
        assert found
        assert len(found[0]["frames"]) <= 3
        folder = next(path.parent for path in tmp_path.glob("*/case.json") if _tells(path) == found[0]["what"])
        check = generated(folder)
        with pytest.raises(AssertionError):
            check()
        assert failures(folder / "min.pcap", seed=0) != []
        # The case alone shows it as well.
        assert main(["replay", "--mutate", *captures, "--case", str(found[0]["case"]), "--json"]) == 1
    check()


def test_a_loop_without_an_end_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on after it, says the same each time, and keeps what shows it."""
    plain = echo.request

    def endless(interface, received, now):  # type: ignore[no-untyped-def]
        at = 0
        while at != len(received.payload) > 20:
            # Only a multiple of 8 is ever met.
            at += 8
        return plain(interface, received, now)

    capture = str(CORPUS / "zeek__icmp_icmp6-ping.pcap")
    for name, value in (("trial.SECONDS", 0.2), ("watchdog.LINES", 50_000), ("shrink._ENDLESS_TRIALS", 30)):
        monkeypatch.setattr(f"stack.fuzz.{name}", value)
    words = ["replay", "--mutate", capture, "--iterations", "5", "--seed", "1", "--save", str(tmp_path), "--json"]
    with monkeypatch.context() as planted:
        planted.setitem(HANDLERS, 128, endless)
        documents = []
        for _ in range(2):
            assert main(words) == 1
            documents.append(json.loads(capsys.readouterr().out))
        assert documents[0] == documents[1]
        assert documents[0]["cases"] == 5
        (found,) = documents[0]["exceptions"]
        assert found["what"] == "NoEndError in endless"
        assert len(found["frames"]) == 1
        case = ["replay", "--mutate", capture, "--seed", "1", "--case", str(found["case"])]
        assert main(case) == 1
        (minimal,) = tmp_path.glob("*/min.pcap")
        assert failures(minimal, seed=1) == ["NoEndError in endless"]
    assert failures(minimal, seed=1) == []


def test_a_slow_case_ends_as_it_would_have_ended(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seconds being over is no finding: lines are counted then, and there are not too many."""
    laboratory = new_laboratory(0, cold=False)
    frames = corpus.build(0, 1)
    plain = laboratory.run(frames)

    def expired(seconds: float) -> None:
        raise ExpiredError

    monkeypatch.setattr("stack.fuzz.trial.limited", expired)
    called: list[object] = []
    monkeypatch.setattr("stack.fuzz.trial.LineCounter.restart", lambda self: called.append(self))
    assert laboratory.run(frames) == plain
    assert len(called) == len(frames)


def test_cases_begin_with_hosts_of_every_kind(corpus: Corpus) -> None:
    """Version 1 and 2, both personalities, addresses under test: which one is a function of seed and number."""
    campaign, other = Campaign(corpus, 3), Campaign(corpus, 3)
    starts = [campaign._start(number) for number in range(80)]
    assert set(starts) == {kind.name for kind in WARM}
    assert starts == [other._start(number) for number in range(80)]
    assert campaign._start(child(child(7, 9), 11)) == starts[7]


def test_the_version_1_tables_are_reached(corpus: Corpus) -> None:
    campaign = Campaign(corpus, 0)
    campaign.run(100)
    reached = campaign.summary.pairs
    for machine in ("listener", "netbsd listener"):
        for pair in (("DELAYING", "REPORT"), ("DELAYING", "QUERY_NOW"), ("IDLE", "QUERY_SOONER"), ("IDLE", "STOP")):
            assert (machine, *pair) in reached
        assert (machine, "PENDING", "DOWN") in reached
    assert ("detection", "PROBING", "ADVERTISEMENT") in reached
    assert {Discard.ADDRESS_TENTATIVE, Discard.UDP_SOURCE_FILTERED, Discard.MLD_VERSION} <= set(
        campaign.summary.outcomes
    )


def test_a_query_for_an_unknown_group_may_change_the_version_and_a_report_nothing() -> None:
    """RFC 3810 8.2.1: the one effect that a discarded query has; of anything else the oracle allows none."""
    subject = warm_subject(0)
    oracles = Oracles(subject, 1)
    subject.sent = oracles.sent
    unknown = bytes.fromhex("ff0e0000000000000000000000000999")
    query = Ether(src="02:00:00:00:00:fe", dst="33:33:00:00:00:01") / IPv6(src="fe80::fe", dst="ff02::1", hlim=1)
    query /= IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery(mladdr="ff0e::999", mrd=1000)
    assert oracles.receive(bytes(query)) is Discard.MLD_UNKNOWN_GROUP
    assert subject.interface.listener.version == 1
    assert not oracles.violations
    oracles._changed(Discard.MLD_UNKNOWN_GROUP, bytes(query)[:62] + b"\x83" + bytes(7) + unknown)
    assert [each.oracle for each in oracles.violations] == ["discard"]


def _tells(case: Path) -> object:
    return json.loads(case.read_text())["signature"]


def generated(folder: Path) -> Callable[[], None]:
    """The function of the test that was written."""
    path = next(folder.glob("test_*.py"))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[], None] = getattr(module, path.stem)
    return function


def test_unequal_runs_are_a_finding(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = iter(range(10**6))
    campaign = Campaign(corpus, 0)
    plain = campaign._laboratory.run
    monkeypatch.setattr(campaign._laboratory, "run", lambda *a, **k: plain(*a, **k)._replace(digest=str(next(digests))))
    monkeypatch.setattr("stack.fuzz.campaign._AGAIN", 1)
    campaign.run_case(0)
    assert list(campaign.summary.findings) == ["equal runs: differ"]


def test_the_command_says_what_repeats_it_and_what_was_not_reached(
    capsys: pytest.CaptureFixture[str],
) -> None:
    capture = str(CORPUS / "own__redir6.pcap")
    assert main(["replay", "--mutate", capture, "--iterations", "2", "--seed", "4", "--uncovered"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"sixtap replay --mutate {capture} --seed 4 --iterations 2"
    assert lines[-2].startswith("digest ")
    assert "never reached: outcome: MLD_LENGTH" in lines


@pytest.mark.parametrize(
    "words", [["--case", "3"], ["--cold"], ["--save", "x"], ["--uncovered"], ["--mutate", "--pace"]]
)
def test_options_that_do_not_go_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(CORPUS / "own__redir6.pcap"), *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_the_host_sends_in_mutated_runs_parses_again_in_scapy(corpus: Corpus) -> None:
    """A witness beside our own judge: each frame sent is whole, and is built again to the same octets."""
    sent: list[bytes] = []
    laboratory = new_laboratory(0, cold=False)
    original = "stack.replay.oracles.Oracles.sent"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(original, lambda self, time, frame: sent.append(frame))
        for number in range(6):
            laboratory.run(corpus.build(0, number), every=0)
    assert len(sent) > 200
    for frame in list(dict.fromkeys(sent))[:400]:
        parsed = Ether(frame)
        assert parsed.src == OUR_MAC.hex(":")
        assert parsed[IPv6].plen == len(frame) - 54
        layer = parsed[IPv6].payload
        while isinstance(layer, IPv6ExtHdrHopByHop):
            layer = layer.payload
        assert "ICMPv6" in type(layer).__name__
        message = bytes(layer)
        zeroed = message[:2] + b"\0\0" + message[4:]
        assert in6_chksum(58, parsed[IPv6], zeroed) == int.from_bytes(message[2:4], "big")
