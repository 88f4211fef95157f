"""Source filters: who wants a group from whom, what the host makes of several wishes, and what it says (RFC 3810)."""

from stack.address import parse_address
from stack.mld.filters import FilterMode
from stack.sim.narrate import GROUPS
from stack.sim.querier.scripted import ScriptedQuerier
from stack.sim.stage import PORT, Program, Scenario, Stage, group_record
from stack.sim.world import Station

GROUP = "ff15::cafe"
ONE, TWO, THREE = "2001:db8::1", "2001:db8::2", "2001:db8::3"
_TELL = frozenset((GROUPS,))
_INCLUDE, _EXCLUDE = FilterMode.INCLUDE, FilterMode.EXCLUDE


def play(stage: Stage) -> None:
    """One program; two; a third that excludes; the router asks; they end."""
    stage.opening(
        f"""A program can say from which senders it wants a group (INCLUDE), or from which it does not (EXCLUDE). A host
        asks the routers of its link for no more than its programs want, which is what version 2 of MLD is for. Three
        hosts far away, {ONE}, {TWO} and {THREE}, send to {GROUP}; the router of the link passes it on."""
    )
    ada = stage.host("ada", "02:00:00:00:00:0a")
    router = stage.querier("router", "02:00:00:00:00:01")
    with stage.quietly():
        stage.start(ada)
        stage.run_to(10)
        player, recorder, monitor = (stage.program(name, ada) for name in ("player", "recorder", "monitor"))
    _one(stage, ada, router, player)
    _two(stage, ada, router, player, recorder)
    _all_but(stage, ada, recorder, monitor)
    _asked(stage, ada, router)
    _ends(stage, ada, player, recorder, monitor)


def _filter(station: Station) -> tuple[FilterMode, set[str]] | None:
    record = group_record(station, GROUP)
    if record is None:
        return None
    return record.filter.mode, {name for name in (ONE, TWO, THREE) if parse_address(name) in record.filter.sources}


def _forward(stage: Stage, router: ScriptedQuerier, *sources: str) -> None:
    for source in sources:
        router.forward(parse_address(source), parse_address(GROUP), PORT, b"data")
    stage.run(1)


def _one(stage: Stage, ada: Station, router: ScriptedQuerier, player: Program) -> None:
    stage.section("1. A program wants one sender", _TELL)
    stage.say(
        """The report says ALLOW: from now on also from those in the braces. Like every report of a change it is sent
        twice, in case one is lost."""
    )
    player.listen(GROUP, _INCLUDE, ONE)
    stage.run(1)
    stage.expect(_filter(ada) == (_INCLUDE, {ONE}), "ada wants one sender")
    stage.say("Some routers and switches know of groups only, not of senders. So the host filters as well:")
    _forward(stage, router, ONE, TWO)
    stage.expect(player.received == 1, "the player was given one datagram")


def _two(stage: Stage, ada: Station, router: ScriptedQuerier, player: Program, recorder: Program) -> None:
    stage.section("2. A second program wants another sender too", _TELL)
    stage.say(
        """For the link the wishes of all programs are merged (RFC 3810 4.2), and only the difference is told. What
        arrives goes to each program by its own wish: the player does not get what the recorder asked for."""
    )
    recorder.listen(GROUP, _INCLUDE, ONE, TWO)
    stage.run(1)
    stage.expect(_filter(ada) == (_INCLUDE, {ONE, TWO}), "ada wants two senders")
    _forward(stage, router, TWO)
    stage.expect((player.received, recorder.received) == (1, 1), "only the recorder was given the second one's")


def _all_but(stage: Stage, ada: Station, recorder: Program, monitor: Program) -> None:
    stage.section("3. A third wants everybody but one", _TELL)
    stage.say(
        f"""The monitor does not want {TWO}, but the recorder does. So there is nobody whom ada as a whole does not
        want: TO_EX ({{}}), from now on from all but nobody. A host that joins a group with no filter says the same."""
    )
    monitor.listen(GROUP, _EXCLUDE, TWO)
    stage.run(1)
    stage.expect(_filter(ada) == (_EXCLUDE, set()), "ada wants everybody")
    stage.say(f"When the recorder has enough of {TWO}, nobody wants it any more, and ada says BLOCK:")
    recorder.listen(GROUP, _INCLUDE, ONE)
    stage.run(0.001)
    stage.expect(_filter(ada) == (_EXCLUDE, {TWO}), "ada wants all but one")


def _asked(stage: Stage, ada: Station, router: ScriptedQuerier) -> None:
    stage.section("4. The router asks", _TELL)
    stage.say(
        f"""Others on the link may still want {TWO}. So the router asks for this group and this sender, and gives a
        second. ada has nothing to say to that: silence is the answer. (The repeat of its BLOCK is due as well.)"""
    )
    router.query(parse_address(GROUP), parse_address(TWO))
    stage.run(1.1)
    stage.say("Of two other senders ada wants both, and says so (IS_IN):")
    router.query(parse_address(GROUP), parse_address(ONE), parse_address(THREE))
    stage.run(1.1)
    stage.say(
        """Now the router asks twice at once. The second question is answered together with the first, by the rules of
        RFC 3810 6.2: what is pending for single senders becomes one answer with the whole state (IS_EX)."""
    )
    router.query(parse_address(GROUP), parse_address(ONE))
    router.query(parse_address(GROUP))
    stage.run(1.1)
    stage.expect(_filter(ada) == (_EXCLUDE, {TWO}), "nothing has changed by being asked")


def _ends(stage: Stage, ada: Station, player: Program, recorder: Program, monitor: Program) -> None:
    stage.section("5. They end, one after the other", _TELL)
    stage.say(
        """Without the monitor only wishes of the kind INCLUDE are left, so the mode changes back (TO_IN). That the
        recorder ends makes no difference to the link, since the player wants the same. The player's end is the end of
        the group."""
    )
    monitor.listen(GROUP, _INCLUDE)
    stage.run(1)
    stage.expect(_filter(ada) == (_INCLUDE, {ONE}), "one sender is left")
    recorder.listen(GROUP, _INCLUDE)
    stage.run(1)
    stage.expect(_filter(ada) == (_INCLUDE, {ONE}), "nothing has changed")
    player.listen(GROUP, _INCLUDE)
    stage.run(1)
    stage.expect(_filter(ada) is None, "the group is left")


SCENARIO = Scenario(
    "sources",
    "From whom a group is wanted",
    "source filters: three programs want one group from different senders, and the router asks",
    play,
)
