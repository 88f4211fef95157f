"""A transcript as text for a terminal: prose, frames with their time, and beneath them what became of them."""

import re
import textwrap

from stack.sim.glossary import TAKES
from stack.sim.transcript import ACT, FRAME, HOST, OUTCOME, PROSE, QUESTION, SECTION, TITLE, Step, Transcript

WIDTH = 100
_MARGIN = 11
_NESTED = 4
_IGNORES = "ignores"

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"
_DIM = "\x1b[2m"
_WORDS = (TITLE, SECTION, PROSE)
# What reads badly with a line break inside.
_UNBROKEN = re.compile(
    r"\(?RFC \d+(?: \d+(?:\.\d+)*(?: rule \d)?| appendix [A-Z])?|\d+ (?:m?s|octets?|x)\b|\(nonce [0-9a-f]+\)"
)
_NO_BREAK = "\N{NO-BREAK SPACE}"
_STYLES = {
    TITLE: "\x1b[1;4m",
    SECTION: "\x1b[1;36m",
    ACT: _BOLD,
    FRAME: "\x1b[32m",
    OUTCOME: "",
    HOST: "\x1b[33m",
    PROSE: "",
}


def render(transcript: Transcript, *, colour: bool = False) -> str:
    """The whole text, without a newline at its end."""
    return "\n".join(Renderer(colour).lines(transcript.steps))


class Renderer:
    """Makes lines of steps, in one go or step by step; keeps what the next line depends on."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._last_kind = PROSE
        self._last_time = ""
        self._begun = False

    def lines(self, steps: list[Step]) -> list[str]:
        """Every step as its lines, with a blank line between prose and what happens."""
        lines: list[str] = []
        for step in steps:
            if step.kind == QUESTION:
                continue
            words = step.kind in _WORDS
            if self._begun and (words or self._last_kind in _WORDS) and self._last_kind != SECTION:
                lines.append("")
            lines += self._words(step) if words else self._happening(step)
            self._last_kind = step.kind
            self._begun = True
        return lines

    def _words(self, step: Step) -> list[str]:
        self._last_time = ""
        return [self._styled(line, step.kind) for line in wrapped(step.text)]

    def _happening(self, step: Step) -> list[str]:
        time = f"{step.time:.3f}"
        shown = "" if time == self._last_time else time
        self._last_time = time
        first, *rest = wrapped(sentence(step), _MARGIN)
        label = f"{shown:>{_MARGIN - 2}}  "
        lines = [self._dim(label) + self._styled(first[_MARGIN:], step.kind)]
        lines += [self._styled(line, step.kind) for line in rest]
        for text, kind in _merged(step.within):
            lines += [self._styled(line, kind) for line in wrapped(text, _MARGIN + _NESTED)]
        return lines

    def _styled(self, line: str, kind: str) -> str:
        style = _STYLES[kind]
        return f"{style}{line}{_RESET}" if self._colour and style else line

    def _dim(self, text: str) -> str:
        return f"{_DIM}{text}{_RESET}" if self._colour and text.strip() else text


def _list(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def wrapped(text: str, indent: int = 0) -> list[str]:
    """Lines of at most WIDTH; with an indent, further lines are indented more."""
    lines = textwrap.wrap(
        _UNBROKEN.sub(lambda match: match[0].replace(" ", _NO_BREAK), text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + _NESTED) if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _in_brackets(clause: str) -> str:
    return f" ({clause})" if clause else ""


def sentence(step: Step) -> str:
    """A step in words, without its time."""
    clause = _in_brackets(step.clause)
    if step.kind == FRAME:
        return f"{step.who} --> {step.to}   {step.text}"
    if step.kind in (ACT, OUTCOME):
        return f"{step.who} {step.text}{clause}"
    if not step.before:
        return f"{step.who}: {step.text}{clause}"
    change = f"stays {step.after}" if step.before == step.after else f"{step.before} -> {step.after}"
    return f"{step.who}: {step.to} {change}: {step.text}{clause}"


def _merged(steps: list[Step]) -> list[tuple[str, str]]:
    """What receivers made of a frame, as text and kind; those that ignore it for one reason share a line."""
    texts: list[tuple[str, str]] = []
    told: set[str] = set()
    for step, following in zip(steps, [*steps[1:], None], strict=False):
        if step.text == TAKES and following is not None and (following.kind, following.who) == (HOST, step.who):
            # What it did with the frame says so already.
            continue
        if step.kind != OUTCOME or not step.text.startswith(_IGNORES):
            texts.append((sentence(step), step.kind))
        elif step.text not in told:
            told.add(step.text)
            who = [each.who for each in steps if each.kind == OUTCOME and each.text == step.text]
            verb = _IGNORES if len(who) == 1 else "ignore"
            clause = _in_brackets(step.clause)
            texts.append((f"{_list(who)} {verb}{step.text.removeprefix(_IGNORES)}{clause}", step.kind))
    return texts
