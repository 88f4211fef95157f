"""SEED row S48: a first report that is still pending when another host reports. mld6.c cancels it for good."""

from stack.sim.narrate import GROUPS
from stack.sim.scenarios.actions import SwitchOn, join
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

GROUP = "ff02::1:ff00:77"
ROW = "S48"
ADA = host("ada", "02:00:00:00:00:0a", quick=True, force_mld_version=1)
BOB = host("bob", "02:00:00:00:00:0b", quick=True, force_mld_version=1)

SCENARIO = Scenario(
    *listed("pending"),
    cast=(ADA, BOB),
    rows=(ROW,),
    steps=(
        say(
            f"""Before a host tests an address it joins the group of the address, and reports that after a random delay
            (RFC 4862 5.4.2). Two addresses that end alike share a group, here {GROUP}. ada is to report it after a
            second, bob does so after half of it."""
        ),
        say(
            """A router needs one report of a group. A switch needs one from each port: without ada's it does not let
            through to ada what is sent to the group, and that is how ada's neighbours look for it."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        until(2),
        part("bob is quicker", frozenset((GROUPS,))),
        ask(
            "ada's first report is due in half a second when bob reports the same group. What does ada do?",
            "it reports all the same: this is no answer to a query",
            ("it keeps quiet: one report is enough", "it leaves the group", "it waits for a query"),
            "RFC 2710 5",
        ),
        at(2, "ada", join(GROUP, delay=1.0)),
        at(2.5, "bob", join(GROUP)),
        expects("bob", report1(GROUP)),
        expects("ada", report1(GROUP), within=0.6, personality=STANDARD, row=ROW, says="the switch knows of ada now"),
        never(
            "ada",
            report1(GROUP),
            during=60,
            personality=NETBSD,
            row=ROW,
            says="a minute later mld6.c has not said a word: the peer's report has cancelled its own",
        ),
    ),
    only_simulated="it is about the two personalities of this stack",
)
