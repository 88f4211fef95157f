"""SEED row S61: two programs listen, one ends before the report is repeated. mld6.c stops the group's timer."""

from stack.sim.narrate import GROUPS, REPEATS
from stack.sim.scenarios.actions import Lose, SwitchOn, join, leave
from stack.sim.scenarios.expectations import report1
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
    NETBSD,
    STANDARD,
    Quiet,
    Scenario,
    ask,
    at,
    expects,
    host,
    never,
    part,
    say,
    until,
)

GROUP = "ff15::cafe"
ROW = "S61"
ADA = host("ada", "02:00:00:00:00:0a", quick=True, mldv1_unsolicited_report_interval=10_000, force_mld_version=1)
BOB = host("bob", "02:00:00:00:00:0b", quick=True, mldv1_unsolicited_report_interval=10_000, force_mld_version=1)

SCENARIO = Scenario(
    *listed("references"),
    cast=(ADA, BOB),
    rows=(ROW,),
    steps=(
        say(
            f"""Reports get lost, so the first one is repeated within ten seconds (RFC 2710 7.10). Two programs on ada
            join {GROUP}; the report is lost; one of the programs ends, and the other one goes on."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        until(30),
        part("", frozenset((GROUPS, REPEATS))),
        at(30, "ada", Lose("MLD version 1 report")),
        at(30, "ada", join(GROUP, program="player")),
        expects("ada", report1(GROUP), says="nobody has heard that"),
        at(30.001, "ada", join(GROUP, program="recorder")),
        ask(
            "The recorder leaves the group before the report is repeated; the player stays. And the repeat?",
            "it comes: ada still listens",
            ("it does not come: somebody has left", "Done is sent in its place", "it is sent at once"),
            "RFC 2710 4",
        ),
        at(30.002, "ada", leave(GROUP, program="recorder")),
        expects("ada", report1(GROUP), within=10, personality=STANDARD, row=ROW, says="the link knows of the listener"),
        never(
            "ada",
            report1(GROUP),
            during=60,
            personality=NETBSD,
            row=ROW,
            says="a minute later: mld6.c has stopped the timer before it counted who is left",
        ),
    ),
    only_simulated="it is about the two personalities of this stack",
)
