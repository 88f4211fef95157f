"""Plays a scenario on a back end and judges what it expects.

The back end has the clock. In virtual time it is exact, and an expectation that
comes late has failed; where time is real the machine may be slow, so a frame that
comes is waited for with patience, and only that it comes is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from stack.errors import StackError
from stack.sim.scenarios.actions import Action
from stack.sim.scenarios.expectations import Frame, State, View
from stack.sim.scenarios.vocabulary import (
    STANDARD,
    Ask,
    At,
    Expect,
    Never,
    Part,
    Quiet,
    Say,
    Scenario,
    Until,
)
from stack.sim.sighting import Sighting

# Of virtual time: what is computed in binary fractions may be off by as much.
_GRAIN = 1e-6


class ScenarioError(StackError):
    """A run that did not do what its scenario says of it."""


class Stage(Protocol):
    """A back end. `seen` are the frames so far, those of everybody, in order; `now` is its clock in seconds.

    `patience` is what it grants beyond the time of an expectation.
    """

    name: str
    patience: float
    seen: list[Sighting]

    @property
    def now(self) -> float: ...
    def perform(self, who: str, action: Action) -> None: ...
    def view(self, who: str) -> View: ...
    def wait(self, enough: Callable[[], bool], until: float) -> bool:
        """Let time pass until `enough` or that time; whether it was enough."""
        ...


class Teller(Protocol):
    """Whoever tells the story beside the run; what is not for tests of behaviour."""

    def say(self, text: str) -> None: ...
    def part(self, title: str, tell: frozenset[str]) -> None: ...
    def quiet(self) -> None: ...
    def ask(self, question: Ask) -> None: ...
    def act(self, who: str, action: Action) -> None: ...
    def fact(self, who: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one expectation: its words, whether it was so, and what was there instead."""

    step: int
    words: str
    holds: bool
    instead: str = ""
    row: str = ""


@dataclass(slots=True)
class Play:
    """One run of a scenario. With `strict` the first expectation that is not met raises ScenarioError."""

    scenario: Scenario
    stage: Stage
    teller: Teller | None = None
    personality: str = STANDARD
    strict: bool = True
    findings: list[Finding] = field(default_factory=list)
    # How far the back end's clock is ahead of the scenario's.
    _late: float = 0.0
    _since: float = 0.0
    _mark: int = 0
    _after: int = 0
    _used: set[int] = field(default_factory=set)

    def run(self) -> list[Finding]:
        """All steps; what was found of each expectation."""
        for number, step in enumerate(self.scenario.steps):
            if isinstance(step, At):
                self._act(step)
            elif isinstance(step, Until):
                self._wait_for(step.time)
            elif isinstance(step, Expect | Never):
                self._judge(number, step)
            elif self.teller is not None:
                self._tell(self.teller, step)
        return self.findings

    def _tell(self, teller: Teller, step: Say | Part | Quiet | Ask) -> None:
        if isinstance(step, Say):
            teller.say(step.text)
        elif isinstance(step, Part):
            teller.part(step.title, step.tell)
        elif isinstance(step, Quiet):
            teller.quiet()
        else:
            teller.ask(step)

    # -- time

    def _wait_for(self, time: float) -> None:
        """Until the scenario's clock stands there; on a slow machine it is stopped meanwhile."""
        self.stage.wait(lambda: False, time + self._late)
        over = self.stage.now - (time + self._late)
        if over > _GRAIN and self.stage.patience == 0:
            raise ScenarioError(f"{self.scenario.name}: {time:g} s has passed already at {self.stage.now:g} s")
        self._late += max(0.0, over)

    def _act(self, step: At) -> None:
        self._wait_for(step.time)
        self._since = self.stage.now
        self._mark = self._after = len(self.stage.seen)
        if self.teller is not None:
            self.teller.act(step.who, step.action)
        self.stage.perform(step.who, step.action)

    # -- judging

    def _judge(self, number: int, step: Expect | Never) -> None:
        if step.on and self.stage.name not in step.on:
            return
        if step.personality and step.personality != self.personality:
            return
        if isinstance(step, Never):
            finding = self._never(number, step)
        elif isinstance(step.what, Frame):
            finding = self._frame(number, step, step.what)
        else:
            finding = self._state(number, step, step.what)
        self.findings.append(finding)
        if self.strict and not finding.holds:
            instead = f": {finding.instead}" if finding.instead else ""
            raise ScenarioError(f"{self.scenario.name}, at {self.stage.now:.3f} s: not so: {finding.words}{instead}")
        if step.says and finding.holds and self.teller is not None:
            self.teller.fact(step.who, step.says)

    def _deadline(self, number: int, step: Expect) -> float:
        """Until when to wait; what may fail without ending the run must not hold up what is to be done next."""
        deadline = self._since + step.within + self.stage.patience
        if not self.strict and not self.stage.patience:
            steps = self.scenario.steps[number:]
            following = next((each.time for each in steps if isinstance(each, At | Until)), None)
            if following is not None:
                deadline = min(deadline, following + self._late)
        return deadline

    def _frame(self, number: int, step: Expect, what: Frame) -> Finding:
        start = self._after if step.then else self._mark
        found = -1

        def there() -> bool:
            nonlocal found
            found = self._find(step.who, what, start)
            return found >= 0

        self.stage.wait(there, self._deadline(number, step))
        if found < 0:
            sent = "; ".join(each.kind for each in self.stage.seen[self._mark :] if each.who == step.who)
            return Finding(number, f"{step.who} sends {what.words}", False, f"it sent {sent or 'nothing'}", step.row)
        self._used.add(found)
        self._after = found + 1
        return Finding(number, f"{step.who} sends {what.words}", True, row=step.row)

    def _find(self, who: str, what: Frame, start: int) -> int:
        """The number of the first frame of this sort that fulfils no other expectation, -1 without one."""
        for at in range(start, len(self.stage.seen)):
            seen = self.stage.seen[at]
            if at not in self._used and seen.who == who and what.matches(seen):
                return at
        return -1

    def _never(self, number: int, step: Never) -> Finding:
        until = max(self._since + step.during, self.stage.now)
        self.stage.wait(lambda: self._find(step.who, step.what, self._mark) >= 0, until)
        found = self._find(step.who, step.what, self._mark)
        words = f"{step.who} does not send {step.what.words} for {step.during:g} s"
        if found < 0:
            return Finding(number, words, True, row=step.row)
        time = self.stage.seen[found].time - self._since
        return Finding(number, words, False, f"it did, after {time:.3f} s", step.row)

    def _state(self, number: int, step: Expect, state: State) -> Finding:
        view = self.stage.view(step.who)
        holds = self.stage.wait(lambda: state.holds(view), self._deadline(number, step))
        instead = "" if holds else f"it is {state.read(view) or 'nothing'}"
        return Finding(number, f"{step.who}: {state.words}", holds, instead, step.row)
