"""Draws the state machines of stack/ from their tables into docs/states/: a picture as SVG and as Mermaid, and a table.

`python tools/draw_states.py` writes the files; with `--check` it writes nothing and
exits with status 1 if one of them is not what it would write.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol

from stack.mld import states as listener
from stack.nd import dad
from stack.nd import states as neighbor
from stack.sim.querier import states as router
from tools.draw_svg import Edge, picture

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "states"


class Row(Protocol):
    """What every transition of a table has."""

    @property
    def state(self) -> Enum: ...
    @property
    def actions(self) -> tuple[Enum, ...]: ...
    @property
    def clause(self) -> str: ...


Table = Mapping[Enum, Mapping[Enum, Row]]


class Machine(NamedTuple):
    """One drawing: the file's name, its title, the module with the table, the table."""

    file: str
    title: str
    module: ModuleType
    table: Table


MACHINES = (
    Machine("neighbor.md", "A neighbour cache entry", neighbor, neighbor.TRANSITIONS),  # type: ignore[arg-type]
    Machine("listener.md", "A group on an interface, MLD version 1", listener, listener.TRANSITIONS),  # type: ignore[arg-type]
    Machine(
        "listener-netbsd.md",
        "A group on an interface, MLD version 1, personality netbsd",
        listener,
        listener.NETBSD_TRANSITIONS,  # type: ignore[arg-type]
    ),
    Machine("dad.md", "Duplicate address detection", dad, dad.TRANSITIONS),  # type: ignore[arg-type]
    Machine("querier.md", "A multicast router's part on a link", router, router.ROLES),  # type: ignore[arg-type]
    Machine(
        "presence-querier.md",
        "A group at the querier, MLD version 1",
        router,
        router.PRESENCES[router.Role.QUERIER],  # type: ignore[arg-type]
    ),
    Machine(
        "presence-non-querier.md",
        "A group at another router, MLD version 1",
        router,
        router.PRESENCES[router.Role.NON_QUERIER],  # type: ignore[arg-type]
    ),
)


def document(machine: Machine) -> str:
    """The whole file."""
    source = machine.module.__name__.replace(".", "/") + ".py"
    return "\n".join(
        (
            f"# {machine.title}",
            "",
            f"Made by `tools/draw_states.py` from `{source}`: change the table there, not this file.",
            "An event that changes neither the state nor anything else is in the table and not in the picture.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *(f"    {line}" for line in diagram(machine.table)),
            "```",
            "",
            "| state | event | next state | actions | clause |",
            "| --- | --- | --- | --- | --- |",
            *rows(machine.table),
            "",
        )
    )


def svg(machine: Machine) -> str:
    """The picture as a file of its own."""
    states = list(machine.table)
    arrows = [
        Edge(states.index(start), states.index(end), tuple(events))
        for (start, end), events in _arrows(machine.table).items()
    ]
    final = {place for place, state in enumerate(states) if not machine.table[state]}
    return picture(machine.title, [str(state.value) for state in states], final, arrows)


def _arrows(table: Table) -> dict[tuple[Enum, Enum], list[str]]:
    """The events that lead from one state to another, or change something else, by the pair of states."""
    arrows: dict[tuple[Enum, Enum], list[str]] = {}
    for state, transitions in table.items():
        for event, row in transitions.items():
            if row.state is not state or row.actions:
                arrows.setdefault((state, row.state), []).append(str(event.value))
    return arrows


def diagram(table: Table) -> list[str]:
    """The lines of the picture: an arrow for each pair of states, with all the events that take it."""
    states = list(table)
    names = [f"{state.name} : {state.value}" for state in states if state.name != state.value]
    drawn = [f"{start.name} --> {end.name} : {'<br/>'.join(events)}" for (start, end), events in _arrows(table).items()]
    ends = [f"{state.name} --> [*]" for state in states if not table[state]]
    return [*names, f"[*] --> {states[0].name}", *drawn, *ends]


def rows(table: Table) -> list[str]:
    """The table's lines, in its own order."""
    return [
        f"| {state.value} | {event.value} | {row.state.value}"
        f" | {'; '.join(str(action.value) for action in row.actions) or '-'} | {row.clause} |"
        for state, transitions in table.items()
        for event, row in transitions.items()
    ]


def files() -> Iterator[tuple[str, str]]:
    """Every file in docs/states/ with its text."""
    for each in MACHINES:
        yield each.file, document(each)
        yield each.file.removesuffix(".md") + ".svg", svg(each)


def stale() -> list[str]:
    """Names of the files that are not what the tables say."""
    return [name for name, text in files() if not _is_fresh(FOLDER / name, text)]


def _is_fresh(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="draw the state machines into docs/states/")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is not fresh")
    if parser.parse_args().check:
        for name in stale():
            print(f"docs/states/{name} is not fresh: python tools/draw_states.py", file=sys.stderr)
        return int(bool(stale()))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
