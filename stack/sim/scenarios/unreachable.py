"""From an address to a MAC, and a neighbour that falls silent (RFC 4861 7.2, 7.3)."""

from stack.sim.narrate import NEIGHBOURS
from stack.sim.scenarios.actions import Ping, SwitchOn, Unplug
from stack.sim.scenarios.expectations import (
    ABSENT,
    Neighbour,
    Pinged,
    advertisement,
    echo_reply,
    echo_request,
    solicitation,
)
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Quiet, Scenario, ask, at, expects, host, part, say, then, until

ADA = host("ada", "02:00:00:00:00:0a", quick=True, base_reachable_time_ms=1000, delay_first_probe_time=1)
BOB = host("bob", "02:00:00:00:00:0b", quick=True)
NOBODY = "fe80::dead"
_TELL = frozenset((NEIGHBOURS,))

SCENARIO = Scenario(
    *listed("unreachable"),
    cast=(ADA, BOB),
    steps=(
        say(
            """A frame needs a MAC. A host keeps what it knows of its neighbours, each with a state that says how sure
            it is. (To be quick, ada is set to be sure for about a second, and to wait for one.)"""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        until(1),
        part("1. ada pings bob", _TELL),
        ask(
            "ada knows bob's address, but not its MAC. What does it send first?",
            "a question to the group of bob's address, and the ping waits",
            ("the ping, to the broadcast address", "a question to the router", "the ping, to every port"),
            "RFC 4861 7.2.2",
        ),
        at(1, "ada", Ping(BOB.address, "bob")),
        expects("ada", solicitation(BOB.address, source=ADA.address, destination="ff02::1:ff00:b")),
        then("bob", advertisement(BOB.address, destination=ADA.address, flags="SO")),
        then("ada", echo_request(BOB.address)),
        then("bob", echo_reply(ADA.address)),
        expects("ada", Pinged(BOB.address)),
        expects("ada", Neighbour(BOB.address, ("REACHABLE", "STALE"))),
        until(4),
        part("2. bob's cable is pulled out, and ada pings it again", _TELL),
        say(
            """Nothing tells ada, which has called bob STALE since it was last sure. The ping goes out at once: the MAC
            is probably still right. Then ada wants a sign of life, and asks bob alone, three times."""
        ),
        Quiet(),
        at(4, "bob", Unplug()),
        until(4.1),
        part("", _TELL),
        ask(
            "bob's cable is out, and ada's entry for it is STALE. ada pings bob. What does it do first?",
            "it sends the ping to the MAC that it remembers",
            ("it asks for the MAC anew, and the ping waits", "it tells the program that bob is unreachable"),
            "RFC 4861 7.3.3",
        ),
        at(4.1, "ada", Ping(BOB.address, "bob")),
        expects("ada", echo_request(BOB.address)),
        then("ada", solicitation(BOB.address, destination=BOB.address), within=1.5),
        then("ada", solicitation(BOB.address, destination=BOB.address), within=2.5),
        then("ada", solicitation(BOB.address, destination=BOB.address), within=3.5),
        expects("ada", Neighbour(BOB.address, (ABSENT, "FAILED")), within=4.5),
        Quiet(),
        until(9),
        part(f"3. ada pings {NOBODY}, which nobody has", frozenset()),
        at(9, "ada", Ping(NOBODY)),
        expects("ada", solicitation(NOBODY, destination="ff02::1:ff00:dead")),
        then("ada", solicitation(NOBODY), within=1.5),
        then("ada", solicitation(NOBODY), within=2.5),
        expects("ada", Pinged(NOBODY, "failed"), within=3.5),
    ),
)
