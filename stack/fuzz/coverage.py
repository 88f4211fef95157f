"""What a run has reached: pairs of state and event of the state machines, and ways for a frame to end.

The tables of the machines are watched while a run goes on: each look-up is noted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stack.discard import Discard, Outcome, Verdict
from stack.mld import states as mld
from stack.nd import dad
from stack.nd import states as nd

MACHINES: dict[str, dict[Any, dict[Any, Any]]] = {
    "neighbour": nd.TRANSITIONS,
    "detection": dad.TRANSITIONS,
    "listener": mld.TRANSITIONS,
    "netbsd listener": mld.NETBSD_TRANSITIONS,
}
Pair = tuple[str, str, str]


class _Watched(dict[Any, Any]):
    """The rows of one state; what is looked up is noted."""

    __slots__ = ("machine", "reached", "state")

    def __init__(self, rows: dict[Any, Any], machine: str, state: str, reached: set[Pair]) -> None:
        super().__init__(rows)
        self.machine = machine
        self.state = state
        self.reached = reached

    def __getitem__(self, event: Any) -> Any:
        row = super().__getitem__(event)
        self.reached.add((self.machine, self.state, event.name))
        return row

    def get(self, event: Any, default: Any = None) -> Any:
        """As a dictionary's."""
        row = super().get(event, default)
        if row is not default:
            self.reached.add((self.machine, self.state, event.name))
        return row


@contextmanager
def watching() -> Iterator[set[Pair]]:
    """While this lasts, the pairs of state and event that occur are put into the set given."""
    reached: set[Pair] = set()
    before = [(table, state, rows) for table in MACHINES.values() for state, rows in table.items()]
    try:
        for machine, table in MACHINES.items():
            for state, rows in list(table.items()):
                table[state] = _Watched(rows, machine, state.name, reached)
        yield reached
    finally:
        for table, state, rows in before:
            table[state] = rows


def every_pair() -> list[Pair]:
    """All pairs that the tables have, in their order."""
    return [
        (machine, state.name, event.name)
        for machine, table in MACHINES.items()
        for state, rows in table.items()
        for event in rows
    ]


def uncovered(pairs: set[Pair], outcomes: set[Outcome]) -> list[str]:
    """What was never reached, in words."""
    missed = [f"{machine}: {state} with {event}" for machine, state, event in every_pair()]
    seen = {f"{machine}: {state} with {event}" for machine, state, event in pairs}
    ends: list[Outcome] = [*Verdict, *Discard]
    return [each for each in missed if each not in seen] + [
        f"outcome: {each.name}" for each in ends if each not in outcomes
    ]
