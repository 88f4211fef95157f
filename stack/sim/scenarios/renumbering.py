"""A network gets another prefix: the old address fades, the new one takes over (RFC 4862 5.5.3, 5.5.4)."""

from stack.sim.narrate import ADDRESSES
from stack.sim.scenarios.actions import Advertise, Ping, Prefix, SwitchOn
from stack.sim.scenarios.expectations import Address, Pinged, Routers, echo_request
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

OLD, NEW = "2001:db8:1::", "2001:db8:2::"
FAR = "2001:db8:f::9"
ADA = host("ada", "02:00:00:00:00:0a", quick=True, router_solicitations=1)
ROUTER = Router("router", "02:00:00:00:00:01", (Prefix(OLD),))
BEFORE, AFTER = in_prefix(OLD, ADA.mac), in_prefix(NEW, ADA.mac)
_TELL = frozenset((ADDRESSES,))

SCENARIO = Scenario(
    *listed("renumbering"),
    cast=(ADA, ROUTER),
    steps=(
        say(f"""ada has the address {BEFORE}, made from the router's prefix. The provider assigns another prefix."""),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0.5, "router", SwitchOn()),
        expects("ada", Address(BEFORE, "preferred"), within=2),
        until(2),
        part("1. The router advertises both, the old one to be used no more", _TELL),
        say(
            """The old prefix comes with a preferred lifetime of 0: connections that use it may go on, new ones are to
            begin from the new address."""
        ),
        at(
            2,
            "router",
            Advertise("begins to renumber", prefixes=(Prefix(OLD, valid=7200, preferred=0), Prefix(NEW))),
        ),
        expects("ada", Address(BEFORE, "deprecated"), within=1),
        expects("ada", Address(AFTER, "preferred"), within=2),
        until(4),
        part("2. ada speaks to the world", frozenset()),
        ask(
            "ada has a deprecated address and a preferred one, and pings somebody far away. From which?",
            "from the preferred one, the new address",
            ("from the deprecated one, which it has had longer", "from its link-local address", "from both"),
            "RFC 6724 5 rule 3",
        ),
        at(4, "ada", Ping(FAR)),
        expects("ada", echo_request(FAR, source=AFTER)),
        expects("ada", Pinged(FAR)),
        until(5),
        part("3. Somebody says that the old prefix is void at once", _TELL),
        say("An advertisement is not authenticated. So nobody can shorten an address's life below two hours with it."),
        ask(
            "An advertisement says that the old prefix is valid for 1 s more. What becomes of the old address?",
            "it stays for up to two hours",
            ("it is gone after 1 s", "it is gone at once", "it is preferred again"),
            "RFC 4862 5.5.3 e",
        ),
        at(
            5,
            "router",
            Advertise("says that the old prefix ends in a second", prefixes=(Prefix(OLD, 1, 0), Prefix(NEW))),
        ),
        until(7),
        expects("ada", Address(BEFORE, "deprecated"), within=3, says=f"{BEFORE} is still there, two seconds later"),
        part("4. The router says farewell", _TELL),
        at(8, "router", Advertise("advertises a lifetime of 0: it is no router any more", lifetime=0)),
        expects("ada", Routers(()), says="there is no default router any more"),
        expects("ada", Address(AFTER, "preferred"), says="the addresses stay: they are the link's, not the router's"),
    ),
)
