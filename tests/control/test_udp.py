"""The UDP services of the control socket, over a device without a kernel; datagrams are built by hand."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from stack.control import protocol
from stack.control.arguments import parse_listening
from stack.control.udp import number_of, numbered
from stack.discard import Discard
from stack.errors import UsageError
from stack.mld.filters import EVERYTHING, FilterMode
from tests.control.test_control import Served, serving, until
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, PEER_MAC, Sent, frame, icmp, ip, packet
from tests.udp.common import GROUP, OTHER_GROUP, Parsed, datagram, parsed


class Client:
    """One request under way; `events` are taken from it one by one."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._buffer = b""

    async def line(self) -> dict[str, Any]:
        """The next answer."""
        with trio.fail_after(20):
            while b"\n" not in self._buffer:
                data = await self.stream.receive_some(65536)
                assert data, "the host hung up"
                self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return protocol.decode(line)

    async def event(self, kind: str) -> dict[str, Any]:
        """The next event, which is of this kind."""
        answer = await self.line()
        assert answer.get("event", {}).get("kind") == kind, answer
        found: dict[str, Any] = answer["event"]
        return found


@asynccontextmanager
async def asking(served: Served, command: str, **arguments: Any) -> AsyncIterator[Client]:
    async with await trio.open_unix_socket(str(served.control.path)) as stream:
        await stream.send_all(protocol.encode({"command": command, "arguments": arguments}))
        yield Client(stream)


async def know_the_peer(served: Served) -> None:
    await served.ask("neigh add", address=PEER_LINK_LOCAL, lladdr=PEER_MAC.hex(":"))


def datagrams(served: Served) -> list[Parsed]:
    """What the host has sent in datagrams."""
    frames = [Sent(0.0, each) for each in served.device.frames()]
    return [parsed(each) for each in frames if each.packet[6] == 17]


async def sent(served: Served, count: int = 1) -> list[Parsed]:
    found: list[Parsed] = []

    def enough() -> bool:
        found.extend(datagrams(served))
        return len(found) >= count

    await until(enough)
    return found


def unreachable(about: Parsed) -> bytes:
    """The peer's port unreachable about a datagram of the host."""
    size = 8 + len(about.data)
    quote = packet(
        about.source,
        about.destination,
        struct.pack("!HHHH", about.source_port, about.port, size, 0) + about.data,
        next_header=17,
    )
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 1, 4, bytes(4) + quote)
    return frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message))


def nothing_is_left(served: Served) -> bool:
    return not served.host.udp.sockets and ip(GROUP) not in served.interface.listener.groups.records


class TestSend:
    async def test_a_text(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await know_the_peer(served)
            async with asking(served, "udp send", address=PEER_LINK_LOCAL, port=7, text="hallo") as client:
                start = await client.event("start")
                assert (start["from"], start["to"], start["port"]) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL, 7)
                assert start["bytes"] == 5
                await client.event("sent")
                (found,) = await sent(served)
                assert found == (OUR_LINK_LOCAL, start["from_port"], PEER_LINK_LOCAL, 7, b"hallo", 64)
                assert (await client.line()) == {"result": None}
            await until(lambda: nothing_is_left(served))

    async def test_a_size_with_numbers(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await know_the_peer(served)
            async with asking(served, "udp send", address=PEER_LINK_LOCAL, port=7, size=20, count=3):
                found = await sent(served, 3)
            assert [len(each.data) for each in found] == [20] * 3
            assert [number_of(each.data) for each in found] == [1, 2, 3]
            assert len({each.source_port for each in found}) == 1

    async def test_an_error_ends_the_wait(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await know_the_peer(served)
            async with asking(served, "udp send", address=PEER_LINK_LOCAL, port=7) as client:
                await client.event("start")
                await client.event("sent")
                (found,) = await sent(served)
                served.device.peer.send(unreachable(found))
                error = await client.event("error")
                assert error == {"kind": "error", "from": PEER_LINK_LOCAL, "type": 1, "code": 4}
                assert (await client.line()) == {"result": None}

    async def test_to_a_port_of_ours_where_nobody_is(self, tmp_path: Path) -> None:
        async with (
            serving(tmp_path) as served,
            asking(served, "udp send", address=OUR_LINK_LOCAL, port=7) as client,
        ):
            await client.event("start")
            await client.event("sent")
            assert (await client.event("error"))["code"] == 4

    async def test_from_an_address_of_choice(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("addr add", address="2001:db8::5/64", nodad=True)
            await know_the_peer(served)
            async with asking(served, "udp send", address=PEER_LINK_LOCAL, port=7, source="2001:db8::5"):
                (found,) = await sent(served)
            assert found.source == "2001:db8::5"

    @pytest.mark.parametrize(
        ("arguments", "status"),
        [
            ({"port": 7}, 2),
            ({"address": "x", "port": 7}, 2),
            ({"address": "::", "port": 7}, 2),
            ({"address": PEER_LINK_LOCAL}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 0}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 65_536}, 2),
            ({"address": PEER_LINK_LOCAL, "port": "7"}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "text": "a", "size": 1}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "size": 65_528}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "text": "x" * 65_528}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "text": "\ud800"}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "count": 0}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "interval": 0}, 2),
            ({"address": "fe80::9%eth7", "port": 7}, 2),
            ({"address": PEER_LINK_LOCAL, "port": 7, "source": "fe80::5"}, 1),
            ({"address": "2001:db8:9::1", "port": 7}, 1),
        ],
        ids=lambda value: str(value)[:60],
    )
    async def test_refused(self, tmp_path: Path, arguments: dict[str, Any], status: int) -> None:
        async with serving(tmp_path) as served:
            async with asking(served, "udp send", **arguments) as client:
                answer = await client.line()
                if "event" in answer:
                    answer = await client.line()
                assert answer["status"] == status
                assert "\n" not in answer["error"]
            assert datagrams(served) == []
            assert nothing_is_left(served)


