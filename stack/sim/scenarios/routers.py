"""Two routers: the preferred one has the packets, until it takes its leave (RFC 4191, RFC 4861 6.3)."""

from stack.sim.narrate import NEIGHBOURS
from stack.sim.scenarios.actions import Advertise, Ping, Prefix, SwitchOff, SwitchOn
from stack.sim.scenarios.expectations import Address, Pinged, Routers, router_advertisement
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
    Quiet,
    Router,
    Scenario,
    ask,
    at,
    expects,
    host,
    in_prefix,
    part,
    say,
    until,
)

PREFIX = "2001:db8:1::"
FAR, FARTHER = "2001:db8:f::9", "2001:db8:f::a"
ADA = host("ada", "02:00:00:00:00:0a", quick=True, router_solicitations=1)
ONE = Router("one", "02:00:00:00:00:01", (Prefix(PREFIX),), preference=-1)
TWO = Router("two", "02:00:00:00:00:02", preference=1)
GLOBAL = in_prefix(PREFIX, ADA.mac)

SCENARIO = Scenario(
    *listed("routers"),
    cast=(ADA, ONE, TWO),
    steps=(
        say("Router `one` says of itself that it is better avoided, router `two` that it is to be preferred."),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0.5, "one", SwitchOn()),
        expects("ada", Address(GLOBAL, "preferred"), within=2),
        until(1.5),
        part("1. Router two appears", frozenset()),
        at(1.5, "two", SwitchOn()),
        expects("two", router_advertisement()),
        expects("ada", Routers((TWO.address, ONE.address)), says="two default routers, two before one"),
        part("2. ada pings somebody far away", frozenset((NEIGHBOURS,))),
        ask(
            "Router one is of low preference, router two of high. ada pings somebody far away. Through which?",
            "through router two",
            ("through router one, which was there first", "through both, in turn", "through the one with less to do"),
            "RFC 4191 3.2",
        ),
        at(2, "ada", Ping(FAR)),
        expects("ada", Pinged(FAR), says="router two has carried it"),
        until(3),
        part("3. Router two takes its leave", frozenset()),
        at(3, "two", SwitchOff(farewell=True)),
        expects("ada", Routers((ONE.address,)), says="one default router is left"),
        at(3.5, "ada", Ping(FARTHER)),
        expects("ada", Pinged(FARTHER), says="router one has carried it"),
        part("4. Router one becomes as good as any", frozenset()),
        at(4.5, "one", Advertise("is mended", preference=0)),
        expects("one", router_advertisement()),
        expects("ada", Routers((ONE.address,))),
    ),
)
