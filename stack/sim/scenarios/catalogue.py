"""All scenarios, the first one first."""

from stack.errors import UsageError
from stack.sim.scenarios import (
    address_goes,
    answers,
    configuration,
    done,
    duplicate,
    first,
    lost,
    path_mtu,
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
    lost.SCENARIO,
    answers.SCENARIO,
    snooping.SCENARIO,
    address_goes.SCENARIO,
    query.SCENARIO,
    renumbering.SCENARIO,
    path_mtu.SCENARIO,
    routers.SCENARIO,
    sources.SCENARIO,
    done.SCENARIO,
    pending.SCENARIO,
    references.SCENARIO,
)


def find(name: str | None) -> Scenario:
    """The scenario of that name, the first one for None. Raises UsageError."""
    if name is None:
        return SCENARIOS[0]
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    raise UsageError(f"there is no scenario {name!r}; `sixtap demo --list` names them")
