"""A host on a link with a router gives itself addresses (RFC 4862, RFC 4861 6.3)."""

from stack.sim.narrate import ADDRESSES
from stack.sim.scenarios.actions import Prefix, SwitchOn
from stack.sim.scenarios.expectations import (
    Address,
    Routers,
    report,
    router_advertisement,
    router_solicitation,
    solicitation,
)
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
    then,
    until,
)

PREFIX = "2001:db8:1::"
ADA = host("ada", "02:00:00:00:00:0a", router_solicitations=3)
ROUTER = Router("router", "02:00:00:00:00:01", (Prefix(PREFIX),))
GLOBAL = in_prefix(PREFIX, ADA.mac)
_TELL = frozenset((ADDRESSES,))

SCENARIO = Scenario(
    *listed("configuration"),
    cast=(ADA, ROUTER),
    rows=("S06",),
    steps=(
        say(
            """ada is switched on. It knows its MAC, 02:00:00:00:00:0a, and nobody tells it anything. (Time is virtual,
            in seconds; a line with --> is a frame; in brackets, the clause that asks for it.)"""
        ),
        Quiet(),
        at(0, "router", SwitchOn()),
        until(4),
        part("1. An address for this link", _TELL),
        say(
            f"""From the MAC ada makes {ADA.address}. Whoever has it listens to ff02::1:ff00:a, so ada joins that group
            and asks there, from ::, since it has no address yet."""
        ),
        ask(
            "ada has made a link-local address from its MAC. What does it do before it uses the address?",
            "it asks whether anybody has it, and waits a second for an objection",
            ("it uses it at once, since MACs are unique", "it asks the router for permission"),
            "RFC 4862 5.4",
        ),
        at(4, "ada", SwitchOn()),
        expects("ada", report("TO_EX", "ff02::1:ff00:a", source="::"), within=1.5),
        expects("ada", solicitation(ADA.address, source="::", destination="ff02::1:ff00:a"), within=1.5),
        expects("ada", Address(ADA.address, "preferred"), within=2.5),
        part("2. A router, and an address for the world", _TELL),
        say(
            """Silence was the answer: the address is unique. Now ada asks for routers. The router tells everybody its
            prefix; with it ada makes a second address and tests it in the same way, since the prefix is another."""
        ),
        ask(
            "The router advertises the prefix 2001:db8:1::/64. What does ada make of it?",
            "an address of the prefix and its own interface identifier, and tests it",
            ("a request for an address, sent to the router", "nothing: an address has to be assigned by somebody"),
            "RFC 4862 5.5.3",
        ),
        expects("ada", router_solicitation(), within=8),
        then("router", router_advertisement(destination="ff02::1"), within=12),
        expects("ada", Routers((ROUTER.address,)), within=12),
        expects("ada", solicitation(GLOBAL, source="::"), within=14),
        expects("ada", Address(GLOBAL, "preferred"), within=15, says=f"packets to elsewhere go to {ROUTER.name}"),
        say("Both addresses are ready, three seconds after the start, without anybody's help."),
    ),
)
