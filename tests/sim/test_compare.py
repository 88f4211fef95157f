"""`sixtap demo --compare`: the frames that only one personality sends, with the rows that tell of them."""

import json

import pytest

from stack.cli import catalogue, demo
from stack.errors import UsageError
from stack.sim.compare import Comparison, compare
from stack.sim.render import WIDTH
from tests.cli.test_demo import NAMES, parse

SEEDS = range(6)


def compared(name: str, seed: int = 0) -> Comparison:
    return compare(catalogue.find(name), "standard", "netbsd", seed)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_has_rows_if_and_only_if_its_frames_differ(name: str) -> None:
    rows = ", ".join(catalogue.find(name).rows)
    for seed in SEEDS:
        assert {each.row for each in compared(name, seed).differences} == ({rows} if rows else set())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "row", "frame"),
    [
        ("done", "S21", "ada --> routers (ff02::2)   MLD version 1 Done: no longer listens to ff15::cafe"),
        ("pending", "S48", "ada --> ff02::1:ff00:77   MLD version 1 report: listens to ff02::1:ff00:77"),
        ("references", "S61", "ada --> ff15::cafe   MLD version 1 report: listens to ff15::cafe"),
    ],
)
def test_the_three_rows_that_have_a_scenario_of_their_own(seed: int, name: str, row: str, frame: str) -> None:
    found = compared(name, seed)
    missing = [each for each in found.differences if each.one == frame and not each.other]
    assert missing and all(each.row == row for each in missing)
    assert not any(each.other == frame for each in found.differences)
    assert [(who, each) for who, each, _ in found.remarks] == [("standard", row), ("netbsd", row)]


def test_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.run(parse("done", "--compare", "standard,netbsd")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Done, or forgotten: standard beside netbsd"
    assert lines[2].split() == ["time", "standard", "netbsd", "row"]
    assert lines[3].split()[0] == "6.000" and lines[3].endswith("S21")
    assert max(len(line) for line in lines) <= WIDTH
    demo.run(parse("done", "--compare", "netbsd,standard"))
    assert capsys.readouterr().out.splitlines()[3].split()[:2] == ["6.000", "-"]


def test_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    demo.run(parse("routers", "--compare", "standard,netbsd"))
    assert capsys.readouterr().out.splitlines()[-1] == "Both send the same 11 frames."


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    demo.run(parse("done", "--compare", "standard,netbsd", "-j"))
    document = json.loads(capsys.readouterr().out)
    assert document["scenario"] == "done"
    (difference,) = document["differences"]
    assert (difference["row"], difference["netbsd"]) == ("S21", None)


@pytest.mark.parametrize("words", ["standard", "standard,linux", "netbsd,netbsd", ""])
def test_two_different_personalities_are_needed(words: str) -> None:
    if not words:
        assert demo.run(parse("routers", "--compare", words)) == 0, "an empty word is no word"
        return
    with pytest.raises(UsageError, match="as standard,netbsd"):
        demo.run(parse("routers", "--compare", words))
