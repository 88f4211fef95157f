"""`sixtap demo`: every scenario tells the truth, the same for the same seed, and needs nothing but the core."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.cli import catalogue, demo
from stack.errors import UsageError
from stack.mld.states import ListenerEvent
from stack.nd.dad import DadEvent
from stack.nd.states import NeighborEvent
from stack.sim.render import WIDTH, render, sentence
from stack.sim.storyteller import tell
from stack.sim.transcript import ACT, FRAME, HOST, OUTCOME, Step, Transcript

NAMES = [scenario.name for scenario in catalogue.every()]
SEEDS = range(12)
ROOT = Path(__file__).parents[2]
# One screen.
LINES = 50


def parse(*words: str) -> argparse.Namespace:
    """The arguments as the command line gives them."""
    parser = argparse.ArgumentParser()
    demo.configure(parser)
    return parser.parse_args(words)


def play(name: str, seed: int = 0) -> Transcript:
    """A scenario's transcript."""
    return tell(catalogue.find(name), seed)[0]


def flat(transcript: Transcript) -> list[Step]:
    """Every step in order, those within a frame after it."""
    return [each for step in transcript.steps for each in (step, *step.within)]


def in_order(transcript: Transcript, *wanted: tuple[str, str, str]) -> None:
    """These steps (kind, who, beginning of the sentence without its subject) are told, in this order."""
    steps = iter(flat(transcript))
    for kind, who, text in wanted:
        assert any(step.kind == kind and step.who == who and text in sentence(step) for step in steps), (
            f"{who}: {text!r} is not told, or not after what should come before it"
        )


def test_the_subjects_that_there_must_be() -> None:
    listed = {scenario.name: scenario.summary for scenario in catalogue.every()}
    for name, words in (
        ("configuration", "address configuration"),
        ("duplicate", "a duplicate"),
        ("unreachable", "resolution and unreachability"),
        ("snooping", "joining under snooping"),
        ("address-goes", "the last address going and coming back"),
        ("query", "a version 1 querier appears"),
        ("renumbering", "router renumbering"),
        ("path-mtu", "path MTU"),
        ("done", "row S21"),
        ("pending", "row S48"),
        ("references", "row S61"),
    ):
        assert words in listed[name]


@pytest.mark.parametrize("name", ["first", "configuration", "duplicate", "unreachable", "snooping", "query"])
def test_another_seed_is_another_run(name: str) -> None:
    texts = {render(play(name, seed)) for seed in SEEDS}
    assert len(texts) > 1


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_give_equal_text(name: str) -> None:
    assert render(play(name, 5)) == render(play(name, 5))


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_one_screen(name: str) -> None:
    for seed in SEEDS:
        lines = render(play(name, seed)).splitlines()
        assert max(len(line) for line in lines) <= WIDTH
        assert all(line.isascii() and line == line.rstrip() for line in lines)
        assert len(lines) <= LINES


