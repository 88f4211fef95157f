"""docs/fuzzing.md: its table is that of the tests, each of which is a row."""

import importlib

import pytest

from tests.known_bugs import rows


@pytest.fixture(autouse=True)
def everything() -> None:
    for area in rows.AREAS:
        importlib.import_module(f"tests.known_bugs.test_{area}")


def test_the_table_is_up_to_date() -> None:
    assert rows.current() == rows.table(), "run python -m tests.known_bugs.rows and commit what it writes"


def test_there_are_enough_rows_and_each_has_a_test_of_its_own() -> None:
    found = [each for area in rows.AREAS for each in rows.ROWS[area]]
    assert len(found) >= 60
    assert len({each.test for each in found}) == len(found)
    assert len({each.shape for each in found}) == len(found)
