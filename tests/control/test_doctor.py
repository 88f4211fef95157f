"""The facts for the doctor over the control socket, and the command as typed beside a device without a kernel."""

import json
from pathlib import Path

import pytest
import trio

from stack.cli.main import main
from tests.control.test_control import serving, until
from tests.playbook import ip
from tests.sim.querying import LOWER, query

GROUP = "ff05::1:3"


async def command(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> tuple[int, str]:
    """Exit status and output of `sixtap doctor`."""
    status = await trio.to_thread.run_sync(lambda: main(["--control", str(path), "doctor", *words]))
    return status, capsys.readouterr().out


async def test_facts(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        served.runtime.call(lambda now: served.interface.listener.join(ip(GROUP), now))
        served.device.peer.send(query(hop_limit=64))
        served.device.peer.send(query(qqic=20, qrv=3, delay=4000))
        await until(lambda: served.interface.listener.observed.heard)
        facts = await served.ask("doctor")
        assert (facts["ifname"], facts["up"], facts["version"], facts["addresses"]) == ("t0", True, 2, 1)
        last = facts["queries"]["last"]
        assert (last["source"], last["interval"], last["robustness"], last["delay"]) == (LOWER, 20, 3, 4.0)
        (discarded,) = facts["queries"]["discarded"]
        assert (discarded["reason"], discarded["clause"], discarded["count"]) == ("MldHopLimit", "RFC 3810 6.2", 1)
        reported = {each["address"]: each["reported"] for each in facts["groups"]}
        assert set(reported) == {GROUP, "ff02::1:ff00:1"}, "ff02::1 is never reported"
        assert all(age is not None and 0 <= age < 20 for age in reported.values())
        assert facts["since"] >= 0
        assert facts["bridge"] is None


async def test_as_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(tmp_path) as served:
        path = served.control.path
        status, out = await command(capsys, path)
        assert (status, out.splitlines()[0]) == (0, "t0: nothing is wrong")
        served.device.peer.send(query(hop_limit=64))
        await until(lambda: served.interface.listener.observed.discarded)
        status, out = await command(capsys, path)
        assert (status, out.splitlines()[0]) == (1, "t0: 1 problem")
        assert "problem  1 query discarded" in out and "-> " in out
        status, out = await command(capsys, path, "-j")
        document = json.loads(out)
        assert (status, document["healthy"]) == (1, False)
        assert {"severity", "code", "text", "advice", "groups", "seconds"} == set(document["findings"][0])
        await served.ask("link down")
        status, out = await command(capsys, path)
        assert (status, out.splitlines()[0]) == (1, "t0: 1 problem")
        assert "t0 is down" in out


def test_no_host(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--control", str(tmp_path / "none.sock"), "doctor"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
