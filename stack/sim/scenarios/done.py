"""SEED row S21: who answered a query reported last, and says Done when it leaves. mld6.c forgets that it did."""

from stack.sim.narrate import GROUPS
from stack.sim.scenarios.actions import Query, SwitchOn, Unplug, join, leave
from stack.sim.scenarios.expectations import done, report1
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
    NETBSD,
    STANDARD,
    Querier,
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
ROW = "S21"
ADA = host("ada", "02:00:00:00:00:0a", quick=True, force_mld_version=1)
BOB = host("bob", "02:00:00:00:00:0b", quick=True, force_mld_version=1)
ROUTER = Querier("router", "02:00:00:00:00:01", version=1, delay=1.0)
_TELL = frozenset((GROUPS,))

SCENARIO = Scenario(
    *listed("done"),
    cast=(ADA, BOB, ROUTER),
    rows=(ROW,),
    steps=(
        say(
            f"""Whoever reported a group last says Done when it leaves (RFC 2710 4), so that the router need not wait
            until the group times out. ada and bob listen to {GROUP} and speak version 1."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        at(1, "ada", join(GROUP)),
        until(2),
        part("1. bob joins too, so ada was not the last to report", _TELL),
        # The query makes ada a delaying member, which the report of another one silences in both personalities.
        at(2, "router", Query(GROUP, delay=10)),
        at(2.003, "bob", join(GROUP)),
        expects("bob", report1(GROUP)),
        Quiet(),
        at(3, "bob", Unplug()),
        until(4),
        part("2. bob is unplugged, the router asks, and ada answers", _TELL),
        at(4, "router", Query()),
        expects("ada", report1(GROUP), within=1.1),
        until(6),
        part("3. ada leaves", _TELL),
        ask(
            "ada has answered the router's last question, and leaves the group. What does it say?",
            "Done, to the routers",
            ("nothing, since bob has reported the group as well", "a report that it listens no longer"),
            "RFC 2710 4",
        ),
        at(6, "ada", leave(GROUP)),
        expects("ada", done(GROUP), personality=STANDARD, row=ROW, says="it reported last, so it tells the routers"),
        never(
            "ada",
            done(GROUP),
            during=3,
            personality=NETBSD,
            row=ROW,
            says="mld6.c has sent the answer without noting that it did: no Done",
        ),
    ),
    only_simulated="it is about the two personalities of this stack",
)
