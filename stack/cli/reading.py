"""Reading along with a scenario: a stop after each frame, questions before things happen (`demo --step`, `--ask`).

The scenario has been played already: time is virtual, and nobody waits but the reader.
"""

from random import Random
from typing import TextIO

from stack.sim.render import Renderer, wrapped
from stack.sim.transcript import FRAME, OUTCOME, QUESTION, States, Step, Transcript

_STEP_HINT = "    [Enter: on, q: quit] "
_LETTERS = "abcdef"
_INDENT = 11


class Reader:
    """The two streams; `gone` once the reader has had enough, `silent` once the input has ended."""

    def __init__(self, words_in: TextIO, words_out: TextIO) -> None:
        self.gone = False
        self.silent = False
        self._in = words_in
        self._out = words_out

    def show(self, lines: list[str]) -> None:
        """Print lines."""
        for line in lines:
            print(line, file=self._out)
        self._out.flush()

    def read(self, prompt: str) -> str:
        """One line without its end; `q` sets `gone`, the end of the input `silent`, and then nothing is asked."""
        if self.silent:
            return ""
        self._out.write(prompt)
        self._out.flush()
        line = self._in.readline()
        if not self._in.isatty():
            # A terminal has echoed the reader's own Enter.
            self._out.write("\n")
        word = line.strip().lower()
        self.silent = not line
        self.gone = word in ("q", "quit")
        return word


def read_along(
    transcript: Transcript, reader: Reader, *, step: bool, ask: bool, seed: int = 0, colour: bool = False
) -> bool:
    """Tell a transcript; whether the reader stayed to its end. Choices are in an order of the seed's."""
    return _Reading(transcript, reader, step=step, ask=ask, seed=seed, colour=colour).run()


class _Reading:
    """One reading, with the score so far."""

    def __init__(
        self, transcript: Transcript, reader: Reader, *, step: bool, ask: bool, seed: int, colour: bool
    ) -> None:
        self._steps = transcript.steps
        self._reader = reader
        self._step = step
        self._ask = ask
        self._rng = Random(seed)
        self._renderer = Renderer(colour)
        self._right = 0
        self._asked = 0

    def run(self) -> bool:
        for step in self._steps:
            if step.kind == QUESTION:
                if self._ask:
                    self._question(step)
            else:
                self._reader.show(self._renderer.lines([step]))
                if self._step and step.kind == FRAME:
                    self._reader.show(state_lines(step))
                    self._reader.read(_STEP_HINT)
            if self._reader.gone:
                break
        if self._ask:
            self._reader.show(["", f"{self._right} of {self._asked} right."])
        return not self._reader.gone

    def _question(self, step: Step) -> None:
        choices = list(step.choices)
        self._rng.shuffle(choices)
        letters = _LETTERS[: len(choices)]
        lines = ["", *wrapped(f"Question: {step.text}")]
        for letter, choice in zip(letters, choices, strict=True):
            lines += wrapped(f"{letter}) {choice}", 4)
        self._reader.show(lines)
        right = letters[choices.index(step.choices[0])]
        answer = self._reader.read(f"    [{', '.join(letters)}; q: quit] ")
        while (len(answer) != 1 or answer not in letters) and not self._reader.gone and not self._reader.silent:
            answer = self._reader.read(f"    [one of {', '.join(letters)}; q: quit] ")
        if self._reader.gone or self._reader.silent:
            self._reader.gone = True
            return
        self._asked += 1
        self._right += answer == right
        verdict = "Right" if answer == right else f"No, {right}"
        self._reader.show(wrapped(f"{verdict}: {step.choices[0]} ({step.clause})."))


def state_lines(step: Step) -> list[str]:
    """The states of those whom a frame concerns, before it and after it, in columns."""
    if step.states is None:
        return []
    before, after = step.states
    rows = [row for who in _concerned(step, before, after) for row in _rows(who, before.get(who, {}), after[who])]
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    title = ("", "state", "before", "after")
    widths = [max(width, len(word)) for width, word in zip(widths, title, strict=False)]
    pad = " " * _INDENT
    return [
        pad + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in [title, *rows]
    ]


def _concerned(step: Step, before: States, after: States) -> list[str]:
    """The sender, whoever did anything with the frame, and whoever changed."""
    taking = {each.who for each in step.within if each.kind != OUTCOME or not each.text.startswith("ignores")}
    sender = step.who.split(" ")[0]
    return [who for who in after if who == sender or who in taking or before.get(who) != after[who]]


def _rows(who: str, before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str, str, str]]:
    subjects = [*before, *(subject for subject in after if subject not in before)]
    return [
        (who, subject, before.get(subject, "-"), after.get(subject, "-"))
        for subject in subjects
        if before.get(subject) != after.get(subject) or subject in after
    ]
