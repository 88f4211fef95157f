"""`sixtap monitor`: every kind of event, as a line and as an object, when it happens."""

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, get_args

import pytest
import trio

from stack import events
from stack.control.arguments import Arguments
from stack.control.monitor import WAITING_MAX, describe, monitor
from stack.events import Event
from stack.multicast_filter import FilterPlan
from tests.cli.test_commands import SIXTAP
from tests.control.test_control import Served, serving, until
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, mld_message, solicitation


class Watching:
    """A `sixtap monitor` that has begun; `lines` are what it has printed."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def read(self) -> None:
        rest = b""
        assert self.process.stdout is not None
        async for data in self.process.stdout:
            *whole, rest = (rest + data).split(b"\n")
            self.lines += [each.decode() for each in whole]


async def watched(served: Served, nursery: trio.Nursery, *words: str) -> Watching:
    """Start one, and go on when it listens."""
    before = len(served.host.listeners)
    command = [SIXTAP, "--control", str(served.control.path), *words, "monitor"]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    watching = Watching(process)
    nursery.start_soon(watching.read)
    await until(lambda: len(served.host.listeners) > before)
    return watching


async def test_lines_and_objects(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, trio.open_nursery() as nursery:
        began = time.time()
        text = await watched(served, nursery)
        objects = await watched(served, nursery, "-j")
        await served.ask("addr add", address="2001:db8::5/64")
        await served.ask("maddr join", group="ff05::77", include="2001:db8::1")
        await served.ask("neigh add", address="fe80::9", lladdr="02:00:00:00:00:09")
        await served.ask("route add", prefix="2001:db8:9::/48", via="fe80::9")
        await served.ask("route del", prefix="2001:db8:9::/48")
        served.device.peer.send(mld_message(130, "::", delay=1000))
        served.device.peer.send(solicitation(OUR_LINK_LOCAL))
        await until(lambda: any("querier" in each for each in objects.lines) and len(text.lines) == len(objects.lines))
        for each in (text, objects):
            each.process.send_signal(signal.SIGINT)
            assert await each.process.wait() == 0
        assert len(served.host.listeners) == 0, "who hangs up is told no more"
    parsed = [json.loads(each) for each in objects.lines]
    said = {each["event"]: each for each in parsed}
    assert {"address", "group", "filter", "neighbour", "route", "querier", "mld"} <= set(said)
    assert all(began - 1 < each["time"] < time.time() + 1 for each in parsed)
    assert {"address": "2001:db8::5", "state": "preferred"}.items() <= said["address"].items()
    assert said["querier"]["querier"] == PEER_LINK_LOCAL
    assert said["querier"]["version"] == 1
    assert said["filter"]["plan"].keys() == {"unicast", "exact", "hashed", "allmulti", "off"}
    assert said["route"]["text"] == "route 2001:db8:9::/48 via fe80::9 metric 1024 deleted"
    for line, each in zip(text.lines, parsed, strict=True):
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} " + re.escape(each["text"]), line)


def sample(annotation: Any) -> Any:
    """A value for a field of an event."""
    text = str(annotation)
    if "tuple" in text:
        return (bytes(16),) if "bytes" in text else ("x",)
    if "FilterPlan" in text:
        return FilterPlan()
    return bytes(16) if "bytes" in text else 7 if "int" in text else "x" if "str" in text else True


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_is_an_object_of_plain_data(kind: Any) -> None:
    event = kind(**{name: sample(of) for name, of in kind.__annotations__.items() if name != "kind"})
    document = json.loads(json.dumps(describe(event, 1.5)))
    assert (document["event"], document["time"], document["text"]) == (kind.kind, 1.5, event.text())


async def test_a_client_that_reads_slowly_is_told_how_much_it_missed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        told: list[dict[str, Any]] = []
        gate = trio.Event()

        async def tell(event: dict[str, Any]) -> None:
            if told:
                await gate.wait()
            told.append(event)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor, served.runtime, Arguments({}), tell)
            await until(lambda: told)
            for _ in range(WAITING_MAX + 10):
                served.host.emit(events.InterfaceDown())
            gate.set()
            await until(lambda: any(each["event"] == "lost" for each in told))
            (lost,) = (each for each in told if each["event"] == "lost")
            # One may be on its way to the client already.
            assert lost["count"] in (9, 10)
            await until(lambda: len(told) == 1 + WAITING_MAX + 10 - lost["count"] + 1)
            nursery.cancel_scope.cancel()
