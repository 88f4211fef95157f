"""A switch that snoops learns from reports where a group is wanted (RFC 4541, RFC 3810)."""

from stack.sim.narrate import FILTER, GROUPS
from stack.sim.scenarios.actions import Forward, Query, SwitchOn, join, leave
from stack.sim.scenarios.expectations import Snooped, report
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Querier, Quiet, Scenario, ask, at, expects, host, part, say, until

GROUP = "ff15::cafe"
SOURCE = "2001:db8::1"
ADA = host("ada", "02:00:00:00:00:0a", quick=True)
ROUTER = Querier("router", "02:00:00:00:00:01", delay=1.0)

SCENARIO = Scenario(
    *listed("snooping"),
    cast=(ADA, ROUTER),
    snooping=True,
    steps=(
        say(
            """This switch sends a group's frames only to ports where somebody has reported the group, and to routers.
            The router asks, so the switch knows where it is, and keeps to its list from then on."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0.5, "router", Query()),
        expects("ada", report("IS_EX", "ff02::1:ff00:a"), within=1.1),
        until(2),
        part(f"1. A program on ada joins {GROUP}", frozenset((GROUPS, FILTER))),
        say("First ada's card lets the group through, then the report goes out, so that nothing comes too early."),
        ask(
            "A program on ada joins a group. How does the switch learn of it?",
            "from ada's report to the routers, which passes through it",
            ("ada tells the switch", "it asks all its ports", "from the first frame that somebody sends to the group"),
            "RFC 3810 6.1",
        ),
        at(2, "ada", join(GROUP)),
        expects("ada", report("TO_EX", GROUP, source=ADA.address)),
        expects("ada", Snooped(GROUP), says=f"the switch has {GROUP} on ada's port"),
        expects("ada", report("TO_EX", GROUP), says="the report is repeated, in case one is lost"),
        at(3, "router", Forward(SOURCE, GROUP)),
        until(3.5),
        part("2. The program leaves the group", frozenset((GROUPS, FILTER))),
        say(
            """Somebody else on that port might still listen, so the router asks before anybody stops anything. Nobody
            answers in the time that it gives, nor in as long again: then the switch closes the port for the group."""
        ),
        ask(
            "ada leaves the group and says so. When does the switch stop sending it to ada's port?",
            "when the router's question about the group has stayed unanswered",
            ("at once", "never: an entry stays until the switch is restarted"),
            "RFC 4541 2.1",
        ),
        at(3.5, "ada", leave(GROUP)),
        expects("ada", report("TO_IN", GROUP)),
        expects("ada", report("TO_IN", GROUP)),
        at(4.2, "router", Query(GROUP, delay=0.5)),
        expects("ada", Snooped(GROUP, yes=False), within=2.5, says=f"the switch has {GROUP} no longer"),
        at(7, "router", Forward(SOURCE, GROUP)),
        until(7.1),
    ),
)
