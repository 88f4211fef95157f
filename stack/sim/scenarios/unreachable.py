"""Resolution that finds nobody, and a known neighbour that goes silent and comes back (RFC 4861 7.2, 7.3)."""

from stack.sim.narrate import NEIGHBOURS
from stack.sim.stage import Scenario, Stage, link_local_text, neighbour_state
from stack.sim.world import Station

NOBODY = "fe80::dead"
_TELL = frozenset((NEIGHBOURS,))


def play(stage: Stage) -> None:
    """Nobody there; somebody gone; somebody back."""
    stage.opening(
        """ada and bob have been up for a while, and ada has pinged bob: the scenario `first` shows how. A host keeps a
        neighbour cache, an entry for each neighbour with its MAC and a state: how sure it is of the neighbour."""
    )
    ada = stage.host("ada", "02:00:00:00:00:0a")
    bob = stage.host("bob", "02:00:00:00:00:0b")
    with stage.quietly():
        stage.start(ada, bob)
        stage.run_to(20)
        stage.ping(ada, link_local_text(bob))
        stage.run_to(28)
    _nobody(stage, ada)
    _gone(stage, ada, bob)
    _back(stage, ada, bob)


def _nobody(stage: Stage, ada: Station) -> None:
    stage.section(f"1. ada pings {NOBODY}, which nobody has", _TELL)
    stage.say(
        """ada asks the group that a host with this address would have joined, three times with a second between.
        Nobody has joined it, so nobody answers, and the program is told that the address is unreachable."""
    )
    ping = stage.ping(ada, NOBODY)
    stage.run_to(32)
    stage.expect(ping.failed, "the ping fails")


def _gone(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section("2. bob's cable is pulled out", _TELL)
    stage.expect(neighbour_state(ada, bob) == "REACHABLE", "bob counts as reachable")
    stage.say(
        """Nothing tells ada. bob answered it not long ago, so to ada bob is REACHABLE; but such knowledge ages, and
        after a random time of 15 to 45 seconds it is called STALE. A STALE entry costs nothing and sends nothing:
        bob is checked only when there is something to send."""
    )
    _cable(stage, bob, up=False)
    stage.world.run_while(lambda: neighbour_state(ada, bob) == "REACHABLE")
    stage.run(5)
    stage.say(
        """Now ada pings bob. The packet goes out at once, to the MAC that ada remembers, since chances are that it is
        still right. For five seconds (DELAY) ada waits for any sign of life; then (PROBE) it asks bob directly, three
        times; then (UNREACHABLE) everybody, in case bob has another MAC now, and ever more seldom."""
    )
    ping = stage.ping(ada, link_local_text(bob), "bob")
    stage.run(10)
    stage.expect(neighbour_state(ada, bob) == "UNREACHABLE", "ada has no hope in bob")
    stage.expect(ping.outcome is None, "nothing becomes of the ping")
    stage.say(
        """The ping was sent and is lost without a word: the program will notice by its own patience. bob has been
        there, so ada is patient, too: what it sends to bob still goes to the MAC that it knows, and only as long as
        there is something to send does it ask again, at most once a minute in the end."""
    )


def _back(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section("3. The cable is back", _TELL)
    _cable(stage, bob, up=True)
    ping = stage.ping(ada, link_local_text(bob), "bob")
    stage.run(1)
    stage.expect(ping.answered, "bob answers")
    stage.say("ada sends to the MAC that it knows, and bob is there: an answer proves it.")


def _cable(stage: Stage, station: Station, *, up: bool) -> None:
    def pull(_: float) -> None:
        station.port.up = up

    stage.act(station, "is plugged in again" if up else "is unplugged", pull)


SCENARIO = Scenario(
    "unreachable",
    "Nobody there",
    "an address that nobody has, and a neighbour that goes silent: STALE, DELAY, PROBE, UNREACHABLE",
    play,
)
