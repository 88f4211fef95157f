"""The narrator tells what happened, in the order in which it happened, beneath the frame that caused it."""

from enum import Enum

import pytest

from stack.mld.states import ListenerEvent
from stack.multicast_filter import FilterPlan
from stack.nd.dad import DadEvent
from stack.nd.states import NeighborEvent
from stack.sim.glossary import event_words, has_words
from stack.sim.narrate import EVERYTHING, GROUPS, IGNORED, NOTHING, REPEATS, filter_words
from stack.sim.render import WIDTH, render, sentence
from stack.sim.scenarios.actions import Action, Listen, Ping, Query, SwitchOn, join
from stack.sim.scenarios.vocabulary import Ask, Host, Querier, Scenario, host
from stack.sim.stage import SimulatedStage
from stack.sim.storyteller import Storyteller
from stack.sim.transcript import ACT, FRAME, HOST, OUTCOME, PROSE, QUESTION, SECTION, TITLE, Step, Transcript

GROUP = "ff15::cafe"
ADA = host("ada", "02:00:00:00:00:0a")
BOB = host("bob", "02:00:00:00:00:0b")
ROUTER = Querier("router", "02:00:00:00:00:01")


class Story:
    """A told stage on which two hosts are up and quiet at 30 s."""

    def __init__(self, *cast: Host | Querier) -> None:
        self.stage = SimulatedStage(Scenario("made-up", "A title", "", cast or (ADA, BOB, ROUTER), ()))
        self.teller = Storyteller(self.stage)
        self.teller.quiet()
        for name in self.stage.stations:
            self.do(name, SwitchOn())
        self.run(30)
        self.teller.narrator.transcript.steps.clear()
        self.teller.part("", EVERYTHING)

    def do(self, who: str, action: Action) -> None:
        self.teller.act(who, action)
        self.stage.perform(who, action)

    def run(self, seconds: float) -> None:
        self.stage.wait(lambda: False, self.stage.now + seconds)

    def finish(self) -> Transcript:
        return self.teller.finish()


def test_what_is_quiet_is_counted_but_not_told() -> None:
    transcript = Story().finish()
    assert transcript.steps == []
    assert transcript.frames["neighbour solicitation"] == 2
    assert transcript.time == 30


def test_a_frame_carries_what_its_receivers_made_of_it() -> None:
    story = Story()
    story.do("ada", Ping(BOB.address, "bob"))
    story.run(1)
    frames = story.finish().of_kind(FRAME)
    assert [(each.who, each.to) for each in frames] == [
        ("ada", "ff02::1:ff00:b"),
        ("bob", "ada"),
        ("ada", "bob"),
        ("bob", "ada"),
    ]
    solicitation = frames[0]
    assert [sentence(each) for each in solicitation.within] == [
        "bob answers",
        "bob: neighbour ada ABSENT -> STALE: heard its MAC, not verified (RFC 4861 7.2.3)",
        "bob: neighbour ada STALE -> DELAY: in use, so verify it soon (RFC 4861 7.3.3)",
    ]
    assert [sentence(each) for each in frames[3].within] == ["ada: the ping has its answer, after 4 ms (RFC 4443 4.2)"]


def test_a_frame_has_the_states_before_and_after_it() -> None:
    story = Story()
    story.do("ada", Ping(BOB.address, "bob"))
    story.run(1)
    asked, answered, *_ = story.finish().of_kind(FRAME)
    assert asked.states is not None and answered.states is not None
    assert [states["ada"].get("neighbour bob") for states in asked.states] == [None, "INCOMPLETE"]
    assert [states["ada"].get("neighbour bob") for states in answered.states] == ["INCOMPLETE", "REACHABLE"]
    assert answered.states[0] == asked.states[1]
    assert answered.states[1]["bob"] == {
        f"address {BOB.address}": "preferred",
        "neighbour ada": "DELAY",
        "group ff02::1:ff00:b": "idle",
    }


