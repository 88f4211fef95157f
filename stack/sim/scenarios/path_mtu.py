"""A link on the way takes shorter packets: the router says so, and the host sends fragments (RFC 8201, RFC 8200 5)."""

from stack.sim.scenarios.actions import Ping, SwitchOn
from stack.sim.scenarios.expectations import Address, Frame, PathMtu, Pinged, echo_reply, echo_request
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
    Gateway,
    Quiet,
    Scenario,
    ask,
    at,
    expects,
    host,
    in_prefix,
    part,
    say,
    then,
    until,
)

NEAR, FAR = "2001:db8:1::", "2001:db8:2::"
MTU = 1300
SIZE = 1400
ADA = host("ada", "02:00:00:00:00:0a", quick=True, router_solicitations=1)
ROUTER = Gateway("router", "02:00:00:00:00:01", "02:00:00:00:00:02", NEAR, FAR, MTU)
ZOE = host("zoe", "02:00:00:00:00:1a", quick=True, router_solicitations=1, beyond="router")
HERE, THERE = in_prefix(NEAR, ADA.mac), in_prefix(FAR, ZOE.mac)

SCENARIO = Scenario(
    *listed("path-mtu"),
    cast=(ADA, ROUTER, ZOE),
    steps=(
        say(
            f"""ada's link takes packets of 1500 octets. zoe is on another link, behind the router, which takes {MTU}
            and no more. Routers do not cut packets to size: in IPv6 that is the sender's business."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "zoe", SwitchOn()),
        at(0.2, "router", SwitchOn()),
        expects("ada", Address(HERE, "preferred"), within=2),
        until(2),
        part(f"1. ada pings zoe with {SIZE} octets", frozenset()),
        ask(
            "A packet of ada's is too long for a link behind the router. What does the router do with it?",
            "it drops it, and tells ada how long a packet may be",
            ("it sends it on in two fragments", "it drops it without a word", "it asks ada to wait"),
            "RFC 8200 5",
        ),
        at(2, "ada", Ping(THERE, "zoe", SIZE)),
        expects("ada", echo_request(THERE, source=HERE)),
        then("router", Frame("packet too big", destination=HERE)),
        expects("ada", PathMtu(THERE, MTU), says=f"it notes that the way to zoe takes {MTU} octets"),
        until(4),
        part("2. ada pings zoe again, and zoe answers", frozenset()),
        say("Now ada knows. The request leaves in two fragments, and zoe, which knows its link, answers in two."),
        at(4, "ada", Ping(THERE, "zoe", SIZE)),
        expects("ada", echo_request(THERE, source=HERE)),
        expects("ada", Frame("fragment", HERE, THERE)),
        expects("ada", Pinged(THERE)),
        until(5),
        part("3. A short one needs none of that", frozenset()),
        at(5, "ada", Ping(THERE, "zoe")),
        expects("ada", echo_request(THERE, source=HERE)),
        expects("router", echo_reply(HERE, source=THERE)),
        expects("ada", Pinged(THERE)),
    ),
)
