#!/usr/bin/env python3
"""Runs scenarios in the simulator, on `sixtap run` and with the Linux kernel as the host, and says where they differ.

    python tools/scenarios.py                 all that are for all three, one after the other
    python tools/scenarios.py snooping query  these

Needs root, as the live tests do. Exit status 1 if an expectation was not met.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stack.cli import catalogue
from stack.errors import StackError
from stack.sim.beside import report
from tests.live.test_scenarios import EVERYWHERE, runs


def main(names: list[str]) -> int:
    """The reports of these scenarios."""
    status = 0
    for name in names or EVERYWHERE:
        try:
            scenario = catalogue.find(name)
        except StackError as error:
            print(f"scenarios: {error}", file=sys.stderr)
            return 2
        if scenario.only_simulated:
            print(f"scenarios: {name} is for the simulator alone: {scenario.only_simulated}", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as folder:
            found = runs(name, Path(folder))
        print("\n".join(report(scenario, found)), end="\n\n", flush=True)
        if not all(run.holds for run in found.values()):
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
