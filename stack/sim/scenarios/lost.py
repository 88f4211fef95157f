"""Frames get lost: what a host asks and reports is repeated, a program's data is not (RFC 4861 7.2.2, RFC 3810 6.1)."""

from stack.sim.narrate import REPEATS
from stack.sim.scenarios.actions import Lose, Ping, SwitchOn, join
from stack.sim.scenarios.expectations import (
    Pinged,
    advertisement,
    echo_reply,
    echo_request,
    report,
    solicitation,
)
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Quiet, Scenario, ask, at, expects, host, never, part, say, then, until

GROUP = "ff15::cafe"
ADA = host("ada", "02:00:00:00:00:0a", quick=True)
BOB = host("bob", "02:00:00:00:00:0b", quick=True)

SCENARIO = Scenario(
    *listed("lost"),
    cast=(ADA, BOB),
    steps=(
        say("Ethernet promises nothing. Who wants an answer has to be patient, and to ask again."),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        until(1),
        part("1. ada asks for bob's MAC, and nobody hears it", frozenset()),
        ask(
            "ada asks for bob's MAC, and the question is lost. What becomes of the ping that waits for the answer?",
            "it waits: ada asks again after a second, three times in all",
            ("it is given up at once", "it is sent to the broadcast address", "it is lost as well"),
            "RFC 4861 7.2.2",
        ),
        at(1, "ada", Lose("neighbour solicitation")),
        at(1, "ada", Ping(BOB.address, "bob")),
        expects("ada", solicitation(BOB.address, destination="ff02::1:ff00:b")),
        then("ada", solicitation(BOB.address, destination="ff02::1:ff00:b"), within=1.1),
        then("bob", advertisement(BOB.address, destination=ADA.address), within=1.2),
        then("ada", echo_request(BOB.address), within=1.2),
        expects("ada", Pinged(BOB.address), within=1.2),
        until(4),
        part("2. bob's answer to a ping is lost", frozenset()),
        say("That is the program's business. IPv6 sends nothing again that a program has sent once."),
        at(4, "bob", Lose("echo reply")),
        at(4, "ada", Ping(BOB.address, "bob")),
        expects("ada", echo_request(BOB.address)),
        then("bob", echo_reply(ADA.address)),
        never("ada", echo_request(BOB.address), during=2),
        expects("ada", Pinged(BOB.address, ""), within=2.1, says="the ping has no answer, and will have none"),
        part("3. A report is lost", frozenset((REPEATS,))),
        say("Nobody answers a report, so it is sent twice in any case, the second time after a random while."),
        at(6.2, "ada", Lose("MLD version 2 report")),
        at(6.2, "ada", join(GROUP)),
        expects("ada", report("TO_EX", GROUP)),
        then("ada", report("TO_EX", GROUP), says="that one arrives"),
    ),
)
