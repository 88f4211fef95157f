"""The example of docs/scenarios.md is complete and true, and the page names what there is."""

import re
from pathlib import Path
from typing import Any

import pytest

from stack.sim.play import Play
from stack.sim.render import render
from stack.sim.scenarios import actions, expectations
from stack.sim.scenarios.vocabulary import Scenario
from stack.sim.stage import SimulatedStage
from stack.sim.storyteller import tell

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")


def example() -> Scenario:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    scenario: Scenario = found["SCENARIO"]
    return scenario


@pytest.mark.parametrize("seed", range(5))
def test_the_example_passes(seed: int) -> None:
    scenario = example()
    findings = Play(scenario, SimulatedStage(scenario, seed)).run()
    assert len(findings) == 7 and all(each.holds for each in findings)


def test_the_example_can_be_told() -> None:
    transcript, _ = tell(example())
    text = render(transcript)
    assert "ada: two reports, and no more" in text
    assert len(text.splitlines()) < 50


@pytest.mark.parametrize("member", [*actions.Action.__args__, *expectations.State.__args__])  # type: ignore[attr-defined]
def test_every_word_is_on_the_page(member: type) -> None:
    assert f"`{member.__name__}`" in PAGE
