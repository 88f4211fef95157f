"""Wrong uses of our sockets end as on Linux: `linux.json` has what a kernel 6.18 says, a live test asks this one."""

import json
from pathlib import Path

import pytest
from trio.testing import MockClock

import stack
from tests.sockets.misuse import CASES, DIFFERENCES, Place, outcome

LINUX: dict[str, str] = json.loads(Path(__file__).with_name("linux.json").read_text())
ADDRESS = "2001:db8::5"


@pytest.fixture
def clock() -> MockClock:
    """Time passes when nobody has anything to do."""
    return MockClock(autojump_threshold=0)


async def test_every_wrong_use_ends_as_on_linux(clock: MockClock) -> None:
    known = {name: run for name, run in CASES.items() if name not in DIFFERENCES}
    async with stack.open_host(
        stack.FrameLink("t0", index=2), addresses=[f"{ADDRESS}/64"], settings={"dad_transmits": 0}
    ) as host:
        place = Place(2, "t0", host.interface.link_local, ADDRESS)
        with host.installed():
            found = {name: await outcome(run, place) for name, run in known.items()}
        assert not host.core.udp.sockets
        assert not host.core.raw.sockets
    wrong = {name: (each, LINUX[name]) for name, each in found.items() if each != LINUX[name]}
    assert not wrong, "ours, Linux's"


async def test_the_differences_are_still_there(clock: MockClock) -> None:
    async with stack.open_host(
        stack.FrameLink("t0", index=2), addresses=[f"{ADDRESS}/64"], settings={"dad_transmits": 0}
    ) as host:
        place = Place(2, "t0", host.interface.link_local, ADDRESS)
        with host.installed():
            found = {name: await outcome(CASES[name], place) for name in DIFFERENCES}
    assert {name for name, each in found.items() if each == LINUX[name]} == set()


def test_the_table_is_complete() -> None:
    assert LINUX.keys() == CASES.keys()
