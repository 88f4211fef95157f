"""docs/mld.md: from each row of mld6.c and each clause of RFC 3810 to a function and to tests, none missing, all there.

And every row of docs/seed.md but those with nothing to build has a test that bears its number, those on which the two
personalities differ one for each.
"""

import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTHING = "nothing to build"

# The clauses of RFC 3810 that bind a listener, in the order of its table of contents. What only describes the layout of
# a query that routers build (5.1.6, 5.1.11), or a field by a name (5.2.3 to 5.2.9), is covered by the parser's tests.
CLAUSES = (
    *("3", "4.1", "4.2", "5"),
    *(f"5.1.{number}" for number in (1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15)),
    *(f"5.2.{number}" for number in (1, 2, 10, 11, 12, 13, 14, 15)),
    *("6", "6.1", "6.2"),
    *(f"6.2 rule {number}" for number in range(1, 6)),
    *(f"6.3 rule {number}" for number in range(1, 5)),
    *("8.1", "8.2.1", "8.2.2", "9.1", "9.11", "9.12"),
)


class Row(NamedTuple):
    """A row of docs/seed.md: its number, its lines of the file, and how the personalities differ."""

    number: str
    where: str
    difference: str

    @property
    def is_built(self) -> bool:
        return self.difference != "n/a"

    @property
    def differs(self) -> bool:
        """Marked C or F/C, in whole or in part."""
        return re.search(r"\bC\b", self.difference) is not None


class Line(NamedTuple):
    """A line of one of the two tables of docs/mld.md."""

    cells: tuple[str, ...]

    @property
    def functions(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.cells[-2])

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.cells[-1])


def table_rows(name: str) -> list[tuple[str, ...]]:
    """The cells of every table row of a page but the heads; a | inside back quotes is none."""
    found = []
    for line in (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| # |"):
            found.append(tuple(cell.strip() for cell in line.strip().strip("|").split(" | ")))
    return found


@cache
def seed_rows() -> tuple[Row, ...]:
    return tuple(
        Row(cells[0], cells[1], cells[-1]) for cells in table_rows("seed.md") if re.fullmatch(r"S\d\d", cells[0])
    )


@cache
def page() -> tuple[Line, ...]:
    return tuple(Line(cells) for cells in table_rows("mld.md"))


def row_lines() -> list[Line]:
    return [line for line in page() if re.fullmatch(r"S\d\d", line.cells[0])]


def clause_lines() -> list[Line]:
    return [line for line in page() if re.fullmatch(r"\d[\d.]*( rule \d)?", line.cells[0])]


@cache
def names_by_file() -> dict[str, frozenset[str]]:
    """The names of all tests and state machines, by their file below tests/ without its suffix."""
    found = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        tests = frozenset(name for name in names if name.startswith(("test_", "Test")))
        found[path.relative_to(ROOT / "tests").with_suffix("").as_posix()] = tests
    return found


def test_seed_lists_the_rows() -> None:
    """The page of rows is read as it is: S01 to S85, the four artefacts among them."""
    assert [row.number for row in seed_rows()] == [f"S{number:02}" for number in range(1, 86)]
    assert [row.number for row in seed_rows() if not row.is_built] == ["S15", "S56", "S74", "S79"]
    differing = {row.number for row in seed_rows() if row.differs}
    assert {"S05", "S21", "S33", "S47", "S80"} <= differing
    assert not {"S01", "S23", "S60", "S78"} & differing


@pytest.mark.parametrize("row", [pytest.param(row, id=row.number) for row in seed_rows() if row.is_built])
def test_each_row_has_a_test_that_names_it(row: Row) -> None:
    """ "Each row except n/a has at least one test that names it; a C or F/C row has one for each personality." """
    named = [name for names in names_by_file().values() for name in names if re.search(rf"_{row.number}(?=_|$)", name)]
    assert named, f"no test is named for {row.number}"
    if row.differs:
        of_netbsd = [name for name in named if f"_{row.number}_netbsd" in name]
        assert of_netbsd, f"{row.number} differs, and no test says what netbsd does"
        assert set(named) - set(of_netbsd), f"{row.number} differs, and no test says what standard does"


def test_page_has_every_row_with_its_lines() -> None:
    """From a line of the file to the row: the same rows in the same order, with the lines as docs/seed.md has them."""
    assert [(line.cells[0], line.cells[1], line.cells[2]) for line in row_lines()] == [
        tuple(row) for row in seed_rows()
    ]


def test_page_has_every_clause_in_order() -> None:
    """No clause that binds a listener is left out."""
    assert list(dict.fromkeys(line.cells[0] for line in clause_lines())) == list(CLAUSES)


def test_no_line_is_empty() -> None:
    """Every line leads to a function and to a test, and says so in every cell."""
    artefacts = {row.number for row in seed_rows() if not row.is_built}
    empty = []
    for line in (*row_lines(), *clause_lines()):
        if line.cells[0] in artefacts:
            assert line.cells[-2:] == (NOTHING, NOTHING)
        elif not (all(line.cells) and line.functions and line.tests):
            empty.append(line.cells[0])
    assert empty == []


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = (name if name.startswith("stack.") else f"stack.mld.{name}").split(".")
    for split in range(len(parts), 1, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_functions_exist() -> None:
    """A name that was changed in the code is changed on the page."""
    named = {name for line in (*row_lines(), *clause_lines()) for name in line.functions}
    assert sorted(name for name in named if not resolves(name)) == []
    assert not resolves("listener.MulticastListener.no_such_function"), "the check can fail"
    assert not resolves("stack.mld.no_such_module.function")


def test_tests_exist() -> None:
    """A test that was renamed or dropped is so on the page too; a row's tests bear its number."""
    missing = []
    for line in (*row_lines(), *clause_lines()):
        for each in line.tests:
            file, _, name = each.partition("::")
            names = names_by_file().get(f"mld/{file}") or names_by_file().get(file) or frozenset()
            if name not in names:
                missing.append(each)
            elif line.cells[0].startswith("S") and line.cells[0] not in name:
                missing.append(f"{each} is not named for {line.cells[0]}")
    assert missing == []


def test_rows_that_differ_lead_to_both_personalities() -> None:
    """C and F/C: the page names a test of each."""
    one_sided = []
    for row, line in zip(seed_rows(), row_lines(), strict=True):
        if row.differs and len({"_netbsd" in each for each in line.tests}) != 2:
            one_sided.append(row.number)
    assert one_sided == []


def test_files_of_the_folder_are_all_on_the_page() -> None:
    """The table of files is that of stack/mld/."""
    text = (ROOT / "docs" / "mld.md").read_text(encoding="utf-8")
    files = [path.name for path in (ROOT / "stack" / "mld").glob("*.py") if path.name != "__init__.py"]
    assert [name for name in files if f"`{name}`" not in text] == []
