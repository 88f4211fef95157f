"""The tour: addresses, a neighbour, a ping, a group, and the last address going and coming back."""

from stack.sim.narrate import ADDRESSES, NOTHING
from stack.sim.scenarios.actions import AddAddress, Ping, Prefix, Query, RemoveAddress, SwitchOn, join, leave
from stack.sim.scenarios.expectations import (
    Address,
    Listening,
    Neighbour,
    Pinged,
    Routers,
    echo_request,
    report,
    router_solicitation,
    solicitation,
)
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import (
    Querier,
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

GROUP = "ff15::cafe"
PREFIX = "2001:db8:1::"
ADA = host("ada", "02:00:00:00:00:0a", router_solicitations=1, mldv2_unsolicited_report_interval=200)
BOB = host("bob", "02:00:00:00:00:0b", quick=True)
ROUTER = Router("router", "02:00:00:00:00:01", (Prefix(PREFIX),))
QUERIER = Querier("querier", "02:00:00:00:00:02", delay=1.0)
GLOBAL = in_prefix(PREFIX, ADA.mac)

SCENARIO = Scenario(
    *listed("first"),
    cast=(ADA, BOB, ROUTER, QUERIER),
    rows=("S06", "S72"),
    steps=(
        say(
            """ada comes to a switch with bob, a router and a querier. Time is virtual, in seconds; --> is a frame; in
            brackets, the clause that asks for it; reports are sent twice and told once."""
        ),
        Quiet(),
        at(0, "bob", SwitchOn()),
        at(0, "router", SwitchOn()),
        until(4),
        part("1. ada is switched on: is its address unique? Is there a router?", NOTHING),
        ask(
            "ada has made a link-local address from its MAC. What does it do before it uses it?",
            "it asks whether anybody has it, and waits for an objection",
            ("it uses it at once, since MACs are unique", "it asks the router for permission"),
            "RFC 4862 5.4",
        ),
        at(4, "ada", SwitchOn()),
        expects("ada", solicitation(ADA.address, source="::"), within=1.5),
        expects("ada", Address(ADA.address, "preferred"), within=2.5, says="silence: the address is unique"),
        expects("ada", router_solicitation(), within=8),
        expects("ada", Routers((ROUTER.address,)), within=12, says="there is a router, and an address of its prefix"),
        expects("ada", Address(GLOBAL, "preferred"), within=15),
        Quiet(),
        until(20),
        part("2. ada pings bob: who has this address?", NOTHING),
        ask(
            "ada knows bob's address, but a frame needs a MAC. What does ada send first?",
            "a question to the group of bob's address",
            ("the ping, to the broadcast address", "a question to the router"),
            "RFC 4861 7.2.2",
        ),
        at(20, "ada", Ping(BOB.address, "bob")),
        expects("ada", solicitation(BOB.address)),
        then("ada", echo_request(BOB.address)),
        expects("ada", Pinged(BOB.address)),
        expects("ada", Neighbour(BOB.address, ("REACHABLE",))),
        Quiet(),
        until(27),
        part(f"3. A program on ada joins {GROUP}, the querier asks, the program leaves", NOTHING),
        at(27, "ada", join(GROUP)),
        expects("ada", report("TO_EX", GROUP)),
        at(28, "querier", Query()),
        expects("ada", report("IS_EX", GROUP), within=1.1),
        until(30),
        at(30, "ada", leave(GROUP)),
        expects("ada", report("TO_IN", GROUP)),
        Quiet(),
        at(31, "ada", join(GROUP)),
        at(31.5, "ada", RemoveAddress(GLOBAL)),
        until(33),
        part("4. The last address goes, and comes back: groups outlive it", frozenset((ADDRESSES,))),
        ask(
            f"ada listens to {GROUP} again, and loses its last address. What becomes of the group?",
            "it is kept, and reported again when there is an address",
            ("it is left, and the routers are told", "the program gets an error"),
            "RFC 3590 4",
        ),
        at(33, "ada", RemoveAddress(ADA.address)),
        expects("ada", Listening(GROUP)),
        at(34, "ada", AddAddress(ADA.address)),
        expects("ada", Address(ADA.address, "preferred"), within=3),
        expects("ada", report("TO_EX", GROUP, source=ADA.address), within=3),
    ),
    only_simulated="it lasts for half a minute",
)
