"""What a clause is: a row of docs/conformance.md; the tables are in the other files of this folder.

`where` names what does it, dotted from `stack.`; `tests` are files below tests/ with the test's name behind `::`, and
in brackets, where one case of a table shows it, that case's name. A clause without one of the RFC's key words, whose
text says plainly what a host does, has the level RULE.
"""

from enum import Enum
from typing import NamedTuple

MUST = "MUST"
MUST_NOT = "MUST NOT"
SHOULD = "SHOULD"
SHOULD_NOT = "SHOULD NOT"
RULE = "rule"

LEVELS = (MUST, MUST_NOT, SHOULD, SHOULD_NOT, RULE)


class Status(Enum):
    """Whether the host does what the clause says; all but MET have a reason."""

    MET = "met"
    NOT_MET = "not met"
    NOT_APPLICABLE = "not applicable"


class Clause(NamedTuple):
    """One clause; `note` is the reason where it is not met or does not apply, else what is worth knowing, or empty."""

    section: str
    level: str
    text: str
    status: Status
    where: tuple[str, ...]
    tests: tuple[str, ...]
    note: str


class Elsewhere(NamedTuple):
    """What is there of an RFC whose text was not read: no clause of it counts as met."""

    rfc: int
    title: str
    text: str
    where: tuple[str, ...]
    tests: tuple[str, ...]


def met(section: str, level: str, text: str, where: str, *tests: str, note: str = "") -> Clause:
    """A clause that is met; `where` may name several, with blanks between."""
    return Clause(section, level, text, Status.MET, tuple(where.split()), tests, note)


def not_met(section: str, level: str, text: str, why: str, where: str = "", *tests: str) -> Clause:
    """A clause that is not; tests show what is done instead."""
    return Clause(section, level, text, Status.NOT_MET, tuple(where.split()), tests, why)


def not_applicable(section: str, level: str, text: str, why: str, where: str = "", *tests: str) -> Clause:
    """A clause about what this host never does; tests show that it does not."""
    return Clause(section, level, text, Status.NOT_APPLICABLE, tuple(where.split()), tests, why)


def elsewhere(rfc: int, title: str, text: str, where: str = "", *tests: str) -> Elsewhere:
    """A row about an RFC whose text was not read."""
    return Elsewhere(rfc, title, text, tuple(where.split()), tests)
