"""An internal error leaves a bundle and one line that says where; the bundle breaks a copy in the same way."""

import re
from pathlib import Path
from typing import Any

import pytest
import trio

from stack.cli.crash import CrashGuard
from stack.discard import Outcome
from stack.errors import InternalError, LinkGoneError
from stack.ip6 import input as ip6_input
from stack.recorder.bundle import replay_bundle
from stack.recorder.ring import Recorder
from tests.playbook import OUR_LINK_LOCAL, echo_request, solicitation
from tests.test_runtime import Stage, until


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect that echo requests meet."""
    sound = ip6_input.receive

    def receive(*arguments: Any, **named: Any) -> Outcome:
        if b"abcdefgh" in arguments[1]:
            raise ZeroDivisionError("a defect")
        return sound(*arguments, **named)

    monkeypatch.setattr(ip6_input, "receive", receive)


async def crash(stage: Stage) -> str:
    """Run the host until it breaks; the line for the user."""
    with pytest.raises(InternalError) as caught, CrashGuard(stage.runtime) as guard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.runtime.run)
            await until(lambda: stage.interface.up)
            stage.device.peer.send(solicitation(OUR_LINK_LOCAL))
            stage.device.peer.send(echo_request())
            await trio.sleep_forever()
    assert guard.crashed
    return str(caught.value)


@pytest.mark.usefixtures("broken")
async def test_the_bundle_breaks_its_copy_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = Stage()
    Recorder(stage.host)
    line = await crash(stage)
    stage.close()
    assert "\n" not in line
    assert line.startswith("internal error: ZeroDivisionError at test_crash.py:")
    found = re.search(r"sixtap replay (\S+) repeats it$", line)
    assert found is not None
    result = replay_bundle(Path(found[1]))
    assert isinstance(result.error, ZeroDivisionError)
    assert result.equal
    assert result.frames == 2


@pytest.mark.usefixtures("broken")
async def test_where_nothing_can_be_written_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.cli.crash.write_privately", lambda path, octets: (tmp_path / "no" / "x").open("wb"))
    stage = Stage()
    Recorder(stage.host)
    assert "could not be written" in await crash(stage)
    stage.close()


@pytest.mark.usefixtures("broken")
async def test_without_a_recorder_it_says_so() -> None:
    stage = Stage()
    assert (await crash(stage)).endswith("nothing was recorded (--no-record)")
    stage.close()


def test_what_is_meant_for_the_user_passes() -> None:
    stage = Stage()
    with pytest.raises(LinkGoneError), CrashGuard(stage.runtime):
        raise LinkGoneError("t0 was deleted")
    with pytest.raises(KeyboardInterrupt), CrashGuard(stage.runtime):
        raise KeyboardInterrupt
    stage.close()
