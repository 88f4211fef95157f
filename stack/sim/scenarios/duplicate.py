"""Two hosts with the same MAC make the same address: who comes second stays without IPv6 (RFC 4862 5.4.5)."""

from stack.address import parse_mac
from stack.sim.narrate import ADDRESSES, DETECTION
from stack.sim.stage import Scenario, Stage, address_state, link_local_text
from stack.sim.world import Station

SAME_MAC = "02:00:00:00:00:0a"
ANOTHER_MAC = "02:00:00:00:00:0b"
_TELL = frozenset((DETECTION, ADDRESSES))


def play(stage: Stage) -> None:
    """The second one loses; a MAC of its own cures it; of two at the same time the slower one loses."""
    stage.opening(
        f"""ada and bob bear the same MAC, {SAME_MAC}: a cloned virtual machine, or a card copied too well. So both
        make the same link-local address. ada has been up for a while and uses it; then bob is switched on."""
    )
    ada = stage.host("ada", SAME_MAC, named=False)
    bob = stage.host("bob", SAME_MAC, named=False)
    with stage.quietly():
        stage.start(ada)
        stage.run_to(15)
    _second_loses(stage, ada, bob)
    _cure(stage, ada, bob)
    _at_once(stage)


def _second_loses(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section("1. bob asks before it uses the address, and ada answers", _TELL)
    stage.say(
        """bob cannot know of ada, so it asks the group of the address, from :: and with a random nonce. ada knows
        from the :: that somebody is about to take its address. There is no address to send the answer to, so it goes
        to all nodes."""
    )
    stage.start(bob)
    stage.run_to(20)
    stage.expect(bob.interface.disabled, "IPv6 is disabled on bob")
    stage.expect(address_state(ada, link_local_text(ada)) == "preferred", "ada keeps its address")
    stage.say(
        """A duplicate of an address made from the MAC means that the MAC itself is there twice, and then no other
        address would help: bob leaves its groups and stops speaking IPv6 on this interface altogether
        (RFC 4862 5.4.5)."""
    )


def _cure(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section("2. The cure: a MAC of bob's own", _TELL)
    stage.run_to(25)
    stage.act(
        bob,
        f"is given the MAC {ANOTHER_MAC} and starts over",
        lambda now: bob.interface.set_mac(parse_mac(ANOTHER_MAC), now),
    )
    stage.run_to(28)
    stage.expect(address_state(bob, link_local_text(bob)) == "preferred", "bob has a valid address")
    with stage.quietly():
        stage.run_to(40)


def _at_once(stage: Stage) -> None:
    stage.section("3. Two switched on at the same moment", _TELL)
    stage.say(
        """After a power failure everybody comes up at once. That is why a host waits for a random time of up to a
        second before it asks (RFC 4862 5.4.2), and why a host that waits listens already."""
    )
    twins = [stage.host(name, "02:00:00:00:00:0c", named=False) for name in ("cyd", "dan")]
    stage.start(*twins)
    stage.run_to(43)
    winners = [twin for twin in twins if address_state(twin, link_local_text(twin)) == "preferred"]
    losers = [twin for twin in twins if twin.interface.disabled]
    stage.expect(len(winners) == 1 and len(losers) == 1, "one of the two keeps the address")
    stage.say(
        f"""{winners[0].name} drew the shorter delay and asked first. {losers[0].name} heard the question while it was
        still waiting, and knew that the address was taken (RFC 4862 5.4.3). Had both asked within one millisecond,
        each would have heard the other, told by the nonce that this was not its own question reflected
        (RFC 7527 4.2), and both would have given the address up."""
    )


SCENARIO = Scenario(
    "duplicate",
    "Two hosts, one address",
    "two hosts with one MAC: the address is taken, IPv6 is disabled, and how it is cured",
    play,
)
