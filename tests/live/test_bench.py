"""tools/bench with small counts: everything is answered, and the document has its fields. Nothing here is measured."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.benchmark import native

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str) -> dict[str, Any]:
    """The document of a run that succeeds."""
    command = [sys.executable, "-m", "tools.benchmark", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sections: dict[str, Any] = json.loads(done.stdout)["sections"]
    return sections


def check(contest: dict[str, Any], *names: str) -> None:
    """Everybody has answered everything, and has all figures."""
    assert tuple(contest["responders"]) == names
    for figures in contest["responders"].values():
        assert (figures["lost"], figures["wrong"]) == (0, 0)
        assert figures["ratio"] > 0
        assert figures["cpu_us_per_packet"] > 0
        assert 0 < figures["spread"][0] <= figures["replies_per_second"] <= figures["spread"][1]


def test_a_small_run_gets_every_reply_and_reports_all_figures() -> None:
    reference = ("C",) if native.compiler() else ()
    sections = bench("--echo", "--solicitations", "--count", "300", "--rounds", "2", "--window", "8")
    assert [contest["size"] for contest in sections["echo"]] == [56, 1400]
    for contest in sections["echo"]:
        assert (contest["count"], contest["rounds"], contest["window"]) == (300, 2, 8)
        check(contest, *reference, "bare trio loop", "sixtap", "sixtap --no-record")
    check(sections["solicitations"][0], "sixtap")


def test_without_a_compiler_the_load_is_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    sections = bench("--echo", "--solicitations", "--size", "9", "--count", "100", "--rounds", "1", "--window", "4")
    check(sections["echo"][0], "bare trio loop", "sixtap", "sixtap --no-record")
    check(sections["solicitations"][0], "sixtap")


def test_full_tables() -> None:
    sections = bench("--scale", "--full", "500", "--count", "200", "--rounds", "1")
    full = ("empty tables", "500 groups", "500 neighbours", "50 sockets", "all of them")
    check(sections["scale"][0], *full)


def test_a_bridge_and_a_start() -> None:
    sections = bench("--bridge", "--startup", "--count", "200", "--rounds", "1")
    for figures in sections["bridge"]["responders"].values():
        assert figures["lost"] == 0
        assert figures["replies_per_second"] > 0
    assert 0 < sections["startup"]["ready_ms"] < sections["startup"]["first_answer_ms"]
    assert sections["startup"]["ratio"] > 0


def test_a_soak_tells_memory_losses_and_timers() -> None:
    soak = bench("--soak", "1")["soak"]
    assert soak["replies"] > 0
    assert (soak["lost"], soak["wrong"]) == (soak["dropped_by_the_kernel"], 0)
    assert 0 < soak["resident_last"] <= soak["resident_most"]
    assert soak["timers"]["count"] > 10
    assert soak["timers"]["p50_ms"] <= soak["timers"]["p99_ms"] <= soak["timers"]["most_ms"]


def test_the_listener_answers_on_a_tap_as_in_memory() -> None:
    arguments = ("--mld", "--groups", "100", "--groups", "20", "--rounds", "2", "--seconds", "1")
    document = bench(*arguments)["mld"]
    for part in ("memory", "live"):
        assert [(each["groups"], each["packets"], each["octets"]) for each in document[part]] == [
            (100, 2, 101 * 20 + 2 * 70),
            (20, 1, 21 * 20 + 70),
        ]
    assert [flood["delay"] for flood in document["floods"]] == [0.0, 10.0]
    for each in document["live"]:
        assert each["query_to_last_ms"] >= each["answer_ms"] >= 0
        assert [(flood["delay"], flood["queries"]) for flood in each["floods"]] == [(0.0, 100), (10.0, 100)]
        assert all(flood["packets"] > 0 for flood in each["floods"][:1])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--count", "0"),
        ("--window", "401"),
        ("--size", "1453"),
        ("--rounds", "x"),
        ("--groups", "16001"),
        ("--seconds", "0"),
    ],
)
def test_a_bad_number_is_a_usage_error(arguments: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "tools.benchmark", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
