"""All scenarios, the first one first."""

from stack.errors import UsageError
from stack.sim.scenarios import address_goes, duplicate, first, query, sources, unreachable
from stack.sim.stage import Scenario, Stage
from stack.sim.transcript import Transcript

SCENARIOS: tuple[Scenario, ...] = (
    first.SCENARIO,
    duplicate.SCENARIO,
    unreachable.SCENARIO,
    query.SCENARIO,
    address_goes.SCENARIO,
    sources.SCENARIO,
)


def find(name: str | None) -> Scenario:
    """The scenario of that name, the first one for None. Raises UsageError naming those that there are."""
    if name is None:
        return SCENARIOS[0]
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in SCENARIOS)
    raise UsageError(f"there is no scenario {name!r}; there are {known}")


def run(scenario: Scenario, seed: int = 0) -> Transcript:
    """Play a scenario: equal seeds give equal transcripts. Raises ScenarioError if it does not go as told."""
    stage = Stage(seed)
    stage.title(scenario.title)
    scenario.play(stage)
    return stage.finish()
