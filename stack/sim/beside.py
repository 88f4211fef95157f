"""One scenario on several back ends, side by side: what was expected and found, and the frames that differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stack.sim.compare import frame_words
from stack.sim.play import Finding
from stack.sim.scenarios.vocabulary import Scenario
from stack.sim.sighting import Sighting


class Run(NamedTuple):
    """What was found on one back end, and what the host that is tried has sent there."""

    findings: Sequence[Finding]
    frames: Sequence[Sighting]

    @property
    def holds(self) -> bool:
        """Whether everything was as expected."""
        return all(each.holds for each in self.findings)


def report(scenario: Scenario, runs: Mapping[str, Run]) -> list[str]:
    """Lines: each expectation with yes, no or - (not judged there), why not, and the frames that are not everywhere."""
    lines = [f"{scenario.name}: {scenario.title}", _columns("", list(runs))]
    words = {each.step: each.words for run in runs.values() for each in run.findings}
    found = {name: {each.step: each for each in run.findings} for name, run in runs.items()}
    for step in sorted(words):
        here = {name: steps.get(step) for name, steps in found.items()}
        lines.append(_columns(words[step], [_verdict(each) for each in here.values()]))
        lines += [f"    {name}: {each.instead}" for name, each in here.items() if each is not None and not each.holds]
    different = differences(runs)
    if different:
        lines.append(f"How often {scenario.subject.name} has sent what it has not sent equally often everywhere:")
        lines += [_columns(text, [str(count) for count in counts]) for text, counts in different]
    return lines


def differences(runs: Mapping[str, Run]) -> list[tuple[str, tuple[int, ...]]]:
    """The frames, in words, that were not sent equally often on all back ends; how often on each."""
    counted = [Counter(frame_words(each) for each in run.frames) for run in runs.values()]
    texts = dict.fromkeys(text for counts in counted for text in counts)
    rows = ((text, tuple(counts[text] for counts in counted)) for text in texts)
    return [(text, counts) for text, counts in rows if len(set(counts)) > 1]


def _verdict(finding: Finding | None) -> str:
    if finding is None:
        return "-"
    return "yes" if finding.holds else "NO"


def _columns(text: str, cells: Sequence[str]) -> str:
    return "  ".join([f"{each:>9}" for each in cells] + [text]).rstrip()
