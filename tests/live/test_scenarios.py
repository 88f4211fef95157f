"""The same scenario file in the simulator, on our stack over a TAP device, and with the Linux kernel as the host."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.cli import catalogue
from stack.sim.beside import Run, differences, report
from stack.sim.scenarios.expectations import report as mld_report
from stack.sim.scenarios.vocabulary import LINUX, SIMULATOR, TAP
from tests.live.theatre import LinuxStage, TapStage, run_on, run_simulated

EVERYWHERE = [scenario.name for scenario in catalogue.every() if not scenario.only_simulated]


def runs(name: str, folder: Path) -> dict[str, Run]:
    """The scenario on all three at once, each with a link of its own."""
    scenario = catalogue.find(name)
    with ThreadPoolExecutor(2) as pool:
        tap = pool.submit(run_on, TapStage, scenario, folder / TAP)
        linux = pool.submit(run_on, LinuxStage, scenario, folder / LINUX)
        return {SIMULATOR: run_simulated(scenario), TAP: tap.result(), LINUX: linux.result()}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_same_scenario_passes_on_all_three(name: str, tmp_path: Path) -> None:
    found = runs(name, tmp_path)
    told = "\n".join(report(catalogue.find(name), found))
    assert all(run.findings for run in found.values())
    assert all(run.holds for run in found.values()), told
    if name == "sources":
        # RFC 3810 6.3 rule 3: EXCLUDE (A) asked for B answers IS_IN (B-A); Linux sends its whole state.
        answers = [
            [mld_report("IS_IN", "ff15::cafe", "2001:db8::1", "2001:db8::3").matches(frame) for frame in run.frames]
            for run in found.values()
        ]
        assert [any(each) for each in answers] == [True, True, False]
        assert any(counts[2] != counts[0] for _, counts in differences(found))
