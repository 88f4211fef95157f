"""Every scenario does what it expects, for every seed; one that is not so fails, with a line that says why."""

from dataclasses import replace

import pytest

from stack.cli import catalogue
from stack.errors import UsageError
from stack.sim.play import Play, ScenarioError
from stack.sim.scenarios.actions import AddAddress, Forward, Listen, Ping, Query, SwitchOff, SwitchOn, join, leave
from stack.sim.scenarios.expectations import (
    LINK_LOCAL,
    Address,
    Frame,
    Listening,
    Neighbour,
    PathMtu,
    Pinged,
    Received,
    Routers,
    Snooped,
    State,
    advertisement,
    echo_request,
    report,
    report1,
    solicitation,
)
from stack.sim.scenarios.vocabulary import (
    NETBSD,
    Ask,
    Expect,
    Never,
    Querier,
    Router,
    Scenario,
    Step,
    at,
    expects,
    host,
    never,
    then,
    until,
)
from stack.sim.sighting import Record, sight
from stack.sim.stage import SimulatedStage
from stack.sim.storyteller import tell
from tests.playbook import advertisement as advertisement_frame
from tests.playbook import frame as ethernet_frame
from tests.playbook import icmp, ip, packet
from tests.playbook import solicitation as solicitation_frame

NAMES = [scenario.name for scenario in catalogue.every()]
SEEDS = range(20)
GROUP = "ff15::cafe"
ADA = host("ada", "02:00:00:00:00:0a", quick=True)
BOB = host("bob", "02:00:00:00:00:0b", quick=True)
QUERIER = Querier("router", "02:00:00:00:00:01", delay=1.0)


def scenario(*steps: Step, cast: tuple[object, ...] = (ADA, BOB, QUERIER), snooping: bool = False) -> Scenario:
    """A scenario of these steps, ada and bob being up."""
    up = (at(0, "ada", SwitchOn()), at(0, "bob", SwitchOn()), until(1))
    return Scenario("made-up", "", "", cast, (*up, *steps), snooping)  # type: ignore[arg-type]


def play(*steps: Step, seed: int = 0, **more: object) -> list[str]:
    """The words of what was found; raises ScenarioError."""
    made = scenario(*steps, **more)  # type: ignore[arg-type]
    return [each.words for each in Play(made, SimulatedStage(made, seed)).run()]


@pytest.mark.parametrize("name", NAMES)
def test_every_expectation_is_met_for_every_seed(name: str) -> None:
    played = catalogue.find(name)
    judged = [step for step in played.steps if isinstance(step, Expect | Never) and step.personality != NETBSD]
    for seed in SEEDS:
        findings = Play(played, SimulatedStage(played, seed)).run()
        assert len(findings) == len(judged) > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_frames_repeat_bit_for_bit_from_the_seed(name: str) -> None:
    def frames(seed: int) -> list[tuple[float, bytes]]:
        stage = SimulatedStage(catalogue.find(name), seed)
        Play(stage.scenario, stage).run()
        return [(each.time, each.octets) for each in stage.seen]

    assert frames(3) == frames(3) != frames(4)


@pytest.mark.parametrize("name", ["done", "pending", "references"])
def test_the_rows_of_mld6_c_are_so_in_its_personality(name: str) -> None:
    """SEED rows S21, S48 and S61."""
    played = catalogue.find(name)
    for seed in SEEDS:
        _, run = tell(played, seed, personality=NETBSD)
        assert [each.row for each in run.findings if each.row] == list(played.rows)
        with pytest.raises(ScenarioError, match="not so"):
            swapped = [
                replace(step, personality="") if isinstance(step, Expect) and step.personality else step
                for step in played.steps
            ]
            tell(replace(played, steps=swapped), seed, personality=NETBSD)


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_asks_its_readers_something(name: str) -> None:
    questions = [step for step in catalogue.find(name).steps if isinstance(step, Ask)]
    assert questions
    for each in questions:
        assert each.text.endswith("?") and each.clause
        assert 2 <= len(each.wrong) <= 3
        assert len({each.right, *each.wrong}) == len(each.wrong) + 1


def test_ten_are_for_all_back_ends() -> None:
    assert sum(not each.only_simulated for each in catalogue.every()) >= 10


# -- judging


def test_an_expected_frame_that_does_not_come_fails_with_what_came() -> None:
    with pytest.raises(ScenarioError, match=r"made-up, at 2.0\d+ s: not so: ada sends MLD version 2 report with TO_EX"):
        play(at(1, "ada", join("ff15::beef")), expects("ada", report("TO_EX", GROUP)))
    with pytest.raises(ScenarioError, match="it sent MLD version 2 report; MLD version 2 report"):
        play(at(1, "ada", join("ff15::beef")), expects("ada", report("TO_EX", GROUP)))


