"""`sixtap udp` as its users see it: the real executable against a host in this process."""

import json
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from stack.cli.udp import WINDOW, Echoing, Receiving, Sending, Stream
from stack.control.udp import numbered
from tests.cli.test_commands import SIXTAP, as_json, plain, sixtap
from tests.control.test_control import Served, serving, until
from tests.control.test_udp import datagrams, know_the_peer, nothing_is_left, sent, unreachable
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL
from tests.udp.common import GROUP, datagram


@asynccontextmanager
async def started(served: Served, *words: str) -> AsyncIterator[trio.Process]:
    """One command of `sixtap udp`, once the host serves it."""
    command = [SIXTAP, "--control", str(served.control.path), "udp", *words]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        await until(lambda: any(socket.port for socket in served.host.udp.sockets.values()))
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        await process.wait()


async def output(process: trio.Process, status: int = 0) -> str:
    """What it said until it ended, and how it ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    with trio.fail_after(30):
        text = b"".join([part async for part in process.stdout])
        said = b"".join([part async for part in process.stderr])
        assert await process.wait() == status, text + said
    assert said == b""
    return text.decode()


class TestSend:
    async def test_nothing_comes_back(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await know_the_peer(served)
            text = await sixtap(served, "udp", "send", f"{PEER_LINK_LOCAL}%t0", "7", "--text", "hallo")
            (found,) = datagrams(served)
            assert (found.data, found.port) == (b"hallo", 7)
            assert text == (
                f"1 datagram of 5 bytes from {OUR_LINK_LOCAL} port {found.source_port} to {PEER_LINK_LOCAL} port 7\n"
            )

    async def test_an_error_comes_back(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await know_the_peer(served)
            words = ("send", PEER_LINK_LOCAL, "7", "--size", "1")
            async with started(served, *words) as process:
                (found,) = await sent(served)
                served.device.peer.send(unreachable(found))
                text = await output(process, 1)
            assert text.startswith(
                f"From {PEER_LINK_LOCAL} Destination unreachable: Port unreachable\n1 datagram of 1 byte"
            )
            assert text.endswith(", 1 error\n")

    async def test_json(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            text = await sixtap(served, "udp", "send", OUR_LINK_LOCAL, "7", "-c", "2", "-j", status=1)
            document = json.loads(text)
            assert document.pop("from_port") >= 49_152
            error = {"from": OUR_LINK_LOCAL, "type": 1, "code": 4}
            assert document == {
                "sent": 2,
                "from": OUR_LINK_LOCAL,
                "to": OUR_LINK_LOCAL,
                "port": 7,
                "bytes": 56,
                "errors": [error, error],
            }


class TestReceive:
    async def test_lines(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served, started(served, "recv", "5000", "-c", "4") as process:
            for data in (numbered(1, 20), numbered(3, 20), numbered(3, 20), b"hallo"):
                served.device.peer.send(datagram(data))
            lines = (await output(process)).splitlines()
            assert lines[0] == "listening at port 5000"
            way = f"from {PEER_LINK_LOCAL} port 4000 to {OUR_LINK_LOCAL} time="
            assert lines[1].startswith(f"20 bytes {way}")
            assert [line.rpartition(": ")[2] for line in lines[1:5]] == ["seq=1", "seq=3", "seq=3 (DUP!)", "hallo"]
            assert lines[6] == "--- port 5000 ---"
            assert lines[7].startswith("4 datagrams received, 1 missing, 1 doubles, the first after ")

    async def test_json(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served, started(served, "recv", "5000", "-c", "1", "-j") as process:
            served.device.peer.send(datagram(b"hallo"))
            document = json.loads(await output(process))
            (found,) = document.pop("datagrams")
            assert document.pop("first") == document.pop("last") == found.pop("time") >= 0
            nothing_left = {"after_leave": None, "leave_to_last": None}
            assert document == {"received": 1, "missing": 0, "doubles": 0, "dropped": 0} | nothing_left
            assert found == {
                "from": PEER_LINK_LOCAL,
                "port": 4000,
                "to": OUR_LINK_LOCAL,
                "bytes": 5,
                "hoplimit": 64,
                "text": "hallo",
            }

    @pytest.mark.parametrize(("number", "count", "status"), [(signal.SIGINT, (), 0), (signal.SIGTERM, ("-c", "9"), 1)])
    async def test_interrupted(self, tmp_path: Path, number: int, count: tuple[str, ...], status: int) -> None:
        """It still sums up, and the host leaves the group."""
        async with serving(tmp_path) as served:
            words = ("recv", "5000", "--join", GROUP, "--join", f"ff05::79,include,{PEER_LINK_LOCAL}", *count, "-j")
            async with started(served, *words) as process:
                await until(lambda: len(next(iter(served.host.udp.sockets.values())).memberships.filters) == 2)
                served.device.peer.send(datagram(destination=GROUP))
                served.device.peer.send(datagram(destination="ff05::79"))
                await until(lambda: served.host.counters.udp_in == 2)
                # What the host has told is read before the end; give it the time to tell.
                await until(lambda: not any(len(each._queue) for each in served.host.udp.sockets.values()))
                process.send_signal(number)
                document = json.loads(await output(process, status))
            assert [each["to"] for each in document["datagrams"]] == [GROUP, "ff05::79"]
            await until(lambda: nothing_is_left(served))


class TestEcho:
    async def test_until_interrupted(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await know_the_peer(served)
            async with started(served, "echo", "7") as process:
                served.device.peer.send(datagram(b"data", port=7))
                (found,) = await sent(served)
                assert found.data == b"data"
                process.send_signal(signal.SIGINT)
                text = await output(process)
            assert text == "listening at port 7\n\n--- port 7 ---\n1 datagram echoed\n"
            await until(lambda: nothing_is_left(served))


class TestWrongWords:
    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("show",),
            ("send",),
            ("send", "fe80::1"),
            ("send", "fe80::1", "x"),
            ("send", "fe80::1", "7", "--text", "a", "--size", "1"),
            ("recv",),
            ("recv", "x"),
            ("recv", "5000", "--join"),
            ("echo",),
            ("echo", "7", "8"),
        ],
        ids=" ".join,
    )
    def test_without_a_host(self, words: tuple[str, ...]) -> None:
        done = plain("udp", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1, done.stderr

    @pytest.mark.parametrize(
        ("words", "status"),
        [
            (("send", "::", "7"), 2),
            (("send", "fe80::1", "0"), 2),
            (("send", "fe80::1", "7", "-c", "0"), 2),
            (("send", "fe80::1", "7", "-I", "fe80::5"), 1),
            (("send", "2001:db8:9::1", "7"), 1),
            (("recv", "0"), 2),
            (("recv", "5000", "--join", "fe80::1"), 2),
            (("recv", "5000", "--join", "ff05::1,include"), 2),
            (("recv", "5000", "-c", "0"), 2),
            (("echo", "65536"), 2),
            (("echo", "7"), 1),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
    )
    async def test_refused_by_the_host(self, tmp_path: Path, words: tuple[str, ...], status: int) -> None:
        async with serving(tmp_path) as served:
            served.host.udp.open().bind(None, 7)
            await sixtap(served, "udp", *words, status=status)
            assert len(served.host.udp.sockets) == 1

    async def test_a_document_where_one_is_due(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            assert (await as_json(served, "udp", "send", GROUP, "7", "--text", ""))["sent"] == 1


class TestTallies:
    def test_after_the_leave(self) -> None:
        tally = Receiving(1, keep=False)
        tally.take({"kind": "left", "after": 0, "last": None})
        assert tally.summary().endswith("\nleft: nothing came to the groups afterwards")
        tally.take({"kind": "left", "after": 3, "last": 0.25})
        assert tally.summary().endswith("\nleft: 3 packets came to the groups afterwards, the last 0.250 s later")
        assert tally.document()["after_leave"] == 3
        assert tally.document()["leave_to_last"] == 0.25

    def test_gaps_and_doubles(self) -> None:
        stream = Stream(3, 3, seen={3: None})
        assert [stream.take(number) for number in (5, 4, 5, 9, 3, 2)] == [True, True, False, True, False, True]
        assert (stream.missing, stream.doubles) == (3, 2)

    def test_the_window_is_bounded(self) -> None:
        stream = Stream(0, 0, seen={0: None})
        for number in range(1, 3 * WINDOW):
            assert stream.take(number)
        assert len(stream.seen) == WINDOW
        assert (stream.missing, stream.doubles) == (0, 0)

    def test_senders_are_bounded(self) -> None:
        tally = Receiving(None, keep=False)
        for port in range(2000):
            tally.take(event(port=port, seq=1))
        assert (tally.received, len(tally.streams), tally.datagrams) == (2000, 1024, [])

    def test_each_sender_has_its_own_numbers(self) -> None:
        tally = Receiving(None, keep=True)
        for port, number in ((1, 1), (2, 7), (1, 2), (2, 9), (2, 9)):
            tally.take(event(port=port, seq=number))
        assert (tally.missing, tally.doubles, len(tally.datagrams)) == (1, 1, 5)
        assert "5 datagrams received, 1 missing, 1 doubles" in tally.summary()

    def test_what_was_dropped_is_told(self) -> None:
        tally = Receiving(5, keep=False)
        tally.take(event(dropped=3))
        assert "1 datagram received, 3 dropped for want of room" in tally.summary()
        assert tally.status() == 1

    def test_nothing_at_all(self) -> None:
        assert Receiving(None, keep=False).summary() == "\n--- port 0 ---\n0 datagrams received"
        assert Sending().summary() == "0 datagrams"
        echoing = Echoing()
        echoing.take({"kind": "echoed", "datagrams": 2, "unsent": 1})
        assert echoing.summary().endswith("2 datagrams echoed, 1 could not be answered")
        assert echoing.document() == {"echoed": 2, "unsent": 1}


def event(port: int = 4000, dropped: int = 0, **more: Any) -> dict[str, Any]:
    """What the host tells of a datagram."""
    return {
        "kind": "datagram",
        "from": "fe80::2",
        "port": port,
        "to": "ff05::7",
        "bytes": 8,
        "hoplimit": 1,
        "time": 0.5,
        "dropped": dropped,
        **more,
    }
