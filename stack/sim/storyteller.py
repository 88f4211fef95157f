"""Tells a scenario that the simulator plays: its words, and what the narrator sees beside them."""

from collections.abc import Mapping

from stack.address import parse_address
from stack.sim.narrate import EVERYTHING, Narrator
from stack.sim.play import Play
from stack.sim.scenarios.actions import PROGRAM, Action, Forward, Listen, Query
from stack.sim.scenarios.vocabulary import STANDARD, Ask, Gateway, Host, Scenario, in_prefix, link_local
from stack.sim.stage import SimulatedStage
from stack.sim.transcript import ACT, HOST, PROSE, QUESTION, SECTION, TITLE, Step, Transcript
from stack.sim.world import Station

# What these do is the frame that they send.
_SPEAK_FOR_THEMSELVES = (Query, Forward)


class Storyteller:
    """The teller of one run; `finish` gives what was told."""

    def __init__(self, stage: SimulatedStage) -> None:
        self._stage = stage
        self.narrator = Narrator(stage.world)
        stage.told = self._told
        for role in stage.scenario.cast:
            if not isinstance(role, Host):
                self.narrator.name(role.address, role.name)
            elif role.name in stage.stations:
                self.narrator.watch(stage.stations[role.name], (parse_address(role.address),) if role.named else ())
            if isinstance(role, Gateway):
                self._name_beyond(role)
        self._add(TITLE, "", stage.scenario.title)

    def _name_beyond(self, gateway: Gateway) -> None:
        """The addresses that hosts on either side make of the gateway's prefixes."""
        self.narrator.name(link_local(gateway.far_mac), f"{gateway.name}'s far side")
        self.narrator.name(in_prefix(gateway.prefix, gateway.mac), gateway.name)
        for role in self._stage.scenario.cast:
            if isinstance(role, Host):
                prefix = gateway.far_prefix if role.beyond == gateway.name else gateway.prefix
                self.narrator.name(in_prefix(prefix, role.mac), role.name)

    def say(self, text: str) -> None:
        """A paragraph; line breaks and indentation of the source do not matter."""
        self._add(PROSE, "", " ".join(text.split()))

    def part(self, title: str, tell: frozenset[str]) -> None:
        """A part of the story begins."""
        self.narrator.begin(tell)
        if title:
            self._add(SECTION, "", title)

    def quiet(self) -> None:
        """What happens from now on is counted, but not told."""
        self.narrator.quiet = True

    def ask(self, question: Ask) -> None:
        """What the reader may be asked at this point."""
        step = Step(self._stage.now, QUESTION, "", question.text, question.clause)
        step.choices = (question.right, *question.wrong)
        self.narrator.add(step)

    def act(self, who: str, action: Action) -> None:
        """Somebody does something."""
        if isinstance(action, Listen) and action.program != PROGRAM:
            who = f"{who}'s {action.program}"
        if not isinstance(action, _SPEAK_FOR_THEMSELVES):
            self._add(ACT, who, action.words)

    def fact(self, who: str, text: str) -> None:
        """Something is so, and was verified."""
        self._add(HOST, who, text)

    def finish(self) -> Transcript:
        """The transcript, with the virtual time that passed."""
        self.narrator.transcript.time = self._stage.now
        return self.narrator.transcript

    def _told(self, station: Station, text: str, clause: str) -> None:
        self.narrator.add_for(station, Step(self._stage.now, HOST, station.name, text, clause))

    def _add(self, kind: str, who: str, text: str) -> None:
        self.narrator.add(Step(self._stage.now, kind, who, text))


def tell(
    scenario: Scenario,
    seed: int = 0,
    *,
    personality: str = STANDARD,
    strict: bool = True,
    settings: Mapping[str, int | str] | None = None,
) -> tuple[Transcript, Play]:
    """Play a scenario in the simulator and tell it: equal seeds give equal transcripts.

    `settings` are the subject's beside its own. Raises ScenarioError if it does not
    go as it says and `strict` is set.
    """
    stage = SimulatedStage(scenario, seed, {"mld_personality": personality} | dict(settings or {}))
    teller = Storyteller(stage)
    teller.narrator.tell = EVERYTHING
    play = Play(scenario, stage, teller, personality, strict)
    play.run()
    return teller.finish(), play
