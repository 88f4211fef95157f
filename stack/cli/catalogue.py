"""The scenarios themselves: one by its name, or all of them. Each is imported when it is asked for."""

import importlib

from stack.errors import UsageError
from stack.sim.scenarios.listing import LISTING
from stack.sim.scenarios.vocabulary import Scenario


def find(name: str | None) -> Scenario:
    """The scenario of that name, the first one for None. Raises UsageError."""
    if name is None:
        name = LISTING[0].name
    if name not in {each.name for each in LISTING}:
        raise UsageError(f"there is no scenario {name!r}; `sixtap demo --list` names them")
    scenario: Scenario = importlib.import_module(f"stack.sim.scenarios.{name.replace('-', '_')}").SCENARIO
    return scenario


def every() -> tuple[Scenario, ...]:
    """All, the first one first."""
    return tuple(find(each.name) for each in LISTING)
