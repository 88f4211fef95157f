"""The user gives a host an address that somebody has; and somebody wants an address of the host's (RFC 4862 5.4)."""

from stack.sim.narrate import ADDRESSES, DETECTION
from stack.sim.scenarios.actions import AddAddress, SwitchOn
from stack.sim.scenarios.expectations import Address, advertisement, solicitation
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Quiet, Scenario, ask, at, expects, host, part, say, then, until

TAKEN, OURS = "fe80::5", "fe80::6"
# Two seconds for an objection: where time is real there is room for a slow machine.
ADA = host(
    "ada",
    "02:00:00:00:00:0a",
    router_solicitation_delay=0,
    mldv2_unsolicited_report_interval=200,
    retrans_time_ms=2000,
)
BOB = host("bob", "02:00:00:00:00:0b", router_solicitation_delay=0, mldv2_unsolicited_report_interval=200)
_TELL = frozenset((ADDRESSES, DETECTION))

SCENARIO = Scenario(
    *listed("taken"),
    cast=(ADA, BOB),
    rows=("S06",),
    steps=(
        say(f"bob has the address {TAKEN} beside the one from its MAC. The user gives the same to ada."),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0, "bob", SwitchOn()),
        at(0.1, "bob", AddAddress(TAKEN)),
        until(3),
        part("1. ada asks, and bob defends its address", _TELL),
        at(3, "ada", AddAddress(TAKEN)),
        expects("ada", solicitation(TAKEN, source="::", destination="ff02::1:ff00:5")),
        then("bob", advertisement(TAKEN, destination="ff02::1", flags="O")),
        expects("ada", Address(TAKEN, "duplicated")),
        expects(
            "ada",
            Address(ADA.address, "preferred"),
            says="its other address is as good as before: the user may err, a MAC should not",
        ),
        until(4),
        part("2. The other way round", _TELL),
        Quiet(),
        at(4, "ada", AddAddress(OURS)),
        expects("ada", Address(OURS, "preferred"), within=3),
        until(7),
        part("", _TELL),
        ask(
            "Another host asks, from ::, for an address that ada uses. To whom does ada answer?",
            "to all nodes: the asker has no address yet",
            (
                "to ::, where the question came from",
                "to the router",
                "to nobody: it uses the address, that is enough",
            ),
            "RFC 4861 7.2.4",
        ),
        at(7, "bob", AddAddress(OURS)),
        expects("bob", solicitation(OURS, source="::")),
        then("ada", advertisement(OURS, source=OURS, destination="ff02::1", flags="O")),
        expects("bob", Address(OURS, "duplicated")),
        expects("ada", Address(OURS, "preferred")),
    ),
)
