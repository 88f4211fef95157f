"""Draws docs/conformance.md from the tables of tests/conformance: each clause that binds a host, and what shows it.

`python tools/draw_conformance.py` writes the page; with `--check` it writes nothing
and exits with status 1 if the page is not what it would write.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.conformance import (  # noqa: E402
    fragments,
    other_rfcs,
    rfc4443,
    rfc4861_messages,
    rfc4861_neighbours,
    rfc4861_redirects,
    rfc4861_routers,
    rfc4862,
    rfc8200,
)
from tests.conformance.clauses import Clause, Elsewhere, Status  # noqa: E402

PAGE = ROOT / "docs" / "conformance.md"


class Rfc(NamedTuple):
    """One table: the RFC, the titles of its sections in their order, the clauses in theirs."""

    number: int
    title: str
    sections: Mapping[str, str]
    clauses: tuple[Clause, ...]


def _in_order(sections: Mapping[str, str], clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    order = list(sections)
    return tuple(sorted(clauses, key=lambda clause: order.index(clause.section)))


_SECTIONS_4861 = rfc4861_messages.SECTIONS | rfc4861_routers.SECTIONS | rfc4861_neighbours.SECTIONS
_SECTIONS_4861 |= rfc4861_redirects.SECTIONS | rfc4861_redirects.LATE_SECTIONS
# As the RFC has them, appendices last.
SECTIONS_4861 = dict(
    sorted(
        _SECTIONS_4861.items(), key=lambda item: [int(n) for n in item[0].split(".")] if item[0][0].isdigit() else [99]
    )
)
CLAUSES_4861 = (
    *rfc4861_messages.EARLY,
    *rfc4861_routers.ROWS,
    *rfc4861_neighbours.ROWS,
    *rfc4861_redirects.ROWS,
    *rfc4861_messages.LATE,
    *rfc4861_redirects.LATE,
)
RFCS = (
    Rfc(4861, "Neighbour discovery", SECTIONS_4861, _in_order(SECTIONS_4861, CLAUSES_4861)),
    Rfc(4862, "Stateless address autoconfiguration", rfc4862.SECTIONS, _in_order(rfc4862.SECTIONS, rfc4862.ROWS)),
    Rfc(8200, "Internet protocol, version 6", rfc8200.SECTIONS, _in_order(rfc8200.SECTIONS, rfc8200.ROWS)),
    Rfc(4443, "ICMPv6", rfc4443.SECTIONS, _in_order(rfc4443.SECTIONS, rfc4443.ROWS)),
    Rfc(3168, "Explicit congestion notification", fragments.SECTIONS_3168, fragments.ROWS_3168),
    Rfc(5722, "Handling of overlapping fragments", fragments.SECTIONS_5722, fragments.ROWS_5722),
    Rfc(6946, "Processing of atomic fragments", fragments.SECTIONS_6946, fragments.ROWS_6946),
    Rfc(7112, "Implications of oversized header chains", fragments.SECTIONS_7112, fragments.ROWS_7112),
    Rfc(8201, "Path MTU discovery", fragments.SECTIONS_8201, fragments.ROWS_8201),
)
ELSEWHERE = other_rfcs.ROWS

INTRODUCTION = """\
# Conformance

Every clause of these RFCs that binds a host, with what does it and the tests that show it. What binds routers alone is
not listed. A *rule* is a clause without one of the RFC's key words, whose text says plainly what a host does; "must"
and "should" in small letters, as RFC 8200 has them, count as such. RFC 3168, 6946, 7112 and 8201 are
listed from memory: a clause whose text was not read says so.

Made by `tools/draw_conformance.py` from the tables in `tests/conformance`: change them there, not this file. Functions
are named from `stack.` on, tests by their file in `tests/`; in brackets is the case of a test's table.
`tests/conformance/test_page.py` holds the page to what is there.
"""


def document() -> str:
    """The whole page."""
    parts = [INTRODUCTION, summary()]
    parts += [section for rfc in RFCS for section in chapters(rfc)]
    parts.append(departures())
    parts.append(elsewhere())
    return "\n".join(parts)


def summary() -> str:
    """How many clauses there are of each kind, by RFC."""
    lines = ["| | clauses | met | not met | not applicable |", "| --- | --- | --- | --- | --- |"]
    for rfc in RFCS:
        counts = [sum(clause.status is status for clause in rfc.clauses) for status in Status]
        lines.append(f"| RFC {rfc.number} | {len(rfc.clauses)} | {' | '.join(map(str, counts))} |")
    return "\n".join((*lines, ""))


def chapters(rfc: Rfc) -> list[str]:
    """A head for the RFC, then for each section a head and its table."""
    found = [f"## RFC {rfc.number}: {rfc.title}\n"]
    for section, title in rfc.sections.items():
        clauses = [clause for clause in rfc.clauses if clause.section == section]
        met = sum(clause.status is Status.MET for clause in clauses)
        name = section if section[0].isdigit() else f"Appendix {section}"
        head = f"### {name} {title} ({met} of {len(clauses)} met)\n"
        table = ["| level | clause | status | where | tests |", "| --- | --- | --- | --- | --- |", *map(row, clauses)]
        found.append("\n".join((head, *table, "")))
    return found


def row(clause: Clause) -> str:
    """One line of a table."""
    status = clause.status.value if clause.status is Status.MET else f"**{clause.status.value}**: {clause.note}"
    if clause.status is Status.MET and clause.note:
        status += f"; {clause.note}"
    return f"| {clause.level} | {clause.text} | {status} | {names(clause.where)} | {names(clause.tests)} |"


def departures() -> str:
    """All that is not met, in one place."""
    lines = ["## What is not met\n", "| RFC | section | level | clause | why |", "| --- | --- | --- | --- | --- |"]
    for rfc in RFCS:
        for clause in rfc.clauses:
            if clause.status is Status.NOT_MET:
                lines.append(f"| {rfc.number} | {clause.section} | {clause.level} | {clause.text} | {clause.note} |")
    return "\n".join((*lines, ""))


def elsewhere() -> str:
    """The table of RFCs whose text was not read."""
    lines = [
        "## From other RFCs, text not read\n",
        "What is there of them follows from memory, so that no clause of theirs counts as met.\n",
        "| RFC | title | what is there | where | tests |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.rfc} | {each.title} | {each.text} | {names(each.where)} | {names(each.tests)} |" for each in ELSEWHERE
    ]
    return "\n".join((*lines, ""))


def names(each: Iterable[str]) -> str:
    """Names in back quotes, or a dash."""
    return ", ".join(f"`{name}`" for name in each) or "-"


def rows() -> list[Clause | Elsewhere]:
    """Everything on the page that names functions and tests."""
    return [*(clause for rfc in RFCS for clause in rfc.clauses), *ELSEWHERE]


def is_fresh() -> bool:
    """Whether the page is what the tables say."""
    return PAGE.exists() and PAGE.read_text(encoding="utf-8") == document()


def main() -> int:
    parser = argparse.ArgumentParser(description="draw docs/conformance.md from the tables of clauses")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is not fresh")
    if parser.parse_args().check:
        if not is_fresh():
            print("docs/conformance.md is not fresh: python tools/draw_conformance.py", file=sys.stderr)
        return int(not is_fresh())
    PAGE.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
