"""docs/journal.md: every example does what the page says; its console blocks are run with those of all pages."""

import pytest

from tests.docs_examples import Example, examples

EXAMPLES = examples("journal.md")


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"line {each.line}" for each in EXAMPLES])
async def test_example(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    await example.function()()
    assert capsys.readouterr().out == example.output


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2
    assert all(each.output for each in EXAMPLES)
