"""A version 1 querier makes hosts speak version 1: one listener answers for all (RFC 2710 4, RFC 3810 8.2.1)."""

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
    """Question and answer; the reporter leaves; the other leaves; a question from afar; a newer router."""
    stage.opening(
        f"""A router forwards a group's traffic to a link as long as somebody there listens to it; it need not know who.
        So from time to time it asks. This one is old and knows MLD version 1 only (RFC 2710). ada and bob have been up
        for a while and speak version 2, as every host does that has not heard of an old router. A program on each
        listens to {GROUP}."""
    )
    ada = stage.host("ada", "02:00:00:00:00:0a")
    bob = stage.host("bob", "02:00:00:00:00:0b")
    router = stage.querier("router", "02:00:00:00:00:01", version=1)
    with stage.quietly():
        stage.start(ada, bob)
        stage.run_to(15)
        memberships = {station.name: stage.join(station, GROUP) for station in (ada, bob)}
        stage.run_to(30)
    reporter, other = _general(stage, router, ada, bob)
    _reporter_leaves(stage, router, reporter, other, lambda: stage.leave(reporter, memberships[reporter.name]))
    _other_leaves(stage, router, other, lambda: stage.leave(other, memberships[other.name]))
    _from_afar(stage, router)
    _newer(stage, ada, bob)


def _versions(*stations: Station) -> set[int]:
    return {station.interface.listener.version for station in stations}


def _is_last_reporter(station: Station) -> bool:
    record = group_record(station, GROUP)
    return record is not None and record.last_reporter


def _general(stage: Stage, router: ScriptedQuerier, ada: Station, bob: Station) -> tuple[Station, Station]:
    stage.section("1. The router asks for all groups", _TELL)
    stage.say(
        """The question is 24 octets long, and by that the hosts know its version (RFC 3810 8.1). Such a router would
        not understand version 2, so both speak version 1 from now on. There, one answer for each group is enough. For
        each of its groups a host draws a random moment within the ten seconds that the router gives. When it hears
        somebody else's report of the same group first, it keeps quiet: the router knows enough. The groups of the
        hosts' own addresses have only one listener each, so these are reported in any case."""
    )
    router.general_query()
    stage.run_to(41)
    stage.expect(_versions(ada, bob) == {1}, "both speak version 1")
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


def _newer(stage: Stage, ada: Station, bob: Station) -> None:
    stage.section("5. The old router is replaced", _TELL)
    stage.say(
        """A router asks every 125 seconds. When a host has heard no version 1 question for twice that time and ten
        seconds more, it takes the old router for gone, and speaks version 2 again (RFC 3810 9.12). Not all hosts need
        have heard the same last question."""
    )
    stage.run_to(330)
    stage.expect(_versions(ada, bob) == {2}, "both speak version 2 again")
    stage.say(
        f"""Programs on both join {GROUP} again. That is told in version 2 now, to the routers and to nobody else."""
    )
    for station in (ada, bob):
        stage.join(station, GROUP)
    stage.run(2)
    newer = stage.querier("newer", "02:00:00:00:00:02")
    stage.say(
        """The new router asks in version 2. Each host answers once, for all of its groups, and nobody keeps quiet for
        another: this router knows who listens."""
    )
    newer.general_query()
    stage.run(11)


SCENARIO = Scenario(
    "query",
    "A router asks who listens",
    "a version 1 querier, and how hosts follow its version: one report for each group, Done",
    play,
)
