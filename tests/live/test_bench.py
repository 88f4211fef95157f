"""tools/bench with small counts: everything is answered, and the document has its fields. Nothing here is measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_run_gets_every_reply_and_reports_all_figures() -> None:
    command = [sys.executable, "-m", "tools.benchmark", "--json", "--count", "300", "--rounds", "2", "--window", "8"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert (document["count"], document["rounds"], document["window"]) == (300, 2, 8)
    assert [result["size"] for result in document["results"]] == [56, 1400]
    for result in document["results"]:
        assert result["rate_ratio"] > 0
        assert result["cpu_ratio"] > 0
        for responder in ("host", "bare"):
            figures = result[responder]
            assert (figures["lost"], figures["wrong"]) == (0, 0)
            assert figures["replies_per_second"] > 0
            assert figures["cpu_us_per_packet"] > 0


def test_the_listener_answers_on_a_tap_as_in_memory() -> None:
    command = [sys.executable, "-m", "tools.benchmark", "--mld", "--json"]
    command += ["--groups", "100", "--groups", "20", "--rounds", "2", "--seconds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
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
