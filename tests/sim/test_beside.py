"""The report on one scenario on several back ends."""

from stack.sim.beside import Run, differences, report
from stack.sim.play import Finding
from stack.sim.scenarios import catalogue
from stack.sim.sighting import sight
from tests.playbook import echo_request, solicitation

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
