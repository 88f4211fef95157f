"""A version 1 querier makes hosts speak version 1: one listener answers for all (RFC 2710 4, RFC 3810 8.2.1)."""

from stack.sim.narrate import GROUPS
from stack.sim.scenarios.actions import Query, SwitchOn, join, leave
from stack.sim.scenarios.expectations import done, report, report1
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
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
ADA = host("ada", "02:00:00:00:00:0a", quick=True)
BOB = host("bob", "02:00:00:00:00:0b", quick=True)
ROUTER = Querier("router", "02:00:00:00:00:01", version=1, delay=1.0)
_TELL = frozenset((GROUPS,))

SCENARIO = Scenario(
    *listed("query"),
    cast=(ADA, BOB, ROUTER),
    rows=("S32",),
    steps=(
        say(
            f"""A router forwards a group to a link as long as somebody there listens to it, and need not know who. So
            it asks. This one is old and knows MLD version 1 only. ada listens to {GROUP}; so far it has spoken
            version 2."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        at(0.5, "ada", join(GROUP)),
        expects("ada", report("TO_EX", GROUP)),
        until(1),
        part("1. The router asks", _TELL),
        say("By the length of the question, 24 octets, hosts know its version, and speak version 1 from now on."),
        ask(
            "A router asks in version 1. ada has spoken version 2 so far. How does it answer?",
            "with a version 1 report for each group, each at a random moment",
            ("with one version 2 report of all groups", "not at all: the question is of a version that it has left"),
            "RFC 3810 8.2.1",
        ),
        at(1, "router", Query()),
        expects("ada", report1(GROUP, source=ADA.address), within=1.1),
        expects("ada", report1("ff02::1:ff00:a"), within=1.1),
        until(2.5),
        part("2. It asks for the group alone, and bob, which joins it at that moment, is quicker", _TELL),
        say("For the router one listener is as good as two: whoever hears another's report keeps quiet."),
        at(2.5, "router", Query(GROUP, delay=60)),
        at(2.503, "bob", join(GROUP)),
        expects("bob", report1(GROUP)),
        until(3.2),
        ask(
            "bob was the last to report the group. ada leaves it. What does ada say?",
            "nothing: whoever reported last answers for the group",
            ("Done, to the routers", "Done, to the group", "a report that it listens no longer"),
            "RFC 2710 4",
        ),
        at(3.2, "ada", leave(GROUP)),
        never("ada", done(GROUP), during=0.8, says="it says nothing: bob still answers for the group"),
        at(4.5, "bob", leave(GROUP)),
        expects("bob", done(GROUP), says="it reported last, so it tells the routers"),
        part("3. A question that nobody believes", _TELL),
        say("A question has hop limit 1. If hosts believed another one, strangers far away could make them talk."),
        at(6, "router", Query(hop_limit=64)),
        never("ada", report1("ff02::1:ff00:a"), during=1.2),
    ),
)
