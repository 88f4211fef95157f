"""The report on one scenario on several back ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from stack.cli import catalogue
from stack.sim.beside import Run, differences, report
from stack.sim.play import Finding
from stack.sim.sighting import sight
from tests.playbook import echo_request, solicitation

ROOT = Path(__file__).parents[2]
SCENARIO = catalogue.find("unreachable")
ASKED = sight(1.0, "ada", solicitation("fe80::9"))
PINGED = sight(2.0, "ada", echo_request())


def test_what_is_alike_is_not_mentioned() -> None:
    runs = {name: Run([Finding(3, "ada asks", True)], [ASKED, PINGED]) for name in ("simulator", "tap")}
    assert all(run.holds for run in runs.values())
    assert differences(runs) == []
    assert report(SCENARIO, runs) == [
        "unreachable: Neighbours: found, lost, and never there",
        "simulator        tap",
        "      yes        yes  ada asks",
    ]


def test_where_they_differ() -> None:
    runs = {
        "simulator": Run([Finding(3, "ada asks", True), Finding(4, "ada pings", True)], [ASKED, ASKED, PINGED]),
        "tap": Run([Finding(4, "ada pings", False, "it sent nothing")], [ASKED]),
    }
    assert not runs["tap"].holds
    assert report(SCENARIO, runs)[2:] == [
        "      yes          -  ada asks",
        "      yes         NO  ada pings",
        "    tap: it sent nothing",
        "How often ada has sent what it has not sent equally often everywhere:",
        "        2          1  ada --> ff02::1:ff00:9   neighbour solicitation: who has fe80::9?",
        "        1          0  ada --> fe80::6eff:fe00:1   echo request 1 with 8 octets of data",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nosuch", "scenarios: there is no scenario 'nosuch'; `sixtap demo --list` names them\n"),
        ("done", "scenarios: done is for the simulator alone: it is about the two personalities of this stack\n"),
    ],
)
def test_the_tool_refuses_what_it_cannot_run(name: str, words: str) -> None:
    command = [sys.executable, str(ROOT / "tools" / "scenarios.py"), name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", words)
