"""The table of bug classes in docs/fuzzing.md, made from the tests themselves: each has a row and is its proof.

`python -m tests.known_bugs.rows` writes the table anew.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from stack.discard import Discard
from stack.replay.subject import digest
from tests.playbook import Play

PAGE = Path(__file__).parents[2] / "docs" / "fuzzing.md"
BEGIN, END = "<!-- rows: python -m tests.known_bugs.rows -->\n", "<!-- end of rows -->\n"
AREAS = ("mld", "nd", "icmpv6", "headers", "fragments")

Test = TypeVar("Test", bound=Callable[..., None])


class Row(NamedTuple):
    """What comes in, what ours does, and the test that shows it."""

    shape: str
    ours: str
    test: str


ROWS: dict[str, list[Row]] = {}


def row(shape: str, ours: str) -> Callable[[Test], Test]:
    """Give a test its row in the table."""

    def note(test: Test) -> Test:
        area = test.__module__.rsplit("test_", 1)[1]
        ROWS.setdefault(area, []).append(Row(shape, ours, f"{area}: {test.__name__}"))
        return test

    return note


def discarded(play: Play, octets: bytes, reason: Discard) -> None:
    """The frame is discarded for this reason, nothing is sent, and nothing but counters has changed."""
    play.sent()
    before = digest(play.host)
    outcome = play.host.receive(octets, play.now)
    after = digest(play.host)
    play.settle()
    assert outcome is reason
    assert play.sent() == []
    assert after == before
    assert play.host.counters.outcomes[reason] >= 1


def still_answers(play: Play) -> None:
    """The host answers a ping of its peer."""
    from tests.playbook import echo_request

    play.meet()
    play.receive(echo_request())
    assert [each.kind for each in play.sent(129)] == [129]


def table() -> str:
    """The rows of every area that was imported, as Markdown."""
    lines = ["| # | what comes in | what ours does | test |", "| --- | --- | --- | --- |"]
    rows = [each for area in AREAS for each in ROWS.get(area, [])]
    for number, each in enumerate(rows, 1):
        area, name = each.test.split(": ")
        lines.append(f"| {number} | {each.shape} | {each.ours} | `test_{area}.py` `{name[5:]}` |")
    return "\n".join(lines) + "\n"


def current() -> str:
    """The table as it stands in the page."""
    return PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


def main() -> int:
    """Write the table into the page."""
    for area in AREAS:
        __import__(f"tests.known_bugs.test_{area}")
    rows = sys.modules["tests.known_bugs.rows"]
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    PAGE.write_text(head + BEGIN + rows.table() + END + rest.split(END)[1], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
