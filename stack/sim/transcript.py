"""What a narrated run consists of: steps in order, as data; `stack.sim.render` makes text of them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

TITLE = "title"
SECTION = "section"
PROSE = "prose"
ACT = "act"
FRAME = "frame"
HOST = "host"
OUTCOME = "outcome"
QUESTION = "question"

# States of hosts at one moment: by host, then by what has a state.
States = dict[str, dict[str, str]]


@dataclass(slots=True)
class Step:
    """One thing told.

    `kind` is one of: TITLE, SECTION and PROSE, words of the scenario; ACT, what a user or
    program does; FRAME, a frame from `who` to `to`; HOST, what happens inside a
    host; OUTCOME, how a frame ended in a receiver; QUESTION, what a reader is asked
    before that happens. `before` and `after` are states in the RFC's words,
    `clause` the reason. `within` are the steps that receiving a frame led to,
    receiver by receiver. `choices` are the answers to a question, the right one
    first. `states` of a frame are those of all hosts before it and after it.
    """

    time: float
    kind: str
    who: str
    text: str
    clause: str = ""
    to: str = ""
    before: str = ""
    after: str = ""
    within: "list[Step]" = field(default_factory=list)
    choices: tuple[str, ...] = ()
    states: "tuple[States, States] | None" = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what is empty is left out; times to the microsecond."""
        parts: dict[str, Any] = {"time": round(self.time, 6), "kind": self.kind}
        for name in ("who", "to", "text", "before", "after", "clause"):
            value = getattr(self, name)
            if value:
                parts[name] = value
        if self.within:
            parts["within"] = [step.as_dict() for step in self.within]
        return parts


@dataclass(slots=True)
class Transcript:
    """A whole run: its steps, the frames that were on the link by kind, and the virtual time that it took (seconds)."""

    steps: list[Step] = field(default_factory=list)
    frames: Counter[str] = field(default_factory=Counter)
    time: float = 0.0

    def of_kind(self, kind: str) -> list[Step]:
        """The steps of one kind, in order, those within others included."""
        found: list[Step] = []
        for step in self.steps:
            found += [each for each in (step, *step.within) if each.kind == kind]
        return found
