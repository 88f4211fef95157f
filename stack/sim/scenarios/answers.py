"""What a host answers and what it leaves: pings of itself and of groups, datagrams that nobody wants (RFC 4443)."""

from stack.sim.narrate import IGNORED
from stack.sim.scenarios.actions import Ping, SendUdp, SwitchOn
from stack.sim.scenarios.expectations import Frame, Pinged, echo_reply
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Quiet, Scenario, ask, at, expects, host, never, part, say, until

ADA = host("ada", "02:00:00:00:00:0a", quick=True)
BOB = host("bob", "02:00:00:00:00:0b", quick=True)
GROUP = "ff15::cafe"
CLOSED = 9

SCENARIO = Scenario(
    *listed("answers"),
    cast=(ADA, BOB),
    steps=(
        say("ada has no program but what every host has. bob tries what it answers."),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        until(0.8),
        at(0.8, "bob", Ping(ADA.address, "ada")),
        expects("bob", Pinged(ADA.address)),
        until(1),
        part("1. A ping of ada, a ping of all nodes", frozenset()),
        at(1, "bob", Ping(ADA.address, "ada")),
        expects("ada", echo_reply(BOB.address, source=ADA.address)),
        ask(
            "bob pings ff02::1, all nodes. From which address does ada answer?",
            "from its own address",
            ("from ff02::1, the address that was asked", "it does not answer: groups are not pinged"),
            "RFC 4443 4.2",
        ),
        at(1.5, "bob", Ping("ff02::1", "all nodes")),
        expects("ada", echo_reply(BOB.address, source=ADA.address)),
        until(2),
        part(f"2. A ping of {GROUP}, which ada has not joined", frozenset((IGNORED,))),
        at(2, "bob", Ping(GROUP)),
        never("ada", echo_reply(BOB.address), during=0.5),
        part("3. A datagram to a port that no program has", frozenset()),
        ask(
            "bob sends a datagram to a port where no program of ada's listens. What does ada do?",
            "it tells bob that the port is unreachable",
            ("nothing: bob will notice", "it answers with an empty datagram"),
            "RFC 4443 3.1",
        ),
        at(3, "bob", SendUdp(ADA.address, CLOSED, "ada")),
        expects("ada", Frame("destination unreachable", ADA.address, BOB.address, code=4)),
        until(3.5),
        part("4. The same to all nodes", frozenset((IGNORED,))),
        say("An error about a packet to a group is not sent: everybody would answer at once (RFC 4443 2.4 e)."),
        at(3.5, "bob", SendUdp("ff02::1", CLOSED, "all nodes")),
        never("ada", Frame("destination unreachable"), during=0.5),
    ),
)