class TestReceive:
    async def test_each_datagram_is_told(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served, asking(served, "udp recv", port=5000, count=4) as client:
            assert (await client.event("start"))["port"] == 5000
            for data in (b"hallo", numbered(9, 40), b"\x1b[2J", b""):
                served.device.peer.send(datagram(data, hop_limit=33))
            found = [await client.event("datagram") for _ in range(4)]
            for each in found:
                assert each.pop("time") >= 0
            common = {"kind": "datagram", "from": PEER_LINK_LOCAL, "port": 4000, "to": OUR_LINK_LOCAL, "hoplimit": 33}
            common["dropped"] = 0
            assert found == [
                common | {"bytes": 5, "text": "hallo"},
                common | {"bytes": 40, "seq": 9},
                common | {"bytes": 4},
                common | {"bytes": 0},
            ]
            assert (await client.line()) == {"result": None}
            await until(lambda: nothing_is_left(served))

    async def test_what_still_comes_after_the_leave(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The groups are left after the last datagram that was asked for; what the link still carries is counted."""
        monkeypatch.setattr("stack.control.udp.QUIET", 0.2)
        async with serving(tmp_path) as served:
            # A group of another user of the host is not left, and says nothing.
            await served.ask("maddr join", group=OTHER_GROUP)
            joins = [GROUP, OTHER_GROUP]
            async with asking(served, "udp recv", port=5000, join=joins, count=1) as client:
                await client.event("start")
                await until(lambda: ip(GROUP) in served.interface.listener.groups)
                served.device.peer.send(datagram(destination=GROUP))
                await client.event("datagram")
                await until(lambda: ip(GROUP) not in served.interface.listener.groups)
                for group in (GROUP, OTHER_GROUP, GROUP):
                    served.device.peer.send(datagram(destination=group))
                left = await client.event("left")
                assert left["after"] == 2
                assert 0 <= left["last"] < 10
                assert (await client.line()) == {"result": None}
            await until(lambda: nothing_is_left(served))
            assert served.interface.afterlives.watched == {}
            assert served.host.counters.outcomes[Discard.GROUP_NOT_JOINED] == 2

    async def test_only_what_was_joined(self, tmp_path: Path) -> None:
        """RFC 3810 4.2: from the groups joined, the sources wanted, at the port."""
        async with serving(tmp_path) as served:
            await served.ask("maddr join", group=OTHER_GROUP)
            joins = [f"{GROUP},include,fe80::a,fe80::b", "ff05::79,exclude,fe80::a"]
            async with asking(served, "udp recv", port=5000, join=joins, count=3) as client:
                await client.event("start")
                for data, source, destination, port in (
                    (b"other group", "fe80::a", OTHER_GROUP, 5000),
                    (b"other port", "fe80::a", GROUP, 5001),
                    (b"not included", "fe80::c", GROUP, 5000),
                    (b"excluded", "fe80::a", "ff05::79", 5000),
                    (b"1", "fe80::a", GROUP, 5000),
                    (b"2", "fe80::b", GROUP, 5000),
                    (b"3", "fe80::c", "ff05::79", 5000),
                ):
                    served.device.peer.send(datagram(data, source=source, destination=destination, port=port))
                found = [await client.event("datagram") for _ in range(3)]
                assert [each["text"] for each in found] == ["1", "2", "3"]

    async def test_a_client_that_hangs_up_leaves(self, tmp_path: Path) -> None:
        """The group is left and the port is free."""
        async with serving(tmp_path) as served:
            async with asking(served, "udp recv", port=5000, join=[GROUP]) as client:
                await client.event("start")
                assert not nothing_is_left(served)
                assert GROUP in await served.groups()
            await until(lambda: nothing_is_left(served))
            async with asking(served, "udp recv", port=5000) as client:
                await client.event("start")

    async def test_port_in_use(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served, asking(served, "udp recv", port=5000) as client:
            await client.event("start")
            for command in ("udp recv", "udp echo"):
                async with asking(served, command, port=5000) as second:
                    answer = await second.line()
                assert (answer["status"], answer["error"]) == (1, "port 5000 is in use")
            assert len(served.host.udp.sockets) == 1

    async def test_at_the_limit(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.host.settings.max_sockets = 1
            async with asking(served, "udp recv", port=5000) as client:
                await client.event("start")
                async with asking(served, "udp recv", port=5001) as second:
                    answer = await second.line()
                assert answer["status"] == 1
                assert "max_sockets" in answer["error"]

    async def test_a_driver_that_refuses_the_group(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.refuse = True
            async with asking(served, "udp recv", port=5000, join=[GROUP]) as client:
                answer = await client.line()
            served.refuse = False
            assert answer["status"] == 1
            assert "refuses the multicast filter" in answer["error"]
            assert nothing_is_left(served)

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"port": 0},
            {"port": 65_536},
            {"port": True},
            {"port": 5000, "count": 0},
            {"port": 5000, "join": GROUP},
            {"port": 5000, "join": [5]},
            {"port": 5000, "join": [GROUP] * 4097},
            {"port": 5000, "join": [GROUP, "fe80::1"]},
        ],
        ids=lambda value: str(value)[:60],
    )
    async def test_wrong_words(self, tmp_path: Path, arguments: dict[str, Any]) -> None:
        async with serving(tmp_path) as served:
            async with asking(served, "udp recv", **arguments) as client:
                assert (await client.line())["status"] == 2
            assert nothing_is_left(served)


class TestEcho:
    async def test_from_the_address_that_was_asked(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("addr add", address="2001:db8::5/64", nodad=True)
            await know_the_peer(served)
            async with asking(served, "udp echo", port=7) as client:
                await client.event("start")
                for destination in (OUR_LINK_LOCAL, "2001:db8::5"):
                    served.device.peer.send(datagram(b"data", destination=destination, port=7))
                found = await sent(served, 2)
                assert [(each.source, each.data) for each in found] == [
                    (OUR_LINK_LOCAL, b"data"),
                    ("2001:db8::5", b"data"),
                ]
                assert {(each.source_port, each.port) for each in found} == {(7, 4000)}
            await until(lambda: nothing_is_left(served))

    async def test_what_cannot_be_answered(self, tmp_path: Path) -> None:
        """RFC 768: a source port of 0 wants no reply; and there may be no way back."""
        async with serving(tmp_path) as served, asking(served, "udp echo", port=7) as client:
            await client.event("start")
            served.device.peer.send(datagram(source_port=0, port=7))
            served.device.peer.send(datagram(source="2001:db8:9::1", port=7))
            told: list[dict[str, Any]] = []
            while sum(each["unsent"] for each in told) < 2:
                told.append(await client.event("echoed"))
            assert all(each["datagrams"] == 0 for each in told)
            assert datagrams(served) == []


class TestListening:
    @pytest.mark.parametrize(
        ("text", "mode", "sources"),
        [
            ("ff05::1", FilterMode.EXCLUDE, []),
            ("ff05::1,exclude", FilterMode.EXCLUDE, []),
            ("ff05::1,exclude,fe80::1", FilterMode.EXCLUDE, ["fe80::1"]),
            ("ff05::1,include,fe80::1,fe80::2,fe80::1", FilterMode.INCLUDE, ["fe80::1", "fe80::2"]),
        ],
    )
    def test_parsed(self, text: str, mode: FilterMode, sources: list[str]) -> None:
        group, found = parse_listening(text)
        assert (group, found.mode, found.sources) == (ip("ff05::1"), mode, frozenset(map(ip, sources)))
        assert (found == EVERYTHING) == (not sources)

    @pytest.mark.parametrize(
        "text",
        [
            *("", ",", "fe80::1", "x", "ff05::1,", "ff05::1,include", "ff05::1,include,", "ff05::1,only,fe80::1"),
            *("ff05::1,fe80::1", "ff05::1,include,ff05::2", "ff05::1,exclude,::", "ff05::1,include,x"),
        ],
    )
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_listening(text)
        assert "\n" not in str(caught.value)


class TestNumbers:
    @pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 56, 300])
    def test_sizes(self, size: int) -> None:
        data = numbered(5, size)
        assert len(data) == size
        assert number_of(data) == (5 if size >= 8 else None)

    @pytest.mark.parametrize("data", [b"", b"6tap", b"6taP\0\0\0\1", bytes(8)])
    def test_of_others(self, data: bytes) -> None:
        assert number_of(data) is None
