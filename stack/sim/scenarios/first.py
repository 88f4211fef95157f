"""Two hosts come up, find each other, ping both ways, and one of them joins a group and leaves it."""

from stack.sim.narrate import FILTER, GROUPS, NOTHING
from stack.sim.stage import Scenario, Stage, address_state, group_record, link_local_text, neighbour_state
from stack.sim.world import Station

GROUP = "ff15::cafe"


def play(stage: Stage) -> None:
    """The whole story, in four parts."""
    stage.opening(
        """ada and bob are two hosts on one Ethernet switch. There is no router, and nobody has configured anything:
        all that follows they work out by themselves."""
    )
    ada = _ada_comes_up(stage)
    bob = _bob_comes_up(stage, ada)
    _ping(stage, ada, bob)
    _group(stage, ada, bob)


def _ada_comes_up(stage: Stage) -> Station:
    stage.section("1. ada is switched on and gives itself an address")
    stage.say(
        """From its MAC, 02:00:00:00:00:0a, ada makes the link-local address fe80::ff:fe00:a (RFC 4291 appendix A).
        Before it may use the address, ada must make sure that nobody else has it. Whoever has it listens to the group
        ff02::1:ff00:a, which ends like the address (RFC 4291 2.7.1), so that is where to ask. First ada joins this
        group itself, to hear the others: its network card must let the group's MAC through, and switches that deliver
        groups only to listeners must hear a report (multicast listener discovery, MLD version 2, RFC 3810). A report
        says what has changed: TO_EX ({}) is that ada wants the group from all senders except those in the braces, so
        from everybody. It is sent from :: as long as there is no valid address."""
    )
    ada = stage.host("ada", "02:00:00:00:00:0a")
    stage.start(ada)
    stage.run_to(2.5)
    stage.expect(address_state(ada, link_local_text(ada)) == "preferred", "ada's address is valid")
    stage.say(
        """A second of silence is the answer: the address is unique. (The nonce is a random number; by it ada would have
        known its own question, had the network reflected it.) A report from :: does not count for routers, so ada has
        reported its group again from the address (RFC 3810 5.2.13). And since reports get lost, each is sent twice,
        the second time within a second."""
    )
    stage.run_to(10)
    return ada


def _bob_comes_up(stage: Stage, ada: Station) -> Station:
    stage.section("2. bob is switched on and does the same", NOTHING)
    stage.say(
        """bob's address ends in :b, so its group is another one, with another MAC, which ada's network card does not
        let through; nor that of ff02::16, where reports go, since only routers listen there. ada is not even
        disturbed:"""
    )
    bob = stage.host("bob", "02:00:00:00:00:0b")
    stage.start(bob)
    stage.run_to(20)
    stage.expect(address_state(bob, link_local_text(bob)) == "preferred", "bob's address is valid")
    stage.expect(neighbour_state(ada, bob) == "ABSENT", "ada has not heard of bob")
    return bob


def _ping(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section("3. ada pings bob")
    stage.say(
        """ada knows bob's address, but an Ethernet frame needs a MAC. So the ping waits while ada asks the group of the
        address. Each notes what it learns of the other: ada has an answer to its question, so bob is REACHABLE; bob has
        only heard what ada claims, and calls it STALE."""
    )
    ping = stage.ping(ada, link_local_text(bob), "bob")
    stage.run(1)
    stage.expect(ping.answered, "bob answers")
    stage.expect(neighbour_state(ada, bob) == "REACHABLE", "ada knows bob to be reachable")
    stage.say("bob has used what ada claims. After five seconds it verifies it, with a question straight to ada:")
    stage.run(6)
    stage.expect(neighbour_state(bob, ada) == "REACHABLE", "bob has verified ada")
    stage.say("Now bob pings ada. Each knows the other, so two frames are enough.")
    back = stage.ping(bob, link_local_text(ada), "ada")
    stage.run(1)
    stage.expect(back.answered, "ada answers")


def _group(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section(f"4. A program on ada joins the group {GROUP}, and leaves it", frozenset((GROUPS, FILTER)))
    stage.say(
        """First the network card lets the group's MAC through (33:33 and the last 32 bits of the group, RFC 2464 7),
        then the report goes out. The other way round, what the report calls for could arrive too early."""
    )
    membership = stage.join(ada, GROUP)
    stage.run(1)
    stage.say("Now bob, or anybody, reaches ada through the group.")
    heard = stage.ping(bob, GROUP)
    stage.run(1)
    stage.expect(heard.answered, "ada answers a ping of the group")
    stage.say(
        """When ada leaves the group it says so: TO_IN ({}) is that it wants the group only from the senders in the
        braces, so from nobody. Then its network card stops the group's MAC, and the next ping of the group finds
        nobody."""
    )
    stage.leave(ada, membership)
    unheard = stage.ping(bob, GROUP)
    stage.run(2)
    stage.expect(group_record(ada, GROUP) is None, "ada listens no longer")
    stage.expect(not unheard.answered, "nobody answers a ping of the group")


SCENARIO = Scenario(
    "first",
    "Two hosts meet",
    "two hosts configure themselves, resolve, ping both ways, join a group and leave it",
    play,
)