def test_a_frame_is_too_late_in_virtual_time() -> None:
    query = at(1, "router", Query(delay=1))
    assert play(query, expects("ada", report("IS_EX", "ff02::1:ff00:a"), within=1.01))
    for seed in SEEDS:
        with pytest.raises(ScenarioError):
            play(query, expects("ada", report("IS_EX", "ff02::1:ff00:a"), within=0.001), seed=seed)


def test_a_frame_fulfils_one_expectation_only() -> None:
    twice = (at(1, "ada", join(GROUP)), expects("ada", report("TO_EX", GROUP)), expects("ada", report("TO_EX", GROUP)))
    assert len(play(*twice)) == 2
    with pytest.raises(ScenarioError):
        play(*twice, expects("ada", report("TO_EX", GROUP)))


def test_what_was_sent_before_the_last_action_does_not_count() -> None:
    with pytest.raises(ScenarioError):
        play(at(1, "ada", join(GROUP)), until(2), at(2, "ada", leave(GROUP)), expects("ada", report("TO_EX", GROUP)))


def test_then_means_after() -> None:
    ping = at(1, "ada", Ping(BOB.address))
    asked = solicitation(BOB.address)
    assert play(ping, expects("ada", asked), then("ada", echo_request(BOB.address)))
    with pytest.raises(ScenarioError):
        play(ping, expects("ada", echo_request(BOB.address)), then("ada", asked))
    assert play(ping, expects("ada", echo_request(BOB.address)), expects("ada", asked)), "in any order"


def test_never_counts_what_comes_and_not_what_was_expected() -> None:
    joined, said = at(1, "ada", join(GROUP)), report("TO_EX", GROUP)
    both = (expects("ada", said), expects("ada", said))
    assert play(joined, *both, never("ada", said, during=5))
    with pytest.raises(ScenarioError, match=r"does not send .* for 5 s: it did, after 0\.\d+ s"):
        play(joined, both[0], never("ada", said, during=5))


def test_an_expectation_may_be_for_one_back_end_or_one_personality() -> None:
    nonsense = solicitation("fe80::77")
    at_all = (at(1, "ada", join(GROUP)),)
    assert play(*at_all, Expect("ada", nonsense, on=("tap",)), Never("ada", nonsense, 1, personality=NETBSD)) == []


def test_a_scenario_that_leaves_no_time_is_told_so() -> None:
    with pytest.raises(ScenarioError, match=r"made-up: 1\.5 s has passed already at 2 s"):
        play(at(1, "ada", join(GROUP)), never("ada", report1(GROUP), during=1), at(1.5, "ada", leave(GROUP)))


def test_a_run_that_is_not_strict_goes_on_and_loses_no_time() -> None:
    made = scenario(
        at(1, "ada", join(GROUP)), expects("ada", report1(GROUP), within=9), at(2, "ada", leave(GROUP)), until(3)
    )
    run = Play(made, SimulatedStage(made), strict=False)
    assert [each.holds for each in run.run()] == [False]
    assert run.stage.now == pytest.approx(3)


# -- states


STATES: list[tuple[State, str]] = [
    (Address("fe80::77", "absent"), "address fe80::77 is absent"),
    (Address(ADA.address, "preferred"), "address fe80::ff:fe00:a is preferred"),
    (Neighbour(BOB.address, ("absent",)), "neighbour fe80::ff:fe00:b is absent"),
    (Routers(()), "the default routers are none"),
    (Listening(GROUP, yes=False), "ff15::cafe is not in the list of groups"),
    (Snooped("ff02::1:ff00:a"), "the switch has ff02::1:ff00:a at the port"),
    (Pinged(BOB.address, ""), "the ping to fe80::ff:fe00:b is unanswered"),
    (Received("player", 0), "the player was given 0 datagrams"),
]


@pytest.mark.parametrize(("state", "words"), STATES, ids=lambda each: type(each).__name__)
def test_states_and_their_words(state: State, words: str) -> None:
    assert play(expects("ada", state), snooping=True) == [f"ada: {words}"]


@pytest.mark.parametrize(
    ("state", "instead"),
    [
        (Address("fe80::77", "preferred"), "absent"),
        (Address(ADA.address, "deprecated"), "preferred"),
        (Neighbour(BOB.address, ("REACHABLE", "STALE")), "absent"),
        (Routers(("fe80::1",)), "none"),
        (Listening(GROUP), "not in the list"),
        (Snooped(GROUP), "not at the port"),
        (Snooped("ff02::1:ff00:a", yes=False), "at the port"),
        (Pinged(BOB.address), "nothing"),
        (Received("player", 1), "0"),
        (PathMtu(BOB.address, 1280), "unknown"),
    ],
    ids=str,
)
def test_a_state_that_is_not_so_fails_with_what_is(state: State, instead: str) -> None:
    with pytest.raises(ScenarioError, match=f"it is {instead}"):
        play(expects("ada", state, within=0.5), snooping=True)


