"""Every command that a page of docs/ shows on a console is run in a lab, and does what the page says.

A block is fenced as `console`; its commands stand behind `$ `, and what follows is
what they print, with `...` for what differs. A page is one shell from top to bottom.
"""

import doctest
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live.running import SIXTAP

DOCS = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if _BLOCK.search(path.read_text(encoding="utf-8"))]


class Command(NamedTuple):
    """What is typed, and what the page says that it prints."""

    typed: str
    expected: str


def commands(text: str) -> list[Command]:
    found = []
    for block in _BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            typed, _, expected = part.partition("\n")
            found.append(Command(typed, expected))
    return found


def script(typed: list[Command]) -> str:
    """One shell script; after each command a line with its number and exit status."""
    return "\n".join(f"{each.typed}\nprintf '@@%d %d\\n' {number} $?" for number, each in enumerate(typed))


def outputs_of(printed: str, count: int) -> list[tuple[str, int]]:
    """What each command of a script printed, and its exit status."""
    parts = re.split(r"^@@(\d+) (\d+)\n", printed, flags=re.MULTILINE)
    assert len(parts) == 3 * count + 1, printed
    return [(parts[3 * number], int(parts[3 * number + 2])) for number in range(count)]


def agrees(expected: str, got: str) -> bool:
    """Line by line with any spacing, `...` for anything at all."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return expected == "" or doctest.OutputChecker().check_output(expected, got, flags)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_the_commands_of_a_page_do_what_it_says(page: Path) -> None:
    typed = commands(page.read_text(encoding="utf-8"))
    done = subprocess.run(
        [SIXTAP, "lab", "--run", f"exec 2>&1\n{script(typed)}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for each, (output, status) in zip(typed, outputs_of(done.stdout + done.stderr, len(typed)), strict=True):
        assert status == 0, f"$ {each.typed}\n{output}"
        assert agrees(each.expected, output), f"$ {each.typed}\n{output}\nthe page says:\n{each.expected}"


def test_the_comparison_can_fail() -> None:
    assert agrees("a ... c\n", "a b c\n")
    assert not agrees("a ... d\n", "a b c\n")