def test_what_a_call_or_a_timer_causes_stands_on_its_own() -> None:
    story = Story()
    story.do("ada", join(GROUP))
    steps = story.finish().steps
    assert [(step.kind, sentence(step)) for step in steps] == [
        (ACT, "ada joins ff15::cafe"),
        (HOST, "ada: the network card lets 33:33:00:00:ca:fe through from now on (RFC 2464 7)"),
        (HOST, "ada: group ff15::cafe none -> idle: listen and report it (RFC 3810 6.1)"),
        (HOST, "ada: group ff15::cafe: state change TO_EX ({}), to be repeated (RFC 3810 6.1)"),
        (FRAME, "ada --> routers (ff02::16)   MLD version 2 report: joins ff15::cafe"),
    ]


def test_a_host_may_be_set_to_version_1() -> None:
    story = Story(host("ada", ADA.mac, force_mld_version=1))
    story.do("ada", join(GROUP))
    assert [sentence(step) for step in story.finish().steps[-2:]] == [
        "ada: group ff15::cafe none -> delaying: listen and report now, repeat later (RFC 2710 4)",
        "ada --> ff15::cafe   MLD version 1 report: listens to ff15::cafe",
    ]


def test_a_part_tells_only_what_belongs_to_it() -> None:
    story = Story()
    story.teller.part("groups", frozenset((GROUPS,)))
    story.do("ada", join(GROUP))
    story.teller.part("frames only", NOTHING)
    story.do("ada", join("ff15::beef"))
    kinds = [step.kind for step in story.finish().steps]
    assert kinds == [SECTION, ACT, HOST, HOST, FRAME, SECTION, ACT, FRAME]


def test_reports_are_repeated_and_told_once() -> None:
    story = Story()
    for part in (NOTHING, frozenset((REPEATS,))):
        story.teller.part("", part)
        story.do("ada", join(f"{GROUP}:{len(part)}"))
        story.run(5)
    texts = [step.text for step in story.finish().of_kind(FRAME)]
    assert [text.rsplit(":", 1)[1] for text in texts] == ["0", "1", "1"]


def test_a_discarded_frame_has_its_clause() -> None:
    story = Story()
    story.do("router", Query(hop_limit=64))
    story.run(1)
    (query,) = story.finish().of_kind(FRAME)
    assert query.text.endswith("[hop limit 64 instead of 1]")
    assert [(each.who, each.kind, each.clause) for each in query.within] == [
        ("ada", OUTCOME, "RFC 3810 6.2"),
        ("bob", OUTCOME, "RFC 3810 6.2"),
    ]


def test_equal_frames_each_have_their_own_receivers() -> None:
    story = Story()
    for _ in range(2):
        story.do("router", Query(hop_limit=64))
    story.run(1)
    assert [len(query.within) for query in story.finish().of_kind(FRAME)] == [2, 2]


def test_who_does_not_hear_a_group_is_told_of_if_that_is_the_point() -> None:
    for tell, told in ((NOTHING, []), (frozenset((IGNORED,)), ["bob"])):
        story = Story(ADA, BOB)
        story.teller.part("", tell)
        story.do("ada", Ping("fe80::dead"))
        story.run(0.5)
        assert [each.who for each in story.finish().of_kind(OUTCOME)] == told


def test_the_words_of_a_scenario() -> None:
    story = Story()
    teller = Storyteller(story.stage)
    teller.say("""one
        paragraph""")
    teller.ask(Ask("Why?", "because", ("for no reason", "who knows"), "RFC 1"))
    teller.fact("ada", "it is so")
    teller.act("ada", Listen(GROUP, "exclude", (), "player"))
    steps = teller.finish().steps
    assert [(step.kind, step.who, step.text) for step in steps] == [
        (TITLE, "", "A title"),
        (PROSE, "", "one paragraph"),
        (QUESTION, "", "Why?"),
        (HOST, "ada", "it is so"),
        (ACT, "ada's player", "joins ff15::cafe"),
    ]
    assert steps[2].choices == ("because", "for no reason", "who knows")
    assert "Why?" not in render(teller.finish())