@pytest.mark.parametrize("seed", SEEDS)
def test_first_comes_up_pings_joins_and_leaves(seed: int) -> None:
    in_order(
        play("first", seed),
        # RFC 4862 5.4.2: listen, report, then ask
        (FRAME, "ada (::)", "routers (ff02::16)   MLD version 2 report: joins ff02::1:ff00:a"),
        (FRAME, "ada (::)", "does anybody have fe80::ff:fe00:a?"),
        # RFC 3810 5.2.13
        (FRAME, "ada", "report: joins ff02::1:ff00:a"),
        (FRAME, "router", "all (ff02::1)   router advertisement: default router"),
        (FRAME, "ada (::)", "does anybody have 2001:db8:1::ff:fe00:a?"),
        # RFC 4861 7.2
        (FRAME, "ada", "ff02::1:ff00:b   neighbour solicitation: who has fe80::ff:fe00:b?"),
        (FRAME, "bob", "ada   neighbour advertisement: fe80::ff:fe00:b is at 02:00:00:00:00:0b"),
        (FRAME, "ada", "bob   echo request"),
        (OUTCOME, "bob", "answers"),
        (FRAME, "bob", "ada   echo reply"),
        (HOST, "ada", "the ping has its answer"),
        (FRAME, "ada", "report: joins ff15::cafe"),
        (FRAME, "querier", "which groups have listeners here?"),
        (FRAME, "ada", "listens to ff15::cafe"),
        (FRAME, "ada", "report: leaves ff15::cafe"),
        # RFC 3590 4
        (ACT, "ada", "loses the address fe80::ff:fe00:a"),
        (HOST, "ada", "address fe80::ff:fe00:a is preferred"),
        (FRAME, "ada", "joins ff15::cafe"),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_duplicate_ends_with_two_addresses(seed: int) -> None:
    in_order(
        play("duplicate", seed),
        (FRAME, "ada (::)", "does anybody have fe80::ff:fe00:a?"),
        (OUTCOME, "bob", "answers"),
        (FRAME, "bob (fe80::ff:fe00:a)", "all (ff02::1)   neighbour advertisement"),
        (HOST, "ada", "probing -> duplicate"),
        (HOST, "ada", "IPv6 disabled"),
        (HOST, "ada", "address fe80::ff:fe00:c is preferred"),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_unreachable_asks_three_times_each_way(seed: int) -> None:
    transcript = play("unreachable", seed)
    frames = transcript.of_kind(FRAME)
    assert sum("who has fe80::dead?" in frame.text for frame in frames) == 3
    assert sum("who has" in frame.text and (frame.who, frame.to) == ("ada", "bob") for frame in frames) == 3
    in_order(
        transcript,
        (HOST, "ada", "neighbour bob INCOMPLETE -> REACHABLE"),
        (HOST, "ada", "neighbour bob REACHABLE -> STALE"),
        (HOST, "ada", "neighbour bob STALE -> DELAY"),
        (FRAME, "ada", "echo request"),
        (HOST, "ada", "neighbour bob DELAY -> PROBE"),
        (HOST, "ada", "neighbour bob PROBE -> UNREACHABLE"),
        (HOST, "ada", "the ping has failed: address unreachable"),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_query_is_answered_by_one(seed: int) -> None:
    in_order(
        play("query", seed),
        (FRAME, "router", "all (ff02::1)   MLD version 1 query"),
        # RFC 3810 8.2.1
        (HOST, "ada", "speak MLD version 1"),
        (HOST, "bob", "speak MLD version 1"),
        (FRAME, "ada", "report: listens to ff15::cafe"),
        (FRAME, "bob", "report: listens to ff15::cafe"),
        (HOST, "ada", "group ff15::cafe delaying -> idle: another host has reported it"),
        (HOST, "ada", "it says nothing"),
        (FRAME, "bob", "Done: no longer listens to ff15::cafe"),
        (FRAME, "router", "[hop limit 64 instead of 1]"),
        (OUTCOME, "ada", "ignores it: query with a hop limit other than 1"),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_sources_are_merged_told_and_asked_for(seed: int) -> None:
    in_order(
        play("sources", seed),
        (ACT, "ada's player", "wants ff15::cafe from 2001:db8::1 only"),
        (FRAME, "ada", "report: listens to ff15::cafe also from 2001:db8::1"),
        (FRAME, "ada", "report: listens to ff15::cafe also from 2001:db8::2"),
        (HOST, "ada", "the recorder gets it"),
        (ACT, "ada's monitor", "wants ff15::cafe from all but 2001:db8::2"),
        (FRAME, "ada", "report: joins ff15::cafe"),
        (FRAME, "ada", "report: listens to ff15::cafe no longer from 2001:db8::2"),
        (FRAME, "router", "who listens to ff15::cafe from 2001:db8::2?"),
        (HOST, "ada", "time to answer, but there is nothing to say (RFC 3810 6.3 rule 3)"),
        (FRAME, "router", "who listens to ff15::cafe from 2001:db8::1, 2001:db8::3?"),
        (HOST, "ada", "current state IS_IN ({2001:db8::1, 2001:db8::3})"),
        (ACT, "ada's player", "wants ff15::cafe no longer"),
        (FRAME, "ada", "report: listens to ff15::cafe no longer from 2001:db8::1"),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_address_goes_and_its_groups_stay(seed: int) -> None:
    transcript = play("address-goes", seed)
    in_order(
        transcript,
        (FRAME, "ada (fe80::5)", "report: leaves ff02::1:ff00:a"),
        (HOST, "ada", "group ff15::cafe: saved, since there is no address"),
        (HOST, "ada", "group ff15::cafe: now hangs on fe80::5"),
        (HOST, "ada", "address fe80::5 is preferred"),
        (FRAME, "ada (fe80::5)", "joins ff15::cafe"),
    )
    assert not any("leaves ff15::cafe" in step.text for step in flat(transcript))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_told_in_the_words_of_the_code(name: str) -> None:
    """The glossary has words for whatever a scenario comes across."""
    raw = {event.value for machine in (ListenerEvent, NeighborEvent, DadEvent) for event in machine}
    raw |= {"start listening", "stop listening", "version 1 from now on", "version 2 from now on"}
    for seed in SEEDS:
        assert not raw & {step.text for step in flat(play(name, seed))}


# -- the command


def test_without_a_name_it_is_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.run(parse()) == 0
    out = capsys.readouterr().out
    assert out.startswith("A host meets its link\n")
    assert "31 frames in 35 seconds of virtual time: " in out
    assert "\x1b" not in out
    demo.run(parse("first", "--seed", "0"))
    assert capsys.readouterr().out == out


def test_an_unknown_name_names_those_that_are_like_it() -> None:
    with pytest.raises(UsageError, match=r"no scenario 'duplicat'; do you mean duplicate\?"):
        demo.run(parse("duplicat"))
    with pytest.raises(UsageError, match=r"no scenario 'nonsense'; `sixtap demo --list` names them"):
        demo.run(parse("nonsense"))


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    demo.run(parse("--list"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert max(len(line) for line in lines) <= WIDTH
    demo.run(parse("--list", "--json"))
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == NAMES


def test_json_has_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    demo.run(parse("unreachable", "-j", "--seed", "2"))
    document = json.loads(capsys.readouterr().out)
    assert (document["scenario"], document["seed"]) == ("unreachable", 2)
    told = [step for step in document["steps"] if step["kind"] == "frame"]
    assert told[0]["who"] == "ada" and told[0]["within"][0]["kind"] == "outcome"
    assert sum(document["frames"].values()) > len(told)
    assert "question" not in {step["kind"] for step in document["steps"]}


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    demo.run(parse("query"))
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    demo.run(parse("query"))
    assert "\x1b[" not in capsys.readouterr().out


RUN = "import sys\nfrom stack.cli import demo\nfrom stack.cli.main import main\nstatus = main(['demo'])\n"


def test_it_imports_nothing_that_it_does_not_need() -> None:
    code = RUN + "print(*sys.modules, file=sys.stderr)\nsys.exit(status)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(done.stderr.split())
    assert "construct" in imported
    assert not imported & {"trio", "dpkt", "pytun", "asyncio", "stack.link.tap", "stack.runtime"}


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", RUN + "sys.exit(status)"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
