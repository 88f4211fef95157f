"""All scenarios, the first one first."""

from difflib import get_close_matches

from stack.errors import UsageError
from stack.sim.scenarios import (
    address_goes,
    answers,
    configuration,
    done,
    duplicate,
    first,
    pending,
    query,
    references,
    renumbering,
    routers,
    snooping,
    sources,
    taken,
    unreachable,
)
from stack.sim.scenarios.vocabulary import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    first.SCENARIO,
    configuration.SCENARIO,
    duplicate.SCENARIO,
    taken.SCENARIO,
    unreachable.SCENARIO,
    answers.SCENARIO,
    snooping.SCENARIO,
    address_goes.SCENARIO,
    query.SCENARIO,
    renumbering.SCENARIO,
    routers.SCENARIO,
    sources.SCENARIO,
    done.SCENARIO,
    pending.SCENARIO,
    references.SCENARIO,
)


def find(name: str | None) -> Scenario:
    """The scenario of that name, the first one for None. Raises UsageError naming those that are like it."""
    if name is None:
        return SCENARIOS[0]
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    like = get_close_matches(name, [scenario.name for scenario in SCENARIOS])
    hint = f"do you mean {' or '.join(like)}?" if like else "`sixtap demo --list` names them"
    raise UsageError(f"there is no scenario {name!r}; {hint}")