def test_a_tentative_address_and_a_duplicate() -> None:
    slow = host("ada", ADA.mac, router_solicitation_delay=0)
    assert play(
        at(1, "bob", AddAddress("fe80::5")),
        at(1.5, "ada", AddAddress("fe80::5")),
        expects("ada", Address("fe80::5", "tentative"), within=0),
        expects("ada", Address("fe80::5", "duplicated"), within=1.5),
        cast=(slow, BOB, QUERIER),
    )


def test_only_hosts_have_states_and_nobody_does_what_is_not_in_its_nature() -> None:
    with pytest.raises(UsageError, match="router is no host"):
        play(expects("router", Listening(GROUP)))
    for who, action, words in (
        ("ada", Query(), "ada cannot do this: asks"),
        ("router", SwitchOn(), "a querier cannot do this: is switched on"),
        ("third", Forward("2001:db8::1", GROUP), "a router cannot do this: passes on"),
    ):
        with pytest.raises(UsageError, match=words):
            play(at(1, who, action), cast=(ADA, BOB, QUERIER, Router("third", "02:00:00:00:00:03")))


def test_a_program_gets_what_it_wants() -> None:
    one, two = "2001:db8::1", "2001:db8::2"
    assert play(
        at(1, "ada", Listen(GROUP, "include", (one,), "player")),
        at(1.1, "router", Forward(one, GROUP)),
        at(1.2, "router", Forward(two, GROUP)),
        until(1.5),
        expects("ada", Received("player", 1)),
    )


def test_a_host_that_is_switched_off_sends_nothing() -> None:
    assert play(
        at(1, "ada", SwitchOff()), at(1.5, "router", Query()), never("ada", Frame("MLD version 2 report"), during=2)
    )


# -- frames by their fields, of frames that were built by hand


@pytest.mark.parametrize(
    ("pattern", "octets", "fits"),
    [
        (solicitation("fe80::9"), solicitation_frame("fe80::9"), True),
        (solicitation("fe80::8"), solicitation_frame("fe80::9"), False),
        (solicitation("fe80::9", source="::"), solicitation_frame("fe80::9", source="::"), True),
        (solicitation("fe80::9", source="::"), solicitation_frame("fe80::9"), False),
        (solicitation("fe80::9", source=LINK_LOCAL), solicitation_frame("fe80::9"), True),
        (solicitation("fe80::9", source=LINK_LOCAL), solicitation_frame("fe80::9", source="2001:db8::1"), False),
        (advertisement("fe80::9"), solicitation_frame("fe80::9"), False),
        (advertisement("fe80::9", flags="SO"), advertisement_frame("fe80::9", flags="SO"), True),
        (advertisement("fe80::9", flags="SO"), advertisement_frame("fe80::9", flags="O"), False),
        (Frame("neighbour solicitation", hop_limit=255), solicitation_frame("fe80::9", hop_limit=64), False),
        (Frame("neighbour solicitation", code=1), solicitation_frame("fe80::9", code=1), True),
        (Frame("neighbour solicitation", code=0), solicitation_frame("fe80::9", code=1), False),
    ],
)
def test_a_pattern_and_a_frame(pattern: Frame, octets: bytes, fits: bool) -> None:
    assert pattern.matches(sight(1.0, "ada", octets)) is fits


def test_the_records_of_a_report() -> None:
    """RFC 3810 5.2, by the picture: ALLOW of two sources, then a record of a type that nobody knows."""
    records = bytes((5, 0, 0, 2)) + ip(GROUP) + ip("2001:db8::1") + ip("2001:db8::2") + bytes((9, 0, 0, 0)) + ip(GROUP)
    message = icmp("fe80::1", "ff02::16", 143, 0, bytes((0, 0, 0, 2)) + records)
    alert = bytes.fromhex("3a00050200000100")
    seen = sight(1.0, "ada", ethernet_frame(packet("fe80::1", "ff02::16", alert + message, next_header=0, hop_limit=1)))
    sources = frozenset(("2001:db8::1", "2001:db8::2"))
    assert seen.records == (Record("ALLOW", GROUP, sources), Record("9", GROUP, frozenset()))
    assert report("ALLOW", GROUP, *sources).matches(seen)
    assert not report("ALLOW", GROUP, "2001:db8::1").matches(seen)
    assert not report("BLOCK", GROUP, *sources).matches(seen)


@pytest.mark.parametrize("length", range(0, 90, 7))
def test_any_bytes_are_a_sighting(length: int) -> None:
    octets = solicitation_frame("fe80::9")[:length]
    seen = sight(1.0, "ada", octets + bytes(7) if length > 60 else octets)
    assert not solicitation("fe80::9").matches(seen) or length >= 78
