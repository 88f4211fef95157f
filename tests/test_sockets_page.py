"""docs/sockets.md: every example does what the page says, in virtual time; the one with a TAP device is a live test."""

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.docs_examples import Example, examples
from tests.playbook import OUR_LINK_LOCAL, echo_request, solicitation

EXAMPLES = [each for each in examples("sockets.md") if each.mark != "tap"]


@pytest.fixture
def clock() -> MockClock:
    """Time passes when nobody has anything to do."""
    return MockClock(autojump_threshold=0)


@pytest.fixture
def capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small capture, where the example looks for it."""
    import dpkt

    monkeypatch.chdir(tmp_path)
    with Path("few.pcap").open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for time, frame in ((1000.0, solicitation(OUR_LINK_LOCAL)), (1002.5, echo_request())):
            writer.writepkt(frame, ts=time)


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"line {each.line}" for each in EXAMPLES])
async def test_example(example: Example, clock: MockClock, capture: None, capsys: pytest.CaptureFixture[str]) -> None:
    await example.function()()
    assert capsys.readouterr().out == example.output


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5
    assert all(each.output for each in EXAMPLES)