@pytest.mark.parametrize(
    ("event", "before", "after", "words"),
    [
        (DadEvent.OWN_PROBE.value, "probing", "probing", "its own question has come back"),
        (
            DadEvent.TIMEOUT_LOOPED.value,
            "probing",
            "probing",
            "no objection, but its own questions came back, so ask more often",
        ),
        ("start listening", "none", "idle", "listen and report it"),
        ("start listening", "pending", "idle", "the delay is over, so report it now"),
        ("interface down", "idle", "idle", "the interface is down, report again when it is up"),
        ("state change ALLOW ({fe80::1}), 0 to follow", "", "", "state change ALLOW ({fe80::1}), for the last time"),
        ("state change TO_EX ({}), 2 to follow", "", "", "state change TO_EX ({}), 2 to follow"),
        ("answer in 0.125 s", "", "", "asked, so answer in 0.125 s"),
        ("answered with all groups in 0.125 s", "", "", "asked, and to be answered with all groups in 0.125 s"),
        ("something new", "idle", "idle", "something new"),
    ],
)
def test_events_in_words(event: str, before: str, after: str, words: str) -> None:
    assert event_words(event, before, after) == words


@pytest.mark.parametrize("machine", [ListenerEvent, NeighborEvent, DadEvent])
def test_every_event_of_a_table_has_words(machine: type[Enum]) -> None:
    missing = [event.value for event in machine if not has_words(event.value)]
    assert missing == []


A, B, C = (bytes.fromhex(f"33330000000{digit}") for digit in "abc")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            None,
            FilterPlan((A,), (B,)),
            "the network card lets through 33:33:00:00:00:0a, 33:33:00:00:00:0b and nothing else",
        ),
        (FilterPlan((A,)), FilterPlan((A,)), ""),
        (
            FilterPlan((A,), (B,)),
            FilterPlan((A,), (C,)),
            "the network card lets 33:33:00:00:00:0c through from now on, "
            "the network card stops 33:33:00:00:00:0b from now on",
        ),
        (FilterPlan((A,)), FilterPlan((A,), allmulti=True), "the network card lets every multicast frame through"),
        (FilterPlan((A,)), FilterPlan((A,), off=True), "the network card's filter is off: everything passes"),
    ],
)
def test_filter_changes_in_words(before: FilterPlan | None, after: FilterPlan, words: str) -> None:
    assert filter_words(before, after) == words


# -- as text


def test_equal_times_are_shown_once_and_frames_ignored_alike_share_a_line() -> None:
    ignored = [Step(1.001, OUTCOME, who, "ignores it: a reason", "RFC 1 2.3") for who in ("bob", "cyd", "dan")]
    steps = [
        Step(1.0, ACT, "ada", "does something"),
        Step(1.0, FRAME, "ada", "a frame", to="all", within=ignored),
        Step(2.0, HOST, "ada", "why", "RFC 1 2.3", "address x", "old", "new"),
        Step(2.0, HOST, "ada", "why", "", "address x", "new", "new"),
    ]
    assert render(Transcript(steps)).splitlines() == [
        "    1.000  ada does something",
        "           ada --> all   a frame",
        "               bob, cyd and dan ignore it: a reason (RFC 1 2.3)",
        "    2.000  ada: address x old -> new: why (RFC 1 2.3)",
        "           ada: address x stays new: why",
    ]


def test_a_clause_is_not_broken_across_lines() -> None:
    filler = "word " * 18
    for extra in range(12):
        text = render(Transcript([Step(0.0, PROSE, "", f"{filler}{'x' * extra} RFC 4861 7.2.3 says so")]))
        assert "RFC 4861 7.2.3" in text
        assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_colour_adds_only_colour() -> None:
    story = Story()
    story.teller.part("A ping", EVERYTHING)
    story.teller.say("ada pings bob.")
    story.do("ada", Ping(BOB.address))
    story.run(1)
    transcript = story.finish()
    plain, coloured = render(transcript), render(transcript, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[0m" in coloured
    bare = coloured
    for code in ("0", "1", "2", "1;4", "1;36", "32", "33"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert bare == plain
