"""The last address of an interface goes and comes back: its groups are saved, and reported again (RFC 3590 4)."""

from stack.sim.narrate import ADDRESSES, GROUPS
from stack.sim.scenarios.actions import AddAddress, RemoveAddress, SwitchOn, join
from stack.sim.scenarios.expectations import Address, Listening, report
from stack.sim.scenarios.listing import listed
from stack.sim.scenarios.vocabulary import Quiet, Scenario, ask, at, expects, host, part, say, until

GROUP = "ff15::cafe"
SECOND = "fe80::5"
ADA = host("ada", "02:00:00:00:00:0a", quick=True)
_TELL = frozenset((GROUPS, ADDRESSES))

SCENARIO = Scenario(
    *listed("address-goes"),
    cast=(ADA,),
    rows=("S72",),
    steps=(
        say(
            f"""A program that listens to a group does not care which address the host has, or whether it has one. But
            reports are sent from an address, so each group hangs on one. ada has two, the one made from its MAC and
            {SECOND}, and a program listens to {GROUP}."""
        ),
        Quiet(),
        at(0, "ada", SwitchOn()),
        at(0.2, "ada", AddAddress(SECOND)),
        at(0.4, "ada", join(GROUP)),
        until(1.5),
        part("1. One of two addresses goes", _TELL),
        say("Its own group is left. What else hung on it moves to the other, and nothing needs to be said of that."),
        at(1.5, "ada", RemoveAddress(ADA.address)),
        expects("ada", report("TO_IN", "ff02::1:ff00:a", source=SECOND)),
        until(2.5),
        part("2. The last address goes", _TELL),
        ask(
            f"Now the last address goes, and {GROUP} has nothing to hang on. What becomes of it?",
            "it is kept, and nothing is said of it",
            ("it is left, and the routers are told", "the program gets an error", "it is reported from ::"),
            "RFC 3590 4",
        ),
        at(2.5, "ada", RemoveAddress(SECOND)),
        expects("ada", Listening(GROUP), says=f"{GROUP} is still in the list, and the card still lets it through"),
        until(3.5),
        part("3. The address comes back", _TELL),
        say("As soon as it is known to be unique all groups are reported from it: a switch may have forgotten them."),
        at(3.5, "ada", AddAddress(SECOND)),
        expects("ada", Address(SECOND, "preferred"), within=2),
        expects("ada", report("TO_EX", GROUP, source=SECOND), within=2, says="the program has noticed nothing"),
    ),
)
