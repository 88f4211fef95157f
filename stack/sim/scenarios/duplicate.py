"""Two hosts with the same MAC make the same address: who comes second does not get it (RFC 4862 5.4)."""

from stack.sim.narrate import ADDRESSES, DETECTION
from stack.sim.scenarios.actions import SetMac, SwitchOn
from stack.sim.scenarios.expectations import Address, advertisement, solicitation
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Quiet, Scenario, ask, at, expects, host, link_local, part, say, then, until

MAC = "02:00:00:00:00:0a"
ANOTHER_MAC = "02:00:00:00:00:0c"
ADDRESS, ANOTHER = link_local(MAC), link_local(ANOTHER_MAC)
# Two seconds for an objection: where time is real there is room for a slow machine.
ADA = host("ada", MAC, named=False, retrans_time_ms=2000)
BOB = host("bob", MAC, named=False, dad_transmits=0, router_solicitation_delay=0)

SCENARIO = Scenario(
    *listed("duplicate"),
    cast=(ADA, BOB),
    rows=("S06",),
    steps=(
        say(
            f"""bob and ada bear the same MAC, {MAC}: a cloned virtual machine, or a card copied too well. So both make
            the same link-local address. bob has been up for a while and uses it."""
        ),
        Quiet(),
        at(0, "bob", SwitchOn()),
        until(1.5),
        part("1. ada asks before it uses the address", frozenset((DETECTION, ADDRESSES))),
        say(
            """bob hears the question, and knows from the :: that somebody is about to take its address. There is no
            address to send the answer to, so it goes to all nodes."""
        ),
        ask(
            "bob has the address that ada asks for. What happens?",
            "bob answers to all nodes, and ada does not use the address",
            (
                "ada takes the address over, since it asked last",
                "bob gives the address up and both make new ones",
                "nothing: both use it, and the switch decides",
            ),
            "RFC 4862 5.4.4",
        ),
        at(1.5, "ada", SwitchOn()),
        expects("ada", solicitation(ADDRESS, source="::"), within=1.5),
        then("bob", advertisement(ADDRESS, source=ADDRESS, destination="ff02::1", flags="O"), within=1.6),
        expects("ada", Address(ADDRESS, "duplicated"), within=1.7),
        expects("bob", Address(ADDRESS, "preferred"), within=2),
        say(
            """A duplicate of an address made from the MAC means that the MAC itself is there twice. No other address
            would help, so ada stops speaking IPv6 on this interface (RFC 4862 5.4.5)."""
        ),
        until(3.5),
        part("2. The cure: a MAC of its own", frozenset((ADDRESSES,))),
        at(3.5, "ada", SetMac(ANOTHER_MAC)),
        expects("ada", solicitation(ANOTHER, source="::"), within=1.5),
        expects("ada", Address(ANOTHER, "preferred"), within=4),
    ),
)
