"""A version 1 querier asks, one listener answers for all, and the last one to leave is missed (RFC 2710 4)."""

from collections.abc import Callable

from stack.address import parse_address
from stack.sim.narrate import FILTER, GROUPS
from stack.sim.querier.scripted import ScriptedQuerier
from stack.sim.stage import Scenario, Stage, group_record
from stack.sim.world import Station

GROUP = "ff15::cafe"
Action = Callable[[], None]

_TELL = frozenset((GROUPS, FILTER))


def play(stage: Stage) -> None:
    """Question and answer; the reporter leaves; the other leaves; a question from afar."""
    stage.opening(
        f"""A router forwards a group's traffic to a link as long as somebody there listens to it; it need not know who.
        So from time to time it asks, and one answer for each group is enough (MLD version 1, RFC 2710). ada and bob
        have been up for a while, and a program on each listens to {GROUP}."""
    )
    ada = stage.host("ada", "02:00:00:00:00:0a")
    bob = stage.host("bob", "02:00:00:00:00:0b")
    router = stage.querier("router", "02:00:00:00:00:01")
    with stage.quietly():
        stage.start(ada, bob)
        stage.run_to(15)
        memberships = {station.name: stage.join(station, GROUP) for station in (ada, bob)}
        stage.run_to(30)
    reporter, other = _general(stage, router, ada, bob)
    _reporter_leaves(stage, router, reporter, other, lambda: stage.leave(reporter, memberships[reporter.name]))
    _other_leaves(stage, router, other, lambda: stage.leave(other, memberships[other.name]))
    _from_afar(stage, router)


def _is_last_reporter(station: Station) -> bool:
    record = group_record(station, GROUP)
    return record is not None and record.last_reporter


def _general(stage: Stage, router: ScriptedQuerier, ada: Station, bob: Station) -> tuple[Station, Station]:
    stage.section("1. The router asks for all groups", _TELL)
    stage.say(
        """For each of its groups a host draws a random moment within the ten seconds that the router gives. When a
        host hears somebody else's report for the same group first, it keeps quiet: the router knows enough. The
        groups of the hosts' own addresses have only one listener each, so these are reported in any case."""
    )
    router.general_query()
    stage.run_to(41)
    reporter, other = (ada, bob) if _is_last_reporter(ada) else (bob, ada)
    stage.expect(_is_last_reporter(reporter) and not _is_last_reporter(other), "one host reports the group for both")
    stage.say(
        f"""For {GROUP} {reporter.name}'s moment came first. {other.name} was spared its report, and remembers that it
        was not the last to report."""
    )
    return reporter, other


def _reporter_leaves(stage: Stage, router: ScriptedQuerier, reporter: Station, other: Station, leave: Action) -> None:
    stage.section(f"2. {reporter.name} leaves, and says so", _TELL)
    stage.say(
        f"""{reporter.name} was the last to report, so when it leaves it must tell the routers. The router cannot know
        whether anybody else listens, so it asks once more: for this group only, and with a second to answer."""
    )
    leave()
    stage.run(0.001)
    router.query(parse_address(GROUP))
    stage.run(2)
    stage.expect(_is_last_reporter(other), f"{other.name} answers")


def _other_leaves(stage: Stage, router: ScriptedQuerier, other: Station, leave: Action) -> None:
    stage.section(f"3. {other.name} leaves too", _TELL)
    stage.say(
        f"""Now {other.name} was the last to report, so it too says that it leaves. The router asks twice, in case a
        question or an answer is lost; nobody answers, and it stops forwarding the group to this link."""
    )
    leave()
    stage.run(0.001)
    for _ in range(2):
        router.query(parse_address(GROUP))
        stage.run(1)


def _from_afar(stage: Stage, router: ScriptedQuerier) -> None:
    stage.section("4. A question that nobody believes", _TELL)
    stage.say(
        """A question is for one link only: a router sends it from a link-local address and with hop limit 1, so that no
        other router passes it on. One with another hop limit was not made by these rules, and if hosts believed it, a
        stranger could make a whole link talk. This one was sent with 64:"""
    )
    router.general_query(hop_limit=64)
    stage.run(11)


SCENARIO = Scenario(
    "query",
    "A router asks who listens",
    "a version 1 querier: one report for each group, Done, and what the router does about it",
    play,
)
