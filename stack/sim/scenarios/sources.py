"""Source filters: who wants a group from whom, and what the host says of it (RFC 3810 4.2, 6)."""

from stack.sim.narrate import GROUPS
from stack.sim.scenarios.actions import Forward, Listen, Query, SwitchOn
from stack.sim.scenarios.expectations import Listening, Received, report
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
    SIMULATOR,
    TAP,
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
ONE, TWO, THREE = "2001:db8::1", "2001:db8::2", "2001:db8::3"
ADA = host("ada", "02:00:00:00:00:0a", quick=True)
ROUTER = Querier("router", "02:00:00:00:00:01")

SCENARIO = Scenario(
    *listed("sources"),
    cast=(ADA, ROUTER),
    steps=(
        say(
            f"""A program can say from which senders it wants a group, or from which it does not. ada asks for no more
            than its programs want. {ONE}, {TWO} and {THREE} are hosts far away that send to {GROUP}."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        until(1),
        part("1. Two programs, two senders", frozenset()),
        say(
            "For the link the wishes are merged, and only the difference is told. Each program gets what it asked for."
        ),
        at(1, "ada", Listen(GROUP, "include", (ONE,), "player")),
        expects("ada", report("ALLOW", GROUP, ONE)),
        at(1.5, "ada", Listen(GROUP, "include", (ONE, TWO), "recorder")),
        expects("ada", report("ALLOW", GROUP, TWO)),
        at(2, "router", Forward(TWO, GROUP)),
        expects("ada", Received("recorder", 1), on=(SIMULATOR,)),
        expects("ada", Received("player", 0), on=(SIMULATOR,)),
        until(2.5),
        part("2. A third wants everybody but one", frozenset()),
        say("The monitor does not want the second one, but the recorder does: so ada as a whole wants everybody."),
        ask(
            f"A third program wants the group from all but {TWO}, which the recorder wants. What does ada report?",
            "TO_EX ({}): from now on it wants all senders",
            (f"TO_EX ({{{TWO}}}): all senders but that one", f"ALLOW ({{{THREE}}})", f"BLOCK ({{{TWO}}})"),
            "RFC 3810 4.2",
        ),
        at(2.5, "ada", Listen(GROUP, "exclude", (TWO,), "monitor")),
        expects("ada", report("TO_EX", GROUP)),
        at(3, "ada", Listen(GROUP, "include", (ONE,), "recorder")),
        expects("ada", report("BLOCK", GROUP, TWO)),
        until(3.5),
        part("3. The router asks", frozenset((GROUPS,))),
        say("Of a sender that it does not want it has nothing to say; of two others it says that it wants both."),
        at(3.5, "router", Query(GROUP, (TWO,), delay=0.3)),
        never("ada", report("IS_IN", GROUP, TWO), during=0.5),
        at(4.5, "router", Query(GROUP, (ONE, THREE), delay=0.3)),
        # Linux sends its whole state: RFC 3810 6.3 rule 3 is the answer.
        expects("ada", report("IS_IN", GROUP, ONE, THREE), on=(SIMULATOR, TAP)),
        until(5),
        part("4. They end", frozenset()),
        at(5, "ada", Listen(GROUP, "include", (), "monitor")),
        expects("ada", report("TO_IN", GROUP, ONE)),
        Quiet(),
        at(5.5, "ada", Listen(GROUP, "include", (), "recorder")),
        until(6),
        part("", frozenset()),
        at(6, "ada", Listen(GROUP, "include", (), "player")),
        expects("ada", report("BLOCK", GROUP, ONE)),
        expects("ada", Listening(GROUP, yes=False)),
    ),
)
