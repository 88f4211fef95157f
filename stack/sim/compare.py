"""One scenario in two personalities, and the frames that only one of them sends, with their row of docs/seed.md.

Both run from the same seed, in version 1, which is all that `netbsd` speaks. Nothing
is judged: what is expected of the one need not be true of the other.
"""

import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from stack.explain import frame as explain
from stack.sim.narrate import RECEIVERS, without_details
from stack.sim.render import WIDTH
from stack.sim.scenarios.vocabulary import Expect, Never, Scenario
from stack.sim.sighting import Sighting
from stack.sim.storyteller import tell

_VERSION_1 = {"force_mld_version": 1}
_TIME = 9
_ROW = 8
_COLUMN = (WIDTH - _TIME - _ROW - 4) // 2
_NOTHING = "-"


class Difference(NamedTuple):
    """A frame that is not the same on both sides: when, what each side has there ("" for nothing), and the row."""

    time: float
    one: str
    other: str
    row: str


class Comparison(NamedTuple):
    """What came out: the differences, how many frames each side sent, and what each row comes to."""

    scenario: Scenario
    names: tuple[str, str]
    frames: tuple[int, int]
    differences: tuple[Difference, ...]
    # (personality, row, what the scenario says of it)
    remarks: tuple[tuple[str, str, str], ...]

    def text(self) -> str:
        """For a terminal, side by side."""
        one, other = self.names
        lines = [f"{self.scenario.title}: {one} beside {other}", ""]
        if not self.differences:
            return "\n".join([*lines, f"Both send the same {self.frames[0]} frames."])
        lines += _columns("time", one, other, "row")
        for each in self.differences:
            lines += _columns(f"{each.time:.3f}", each.one or _NOTHING, each.other or _NOTHING, each.row)
        lines.append("")
        for personality, row, remark in self.remarks:
            lines += textwrap.wrap(f"{row}, {personality}: {remark}.", WIDTH, subsequent_indent="    ")
        total = f"{self.frames[0]} frames of {one}, {self.frames[1]} of {other}; the others are the same."
        return "\n".join([*lines, f"{total} docs/seed.md has the rows."])

    def document(self) -> dict[str, Any]:
        """For JSON."""
        one, other = self.names
        return {
            "scenario": self.scenario.name,
            "frames": {one: self.frames[0], other: self.frames[1]},
            "differences": [
                {"time": round(each.time, 6), one: each.one or None, other: each.other or None, "row": each.row or None}
                for each in self.differences
            ],
        }


def compare(scenario: Scenario, one: str, other: str, seed: int = 0) -> Comparison:
    """Run a scenario in both personalities from one seed."""
    seen = []
    for personality in (one, other):
        _, play = tell(scenario, seed, personality=personality, strict=False, settings=_VERSION_1)
        seen.append(play.stage.seen)
    row = ", ".join(scenario.rows)
    differences = tuple(Difference(time, left, right, row) for time, left, right in _differences(*seen))
    remarks = tuple(
        (step.personality, step.row, step.says)
        for name in (one, other)
        for step in scenario.steps
        if isinstance(step, Expect | Never) and step.row and step.personality == name
    )
    return Comparison(scenario, (one, other), (len(seen[0]), len(seen[1])), differences, remarks)


def _differences(one: list[Sighting], other: list[Sighting]) -> Iterator[tuple[float, str, str]]:
    """The frames that have no partner on the other side, by time; partners say the same, if not at the same moment."""
    left, right = [frame_words(each) for each in one], [frame_words(each) for each in other]
    pairs = sorted(
        (abs(one[at].time - other[beside].time), at, beside)
        for at, words in enumerate(left)
        for beside, others in enumerate(right)
        if words == others
    )
    paired: tuple[set[int], set[int]] = (set(), set())
    for _, at, beside in pairs:
        if at not in paired[0] and beside not in paired[1]:
            paired[0].add(at)
            paired[1].add(beside)
    alone = [(one[at].time, words, "") for at, words in enumerate(left) if at not in paired[0]]
    alone += [(other[at].time, "", words) for at, words in enumerate(right) if at not in paired[1]]
    yield from sorted(alone)


def frame_words(seen: Sighting) -> str:
    account = explain.account(seen.octets)
    source = f" ({seen.source})" if seen.source == "::" else ""
    return f"{seen.who}{source} --> {account.receiver(RECEIVERS)}   {without_details(account.text)}"


def _columns(time: str, one: str, other: str, row: str) -> list[str]:
    cells = [textwrap.wrap(each, _COLUMN, subsequent_indent="  ") for each in (one, other)]
    height = max(len(each) for each in cells)
    left, right = ([*each, *[""] * (height - len(each))] for each in cells)
    lines = []
    for at in range(height):
        head, tail = (time, row) if at == 0 else ("", "")
        lines.append(f"{head:>{_TIME}}  {left[at]:<{_COLUMN}}  {right[at]:<{_COLUMN}}  {tail}".rstrip())
    return lines
