"""docs/conformance.md is what the tables say, and the tables speak of what is there."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

from tests.conformance.clauses import LEVELS, Clause, Elsewhere, Status
from tools import draw_conformance

ROOT = Path(__file__).resolve().parents[2]


class FileOfTests:
    """The tests of a file, named as pytest names them, and every text in it, for the cases of its tables."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        self.tests: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                self.tests.add(node.name)
            elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
                self.tests |= {f"{node.name}::{name}" for name in methods if name.startswith("test_")}
        self.texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }


@cache
def file_of_tests(name: str) -> FileOfTests | None:
    path = ROOT / "tests" / name
    return FileOfTests(path) if path.is_file() else None


def exists(test: str) -> bool:
    """Whether `file::name`, or `file::name[case]`, is a test, and the case is named in its file."""
    found = re.fullmatch(r"(?P<file>[\w/]+\.py)::(?P<name>[\w:]+)(\[(?P<case>.+)\])?", test)
    file = file_of_tests(found["file"]) if found is not None else None
    if found is None or file is None or found["name"] not in file.tests:
        return False
    return found["case"] is None or found["case"] in file.texts


def resolves(name: str) -> bool:
    """Whether a dotted name below stack is a module, or something in one."""
    parts = f"stack.{name}".split(".")
    for split in range(len(parts), 1, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            if not hasattr(found, part) and part not in getattr(found, "__annotations__", {}):
                return False
            found = getattr(found, part, None)
        return True
    return False


def clauses() -> list[tuple[int, Clause]]:
    return [(rfc.number, clause) for rfc in draw_conformance.RFCS for clause in rfc.clauses]


def name(row: Clause | Elsewhere) -> str:
    return f"{row.section}: {row.text}" if isinstance(row, Clause) else f"RFC {row.rfc}"


def test_the_page_is_fresh() -> None:
    assert draw_conformance.is_fresh(), "run tools/draw_conformance.py and commit what it writes"


def test_every_row_is_on_the_page() -> None:
    text = draw_conformance.document()
    assert [name(clause) for _, clause in clauses() if draw_conformance.row(clause) not in text] == []


def test_the_checks_can_fail() -> None:
    assert exists("nd/test_dad.py::test_evidence[another node's probe]")
    assert not exists("nd/test_dad.py::test_evidence[no such case]")
    assert not exists("nd/test_dad.py::test_no_such_thing")
    assert not exists("nd/test_no_such_file.py::test_evidence")
    assert not exists("nd/test_dad.py")
    assert resolves("nd.dad.Detection") and not resolves("nd.dad.NoSuchThing") and not resolves("nd.nothing.Detection")


def test_functions_exist() -> None:
    named = {where for row in draw_conformance.rows() for where in row.where}
    assert sorted(where for where in named if not resolves(where)) == []


def test_tests_exist() -> None:
    missing = [f"{name(row)}: {test}" for row in draw_conformance.rows() for test in row.tests if not exists(test)]
    assert missing == []


def test_each_clause_that_is_met_has_a_function_and_a_test() -> None:
    assert [name(each) for _, each in clauses() if each.status is Status.MET and not (each.where and each.tests)] == []


def test_each_other_clause_says_why() -> None:
    assert [name(each) for _, each in clauses() if each.status is not Status.MET and not each.note] == []


def test_each_clause_has_a_level_and_a_text_of_its_own() -> None:
    assert [name(each) for _, each in clauses() if each.level not in LEVELS or not each.text or "|" in each.text] == []
    seen: set[tuple[int, str]] = set()
    twice = [entry for number, each in clauses() if (entry := (number, name(each))) in seen or seen.add(entry)]
    assert twice == []


@pytest.mark.parametrize("rfc", draw_conformance.RFCS, ids=lambda rfc: str(rfc.number))
def test_each_section_has_a_clause(rfc: draw_conformance.Rfc) -> None:
    assert set(rfc.sections) == {clause.section for clause in rfc.clauses}


def test_the_tests_of_this_folder_are_all_used() -> None:
    """Each test that was written for a clause is named by one."""
    used = {test.partition("[")[0] for row in draw_conformance.rows() for test in row.tests}
    written = set()
    for file in ("conformance/test_rfc4861.py", "conformance/test_rfc4862.py", "conformance/test_rfc8200.py"):
        found = file_of_tests(file)
        assert found is not None and found.tests
        written |= {f"{file}::{test}" for test in found.tests}
    assert sorted(written - used) == []
